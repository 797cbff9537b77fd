/**
 * What the collections have in common: how a small one grows behind its key, and how it becomes a large one.
 *
 * A small collection is a listpack or an intset behind the key of its entry; the value's word says how many bytes it takes. The
 * block may be longer, so that the next element finds room: an eighth of what is there, at most {@linkcode MOST_SPARE_BYTES}.
 * Defragmentation and EXPIRE cut that off again. A large one hangs on a root (`memory/root.ts`), and its entry has just
 * the root's address.
 *
 * @module
 */
import { SEGMENT_SHIFT, UNIT_BYTES } from "../memory/arena.ts";
import type { ReadonlyView } from "../memory/arena.ts";
import { ENTRY_META, ENTRY_VALUE, wordIndex, wordsAt } from "../memory/entry.ts";
import { ROOT_OWNER, setRootWord } from "../memory/root.ts";
import { metaAfterWrite } from "./access_clock.ts";
import { hasExpiry, readExpiry, tailCapacity, tailLength, tailStart } from "./entry_facts.ts";
import { addEntry, type Database, type Keyspace, resizeEntry } from "./keyspace.ts";
import { ENCODING_ROOT } from "./types.ts";

/** Most spare room of a small collection. */
export const MOST_SPARE_BYTES = 256;
const SPARE_SHIFT = 3;

/**
 * Makes sure that the tail of `entry` has room for `bytes`, with some to spare if it has to grow; `keyspace.hash` is the key's
 * hash. Returns the entry, which may have moved.
 */
export function growTail(database: Database, entry: number, bytes: number): number {
  const { keyspace } = database;
  if (tailCapacity(keyspace, entry) >= bytes) return entry;
  const spare = Math.min(bytes >>> SPARE_SHIFT, MOST_SPARE_BYTES);
  return resizeTail(database, entry, bytes + spare);
}

/** Gives back room behind what the small collection in `entry` takes, if that is worth it. Returns the entry. */
export function trimTail(database: Database, entry: number): number {
  const { keyspace } = database;
  const used = tailLength(keyspace, entry);
  if (tailCapacity(keyspace, entry) - used <= (used >>> 1) + MOST_SPARE_BYTES) return entry;
  return resizeTail(database, entry, used);
}

/** Gives the tail of `entry` room for `bytes`; the expiry stays. Returns the entry, which may have moved. */
export function resizeTail(database: Database, entry: number, bytes: number): number {
  const { keyspace } = database;
  const volatile = hasExpiry(keyspace, entry);
  if (volatile) readExpiry(keyspace, entry, keyspace.expiry);
  return resizeEntry(database, entry, bytes, volatile);
}

/**
 * A new entry without an expiry for the key in `view`, which isn't there and whose hash is `keyspace.hash`, with room for
 * `tailBytes`. `kind` is its type and encoding, `value` its value's word; the tail is the caller's to write.
 */
export function addCollection(
  database: Database,
  view: ReadonlyView,
  start: number,
  length: number,
  tailBytes: number,
  kind: number,
  value: number,
): number {
  const entry = addEntry(database, view, start, length, tailBytes, false);
  setValue(database.keyspace, entry, kind, value);
  return entry;
}

/** Sets type, encoding and value word of `entry`, and notes the write. A root gets to know its entry. */
export function setValue(keyspace: Keyspace, entry: number, kind: number, value: number): void {
  const words = keyspace.arena.writable(entry, 16);
  const at = wordIndex(entry);
  words[at + ENTRY_META] = metaAfterWrite(keyspace, words[at + ENTRY_META], kind);
  words[at + ENTRY_VALUE] = value;
  if (kind >>> 4 === ENCODING_ROOT) setRootWord(keyspace.arena, value, ROOT_OWNER, entry);
}

/** Notes that the value of `entry` was written, and that it takes `bytes` of the tail. */
export function setTailLength(keyspace: Keyspace, entry: number, bytes: number): void {
  const words = keyspace.arena.writable(entry, 16);
  const at = wordIndex(entry);
  const meta = words[at + ENTRY_META];
  words[at + ENTRY_META] = metaAfterWrite(keyspace, meta, meta & 0xff);
  words[at + ENTRY_VALUE] = bytes;
}

/**
 * Has the small collection in `entry` be the large one at `root`, which is complete; its tail goes. Returns the entry, which may
 * have moved. `keyspace.hash` is the key's hash.
 */
export function becomeRoot(database: Database, entry: number, type: number, root: number): number {
  const { keyspace } = database;
  const changed = resizeTail(database, entry, 0);
  setValue(keyspace, changed, type | (ENCODING_ROOT << 4), root);
  return changed;
}

/** The root of the large collection in `entry`. */
export function rootOf(keyspace: Keyspace, entry: number): number {
  return wordsAt(keyspace.arena, entry)[wordIndex(entry) + ENTRY_VALUE];
}

/** The tail of `entry` may be stored to in what this returns, from `tailStart(keyspace, entry)` on. */
export function writableTail(keyspace: Keyspace, entry: number): DataView {
  return keyspace.arena.writableView(entry, keyspace.arena.unitsOf(entry) * UNIT_BYTES);
}

/** The view in which the tail of `entry` starts at `tailStart(keyspace, entry)`. */
export function tailView(keyspace: Keyspace, entry: number): ReadonlyView {
  return keyspace.arena.views[entry >>> SEGMENT_SHIFT];
}

export { tailStart };
