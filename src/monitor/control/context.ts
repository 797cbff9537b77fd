/**
 * What the parts of the control machine share: the time, the settings, the groups, and the ways to have something done.
 *
 * **Deadlines.** The machine is run after each event, and at the moment that it has asked for. A part that waits for a moment
 * asks {@linkcode ControlContext.reached}: either the moment has come, or the machine will run again when it comes. So
 * nothing is polled, and no deadline is kept twice.
 *
 * @module
 */
import type { PlainValue } from "../../protocol/reply.ts";
import { joinAddress } from "../../runtime/addresses.ts";
import type { LogLevel } from "../../runtime/logging.ts";
import type { GroupOptions, MonitorOptions, SavedState } from "../options.ts";
import type { NodeAddress } from "../routing.ts";
import type { ControlAction, ControlHooks, Moment } from "./actions.ts";
import type { Discovery } from "./discovery.ts";
import { type Answer, Endpoint, type Link, Node, Peer } from "./endpoint.ts";
import type { Group } from "./group.ts";
import { savedState } from "./saved.ts";

/** Periods in ms that SENTINEL DEBUG shows and changes, by its names. */
export interface Periods {
  /** How often a node is asked for INFO. */
  infoPeriod: number;
  /** How often everybody is asked for a sign of life. */
  pingPeriod: number;
  /** How often peers are asked whether the master is down. */
  askPeriod: number;
  /** How often hello messages are sent. */
  publishPeriod: number;
  /** Settings of groups that SENTINEL MONITOR adds: down-after-milliseconds */
  defaultDownAfter: number;
  /** and failover-timeout. */
  defaultFailoverTimeout: number;
  /** How late the machine may be run without mistrusting itself, and for how long it does then. */
  tiltTrigger: number;
  /** See the trigger. */
  tiltPeriod: number;
  /** How long a replica may take to say that it follows the new master. */
  slaveReconfTimeout: number;
  /** How long a connection stays that seems to hang. */
  minLinkReconnectPeriod: number;
  /** How long votes are waited for. */
  electionTimeout: number;
  /** Without effect: no scripts are run. */
  scriptMaxRuntime: number;
  /** Without effect: no scripts are run. */
  scriptRetryDelay: number;
}

/** What is sent on one connection before answers come: more is dropped, as from Sentinel. */
const MOST_PENDING = 100;

/** Sentinel's own. */
export function defaultPeriods(): Periods {
  return {
    infoPeriod: 10_000,
    pingPeriod: 1000,
    askPeriod: 1000,
    publishPeriod: 2000,
    defaultDownAfter: 30_000,
    defaultFailoverTimeout: 180_000,
    tiltTrigger: 2000,
    tiltPeriod: 30_000,
    slaveReconfTimeout: 10_000,
    minLinkReconnectPeriod: 15_000,
    electionTimeout: 10_000,
    scriptMaxRuntime: 60_000,
    scriptRetryDelay: 30_000,
  };
}

/** Failures that can be asked for. */
export interface SimulatedFailures {
  /** As soon as this monitor leads a failover. */
  crashAfterElection: boolean;
  /** As soon as a replica was promoted. */
  crashAfterPromotion: boolean;
}

/** See the head of this file. */
export class ControlContext {
  /** Monotonic ms, and unix ms. */
  now = 0;
  /** Now, by the calendar. */
  unix = 0;
  /** How often what is done. */
  readonly periods: Periods = defaultPeriods();
  /** All groups whose masters are known, by name. */
  readonly groups: Map<string, Group> = new Map();
  /** Those whose masters are being looked for. */
  readonly discoveries: Map<string, Discovery> = new Map();
  /** All connections, by number. */
  readonly links: Map<number, Link> = new Map();
  /** Failures that were asked for. */
  readonly failures: SimulatedFailures = { crashAfterElection: false, crashAfterPromotion: false };
  /** The newest epoch that is known. */
  currentEpoch = 0;
  /** Since when the machine doesn't trust its own judgement; null if it does. */
  tiltSince: number | null = null;
  /** Port of our Sentinel API. */
  sentinelPort = 0;
  /** Whether the state couldn't be saved last time. */
  saveFailed = false;
  /** When that was. */
  saveTriedAt: number = Number.NEGATIVE_INFINITY;
  /** When the monitor was started. */
  startedAt = 0;
  /** The next moment that some part waits for. */
  wake: number = Number.POSITIVE_INFINITY;
  #actions: ControlAction[] = [];
  #nextLink = 1;
  #nextTag = 1;
  readonly #resolved = new Map<string, string | null>();
  readonly #resolving = new Set<string>();

  /** Makes what a machine of the id `myId` starts with. */
  constructor(
    /** SENTINEL CONFIG SET changes some of them. */
    readonly settings: MonitorOptions,
    readonly myId: string,
    readonly hooks: ControlHooks,
  ) {}

  /** It is now this moment. */
  setTime(moment: Moment): void {
    this.now = moment.monotonic;
    this.unix = moment.unix;
  }

  /** Whether a moment has come; if it hasn't, the machine will run when it comes. */
  reached(moment: number): boolean {
    if (this.now >= moment) return true;
    if (moment < this.wake) this.wake = moment;
    return false;
  }

