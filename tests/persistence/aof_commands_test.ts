import { assert, assertEquals } from "@std/assert";
import { latin1Text } from "../../src/client/quoting.ts";
import type { Keyspace } from "../../src/keyspace/keyspace.ts";
import { DictWalk } from "../../src/memory/dict_walk.ts";
import { AofCommandWriter, writeCommands } from "../../src/persistence/aof_commands.ts";
import type { SnapshotFacts } from "../../src/persistence/rdb_file_writer.ts";
import { encodeRequest, type RequestArgument } from "../../src/protocol/request_writer.ts";
import { type MemoryConnection, plain, startMemoryServer } from "../support/memory_server.ts";
import { latin1Bytes } from "../support/rdb_bodies.ts";
import { seededRandom } from "../support/random.ts";
import {
  parseReply,
  type ReferenceRedis,
  startReferenceRedis,
} from "../support/reference_redis.ts";
import { referenceTool } from "../support/reference_tool.ts";
import { joinBytes } from "../../src/protocol/joined_bytes.ts";

const BUFFER_BYTES = 64 * 1024;
const LIBRARY = "#!lua name=counting\nredis.register_function('one', function() return 1 end)\n";
/** A name that no text is. */
const BINARY = latin1Bytes("\0\r\n$3\r\n\xff\xfe\x80*");
/** Far enough for all clocks here, the real one and those that stand still. */
const LATER_MS = 4_000_000_000_000;

type Command = readonly RequestArgument[];

function facts(...functions: readonly string[]): SnapshotFacts {
  return {
    seconds: 0,
    usedMemory: 0,
    aofBase: true,
    replication: null,
    functions: functions.map(latin1Bytes),
  };
}

