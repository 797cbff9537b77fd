/**
 * What the router does with each command, as the command table tells it.
 *
 * The table of specifications says what writes, blocks or subscribes; what it can't say stands in the lists below, with the reason. A
 * command that nobody knows goes to the master as one that writes: that is right for every command, if not always the fastest.
 *
 * @module
 */
import { ALL_SPECS, type CommandSpec, type SpecTable } from "../../commands/specs/mod.ts";

/** To any node that is up to date; it can be sent again elsewhere. */
export const READ = 0;
/** To the master, but it changes nothing: it can be sent again. */
export const MASTER_READ = 1;
/** To the master; if the reply gets lost, nobody knows what became of it. */
export const WRITE = 2;
/** It may wait: to the master, on a connection of the client's own. */
export const BLOCKING = 3;
/** It starts, fills or ends a transaction. */
export const MULTI = 4;
/** It ends a transaction, which is carried out. */
export const EXEC = 5;
/** It ends a transaction, which isn't carried out. */
export const DISCARD = 6;
/** It has a transaction depend on keys. */
export const WATCH = 7;
/** It ends that. */
export const UNWATCH = 8;
/** From now on the client is told things that it doesn't ask for: a connection of its own carries all that it sends. */
export const SUBSCRIBE = 9;
/** The router answers it itself. */
export const LOCAL = 10;
/** It waits for replicas. */
export const WAIT = 11;
/** It isn't sent on. */
export const REFUSED = 12;

/** What is done with a command of this name. */
export interface Route {
  /** The name in lower case. */
  readonly name: string;
  /** One of the constants above. */
  readonly kind: number;
  /** Whether it waits only with the word BLOCK. */
  readonly blocksByWord: boolean;
}

/** Answered by the router, as they are about the client's connection. */
const LOCAL_NAMES: ReadonlySet<string> = new Set([
  ..."auth client hello ping quit reset select".split(" "),
]);

/** Would change who is whose replica behind the monitor's back, end a node, or make a replica of the client. */
const REFUSED_NAMES: ReadonlySet<string> = new Set(
  "failover psync replconf replicaof shutdown slaveof sync".split(" "),
);

/**
 * Cursors mean something to the node that gave them alone, and what a script's digest stands for is known where it was loaded: both stay
 * with the master.
 */
const STAYS_WITH_MASTER: ReadonlySet<string> = new Set(
  "evalsha_ro hscan scan sscan zscan".split(" "),
);

/** What the command table doesn't have, and its kind. */
const OTHERS: ReadonlyMap<string, number> = new Map([
  ["eval_ro", READ],
  ["fcall_ro", READ],
  // Their KILL must not stand in line behind the script.
  ["script", BLOCKING],
  ["function", BLOCKING],
]);

/** Tell of the server, and change nothing. */
const TELLS: ReadonlySet<string> = new Set(
  "command echo info lastsave latency lolwut memory role time".split(" "),
);

const TRANSACTION_KINDS: ReadonlyMap<string, number> = new Map([
  ["multi", MULTI],
  ["exec", EXEC],
  ["discard", DISCARD],
  ["watch", WATCH],
  ["unwatch", UNWATCH],
]);

const SUBSCRIBING: ReadonlySet<string> = new Set(
  "subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe monitor".split(" "),
);

/** These wait only if they are told to. */
const BLOCKS_BY_WORD: ReadonlySet<string> = new Set(["xread", "xreadgroup"]);

function kindOf(name: string, spec: CommandSpec): number {
  const transaction = TRANSACTION_KINDS.get(name);
  if (transaction !== undefined) return transaction;
  if (LOCAL_NAMES.has(name)) return LOCAL;
  if (REFUSED_NAMES.has(name)) return REFUSED;
  if (SUBSCRIBING.has(name)) return SUBSCRIBE;
  if (name === "wait") return WAIT;
  if (TELLS.has(name)) return MASTER_READ;
  const readsOnly = isReadOnly(spec);
  if (name === "migrate") return BLOCKING;
  if (spec.flags.includes("blocking") && !BLOCKS_BY_WORD.has(name)) return BLOCKING;
  if (!readsOnly) return WRITE;
  return STAYS_WITH_MASTER.has(name) ? MASTER_READ : READ;
}

/** Whether a command, or each of its subcommands, only reads. HELP reads nothing, and does no harm. */
function isReadOnly({ flags, subcommands }: CommandSpec): boolean {
  if (subcommands !== undefined) {
    return Object.entries(subcommands).every(([name, sub]) => name === "help" || isReadOnly(sub));
  }
  return flags.includes("readonly") && !flags.includes("may_replicate");
}

const UNKNOWN: Route = { name: "", kind: WRITE, blocksByWord: false };
/** A power of 2 above twice the number of commands. */
const SLOTS = 1024;

/** Finds routes by the bytes of a command's name, without making a string. */
export class RouteTable {
  private readonly slots: (Route | undefined)[] = new Array(SLOTS).fill(undefined);
  private readonly names: (Uint8Array | undefined)[] = new Array(SLOTS).fill(undefined);

  /** Makes the table of all commands. */
  constructor(specs: SpecTable = ALL_SPECS) {
    for (const [name, spec] of Object.entries(specs)) this.add(name, kindOf(name, spec));
    for (const [name, kind] of OTHERS) this.add(name, kind);
    for (const name of REFUSED_NAMES) if (!(name in specs)) this.add(name, REFUSED);
    for (const name of STAYS_WITH_MASTER) if (!(name in specs)) this.add(name, MASTER_READ);
  }

  /** The route of the command whose name stands in `bytes`. */
  find(bytes: Uint8Array, start: number, length: number): Route {
    let slot = hash(bytes, start, length);
    for (;; slot = (slot + 1) & (SLOTS - 1)) {
      const name = this.names[slot];
      if (name === undefined) return UNKNOWN;
      if (name.length === length && isSame(name, bytes, start)) return this.slots[slot]!;
    }
  }

  /** Puts a command into the table. */
  private add(name: string, kind: number): void {
    const bytes = new TextEncoder().encode(name).map((byte) => byte | 0x20);
    let slot = hash(bytes, 0, bytes.length);
    while (this.names[slot] !== undefined) slot = (slot + 1) & (SLOTS - 1);
    this.names[slot] = bytes;
    this.slots[slot] = { name, kind, blocksByWord: BLOCKS_BY_WORD.has(name) };
  }
}

/** Letters of either case give the same. */
function hash(bytes: Uint8Array, start: number, length: number): number {
  let sum = length;
  for (let at = start; at < start + length; at++) sum = (sum * 31 + (bytes[at] | 0x20)) | 0;
  return (sum ^ (sum >>> 10)) & (SLOTS - 1);
}

function isSame(name: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let at = 0; at < name.length; at++) {
    if (name[at] !== (bytes[start + at] | 0x20)) return false;
  }
  return true;
}