  /** Adds to what is to be done. */
  act(action: ControlAction): void {
    this.#actions.push(action);
  }

  /** What is to be done, which is forgotten by this. */
  takeActions(): ControlAction[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  /** Writes to the log. */
  log(level: LogLevel, text: string): void {
    this.act({ type: "log", level, text });
  }

  /**
   * Tells of an event, in Sentinel's form: about whom, and more behind it.
   *
   * @param subject Of whom: null for nobody in particular.
   */
  event(level: LogLevel, event: string, subject: Node | Peer | null, more = ""): void {
    const about = subject === null ? "" : this.describe(subject);
    const text = about !== "" && more !== "" ? `${about} ${more}` : about + more;
    this.tell(level, event, text);
  }

  /** Tells of an event in words of its own. */
  tell(level: LogLevel, event: string, text: string): void {
    this.act({ type: "event", event, text, level, published: level !== "debug" });
  }

  /** An instance in the words of events: `slave 127.0.0.1:6380 127.0.0.1 6380 @ mymaster 127.0.0.1 6379`. */
  describe(subject: Node | Peer): string {
    const group = this.groups.get(subject.groupName);
    const master = group?.master;
    const where = (endpoint: Endpoint) => `${this.announced(endpoint)} ${endpoint.port}`;
    if (subject === master || master === undefined) {
      return `master ${subject.groupName} ${where(subject)}`;
    }
    const [kind, name] = subject instanceof Peer
      ? ["sentinel", subject.runId]
      : ["slave", this.nameOf(subject)];
    return `${kind} ${name} ${where(subject)} @ ${subject.groupName} ${where(master)}`;
  }

  /** The name that Sentinel gives to a replica: its address. */
  nameOf(node: Node): string {
    return joinAddress(this.announced(node), node.port);
  }

  /** The host of somebody as others are told it. */
  announced(endpoint: Endpoint): string {
    return this.settings.announceHostnames ? endpoint.host : endpoint.ip ?? endpoint.host;
  }

  /** An address that a router can connect to. */
  addressOf(node: Node): NodeAddress {
    return { host: node.ip ?? node.host, port: node.port };
  }

  /** Sends a command to a node, by the name that it has there. Does nothing if there is no connection or too much waits. */
  send(endpoint: Endpoint, command: readonly string[], answer: Answer = () => {}): boolean {
    const link = endpoint.command;
    if (link === null || !link.open || link.pending.size >= MOST_PENDING) return false;
    const renamed = endpoint instanceof Node ? this.renamed(endpoint.groupName, command) : command;
    this.sendOn(link, renamed, answer);
    return true;
  }

  /** Whether so many commands can be sent to somebody. */
  hasRoom(endpoint: Endpoint, commands: number): boolean {
    const link = endpoint.command;
    return link !== null && link.open && link.pending.size + commands <= MOST_PENDING;
  }

  /** Sends a command as it is on one connection. */
  sendOn(link: Link, command: readonly string[], answer: Answer): void {
    const tag = this.#nextTag++;
    link.pending.set(tag, answer);
    this.act({ type: "send", link: link.id, tag, command });
  }

  /** A command with the name that a group's nodes know it by. */
  renamed(groupName: string, command: readonly string[]): readonly string[] {
    const name = this.settingsOf(groupName)?.renamedCommands.get(command[0].toLowerCase());
    return name === undefined ? command : [name, ...command.slice(1)];
  }

  /** The settings of a group, whether its master is known yet or not. */
  settingsOf(groupName: string): GroupOptions | undefined {
    return this.groups.get(groupName)?.settings ?? this.discoveries.get(groupName)?.settings;
  }

  /** The number for a new connection. */
  nextLinkId(): number {
    return this.#nextLink++;
  }

  /** What a host's name stands for; null if that isn't known yet, in which case somebody is asked. */
  resolve(host: string): string | null {
    if (isAddress(host)) return host;
    const known = this.#resolved.get(host);
    if (known === undefined || known === null) this.refresh(host);
    return known ?? null;
  }

  /** Has somebody find out (again) what a name stands for. */
  refresh(host: string): void {
    if (isAddress(host) || this.#resolving.has(host)) return;
    this.#resolving.add(host);
    this.act({ type: "resolve", host });
  }

  /** It is known what a name stands for. */
  resolved(host: string, ip: string | null): void {
    this.#resolving.delete(host);
    if (ip !== null) this.#resolved.set(host, ip);
  }

  /** Puts the state on disk; whether that went well. */
  save(): boolean {
    const saved = this.hooks.save(this.state());
    this.saveFailed = !saved;
    this.saveTriedAt = this.now;
    return saved;
  }

  /** What has to survive a restart. */
  state(): SavedState {
    return savedState(this);
  }
}

/** Whether a host is an address and no name. */
export function isAddress(host: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(host) || host.includes(":");
}

/** The text of an error reply; undefined for any other. */
export function errorText(reply: PlainValue): string | undefined {
  return reply instanceof Error ? reply.message : undefined;
}
