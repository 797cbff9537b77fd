/**
 * Plays one seed: a few servers that replicate each other, their clients, and all that goes wrong; then all heals, and they must be alike.
 *
 * @module
 */
import type { Server } from "../../src/server/mod.ts";
import { checkKeyspace } from "../../src/keyspace/checking.ts";
import { datasetDigest } from "../../src/keyspace/digest.ts";
import { plainValue } from "../../src/protocol/reply.ts";
import type { Sockets } from "../../src/runtime/sockets.ts";
import { badLine, tellsOfTruncation } from "../crash/log.ts";
import { RandomSource } from "../fuzz/random_source.ts";
import { EventLoop } from "./event_loop.ts";
import { type Link, Network } from "./network.ts";
import { NetworkClient } from "./network_client.ts";
import { Counters, Digests, Histories } from "./replication_checks.ts";
import { happen } from "./replication_events.ts";
import {
  addressOf,
  type NodeEnd,
  type NodeHost,
  PORT,
  ReplicationNode,
} from "./replication_node.ts";
import { Operator } from "./replication_operator.ts";
import { makeReplicationPlan, type ReplicationPlan } from "./replication_plan.ts";
import { canGoOn, differences } from "./replication_probe.ts";
import { ReplicationWriter, type WriterHost } from "./replication_writer.ts";
import { SimulationFault } from "./simulation_fault.ts";

/** Once nothing is wrong any more, all must be alike after so long. */
const HEALING_MS = 120_000;
const HEALING_TURN_MS = 100;
/** Servers are told again after so many turns. */
const RETELLING_TURNS = 100;
/** The data is compared so often, in turns; and so often of servers that nobody is to be compared with yet. */
const DIGEST_TURNS = 5;
const LONE_DIGEST_TURNS = 20;
const FORGETTING_CHANCE = 0.15;
const SHOWN_LOG_LINES = 8;
/** A full synchronisation is about to replace the data. */
const REPLACES_DATA =
  /Flushing old data|Full resync from master|Loading DB in memory|Finished with success/;

/** What can be different from one run of a seed to another. */
export interface ReplicationOptions {
  /** Takes lines that tell what happens. */
  readonly trace?: (line: string) => void;
  /** Does something to each server that has started, for a proof that it would be noticed. */
  readonly sabotage?: (server: Server) => void;
}

/** What a seed has seen. */
export interface ReplicationOutcome {
  /** Servers that were started. */
  readonly lives: number;
  /** Connections that were cut. */
  readonly cuts: number;
  /** Full and partial synchronisations. */
  readonly full: number;
  readonly partial: number;
  /** Replies to writers, and how many of WAIT have confirmed something. */
  readonly answered: number;
  readonly confirmed: number;
  /** How many times data of the same id and offset was compared. */
  readonly compared: number;
  /** How many ms have passed. */
  readonly simulatedMs: number;
  /** What went wrong, or undefined. */
  readonly fault: Error | undefined;
}

/** Plays a seed. */
export async function simulateReplication(
  seed: number,
  options: ReplicationOptions = {},
): Promise<ReplicationOutcome> {
  using run = new ReplicationRun(seed, options);
  return await run.play();
}

/** One run; see the head of this file. */
export class ReplicationRun implements NodeHost, WriterHost, Disposable {
  readonly plan: ReplicationPlan;
  readonly loop: EventLoop = new EventLoop();
  readonly network: Network;
  readonly nodes: readonly ReplicationNode[];
  readonly operator: Operator;
  readonly delays: RandomSource;
  readonly asideMs: number;
  readonly trace: (line: string) => void;
  /** Number of the server that clients take for the master. */
  master = 0;
  /** Nobody writes for so many turns. */
  quietTurns = 0;
  private readonly writers: readonly ReplicationWriter[];
  private readonly random: RandomSource;
  private readonly histories: Histories;
  private readonly digests: Digests;
  private readonly counters: Counters;
  private readonly clientSockets: Sockets;
  private blocker: NetworkClient | null = null;
  private reader: NetworkClient | null = null;
  private fault: Error | undefined;
  private readonly later: { ms: number; callback: () => void }[] = [];
  private turns = 0;
  private looks = 0;
  private full = 0;
  private partial = 0;
  private readonly startedMs: number;
  private isHealing = false;

