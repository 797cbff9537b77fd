/**
 * Arguments that are worth trying: the edges of types, sizes and encodings.
 *
 * @module
 */

const LENGTHS = [0, 1, 2, 10, 11, 12, 13, 20, 21, 43, 44, 45, 46, 63, 64, 65, 127, 128, 255, 256];
const LARGE_LENGTHS = [4095, 4096, 4097, 16383, 16384, 16385, 32767, 32768, 65535, 65536, 65537];
const HUGE_LENGTHS = [1048575, 1048576, 1048577];

// deno-fmt-ignore
const INTEGERS = [
  "0", "1", "-1", "2", "5", "10", "99", "100", "9999", "10000", "127", "128", "-128", "-129", "32767",
  "32768", "65535", "2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296",
  "9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740993",
  "9223372036854775806", "9223372036854775807", "-9223372036854775807", "-9223372036854775808",
];
// deno-fmt-ignore
const NO_INTEGERS = [
  "", " ", "a", "-", "+1", "-0", "00", "01", " 1", "1 ", "1.0", "1e3", "0x10", "9223372036854775808",
  "-9223372036854775809", "18446744073709551615", "18446744073709551616", "99999999999999999999", "1\x00",
];
// deno-fmt-ignore
const FLOATS = [
  "0.1", "0.2", "-0.1", "3.0e3", "5.5", "1e5", "1e-5", ".5", "5.", "1e17", "123456789.123456789", "0x1p3", "0x10",
  "1e30", "-1e30", "1e308", "1e4000", "1e4932", "3.14159265358979323846", "0.00000000000000001",
  "1e-20", "99999999999999999.5", "inf", "-inf", "+inf", "Infinity", "nan", "1e5000", "1e", "e5", "1.5 ", " 1.5",
  "1,5", "--1", "1.2.3", "-.5", "+.5", "0.30000000000000004", "1e-400", "4611686018427387904.5",
];
const PATTERNS = ["*", "k*", "k?", "k[0-4]", "k[^0-4]", "m:*", "m:1?", "\\k1", "[", "k[", "", "**"];
// deno-fmt-ignore
const KEYS = [
  "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "K1", "", "k[1]", "a\x00b", "\xff\xfe\r\n", "key:" + "x".repeat(59),
  "k".repeat(255), "k".repeat(256), "k".repeat(300),
];
/** What keys of the collections of each type start with, as a rule. */
const KEY_LETTERS = { list: "l", set: "s", hash: "f", zset: "z", stream: "x" } as const;

/** A type of collection. */
export type CollectionName = keyof typeof KEY_LETTERS;

/** The types of collections. */
export const COLLECTIONS = Object.keys(KEY_LETTERS) as CollectionName[];

const HUGE_KEY = "K".repeat(70_000);
const CONDITIONAL_WORDS = ["NX", "XX", "GT", "LT"];
const DATABASES = ["0", "1", "2", "3", "15"];
const NO_DATABASES = ["16", "-1", "a", "", "99999999999", "9223372036854775808"];
/** 2100-01-01. */
const FAR_SECONDS = 4_102_444_800;
// deno-fmt-ignore
const TIME_EDGES = [
  "0", "-1", "-100", "abc", "", "1.5", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
  "9223372036854775", "9223372036854776", "-9223372036854775", "-9223372036854776", "9007199254740992",
];

/** Draws arguments from a generator of doubles in [0, 1). */
export class Values {
  /** Draws from `random`. */
  constructor(readonly random: () => number) {}

  /** An integer from 0 up to `limit`. */
  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  /** Whether something of this probability happens. */
  chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** One of `items`. */
  one<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /** From `least` to `most` draws. */
  some<T>(least: number, most: number, draw: () => T): T[] {
    return Array.from({ length: least + this.below(most - least + 1) }, draw);
  }

