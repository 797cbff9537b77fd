/**
 * Plays one seed: monitors in front of a few servers, their clients, and all that goes wrong; then all heals, and it must work as ever.
 *
 * @module
 */
import type { Monitor } from "../../src/monitor/monitor.ts";
import type { Consistency, SavedState } from "../../src/monitor/options.ts";
import type { Sockets } from "../../src/runtime/sockets.ts";
import type { Server } from "../../src/server/mod.ts";
import { checkKeyspace } from "../../src/keyspace/checking.ts";
import { badLine } from "../crash/log.ts";
import { RandomSource } from "../fuzz/random_source.ts";
import { EventLoop } from "./event_loop.ts";
import { MachineFacts } from "./machine_facts.ts";
import { Fence } from "./monitor_checks.ts";
import { RoutedClient } from "./monitor_client.ts";
import type { ClientHost } from "./monitor_client.ts";
import { happen } from "./monitor_events.ts";
import { MonitorNode, SENTINEL_PORT, STATE_FILE } from "./monitor_node.ts";
import type { MonitorEnd, MonitorHost } from "./monitor_node.ts";
import { makeMonitorPlan, type MonitorPlan } from "./monitor_plan.ts";
import { type Host, type Link, Network } from "./network.ts";
import { NetworkClient } from "./network_client.ts";
import {
  addressOf,
  type NodeEnd,
  type NodeHost,
  PORT,
  ReplicationNode,
} from "./replication_node.ts";
import { differences, KeyName } from "./replication_probe.ts";
import { SimulationFault } from "./simulation_fault.ts";

const CONFIG_FILE = "/data/redis.conf";
/** Everybody has met everybody within so long, */
const MEETING_MS = 20_000;
/** and all is well within so long after nothing is wrong any more. */
const HEALING_MS = 60_000;
const HEALING_TURN_MS = 50;
/** So many turns one after the other all must be well. */
const SETTLED_TURNS = 4;
/** Turns in which clients use what has healed: nobody may notice anything. */
const WELL_TURNS = 10;
/** The master's data is looked at so often, in turns. */
const LOOK_TURNS = 8;
const SHOWN_LOG_LINES = 4;

/** A bug that is put in on purpose. */
export interface MonitorSabotage {
  readonly name: string;
  /** Puts it into a monitor that has just started. */
  readonly monitor?: (monitor: Monitor) => void;
  /** Puts it into what saves the state. */
  readonly saver?: (save: (state: SavedState) => void) => (state: SavedState) => void;
}

/** What can be different from one run of a seed to another. */
export interface MonitorRunOptions {
  /** Takes lines that tell what happens. */
  readonly trace?: (line: string) => void;
  /** For a proof that it would be noticed. */
  readonly sabotage?: MonitorSabotage;
}

/** What a seed has seen. */
export interface MonitorOutcome {
  /** Servers and monitors that were started. */
  readonly lives: number;
  readonly monitorLives: number;
  /** Failovers: how often the master was another one. */
  readonly failovers: number;
  /** Replies to clients that were no errors; their writes that were done; refusals, and outcomes that nobody knows. */
  readonly answered: number;
  readonly written: number;
  readonly refused: number;
  readonly unknown: number;
  /** How many ms have passed, and how many of them it took to heal. */
  readonly simulatedMs: number;
  readonly healingMs: number;
  /** What went wrong, or undefined. */
  readonly fault: Error | undefined;
}

/** Plays a seed. */
export async function simulateMonitors(
  seed: number,
  options: MonitorRunOptions = {},
): Promise<MonitorOutcome> {
  using run = new MonitorRun(seed, options);
  return await run.play();
}

