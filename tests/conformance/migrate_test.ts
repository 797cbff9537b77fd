/**
 * MIGRATE between a redis-server and servers of ours, in all directions.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Client } from "../../src/client/client.ts";
import type { BulkReply } from "../../src/protocol/reply.ts";
import type { RequestArgument } from "../../src/protocol/request_writer.ts";
import { startServer } from "../../src/server/mod.ts";
import { SampleData } from "../support/file_samples.ts";
import { MemoryFiles } from "../support/memory_files.ts";
import { plain } from "../support/memory_server.ts";
import { freePort } from "../support/ports.ts";
import { testSeed } from "../support/random.ts";
import { latin1Bytes } from "../support/rdb_bodies.ts";
import { startReferenceRedis } from "../support/reference_redis.ts";
import { whyNoReference } from "./peers.ts";

const ABSENT = await whyNoReference("redis-server");
const DATABASE = "3";
/** Longer than any test takes, shorter than any difference between times to live that a fault would make. */
const TRAVEL_MS = 600_000;

/** A server, and a connection to it. */
interface Node extends AsyncDisposable {
  readonly port: string;
  ask(...words: RequestArgument[]): Promise<unknown>;
  /** All keys of the selected database. */
  keys(): Promise<Uint8Array[]>;
}

async function nodeOf(port: number, stop: () => PromiseLike<void>): Promise<Node> {
  const client = new Client(await Deno.connect({ hostname: "127.0.0.1", port }));
  return {
    port: String(port),
    ask: async (name, ...rest) => plain(await client.send(name, ...rest)),
    keys: async () => {
      const reply = await client.command("KEYS", "*");
      assert(reply.kind === "array");
      return reply.items.map((item) => (item as BulkReply).bytes);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      client.close();
      await stop();
    },
  };
}

/** A server of ours. */
async function ours(): Promise<Node> {
  const settings = { port: "0", bind: "127.0.0.1", "enable-debug-command": "yes" };
  const server = await startServer(settings, { log: () => {}, files: new MemoryFiles() });
  return await nodeOf(server.port, () => server.shutDownNow());
}

/** A redis-server. */
async function theirs(): Promise<Node> {
  const port = freePort();
  const redis = await startReferenceRedis("--port", String(port), "--bind", "127.0.0.1");
  return await nodeOf(port, () => redis![Symbol.asyncDispose]());
}

const DIRECTIONS = [
  ["ours", "redis-server", ours, theirs],
  ["redis-server", "ours", theirs, ours],
  ["ours", "ours", ours, ours],
] as const;

/** What a node says of each key: type, encoding and when it expires. */
async function factsOf(node: Node, keys: readonly Uint8Array[]): Promise<unknown[][]> {
  const facts: unknown[][] = [];
  for (const key of keys) {
    const encoding = await node.ask("OBJECT", "ENCODING", key);
    facts.push([await node.ask("TYPE", key), encoding, await node.ask("PEXPIRETIME", key)]);
  }
  return facts;
}

for (const [from, to, startSource, startTarget] of DIRECTIONS) {
  Deno.test(`keys of all types move from ${from} to ${to}`, async () => {
    if (ABSENT !== undefined && from !== to) return console.log(`not tried: ${ABSENT}`);
    await using source = await startSource();
    await using target = await startTarget();
    const data = new SampleData(testSeed("migrate"), { databases: [Number(DATABASE)] });
    for (const words of data.everything()) await source.ask(...words.map(latin1Bytes));
    await source.ask("SELECT", DATABASE);
    await target.ask("SELECT", DATABASE);
    await source.ask("SET", "large", "0123456789abcdef".repeat(200_000));
    await source.ask("SET", "short", "1", "PX", TRAVEL_MS);
    const keys = await source.keys();
    assert(keys.length > 100);
    const before = await factsOf(source, keys);
    assert(before.filter(([, , expiry]) => Number(expiry) > 0).length > 10);
    const digest = await source.ask("DEBUG", "DIGEST");
    const call = ["MIGRATE", "127.0.0.1", target.port, "", DATABASE, "20000"];
    assertEquals(await source.ask(...call, "COPY", "KEYS", ...keys), "OK");
    assertEquals(await source.ask("DEBUG", "DIGEST"), digest);
    assertEquals(await target.ask("DEBUG", "DIGEST"), digest);
    await target.ask("FLUSHALL");
    // Once more, some alone and the rest together, through the connection that is kept.
    for (const key of keys.slice(0, 20)) {
      assertEquals(await source.ask(...call.with(3, ""), "KEYS", key), "OK");
    }
    assertEquals(await source.ask(...call, "REPLACE", "KEYS", ...keys), "OK");
    assertEquals(await source.ask("DBSIZE"), 0);
    assertEquals(await target.ask("DEBUG", "DIGEST"), digest);
    const after = await factsOf(target, keys);
    for (const [index, [type, encoding, expiry]] of after.entries()) {
      const [oldType, oldEncoding, oldExpiry] = before[index];
      assertEquals([type, encoding], [oldType, oldEncoding]);
      // The clocks of two servers may differ by a millisecond in either direction.
      const moved = Math.abs(Number(expiry) - Number(oldExpiry));
      assert(moved < (Number(oldExpiry) > 0 ? TRAVEL_MS : 1), `${oldExpiry} became ${expiry}`);
    }
  });
}

