/**
 * The life of a group: a node is killed, again and again, and others go on.
 *
 * @module
 */

import type { Client } from "../../../src/client/mod.ts";
import { RandomSource } from "../../fuzz/random_source.ts";
import { freePort } from "../../support/ports.ts";
import { CrashFault } from "../crash_fault.ts";
import { describeWriters, inspect } from "../inspection.ts";
import { DATABASES } from "../plan.ts";
import type { Launch } from "../server_process.ts";
import { patiently, sleep } from "../waiting.ts";
import { Writer } from "../writer.ts";
import { Group } from "./group.ts";
import { Node } from "./node.ts";
import {
  type Disturbance,
  NODES,
  PACES,
  planRound,
  type RoundPlan,
  startSettings,
  WAITING,
} from "./plan.ts";
import type { Tally } from "./tally.ts";

const LOOK_MS = 10;

/** What a life is given. */
export interface LifeOptions {
  /** How to start each of the nodes. */
  readonly launches: readonly Launch[];
  /** What all is made up from. */
  readonly seed: number;
  /** The life's number in the run. */
  readonly number: number;
  /** An empty folder, given as the system names it. */
  readonly folder: string;
  /** Whether the survivor is promoted that has got least far, to see that the loss is noticed. */
  readonly promotesLeast: boolean;
  /** Where to count. */
  readonly tally: Tally;
}

/** Something that befalls a replica, and how it ends. */
interface Trouble {
  readonly kind: Disturbance;
  readonly replica: Node;
}

/** A group with its writers. */
export class Life {
  readonly #options: LifeOptions;
  readonly #group: Group;
  readonly #writers: readonly Writer[];
  #writing: Promise<unknown> = Promise.resolve();
  #clients: readonly Client[] = [];
  #floors: readonly number[] = PACES.map(() => 0);
  #killedMs = 0;
  #round = 0;
  #loads = 0;

  private constructor(options: LifeOptions, nodes: readonly Node[]) {
    this.#options = options;
    this.#group = new Group(nodes);
    this.#writers = PACES.map((_, number) => new Writer(number, number % DATABASES, WAITING));
  }

  /**
   * Starts a group with nothing in it, and the writers.
   *
   * @throws {CrashFault} A node doesn't start.
   */
  static async begin(options: LifeOptions): Promise<Life> {
    const { launches, folder } = options;
    const nodes = launches.map((launch, number) => new Node(number, launch, folder));
    const life = new Life(options, nodes);
    try {
      const random = life.#randomOf(0);
      for (const node of nodes) {
        await node.start(startSettings(random), node === nodes[0] ? undefined : nodes[0].port);
      }
      await life.#group.converged();
      await life.#beginLoad();
      return life;
    } catch (error) {
      await life.close();
      throw error;
    }
  }

  /** The number of the round that was played last. */
  get round(): number {
    return this.#round;
  }

  /**
   * Kills a node under load, and has it come back.
   *
   * @throws {CrashFault} A server did what it must not do.
   */
  async playRound(round: number): Promise<void> {
    this.#round = round;
    const random = this.#randomOf(1 + round);
    const plan = planRound(random);
    await sleep(plan.calmMs);
    if (plan.saver !== undefined) await this.#group.nodes[plan.saver].save();
    const trouble = await this.#disturb(plan);
    await sleep(plan.disturbedMs);
    const settings = startSettings(random);
    if (plan.victim === "master") await this.#killMaster(plan, trouble, settings);
    else await this.#killReplica(this.#group.replicas[plan.victim], plan, trouble, settings);
    this.#requireNoFault();
    if (plan.settles) {
      await this.#settle();
      await this.#beginLoad();
    }
  }

  /**
   * Looks whether all are equal in the end.
   *
   * @throws {CrashFault} They aren't.
   */
  async finish(): Promise<void> {
    await this.#settle();
    this.#options.tally.noteSyncs((await this.#group.master.facts()).syncs);
  }

  /** Ends all nodes that are up, whatever happened. */
  async close(): Promise<void> {
    for (const node of this.#group.nodes) {
      // What is wrong with it has been said, or doesn't matter any more.
      if (node.isUp) await node.kill().catch(() => {});
    }
  }

  /** Writes down what is known, for people who look into the folder. */
  async writeReport(fault: string): Promise<void> {
    const lines = [fault, ...describeWriters(this.#writers, this.#floors, this.#killedMs)];
    await Deno.writeTextFile(`${this.#options.folder}/report.txt`, `${lines.join("\n")}\n`);
  }

  #randomOf(user: number): RandomSource {
    const { seed, number } = this.#options;
    return new RandomSource(seed, number * 1000 + user);
  }

  async #beginLoad(): Promise<void> {
    const { server } = this.#group.master;
    const writers = this.#writers;
    this.#clients = await Promise.all(writers.map(({ database }) => server.connect(database)));
    const random = 100 + 10 * this.#loads++;
    this.#writing = Promise.all(
      writers.map((writer, index) =>
        writer.load(this.#clients[index], this.#randomOf(random + index), PACES[index])
      ),
    );
    this.#writing.catch(() => {}); // it is waited for in `#endLoad`
  }

