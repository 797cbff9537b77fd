/**
 * Ranges of a sorted set: by rank, by score and by name. All of them become ranks: `place.first` is that of the first member, and
 * `place.end` that of the first one behind the range, so that what is counted, skipped, returned or removed is the same for all.
 *
 * The place has been told to enter the set. Two searches find a range, however long it is.
 *
 * **By name** a range makes sense where all scores are the same. Where they aren't, Redis goes through a small set from one end: to the
 * first member that isn't below the range, past those that are to be skipped without a look at them, and on as long as none is above it;
 * and so do we. In a large set neither says what comes out.
 *
 * @module
 */
import type { Arena, ReadonlyView } from "../memory/arena.ts";
import { ROOT_TREE, rootWord } from "../memory/root.ts";
import { compareBytes, scoreSeekMember, scoreSeekScore } from "../memory/score_tree.ts";
import { treePosition } from "../memory/tree.ts";
import type { SortedSetPlace } from "./sorted_set_place.ts";

/** The ends of a range of scores. */
export class ScoreBounds {
  /** The lowest score, */
  min = 0;
  /** and whether it isn't in the range itself. */
  minExcluded = false;
  /** The highest score, */
  max = 0;
  /** and whether it isn't in the range itself. */
  maxExcluded = false;
}

/** One end of a range of names: */
export class NameBound {
  /** one of the `NAME_` constants; */
  kind = 0;
  /** the name lies here, */
  start = 0;
  /** and has so many bytes. */
  length = 0;
}

/** Before all names. */
export const NAME_FIRST = 0;
/** Behind all names. */
export const NAME_LAST = 1;
/** A name that is in the range itself. */
export const NAME_INCLUDED = 2;
/** A name that isn't. */
export const NAME_EXCLUDED = 3;

/** The ends of a range of names. */
export class NameBounds {
  /** The lower end. */
  readonly min: NameBound = new NameBound();
  /** The upper end. */
  readonly max: NameBound = new NameBound();
}

/** The range of ranks from `start` to `stop`, both included; negative ones count from the last member, -1. */
export function rankRange(place: SortedSetPlace, start: number, stop: number): void {
  const { count } = place;
  if (start < 0) start = Math.max(0, start + count);
  if (stop < 0) stop += count;
  place.first = start;
  place.end = Math.min(stop + 1, count);
  if (place.end <= place.first) place.end = place.first;
}

/** Turns a range around: its ranks are counted from the other end. */
export function mirrorRange(place: SortedSetPlace): void {
  const { first, end, count } = place;
  place.first = count - end;
  place.end = count - first;
}

/** The range of the members whose scores are within `bounds`. */
export function scoreRange(arena: Arena, place: SortedSetPlace, bounds: ScoreBounds): void {
  const { min, minExcluded, max, maxExcluded } = bounds;
  place.first = 0;
  place.end = 0;
  if (min > max || (min === max && (minExcluded || maxExcluded))) return;
  if (place.root === 0) {
    place.end = rankOfScore(place, max, !maxExcluded);
    place.first = rankOfScore(place, min, minExcluded);
    return;
  }
  const { cursor } = place;
  const tree = rootWord(arena, place.root, ROOT_TREE);
  if (max === Infinity && !maxExcluded) place.end = place.count;
  else {
    scoreSeekScore(arena, tree, max, !maxExcluded, cursor);
    place.end = treePosition(arena, cursor);
  }
  if (min === -Infinity && !minExcluded) return;
  scoreSeekScore(arena, tree, min, minExcluded, cursor);
  place.first = treePosition(arena, cursor);
}

