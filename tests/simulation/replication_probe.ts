/**
 * What a simulation sees of a server's data, directly: it looks between any two turns, and clients would be told too late.
 *
 * @module
 */
import type { Server } from "../../src/server/mod.ts";
import { SEGMENT_SHIFT } from "../../src/memory/arena.ts";
import { dictBuckets, dictVisitBucket } from "../../src/memory/dict.ts";
import { keyLength, keyStart } from "../../src/memory/entry.ts";
import { valueDigest } from "../../src/keyspace/digest.ts";
import { entryType, expiryOf, hasExpiry } from "../../src/keyspace/entry_facts.ts";
import { findEntry } from "../../src/keyspace/keyspace.ts";
import { stringBytes } from "../../src/keyspace/strings.ts";

/** Whether who has `offset` bytes of the stream `id` can be sent the rest by a server; what it thinks of that itself may be sabotaged. */
export function canGoOn(
  { replication: { history, stream } }: Server,
  id: string,
  offset: number,
): boolean {
  const shares = id === history.id || (id === history.secondId && offset <= history.secondEnd);
  return shares && stream !== null && offset >= stream.start && offset <= stream.end;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Longest text of a number, and some. */
const scratch = new Uint8Array(32);

/** The name of a key, to be looked up often. */
export class KeyName {
  private readonly view: DataView;

  /** The key `text`. */
  constructor(readonly text: string) {
    this.view = new DataView(encoder.encode(text).buffer);
  }

  /** The string there in the first database; undefined if there is none. The key must not expire. */
  valueIn({ keyspace, keyspace: { databases: [database] } }: Server): string | undefined {
    const entry = findEntry(database, this.view, 0, this.view.byteLength);
    return entry === 0 ? undefined : decoder.decode(stringBytes(keyspace, entry, scratch));
  }
}

/** What is at each key, by database and name: type, digest and expiry, to be compared. */
export function keysOf({ keyspace }: Server): Map<string, string> {
  const { arena, databases } = keyspace;
  const states = new Map<string, string>();
  for (const { dict, number, size } of databases) {
    if (size === 0) continue;
    for (let bucket = 0; bucket < dictBuckets(arena, dict); bucket++) {
      dictVisitBucket(arena, dict, bucket, (entry) => {
        const start = keyStart(arena, entry);
        const bytes = arena.bytes[entry >>> SEGMENT_SHIFT] as Uint8Array;
        const key = decoder.decode(bytes.slice(start, start + keyLength(arena, entry)));
        const expiry = hasExpiry(keyspace, entry) ? expiryOf(keyspace, entry) : "none";
        const digest = valueDigest(keyspace, entry);
        states.set(
          `${number}/${key}`,
          `type ${entryType(keyspace, entry)} ${digest} expiry ${expiry}`,
        );
      });
    }
  }
  return states;
}

/** Where two servers differ, for people; empty if they don't. */
export function differences(one: Server, other: Server): string {
  const [states, others] = [keysOf(one), keysOf(other)];
  return [...new Set([...states.keys(), ...others.keys()])]
    .filter((key) => states.get(key) !== others.get(key))
    .map((key) => `${key}: ${states.get(key) ?? "nothing"}, ${others.get(key) ?? "nothing"}`)
    .join("\n  ");
}
