/**
 * The two servers: each with a connection over which batches of commands go and replies come back.
 *
 * @module
 */

import { connectSoon } from "../support/reference_redis.ts";
import { ReplySkipper } from "../../src/protocol/reply_skipper.ts";
import { EventListener } from "./event_listener.ts";
import { isPublished } from "./messages.ts";
import { ServerProcess } from "../support/program.ts";

/** The version whose answers are the measure. */
const REFERENCE_VERSION = "7.0.15";
/** A server that says nothing for so long hangs. */
const SILENCE_MS = 20_000;
/** So many of the last lines that a crashed server wrote tell one crash from another. */
const CRASH_LINES = 4;
const FIRST_BUFFER_BYTES = 1 << 16;

/** Both servers refuse longer strings, so that the limit is met without large memory. */
export const LONGEST_STRING = 2 * 1024 * 1024;

/** What came back for a batch; fewer replies than expected if something went wrong. */
export interface Answers {
  /** The bytes of each reply. */
  readonly replies: readonly Uint8Array[];
  /** Why there are not more. */
  readonly trouble?: string;
}

/** A server with the one connection to it. */
export class Peer {
  #connection: Deno.Conn | undefined;
  #buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  #start = 0;
  #end = 0;

  /** Hears what happens to its keys, once it is opened. */
  readonly events: EventListener;

  /** Makes a peer; {@linkcode reconnect} connects it. */
  constructor(readonly name: string, readonly connect: () => Promise<Deno.Conn>) {
    this.events = new EventListener(connect);
  }

  /** Closes the connection, if there is one, and opens another. */
  async reconnect(): Promise<void> {
    this.close();
    this.#start = 0;
    this.#end = 0;
    this.#connection = await this.connect();
  }

  /** Closes the connection. */
  close(): void {
    try {
      this.#connection?.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    this.#connection = undefined;
  }

  /** Sends `request` and waits for `count` replies. */
  async exchange(request: Uint8Array, count: number): Promise<Answers> {
    const replies: Uint8Array[] = [];
    const sending = this.#send(request).then(() => undefined, (error) => error as Error);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(`silent for ${SILENCE_MS} ms`), SILENCE_MS);
    });
    try {
      const trouble = await Promise.race([this.#collect(replies, count), silence]);
      if (trouble !== undefined) this.close();
      await sending;
      return { replies, trouble };
    } finally {
      clearTimeout(timer);
    }
  }

  async #send(request: Uint8Array): Promise<void> {
    const connection = this.#connection!;
    for (let sent = 0; sent < request.length;) {
      sent += await connection.write(request.subarray(sent));
    }
  }

  /** Collects replies; what hindered it, if something did. */
  async #collect(replies: Uint8Array[], count: number): Promise<string | undefined> {
    const connection = this.#connection!;
    const skipper = new ReplySkipper();
    let looked = this.#start;
    let item = this.#start;
    while (replies.length < count) {
      let end = -1;
      try {
        end = skipper.skip(this.#buffer, looked, this.#end);
      } catch (error) {
        return `not RESP: ${(error as Error).message}`;
      }
      if (end >= 0) {
        const isMessage = isPublished(this.#buffer, item, end);
        looked = end;
        item = end;
        // A message counts as a part of the reply that comes behind it.
        if (isMessage) continue;
        replies.push(this.#buffer.slice(this.#start, end));
        this.#start = end;
        continue;
      }
      item -= this.#start;
      this.#makeRoom();
      looked = this.#end;
      try {
        const size = await connection.read(this.#buffer.subarray(this.#end));
        if (size === null) return "closed the connection";
        this.#end += size;
      } catch (error) {
        return `connection lost: ${(error as Error).message}`;
      }
    }
    return undefined;
  }

  #makeRoom(): void {
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    if (this.#end === this.#buffer.length) {
      const larger = new Uint8Array(this.#buffer.length * 2);
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
  }
}

/** Both servers; disposing of them ends them. */
export interface Peers extends AsyncDisposable {
  /** The measure. */
  readonly redis: Peer;
  /** What is measured. */
  readonly miniredis: Peer;
  /** Starts miniredis anew, if what is in its memory is no longer sound. */
  restart(): Promise<void>;
}

/** Why `program` can't be the measure, or undefined if it can. */
export async function whyNoReference(program: string): Promise<string | undefined> {
  if (Deno.build.os === "windows") return "Redis doesn't run on Windows";
  try {
    const { stdout } = await new Deno.Command(program, { args: ["--version"] }).output();
    const version = new TextDecoder().decode(stdout);
    if (version.includes(`v=${REFERENCE_VERSION} `)) return undefined;
    return `${program} is not ${REFERENCE_VERSION}: ${version.trim()}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `there is no ${program}`;
    throw error;
  }
}

/** Starts redis-server, on a Unix socket in a folder of its own, and miniredis, on a free port. */
export async function startPeers(program: string): Promise<Peers> {
  const folder = await Deno.makeTempDir({ prefix: "differential-" });
  const path = `${folder}/redis.sock`;
  const options = [
    ...["--proto-max-bulk-len", String(LONGEST_STRING)],
    ...["--enable-debug-command", "yes", "--save", ""],
  ];
  const args = ["--port", "0", "--unixsocket", path, "--dir", folder, ...options];
  const process = new Deno.Command(program, {
    args,
    env: { LC_ALL: "C" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const stop = async () => {
    process.kill("SIGKILL");
    await process.status;
    await Deno.remove(folder, { recursive: true });
  };
  const crashes = new Set<string>();
  try {
    const redis = new Peer("redis", () => connectSoon(path));
    await redis.reconnect();
    let server = await ServerProcess.start(...options);
    const miniredis = new Peer("miniredis", async () => {
      try {
        return await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      } catch (error) {
        if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
        // It has crashed: that was seen as a disagreement, which is to be tried again.
        const { log } = await server.finish();
        if (!crashes.has(log.slice(-CRASH_LINES).join("\n"))) console.log(log.join("\n"));
        crashes.add(log.slice(-CRASH_LINES).join("\n"));
        server = await ServerProcess.start(...options);
        return await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      }
    });
    await miniredis.reconnect();
    return {
      redis,
      miniredis,
      async restart(): Promise<void> {
        await server[Symbol.asyncDispose]();
        server = await ServerProcess.start(...options);
        await miniredis.reconnect();
      },
      async [Symbol.asyncDispose](): Promise<void> {
        for (const peer of [redis, miniredis]) {
          peer.close();
          peer.events.close();
        }
        await server[Symbol.asyncDispose]();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
