/**
 * A master and two replicas behind a monitor, in which the replicas are late, now the one, now the
 * other: their processes are stopped for a while, and what the master tells them is held.
 *
 * @module
 */

import type { Client } from "../../../src/client/mod.ts";
import { connect } from "../../../src/client/mod.ts";
import type { RandomSource } from "../../fuzz/random_source.ts";
import { lastingPort } from "../../support/ports.ts";
import { Group } from "../replicas/group.ts";
import { Node } from "../replicas/node.ts";
import type { Sentinel } from "../sentinels/sentinel.ts";
import type { Launch } from "../server_process.ts";
import { reached, sleep } from "../waiting.ts";
import { DelayingLink } from "./delaying_link.ts";
import { startMonitor } from "./monitor_process.ts";

const REPLICAS = 2;
/** What the master says is late by one of these; a change of changes takes effect at once. */
const DELAYS_MS = [0, 0, 1, 5, 20, 100, 300];
const SHORTEST_CALM_MS = 20;
const LONGEST_CALM_MS = 300;
const LONGEST_STOP_MS = 600;
/** Far more than a replica is ever stopped for: nobody is to be failed over. */
const DOWN_AFTER_MS = 20_000;
const FIND_LIMIT_MS = 60_000;

/** What befell the replicas. */
export interface Disturbances {
  /** How often a process was stopped. */
  readonly stops: number;
  /** How often the delay of a link was changed. */
  readonly delays: number;
  /** How much of what the master said was held. */
  readonly heldBytes: number;
}

/** What a group is given. */
export interface LaggingGroupOptions {
  /** How to start a node. */
  readonly launch: Launch;
  /** How to start a monitor. */
  readonly monitorLaunch: Launch;
  /** An empty folder, given as the system names it. */
  readonly folder: string;
  /** What clients may count on. */
  readonly consistency: string;
  /** Made up from the seed. */
  readonly random: RandomSource;
}

/** The nodes with their link and their monitor. */
export class LaggingGroup {
  readonly #nodes: readonly Node[];
  readonly #link: DelayingLink;
  readonly #random: RandomSource;
  #monitor: Sentinel | undefined;
  #stops = 0;
  #delays = 0;

  private constructor(nodes: readonly Node[], link: DelayingLink, random: RandomSource) {
    this.#nodes = nodes;
    this.#link = link;
    this.#random = random;
  }

  /**
   * Starts all, and waits until the monitor reads from both replicas.
   *
   * @throws {CrashFault} It doesn't.
   */
  static async begin(options: LaggingGroupOptions): Promise<LaggingGroup> {
    const { launch, monitorLaunch, folder, consistency, random } = options;
    const [masterPort, linkPort] = [lastingPort(), lastingPort()];
    const nodes = Array.from({ length: 1 + REPLICAS }, (_, number) => {
      const port = number === 0 ? masterPort : lastingPort();
      return new Node(number, launch, folder, port);
    });
    const link = new DelayingLink(linkPort, masterPort);
    const group = new LaggingGroup(nodes, link, random);
    try {
      const settings = ["--save", "", "--repl-diskless-sync-delay", "0"];
      for (const node of nodes) {
        await node.start(settings, node === nodes[0] ? undefined : linkPort);
      }
      await new Group(nodes).converged();
      group.#monitor = await startMonitor(monitorLaunch, `${folder}/monitor`, linkPort, {
        consistency,
        "down-after-milliseconds": String(DOWN_AFTER_MS),
      });
      await group.#readsAreSpread();
      return group;
    } catch (error) {
      await group.close();
      throw error;
    }
  }

  /** A connection to the monitor, as clients have it. */
  connect(): Promise<Client> {
    return connect({ hostname: "127.0.0.1", port: this.#monitor!.process.port });
  }

  /** Whether the nodes know scripts. */
  async knowsScripts(): Promise<boolean> {
    using client = await this.connect();
    return (await client.send("EVAL", "return 1", "0")).kind === "integer";
  }

  /** Slows replicas down, the one or the other, until somebody says that it is over. */
  async disturb(isOver: () => boolean): Promise<void> {
    const replicas = this.#nodes.slice(1);
    while (!isOver()) {
      await sleep(this.#random.between(SHORTEST_CALM_MS, LONGEST_CALM_MS));
      if (this.#random.chance(0.5)) {
        this.#delays++;
        const place = this.#random.below(REPLICAS);
        this.#link.delaysMs[place] = this.#random.pick(DELAYS_MS);
      } else {
        this.#stops++;
        const replica = this.#random.pick(replicas);
        replica.stall(true);
        await sleep(this.#random.between(1, LONGEST_STOP_MS));
        replica.stall(false);
      }
    }
    this.#link.delaysMs.fill(0);
  }

  /** What has been done to the replicas. */
  get disturbances(): Disturbances {
    return { stops: this.#stops, delays: this.#delays, heldBytes: this.#link.heldBytes };
  }

  /** How many GETs each node has answered, the master first. */
  async reads(): Promise<number[]> {
    return await Promise.all(this.#nodes.map(async (node) => {
      const info = await node.ask("INFO", "commandstats");
      return Number(info.match(/^cmdstat_get:calls=(\d+)/m)?.[1] ?? 0);
    }));
  }

  /** Ends all that runs. */
  async close(): Promise<void> {
    if (this.#monitor !== undefined) await this.#monitor.stop();
    for (const node of this.#nodes) if (node.isUp) await node.kill().catch(() => {});
    this.#link.close();
  }

  async #readsAreSpread(): Promise<void> {
    using client = await this.connect();
    await reached("the monitor's way to both replicas", FIND_LIMIT_MS, async () => {
      for (let count = 0; count < 10; count++) await client.send("GET", "nothing");
      const reads = await this.reads();
      return reads.slice(1).includes(0) ? `reads: ${reads.join(", ")}` : undefined;
    });
  }
}
