/**
 * Entries of a dict at random.
 *
 * **Fairness.** Buckets hold different numbers of entries, so an entry of a bucket at random would be the likelier the
 * emptier its bucket is. {@linkcode dictRandom} throws the dice over the slots of all buckets and over four places more for each, which are
 * those of the first entries of its chain, and again if it meets one that is empty: each entry is as likely as the next. Chains
 * that are longer, of which there is about one in a thousand, share what they get.
 *
 * **Cost.** Two to five buckets, a miss of the cache each; of most of them, one slot is looked at. {@linkcode dictRandomAhead} has the misses
 * overlap. {@linkcode dictSample} is cheaper, and good enough for eviction: it takes whole buckets.
 *
 * @module
 */
import { type Arena, type ReadonlyWords, SEGMENT_MASK, SEGMENT_SHIFT } from "./arena.ts";
import { bucketAddress, BUCKETS, COUNT, NEXT_WORD, SLOTS } from "./dict_table.ts";
import { wordIndex, wordsAt } from "./entry.ts";

/** How much more room than the entries that are wanted {@linkcode dictSample} needs. */
export const SAMPLE_SPARE = 24;
/** Places for the entries of a chain, beside the slots of its first bucket. */
const CHAIN_PLACES = 4;
const PLACES = SLOTS + CHAIN_PLACES;
/** Most buckets that {@linkcode dictRandomAhead} looks at. */
export const BUCKETS_AHEAD = 48;
/** So many are looked at for an entry, on average. */
const LOOKS_PER_ENTRY = 3;

/** An entry at random, each as likely as the next, from a dict that isn't empty. */
export function dictRandom(arena: Arena, dict: number, random: () => number): number {
  const buckets = wordsAt(arena, dict)[wordIndex(dict) + BUCKETS];
  for (;;) {
    const number = random() * buckets;
    const bucket = Math.floor(number);
    const entry = entryAt(arena, bucketAddress(arena, dict, bucket), number - bucket);
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
    const entry = entryAt(arena, buckets[look], number - Math.floor(number));
    if (entry !== 0) entries[found++] = entry;
  }
  return found;
}

/** What is at `place`, from 0 up to 1 of all places, of the bucket at `address`; 0 if there is nothing. */
function entryAt(arena: Arena, address: number, place: number): number {
  const words = arena.words[address >>> SEGMENT_SHIFT];
  const at = (address & SEGMENT_MASK) << 1;
  const slot = Math.floor(place * PLACES);
  if (slot < SLOTS) return words[at + slot];
  const next = words[at + NEXT_WORD];
  if (next === 0) return 0;
  const entries = chainLength(arena, next);
  const index = Math.floor(
    (place * PLACES - SLOTS) / CHAIN_PLACES * Math.max(CHAIN_PLACES, entries),
  );
  return index < entries ? chainEntry(arena, next, index) : 0;
}

/** How many entries there are in the bucket at `address` and behind it. */
function chainLength(arena: Arena, address: number): number {
  let entries = 0;
  do {
    const words: ReadonlyWords = arena.words[address >>> SEGMENT_SHIFT];
    const at: number = (address & SEGMENT_MASK) << 1;
    for (let slot = 0; slot < SLOTS; slot++) if (words[at + slot] !== 0) entries++;
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
