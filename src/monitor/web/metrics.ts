/**
 * The state of a monitor in the text format of Prometheus, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Durations are in seconds, as is the
 * custom there.
 *
 * @module
 */

import type { GroupView, LatencyView, NodeView, RouterView, StateView } from "../view.ts";

/** The media type of {@linkcode metricsOf}. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

const PREFIX = "miniredis_monitor_";
const NODE_ROLES = ["master", "replica", "unknown"] as const;
const GROUP_STATUSES = ["ok", "master down", "failover", "unknown master", "trouble"] as const;
const LEASE_MODES = ["off", "held", "missing"] as const;

/** Gathers families of metrics as text. */
class Exposition {
  #text = "";

  /** Adds a family, unless it has no samples. */
  add(name: string, type: "counter" | "gauge", help: string, samples: Iterable<Sample>): void {
    const fullName = PREFIX + name;
    let lines = "";
    for (const [labels, value] of samples) {
      lines += `${fullName}${formatLabels(labels)} ${formatValue(value)}\n`;
    }
    if (lines === "") return;
    this.#text += `# HELP ${fullName} ${escapeHelp(help)}\n# TYPE ${fullName} ${type}\n${lines}`;
  }

  toString(): string {
    return this.#text;
  }
}

/** The metrics of a state, each line with its end. */
export function metricsOf(state: StateView): string {
  const metrics = new Exposition();
  addMonitor(metrics, state);
  addGroups(metrics, state.groups);
  addNodes(metrics, state.groups);
  if (state.router !== null) addRouter(metrics, state.router);
  return metrics.toString();
}

function addMonitor(metrics: Exposition, state: StateView): void {
  const build: Sample = [{ version: state.version, run_id: state.runId }, 1];
  metrics.add("info", "gauge", "The version and the run id, as labels.", [build]);
  metrics.add("uptime_seconds", "gauge", "Time since the start.", one(state.uptimeMs / 1000));
  metrics.add("current_epoch", "gauge", "The monitor's current epoch.", one(state.currentEpoch));
  metrics.add("tilt", "gauge", "Whether the monitor is in TILT mode.", one(Number(state.tilt)));
}

function addGroups(metrics: Exposition, groups: readonly GroupView[]): void {
  const ofGroups = (value: (group: GroupView) => number): Sample[] =>
    groups.map((group) => [{ group: group.name }, value(group)]);

  metrics.add("group_status", "gauge", "1 for the status that the group has.", [
    ...statesOf(groups, "status", GROUP_STATUSES, ({ status }) => status),
  ]);
  metrics.add(
    "group_writable",
    "gauge",
    "Whether the router sends writes to the group's master.",
    groups.filter(({ routed }) => routed)
      .map(({ name, writable }) => [{ group: name }, Number(writable)]),
  );
  metrics.add(
    "group_config_epoch",
    "gauge",
    "The epoch of the group's configuration, which each failover raises.",
    ofGroups(({ configEpoch }) => configEpoch),
  );
  metrics.add(
    "group_quorum",
    "gauge",
    "How many monitors have to agree that the master is down.",
    ofGroups(({ quorum }) => quorum),
  );
  metrics.add(
    "group_failover_in_progress",
    "gauge",
    "Whether a failover is under way.",
    ofGroups(({ failoverState }) => Number(failoverState !== "none")),
  );
  metrics.add(
    "group_nodes",
    "gauge",
    "The master and the replicas that are known.",
    ofGroups(({ nodes }) => nodes.length),
  );
  metrics.add(
    "group_nodes_up",
    "gauge",
    "Those of them that are not down.",
    ofGroups(({ nodes }) => nodes.filter(isUp).length),
  );
  metrics.add(
    "group_peers",
    "gauge",
    "The other monitors and sentinels that are known.",
    ofGroups(({ peers }) => peers.length),
  );
  metrics.add(
    "group_peers_up",
    "gauge",
    "Those of them that are not down.",
    ofGroups(({ peers }) => peers.filter(isUp).length),
  );
  metrics.add("group_lease", "gauge", "1 for the state that the lease for writes has.", [
    ...statesOf(groups, "mode", LEASE_MODES, ({ lease }) => lease.mode),
  ]);
  metrics.add(
    "group_lease_left_seconds",
    "gauge",
    "For how long the lease still holds.",
    groups.filter(({ lease }) => lease.mode !== "off")
      .map((group) => [{ group: group.name }, group.lease.leftMs / 1000]),
  );
}

