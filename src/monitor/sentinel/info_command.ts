/**
 * INFO of the Sentinel API.
 *
 * @module
 */
import { joinAddress } from "../../runtime/addresses.ts";
import { processTime, systemDescription } from "../../runtime/machine.ts";
import { REDIS_VERSION, VERSION } from "../../runtime/version.ts";
import type { ControlContext } from "../control/context.ts";
import type { Group } from "../control/group.ts";
import type { SentinelCall } from "./call.ts";

type Lines = Record<string, string | number>;

/** The sections, in Sentinel's order. */
const SECTIONS: Readonly<Record<string, (call: SentinelCall, context: ControlContext) => Lines>> = {
  server: serverLines,
  clients: ({ server }) => ({
    connected_clients: server.sessions.size,
    cluster_connections: 0,
    maxclients: 10_000,
    blocked_clients: 0,
  }),
  stats: statsLines,
  cpu: () => {
    const { system, user } = processTime();
    return { used_cpu_sys: system.toFixed(6), used_cpu_user: user.toFixed(6) };
  },
  sentinel: sentinelLines,
};

const ALL: ReadonlySet<string> = new Set(["all", "default", "everything"]);

/** Answers INFO. */
export function info(call: SentinelCall): void {
  const wanted = call.words.slice(1).map((word) => word.toLowerCase());
  const all = wanted.length === 0 || wanted.some((word) => ALL.has(word));
  const names = Object.keys(SECTIONS).filter((name) => all || wanted.includes(name));
  const text = call.host.call((context) =>
    names.map((name) => section(name, SECTIONS[name](call, context))).join("\r\n")
  );
  if (text === "") call.writer.bulk("");
  else call.writer.verbatim("txt", text);
}

function section(name: string, lines: Lines): string {
  const title = name === "cpu" ? "CPU" : name[0].toUpperCase() + name.slice(1);
  const body = Object.entries(lines).map(([key, value]) => `${key}:${value}\r\n`).join("");
  return `# ${title}\r\n${body}`;
}

function serverLines({ server, host }: SentinelCall, context: ControlContext): Lines {
  const uptime = Math.floor((context.now - server.startedAt) / 1000);
  return {
    redis_version: REDIS_VERSION,
    miniredis_version: VERSION,
    redis_mode: "sentinel",
    os: systemDescription(),
    arch_bits: 64,
    process_id: Deno.pid,
    run_id: server.processId,
    tcp_port: server.port ?? 0,
    server_time_usec: context.unix * 1000,
    uptime_in_seconds: uptime,
    uptime_in_days: Math.floor(uptime / 86_400),
    config_file: host.machine.context.settings.stateFile,
  };
}

function statsLines({ server }: SentinelCall): Lines {
  const { counts } = server;
  let channels = 0;
  let patterns = 0;
  for (const session of server.sessions.values()) {
    channels += session.channels.size;
    patterns += session.patterns.size;
  }
  return {
    total_connections_received: counts.connections,
    total_commands_processed: counts.commands,
    rejected_connections: counts.rejected,
    pubsub_channels: channels,
    pubsub_patterns: patterns,
    total_error_replies: counts.errors,
  };
}

function sentinelLines(_call: SentinelCall, context: ControlContext): Lines {
  const { failures, tiltSince } = context;
  const lines: Lines = {
    sentinel_masters: context.groups.size,
    sentinel_tilt: tiltSince === null ? 0 : 1,
    sentinel_tilt_since_seconds: tiltSince === null
      ? -1
      : Math.floor((context.now - tiltSince) / 1000),
    sentinel_running_scripts: 0,
    sentinel_scripts_queue_length: 0,
    sentinel_simulate_failure_flags: (failures.crashAfterElection ? 1 : 0) +
      (failures.crashAfterPromotion ? 2 : 0),
  };
  let number = 0;
  for (const group of context.groups.values()) {
    const address = joinAddress(context.announced(group.master), group.master.port);
    lines[`master${number++}`] =
      `name=${group.name},status=${statusOf(group)},address=${address},` +
      `slaves=${group.replicas.size},sentinels=${group.peers.size + 1}`;
  }
  return lines;
}

function statusOf(group: Group): string {
  if (group.objectivelyDownSince !== null) return "odown";
  return group.master.downSince !== null ? "sdown" : "ok";
}
