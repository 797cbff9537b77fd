/**
 * The sockets of a simulated host: what a process sees of the network, as `src/runtime/sockets.ts` has it.
 *
 * Whatever resolves here does so for its process, and a process that is no more is told nothing.
 *
 * @module
 */
import type { Connection, SocketListener, Sockets } from "../../src/runtime/sockets.ts";
import type { Process } from "./event_loop.ts";
import { type Host, isAddressOf, type Network } from "./network.ts";
import type { Pipe } from "./network_pipe.ts";

/** A promise that never settles, for processes that are no more. */
const NEVER: Promise<never> = new Promise(() => {});

/** A read or a write that waits. */
interface Pending {
  readonly bytes: Uint8Array;
  /** What a write was given, which must not change before it is done. */
  readonly given: Uint8Array | null;
  readonly resolve: (count: number | null) => void;
  readonly reject: (error: Error) => void;
}

/** Where an end of a connection is, and what it reads and writes. */
export interface EndpointPlace {
  /** What comes in. */
  readonly input: Pipe;
  /** What goes out. */
  readonly output: Pipe;
  /** Its address. */
  readonly local: string;
  /** The other end's. */
  readonly remote: string;
}

/** One end of a connection. */
export class Endpoint implements Connection {
  readonly local: string;
  readonly remote: string;
  readonly fromLoopback = false;
  /** Whether this end is closed. */
  isClosed = false;
  private readonly input: Pipe;
  private readonly output: Pipe;
  private reading: Pending | null = null;
  private writing: Pending | null = null;

  /** An end that belongs to `process`. */
  constructor(
    private readonly network: Network,
    private readonly process: Process,
    { input, output, local, remote }: EndpointPlace,
  ) {
    this.input = input;
    this.output = output;
    this.local = local;
    this.remote = remote;
    input.onArrival = () => this.wake();
    output.onRoom = () => this.writeLater();
    // Who writes to nobody is told so, by way of what it reads.
    input.onUnwanted = () => this.refuse();
  }

  read(bytes: Uint8Array): Promise<number | null> {
    if (this.process.ended) return NEVER;
    if (this.isClosed) return Promise.reject(badResource());
    if (this.reading !== null) return Promise.reject(new Deno.errors.Busy("Resource is busy"));
    return new Promise((resolve, reject) => {
      this.reading = { bytes, given: null, resolve, reject };
      if (this.input.isReadable) this.wake();
    });
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.process.ended) return NEVER;
    if (this.isClosed) return Promise.reject(badResource());
    if (this.writing !== null) {
      // Two at once would mix their bytes.
      return Promise.reject(new Error("a write while another one is under way"));
    }
    if (this.input.ended === "reset") return Promise.reject(brokenPipe());
    // Nobody will answer who writes to a connection that is cut, but with a reset.
    if (this.output.isCut && this.input.ended === null) {
      this.input.cut(this.input.inFlight, "reset");
    }
    const { network } = this;
    const waits = !this.output.isWritable || network.random.chance(network.slowWriteChance);
    if (!waits) return Promise.resolve(this.output.take(bytes));
    return new Promise((resolve, reject) => {
      const given = bytes.slice(0, this.output.capacity);
      this.writing = { bytes, given, resolve: resolve as Pending["resolve"], reject };
      this.writeLater();
    });
  }

  close(): void {
    if (this.process.ended) return;
    if (this.isClosed) throw badResource();
    this.drop();
    const { reading, writing } = this;
    this.reading = this.writing = null;
    reading?.reject(interrupted());
    writing?.reject(interrupted());
  }

  /** The system closes this end: what was written still goes out; what nobody has read makes it a reset. */
  drop(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.output.end(this.input.hasUnread ? "reset" : "end");
    this.input.abandon();
  }

  /** This end is no more, and nobody is told. */
  forget(): void {
    this.isClosed = true;
  }

  /** Has the process read, if there is something and it wants it. */
  private wake(): void {
    if (this.input.ended === "reset") this.writeLater();
    if (this.reading !== null) this.process.wake(() => this.finishRead());
  }

  private finishRead(): void {
    const { input, reading } = this;
    if (reading === null || !input.isReadable) return;
    this.reading = null;
    if (input.hasUnread) reading.resolve(input.read(reading.bytes));
    else if (input.ended === "end") reading.resolve(null);
    else reading.reject(new Deno.errors.ConnectionReset("Connection reset by peer (os error 104)"));
  }

  private writeLater(): void {
    if (this.writing !== null) this.process.wake(() => this.finishWrite());
  }

  private finishWrite(): void {
    const { output, writing } = this;
    if (writing === null) return;
    const isBroken = this.input.ended === "reset";
    if (!isBroken && !output.isWritable) return;
    this.writing = null;
    if (!isSame(writing.bytes, writing.given!)) {
      throw new Error(`what is being written from ${this.local} to ${this.remote} has changed`);
    }
    if (isBroken) writing.reject(brokenPipe());
    else writing.resolve(output.take(writing.bytes));
  }

  /** Bytes have come to an end that is closed. */
  private refuse(): void {
    if (!this.output.isCut) this.output.end("reset");
    else this.output.cut(0, "reset");
  }
}

