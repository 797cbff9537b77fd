/**
 * A way to a master on which what it tells its replicas is late.
 *
 * It stands in the master's place: all connections go through it. One on which somebody asks for the
 * stream of changes (PSYNC, SYNC) is a replica's, and what comes back on it is held for a while; all
 * others pass at once. So nobody sees another address than the master's, and a monitor finds nothing
 * to put right.
 *
 * @module
 */

import { sleep } from "../waiting.ts";

const READ_BYTES = 64 * 1024;
/** What asks for the stream is short. */
const LONGEST_REQUEST_BYTES = 512;
const SYNC = /\bP?SYNC\b/i;

/** A listener that passes on what it gets. */
export class DelayingLink {
  readonly #listener: Deno.TcpListener;
  readonly #targetPort: number;
  readonly #connections = new Set<Deno.TcpConn>();
  /** For how long what replicas are told is held: the first of their connections, the second, and again from the start. */
  readonly delaysMs: number[] = [0, 0];
  #replicas = 0;
  /** Bytes that were held. */
  heldBytes = 0;

  /** Listens at `port`, and passes on to `targetPort`. */
  constructor(readonly port: number, targetPort: number) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#targetPort = targetPort;
    this.#accept();
  }

  /** Ends it, and all that goes through it. */
  close(): void {
    this.#listener.close();
    for (const connection of this.#connections) close(connection);
  }

  async #accept(): Promise<void> {
    try {
      for await (const connection of this.#listener) this.#join(connection);
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #join(client: Deno.TcpConn): Promise<void> {
    this.#connections.add(client);
    let server: Deno.TcpConn;
    try {
      server = await Deno.connect({ hostname: "127.0.0.1", port: this.#targetPort });
    } catch {
      this.#end(client); // the master is away, as its clients will notice
      return;
    }
    this.#connections.add(server);
    client.setNoDelay(true);
    server.setNoDelay(true);
    const passage: Passage = {};
    await Promise.race([
      this.#upwards(client, server, passage),
      this.#downwards(server, client, passage),
    ]);
    this.#end(client);
    this.#end(server);
  }

  /** What the client says passes at once, and tells who it is. */
  async #upwards(client: Deno.TcpConn, server: Deno.TcpConn, passage: Passage): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    const decoder = new TextDecoder("latin1");
    for (let size = await read(client, buffer); size !== null; size = await read(client, buffer)) {
      const bytes = buffer.subarray(0, size);
      if (passage.place === undefined && size < LONGEST_REQUEST_BYTES) {
        if (SYNC.test(decoder.decode(bytes))) {
          passage.place = this.#replicas++ % this.delaysMs.length;
        }
      }
      if (!await write(server, bytes)) return;
    }
  }

  async #downwards(server: Deno.TcpConn, client: Deno.TcpConn, passage: Passage): Promise<void> {
    const held: { readonly bytes: Uint8Array; readonly dueMs: number }[] = [];
    let isSending = false;
    const send = async () => {
      isSending = true;
      while (held.length > 0) {
        const { bytes, dueMs } = held.shift()!;
        const waitMs = dueMs - performance.now();
        if (waitMs > 0) await sleep(waitMs);
        if (!await write(client, bytes)) break;
      }
      isSending = false;
    };
    const buffer = new Uint8Array(READ_BYTES);
    for (let size = await read(server, buffer); size !== null; size = await read(server, buffer)) {
      const delayMs = passage.place === undefined ? 0 : this.delaysMs[passage.place];
      if (delayMs === 0 && held.length === 0 && !isSending) {
        if (!await write(client, buffer.subarray(0, size))) return;
        continue;
      }
      this.heldBytes += size;
      held.push({ bytes: buffer.slice(0, size), dueMs: performance.now() + delayMs });
      if (!isSending) send();
    }
  }

  #end(connection: Deno.TcpConn): void {
    this.#connections.delete(connection);
    close(connection);
  }
}

/** What is known of the client of a connection. */
interface Passage {
  /** Whose delay counts for it, if it is a replica's. */
  place?: number;
}

/** How much has come; null for the end, of whatever kind. */
async function read(connection: Deno.TcpConn, buffer: Uint8Array): Promise<number | null> {
  try {
    return await connection.read(buffer);
  } catch {
    return null;
  }
}

/** Whether it could be written. */
async function write(connection: Deno.TcpConn, bytes: Uint8Array): Promise<boolean> {
  try {
    for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
    return true;
  } catch {
    return false;
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // it has ended
  }
}
