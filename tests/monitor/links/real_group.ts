/**
 * Real processes for tests of the control plane: redis-server, redis-sentinel, and a control plane in this process.
 *
 * @module
 */
import { connect } from "../../../src/client/connect.ts";
import { ControlPlane } from "../../../src/monitor/control_plane.ts";
import type { SavedState } from "../../../src/monitor/options.ts";
import type { Routing } from "../../../src/monitor/routing.ts";
import { type PlainValue, plainValue } from "../../../src/protocol/reply.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { systemFiles } from "../../../src/runtime/files.ts";
import { Logger } from "../../../src/runtime/logging.ts";
import { systemRandomness } from "../../../src/runtime/random.ts";
import { systemSockets } from "../../../src/runtime/sockets.ts";
import { lastingPort } from "../../support/ports.ts";
import { type OptionChanges, playedOptions } from "../control/played_options.ts";

const POLL_MS = 20;
const PATIENCE_MS = 30_000;

/** Whether the programs are there; says on the console if they aren't. */
export function hasRedis(): boolean {
  try {
    const { code } = new Deno.Command("redis-sentinel", { args: ["--version"] }).outputSync();
    new Deno.Command("redis-server", { args: ["--version"] }).outputSync();
    return code === 0;
  } catch {
    console.log("left out: there is no redis-server and redis-sentinel here");
    return false;
  }
}

/** A process on a port, in a folder of its own. */
export class RealProcess implements AsyncDisposable {
  readonly port = lastingPort();
  readonly #folder = Deno.makeTempDirSync({ prefix: "miniredis-monitor-" });
  #process: Deno.ChildProcess | null = null;

  constructor(
    private readonly program: "redis-server" | "redis-sentinel",
    config: (port: number) => string,
  ) {
    Deno.writeTextFileSync(
      `${this.#folder}/redis.conf`,
      `${config(this.port)}\ndir ${this.#folder}\n`,
    );
  }

  /** Starts it, and waits until it answers. */
  async start(): Promise<void> {
    this.#process = new Deno.Command(this.program, {
      args: [`${this.#folder}/redis.conf`],
      stdout: "null",
      stderr: "null",
    }).spawn();
    await eventually(`${this.program} at ${this.port} answers`, async () => {
      return await ask(this.port, "PING") === "PONG";
    });
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    const process = this.#process;
    this.#process = null;
    process?.kill("SIGKILL");
    await process?.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** A master with replicas. */
export class RealGroup implements AsyncDisposable {
  readonly nodes: RealProcess[];

  constructor(count = 3) {
    this.nodes = Array.from({ length: count }, () =>
      new RealProcess(
        "redis-server",
        (port) => `port ${port}\nbind 127.0.0.1\nsave ""\nrepl-diskless-sync-delay 0\n`,
      ));
  }

  /** Starts all, and waits until the replicas have copied the data. */
  async start(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.start()));
    const [master, ...replicas] = this.nodes;
    for (const { port } of replicas) await ask(port, "REPLICAOF", "127.0.0.1", `${master.port}`);
    for (const { port } of replicas) await this.follows(port, master.port);
  }

  /** Waits until a node is a replica of another, with a link. */
  async follows(port: number, master: number): Promise<void> {
    await eventually(`${port} follows ${master}`, async () => {
      const info = String(await ask(port, "INFO", "replication"));
      return info.includes(`master_port:${master}\r`) && info.includes("master_link_status:up");
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) await node[Symbol.asyncDispose]();
  }
}

/** A stock sentinel that watches a master. */
export function stockSentinel(master: number, quorum: number): RealProcess {
  return new RealProcess("redis-sentinel", (port) =>
    [
      `port ${port}`,
      "bind 127.0.0.1",
      `sentinel monitor mymaster 127.0.0.1 ${master} ${quorum}`,
      "sentinel down-after-milliseconds mymaster 2000",
      "sentinel failover-timeout mymaster 5000",
    ].join("\n"));
}

/** A control plane in this process. */
export class RunningControl implements AsyncDisposable {
  readonly plane: ControlPlane;
  readonly events: string[] = [];
  readonly routings: Routing[] = [];
  readonly log: string[] = [];
  saved: SavedState | null = null;
  exitCode: number | null = null;

  constructor(master: number | null, changes: OptionChanges = {}, saved: SavedState | null = null) {
    const options = playedOptions(master === null ? null : { host: "127.0.0.1", port: master }, {
      ...changes,
      monitor: { sentinelPort: lastingPort(), ...changes.monitor },
      group: { failoverTimeoutMs: 5000, ...changes.group },
    });
    const logger = new Logger((line) => this.log.push(line), Date.now);
    this.plane = new ControlPlane(options, saved, {
      sockets: systemSockets,
      clock: systemClock,
      randomness: systemRandomness,
      files: systemFiles,
      logger,
    }, {
      steering: {
        apply: (routing) => this.routings.push(routing),
        lease: () => {},
        drained: () => Promise.resolve(true),
      },
      save: (state) => {
        this.saved = state;
      },
      onEvent: (type, text) => this.events.push(`${type} ${text}`),
      exit: (code) => {
        this.exitCode = code;
      },
    });
  }

  /** Sends a command to its Sentinel port. */
  ask(...words: string[]): Promise<PlainValue> {
    return ask(this.plane.sentinelPort ?? 0, ...words);
  }

  /** The port of the master that it names. */
  async master(): Promise<number> {
    return await masterBy(this.plane.sentinelPort ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.plane.stop();
  }
}

/** The port of the master that a sentinel names. */
export async function masterBy(sentinel: number): Promise<number> {
  const address = await ask(sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster");
  return Array.isArray(address) ? Number(address[1]) : 0;
}

/** Sends one command on a connection of its own; an Error for an error, null if there is nobody. */
export async function ask(port: number, ...words: string[]): Promise<PlainValue> {
  try {
    using client = await connect({ port });
    return plainValue(await client.send(words[0], ...words.slice(1)));
  } catch {
    return null;
  }
}

/** Waits until something is so; throws if it never is. */
export async function eventually(
  what: string,
  test: () => Promise<boolean> | boolean,
): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!await test()) {
    if (performance.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
