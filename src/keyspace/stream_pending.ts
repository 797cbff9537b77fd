/**
 * What is pending in a group: entries that a consumer was given and hasn't acknowledged. The layout stands at the head of
 * `stream_groups.ts`.
 *
 * Functions that add take room in both trees before anything changes; those that remove can't fail.
 *
 * @module
 */
import type { Arena } from "../memory/arena.ts";
import { wordsAt } from "../memory/entry.ts";
import {
  type EntryId,
  ID_WORDS,
  idFind,
  idSeek,
  idSeekFrom,
  setIdSlot,
  slotId,
} from "../memory/id_tree.ts";
import { ROOT_HANDLE, ROOT_TREE, rootWord, setRootWord } from "../memory/root.ts";
import {
  slotIndex,
  treeCreate,
  TreeCursor,
  treeEnd,
  treeFirst,
  treeFree,
  treeInsert,
  treeNext,
  treeRemove,
  type TreeShape,
} from "../memory/tree.ts";
import { NODE_SLOTS, nodeBytes, treeTop, treeWeight } from "../memory/tree_nodes.ts";
import type { Keyspace } from "./keyspace.ts";

const TIME = ID_WORDS;
const DELIVERIES = TIME + 2;
const CONSUMER = DELIVERIES + 2;
const GROUP_SHAPE: TreeShape = {
  width: CONSUMER + 1,
  keyWords: ID_WORDS,
  weightWord: -1,
  ownedWord: -1,
};
const CONSUMER_SHAPE: TreeShape = {
  width: ID_WORDS,
  keyWords: ID_WORDS,
  weightWord: -1,
  ownedWord: -1,
};
/** A tree that is empty keeps its only leaf if that isn't larger than this. */
const KEPT_LEAF_UNITS = 32;
const TWO_32 = 4294967296;

/** What is known of an entry that is pending. */
export class Pending {
  /** When it was delivered last, in unix ms: upper half, */
  timeHigh = 0;
  /** and lower half. */
  timeLow = 0;
  /** How often it was delivered: upper half, */
  deliveriesHigh = 0;
  /** and lower half. */
  deliveriesLow = 0;
  /** Handle of the consumer that has it. */
  consumer = 0;

  /** When it was delivered last, in unix ms as a double. */
  get time(): number {
    return this.timeHigh * TWO_32 + (this.timeLow >>> 0);
  }

  /** Sets {@linkcode time}. */
  set time(time: number) {
    this.timeHigh = Math.floor(time / TWO_32);
    this.timeLow = time - this.timeHigh * TWO_32 | 0;
  }

  /** Sets how often it was delivered. */
  setDeliveries(count: number): void {
    this.deliveriesHigh = 0;
    this.deliveriesLow = count;
  }

  /** It was delivered once more. */
  countDelivery(): void {
    this.deliveriesLow = (this.deliveriesLow + 1) | 0;
    if (this.deliveriesLow === 0) this.deliveriesHigh = (this.deliveriesHigh + 1) | 0;
  }
}

/** What functions that work on what is pending need; to be kept and used again. */
export class PendingPlace {
  /** The entry in the group's tree. */
  readonly cursor: TreeCursor = new TreeCursor();
  /** The entry in the tree of a consumer. */
  readonly consumerCursor: TreeCursor = new TreeCursor();
  /** What is known of it. */
  readonly pending: Pending = new Pending();
}

/** Goes to the pending entry with this id, and reads what is known of it; false if there is none. */
export function findPending(
  arena: Arena,
  group: number,
  id: EntryId,
  place: PendingPlace,
): boolean {
  const tree = rootWord(arena, group, ROOT_TREE);
  if (tree === 0 || !idFind(arena, tree, id, place.cursor)) return false;
  readPending(arena, place);
  return true;
}

/** Goes to the first entry whose id isn't below `id` of those pending in a group or for a consumer; false if there is none. */
export function seekPending(
  arena: Arena,
  root: number,
  id: EntryId,
  cursor: TreeCursor,
): boolean {
  const tree = rootWord(arena, root, ROOT_TREE);
  return tree !== 0 && idSeekFrom(arena, tree, id, cursor);
}

/** Reads what the slot at the place's cursor says. */
export function readPending(arena: Arena, { cursor, pending }: PendingPlace): void {
  const words = wordsAt(arena, cursor.leaf);
  const at = slotIndex(arena, cursor);
  pending.timeHigh = words[at + TIME];
  pending.timeLow = words[at + TIME + 1];
  pending.deliveriesHigh = words[at + DELIVERIES];
  pending.deliveriesLow = words[at + DELIVERIES + 1];
  pending.consumer = words[at + CONSUMER];
}

/** Has the slot at the place's cursor say what is known of the entry. */
export function writePending(arena: Arena, { cursor, pending }: PendingPlace): void {
  const words = arena.writable(cursor.leaf, nodeBytes(NODE_SLOTS, GROUP_SHAPE.width));
  const at = slotIndex(arena, cursor);
  words[at + TIME] = pending.timeHigh;
  words[at + TIME + 1] = pending.timeLow;
  words[at + DELIVERIES] = pending.deliveriesHigh;
  words[at + DELIVERIES + 1] = pending.deliveriesLow;
  words[at + CONSUMER] = pending.consumer;
}

