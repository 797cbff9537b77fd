/**
 * Whole files, of all kinds and with all that files have, for the fuzzer to break.
 *
 * @module
 */
import { formatManifest, parseManifest } from "../../src/persistence/aof_manifest.ts";
import { writeCommands } from "../../src/persistence/aof_commands.ts";
import { type SavedUse, type SnapshotFacts } from "../../src/persistence/rdb_file_writer.ts";
import { writeKeyspace } from "../../src/persistence/snapshot_file.ts";
import { ByteAccumulator } from "../../src/protocol/byte_accumulator.ts";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import type { Keyspace } from "../../src/keyspace/keyspace.ts";
import { type MemoryConnection, startMemoryServer } from "../support/memory_server.ts";
import {
  intsetBody,
  latin1Bytes,
  listpackOf,
  quicklistBody,
  RDB_BODIES,
  rdbString,
  sortedSetBody,
} from "../support/rdb_bodies.ts";
import { restorePayload } from "../support/restore_payload.ts";
import { snapshotAround } from "../support/snapshot_bytes.ts";
import type { Bytes, Words } from "./file_mutations.ts";
import { joinBytes } from "../../src/protocol/joined_bytes.ts";

/** The kinds of files. */
export const KINDS = ["rdb", "aof", "manifest", "restore"] as const;

/** A kind of files. */
export type Kind = typeof KINDS[number];

/** Whole files of each kind. */
export type Seeds = Readonly<Record<Kind, readonly Bytes[]>>;

const FAR_MS = "4102444800000";
const TEXTS = ["a", "1", "b", "-40000", "c", "x".repeat(70), "300", "70000", "d", "5000000000"];
const LIBRARY = latin1Bytes(
  "#!lua name=mylib\nredis.register_function('f', function() return 1 end)",
);
const LONG = "text ".repeat(60);
const ELEMENTS = Array.from({ length: 150 }, (_, index) => `element ${index}`);

/** Commands that make some data each; small, since a change to a long string changes nothing else. */
const SCRIPTS: readonly (readonly Words[])[] = [
  [["SET", "a", "1"], ["SET", "b", "text"], ["SET", "c", LONG], [
    "SET",
    "d",
    "70000",
    "PXAT",
    FAR_MS,
  ]],
  [["RPUSH", "l", "a", "1", "-70000", "b".repeat(100), ""], ["SADD", "s", "1", "2", "-5", "70000"]],
  [["SADD", "s", "a", "2", "c", "x".repeat(100)], ["HSET", "h", "a", "1", "b", "text", "c", LONG]],
  [["HSET", "h", "a", "1", "b", "text"], ["PEXPIREAT", "h", FAR_MS], ["SELECT", "3"], [
    "SET",
    "k",
    "v",
  ]],
  [["ZADD", "z", "1", "a", "2.5", "b", "-inf", "c", "7", "8"], ["ZADD", "y", "1", "a", "2", LONG]],
  [["CONFIG", "SET", "list-max-listpack-size", "4"], ["RPUSH", "l", ...ELEMENTS.slice(0, 20)]],
  [["RPUSH", "l", ...ELEMENTS], ["SADD", "s", ...ELEMENTS.slice(0, 40), LONG]],
  [["ZADD", "z", ...ELEMENTS.flatMap((text, index) => [String(index / 4), text])]],
  [
    ...Array.from(
      { length: 8 },
      (_, index) => ["XADD", "x", `${index + 1}-1`, "f", "1", "g", "text"],
    ),
    ["XADD", "x", "20-1", "other", "field"],
    ["XDEL", "x", "2-1"],
    ["XGROUP", "CREATE", "x", "g", "0"],
    ["XREADGROUP", "GROUP", "g", "c", "COUNT", "3", "STREAMS", "x", ">"],
    ["XREADGROUP", "GROUP", "g", "d", "COUNT", "1", "STREAMS", "x", ">"],
    ["XGROUP", "CREATE", "x", "h", "5-1"],
  ],
  [["XGROUP", "CREATE", "x", "g", "0", "MKSTREAM"], ["XADD", "y", "1-1", "a", "b"], [
    "XDEL",
    "y",
    "1-1",
  ]],
];

/** Commands that an append-only file may have behind others: also some that no server writes there. */
export const FOLLOWING: readonly (readonly Words[])[] = [
  [["SELECT", "0"], ["SET", "n", "1"], ["INCR", "n"], ["APPEND", "n", "x"], ["DEL", "a", "b"]],
  [["MULTI"], ["SET", "m", "1"], ["RPUSH", "l", "new"], ["SELECT", "2"], ["SADD", "q", "1"], [
    "EXEC",
  ]],
  [["SELECT", "1"], ["LPOP", "l"], ["SREM", "s", "a"], ["HDEL", "h", "a"], ["ZREM", "z", "b"]],
  [["PEXPIREAT", "c", FAR_MS], ["PERSIST", "d"], ["RENAME", "c", "e"], ["COPY", "d", "c"], [
    "MOVE",
    "c",
    "4",
  ]],
  [["XADD", "x", "30-1", "a", "b"], ["XACK", "x", "g", "1-1"], ["XTRIM", "x", "MAXLEN", "3"]],
  [[
    "XCLAIM",
    "x",
    "g",
    "c",
    "0",
    "5-1",
    "TIME",
    "1600000000000",
    "RETRYCOUNT",
    "2",
    "FORCE",
    "JUSTID",
  ]],
  [["FUNCTION", "LOAD", "#!lua name=other\n"], ["FUNCTION", "DELETE", "other"], ["FLUSHDB"], [
    "SET",
    "n",
    "2",
  ]],
  [["BLPOP", "none", "0"], ["SUBSCRIBE", "c"], ["MONITOR"], ["QUIT"], ["RESET"], ["HELLO", "3"], [
    "WAIT",
    "1",
    "0",
  ]],
  [["CLIENT", "REPLY", "OFF"], ["CLIENT", "PAUSE", "10000"], ["AUTH", "x"], ["WATCH", "a"], [
    "DISCARD",
  ], ["EXEC"]],
  [["DEBUG", "RELOAD"], ["SAVE"], ["BGSAVE"], ["BGREWRITEAOF"], ["DEBUG", "LOADAOF"], [
    "SWAPDB",
    "0",
    "1",
  ]],
  [["XREAD", "BLOCK", "0", "STREAMS", "x", "$"], ["CLIENT", "KILL", "TYPE", "normal"], [
    "PSYNC",
    "?",
    "-1",
  ]],
];

