import { assertEquals } from "@std/assert";
import { startMemoryServer } from "../support/memory_server.ts";
import { seededRandom, testSeed } from "../support/random.ts";
import { type SideBySide, startSideBySide } from "../support/side_by_side.ts";

/** A list, a set and a sorted set in small and large forms, and what patterns lead to. */
async function fill(servers: SideBySide): Promise<void> {
  const numbers = ["3", "10", "-2", "2", "2", "1.5", "0x10", "inf", "-inf", "1e3", "7"];
  const words = ["b", "a", "c", "aa", "B", "", "10", "9", "\xff", "a b"];
  const many = Array.from({ length: 700 }, (_, index) => String((index * 7919) % 701));
  const commands: readonly (readonly string[])[] = [
    ["RPUSH", "numbers", ...numbers],
    ["RPUSH", "words", ...words],
    ["RPUSH", "many", ...many],
    ["SADD", "set", "3", "1", "2", "-5"],
    ["SADD", "wordset", ...words],
    ["SADD", "manyset", ...many],
    ["ZADD", "zset", "1", "b", "2", "a", "1", "c", "-0.5", "d"],
    ["ZADD", "manyzset", ...many.flatMap((member) => [String(Number(member) % 50), member])],
    ["RPUSH", "long", "x".repeat(100_000), "y".repeat(70_000)],
    ["RPUSH", "spaces", " 5", "3", "\t4", ""],
    ["RPUSH", "bad1", "1", "x"],
    ["RPUSH", "bad2", "1", "5 "],
    ["RPUSH", "bad3", "1", "nan"],
    ["RPUSH", "bad4", "1", "1e400"],
    ["RPUSH", "bad5", "1", "1e-310"],
    ["RPUSH", "tiny", "1", "0x1p-1074", "0x3p-1074"],
    ["SET", "string", "1"],
    ["HSET", "hash", "a", "1"],
  ];
  for (const words of commands) await servers.same(...words);
  for (const [index, element] of [...numbers, "a", "b", "c"].entries()) {
    await servers.same("SET", `w_${element}`, String((index * 5) % 7));
    await servers.same("SET", `o_${element}_x`, `object of ${element}`);
    await servers.same(
      "HSET",
      `h_${element}`,
      "weight",
      String((index * 3) % 5),
      "name",
      `n${index}`,
    );
  }
  await servers.same("SET", "w_7", "x".repeat(70_000));
  await servers.same("LPUSH", "w_2", "list", "instead");
}

// deno-fmt-ignore
const CALLS = [
  "SORT numbers", "SORT numbers DESC", "SORT numbers ALPHA", "SORT numbers LIMIT 2 3", "SORT numbers LIMIT -1 2",
  "SORT numbers LIMIT 0 0", "SORT numbers LIMIT 5 -1", "SORT numbers LIMIT 100 5", "SORT numbers LIMIT 0 99999999999",
  "SORT numbers LIMIT x 1", "SORT numbers LIMIT 1", "SORT numbers LIMIT 1 99999999999999999999",
  "SORT words", "SORT words ALPHA", "SORT words ALPHA DESC LIMIT 1 4", "SORT words ALPHA ASC", "SORT words FOO",
  "SORT many", "SORT many DESC LIMIT 10 20", "SORT many ALPHA LIMIT 0 30", "SORT many BY nosort", "SORT many BY nosort DESC",
  "SORT many BY nosort LIMIT 650 100", "SORT many BY nosort DESC LIMIT 300 5", "SORT many BY nosort LIMIT 10 0",
  "SORT set", "SORT set DESC", "SORT wordset ALPHA", "SORT manyset", "SORT manyset ALPHA DESC",
  "SORT zset", "SORT zset ALPHA", "SORT zset BY nosort", "SORT zset BY nosort DESC", "SORT zset BY nosort LIMIT 1 2",
  "SORT zset BY nosort DESC LIMIT 1 2", "SORT manyzset BY nosort", "SORT manyzset BY nosort DESC LIMIT 600 200",
  "SORT spaces", "SORT bad1", "SORT bad2", "SORT bad3", "SORT tiny", "SORT string", "SORT hash ALPHA", "SORT none",
  "SORT string FOO", "SORT none LIMIT x 1", "SORT string LIMIT 1", "SORT_RO numbers STORE x", "SORT_RO numbers", "SORT numbers STORE",
  "SORT numbers BY w_* LIMIT 0 3", "SORT words BY w_* ALPHA GET #", "SORT numbers BY h_*->weight GET # GET h_*->name",
  "SORT numbers BY h_*->weight DESC", "SORT numbers BY h_*->nosuch", "SORT numbers BY nosuch_*", "SORT numbers BY",
  "SORT numbers GET", "SORT numbers GET o_*_x", "SORT numbers GET w_*", "SORT numbers GET # GET #", "SORT numbers GET nostar",
  "SORT numbers GET h_*->", "SORT numbers GET h_*->name->x", "SORT numbers GET h_*", "SORT numbers GET *", "SORT zset ALPHA GET h_*->name",
  "SORT numbers BY nosort BY h_*->weight GET #", "SORT numbers BY h_*->weight BY nosort GET #", "SORT numbers DESC ASC",
  "SORT long ALPHA", "SORT long BY nosort GET #", "SORT many BY h_*->weight LIMIT 0 10 GET # GET h_*->name",
];

