/**
 * What a server's log says about its start.
 *
 * @module
 */

const BAD_LINE =
  /bug report|bad file format|fatal|panicked|uncaught|assertion failed|unrecoverable|corrupt/i;
const TRUNCATED_LINE = /AOF loaded anyway|truncating the AOF|short read/i;

/** The first line that no healthy server writes, or undefined. */
export function badLine(log: readonly string[]): string | undefined {
  return log.find((line) => BAD_LINE.test(line));
}

/** Whether the server told that the end of its file was missing. */
export function tellsOfTruncation(log: readonly string[]): boolean {
  return log.some((line) => TRUNCATED_LINE.test(line));
}
