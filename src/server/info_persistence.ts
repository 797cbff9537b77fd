/**
 * Section Persistence of INFO.
 *
 * @module
 */
import type { InfoFields } from "./info.ts";
import type { Loading } from "./loading.ts";
import type { Server } from "./server.ts";

/** Section Persistence. */
export function persistenceFields(server: Server): InfoFields {
  const { aof, loading, snapshots } = server.persistence;
  const job = snapshots.job ?? aof.job ?? server.replication.replicas.fullSync.job;
  const now = server.clock.now();
  const total = server.keyspace.databases.reduce((sum, { size }) => sum + size, 0);
  const processed = job === null ? 0 : job.processed;
  const extra = job === null ? 0 : job.extraBytes;
  const share = job === null || total === 0 ? 0 : Math.min(100, processed * 100 / total);
  return [
    ["loading", server.persistence.isLoading ? 1 : 0],
    ["async_loading", loading?.isAsync ? 1 : 0],
    ["current_cow_peak", extra],
    ["current_cow_size", extra],
    ["current_cow_size_age", 0],
    ["current_fork_perc", share.toFixed(2)],
    ["current_save_keys_processed", processed],
    ["current_save_keys_total", job === null ? 0 : total],
    ["rdb_changes_since_last_save", snapshots.changes],
    ["rdb_bgsave_in_progress", server.persistence.saving ? 1 : 0],
    ["rdb_last_save_time", snapshots.lastSave],
    ["rdb_last_bgsave_status", snapshots.failed ? "err" : "ok"],
    ["rdb_last_bgsave_time_sec", snapshots.lastSeconds],
    ["rdb_current_bgsave_time_sec", secondsSince(snapshots.startedMs, now)],
    ["rdb_saves", snapshots.count],
    ["rdb_last_cow_size", snapshots.lastExtraBytes],
    ["rdb_last_load_keys_expired", server.persistence.expiredKeys],
    ["rdb_last_load_keys_loaded", server.persistence.loadedKeys],
    ["aof_enabled", aof.state === "off" ? 0 : 1],
    ["aof_rewrite_in_progress", aof.rewriting ? 1 : 0],
    ["aof_rewrite_scheduled", aof.scheduled ? 1 : 0],
    ["aof_last_rewrite_time_sec", aof.lastRewriteSeconds],
    ["aof_current_rewrite_time_sec", secondsSince(aof.rewriteStartedMs, now)],
    ["aof_last_bgrewrite_status", aof.rewriteFailed ? "err" : "ok"],
    ["aof_rewrites", aof.rewrites],
    ["aof_rewrites_consecutive_failures", aof.failures],
    [
      "aof_last_write_status",
      aof.writer.writeError === null && aof.writer.syncError === null ? "ok" : "err",
    ],
    ["aof_last_cow_size", aof.lastExtraBytes],
    ["module_fork_in_progress", 0],
    ["module_fork_last_cow_size", 0],
    ...aofFields(server),
    ...loading === null ? [] : loadingFields(loading, now),
  ];
}

function secondsSince(startedMs: number, now: number): number {
  return startedMs < 0 ? -1 : Math.floor((now - startedMs) / 1000);
}

/** What there is of the append-only file while it is on. */
function aofFields({ persistence: { aof } }: Server): InfoFields {
  if (aof.state === "off") return [];
  return [
    ["aof_current_size", aof.currentSize],
    ["aof_base_size", aof.baseSize],
    ["aof_pending_rewrite", 0],
    ["aof_buffer_length", aof.writer.bufferedBytes],
    ["aof_pending_bio_fsync", aof.writer.syncPending ? 1 : 0],
    ["aof_delayed_fsync", aof.writer.delayedSyncs],
  ];
}

/** How far a loading is. */
function loadingFields(loading: Loading, now: number): InfoFields {
  const { loadedBytes, snapshotMemory, startedMs, totalBytes } = loading;
  const share = totalBytes === 0 ? 0 : loadedBytes / totalBytes;
  const seconds = (now - startedMs) / 1000;
  const eta = share === 0 ? 1 : Math.floor(seconds / share - seconds);
  return [
    ["loading_start_time", Math.floor(startedMs / 1000)],
    ["loading_total_bytes", totalBytes],
    ["loading_rdb_used_mem", snapshotMemory],
    ["loading_loaded_bytes", loadedBytes],
    ["loading_loaded_perc", (share * 100).toFixed(2)],
    ["loading_eta_seconds", eta],
  ];
}
