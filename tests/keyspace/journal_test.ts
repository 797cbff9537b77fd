import { assert, assertEquals } from "@std/assert";
import { Journal } from "../../src/keyspace/journal.ts";
import { copyKey, wordIndex, wordsAt } from "../../src/memory/entry.ts";
import { stringBytes } from "../../src/keyspace/strings.ts";
import { expiryOf, hasExpiry } from "../../src/keyspace/entry_facts.ts";
import { BLOCK_ENTRY } from "../../src/memory/arena.ts";
import { encodeRequest, type RequestArgument } from "../../src/protocol/request_writer.ts";
import type { Server } from "../../src/server/mod.ts";
import { dictBuckets, dictVisitBucket } from "../../src/memory/dict.ts";
import { type MemoryServer, startMemoryServer } from "../support/memory_server.ts";
import { seededRandom, testSeed } from "../support/random.ts";

const decoder = new TextDecoder();

/** The commands in the journal's bytes, one string each. */
function commandsIn(bytes: Uint8Array): string[] {
  const parts = decoder.decode(bytes).split("\r\n");
  const commands: string[] = [];
  for (let at = 0; parts[at]?.startsWith("*");) {
    const count = Number(parts[at].slice(1));
    commands.push(
      Array.from({ length: count }, (_, index) => parts[at + 2 + index * 2]).join(" "),
    );
    at += 1 + count * 2;
  }
  return commands;
}

/** All keys with their values and expiries, in an order that doesn't depend on hashes. */
function contents(server: Server): string[] {
  const { keyspace } = server;
  const found: string[] = [];
  const scratch = new Uint8Array(64);
  for (const database of keyspace.databases) {
    for (let bucket = 0; bucket < dictBuckets(keyspace.arena, database.dict); bucket++) {
      dictVisitBucket(keyspace.arena, database.dict, bucket, (entry) => {
        const expiry = hasExpiry(keyspace, entry) ? expiryOf(keyspace, entry) : "never";
        const key = decoder.decode(copyKey(keyspace.arena, entry));
        const value = decoder.decode(stringBytes(keyspace, entry, scratch).slice());
        found.push(`${database.number}/${key} ${expiry} ${value}`);
      });
    }
  }
  return found.sort();
}

Deno.test("journal: nothing is kept while nobody listens, and a listener learns the database", () => {
  const journal = new Journal();
  journal.append(3, ["SET", "unheard", "x"]);
  const first: string[] = [];
  const second: string[] = [];
  const listener = (bytes: Uint8Array) => first.push(...commandsIn(bytes));
  journal.listen(listener);
  journal.append(3, ["SET", "a", 1]);
  journal.append(3, ["DEL", "a"]);
  assertEquals(first, []);
  journal.endTurn();
  assertEquals(first, ["SELECT 3", "SET a 1", "DEL a"]);
  journal.append(3, ["SET", "b", 1]);
  journal.listen((bytes) => second.push(...commandsIn(bytes)));
  journal.append(3, ["SET", "c", 1]);
  journal.append(0, ["SET", "d", 1]);
  journal.endTurn();
  journal.unlisten(listener);
  journal.append(0, ["SET", "e", 1]);
  journal.endTurn();
  assertEquals(first.slice(3), ["SET b 1", "SELECT 3", "SET c 1", "SELECT 0", "SET d 1"]);
  assertEquals(second, ["SELECT 3", "SET c 1", "SELECT 0", "SET d 1", "SET e 1"]);
  assert(journal.offset > 0);
});

