/**
 * Entries of a dict at random.
 *
 * **Fairness.** Buckets hold different numbers of entries, so an entry of a bucket at random would be the likelier the
 * emptier its bucket is. {@linkcode dictRandom} throws the dice over more places than a bucket has entries, as a rule, and again if it
 * meets one that nobody has: each entry is as likely as the next. Chains that are longer than that, of which there is about one in a
 * thousand, share what they get.
 *
 * **Cost.** Two to four buckets, a miss of the cache each. Looking at several side by side, or for a slot at once, doesn't pay: it
 * takes more of them, and the ways to their pages are what is waited for (measured: 440 ns, 510 with single
 * slots, six at a time). {@linkcode dictSample} is cheaper, and good enough for eviction: it takes whole buckets.
 *
 * @module
 */
import { type Arena, type ReadonlyWords, SEGMENT_MASK, SEGMENT_SHIFT } from "./arena.ts";
import { bucketAddress, BUCKETS, COUNT, NEXT_WORD, SLOTS } from "./dict_table.ts";
import { wordIndex, wordsAt } from "./entry.ts";

/** How much more room than the entries that are wanted {@linkcode dictSample} needs. */
export const SAMPLE_SPARE = 24;
/** Places over which the dice are thrown: so many, */
const FEWEST_PLACES = 6;
/** and so many for each entry that a bucket has on average. */
const PLACES_PER_ENTRY = 1.5;
/** Most buckets that {@linkcode dictRandomAhead} looks at. */
export const BUCKETS_AHEAD = 48;
/** So many are looked at for an entry, on average. */
const LOOKS_PER_ENTRY = 3;

/** An entry at random, each as likely as the next, from a dict that isn't empty. */
export function dictRandom(arena: Arena, dict: number, random: () => number): number {
  const buckets = wordsAt(arena, dict)[wordIndex(dict) + BUCKETS];
  const places = placesOf(arena, dict);
  for (;;) {
    const number = random() * buckets;
    const bucket = Math.floor(number);
    const entry = entryAt(arena, bucketAddress(arena, dict, bucket), number - bucket, places);
    if (entry !== 0) return entry;
  }
}

/**
 * Has the buckets read that {@linkcode dictRandom} will look at for the next `count` entries, and puts those entries into `entries`, as far as
 * {@linkcode BUCKETS_AHEAD} numbers tell; how many there are. `peek` tells the number that will be drawn after so many others; `buckets` is room
 * for as many addresses.
 */
export function dictRandomAhead(
  arena: Arena,
  dict: number,
  peek: (ahead: number) => number,
  count: number,
  buckets: Int32Array,
  entries: Int32Array,
): number {
  const existing = wordsAt(arena, dict)[wordIndex(dict) + BUCKETS];
  const places = placesOf(arena, dict);
  const looks = Math.min(BUCKETS_AHEAD, count * LOOKS_PER_ENTRY);
  let sink = 0;
  for (let look = 0; look < looks; look++) {
    const address = bucketAddress(arena, dict, Math.floor(peek(look) * existing));
    buckets[look] = address;
    sink |= arena.words[address >>> SEGMENT_SHIFT][(address & SEGMENT_MASK) << 1];
  }
  // Of all addresses none has its top bit set.
  let found = sink < 0 ? looks : 0;
  for (let look = 0; look < looks && found < count; look++) {
    const number = peek(look) * existing;
    const entry = entryAt(arena, buckets[look], number - Math.floor(number), places);
    if (entry !== 0) entries[found++] = entry;
  }
  return found;
}

/** Over how many places the dice are thrown. */
function placesOf(arena: Arena, dict: number): number {
  const words = wordsAt(arena, dict);
  const load = words[wordIndex(dict) + COUNT] / words[wordIndex(dict) + BUCKETS];
  return FEWEST_PLACES + Math.ceil(load * PLACES_PER_ENTRY);
}

/** What is at a `place` from 0 up to 1 of all `places` (or more, in a longer chain) of the bucket at `address`; 0 if there is nothing. */
function entryAt(arena: Arena, address: number, place: number, places: number): number {
  const entries = chainLength(arena, address);
  const index = Math.floor(place * Math.max(places, entries));
  return index < entries ? chainEntry(arena, address, index) : 0;
}

/** How many entries there are in the bucket at `address` and behind it. */
function chainLength(arena: Arena, address: number): number {
  let entries = 0;
  do {
    const words: ReadonlyWords = arena.words[address >>> SEGMENT_SHIFT];
    const at: number = (address & SEGMENT_MASK) << 1;
    // Addresses are positive, so the sign of what is below zero counts them without a branch that nobody could foresee.
    for (let slot = 0; slot < SLOTS; slot += 4) {
      entries += (-words[at + slot] >>> 31) + (-words[at + slot + 1] >>> 31) +
        (-words[at + slot + 2] >>> 31) + (-words[at + slot + 3] >>> 31);
    }
    address = words[at + NEXT_WORD];
  } while (address !== 0);
  return entries;
}

/** Entry number `index` of those that {@linkcode chainLength} counts. */
function chainEntry(arena: Arena, address: number, index: number): number {
  for (;;) {
    const words: ReadonlyWords = arena.words[address >>> SEGMENT_SHIFT];
    const at: number = (address & SEGMENT_MASK) << 1;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (words[at + slot] !== 0 && index-- === 0) return words[at + slot];
    }
    address = words[at + NEXT_WORD];
  }
}

/**
 * Puts up to `count` entries at random into `out` and returns how many; 0 only if the dict is empty or
 * `out` has no room. An entry may be there twice. Whole buckets are looked at, since the entries of one have
 * nothing to do with each other but their hash, and all of them are there for one miss of the cache; from a
 * bucket with more than are wanted, each is as likely as the next. Needs room for {@linkcode SAMPLE_SPARE}
 * entries more than `count`.
 */
export function dictSample(
  arena: Arena,
  dict: number,
  count: number,
  random: () => number,
  out: Int32Array,
): number {
  const table = wordsAt(arena, dict);
  if (table[wordIndex(dict) + COUNT] === 0) return 0;
  const buckets = table[wordIndex(dict) + BUCKETS];
  let found = 0;
  for (let look = 0; found < count && (look < count || found === 0); look++) {
    const first = found;
    let address = bucketAddress(arena, dict, Math.floor(random() * buckets));
    do {
      const words: ReadonlyWords = wordsAt(arena, address);
      const at: number = wordIndex(address);
      for (let slot = 0; slot < SLOTS && found < out.length; slot++) {
        const entry = words[at + slot];
        if (entry !== 0) out[found++] = entry;
      }
      address = words[at + NEXT_WORD];
    } while (address !== 0);
    if (found > count) {
      keepSome(out, first, found, count - first, random);
      found = count;
    }
  }
  return found;
}

/** Puts `wanted` of the numbers from `first` to `end`, each as likely as the next, at `first`. */
function keepSome(
  numbers: Int32Array,
  first: number,
  end: number,
  wanted: number,
  random: () => number,
): void {
  for (let place = first; place < first + wanted; place++) {
    const chosen = place + Math.floor(random() * (end - place));
    const kept = numbers[chosen];
    numbers[chosen] = numbers[place];
    numbers[place] = kept;
  }
}
