/**
 * What of a node's INFO and ROLE matters to the monitor.
 *
 * @module
 */
import type { NodeAddress } from "../routing.ts";

/** See the head of this file. */
export interface NodeInfo {
  /** The id of its process. */
  readonly runId: string;
  /** What it says it is. */
  readonly role: "master" | "slave" | "";
  /** Of a master: its replicas. */
  readonly replicas: readonly NodeAddress[];
  /** Of a replica: its master. */
  readonly masterHost: string;
  /** Its master's port. */
  readonly masterPort: number;
  /** Whether its link to that is up. */
  readonly linkUp: boolean;
  /** For how long the link has been down, in ms; -1000 if it never was up. */
  readonly linkDownMs: number;
  /** How long ago the master was last heard; -1 for never. */
  readonly lastIoSeconds: number;
  /** Whether it copies everything anew. */
  readonly syncInProgress: boolean;
  /** `replica-priority`. */
  readonly priority: number;
  /** Whether it wants to be shown. */
  readonly announced: boolean;
  /** What a replica has applied, or a master has written. */
  readonly offset: number;
  /** What it holds: of a replica that copies everything anew, what it still has until then, which isn't the offset that it names. */
  readonly held: number;
  /** The history that the offset counts in, the one before it, and up to where that is the same; -1 for nowhere. */
  readonly history: string;
  /** The one before it. */
  readonly formerHistory: string;
  /** Up to where that one is the same; -1 for nowhere. */
  readonly formerEnd: number;
  /** Whether it is loading its data. */
  readonly loading: boolean;
  /** Whether there is any key. */
  readonly empty: boolean;
  /** `master_failover_state`; empty where that isn't known. */
  readonly failoverState: string;
}

/** Reads the answer to INFO. */
export function parseInfo(text: string): NodeInfo {
  const fields = new Map<string, string>();
  const replicas: NodeAddress[] = [];
  let empty = true;
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trimEnd();
    if (/^slave\d+$/.test(name)) {
      const replica = parseReplica(value);
      if (replica !== undefined) replicas.push(replica);
    } else if (/^db\d+$/.test(name)) empty = false;
    else fields.set(name, value);
  }
  const field = (name: string) => fields.get(name) ?? "";
  const number = (name: string, otherwise: number) => {
    const value = Number(fields.get(name) ?? NaN);
    return Number.isFinite(value) ? value : otherwise;
  };
  const role = field("role");
  const syncInProgress = field("master_sync_in_progress") === "1";
  const written = number("master_repl_offset", 0);
  const offset = role === "slave" ? number("slave_repl_offset", 0) : written;
  const seconds = number("master_link_down_since_seconds", 0);
  return {
    runId: field("run_id"),
    role: role === "master" || role === "slave" ? role : "",
    replicas,
    masterHost: field("master_host"),
    masterPort: number("master_port", 0),
    linkUp: field("master_link_status") === "up",
    linkDownMs: seconds * 1000,
    lastIoSeconds: number("master_last_io_seconds_ago", -1),
    syncInProgress,
    priority: number("slave_priority", 100),
    announced: fields.get("replica_announced") !== "0",
    offset,
    held: syncInProgress ? written : offset,
    history: field("master_replid"),
    formerHistory: field("master_replid2"),
    formerEnd: number("second_repl_offset", -1),
    loading: field("loading") === "1",
    empty,
    failoverState: field("master_failover_state"),
  };
}

/** A replica as a master lists it: `ip=127.0.0.1,port=6380,state=online,...`, or before Redis 2.8 `127.0.0.1,6380,online`. */
function parseReplica(text: string): NodeAddress | undefined {
  const parts = text.split(",");
  const named = new Map(parts.map((part) => [part.split("=")[0], part.split("=")[1]]));
  const host = named.get("ip") ?? parts[0];
  const port = Number(named.get("port") ?? parts[1]);
  return host !== undefined && port > 0 && port < 65536 ? { host, port } : undefined;
}