/**
 * Notes what `place.pending` says of the entry with this id, for the consumer with the root `consumer`: {@linkcode findPending} has just
 * looked for it, and found nothing. The place is then at it.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function addPending(
  arena: Arena,
  group: number,
  consumer: number,
  id: EntryId,
  place: PendingPlace,
): void {
  const { cursor, pending } = place;
  pending.consumer = rootWord(arena, consumer, ROOT_HANDLE);
  insertPending(arena, group, id, place);
  try {
    addToConsumer(arena, consumer, id, place);
  } catch (error) {
    treeRemove(arena, cursor);
    throw error;
  }
}

/**
 * As {@linkcode addPending} for the group alone: `place.pending` names a consumer, or 0 for one that is still to come
 * ({@linkcode assignPending}).
 */
export function insertPending(
  arena: Arena,
  group: number,
  id: EntryId,
  { cursor, pending }: PendingPlace,
): void {
  // The cursor is where a search in this tree has ended, if there was a tree.
  if (rootWord(arena, group, ROOT_TREE) === 0) {
    treeEnd(arena, treeOf(arena, group, GROUP_SHAPE), cursor);
  }
  setIdSlot(cursor, id);
  const { slot } = cursor;
  slot[TIME] = pending.timeHigh;
  slot[TIME + 1] = pending.timeLow;
  slot[DELIVERIES] = pending.deliveriesHigh;
  slot[DELIVERIES + 1] = pending.deliveriesLow;
  slot[CONSUMER] = pending.consumer;
  treeInsert(arena, cursor);
}

/**
 * Has the entry at the place, whose id is `id` and which nobody has yet, be pending for the consumer with the root `consumer`.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function assignPending(
  arena: Arena,
  consumer: number,
  id: EntryId,
  place: PendingPlace,
): void {
  addToConsumer(arena, consumer, id, place);
  place.pending.consumer = rootWord(arena, consumer, ROOT_HANDLE);
  writePending(arena, place);
}

function addToConsumer(arena: Arena, consumer: number, id: EntryId, place: PendingPlace): void {
  const { consumerCursor } = place;
  idSeek(arena, treeOf(arena, consumer, CONSUMER_SHAPE), id, consumerCursor);
  setIdSlot(consumerCursor, id);
  treeInsert(arena, consumerCursor);
}

/** The tree of a group or consumer, which is made if there is none. */
function treeOf(arena: Arena, root: number, shape: TreeShape): number {
  let tree = rootWord(arena, root, ROOT_TREE);
  if (tree !== 0) return tree;
  tree = treeCreate(arena, root, shape);
  setRootWord(arena, root, ROOT_TREE, tree);
  return tree;
}

/**
 * Has the entry at the place, whose id is `id`, be pending for the consumer with the root `consumer`, whoever had it. What
 * `place.pending` says else is then noted.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function givePending(
  keyspace: Keyspace,
  consumer: number,
  id: EntryId,
  place: PendingPlace,
): void {
  const { arena, roots } = keyspace;
  const handle = rootWord(arena, consumer, ROOT_HANDLE);
  const before = place.pending.consumer;
  if (before !== handle) {
    addToConsumer(arena, consumer, id, place);
    removeFromConsumer(arena, roots.at(before), id, place);
    place.pending.consumer = handle;
  }
  writePending(arena, place);
}

/** Takes the entry at the place, whose id is `id`, off what is pending; whether the place is at the next one. */
export function dropPending(
  keyspace: Keyspace,
  group: number,
  id: EntryId,
  place: PendingPlace,
): boolean {
  const { arena, roots } = keyspace;
  removeFromConsumer(arena, roots.at(place.pending.consumer), id, place);
  const more = treeRemove(arena, place.cursor);
  dropEmptyTree(arena, group);
  return more;
}

function removeFromConsumer(
  arena: Arena,
  consumer: number,
  id: EntryId,
  { consumerCursor }: PendingPlace,
): void {
  idFind(arena, rootWord(arena, consumer, ROOT_TREE), id, consumerCursor);
  treeRemove(arena, consumerCursor);
  dropEmptyTree(arena, consumer);
}

/** Takes all that is pending for a consumer off the group's tree; the consumer's own tree is left. */
export function forgetConsumer(
  arena: Arena,
  group: number,
  consumer: number,
  id: EntryId,
  place: PendingPlace,
): void {
  const own = rootWord(arena, consumer, ROOT_TREE);
  if (own === 0) return;
  const { cursor, consumerCursor } = place;
  const tree = rootWord(arena, group, ROOT_TREE);
  let more = treeFirst(arena, own, consumerCursor);
  for (; more; more = treeNext(arena, consumerCursor)) {
    slotId(arena, consumerCursor, id);
    idFind(arena, tree, id, cursor);
    treeRemove(arena, cursor);
  }
  dropEmptyTree(arena, group);
}

/** Frees a tree with nothing in it that has grown. */
function dropEmptyTree(arena: Arena, root: number): void {
  const tree = rootWord(arena, root, ROOT_TREE);
  if (tree === 0 || treeWeight(arena, tree) > 0) return;
  if (arena.unitsOf(treeTop(arena, tree)) <= KEPT_LEAF_UNITS) return;
  treeFree(arena, tree, () => {});
  setRootWord(arena, root, ROOT_TREE, 0);
}
