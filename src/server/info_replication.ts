/**
 * Sections Persistence and Replication of INFO: those of a master that writes no files and has no replicas.
 *
 * @module
 */
import type { InfoFields } from "./info.ts";
import type { Server } from "./server.ts";

const NEVER = -1;

/** Section Persistence. */
export function persistenceFields(server: Server): InfoFields {
  return [
    ["loading", 0],
    ["async_loading", 0],
    ["current_cow_peak", 0],
    ["current_cow_size", 0],
    ["current_cow_size_age", 0],
    ["current_fork_perc", "0.00"],
    ["current_save_keys_processed", 0],
    ["current_save_keys_total", 0],
    ["rdb_changes_since_last_save", server.keyspace.dirty],
    ["rdb_bgsave_in_progress", 0],
    // As with Redis, a server that has just started counts as saved.
    ["rdb_last_save_time", Math.floor(server.started / 1000)],
    ["rdb_last_bgsave_status", "ok"],
    ["rdb_last_bgsave_time_sec", NEVER],
    ["rdb_current_bgsave_time_sec", NEVER],
    ["rdb_saves", 0],
    ["rdb_last_cow_size", 0],
    ["rdb_last_load_keys_expired", 0],
    ["rdb_last_load_keys_loaded", 0],
    ["aof_enabled", 0],
    ["aof_rewrite_in_progress", 0],
    ["aof_rewrite_scheduled", 0],
    ["aof_last_rewrite_time_sec", NEVER],
    ["aof_current_rewrite_time_sec", NEVER],
    ["aof_last_bgrewrite_status", "ok"],
    ["aof_rewrites", 0],
    ["aof_rewrites_consecutive_failures", 0],
    ["aof_last_write_status", "ok"],
    ["aof_last_cow_size", 0],
    ["module_fork_in_progress", 0],
    ["module_fork_last_cow_size", 0],
  ];
}

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
