/**
 * Members: the blocks of what a large collection's dict finds. A member of a set, a field of a hash with its value, a member of
 * a sorted set with its score, a group of a stream. Their first words are those of an entry, so that the dict of the
 * keyspace serves them as well.
 *
 * ```text
 * word 0   block header
 * word 1   handle of the collection (see root.ts)
 * word 2   length of the key in bytes; bit 31: the key starts a word later, behind a score
 * word 3   hash: length of the value; stream: address of a child root; low half of a score
 * [word 4] high half of a score
 * key      bytes, then the bytes of the value
 * ```
 *
 * The collection stands in each of its members because members move between turns (`keyspace/defragmentation.ts`), and the mover has
 * to find the dict. It is a handle, not an address, because a collection's root moves, too.
 *
 * **Cost.** 16 bytes and the key, rounded up to 8; with a score 20. A member of 20 bytes with a score: 40.
 *
 * @module
 */
import {
  type Arena,
  BLOCK_MEMBER,
  type ReadonlyView,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  UNIT_BYTES,
} from "./arena.ts";
import { copyBytes } from "./copy.ts";
import { ENTRY_KEY, HAS_DATABASE, KEY_LENGTH_MASK, wordIndex, wordsAt } from "./entry.ts";

/** Word of a member: the handle of its collection. */
export const MEMBER_HANDLE = 1;
/** Word of a member: length of a value, address of a child root, or the low half of a score. */
export const MEMBER_VALUE = 3;
/** Bytes before the key; */
const FIXED_BYTES = 16;
/** with a score. */
const SCORED_BYTES = 20;
/** A block with so many bytes of spare room keeps it when its value changes. */
const SPARE_BYTES = 16;

/** A member with the `length` bytes of `view` from `start` as its key, without a value. */
export function memberCreate(
  arena: Arena,
  handle: number,
  view: ReadonlyView,
  start: number,
  length: number,
): number {
  const member = allocate(arena, handle, FIXED_BYTES + length, length);
  arena.writable(member, FIXED_BYTES)[wordIndex(member) + MEMBER_VALUE] = 0;
  const at = (member & SEGMENT_MASK) * UNIT_BYTES + FIXED_BYTES;
  copyBytes(view, start, arena.writableView(member, FIXED_BYTES + length), at, length);
  return member;
}

/** As {@linkcode memberCreate}, with a score. */
export function memberCreateScored(
  arena: Arena,
  handle: number,
  view: ReadonlyView,
  start: number,
  length: number,
  score: number,
): number {
  const member = allocate(arena, handle, SCORED_BYTES + length, length | HAS_DATABASE);
  const target = arena.writableView(member, SCORED_BYTES + length);
  const at = (member & SEGMENT_MASK) * UNIT_BYTES;
  target.setFloat64(at + MEMBER_VALUE * 4, score, true);
  copyBytes(view, start, target, at + SCORED_BYTES, length);
  return member;
}

/** As {@linkcode memberCreate}, with a value: `valueLength` bytes of `valueView` from `valueStart`. */
export function memberCreateValued(
  arena: Arena,
  handle: number,
  view: ReadonlyView,
  start: number,
  length: number,
  valueView: ReadonlyView,
  valueStart: number,
  valueLength: number,
): number {
  const bytes = FIXED_BYTES + length + valueLength;
  const member = allocate(arena, handle, bytes, length);
  const target = arena.writableView(member, bytes);
  arena.writable(member, FIXED_BYTES)[wordIndex(member) + MEMBER_VALUE] = valueLength;
  const at = (member & SEGMENT_MASK) * UNIT_BYTES + FIXED_BYTES;
  copyBytes(view, start, target, at, length);
  copyBytes(valueView, valueStart, target, at + length, valueLength);
  return member;
}

/** Handle of the collection that `member` is in. */
export function memberHandle(arena: Arena, member: number): number {
  return wordsAt(arena, member)[wordIndex(member) + MEMBER_HANDLE];
}

/** Score of a member of a sorted set. */
export function memberScore(arena: Arena, member: number): number {
  return arena.views[member >>> SEGMENT_SHIFT].getFloat64(
    (member & SEGMENT_MASK) * UNIT_BYTES + MEMBER_VALUE * 4,
    true,
  );
}

/** Gives a member of a sorted set another score. */
export function memberSetScore(arena: Arena, member: number, score: number): void {
  arena.writableView(member, SCORED_BYTES).setFloat64(
    (member & SEGMENT_MASK) * UNIT_BYTES + MEMBER_VALUE * 4,
    score,
    true,
  );
}

/** Length in bytes of a field's value. */
export function memberValueLength(arena: Arena, member: number): number {
  return wordsAt(arena, member)[wordIndex(member) + MEMBER_VALUE];
}

/** Byte offset of a field's value within its segment. */
export function memberValueStart(arena: Arena, member: number): number {
  const at = wordIndex(member);
  return (at << 2) + FIXED_BYTES + (wordsAt(arena, member)[at + ENTRY_KEY] & KEY_LENGTH_MASK);
}

/** Word {@linkcode MEMBER_VALUE} of a member: the root of a group or consumer. */
export function memberChild(arena: Arena, member: number): number {
  return wordsAt(arena, member)[wordIndex(member) + MEMBER_VALUE];
}

/** Has a member name `child`, the root of a group or consumer. */
export function memberSetChild(arena: Arena, member: number, child: number): void {
  arena.writable(member, FIXED_BYTES)[wordIndex(member) + MEMBER_VALUE] = child;
}

/**
 * Gives a field another value where its block has room for it; false, with nothing changed, if it hasn't, or if too much room
 * would be left.
 */
export function memberTrySetValue(
  arena: Arena,
  member: number,
  view: ReadonlyView,
  start: number,
  length: number,
): boolean {
  const at = wordIndex(member);
  const keyBytes = wordsAt(arena, member)[at + ENTRY_KEY] & KEY_LENGTH_MASK;
  const bytes = FIXED_BYTES + keyBytes + length;
  const room = arena.unitsOf(member) * UNIT_BYTES;
  if (bytes > room || room - bytes > SPARE_BYTES + (bytes >>> 2)) return false;
  const target = arena.writableView(member, bytes);
  copyBytes(view, start, target, (at << 2) + FIXED_BYTES + keyBytes, length);
  arena.writable(member, FIXED_BYTES)[at + MEMBER_VALUE] = length;
  return true;
}

function allocate(arena: Arena, handle: number, bytes: number, keyField: number): number {
  const member = arena.allocate(Math.ceil(bytes / UNIT_BYTES), BLOCK_MEMBER);
  const words = arena.writable(member, FIXED_BYTES);
  const at = wordIndex(member);
  words[at + MEMBER_HANDLE] = handle;
  words[at + ENTRY_KEY] = keyField;
  return member;
}
