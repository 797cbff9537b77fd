/**
 * One machine of a simulation with a monitor on it: its disk with the state file, its host, and the monitor itself, if one runs.
 *
 * @module
 */
import { parseMonitorArguments } from "../../src/monitor/config/command_line.ts";
import { loadMonitor } from "../../src/monitor/config/loading.ts";
import { checkStateFile, stateSaver } from "../../src/monitor/config/state_file.ts";
import type { MonitorEnvironment } from "../../src/monitor/environment.ts";
import { type Monitor, startMonitor } from "../../src/monitor/monitor.ts";
import type { SavedState } from "../../src/monitor/options.ts";
import { ConfigError } from "../../src/runtime/config_lines.ts";
import type { Files } from "../../src/runtime/files.ts";
import { Logger } from "../../src/runtime/logging.ts";
import type { Connection, SocketListener, Sockets } from "../../src/runtime/sockets.ts";
import { seededRandom } from "../support/random.ts";
import { DeadProcessError, VirtualDisk } from "../support/virtual_disk.ts";
import type { EventLoop } from "./event_loop.ts";
import { MachineClock } from "./machine_clock.ts";
import type { Host, Network } from "./network.ts";
import { PORT } from "./replication_node.ts";

/** The port that clients of all monitors connect to. */
export const ROUTER_PORT = 6379;
/** The port of their Sentinel API. */
export const SENTINEL_PORT = 26379;
/** Stands in all that clients write, and in nothing else: by this a write is known on its way. */
export const WRITE_MARK: number = "~".charCodeAt(0);
/** The file in which they keep what they must not forget. */
export const STATE_FILE = "/data/monitor.state";
const MULTI = "\r\nMULTI\r\n";
const EXEC = "\r\nEXEC\r\n";
const LOG_LINES = 400;
const decoder = new TextDecoder();
/** One that can't start is tried again after so long. */
const RETRY_MS = 100;

/** How a monitor comes to its end. */
export type MonitorEnd = "kill" | "power cut" | "stop";

/** What a monitor's machine needs of the simulation. */
export interface MonitorHost {
  /** Time, and what waits for it. */
  readonly loop: EventLoop;
  /** The network. */
  readonly network: Network;
  /** The arguments of all monitors. */
  readonly args: readonly string[];
  /** Takes lines that tell what happens. */
  readonly trace: (line: string) => void;
  /** A monitor's router gives bytes with a client's write to a connection to the node at `address`. */
  writes(node: MonitorNode, address: string, bytes: Uint8Array): void;
  /** What saves the state, in the place of `save`. */
  saver(save: (state: SavedState) => void): (state: SavedState) => void;
  /** A monitor has started. */
  monitorStarted(node: MonitorNode, monitor: Monitor): void;
  /** One has ended. */
  monitorEnded(node: MonitorNode, how: MonitorEnd): void;
  /** Something has gone wrong that must not. */
  fail(message: string): void;
}

/** One machine; see the head of this file. */
export class MonitorNode {
  readonly address: string;
  readonly host: Host;
  readonly disk: VirtualDisk;
  readonly clock: MachineClock;
  /** What runs; null while nothing does. */
  monitor: Monitor | null = null;
  /** How many were started. */
  lives = 0;
  /** When the next one starts; Infinity if that isn't planned. */
  startsMs = Infinity;
  /** Operations of the disk until it is killed; -1 if it isn't to be. */
  operationsLeft = -1;
  /** Whom it had for the master when it saved its state last. */
  lastMaster = "";
  /** Whether its state couldn't be saved when that was tried last. */
  isUnsaved = false;
  /** The last lines of its logs. */
  readonly log: string[] = [];

  /** Machine number `number`; one that is alone is the only one to know what it knows. */
  constructor(
    private readonly world: MonitorHost,
    private readonly seed: number,
    readonly number: number,
    readonly isAlone: boolean,
  ) {
    this.address = `10.0.3.${number + 1}`;
    this.host = world.network.host(this.address);
    this.clock = new MachineClock(world.loop.clock);
    this.disk = new VirtualDisk(seed * 11 + number + 100);
    this.disk.tearing = "prefix";
    this.disk.forgetsNames = false;
    this.disk.onOperation = () => this.operation();
  }

  /** Whether it runs, though it may be stopped for a while. */
  get isRunning(): boolean {
    return this.monitor !== null;
  }

