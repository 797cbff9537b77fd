import { assert, assertEquals } from "@std/assert";
import { dictBytes } from "../../src/memory/dict_statistics.ts";
import { findMemoryProblems } from "../../src/server/memory_commands.ts";
import type { MemoryReport } from "../../src/server/memory_report.ts";
import { startMemoryServer } from "../support/memory_server.ts";
import { parseReply, type ReplyNode } from "../support/reference_redis.ts";
import { startSideBySide } from "../support/side_by_side.ts";

/** Names and types of a reply's parts, without their values. */
function shape(node: ReplyNode): string {
  const items = node.items.map((item, index) =>
    item.marker === "$" && index % 2 === 0 ? item.text! : shape(item)
  );
  return `${node.marker}(${items.join(" ")})`;
}

Deno.test("MEMORY STATS has Redis' fields in Redis' order and types", async () => {
  await using servers = await startSideBySide(51);
  if (servers === undefined) return;
  await servers.same("SET", "a", "1");
  await servers.same("SELECT", "7");
  await servers.same("SET", "b", "1", "EX", "1000");
  for (const version of ["2", "3"]) {
    await servers.both("HELLO", version);
    const [expected, actual] = await servers.both("MEMORY", "STATS");
    assertEquals(shape(parseReply(actual)), shape(parseReply(expected)));
  }
});

Deno.test("MEMORY: arguments that are wrong are answered as by Redis", async () => {
  await using servers = await startSideBySide(52);
  if (servers === undefined) return;
  await servers.same("SET", "key", "v");
  // deno-fmt-ignore
  const lines = [
    "USAGE", "USAGE none", "USAGE key SAMPLES -1", "USAGE key SAMPLES x", "USAGE key SAMPLES", "USAGE key FOO",
    "USAGE none SAMPLES -1", "USAGE none SAMPLES 0", "USAGE none FOO", "FOO", "STATS x", "DOCTOR x", "PURGE x", "PURGE",
    "MALLOC-STATS x", "HELP x", "",
  ];
  for (const line of lines) await servers.same("MEMORY", ...line.split(" "));
});

Deno.test("MEMORY USAGE is what goes when the key goes", async () => {
  await using machine = await startMemoryServer(53);
  const connection = await machine.connect();
  const { arena } = machine.server.keyspace;
  await connection.ask("DEBUG", "POPULATE", 1000);
  for (const size of [1, 100, 5000, 70_000, 1_000_000]) {
    await connection.ask("SET", "key", "x".repeat(size), "EX", 100);
    const told = Number(await connection.ask("MEMORY", "USAGE", "key"));
    const before = arena.usedBytes;
    await connection.ask("DEL", "key");
    const gone = before - arena.usedBytes;
    // The share of the table is told, too, but the table stays.
    assert(told >= gone && told < gone + 40, `${size}: ${told}, ${gone} gone`);
  }
});

Deno.test("MEMORY USAGE of a collection is all that hangs on it", async () => {
  await using machine = await startMemoryServer(56);
  const connection = await machine.connect();
  const { keyspace } = machine.server;
  const many = Array.from({ length: 3_000 }, (_, index) => `element ${index * 7}`);
  const scored = many.flatMap((member, index) => [String(index % 50), member]);
  const makers: readonly (readonly string[])[] = [
    ["RPUSH", "key", "a", "b"],
    ["RPUSH", "key", ...many],
    ["SADD", "key", "1", "2"],
    ["SADD", "key", "a"],
    ["SADD", "key", ...many],
    ["HSET", "key", "a", "b"],
    ["HSET", "key", ...many],
    ["ZADD", "key", "1", "a"],
    ["ZADD", "key", ...scored],
    ["XADD", "key", "1-1", "a", "b"],
    ["XADD", "key", "1-1", ...many],
  ];
  await connection.ask("SET", "other", "value");
  for (const words of makers) {
    await connection.ask(...words);
    if (words[0] === "XADD") {
      for (let number = 2; number < 500; number++) {
        await connection.ask("XADD", "key", `1-${number}`, "a", "b".repeat(number % 50));
      }
      await connection.ask("XGROUP", "CREATE", "key", "group", "0");
      await connection.ask("XREADGROUP", "GROUP", "group", "me", "STREAMS", "key", ">");
    }
    const told = Number(await connection.ask("MEMORY", "USAGE", "key"));
    const sampled = Number(await connection.ask("MEMORY", "USAGE", "key", "SAMPLES", "20"));
    assert(Math.abs(sampled - told) <= told * 0.1, `${words[0]}: ${sampled} for ${told}`);
    const before = keyspace.arena.usedBytes;
    await connection.ask("DEL", "key");
    while (keyspace.freeDying(1000));
    const gone = before - keyspace.arena.usedBytes;
    const share = Math.round(dictBytes(keyspace.arena, keyspace.databases[0].dict) / 2);
    assertEquals(told, gone + share, words.slice(0, 4).join(" "));
  }
});

