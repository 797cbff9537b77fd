/**
 * The subcommands of DEBUG that look at keys and tables.
 *
 * @module
 */
import { datasetDigest, valueDigest } from "../keyspace/digest.ts";
import { entryType, tailCapacity, tailLength } from "../keyspace/entry_facts.ts";
import { findEntry } from "../keyspace/keyspace.ts";
import { externalBytes, isInteger, stringLength } from "../keyspace/strings.ts";
import { TYPE_STRING } from "../keyspace/types.ts";
import { UNIT_BYTES } from "../memory/arena.ts";
import { type DictStatistics, dictStatistics } from "../memory/dict_statistics.ts";
import { keyLength } from "../memory/entry.ts";
import type { ServerContext } from "./server_context.ts";

/** The entry of the key in argument `index`, whose access clock stays, or 0. */
function entryAt(context: ServerContext, index: number): number {
  const { database, view, starts, lengths } = context;
  return findEntry(database, view, starts[index], lengths[index]);
}

/** As {@linkcode entryAt} for argument 2, even if its time has come; an error is replied if there is none. */
export function debuggedEntry(context: ServerContext): number {
  const { keyspace } = context;
  const { dueBefore } = keyspace;
  keyspace.dueBefore = 0;
  const entry = entryAt(context, 2);
  keyspace.dueBefore = dueBefore;
  if (entry === 0) context.reply.error("ERR no such key");
  return entry;
}

/** DEBUG SDSLEN: lengths of key and string, spare room, and what each takes. */
export function debugStringLength(context: ServerContext): void {
  const { keyspace, scratch } = context;
  const entry = debuggedEntry(context);
  if (entry === 0) return;
  if (entryType(keyspace, entry) !== TYPE_STRING || isInteger(keyspace, entry)) {
    return context.reply.error("ERR Not an sds encoded string.");
  }
  const length = stringLength(keyspace, entry, scratch);
  const external = externalBytes(keyspace, entry);
  const room = external === 0 ? tailCapacity(keyspace, entry) : external;
  const entryBytes = keyspace.arena.unitsOf(entry) * UNIT_BYTES;
  const own = external === 0 ? tailLength(keyspace, entry) : external;
  context.reply.simple(
    `key_sds_len:${keyLength(keyspace.arena, entry)}, key_sds_avail:0, ` +
      `key_zmalloc: ${external === 0 ? entryBytes - own : entryBytes}, ` +
      `val_sds_len:${length}, val_sds_avail:${Math.max(0, room - length)}, val_zmalloc: ${own}`,
  );
}

/** DEBUG DIGEST. */
export function debugDigest(context: ServerContext): void {
  context.reply.simple(datasetDigest(context.keyspace));
}

/** DEBUG DIGEST-VALUE. */
export function debugDigestValue(context: ServerContext): void {
  context.reply.array(context.argc - 2);
  for (let index = 2; index < context.argc; index++) {
    context.reply.simple(valueDigest(context.keyspace, entryAt(context, index)));
  }
}

/** DEBUG HTSTATS: how keys are spread over the buckets of a database. */
export function debugTables(context: ServerContext): void {
  const { reply, keyspace } = context;
  if (!context.integer(2)) return;
  const database = keyspace.databases[context.value];
  if (database === undefined) return reply.error("ERR Out of range database");
  const { volatile } = database;
  const expires = volatile.length === 0
    ? EMPTY_TABLE
    : `Array of the keys with an expiry\n number of elements: ${volatile.length}\n`;
  reply.verbatim(
    "txt",
    `[Dictionary HT]\n${tableText(dictStatistics(keyspace.arena, database.dict))}` +
      `[Expires HT]\n${expires}`,
  );
}

/** DEBUG STRUCTSIZE: bytes of what each key costs. */
export function debugStructures(context: ServerContext): void {
  context.reply.simple(
    "bits:64 block:4 entry:16 expiry:12 database:4 bucket:64 slotsinbucket:12 external:16",
  );
}

/** Clients are counted by size: those below this, and then in steps of the double. */
const FIRST_CLIENT_BYTES = 32 * 1024;
const CLIENT_SIZES = 19;

/** DEBUG CLIENT-EVICTION: how many clients take how much. */
export function debugClients(context: ServerContext): void {
  const { server, reply } = context;
  if (server.settings.text("maxmemory-clients") === "0") {
    return reply.error("ERR maxmemory-clients is disabled.");
  }
  const bytes = new Array<number>(CLIENT_SIZES).fill(0);
  const clients = new Array<number>(CLIENT_SIZES).fill(0);
  for (const { footprint } of server.sessions.values()) {
    const doubles = Math.floor(Math.log2(Math.max(1, footprint / FIRST_CLIENT_BYTES)));
    const size = footprint < FIRST_CLIENT_BYTES ? 0 : Math.min(CLIENT_SIZES - 1, doubles + 1);
    bytes[size] += footprint;
    clients[size]++;
  }
  const lines = bytes.map((sum, size) => {
    const from = size === 0 ? 0 : FIRST_CLIENT_BYTES * 2 ** (size - 1);
    const to = size === CLIENT_SIZES - 1
      ? "+            "
      : ` - ${String(FIRST_CLIENT_BYTES * 2 ** size - 1).padStart(10)}`;
    return `bucket ${String(from).padStart(10)}${to}: tot-mem: ${String(sum).padStart(10)}, ` +
      `clients: ${clients[size]}\n`;
  });
  reply.bulk(lines.join(""));
}

/** What an empty table is said to be. */
const EMPTY_TABLE = "Hash table 0 stats (main hash table):\n" +
  "No stats available for empty dictionaries\n";

/** How entries are spread over a table, in the lines that Redis writes. */
export function tableText({ buckets, entries, bucketsByLength, longest }: DictStatistics): string {
  if (entries === 0) return EMPTY_TABLE;
  const used = buckets - bucketsByLength[0];
  const lines = [
    "Hash table 0 stats (main hash table):",
    ` table size: ${buckets}`,
    ` number of elements: ${entries}`,
    ` different slots: ${used}`,
    ` max chain length: ${longest}`,
    ` avg chain length (counted): ${(entries / used).toFixed(2)}`,
    ` avg chain length (computed): ${(entries / used).toFixed(2)}`,
    " Chain length distribution:",
    ...bucketsByLength.flatMap((count, length) => {
      if (count === 0) return [];
      const name = length === bucketsByLength.length - 1 ? `>= ${length}` : `${length}`;
      return [`   ${name}: ${count} (${(count * 100 / buckets).toFixed(2)}%)`];
    }),
  ];
  return `${lines.join("\n")}\n`;
}
