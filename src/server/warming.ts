/**
 * Warming up: the hot commands are run on a server of their own that nobody else sees, just after the real one has started.
 *
 * **Why.** The runtime compiles a function when it is first called, and again, better, when it has been called often. Whoever
 * is the first to send a pipeline of a command waits for all of that at once: turns of 4 to 9 ms where 1 ms is meant, and a round
 * trip of 11 to 15 ms for whoever comes behind. All servers of a process run the same functions, so a second one, with its
 * own data and without a socket, can be first instead.
 *
 * **How.** Requests go through the whole server, from the bytes that a connection reads to the bytes that it writes, 16 at a time, and
 * between two pipelines everybody else has a turn. Limits are set low, so that all forms of a collection are met. It takes about
 * half a second in the background, and the memory of the other server goes when it is done.
 *
 * @module
 */
import { type Files, systemFiles } from "../runtime/files.ts";
import { encodeRequest } from "../protocol/request_writer.ts";
import { afterSockets } from "../runtime/clock.ts";
import type { Connection, SocketListener, Sockets } from "../runtime/sockets.ts";
import { startServer } from "./server.ts";

/** Commands in a pipeline. */
const PIPELINE = 32;
/** Pipelines of each command. */
const PIPELINES = 16;
/** What was unlinked is freed meanwhile. */
const FREEING_MS = 300;
const RANGED = 100;

/** Makes the words of a command for its n-th call. */
type Call = (n: number) => readonly (string | number)[];

const CALLS: readonly Call[] = [
  () => ["PING"],
  (n) => ["SET", `key:${n}`, "value"],
  (n) => ["GET", `key:${n}`],
  (n) => ["INCR", `counter:${n % PIPELINE}`],
  (n) => ["MSET", ...Array.from({ length: 10 }, (_, key) => [`key:${n + key}`, "value"]).flat()],
  (n) => ["LPUSH", "list", `element:${n}`],
  (n) => ["RPUSH", "list", `element:${n}`],
  () => ["LRANGE", "list", 0, RANGED - 1],
  () => ["LPOP", "list"],
  () => ["RPOP", "list"],
  (n) => ["SADD", "set", `element:${n}`],
  (n) => ["SISMEMBER", "set", `element:${n}`],
  (n) => ["HSET", "hash", `element:${n}`, `value:${n}`],
  (n) => ["HGET", "hash", `element:${n}`],
  (n) => ["ZADD", "zset", (n * 7919) % 1000, `element:${n}`],
  (n) => ["ZSCORE", "zset", `element:${n}`],
  (n) => ["XADD", "stream", "*", "field", n],
  () => ["XRANGE", "stream", "-", "+", "COUNT", 10],
  (n) => ["EXPIRE", `key:${n}`, 100],
  (n) => ["DEL", `key:${n}`],
  (n) => ["SADD", `small:${n}`, n, 1, 2],
  (n) => ["HSET", `fields:${n}`, "field", "value"],
  () => ["SPOP", "set"],
  () => ["ZPOPMIN", "zset"],
  (n) => ["SADD", "set", `other:${n}`],
  (n) => ["ZADD", "zset", n, `other:${n}`],
  (n) => ["UNLINK", ["list", "set", "hash", "zset", "stream"][n % 5]],
];

/** Forms change early. */
const SETTINGS = {
  "bind": "127.0.0.1",
  "port": "0",
  "save": "",
  "databases": "1",
  "set-max-intset-entries": "16",
  "hash-max-listpack-entries": "64",
  "zset-max-listpack-entries": "64",
};

/** All requests, a pipeline at a time. */
function* pipelines(): Generator<Uint8Array> {
  for (const call of CALLS) {
    for (let pipeline = 0; pipeline < PIPELINES; pipeline++) {
      const requests = Array.from(
        { length: PIPELINE },
        (_, index) => encodeRequest(call(pipeline * PIPELINE + index)),
      );
      const bytes = new Uint8Array(requests.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const request of requests) {
        bytes.set(request, at);
        at += request.length;
      }
      yield bytes;
    }
  }
}

/** A connection from nowhere: it brings the requests, and what is written to it is gone. */
class Warmer implements Connection {
  readonly remote = "127.0.0.1:0";
  readonly local = "127.0.0.1:0";
  readonly fromLoopback = true;
  /** Settled when all requests have been read. */
  readonly done: Promise<void>;
  private finish: () => void = () => {};
  private readonly source = pipelines();
  private pending: Uint8Array = new Uint8Array(0);

  constructor() {
    this.done = new Promise((resolve) => this.finish = resolve);
  }

  /** The next pipeline, or as much of one as fits, after others had their turn. */
  read(room: Uint8Array): Promise<number | null> {
    return new Promise((resolve) => {
      afterSockets(() => {
        if (this.pending.length === 0) this.pending = this.source.next().value ?? this.pending;
        const piece = this.pending.subarray(0, room.length);
        room.set(piece);
        this.pending = this.pending.subarray(piece.length);
        if (piece.length === 0) this.finish();
        resolve(piece.length === 0 ? null : piece.length);
      });
    });
  }

  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(bytes.length);
  }

  close(): void {}
}

/** Sockets on which nobody comes but the warmer, once. */
function socketsFor(warmer: Warmer): Sockets {
  let waiting = true;
  const listen = (): SocketListener => {
    let refuse: (error: Error) => void = () => {};
    return {
      port: 0,
      close: () => refuse(new Error("the listener is closed")),
      accept: () => {
        const comes = waiting;
        waiting = false;
        if (comes) return Promise.resolve(warmer);
        return new Promise((_, reject) => refuse = reject);
      },
    };
  };
  const connect = () => Promise.reject(new Error("there is nobody else"));
  return { connect, listen, listenUnix: listen };
}

/** A machine without files: the data of the server that is warmed up for is none of ours. */
const NO_FILES: Files = {
  ...systemFiles,
  openToRead(): never {
    throw new Deno.errors.NotFound("No such file or directory");
  },
  exists: () => false,
};

/** Runs the hot commands where nobody sees it; settled, with how many of them were answered by an error, when that is done. */
export async function warmUp(): Promise<number> {
  const warmer = new Warmer();
  const sockets = socketsFor(warmer);
  const server = await startServer(SETTINGS, { sockets, files: NO_FILES, log: () => {} });
  await warmer.done;
  await new Promise((resolve) => setTimeout(resolve, FREEING_MS));
  await server.shutDownNow();
  return server.counters.errors;
}