  /** Makes up what a seed has. */
  constructor(seed: number, private readonly options: ReplicationOptions) {
    const plan = this.plan = makeReplicationPlan(new RandomSource(seed, 0));
    this.random = new RandomSource(seed, 1);
    this.delays = new RandomSource(seed, 2);
    this.asideMs = plan.asideMs;
    const { loop } = this;
    this.startedMs = loop.now;
    const trace = options.trace;
    this.trace = trace === undefined ? () => {} : (line) => trace(`${this.passedMs} ${line}`);
    this.network = new Network(loop, new RandomSource(seed, 3));
    Object.assign(this.network, {
      delay: plan.delay,
      bufferBytes: plan.bufferBytes,
      pieceChance: plan.pieceChance,
      trace: this.trace,
    });
    this.nodes = plan.nodes.map((settings, number) =>
      new ReplicationNode(this, seed, number, settings)
    );
    this.clientSockets = this.network.host("10.0.1.1").boot();
    const operatorSockets = this.network.host("10.0.2.1").boot();
    this.operator = new Operator(this.nodes, operatorSockets, this.trace, plan.masters);
    const fail = (message: string) => this.fail(message);
    this.histories = new Histories(fail);
    this.digests = new Digests(fail);
    this.writers = Array.from(
      { length: plan.writers },
      (_, number) => new ReplicationWriter(number, plan, this.random, this),
    );
    this.counters = new Counters(this.writers, fail);
  }

  [Symbol.dispose](): void {
    this.loop[Symbol.dispose]();
  }

  /** Plays it. */
  async play(): Promise<ReplicationOutcome> {
    try {
      this.trace(JSON.stringify(this.plan));
      for (const node of this.nodes) {
        await node.start(this.operator.settingsOf(node.number, false));
      }
      this.loadBallast();
      while (this.turns < this.plan.turns) await this.workTurn();
      await this.heal();
      this.compareAll();
      await this.tryOut();
    } catch (error) {
      this.fault ??= error as Error;
    }
    return this.outcome();
  }

  /** The connections between servers. */
  get serverLinks(): Link[] {
    const hosts = new Set(this.nodes.map(({ host }) => host));
    return this.network.connections.filter(({ from, to }) => hosts.has(from) && hosts.has(to));
  }

  /** How long something that goes wrong stays so. */
  troubleMs(): number {
    return this.random.between(1, this.plan.troubleMs);
  }

  /** Calls `callback` in the first turn after `ms`, or when all heals. */
  after(ms: number, callback: () => void): void {
    this.later.push({ ms: this.loop.now + ms, callback });
  }

  /** Ends a server, which comes back some time later. */
  end(node: ReplicationNode, how: "kill" | "power cut"): void {
    node.crash(how);
  }

  logged(node: ReplicationNode, line: string): void {
    if (REPLACES_DATA.test(line)) this.counters.forget(node);
    const full = /Full resync from master: \w+:(\d+)/.exec(line);
    if (full !== null) {
      this.full++;
      this.checkNeed(node, Number(full[1]));
    }
    if (/Successful partial resynchronization with master/.test(line)) this.partial++;
    const isWrong = badLine([line]) !== undefined;
    if (isWrong) this.fail(`${node.address} logs: ${line}`);
    if (tellsOfTruncation([line])) this.trace(`${node.address} has cut a file`);
  }

  /** A server is to be sent all of its master's data, of an offset: it must not be able to go on with what it has. */
  private checkNeed({ address, server }: ReplicationNode, sentOffset: number): void {
    // Its master may have been behind it, and have come further since.
    if (server === null || sentOffset < server.replication.history.offset) return;
    const { replication: { history: { id, offset }, link } } = server;
    const master = this.nodes.find((node) => node.address === link?.host)?.server;
    if (!master || !canGoOn(master, id, offset)) return;
    this.fail(`${address} has ${id}:${offset}, and ${link!.host} could go on from there`);
  }

  started(node: ReplicationNode, server: Server): void {
    server.replication.onAppend = (id, offset, bytes) => {
      this.histories.note(node, id, offset, bytes);
    };
    this.options.sabotage?.(server);
  }

  ending(node: ReplicationNode): void {
    this.counters.forget(node);
  }

