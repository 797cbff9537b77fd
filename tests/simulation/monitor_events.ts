/**
 * What happens to monitors and nodes, from cut connections to lost disks.
 *
 * @module
 */
import type { RandomSource } from "../fuzz/random_source.ts";
import type { MonitorNode } from "./monitor_node.ts";
import type { MonitorEventKind } from "./monitor_plan.ts";
import type { MonitorRun } from "./monitor_run.ts";
import type { Host } from "./network.ts";
import type { ReplicationNode } from "./replication_node.ts";

const CUT_BYTES = [10, 100, 1000, 10_000];
const HOUR_MS = 3_600_000;
/** What is apart for less than down-after and an election is missed by nobody. */
const ISLAND_MS = 1500;

type Happen = (run: MonitorRun, random: RandomSource) => void | Promise<void>;

/** What each kind does. */
const EVENTS: Readonly<Record<MonitorEventKind, Happen>> = {
  "kill the master": (run) => end(run, run.master, "kill"),
  "kill a node": (run, random) => end(run, random.pick(run.nodes), "kill"),
  "power cut of a node": (run, random) => end(run, random.pick(run.nodes), "power cut"),
  "kill a node at an operation": (run, random) => {
    if (run.forgetful === null) random.pick(run.nodes).operationsLeft = random.between(1, 20);
  },
  "lose a disk": (run, random) => {
    if (run.isWhole) loseDisk(run, random.pick(run.nodes));
  },
  "kill a monitor": (run, random) => endMonitor(random.pick(run.monitors), "kill"),
  "power cut of a monitor": (run, random) => endMonitor(random.pick(run.monitors), "power cut"),
  "kill a monitor at an operation": (run, random) => {
    random.pick(run.monitors).operationsLeft = random.between(1, 12);
  },
  "restart a monitor": async (run, random) => {
    const node = random.pick(run.monitors);
    if (mayEnd(node)) await node.stop();
  },
  "full disk of a monitor": (run, random) => {
    const { disk } = random.pick(run.monitors);
    const used = disk.paths().reduce((sum, path) => sum + disk.read(path).length, 0);
    disk.capacity = used + random.below(400);
    run.after(run.troubleMs(), () => disk.capacity = Infinity);
  },
  "stop the master": (run) => stop(run, run.master),
  "stop a node": (run, random) => stop(run, random.pick(run.nodes)),
  "stop a monitor": (run, random) => stop(run, random.pick(run.monitors)),
  "cut": (run, random) => {
    const { links } = run;
    if (links.length > 0) run.network.cut(random.pick(links));
  },
  "cut at a byte": (run, random) => {
    const [from, to] = pickTwo(run, random);
    run.network.cutLater(from, to, random.below(random.pick(CUT_BYTES)));
  },
  "cut all of one": (run, random) => {
    const host = random.pick(run.hosts);
    for (const link of run.links) {
      if (link.from === host || link.to === host) run.network.cut(link);
    }
  },
  "partition": (run, random) => {
    const alone = random.pick(run.hosts);
    part(run, [alone], random.chance(0.25) ? random.pick(["in", "out"] as const) : "both");
  },
  "one-way partition": (run, random) => {
    const [from, to] = pickTwo(run, random);
    block(run, [[from, to]]);
  },
  // The master, mostly, with a monitor and perhaps a replica, apart from the rest.
  "island": (run, random) => {
    const node = random.chance(0.7) ? run.master : random.pick(run.nodes);
    const monitor = random.pick(run.monitors);
    const others = random.chance(0.5) ? [random.pick(run.nodes).host] : [];
    part(run, [...new Set([node.host, monitor.host, ...others])], "both", ISLAND_MS);
  },
  "slow": (run, random) => {
    const [from, to] = pickTwo(run, random);
    run.network.slow(from, to, { lowMs: 5, highMs: random.pick([30, 300]) });
    run.after(run.troubleMs(), () => run.network.slow(from, to, null));
  },
  "refuse": (run, random) => {
    random.pick(run.nodes).host.refusals = random.between(1, 3);
  },
  "clock": (run, random) => {
    const { clock } = random.pick([...run.nodes, ...run.monitors]);
    clock.set(random.between(-HOUR_MS, HOUR_MS));
  },
  "failover by hand": async (run, random) => {
    const { host: { process }, monitor } = random.pick(run.monitors);
    if (monitor === null || process.stopped) return;
    // Of a master that is down, or has restarted, it would be an order to lose what isn't known.
    if (monitor.control.groupViews()[0].status !== "ok") return;
    await run.loop.runFor(process, () => {
      run.trace(`failover by hand: ${monitor.failover("mymaster") ?? "OK"}`);
    });
  },
  "quiet": (run, random) => {
    run.quietTurns = random.between(2, 20);
  },
};

/** Has something happen. */
export async function happen(
  kind: MonitorEventKind,
  run: MonitorRun,
  random: RandomSource,
): Promise<void> {
  run.trace(`event: ${kind}`);
  await EVENTS[kind](run, random);
}

/** Ends a node, unless another one has forgotten what it had: one of the two copies must stay. */
function end(run: MonitorRun, node: ReplicationNode, how: "kill" | "power cut"): void {
  if (run.forgetful === null) node.crash(how);
}

/** A node ends and finds nothing when it starts again. */
function loseDisk(run: MonitorRun, node: ReplicationNode): void {
  run.forgetful = node;
  for (const one of run.nodes) one.operationsLeft = -1;
  node.crash("kill");
  const { disk } = node;
  const paths = disk.paths();
  for (const path of paths) disk.remove(path);
  for (const folder of new Set(paths.map((path) => path.slice(0, path.lastIndexOf("/"))))) {
    disk.syncFolder(folder);
  }
}

function endMonitor(node: MonitorNode, how: "kill" | "power cut"): void {
  if (mayEnd(node)) node.crash(how);
}

/** A monitor that is alone and couldn't save what it knows is the only one to know it. */
function mayEnd({ isAlone, isUnsaved }: MonitorNode): boolean {
  return !isAlone || !isUnsaved;
}

/** Stops a process for a while. */
function stop(run: MonitorRun, { host: { process } }: { readonly host: Host }): void {
  process.stopped = true;
  run.after(run.troubleMs(), () => process.stopped = false);
}

/** Nothing comes through between some and all others for a while: in neither direction, or only in or out. */
function part(
  run: MonitorRun,
  apart: readonly Host[],
  ways: "both" | "in" | "out",
  longerMs = 0,
): void {
  const others = run.hosts.filter((host) => !apart.includes(host));
  const blocked: [Host, Host][] = [];
  for (const one of apart) {
    for (const other of others) {
      if (ways !== "in") blocked.push([one, other]);
      if (ways !== "out") blocked.push([other, one]);
    }
  }
  block(run, blocked, longerMs);
}

function block(
  run: MonitorRun,
  ways: readonly (readonly [Host, Host])[],
  longerMs = 0,
): void {
  for (const [from, to] of ways) run.network.block(from, to);
  run.after(run.troubleMs() + longerMs, () => {
    for (const [from, to] of ways) run.network.unblock(from, to);
  });
}

function pickTwo(run: MonitorRun, random: RandomSource): [Host, Host] {
  const { hosts } = run;
  const one = random.pick(hosts);
  return [one, random.pick(hosts.filter((host) => host !== one))];
}