  /** Waits for the writers, who have been stopped or have lost the server, and counts. */
  async #endLoad(): Promise<void> {
    await patiently("the end of all connections", this.#writing);
    for (const client of this.#clients) client.close();
    this.#requireNoFault();
    for (const writer of this.#writers) this.#options.tally.noteWriter(writer);
  }

  #requireNoFault(): void {
    const fault = this.#writers.find((writer) => writer.fault !== undefined)?.fault;
    if (fault !== undefined) throw new CrashFault(fault);
  }

  async #disturb({ disturbance }: RoundPlan): Promise<Trouble | undefined> {
    if (disturbance === undefined) return undefined;
    const { kind } = disturbance;
    const replica = this.#group.replicas[disturbance.replica];
    this.#options.tally.disturbances[kind]++;
    if (kind === "stall") replica.stall(true);
    if (kind === "aside") await replica.follow(freePort());
    if (kind === "cut") {
      await replica.ask("CLIENT", "KILL", "TYPE", "master");
      await this.#group.mark();
    }
    return { kind, replica };
  }

  /** Ends what befell a replica, unless that was the one that was killed. */
  async #recover(trouble: Trouble | undefined): Promise<void> {
    if (trouble === undefined || !trouble.replica.isUp) return;
    if (trouble.kind === "stall") trouble.replica.stall(false);
    if (trouble.kind === "aside") await trouble.replica.follow(this.#group.master.port);
  }

  async #killReplica(
    victim: Node,
    { absenceMs }: RoundPlan,
    trouble: Trouble | undefined,
    settings: readonly string[],
  ): Promise<void> {
    this.#options.tally.kills.replica++;
    await victim.kill();
    await this.#recover(trouble);
    await this.#group.mark();
    await sleep(absenceMs);
    await victim.start(settings, this.#group.master.port);
  }

  async #killMaster(
    { absenceMs }: RoundPlan,
    trouble: Trouble | undefined,
    settings: readonly string[],
  ): Promise<void> {
    const { tally, promotesLeast } = this.#options;
    const { master, replicas } = this.#group;
    const isWell = (node: Node) => node !== trouble?.replica || trouble.kind === "cut";
    await this.#group.covered(replicas.filter(isWell));
    const facts = await master.facts();
    tally.noteSyncs(facts.syncs);
    tally.kills.master++;
    this.#killedMs = Date.now();
    await Promise.all([master.kill(), this.#endLoad()]);
    this.#floors = this.#writers.map(({ confirmed }) => confirmed);
    if (trouble?.kind === "stall") await this.#recover(trouble);
    tally.notePromotion(await this.#group.failOver(facts.replicationId, promotesLeast));
    await this.#check();
    await this.#beginLoad();
    await sleep(absenceMs);
    await master.start(settings, this.#group.master.port);
  }

  /** Has the writers stop, and all nodes be equal. */
  async #settle(): Promise<void> {
    for (const writer of this.#writers) writer.stop();
    await this.#endLoad();
    this.#killedMs = Date.now();
    this.#floors = this.#writers.map(({ acknowledged }) => acknowledged);
    await this.#group.converged();
    await this.#requireEqual();
    await this.#check();
  }

  /** Keys whose time is over are gone a moment later, so it is looked at again and again. */
  async #requireEqual(): Promise<void> {
    const { nodes } = this.#group;
    let digests: readonly string[] = [];
    const looking = async () => {
      while (true) {
        digests = await Promise.all(nodes.map((node) => node.ask("DEBUG", "DIGEST")));
        if (new Set(digests).size === 1) return;
        await sleep(LOOK_MS);
      }
    };
    try {
      await patiently("the way of all nodes to the same digest", looking());
    } catch (error) {
      if (error instanceof CrashFault) error.message += `: ${digests.join(", ")}`;
      throw error;
    }
    this.#options.tally.comparisons++;
  }

  /** Looks whether the master has what it must have, and goes on from what it shows. */
  async #check(): Promise<void> {
    const { server } = this.#group.master;
    const inspection = inspect(server, this.#writers, this.#floors, this.#killedMs);
    const { survived, shown } = await patiently("reading all keys", inspection);
    this.#options.tally.noteSurvival(this.#writers, survived, this.#floors);
    for (const writer of this.#writers) writer.restFrom(shown[writer.number]);
    this.#floors = PACES.map(() => 0);
  }
}

/** As many launches as there are nodes, of these in turn. */
export function launchesOfNodes(launches: readonly Launch[]): readonly Launch[] {
  return Array.from({ length: NODES }, (_, number) => launches[number % launches.length]);
}