Deno.test("journal: each change is written once, as what repeats it at any time", async () => {
  await using machine = await startMemoryServer(1);
  const { server, clock } = machine;
  const connection = await machine.connect();
  await connection.ask("DEBUG", "SET-ACTIVE-EXPIRE", 0);
  const written: string[] = [];
  server.journal.listen((bytes) => written.push(...commandsIn(bytes)));
  const now = clock.now();
  const check = async (command: string, ...expected: string[]): Promise<void> => {
    await connection.ask(...command.split(" "));
    assertEquals(written.splice(0), expected, command);
  };
  await check("SET k v", "SELECT 0", "SET k v");
  await check("GET k");
  await check("SET k 2 NX");
  await check("SET k v EX 10", `SET k v PXAT ${now + 10_000}`);
  await check("SET k v XX GET PX 5000", `SET k v PXAT ${now + 5000}`);
  await check("SETEX k 100 v", `SET k v PXAT ${now + 100_000}`);
  await check("PSETEX k 100 v", `SET k v PXAT ${now + 100}`);
  await check("SET k w KEEPTTL", "SET k w KEEPTTL");
  await check("EXPIRE k 10", `PEXPIREAT k ${now + 10_000}`);
  await check("EXPIRE k 5 GT");
  await check("EXPIRE missing 5");
  await check("PEXPIREAT k 99999999999999", "PEXPIREAT k 99999999999999");
  await check("GETEX k");
  await check("GETEX k EX 7", `PEXPIREAT k ${now + 7000}`);
  await check("GETEX k PERSIST", "PERSIST k");
  await check("GETEX k PERSIST");
  await check("PERSIST k");
  await check("GETEX k EXAT 1", "DEL k");
  await check("SET k 1", "SET k 1");
  await check("EXPIRE k -1", "DEL k");
  await check("SET k 1", "SET k 1");
  await check("GETSET k 3", "SET k 3");
  await check("INCRBYFLOAT k 0.5", "SET k 3.5 KEEPTTL");
  await check("INCR k");
  await check("GETDEL k", "DEL k");
  await check("GETDEL k");
  await check("SETBIT bits 7 0", "SETBIT bits 7 0");
  await check("SETBIT bits 7 0");
  await check("BITFIELD bits GET u8 0 SET u8 0 0");
  await check("BITFIELD bits SET u8 0 1", "BITFIELD bits SET u8 0 1");
  const grown = "BITFIELD bits OVERFLOW FAIL SET u8 80 256";
  await check(grown, grown);
  await check(grown);
  await check("BITOP OR to bits", "BITOP OR to bits");
  await check("BITOP OR to none", "BITOP OR to none");
  await check("BITOP OR to none");
  await check("PFADD pf a", "PFADD pf a");
  await check("PFADD pf a");
  await check("PFCOUNT pf", "PFCOUNT pf");
  await check("PFCOUNT pf");
  await check("PFCOUNT pf pf");
  await check("PFMERGE pf", "PFMERGE pf");
  await check("PFDEBUG TODENSE pf", "PFDEBUG TODENSE pf");
  await check("PFDEBUG TODENSE pf");
  await check("PFDEBUG ENCODING pf");
  await check("INCRBY n 5", "INCRBY n 5");
  await check("MSET a 1 b 2", "MSET a 1 b 2");
  await check("MSETNX a 1 c 2");
  await check("DEL a missing b", "DEL a missing b");
  await check("DEL a");
  await check("SETRANGE r 3 x", "SETRANGE r 3 x");
  await check("SETRANGE r 3 ");
  await check("COPY r s DB 4", "COPY r s DB 4");
  await check("MOVE r 5", "MOVE r 5");
  await check("MOVE r 5");
  await check("SELECT 5");
  await check("RENAME r q", "SELECT 5", "RENAME r q");
  await check("SWAPDB 5 6", "SWAPDB 5 6");
  await check("SET in-five v PX 50", `SET in-five v PXAT ${now + 50}`);
  await check("SELECT 6");
  await check("SET in-six v PX 50", "SELECT 6", `SET in-six v PXAT ${now + 50}`);
  clock.advance(51);
  await check("GET in-six", "DEL in-six");
  await check("GET in-six");
  await check("DEL in-six");
  await check(
    "COPY q in-five DB 5",
    ...["SELECT 5", "MULTI", "DEL in-five", "SELECT 6", "COPY q in-five DB 5", "EXEC"],
  );
  await check("FLUSHDB", "FLUSHDB");
  await check("FLUSHALL", "FLUSHALL");
});

Deno.test("journal: a key that nobody asks for is written as removed once it expires", async () => {
  await using machine = await startMemoryServer(2);
  const connection = await machine.connect();
  await connection.ask("SELECT", 3);
  for (let index = 0; index < 20; index++) await connection.ask("SET", `k${index}`, "v", "PX", 5);
  const written: string[] = [];
  const done = new Promise<void>((resolve) => {
    machine.server.journal.listen((bytes) => {
      written.push(...commandsIn(bytes));
      if (written.length > 20) resolve();
    });
  });
  machine.clock.advance(6);
  await done;
  const expected = Array.from({ length: 20 }, (_, index) => `DEL k${index}`);
  assertEquals(written[0], "SELECT 3");
  assertEquals(written.slice(1).sort(), expected.sort());
});

