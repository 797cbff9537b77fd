/**
 * Servers of both kinds, each the replica of the one before it, with links that can be cut.
 *
 * @module
 */
import { type Client, plainValue } from "../../src/client/mod.ts";
import { badLine } from "../crash/log.ts";
import { readFacts, type ReplicationFacts } from "../crash/replicas/facts.ts";
import { type Contender, launchOf, ServerProcess } from "../crash/server_process.ts";
import { reached } from "../crash/waiting.ts";
import type { Words } from "../support/file_samples.ts";
import { contentsOf, differences, runOn } from "./file_servers.ts";
import { LONGEST_STRING, Peer } from "./peers.ts";

/** Nodes that aren't alike after so long never will be. */
const PATIENCE_MS = 60_000;
const SHOWN_DIFFERENCES = 5;

/** Which end of a link closes it. */
export type End = "master" | "replica";

/** A server of the chain. */
class Node {
  readonly #peer: Peer;
  readonly #client: Client;
  readonly #server: ServerProcess;

  private constructor(readonly kind: Contender, server: ServerProcess, client: Client, peer: Peer) {
    this.#server = server;
    this.#client = client;
    this.#peer = peer;
  }

  static async start(
    kind: Contender,
    folder: string,
    settings: readonly string[],
  ): Promise<Node> {
    await Deno.mkdir(folder);
    const server = await ServerProcess.start(await launchOf(kind), folder, settings);
    const { port } = server;
    const peer = new Peer(kind, () => Deno.connect({ hostname: "127.0.0.1", port }));
    try {
      await peer.reconnect();
      return new Node(kind, server, await server.connect(), peer);
    } catch (error) {
      peer.close();
      await server.kill();
      throw error;
    }
  }

  get port(): number {
    return this.#server.port;
  }

  get log(): readonly string[] {
    return this.#server.log;
  }

  async ask(name: string, ...args: readonly string[]): Promise<string> {
    return String(plainValue(await this.#client.command(name, ...args)));
  }

  async run(commands: readonly Words[]): Promise<string[]> {
    return await runOn(this.#peer, commands);
  }

  async facts(): Promise<ReplicationFacts> {
    return await readFacts((name, ...args) => this.ask(name, ...args));
  }

  async stop(): Promise<void> {
    this.#client.close();
    this.#peer.close();
    await this.#server.kill();
  }
}

/** The servers, of which the first one is the master of all; disposing of them ends them. */
export class ReplicaChain implements AsyncDisposable {
  readonly #nodes: readonly Node[];
  readonly #folder: string;

  private constructor(nodes: readonly Node[], folder: string) {
    this.#nodes = nodes;
    this.#folder = folder;
  }

  /**
   * Starts servers of these kinds, of which nobody follows another yet.
   *
   * @throws {StartError} One of them doesn't start.
   */
  static async start(
    kinds: readonly Contender[],
    settings: Readonly<Record<string, string>>,
  ): Promise<ReplicaChain> {
    // With the name that processes know it by, which their end is seen by.
    const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "replica-chain-" }));
    const words = Object.entries({
      save: "",
      "enable-debug-command": "local",
      "proto-max-bulk-len": String(LONGEST_STRING),
      "repl-diskless-sync-delay": "0",
      ...settings,
    }).flatMap(([name, value]) => [`--${name}`, value]);
    const started = await Promise.allSettled(
      kinds.map((kind, index) => Node.start(kind, `${folder}/${index}`, words)),
    );
    const nodes = started.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
    const chain = new ReplicaChain(nodes, folder);
    const failed = started.find((result) => result.status === "rejected");
    if (failed === undefined) return chain;
    await chain[Symbol.asyncDispose]();
    throw failed.reason;
  }

  /** How many links there are between the servers. */
  get links(): number {
    return this.#nodes.length - 1;
  }

  /** Has each server follow the one before it, and waits until all are alike. */
  async link(): Promise<void> {
    for (const [index, node] of this.#nodes.entries()) {
      if (index === 0) continue;
      await node.ask("REPLICAOF", "127.0.0.1", String(this.#nodes[index - 1].port));
      // Who begins with a snapshot sends all that follow it away, who would begin twice.
      await reached(
        "the first sync",
        PATIENCE_MS,
        async () => (await node.facts()).isLinkUp ? undefined : `node ${index} isn't up`,
      );
    }
    await this.rest();
  }

  /** Runs commands on the first server; the bytes of their replies. */
  async run(commands: readonly Words[]): Promise<string[]> {
    return await this.#nodes[0].run(commands);
  }

  /** Has one end of a link close it; false if it was down. */
  async cut(link: number, end: End): Promise<boolean> {
    // The end that is the master's sees a replica there.
    const [node, other] = end === "master"
      ? [this.#nodes[link], "replica"]
      : [this.#nodes[link + 1], "master"];
    return Number(await node.ask("CLIENT", "KILL", "TYPE", other)) > 0;
  }

  /** How replicas have begun to follow each of the servers. */
  async syncs(): Promise<ReplicationFacts["syncs"][]> {
    return (await this.#facts()).map(({ syncs }) => syncs);
  }

  /**
   * Waits until all links are up and all servers have the same.
   *
   * @throws {CrashFault} That doesn't come about.
   */
  async rest(): Promise<void> {
    const ids = ({ replicationId, offset }: ReplicationFacts) => `${replicationId}:${offset}`;
    await reached("the way of all servers to the same digest", PATIENCE_MS, async () => {
      const facts = await this.#facts();
      const areUp = facts.every(({ isLinkUp }, index) => index === 0 || isLinkUp);
      if (!areUp || new Set(facts.map(ids)).size > 1) return JSON.stringify(facts);
      // Keys whose time is over are gone a moment later.
      const digests = await Promise.all(this.#nodes.map((node) => node.ask("DEBUG", "DIGEST")));
      return new Set(digests).size === 1 ? undefined : await this.#told();
    });
  }

  /**
   * Looks, at rest, whether all servers have the same keys with the same values and times to live, and whether
   * each is sound.
   *
   * @throws {Error} They haven't, or one isn't.
   */
  async requireAlike(): Promise<void> {
    const told = await this.#told();
    if (told !== "") throw new Error(told);
    for (const [index, { kind, log }] of this.#nodes.entries()) {
      const bad = badLine(log);
      if (bad !== undefined) throw new Error(`the log of node ${index} says: ${bad}`);
      if (kind === "miniredis") await this.#nodes[index].ask("DEBUG", "CHECK");
    }
  }

  /** Where the servers differ from the first one, in some lines. */
  async #told(): Promise<string> {
    // Redis doesn't tell all of groups; encodings depend on how a value came about.
    const options = { groups: false, encodings: false };
    const contents = await Promise.all(this.#nodes.map((node) => contentsOf(node, options)));
    return contents.flatMap((content, index) =>
      differences(contents[0], content).slice(0, SHOWN_DIFFERENCES)
        .map((line) =>
          `${this.#nodes[0].kind} and node ${index}, ${this.#nodes[index].kind}: ${line}`
        )
    ).join("\n");
  }

  async #facts(): Promise<ReplicationFacts[]> {
    return await Promise.all(this.#nodes.map((node) => node.facts()));
  }

  /** Ends all servers. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
    await Deno.remove(this.#folder, { recursive: true });
  }
}