Deno.test("MEMORY STATS: the parts are what they are parts of", async () => {
  await using machine = await startMemoryServer(54);
  const connection = await machine.connect();
  await connection.ask("DEBUG", "POPULATE", 10_000, "key", 100);
  await connection.ask("SET", "big", "x".repeat(3_000_000));
  await connection.ask("DEL", "big");
  const list = await connection.ask("MEMORY", "STATS") as unknown[];
  const fields = new Map<unknown, number>();
  for (let index = 0; index < list.length; index += 2) {
    fields.set(list[index], Number(list[index + 1]));
  }
  const field = (name: string): number => fields.get(name)!;
  assertEquals(field("keys.count"), 10_000);
  assertEquals(field("total.allocated"), field("overhead.total") + field("dataset.bytes"));
  assert(field("dataset.bytes") > 1_000_000 && field("dataset.bytes") < 2_000_000);
  assert(field("peak.allocated") >= field("total.allocated"));
  assert(field("allocator.active") >= field("allocator.allocated"));
  assert(field("keys.bytes-per-key") > 100 && field("keys.bytes-per-key") < 250);
});

Deno.test("MEMORY DOCTOR says what is wrong, and nothing when nothing is", async () => {
  await using machine = await startMemoryServer(55);
  const connection = await machine.connect();
  const small = String(await connection.ask("MEMORY", "DOCTOR"));
  assert(/too little memory/.test(small), small);
  await connection.ask("DEBUG", "POPULATE", 10, "key", 1_000_000);
  const well = String(await connection.ask("MEMORY", "DOCTOR"));
  assert(!/too little memory/.test(well), well);

  const mebibyte = 1024 * 1024;
  const report: MemoryReport = {
    peak: 100 * mebibyte,
    total: 100 * mebibyte,
    startup: 0,
    clients: 0,
    replicas: 0,
    backlog: 0,
    databases: [],
    overhead: 0,
    keys: 1,
    dataset: 100 * mebibyte,
    allocated: 100 * mebibyte,
    active: 100 * mebibyte,
    resident: 150 * mebibyte,
    startupResident: 50 * mebibyte,
  };
  const problems = (changes: Partial<MemoryReport>): string[] =>
    findMemoryProblems({ ...report, ...changes }, 10).map((line) => line.split(":")[0]);
  assertEquals(problems({}), []);
  assertEquals(problems({ peak: 160 * mebibyte }), ["Peak memory"]);
  assertEquals(problems({ active: 150 * mebibyte }), ["Fragmentation"]);
  assertEquals(problems({ resident: 250 * mebibyte }), ["Memory outside of the data"]);
  assertEquals(problems({ clients: 3 * mebibyte }), ["Large clients"]);
});

Deno.test("MEMORY PURGE and MALLOC-STATS", async () => {
  await using machine = await startMemoryServer(56);
  const connection = await machine.connect();
  await connection.ask("SET", "key", "v");
  const { arena } = machine.server.keyspace;
  await connection.ask("DEBUG", "POPULATE", 60_000, "some", 200);
  for (let number = 0; number < 60_000; number += 100) {
    const names = Array.from({ length: 98 }, (_, index) => `some:${number + index}`);
    await connection.ask("DEL", ...names);
  }
  const before = arena.usage().segmentBytes;
  assertEquals(await connection.ask("MEMORY", "PURGE"), "OK");
  const after = arena.usage().segmentBytes;
  assert(after < before / 2, `${before} ${after}`);
  assertEquals(await connection.ask("DEBUG", "CHECK"), "OK");
  const text = String(await connection.ask("MEMORY", "MALLOC-STATS"));
  assert(/^ {2}entries: 1201 blocks, \d+ bytes$/m.test(text), text);
});