/** The commands that make the data of `keyspace`, as bytes. */
function written(keyspace: Keyspace, ...functions: readonly string[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = writeCommands(keyspace, facts(...functions), (bytes) => {
    // They are only good during the call.
    pieces.push(bytes.slice());
  });
  const whole = joinBytes(pieces);
  assertEquals(writer.bytes, whole.length);
  const keys = keyspace.databases.reduce((sum, database) => sum + database.size, 0);
  assertEquals(writer.keys, keys);
  return whole;
}

/** Commands taken apart, a byte a character. */
function parsed(bytes: Uint8Array): string[][] {
  const text = latin1Text(bytes);
  let at = 0;
  const count = (mark: string): number => {
    const end = text.indexOf("\r\n", at);
    assertEquals(text[at], mark, `at ${at}`);
    const line = text.slice(at + 1, end);
    assertEquals(line, String(Number(line)));
    at = end + 2;
    return Number(line);
  };
  const commands: string[][] = [];
  while (at < text.length) {
    const command: string[] = [];
    for (let words = count("*"); words > 0; words--) {
      const length = count("$");
      command.push(text.slice(at, at + length));
      at += length + 2;
      assertEquals(text.slice(at - 2, at), "\r\n");
    }
    commands.push(command);
  }
  return commands;
}

/** Runs commands, none of which may fail. */
async function run(client: MemoryConnection, commands: Iterable<Command>): Promise<void> {
  for (const command of commands) {
    const reply = await client.ask(...command);
    assert(typeof reply !== "string" || !reply.startsWith("-"), `${command[0]}: ${reply}`);
  }
}

/** Has a server execute what a file holds; nothing of it may fail. */
async function replay(client: MemoryConnection, bytes: Uint8Array): Promise<void> {
  const count = parsed(bytes).length;
  client.send(bytes);
  for (let left = count; left > 0; left--) {
    const reply = plain(await client.reply());
    assert(typeof reply !== "string" || !reply.startsWith("-"), String(reply));
  }
}

/** Commands as lines in order, with the elements of a set, hash or sorted set in order, too: what is left is what they make, and how. */
function merged(commands: readonly (readonly string[])[]): string[] {
  const widths: Readonly<Record<string, number>> = { SADD: 1, ZADD: 2, HMSET: 2 };
  const elements = new Map<string, string[]>();
  const lines: string[] = [];
  let database = "";
  for (const command of commands) {
    const [name, key] = command;
    if (name === "SELECT") database = key;
    const width = widths[name];
    if (width === undefined) {
      lines.push(JSON.stringify([database, ...command]));
      continue;
    }
    // The length stays, so that another way of spreading elements over commands would show.
    const whole = JSON.stringify([database, name, key]);
    const found = elements.get(whole) ?? [];
    elements.set(whole, found);
    found.push(`${command.length} words`);
    for (let at = 2; at < command.length; at += width) {
      found.push(JSON.stringify(command.slice(at, at + width)));
    }
  }
  for (const [whole, found] of elements) lines.push(whole + found.sort().join());
  return lines.sort();
}

/** Commands that make a collection of `count` elements, in pieces. */
function* filling(
  name: string,
  key: RequestArgument,
  count: number,
  element: (index: number) => RequestArgument[],
): Iterable<Command> {
  const step = 500;
  for (let from = 0; from < count; from += step) {
    const indexes = Array.from({ length: Math.min(step, count - from) }, (_, at) => from + at);
    yield [name, key, ...indexes.flatMap(element)];
  }
}

const STRINGS: readonly Command[] = [
  ["SET", "inline", "value"],
  ["SET", "empty", ""],
  ["SET", "", "the empty name"],
  ["SET", "int32", "-2147483648"],
  ["SET", "int64", "9223372036854775807"],
  ["SET", "lowest", "-9223372036854775808"],
  ["SET", "zeros", "007"],
  ["SET", BINARY, BINARY],
  ["APPEND", "grown", "a"],
  ["APPEND", "grown", "b"],
  ["SETBIT", "bits", "1000", "1"],
  ["SET", "almost external", "x".repeat(BUFFER_BYTES - 1)],
  ["SET", "external", "y".repeat(BUFFER_BYTES)],
  ["SET", "long", "z".repeat(300_000)],
  ["SET", "k".repeat(70_000), "a long name"],
];

const SCORES = [
  ...["0", "-0", "1", "-1", "0.1", "1e-5", "3.0000000000000004", "1e17", "123456789012345678"],
  ...["inf", "-inf", "5e-324", "1.7976931348623157e308", "-2.2250738585072014e-308", "1e21"],
  ...["9007199254740993", "0.30000000000000004", "12345.678", "1e100", "2.5"],
];

function collections(): Command[] {
  const integer = (index: number): string => String((index * 7919) % 5003 - 2500);
  return [
    ["RPUSH", "small list", "a", "", "12", "-4000000000", "9223372036854775807", BINARY],
    ...filling("RPUSH", "list of 64", 64, (index) => [index]),
    ...filling("RPUSH", "list of 65", 65, (index) => [index]),
    ...filling("RPUSH", "large list", 3000, (index) => [index % 3 === 0 ? index : `e${index}`]),
    ["RPUSH", "wide list", "a", "w".repeat(100_000), "b"],
    ["SADD", "intset", "1", "-5", "70000", "9223372036854775807"],
    ["SADD", "small set", "1", "two", "", BINARY],
    ...filling("SADD", "large intset", 500, (index) => [integer(index)]),
    ...filling("SADD", "large set", 2000, (index) => [integer(index), `m${index}`]),
    ["HSET", "small hash", "f", "v", "1", "2", "", "", BINARY, BINARY],
    ...filling("HSET", "hash of 64", 64, (index) => [`f${index}`, index]),
    ...filling("HSET", "large hash", 1500, (index) => [`f${index}`, index]),
    ["HSET", "wide hash", "f", "v".repeat(70_000), "w".repeat(70_000), "1"],
    ["ZADD", "small zset", ...SCORES.flatMap((score, index) => [score, `m${index}`])],
    ["ZADD", "integers", "1", "10", "2", "-20", "3", ""],
    ...filling("ZADD", "large zset", 1000, (index) => [String(index / 7), `m${index}`]),
    ["ZADD", "wide zset", ...SCORES.flatMap((score) => [score, "w".repeat(68) + score])],
  ];
}

/** Streams with all that can hang on one; times are past on every clock here. */
function streams(): Command[] {
  const delivered = (count: number): string[] => [
    ...["TIME", "1600000000123", "RETRYCOUNT", String(count), "FORCE", "JUSTID"],
  ];
  return [
    ["XADD", "stream", "1-1", "f", "v"],
    ["XADD", "stream", "1-2", "f", "v", "g", "2"],
    ["XADD", "stream", "2-0", "f", "-5"],
    ["XADD", "stream", "2-1", BINARY, BINARY],
    ["XADD", "stream", "3-0", "f", "deleted"],
    ["XDEL", "stream", "1-2", "3-0"],
    ["XGROUP", "CREATE", "stream", "group", "1-1"],
    ["XGROUP", "CREATE", "stream", BINARY, "0", "ENTRIESREAD", "1"],
    ["XGROUP", "CREATE", "stream", "nobody's", "$"],
    ["XGROUP", "CREATECONSUMER", "stream", "group", "idle"],
    ["XGROUP", "CREATECONSUMER", "stream", BINARY, BINARY],
    ["XCLAIM", "stream", "group", "one", "0", "1-1", ...delivered(1)],
    ["XCLAIM", "stream", "group", "two", "0", "2-0", "2-1", ...delivered(300)],
    ["XCLAIM", "stream", BINARY, BINARY, "0", "2-1", ...delivered(5_000_000_000)],
    ["XADD", "emptied", "7-7", "f", "v"],
    ["XADD", "emptied", "8-8", "f", "v"],
    ["XDEL", "emptied", "7-7"],
    ["XTRIM", "emptied", "MAXLEN", "0"],
    ["XGROUP", "CREATE", "fresh", "group", "$", "MKSTREAM"],
    ["XADD", "highest", "18446744073709551615-18446744073709551615", "f", "v"],
    ["XGROUP", "CREATE", "highest", "group", "18446744073709551615-18446744073709551614"],
    ["XADD", "set ahead", "1-0", "f", "v"],
    ["XSETID", "set ahead", "99-0", "ENTRIESADDED", "9007199254740993", "MAXDELETEDID", "50-0"],
    ...Array.from(
      { length: 1000 },
      (_, index): Command => [
        ...["XADD", "large stream", `${5000 + index}-1`, "same", String(index)],
        ...(index % 9 === 0 ? ["other", "fields"] : []),
      ],
    ),
    ["XTRIM", "large stream", "MINID", "5150"],
    ["XGROUP", "CREATE", "large stream", "group", "0"],
    ["XREADGROUP", "GROUP", "group", "one", "COUNT", "400", "STREAMS", "large stream", ">"],
    ["XREADGROUP", "GROUP", "group", "two", "COUNT", "100", "STREAMS", "large stream", ">"],
  ];
}

const ELSEWHERE: readonly Command[] = [
  ["PEXPIREAT", "inline", LATER_MS],
  ["PEXPIREAT", "large list", LATER_MS + 1],
  ["PEXPIREAT", "intset", "9007199254740993"],
  ["PEXPIREAT", "small hash", LATER_MS + 3],
  ["PEXPIREAT", "large zset", LATER_MS + 4],
  ["PEXPIREAT", "stream", LATER_MS + 5],
  ["SELECT", 3],
  ["SET", "inline", "of the fourth database"],
  ["PEXPIREAT", "inline", LATER_MS + 6],
  ["SELECT", 15],
  ["RPUSH", "small list", "of the last database"],
  ["SELECT", 0],
];

const EVERYTHING: readonly Command[] = [
  ...STRINGS,
  ...collections(),
  ...streams(),
  ...ELSEWHERE,
];

/** The names of the streams in database 0. */
const STREAM_NAMES = [
  ...["stream", "emptied", "fresh", "highest", "set ahead", "large stream"],
];

/** Asks for what a digest leaves out. */
async function details(ask: (...words: string[]) => Promise<unknown>): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const name of STREAM_NAMES) {
    found.push(steady(await ask("XINFO", "STREAM", name, "FULL", "COUNT", "2000")));
    for (const group of ["group", latin1Text(BINARY)]) {
      const pending = await ask("XPENDING", name, group, "-", "+", "1000");
      // How long ago something was delivered depends on the clock; when is in XINFO.
      if (Array.isArray(pending)) found.push(pending.map(([id, , , count]) => [id, count]));
    }
  }
  for (const name of ["inline", "large list", "intset", "small hash", "large zset", "stream"]) {
    found.push(await ask("PEXPIRETIME", name));
  }
  for (const name of ["int32", "small list", "intset", "small set", "small hash", "small zset"]) {
    found.push(await ask("OBJECT", "ENCODING", name));
  }
  return found;
}

