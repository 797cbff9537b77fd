/**
 * The servers of the demo: each in a worker and a folder of its own.
 *
 * @module
 */

import { joinAddress } from "../../runtime/addresses.ts";
import type { DemoControls, DemoNode } from "../web/server.ts";
import type { DemoServerStart, DemoServerStarted } from "./worker.ts";

const HOST = "127.0.0.1";
const ATTEMPTS = 100;
const ATTEMPT_MS = 20;

/** A server, running or not. */
interface DemoServer {
  readonly port: number;
  /** Null while it doesn't run. */
  worker: Worker | null;
  /** The master that it had when it was killed, which a config file would remember; empty for none. */
  master: string;
}

/** See the head of this file. */
export class DemoServers implements DemoControls {
  readonly #folder: string;
  readonly #masterNow: () => string;
  readonly #servers: DemoServer[] = [];

  /**
   * Makes a set of servers without any, and a temporary folder for those that come.
   *
   * @param masterNow The address of the master, as the monitor has it; empty for none.
   */
  constructor(masterNow: () => string) {
    this.#folder = Deno.makeTempDirSync({ prefix: "miniredis-demo-" });
    this.#masterNow = masterNow;
  }

  /** Their addresses. */
  get addresses(): string[] {
    return this.#servers.map(addressOf);
  }

  /** As {@linkcode DemoControls.nodes}. */
  nodes(): DemoNode[] {
    return this.#servers.map((server) => ({
      address: addressOf(server),
      running: server.worker !== null,
    }));
  }

  /**
   * Adds a server, and waits until it serves.
   *
   * @param port Its port; 0 has the system choose.
   * @param master The address of its master; empty if it is one itself.
   * @throws {Error} It can't start.
   */
  async add(port: number, master: string): Promise<void> {
    const { worker, started } = await this.#launch(port, master, this.#servers.length);
    const server: DemoServer = { port: started, worker, master };
    this.#watch(server, worker);
    this.#servers.push(server);
  }

  /** As {@linkcode DemoControls.kill}; nothing is saved, and nobody is told. */
  kill(name: string): string | undefined {
    const server = this.#find(name);
    if (server === undefined) return this.#unknown(name);
    if (server.worker === null) return `${addressOf(server)} doesn't run.`;
    const master = this.#masterNow();
    server.master = master === addressOf(server) ? "" : master;
    server.worker.terminate();
    server.worker = null;
    return undefined;
  }

  /** As {@linkcode DemoControls.start}; it has the data and the master that it had. */
  async start(name: string): Promise<string | undefined> {
    const server = this.#find(name);
    if (server === undefined) return this.#unknown(name);
    if (server.worker !== null) return `${addressOf(server)} runs already.`;
    try {
      await untilFree(server.port);
      const index = this.#servers.indexOf(server);
      const { worker } = await this.#launch(server.port, server.master, index);
      server.worker = worker;
      this.#watch(server, worker);
      return undefined;
    } catch (error) {
      return `${addressOf(server)} can't start: ${error instanceof Error ? error.message : error}`;
    }
  }

  /** Ends all, and removes their folder. */
  async stop(): Promise<void> {
    for (const server of this.#servers) {
      server.worker?.terminate();
      server.worker = null;
    }
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        return Deno.removeSync(this.#folder, { recursive: true });
      } catch {
        // One that was just ended may still write for a moment.
        await pause(ATTEMPT_MS);
      }
    }
  }

  async #launch(
    port: number,
    master: string,
    index: number,
  ): Promise<{ worker: Worker; started: number }> {
    const folder = `${this.#folder}/${index + 1}`;
    Deno.mkdirSync(folder, { recursive: true });
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    const message: DemoServerStart = { options: optionsOf(port, folder, master) };
    const answer = await new Promise<DemoServerStarted>((resolve) => {
      worker.onmessage = ({ data }: MessageEvent<DemoServerStarted>) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        resolve({ failed: event.message });
      };
      worker.postMessage(message);
    });
    if ("port" in answer) return { worker, started: answer.port };
    worker.terminate();
    throw new Error(answer.failed);
  }

  /** A worker that ends by a fault of its own is a server that was killed. */
  #watch(server: DemoServer, worker: Worker): void {
    worker.onerror = (event) => {
      event.preventDefault();
      if (server.worker === worker) server.worker = null;
    };
  }

  /** By the address, or by the port alone. */
  #find(name: string): DemoServer | undefined {
    return this.#servers.find((server) =>
      addressOf(server) === name || String(server.port) === name
    );
  }

  #unknown(name: string): string {
    return `There is no server '${name}'; there are ${this.addresses.join(", ")}.`;
  }
}

function addressOf({ port }: { readonly port: number }): string {
  return joinAddress(HOST, port);
}

/** Waits until a worker that was just ended has let go of its port. */
async function untilFree(port: number): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      return Deno.listen({ hostname: HOST, port }).close();
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      await pause(ATTEMPT_MS);
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Its data survive a kill, and replicas don't wait for others before they are sent theirs. */
function optionsOf(port: number, folder: string, master: string): DemoServerStart["options"] {
  const options: [string, ...string[]][] = [
    ["port", String(port)],
    ["bind", HOST],
    ["dir", folder],
    ["logfile", `${folder}/server.log`],
    ["save", ""],
    ["appendonly", "yes"],
    ["repl-diskless-sync-delay", "0"],
  ];
  if (master !== "") {
    const [host, masterPort] = master.split(":");
    options.push(["replicaof", host, masterPort]);
  }
  return options;
}
