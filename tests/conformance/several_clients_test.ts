/**
 * Several clients that wait for keys, watch them and run transactions, on both servers: each must read the same,
 * byte for byte, whoever is served first.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { latin1Text } from "../../src/client/quoting.ts";
import { seededRandom, testSeed } from "../support/random.ts";
import { type Peer, type Peers, startPeers, whyNoReference } from "./peers.ts";
import { encodeStep, formatStep } from "./step.ts";

const CLIENTS = 6;
const STEPS = 2000;
/** So many of the last steps are shown. */
const SHOWN_STEPS = 60;
/** What isn't there after so many ms won't come. */
const LATE_MS = 500;
const PING = encodeStep({ words: ["PING"] });

/** One connection, and all that came over it since the last step. */
class Line {
  received = "";
  private closed = false;

  private constructor(private readonly connection: Deno.Conn) {}

  static async open(peer: Peer): Promise<Line> {
    const line = new Line(await peer.connect());
    line.readOn();
    return line;
  }

  async send(words: readonly string[]): Promise<void> {
    const bytes = encodeStep({ words });
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.connection.write(bytes.subarray(sent));
    }
  }

  close(): void {
    this.closed = true;
    this.connection.close();
  }

  private async readOn(): Promise<void> {
    const buffer = new Uint8Array(1 << 16);
    try {
      for (;;) {
        const size = await this.connection.read(buffer);
        if (size === null) break;
        this.received += latin1Text(buffer.subarray(0, size));
      }
    } catch (error) {
      if (!this.closed) throw error;
    }
    if (!this.closed) this.received += "(the end)";
  }
}

/** A client with a connection to each server. */
interface Client {
  lines: [redis: Line, miniredis: Line];
  /** Its command has had no reply yet. */
  waits: boolean;
}

/** Draws commands. */
class Source {
  private entries = 0;

  constructor(private readonly random: () => number) {}

  chance(share: number): boolean {
    return this.random() < share;
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  one<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }

  command(): string[] {
    if (this.chance(0.12)) return ["MULTI"];
    if (this.chance(0.12)) return [this.one(["EXEC", "EXEC", "EXEC", "DISCARD"])];
    if (this.chance(0.05)) return ["WATCH", this.key()];
    return this.one([
      () => this.listCommand(),
      () => this.zsetCommand(),
      () => this.streamCommand(),
      () => this.keyCommand(),
    ])();
  }

  private key(): string {
    return this.one(["a", "b", "c"]);
  }

  private keyCommand(): string[] {
    return this.one<() => string[]>([
      () => ["DEL", this.key()],
      () => ["DEL", this.key(), this.key()],
      () => [this.one(["RENAME", "COPY"]), this.key(), this.key()],
      () => ["SET", this.key(), "text"],
      () => ["TYPE", this.key()],
      () => this.chance(0.2) ? ["FLUSHALL"] : ["EXISTS", this.key()],
      () => ["MOVE", this.key(), this.one(["0", "1"])],
      () => ["SELECT", this.one(["0", "0", "0", "1"])],
    ])();
  }

  private listCommand(): string[] {
    const side = () => this.one(["LEFT", "RIGHT"]);
    const push =
      () => [this.one(["RPUSH", "LPUSH"]), this.key(), ...["1", "2", "3"].slice(this.below(3))];
    return this.one<() => string[]>([
      push,
      push,
      () => [this.one(["BLPOP", "BRPOP"]), this.key(), this.key(), "0"],
      () => ["BLMOVE", this.key(), this.key(), side(), side(), "0"],
      () => ["BRPOPLPUSH", this.key(), this.key(), "0"],
      () => ["BLMPOP", "0", "2", this.key(), this.key(), side(), "COUNT", "2"],
      () => ["LRANGE", this.key(), "0", "-1"],
    ])();
  }

