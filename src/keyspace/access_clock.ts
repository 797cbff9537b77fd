/**
 * What an entry remembers of its use: 24 bits that eviction goes by.
 *
 * **LRU.** The second of the last access. It wraps after 194 days, so an idle time is a difference modulo 2^24.
 *
 * **LFU.** How often the key was used of late, in 8 bits, and when that was worked out last:
 *
 * ```text
 * bits 0-7    counter, logarithmic: 255 is the most
 * bits 8-23   unix time in minutes, modulo 2^16
 * ```
 *
 * Eight bits count millions of accesses because an access counts only by chance: at counter `c`, one in
 * `(c - 5) * factor + 1`. With the factor 10, a million accesses lead to 255. What was popular once must
 * not stay for ever: for every `decayMinutes` that a key wasn't used, its counter loses one. A new key
 * starts with 5, or it would be the first to go before anybody could use it again. (The scheme and the
 * numbers are those that redis.conf describes.)
 *
 * An access changes the entry only if the result is another one: in LRU once a second, in LFU rarely.
 *
 * @module
 */
import { ENTRY_META, wordIndex, wordsAt } from "../memory/entry.ts";
import type { Keyspace } from "./keyspace.ts";

/** Picks the 24 bits out of a number. */
const ACCESS_MASK = 0xffffff;
/** Where they start in the word of an entry. */
export const ACCESS_SHIFT = 8;
/** Counter that a new key starts with. */
export const FIRST_FREQUENCY = 5;
/** The highest counter. */
export const HIGHEST_FREQUENCY = 255;

/** Bits of an entry's meta word that hold type and encoding. */
const KIND_MASK = 0xff;
const MINUTE_MS = 60_000;
const MINUTES_MASK = 0xffff;

/** The LRU clock at the unix time `nowMs`: seconds, 24 bits. */
export function secondsClock(nowMs: number): number {
  return Math.floor(nowMs / 1000) & ACCESS_MASK;
}

/** Seconds from `access` to `clock`, two readings of the LRU clock. */
export function secondsBetween(access: number, clock: number): number {
  return (clock - access) & ACCESS_MASK;
}

/** What LFU goes by: the time in minutes, its two settings, and chance. */
export class FrequencyClock {
  /** Unix time in minutes, 16 bits. */
  minutes = 0;
  /** `lfu-log-factor`: the higher, the more accesses it takes to raise a counter. */
  logFactor = 10;
  /** `lfu-decay-time`: minutes without an access that cost one count; 0 for no decay. */
  decayMinutes = 1;

  /** Counts by chance as `random` says, a number from 0 up to 1. */
  constructor(private readonly random: () => number) {}

  /** Sets the time, in unix ms. */
  setTime(nowMs: number): void {
    this.minutes = Math.floor(nowMs / MINUTE_MS) & MINUTES_MASK;
  }

  /** The 24 bits of a key that was used just now and has this counter. */
  withFrequency(frequency: number): number {
    return (this.minutes << 8) | frequency;
  }

  /** The counter in `access`, less what it has lost since it was written. */
  frequencyOf(access: number): number {
    const frequency = access & 0xff;
    if (this.decayMinutes === 0) return frequency;
    const idle = (this.minutes - (access >>> 8)) & MINUTES_MASK;
    if (idle < this.decayMinutes) return frequency;
    return Math.max(0, frequency - Math.floor(idle / this.decayMinutes));
  }

  /** The 24 bits of a key that had `access` and is used now. */
  afterUse(access: number): number {
    let frequency = this.frequencyOf(access);
    if (frequency < HIGHEST_FREQUENCY) {
      const above = Math.max(0, frequency - FIRST_FREQUENCY);
      if (above === 0 || this.random() * (above * this.logFactor + 1) < 1) frequency++;
    }
    return this.withFrequency(frequency);
  }
}

/** Notes that `entry` was accessed now. */
export function touchEntry(keyspace: Keyspace, entry: number): void {
  const arena = keyspace.arena;
  const at = wordIndex(entry) + ENTRY_META;
  const meta = wordsAt(arena, entry)[at];
  const had = meta >>> ACCESS_SHIFT;
  const access = keyspace.countsUses ? keyspace.frequency.afterUse(had) : keyspace.clock;
  // A snapshot would have to copy the page for a mere read.
  if (had === access || arena.watched) return;
  arena.writable(entry, 8)[at] = (meta & KIND_MASK) | (access << ACCESS_SHIFT);
}

/** Seconds since `entry` was last read or written, while they are remembered. */
export function idleSeconds(keyspace: Keyspace, entry: number): number {
  return secondsBetween(accessOf(keyspace, entry), keyspace.clock);
}

/** The counter of uses of `entry`, while uses are counted. */
export function useFrequency(keyspace: Keyspace, entry: number): number {
  return keyspace.frequency.frequencyOf(accessOf(keyspace, entry));
}

/** Has `entry` look as if nobody had used it for so long; nothing while uses are counted. */
export function setIdleSeconds(keyspace: Keyspace, entry: number, seconds: number): void {
  if (keyspace.countsUses) return;
  setAccess(keyspace, entry, (keyspace.clock - seconds % (ACCESS_MASK + 1)) & ACCESS_MASK);
}

/** Gives `entry` a counter of uses, from 0 to 255; nothing while uses aren't counted. */
export function setUseFrequency(keyspace: Keyspace, entry: number, frequency: number): void {
  if (keyspace.countsUses) setAccess(keyspace, entry, keyspace.frequency.withFrequency(frequency));
}

/** What `entry` remembers of its use: 24 bits. */
export function accessOf(keyspace: Keyspace, entry: number): number {
  return wordsAt(keyspace.arena, entry)[wordIndex(entry) + ENTRY_META] >>> ACCESS_SHIFT;
}

function setAccess(keyspace: Keyspace, entry: number, access: number): void {
  const at = wordIndex(entry) + ENTRY_META;
  const words = keyspace.arena.writable(entry, 8);
  words[at] = (words[at] & KIND_MASK) | (access << ACCESS_SHIFT);
}

/**
 * The meta word for an entry that is given a value of another kind (type and encoding), and had `meta`. With LRU
 * that is an access; with LFU the look-up before has counted it.
 */
export function metaAfterWrite(keyspace: Keyspace, meta: number, kind: number): number {
  return kind | (keyspace.countsUses ? meta & ~KIND_MASK : keyspace.clock << ACCESS_SHIFT);
}
