/**
 * One life: a server is started on what the last one has left, is looked at, works, and ends.
 *
 * @module
 */
import type { Server } from "../../src/server/mod.ts";
import { checkWriter } from "../crash/checker.ts";
import { writerOfKey } from "../crash/commands.ts";
import type { KeyStates } from "../crash/key_state.ts";
import { badLine, tellsOfTruncation } from "../crash/log.ts";
import { observe } from "../crash/observation.ts";
import { type MemoryServer, startMemoryServer } from "../support/memory_server.ts";
import { DeadProcessError, type OperationKind } from "../support/virtual_disk.ts";
import { CONFIG_FILE } from "./housekeeper.ts";
import { DATABASES, type Ending, type LifePlan } from "./plan.ts";
import { SimulatedClient } from "./simulated_client.ts";
import { SimulationFault } from "./simulation_fault.ts";
import { look, monitor, subscribe } from "./witnesses.ts";
import type { World } from "./world.ts";

/** A server that takes more turns than this for something has got stuck. */
const TURNS_AT_MOST = 3000;
/** Requests of one client that wait for their replies. */
const UNANSWERED_AT_MOST = 30;
const SHOWN_LOG_LINES = 8;

/** The life has ended: not an error, but the way out of whatever was going on. */
export class LifeEnded extends Error {
  override readonly name = "LifeEnded";
}

/** One life; see the head of this file. */
export class Life {
  /** How many operations the disk has had in it. */
  operations = 0;
  /** Whether files may have been cut though nothing but processes has ended. */
  protected mayBeTorn = false;
  /** At most so many ms pass in a turn: while the server is looked at, time stands almost still. */
  protected turnMs = 1;
  private memory: MemoryServer | null = null;
  private readonly clients: SimulatedClient[] = [];
  private readonly log: string[] = [];
  private ended = false;
  private fault: unknown = undefined;
  private counted = 0;

  /** A life in `world`; without a plan, it ends as soon as the server has been looked at. */
  constructor(protected readonly world: World, private readonly plan: LifePlan | null) {}

  /**
   * Plays it.
   *
   * @throws {SimulationFault} if the server does what it must not do.
   */
  async play(): Promise<void> {
    const { world, world: { disk, loop, promises } } = this;
    promises.forgetServer();
    disk.onOperation = (kind, path) => this.operation(kind, path);
    try {
      await this.start();
      await this.look();
      if (this.plan !== null) await this.work(this.plan);
      this.end("power cut");
    } catch (error) {
      if (!(error instanceof LifeEnded) && !(error instanceof DeadProcessError)) {
        this.fault ??= error;
      }
    } finally {
      disk.onOperation = null;
      this.fault ??= loop.uncaught;
      if (!this.ended) disk.processKilled();
      this.ended = true;
      // Whatever of the dead server still runs finds no disk any more.
      await loop.turn();
      loop.clear();
      loop.uncaught = undefined;
    }
    if (this.fault !== undefined) throw this.fault;
    world.endedMs = loop.now;
    loop.clock.advance(this.plan?.downMs ?? 0);
  }

  /** The server. */
  protected get server(): Server {
    return this.memory!.server;
  }

  /** How often changes have been allowed again. */
  protected get solved(): number {
    return this.log.filter((line) => line.includes("can write again")).length;
  }

  /** The last lines of the log, for people. */
  protected get lastLines(): string {
    return this.log.slice(-SHOWN_LOG_LINES).join("\n  ");
  }

  /** Starts a server and waits until it serves. */
  private async start(): Promise<void> {
    const { world, world: { disk, housekeeper, loop, plan, seed, source } } = this;
    world.trace(`start from the ${source}`);
    housekeeper.checkConfig(disk.readText(CONFIG_FILE));
    const settings = { ...plan.settings, appendonly: source === "file" ? "yes" : "no" };
    const environment = {
      files: disk.process(),
      clock: loop.clock,
      configFile: CONFIG_FILE,
      log: (line: string) => {
        this.log.push(line);
        world.trace(`  ${line}`);
      },
    };
    this.memory = await startMemoryServer(seed, settings, environment);
    world.sabotage(this.server);
    for (let turns = 0; this.server.persistence.loading !== null; turns++) {
      if (turns > TURNS_AT_MOST) throw new SimulationFault("the server doesn't finish loading");
      await this.turn();
    }
    this.mustLive();
  }

  /** Compares what the server has with what it was sent and has promised. */
  private async look(): Promise<void> {
    const { world, world: { loop, promises, writers } } = this;
    const client = await this.connect();
    const shown = await observe(client.asClient(() => this.turn()), DATABASES);
    const states = this.statesOfWriters(shown.databases);
    const wrong = badLine(this.log);
    if (wrong !== undefined) throw new SimulationFault(`the log has: ${wrong}`);
    const mayBeTorn = this.mayBeTorn || !world.powerStayed || world.plan.oldFile === "torn";
    if (!mayBeTorn && tellsOfTruncation(this.log)) {
      throw new SimulationFault(`only a process was killed, but files were cut: ${this.lastLines}`);
    }
    const by = world.source === "snapshot" ? "saved" : world.powerStayed ? "written" : "synced";
    for (const [number, writer] of writers.entries()) {
      const evidence = {
        base: writer.base,
        operations: writer.operations,
        floor: promises.kept(writer, by),
        killedMs: world.endedMs,
      };
      const verdict = checkWriter(evidence, { states: states[number], readMs: loop.now });
      world.trace(
        `writer ${number}: ${verdict.survived} of ${writer.operations.length} are there, ` +
          `${evidence.floor} were promised (${by})`,
      );
      if (verdict.fault !== undefined) {
        throw new SimulationFault(`writer ${number}: ${verdict.fault}\n  ${this.lastLines}`);
      }
    }
    writers.forEach((writer, number) => writer.restFrom(states[number]));
    promises.restart(world.source);
    world.powerStayed = true;
  }

