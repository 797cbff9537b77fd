/**
 * A network in memory: hosts with their processes, connections between them, and all that goes wrong there, from a seed.
 *
 * **Hosts** have an address like `10.0.0.1` and at most one process at a time, whose `Sockets` are those of
 * {@linkcode Host.boot}. What the network does belongs to no process: a stopped one still accepts connections and is sent as many bytes as
 * there is room for, as by a kernel; it just doesn't notice.
 *
 * **What goes wrong.** Bytes take their time, in each direction another one, and come in pieces. A connection is cut at any byte
 * ({@linkcode Network.cut}, {@linkcode Network.cutLater}), and its ends learn of it at different times, or only when they write. Between hosts nothing
 * comes through for a while, in both directions or in one ({@linkcode Network.block}); what was on its way comes afterwards, as TCP sends it
 * again. A process is killed ({@linkcode Host.kill}), and the kernel tells its peers; or the power goes, and nobody does.
 *
 * @module
 */
import type { RandomSource } from "../fuzz/random_source.ts";
import type { Sockets } from "../../src/runtime/sockets.ts";
import { type EventLoop, Process } from "./event_loop.ts";
import { Endpoint, HostListener, HostSockets } from "./network_sockets.ts";
import { Pipe, type PipeEnd } from "./network_pipe.ts";

/** Who connects to a host that doesn't answer gives up after so long. */
const CONNECT_TIMEOUT_MS = 20_000;
const DEFAULT_BUFFER_BYTES = 64 * 1024;
/** Host names that stand for each address of a host. */
const ANY_ADDRESS = /^(0\.0\.0\.0|::|\*)$/;
const FIRST_CLIENT_PORT = 40_000;

/** How long a way takes. */
export interface Delay {
  /** At least so many ms, */
  readonly lowMs: number;
  /** and at most so many. */
  readonly highMs: number;
}

/** A connection that is to be cut when so many bytes have come from one host to another. */
interface Trap {
  readonly from: Host;
  readonly to: Host;
  left: number;
}

/** Somebody who waits for a host to answer. */
interface Call {
  readonly from: Host;
  readonly to: Host;
  readonly attempt: () => void;
}

/** A connection, as the network sees it. */
export class Link {
  /** What goes from who has connected to who has accepted, and back. */
  readonly ends: readonly [Endpoint, Endpoint];
  /** Its pipes, each in the order of the end that reads it. */
  readonly pipes: readonly [Pipe, Pipe];

  /** Connects two hosts. */
  constructor(
    readonly network: Network,
    readonly from: Host,
    readonly to: Host,
    port: number,
  ) {
    const toFrom = new Pipe(network.route(this, to, from), network.bufferBytes);
    const toTo = new Pipe(network.route(this, from, to), network.bufferBytes);
    const local = `${from.address}:${from.nextPort()}`;
    const remote = `${to.address}:${port}`;
    this.pipes = [toFrom, toTo];
    this.ends = [
      new Endpoint(network, from.process, { input: toFrom, output: toTo, local, remote }),
      new Endpoint(network, to.process, {
        input: toTo,
        output: toFrom,
        local: remote,
        remote: local,
      }),
    ];
  }

  /** Whether it is of no more use to anybody. */
  get isOver(): boolean {
    return this.ends[0].isClosed && this.ends[1].isClosed;
  }

  /** Whether it goes between these, in either direction. */
  isBetween(one: Host, other: Host): boolean {
    return (this.from === one && this.to === other) || (this.from === other && this.to === one);
  }
}

/** One machine. */
export class Host {
  /** What runs on it. */
  process: Process;
  /** Whether it has power; nobody else answers for it. */
  isUp = true;
  /** The next connections that are refused though somebody listens. */
  refusals = 0;
  /** Who listens, by port. */
  readonly listeners: Map<number, HostListener> = new Map();
  private lastPort = FIRST_CLIENT_PORT;

  /** A host of `network`, which has been booted. */
  constructor(readonly network: Network, readonly address: string) {
    this.process = new Process(network.loop);
  }

  /** Starts a process; its sockets. The one before must have ended. */
  boot(): Sockets {
    const { network } = this;
    this.process = new Process(network.loop);
    if (!this.isUp) {
      this.isUp = true;
      // What was sent to the machine meanwhile finds nobody who knows of it.
      for (const link of network.linksOf(this)) for (const pipe of link.pipes) pipe.deliver();
      network.callAgain();
    }
    return new HostSockets(network, this, this.process);
  }

  /** Ends the process; the system closes its connections. */
  kill(): void {
    this.listeners.clear();
    for (const link of this.network.linksOf(this)) link.ends[link.from === this ? 0 : 1].drop();
    this.network.loop.end(this.process);
  }

