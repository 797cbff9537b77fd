/**
 * Glob patterns as KEYS, SCAN MATCH, PSUBSCRIBE, CONFIG GET and ACL rules understand them.
 *
 * - `*` any bytes, also none
 * - `?` any one byte
 * - `[abc]`, `[a-z]` one of these bytes, `[^a]` any other; `\` takes the next byte as it is
 * - `\` followed by a byte: that byte
 *
 * Patterns are bytes, not characters, and every pattern is legal: a class that isn't closed ends
 * with the pattern, a backslash at the end stands for itself, and the ends of a range may come in
 * either order. Bytes of 128 and more count as negative where a range compares them, as `char` does
 * in C on x86-64.
 *
 * Only the last `*` met so far is ever tried again, further to the right: if what follows it fits
 * nowhere in the rest of the text, it fits nowhere in a shorter rest either, so trying an earlier
 * `*` again is of no use. Thus a match costs at most the product of both lengths, and nothing is
 * kept but two positions.
 *
 * @module
 */

const STAR = 0x2a;
const QUESTION_MARK = 0x3f;
const CLASS_START = 0x5b;
const CLASS_END = 0x5d;
const CARET = 0x5e;
const BACKSLASH = 0x5c;
const DASH = 0x2d;

/** Redis gives up, and finds no match, once more stars than this wait for their end. */
const MAX_STARS = 1000;

/**
 * Whether the whole text matches the pattern. An empty text matches only an empty pattern: a plain
 * "*" that is to match everything (KEYS and SCAN treat it so) is the caller's to look for.
 *
 * @param ignoreCase whether ASCII letters match in either case (except after a backslash in a class)
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const match = (pattern: string, text: string) =>
 *   globMatch(new TextEncoder().encode(pattern), new TextEncoder().encode(text), false);
 * assertEquals(match("user:[0-9]*", "user:1000"), true);
 * assertEquals(match("user:[^0-9]*", "user:1000"), false);
 * ```
 */
export function globMatch(pattern: Uint8Array, text: Uint8Array, ignoreCase: boolean): boolean {
  return globMatchRange(pattern, 0, pattern.length, text, 0, text.length, ignoreCase);
}

/** {@linkcode globMatch} on a part of `pattern` and a part of `text`, each from start to end. */
export function globMatchRange(
  pattern: Uint8Array,
  patternStart: number,
  patternEnd: number,
  text: Uint8Array,
  textStart: number,
  textEnd: number,
  ignoreCase: boolean,
): boolean {
  if (textStart === textEnd) return patternStart === patternEnd;
  let patternPosition = patternStart;
  let textPosition = textStart;
  let stars = 0;
  // Behind the last star: where the pattern goes on, and from where the text has been tried.
  let retryPattern = -1;
  let retryText = 0;
  while (textPosition < textEnd) {
    if (patternPosition < patternEnd && pattern[patternPosition] === STAR) {
      patternPosition = skipStars(pattern, patternPosition, patternEnd);
      if (patternPosition === patternEnd) return true;
      if (++stars > MAX_STARS) return false;
      retryPattern = patternPosition;
      retryText = textPosition;
      continue;
    }
    const next = patternPosition < patternEnd
      ? matchOne(pattern, patternPosition, patternEnd, text[textPosition], ignoreCase)
      : -1;
    if (next >= 0) {
      patternPosition = next;
      textPosition++;
    } else if (retryPattern >= 0) {
      patternPosition = retryPattern;
      textPosition = ++retryText;
    } else {
      return false;
    }
  }
  return skipStars(pattern, patternPosition, patternEnd) === patternEnd;
}

function skipStars(pattern: Uint8Array, position: number, end: number): number {
  while (position < end && pattern[position] === STAR) position++;
  return position;
}

/**
 * Matches one byte against the part of the pattern at `position`, which isn't a star. Returns the
 * position behind that part, or -1 if the byte doesn't match.
 */
function matchOne(
  pattern: Uint8Array,
  position: number,
  end: number,
  byte: number,
  ignoreCase: boolean,
): number {
  let expected = pattern[position];
  if (expected === QUESTION_MARK) return position + 1;
  if (expected === CLASS_START) return matchClass(pattern, position + 1, end, byte, ignoreCase);
  if (expected === BACKSLASH && position + 1 < end) expected = pattern[++position];
  return expected === byte || (ignoreCase && toLower(expected) === toLower(byte))
    ? position + 1
    : -1;
}

/** {@linkcode matchOne} for a class; `position` is behind its opening bracket. */
function matchClass(
  pattern: Uint8Array,
  position: number,
  end: number,
  byte: number,
  ignoreCase: boolean,
): number {
  const folded = ignoreCase ? toLower(byte) : byte;
  const negated = position < end && pattern[position] === CARET;
  if (negated) position++;
  let found = false;
  while (position < end && pattern[position] !== CLASS_END) {
    const left = pattern[position];
    if (left === BACKSLASH && position + 1 < end) {
      if (pattern[position + 1] === byte) found = true;
      position += 2;
    } else if (position + 2 < end && pattern[position + 1] === DASH) {
      if (isInRange(folded, left, pattern[position + 2], ignoreCase)) found = true;
      position += 3;
    } else {
      if ((ignoreCase ? toLower(left) : left) === folded) found = true;
      position++;
    }
  }
  if (found === negated) return -1;
  return position < end ? position + 1 : end;
}

/** The ends are put in order first and made lower case then, so that "[Z-a]" ends up empty. */
function isInRange(byte: number, left: number, right: number, ignoreCase: boolean): boolean {
  let least = Math.min(toSigned(left), toSigned(right));
  let most = Math.max(toSigned(left), toSigned(right));
  if (ignoreCase) {
    least = toLower(least);
    most = toLower(most);
  }
  const value = toSigned(byte);
  return value >= least && value <= most;
}

function toSigned(byte: number): number {
  return (byte << 24) >> 24;
}

function toLower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}
