import { assertEquals } from "@std/assert";
import {
  intsetBody,
  latin1Bytes,
  listpackOf,
  quicklistBody,
  RDB_BODIES,
  rdbLength,
  rdbString,
  sortedSetBody,
  ziplistOf,
  zipmapOf,
} from "../support/rdb_bodies.ts";
import { parseReply } from "../support/reference_redis.ts";
import { restorePayload } from "../support/restore_payload.ts";
import { type SideBySide, startSideBySide } from "../support/side_by_side.ts";

/** What payloads of hash tables start with; their elements come in any order. */
const HASH_TABLES = "\x02\x04";

/** Has both servers say what the value at a key is, and compares that. */
async function compareKey(servers: SideBySide, key: string): Promise<void> {
  await servers.same("TYPE", key);
  await servers.same("OBJECT", "ENCODING", key);
  await servers.same("DEBUG", "DIGEST-VALUE", key);
  const [theirs, ours] = await servers.both("DUMP", key);
  if (HASH_TABLES.includes(parseReply(theirs).text?.[0] ?? " ")) return;
  assertEquals(ours, theirs, `DUMP ${key}`);
}

function numbered(count: number, text = "element"): string[] {
  return Array.from({ length: count }, (_, index) => `${text}${index * 7}`);
}

const TEXTS = ["a", "1", "b", "-40000", "c", "x".repeat(70), "300", "70000", "d", "5000000000"];
const SCORED = [["a", -1.5], ["b", 2], ["10", 2], ["c", 1e20], ["d", Infinity]] as const;
const IN_ORDER = [["a", -1.5], ["10", 2], ["b", 2], ["c", 1e20]] as const;
const LONG = "long".repeat(400);

/** Calls that make a value of each type in each of its forms at the key, several where one isn't enough. */
const MAKERS: readonly (readonly (readonly string[])[])[] = [
  [["RPUSH", "key", "a", "1", "-70000", "b".repeat(300), ""]],
  [["RPUSH", "key", ...numbered(3000)], ["LPUSH", "key", ...numbered(3000, "12")]],
  [["RPUSH", "key", ...numbered(50, LONG)]],
  [["SADD", "key", "1", "2", "-5"]],
  [["SADD", "key", "1", "2", "70000"]],
  [["SADD", "key", "1", "9223372036854775807"]],
  [["SADD", "key", ...TEXTS]],
  [["SADD", "key", ...numbered(1000)]],
  [["HSET", "key", ...TEXTS.slice(0, 4)]],
  [["HSET", "key", ...TEXTS]],
  [["HSET", "key", ...numbered(2000)]],
  [["ZADD", "key", "1", "a", "2.5", "b", "-inf", "c", "7", "8", "0.1", "d", "1e17", "e"]],
  [["ZADD", "key", "1", "a", "2.5", "b", "inf", "c", "-0", "x".repeat(100)]],
  [["ZADD", "key", ...numbered(500).flatMap((text, index) => [String(index % 7), text])]],
  [["XADD", "key", "1-1", "field", "value"]],
  [
    ...Array.from({ length: 300 }, (_, index) => [
      ...["XADD", "key", `${1 + index}-${index % 3}`],
      ...(index % 5 === 0 ? ["a", "1", "b", LONG.slice(0, index)] : ["a", String(index)]),
    ]),
    ["XDEL", "key", "2-1", "3-2", "299-1"],
    ["XTRIM", "key", "MAXLEN", "~", "250"],
  ],
  [["XADD", "key", "1-1", "a", "b"], ["XDEL", "key", "1-1"], ["XGROUP", "CREATE", "key", "g", "$"]],
];

Deno.test("values of all types are dumped as Redis dumps them, and each takes those of the other", async () => {
  await using servers = await startSideBySide(91);
  if (servers === undefined) return;
  const { redis, connection } = servers;
  for (const compression of ["yes", "no"]) {
    await servers.same("CONFIG", "SET", "rdbcompression", compression);
    for (const calls of MAKERS) {
      await servers.same("DEL", "key");
      for (const words of calls) await servers.same(...words);
      await compareKey(servers, "key");
      const [theirs, ours] = await servers.both("DUMP", "key");
      const exchanged = [ours, theirs].map((reply) => latin1Bytes(parseReply(reply).text!));
      assertEquals(await redis.ask("RESTORE", "back", "0", exchanged[0], "REPLACE"), "+OK\r\n");
      assertEquals(await connection.ask("RESTORE", "back", "0", exchanged[1], "REPLACE"), "OK");
      await compareKey(servers, "back");
      await servers.same("COPY", "key", "copy", "REPLACE");
      await compareKey(servers, "copy");
      assertEquals(await connection.ask("DEBUG", "CHECK"), "OK");
    }
  }
});

