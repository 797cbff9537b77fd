/**
 * A monitor's control machine in a played world: its actions are carried out there, and a router is played that writes
 * where it may.
 *
 * @module
 */
import type { ControlAction, ControlEvent } from "../../../src/monitor/control/actions.ts";
import { vote } from "../../../src/monitor/control/election.ts";
import { grantLease } from "../../../src/monitor/control/lease.ts";
import { ControlMachine } from "../../../src/monitor/control/machine.ts";
import { receiveHello } from "../../../src/monitor/control/peers.ts";
import type { MonitorOptions, SavedState } from "../../../src/monitor/options.ts";
import type { Routing } from "../../../src/monitor/routing.ts";
import type { Answer } from "./played_node.ts";
import type { PlayedWorld } from "./played_world.ts";

/** See the head of this file. */
export class PlayedMonitor {
  alive = true;
  machine: ControlMachine;
  saved: SavedState | null = null;
  /** Whether the disk is full. */
  diskFull = false;
  /** It is a stock sentinel: it knows no leases. */
  stock = false;
  routing: Routing | null = null;
  leaseUntil = 0;
  readonly events: string[] = [];
  readonly log: string[] = [];
  readonly routings: Routing[] = [];
  crashed = false;
  #wake = 0;

  constructor(
    readonly world: PlayedWorld,
    readonly host: string,
    readonly options: MonitorOptions,
  ) {
    this.machine = this.#newMachine();
    this.start();
  }

  start(): void {
    this.alive = true;
    this.act(this.machine.start(this.#moment(), 26379));
  }

  /** Ends it, and with it all that it hasn't saved. */
  kill(): void {
    this.alive = false;
    this.routing = null;
    this.leaseUntil = 0;
    this.world.disconnect(this.host);
  }

  restart(): void {
    this.machine = this.#newMachine();
    this.start();
  }

  handle(event: ControlEvent): void {
    if (this.alive) this.act(this.machine.handle(this.#moment(), event));
  }

  failover(): string | undefined {
    const [error, actions] = this.machine.failover(this.#moment(), "mymaster");
    this.act(actions);
    return error;
  }

  /** The view of the one group. */
  get view() {
    return this.machine.groupViews(this.#moment())[0];
  }

  /** Where the router would send a write now; empty if nowhere. */
  get writesTo(): string {
    const { routing } = this;
    if (!this.alive || routing === null || !routing.writable || routing.master === null) return "";
    if (this.world.now >= this.leaseUntil) return "";
    return `${routing.master.host}:${routing.master.port}`;
  }

  /** What it answers as a sentinel. */
  answer(command: readonly string[]): Answer {
    const [name, subcommand] = command.map((word) => word.toUpperCase());
    if (name === "PING") return "PONG";
    if (name === "PUBLISH") {
      this.#call((context) => receiveHello(context, command[2]));
      return 1;
    }
    if (name !== "SENTINEL") return "OK";
    if (subcommand === "LEASE") {
      return this.stock
        ? new Error("ERR unknown subcommand 'LEASE'. Try SENTINEL HELP.")
        : this.#lease(command);
    }
    return this.#isMasterDown(command);
  }

  act(actions: readonly ControlAction[]): void {
    const world = this.world;
    for (const action of actions) {
      switch (action.type) {
        case "open":
          world.open(this, action.link, action.host, action.port, action.timeoutMs);
          break;
        case "close":
          world.close(this, action.link);
          break;
        case "send":
          world.send(this, action.link, action.tag, action.command);
          break;
        case "event":
          this.events.push(`${action.event} ${action.text}`);
          break;
        case "log":
          this.log.push(action.text);
          break;
        case "route":
          this.routing = action.routing;
          this.routings.push(action.routing);
          break;
        case "lease":
          this.leaseUntil = action.untilMs;
          break;
        case "drain":
          world.after(2, () => this.handle({ type: "drained", group: action.group, all: true }));
          break;
        case "crash":
          this.crashed = true;
          this.kill();
          return;
        case "resolve":
          world.after(1, () => this.handle({ type: "resolved", host: action.host, ip: null }));
      }
    }
    this.#sleep();
  }

  #newMachine(): ControlMachine {
    return new ControlMachine(this.options, this.saved, {
      save: (state) => {
        if (this.diskFull) return false;
        this.saved = structuredClone(state);
        return true;
      },
      random: () => this.world.random(),
      hex: (length) => this.world.hex(length),
    });
  }

  #call<Result>(work: Parameters<ControlMachine["call"]>[1]): Result {
    const [result, actions] = this.machine.call(this.#moment(), work);
    this.act(actions);
    return result as Result;
  }

  #isMasterDown([, , host, port, epoch, runId]: readonly string[]): Answer {
    return this.#call<Answer>((context) => {
      const group = context.groups.get("mymaster");
      if (group === undefined || group.master.key !== `${host}:${port}`) return [0, "*", 0];
      const given = runId === "*"
        ? { leader: null, epoch: 0 }
        : vote(context, group, Number(epoch), runId);
      return [group.master.downSince === null ? 0 : 1, given.leader ?? "*", given.epoch];
    });
  }

  #lease(words: readonly string[]): Answer {
    const [, , name, host, port, configEpoch, endedEpoch, runId, leaseMs, surrendered] = words;
    return this.#call<Answer>((context) => {
      const group = context.groups.get(name);
      if (group === undefined) return new Error("ERR No such master with that name");
      const granted = grantLease(context, group, {
        host,
        port: Number(port),
        configEpoch: Number(configEpoch),
        endedEpoch: Number(endedEpoch),
        runId,
        leaseMs: Number(leaseMs),
        surrendered: surrendered.split(","),
      });
      return [granted ? 1 : 0, group.configEpoch];
    });
  }

  #sleep(): void {
    const wake = this.machine.wakeAt;
    if (wake === Number.POSITIVE_INFINITY) return;
    const at = Math.max(wake, this.world.now);
    this.#wake = at;
    const machine = this.machine;
    this.world.at(at, () => {
      if (this.#wake === at && this.machine === machine) this.handle({ type: "time" });
    });
  }

  #moment() {
    return { monotonic: this.world.now, unix: 1_700_000_000_000 + this.world.now };
  }
}