  ended(node: ReplicationNode, how: NodeEnd): void {
    this.counters.forget(node);
    if (this.isHealing) return;
    node.startsMs = this.loop.now + this.troubleMs();
    this.trace(`${node.address} has ended (${how})`);
  }

  confirmed(key: string, value: number, replicas: number): void {
    this.trace(`${replicas} have ${key} at ${value}`);
    this.counters.confirmed(this.nodes, key, value);
  }

  fail(message: string): void {
    if (this.fault === undefined) this.trace(`FAULT: ${message}`);
    this.fault ??= new SimulationFault(message);
  }

  private get passedMs(): number {
    return this.loop.now - this.startedMs;
  }

  /** Has the master hold so much that a snapshot of it comes in many pieces. */
  private loadBallast(): void {
    const { plan: { ballast }, random } = this;
    if (ballast === 0) return;
    const client = this.clientOf(null, this.master);
    for (let number = 0; number < ballast; number++) {
      // Not to be compressed.
      const bytes = Array.from({ length: 400 }, () => random.below(1e9).toString(36)).join("");
      client.send(["SET", `ballast:${number}`, bytes]);
    }
  }

  /** A turn in which everybody works and things happen. */
  private async workTurn(): Promise<void> {
    const { operator, plan, random } = this;
    this.turns++;
    if (random.chance(plan.eventChance)) happen(random.pick(plan.events), this, random);
    operator.act(random);
    if (this.quietTurns > 0) this.quietTurns--;
    else this.useServers();
    await this.turn(random.between(0, plan.turnMs));
  }

  /** Lets everybody go on for a while, and looks at them. */
  private async turn(ms: number): Promise<void> {
    const { counters, digests, loop, nodes } = this;
    for (const node of nodes) {
      if (node.startsMs > loop.now) continue;
      const forgets = !this.isHealing && this.random.chance(FORGETTING_CHANCE);
      await node.start(this.operator.settingsOf(node.number, forgets));
    }
    const due = this.later.filter((one) => one.ms <= loop.now);
    for (const one of due) this.later.splice(this.later.indexOf(one), 1);
    for (const { callback } of due) callback();
    await loop.pass(ms);
    if (loop.uncaught !== undefined) throw loop.uncaught;
    if (this.fault !== undefined) throw this.fault;
    counters.check(nodes);
    if (++this.looks % DIGEST_TURNS === 0) {
      digests.note(nodes, this.looks % LONE_DIGEST_TURNS === 0);
    }
    if (this.fault !== undefined) throw this.fault;
  }

  /** Clients send what they have. */
  private useServers(): void {
    const { plan, random } = this;
    for (const writer of this.writers) {
      if (!random.chance(plan.sendChance)) continue;
      // Not all at the same time.
      this.loop.post(random.between(0, plan.turnMs), null, () => {
        if (this.isHealing) return;
        writer.client = this.clientOf(writer.client, this.master);
        writer.send(writer.client);
      });
    }
    if (plan.blocks && random.chance(0.3)) {
      const blocker = this.blocker = this.clientOf(this.blocker, this.master);
      if (blocker.unanswered < 3) {
        blocker.send(
          random.pick([
            ["BLPOP", "queue", 1],
            ["BLMOVE", "queue", "queue:done", "LEFT", "RIGHT", 1],
            ["BZPOPMIN", "ranking", 1],
          ]),
        );
      }
    }
    if (plan.reads && random.chance(0.3)) {
      const reader = this.reader = this.clientOf(this.reader, random.below(this.nodes.length));
      if (reader.unanswered < 3) {
        const key = `w0:${random.pick(["s", "l", "z"])}:${random.below(4)}`;
        reader.send(["TTL", key]);
        reader.send(["SUBSCRIBE", "news"]);
      }
    }
  }

  /** A client of a server: `known`, if it is one. */
  private clientOf(known: NetworkClient | null, index: number): NetworkClient {
    const address = addressOf(index);
    if (known !== null && !known.isOver && known.address === address) return known;
    known?.end();
    return new NetworkClient(this.clientSockets, address, PORT);
  }

