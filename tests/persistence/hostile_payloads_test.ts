import { assert, assertEquals } from "@std/assert";
import { checkKeyspace } from "../../src/keyspace/checking.ts";
import { latin1Text } from "../../src/client/quoting.ts";
import { type MemoryConnection, startMemoryServer } from "../support/memory_server.ts";
import { seededRandom, testSeed } from "../support/random.ts";
import {
  intsetBody,
  latin1Bytes,
  quicklistBody,
  RDB_BODIES,
  sortedSetBody,
} from "../support/rdb_bodies.ts";
import { restorePayload } from "../support/restore_payload.ts";

const ROUNDS = 6_000;
const REFUSED = "-ERR Bad data format";

/** Commands that make one value of each type in each of its forms at the key. */
const MAKERS: readonly (readonly string[])[] = [
  ["SET", "key", "text ".repeat(30)],
  ["RPUSH", "key", "a", "1", "-70000", "b".repeat(300), ""],
  ["RPUSH", "key", ...Array.from({ length: 400 }, (_, index) => `element ${index}`.repeat(4))],
  ["SADD", "key", "1", "2", "-5", "70000"],
  ["SADD", "key", "a", "2", "c", "x".repeat(100)],
  ["HSET", "key", "a", "1", "b", "text", "c", "x".repeat(60)],
  ["HSET", "key", "a", "1", "b", "text", "c", "x".repeat(100)],
  ["ZADD", "key", "1", "a", "2.5", "b", "-inf", "c", "7", "8"],
  ["ZADD", "key", "1", "a", "2.5", "b", "inf", "c", "7", "x".repeat(100)],
];

/** Calls that go through all of a value and change some of it; most have another type than the value. */
const USES: readonly (readonly string[])[] = [
  ["GET", "key"],
  ["APPEND", "key", "x"],
  ["LRANGE", "key", "0", "-1"],
  ["LPOP", "key"],
  ["RPUSH", "key", "new"],
  ["LINSERT", "key", "BEFORE", "1", "new"],
  ["LREM", "key", "0", "1"],
  ["SMEMBERS", "key"],
  ["SADD", "key", "new", "12"],
  ["SREM", "key", "1", "a"],
  ["HGETALL", "key"],
  ["HSET", "key", "new", "1", "a", "2"],
  ["HDEL", "key", "1", "b"],
  ["ZRANGE", "key", "0", "-1", "WITHSCORES"],
  ["ZRANGEBYSCORE", "key", "-inf", "3"],
  ["ZADD", "key", "3", "new", "0.5", "a"],
  ["ZREM", "key", "b"],
  ["XRANGE", "key", "-", "+"],
  ["XREVRANGE", "key", "+", "-"],
  ["XADD", "key", "*", "a", "b"],
  ["XDEL", "key", "1-1", "5-0"],
  ["XREADGROUP", "GROUP", "g", "c", "STREAMS", "key", ">"],
  ["XPENDING", "key", "g", "-", "+", "10"],
  ["XAUTOCLAIM", "key", "g", "other", "0", "0"],
  ["XACK", "key", "g", "1-1", "5-0"],
  ["XTRIM", "key", "MAXLEN", "1"],
  ["XGROUP", "DELCONSUMER", "key", "g", "c"],
  ["XINFO", "STREAM", "key", "FULL"],
  ["SORT", "key", "ALPHA"],
  ["COPY", "key", "copy", "REPLACE"],
  ["DUMP", "key"],
  ["DEBUG", "DIGEST-VALUE", "key"],
  ["DEBUG", "OBJECT", "key"],
  ["MEMORY", "USAGE", "key"],
  ["OBJECT", "ENCODING", "key"],
];

async function makeStream(client: MemoryConnection): Promise<void> {
  for (let entry = 1; entry < 8; entry++) {
    await client.ask("XADD", "key", `${entry}-1`, "field", String(entry * 1000), "other", "text");
  }
  await client.ask("XADD", "key", "9-1", "another", "field");
  await client.ask("XDEL", "key", "2-1");
  await client.ask("XGROUP", "CREATE", "key", "g", "0");
  await client.ask("XREADGROUP", "GROUP", "g", "c", "COUNT", "3", "STREAMS", "key", ">");
  await client.ask("XREADGROUP", "GROUP", "g", "d", "COUNT", "1", "STREAMS", "key", ">");
}