/** One run; see the head of this file. */
export class MonitorRun implements NodeHost, MonitorHost, ClientHost, Disposable {
  readonly plan: MonitorPlan;
  readonly loop: EventLoop = new EventLoop();
  readonly network: Network;
  readonly nodes: readonly ReplicationNode[];
  readonly monitors: readonly MonitorNode[];
  readonly random: RandomSource;
  readonly delays: RandomSource;
  readonly asideMs: number;
  readonly configFile = CONFIG_FILE;
  readonly args: readonly string[];
  readonly sockets: Sockets;
  readonly consistency: Consistency;
  readonly trace: (line: string) => void;
  /** It changes when answered writes may have been lost. */
  generation = 0;
  /** The node that has lost its disk and doesn't have the data again. */
  forgetful: ReplicationNode | null = null;
  /** Nobody writes for so many turns. */
  quietTurns = 0;
  private readonly facts = new MachineFacts();
  private readonly clients: readonly RoutedClient[];
  private readonly fence: Fence;
  private readonly operatorSockets: Sockets;
  private fault: Error | undefined;
  private readonly later: { ms: number; callback: () => void }[] = [];
  private turns = 0;
  private looks = 0;
  private readonly startedMs: number;
  private isHealing = false;
  private healingMs = 0;

  /** Makes up what a seed has. */
  constructor(seed: number, private readonly options: MonitorRunOptions) {
    const plan = this.plan = makeMonitorPlan(new RandomSource(seed, 0));
    this.random = new RandomSource(seed, 1);
    this.delays = new RandomSource(seed, 2);
    this.asideMs = plan.asideMs;
    this.consistency = plan.consistency;
    this.startedMs = this.loop.now;
    const { trace } = options;
    this.trace = trace === undefined ? () => {} : (line) => trace(`${this.passedMs} ${line}`);
    this.network = new Network(this.loop, new RandomSource(seed, 3));
    Object.assign(this.network, {
      delay: plan.delay,
      bufferBytes: plan.bufferBytes,
      pieceChance: plan.pieceChance,
      trace: this.trace,
    });
    this.args = argumentsOf(plan);
    this.nodes = Array.from(
      { length: plan.nodes },
      (_, number) => new ReplicationNode(this, seed, number, plan.settings),
    );
    for (const { disk, number } of this.nodes) {
      const text = number === 0 ? "# by hand\n" : `replicaof ${addressOf(0)} ${PORT}\n`;
      disk.write(CONFIG_FILE, new TextEncoder().encode(text));
    }
    this.monitors = Array.from(
      { length: plan.monitors },
      (_, number) => new MonitorNode(this, seed, number, plan.monitors === 1),
    );
    this.sockets = this.network.host("10.0.1.1").boot();
    this.operatorSockets = this.network.host("10.0.2.1").boot();
    this.clients = Array.from(
      { length: plan.clients * plan.monitors },
      (_, number) => new RoutedClient(number, this.monitors[number % plan.monitors], this),
    );
    this.fence = new Fence((message) => this.fail(message));
  }

  [Symbol.dispose](): void {
    this.loop[Symbol.dispose]();
    this.facts[Symbol.dispose]();
  }

  /** Plays it. */
  async play(): Promise<MonitorOutcome> {
    try {
      this.trace(JSON.stringify(this.plan));
      await this.meet();
      while (this.turns < this.plan.turns) await this.workTurn();
      await this.heal();
      await this.tryOut();
      this.compareAll();
    } catch (error) {
      this.fault ??= error as Error;
    }
    return this.outcome();
  }

  /** All machines that matter to each other. */
  get hosts(): Host[] {
    return [...this.nodes, ...this.monitors].map(({ host }) => host);
  }

  /** The connections between them. */
  get links(): Link[] {
    const hosts = new Set(this.hosts);
    return this.network.connections.filter(({ from, to }) => hosts.has(from) && hosts.has(to));
  }

  /** Who is the master by the newest routing of the monitors that run. */
  get master(): ReplicationNode {
    let newest = { epoch: -1, host: addressOf(0) };
    for (const { monitor } of this.monitors) {
      const routing = monitor?.router?.topology.routing;
      if (routing === undefined || routing.master === null || routing.epoch <= newest.epoch) {
        continue;
      }
      newest = { epoch: routing.epoch, host: routing.master.host };
    }
    return this.nodes.find(({ address }) => address === newest.host)!;
  }

  /** Whether all nodes have all data, so that one of them may forget it. */
  get isWhole(): boolean {
    const { master } = this;
    return this.forgetful === null && this.nodes.every((node) => {
      const { host: { process }, isServing, server } = node;
      if (!isServing || process.stopped) return false;
      const { history, link } = server!.replication;
      // Whoever hasn't noticed yet that his master has restarted has not.
      if (history.id !== master.server?.replication.history.id) return false;
      return node === master ? link === null : link?.isUp === true && link.host === master.address;
    });
  }