  private zsetCommand(): string[] {
    return this.one<() => string[]>([
      () =>
        ["ZADD", this.key(), String(this.below(9)), "x", "3", "y"].slice(0, 4 + 2 * this.below(2)),
      () => [this.one(["BZPOPMIN", "BZPOPMAX"]), this.key(), this.key(), "0"],
      () => ["BZMPOP", "0", "1", this.key(), "MIN", "COUNT", "2"],
      () => ["ZRANGE", this.key(), "0", "-1"],
    ])();
  }

  private streamCommand(): string[] {
    const group = () => this.one(["g", "h"]);
    return this.one<() => string[]>([
      () => ["XADD", this.key(), `${++this.entries}-1`, "field", "value"],
      () => ["XADD", this.key(), `${++this.entries}-1`, "field", "value"],
      () => ["XREAD", "BLOCK", "0", "STREAMS", this.key(), "$"],
      () => ["XREAD", "COUNT", "1", "BLOCK", "0", "STREAMS", "a", "b", "$", `${this.entries}-0`],
      () => ["XGROUP", "CREATE", this.key(), group(), this.one(["0", "$"]), "MKSTREAM"],
      () => ["XREADGROUP", "GROUP", group(), "me", "BLOCK", "0", "STREAMS", this.key(), ">"],
      () => ["XREADGROUP", "GROUP", "g", "me", "NOACK", "BLOCK", "0", "STREAMS", this.key(), ">"],
      () => ["XGROUP", "DESTROY", this.key(), group()],
      () => ["XLEN", this.key()],
    ])();
  }
}

async function openClient({ redis, miniredis }: Peers): Promise<Client> {
  return { lines: [await Line.open(redis), await Line.open(miniredis)], waits: false };
}

/** Waits until both servers have done what they were sent, and all clients have read it. */
async function settle(peers: Peers, clients: readonly Client[]): Promise<void> {
  for (const peer of [peers.redis, peers.miniredis]) await peer.exchange(PING, 1);
  const stop = performance.now() + LATE_MS;
  do await new Promise((resolve) => setTimeout(resolve, 1)); while (
    performance.now() < stop &&
    clients.some(({ lines: [left, right] }) => left.received !== right.received)
  );
}

async function compare(peers: Peers, random: () => number): Promise<void> {
  const source = new Source(random);
  const clients: Client[] = [];
  while (clients.length < CLIENTS) clients.push(await openClient(peers));
  const log: string[] = [];
  for (let step = 0; step < STEPS; step++) {
    const index = source.below(CLIENTS);
    const client = clients[index];
    if (client.waits) {
      if (!source.chance(0.1)) continue;
      log.push(`${index}: (goes and comes back)`);
      for (const line of client.lines) line.close();
      clients[index] = await openClient(peers);
      await settle(peers, clients);
      continue;
    }
    const words = source.command();
    log.push(`${index}: ${formatStep({ words }, true)}`);
    client.waits = true;
    for (const line of client.lines) await line.send(words);
    await settle(peers, clients);
    for (const [number, { lines: [redis, miniredis] }] of clients.entries()) {
      const recent = `client ${number}, after\n${log.slice(-SHOWN_STEPS).join("\n")}`;
      assertEquals(miniredis.received, redis.received, recent);
      if (redis.received === "") continue;
      clients[number].waits = false;
      redis.received = "";
      miniredis.received = "";
    }
  }
  for (const { lines } of clients) for (const line of lines) line.close();
}

Deno.test("several clients that wait, watch and run transactions read the same as from redis-server", async () => {
  const absence = await whyNoReference("redis-server");
  if (absence !== undefined) {
    console.log(`not compared with Redis: ${absence}`);
    return;
  }
  const seed = testSeed("several clients");
  await using peers = await startPeers("redis-server");
  await compare(peers, seededRandom(seed));
  const check = await peers.miniredis.exchange(encodeStep({ words: ["DEBUG", "CHECK"] }), 1);
  assertEquals(latin1Text(check.replies[0]), "+OK\r\n");
});