/** What XINFO says, without what depends on how memory is laid out or on when a file was loaded. */
function steady(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const items: unknown[] = [];
  for (let at = 0; at < value.length; at++) {
    if (/^(radix-tree-|seen-time)/.test(String(value[at]))) at++;
    else items.push(steady(value[at]));
  }
  return items;
}

/** Asks one of our servers, as {@linkcode askReference} does Redis. */
function ask(client: MemoryConnection): (...words: string[]) => Promise<unknown> {
  return async (...words) => valueOf(parseReply(await client.askRaw(...words.map(latin1Bytes))));
}

/** Each of these makes one key, and is written as what stands behind it. */
const EXAMPLES: Readonly<Record<string, readonly [made: Command[], commands: string[][]]>> = {
  "a string": [[["SETEX", "k", "100", "v"]], [
    ["SET", "k", "v"],
    ["PEXPIREAT", "k", "1700000100000"],
  ]],
  "an integer": [[["SET", "k", "-12345678901234"]], [["SET", "k", "-12345678901234"]]],
  "a list": [[["LPUSH", "k", "1", "b", ""]], [["RPUSH", "k", "", "b", "1"]]],
  "an intset": [[["SADD", "k", "3", "-1"]], [["SADD", "k", "-1", "3"]]],
  "a set": [[["SADD", "k", "m"]], [["SADD", "k", "m"]]],
  "a hash": [[["HSET", "k", "f", "1", "g", "w"]], [["HMSET", "k", "f", "1", "g", "w"]]],
  "a sorted set": [[["ZADD", "k", "inf", "a", "0.1", "2", "-5", "c", "3", "d"]], [
    ["ZADD", "k", "-5", "c", "0.10000000000000001", "2", "3", "d", "inf", "a"],
  ]],
  "a stream": [[["XADD", "k", "5-1", "f", "1"], ["XADD", "k", "6-2", "f", "2", "g", "h"]], [
    ["XADD", "k", "5-1", "f", "1"],
    ["XADD", "k", "6-2", "f", "2", "g", "h"],
    ["XSETID", "k", "6-2", "ENTRIESADDED", "2", "MAXDELETEDID", "0-0"],
  ]],
  "a stream without entries": [[["XADD", "k", "5-1", "f", "1"], ["XDEL", "k", "5-1"]], [
    ["XADD", "k", "MAXLEN", "0", "0-1", "x", "y"],
    ["XSETID", "k", "5-1", "ENTRIESADDED", "1", "MAXDELETEDID", "5-1"],
  ]],
  "a stream whose last id was set back": [
    [["XADD", "k", "5-1", "f", "1"], ["XDEL", "k", "5-1"], ["XSETID", "k", "3-0"]],
    [
      ["XADD", "k", "MAXLEN", "0", "0-1", "x", "y"],
      ["XSETID", "k", "5-1", "ENTRIESADDED", "1", "MAXDELETEDID", "5-1"],
      ["XSETID", "k", "3-0"],
    ],
  ],
  "a group": [
    [
      ["XGROUP", "CREATE", "k", "g", "3-0", "MKSTREAM", "ENTRIESREAD", "2"],
      ["XGROUP", "CREATECONSUMER", "k", "g", "c"],
    ],
    [
      ["XADD", "k", "MAXLEN", "0", "0-1", "x", "y"],
      ["XSETID", "k", "0-0", "ENTRIESADDED", "0", "MAXDELETEDID", "0-0"],
      ["XGROUP", "CREATE", "k", "g", "3-0", "ENTRIESREAD", "2"],
      ["XGROUP", "CREATECONSUMER", "k", "g", "c"],
    ],
  ],
  "what is pending": [
    [
      ["XADD", "k", "5-1", "f", "1"],
      ["XGROUP", "CREATE", "k", "g", "0"],
      ["XREADGROUP", "GROUP", "g", "c", "STREAMS", "k", ">"],
    ],
    [
      ["XADD", "k", "5-1", "f", "1"],
      ["XSETID", "k", "5-1", "ENTRIESADDED", "1", "MAXDELETEDID", "0-0"],
      ["XGROUP", "CREATE", "k", "g", "5-1", "ENTRIESREAD", "1"],
      [
        ...["XCLAIM", "k", "g", "c", "0", "5-1"],
        ...["TIME", "1700000000000", "RETRYCOUNT", "1", "JUSTID", "FORCE"],
      ],
    ],
  ],
};

