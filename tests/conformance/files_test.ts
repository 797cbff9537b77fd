/**
 * Files that a redis-server has written are loaded by ours, and ours by a redis-server.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { SampleData, type SampleOptions, type Words } from "../support/file_samples.ts";
import { referenceTool } from "../support/reference_tool.ts";
import { testSeed } from "../support/random.ts";
import {
  type ContentOptions,
  contentsOf,
  differences,
  type FileServer,
  type FileSet,
  OurServer,
  RedisServer,
  writeFiles,
} from "./file_servers.ts";
import { plain } from "../support/memory_server.ts";
import { parseReply } from "../support/reference_redis.ts";
import { whyNoReference } from "./peers.ts";
import { isToldByRedis, RandomChanges } from "./random_changes.ts";
import { encodeStep } from "./step.ts";

const ABSENT = await whyNoReference("redis-server");
if (ABSENT !== undefined) console.log(`files aren't exchanged with Redis: ${ABSENT}`);
const SEED = testSeed("files");
const AOF_FILES = /^appendonlydir\//;
/** So many of the differential tests' commands make up a file. */
const RANDOM_COMMANDS = Number(Deno.env.get("COMMANDS") ?? 4000);
const RDB_FILES = /^dump\.rdb$/;

type Settings = Readonly<Record<string, string>>;

function settingsOf(...settings: readonly Settings[]): readonly Settings[] {
  return settings;
}

/** A test that needs a redis-server. */
function exchange(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: ABSENT !== undefined, fn: run });
}

/** Data in which everything occurs. */
function samples(options: SampleOptions = {}): SampleData {
  return new SampleData(SEED, options);
}

function only(files: FileSet, pattern: RegExp): FileSet {
  return new Map([...files].filter(([name]) => pattern.test(name)));
}

/** Starts both servers with `files` and asserts that they have the same, and what `expected` says but for encodings. */
async function loadBoth(
  files: FileSet,
  settings: Settings,
  expected: ReadonlyMap<string, string>,
  options: ContentOptions = {},
): Promise<void> {
  await using ours = await OurServer.start(files, settings);
  await using redis = await RedisServer.start(files, settings);
  // What both make of the groups in a file is the same in any case.
  const told = { ...options, groups: true, encodings: true };
  if (settings.appendonly === "yes") told.seen = false;
  const [here, there] = [await contentsOf(ours, told), await contentsOf(redis, told)];
  assertEquals(differences(there, here).slice(0, 10), [], "redis and ours load the same");
  const loose = await contentsOf(ours, { ...options, encodings: false });
  assertEquals(differences(expected, loose).slice(0, 10), [], "what was written is loaded");
  assertEquals(await ours.run([["DEBUG", "CHECK"]]), ["+OK\r\n"]);
}

