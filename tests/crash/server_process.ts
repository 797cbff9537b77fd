/**
 * The server that is killed: a process, its log, and whether it serves.
 *
 * @module
 */

import { TextLineStream } from "@std/streams";
import { type Client, connect, ConnectError, ConnectionClosedError } from "../../src/client/mod.ts";
import { sleep } from "./waiting.ts";
import { freePort } from "../support/ports.ts";
import { programWords } from "../support/program.ts";

const READY_WITHIN_MS = 20_000;
const GONE_WITHIN_MS = 20_000;
const PORT_TRIES = 5;

/** How a server is called: the program and what stands before its settings. */
export type Launch = readonly string[];

/** Which servers there are to kill. */
export const CONTENDERS = ["miniredis", "redis"] as const;

/** One of them. */
export type Contender = typeof CONTENDERS[number];

/** How to start a contender. */
export async function launchOf(contender: Contender): Promise<Launch> {
  return contender === "redis" ? ["redis-server"] : [...await programWords(), "server"];
}

/** A start that failed: it is the fault that all this is after. */
export class StartError extends Error {
  /** The error's name. */
  override readonly name = "StartError";

  /** Makes an error with the server's log. */
  constructor(message: string, readonly log: readonly string[]) {
    super(message);
  }
}

/** A server in its folder. */
export class ServerProcess {
  /** The port of the loopback address. */
  readonly port: number;
  /** What it has logged so far. */
  readonly log: string[] = [];

  readonly #folder: string;
  readonly #process: Deno.ChildProcess;
  readonly #logged: Promise<unknown>;
  readonly #began = performance.now();
  #exitCode: number | undefined;
  #servedAfterMs: number | undefined;

  private constructor(launch: Launch, folder: string, port: number, settings: readonly string[]) {
    const [program, ...before] = launch;
    this.port = port;
    this.#folder = folder;
    this.#process = new Deno.Command(program, {
      args: [
        ...before,
        ...["--port", String(port), "--bind", "127.0.0.1", "--dir", folder],
        ...settings,
      ],
      // The folder is where it is at home, by which its children are known; see `childrenGone`.
      cwd: folder,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#process.status.then(({ code }) => this.#exitCode = code);
    this.#logged = Promise.all([
      this.#readLog(this.#process.stdout),
      this.#readLog(this.#process.stderr),
    ]);
  }

  /** Starts a server, and doesn't wait for it. */
  static spawn(launch: Launch, folder: string, settings: readonly string[]): ServerProcess {
    return new ServerProcess(launch, folder, freePort(), settings);
  }

  /**
   * Starts a server and waits until it has loaded its data and serves.
   *
   * @param port The one that others know it by; undefined for any that is free.
   * @throws {StartError} It ended, or took too long.
   */
  static async start(
    launch: Launch,
    folder: string,
    settings: readonly string[],
    port?: number,
  ): Promise<ServerProcess> {
    for (let tries = 1;; tries++) {
      const server = new ServerProcess(launch, folder, port ?? freePort(), settings);
      try {
        await server.#ready();
        return server;
      } catch (error) {
        await server.kill();
        // Somebody else may have taken the port between the look for a free one and its use.
        const taken = server.log.some((line) => /address already in use/i.test(line));
        if (!taken || tries === PORT_TRIES) throw error;
      }
    }
  }

  /** Whether it has ended. */
  get hasEnded(): boolean {
    return this.#exitCode !== undefined;
  }

  /** After how many milliseconds it said that it serves, or undefined if it hasn't. */
  get servedAfterMs(): number | undefined {
    return this.#servedAfterMs;
  }

  /** Opens a connection. */
  connect(database = 0): Promise<Client> {
    return connect({ hostname: "127.0.0.1", port: this.port, database });
  }

  /** Sends it a signal; it hasn't ended. */
  signal(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Kills it if it runs, at once; returns when it is gone and all of its log is read. */
  async kill(): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#process.status;
    await this.#childrenGone();
    await this.#logged;
  }

  async #ready(): Promise<void> {
    const latest = performance.now() + READY_WITHIN_MS;
    while (!(await this.#serves())) {
      if (this.hasEnded) {
        throw this.#startError(`the start ended with exit code ${this.#exitCode}`);
      }
      if (performance.now() > latest) {
        throw this.#startError(`the server doesn't serve after ${READY_WITHIN_MS} ms`);
      }
      await sleep(5);
    }
  }

  async #serves(): Promise<boolean> {
    try {
      using client = await this.connect();
      const reply = await client.send("PING");
      if (reply.kind === "error" && reply.code() !== "LOADING") {
        throw this.#startError(reply.text());
      }
      return reply.kind === "simple";
    } catch (error) {
      if (error instanceof ConnectError || error instanceof ConnectionClosedError) return false;
      throw error;
    }
  }

  // With the log itself, not a copy: the last lines may come after the process' end.
  #startError(message: string): StartError {
    return new StartError(message, this.log);
  }

  /**
   * Waits for children that saved for the killed server: redis-server forks, the child survives its
   * parent and would replace the snapshot while the next server runs already.
   */
  async #childrenGone(): Promise<void> {
    const latest = performance.now() + GONE_WITHIN_MS;
    while (await livesIn(this.#folder)) {
      if (performance.now() > latest) throw new Error("a child of the killed server doesn't end");
      await sleep(2);
    }
  }

  async #readLog(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    const lines = stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
    for await (const line of lines) {
      this.log.push(line);
      if (!line.includes("Ready to accept connections")) continue;
      this.#servedAfterMs = performance.now() - this.#began;
    }
  }
}

/** Whether a process has this working directory, where the system lets us know. */
async function livesIn(folder: string): Promise<boolean> {
  if (Deno.build.os !== "linux") return false;
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (await Deno.readLink(`/proc/${name}/cwd`) === folder) return true;
    } catch {
      // It has ended meanwhile, or isn't ours.
    }
  }
  return false;
}
