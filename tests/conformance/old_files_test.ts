/**
 * Files that others have written or broken: of all versions, with parts that are for others, longer than the window that they
 * are read through, or wrong at any byte.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { defaultLimits } from "../../src/commands/context.ts";
import { flushDatabases } from "../../src/keyspace/flushing.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { LoadError } from "../../src/persistence/rdb_frame.ts";
import { type LoadForm, RdbLoader } from "../../src/persistence/rdb_loader.ts";
import { RdbWindow } from "../../src/persistence/rdb_window.ts";
import type { Words } from "../support/file_samples.ts";
import {
  intsetBody,
  latin1Bytes,
  listpackOf,
  littleEndian,
  quicklistBody,
  RDB_BODIES,
  rdbString,
  sortedSetBody,
} from "../support/rdb_bodies.ts";
import { snapshotAround, snapshotOf } from "../support/snapshot_bytes.ts";
import { VirtualDisk } from "../support/virtual_disk.ts";
import { contentsOf, differences, type FileSet, OurServer, RedisServer } from "./file_servers.ts";
import { whyNoReference } from "./peers.ts";

const ABSENT = await whyNoReference("redis-server");
const TEXTS = ["a", "1", "b", "-40000", "c", "x".repeat(70), "300", "70000", "d", "5000000000"];
const SCORED = [["a", -1], ["b", 2], ["10", 7], ["c", 2.5e9]] as const;
/** 2038: four bytes are a number with a sign. */
const FAR_SECONDS = 2_147_000_000;
const MIB = 1024 * 1024;

/** Bodies in all forms: the first version of the format that has them, and the value. */
function bodies(): (readonly [version: number, body: string])[] {
  const scored = (form: 3 | 5 | 12 | 17) => sortedSetBody(form, SCORED);
  return [
    [1, "\x00" + rdbString("text")],
    [1, "\x00\xc0\x85"],
    [1, RDB_BODIES.list(TEXTS)],
    [1, RDB_BODIES.set(TEXTS)],
    [1, RDB_BODIES.hash(TEXTS)],
    [1, scored(3)],
    [2, RDB_BODIES.hashZipmap(TEXTS)],
    [2, RDB_BODIES.listZiplist(TEXTS)],
    [2, intsetBody([-3, 0, 1, 400], 2)],
    [2, intsetBody([-3, 0, 1, 400000], 4)],
    [2, scored(12)],
    [4, RDB_BODIES.hashZiplist(TEXTS)],
    [7, quicklistBody([TEXTS, ["z"], TEXTS], true)],
    [8, scored(5)],
    [9, oldStream()],
    [10, RDB_BODIES.hashListpack(TEXTS)],
    [10, scored(17)],
    [10, quicklistBody([TEXTS, ["z"], TEXTS], false)],
    [11, "\x14" + rdbString(listpackOf(TEXTS))],
  ];
}

/** A stream as Redis 5 wrote it, with a group whose consumer has one of the two entries pending. */
function oldStream(): string {
  const id = (ms: number) => "\0".repeat(7) + String.fromCharCode(ms) + "\0".repeat(7) + "\x01";
  const node = listpackOf([
    ...["2", "0", "1", "field", "0"],
    ...["2", "0", "0", "value", "4"],
    ...["2", "1", "0", "other", "4"],
  ]);
  const times = littleEndian(1_600_000_000_000, 8);
  return "\x0f" + "\x01" + rdbString(id(5)) + rdbString(node) + "\x02" + "\x06\x01" +
    "\x01" + rdbString("group") + "\x05\x01" + "\x01" + id(5) + times + "\x03" +
    "\x01" + rdbString("consumer") + times + "\x01" + id(5);
}

function dump(text: string): FileSet {
  return new Map([["dump.rdb", latin1Bytes(text)]]);
}

/** The log of a server that can't start with `files`. */
async function refusal(
  files: FileSet,
  options: Readonly<Record<string, string>> = {},
): Promise<string> {
  const error = await assertRejects(async () => {
    await using _server = await OurServer.start(files, options);
  }, Error);
  return error.message;
}

