/**
 * The slow log: the latest commands that took longer than `slowlog-log-slower-than`.
 *
 * Arguments are copied, and cut as Redis cuts them, so that an entry takes a few KiB at most.
 *
 * @module
 */

const MOST_ARGUMENTS = 32;
const LONGEST_ARGUMENT = 128;

/** What a cut argument ends with, and how long that makes it at most. */
const CUT = /^\.\.\. \([0-9]+ more bytes\)$/;
const LONGEST_CUT = LONGEST_ARGUMENT + 40;

const encoder = new TextEncoder();

/** One command that was slow. */
export interface SlowLogEntry {
  /** Number of the entry, never given twice. */
  readonly id: number;
  /** Unix time in seconds of its end. */
  readonly time: number;
  /** How long it took. */
  readonly microseconds: number;
  /** Its name and arguments, cut. */
  readonly args: readonly Uint8Array[];
  /** Address of the client. */
  readonly address: string;
  /** Name of the client. */
  readonly clientName: string;
}

/** The latest slow commands of one server. */
export class SlowLog {
  private readonly entries: SlowLogEntry[] = [];
  private nextId = 0;
  private limit = 0;

  /** How many entries there are. */
  get length(): number {
    return this.entries.length;
  }

  /** Keeps no more than `limit` entries (`slowlog-max-len`). */
  setLimit(limit: number): void {
    this.limit = limit;
    this.trim();
  }

  /** Adds a command with all of its arguments, which are copied. */
  add(
    time: number,
    microseconds: number,
    args: readonly Uint8Array[],
    address: string,
    clientName: string,
  ): void {
    const id = this.nextId++;
    this.entries.push({ id, time, microseconds, args: cut(args), address, clientName });
    this.trim();
  }

  /** The latest `count` entries, latest first. */
  latest(count: number): SlowLogEntry[] {
    return count === 0 ? [] : this.entries.slice(-count).reverse();
  }

  /** Forgets all entries. */
  clear(): void {
    this.entries.length = 0;
  }

  /** Forgets the oldest entries that are too many. */
  private trim(): void {
    if (this.entries.length > this.limit) this.entries.splice(0, this.entries.length - this.limit);
  }
}

/** Whether an argument ends as {@linkcode cutArgument} would make it end. */
function isCut(argument: Uint8Array): boolean {
  if (argument.length > LONGEST_CUT) return false;
  return CUT.test(String.fromCharCode(...argument.subarray(LONGEST_ARGUMENT)));
}

/** Copies of the arguments, as far as they are kept. */
function cut(args: readonly Uint8Array[]): Uint8Array[] {
  if (args.length <= MOST_ARGUMENTS) return args.map(cutArgument);
  const kept = args.slice(0, MOST_ARGUMENTS - 1).map(cutArgument);
  kept.push(encoder.encode(`... (${args.length - kept.length} more arguments)`));
  return kept;
}

/** A copy of an argument, cut if it is long; one that was cut already stays so. */
export function cutArgument(argument: Uint8Array): Uint8Array {
  if (argument.length <= LONGEST_ARGUMENT || isCut(argument)) return argument.slice();
  const more = encoder.encode(`... (${argument.length - LONGEST_ARGUMENT} more bytes)`);
  const bytes = new Uint8Array(LONGEST_ARGUMENT + more.length);
  bytes.set(argument.subarray(0, LONGEST_ARGUMENT));
  bytes.set(more, LONGEST_ARGUMENT);
  return bytes;
}
