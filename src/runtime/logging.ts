/**
 * Log lines in the format that tools for Redis know:
 * `1234:M 22 Nov 2026 18:06:00.123 * Ready to accept connections`.
 *
 * @module
 */

/** How much a line matters, as in `loglevel`. */
export type LogLevel = "debug" | "verbose" | "notice" | "warning";

/** Takes one line of the log, without its line end. */
export type LogSink = (line: string) => void;

const MARKS: Record<LogLevel, string> = { debug: ".", verbose: "-", notice: "*", warning: "#" };
const ORDER: readonly LogLevel[] = ["debug", "verbose", "notice", "warning"];
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** Writes log lines of at least one level. */
export class Logger {
  /** Lines below this level are left out. */
  level: LogLevel = "notice";
  /** Role in the line: M master, S replica, C child. */
  role = "M";

  /** Writes to `sink`, with times from `now` (unix ms). */
  constructor(private readonly sink: LogSink, private readonly now: () => number) {}

  /** Writes one line. */
  log(level: LogLevel, message: string): void {
    if (ORDER.indexOf(level) < ORDER.indexOf(this.level)) return;
    const time = new Date(this.now());
    const two = (value: number) => String(value).padStart(2, "0");
    const day = `${two(time.getDate())} ${MONTHS[time.getMonth()]} ${time.getFullYear()}`;
    const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":");
    const fraction = String(time.getMilliseconds()).padStart(3, "0");
    this.sink(`${Deno.pid}:${this.role} ${day} ${clock}.${fraction} ${MARKS[level]} ${message}`);
  }
}

/** Writes log lines to the standard output. */
export const consoleSink: LogSink = (line): void => console.log(line);