  /** Cuts the power: the process ends, and nobody tells its peers. */
  powerOff(): void {
    this.isUp = false;
    this.listeners.clear();
    for (const link of this.network.linksOf(this)) this.network.lose(link, this);
    this.network.loop.end(this.process);
  }

  /** A port that no other connection from here has. */
  nextPort(): number {
    return ++this.lastPort;
  }
}

/** A network; see the head of this file. */
export class Network {
  /** Bytes that a direction of a new connection takes before they are read. */
  bufferBytes = DEFAULT_BUFFER_BYTES;
  /** How long a piece is on its way, if nothing else is said. */
  delay: Delay = { lowMs: 0, highMs: 2 };
  /** How likely bytes that are written together come in several pieces. */
  pieceChance = 0.1;
  /** How likely a write that could be done at once takes a turn. */
  slowWriteChance = 0.3;
  /** Connections that were cut. */
  cuts = 0;
  /** Takes lines that tell what happens. */
  trace: (line: string) => void = () => {};
  /** All connections that are of use to somebody. */
  private links: Link[] = [];
  private readonly hosts = new Map<string, Host>();
  private readonly blocked = new Set<string>();
  private readonly delays = new Map<string, Delay>();
  private calls: Call[] = [];
  private traps: Trap[] = [];

  /** A network whose luck comes from `random`. */
  constructor(readonly loop: EventLoop, readonly random: RandomSource) {}

  /** The host of an address, which is there from now on. */
  host(address: string): Host {
    const known = this.hosts.get(address);
    if (known !== undefined) return known;
    const host = new Host(this, address);
    this.hosts.set(address, host);
    return host;
  }

  /** The connections that are of use to somebody, oldest first. */
  get connections(): readonly Link[] {
    this.links = this.links.filter((link) => !link.isOver);
    return this.links;
  }

  /** Those of one host. */
  linksOf(host: Host): Link[] {
    return this.connections.filter((link) => link.from === host || link.to === host);
  }

  /** Lets nothing through from one host to another; what is on its way waits. */
  block(from: Host, to: Host): void {
    this.trace(`nothing comes from ${from.address} to ${to.address}`);
    this.blocked.add(way(from, to));
  }

  /** Ends {@linkcode block}. */
  unblock(from: Host, to: Host): void {
    if (!this.blocked.delete(way(from, to))) return;
    this.trace(`all comes from ${from.address} to ${to.address} again`);
    for (const link of this.connections) {
      if (!link.isBetween(from, to)) continue;
      for (const pipe of link.pipes) {
        this.loop.post(this.delayMs(from, to), null, () => pipe.deliver());
      }
    }
    this.callAgain();
  }

  /** Whether nothing comes through. */
  isBlocked(from: Host, to: Host): boolean {
    return this.blocked.has(way(from, to));
  }

  /** Sets how long the way from one host to another takes; null as usual. */
  slow(from: Host, to: Host, delay: Delay | null): void {
    if (delay === null) this.delays.delete(way(from, to));
    else this.delays.set(way(from, to), delay);
  }

  /** All goes well from now on. */
  heal(): void {
    this.traps = [];
    this.delays.clear();
    for (const host of this.hosts.values()) {
      host.refusals = 0;
      for (const other of this.hosts.values()) this.unblock(host, other);
    }
  }

  /** Whoever wasn't told that its connection is no more, is told. */
  tellAll(): void {
    for (const { pipes } of this.connections) {
      for (const pipe of pipes) {
        if (pipe.isCut && !pipe.isReadable) pipe.cut(pipe.inFlight, "reset");
      }
    }
  }

  /** Cuts a connection now: of what is on its way, a first part still comes. */
  cut(link: Link): void {
    const { random } = this;
    this.cuts++;
    this.trace(`cut ${nameOf(link)}`);
    for (const pipe of link.pipes) {
      // Who isn't told learns it when it writes.
      const how = random.chance(0.2) ? null : this.wayToEnd();
      if (!pipe.isCut) pipe.cut(random.below(pipe.inFlight + 1), how);
    }
  }

  /** Cuts the connection on which the byte after `bytes` others comes from one host to another. */
  cutLater(from: Host, to: Host, bytes: number): void {
    this.traps.push({ from, to, left: bytes });
  }

  /** A host that is no more leaves its connections behind, and the bytes that are on their way. */
  lose(link: Link, lost: Host): void {
    const index = link.from === lost ? 1 : 0;
    const pipe = link.pipes[index];
    if (!pipe.isCut) pipe.cut(this.random.below(pipe.inFlight + 1), null);
    link.pipes[1 - index].abandon();
    link.ends[1 - index].forget();
  }