  /** How long something that goes wrong stays so. */
  troubleMs(): number {
    return this.random.between(1, this.plan.troubleMs);
  }

  /** Calls `callback` in the first turn after `ms`, or when all heals. */
  after(ms: number, callback: () => void): void {
    this.later.push({ ms: this.loop.now + ms, callback });
  }

  logged(node: ReplicationNode, line: string): void {
    if (badLine([line]) !== undefined) this.fail(`${node.address} logs: ${line}`);
  }

  started(): void {}

  ending(): void {}

  ended(node: ReplicationNode, how: NodeEnd): void {
    if (this.isHealing) return;
    node.startsMs = this.loop.now + this.troubleMs();
    this.trace(`${node.address} has ended (${how})`);
  }

  writes(node: MonitorNode, address: string, bytes: Uint8Array): void {
    if (node.monitor === null) return;
    this.trace(`${node.address} writes ${tokensOf(bytes)} to ${address}`);
    if (this.fence.note(node, address)) {
      this.trace(`epoch ${this.fence.newest!.epoch} begins`);
      this.compareMaster();
    }
  }

  saver(save: (state: SavedState) => void): (state: SavedState) => void {
    return this.options.sabotage?.saver?.(save) ?? save;
  }

  monitorStarted(node: MonitorNode, monitor: Monitor): void {
    this.options.sabotage?.monitor?.(monitor);
    // Without --min-acks whoever is promoted may lack what was answered.
    monitor.onEvent(({ type }) => {
      if (this.plan.minAcks > 0) return;
      if (type === "+promoted-slave" || type === "+switch-master") this.generation++;
    });
    const periods = Object.entries(this.plan.periods).flat();
    const client = new NetworkClient(this.operatorSockets, node.address, SENTINEL_PORT);
    client.send(["SENTINEL", "DEBUG", ...periods], () => client.end());
  }

  monitorEnded(node: MonitorNode, how: MonitorEnd): void {
    for (const client of this.clients) if (client.node === node) client.leave();
    if (this.isHealing) return;
    node.startsMs = this.loop.now + this.troubleMs();
    this.trace(`${node.address} has ended (${how})`);
  }

  fail(message: string): void {
    if (this.fault === undefined) this.trace(`FAULT: ${message}`);
    this.fault ??= new SimulationFault(message);
  }

  private get passedMs(): number {
    return this.loop.now - this.startedMs;
  }

  /** Servers and monitors start, and find each other. */
  private async meet(): Promise<void> {
    for (const node of this.nodes) await node.start(settingsOf(node));
    for (const node of this.monitors) await node.start();
    const endMs = this.loop.now + MEETING_MS;
    while (!this.isSettled()) {
      await this.turn(HEALING_TURN_MS);
      if (this.loop.now > endMs) throw new SimulationFault(`nobody meets:\n${this.states()}`);
    }
    this.trace("all have met");
  }

  /** A turn in which everybody works and things happen. */
  private async workTurn(): Promise<void> {
    const { plan, random } = this;
    this.turns++;
    if (random.chance(plan.eventChance)) await happen(random.pick(plan.events), this, random);
    if (this.quietTurns > 0) this.quietTurns--;
    else this.useRouters();
    await this.turn(random.between(0, plan.turnMs));
  }

  /** Clients send what they have. */
  private useRouters(): void {
    const { plan, random } = this;
    for (const client of this.clients) {
      if (!random.chance(plan.sendChance)) continue;
      // Not all at the same time.
      this.loop.post(random.between(0, plan.turnMs), null, () => client.act(plan.burst));
    }
  }

  /** Lets everybody go on for a while, and looks at them. */
  private async turn(ms: number): Promise<void> {
    const { loop } = this;
    await this.startDue();
    const due = this.later.filter((one) => one.ms <= loop.now);
    for (const one of due) this.later.splice(this.later.indexOf(one), 1);
    for (const { callback } of due) callback();
    await loop.pass(ms);
    if (loop.uncaught !== undefined) throw loop.uncaught;
    for (const client of this.clients) client.check();
    this.rememberWhole();
    if (++this.looks % LOOK_TURNS === 0) this.compareMaster();
    if (this.fault !== undefined) throw this.fault;
  }

