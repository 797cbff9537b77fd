/**
 * One server of the group, through all of its processes.
 *
 * @module
 */

import {
  type Client,
  ConnectionClosedError,
  plainValue,
  type Reply,
} from "../../../src/client/mod.ts";
import { CrashFault } from "../crash_fault.ts";
import { badLine } from "../log.ts";
import { type Launch, ServerProcess, StartError } from "../server_process.ts";
import { patiently } from "../waiting.ts";
import { readFacts, type ReplicationFacts } from "./facts.ts";

/** A folder and the server that runs in it, if one does. */
export class Node {
  readonly #launch: Launch;
  readonly #dataFolder: string;
  readonly #logPath: string;
  #server: ServerProcess | undefined;
  #client: Client | undefined;

  /**
   * Makes a node whose folders are made in `folder`.
   *
   * @param lastingPort Where it listens in all of its processes; undefined for anywhere.
   */
  constructor(
    readonly number: number,
    launch: Launch,
    folder: string,
    readonly lastingPort?: number,
  ) {
    this.#launch = launch;
    this.#dataFolder = `${folder}/node${number}`;
    this.#logPath = `${folder}/node${number}.log`;
    Deno.mkdirSync(this.#dataFolder);
  }

  /** Where it listens. */
  get port(): number {
    return this.server.port;
  }

  /** Its process, which runs. */
  get server(): ServerProcess {
    if (this.#server === undefined) throw new Error(`node ${this.number} is down`);
    return this.#server;
  }

  /** Whether it has been started and not been killed. */
  get isUp(): boolean {
    return this.#server !== undefined;
  }

  /**
   * Starts a process, and waits until it serves.
   *
   * @param masterPort Whom it follows from the beginning, or undefined for nobody.
   * @throws {CrashFault} It doesn't serve.
   */
  async start(settings: readonly string[], masterPort: number | undefined): Promise<void> {
    const role = masterPort === undefined ? [] : ["--replicaof", "127.0.0.1", String(masterPort)];
    const words = [...settings, ...role];
    await this.#note(`--- started with ${words.join(" ")}`);
    try {
      const { lastingPort } = this;
      this.#server = await ServerProcess.start(this.#launch, this.#dataFolder, words, lastingPort);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      await this.#note(...error.log);
      const end = error.log.slice(-20).join("\n");
      throw new CrashFault(`node ${this.number}: ${error.message}:\n${end}`);
    }
    this.#client = await this.#server.connect();
  }

  /**
   * Ends its process at once.
   *
   * @throws {CrashFault} It had ended by itself, or its log tells of a fault.
   */
  async kill(): Promise<void> {
    const server = this.server;
    const endedBefore = server.hasEnded;
    this.#server = undefined;
    await server.kill();
    this.#client?.close();
    await this.#note(...server.log, "--- killed");
    if (endedBefore) throw new CrashFault(`node ${this.number} ended by itself`);
    const bad = badLine(server.log);
    if (bad !== undefined) throw new CrashFault(`the log of node ${this.number} says: ${bad}`);
  }

  /** What it says of its replication. */
  async facts(): Promise<ReplicationFacts> {
    return await readFacts((name, ...args) => this.ask(name, ...args));
  }

  /** Follows somebody else, or nobody. */
  async follow(port: number | undefined): Promise<void> {
    if (port === undefined) await this.ask("REPLICAOF", "NO", "ONE");
    else await this.ask("REPLICAOF", "127.0.0.1", String(port));
  }

  /**
   * What it answers to a command.
   *
   * @throws {CrashFault} There is no answer within a time that a healthy server keeps.
   */
  async ask(name: string, ...args: readonly string[]): Promise<string> {
    return String(
      plainValue(await patiently(`${name} on node ${this.number}`, this.#send(name, args))),
    );
  }

  /** Sentinels end all connections of a server whose role they change: those are made again. */
  async #send(name: string, args: readonly string[]): Promise<Reply> {
    while (true) {
      try {
        return await this.#client!.command(name, ...args);
      } catch (error) {
        if (!(error instanceof ConnectionClosedError)) throw error;
        this.#client = await this.server.connect();
      }
    }
  }

  /** Begins a snapshot in the background, unless one is under way. */
  async save(): Promise<void> {
    await patiently(`BGSAVE on node ${this.number}`, this.#client!.send("BGSAVE"));
  }

  /** Stops its process, or lets it go on. */
  stall(isStalled: boolean): void {
    this.server.signal(isStalled ? "SIGSTOP" : "SIGCONT");
  }

  async #note(...lines: readonly string[]): Promise<void> {
    await Deno.writeTextFile(this.#logPath, `${lines.join("\n")}\n`, { append: true });
  }
}
