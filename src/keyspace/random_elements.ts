/**
 * Several elements of a collection at random, with and without repetition.
 *
 * **Without repetition.** A sample of `k` of `n` elements comes from one pass through all of them: each is taken with the probability
 * (still wanted) / (still to come), which makes every sample as likely as the next, and takes no memory
 * (Knuth, "The art of computer programming", volume 2, algorithm S). Where few of very many are wanted, elements
 * are met at random instead, and those that come again are passed by.
 *
 * @module
 */
import type { CollectionWalk } from "./collection_walk.ts";

/** An element met at random costs as much as so many that are passed by in order. */
const LOOK_COST = 16;
/** From so many picks on, it pays to note where the elements of a listpack are. */
const NOTED_PICKS = 4;

/**
 * Calls `visit` with `walk` at each of `count` different elements at random, or at all if there are no more; the walk was told to
 * enter a collection, which must not change meanwhile.
 */
export function chooseDistinct(
  walk: CollectionWalk,
  count: number,
  random: () => number,
  visit: () => void,
): void {
  let left = walk.count;
  let wanted = Math.min(count, left);
  if (walk.isLarge && wanted * LOOK_COST < left) return meetDistinct(walk, wanted, random, visit);
  while (wanted > 0) {
    walk.advance();
    if (random() * left-- >= wanted) continue;
    wanted--;
    walk.goTo(walk.position);
    visit();
  }
}

function meetDistinct(
  walk: CollectionWalk,
  wanted: number,
  random: () => number,
  visit: () => void,
): void {
  const met = new Set<number>();
  while (met.size < wanted) {
    walk.goToRandom(random);
    if (met.has(walk.position)) continue;
    met.add(walk.position);
    visit();
  }
}

/** As {@linkcode chooseDistinct}, where the same element may come again; there must be one. */
export function chooseRepeatedly(
  walk: CollectionWalk,
  count: number,
  random: () => number,
  visit: () => void,
): void {
  if (walk.isLarge || count < NOTED_PICKS) {
    for (; count > 0; count--) {
      walk.goToRandom(random);
      visit();
    }
    return;
  }
  const positions: number[] = [];
  while (walk.advance()) positions.push(walk.position);
  for (; count > 0; count--) {
    walk.goTo(positions[Math.floor(random() * positions.length)]);
    visit();
  }
}
