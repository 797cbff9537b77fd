/**
 * Sections of INFO about the process: Server, Memory, CPU.
 *
 * @module
 */
import { pendingObjects } from "../keyspace/flushing.ts";
import {
  machineMemory,
  processTime,
  programPath,
  systemDescription,
  threadTime,
} from "../runtime/machine.ts";
import { formatMemorySize } from "../runtime/memory_size.ts";
import { REDIS_VERSION, VERSION } from "../runtime/version.ts";
import type { InfoFields } from "./info.ts";
import { memoryReport } from "./memory_report.ts";
import type { Server } from "./server.ts";

/** The LRU clock of Redis: 24 bits of seconds. */
const CLOCK_MASK = 0xffffff;

/** Section Server. */
export function serverFields(server: Server): InfoFields {
  const now = server.clock.now();
  const uptime = Math.floor((now - server.started) / 1000);
  const hz = server.settings.number("hz");
  const { leftMs } = server.shutdownRequest;
  return [
    ["redis_version", REDIS_VERSION],
    ["redis_git_sha1", "00000000"],
    ["redis_git_dirty", 0],
    ["redis_build_id", "0000000000000000"],
    ["redis_mode", "standalone"],
    ["miniredis_version", VERSION],
    ["deno_version", Deno.version.deno],
    ["os", systemDescription()],
    ["arch_bits", 64],
    ["monotonic_clock", "performance.now"],
    ["multiplexing_api", "tokio"],
    ["process_id", Deno.pid],
    ["process_supervised", "no"],
    ["run_id", server.runId],
    ["tcp_port", server.port],
    ["server_time_usec", server.time.unixMicroseconds()],
    ["uptime_in_seconds", uptime],
    ["uptime_in_days", Math.floor(uptime / 86400)],
    ["hz", hz],
    ["configured_hz", hz],
    ["lru_clock", Math.floor(now / 1000) & CLOCK_MASK],
    ["executable", programPath()],
    ["config_file", server.configFile ?? ""],
    ["io_threads_active", 0],
    ...leftMs === null ? [] : [["shutdown_in_milliseconds", leftMs] as const],
  ];
}

/** Section Memory. */
export function memoryFields(server: Server): InfoFields {
  const report = memoryReport(server);
  const { total: used, peak, startup, dataset, allocated, active, resident } = report;
  const datasetPercent = used > startup ? Math.min(100, dataset / (used - startup) * 100) : 0;
  const machine = machineMemory();
  const limit = server.eviction.limit;
  return [
    ...amount("used_memory", used),
    ...amount("used_memory_rss", resident),
    ...amount("used_memory_peak", peak),
    ["used_memory_peak_perc", `${(used / peak * 100).toFixed(2)}%`],
    ["used_memory_overhead", report.overhead],
    ["used_memory_startup", startup],
    ["used_memory_dataset", dataset],
    ["used_memory_dataset_perc", `${datasetPercent.toFixed(2)}%`],
    ["allocator_allocated", allocated],
    ["allocator_active", active],
    ["allocator_resident", active],
    ...amount("total_system_memory", machine),
    ...NO_SCRIPTS,
    ...amount("maxmemory", limit),
    ["maxmemory_policy", server.settings.text("maxmemory-policy")],
    ["allocator_frag_ratio", ratio(active, allocated)],
    ["allocator_frag_bytes", active - allocated],
    ["allocator_rss_ratio", ratio(active, active)],
    ["allocator_rss_bytes", 0],
    ["rss_overhead_ratio", ratio(resident, active)],
    ["rss_overhead_bytes", resident - active],
    ["mem_fragmentation_ratio", ratio(resident, used)],
    ["mem_fragmentation_bytes", resident - used],
    ["mem_not_counted_for_evict", server.replication.streamBytes - report.backlog],
    ["mem_replication_backlog", report.backlog],
    ["mem_total_replication_buffers", server.replication.streamBytes],
    ["mem_clients_slaves", report.replicas],
    ["mem_clients_normal", report.clients],
    ["mem_cluster_links", 0],
    ["mem_aof_buffer", server.persistence.aof.writer.bufferedBytes],
    ["mem_allocator", "miniredis-arena"],
    ["active_defrag_running", Math.floor(server.reclaimer.running)],
    ["lazyfree_pending_objects", pendingObjects(server.keyspace)],
    ["lazyfreed_objects", server.keyspace.lazilyFreed],
  ];
}

/** There is no interpreter of scripts, so it takes no memory. */
const NO_SCRIPTS: InfoFields = [
  ["used_memory_lua", 0],
  ["used_memory_vm_eval", 0],
  ["used_memory_lua_human", "0B"],
  ["used_memory_scripts_eval", 0],
  ["number_of_cached_scripts", 0],
  ["number_of_functions", 0],
  ["number_of_libraries", 0],
  ["used_memory_vm_functions", 0],
  ["used_memory_vm_total", 0],
  ["used_memory_vm_total_human", "0B"],
  ["used_memory_functions", 0],
  ["used_memory_scripts", 0],
  ["used_memory_scripts_human", "0B"],
];

/** Section CPU. */
export function processorFields(): InfoFields {
  const { system, user } = processTime();
  const thread = threadTime();
  const fields: [string, string][] = [
    ["used_cpu_sys", system.toFixed(6)],
    ["used_cpu_user", user.toFixed(6)],
    // A process is never forked off.
    ["used_cpu_sys_children", "0.000000"],
    ["used_cpu_user_children", "0.000000"],
  ];
  if (thread !== undefined) {
    fields.push(["used_cpu_sys_main_thread", thread.system.toFixed(6)]);
    fields.push(["used_cpu_user_main_thread", thread.user.toFixed(6)]);
  }
  return fields;
}

/** A field in bytes, and the same for people. */
function amount(name: string, bytes: number): InfoFields {
  return [[name, bytes], [`${name}_human`, formatMemorySize(bytes)]];
}

function ratio(part: number, whole: number): string {
  return (part / whole).toFixed(2);
}