  /** Sorts keys by their writers. */
  private statesOfWriters(databases: readonly KeyStates[]): KeyStates[] {
    const states: KeyStates[] = this.world.writers.map(() => new Map());
    for (const [database, keys] of databases.entries()) {
      for (const [key, state] of keys) {
        const writer = this.world.writers[writerOfKey(key) ?? -1];
        if (writer === undefined || writer.database !== database) {
          throw new SimulationFault(`nobody has written ${key} into database ${database}`);
        }
        states[writer.number].set(key, state);
      }
    }
    return states;
  }

  /** Lets everybody use the server until the life ends. */
  protected async work(life: LifePlan): Promise<void> {
    const { world: { housekeeper, plan, random, writers } } = this;
    const keeper = await this.connect();
    const looker = await this.connect();
    if (plan.subscribes) subscribe(await this.connect(), writers);
    if (plan.monitors) monitor(await this.connect(), writers);
    const own: SimulatedClient[] = [];
    for (const writer of writers) {
      const client = await this.connect();
      client.send(["SELECT", writer.database]);
      own.push(client);
    }
    await this.turn();
    this.turnMs = plan.turnMs;
    for (let turn = 0; turn < life.atTurn; turn++) {
      const isQuiet = turn >= life.atTurn - life.quietTurns;
      if (!isQuiet && keeper.unanswered === 0 && random.chance(plan.housekeepingChance)) {
        housekeeper.act(
          keeper,
          this.server.persistence.aof.state === "on",
          random,
          this.world.trace,
        );
      }
      for (const writer of isQuiet ? [] : writers) {
        const client = own[writer.number];
        if (!random.chance(plan.sendChance) || client.unanswered > UNANSWERED_AT_MOST) continue;
        const count = random.between(1, plan.burst);
        for (let sent = 0; sent < count; sent++) writer.send(client, random, () => this.now);
      }
      if (random.chance(plan.lookChance)) look(looker, random.pick(writers), random);
      await this.turn();
    }
    if (life.ending === "shutdown") await this.shutDown(keeper);
    this.end(life.ending);
  }

  /** Unix time in ms. */
  protected get now(): number {
    return this.world.loop.now;
  }

  /** Has the server end in order. */
  private async shutDown(client: SimulatedClient): Promise<void> {
    const { world: { loop, promises } } = this;
    for (let tries = 0; tries < TURNS_AT_MOST; tries++) {
      // It is refused as long as the first base is being written.
      client.send(["SHUTDOWN"]);
      await loop.advance(1);
      if (this.ended) throw new LifeEnded();
      await loop.turn();
      if (this.ended) throw new LifeEnded();
      if (this.server.isStopping) {
        promises.ended();
        return;
      }
      this.receive();
    }
    throw new SimulationFault("the server doesn't shut down");
  }

  /** Connects a client. */
  protected async connect(): Promise<SimulatedClient> {
    this.mustLive();
    const client = new SimulatedClient(await this.memory!.connect());
    this.clients.push(client);
    return client;
  }

  /** Lets the server work for a turn, and hands over what it sends. */
  protected async turn(): Promise<void> {
    const { world: { loop, random } } = this;
    await loop.advance(random.between(0, this.turnMs));
    if (!this.ended) await loop.turn();
    if (this.ended) throw new LifeEnded();
    this.receive();
    this.mustLive();
  }

  /** Hands over what clients were sent. */
  private receive(): void {
    const { memory, world: { loop, promises } } = this;
    for (const client of this.clients) client.receive();
    if (memory !== null) promises.afterTurn(memory.server, loop.now);
  }

  /** Throws if the server has ended, though nobody has asked it to. */
  protected mustLive(): void {
    const { loop } = this.world;
    if (this.ended) throw new LifeEnded();
    if (loop.uncaught !== undefined) throw loop.uncaught;
    if (this.server.isStopping) {
      throw new SimulationFault(`the server has ended:\n  ${this.lastLines}`);
    }
  }

  /** The disk is about to do something; maybe it never does. */
  private operation(kind: OperationKind, path: string): void {
    const { plan } = this;
    this.world.trace(`    ${kind} ${path}`);
    this.operations++;
    if (plan === null || (plan.ofKind !== null && plan.ofKind !== kind)) return;
    if (++this.counted !== plan.atOperation) return;
    this.end(plan.ending === "shutdown" ? "power cut" : plan.ending);
  }

  /** Ends the process, and with it all that its clients get. */
  protected end(how: Ending): void {
    if (this.ended) return;
    const { world, world: { disk } } = this;
    this.fault ??= world.loop.uncaught;
    try {
      if (how !== "shutdown") this.receive();
    } catch (error) {
      this.fault ??= error;
    }
    this.ended = true;
    world.trace(`${how} at ${this.now}`);
    if (how === "kill") disk.processKilled();
    else disk.powerCut();
    if (how !== "kill") world.powerStayed = false;
    world.source = this.nextSource();
  }

  /** Where the next server is to look for its data: where there is something that it has to find. */
  private nextSource(): "file" | "snapshot" {
    const { fileIsCurrent, snapshotIsCurrent } = this.world.promises;
    if (fileIsCurrent && snapshotIsCurrent) {
      const isOff = this.memory?.server.persistence.aof.state === "off";
      return this.world.random.chance(isOff ? 0.7 : 0.1) ? "snapshot" : "file";
    }
    return snapshotIsCurrent ? "snapshot" : "file";
  }
}