/** Values in all forms that were ever written. */
function wholeBodies(): string[] {
  const bodies: string[] = [];
  for (const form of Object.values(RDB_BODIES)) bodies.push(form(TEXTS), form(numbered(700)));
  for (const form of [3, 5] as const) {
    bodies.push(sortedSetBody(form, SCORED));
    bodies.push(sortedSetBody(form, [...SCORED, ["x".repeat(65), 0]]));
    bodies.push(sortedSetBody(form, numbered(200).map((text, index) => [text, index])));
  }
  for (const form of [12, 17] as const) {
    bodies.push(sortedSetBody(form, IN_ORDER));
    bodies.push(sortedSetBody(form, [...IN_ORDER, ["x".repeat(65), 1e21]]));
    bodies.push(sortedSetBody(form, numbered(200).map((text, index) => [text, index])));
  }
  for (const width of [2, 4, 8]) bodies.push(intsetBody([-3, 0, 1, 400], width));
  bodies.push(intsetBody(Array.from({ length: 600 }, (_, index) => index), 2));
  for (const ziplists of [true, false]) {
    bodies.push(quicklistBody([TEXTS, ["z"], numbered(500)], ziplists));
    bodies.push(quicklistBody([[], ["z"], []], ziplists));
  }
  // Elements of all lengths that ziplists, zipmaps and listpacks tell apart.
  const lengths = [0, 1, 63, 64, 253, 254, 255, 4095, 4096, 16383, 16384, 70_000];
  const sized = lengths.map((length) => "y".repeat(length));
  bodies.push(RDB_BODIES.listZiplist(sized), RDB_BODIES.hashZipmap(sized));
  bodies.push("\x09" + rdbString(zipmapOf(["a", "1", "b", "2"], 3)));
  return bodies;
}

Deno.test("RESTORE takes every form that was ever written, by the limits that are set now", async () => {
  await using servers = await startSideBySide(92);
  if (servers === undefined) return;
  const small = [
    "hash-max-listpack-entries",
    "zset-max-listpack-entries",
    "set-max-intset-entries",
  ];
  for (const limit of ["default", "2"]) {
    if (limit !== "default") {
      for (const setting of small) await servers.same("CONFIG", "SET", setting, limit);
      await servers.same("CONFIG", "SET", "list-max-listpack-size", limit);
    }
    for (const body of wholeBodies()) {
      const payload = restorePayload(latin1Bytes(body));
      await servers.same("RESTORE", "key", "0", payload, "REPLACE");
      await compareKey(servers, "key");
    }
  }
  assertEquals(await servers.connection.ask("DEBUG", "CHECK"), "OK");
});

Deno.test("a node that is one element as it is becomes one that is a listpack", async () => {
  await using servers = await startSideBySide(94);
  if (servers === undefined) return;
  const nodes = ["\x01" + rdbString("plain"), "\x02" + rdbString(listpackOf(["z"]))];
  const payload = restorePayload(latin1Bytes("\x12" + rdbLength(2) + nodes.join("")));
  await servers.same("RESTORE", "key", "0", payload);
  for (const line of ["LRANGE key 0 -1", "DEBUG DIGEST-VALUE key", "LPOP key", "LPOP key"]) {
    await servers.same(...line.split(" "));
  }
});

Deno.test("RESTORE refuses what Redis refuses, too", async () => {
  await using servers = await startSideBySide(93);
  if (servers === undefined) return;
  const nan = "\x00\x00\x00\x00\x00\x00\xf8\x7f";
  const bodies = [
    ...["\x01\x00", "\x02\x00", "\x03\x00", "\x04\x00", "\x05\x00", "\x0e\x00", "\x12\x00"],
    RDB_BODIES.set(["a", "a"]),
    RDB_BODIES.set(["1", "1"]),
    RDB_BODIES.set([...numbered(600), "element0"]),
    RDB_BODIES.hash(["x".repeat(70), "1", "x".repeat(70), "2"]),
    RDB_BODIES.listZiplist([]),
    RDB_BODIES.hashZiplist([]),
    RDB_BODIES.hashZiplist(["a", "1", "b"]),
    RDB_BODIES.hashListpack([]),
    RDB_BODIES.hashZipmap(["a", "1", "a", "2"]),
    sortedSetBody(3, [["a", 1], ["a", 1]]),
    sortedSetBody(5, [["a", 1], ["a", 2]]),
    "\x05\x01" + rdbString("a") + nan,
    "\x03\x01" + rdbString("a") + "\xfd",
    "\x11" + rdbString(listpackOf([])),
    "\x12\x01\x03" + rdbString(listpackOf(["a"])),
    "\x12\x01\x02" + rdbString(""),
    quicklistBody([[]], true),
    quicklistBody([[]], false),
    "\x0b" + rdbString("\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00"),
    "\x0b" + rdbString("\x03\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00"),
    "\x0a" + rdbString(ziplistOf(["a", "b"]).slice(0, -1)),
    "\x0a" + rdbString(ziplistOf(["a", "b"]).replace("\x01a", "\x02a")),
    "\x0e\x01" + rdbString(listpackOf(["a"])),
  ];
  await servers.same("SET", "key", "stays");
  for (const body of bodies) {
    const reply = await servers.same(
      "RESTORE",
      "key",
      "0",
      restorePayload(latin1Bytes(body)),
      "REPLACE",
    );
    assertEquals(reply, "-ERR Bad data format\r\n", JSON.stringify(body));
  }
  await servers.same("GET", "key");
});