  /** Nothing is wrong any more: in the end everybody has what the master has. */
  private async heal(): Promise<void> {
    const { loop, network, nodes, operator, random } = this;
    this.isHealing = true;
    this.trace("all heals");
    network.heal();
    for (const { callback } of this.later.splice(0)) callback();
    for (const node of nodes) {
      node.host.process.stopped = false;
      node.operationsLeft = -1;
      if (node.server === null) node.startsMs = loop.now;
    }
    operator.pointTo(this.master, random, 0.3);
    const endMs = loop.now + HEALING_MS;
    const restricted = ["min-replicas-to-write", "0"];
    for (const node of nodes) operator.send(node.number, ["CONFIG", "SET", ...restricted]);
    for (let turns = 1;; turns++) {
      // A FAILOVER under way may have changed what it was told.
      if (turns % RETELLING_TURNS === 0) operator.forgetAll();
      operator.act(random);
      await this.turn(HEALING_TURN_MS);
      for (const node of nodes) if (node.server === null) node.startsMs = loop.now;
      if (operator.isDone && this.isSettled()) break;
      if (loop.now > endMs) throw new SimulationFault(`it doesn't settle:\n${this.states()}`);
    }
    this.trace(`all is well`);
  }

  /** Whether everybody is connected, and has come as far as the master. */
  private isSettled(): boolean {
    const { master, nodes } = this;
    if (!nodes.every(({ isServing }) => isServing)) return false;
    const { history: { id, offset } } = nodes[master].server!.replication;
    return nodes.every(({ server }, index) => {
      const { history, link } = server!.replication;
      if (index === master) return link === null;
      return link !== null && link.isUp && history.id === id && history.offset === offset;
    });
  }

  /** Everybody has the same data. */
  private compareAll(): void {
    const { nodes } = this;
    for (const { server } of nodes) checkKeyspace(server!.keyspace);
    const master = nodes[this.master];
    for (const node of nodes) {
      const found = differences(node.server!, master.server!);
      if (found === "") continue;
      throw new SimulationFault(
        `${node.address} and ${master.address} differ:\n  ${found}\n${this.states()}`,
      );
    }
  }

  /** A write comes to everybody, and WAIT says so. */
  private async tryOut(): Promise<void> {
    const { loop, master, operator } = this;
    const direct = operator.wanted.filter((wanted) => wanted === master).length;
    let acknowledged: unknown;
    operator.send(master, ["SET", "last", "value"]);
    operator.send(master, ["WAIT", direct, 10_000], (reply) => {
      acknowledged = reply && plainValue(reply);
    });
    for (let turns = 0; acknowledged === undefined && turns < 150; turns++) {
      await loop.pass(HEALING_TURN_MS);
    }
    if (loop.uncaught !== undefined) throw loop.uncaught;
    if (acknowledged === direct) return;
    if (this.nodes.some(({ server }) => server === null)) {
      // A SHUTDOWN that was sent before has waited for replicas until now.
      await this.heal();
      return await this.tryOut();
    }
    throw new SimulationFault(
      `WAIT ${direct} says ${acknowledged} when all is well:\n${this.states()}`,
    );
  }

  /** Where everybody is, for people. */
  private states(): string {
    return this.nodes.map((node) => {
      const { server } = node;
      const { told, wanted } = this.operator;
      const state = server === null ? "is down" : stateOf(server);
      return `${node.address} ${state} told ${told[node.number]} wanted ${
        wanted[node.number]
      }\n    ` +
        node.log.slice(-SHOWN_LOG_LINES).join("\n    ");
    }).join("\n");
  }

  private outcome(): ReplicationOutcome {
    return {
      lives: this.nodes.reduce((sum, { lives }) => sum + lives, 0),
      cuts: this.network.cuts,
      full: this.full,
      partial: this.partial,
      answered: this.writers.reduce((sum, { answered }) => sum + answered, 0),
      confirmed: this.writers.reduce((sum, { confirmations }) => sum + confirmations, 0),
      compared: this.digests.compared,
      simulatedMs: this.passedMs,
      fault: this.fault,
    };
  }
}

/** Where a server is, for people. */
function stateOf({ keyspace, replication: { history, link } }: Server): string {
  const role = link === null ? "master" : link.isUp ? "up" : "down";
  const digest = datasetDigest(keyspace).slice(0, 8);
  return `${history.id.slice(0, 8)} ${history.offset} ${role} ${digest}`;
}
