/**
 * The life of a group: a node is killed, again and again, and others go on.
 *
 * @module
 */

import { RandomSource } from "../../fuzz/random_source.ts";
import { freePort } from "../../support/ports.ts";
import type { Launch } from "../server_process.ts";
import { sleep } from "../waiting.ts";
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
import { Writers } from "./writers.ts";

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
  readonly #writers: Writers;
  #floors: readonly number[] = PACES.map(() => 0);
  #killedMs = 0;
  #round = 0;

  private constructor(options: LifeOptions, nodes: readonly Node[]) {
    this.#options = options;
    this.#group = new Group(nodes);
    const randomOf = (user: number) => this.#randomOf(user);
    this.#writers = new Writers({ paces: PACES, waiting: WAITING, randomOf, tally: options.tally });
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
      await life.#writers.begin(life.#group.master.server);
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
    this.#writers.requireNoFault();
    if (plan.settles) {
      await this.#settle();
      await this.#writers.begin(this.#group.master.server);
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
    const lines = [fault, ...this.#writers.describe(this.#floors, this.#killedMs)];
    await Deno.writeTextFile(`${this.#options.folder}/report.txt`, `${lines.join("\n")}\n`);
  }

  #randomOf(user: number): RandomSource {
    const { seed, number } = this.#options;
    return new RandomSource(seed, number * 1000 + user);
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
    await Promise.all([master.kill(), this.#writers.ended()]);
    this.#floors = this.#writers.confirmed;
    if (trouble?.kind === "stall") await this.#recover(trouble);
    tally.notePromotion(await this.#group.failOver(facts.replicationId, promotesLeast));
    await this.#check();
    await this.#writers.begin(this.#group.master.server);
    await sleep(absenceMs);
    await master.start(settings, this.#group.master.port);
  }

  /** Has the writers stop, and all nodes be equal. */
  async #settle(): Promise<void> {
    this.#writers.stop();
    await this.#writers.ended();
    this.#killedMs = Date.now();
    this.#floors = this.#writers.acknowledged;
    await this.#group.converged();
    await this.#group.equal();
    this.#options.tally.comparisons++;
    await this.#check();
  }

  /** Looks whether the master has what it must have, and goes on from what it shows. */
  async #check(): Promise<void> {
    await this.#writers.check(this.#group.master.server, this.#floors, this.#killedMs);
    this.#floors = PACES.map(() => 0);
  }
}

/** As many launches as there are nodes, of these in turn. */
export function launchesOfNodes(launches: readonly Launch[]): readonly Launch[] {
  return Array.from({ length: NODES }, (_, number) => launches[number % launches.length]);
}
