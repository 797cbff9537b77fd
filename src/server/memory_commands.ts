/**
 * MEMORY: what takes how much memory, and whether that is well.
 *
 * @module
 */
import { type Handler, SYNTAX_ERROR } from "../commands/context.ts";
import { replyHelp } from "../commands/generic.ts";
import type { MEMORY_SPECS } from "../commands/specs/memory.ts";
import type { HandlersFor } from "../commands/specs/mod.ts";
import { hasExpiry } from "../keyspace/entry_facts.ts";
import { valueTypeOf } from "../keyspace/values.ts";
import {
  BLOCK_BUCKETS,
  BLOCK_CHUNK,
  BLOCK_DICT,
  BLOCK_DIRECTORY,
  BLOCK_ENTRY,
  BLOCK_INNER,
  BLOCK_LEAF,
  BLOCK_MEMBER,
  BLOCK_OVERFLOW,
  BLOCK_PLAIN,
  BLOCK_ROOT,
  BLOCK_TREE,
  BLOCK_VALUE,
  UNIT_BYTES,
} from "../memory/arena.ts";
import { dictFind } from "../memory/dict.ts";
import { dictBytes } from "../memory/dict_statistics.ts";
import { hashBytes } from "../memory/hash.ts";
import { serverHandler } from "./connection_commands.ts";
import { type MemoryReport, memoryReport } from "./memory_report.ts";
import type { ServerContext } from "./server_context.ts";

const MEBIBYTE = 1024 * 1024;
/** Place in the array of the keys with an expiry. */
const INDEX_BYTES = 4;

/**
 * MEMORY USAGE: all that goes when the key goes, and its share of the table that finds it. With SAMPLES, so many elements of a large
 * collection are taken for all; without, or with 0, each is looked at.
 */
function usage(context: ServerContext): void {
  const { keyspace, database, view, starts, lengths, reply } = context;
  let samples = Infinity;
  for (let index = 3; index < context.argc; index += 2) {
    if (!context.isWord(index, "SAMPLES") || index + 1 === context.argc) {
      return reply.error(SYNTAX_ERROR);
    }
    if (!context.integer(index + 1)) return;
    if (context.number.high < 0) return reply.error(SYNTAX_ERROR);
    samples = context.value === 0 ? Infinity : context.value;
  }
  const { arena } = keyspace;
  // An expired key takes its memory until it is removed, and looking at it doesn't do that.
  const hash = hashBytes(view, starts[2], lengths[2], keyspace.seed0, keyspace.seed1);
  const entry = dictFind(arena, database.dict, hash, view, starts[2], lengths[2]);
  if (entry === 0) return reply.nullBulk();
  const share = Math.round(dictBytes(arena, database.dict) / database.size) +
    (hasExpiry(keyspace, entry) ? INDEX_BYTES : 0);
  const value = valueTypeOf(keyspace, entry).bytes(keyspace, entry, samples);
  reply.integer(arena.unitsOf(entry) * UNIT_BYTES + value + share);
}

/** A number of MEMORY STATS: a count of bytes or keys, a ratio, or what a database takes. */
type Field = readonly [name: string, value: number, isRatio?: true];

function stats(context: ServerContext): void {
  const { reply } = context;
  const report = memoryReport(context.server);
  const [before, after] = fieldsOf(report);
  const write = ([name, value, isRatio]: Field): void => {
    reply.bulk(name);
    if (isRatio) reply.double(Number.isFinite(value) ? value : 0);
    else reply.integer(value);
  };
  reply.map(before.length + report.databases.length + after.length);
  before.forEach(write);
  for (const { number, main, expires } of report.databases) {
    reply.bulk(`db.${number}`);
    reply.map(3);
    write(["overhead.hashtable.main", main]);
    write(["overhead.hashtable.expires", expires]);
    write(["overhead.hashtable.slot-to-keys", 0]);
  }
  after.forEach(write);
}

/** The fields of MEMORY STATS before those of the databases, and after them, in Redis' order. */
function fieldsOf(report: MemoryReport): readonly [readonly Field[], readonly Field[]] {
  const { total, startup, overhead, keys, dataset, allocated, active, resident } = report;
  const grown = Math.max(0, total - startup);
  return [[
    ["peak.allocated", report.peak],
    ["total.allocated", total],
    ["startup.allocated", startup],
    ["replication.backlog", report.backlog],
    ["clients.slaves", report.replicas],
    ["clients.normal", report.clients],
    ["cluster.links", 0],
    ["aof.buffer", 0],
    ["lua.caches", 0],
    ["functions.caches", 0],
  ], [
    ["overhead.total", overhead],
    ["keys.count", keys],
    ["keys.bytes-per-key", keys === 0 ? 0 : Math.floor(grown / keys)],
    ["dataset.bytes", dataset],
    ["dataset.percentage", Math.fround(dataset * 100 / grown), true],
    ["peak.percentage", Math.fround(total * 100 / report.peak), true],
    ["allocator.allocated", allocated],
    ["allocator.active", active],
    ["allocator.resident", active],
    ["allocator-fragmentation.ratio", Math.fround(active / allocated), true],
    ["allocator-fragmentation.bytes", active - allocated],
    ["allocator-rss.ratio", 1, true],
    ["allocator-rss.bytes", 0],
    ["rss-overhead.ratio", Math.fround(resident / active), true],
    ["rss-overhead.bytes", resident - active],
    ["fragmentation", Math.fround(resident / total), true],
    ["fragmentation.bytes", resident - total],
  ]];
}

