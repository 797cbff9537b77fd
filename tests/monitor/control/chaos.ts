/**
 * Faults of all kinds from a seed, and what must hold all the while: no two routers write to two masters, no acknowledged write is
 * lost, and it heals.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { PlayedMonitor } from "./played_monitor.ts";
import type { PlayedNode } from "./played_node.ts";
import { PlayedWorld } from "./played_world.ts";

const WRITE_MS = 20;
const FAULT_MS = 4000;
/** Plenty, since attempts are repeated only after twice the failover timeout. */
const HEAL_MS = 120_000;

/** What is played. */
export interface ChaosPlan {
  readonly seed: number;
  readonly monitors: number;
  readonly nodes: number;
  readonly minAcks: number;
  readonly seconds: number;
  /** Whether nodes lose their data when they restart. */
  readonly forgetful: boolean;
}

interface PendingWrite {
  readonly id: number;
  readonly node: PlayedNode;
  readonly history: string;
}

/** Plays a plan; throws if anything doesn't hold. */
export function playChaos(
  plan: ChaosPlan,
): { readonly acknowledged: number; readonly failovers: number } {
  const world = new PlayedWorld(plan.seed);
  const nodes = world.group(plan.nodes);
  if (plan.forgetful) world.fullSyncMs = 3000;
  const quorum = Math.floor(plan.monitors / 2) + 1;
  const monitors = Array.from({ length: plan.monitors }, () =>
    world.monitor({
      router: { minAcks: plan.minAcks },
      group: { quorum, downAfterMs: 1000, failoverTimeoutMs: 5000 },
    }));
  const writer = new Writer(world, monitors, plan.minAcks);
  world.check = () => {
    const targets = new Set(monitors.map(({ writesTo }) => writesTo).filter((one) => one !== ""));
    assert(targets.size <= 1, `writes go to ${[...targets].join(" and ")}`);
  };
  world.run(6000);
  const end = world.now + plan.seconds * 1000;
  while (world.now < end) {
    doHarm(world, nodes, monitors, plan);
    world.run(world.random() * FAULT_MS);
  }
  repair(world, nodes, monitors, plan);
  const healed = () => {
    const target = monitors[0].writesTo;
    return target !== "" && monitors.every((monitor) => monitor.writesTo === target) &&
      nodes.every((node) => node.address === target || (node.role === "slave" && node.linkUp)) &&
      monitors.every(({ routing }) => routing?.replicas.length === nodes.length - 1);
  };
  try {
    world.until("all is well again", healed, HEAL_MS);
  } catch (error) {
    const states = monitors.map((monitor) =>
      `${monitor.host} ${monitor.writesTo} ${
        JSON.stringify(monitor.routing)
      } ${monitor.view.trouble} ${monitor.view.failoverState}`
    );
    const roles = nodes.map((node) =>
      `${node.address} ${node.role} of ${node.masterHost} ${node.linkUp} ${node.log.length}`
    );
    throw new Error([String(error), ...states, ...roles].join("\n"));
  }
  const master = nodes.find(({ address }) => address === monitors[0].writesTo);
  const kept = new Set(master?.log);
  const lost = writer.acknowledged.filter((id) => !kept.has(id));
  assertEquals(lost.length, 0, `${lost.length} acknowledged writes are lost, from ${lost[0]} on`);
  return {
    acknowledged: writer.acknowledged.length,
    failovers: Math.max(...monitors.map(({ view }) => view.configEpoch)),
  };
}

/** One fault at a time for nodes where acknowledged writes count: more than those that the setting covers lose writes by right. */
function doHarm(
  world: PlayedWorld,
  nodes: readonly PlayedNode[],
  monitors: readonly PlayedMonitor[],
  plan: ChaosPlan,
): void {
  const pick = <One>(from: readonly One[]) => from[Math.floor(world.random() * from.length)];
  const node = pick(nodes);
  const monitor = pick(monitors);
  // Who keeps nothing can only be helped by a monitor that is there.
  const dice = world.random() * (plan.forgetful ? 0.45 : 1);
  if (dice < 0.25) {
    // A node that was down, or has just copied the data, has to have all before another one may fail.
    const masters = nodes.filter(({ role }) => role === "master").length;
    const whole = masters === 1 &&
      nodes.every((one) => one.alive && !one.stopped && (one.role === "master" || one.linkUp));
    if (whole || !plan.forgetful) node.alive ? node.kill() : node.restart(!plan.forgetful);
  } else if (dice < 0.45) {
    for (const one of nodes) if (!one.alive) one.restart(!plan.forgetful);
  } else if (dice < 0.55) monitor.alive ? monitor.kill() : monitor.restart();
  else if (dice < 0.65) { for (const one of monitors) !one.alive && one.restart(); }
  else if (dice < 0.75) world.cut(pick(monitors).host, pick(nodes).host, world.random() < 0.5);
  else if (dice < 0.8) world.cut(monitor.host, pick(monitors).host, world.random() < 0.5);
  else if (dice < 0.85) isolate(world, node, monitor, nodes, monitors);
  // By hand a dead master is replaced at any cost: that is what it is for, and loses writes by right.
  else if (dice < 0.9) monitor.alive && monitor.view.status === "ok" && monitor.failover();
  else if (dice < 0.93) node.stopped = node.alive;
  else {
    world.heal();
    for (const one of nodes) one.resume();
  }
}

/** One node and one monitor on an island. */
function isolate(
  world: PlayedWorld,
  node: PlayedNode,
  monitor: PlayedMonitor,
  nodes: readonly PlayedNode[],
  monitors: readonly PlayedMonitor[],
): void {
  for (const { host } of [...nodes, ...monitors]) {
    if (host === node.host || host === monitor.host) continue;
    world.cut(node.host, host);
    world.cut(monitor.host, host);
  }
}

function repair(
  world: PlayedWorld,
  nodes: readonly PlayedNode[],
  monitors: readonly PlayedMonitor[],
  plan: ChaosPlan,
): void {
  world.heal();
  for (const node of nodes) {
    node.resume();
    if (!node.alive) node.restart(!plan.forgetful);
  }
  for (const monitor of monitors) if (!monitor.alive) monitor.restart();
}

/** Clients of all routers: they write all the time, and count what is acknowledged. */
class Writer {
  readonly acknowledged: number[] = [];
  #next = 1;
  #pending: PendingWrite[] = [];

  constructor(
    private readonly world: PlayedWorld,
    private readonly monitors: readonly PlayedMonitor[],
    private readonly minAcks: number,
  ) {
    this.#write();
  }

  #write(): void {
    this.#acknowledge();
    for (const monitor of this.monitors) {
      const node = this.world.nodes.find(({ address }) => address === monitor.writesTo);
      if (node === undefined || !this.world.reaches(monitor.host, node.host)) continue;
      if (node.role !== "master" || node.stopped) continue;
      const id = this.#next++;
      node.log.push(id);
      this.#pending.push({ id, node, history: node.history });
    }
    this.world.after(WRITE_MS * this.world.random(), () => this.#write());
  }

  #acknowledge(): void {
    this.#pending = this.#pending.filter((write) => {
      const { node, id } = write;
      const gone = !node.alive || node.role !== "master" || node.history !== write.history;
      if (gone || this.minAcks === 0) return false;
      const holders = this.world.replicasOf(node).filter(({ log }) => log.includes(id));
      if (holders.length < this.minAcks) return true;
      this.acknowledged.push(id);
      return false;
    });
  }
}
