/**
 * Large sets and hashes: a root whose dict finds each member, or each field with its value.
 *
 * One hash and two misses of the cache find a member, whatever the number of members: one for its bucket, one for itself.
 * Adding one may split a bucket, so no pause grows with the number (see `memory/dict.ts`). The number of members stands in the root
 * as well, where it is at hand.
 *
 * @module
 */
import { type ReadonlyView, UNIT_BYTES } from "../memory/arena.ts";
import {
  dictCreate,
  dictFind,
  dictHashEntry,
  dictInsert,
  dictRemove,
  dictReplace,
} from "../memory/dict.ts";
import { dictBytes } from "../memory/dict_statistics.ts";
import { setOwner } from "../memory/dict_table.ts";
import { DictWalk } from "../memory/dict_walk.ts";
import { wordIndex } from "../memory/entry.ts";
import { hashBytes } from "../memory/hash.ts";
import {
  MEMBER_HANDLE,
  memberCreate,
  memberCreateValued,
  memberTrySetValue,
} from "../memory/member.ts";
import {
  ROOT_COUNT,
  ROOT_DICT,
  ROOT_HANDLE,
  ROOT_KIND,
  ROOT_SET,
  rootBytes,
  rootCreate,
  rootWord,
  setRootWord,
} from "../memory/root.ts";
import type { CollectionWalk } from "./collection_walk.ts";
import { rootOf } from "./collections.ts";
import { ElementPlace } from "./element_place.ts";
import { entryEncoding } from "./entry_facts.ts";
import type { Keyspace } from "./keyspace.ts";
import { ENCODING_ROOT } from "./types.ts";

/**
 * An empty root of a set or hash (`kind`), which nobody owns yet.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function createMembers(keyspace: Keyspace, kind: number): number {
  const { arena, roots } = keyspace;
  const root = rootCreate(arena, roots, kind, 0);
  try {
    const dict = dictCreate(arena, keyspace.seed0, keyspace.seed1);
    setOwner(arena, dict, root);
    setRootWord(arena, root, ROOT_DICT, dict);
  } catch (error) {
    roots.release(rootWord(arena, root, ROOT_HANDLE));
    arena.free(root);
    throw error;
  }
  return root;
}

/** The dict of the value in `entry`, which may be 0 or of any type; 0 if it has none. */
export function membersDict(keyspace: Keyspace, entry: number): number {
  if (entry === 0 || entryEncoding(keyspace, entry) !== ENCODING_ROOT) return 0;
  return rootWord(keyspace.arena, rootOf(keyspace, entry), ROOT_DICT);
}

/** The hash of a member's text, which has been taken already if a batch of requests names it. */
export function hashMember(
  keyspace: Keyspace,
  view: ReadonlyView,
  start: number,
  length: number,
): number {
  const { hashedMember, seed0, seed1 } = keyspace;
  return hashedMember.start === start && hashedMember.view === view
    ? hashedMember.hash
    : hashBytes(view, start, length, seed0, seed1);
}

/** The member whose key is the text, or 0. */
export function findMember(
  keyspace: Keyspace,
  root: number,
  view: ReadonlyView,
  start: number,
  length: number,
): number {
  const { arena } = keyspace;
  const hash = hashMember(keyspace, view, start, length);
  return dictFind(arena, rootWord(arena, root, ROOT_DICT), hash, view, start, length);
}

/** As {@linkcode findMember}, for the element that a place tells. */
export function findMemberAt(keyspace: Keyspace, root: number, place: ElementPlace): number {
  const { arena } = keyspace;
  const hash = place.hash(keyspace.seed0, keyspace.seed1);
  const dict = rootWord(arena, root, ROOT_DICT);
  return dictFind(arena, dict, hash, place.view, place.start, place.length);
}