/** Bodies of values in all forms, as this server dumps them and as older ones did. */
async function bodies(client: MemoryConnection): Promise<string[]> {
  const found: string[] = [];
  const dumped = async () => {
    // Replies that are read as text would lose bytes.
    const reply = await client.askRaw("DUMP", "key");
    const start = reply.indexOf("\n") + 1;
    found.push(reply.slice(start, -12));
    await client.ask("DEL", "key");
  };
  for (const compression of ["yes", "no"]) {
    await client.ask("CONFIG", "SET", "rdbcompression", compression);
    for (const words of MAKERS) {
      await client.ask(...words);
      await dumped();
    }
    await makeStream(client);
    await dumped();
  }
  const texts = ["a", "1", "b", "-40000", "c", "x".repeat(70), "300", "70000", "d", "5000000000"];
  const scored = [["a", -1], ["b", 2], ["10", 7], ["c", 2.5e9]] as const;
  for (const form of Object.values(RDB_BODIES)) found.push(form(texts));
  for (const form of [3, 5, 12, 17] as const) found.push(sortedSetBody(form, scored));
  for (const width of [2, 4, 8]) found.push(intsetBody([-3, 0, 1, 400], width));
  for (const ziplists of [true, false]) found.push(quicklistBody([texts, ["z"], texts], ziplists));
  return found;
}

/** The body with some of its bytes changed, added or taken away. */
function mutated(body: string, random: () => number): string {
  const bytes = [...latin1Bytes(body)];
  const below = (limit: number) => Math.floor(random() * limit);
  for (let changes = 1 + below(3); changes > 0; changes--) {
    // Most of what is worth changing stands at the start.
    const at = random() < 0.5 ? below(Math.min(bytes.length, 24)) : below(bytes.length);
    const kind = random();
    if (kind < 0.4) bytes[at] = below(256);
    else if (kind < 0.6) bytes[at] ^= 1 << below(8);
    else if (kind < 0.7) bytes[at] = [0, 0x7f, 0x80, 0x81, 0xc3, 0xf0, 0xfe, 0xff][below(8)];
    else if (kind < 0.8) bytes.splice(at, 1 + below(4));
    else if (kind < 0.9) bytes.splice(at, 0, below(256));
    else bytes.length = Math.max(1, at);
  }
  return latin1Text(Uint8Array.from(bytes));
}

Deno.test("RESTORE takes what is whole in any form, and refuses the rest without a trace", async () => {
  const seed = testSeed("hostile payloads");
  const random = seededRandom(seed);
  await using machine = await startMemoryServer(seed);
  const { keyspace } = machine.server;
  const client = await machine.connect();
  const whole = await bodies(client);
  for (const body of whole) {
    const payload = restorePayload(latin1Bytes(body));
    assertEquals(await client.ask("RESTORE", "key", "0", payload, "REPLACE"), "OK", body);
    checkKeyspace(keyspace);
  }
  await client.ask("FLUSHALL");
  const empty = keyspace.arena.usedBytes;
  let taken = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const body = mutated(whole[Math.floor(random() * whole.length)], random);
    const payload = restorePayload(latin1Bytes(body));
    const reply = await client.ask("RESTORE", "key", "0", payload);
    if (reply === "OK") {
      taken++;
      for (let uses = 0; uses < 8; uses++) {
        await client.askRaw(...USES[Math.floor(random() * USES.length)]);
      }
      checkKeyspace(keyspace);
      await client.ask("DEL", "key", "copy");
    } else assertEquals(reply, REFUSED);
    while (keyspace.freeDying(100));
    assertEquals(keyspace.roots.count, 0);
    assert(keyspace.arena.usedBytes <= empty + 4096, `bytes are left of ${JSON.stringify(body)}`);
  }
  assert(taken > ROUNDS / 20 && taken < ROUNDS, `${taken} were taken`);
});
