/**
 * A master and two replicas that sentinels watch over: the master is killed, and they have to find
 * another, and have all nodes follow it.
 *
 * Nobody but the sentinels tells a node whom to follow: a killed one is started with the
 * configuration that it had, as they have had it written.
 *
 * @module
 */

import { RandomSource } from "../../fuzz/random_source.ts";
import { lastingPort } from "../../support/ports.ts";
import { CrashFault } from "../crash_fault.ts";
import { Group } from "../replicas/group.ts";
import { Node } from "../replicas/node.ts";
import { Writers } from "../replicas/writers.ts";
import type { Launch } from "../server_process.ts";
import { reached, sleep } from "../waiting.ts";
import type { Pace, Waiting } from "../writer.ts";
import { Sentinel, type View } from "./sentinel.ts";
import type { Tally } from "./tally.ts";

const NODES = 3;
/** How many sentinels there are, of both kinds together. */
export const SENTINELS = 3;
/** Both replicas have to say that they have a write: whoever is promoted has it then. */
const WAITING: Waiting = { replicas: NODES - 1, limitMs: 300 };
/** None is at full speed: sentinels that don't get to run take others for dead. */
const PACES: readonly Pace[] = [
  { burst: 1, restMs: 2 },
  { burst: 4, restMs: 10 },
  { burst: 16, restMs: 20 },
];
const SHORTEST_LOAD_MS = 300;
const LONGEST_LOAD_MS = 1500;
const LONGEST_ABSENCE_MS = 3000;
/**
 * How long sentinels may take for what they do at last: they look every ten seconds, wait for eight until they believe
 * that a master should be a replica, and begin a failover at most every sixteen.
 */
const SENTINEL_PATIENCE_MS = 120_000;

/** What a group is given. */
export interface WatchedGroupOptions {
  /** How to start a node. */
  readonly launch: Launch;
  /** What all is made up from. */
  readonly seed: number;
  /** The group's number in the run. */
  readonly number: number;
  /** An empty folder, given as the system names it. */
  readonly folder: string;
  /** After which silence a sentinel takes a node for dead. */
  readonly downAfterMs: number;
  /** How many of the sentinels are miniredis monitors; the others are Redis' own. */
  readonly monitors: number;
  /** Where to count. */
  readonly tally: Tally;
}

/** The nodes with their sentinels and writers. */
export class WatchedGroup {
  readonly #options: WatchedGroupOptions;
  readonly #random: RandomSource;
  readonly #group: Group;
  readonly #sentinels: Sentinel[] = [];
  readonly #writers: Writers;
  #epoch = 0;
  #killedMs = 0;

  private constructor(options: WatchedGroupOptions, nodes: readonly Node[]) {
    const { tally } = options;
    this.#options = options;
    this.#random = this.#randomOf(0);
    this.#group = new Group(nodes);
    const randomOf = (user: number) => this.#randomOf(user);
    this.#writers = new Writers({ paces: PACES, waiting: WAITING, randomOf, tally });
  }

  /**
   * Starts a group with nothing in it, and waits until all sentinels know all of it.
   *
   * @throws {CrashFault} That doesn't come about.
   */
  static async begin(options: WatchedGroupOptions): Promise<WatchedGroup> {
    const { folder, launch, downAfterMs, monitors } = options;
    const ports = Array.from({ length: NODES }, lastingPort);
    const nodes = ports.map((port, number) => {
      const file = `${folder}/node${number}.conf`;
      Deno.writeTextFileSync(file, configuration(number === 0 ? undefined : ports[0]));
      return new Node(number, [...launch, file], folder, port);
    });
    const group = new WatchedGroup(options, nodes);
    try {
      for (const node of nodes) await node.start([], undefined);
      await group.#group.converged();
      for (let number = 0; number < SENTINELS; number++) {
        const kind = number < monitors ? "monitor" : "stock";
        const given = { number, folder, masterPort: ports[0], downAfterMs, kind } as const;
        group.#sentinels.push(await Sentinel.start(given));
      }
      await group.#rests();
      await group.#writers.begin(nodes[0].server);
      return group;
    } catch (error) {
      await group.close();
      throw error;
    }
  }

