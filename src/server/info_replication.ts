/**
 * Section Replication of INFO: that of a master that has no replicas.
 *
 * @module
 */
import type { InfoFields } from "./info.ts";
import type { Server } from "./server.ts";

const NEVER = -1;

/** Section Replication. */
export function replicationFields(server: Server): InfoFields {
  return [
    ["role", "master"],
    ["connected_slaves", 0],
    ["master_failover_state", "no-failover"],
    ["master_replid", server.replicationId],
    ["master_replid2", "0".repeat(40)],
    ["master_repl_offset", server.journal.offset],
    ["second_repl_offset", NEVER],
    ["repl_backlog_active", 0],
    ["repl_backlog_size", server.settings.number("repl-backlog-size")],
    ["repl_backlog_first_byte_offset", 0],
    ["repl_backlog_histlen", 0],
  ];
}