Deno.test("aof commands: a value is written as the commands that Redis writes", async (test) => {
  for (const [what, [made, commands]] of Object.entries(EXAMPLES)) {
    await test.step(what, async () => {
      await using machine = await startMemoryServer(51);
      await run(await machine.connect(), made);
      assertEquals(parsed(written(machine.server.keyspace)), [["SELECT", "0"], ...commands]);
    });
  }
});

Deno.test("aof commands: functions come first, and empty databases aren't mentioned", async () => {
  await using machine = await startMemoryServer(52);
  const { keyspace } = machine.server;
  assertEquals(written(keyspace), new Uint8Array());
  const client = await machine.connect();
  await run(client, [["SELECT", 7], ["SET", "k", "v"]]);
  assertEquals(parsed(written(keyspace, LIBRARY, "second")), [
    ["FUNCTION", "LOAD", LIBRARY],
    ["FUNCTION", "LOAD", "second"],
    ["SELECT", "7"],
    ["SET", "k", "v"],
  ]);
});

Deno.test("aof commands: no command has more than 64 elements", async () => {
  await using machine = await startMemoryServer(53);
  const client = await machine.connect();
  const makers: [string, number][] = [["RPUSH", 1], ["SADD", 1], ["ZADD", 2], ["HMSET", 2]];
  for (const count of [63, 64, 65, 128, 1000]) {
    for (const [name, width] of makers) {
      await run(client, [["FLUSHALL"]]);
      await run(
        client,
        filling(name, "k", count, (at) => width === 1 ? [`e${at}`] : [at, `e${at}`]),
      );
      const sizes = parsed(written(machine.server.keyspace)).slice(1)
        .map((command) => (command.length - 2) / width);
      assertEquals(sizes.slice(0, -1), new Array(Math.ceil(count / 64) - 1).fill(64));
      assertEquals(sizes.at(-1), (count - 1) % 64 + 1);
    }
  }
});

