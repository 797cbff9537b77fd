/**
 * How things look on a terminal with colours, and when there are any.
 *
 * @module
 */

import type { ReplyColours } from "../output/formatting.ts";
import type { Terminal } from "../terminal.ts";

/** Replies by their type. */
export const REPLY_COLOURS: ReplyColours = {
  simple: "\x1b[36m",
  error: "\x1b[31m",
  integer: "\x1b[33m",
  double: "\x1b[33m",
  bignumber: "\x1b[33m",
  boolean: "\x1b[35m",
  bulk: "\x1b[32m",
  verbatim: "\x1b[32m",
  null: "\x1b[90m",
  number: "\x1b[90m",
  empty: "\x1b[90m",
};

/** Hints; where no colours are wanted, faint rather than grey. */
export const HINT_STYLES = { coloured: "\x1b[90m", plain: "\x1b[2m" } as const;

/** Whether colours are wanted, on a terminal that has them (see https://no-color.org). */
export function wantsColours(terminal: Terminal): boolean {
  return !terminal.environment("NO_COLOR");
}