/** How many pairs of a small set have a lower score, or, if `after`, that score or a lower one. */
function rankOfScore(place: SortedSetPlace, score: number, after: boolean): number {
  let low = 0;
  let high = place.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = place.scoreAt(middle);
    if (other < score || (after && other === score)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The range of the members whose names are within `bounds`, whose bytes are in `text`, but for the first `skipped` of them (all, if that
 * is negative), or, if `backwards`, the last.
 */
export function nameRange(
  arena: Arena,
  place: SortedSetPlace,
  bounds: NameBounds,
  text: ReadonlyView,
  skipped: number,
  backwards: boolean,
): void {
  place.first = 0;
  place.end = 0;
  if (place.count === 0 || isEmpty(bounds, text)) return;
  if (place.root === 0) {
    if (backwards) searchBackwards(place, bounds, text, skipped);
    else searchForwards(place, bounds, text, skipped);
    return;
  }
  const { min, max } = bounds;
  const first = nameRank(arena, place, min, text, min.kind === NAME_EXCLUDED);
  const end = nameRank(arena, place, max, text, max.kind === NAME_INCLUDED);
  if (end <= first) return;
  place.first = first;
  place.end = end;
  skipMembers(place, skipped, backwards);
}

/** Takes the first `skipped` members (all, if that is negative) off the range, or, if `backwards`, the last. */
export function skipMembers(place: SortedSetPlace, skipped: number, backwards: boolean): void {
  const count = place.end - place.first;
  if (skipped < 0 || skipped > count) skipped = count;
  if (backwards) place.end -= skipped;
  else place.first += skipped;
}

/** Whether nothing can be between the ends. */
function isEmpty({ min, max }: NameBounds, text: ReadonlyView): boolean {
  if (min.kind === NAME_LAST || max.kind === NAME_FIRST) return true;
  if (min.kind === NAME_FIRST || max.kind === NAME_LAST) return false;
  const order = compareBytes(text, min.start, min.length, text, max.start, max.length);
  return order > 0 || (order === 0 && (min.kind === NAME_EXCLUDED || max.kind === NAME_EXCLUDED));
}

/** How many members of a large set are before a name, or, if `after`, not behind it. */
function nameRank(
  arena: Arena,
  place: SortedSetPlace,
  bound: NameBound,
  text: ReadonlyView,
  after: boolean,
): number {
  if (bound.kind === NAME_FIRST) return 0;
  if (bound.kind === NAME_LAST) return place.count;
  const { cursor } = place;
  const tree = rootWord(arena, place.root, ROOT_TREE);
  scoreSeekMember(arena, tree, text, bound.start, bound.length, after, cursor);
  return treePosition(arena, cursor);
}

/** Whether a member of a small set isn't below the range. */
function reaches(
  place: SortedSetPlace,
  index: number,
  min: NameBound,
  text: ReadonlyView,
): boolean {
  if (min.kind === NAME_FIRST) return true;
  const order = place.compareAt(index, text, min.start, min.length);
  return order > 0 || (order === 0 && min.kind === NAME_INCLUDED);
}

/** Whether a member of a small set isn't above the range. */
function keeps(place: SortedSetPlace, index: number, max: NameBound, text: ReadonlyView): boolean {
  if (max.kind === NAME_LAST) return true;
  const order = place.compareAt(index, text, max.start, max.length);
  return order < 0 || (order === 0 && max.kind === NAME_INCLUDED);
}

/** Whether a small set can have something in the range: it looks at its first and last member only. */
function mayMeet(place: SortedSetPlace, { min, max }: NameBounds, text: ReadonlyView): boolean {
  return reaches(place, place.count - 1, min, text) && keeps(place, 0, max, text);
}

function searchForwards(
  place: SortedSetPlace,
  bounds: NameBounds,
  text: ReadonlyView,
  skipped: number,
): void {
  if (skipped < 0 || !mayMeet(place, bounds, text)) return;
  let index = 0;
  while (index < place.count && !reaches(place, index, bounds.min, text)) index++;
  // Where nothing reaches the range, nothing is skipped to.
  if (index < place.count && !keeps(place, index, bounds.max, text)) return;
  index = Math.min(index + skipped, place.count);
  place.first = index;
  while (index < place.count && keeps(place, index, bounds.max, text)) index++;
  place.end = index;
}

function searchBackwards(
  place: SortedSetPlace,
  bounds: NameBounds,
  text: ReadonlyView,
  skipped: number,
): void {
  if (skipped < 0 || !mayMeet(place, bounds, text)) return;
  let index = place.count;
  while (index > 0 && !keeps(place, index - 1, bounds.max, text)) index--;
  if (index > 0 && !reaches(place, index - 1, bounds.min, text)) return;
  index = Math.max(index - skipped, 0);
  place.end = index;
  while (index > 0 && reaches(place, index - 1, bounds.min, text)) index--;
  place.first = index;
}