Deno.test("aof commands: executed, they make the same data", async () => {
  await using source = await startMemoryServer(54);
  await using target = await startMemoryServer(55);
  const [from, to] = [await source.connect(), await target.connect()];
  await run(from, EVERYTHING);
  const bytes = written(source.server.keyspace);
  await replay(to, bytes);
  assertEquals(await to.ask("DEBUG", "DIGEST"), await from.ask("DEBUG", "DIGEST"));
  assertEquals(await to.ask("DEBUG", "CHECK"), "OK");
  await run(to, [["SELECT", 0]]);
  assertEquals(await details(ask(to)), await details(ask(from)));
  assertEquals(merged(parsed(written(target.server.keyspace))), merged(parsed(bytes)));
});

Deno.test("aof commands: every score comes back as the double that it was", async () => {
  await using source = await startMemoryServer(56);
  await using target = await startMemoryServer(57);
  const [from, to] = [await source.connect(), await target.connect()];
  const random = seededRandom(58);
  const view = new DataView(new ArrayBuffer(8));
  const scores: string[] = [];
  while (scores.length < 3000) {
    for (let at = 0; at < 8; at += 4) view.setUint32(at, random() * 0x100000000);
    const score = view.getFloat64(0);
    if (Number.isFinite(score)) scores.push(String(score));
  }
  for (const [name, count] of [["small", 100], ["large", scores.length]] as const) {
    await run(from, filling("ZADD", name, count, (at) => [scores[at], `m${at}`]));
  }
  await replay(to, written(source.server.keyspace));
  for (const [name, count] of [["small", 100], ["large", scores.length]] as const) {
    const members = Array.from({ length: count }, (_, at) => `m${at}`);
    const found = await to.ask("ZMSCORE", name, ...members) as string[];
    assertEquals(found.map(Number), scores.slice(0, count).map(Number));
  }
});

Deno.test("aof commands: a last id behind a deleted one is kept", async () => {
  await using source = await startMemoryServer(59);
  await using target = await startMemoryServer(60);
  const [from, to] = [await source.connect(), await target.connect()];
  await run(from, [
    ["XADD", "k", "1-0", "f", "v"],
    ["XADD", "k", "5-0", "f", "v"],
    ["XDEL", "k", "5-0"],
    ["XSETID", "k", "3-0"],
  ]);
  const bytes = written(source.server.keyspace);
  await replay(to, bytes);
  const expected = steady(await ask(from)("XINFO", "STREAM", "k", "FULL"));
  assertEquals(steady(await ask(to)("XINFO", "STREAM", "k", "FULL")), expected);
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  for (const command of parsed(bytes)) await askReference(redis, ...command);
  assertEquals(steady(await askReference(redis, "XINFO", "STREAM", "k", "FULL")), expected);
});

