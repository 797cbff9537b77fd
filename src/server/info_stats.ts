/**
 * Sections Clients and Stats of INFO.
 *
 * @module
 */
import type { InfoFields } from "./info.ts";
import type { Server } from "./server.ts";

/** Section Clients. */
export function clientFields(server: Server): InfoFields {
  const { blocking, limits, tracking } = server.clients;
  const { recentInput, recentOutput } = limits.memory();
  return [
    ["connected_clients", server.sessions.size - server.replication.replicas.all.size],
    ["cluster_connections", 0],
    ["maxclients", server.settings.number("maxclients")],
    ["client_recent_max_input_buffer", recentInput],
    ["client_recent_max_output_buffer", recentOutput],
    ["blocked_clients", blocking.count],
    ["tracking_clients", tracking.count],
    ["clients_in_timeout_table", blocking.timed],
  ];
}

/** Section Stats. */
export function statsFields(server: Server): InfoFields {
  const { counters, expiry, eviction, reclaimer, clients, replication } = server;
  const { migrations, subscriptions, tracking } = clients;
  const moved = reclaimer.defragmentation.counters;
  const { hits, misses, expired, evicted } = server.keyspace.counters;
  return [
    ["total_connections_received", counters.connections],
    ["total_commands_processed", counters.commands],
    ["instantaneous_ops_per_sec", Math.floor(counters.commandRate.perSecond)],
    ["total_net_input_bytes", counters.inputBytes],
    ["total_net_output_bytes", counters.outputBytes],
    ["total_net_repl_input_bytes", replication.receivedBytes],
    ["total_net_repl_output_bytes", replication.replicas.sentBytes],
    ["instantaneous_input_kbps", counters.inputRate.perSecond.toFixed(2)],
    ["instantaneous_output_kbps", counters.outputRate.perSecond.toFixed(2)],
    ["instantaneous_input_repl_kbps", "0.00"],
    ["instantaneous_output_repl_kbps", "0.00"],
    ["rejected_connections", counters.refused],
    ["sync_full", replication.replicas.fullSyncs],
    ["sync_partial_ok", replication.replicas.partialSyncs],
    ["sync_partial_err", replication.replicas.refusedPartialSyncs],
    ["expired_keys", expired],
    ["expired_stale_perc", expiry.stalePercent.toFixed(2)],
    ["expired_time_cap_reached_count", expiry.timeCapReached],
    ["expire_cycle_cpu_milliseconds", Math.floor(expiry.elapsedMs)],
    ["evicted_keys", evicted],
    ["evicted_clients", counters.evictedClients],
    ["total_eviction_exceeded_time", Math.floor(eviction.exceededMs + eviction.exceedingMs)],
    ["current_eviction_exceeded_time", Math.floor(eviction.exceedingMs)],
    ["keyspace_hits", hits],
    ["keyspace_misses", misses],
    ["pubsub_channels", subscriptions.channels.all.size],
    ["pubsub_patterns", subscriptions.patterns.all.size],
    ["pubsubshard_channels", subscriptions.shardChannels.all.size],
    ["latest_fork_usec", 0],
    ["total_forks", counters.forks],
    ["migrate_cached_sockets", migrations.targets.count],
    ["slave_expires_tracked_keys", replication.ownExpiries.count],
    ["active_defrag_hits", moved.hits],
    ["active_defrag_misses", moved.misses],
    ["active_defrag_key_hits", moved.keyHits],
    ["active_defrag_key_misses", moved.keyMisses],
    ["total_active_defrag_time", Math.floor(reclaimer.totalMs)],
    ["current_active_defrag_time", Math.floor(reclaimer.currentMs)],
    ["tracking_total_keys", tracking.keys],
    ["tracking_total_items", tracking.items],
    ["tracking_total_prefixes", tracking.prefixes],
    ["unexpected_error_replies", 0],
    ["total_error_replies", counters.errors],
    ["dump_payload_sanitizations", 0],
    ["total_reads_processed", counters.reads],
    ["total_writes_processed", counters.writes],
    ["io_threaded_reads_processed", 0],
    ["io_threaded_writes_processed", 0],
    // The room for replies belongs to all clients together, and neither grows nor shrinks with one.
    ["reply_buffer_shrinks", 0],
    ["reply_buffer_expands", 0],
  ];
}