  /**
   * Kills the master under load, and waits until all is well again.
   *
   * @throws {CrashFault} Something isn't.
   */
  async failOver(): Promise<void> {
    const { tally } = this.#options;
    const began = this.#epoch;
    await this.#loaded();
    const victim = this.#group.master;
    tally.kills++;
    this.#killedMs = Date.now();
    await Promise.all([victim.kill(), this.#writers.ended()]);
    const floors = this.#writers.confirmed;
    await this.#agree(victim);
    const agreedMs = this.#sinceKillMs;
    await this.#writers.check(this.#group.master.server, floors, this.#killedMs);
    await this.#writers.begin(this.#group.master.server);
    await this.#follows(this.#group.replicas.find((node) => node !== victim)!);
    const followedMs = this.#sinceKillMs;
    await sleep(this.#random.below(LONGEST_ABSENCE_MS));
    await victim.start([], undefined);
    const startedMs = this.#sinceKillMs;
    await this.#follows(victim);
    const returnedMs = this.#sinceKillMs - startedMs;
    await this.#rests();
    const restedMs = this.#sinceKillMs;
    await this.#requireEqual();
    tally.noteFailover({
      kill: tally.kills,
      votes: this.#epoch - began,
      ...{ agreedMs, followedMs, returnedMs, restedMs },
      confirmed: floors.reduce((sum, floor) => sum + floor, 0),
    });
  }

  /** Ends all that runs, whatever happened. */
  async close(): Promise<void> {
    for (const sentinel of this.#sentinels) await sentinel.stop();
    for (const node of this.#group.nodes) {
      // What is wrong with it has been said, or doesn't matter any more.
      if (node.isUp) await node.kill().catch(() => {});
    }
  }

  get #sinceKillMs(): number {
    return Date.now() - this.#killedMs;
  }

  #randomOf(user: number): RandomSource {
    const { seed, number } = this.#options;
    return new RandomSource(seed, number * 1000 + user);
  }

  /** Lets the writers write for some time, and until both replicas have some of it. */
  async #loaded(): Promise<void> {
    await sleep(this.#random.between(SHORTEST_LOAD_MS, LONGEST_LOAD_MS));
    await reached("a write that both replicas have", SENTINEL_PATIENCE_MS, () => {
      const hasNone = this.#writers.confirmed.some((count) => count === 0);
      return Promise.resolve(hasNone ? this.#writers.confirmed.join(" ") : undefined);
    });
    this.#requireLoad();
  }

  /** Nobody but the killed one ends the connection of a writer. */
  #requireLoad(): void {
    this.#writers.requireNoFault();
    if (!this.#writers.areConnected) throw new CrashFault("the master has sent a writer away");
  }

  /** Waits until all sentinels name the same new master, which says the same, and it alone. */
  async #agree(victim: Node): Promise<void> {
    await reached("the agreement on a new master", SENTINEL_PATIENCE_MS, async () => {
      const ports = await Promise.all(this.#sentinels.map((sentinel) => sentinel.masterPort()));
      const isAgreed = ports[0] !== victim.lastingPort && new Set(ports).size === 1;
      if (!isAgreed) return `sentinels name ${ports.join(", ")}`;
      this.#group.recognise(this.#nodeAt(ports[0]));
      return undefined;
    });
    const { master, replicas } = this.#group;
    const others = replicas.filter((node) => node !== victim);
    if (!(await master.facts()).isMaster) throw new CrashFault("the new master isn't a master");
    for (const node of others) {
      if ((await node.facts()).isMaster) throw new CrashFault("there are two new masters");
    }
  }

  #nodeAt(port: number | undefined): Node {
    const node = this.#group.nodes.find(({ lastingPort }) => lastingPort === port);
    if (node === undefined) throw new CrashFault(`nobody is at port ${port}`);
    return node;
  }

  /** Waits until the sentinels have had this node follow the master, and it is up to date. */
  async #follows(node: Node): Promise<void> {
    const what = `the way of node ${node.number} to the new master`;
    await reached(what, SENTINEL_PATIENCE_MS, async () => {
      const { masterPort, isLinkUp } = await node.facts();
      const isThere = masterPort === this.#group.master.lastingPort && isLinkUp;
      return isThere ? undefined : `it follows ${masterPort}, up: ${isLinkUp}`;
    });
  }

  /** Waits until all sentinels see the master with both replicas, and one another. */
  async #rests(): Promise<void> {
    const isWell = (view: View) =>
      view.masterPort === this.#group.master.lastingPort && view.isCalm &&
      view.wellReplicas.length === NODES - 1 && view.unwellReplicas === 0 &&
      view.otherSentinels === SENTINELS - 1;
    await reached("the rest of all sentinels", SENTINEL_PATIENCE_MS, async () => {
      const views = await Promise.all(this.#sentinels.map((sentinel) => sentinel.view()));
      this.#epoch = Math.max(...views.map(({ epoch }) => epoch));
      const online = (await this.#group.master.facts()).onlineReplicas;
      if (views.every(isWell) && online === NODES - 1) return undefined;
      return `${online} replicas online, ${JSON.stringify(views)}`;
    });
  }

  /** Has the writers stop, and looks whether all nodes have the same and all that was answered. */
  async #requireEqual(): Promise<void> {
    this.#requireLoad();
    this.#writers.stop();
    await this.#writers.ended();
    await this.#group.converged();
    await this.#group.equal();
    const { server } = this.#group.master;
    await this.#writers.check(server, this.#writers.acknowledged, Date.now());
    await this.#writers.begin(server);
  }
}

/** What a node's file says before sentinels have it rewritten. */
function configuration(masterPort: number | undefined): string {
  const lines = [
    'save ""',
    "databases 16",
    "appendonly yes",
    "enable-debug-command local",
    "repl-diskless-sync-delay 0",
  ];
  if (masterPort !== undefined) lines.push(`replicaof 127.0.0.1 ${masterPort}`);
  return `${lines.join("\n")}\n`;
}
