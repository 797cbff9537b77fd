/**
 * How many elements at random a command is asked for; negative for elements that may come again.
 *
 * @module
 */
import type { Context } from "./context.ts";

/**
 * Most elements with repetition. Redis would go on until its memory ends: a reply of so many takes a gigabyte, and no client
 * asks for it but to do harm.
 */
const MOST_REPEATED = 2 ** 27;
/** What an element takes in a reply, if it is empty. */
const SHORTEST_REPLY_BYTES = 6;
/** Upper half of the number from which on twice as many replies are more than 63 bits can count. */
const HALF_OF_ALL = 0x40000000;

/** The count in argument `index`, or undefined after an error. */
export function countArgument(context: Context, index: number): number | undefined {
  if (!context.integer(index)) return undefined;
  const { number, reply } = context;
  if (number.high === -0x80000000 && number.low === 0) {
    reply.error(
      "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
    );
    return undefined;
  }
  return context.value;
}

/** Whether a reply may have the elements that {@linkcode countArgument} was asked for, with another reply to each if `pairs`. */
export function countIsFine(context: Context, pairs: boolean): boolean {
  const { high, low } = context.number;
  const tooManyPairs = pairs &&
    (high >= HALF_OF_ALL || high < -HALF_OF_ALL || (high === -HALF_OF_ALL && low === 0));
  if (!tooManyPairs && context.value >= -MOST_REPEATED) return true;
  if (!tooManyPairs && context.exceedsOutput(-context.value * SHORTEST_REPLY_BYTES)) return false;
  context.reply.error("ERR value is out of range");
  return false;
}
