/**
 * What a node says of itself to ROLE (https://redis.io/commands/role/).
 *
 * @module
 */
import { plainValue, type Reply } from "../../protocol/reply.ts";
import type { NodeAddress } from "../routing.ts";

/** The answer to ROLE. */
export interface NodeRole {
  /** Whether it is a master. */
  readonly isMaster: boolean;
  /** How far its data has come; -1 for a replica that has none yet. */
  readonly offset: number;
  /** A replica's master. */
  readonly master: NodeAddress | null;
  /** Whether a replica is connected to it and follows. */
  readonly isConnected: boolean;
  /** A master's replicas, and how far it knows them to be. */
  readonly replicas: readonly (NodeAddress & { readonly offset: number })[];
}

/**
 * Reads the answer to ROLE.
 *
 * @throws {Error} if it is none: a sentinel's, or an error, whose text is then the message.
 */
export function readRole(reply: Reply): NodeRole {
  if (reply.kind === "error") throw new Error(reply.text());
  const value = plainValue(reply);
  if (!Array.isArray(value)) throw new Error("the answer to ROLE makes no sense");
  if (value[0] === "master") {
    return {
      isMaster: true,
      offset: Number(value[1]),
      master: null,
      isConnected: true,
      replicas: (value[2] as unknown[][]).map(([host, port, offset]) => ({
        host: String(host),
        port: Number(port),
        offset: Number(offset),
      })),
    };
  }
  if (value[0] !== "slave") throw new Error(`it is a ${value[0]}`);
  return {
    isMaster: false,
    offset: Number(value[4]),
    master: { host: String(value[1]), port: Number(value[2]) },
    isConnected: value[3] === "connected",
    replicas: [],
  };
}

/** Whether a reply says that the node is busy with a script: it is what it was, but does nothing else meanwhile. */
export function isBusy(reply: Reply): boolean {
  return reply.kind === "error" && reply.code() === "BUSY";
}
