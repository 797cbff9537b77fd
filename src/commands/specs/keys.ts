/**
 * Which arguments of a command are keys.
 *
 * A key specification answers in two steps. The *search start* is a fixed place, or the place after
 * a keyword (`STREAMS`), looked for from the front or from the back. From there, the keys are a
 * *range* of arguments (one key, all keys to the end, every second argument, the first half of the
 * rest), or as many as an argument says (`numkeys`). A command with several groups of keys has
 * several specifications; their keys come in that order.
 *
 * Some commands can't be described so: the answer depends on arguments that stand elsewhere. Their
 * specifications name a rule, and the rule is a function here. It is asked when the specification
 * itself says that it can't tell (`variable_flags`, `incomplete`, `unknown`), and also when the
 * arguments don't fit it: Redis then looks at them once more with more good will, and that second
 * look knows nothing of what happens to the keys.
 *
 * Argument lists come from outside, so every place is checked before it is used; a list that doesn't
 * fit its specification has no keys.
 *
 * @module
 */

import { lowerCaseAscii } from "./names.ts";
import type { BeginSearch, CommandSpec, FindKeys, KeyFlag, KeyRule } from "./types.ts";

/** One key among the arguments of a call. */
export interface KeyReference {
  /** Which argument it is; 0 is the command's name. */
  readonly position: number;
  /** What the call does with it. */
  readonly flags: readonly KeyFlag[];
}

/** The three numbers by which `COMMAND INFO` told of keys before there were key specifications. */
export interface LegacyKeyRange {
  /** The first key; 0 when the command has none in a fixed place. */
  readonly firstKey: number;
  /** The last key; negative numbers count from the end of the arguments. */
  readonly lastKey: number;
  /** How far one key is from the next; 0 when there is none. */
  readonly keyStep: number;
}

/** Gives an argument of a call as text; 0 is the command's name. */
export type TextAt = (index: number) => string;

