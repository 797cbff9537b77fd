/**
 * Nodes, monitors and a network between them, played in one thread and by one clock that jumps from event to event.
 *
 * @module
 */
import { seededRandom } from "../../support/random.ts";
import { PlayedMonitor } from "./played_monitor.ts";
import { type Answer, PlayedNode } from "./played_node.ts";
import { at, type OptionChanges, playedOptions } from "./played_options.ts";

/** How long a message travels, at least, and how much longer at most. */
const TRAVEL_MS = 0.3;
const JITTER_MS = 0.7;
const REPLICATION_MS = 5;

/** A connection of a monitor. */
interface PlayedLink {
  readonly monitor: PlayedMonitor;
  readonly number: number;
  readonly host: string;
  readonly port: number;
  /** When the last message on it arrives: they don't overtake each other. */
  arrives: number;
  /** Messages that a cut keeps back, until it is healed. */
  held: { readonly from: string; readonly arrive: () => void }[];
  /** The other side has ended while the network was cut: whoever sends something learns that. */
  isStale: boolean;
}

/** See the head of this file. */
export class PlayedWorld {
  now = 1000;
  /** How long a replica takes to copy everything; Redis begins with that after 5 s, as it is set up. */
  fullSyncMs = 300;
  readonly nodes: PlayedNode[] = [];
  readonly monitors: PlayedMonitor[] = [];
  readonly random: () => number;
  readonly #cuts = new Set<string>();
  readonly #links = new Map<number, PlayedLink>();
  #nextLink = 1;
  readonly #numbers = new Map<string, number>();
  #queue: { readonly time: number; readonly order: number; readonly run: () => void }[] = [];
  #order = 0;
  /** Called after each event. */
  check: () => void = () => {};

  constructor(seed = 1) {
    this.random = seededRandom(seed);
    const replicate = () => {
      for (const node of this.nodes) node.replicate();
      this.after(REPLICATION_MS, replicate);
    };
    replicate();
  }

  /** A master with replicas, `10.0.0.1` and on. */
  group(count: number): PlayedNode[] {
    for (let index = 1; index <= count; index++) {
      this.nodes.push(new PlayedNode(this, `10.0.0.${index}`));
    }
    for (const node of this.nodes.slice(1)) node.follow(this.nodes[0]);
    // They are in step from the start.
    for (const node of this.nodes) node.history = this.nodes[0].history;
    for (const node of this.nodes) node.replicate();
    return this.nodes;
  }

  /** Starts a monitor, `10.0.1.1` and on. */
  monitor(changes: OptionChanges = {}, master: string | null = "10.0.0.1:6379"): PlayedMonitor {
    const host = `10.0.1.${this.monitors.length + 1}`;
    const options = playedOptions(master === null ? null : at(master), changes);
    const monitor = new PlayedMonitor(this, host, options);
    this.monitors.push(monitor);
    return monitor;
  }

