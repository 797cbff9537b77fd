/**
 * How many elements at random a command is asked for.
 *
 * @module
 */
import type { Context } from "./context.ts";

const OUT_OF_RANGE =
  "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
/**
 * Most elements with repetition. Redis would go on until its memory ends: a reply of so many takes a gigabyte, and no client
 * asks for it but to do harm.
 */
const MOST_REPEATED = 2 ** 27;

/** The count in argument `index`, negative for elements with repetition; undefined after an error. */
export function countArgument(context: Context, index: number): number | undefined {
  if (!context.integer(index)) return undefined;
  const { value } = context;
  if (value >= -MOST_REPEATED) return value;
  context.reply.error(OUT_OF_RANGE);
  return undefined;
}
