/**
 * What a setting is, and the kinds of values that settings have.
 *
 * A value is kept as the text that CONFIG GET shows: "1gb" becomes "1073741824" and `YES` becomes
 * "yes" when it is read, so that everybody sees one spelling. Error texts are those of Redis.
 *
 * @module
 */
import { parseMemoryBytes } from "./memory_size.ts";

/** A value that a setting can't have, or a setting that doesn't exist. */
export class SettingsError extends Error {
  /** Makes an error with a text for the user. */
  constructor(message: string) {
    super(message);
    this.name = "SettingsError";
  }
}

/** What a setting may have beside its name, default and kind. */
export interface SettingTraits {
  /** Older names, which CONFIG knows as well. */
  readonly aliases?: readonly string[];
  /** Whether CONFIG SET refuses it. */
  readonly fixed?: boolean;
  /** Whether CONFIG SET needs `enable-protected-configs`. */
  readonly guarded?: boolean;
  /** Whether CONFIG SET refuses it while the data is being loaded. */
  readonly needsData?: boolean;
  /** Whether only who asks for it by name is shown it: it is for tests. */
  readonly hidden?: boolean;
  /** Why it can't have another value than its default yet. */
  readonly refused?: string;
  /** What CONFIG GET shows of its value, if that isn't all of it. */
  readonly shown?: (value: string) => string;
  /** Why it does nothing here; one that does what it says has no such reason. */
  readonly noEffect?: string;
}

/** One setting. */
export interface Setting extends SettingTraits {
  /** Name, as in redis.conf. */
  readonly name: string;
  /** Its value when nobody sets it. */
  readonly default: string;
  /** What kind of value it takes, for the help text. */
  readonly placeholder: string;
  /** What it is for, in a line. */
  readonly summary: string;
  /** Whether it takes several words. */
  readonly manyWords: boolean;
  /**
   * The text under which a value is kept.
   *
   * @param words The value's words; a setting of one word is called with just one.
   * @param current What the setting is now, for those of which only a part is changed.
   * @throws {SettingsError} It can't have this value.
   */
  readonly read: (words: readonly string[], current: string) => string;
}

/** Largest 32-bit integer. */
export const INT_MAX = 2147483647;
const LONG_MAX = 9223372036854775807n;
const ULONG_MAX = 18446744073709551615n;

/** A setting that is `yes` or `no`. */
export function yesNo(
  name: string,
  preset: "yes" | "no",
  summary: string,
  traits: SettingTraits = {},
): Setting {
  const read = ([word]: readonly string[]) => {
    const lower = word.toLowerCase();
    if (lower === "yes" || lower === "no") return lower;
    throw new SettingsError("argument must be 'yes' or 'no'");
  };
  return oneWord(name, preset, "yes|no", summary, read, traits);
}

/** A whole number of `minimum` to `maximum`. */
export function integer(
  name: string,
  preset: number,
  [minimum, maximum]: readonly [number, number],
  summary: string,
  traits: SettingTraits = {},
): Setting {
  const read = ([word]: readonly string[]) => {
    const value = parseInteger(word);
    if (value === undefined) {
      throw new SettingsError("argument couldn't be parsed into an integer");
    }
    return inRange(value, BigInt(minimum), maximum === Infinity ? LONG_MAX : BigInt(maximum));
  };
  return oneWord(name, String(preset), "integer", summary, read, traits);
}

/** The same setting, with what is too small or too large taken as the nearest that is not. */
export function clamped(setting: Setting, lowest: number, highest: number): Setting {
  const read: Setting["read"] = (words, current) => {
    const value = setting.read(words, current);
    return Number(value) < lowest
      ? String(lowest)
      : Number(value) > highest
      ? String(highest)
      : value;
  };
  return { ...setting, read };
}

/** An amount of memory, at least `minimum` bytes. */
export function memory(
  name: string,
  preset: number,
  minimum: number,
  summary: string,
  traits: SettingTraits = {},
): Setting {
  const read = ([word]: readonly string[]) => inRange(readMemory(word), BigInt(minimum), LONG_MAX);
  return oneWord(name, String(preset), "memory", summary, read, traits);
}

/** An amount of memory that may take all 64 bits. */
export function anyMemory(name: string, summary: string, traits: SettingTraits = {}): Setting {
  const read = ([word]: readonly string[]) => inRange(readMemory(word), 0n, ULONG_MAX);
  return oneWord(name, "0", "memory", summary, read, traits);
}

/** An amount of memory, or a share of another amount, `5%`. */
export function memoryOrPercent(
  name: string,
  summary: string,
  traits: SettingTraits = {},
): Setting {
  const read = ([word]: readonly string[]) => {
    const percent = word.endsWith("%") ? parseInteger(word.slice(0, -1)) : undefined;
    if (percent !== undefined && percent >= 0n) {
      if (percent <= 100n) return `${percent}%`;
      throw new SettingsError("percentage argument must be less or equal to 100");
    }
    const bytes = parseMemoryBytes(word);
    // Redis keeps percentages as negative numbers, which these would be.
    if (bytes !== undefined && bytes > LONG_MAX) {
      throw new SettingsError("percentage argument must be less or equal to 100");
    }
    if (bytes !== undefined) return String(bytes);
    throw new SettingsError("argument must be a memory or percent value");
  };
  return oneWord(name, "0", "memory|percent%", summary, read, traits);
}

/** One of several words. */
export function choice(
  name: string,
  preset: string,
  words: readonly string[],
  summary: string,
  traits: SettingTraits = {},
): Setting {
  const read = ([word]: readonly string[]) => readChoice(word, words);
  return oneWord(name, preset, words.join("|"), summary, read, traits);
}

/** Any text. */
export function text(
  name: string,
  preset: string,
  summary: string,
  traits: SettingTraits = {},
  check: (value: string) => void = () => {},
): Setting {
  const read = ([word]: readonly string[]) => {
    check(word);
    return word;
  };
  return oneWord(name, preset, "text", summary, read, traits);
}

/** A value of its own kind, in one word. */
export function oneWord(
  name: string,
  preset: string,
  placeholder: string,
  summary: string,
  read: Setting["read"],
  traits: SettingTraits = {},
): Setting {
  return { ...traits, name, default: preset, placeholder, summary, manyWords: false, read };
}

/** A value of its own kind, in several words. */
export function manyWords(
  name: string,
  preset: string,
  placeholder: string,
  summary: string,
  read: Setting["read"],
  traits: SettingTraits = {},
): Setting {
  return { ...traits, name, default: preset, placeholder, summary, manyWords: true, read };
}

/** The word of `words` that this is, in either case. */
export function readChoice(word: string, words: readonly string[]): string {
  const lower = word.toLowerCase();
  if (words.includes(lower)) return lower;
  throw new SettingsError(`argument(s) must be one of the following: ${words.join(", ")}`);
}

/** A 64-bit integer in its only spelling: no plus, no zeros before it, no spaces around it. */
export function parseInteger(word: string): bigint | undefined {
  if (!/^(0|-?[1-9][0-9]{0,18})$/.test(word)) return undefined;
  const value = BigInt(word);
  return value >= -LONG_MAX - 1n && value <= LONG_MAX ? value : undefined;
}

function readMemory(word: string): bigint {
  const bytes = parseMemoryBytes(word);
  if (bytes === undefined) throw new SettingsError("argument must be a memory value");
  return bytes;
}

function inRange(value: bigint, minimum: bigint, maximum: bigint): string {
  if (value >= minimum && value <= maximum) return String(value);
  throw new SettingsError(`argument must be between ${minimum} and ${maximum} inclusive`);
}