  /** Plays for some time. */
  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = this.#takeNext(end);
      if (next === undefined) break;
      this.now = Math.max(this.now, next.time);
      next.run();
      this.check();
    }
    this.now = end;
  }

  /** Plays until something holds; throws if it doesn't for `limitMs`. */
  until(what: string, test: () => boolean, limitMs = 60_000): number {
    const start = this.now;
    while (!test()) {
      if (this.now - start > limitMs) throw new Error(`never happened: ${what}`);
      this.run(1);
    }
    return this.now - start;
  }

  /** Cuts two hosts from each other, in one direction or in both. */
  cut(one: string, other: string, both = true): void {
    this.#cuts.add(`${one} ${other}`);
    if (both) this.#cuts.add(`${other} ${one}`);
  }

  heal(): void {
    this.#cuts.clear();
    for (const [number, link] of this.#links) {
      for (const { from, arrive } of link.held.splice(0)) this.#deliver(number, from, arrive);
    }
  }

  passes(from: string, to: string): boolean {
    return !this.#cuts.has(`${from} ${to}`);
  }

  /** Whether a node can have a connection to another one that is alive. */
  reaches(from: string, to: string): boolean {
    const node = this.nodes.find(({ host }) => host === to);
    return node?.alive === true && this.passes(from, to) && this.passes(to, from);
  }

  nodeAt(host: string, port: number): PlayedNode | undefined {
    return this.nodes.find((node) => node.host === host && node.port === port);
  }

  replicasOf(master: PlayedNode): PlayedNode[] {
    return this.nodes.filter((node) =>
      node.alive && node.role === "slave" && node.masterHost === master.host &&
      node.masterPort === master.port && node.linkUp
    );
  }

  at(time: number, run: () => void): void {
    const entry = { time, order: this.#order++, run };
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#queue[middle];
      const later = other.time > time || (other.time === time && other.order > entry.order);
      if (later) low = middle + 1;
      else high = middle;
    }
    this.#queue.splice(low, 0, entry);
  }

  after(ms: number, run: () => void): void {
    this.at(this.now + ms, run);
  }

  hex(length: number): string {
    return Array.from({ length }, () => Math.floor(this.random() * 16).toString(16)).join("");
  }

  open(monitor: PlayedMonitor, link: number, host: string, port: number, timeoutMs: number): void {
    const number = this.#nextLink++;
    this.#numbers.set(`${monitor.host} ${link}`, number);
    this.#links.set(number, {
      monitor,
      number: link,
      host,
      port,
      arrives: this.now,
      held: [],
      isStale: false,
    });
    const lost = (reason: string) => this.#lose(number, reason);
    if (!this.passes(monitor.host, host) || !this.passes(host, monitor.host)) {
      this.after(timeoutMs, () => lost("Connection timed out"));
      return;
    }
    this.after(this.#travel() * 2, () => {
      const entry = this.#links.get(number);
      if (entry === undefined) return;
      if (!this.#isUp(host, port)) return lost("Connection refused");
      monitor.handle({ type: "opened", link, local: monitor.host, remote: host });
    });
  }

  close(monitor: PlayedMonitor, link: number): void {
    const key = `${monitor.host} ${link}`;
    this.#links.delete(this.#numbers.get(key) ?? 0);
    this.#numbers.delete(key);
  }

  /** All connections of a host end. */
  disconnect(host: string): void {
    for (const [number, link] of this.#links) {
      if (link.monitor.host === host) this.#links.delete(number);
      else if (link.host === host) {
        link.isStale = true;
        link.held = [];
        if (!this.passes(host, link.monitor.host)) continue;
        this.after(this.#travel(), () => this.#lose(number, "Server closed the connection"));
      }
    }
  }

  send(monitor: PlayedMonitor, link: number, tag: number, command: readonly string[]): void {
    const number = this.#numbers.get(`${monitor.host} ${link}`) ?? 0;
    const arrive = () => {
      const entry = this.#links.get(number);
      if (entry === undefined) return;
      const node = this.nodeAt(entry.host, entry.port);
      if (node?.stopped === true) {
        node.unread.push(arrive);
        return;
      }
      const answer = this.#answer(entry, command, number);
      if (answer === undefined) return;
      this.#deliver(number, entry.host, () => {
        const reply = answer as Exclude<Answer, Answer[]>;
        monitor.handle({ type: "reply", link, tag, reply });
      });
    };
    this.#deliver(number, monitor.host, arrive);
  }

  /** A message of a channel; whether the connection is still there. */
  message(number: number, host: string, text: string): boolean {
    const entry = this.#links.get(number);
    if (entry === undefined) return false;
    this.#deliver(number, host, () => {
      entry.monitor.handle({ type: "message", link: entry.number, text });
    });
    return true;
  }

  #answer(entry: PlayedLink, command: readonly string[], number: number): Answer | undefined {
    const node = this.nodeAt(entry.host, entry.port);
    if (node !== undefined) {
      return node.alive ? node.answer(command, number) : undefined;
    }
    const monitor = this.monitors.find(({ host }) => host === entry.host);
    return monitor?.alive === true ? monitor.answer(command) : undefined;
  }

  #isUp(host: string, port: number): boolean {
    const node = this.nodeAt(host, port);
    return node?.alive ?? this.monitors.some((one) => one.host === host && one.alive);
  }

  /** Carries a message from `from` over a connection, if it passes. */
  #deliver(number: number, from: string, arrive: () => void): void {
    const link = this.#links.get(number);
    if (link === undefined) return;
    const to = from === link.host ? link.monitor.host : link.host;
    if (!this.passes(from, to) || link.held.some((message) => message.from === from)) {
      link.held.push({ from, arrive });
      return;
    }
    if (link.isStale) {
      const reason = "Connection reset by peer";
      if (this.passes(to, from)) this.after(this.#travel(), () => this.#lose(number, reason));
      return;
    }
    link.arrives = Math.max(link.arrives, this.now + this.#travel());
    this.at(link.arrives, () => {
      if (this.#links.has(number)) arrive();
    });
  }

  #lose(number: number, reason: string): void {
    const entry = this.#links.get(number);
    if (entry === undefined) return;
    this.#links.delete(number);
    entry.monitor.handle({ type: "closed", link: entry.number, reason });
  }

  #travel(): number {
    return TRAVEL_MS + this.random() * JITTER_MS;
  }

  /** The queue is sorted with the next one at its end. */
  #takeNext(end: number): { readonly time: number; readonly run: () => void } | undefined {
    const next = this.#queue[this.#queue.length - 1];
    return next !== undefined && next.time <= end ? this.#queue.pop() : undefined;
  }
}
