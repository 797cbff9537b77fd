/**
 * A server of ours beside a redis-server, with a connection to each: the same commands to both, and
 * the bytes of the replies side by side.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type MemoryConnection, type MemoryServer, startMemoryServer } from "./memory_server.ts";
import { type ReferenceRedis, startReferenceRedis } from "./reference_redis.ts";

/** Both servers. */
export class SideBySide implements AsyncDisposable {
  /** Takes two servers and a connection to ours. */
  constructor(
    readonly redis: ReferenceRedis,
    readonly machine: MemoryServer,
    readonly connection: MemoryConnection,
  ) {}

  /** Sends a command to both and asserts that they reply with the same bytes, which it returns. */
  async same(...words: readonly (string | Uint8Array)[]): Promise<string> {
    const [expected, actual] = await this.both(...words);
    assertEquals(actual, expected, words.join(" ").slice(0, 200));
    return actual;
  }

  /** Sends a command to both and returns the replies: Redis' and ours, a byte a character. */
  async both(...words: readonly (string | Uint8Array)[]): Promise<[redis: string, ours: string]> {
    return [await this.redis.ask(...words), await this.connection.askRaw(...words)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
  }
}

/** Starts both, or gives undefined after saying why there is no redis-server here. */
export async function startSideBySide(seed: number): Promise<SideBySide | undefined> {
  const redis = await startReferenceRedis();
  if (redis === undefined) return undefined;
  const machine = await startMemoryServer(seed);
  return new SideBySide(redis, machine, await machine.connect());
}