Deno.test("aof commands: what is pending of a deleted entry is lost, as in Redis", async () => {
  await using source = await startMemoryServer(61);
  await using target = await startMemoryServer(62);
  const [from, to] = [await source.connect(), await target.connect()];
  await run(from, [
    ["XADD", "k", "1-0", "f", "v"],
    ["XADD", "k", "2-0", "f", "v"],
    ["XGROUP", "CREATE", "k", "g", "0"],
    ["XREADGROUP", "GROUP", "g", "c", "STREAMS", "k", ">"],
    ["XDEL", "k", "1-0"],
  ]);
  const bytes = written(source.server.keyspace);
  await replay(to, bytes);
  const ids = async (asked: Promise<unknown>) => (await asked as unknown[][]).map(([id]) => id);
  const words = ["XPENDING", "k", "g", "-", "+", "9"];
  assertEquals(await ids(ask(to)(...words)), ["2-0"]);
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  for (const command of parsed(bytes)) await askReference(redis, ...command);
  assertEquals(await ids(askReference(redis, ...words)), ["2-0"]);
});

Deno.test("aof commands: the sink gets pieces of one buffer, and long strings where they lie", async () => {
  await using machine = await startMemoryServer(64);
  const client = await machine.connect();
  await run(client, [["SET", "long", "z".repeat(300_000)]]);
  await run(client, filling("SADD", "set", 100_000, (at) => [`member ${at}`]));
  await run(client, filling("RPUSH", "list", 100_000, (at) => [`element ${at}`]));
  const { keyspace } = machine.server;
  const sizes: number[] = [];
  const own = new Set<ArrayBufferLike>();
  const inArena: number[] = [];
  const writer = writeCommands(keyspace, facts(), (bytes) => {
    const lies = Array.from(
      { length: 4 },
      (_, segment) => (keyspace.arena.bytes[segment] as Uint8Array | undefined)?.buffer,
    );
    if (lies.includes(bytes.buffer)) inArena.push(bytes.length);
    else {
      own.add(bytes.buffer);
      sizes.push(bytes.length);
    }
  });
  assertEquals(inArena, [300_000]);
  assertEquals(own.size, 1);
  assert(sizes.every((size) => size <= BUFFER_BYTES));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  assertEquals(writer.bytes, total + 300_000);
  // One piece more in front of the long string, and one at the end.
  assert(sizes.length <= Math.ceil(total / (BUFFER_BYTES - 100)) + 2, `${sizes.length} pieces`);
});

Deno.test("aof commands: entries are written without the databases they are in, in any order", async () => {
  await using machine = await startMemoryServer(65);
  await run(await machine.connect(), EVERYTHING);
  const { keyspace } = machine.server;
  const entries: [database: number, entry: number][] = [];
  for (const database of keyspace.databases) {
    const walk = new DictWalk();
    walk.begin(keyspace.arena, database.dict);
    for (let entry = walk.next(); entry !== 0; entry = walk.next()) {
      entries.push([database.number, entry]);
    }
  }
  const random = seededRandom(66);
  entries.sort(() => random() - 0.5);
  const expected = merged(parsed(written(keyspace)));
  const denied = (name: string) => ({
    get: () => {
      throw new Error(`${name} isn't there`);
    },
  });
  const bare: Keyspace = Object.create(keyspace, {
    databases: denied("databases"),
    databasesById: denied("databasesById"),
    roots: denied("roots"),
  });
  const pieces: Uint8Array[] = [];
  const writer = new AofCommandWriter(bare, (bytes) => pieces.push(bytes.slice()));
  writer.begin(facts());
  for (const [database, entry] of entries) {
    writer.select(database);
    writer.entry(entry);
  }
  writer.end();
  assertEquals(writer.keys, entries.length);
  const withoutSelects = (lines: string[]) => lines.filter((line) => !line.includes('"SELECT"'));
  const found = merged(parsed(joinBytes(pieces)));
  assertEquals(withoutSelects(found), withoutSelects(expected));
});

Deno.test("aof commands: what the sink throws ends the writing", async () => {
  await using machine = await startMemoryServer(67);
  await run(await machine.connect(), EVERYTHING);
  let calls = 0;
  let message = "";
  try {
    writeCommands(machine.server.keyspace, facts(), () => {
      if (++calls === 3) throw new Error("the disk is full");
    });
  } catch (error) {
    message = (error as Error).message;
  }
  assertEquals([message, calls], ["the disk is full", 3]);
});