  /** A key; mostly one of few, of which some hold collections. */
  key(): string {
    if (this.chance(0.7)) {
      const type = this.chance(0.5) ? this.one(COLLECTIONS) : undefined;
      return type === undefined ? `k${this.below(6)}` : this.fewKeys(type);
    }
    if (this.chance(0.01)) return HUGE_KEY;
    return this.chance(0.7) ? this.one(KEYS) : `m:${this.below(300)}`;
  }

  /** A key that most likely holds a collection of this type, if it holds something. */
  keyOf(type: CollectionName): string {
    return this.chance(0.9) ? this.fewKeys(type) : this.key();
  }

  private fewKeys(type: CollectionName): string {
    return `${KEY_LETTERS[type]}${this.below(4)}`;
  }

  /** An element of a collection: mostly one of few, so that it is met again; otherwise any value. */
  element(): string {
    const kind = this.random();
    if (kind < 0.35) return `e${this.below(12)}`;
    if (kind < 0.6) return String(this.below(30) - 5);
    return this.value();
  }

  /** A string of any content, of a length near an edge. */
  text(): string {
    const kind = this.random();
    const lengths = kind < 0.97 ? LENGTHS : kind < 0.998 ? LARGE_LENGTHS : HUGE_LENGTHS;
    const length = this.one(lengths);
    if (this.chance(0.3)) {
      const bytes = Math.min(length, 300);
      const head = Array.from({ length: bytes }, () => String.fromCharCode(this.below(256)));
      return head.join("") + "\x00".repeat(length - bytes);
    }
    return String.fromCharCode(97 + this.below(26)).repeat(length);
  }

  /** Something to store. */
  value(): string {
    const kind = this.random();
    if (kind < 0.35) return this.one(INTEGERS);
    if (kind < 0.42) return this.one(NO_INTEGERS);
    if (kind < 0.5) return this.one(FLOATS);
    if (kind < 0.55) return String(this.below(100_000));
    return this.text();
  }

  /** What should be an integer. */
  integer(): string {
    if (this.chance(0.4)) return String(this.below(41) - 20);
    return this.one(this.chance(0.85) ? INTEGERS : NO_INTEGERS);
  }

  /** What should be a floating point number. */
  float(): string {
    if (this.chance(0.2)) return (this.random() * 1000).toFixed(this.below(8));
    return this.chance(0.75) ? this.one(FLOATS) : this.integer();
  }

  /** Index into a string: mostly near its start, sometimes near a limit. */
  offset(): string {
    const kind = this.random();
    if (kind < 0.7) return String(this.below(60));
    if (kind < 0.9) return String(this.one(LENGTHS) + this.below(3));
    if (kind < 0.95) return this.one(["-1", "2097152", "2097151", "536870912", "4294967296"]);
    if (kind < 0.955) return String(this.one([65536, 1048576]));
    return this.integer();
  }

  /** A time: so far from now that it can't pass unnoticed, or at an edge. */
  time(unit: "EX" | "PX" | "EXAT" | "PXAT"): string {
    const kind = this.random();
    if (kind < 0.15) return this.one(TIME_EDGES);
    const scale = unit.startsWith("P") ? 1000 : 1;
    // Few points in time, that meet; but no two durations alike, whose order would depend on the clock.
    const seconds = unit.endsWith("AT")
      ? FAR_SECONDS + this.below(4)
      : 10_000 + this.below(1_000_000_000);
    return String(seconds * scale);
  }

  /** Number of a database. */
  database(): string {
    return this.one(this.chance(0.93) ? DATABASES : NO_DATABASES);
  }

  /** A glob pattern. */
  pattern(): string {
    return this.one(PATTERNS);
  }

  /** Conditions of EXPIRE. */
  conditions(): string[] {
    return this.chance(0.5) ? [] : this.some(1, 2, () => this.one(CONDITIONAL_WORDS));
  }

  /** `word` in some case. */
  anyCase(word: string): string {
    const kind = this.random();
    if (kind < 0.5) return word;
    if (kind < 0.8) return word.toUpperCase();
    return [...word].map((letter) => this.chance(0.5) ? letter.toUpperCase() : letter).join("");
  }
}