Deno.test("SORT: each option on each type is answered as Redis answers it, in both protocols", async () => {
  await using servers = await startSideBySide(71);
  if (servers === undefined) return;
  await fill(servers);
  for (const version of ["2", "3"]) {
    await servers.both("HELLO", version);
    for (const call of CALLS) {
      const words = call.split(" ");
      await servers.same(...words);
      if (/ STORE/.test(call) || words[0] === "SORT_RO") continue;
      await servers.same("SORT_RO", ...words.slice(1));
      await servers.same(...words, "STORE", "stored");
      await servers.same("TYPE", "stored");
      await servers.same("LRANGE", "stored", "0", "-1");
    }
  }
  for (const key of ["zset", "manyzset", "set", "numbers"]) {
    await servers.same("OBJECT", "ENCODING", key);
  }
  assertEquals(await servers.connection.ask("DEBUG", "CHECK"), "OK");
});

Deno.test("SORT: a number out of range is none", async () => {
  // After one of these, Redis takes no number at all for a while, so each has a server of its own.
  for (const key of ["bad4", "bad5"]) {
    await using servers = await startSideBySide(75);
    if (servers === undefined) return;
    await fill(servers);
    await servers.same("SORT", key);
  }
});

Deno.test("SORT STORE: what was there goes, its expiry too, also where it is what was sorted", async () => {
  await using servers = await startSideBySide(72);
  if (servers === undefined) return;
  await fill(servers);
  // deno-fmt-ignore
  const lines = [
    "EXPIRE numbers 1000", "SORT numbers STORE numbers", "LRANGE numbers 0 -1", "TTL numbers", "SORT set STORE string",
    "LRANGE string 0 -1", "SORT none STORE string", "EXISTS string", "SORT none STORE string", "SORT bad1 STORE words",
    "LLEN words", "SORT many STORE many", "LLEN many", "LINDEX many 350", "SORT manyset BY nosort STORE many",
    "LRANGE many 0 20", "SORT numbers GET nokey* STORE many", "LRANGE many 0 -1", "SORT zset BY nosort STORE zset", "TYPE zset",
  ];
  for (const line of lines) await servers.same(...line.split(" "));
  assertEquals(await servers.connection.ask("DEBUG", "CHECK"), "OK");
});

Deno.test("SORT tells of what it stores, and its patterns count as look-ups", async () => {
  await using machine = await startMemoryServer(73);
  const { keyspace } = machine.server;
  const client = await machine.connect();
  await client.ask("RPUSH", "list", "2", "1", "3");
  await client.ask("SET", "w_1", "5");
  const heard: string[] = [];
  keyspace.listen((_, key, event) => heard.push(`${event} ${new TextDecoder().decode(key)}`));
  const { hits, misses } = keyspace.counters;
  assertEquals(await client.ask("SORT", "list", "BY", "w_*", "STORE", "to"), 3);
  assertEquals([keyspace.counters.hits - hits, keyspace.counters.misses - misses], [2, 2]);
  assertEquals(await client.ask("SORT", "none", "STORE", "to"), 0);
  assertEquals(await client.ask("SORT", "none", "STORE", "to"), 0);
  assertEquals(heard, ["sortstore to", "del to"]);
});

Deno.test("SORT of numbers at random, against a sorted array", async () => {
  const random = seededRandom(testSeed("sort"));
  await using machine = await startMemoryServer(74);
  const client = await machine.connect();
  for (let round = 0; round < 40; round++) {
    const texts = Array.from(
      { length: 1 + Math.floor(random() * 300) },
      () => (random() < 0.5 ? Math.floor(random() * 100) : random() * 1000 - 500).toString(),
    );
    await client.ask("DEL", "list");
    await client.ask("RPUSH", "list", ...texts);
    const sorted = texts.toSorted((first, second) =>
      Number(first) - Number(second) || (first < second ? -1 : first > second ? 1 : 0)
    );
    const offset = Math.floor(random() * texts.length);
    const count = Math.floor(random() * 20);
    assertEquals(await client.ask("SORT", "list"), sorted);
    assertEquals(
      await client.ask("SORT", "list", "DESC", "LIMIT", offset, count),
      sorted.toReversed().slice(offset, offset + count),
    );
  }
});
