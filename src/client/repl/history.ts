/**
 * The lines that were typed before, in memory and in a file.
 *
 * The file is redis-cli's: a line for each command, the latest last. Each line is appended by
 * itself, so that several sessions can go on at once and none loses what another wrote. A new
 * session shortens a file that has become too long, while it holds a lock; a session that appends
 * waits for that. Whatever goes wrong with the file is nothing to the user: then lines are kept in
 * memory alone.
 *
 * @module
 */

import { LINE_FEED } from "../../protocol/reply_types.ts";
import { writeWhole } from "../../runtime/files.ts";
import { operatingSystem } from "../../runtime/operating_system.ts";
import { readEnd } from "./dot_files.ts";

/** How many lines are kept; the file may have twice as many before it is shortened. */
const MAX_LINES = 1000;

/** How much of a file is read, so that one that went wrong doesn't fill the memory. */
const MAX_FILE_BYTES = 1 << 20;

const encoder = new TextEncoder();

/** What was typed, the latest last. */
export class History {
  readonly #path: string | undefined;
  #lines: string[] = [];

  /**
   * Makes a history.
   *
   * @param path The file that it is read from and written to; without it, only memory is used.
   */
  constructor(path?: string) {
    if (path === undefined || isOccupied(path)) return;
    this.#path = path;
    const bytes = readEnd(path, MAX_FILE_BYTES);
    if (bytes === undefined) return;
    const lines = new TextDecoder().decode(bytes).split(/\r?\n/).filter((line) => line !== "");
    if (lines.length > 2 * MAX_LINES) shorten(path);
    for (const line of lines.slice(-MAX_LINES)) this.#keep(line);
  }

  /** The lines, the latest last; the same line never comes twice in a row. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Adds a line, here and to the file, unless the one before was the same. */
  add(line: string): void {
    if (this.#keep(line) && this.#path !== undefined) append(this.#path, line);
  }

  #keep(line: string): boolean {
    if (line === this.#lines.at(-1)) return false;
    this.#lines.push(line);
    if (this.#lines.length > 2 * MAX_LINES) this.#lines = this.#lines.slice(-MAX_LINES);
    return true;
  }
}

/**
 * Whether there is something else than a file, such as a device. Then the user wants no history: a
 * link to `/dev/null`, whose permissions nobody may change, or a pipe, at which all would stop.
 */
function isOccupied(path: string): boolean {
  try {
    return !Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function append(path: string, line: string): void {
  withLock(path, { append: true, create: true, mode: 0o600 }, (file) => {
    writeWhole((piece) => file.writeSync(piece), encoder.encode(line + "\n"));
    // A file that was there before may be open for others to read.
    if (operatingSystem.hasPermissions) Deno.chmodSync(path, 0o600);
  });
}

/** Leaves the last lines of a file in it. */
function shorten(path: string): void {
  withLock(path, { read: true, write: true }, (file) => {
    // Read again: another session may have been faster. As bytes, which nothing can spoil.
    const bytes = readEnd(path, MAX_FILE_BYTES);
    if (bytes === undefined) return;
    let start = bytes.length;
    for (let line = 0; line < MAX_LINES && start > 0; line++) {
      start = start < 2 ? 0 : bytes.lastIndexOf(LINE_FEED, start - 2) + 1;
    }
    file.truncateSync(0);
    writeWhole((piece) => file.writeSync(piece), bytes.subarray(start));
  });
}

function withLock(path: string, options: Deno.OpenOptions, use: (file: Deno.FsFile) => void): void {
  try {
    using file = Deno.openSync(path, options);
    // The lock ends with the file. Some file systems have none.
    try {
      file.lockSync(true);
    } catch {
      // Then a line may be lost when two sessions shorten the file in the same moment.
    }
    use(file);
  } catch {
    // See above: the history goes on in memory.
  }
}