/** First key, last key and step of one group of keys in one call. */
interface KeyPositions {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

/** Finds the keys of a call for which the key specifications can't tell them. */
type FindByRule = (
  argumentCount: number,
  textAt: TextAt,
  spec: CommandSpec,
) => readonly KeyReference[];

/** The rules that specifications name in `keyRule`. */
const RULES: Readonly<Record<KeyRule, FindByRule>> = {
  set: keysOfSet,
  bitfield: keysOfBitfield,
  counted: keysOfCounted,
  streams: keysOfStreams,
  sort: keysOfSort,
  sort_ro: keysOfReadOnlySort,
  migrate: keysOfMigrate,
};

/** The largest signed number of 64 bits. */
const LARGEST_INTEGER = "9223372036854775807";

/**
 * Finds the keys in a call.
 *
 * @param spec The command, or the subcommand that is called.
 * @param argumentCount The number of arguments, all names included.
 * @param textAt Gives an argument as text; it is asked for as few of them as the command allows.
 * @returns The keys in the order of the specification; empty when the command has none, and when
 * the arguments don't fit.
 *
 * @example
 * ```ts
 * import { ALL_SPECS } from "./mod.ts";
 * import { extractKeys } from "./keys.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const call = ["MSET", "a", "1", "b", "2"];
 * const keys = extractKeys(ALL_SPECS.mset, call.length, (index) => call[index]);
 * assertEquals(keys.map(({ position }) => call[position]), ["a", "b"]);
 * ```
 */
export function extractKeys(
  spec: CommandSpec,
  argumentCount: number,
  textAt: TextAt,
): readonly KeyReference[] {
  const described = describedKeys(spec, argumentCount, textAt);
  if (described !== undefined) return described;
  return spec.keyRule === undefined ? [] : RULES[spec.keyRule](argumentCount, textAt, spec);
}

/** The keys that the specification tells alone, or `undefined` when it can't or nothing fits it. */
function describedKeys(
  spec: CommandSpec,
  argumentCount: number,
  textAt: TextAt,
): readonly KeyReference[] | undefined {
  const keys: KeyReference[] = [];
  for (const { flags, beginSearch, findKeys } of spec.keys) {
    if (flags.includes("not_key")) continue;
    if (flags.includes("incomplete") || flags.includes("variable_flags")) return undefined;
    if (beginSearch.type === "unknown") return undefined;
    const start = searchStart(beginSearch, argumentCount, textAt);
    if (start === undefined) continue;
    const positions = keyPositions(findKeys, start, argumentCount, textAt);
    if (positions === undefined) return undefined;
    for (let position = positions.first; position <= positions.last; position += positions.step) {
      keys.push({ position, flags });
    }
  }
  return keys;
}

/**
 * Whether a command takes keys at all, in some call at least.
 *
 * @param spec The command, or a subcommand.
 */
export function takesKeys(spec: CommandSpec): boolean {
  return spec.keyRule !== undefined || spec.keys.some(({ flags }) => !flags.includes("not_key"));
}

/**
 * Derives the three numbers of `COMMAND INFO` from the key specifications.
 *
 * A single range is told as it is. Of several, those with fixed places and no gaps between keys are
 * taken together, as long as each starts right after the one before.
 *
 * @param spec The command, or a subcommand.
 */
export function legacyKeyRange(spec: CommandSpec): LegacyKeyRange {
  let firstKey = 0;
  let lastKey = 0;
  let keyStep = 0;
  for (const { beginSearch, findKeys } of spec.keys) {
    if (beginSearch.type !== "index" || findKeys.type !== "range") continue;
    const rangeEnd = findKeys.lastKey < 0 ? findKeys.lastKey : beginSearch.index + findKeys.lastKey;
    if (spec.keys.length === 1) {
      return { firstKey: beginSearch.index, lastKey: rangeEnd, keyStep: findKeys.keyStep };
    }
    const follows = lastKey === 0 || lastKey === beginSearch.index - 1;
    if (findKeys.keyStep !== 1 || !follows) continue;
    firstKey = firstKey === 0 ? beginSearch.index : Math.min(firstKey, beginSearch.index);
    lastKey = rangeEnd;
    keyStep = 1;
  }
  return { firstKey, lastKey, keyStep };
}

/** The place from which keys are counted, or `undefined` when the keyword isn't there. */
function searchStart(
  beginSearch: Exclude<BeginSearch, { type: "unknown" }>,
  argumentCount: number,
  textAt: TextAt,
): number | undefined {
  if (beginSearch.type === "index") return beginSearch.index;
  const keyword = lowerCaseAscii(beginSearch.keyword);
  const backwards = beginSearch.startFrom < 0;
  const from = backwards ? argumentCount + beginSearch.startFrom : beginSearch.startFrom;
  // The last argument can't be the keyword, for nothing follows it; neither can the first one after
  // the name when searching backwards.
  for (let at = from; backwards ? at > 1 : at < argumentCount - 1; at += backwards ? -1 : 1) {
    if (lowerCaseAscii(textAt(at)) === keyword) return at + 1;
  }
  return undefined;
}

/** The places of the keys of one group, or `undefined` when they aren't all among the arguments. */
function keyPositions(
  findKeys: FindKeys,
  start: number,
  argumentCount: number,
  textAt: TextAt,
): KeyPositions | undefined {
  if (findKeys.type === "unknown") return undefined;
  let first = start;
  let last: number;
  if (findKeys.type === "range") {
    const { lastKey, limit } = findKeys;
    if (lastKey >= 0) last = start + lastKey;
    else if (limit <= 1) last = argumentCount + lastKey;
    else last = start + Math.trunc((argumentCount - start) / limit) + lastKey;
  } else {
    const countAt = start + findKeys.keyNumIndex;
    if (countAt >= argumentCount) return undefined;
    const count = textAt(countAt);
    if (!/^[1-9][0-9]*$/.test(count)) return undefined;
    first = start + findKeys.firstKey;
    last = first + lowInteger(count) - 1;
  }
  if (last < first || last >= argumentCount) return undefined;
  return { first, last, step: findKeys.keyStep };
}

/** `SET` overwrites its key, and reads it as well when an option `GET` follows the value. */
function keysOfSet(argumentCount: number, textAt: TextAt): readonly KeyReference[] {
  if (argumentCount < 2) return [];
  for (let at = 3; at < argumentCount; at++) {
    if (lowerCaseAscii(textAt(at)) === "get") {
      return [{ position: 1, flags: ["RW", "access", "update"] }];
    }
  }
  return [{ position: 1, flags: ["OW", "update"] }];
}

/** `BITFIELD` only reads when every operation is a `GET`; `OVERFLOW` is none. */
function keysOfBitfield(argumentCount: number, textAt: TextAt): readonly KeyReference[] {
  if (argumentCount < 2) return [];
  for (let at = 2; at < argumentCount; at++) {
    const operation = lowerCaseAscii(textAt(at));
    const left = argumentCount - at - 1;
    if (operation === "get" && left >= 2) at += 2;
    else if (operation === "overflow" && left >= 1) at++;
    else return [{ position: 1, flags: ["RW", "access", "update"] }];
  }
  return [{ position: 1, flags: ["RO", "access"] }];
}

/** The option words of `SORT` that take arguments which are no keys, and how many they take. */
const SORT_OPTIONS: ReadonlyMap<string, number> = new Map([["limit", 2], ["by", 1], ["get", 1]]);

/**
 * `SORT` reads the key it sorts, and overwrites the last one that follows a `STORE`. Where `STORE`
 * stands as the argument of another option it is none; what follows it is looked at as well.
 */
function keysOfSort(argumentCount: number, textAt: TextAt): readonly KeyReference[] {
  const sorted = keysOfReadOnlySort(argumentCount);
  let destination = 0;
  for (let at = 2; at < argumentCount; at++) {
    const option = lowerCaseAscii(textAt(at));
    if (option === "store" && at + 1 < argumentCount) destination = at + 1;
    else at += SORT_OPTIONS.get(option) ?? 0;
  }
  if (destination === 0) return sorted;
  return [...sorted, { position: destination, flags: ["OW", "update"] }];
}

/** `SORT_RO` reads the key it sorts; those that patterns name depend on what is in it. */
function keysOfReadOnlySort(argumentCount: number): readonly KeyReference[] {
  return argumentCount < 2 ? [] : [{ position: 1, flags: ["RO", "access"] }];
}

/** The option words of `MIGRATE` that take arguments, and how many they take. */
const MIGRATE_OPTIONS: ReadonlyMap<string, number> = new Map([["auth", 1], ["auth2", 2]]);

/** `MIGRATE` moves its one key, or, if that is empty, those behind `KEYS`; with both, the call makes no sense. */
function keysOfMigrate(argumentCount: number, textAt: TextAt): readonly KeyReference[] {
  if (argumentCount < 4) return [];
  const flags = ["RW", "access", "delete"] as const;
  for (let at = 6; at < argumentCount - 1; at++) {
    const option = lowerCaseAscii(textAt(at));
    if (option === "keys") {
      if (textAt(3) !== "") return [];
      const first = at + 1;
      return Array.from({ length: argumentCount - first }, (_, key) => ({
        position: first + key,
        flags,
      }));
    }
    at += MIGRATE_OPTIONS.get(option) ?? 0;
  }
  return [{ position: 3, flags }];
}

/**
 * Keys whose number isn't written as Redis writes numbers, like `02` or `2x`: those counted come
 * before those in fixed places.
 */
function keysOfCounted(
  argumentCount: number,
  textAt: TextAt,
  spec: CommandSpec,
): readonly KeyReference[] {
  const counted: KeyReference[] = [];
  const fixed: KeyReference[] = [];
  for (const { beginSearch, findKeys } of spec.keys) {
    if (beginSearch.type !== "index" || findKeys.type === "unknown") continue;
    const start = beginSearch.index;
    if (findKeys.type === "range") {
      fixed.push({ position: start, flags: [] });
      continue;
    }
    const countAt = start + findKeys.keyNumIndex;
    const first = start + findKeys.firstKey;
    const count = countAt < argumentCount ? leadingInteger(textAt(countAt)) : 0;
    if (count < 1 || count > argumentCount - first) return [];
    for (let key = 0; key < count; key++) {
      counted.push({ position: first + key * findKeys.keyStep, flags: [] });
    }
  }
  return [...counted, ...fixed];
}

/** The option words of `XREADGROUP` before `STREAMS`, and how many arguments they take. */
const STREAM_OPTIONS: ReadonlyMap<string, number> = new Map([
  ["block", 1],
  ["count", 1],
  ["group", 2],
  ["noack", 0],
]);

/** `XREADGROUP` with its options in an unusual order: keys are the first half behind `STREAMS`. */
function keysOfStreams(argumentCount: number, textAt: TextAt): readonly KeyReference[] {
  for (let at = 1; at < argumentCount; at++) {
    const option = lowerCaseAscii(textAt(at));
    if (option === "streams") {
      const behind = argumentCount - at - 1;
      if (behind % 2 !== 0) return [];
      return Array.from(
        { length: behind / 2 },
        (_, key) => ({ position: at + 1 + key, flags: [] }),
      );
    }
    const taken = STREAM_OPTIONS.get(option);
    if (taken === undefined) return [];
    at += taken;
  }
  return [];
}

/** The integer that a text starts with, after white space, in 32 bits; 0 when there is none. */
function leadingInteger(text: string): number {
  const match = /^[ \t-\r]*([+-]?)0*([0-9]+)/.exec(text);
  if (match === null) return 0;
  const low = lowInteger(match[2]);
  return match[1] === "-" ? -low | 0 : low;
}

/**
 * The low 32 bits of a number, with their sign, for Redis counts keys in so many; 0 when the number
 * needs more than 64.
 *
 * @param digits Decimal digits, without zeros in front.
 */
function lowInteger(digits: string): number {
  const { length } = LARGEST_INTEGER;
  if (digits.length > length || digits.length === length && digits > LARGEST_INTEGER) return 0;
  let low = 0;
  for (let at = 0; at < digits.length; at++) low = (low * 10 + Number(digits[at])) | 0;
  return low;
}