/** Compares what both servers make of `files`. */
async function sameAsRedis(
  files: FileSet,
  options: Readonly<Record<string, string>> = {},
): Promise<void> {
  await using ours = await OurServer.start(files, options);
  assertEquals(await ours.run([["DEBUG", "CHECK"]]), ["+OK\r\n"]);
  if (ABSENT !== undefined) return;
  await using redis = await RedisServer.start(files, options);
  const form = { seen: false };
  assertEquals(differences(await contentsOf(redis, form), await contentsOf(ours, form)), []);
}

Deno.test("files of all versions are loaded, as Redis loads those that it knows", async () => {
  for (let version = 1; version <= 12; version++) {
    const keys = bodies().filter(([first]) => first <= version)
      .map(([, body], index) => [body[0], `key${index}`, body.slice(1)] as const);
    const expiry = "\xfd" + littleEndian(FAR_SECONDS, 4);
    const body = keys.map(([type, name, value], index) =>
      (index === 1 ? expiry : "") + type + rdbString(name) + value
    ).join("");
    const digits = String(version).padStart(4, "0");
    const whole = version >= 5
      ? snapshotAround(`\xfe\x00${body}`, digits)
      : `REDIS${digits}\xfe\x00${body}\xff`;
    await using ours = await OurServer.start(dump(whole));
    const [size, expires, ...checks] = await ours.run([
      ["DBSIZE"],
      ["EXPIRETIME", "key1"],
      ["DEBUG", "CHECK"],
    ]);
    assertEquals(size, `:${keys.length}\r\n`);
    assertEquals(expires, `:${FAR_SECONDS}\r\n`);
    assertEquals(checks, ["+OK\r\n"]);
    if (version <= 10) await sameAsRedis(dump(whole));
  }
});

Deno.test("counts of a stream that can't be are put right: no command could tell of them", async () => {
  const id = (ms: number) => "\0".repeat(7) + String.fromCharCode(ms) + "\0".repeat(7) + "\x01";
  const node = listpackOf(["2", "0", "1", "field", "0", ...["2", "0", "0", "a", "4"], ...[
    "2",
    "1",
    "0",
    "b",
    "4",
  ]]);
  const entries = "\x01" + rdbString(id(5)) + rdbString(node) + "\x02" + "\x06\x01";
  const below = "\x81" + "\xff".repeat(7) + "\xfe";
  // First id, highest deleted id, and fewer entries added than there are; a group that has read -2.
  const stream = `${entries}\x05\x01\x00\x00\x01\x01${rdbString("group")}\x05\x01${below}\x00\x00`;
  const options = { "aof-use-rdb-preamble": "no" };
  await using ours = await OurServer.start(dump(snapshotOf([["\x13", "x", stream]])), options);
  await ours.run([["CONFIG", "SET", "appendonly", "yes"]]);
  await ours.settle();
  const [info] = await ours.run([["XINFO", "STREAM", "x"]]);
  assertStringIncludes(info, "entries-added\r\n:2\r\n");
  const settings = { ...options, appendonly: "yes" };
  await using again = await OurServer.start(await ours.files(), settings);
  assert(!(await again.log()).includes("CRITICAL"), await again.log());
  const form = { seen: false, encodings: false };
  assertEquals(differences(await contentsOf(ours, form), await contentsOf(again, form)), []);
});

Deno.test("a version that is to come, and none, are refused", async () => {
  for (
    const [head, why] of [
      ["REDIS0013", "Can't handle RDB format version 13"],
      ["REDIS0000", "Can't handle RDB format version 0"],
      ["REDISxxxx", "Can't handle RDB format version 0"],
      ["REDIX0010", "Wrong signature trying to load DB from file"],
      ["", "Short read"],
      ["REDIS", "Unexpected EOF"],
    ]
  ) assertStringIncludes(await refusal(dump(head === "" ? "" : `${head}\xff`)), why);
});

