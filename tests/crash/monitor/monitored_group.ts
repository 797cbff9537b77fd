/**
 * A master and two replicas behind a monitor, and clients that know the monitor alone.
 *
 * Nobody but the monitor tells a node whom to follow: a killed one is started with the configuration
 * that it had, so an old master comes back as a master, and has to be made a replica before a client
 * reaches it.
 *
 * @module
 */

import { plainValue } from "../../../src/client/mod.ts";
import { RandomSource } from "../../fuzz/random_source.ts";
import { lastingPort } from "../../support/ports.ts";
import { CrashFault } from "../crash_fault.ts";
import { Group } from "../replicas/group.ts";
import { Node } from "../replicas/node.ts";
import type { Sentinel } from "../sentinels/sentinel.ts";
import type { Launch } from "../server_process.ts";
import { patiently, reached, sleep } from "../waiting.ts";
import { type Expectation, LoadClient, type LoadStyle } from "./load_client.ts";
import { startMonitor } from "./monitor_process.ts";
import type { Change, Incident, Tally } from "./tally.ts";
import { Watch } from "./watch.ts";

const NODES = 3;
/**
 * Some await each answer, the others have several commands under way on one connection. Those that
 * write may read nothing older than that, so in a failover they wait; the last one only reads.
 */
const STYLES: readonly LoadStyle[] = [
  { writes: 0.4, autoPipelining: false, strands: 1, restMs: 0 },
  { writes: 0.4, autoPipelining: false, strands: 1, restMs: 4 },
  { writes: 0.4, autoPipelining: false, strands: 4, restMs: 8 },
  { writes: 0.4, autoPipelining: true, strands: 8, restMs: 10 },
  { writes: 0.4, autoPipelining: true, strands: 8, restMs: 20 },
  { writes: 0.4, autoPipelining: true, strands: 32, restMs: 60 },
  { writes: 0, autoPipelining: false, strands: 2, restMs: 4 },
];
const SHORTEST_LOAD_MS = 300;
const LONGEST_LOAD_MS = 1500;
const LONGEST_ABSENCE_MS = 3000;
/** Until what was sent before a failover is answered, and some more has been sent. */
const AFTER_MS = 300;
/** How long a new master may take that all clients write to, before the run is given up. */
const RECOVERY_LIMIT_MS = 30_000;
/** How long it may take until all nodes follow the new master. */
const REST_LIMIT_MS = 60_000;

/** What a group is given. */
export interface MonitoredGroupOptions {
  /** How to start a node. */
  readonly launch: Launch;
  /** How to start a monitor. */
  readonly monitorLaunch: Launch;
  /** What all is made up from. */
  readonly seed: number;
  /** The group's number in the run. */
  readonly number: number;
  /** An empty folder, given as the system names it. */
  readonly folder: string;
  /** After which silence the monitor takes a node for dead. */
  readonly downAfterMs: number;
  /** Where to count. */
  readonly tally: Tally;
}

/** The nodes with their monitor and its clients. */
export class MonitoredGroup {
  readonly #options: MonitoredGroupOptions;
  readonly #random: RandomSource;
  readonly #group: Group;
  readonly #watch = new Watch();
  #monitor: Sentinel | undefined;
  #clients: readonly LoadClient[] = [];
  #incident: Incident | undefined;

  private constructor(options: MonitoredGroupOptions, nodes: readonly Node[]) {
    this.#options = options;
    this.#random = this.#randomOf(0);
    this.#group = new Group(nodes);
  }

  /**
   * Starts a group with nothing in it, waits until the monitor knows all of it, and has clients begin.
   *
   * @throws {CrashFault} That doesn't come about.
   */
  static async begin(options: MonitoredGroupOptions): Promise<MonitoredGroup> {
    const { folder, launch } = options;
    const ports = Array.from({ length: NODES }, lastingPort);
    const nodes = ports.map((port, number) => {
      const file = `${folder}/node${number}.conf`;
      Deno.writeTextFileSync(file, configuration(number === 0 ? undefined : ports[0]));
      return new Node(number, [...launch, file], folder, port);
    });
    const group = new MonitoredGroup(options, nodes);
    try {
      for (const node of nodes) await node.start([], undefined);
      await group.#group.converged();
      await group.#startMonitor(ports[0]);
      await group.#rests();
      group.#startClients();
      return group;
    } catch (error) {
      await group.close();
      throw error;
    }
  }

