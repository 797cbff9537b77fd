/**
 * Checks everything that the keyspace keeps against everything else.
 *
 * @module
 */
import { assert } from "@std/assert";
import { BLOCK_ENTRY, BLOCK_VALUE, SEGMENT_SHIFT } from "../memory/arena.ts";
import { dictCheck, dictFind, dictVisitBucket } from "../memory/dict.ts";
import { keyLength, keyStart, wordIndex, wordsAt } from "../memory/entry.ts";
import { hashBytes } from "../memory/hash.ts";
import { databaseId, hasExpiry, valueBlock } from "./entry_facts.ts";
import { type Keyspace, VALUE_OWNER } from "./keyspace.ts";

/**
 * Checks arena, dicts and indexes of volatile keys against each other.
 *
 * @throws {AssertionError} at the first thing that doesn't agree.
 */
export function checkKeyspace(keyspace: Keyspace): void {
  const { arena } = keyspace;
  arena.check();
  const detached = detachedEntries(keyspace);
  let entries = 0;
  const volatile = new Map<number, number>();
  arena.walk((address, _units, kind) => {
    if (kind === BLOCK_VALUE) return checkValue(keyspace, address);
    if (kind !== BLOCK_ENTRY || detached.delete(address)) return;
    entries++;
    const id = databaseId(keyspace, address);
    const database = keyspace.databasesById[id];
    const view = arena.views[address >>> SEGMENT_SHIFT];
    const start = keyStart(arena, address);
    const length = keyLength(arena, address);
    const hash = hashBytes(view, start, length, keyspace.seed0, keyspace.seed1);
    const found = dictFind(arena, database.dict, hash, view, start, length);
    assert(found === address, `entry ${address} is found by its key`);
    if (!hasExpiry(keyspace, address)) return;
    volatile.set(id, (volatile.get(id) ?? 0) + 1);
    assert(database.volatile.at(database.volatile.positionOf(address)) === address);
  });
  let counted = 0;
  for (const database of keyspace.databases) {
    dictCheck(arena, database.dict);
    counted += database.size;
    assert(database.volatile.length === (volatile.get(database.id) ?? 0));
  }
  assert(counted === entries, `entries: ${entries} in the arena, ${counted} in the dicts`);
  assert(detached.size === 0, `${detached.size} entries that wait to be freed are gone`);
}

/** A value belongs to an entry that says so, or somebody has pinned it. */
function checkValue(keyspace: Keyspace, block: number): void {
  const owner = wordsAt(keyspace.arena, block)[wordIndex(block) + VALUE_OWNER];
  assert(
    keyspace.isPinned(block) || (owner !== 0 && valueBlock(keyspace, owner) === block),
    `value ${block} has an owner`,
  );
}

/** The entries of flushed databases that aren't freed yet. */
function detachedEntries(keyspace: Keyspace): Set<number> {
  const found = new Set<number>();
  for (const { dict, bucket, buckets, entries } of keyspace.detached) {
    const before = found.size;
    for (let number = bucket; number < buckets; number++) {
      dictVisitBucket(keyspace.arena, dict, number, (entry) => found.add(entry));
    }
    assert(found.size - before === entries, "entries that wait to be freed are counted");
  }
  return found;
}
