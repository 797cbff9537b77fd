/**
 * The patterns of SORT, which lead from an element to another value.
 *
 * `#` is the element itself. Any other pattern is the name of a key with a `*` that stands for the element: the string at that key, or,
 * where `->` and the name of a field stand somewhere behind the `*`, that field of the hash there. Looking it up is a reading
 * look-up like any other: it counts, it notes the access, and it removes a key whose time has come.
 *
 * @module
 */
import { ElementPlace } from "../keyspace/element_place.ts";
import { entryType } from "../keyspace/entry_facts.ts";
import { findField } from "../keyspace/hashes.ts";
import { countReading, findEntry } from "../keyspace/keyspace.ts";
import { keyIsMissed } from "../keyspace/notifications.ts";
import { placeString } from "../keyspace/strings.ts";
import { TYPE_HASH, TYPE_STRING } from "../keyspace/types.ts";
import type { ReadonlyView } from "../memory/arena.ts";
import { copyBytes } from "../memory/copy.ts";
import type { Context } from "./context.ts";

const HASH = 0x23;
const STAR = 0x2a;
const DASH = 0x2d;
const GREATER = 0x3e;
/** What an element is said to lie in besides its view, which nobody asks for. */
const NO_BYTES = new Uint8Array(0);

/** One pattern, looked up for one element after the other. */
export class SortPattern {
  /** What was found last. */
  readonly place: ElementPlace = new ElementPlace();
  /** Whether it is the element itself. */
  private readonly isElement: boolean;
  /** What stands before the `*`; its length is -1 if there is no `*`. */
  private readonly prefixLength: number;
  /** Where what stands behind it begins, and where it ends. */
  private readonly postfixStart: number;
  private readonly postfixEnd: number;
  /** Where the name of a field begins; the end of the pattern if there is none. */
  private readonly fieldStart: number;
  private readonly text: Uint8Array<ArrayBuffer>;
  private readonly textView: DataView;
  private key = new Uint8Array(0);
  private keyView = new DataView(this.key.buffer);

  /** Takes the pattern in argument `index`. */
  constructor(private readonly context: Context, index: number) {
    const text = context.argument(index).slice();
    this.text = text;
    this.textView = new DataView(text.buffer);
    this.isElement = text.length === 1 && text[0] === HASH;
    const star = starOf(text);
    this.prefixLength = star;
    this.postfixStart = star + 1;
    let arrow = star + 1;
    while (
      arrow < text.length && text[arrow] !== 0 &&
      !(text[arrow] === DASH && text[arrow + 1] === GREATER)
    ) arrow++;
    // A field has a name of one byte at least.
    const hasField = star >= 0 && text[arrow] === DASH && (text[arrow + 2] ?? 0) !== 0;
    this.postfixEnd = hasField ? arrow : text.length;
    this.fieldStart = hasField ? arrow + 2 : text.length;
  }

  /** Finds what the pattern says for an element, and has {@linkcode place} tell it; false if there is nothing. */
  find(view: ReadonlyView, start: number, length: number): boolean {
    const { context: { keyspace }, place } = this;
    if (this.isElement) {
      place.setBytes(view, NO_BYTES, start, length);
      return true;
    }
    if (this.prefixLength < 0) return false;
    const entry = this.findKey(view, start, length);
    if (entry === 0) return false;
    if (this.fieldStart < this.text.length) {
      if (entryType(keyspace, entry) !== TYPE_HASH) return false;
      const fieldLength = this.text.length - this.fieldStart;
      return findField(keyspace, entry, this.textView, this.fieldStart, fieldLength, place);
    }
    if (entryType(keyspace, entry) !== TYPE_STRING) return false;
    placeString(keyspace, entry, place);
    return true;
  }

  /** The entry of the key that the pattern names for an element. */
  private findKey(view: ReadonlyView, start: number, length: number): number {
    const { text, textView, prefixLength, postfixStart, context: { database, keyspace } } = this;
    const postfixLength = this.postfixEnd - postfixStart;
    const keyLength = prefixLength + length + postfixLength;
    if (keyLength > this.key.length) {
      this.key = new Uint8Array(keyLength * 2);
      this.keyView = new DataView(this.key.buffer);
      this.key.set(text.subarray(0, prefixLength));
    }
    const { keyView } = this;
    copyBytes(view, start, keyView, prefixLength, length);
    copyBytes(textView, postfixStart, keyView, prefixLength + length, postfixLength);
    const entry = findEntry(database, keyView, 0, keyLength);
    countReading(keyspace, entry);
    if (entry === 0) keyIsMissed(database, keyView, 0, keyLength);
    return entry;
  }
}

/** Whether the pattern in argument `index` names the same key for each element. */
export function isConstantPattern(context: Context, index: number): boolean {
  return starOf(context.argument(index)) < 0;
}

/** Where the first `*` of a pattern is, before a zero byte; -1 if there is none. */
function starOf(text: Uint8Array): number {
  const end = text.indexOf(0);
  const star = text.indexOf(STAR);
  return end >= 0 && end < star ? -1 : star;
}
