/**
 * A connection between two servers in memory: what one end writes, the other reads.
 *
 * @module
 */
import type { Connection } from "../../src/runtime/sockets.ts";
import { IncomingBytes } from "./incoming_bytes.ts";
import type { MemoryServer } from "./memory_server.ts";

/** One end. */
class PipeEnd implements Connection {
  readonly fromLoopback = true;
  /** The other end. */
  peer!: PipeEnd;
  private readonly incoming = new IncomingBytes();
  private closed = false;

  constructor(readonly remote: string, readonly local: string) {}

  read(room: Uint8Array): Promise<number | null> {
    return this.incoming.read(room);
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.closed || this.peer.closed) return Promise.reject(new Error("Broken pipe"));
    this.peer.incoming.push(bytes.slice());
    return Promise.resolve(bytes.length);
  }

  close(): void {
    this.closed = true;
    this.incoming.forget();
    this.incoming.end();
    this.peer.incoming.end();
  }
}

/** Both ends of a new connection, the second one for who is connected to. */
export function memoryPipe(): readonly [Connection, Connection] {
  const near = new PipeEnd("127.0.0.1:6379", "127.0.0.1:40001");
  const far = new PipeEnd("127.0.0.1:40001", "127.0.0.1:6379");
  near.peer = far;
  far.peer = near;
  return [near, far];
}

/** Has `from` reach `to`, whatever address it asks for; what cuts the connections so far. */
export function reachable(from: MemoryServer, to: MemoryServer): () => void {
  const open: Connection[] = [];
  from.reach = async () => {
    const [near, far] = memoryPipe();
    open.push(near);
    await to.accept(far);
    return near;
  };
  return () => {
    for (const connection of open.splice(0)) connection.close();
  };
}