/**
 * Adds a member without a value; false if it is there already.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function addMember(
  keyspace: Keyspace,
  root: number,
  view: ReadonlyView,
  start: number,
  length: number,
): boolean {
  const { arena } = keyspace;
  const hash = hashMember(keyspace, view, start, length);
  if (dictFind(arena, rootWord(arena, root, ROOT_DICT), hash, view, start, length) !== 0) {
    return false;
  }
  const handle = rootWord(arena, root, ROOT_HANDLE);
  enterMember(keyspace, root, hash, memberCreate(arena, handle, view, start, length));
  return true;
}

/**
 * Sets the value of a field; whether the field is new.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function setMember(
  keyspace: Keyspace,
  root: number,
  view: ReadonlyView,
  start: number,
  length: number,
  valueView: ReadonlyView,
  valueStart: number,
  valueLength: number,
): boolean {
  const { arena } = keyspace;
  const hash = hashMember(keyspace, view, start, length);
  const dict = rootWord(arena, root, ROOT_DICT);
  const old = dictFind(arena, dict, hash, view, start, length);
  if (old !== 0 && memberTrySetValue(arena, old, valueView, valueStart, valueLength)) {
    return false;
  }
  const member = memberCreateValued(
    arena,
    rootWord(arena, root, ROOT_HANDLE),
    view,
    start,
    length,
    valueView,
    valueStart,
    valueLength,
  );
  if (old === 0) {
    enterMember(keyspace, root, hash, member);
    return true;
  }
  dictReplace(arena, dict, hash, old, member);
  arena.free(old);
  return false;
}

/** Has the dict find `member`, which is freed if there is no room for that. */
function enterMember(keyspace: Keyspace, root: number, hash: number, member: number): void {
  const { arena } = keyspace;
  try {
    dictInsert(arena, rootWord(arena, root, ROOT_DICT), hash, member);
  } catch (error) {
    arena.free(member);
    throw error;
  }
  arena.writable(root, (ROOT_COUNT + 1) * 4)[wordIndex(root) + ROOT_COUNT]++;
}

/** Takes `member`, whose key has the hash `hash`, out and frees it. */
export function dropMember(keyspace: Keyspace, root: number, hash: number, member: number): void {
  const { arena } = keyspace;
  dictRemove(arena, rootWord(arena, root, ROOT_DICT), hash, member);
  arena.free(member);
  arena.writable(root, (ROOT_COUNT + 1) * 4)[wordIndex(root) + ROOT_COUNT]--;
}

/** Takes the member whose key is the text out; false if there is none. */
export function removeMember(
  keyspace: Keyspace,
  root: number,
  view: ReadonlyView,
  start: number,
  length: number,
): boolean {
  const { arena } = keyspace;
  const hash = hashMember(keyspace, view, start, length);
  const dict = rootWord(arena, root, ROOT_DICT);
  const member = dictFind(arena, dict, hash, view, start, length);
  if (member === 0) return false;
  dropMember(keyspace, root, hash, member);
  return true;
}

/**
 * A root of a set or hash (`kind`), which nobody owns yet, with the elements that `walk` has before it.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function membersOf(keyspace: Keyspace, kind: number, walk: CollectionWalk): number {
  const root = createMembers(keyspace, kind);
  const value = new ElementPlace();
  try {
    while (walk.next()) {
      walk.spell();
      const { view, start, length } = walk;
      if (kind === ROOT_SET) addMember(keyspace, root, view, start, length);
      else {
        walk.readValue(value);
        value.spell();
        setMember(keyspace, root, view, start, length, value.view, value.start, value.length);
      }
    }
  } catch (error) {
    keyspace.freeValueBlock(root);
    throw error;
  }
  return root;
}

/**
 * A copy of the large set or hash at `root`, which nobody owns yet.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function copyMembers(keyspace: Keyspace, root: number): number {
  const { arena } = keyspace;
  const copied = createMembers(keyspace, rootWord(arena, root, ROOT_KIND));
  const handle = rootWord(arena, copied, ROOT_HANDLE);
  const walk = new DictWalk();
  const dict = rootWord(arena, root, ROOT_DICT);
  walk.begin(arena, dict);
  try {
    for (let member = walk.next(); member !== 0; member = walk.next()) {
      const copy = arena.duplicate(member, arena.unitsOf(member));
      arena.writable(copy, 8)[wordIndex(copy) + MEMBER_HANDLE] = handle;
      enterMember(keyspace, copied, dictHashEntry(arena, dict, member), copy);
    }
  } catch (error) {
    keyspace.freeValueBlock(copied);
    throw error;
  }
  return copied;
}

/**
 * Bytes of the large set or hash at `root` with all that hangs on it. With more than `samples` members, the others are taken to be as
 * large as these on average.
 */
export function membersBytes(keyspace: Keyspace, root: number, samples: number): number {
  const { arena } = keyspace;
  const dict = rootWord(arena, root, ROOT_DICT);
  const walk = new DictWalk();
  walk.begin(arena, dict);
  let units = 0;
  let looked = 0;
  for (let member = walk.next(); member !== 0 && looked < samples; member = walk.next()) {
    units += arena.unitsOf(member);
    looked++;
  }
  const count = rootWord(arena, root, ROOT_COUNT);
  const members = looked === 0 ? 0 : Math.round((units * count) / looked) * UNIT_BYTES;
  return rootBytes(arena, root) + dictBytes(arena, dict) + members;
}
