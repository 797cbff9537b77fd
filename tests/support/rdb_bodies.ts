/**
 * Values as RDB has them, made by hand in every form that Redis has ever written: type byte and value, a byte a character.
 *
 * @module
 */
import { latin1Text } from "../../src/client/quoting.ts";
import {
  listpackAppend,
  listpackBytes,
  listpackCreate,
  listpackStringBytes,
} from "../../src/memory/listpack.ts";

/** `text` as bytes. */
export function latin1Bytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** A number of `bytes` bytes, the least significant first. */
export function littleEndian(value: number | bigint, bytes: number): string {
  let rest = BigInt.asUintN(bytes * 8, BigInt(value));
  let text = "";
  for (let index = 0; index < bytes; index++) {
    text += String.fromCharCode(Number(rest & 0xffn));
    rest >>= 8n;
  }
  return text;
}

/** A length. */
export function rdbLength(value: number): string {
  if (value < 64) return String.fromCharCode(value);
  if (value < 16384) return String.fromCharCode(0x40 | (value >>> 8), value & 0xff);
  return "\x80" + [...littleEndian(value, 4)].reverse().join("");
}

/** A string as it is. */
export function rdbString(text: string): string {
  return rdbLength(text.length) + text;
}

/** A row of strings behind their number, or behind the number of pairs. */
function rdbStrings(texts: readonly string[], pairs = false): string {
  return rdbLength(pairs ? texts.length / 2 : texts.length) + texts.map(rdbString).join("");
}

/** A listpack. */
export function listpackOf(texts: readonly string[]): string {
  const room = texts.reduce((sum, text) => sum + listpackStringBytes(text.length), 7);
  const view = new DataView(new ArrayBuffer(room));
  listpackCreate(view, 0);
  for (const text of texts) {
    const bytes = latin1Bytes(text);
    listpackAppend(view, 0, new DataView(bytes.buffer), 0, bytes.length);
  }
  return latin1Text(new Uint8Array(view.buffer, 0, listpackBytes(view, 0)));
}

const CANONICAL_INTEGER = /^(0|-?[1-9][0-9]{0,17})$/;

/** How a ziplist writes an entry, without the length of the one before. */
function ziplistEntry(text: string): string {
  if (CANONICAL_INTEGER.test(text)) {
    const value = BigInt(text);
    if (value >= 0n && value <= 12n) return String.fromCharCode(0xf1 + Number(value));
    for (const [code, bytes] of [[0xfe, 1], [0xc0, 2], [0xf0, 3], [0xd0, 4], [0xe0, 8]]) {
      if (BigInt.asIntN(bytes * 8, value) !== value) continue;
      return String.fromCharCode(code) + littleEndian(value, bytes);
    }
  }
  const { length } = text;
  if (length < 64) return String.fromCharCode(length) + text;
  if (length < 16384) return String.fromCharCode(0x40 | (length >>> 8), length & 0xff) + text;
  return "\x80" + [...littleEndian(length, 4)].reverse().join("") + text;
}

/** A ziplist. */
export function ziplistOf(texts: readonly string[]): string {
  let entries = "";
  let before = 0;
  let last = 10;
  for (const text of texts) {
    const length = before < 254 ? String.fromCharCode(before) : "\xfe" + littleEndian(before, 4);
    const entry = length + ziplistEntry(text);
    last = 10 + entries.length;
    entries += entry;
    before = entry.length;
  }
  const bytes = 10 + entries.length + 1;
  return littleEndian(bytes, 4) + littleEndian(last, 4) +
    littleEndian(Math.min(texts.length, 0xffff), 2) + entries + "\xff";
}

/** A zipmap; with `spare` bytes of room behind each value. */
export function zipmapOf(texts: readonly string[], spare = 0): string {
  const length = (text: string) =>
    text.length < 254 ? String.fromCharCode(text.length) : "\xfe" + littleEndian(text.length, 4);
  const parts = texts.map((text, index) =>
    index % 2 === 0
      ? length(text) + text
      : length(text) + String.fromCharCode(spare) + text + "\0".repeat(spare)
  );
  return String.fromCharCode(Math.min(texts.length / 2, 254)) + parts.join("") + "\xff";
}

/** An intset of `integers`, which are in order, in elements of `width` bytes. */
export function intsetOf(integers: readonly number[], width: number): string {
  return littleEndian(width, 4) + littleEndian(integers.length, 4) +
    integers.map((integer) => littleEndian(integer, width)).join("");
}

function double(value: number): string {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return latin1Text(bytes);
}

/** A score as text, as it was once written. */
function scoreText(score: number): string {
  if (score === Infinity) return "\xfe";
  if (score === -Infinity) return "\xff";
  const text = String(score);
  return String.fromCharCode(text.length) + text;
}

/** Makes bodies of values, by the names of their forms. */
export const RDB_BODIES = {
  list: (texts: readonly string[]) => "\x01" + rdbStrings(texts),
  set: (texts: readonly string[]) => "\x02" + rdbStrings(texts),
  hash: (pairs: readonly string[]) => "\x04" + rdbStrings(pairs, true),
  hashZipmap: (pairs: readonly string[]) => "\x09" + rdbString(zipmapOf(pairs)),
  listZiplist: (texts: readonly string[]) => "\x0a" + rdbString(ziplistOf(texts)),
  hashZiplist: (pairs: readonly string[]) => "\x0d" + rdbString(ziplistOf(pairs)),
  hashListpack: (pairs: readonly string[]) => "\x10" + rdbString(listpackOf(pairs)),
} as const;

/** A set that is an intset. */
export function intsetBody(integers: readonly number[], width: number): string {
  return "\x0b" + rdbString(intsetOf(integers, width));
}

/** A list in nodes, as ziplists or as listpacks. */
export function quicklistBody(nodes: readonly (readonly string[])[], ziplists: boolean): string {
  return (ziplists ? "\x0e" : "\x12") + rdbLength(nodes.length) +
    nodes.map((node) =>
      ziplists ? rdbString(ziplistOf(node)) : "\x02" + rdbString(listpackOf(node))
    )
      .join("");
}

/** Members with their scores. */
export type Scored = readonly (readonly [member: string, score: number])[];

/** A sorted set: `form` is its type byte. The compact forms want the members in order. */
export function sortedSetBody(form: 3 | 5 | 12 | 17, members: Scored): string {
  const type = String.fromCharCode(form);
  if (form === 12 || form === 17) {
    const texts = members.flatMap(([member, score]) => [member, String(score)]);
    return type + rdbString(form === 12 ? ziplistOf(texts) : listpackOf(texts));
  }
  const write = form === 3 ? scoreText : double;
  return type + rdbLength(members.length) +
    members.map(([member, score]) => rdbString(member) + write(score)).join("");
}