Deno.test("what is for others is refused, and named", async () => {
  // The number of `example-a` with version 1: nine characters of six bits each, then ten bits.
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const number =
    [..."example-a"].reduce((sum, letter) => sum * 64n + BigInt(letters.indexOf(letter)), 0n) *
      1024n + 1n;
  const id = "\x81" + [...littleEndian(number, 8)].reverse().join("");
  const auxiliary = await refusal(dump(snapshotAround(`\xf7${id}\x02\x02\x00`)));
  assertStringIncludes(auxiliary, "AUX module data I can't load: no matching module 'example-a'");
  const value = await refusal(dump(snapshotAround(`\xfe\x00\x07${rdbString("key")}${id}\x00`)));
  assertStringIncludes(value, "no matching module type 'example-a'");
  const expiring = await refusal(dump(snapshotAround(`\xfe\x00\x16${rdbString("fields")}\x01`)));
  assertStringIncludes(expiring, "'fields'");
  const early = await refusal(dump(snapshotAround("\xf6\x00")));
  assertStringIncludes(early, "Pre-release function format not supported.");
  const unknown = await refusal(dump(snapshotAround(`\xfe\x00\x63${rdbString("key")}`)));
  assertStringIncludes(unknown, "99");
});

Deno.test("a database that isn't there, a key that is twice and a wrong checksum are refused", async () => {
  const database = await refusal(dump(snapshotAround(`\xfe\x10\x00\x01a\x01b`)));
  assertStringIncludes(database, "configured to handle more than 16 databases");
  const twice = await refusal(dump(snapshotOf([["\0", "k", "\x01a"], ["\0", "k", "\x01b"]])));
  assertStringIncludes(twice, "RDB has duplicated key 'k' in DB 0");
  const whole = snapshotOf([["\0", "k", "\x01a"]]);
  const broken = whole.slice(0, -3) + "\x01\x02\x03";
  const wrong = await refusal(dump(broken));
  assertStringIncludes(wrong, "Wrong RDB checksum expected");
  assertStringIncludes(wrong, "RDB CRC error");
  await using _unchecked = await OurServer.start(dump(broken), { rdbchecksum: "no" });
  await using _without = await OurServer.start(dump(whole.slice(0, -8) + "\0".repeat(8)));
});

Deno.test("a file that ends too early is refused at each of its bytes, with the offset", async () => {
  const keys = bodies().map(([, body], index) => [body[0], `key${index}`, body.slice(1)] as const);
  const whole = snapshotOf(keys);
  const bytes = latin1Bytes(whole);
  const form: LoadForm = {
    limits: defaultLimits(),
    keepsExpired: false,
    checksum: true,
    merges: false,
    isSlow: () => false,
    log: () => {},
  };
  const keyspace = new Keyspace(16, 1, 2);
  for (let length = 1; length < whole.length; length++) {
    const disk = new VirtualDisk(1);
    disk.write("/data/dump.rdb", bytes.slice(0, length));
    flushDatabases(keyspace, keyspace.databases, false);
    const window = new RdbWindow(disk.openToRead("/data/dump.rdb"));
    const loader = new RdbLoader(keyspace, window, form);
    const error = assertThrows(() => loader.loadSome(() => false), LoadError);
    assertEquals([error.message, error.position], ["Unexpected EOF reading RDB file", length]);
    if (length % 40 !== 0) continue;
    const log = await refusal(dump(whole.slice(0, length)));
    assertStringIncludes(log, `offset ${length} of`);
  }
});