/** What a server says to calls of MIGRATE to `target`, each with the keys that are then here and there. */
async function story(source: Node, target: Node): Promise<unknown[]> {
  const told: unknown[] = [];
  const there = async (...words: string[]) => await target.ask(...words);
  const keysOf = async (node: Node) => (await node.ask("KEYS", "*") as string[]).sort().join(" ");
  const tell = async (line: string) => {
    const words = line.replaceAll("PORT", target.port).split(" ");
    told.push([line, await source.ask(...words), await keysOf(source), await keysOf(target)]);
  };
  await source.ask("FLUSHALL");
  await source.ask("MSET", "a", "1", "b", "2", "c", "3", "d", "4", "e", "5", "f", "6", "g", "7");
  await there("FLUSHALL");
  await tell("MIGRATE 127.0.0.1 PORT a 0 1000");
  await tell("MIGRATE 127.0.0.1 PORT a 0 1000 KEYS a");
  await tell("MIGRATE 127.0.0.1 PORT none 0 1000");
  await tell("MIGRATE 127.0.0.1 PORT  0 1000 keys none nobody");
  await tell("MIGRATE 127.0.0.1 PORT  0 1000 keys");
  await tell("MIGRATE 127.0.0.1 PORT b 99 1000");
  await tell("MIGRATE 127.0.0.1 PORT b 0 1000 AUTH secret");
  await tell("MIGRATE 127.0.0.1 PORT b 0 1000 AUTH2 nobody secret");
  await there("SET", "c", "there");
  await tell("MIGRATE 127.0.0.1 PORT  0 -1 KEYS b c d none");
  await tell("MIGRATE 127.0.0.1 PORT c 0 0 COPY");
  await tell("MIGRATE 127.0.0.1 PORT c 0 0 REPLACE COPY");
  await tell("MIGRATE 127.0.0.1 PORT  0 1000 REPLACE KEYS c e e");
  await tell("MIGRATE 127.0.0.1 PORT  0 1000 KEYS f f");
  told.push(await there("MGET", "a", "b", "c", "d", "e", "f"));
  await there("CONFIG", "SET", "requirepass", "secret");
  await there("CLIENT", "KILL", "TYPE", "normal");
  await tell("MIGRATE 127.0.0.1 PORT g 0 1000");
  await tell("MIGRATE 127.0.0.1 PORT g 0 1000 AUTH wrong");
  await tell("MIGRATE 127.0.0.1 PORT g 0 1000 AUTH wrong AUTH2 default secret");
  await there("CONFIG", "SET", "requirepass", "");
  return told;
}

/** What a server says to calls that reach no other server. */
async function alone(source: Node): Promise<unknown[]> {
  await source.ask("SET", "a", "1");
  const told: unknown[] = [];
  const nobody = String(freePort());
  for (
    const line of [
      `${nobody} a 0 100`,
      "nonsense a 0 100",
      // A server that keys move from answers nobody, itself neither.
      `${source.port} a 0 50`,
      "1 a x 100",
      "1 a 0 x",
      "1 a x 1 COPIES",
      "1 a x 1 AUTH",
      "1 a x 1 AUTH2 user",
      "1 a x 1 KEYS",
      "1 a x 1 AUTH keys",
      "1 a 0 1.5",
      "1 a 0",
    ]
  ) {
    told.push([
      line.replace(nobody, "NOBODY").replace(source.port, "SELF"),
      await source.ask("MIGRATE", "127.0.0.1", ...line.split(" ")),
    ]);
  }
  told.push(await source.ask("GET", "a"));
  return told;
}

Deno.test("MIGRATE says and does what that of redis-server does", async () => {
  if (ABSENT !== undefined) return console.log(`not compared: ${ABSENT}`);
  await using our = await ours();
  await using their = await theirs();
  await using target = await theirs();
  assertEquals(await story(our, target), await story(their, target));
  assertEquals(await alone(our), await alone(their));
});

Deno.test("redis-server gets from MIGRATE to ours what another redis-server says", async () => {
  if (ABSENT !== undefined) return console.log(`not compared: ${ABSENT}`);
  await using source = await theirs();
  await using our = await ours();
  await using their = await theirs();
  assertEquals(await story(source, our), await story(source, their));
});
