/**
 * Checks a small sorted set against what it says of itself.
 *
 * @module
 */
import { assert } from "@std/assert";
import { listpackValidate } from "../memory/listpack_validation.ts";
import { tailStart, tailView } from "./collections.ts";
import { tailLength } from "./entry_facts.ts";
import type { Keyspace } from "./keyspace.ts";
import { SortedSetPlace } from "./sorted_set_place.ts";

/**
 * Checks the listpack of the small sorted set in `entry`: members and scores in turn, the lowest score first, members with the same one in
 * the order of their bytes.
 *
 * @throws {AssertionError} at the first thing that doesn't agree.
 */
export function checkSmallSortedSet(keyspace: Keyspace, entry: number): void {
  const view = tailView(keyspace, entry);
  const start = tailStart(keyspace, entry);
  const elements = listpackValidate(view, start, tailLength(keyspace, entry));
  assert(elements > 0 && elements % 2 === 0, `a sorted set of ${elements} elements`);
  const place = new SortedSetPlace();
  place.enter(keyspace, entry);
  let before = -Infinity;
  for (let index = 0; index < place.count; index++) {
    place.goTo(index);
    place.read();
    const { element, score } = place;
    assert(score >= before, `scores are in order: ${before}, ${score}`);
    element.spell();
    const text = new DataView(element.copy().buffer);
    assert(
      place.rankOf(score, text, 0, text.byteLength) === index,
      "a member is found in its order",
    );
    before = score;
  }
}
