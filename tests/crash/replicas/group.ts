/**
 * A master and its replicas, and who does a sentinel's work for them.
 *
 * A write that WAIT has confirmed is on the master and on one of the replicas, and nobody knows on
 * which. It outlives the master if the replica that has got furthest takes its place, but not if the
 * one replica that has it is lost before the other has it too: that would be two failures, and no
 * server can help it. A replica is lost when it is killed, and it may be when it was cut off for so
 * long that it has to begin with a snapshot. So after each of these the group takes a mark, the
 * master's offset, and the master may be killed only when a replica has got there again.
 *
 * @module
 */

import { CrashFault } from "../crash_fault.ts";
import { PATIENCE_MS, patiently, reached, sleep } from "../waiting.ts";
import { placeToPromote, type ReplicationFacts } from "./facts.ts";
import type { Node } from "./node.ts";

const LOOK_MS = 5;

/** How a survivor took the master's place. */
export interface Promotion {
  /** How long it took from the kill until it was the master and the other one had been told. */
  readonly tookMs: number;
  /** How much further than the other survivor it had got, or undefined if that had another history. */
  readonly aheadBytes: number | undefined;
}

/** The nodes, of which one is the master. */
export class Group {
  #master: Node;
  #markOffset = 0;

  /** Takes nodes that are up; the first is the master of the others. */
  constructor(readonly nodes: readonly Node[]) {
    this.#master = nodes[0];
  }

  /** Who is written to. */
  get master(): Node {
    return this.#master;
  }

  /** The others, whether they are up or not. */
  get replicas(): readonly Node[] {
    return this.nodes.filter((node) => node !== this.#master);
  }

  /** A replica may have lost what it had. */
  async mark(): Promise<void> {
    this.#markOffset = (await this.#master.facts()).offset;
  }

  /**
   * Waits until one of `replicas` holds all that was written up to the last mark.
   *
   * @throws {CrashFault} None of them gets there.
   */
  async covered(replicas: readonly Node[]): Promise<void> {
    const { replicationId } = await this.#master.facts();
    const holds = ({ isLinkUp, offset, ...facts }: ReplicationFacts) =>
      isLinkUp && facts.replicationId === replicationId && offset >= this.#markOffset;
    const looking = async () => {
      while (true) {
        for (const replica of replicas) if (holds(await replica.facts())) return;
        await sleep(LOOK_MS);
      }
    };
    await patiently("the way of a replica to what the master has", looking());
  }

  /** Waits until all replicas have all that the master has; nobody writes. */
  async converged(): Promise<void> {
    const looking = async () => {
      for (const replica of this.replicas) {
        while (true) {
          const [master, facts] = [await this.#master.facts(), await replica.facts()];
          const isSame = facts.replicationId === master.replicationId;
          if (facts.isLinkUp && isSame && facts.offset === master.offset) break;
          await sleep(LOOK_MS);
        }
      }
    };
    await patiently("the way of all replicas to what the master has", looking());
  }

  /**
   * Waits until all nodes are equal, which they are some time after they have converged: keys whose
   * time is over are gone a moment later.
   *
   * @throws {CrashFault} They don't become so.
   */
  async equal(): Promise<void> {
    await reached("the way of all nodes to the same digest", PATIENCE_MS, async () => {
      const asked = this.nodes.map((node) => node.ask("DEBUG", "DIGEST"));
      const digests = await Promise.all(asked);
      return new Set(digests).size === 1 ? undefined : digests.join(", ");
    });
  }

  /** Somebody else has made this node the master. */
  recognise(master: Node): void {
    this.#master = master;
  }

  /**
   * Promotes the survivor that has got furthest, and has the others follow it.
   *
   * @param replicationId Of the master, which is dead.
   * @throws {CrashFault} No survivor has the master's history.
   */
  async failOver(replicationId: string, promotesLeast: boolean): Promise<Promotion> {
    const began = performance.now();
    const survivors = this.replicas.filter(({ isUp }) => isUp);
    const facts = await Promise.all(survivors.map((node) => node.facts()));
    const place = placeToPromote(facts, replicationId, promotesLeast);
    if (place === undefined) throw new CrashFault("no survivor has the master's history");
    this.#master = survivors[place];
    await this.#master.follow(undefined);
    for (const node of survivors) {
      if (node !== this.#master) await node.follow(this.#master.port);
    }
    await this.mark();
    const other = facts.find((fact, index) =>
      index !== place && fact.replicationId === replicationId
    );
    return {
      tookMs: performance.now() - began,
      aheadBytes: other === undefined ? undefined : facts[place].offset - other.offset,
    };
  }
}
