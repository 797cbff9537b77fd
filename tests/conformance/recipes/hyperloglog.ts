/**
 * How random HyperLogLog commands are made.
 *
 * @module
 */

import type { Values } from "../values.ts";
import { none, type RecipeTable } from "./recipe.ts";

const HEADER = "HYLL";
const DENSE_REGISTER_BYTES = 12288;

/** A key that mostly holds a HyperLogLog. */
function hyperLogLogKey(values: Values): string {
  return values.chance(0.9) ? `h${values.below(6)}` : values.key();
}

/** Elements: few, or so many that a sparse value becomes dense before long. */
function elements(values: Values): string[] {
  const most = values.chance(0.1) ? 100 : 6;
  return values.some(
    0,
    most,
    () => values.chance(0.05) ? values.text() : `e${values.below(20_000)}`,
  );
}

/** What looks like a HyperLogLog, as far as a stranger can tell. */
function crafted(values: Values): string {
  const estimate = String.fromCharCode(...values.some(8, 8, () => values.below(256)));
  const byte = () => String.fromCharCode(values.below(256));
  const head = (encoding: number) => `${HEADER}${String.fromCharCode(encoding)}\0\0\0${estimate}`;
  const kind = values.below(6);
  if (kind === 0) {
    const registers = Array.from({ length: DENSE_REGISTER_BYTES }, byte).join("");
    return head(0) + registers;
  }
  // A run of two bytes that is cut in half has Redis read and write behind the string.
  if (kind === 1) return head(values.below(3)) + values.some(0, 300, byte).join("") + "\0";
  if (kind === 2) return head(0) + byte().repeat(DENSE_REGISTER_BYTES);
  if (kind === 3) return head(1) + "\xff".repeat(4096);
  if (kind === 4) return head(1) + "\x80".repeat(values.below(3)) + "\x7f\xff";
  return head(1).slice(0, values.below(17));
}

/** The family's recipes. */
export const HYPERLOGLOG_RECIPES: RecipeTable = {
  "pfadd": [30, (values) => [hyperLogLogKey(values), ...elements(values)]],
  "pfcount": [
    10,
    (values) =>
      values.chance(0.6)
        ? [hyperLogLogKey(values)]
        : values.some(1, 4, () => hyperLogLogKey(values)),
  ],
  "pfmerge": [3, (values) => values.some(1, 4, () => hyperLogLogKey(values))],
  "pfdebug": [
    2,
    (values) => [
      values.anyCase(
        values.one(["ENCODING", "DECODE", "DECODE", "DECODE", "GETREG", "TODENSE", "FOO"]),
      ),
      hyperLogLogKey(values),
    ],
  ],
  "pfselftest": [0.01, none],
  "set hyperloglog": [3, (values) => [hyperLogLogKey(values), crafted(values)]],
  "get hyperloglog": [5, (values) => [hyperLogLogKey(values)]],
};
