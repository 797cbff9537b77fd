import { assert, assertEquals } from "@std/assert";
import { startMemoryServer } from "../support/memory_server.ts";
import { type SideBySide, startSideBySide } from "../support/side_by_side.ts";

/** Redis frees in a thread of its own; it is given so long. */
const FREEING_MS = 100;

function texts(count: number, length = 4): string[] {
  return Array.from({ length: count }, (_, index) => `${index}`.padStart(length, "x"));
}

/** Values just below and just above what is worth freeing later, by the command that makes them. */
const MAKERS: readonly (readonly string[])[] = [
  ["SADD", "key", ...texts(64)],
  // Up to 128 short members are in the entry here, and go with it.
  ["SADD", "key", ...texts(129)],
  ["SADD", "key", ...Array.from({ length: 200 }, (_, index) => String(index))],
  ["HSET", "key", ...texts(400)],
  ["HSET", "key", ...texts(128, 70)],
  ["HSET", "key", ...texts(130, 70)],
  ["ZADD", "key", ...texts(130).flatMap((text, index) => [String(index), text])],
  ["ZADD", "key", ...texts(100).flatMap((text, index) => [String(index), text])],
  ["RPUSH", "key", ...texts(1000)],
  ["RPUSH", "key", ...texts(64, 9000)],
  ["RPUSH", "key", ...texts(65, 9000)],
  ["SET", "key", "x".repeat(100_000)],
];

/** How many objects have been freed later. */
async function freed(pair: SideBySide): Promise<[redis: string, ours: string]> {
  const { keyspace } = pair.machine.server;
  await new Promise((resolve) => setTimeout(resolve, FREEING_MS));
  while (keyspace.freeDying(100));
  const replies = await pair.both("INFO", "memory");
  return replies.map((text) => text.match(/lazyfreed_objects:(\d+)/)![1]) as [string, string];
}

Deno.test("what is freed later, and counted, is what Redis frees later", async () => {
  await using pair = await startSideBySide(61);
  if (pair === undefined) return;
  const ways: readonly (readonly string[])[] = [
    ["UNLINK key"],
    ["DEL key"],
    ["SET key value"],
    ["SET other value", "RENAME other key"],
    ["SET other value", "COPY other key REPLACE"],
    ["EXPIRE key -1"],
    ["SADD other a", "SUNIONSTORE key other"],
    ["SORT nothing STORE key"],
  ];
  const settings = ["user-del", "server-del", "expire"];
  for (const way of ways) {
    for (const setting of ["none", ...settings]) {
      for (const name of settings) {
        const value = name === setting ? "yes" : "no";
        await pair.same("CONFIG", "SET", `lazyfree-lazy-${name}`, value);
      }
      await pair.same("CONFIG", "RESETSTAT");
      for (const maker of MAKERS) {
        await pair.same("DEL", "key", "other");
        await pair.same(...maker);
        for (const line of way) await pair.same(...line.split(" "));
      }
      const [redis, ours] = await freed(pair);
      assertEquals(ours, redis, `${way.join("; ")} with ${setting}`);
    }
  }
});

Deno.test("a large collection that goes is freed in slices, whatever takes it away", async () => {
  await using machine = await startMemoryServer(62);
  const { keyspace, reclaimer } = machine.server;
  const client = await machine.connect();
  const members = texts(20_000, 12);
  const fill = async () => assertEquals(await client.ask("SADD", "key", ...members), 20_000);
  await fill();
  await client.ask("SADD", "small", "a");
  const full = keyspace.arena.usedBytes;
  for (const line of ["DEL key", "UNLINK key", "SET key value", "RENAME small key"]) {
    await client.ask(...line.split(" "));
    assertEquals(keyspace.dying.length, 1, line);
    assert(keyspace.arena.usedBytes > full / 2, "nearly all of it is there still");
    assertEquals(await client.ask("DEBUG", "CHECK"), "OK");
    reclaimer.tick(0);
    while (keyspace.dying.length > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    assert(keyspace.arena.usedBytes < full / 2, "now it is gone");
    await client.ask("DEL", "key", "small");
    await fill();
    await client.ask("SADD", "small", "a");
  }
});

Deno.test("what is still to be freed makes room before anything is refused or evicted", async () => {
  await using machine = await startMemoryServer(63);
  const { keyspace } = machine.server;
  const client = await machine.connect();
  const members = texts(20_000, 12);
  for (const policy of ["noeviction", "allkeys-lru"]) {
    for (const way of ["DEL key", "FLUSHDB ASYNC"]) {
      await client.ask("FLUSHALL");
      await client.ask("CONFIG", "SET", "maxmemory", "0", "maxmemory-policy", policy);
      await client.ask("SET", "stays", "value");
      await client.ask("SELECT", "1");
      await client.ask("SADD", "key", ...members);
      const limit = machine.server.usedMemory;
      await client.ask("CONFIG", "SET", "maxmemory", String(limit));
      await client.ask(...way.split(" "));
      assertEquals(await client.ask("SELECT", "0"), "OK");
      assertEquals(await client.ask("SET", "new", "x".repeat(100_000)), "OK");
      assertEquals(await client.ask("SET", "another", "x"), "OK", `${policy}: ${way}`);
      assertEquals(await client.ask("EXISTS", "stays", "new", "another"), 3);
      assertEquals(keyspace.counters.evicted, 0);
    }
  }
});

Deno.test("collections are evicted as other keys are, and what they take counts", async () => {
  await using machine = await startMemoryServer(64);
  const { keyspace } = machine.server;
  const client = await machine.connect();
  const makers = [
    ["RPUSH", "list"],
    ["SADD", "set"],
    ["HSET", "hash"],
    ["XADD", "stream", "*"],
  ];
  for (let round = 0; round < 20; round++) {
    for (const [command, key, ...rest] of makers) {
      await client.ask(command, key + round, ...rest, ...texts(600, 10));
    }
    const scored = texts(300, 10).flatMap((text, index) => [String(index), text]);
    await client.ask("ZADD", `zset${round}`, ...scored);
  }
  const used = machine.server.usedMemory;
  const limit = Math.floor(used / 3);
  await client.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-random", "maxmemory", `${limit}`);
  assertEquals(await client.ask("SET", "new", "value"), "OK");
  assert(keyspace.counters.evicted > 50 && keyspace.counters.evicted < 90);
  assert(machine.server.usedMemory <= limit);
  assertEquals(await client.ask("DEBUG", "CHECK"), "OK");
});