/** A listener of a host. */
export class HostListener implements SocketListener {
  private readonly arrived: Endpoint[] = [];
  private accepting: { resolve: (end: Connection) => void; reject: (error: Error) => void } | null =
    null;
  private isClosed = false;

  /** Listens on a port of `host`. */
  constructor(
    private readonly host: Host,
    private readonly process: Process,
    readonly port: number,
  ) {}

  accept(): Promise<Connection> {
    if (this.process.ended) return NEVER;
    if (this.isClosed) return Promise.reject(badResource());
    return new Promise((resolve, reject) => {
      this.accepting = { resolve, reject };
      if (this.arrived.length > 0) this.process.wake(() => this.finishAccept());
    });
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.host.listeners.get(this.port) === this) this.host.listeners.delete(this.port);
    for (const end of this.arrived.splice(0)) end.drop();
    const { accepting } = this;
    this.accepting = null;
    accepting?.reject(new Deno.errors.BadResource("Listener has been closed"));
  }

  /** A connection has come. */
  arrive(end: Endpoint): void {
    this.arrived.push(end);
    if (this.accepting !== null) this.process.wake(() => this.finishAccept());
  }

  private finishAccept(): void {
    const { accepting } = this;
    if (accepting === null || this.arrived.length === 0) return;
    this.accepting = null;
    accepting.resolve(this.arrived.shift()!);
  }
}

/** The sockets of one process. */
export class HostSockets implements Sockets {
  /** Those of `process` on `host`. */
  constructor(
    private readonly network: Network,
    private readonly host: Host,
    private readonly process: Process,
  ) {}

  connect(hostname: string, port: number): Promise<Connection> {
    const { host, network, process } = this;
    if (process.ended) return NEVER;
    return new Promise((resolve, reject) => {
      network.connect(
        host,
        { address: hostname, port },
        (end) => process.wake(() => resolve(end)),
        (error) => process.wake(() => reject(error)),
      );
    });
  }

  listen(hostname: string, port: number): SocketListener {
    const { host } = this;
    if (!isAddressOf(hostname, host)) {
      throw new Deno.errors.AddrNotAvailable("Cannot assign requested address (os error 99)");
    }
    const free = port === 0 ? host.nextPort() : port;
    if (host.listeners.has(free)) {
      throw new Deno.errors.AddrInUse("Address already in use (os error 98)");
    }
    const listener = new HostListener(host, this.process, free);
    host.listeners.set(free, listener);
    return listener;
  }

  listenUnix(): SocketListener {
    throw new Deno.errors.NotSupported("there are no Unix sockets");
  }
}

function isSame(bytes: Uint8Array, others: Uint8Array): boolean {
  for (let index = 0; index < others.length; index++) {
    if (bytes[index] !== others[index]) return false;
  }
  return true;
}

function badResource(): Error {
  return new Deno.errors.BadResource("Bad resource ID");
}

function interrupted(): Error {
  return new Deno.errors.Interrupted("operation canceled");
}

function brokenPipe(): Error {
  return new Deno.errors.BrokenPipe("Broken pipe (os error 32)");
}