  /** Starts what is to start now. */
  private async startDue(): Promise<void> {
    const { loop } = this;
    for (const node of this.nodes) {
      if (node.startsMs > loop.now) continue;
      // Whoever comes back without data must not be taken for the master that has it.
      if (node === this.forgetful && this.isTakenForMaster(node)) continue;
      await node.start(settingsOf(node));
    }
    for (const node of this.monitors) if (node.startsMs <= loop.now) await node.start();
  }

  /** Whether a monitor, if only by its state file, has this node for the master. */
  private isTakenForMaster({ address }: ReplicationNode): boolean {
    return this.monitors.some(({ lastMaster }) => lastMaster === address);
  }

  /** Sees whether the node that has lost its disk has all data again. */
  private rememberWhole(): void {
    const server = this.forgetful?.server;
    if (server === undefined || server === null) return;
    const { link, history } = server.replication;
    const master = this.nodes.find(({ address }) => address === link?.host);
    if (link?.isUp !== true || master?.server?.replication.history.offset !== history.offset) {
      return;
    }
    this.trace(`${this.forgetful!.address} has all data again`);
    this.forgetful = null;
  }

  /** The master that writes go to has all that was answered. */
  private compareMaster(): void {
    const { newest } = this.fence;
    const node = this.nodes.find(({ address }) => address === newest?.address);
    if (node === undefined || node === this.forgetful || !node.isServing) return;
    if (node.server!.replication.link !== null) return;
    for (const client of this.clients) {
      client.compare(
        node.address,
        (key) => new KeyName(key).valueIn(node.server!),
        this.generation,
      );
    }
  }

  /** Nothing is wrong any more: in the end everybody works as if nothing had been. */
  private async heal(): Promise<void> {
    const { loop, monitors, network, nodes } = this;
    this.isHealing = true;
    this.trace("all heals");
    const startMs = loop.now;
    network.heal();
    network.tellAll();
    for (const { callback } of this.later.splice(0)) callback();
    for (const { disk } of monitors) disk.capacity = Infinity;
    for (const node of [...nodes, ...monitors]) {
      node.clock.catchUp();
      node.host.process.stopped = false;
      node.operationsLeft = -1;
    }
    for (let settled = 0; settled < SETTLED_TURNS; settled = this.isSettled() ? settled + 1 : 0) {
      for (const node of nodes) if (node.server === null) node.startsMs = loop.now;
      for (const node of monitors) if (!node.isRunning) node.startsMs = loop.now;
      await this.turn(HEALING_TURN_MS);
      if (loop.now - startMs > HEALING_MS) {
        throw new SimulationFault(`it doesn't heal:\n${this.states()}`);
      }
    }
    this.healingMs = loop.now - startMs;
    this.trace("all is well");
  }

  /** Whether all nodes and monitors agree, everybody is connected, and nobody waits for anything. */
  private isSettled(): boolean {
    const { clients, master, monitors, nodes } = this;
    if (!nodes.every(({ isServing }) => isServing) || clients.some((one) => one.unanswered > 0)) {
      return false;
    }
    const { history: { id, offset } } = master.server!.replication;
    const areReplicasUp = nodes.every((node) => {
      const { history, link } = node.server!.replication;
      if (node === master) return link === null;
      return link !== null && link.isUp && link.host === master.address && history.id === id &&
        history.offset === offset;
    });
    if (!areReplicasUp) return false;
    const epochs = new Set(monitors.map(({ monitor }) => monitor?.router?.topology.routing.epoch));
    return epochs.size === 1 && monitors.every((node) => this.isContent(node, master.address));
  }

  /** Whether a monitor finds that all is well. */
  private isContent({ monitor }: MonitorNode, master: string): boolean {
    if (monitor === null || monitor.control.tilt) return false;
    const { topology } = monitor.router!;
    if (topology.routing.master?.host !== master || !topology.mayWrite) return false;
    if (topology.routing.replicas.length !== this.nodes.length - 1) return false;
    const [group] = monitor.control.groupViews();
    return group.status === "ok" && group.failoverState === "none" &&
      group.peers.length === this.monitors.length - 1 && group.lease.mode !== "missing";
  }

