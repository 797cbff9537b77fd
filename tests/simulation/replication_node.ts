/**
 * One machine of a simulated replication: its disk, its host, and the server that runs on it, if one does.
 *
 * @module
 */
import type { RandomSource } from "../fuzz/random_source.ts";
import { type Server, startServer } from "../../src/server/mod.ts";
import { seededRandom } from "../support/random.ts";
import { DeadProcessError, type OperationKind, VirtualDisk } from "../support/virtual_disk.ts";
import type { EventLoop } from "./event_loop.ts";
import { MachineClock } from "./machine_clock.ts";
import type { Host, Network } from "./network.ts";

/** The port of all servers. */
export const PORT = 6379;
/** How many lines of a log are kept. */
const LOG_LINES = 400;

/** How a server has come to its end. */
export type NodeEnd = "kill" | "power cut" | "shutdown";

/** What a node needs of the simulation. */
export interface NodeHost {
  /** Time, and what waits for it. */
  readonly loop: EventLoop;
  /** The network. */
  readonly network: Network;
  /** The luck of disks. */
  readonly delays: RandomSource;
  /** At most so many ms takes what goes on beside the event loop. */
  readonly asideMs: number;
  /** The config file of each server, if they have one. */
  readonly configFile?: string;
  /** Takes lines that tell what happens. */
  readonly trace: (line: string) => void;
  /** A line of a server's log. */
  logged(node: ReplicationNode, line: string): void;
  /** A server has started, and hasn't done anything yet. */
  started(node: ReplicationNode, server: Server): void;
  /** One ends; what it had can still be seen. */
  ending(node: ReplicationNode): void;
  /** One has ended. */
  ended(node: ReplicationNode, how: NodeEnd): void;
  /** Something has gone wrong that must not. */
  fail(message: string): void;
}

/** One machine; see the head of this file. */
export class ReplicationNode {
  /** Where it is. */
  readonly address: string;
  readonly host: Host;
  readonly disk: VirtualDisk;
  readonly clock: MachineClock;
  /** What runs; null while nothing does. */
  server: Server | null = null;
  /** How many servers have been started. */
  lives = 0;
  /** When the next one starts; Infinity if that isn't planned. */
  startsMs = Infinity;
  /** Operations of the disk until it is killed; -1 if it isn't to be. */
  operationsLeft = -1;
  /** Somebody has asked it to end. */
  mayEnd = false;
  /** The last lines of its logs. */
  readonly log: string[] = [];

  /** Machine number `number`. */
  constructor(
    private readonly world: NodeHost,
    private readonly seed: number,
    readonly number: number,
    readonly settings: Readonly<Record<string, string>>,
  ) {
    this.address = addressOf(number);
    this.host = world.network.host(this.address);
    this.clock = new MachineClock(world.loop.clock);
    this.disk = new VirtualDisk(seed * 7 + number);
    this.disk.tearing = "prefix";
    this.disk.forgetsNames = false;
    this.disk.asideMs = () => world.delays.between(0, world.asideMs);
    this.disk.onOperation = (kind, path) => this.operation(kind, path);
  }

  /** Whether its server has all its data. */
  get isServing(): boolean {
    return this.server !== null && this.server.persistence.loading === null;
  }

  /** Starts a server with some settings besides its own. */
  async start(settings: Readonly<Record<string, string>>): Promise<void> {
    const { address, disk, host, world, world: { loop } } = this;
    this.startsMs = Infinity;
    this.mayEnd = false;
    this.operationsLeft = -1;
    const life = ++this.lives;
    world.trace(`${address} starts ${JSON.stringify(settings)}`);
    const sockets = host.boot();
    const { process } = host;
    const random = seededRandom((this.seed * 31 + this.number) * 101 + life * 7919);
    for (let drawn = 0; drawn < 20; drawn++) random();
    const options = {
      bind: address,
      port: String(PORT),
      dir: "/data",
      "protected-mode": "no",
      "enable-debug-command": "yes",
      ...this.settings,
      ...settings,
    };
    const environment = {
      clock: this.clock,
      configFile: world.configFile,
      files: disk.process(),
      sockets,
      randomness: {
        number: random,
        secret: () => (random() * 0x100000000) | 0,
        hex: (length: number) =>
          Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join(""),
      },
      // What a dead process still says, nobody hears.
      log: (line: string) => {
        if (!process.ended) this.logLine(line);
      },
    };
    try {
      await loop.runFor(process, async () => {
        const server = await startServer(options, environment);
        if (process.ended) return;
        this.server = server;
        world.started(this, server);
        server.finished.then((code) => this.finished(server, code));
      });
    } catch (error) {
      if (!(error instanceof DeadProcessError)) throw error;
    }
  }

  /** Ends the server at once. */
  crash(how: "kill" | "power cut"): void {
    if (this.server === null && this.host.process.ended) return;
    this.world.trace(`${this.address}: ${how}`);
    this.over(how);
  }

  /** Has its files and its process end as they do then. */
  private over(how: NodeEnd): void {
    if (this.server !== null) this.world.ending(this);
    this.server = null;
    if (how === "power cut") this.disk.powerCut();
    else this.disk.processKilled();
    if (how === "power cut") this.host.powerOff();
    else this.host.kill();
    this.world.ended(this, how);
  }

  /** The server has ended by itself. */
  private finished(server: Server, code: number): void {
    if (this.server !== server) return;
    // A SHUTDOWN may come late, to the next server here.
    const wasAsked = this.mayEnd ||
      this.log.some((line) => line.endsWith("User requested shutdown..."));
    if (!wasAsked || code !== 0) {
      this.world.fail(
        `${this.address} has ended with ${code}:\n  ${this.log.slice(-8).join("\n  ")}`,
      );
    }
    this.world.trace(`${this.address} has ended`);
    this.over("shutdown");
  }

  /** The disk is about to do something; maybe it never does. */
  private operation(_kind: OperationKind, _path: string): void {
    if (this.operationsLeft < 0 || --this.operationsLeft > 0) return;
    this.operationsLeft = -1;
    this.crash("kill");
  }

  private logLine(line: string): void {
    this.log.push(line);
    if (this.log.length > LOG_LINES) this.log.splice(0, LOG_LINES / 2);
    this.world.trace(`  ${this.number} ${line}`);
    this.world.logged(this, line);
  }
}

/** The address of a machine by its number. */
export function addressOf(number: number): string {
  return `10.0.0.${number + 1}`;
}