Deno.test("a command of an append-only file that is refused is told of, and a database that isn't there ends it", async () => {
  const file = (...commands: readonly Words[]): FileSet =>
    new Map([
      ["appendonlydir/appendonly.aof.manifest", latin1Bytes("file a.aof seq 1 type i\n")],
      ["appendonlydir/a.aof", latin1Bytes(commands.map(request).join(""))],
    ]);
  const request = (words: Words) =>
    `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
  const options = { appendonly: "yes" };
  const wrong = file(["SET", "a", "x"], ["RPUSH", "a", "y"], ["SET", "b", "z"], ["SUBSCRIBE", "c"]);
  await using ours = await OurServer.start(wrong, options);
  assertEquals(await ours.run([["GET", "a"], ["GET", "b"]]), ["$1\r\nx\r\n", "$1\r\nz\r\n"]);
  assertStringIncludes(
    await ours.log(),
    "== CRITICAL == This server is sending an error to its AOF-loading-client: 'WRONGTYPE " +
      "Operation against a key holding the wrong kind of value' after processing the command 'rpush'",
  );
  const log = await refusal(file(["SET", "a", "x"], ["SELECT", "16"], ["SET", "a", "y"]), options);
  assertStringIncludes(
    log,
    "Can't select database '16': ERR DB index is out of range (a.aof, at byte 35)",
  );
  const unknown = await refusal(file(["SET", "a", "x"], ["FOO"]), options);
  assertStringIncludes(
    unknown,
    "Unknown command 'FOO' reading the append only file (a.aof, at byte 35)",
  );
});

Deno.test("what is longer than the window is loaded", async () => {
  const noise = (length: number) => {
    let text = "";
    for (let at = 0; at < length; at += 4096) {
      text += String.fromCharCode(...crypto.getRandomValues(new Uint8Array(4096)));
    }
    return text.slice(0, length);
  };
  const commands: Words[] = [
    ["SET", "string", noise(3 * MIB)],
    ["SET", "compressed", "text ".repeat(MIB)],
    ["SET", "edge", noise(MIB)],
    ["RPUSH", "list", "a", noise(2 * MIB), "b", noise(MIB - 1)],
    ...Array.from({ length: 1000 }, (_, part): Words => [
      ...["HSET", "hash"],
      ...Array.from({ length: 100 }, (_, index) => [`f${part * 100 + index}`, "value"]).flat(),
    ]),
    ["SADD", "set", noise(2 * MIB), "small"],
    ["ZADD", "zset", "1", noise(2 * MIB), "2", "small"],
    ["XADD", "stream", "1-1", "field", noise(2 * MIB)],
    ["SET", noise(MIB + 9), "a long name"],
    ["SET", "last", "x"],
  ];
  await using ours = await OurServer.start(new Map(), { appendonly: "yes" });
  await ours.run(commands);
  // A transaction that is longer than the window, too.
  await ours.run([["MULTI"], ["SET", "t1", noise(MIB)], ["SET", "t2", noise(MIB)], ["EXEC"], [
    "SAVE",
  ]]);
  const expected = await contentsOf(ours, { encodings: false });
  for (const appendonly of ["yes", "no"]) {
    await using loaded = await OurServer.start(await ours.files(), { appendonly });
    const found = await contentsOf(loaded, { encodings: false });
    assertEquals(differences(expected, found).map((line) => line.slice(0, 200)), []);
    assertEquals(await loaded.run([["DEBUG", "CHECK"]]), ["+OK\r\n"]);
    if (ABSENT !== undefined || appendonly === "no") continue;
    await using redis = await RedisServer.start(await ours.files(), { appendonly });
    const there = await contentsOf(redis, { encodings: false });
    assertEquals(differences(expected, there).map((line) => line.slice(0, 200)), []);
  }
});

Deno.test("an old append-only file of one piece is taken over, wherever the power fails", async () => {
  const commands = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n";
  const preamble = snapshotOf([["\0", "p", "\x01x"]]);
  for (const content of [commands, preamble + commands, preamble]) {
    let operations = 0;
    for (let cut = 0; cut <= operations || cut === 0; cut++) {
      const disk = new VirtualDisk(cut + 1);
      disk.write("/data/appendonly.aof", latin1Bytes(content));
      let count = 0;
      disk.onOperation = () => {
        if (++count === cut) disk.powerCut();
      };
      const machine = await startOn(disk);
      if (cut === 0) operations = count;
      disk.onOperation = null;
      disk.powerCut();
      await machine?.[Symbol.asyncDispose]();
      await using again = await startOn(disk);
      assert(again !== undefined, `power cut in operation ${cut}: ${disk.paths()}`);
      const expected = [content.includes("INCR") ? "$1\r\n2\r\n" : "$-1\r\n"];
      assertEquals(await again.run([["GET", "a"]]), expected, `power cut in operation ${cut}`);
      assertEquals(
        await again.run([["GET", "p"]]),
        [content.startsWith("REDIS") ? "$1\r\nx\r\n" : "$-1\r\n"],
      );
    }
  }
});

/** A server on `disk`; undefined if it can't start. */
async function startOn(disk: VirtualDisk): Promise<OurServer | undefined> {
  try {
    return await OurServer.start(new Map(), { appendonly: "yes" }, disk);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return undefined;
  }
}
