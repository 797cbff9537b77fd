/**
 * Who tells servers whom to follow, as Sentinel or a person would: by commands, which servers that are down or can't be reached get later.
 *
 * @module
 */
import { plainValue, type Reply } from "../../src/protocol/reply.ts";
import type { RandomSource } from "../fuzz/random_source.ts";
import type { Sockets } from "../../src/runtime/sockets.ts";
import { NetworkClient, type Words } from "./network_client.ts";
import { addressOf, PORT, type ReplicationNode } from "./replication_node.ts";

/** How likely somebody is told in a turn what he doesn't know yet. */
const TELL_CHANCE = 0.5;

/** Number of the server to follow; null for nobody. */
export type Wanted = number | null;

/** The operator; see the head of this file. */
export class Operator {
  /** Whom each server is to follow, */
  readonly wanted: Wanted[];
  /** and whom it was told last, if that is known; or it is being told. */
  readonly told: (Wanted | "unknown" | "asked")[];
  private readonly clients: (NetworkClient | null)[];

  /** Reaches `nodes` by `sockets`. */
  constructor(
    private readonly nodes: readonly ReplicationNode[],
    private readonly sockets: Sockets,
    private readonly trace: (line: string) => void,
    masters: readonly Wanted[],
  ) {
    this.wanted = [...masters];
    this.told = [...masters];
    this.clients = nodes.map(() => null);
  }

  /** Whether everybody knows what he is to do. */
  get isDone(): boolean {
    return this.wanted.every((wanted, index) => wanted === this.told[index]);
  }

  /** The settings that a server starts with, which follows whom it was told to. */
  settingsOf(index: number, forgets: boolean): Record<string, string> {
    const told = this.told[index];
    const master = forgets || typeof told !== "number" ? null : told;
    this.told[index] = master;
    return master === null ? {} : { replicaof: `${addressOf(master)} ${PORT}` };
  }

  /** Servers may have changed their minds by themselves. */
  forgetAll(): void {
    for (const [index, told] of this.told.entries()) {
      if (told !== "asked") this.told[index] = "unknown";
    }
  }

  /** Tells those who don't know yet, sooner or later. */
  act(random: RandomSource): void {
    for (const [index, wanted] of this.wanted.entries()) {
      if (this.told[index] === wanted || this.told[index] === "asked") continue;
      if (random.chance(TELL_CHANCE)) this.tell(index);
    }
  }

  /** Tells a server whom to follow. */
  tell(index: number): void {
    const wanted = this.wanted[index];
    const words = wanted === null
      ? ["REPLICAOF", "NO", "ONE"]
      : ["REPLICAOF", addressOf(wanted), PORT];
    const { lives } = this.nodes[index];
    this.told[index] = "asked";
    this.send(index, words, (reply) => {
      // What another life was told is in its settings.
      if (this.nodes[index].lives !== lives) return;
      // Without a reply it may have been heard all the same; who is told again takes no harm.
      this.told[index] = reply === undefined || reply.kind === "error" ? "unknown" : wanted;
    });
  }

  /** Sends a command to a server. */
  send(index: number, words: Words, answered: (reply: Reply | undefined) => void = () => {}): void {
    const known = this.clients[index];
    const client = known === null || known.isOver
      ? new NetworkClient(this.sockets, this.nodes[index].address, PORT)
      : known;
    this.clients[index] = client;
    client.send(words, (reply) => {
      const shown = reply === undefined ? "no reply" : JSON.stringify(plainValue(reply));
      this.trace(`${addressOf(index)}: ${words.join(" ")}: ${shown?.slice(0, 100)}`);
      answered(reply);
    });
  }

  /** Whether `index` follows `other`, if only through others. */
  follows(index: number, other: number): boolean {
    const seen = new Set<number>();
    for (let at: Wanted = index; at !== null && !seen.has(at); at = this.wanted[at]) {
      if (at === other) return true;
      seen.add(at);
    }
    return false;
  }

  /** Has everybody follow `master`, directly or through another one. */
  pointTo(master: number, random: RandomSource, chainChance: number): void {
    this.wanted[master] = null;
    const settled = [master];
    for (const index of this.wanted.keys()) {
      if (index === master) continue;
      this.wanted[index] = random.chance(chainChance) ? random.pick(settled) : master;
      settled.push(index);
    }
  }
}