  /**
   * Kills the master under load, and starts it again when another one has taken its place.
   *
   * @throws {CrashFault} Somebody noticed more of it than is allowed.
   */
  async killMaster(): Promise<void> {
    await this.#loaded();
    const victim = this.#group.master;
    this.#incident = { kind: "kill", beganMs: performance.now() };
    await victim.kill();
    const survival = await this.#survived(this.#incident, victim);
    await sleep(this.#random.below(LONGEST_ABSENCE_MS));
    const startedMs = performance.now();
    await victim.start([], undefined);
    await this.#follows(victim);
    await this.#ended({ ...survival, returnedMs: performance.now() - startedMs });
  }

  /**
   * Stops the process of the master under load, and lets it go on when another one has taken its place.
   *
   * @throws {CrashFault} Somebody noticed more of it than is allowed.
   */
  async stopMaster(): Promise<void> {
    await this.#loaded();
    const victim = this.#group.master;
    this.#incident = { kind: "stop", beganMs: performance.now() };
    victim.stall(true);
    try {
      const survival = await this.#survived(this.#incident, victim);
      await sleep(this.#random.below(LONGEST_ABSENCE_MS));
      const wentOnMs = performance.now();
      victim.stall(false);
      await this.#follows(victim);
      await this.#ended({ ...survival, returnedMs: performance.now() - wentOnMs });
    } finally {
      victim.stall(false);
    }
  }

  /**
   * Has the monitor make a replica the master under load, though the master is well.
   *
   * @throws {CrashFault} Somebody noticed more of it than is allowed.
   */
  async switchMaster(): Promise<void> {
    await this.#loaded();
    const before = this.#group.master;
    this.#incident = { kind: "switch", beganMs: performance.now() };
    await this.#monitor!.failOver();
    const survival = await this.#survived(this.#incident, before);
    await this.#follows(before);
    const returnedMs = performance.now() - this.#incident.beganMs;
    await this.#ended({ ...survival, returnedMs });
  }

  /** What the clients have noticed since it was last looked at, and shouldn't have. */
  complaints(): string | undefined {
    return this.#options.tally.judge(this.#watch, this.#incident);
  }

  /**
   * Has the clients stop, and looks whether all nodes are alike and have all that was acknowledged.
   *
   * @throws {CrashFault} They haven't.
   */
  async finish(): Promise<void> {
    await patiently("the last answers", Promise.all(this.#clients.map((client) => client.stop())));
    await this.#group.converged();
    await this.#group.equal();
    await this.#check();
    this.#judge();
  }

  /** Ends all that runs, whatever happened. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    if (this.#monitor !== undefined) {
      await this.#monitor.stop();
      const { log } = this.#monitor.process;
      await Deno.writeTextFile(`${this.#options.folder}/monitor.log`, `${log.join("\n")}\n`);
    }
    for (const node of this.#group.nodes) {
      // What is wrong with it has been said, or doesn't matter any more.
      if (node.isUp) await node.kill().catch(() => {});
    }
  }

  #randomOf(user: number): RandomSource {
    const { seed, number } = this.#options;
    return new RandomSource(seed, number * 1000 + user);
  }

  async #startMonitor(masterPort: number): Promise<void> {
    const { folder, downAfterMs, monitorLaunch } = this.#options;
    this.#monitor = await startMonitor(monitorLaunch, `${folder}/monitor`, masterPort, {
      "down-after-milliseconds": String(downAfterMs),
      "min-acks": "1",
    });
  }

  #startClients(): void {
    const { port } = this.#monitor!.process;
    this.#clients = STYLES.map((style, number) =>
      new LoadClient(port, number, style, this.#randomOf(100 + number), this.#watch)
    );
    for (const client of this.#clients) client.begin();
  }

  /** Lets the clients work for some time, and counts what they notice from then on. */
  async #loaded(): Promise<void> {
    await sleep(this.#random.between(SHORTEST_LOAD_MS, LONGEST_LOAD_MS));
    if (this.#monitor!.process.hasEnded) throw new CrashFault("the monitor has ended by itself");
    this.#judge();
    this.#watch.restart();
  }

  /** Waits until all clients write to another master, and looks whether it has everything. */
  async #survived(incident: Incident, before: Node): Promise<Omit<Change, "returnedMs">> {
    const { kind, beganMs } = incident;
    await reached("a new master that all clients write to", RECOVERY_LIMIT_MS, async () => {
      const waiting = this.#clients.filter((client) => !client.hasWrittenSince(beganMs));
      const port = await this.#monitor!.masterPort();
      if (port === before.lastingPort) return `the monitor names the old one, ${port}`;
      return waiting.length === 0 ? undefined : `${waiting.length} clients don't get to write`;
    });
    const allWroteMs = performance.now() - beganMs;
    await sleep(AFTER_MS);
    const port = await this.#monitor!.masterPort();
    this.#group.recognise(this.#group.nodes.find(({ lastingPort }) => lastingPort === port)!);
    await this.#check();
    const { writeStalls, readStalls } = this.#watch;
    const stood = { writesStoodMs: writeStalls.longestMs, readsStoodMs: readStalls.longestMs };
    return { kind, ...stood, allWroteMs };
  }

  async #ended(change: Change): Promise<void> {
    await this.#rests();
    this.#judge();
    this.#incident = undefined;
    this.#options.tally.note(change);
    for (const client of this.#clients) client.turnPage();
  }

  /** Waits until a node follows the master, and is up to date. */
  async #follows(node: Node): Promise<void> {
    await reached(`the way of node ${node.number} to the new master`, REST_LIMIT_MS, async () => {
      const { masterPort, isLinkUp } = await node.facts();
      const isThere = masterPort === this.#group.master.lastingPort && isLinkUp;
      return isThere ? undefined : `it follows ${masterPort}, up: ${isLinkUp}`;
    });
  }

  /** Waits until all nodes follow the master, which is the only one, and the monitor sees it so. */
  async #rests(): Promise<void> {
    await reached("the rest of the group", REST_LIMIT_MS, async () => {
      const view = await this.#monitor!.view();
      const { onlineReplicas } = await this.#group.master.facts();
      const isWell = view.masterPort === this.#group.master.lastingPort && view.isCalm &&
        view.wellReplicas.length === NODES - 1 && view.unwellReplicas === 0;
      if (isWell && onlineReplicas === NODES - 1) return undefined;
      return `${onlineReplicas} replicas online, ${JSON.stringify(view)}`;
    });
  }

  /** Asks the master itself for all that was acknowledged until now. */
  async #check(): Promise<void> {
    const expectations = this.#clients.flatMap((client) => client.expectations);
    const replies = await patiently("reading all keys", this.#read(expectations));
    const faults: string[] = [];
    for (const [index, { check }] of expectations.entries()) {
      const { lost, fault } = check(replies[index]);
      this.#options.tally.lost += lost;
      if (fault !== undefined) faults.push(fault);
    }
    if (faults.length > 0) throw new CrashFault(faults.join("\n"));
    this.#options.tally.checked++;
  }

  /** All of it at one moment. */
  async #read(expectations: readonly Expectation[]): Promise<readonly unknown[]> {
    using client = await this.#group.master.server.connect();
    const commands = [["MULTI"], ...expectations.map(({ command }) => command), ["EXEC"]];
    const sent = commands.map(([name, ...args]) => client.command(name, ...args));
    return plainValue((await Promise.all(sent)).at(-1)!) as readonly unknown[];
  }

  #judge(): void {
    const complaints = this.complaints();
    if (complaints !== undefined) throw new CrashFault(complaints);
  }
}

/** What a node's file says before the monitor has it rewritten. */
function configuration(masterPort: number | undefined): string {
  const lines = [
    'save ""',
    "appendonly yes",
    "enable-debug-command local",
    "repl-diskless-sync-delay 0",
  ];
  if (masterPort !== undefined) lines.push(`replicaof 127.0.0.1 ${masterPort}`);
  return `${lines.join("\n")}\n`;
}
