/**
 * How far long work has come, drawn over and over on the last line of a terminal.
 *
 * It is drawn on the error output, and only if that is a terminal: so it can be seen while the
 * output goes to a file or through a pipe, and never gets among what a program reads. The line is
 * overwritten with a carriage return and spaces rather than control sequences, which every console
 * understands.
 *
 * While a bar is on the screen, lines go to the terminal through it, so that they don't end up in
 * the middle of the bar.
 *
 * @module
 */

import type { Terminal } from "../terminal.ts";

/** What is measured. */
export interface ProgressOptions {
  /**
   * What it counts: `"bytes"` are shown as KiB, MiB and so on, anything else is a number and this
   * word.
   */
  readonly unit: string;
  /** What stands in front: what is being done. */
  readonly label: string;
  /**
   * How many there will be; without it, there is no bar and no percentage.
   *
   * @default {undefined}
   */
  readonly total?: number;
  /**
   * Where the time is read, in milliseconds.
   *
   * @default {performance.now}
   */
  readonly now?: () => number;
}

/** From one drawing to the next, and from the start to the first: short work shows none. */
const DRAW_INTERVAL_MS = 100;

/** The bar's widest and narrowest form, without its brackets; what is narrower isn't shown. */
const MAX_BAR_COLUMNS = 40;
const MIN_BAR_COLUMNS = 8;

/** The width of a terminal that doesn't tell it. */
const USUAL_COLUMNS = 80;

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

const encoder = new TextEncoder();

/** Shows how far work has come. */
export class Progress {
  readonly #terminal: Terminal;
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  readonly #startMs: number;
  #nextDrawMs: number;
  #done = 0;
  /** How many columns of the line are in use; 0 while nothing is drawn. */
  #drawnColumns = 0;
  #ended = false;

  /** Starts with nothing done and nothing drawn. */
  constructor(terminal: Terminal, options: ProgressOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#startMs = this.#now();
    this.#nextDrawMs = this.#startMs + DRAW_INTERVAL_MS;
  }

  /** Whether anything is ever drawn. */
  get isShown(): boolean {
    return this.#terminal.errorIsTerminal && !this.#ended;
  }

  /**
   * Tells how far it is. Cheap enough for each batch: it draws at most ten times a second.
   *
   * @param done How many units are done, all in all.
   */
  update(done: number): void {
    this.#done = done;
    if (!this.isShown) return;
    const now = this.#now();
    if (now < this.#nextDrawMs) return;
    this.#nextDrawMs = now + DRAW_INTERVAL_MS;
    this.#draw(now);
  }

  /** Takes the bar off the screen until it is drawn again, for what is printed otherwise. */
  clear(): void {
    if (this.#drawnColumns === 0) return;
    const columns = this.#terminal.columns() ?? USUAL_COLUMNS;
    this.#terminal.writeErrorText(`\r${" ".repeat(Math.min(this.#drawnColumns, columns - 1))}\r`);
    this.#drawnColumns = 0;
  }

  /** Prints a line on the standard output, above the bar. */
  line(text: string): void {
    this.clear();
    this.#terminal.write(encoder.encode(text + "\n"));
  }

  /** Prints a line on the standard error output, above the bar. */
  errorLine(text: string): void {
    this.clear();
    this.#terminal.writeError(text);
  }

  /** Takes the bar off the screen for good. */
  end(): void {
    this.clear();
    this.#ended = true;
  }

  #draw(now: number): void {
    const columns = this.#terminal.columns() ?? USUAL_COLUMNS;
    // The last column stays free: some consoles start a new line when it is filled.
    const text = this.#compose((now - this.#startMs) / 1000, columns - 1);
    this.#terminal.writeErrorText("\r" + text.padEnd(Math.min(this.#drawnColumns, columns - 1)));
    this.#drawnColumns = text.length;
  }

  #compose(seconds: number, columns: number): string {
    const { label, total } = this.#options;
    const rate = seconds > 0 ? this.#done / seconds : 0;
    const amount = `${this.#amount(this.#done)}  ${this.#amount(rate)}/s`;
    if (total === undefined || total <= 0) {
      return `${label}  ${amount}  ${formatDuration(seconds)}`.slice(0, columns);
    }
    const share = Math.min(this.#done / total, 1);
    const left = rate > 0 ? `  ${formatDuration((total - this.#done) / rate)} left` : "";
    const start = `${label} ${String(Math.floor(share * 100)).padStart(3)}%`;
    const end = `${amount}${left}`;
    const barColumns = Math.min(MAX_BAR_COLUMNS, columns - start.length - end.length - 5);
    if (barColumns < MIN_BAR_COLUMNS) return `${start}  ${end}`.slice(0, columns);
    const filled = Math.round(share * barColumns);
    return `${start} [${"#".repeat(filled)}${"-".repeat(barColumns - filled)}]  ${end}`;
  }

  #amount(count: number): string {
    if (this.#options.unit === "bytes") return formatBytes(count);
    const digits = String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
    return `${digits} ${this.#options.unit}`;
  }
}

/**
 * A number of bytes for people, with three digits or so.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatBytes(512), "512 B");
 * assertEquals(formatBytes(1_572_864), "1.5 MiB");
 * ```
 */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let amount = bytes;
  // What would be rounded to 1024 is one of the next unit.
  while (amount >= 1023.5 && unit < BYTE_UNITS.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${amount.toFixed(unit > 0 && amount < 99.95 ? 1 : 0)} ${BYTE_UNITS[unit]}`;
}

/**
 * A time for people: minutes and seconds, with hours if there are any.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatDuration(75.3), "1:15");
 * assertEquals(formatDuration(3605), "1:00:05");
 * ```
 */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (part: number) => String(part).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${pad(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(whole % 60)}`;
}
