/**
 * Connections that come from an address of our choice. The runtime's own can't, but those that it has for programs of Node can: slower, and
 * good enough for the few that need it.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import type { Buffer } from "node:buffer";
import { isLoopback, joinAddress } from "./addresses.ts";
import type { Connection } from "./sockets.ts";

/** Reads and writes a socket of Node. */
class BoundConnection implements Connection {
  /** What was read and nobody has asked for yet. */
  private rest: Uint8Array | null = null;
  private failure: Error | null = null;
  private ended = false;
  private wake: () => void = () => {};

  constructor(private readonly socket: Socket) {
    socket.on("readable", () => this.wake());
    socket.on("end", () => this.end(null));
    socket.on("error", (error) => this.end(error));
    socket.on("close", () => this.end(null));
  }

  get remote(): string {
    return joinAddress(this.socket.remoteAddress ?? "", this.socket.remotePort ?? 0);
  }

  get local(): string {
    return joinAddress(this.socket.localAddress ?? "", this.socket.localPort ?? 0);
  }

  get fromLoopback(): boolean {
    return isLoopback(this.socket.remoteAddress ?? "");
  }

  async read(bytes: Uint8Array): Promise<number | null> {
    for (;;) {
      this.rest ??= this.socket.read() as Buffer | null;
      if (this.rest !== null) return this.take(this.rest, bytes);
      if (this.failure !== null) throw this.failure;
      if (this.ended) return null;
      await new Promise<void>((wake) => this.wake = wake);
    }
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((written, failed) => {
      this.socket.write(bytes, (error) => error ? failed(error) : written(bytes.length));
    });
  }

  close(): void {
    this.failure = new Deno.errors.BadResource("the connection is closed");
    this.socket.destroy();
    this.wake();
  }

  /** Copies as much of `from` as there is room for. */
  private take(from: Uint8Array, room: Uint8Array): number {
    const count = Math.min(from.length, room.length);
    room.set(from.subarray(0, count));
    this.rest = count < from.length ? from.subarray(count) : null;
    return count;
  }

  private end(error: Error | null): void {
    this.failure ??= error;
    this.ended = true;
    this.wake();
  }
}

/** What is wrong where the machine has no such address, or not for that peer. */
const UNUSABLE: readonly string[] = ["EADDRNOTAVAIL", "EINVAL", "ERR_INVALID_IP_ADDRESS"];

/**
 * Connects by TCP, from the address `source`; null if that can't be connected from.
 *
 * @throws {Error} as the system says why it can't connect.
 */
export async function connectFrom(
  source: string,
  hostname: string,
  port: number,
): Promise<Connection | null> {
  try {
    return new BoundConnection(await open(source, hostname, port));
  } catch (error) {
    if (UNUSABLE.includes((error as { readonly code?: string }).code ?? "")) return null;
    throw error;
  }
}

function open(source: string, hostname: string, port: number): Promise<Socket> {
  return new Promise((connected, refused) => {
    const socket = connect({ host: hostname, port, localAddress: source });
    socket.once("error", refused);
    socket.once("connect", () => {
      socket.off("error", refused);
      socket.setNoDelay(true);
      socket.setKeepAlive(true);
      connected(socket);
    });
  });
}
