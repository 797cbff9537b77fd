/**
 * Log lines in the format that tools for Redis know:
 * `1234:M 22 Nov 2026 18:06:00.123 * Ready to accept connections`.
 *
 * @module
 */

import { type Files, writeWhole } from "./files.ts";

/** How much a line matters, as in `loglevel`. */
export type LogLevel = "debug" | "verbose" | "notice" | "warning";

/** Takes one line of the log, without its line end. */
export type LogSink = (line: string) => void;

/** Who writes: a process that is starting, a master, a replica, or a monitor. */
export type LogRole = "C" | "M" | "S" | "X";

const MARKS: Record<LogLevel, string> = { debug: ".", verbose: "-", notice: "*", warning: "#" };
const ORDER: readonly LogLevel[] = ["debug", "verbose", "notice", "warning"];
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** Writes log lines of at least one level. */
export class Logger {
  /** Lines below this level are left out. */
  level: LogLevel = "notice";
  /** Who writes. */
  role: LogRole = "M";

  /** Writes to `sink`, with times from `now` (unix ms). */
  constructor(private readonly sink: LogSink, private readonly now: () => number) {}

  /** Whether lines of a level are written: a message that is costly to make can be left out. */
  writes(level: LogLevel): boolean {
    return ORDER.indexOf(level) >= ORDER.indexOf(this.level);
  }

  /** Writes one line. */
  log(level: LogLevel, message: string): void {
    if (!this.writes(level)) return;
    const time = new Date(this.now());
    const two = (value: number) => String(value).padStart(2, "0");
    const day = `${two(time.getDate())} ${MONTHS[time.getMonth()]} ${time.getFullYear()}`;
    const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":");
    const fraction = String(time.getMilliseconds()).padStart(3, "0");
    this.sink(`${Deno.pid}:${this.role} ${day} ${clock}.${fraction} ${MARKS[level]} ${message}`);
  }

  /** Writes a line that is no message: a part of a picture or of a report. */
  raw(line: string): void {
    this.sink(line);
  }

  /** Writes a line about a signal, as Redis' handlers do: they may not ask for the date. */
  signal(message: string): void {
    this.sink(`${Deno.pid}:signal-handler (${Math.floor(this.now() / 1000)}) ${message}`);
  }
}

/**
 * Writes log lines to the standard output, each of them before it returns, so that none is lost however
 * the process ends. Lines that can't be written are lost, whether nobody reads them any more, the disk behind
 * is full, or a reader who shares a pipe that doesn't wait is slow: the server still serves.
 */
export const consoleSink: LogSink = (line): void => {
  try {
    writeWhole((bytes) => Deno.stdout.writeSync(bytes), new TextEncoder().encode(`${line}\n`));
  } catch {
    // There is no other place to complain.
  }
};

/**
 * Writes log lines to the end of a file. It is opened for each of them, so that it can be moved away;
 * lines that can't be written are lost, as there is no place to complain.
 */
export function fileSink(path: string, files: Files): LogSink {
  return (line) => {
    try {
      files.appendText(path, `${line}\n`);
    } catch {
      // The disk is full, say, and the server still serves.
    }
  };
}