  /** Starts a monitor with what its machine has. */
  async start(): Promise<void> {
    const { address, disk, host, world, world: { loop } } = this;
    this.startsMs = Infinity;
    this.operationsLeft = -1;
    this.lives++;
    world.trace(`${address} starts`);
    const sockets = host.boot();
    const { process } = host;
    const files = disk.process();
    try {
      await loop.runFor(process, async () => {
        const monitor = await this.startMonitor(sockets, files);
        if (process.ended) return;
        this.monitor = monitor;
        world.monitorStarted(this, monitor);
        monitor.ended.then(() => this.finished(monitor));
      });
    } catch (error) {
      if (error instanceof DeadProcessError) return;
      // A monitor that can't write its state file doesn't start.
      if (!(error instanceof ConfigError) || disk.capacity === Infinity) throw error;
      world.trace(`${address} doesn't start: ${error.message}`);
      host.kill();
      disk.processKilled();
      this.startsMs = loop.now + RETRY_MS;
    }
  }

  /** Ends it at once. */
  crash(how: "kill" | "power cut"): void {
    if (this.monitor === null && this.host.process.ended) return;
    this.world.trace(`${this.address}: ${how}`);
    this.over(how);
  }

  /** Has it end in order. */
  async stop(): Promise<void> {
    const { host: { process }, monitor, world: { loop, trace } } = this;
    if (monitor === null || process.stopped) return;
    trace(`${this.address}: stop`);
    this.monitor = null;
    await loop.runFor(process, () => monitor.stop());
    this.over("stop");
  }

  private startMonitor(sockets: Sockets, files: Files): Promise<Monitor> {
    const { clock, host: { process }, world } = this;
    const { options, saved } = loadMonitor(parseMonitorArguments(world.args), files);
    checkStateFile(options, files);
    const logger = new Logger((line) => {
      if (!process.ended) this.logLine(line);
    }, () => clock.now());
    const random = this.randomness();
    const environment: MonitorEnvironment = {
      sockets: new WatchedSockets(sockets, (address, bytes) => {
        if (!process.ended) world.writes(this, address, bytes);
      }),
      clock,
      randomness: {
        number: random,
        secret: () => (random() * 0x100000000) | 0,
        hex: (length) =>
          Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join(""),
      },
      files,
      logger,
      lookup: () => Promise.reject(new Error("nobody knows names here")),
    };
    const save = world.saver(stateSaver(options, files));
    return startMonitor(options, saved, environment, (state) => {
      try {
        save(state);
      } catch (error) {
        this.isUnsaved = !(error instanceof DeadProcessError);
        throw error;
      }
      this.isUnsaved = false;
      this.lastMaster = state.groups[0]?.options.master?.host ?? "";
    });
  }

  private randomness(): () => number {
    const random = seededRandom((this.seed * 37 + this.number) * 103 + this.lives * 7919);
    for (let drawn = 0; drawn < 20; drawn++) random();
    return random;
  }

  private over(how: MonitorEnd): void {
    this.monitor = null;
    if (how === "power cut") this.disk.powerCut();
    else this.disk.processKilled();
    if (how === "power cut") this.host.powerOff();
    else this.host.kill();
    this.world.monitorEnded(this, how);
  }

  private finished(monitor: Monitor): void {
    if (this.monitor !== monitor) return;
    this.world.fail(`${this.address} has ended:\n  ${this.log.slice(-8).join("\n  ")}`);
  }

  /** The disk is about to do something; maybe it never does. */
  private operation(): void {
    if (this.operationsLeft < 0 || --this.operationsLeft > 0) return;
    this.operationsLeft = -1;
    if (!this.isUnsaved || !this.isAlone) this.crash("kill");
  }

  private logLine(line: string): void {
    const text = line.slice(line.indexOf(":"));
    this.log.push(text);
    if (this.log.length > LOG_LINES) this.log.splice(0, LOG_LINES / 2);
    this.world.trace(`  M${this.number} ${text}`);
  }
}

/** Sockets whose connections to nodes are looked at when something is written. */
class WatchedSockets implements Sockets {
  constructor(
    private readonly sockets: Sockets,
    private readonly note: (address: string, bytes: Uint8Array) => void,
  ) {}

  async connect(hostname: string, port: number): Promise<Connection> {
    const connection = await this.sockets.connect(hostname, port);
    if (port !== PORT) return connection;
    const write = connection.write.bind(connection);
    let isQueueing = false;
    let isMarked = false;
    connection.write = (bytes) => {
      const text = decoder.decode(bytes);
      if (text.includes(MULTI)) isQueueing = true;
      isMarked ||= bytes.includes(WRITE_MARK);
      if (text.includes(EXEC)) isQueueing = false;
      // What is queued does nothing before EXEC.
      if (isMarked && !isQueueing) {
        isMarked = false;
        this.note(hostname, bytes);
      }
      return write(bytes);
    };
    return connection;
  }

  listen(hostname: string, port: number, keepsAlive: () => boolean): SocketListener {
    return this.sockets.listen(hostname, port, keepsAlive);
  }

  listenUnix(path: string): SocketListener {
    return this.sockets.listenUnix(path);
  }
}
