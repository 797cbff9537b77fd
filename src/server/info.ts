/**
 * The text that INFO replies.
 *
 * Sections and fields are Redis' own, since tools match on them; a field is there once something stands behind it.
 *
 * @module
 */
import { REDIS_VERSION, VERSION } from "../runtime/version.ts";
import type { Server } from "./server.ts";

type Fields = readonly (readonly [name: string, value: string | number])[];

const DEFAULT_SECTIONS = [
  "server",
  "clients",
  "memory",
  "stats",
  "replication",
  "cpu",
  "modules",
  "errorstats",
  "cluster",
  "keyspace",
];
const ALL_SECTIONS = [...DEFAULT_SECTIONS, "commandstats"];

/** The sections of INFO that `names` ask for (none: the usual ones), as text. */
export function infoText(server: Server, names: readonly string[]): string {
  const wanted = new Set<string>();
  for (const name of names.length === 0 ? ["default"] : names.map((name) => name.toLowerCase())) {
    if (name === "default") DEFAULT_SECTIONS.forEach((section) => wanted.add(section));
    else if (name === "all" || name === "everything") {
      ALL_SECTIONS.forEach((section) => wanted.add(section));
    } else wanted.add(name);
  }
  const parts: string[] = [];
  for (const [name, title, fields] of SECTIONS) {
    if (!wanted.has(name)) continue;
    const lines = fields(server).map(([field, value]) => `${field}:${value}\r\n`);
    parts.push(`# ${title}\r\n${lines.join("")}`);
  }
  return parts.join("\r\n");
}

function serverFields(server: Server): Fields {
  const uptime = Math.floor((server.clock.now() - server.started) / 1000);
  return [
    ["redis_version", REDIS_VERSION],
    ["redis_git_sha1", "00000000"],
    ["redis_git_dirty", 0],
    ["redis_build_id", "0"],
    ["redis_mode", "standalone"],
    ["miniredis_version", VERSION],
    ["deno_version", Deno.version.deno],
    ["os", `${Deno.build.os} ${Deno.build.arch}`],
    ["arch_bits", 64],
    ["multiplexing_api", "tokio"],
    ["process_id", Deno.pid],
    ["run_id", server.runId],
    ["tcp_port", server.port],
    ["server_time_usec", server.clock.now() * 1000],
    ["uptime_in_seconds", uptime],
    ["uptime_in_days", Math.floor(uptime / 86400)],
    ["hz", server.settings.number("hz")],
    ["configured_hz", server.settings.number("hz")],
    ["executable", ""],
    ["config_file", ""],
  ];
}

function clientFields(server: Server): Fields {
  const { blocking, limits, tracking } = server.clients;
  const { recentInput, recentOutput } = limits.memory();
  return [
    ["connected_clients", server.sessions.size],
    ["cluster_connections", 0],
    ["maxclients", server.settings.number("maxclients")],
    ["client_recent_max_input_buffer", recentInput],
    ["client_recent_max_output_buffer", recentOutput],
    ["blocked_clients", blocking.count],
    ["tracking_clients", tracking.count],
    ["clients_in_timeout_table", blocking.timed],
  ];
}

function memoryFields(server: Server): Fields {
  const used = server.usedMemory;
  const { rss } = Deno.memoryUsage();
  const usage = server.keyspace.arena.usage();
  const clients = server.clients.limits.memory();
  return [
    ["used_memory", used],
    ["used_memory_human", humanBytes(used)],
    ["used_memory_rss", rss],
    ["used_memory_rss_human", humanBytes(rss)],
    ["used_memory_dataset", usage.usedBytes],
    ["allocator_allocated", usage.usedBytes],
    ["allocator_active", usage.segmentBytes],
    ["allocator_resident", usage.segmentBytes],
    ["allocator_frag_bytes", usage.freeBytes],
    ["mem_fragmentation_ratio", (rss / used).toFixed(2)],
    ["mem_clients_slaves", clients.replicas],
    ["mem_clients_normal", clients.normal],
    ["mem_allocator", "miniredis-arena"],
    ["maxmemory", server.eviction.limit],
    ["maxmemory_human", humanBytes(server.eviction.limit)],
    ["maxmemory_policy", server.settings.text("maxmemory-policy")],
  ];
}

function statsFields(server: Server): Fields {
  const { hits, misses, expired, evicted } = server.keyspace.counters;
  const { expiry, eviction } = server;
  return [
    ["total_connections_received", server.counters.connections],
    ["total_commands_processed", server.counters.commands],
    ["rejected_connections", server.counters.refused],
    ["expired_keys", expired],
    ["expired_stale_perc", expiry.stalePercent.toFixed(2)],
    ["expired_time_cap_reached_count", expiry.timeCapReached],
    ["expire_cycle_cpu_milliseconds", Math.floor(expiry.elapsedMs)],
    ["evicted_keys", evicted],
    ["evicted_clients", server.counters.evictedClients],
    ["total_eviction_exceeded_time", Math.floor(eviction.exceededMs + eviction.exceedingMs)],
    ["current_eviction_exceeded_time", Math.floor(eviction.exceedingMs)],
    ["keyspace_hits", hits],
    ["keyspace_misses", misses],
    ["total_error_replies", server.counters.errors],
    ["tracking_total_keys", server.clients.tracking.keys],
    ["tracking_total_items", server.clients.tracking.items],
    ["tracking_total_prefixes", server.clients.tracking.prefixes],
  ];
}

function replicationFields(server: Server): Fields {
  return [
    ["role", "master"],
    ["connected_slaves", 0],
    ["master_replid", server.runId],
    ["master_repl_offset", server.journal.offset],
  ];
}

function keyspaceFields(server: Server): Fields {
  return server.keyspace.databases.filter((database) => database.size > 0).map((database) => [
    `db${database.number}`,
    `keys=${database.size},expires=${database.volatile.length},` +
    `avg_ttl=${Math.floor(database.averageTtlMs)}`,
  ]);
}

function commandFields(server: Server): Fields {
  const fields: (readonly [string, string])[] = [];
  for (const { name, statistics } of server.table.byName.values()) {
    const { calls, rejected, failed, microseconds } = statistics;
    if (calls === 0 && rejected === 0 && failed === 0) continue;
    const each = calls === 0 ? 0 : microseconds / calls;
    fields.push([
      `cmdstat_${name}`,
      `calls=${calls},usec=${Math.floor(microseconds)},usec_per_call=${each.toFixed(2)},` +
      `rejected_calls=${rejected},failed_calls=${failed}`,
    ]);
  }
  return fields;
}

function errorFields(server: Server): Fields {
  return [...server.counters.errorsByCode].sort(([left], [right]) => left < right ? -1 : 1)
    .map(([code, count]) => [`errorstat_${code}`, `count=${count}`]);
}

/** A number of bytes as people read it: `1.50M`. */
function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  const power = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return (bytes / 1024 ** power).toFixed(2) + "KMGT"[power - 1];
}

const SECTIONS: readonly (readonly [string, string, (server: Server) => Fields])[] = [
  ["server", "Server", serverFields],
  ["clients", "Clients", clientFields],
  ["memory", "Memory", memoryFields],
  ["stats", "Stats", statsFields],
  ["replication", "Replication", replicationFields],
  ["cpu", "CPU", () => []],
  ["modules", "Modules", () => []],
  ["commandstats", "Commandstats", commandFields],
  ["errorstats", "Errorstats", errorFields],
  ["cluster", "Cluster", () => [["cluster_enabled", 0]]],
  ["keyspace", "Keyspace", keyspaceFields],
];
