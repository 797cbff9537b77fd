/**
 * Listpacks of pairs from payloads, which may be anything: the fields of a hash with their values, the members of a sorted set with their
 * scores.
 *
 * @module
 */
import type { ReadonlyView } from "../memory/arena.ts";
import { listpackEnd, listpackFirst, listpackSkip } from "../memory/listpack.ts";
import { listpackValidate } from "../memory/listpack_validation.ts";
import { TextScratch } from "../keyspace/text_scratch.ts";

/** Gives each byte a character of its own. */
const decoder = new TextDecoder("latin1");

/** How many pairs the `length` bytes from `start` have as a listpack; -1 if they are none, or none of pairs. */
export function pairsIn(view: ReadonlyView, start: number, length: number): number {
  const elements = listpackValidate(view, start, length);
  return elements < 0 || elements % 2 === 1 ? -1 : elements / 2;
}

/** Whether no two pairs of a listpack have the same first element. */
export function namesDiffer(view: ReadonlyView, start: number): boolean {
  const names = new Set<string>();
  const text = new TextScratch();
  const end = listpackEnd(view, start);
  let count = 0;
  for (let at = listpackFirst(view, start); at !== 0 && at < end; count++) {
    text.takeElement(view, at);
    names.add(decoder.decode(text.bytes.subarray(0, text.length)));
    at = listpackSkip(view, listpackSkip(view, at));
  }
  return names.size === count;
}
