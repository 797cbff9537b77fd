/**
 * Changes of the files between a crash and the next start: what a power cut may do, and what no
 * server may do, to see that the harness notices.
 *
 * @module
 */

import type { RandomSource } from "../fuzz/random_source.ts";
import { type LoggedCommand, loggedCommands } from "./aof_files.ts";
import { joinBytes } from "../../src/protocol/joined_bytes.ts";

/** The faults that can be played; see the README. */
export const SABOTAGES = ["truncate", "hole", "repeat", "half", "invent"] as const;

/** One of {@linkcode SABOTAGES}. */
export type Sabotage = typeof SABOTAGES[number];

const CUT_BYTES = 50;
const LONGEST_TEAR_BYTES = 3000;

/**
 * Cuts off a random part of an increment's end, as if it had never reached the disk.
 *
 * @param from Where this round's commands start: what was there before had been loaded already.
 * @param sparesTransactions Whether a command in a transaction is not cut in two, but away. Redis
 * 7.0 then leaves the transaction's start in the file, and all that is written later behind it; see
 * the README.
 */
export function tear(
  bytes: Uint8Array,
  from: number,
  random: RandomSource,
  sparesTransactions: boolean,
): Uint8Array {
  const most = Math.min(LONGEST_TEAR_BYTES, bytes.length - from);
  const torn = bytes.subarray(0, bytes.length - random.between(Math.min(1, most), most));
  if (!sparesTransactions) return torn;
  let isOpen = false;
  let whole = 0;
  for (const { words: [name], end } of loggedCommands(torn)) {
    if (/^multi$/i.test(name)) isOpen = true;
    else if (/^exec$/i.test(name)) isOpen = false;
    whole = end;
  }
  return isOpen ? torn.subarray(0, whole) : torn;
}

/**
 * Plays a fault on an increment.
 *
 * @param from Where this round's commands start.
 * @returns The changed bytes, or undefined if there is nothing suitable to change.
 */
export function sabotage(
  kind: Sabotage,
  bytes: Uint8Array,
  from: number,
  random: RandomSource,
): Uint8Array | undefined {
  if (kind === "truncate") {
    return bytes.length - from > CUT_BYTES ? bytes.subarray(0, -CUT_BYTES) : undefined;
  }
  if (kind === "invent") return joinBytes([bytes, encoder.encode(INVENTED)]);
  const written = loggedCommands(bytes).filter(({ start }) => start >= from);
  // Only those that leave a trace for good, and not of the end, where they may be missing.
  const firstHalf = written.slice(0, written.length >> 1);
  const candidates = kind === "half" ? paired(firstHalf) : firstHalf.filter(isLasting);
  if (candidates.length === 0) return undefined;
  const { start, end } = random.pick(candidates);
  return kind === "repeat"
    ? joinBytes([bytes.subarray(0, end), bytes.subarray(start)])
    : joinBytes([bytes.subarray(0, start), bytes.subarray(end)]);
}

const encoder = new TextEncoder();
const INVENTED = ["SELECT", "0", "SET", "writer0:string:0", "made up"]
  .map((word) => `$${word.length}\r\n${word}\r\n`)
  .reduce(
    (text, word, index) => text + (index === 0 ? "*2\r\n" : index === 2 ? "*3\r\n" : "") + word,
    "",
  );

function isLasting({ words: [name, key] }: LoggedCommand): boolean {
  return name.toUpperCase() === "INCR" && key.endsWith(":counter");
}

/** The commands of transactions that write a pair of keys. */
function paired(commands: readonly LoggedCommand[]): LoggedCommand[] {
  return commands.filter(({ words: [name, key] }) =>
    name.toUpperCase() === "RPUSH" && /:pair:/.test(key)
  );
}