/** Below this there is nothing to be said. */
const SMALL_BYTES = 5 * MEBIBYTE;
/** What is lost isn't worth a word below this. */
const WORTH_BYTES = 10 * MEBIBYTE;
const LARGE_CLIENT_BYTES = 200 * 1024;

/** What is wrong, in sentences; none if nothing is. */
export function findMemoryProblems(report: MemoryReport, clients: number): string[] {
  const { total, peak, allocated, active } = report;
  const beyond = report.resident - report.startupResident - active;
  const problems: string[] = [];
  if (peak > total * 1.5) {
    problems.push(
      "Peak memory: at one time this server used more than 1.5 times what it uses now. Memory that " +
        "was in use then may still belong to the process; MEMORY PURGE gives back what is free as a whole.",
    );
  }
  if (active > allocated * 1.4 && active - allocated > WORTH_BYTES) {
    problems.push(
      "Fragmentation: of the memory that has been used, more than a quarter is free between values " +
        "in use. It serves for new values; 'activedefrag yes' moves values together and gives it back.",
    );
  }
  if (beyond > total * 0.5 && beyond > WORTH_BYTES) {
    problems.push(
      "Memory outside of the data: the process has grown by more than half of what the data take. Mostly " +
        "these are buffers for large requests and replies, which the runtime gives back after a while.",
    );
  }
  if (clients > 0 && report.clients / clients > LARGE_CLIENT_BYTES) {
    problems.push(
      "Large clients: on average a client's buffers take more than 200 KiB. CLIENT LIST shows whose " +
        "output (omem) isn't read or whose requests (qbuf) are long; 'maxmemory-clients' limits them.",
    );
  }
  return problems;
}

function doctor(context: ServerContext): void {
  const { server, reply } = context;
  const report = memoryReport(server);
  if (report.total < SMALL_BYTES) {
    return reply.verbatim(
      "txt",
      "This server is empty or holds very little: there is too little memory in use to say anything about.\n",
    );
  }
  const problems = findMemoryProblems(report, server.sessions.size);
  const text = problems.length === 0
    ? "No problem with memory was found in this server.\n"
    : `Found in the memory of this server:\n\n${problems.map((line) => ` * ${line}\n`).join("\n")}`;
  reply.verbatim("txt", text);
}

const KIND_NAMES: ReadonlyMap<number, string> = new Map([
  [BLOCK_ENTRY, "entries"],
  [BLOCK_VALUE, "values"],
  [BLOCK_DICT, "dicts"],
  [BLOCK_DIRECTORY, "directories"],
  [BLOCK_BUCKETS, "buckets"],
  [BLOCK_OVERFLOW, "overflow buckets"],
  [BLOCK_ROOT, "roots of collections"],
  [BLOCK_MEMBER, "members of collections"],
  [BLOCK_TREE, "trees"],
  [BLOCK_INNER, "inner nodes of trees"],
  [BLOCK_LEAF, "leaves of trees"],
  [BLOCK_CHUNK, "listpacks of lists and streams"],
  [BLOCK_PLAIN, "others"],
]);

/** MEMORY MALLOC-STATS: the arena, and its blocks by what they hold. */
function allocatorStatistics(context: ServerContext): void {
  const { arena } = context.keyspace;
  const { usedBytes, freeBytes, segmentBytes, segments } = arena.usage();
  const counts = new Map<number, { blocks: number; bytes: number }>();
  arena.walk((_address, units, kind) => {
    const count = counts.get(kind) ?? { blocks: 0, bytes: 0 };
    count.blocks++;
    count.bytes += units * UNIT_BYTES;
    counts.set(kind, count);
  });
  const lines = [
    `Arena: ${segments} segments of ${segmentBytes} bytes, ${arena.touchedBytes} of them ever used`,
    `In blocks: ${usedBytes} bytes, free: ${freeBytes} bytes`,
    ...[...KIND_NAMES].flatMap(([kind, name]) => {
      const count = counts.get(kind);
      return count === undefined ? [] : [`  ${name}: ${count.blocks} blocks, ${count.bytes} bytes`];
    }),
  ];
  context.reply.verbatim("txt", `${lines.join("\n")}\n`);
}

function purge(context: ServerContext): void {
  context.server.dropIdleBuffers();
  context.server.reclaimer.purge();
  context.reply.simple("OK");
}

const MEMORY_HELP = [
  "MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "DOCTOR",
  "    Say in words what is wrong with memory.",
  "MALLOC-STATS",
  "    Tell what the arena consists of.",
  "PURGE",
  "    Move values together and give back what is free then, and buffers kept for later.",
  "STATS",
  "    Tell what takes how much memory.",
  "USAGE <key> [SAMPLES <count>]",
  "    Tell how many bytes <key> takes: itself, its value, and its share of the table of keys.",
  "HELP",
  "    Show this help.",
];

/** The handlers of MEMORY. */
export const MEMORY_HANDLERS: HandlersFor<typeof MEMORY_SPECS, Handler> = {
  memory: {
    doctor: serverHandler(doctor),
    stats: serverHandler(stats),
    "malloc-stats": serverHandler(allocatorStatistics),
    usage: serverHandler(usage),
    help: (context) => replyHelp(context, MEMORY_HELP),
    purge: serverHandler(purge),
  },
};
