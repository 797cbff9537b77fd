/**
 * The proof that the simulation of replication finds what it is for: bugs that are put in on purpose, each into all servers of a run, and some
 * seed must find out.
 *
 * @module
 */
import type { Server } from "../../src/server/mod.ts";
import { simulateReplication } from "./replication_run.ts";

/** A bug. */
export interface Sabotage {
  readonly name: string;
  /** Puts it into a server. */
  readonly apply: (server: Server) => void;
}

/** Bytes of PING in a stream. */
const PING_BYTES = "*1\r\n$4\r\nPING\r\n".length;

/** About as long as a short command. */
const COMMAND_BYTES = 40;

/** The bugs. */
export const SABOTAGES: readonly Sabotage[] = [
  {
    name: "the second id is kept too long",
    apply: ({ replication: { history } }) => {
      history.shares = (id) => id === history.id || id === history.secondId;
    },
  },
  {
    name: "the second id is taken a command too far",
    apply: ({ replication: { history } }) => {
      history.shares = (id, offset) =>
        id === history.id ||
        (id === history.secondId && offset <= history.secondEnd + COMMAND_BYTES);
    },
  },
  {
    name: "half of a transaction counts",
    apply: ({ replication }) => {
      const endTurn = replication.endTurn.bind(replication);
      replication.endTurn = (session, bytes, before) => {
        endTurn(session, bytes, before);
        if (session.transaction === null || replication.stream === null) return;
        replication.stream.commit();
        replication.history.offset = replication.stream.end;
      };
    },
  },
  {
    name: "half of a transaction isn't taken back",
    apply: ({ replication }) => {
      const keepStream = replication.keepStream.bind(replication);
      const spoil = () => {
        if (replication.stream !== null) replication.stream.rollBack = () => {};
      };
      spoil();
      replication.keepStream = () => {
        keepStream();
        spoil();
      };
    },
  },
  {
    name: "the old id is kept after a full synchronisation",
    apply: ({ replication: { history } }) => {
      history.adopt = (_id, offset) => {
        history.offset = offset;
        history.forgetSecond();
      };
    },
  },
  {
    name: "a promoted replica keeps its id",
    apply: ({ replication: { history } }) => {
      history.branch = () => {};
    },
  },
  {
    name: "a replica doesn't count pings",
    apply: ({ replication }) => {
      const endTurn = replication.endTurn.bind(replication);
      replication.endTurn = (session, bytes, before) => {
        const isPing = bytes.length === PING_BYTES;
        endTurn(session, isPing ? bytes.subarray(0, 0) : bytes, before);
      };
    },
  },
  {
    name: "WAIT believes what was sent",
    apply: ({ replication: { replicas } }) => {
      replicas.countWith = (offset) =>
        [...replicas.all].filter(({ reader }) => reader !== null && reader.offset >= offset).length;
    },
  },
  {
    name: "an id is followed without a look at the offset",
    apply: ({ replication: { history } }) => {
      history.shares = () => true;
    },
  },
];

/** How the search for one bug has ended. */
export interface SabotageFinding {
  readonly name: string;
  /** How many seeds were played until one found it, or all in vain. */
  readonly seeds: number;
  /** The one that did, */
  readonly seed: number | undefined;
  /** and what it said. */
  readonly fault: string | undefined;
}

/** Plays seeds with a bug until one finds out. */
export async function searchForSabotage(
  { apply, name }: Sabotage,
  first: number,
  count: number,
): Promise<SabotageFinding> {
  for (let seed = first; seed < first + count; seed++) {
    const { fault } = await simulateReplication(seed, { sabotage: apply });
    if (fault === undefined) continue;
    return { name, seeds: seed - first + 1, seed, fault: fault.message };
  }
  return { name, seeds: count, seed: undefined, fault: undefined };
}