function addNodes(metrics: Exposition, groups: readonly GroupView[]): void {
  const nodes = groups.flatMap(({ name, nodes }) =>
    nodes.map((node) => ({ node, labels: { group: name, node: node.address } }))
  );
  const gauge = (name: string, help: string, value: (node: NodeView) => number | null): void => {
    const samples: Sample[] = [];
    for (const { node, labels } of nodes) {
      const known = value(node);
      if (known !== null) samples.push([labels, known]);
    }
    metrics.add(name, "gauge", help, samples);
  };

  gauge("node_up", "Whether the node is not down.", (node) => Number(isUp(node)));
  metrics.add(
    "node_role",
    "gauge",
    "1 for the role that the node has.",
    nodes.flatMap(({ node, labels }) =>
      NODE_ROLES.map((role): Sample => [{ ...labels, role }, Number(node.role === role)])
    ),
  );
  gauge("node_replication_offset_bytes", "The offset that it said last.", ({ offset }) => offset);
  gauge("node_lag_bytes", "By how much the master is ahead.", ({ lagBytes }) => lagBytes);
  gauge(
    "node_lag_seconds",
    "For how long it has been behind.",
    ({ lagMs }) => inSeconds(lagMs),
  );
  gauge(
    "node_link_up",
    "Whether a replica's link to its master is up.",
    ({ linkUp }) => linkUp === null ? null : Number(linkUp),
  );
  gauge("node_readable", "Whether reads are sent to it.", ({ readable }) => Number(readable));
  gauge("node_weight", "Its share of the reads beside the others.", ({ weight }) => weight);
  gauge(
    "node_last_ok_ping_seconds",
    "Time since its last good answer to PING.",
    ({ lastOkPingMs }) => inSeconds(lastOkPingMs),
  );
  gauge(
    "node_commands_per_second",
    "Commands that the router has sent to it lately.",
    ({ commandsPerSecond }) => commandsPerSecond,
  );
  gauge(
    "node_outstanding_commands",
    "Commands that wait for its reply.",
    ({ outstanding }) => outstanding,
  );
}

function addRouter(metrics: Exposition, router: RouterView): void {
  const { totals } = router;
  metrics.add("router_clients", "gauge", "Clients that are connected.", one(router.clients));
  metrics.add(
    "router_held_clients",
    "gauge",
    "Clients whose commands wait for a node that takes them.",
    one(router.heldClients),
  );
  metrics.add(
    "router_min_acks",
    "gauge",
    "How many replicas have to have a write before it is answered.",
    one(router.minAcks),
  );
  metrics.add(
    "router_connections_total",
    "counter",
    "Clients that have connected.",
    one(totals.connections),
  );
  metrics.add("router_commands_total", "counter", "Commands that were sent to nodes.", [
    [{ kind: "read" }, totals.reads],
    [{ kind: "write" }, totals.writes],
  ]);
  metrics.add(
    "router_errors_total",
    "counter",
    "Errors of the router's own that clients got, by their first word.",
    Object.entries(totals.errors).map(([code, count]) => [{ code }, count]),
  );
  metrics.add(
    "router_retried_reads_total",
    "counter",
    "Reads that were sent once more, elsewhere.",
    one(totals.retriedReads),
  );
  metrics.add(
    "router_unknown_outcomes_total",
    "counter",
    "Writes whose outcome nobody knows.",
    one(totals.unknownOutcomes),
  );
  metrics.add("router_bytes_total", "counter", "Bytes from and to clients.", [
    [{ direction: "in" }, totals.bytesIn],
    [{ direction: "out" }, totals.bytesOut],
  ]);
  metrics.add("router_commands_per_second", "gauge", "Commands of the last second.", [
    [{ kind: "read" }, router.readsPerSecond],
    [{ kind: "write" }, router.writesPerSecond],
  ]);
  metrics.add("router_latency_seconds", "gauge", "Latency of commands in the last second.", [
    ...latenciesOf("read", router.readLatency),
    ...latenciesOf("write", router.writeLatency),
  ]);
}

/** Quantile 1 is the longest. */
function latenciesOf(kind: string, { p50, p99, max }: LatencyView): Sample[] {
  return [
    [{ kind, quantile: "0.5" }, p50 / 1000],
    [{ kind, quantile: "0.99" }, p99 / 1000],
    [{ kind, quantile: "1" }, max / 1000],
  ];
}

/** One sample for each state that a group could have: 1 for the one that it has. */
function* statesOf<State extends string>(
  groups: readonly GroupView[],
  label: string,
  states: readonly State[],
  stateOf: (group: GroupView) => State,
): Iterable<Sample> {
  for (const group of groups) {
    for (const state of states) {
      yield [{ group: group.name, [label]: state }, Number(stateOf(group) === state)];
    }
  }
}

function isUp({ flags }: { readonly flags: readonly string[] }): boolean {
  return !flags.includes("s_down") && !flags.includes("o_down");
}

function inSeconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}

function one(value: number): Sample[] {
  return [[{}, value]];
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function formatValue(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
