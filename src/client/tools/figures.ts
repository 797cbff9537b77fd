/**
 * Figures and keys as text, in the form that programs know from redis-cli.
 *
 * @module
 */

import { ByteAccumulator } from "../../protocol/byte_accumulator.ts";
import { formatFixed } from "../../protocol/fixed_point.ts";
import { appendQuoted } from "../../protocol/quoted_bytes.ts";
import type { BulkReply } from "../../protocol/reply.ts";
import { latin1Text } from "../quoting.ts";

/**
 * A share in percent, with two digits behind the point and two at least in front of it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatPercent(1, 8), "12.50%");
 * assertEquals(formatPercent(1, 30), "03.33%");
 * ```
 */
export function formatPercent(part: number, whole: number): string {
  const percent = whole === 0 ? 0 : 100 * part / whole;
  return `${formatFixed(percent, 2).padStart(5, "0")}%`;
}

/** An average with two digits behind the point; 0.00 of nothing. */
export function formatAverage(total: number, count: number): string {
  return formatFixed(count === 0 ? 0 : total / count, 2);
}

/**
 * A number of bytes with its unit: whole bytes below 1024, two digits behind the point above.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatMemory(1023), "1023B");
 * assertEquals(formatMemory(1_605_632), "1.53M");
 * ```
 */
export function formatMemory(sizeBytes: number): string {
  if (sizeBytes < 1024) return `${sizeBytes}B`;
  let size = sizeBytes / 1024;
  let unit = 0;
  while (size >= 1024 && unit < 3) {
    size /= 1024;
    unit++;
  }
  return `${formatFixed(size, 2)}${"KMGT"[unit]}`;
}

/** A key in double quotes, everything but printable ASCII escaped. */
export function quoteKey(key: BulkReply): string {
  const output = new ByteAccumulator();
  appendQuoted(output, key.bytes);
  return latin1Text(output.take());
}