/** Makes whole files. */
export async function makeSeeds(): Promise<Seeds> {
  const rdb: Bytes[] = [];
  const aof: Bytes[] = [];
  const restore: Bytes[] = [];
  await using machine = await startMemoryServer(1, { save: "" });
  const client = await machine.connect();
  const { keyspace } = machine.server;
  for (const [index, script] of SCRIPTS.entries()) {
    await client.ask("FLUSHALL");
    await client.ask("CONFIG", "SET", "list-max-listpack-size", "-2");
    await client.ask("SELECT", "0");
    for (const words of script) await client.ask(...words);
    for (const compress of [true, false]) {
      const use = (["none", "idle", "frequency"] as const)[index % 3];
      rdb.push(snapshotOf(keyspace, compress, use));
    }
    const following = FOLLOWING.map((words) => commandsOf(words));
    for (const words of following) {
      aof.push(joinBytes([snapshotOf(keyspace, true, "none"), words]));
      aof.push(joinBytes([asCommands(keyspace), words]));
    }
    await client.ask("SELECT", "0");
    restore.push(...await payloadsOf(client));
  }
  aof.push(...FOLLOWING.map((words) => commandsOf(words)));
  for (const body of oldBodies()) {
    restore.push(restorePayload(latin1Bytes(body)) as Bytes);
    const key = `\xfc${"\xff".repeat(5)}\0\0\0${body[0]}${rdbString("key")}${body.slice(1)}`;
    rdb.push(latin1Bytes(snapshotAround(`\xfe\x00\xfb\x01\x01${key}`, "0011")));
  }
  return { rdb, aof, restore, manifest: MANIFESTS.map((text) => latin1Bytes(text)) };
}

const MANIFESTS = [
  "file a.aof.1.base.rdb seq 1 type b\nfile a.aof.1.incr.aof seq 1 type i\n",
  "file a.aof.2.base.rdb seq 2 type b\nfile a.aof.1.incr.aof seq 1 type h\nfile a.aof.2.incr.aof seq 2 type i\n" +
  "file a.aof.3.incr.aof seq 3 type i\n",
  "# a note\nfile a.aof.1.incr.aof seq 1 type i\n",
  "file \"a b.aof.1.base.aof\" seq 1 type b later word\nfile 'a.aof.1.incr.aof' seq 7 type i\n",
  formatManifest(parseManifest("file a seq 1 type b\nfile b seq 2 type h\nfile c seq 3 type i\n")),
];

/** Values in forms that this server doesn't write. */
function oldBodies(): string[] {
  const scored = [["a", -1], ["b", 2], ["10", 7], ["c", 2.5e9]] as const;
  return [
    ...Object.values(RDB_BODIES).map((form) => form(TEXTS)),
    ...([3, 5, 12, 17] as const).map((form) => sortedSetBody(form, scored)),
    ...[2, 4, 8].map((width) => intsetBody([-3, 0, 1, 400], width)),
    ...[true, false].map((ziplists) => quicklistBody([TEXTS, ["z"], TEXTS], ziplists)),
    "\x14" + rdbString(listpackOf(TEXTS)),
  ];
}

function facts(): SnapshotFacts {
  return {
    seconds: 1_700_000_000,
    usedMemory: 1_000_000,
    aofBase: false,
    replication: { id: "0".repeat(40), offset: 5, database: 0 },
    functions: [LIBRARY],
  };
}

/** What is in `keyspace`, as a snapshot. */
export function snapshotOf(keyspace: Keyspace, compress: boolean, use: SavedUse): Bytes {
  const output = new ByteAccumulator();
  const form = { compress, checksum: true, use };
  writeKeyspace(keyspace, form, facts(), (bytes) => output.appendBytes(bytes));
  return output.take().slice();
}

/** What is in `keyspace`, as commands. */
export function asCommands(keyspace: Keyspace): Bytes {
  const output = new ByteAccumulator();
  writeCommands(keyspace, facts(), (bytes) => output.appendBytes(bytes));
  return output.take().slice();
}

function commandsOf(script: readonly Words[]): Bytes {
  return joinBytes([
    latin1Bytes("#TS:1700000000\r\n"),
    ...script.map((words) => encodeRequest(words)),
  ]);
}

async function payloadsOf(client: MemoryConnection): Promise<Bytes[]> {
  const payloads: Bytes[] = [];
  for (const key of await client.ask("KEYS", "*") as string[]) {
    const reply = await client.askRaw("DUMP", key);
    payloads.push(latin1Bytes(reply.slice(reply.indexOf("\n") + 1, -2)));
  }
  return payloads;
}