  /** Clients use what has healed, and notice nothing. */
  private async tryOut(): Promise<void> {
    const { clients, plan } = this;
    const errors = () => clients.reduce((sum, { refused, unknown }) => sum + refused + unknown, 0);
    const before = errors();
    for (let turn = 0; turn < WELL_TURNS; turn++) {
      for (const client of clients) client.act(plan.burst);
      await this.turn(HEALING_TURN_MS);
    }
    const endMs = this.loop.now + HEALING_MS;
    while (!this.isSettled()) {
      await this.turn(HEALING_TURN_MS);
      if (this.loop.now > endMs) {
        throw new SimulationFault(`it doesn't stay well:\n${this.states()}`);
      }
    }
    if (errors() === before) return;
    throw new SimulationFault(`all is well, but clients get errors:\n${this.states()}`);
  }

  /** All nodes have the same data, and the right one. */
  private compareAll(): void {
    const { master, nodes } = this;
    this.compareMaster();
    for (const { address, server } of nodes) {
      checkKeyspace(server!.keyspace);
      const found = differences(server!, master.server!);
      if (found === "") continue;
      throw new SimulationFault(`${address} and ${master.address} differ:\n  ${found}`);
    }
    if (this.fault !== undefined) throw this.fault;
  }

  /** Where everybody is, for people. */
  private states(): string {
    const nodes = this.nodes.map(({ address, server, log }) =>
      `${address} ${server === null ? "is down" : stateOf(server)}\n    ` +
      log.slice(-SHOWN_LOG_LINES).join("\n    ")
    );
    const monitors = this.monitors.map(({ address, monitor, log }) => {
      if (monitor === null) return `${address} is down`;
      const routing = JSON.stringify(monitor.router!.topology.routing);
      const [group] = monitor.control.groupViews();
      return `${address} ${routing} tilt ${monitor.control.tilt} ${group.status} ${group.trouble} ` +
        `${group.failoverState} peers ${group.peers.length} lease ${group.lease.mode}\n    ` +
        log.slice(-SHOWN_LOG_LINES).join("\n    ");
    });
    const waiting = this.clients.filter(({ unanswered }) => unanswered > 0)
      .map(({ name, unanswered }) => `${name} waits for ${unanswered}`);
    return [...nodes, ...monitors, ...waiting].join("\n");
  }

  private outcome(): MonitorOutcome {
    const sum = (count: (client: RoutedClient) => number) =>
      this.clients.reduce((total, client) => total + count(client), 0);
    return {
      lives: this.nodes.reduce((total, { lives }) => total + lives, 0),
      monitorLives: this.monitors.reduce((total, { lives }) => total + lives, 0),
      failovers: this.fence.changes,
      answered: sum(({ answered }) => answered),
      written: sum(({ done }) => done),
      refused: sum(({ refused }) => refused),
      unknown: sum(({ unknown }) => unknown),
      simulatedMs: this.passedMs,
      healingMs: this.healingMs,
      fault: this.fault,
    };
  }
}

/** The command line of all monitors. */
function argumentsOf({ named, options }: MonitorPlan): string[] {
  const nodes = Array.from({ length: named }, (_, number) => `${addressOf(number)}:${PORT}`);
  const all = {
    ...options,
    nodes: nodes.join(","),
    "protected-mode": "no",
    "sentinel-port": String(SENTINEL_PORT),
    state: STATE_FILE,
  };
  return Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
}

/** What the config file of a node says that its settings don't: who is its master. */
function settingsOf({ disk }: ReplicationNode): Record<string, string> {
  const text = disk.exists(CONFIG_FILE) ? disk.readText(CONFIG_FILE) : "";
  const found = /^(?:replicaof|slaveof) (.+)$/m.exec(text);
  return found === null ? {} : { replicaof: found[1].replaceAll('"', "") };
}

function tokensOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).match(/~[^;]*;/g)?.join(" ") ?? "a part";
}

/** Where a server is, for people. */
function stateOf({ replication: { history, link } }: Server): string {
  const role = link === null ? "master" : `replica of ${link.host} (${link.isUp ? "up" : "down"})`;
  return `${history.id.slice(0, 8)} ${history.offset} ${role}`;
}
