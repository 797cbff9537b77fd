/**
 * Sockets as programs of Node have them, in the form of the runtime's own.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { isLoopback, joinAddress } from "./addresses.ts";
import type { Connection } from "./sockets.ts";

/** Reads and writes a socket of Node. */
export class NodeConnection implements Connection {
  /** What was read and nobody has asked for yet. */
  #rest: Uint8Array | null = null;
  #failure: Error | null = null;
  #ended = false;
  #wake: () => void = () => {};
  readonly #socket: Socket;

  /** Makes a connection of a socket that is connected, which it owns from now on. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("readable", () => this.#wake());
    socket.on("end", () => this.#end(null));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(null));
  }

  get remote(): string {
    return joinAddress(this.#socket.remoteAddress ?? "", this.#socket.remotePort ?? 0);
  }

  get local(): string {
    return joinAddress(this.#socket.localAddress ?? "", this.#socket.localPort ?? 0);
  }

  get fromLoopback(): boolean {
    return isLoopback(this.#socket.remoteAddress ?? "");
  }

  async read(bytes: Uint8Array): Promise<number | null> {
    for (;;) {
      this.#rest ??= this.#socket.read() as Buffer | null;
      if (this.#rest !== null) return this.#take(this.#rest, bytes);
      if (this.#failure !== null) throw this.#failure;
      if (this.#ended) return null;
      await new Promise<void>((wake) => this.#wake = wake);
    }
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((written, failed) => {
      // Why the connection ended says more than that it has ended.
      this.#socket.write(bytes, (error) => {
        if (error) failed(this.#failure ?? error);
        else written(bytes.length);
      });
    });
  }

  close(): void {
    this.#failure = new Deno.errors.BadResource("the connection is closed");
    this.#socket.destroy();
    this.#wake();
  }

  /** Copies as much of `from` as there is room for. */
  #take(from: Uint8Array, room: Uint8Array): number {
    const count = Math.min(from.length, room.length);
    room.set(from.subarray(0, count));
    this.#rest = count < from.length ? from.subarray(count) : null;
    return count;
  }

  #end(error: Error | null): void {
    this.#failure ??= error;
    this.#ended = true;
    this.#wake();
  }
}