/** A random command; many of them change something. */
function randomCommand(random: () => number, now: number): RequestArgument[] {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)];
  const key = `k${Math.floor(random() * 25)}`;
  const other = `k${Math.floor(random() * 25)}`;
  const database = Math.floor(random() * 4);
  const number = Math.floor(random() * 2000) - 1000;
  const size = random() < 0.05 ? 70_000 : 40;
  const value = random() < 0.4 ? String(number) : "v".repeat(Math.floor(random() * size));
  const ms = Math.floor(random() * 800) + 1;
  return pick<() => RequestArgument[]>([
    () => ["SET", key, value],
    () => ["SET", key, value, pick(["NX", "XX", "KEEPTTL", "GET"])],
    () => ["SET", key, value, "PX", ms],
    () => ["SETEX", key, 1, value],
    () => ["SETNX", key, value],
    () => ["GETSET", key, value],
    () => ["MSET", key, value, other, number],
    () => ["MSETNX", key, value, other, number],
    () => ["GET", key],
    () => ["GETDEL", key],
    () => ["GETEX", key, "PX", ms],
    () => ["GETEX", key, "PERSIST"],
    () => ["GETEX", key, "PXAT", now + ms - 300],
    () => ["INCRBY", key, number],
    () => ["DECR", key],
    () => ["INCRBYFLOAT", key, number / 16],
    () => ["APPEND", key, value],
    () => ["SETRANGE", key, Math.floor(random() * 100), value],
    () => ["SETBIT", key, random() < 0.1 ? 700_000 + number : number + 1000, number & 1],
    () => ["BITOP", pick(["AND", "OR", "XOR"]), key, other, key],
    () => ["BITFIELD", key, "OVERFLOW", "FAIL", "SET", "u7", number + 1000, 60 + (number & 127)],
    () => ["BITFIELD", key, "INCRBY", "i33", number + 1000, number],
    () => ["PFADD", `h${key}`, value, number],
    () => ["PFADD", `h${key}`],
    () => ["PFCOUNT", `h${key}`],
    () => ["PFMERGE", `h${key}`, `h${other}`],
    () => ["DEL", key, other],
    () => ["EXPIRE", key, Math.floor(random() * 3) - 1],
    () => ["PEXPIRE", key, ms, pick(["NX", "XX", "GT", "LT"])],
    () => ["PEXPIREAT", key, now + ms - 100],
    () => ["PERSIST", key],
    () => ["RENAME", key, other],
    () => ["RENAMENX", key, other],
    () => ["COPY", key, other, "REPLACE"],
    () => ["COPY", key, other, "DB", database],
    () => ["MOVE", key, database],
    () => ["SELECT", database],
    () => random() < 0.3 ? ["SWAPDB", database, 0] : ["EXISTS", key],
    () => random() < 0.1 ? ["FLUSHDB"] : ["TTL", key],
    () => random() < 0.03 ? ["FLUSHALL"] : ["TOUCH", key],
    () => ["SCAN", 0, "COUNT", 50],
    () => ["RANDOMKEY"],
  ])();
}

Deno.test("journal: a second server that repeats it holds the same", async () => {
  const seed = testSeed("journal");
  const random = seededRandom(seed);
  await using original = await startMemoryServer(seed);
  await using copy: MemoryServer = await startMemoryServer(seed + 1);
  const source = await original.connect();
  const target = await copy.connect();
  // Only what the journal says may happen there, and here nothing while the two are compared.
  await target.ask("DEBUG", "SET-ACTIVE-EXPIRE", 0);
  await source.ask("DEBUG", "SET-ACTIVE-EXPIRE", 0);
  const turns: Uint8Array[] = [];
  original.server.journal.listen((bytes) => turns.push(bytes.slice()));
  let sent = 0;
  for (let step = 0; step < 4000; step++) {
    await source.ask(...randomCommand(random, original.clock.now()));
    if (random() < 0.03) original.clock.advance(Math.floor(random() * 400));
    if (random() < 0.05) {
      const database = original.server.keyspace.databases[0];
      for (let look = 0; look < 5 && database.volatile.length > 0; look++) {
        const position = Math.floor(random() * database.volatile.length);
        original.server.expiry.expireStretch(database, position, 1);
      }
      // Else what has expired would be written with the next turn, and that may be the check's.
      original.server.journal.endTurn();
    }
    if (step % 200 !== 199) continue;
    for (const bytes of turns.splice(0)) {
      target.send(bytes);
      for (let left = commandsIn(bytes).length; left > 0; left--) {
        const reply = await target.reply();
        assert(reply.kind !== "error", reply.kind === "error" ? reply.text() : "");
        sent++;
      }
    }
    assertEquals(await source.ask("DEBUG", "CHECK"), "OK");
    assertEquals(await target.ask("DEBUG", "CHECK"), "OK");
    assertEquals(turns, [], "a check changes nothing");
    // The copy's clock stands still, so that it expires nothing by itself.
    assertEquals(contents(copy.server), contents(original.server));
  }
  assert(sent > 1000, `${sent} commands`);
});

Deno.test("journal: a block of an entry tells its database, as a snapshot needs it", async () => {
  await using machine = await startMemoryServer(3);
  const connection = await machine.connect();
  connection.send(encodeRequest(["SELECT", 2]), encodeRequest(["SET", "key", "value"]));
  await connection.reply();
  await connection.reply();
  await connection.ask("SWAPDB", 2, 7);
  const { keyspace } = machine.server;
  const ids: number[] = [];
  keyspace.arena.walk((address, _units, kind) => {
    if (kind === BLOCK_ENTRY) ids.push(wordsAt(keyspace.arena, address)[wordIndex(address) + 4]);
  });
  assertEquals(ids, [2]);
  assertEquals(keyspace.databases[7].id, 2);
});