  /** The way of bytes from one host to another. */
  route(link: Link, from: Host, to: Host): ConstructorParameters<typeof Pipe>[0] {
    const { loop, random } = this;
    return {
      isBlocked: () => !to.isUp || this.isBlocked(from, to),
      now: () => loop.now,
      later: (ms, callback) => loop.post(ms, null, callback),
      delayMs: () => this.delayMs(from, to),
      pieceBytes: (count) =>
        count > 1 && random.chance(this.pieceChance) ? 1 + random.below(count - 1) : count,
      arriving: (count) => this.spring(link, from, to, count),
    };
  }

  /** Connects a process of a host to an address; calls one of the two, for nobody in particular. */
  connect(
    from: Host,
    { address, port }: { readonly address: string; readonly port: number },
    connected: (end: Endpoint) => void,
    failed: (error: Error) => void,
  ): void {
    const to = this.hosts.get(address);
    const { process } = from;
    if (to === undefined) {
      const error = new Error("failed to lookup address information: Name or service not known");
      return this.loop.post(0, null, () => failed(error));
    }
    const call = { from, to, attempt: (): void => {} };
    let isWaiting = false;
    call.attempt = () => {
      if (process.ended) return;
      if (!to.isUp || this.isBlocked(from, to) || this.isBlocked(to, from)) {
        this.calls.push(call);
        if (isWaiting) return;
        isWaiting = true;
        this.loop.post(CONNECT_TIMEOUT_MS, null, () => this.giveUp(call, failed));
        return;
      }
      const listener = to.listeners.get(port);
      const backMs = this.delayMs(to, from);
      if (listener === undefined || to.refusals > 0) {
        if (to.refusals > 0) to.refusals--;
        this.trace(`${from.address} is refused by ${to.address}:${port}`);
        this.loop.post(backMs, null, () => failed(refused()));
        return;
      }
      const link = new Link(this, from, to, port);
      this.links.push(link);
      this.trace(`connected ${nameOf(link)}`);
      listener.arrive(link.ends[1]);
      this.loop.post(backMs, null, () => connected(link.ends[0]));
    };
    this.loop.post(this.delayMs(from, to), null, call.attempt);
  }

  /** Nobody has answered a call for long. */
  private giveUp(call: Call, failed: (error: Error) => void): void {
    // It got through meanwhile, or is about to.
    if (!this.calls.includes(call)) return;
    this.calls = this.calls.filter((other) => other !== call);
    this.trace(`${call.from.address} gets no answer from ${call.to.address}`);
    failed(new Deno.errors.TimedOut("Connection timed out (os error 110)"));
  }

  /** Those who have called in vain try again, if they may get through. */
  callAgain(): void {
    const { calls } = this;
    this.calls = [];
    for (const { from, to, attempt } of calls) {
      this.loop.post(this.delayMs(from, to), null, attempt);
    }
  }

  /** How a connection ends that is cut: most are reset; some proxies end them in order. */
  private wayToEnd(): PipeEnd {
    return this.random.chance(0.7) ? "reset" : "end";
  }

  private delayMs(from: Host, to: Host): number {
    const { lowMs, highMs } = this.delays.get(way(from, to)) ?? this.delay;
    return this.random.between(lowMs, highMs);
  }

  /** Bytes arrive; how many of them come before the connection is cut, if it is. */
  private spring(link: Link, from: Host, to: Host, count: number): number {
    for (const trap of this.traps) {
      if (trap.from !== from || trap.to !== to) continue;
      trap.left -= count;
      if (trap.left >= 0) continue;
      this.traps = this.traps.filter((other) => other !== trap);
      this.cuts++;
      this.trace(`cut ${nameOf(link)} within what comes from ${from.address}`);
      // Also where nothing more is written: nothing of what is on its way may come behind the missing bytes.
      for (const pipe of link.pipes) pipe.cut(0, this.wayToEnd());
      return count + trap.left;
    }
    return count;
  }
}

/** What a listener is asked for, to the address itself or to all of the host's. */
export function isAddressOf(hostname: string, host: Host): boolean {
  return hostname === host.address || ANY_ADDRESS.test(hostname);
}

function refused(): Error {
  return new Deno.errors.ConnectionRefused("Connection refused (os error 111)");
}

function way(from: Host, to: Host): string {
  return `${from.address}>${to.address}`;
}

function nameOf({ ends: [end] }: Link): string {
  return `${end.local} - ${end.remote}`;
}