/** Has Redis' tools look at each of the files. */
async function checkFiles(files: FileSet): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "file-checks-" });
  try {
    await writeFiles(folder, files);
    for (const name of files.keys()) {
      const path = `${folder}/${name}`;
      if (/\.(aof|manifest)$/.test(name)) {
        const checked = await referenceTool("redis-check-aof", [path]);
        assertEquals(checked?.code, 0, `${name}: ${checked?.output}`);
      } else if (name.endsWith(".rdb")) {
        const checked = await referenceTool("redis-check-rdb", [path]);
        assertEquals(checked?.code, 0, `${name}: ${checked?.output}`);
        assert(checked!.output.includes("\\o/ RDB looks OK! \\o/"), checked!.output);
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Makes data and changes it; what expires meanwhile is gone afterwards. */
async function fill(server: FileServer, options: SampleOptions = {}): Promise<void> {
  const data = samples(options);
  const replies = await server.run(data.everything());
  const error = replies.find((reply) => reply.startsWith("-"));
  if (error !== undefined) throw new Error(error);
  await change(server, data);
}

/** Changes what is there. */
async function change(server: FileServer, data: SampleData): Promise<void> {
  await server.run(data.changes());
  await server.pass(5);
  await server.run(data.visits());
}

exchange("a snapshot of redis-server's is loaded as Redis loads it", async () => {
  for (const settings of settingsOf({}, { rdbcompression: "no", rdbchecksum: "no" })) {
    await using redis = await RedisServer.start(new Map(), settings);
    await fill(redis);
    const expected = await contentsOf(redis, { encodings: false });
    assertEquals((await redis.run([["SAVE"]]))[0], "+OK\r\n");
    await loadBoth(only(await redis.files(), RDB_FILES), settings, expected);
  }
});

exchange("a snapshot of ours is loaded by redis-server, and its checker takes it", async () => {
  for (const settings of settingsOf({}, { rdbcompression: "no" }, { rdbchecksum: "no" })) {
    await using ours = await OurServer.start(new Map(), settings);
    await fill(ours);
    const expected = await contentsOf(ours, { encodings: false });
    assertEquals((await ours.run([["SAVE"]]))[0], "+OK\r\n");
    const files = only(await ours.files(), RDB_FILES);
    await checkFiles(files);
    await loadBoth(files, settings, expected);
  }
});

/** How an append-only file is kept, each as redis-server has it too. */
const AOF_FORMS: readonly Settings[] = [
  { "aof-use-rdb-preamble": "yes" },
  { "aof-use-rdb-preamble": "no" },
  { "aof-use-rdb-preamble": "yes", "rdbcompression": "no", "rdbchecksum": "no" },
  { "aof-use-rdb-preamble": "yes", "aof-timestamp-enabled": "yes" },
  { "aof-use-rdb-preamble": "no", "aof-timestamp-enabled": "yes" },
];

/** What is the same before and after: commands don't tell when a consumer was seen, for one. */
function aofOptions(settings: Settings): SampleOptions & ContentOptions {
  return { seen: false, plain: settings["aof-use-rdb-preamble"] === "no" };
}

/** An append-only file with a base and increments before and after it. */
async function writeAof(server: FileServer, settings: Settings): Promise<void> {
  const data = samples(aofOptions(settings));
  await fill(server, aofOptions(settings));
  assert(/^\+Background/.test((await server.run([["BGREWRITEAOF"]]))[0]));
  // Some are in the increment that the rewrite has begun, while it is going on.
  await change(server, data);
  await server.settle();
  await change(server, data);
}

for (const settings of AOF_FORMS) {
  const named = Object.entries(settings).map((words) => words.join(" ")).join(", ");
  const whole = { appendonly: "yes", "auto-aof-rewrite-percentage": "0", ...settings };

  exchange(`an append-only file of redis-server's is loaded: ${named}`, async () => {
    await using redis = await RedisServer.start(new Map(), whole);
    await writeAof(redis, settings);
    const expected = await contentsOf(redis, { seen: false, encodings: false });
    await loadBoth(only(await redis.files(), AOF_FILES), whole, expected, { seen: false });
  });

  exchange(`an append-only file of ours is loaded by redis-server: ${named}`, async () => {
    await using ours = await OurServer.start(new Map(), whole);
    await writeAof(ours, settings);
    const expected = await contentsOf(ours, { seen: false, encodings: false });
    const files = only(await ours.files(), AOF_FILES);
    await checkFiles(files);
    await loadBoth(files, whole, expected, { seen: false });
  });
}

exchange("increments that a rewrite has left behind are loaded one after the other", async () => {
  const settings = { appendonly: "yes", "rdb-key-save-delay": "1000000" };
  await using redis = await RedisServer.start(new Map(), settings);
  const data = samples();
  await fill(redis);
  // It is begun and doesn't come to its end, so that its increment stays.
  assert(/^\+Background/.test((await redis.run([["BGREWRITEAOF"]]))[0]));
  await change(redis, data);
  await redis.run([["CONFIG", "SET", "appendonly", "no"]]);
  const expected = await contentsOf(redis, { groups: false, encodings: false });
  const files = only(await redis.files(), AOF_FILES);
  assertEquals([...files.keys()].filter((name) => name.endsWith(".incr.aof")).length, 2);
  await loadBoth(files, { appendonly: "yes" }, expected, { groups: false });
});

exchange("what random commands leave in files is the same for both", async () => {
  const settings = { appendonly: "yes", "proto-max-bulk-len": String(2 * 1024 * 1024) };
  const random = new RandomChanges(SEED);
  const commands = Array.from({ length: RANDOM_COMMANDS }, () => random.next());
  for (const start of [RedisServer.start, OurServer.start]) {
    await using server = await start(new Map(), settings);
    const isTold = (words: Words) => start === OurServer.start || isToldByRedis(words);
    await server.run(commands.filter(isTold));
    await server.run([["SAVE"]]);
    const files = await server.files();
    for (const appendonly of ["yes", "no"]) {
      // Commands don't tell all of a group that Redis has.
      const options = { groups: appendonly === "no" };
      const expected = await contentsOf(server, { ...options, encodings: false });
      await loadBoth(files, { ...settings, appendonly }, expected, options);
    }
  }
});

exchange("a snapshot keeps how long keys weren't used, or how often they were", async () => {
  const keys = ["a", "b", "c", "never"];
  for (const [policy, word] of [["allkeys-lru", "IDLETIME"], ["allkeys-lfu", "FREQ"]]) {
    const settings = { maxmemory: "1gb", "maxmemory-policy": policy, "lfu-decay-time": "0" };
    const questions = keys.map((key) => ["OBJECT", word, key]);
    for (const start of [RedisServer.start, OurServer.start]) {
      await using server = await start(new Map(), settings);
      const [dump] = await server.run([["SET", "a", "text"], ["DUMP", "a"]]).then((all) =>
        all.slice(1)
      );
      const payload = parseReply(dump).text!;
      const values = word === "FREQ" ? ["0", "7", "255"] : ["1", "5000", "9000000"];
      await server.run(
        values.map((
          value,
          index,
        ) => ["RESTORE", keys[index], "0", payload, "REPLACE", word, value]),
      );
      await server.run([["SET", "never", "text"], ["SAVE"]]);
      const files = only(await server.files(), RDB_FILES);
      const expected = await server.run(questions);
      for (const load of [RedisServer.start, OurServer.start]) {
        await using loaded = await load(files, settings);
        const found = await loaded.run(questions);
        for (const [index, reply] of found.entries()) {
          const [was, is] = [expected[index], reply].map((text) => Number(text.slice(1)));
          assert(Math.abs(was - is) <= 2, `${keys[index]}: ${expected[index]} and ${reply}`);
        }
      }
      // The other kind is nothing to a server that doesn't go by it.
      await using other = await OurServer.start(files, {});
      assertEquals(
        differences(
          await contentsOf(server, { encodings: false }),
          await contentsOf(other, { encodings: false }),
        ),
        [],
      );
    }
  }
});

exchange("libraries of functions are kept, though nobody can call them here", async () => {
  const library = (name: string) =>
    `#!lua name=${name}\nredis.register_function('${name}', function() return 1 end)`;
  const list: Words = ["FUNCTION", "LIST", "WITHCODE"];
  for (const preamble of ["yes", "no"]) {
    const settings = { appendonly: "yes", "aof-use-rdb-preamble": preamble };
    await using redis = await RedisServer.start(new Map(), settings);
    await redis.run([
      ["FUNCTION", "LOAD", library("first")],
      ["FUNCTION", "LOAD", library("second")],
    ]);
    const payload = parseReply((await redis.run([["FUNCTION", "DUMP"]]))[0]).text!;
    await redis.run([
      ["FUNCTION", "FLUSH"],
      ["FUNCTION", "LOAD", library("third")],
      ["FUNCTION", "RESTORE", payload],
      ["FUNCTION", "DELETE", "second"],
      ["FUNCTION", "LOAD", "REPLACE", `${library("third")} -- again`],
      ["SET", "key", "text"],
      ["SAVE"],
    ]);
    const [expected] = await redis.run([list]);
    assert(expected.includes("again") && !expected.includes("second"), expected);
    const files = await redis.files();
    for (const appendonly of ["yes", "no"]) {
      await using ours = await OurServer.start(files, { ...settings, appendonly });
      await ours.run([["SAVE"], ["BGREWRITEAOF"]]);
      await ours.settle();
      // What ours has written is read again by both.
      await using again = await OurServer.start(await ours.files(), { ...settings, appendonly });
      await again.run([["SAVE"]]);
      await using there = await RedisServer.start(await again.files(), { ...settings, appendonly });
      const [found, value] = await there.run([list, ["GET", "key"]]);
      assertEquals(librariesIn(found), librariesIn(expected));
      assertEquals(value, "$4\r\ntext\r\n");
    }
  }
});

/** The texts in a list of libraries, whose order is open. */
function librariesIn(reply: string): string[] {
  return reply.split("\r\n").filter((line) => line.startsWith("#!lua") || /^redis\./.test(line))
    .sort();
}

exchange("a command of an append-only file is run whatever today's settings allow", async () => {
  const settings = { appendonly: "yes" };
  await using redis = await RedisServer.start(new Map(), settings);
  await redis.run([["SET", "a", "x".repeat(1_500_000)], ["APPEND", "a", "y"], [
    "SETRANGE",
    "b",
    "1200000",
    "z",
  ]]);
  const expected = await contentsOf(redis, { encodings: false });
  await loadBoth(only(await redis.files(), AOF_FILES), {
    appendonly: "yes",
    "proto-max-bulk-len": String(1024 * 1024),
    maxmemory: "1mb",
    "maxmemory-policy": "noeviction",
  }, expected);
});

exchange(
  "keys that have expired meanwhile are left out of a snapshot, and expire behind an append-only file",
  async () => {
    for (const start of [RedisServer.start, OurServer.start]) {
      const settings = { appendonly: "yes" };
      await using server = await start(new Map(), settings);
      await server.run([
        ["DEBUG", "SET-ACTIVE-EXPIRE", "0"],
        ["SET", "short", "x", "PX", "1"],
        ["SET", "long", "x", "PX", "1000000"],
        ["SET", "none", "x"],
        ["PEXPIRE", "none", "1"],
        ["SAVE"],
      ]);
      await server.pass(20);
      for (const appendonly of ["yes", "no"]) {
        for (const load of [RedisServer.start, OurServer.start]) {
          await using loaded = await load(await server.files(), { appendonly });
          const replies = await loaded.run([["GET", "short"], ["GET", "long"], ["GET", "none"], [
            "DBSIZE",
          ]]);
          assertEquals(replies, ["$-1\r\n", "$1\r\nx\r\n", "$-1\r\n", ":1\r\n"]);
        }
      }
    }
  },
);

exchange("DEBUG LOADAOF and DEBUG RELOAD stand among other commands", async () => {
  await using ours = await OurServer.start(new Map(), { appendonly: "yes" });
  const commands: Words[] = [
    ["SET", "a", "1"],
    ["SELECT", "3"],
    ["SET", "b", "2"],
    ["DEBUG", "LOADAOF"],
    ["GET", "b"],
    ["RPUSH", "l", "1"],
    ["DEBUG", "RELOAD"],
    ["RPUSH", "l", "2"],
    ["SELECT", "0"],
    ["GET", "a"],
    ["DEBUG", "CHECK"],
  ];
  const { connection } = ours;
  // All of them are in one batch.
  connection.send(new Uint8Array(commands.flatMap((words) => [...encodeStep({ words })])));
  const replies: unknown[] = [];
  for (const _ of commands) replies.push(plain(await connection.reply()));
  assertEquals(replies, ["OK", "OK", "OK", "OK", "2", 1, "OK", 2, "OK", "1", "OK"]);
});