/** A folder with an append-only file of this base. */
class AppendOnlyFolder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "aof-commands-" });
  readonly folder = `${this.path}/appendonlydir`;

  constructor(base: Uint8Array) {
    Deno.mkdirSync(this.folder);
    Deno.writeFileSync(`${this.folder}/appendonly.aof.1.base.aof`, base);
    Deno.writeTextFileSync(
      `${this.folder}/appendonly.aof.manifest`,
      "file appendonly.aof.1.base.aof seq 1 type b\n",
    );
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Asks Redis, until it has loaded its file. */
async function askReference(
  redis: ReferenceRedis,
  ...words: readonly string[]
): Promise<unknown> {
  for (;;) {
    const node = parseReply(await redis.ask(...words.map(latin1Bytes)));
    if (node.marker === "-" && node.text!.startsWith("LOADING")) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    } else return valueOf(node);
  }
}

/** A reply as texts, a byte a character, and arrays of them; an error as `-` and its text. */
function valueOf({ marker, text, items }: ReturnType<typeof parseReply>): unknown {
  if (marker === "-") return `-${text}`;
  return marker === "*" ? items.map(valueOf) : text;
}

/** Waits until Redis has rewritten its append-only file, and gives the base. */
async function rewritten(redis: ReferenceRedis, folder: string): Promise<Uint8Array> {
  await askReference(redis, "CONFIG", "SET", "aof-use-rdb-preamble", "no");
  await askReference(redis, "BGREWRITEAOF");
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const info = String(await askReference(redis, "INFO", "persistence"));
    if (!/aof_rewrite_(in_progress|scheduled):1/.test(info)) break;
  }
  const manifest = await Deno.readTextFile(`${folder}/appendonly.aof.manifest`);
  const name = /file (\S+) seq \d+ type b/.exec(manifest)![1];
  return await Deno.readFile(`${folder}/${name}`);
}

Deno.test("aof commands: Redis loads them, has the same data, and writes the same", async () => {
  await using machine = await startMemoryServer(68);
  const client = await machine.connect();
  await run(client, EVERYTHING);
  const bytes = written(machine.server.keyspace, LIBRARY);
  using files = new AppendOnlyFolder(bytes);
  const options = ["--appendonly", "yes", "--dir", files.path];
  await using redis = await startReferenceRedis(...options);
  if (redis === undefined) return;
  // DEBUG answers while the file is still being loaded, where PING has to be asked again.
  await askReference(redis, "PING");
  assertEquals(await askReference(redis, "DEBUG", "DIGEST"), await client.ask("DEBUG", "DIGEST"));
  const reference = (...words: string[]) => askReference(redis, ...words);
  assertEquals(await details(reference), await details(ask(client)));
  const [library] = await reference("FUNCTION", "LIST", "WITHCODE") as unknown[][];
  assertEquals(library.at(-1), LIBRARY);
  // What Redis writes for the data that we have made it load is, but for the order, what we wrote.
  const theirs = await rewritten(redis, files.folder);
  assertEquals(merged(parsed(bytes)), merged(parsed(theirs)));
  // And we can do with theirs.
  await using target = await startMemoryServer(69);
  const to = await target.connect();
  await replay(to, encodeCommands(parsed(theirs).filter(([name]) => name !== "FUNCTION")));
  assertEquals(await to.ask("DEBUG", "DIGEST"), await client.ask("DEBUG", "DIGEST"));
});

function encodeCommands(commands: readonly (readonly string[])[]): Uint8Array {
  return joinBytes(commands.map((command) => encodeRequest(command.map(latin1Bytes))));
}

Deno.test("aof commands: redis-check-aof finds nothing to say", async () => {
  await using machine = await startMemoryServer(70);
  await run(await machine.connect(), EVERYTHING);
  using files = new AppendOnlyFolder(written(machine.server.keyspace, LIBRARY));
  const manifest = `${files.folder}/appendonly.aof.manifest`;
  const outcome = await referenceTool("redis-check-aof", [manifest]);
  if (outcome === undefined) return;
  assertEquals(outcome.code, 0, outcome.output);
  assert(outcome.output.includes("All AOF files and manifest are valid"), outcome.output);
});
