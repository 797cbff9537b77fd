/**
 * What outlives the servers of one simulation: the disk, the time, those who use the server, and what they were promised.
 *
 * @module
 */
import type { Server } from "../../src/server/mod.ts";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import { RandomSource } from "../fuzz/random_source.ts";
import { VirtualDisk } from "../support/virtual_disk.ts";
import { EventLoop } from "./event_loop.ts";
import { CONFIG_FILE, Housekeeper } from "./housekeeper.ts";
import { DATABASES, makePlan, type Plan } from "./plan.ts";
import { Promises } from "./promises.ts";
import { Writer } from "./writer.ts";

/** Operations in an append-only file of a version before 7.0. */
const OLD_OPERATIONS = 20;

/** What can be different from one run of a seed to another. */
export interface SimulationOptions {
  /** Syncs that do nothing. */
  readonly ignoreSyncs?: (kind: "file" | "folder", path: string) => boolean;
  /** Takes lines that tell what happens. */
  readonly trace?: (line: string) => void;
  /** Does something to each server that has started, for a proof that it would be noticed. */
  readonly sabotage?: (server: Server) => void;
}

/** What all happens in; see the head of this file. */
export class World implements Disposable {
  /** What is to happen. */
  readonly plan: Plan;
  /** What the server is sent. */
  readonly random: RandomSource;
  /** The disk. */
  readonly disk: VirtualDisk;
  /** Time, and what waits for it. */
  readonly loop: EventLoop;
  /** Who writes. */
  readonly writers: readonly Writer[];
  /** What they were promised. */
  readonly promises: Promises;
  /** Who looks after the server. */
  readonly housekeeper: Housekeeper = new Housekeeper();
  /** Where the next server finds its data. */
  source: "file" | "snapshot";
  /** Whether nothing but processes has ended since the server was last looked at. */
  powerStayed = true;
  /** When the last server ended. */
  endedMs: number;
  /** Takes lines that tell what happens. */
  readonly trace: (line: string) => void;
  /** Does something to each server that has started. */
  readonly sabotage: (server: Server) => void;

  /** Makes up the world of a seed. */
  constructor(
    readonly seed: number,
    options: SimulationOptions = {},
    plan: (random: RandomSource) => Plan = makePlan,
  ) {
    this.plan = plan(new RandomSource(seed, 0));
    this.random = new RandomSource(seed, 1);
    const delays = new RandomSource(seed, 2);
    this.disk = new VirtualDisk(seed);
    this.disk.tearing = "prefix";
    this.disk.forgetsNames = false;
    this.disk.asideMs = () => delays.between(0, this.plan.asideMs);
    if (options.ignoreSyncs !== undefined) this.disk.ignoreSyncs = options.ignoreSyncs;
    this.trace = options.trace ?? (() => {});
    this.sabotage = options.sabotage ?? (() => {});
    this.loop = new EventLoop();
    this.endedMs = this.loop.now;
    this.writers = Array.from(
      { length: this.plan.writers },
      (_, number) => new Writer(number, number % DATABASES, number === DATABASES - 1),
    );
    this.promises = new Promises(this.writers);
    this.source = this.plan.source;
    this.disk.write(CONFIG_FILE, new TextEncoder().encode("# by hand\n"));
    if (this.plan.oldFile !== "none") this.writeOldFile();
  }

  [Symbol.dispose](): void {
    this.loop[Symbol.dispose]();
  }

  /** Puts an append-only file of one piece on the disk, which has what the first writer may have sent. */
  private writeOldFile(): void {
    const [writer] = this.writers;
    const requests = [["SELECT", String(writer.database)]];
    for (let number = 1; number <= OLD_OPERATIONS; number++) {
      const commands = [["RPUSH", `writer${writer.number}:ledger`, String(number)]];
      writer.note(number, commands, this.loop.now);
      requests.push(...commands);
    }
    writer.acknowledged = OLD_OPERATIONS;
    writer.witnessed = OLD_OPERATIONS;
    this.promises.keepAll();
    if (this.plan.oldFile === "torn") requests.push(["SET", "torn", "value"]);
    const text = requests.map((words) => new TextDecoder().decode(encodeRequest(words))).join("");
    const bytes = new TextEncoder().encode(text);
    this.disk.write(
      "/data/appendonly.aof",
      this.plan.oldFile === "torn" ? bytes.subarray(0, bytes.length - 4) : bytes,
    );
  }
}
