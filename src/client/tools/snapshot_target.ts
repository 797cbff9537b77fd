/**
 * Where a snapshot that comes from a server is put.
 *
 * A file gets its name only when it is whole and on the disk: until then it is beside its place,
 * under a name that says that it is partial, and goes away if the rest doesn't come. So whoever
 * finds a file of the name that was asked for finds a whole snapshot, and one that was there before
 * stays until there is a better one. redis-cli writes into the place itself, and what a broken
 * connection leaves there looks like a snapshot until somebody loads it.
 *
 * What is no ordinary file (a device, a named pipe) can't be replaced and is written into.
 *
 * @module
 */

import {
  type Files,
  folderOf,
  removeQuietly,
  systemReason,
  writeWhole,
} from "../../runtime/files.ts";
import { operatingSystem } from "../../runtime/operating_system.ts";
import { ToolError } from "../failures.ts";
import type { Terminal } from "../terminal.ts";

/** A place for a snapshot. */
export interface SnapshotTarget {
  /**
   * Puts the next bytes there.
   *
   * @throws {Error} if the system doesn't take them; a {@linkcode ToolError} or what the terminal
   * throws.
   */
  write(bytes: Uint8Array): void;
  /**
   * Makes what was written last, under its name.
   *
   * @throws {ToolError} if the system can't.
   */
  finish(): Promise<void>;
  /** Undoes what was done, if it isn't finished. */
  abandon(): void;
}

/**
 * Opens the place that a path names; `-` is the standard output, and so is `/dev/stdout`.
 *
 * @param path What the user typed.
 * @param terminal Whose output it may be.
 * @param files Where files are made.
 * @throws {ToolError} if nothing can be written there.
 */
export function openSnapshotTarget(path: string, terminal: Terminal, files: Files): SnapshotTarget {
  // By its other name, the runtime wouldn't open it for a program with our permissions.
  if (path === "-" || path === "/dev/stdout") return new OutputTarget(terminal);
  try {
    const place = lookAt(path);
    return place.isOrdinary ? new FileTarget(path, place, files) : new DeviceTarget(path, files);
  } catch (error) {
    throw new ToolError(`Error opening '${path}': ${systemReason(error)}`);
  }
}

/** What is at a path. */
interface Place {
  /** Whether it is a file, or nothing yet. */
  readonly isOrdinary: boolean;
  /** Where the file is, behind whatever links. */
  readonly path: string;
  /** Who may do what with it, if it is there and the system has such a thing. */
  readonly permissions: number | undefined;
}

function lookAt(path: string): Place {
  // Beside it, a file could be made.
  if (path === "") throw new Deno.errors.NotFound("No such file or directory");
  try {
    const { isDirectory, isFile, mode } = Deno.statSync(path);
    if (isDirectory) throw new Deno.errors.IsADirectory("Is a directory");
    if (!isFile) return { isOrdinary: false, path, permissions: undefined };
    const permissions = mode !== null && operatingSystem.hasPermissions ? mode & 0o777 : undefined;
    return { isOrdinary: true, path: Deno.realPathSync(path), permissions };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { isOrdinary: true, path, permissions: undefined };
  }
}

/** Writes the whole of something, and says why that doesn't work. */
function put(write: (bytes: Uint8Array) => number, bytes: Uint8Array): void {
  try {
    writeWhole(write, bytes);
  } catch (error) {
    throw new ToolError(`Error writing data to file: ${systemReason(error)}`);
  }
}

/** The standard output. */
class OutputTarget implements SnapshotTarget {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  write(bytes: Uint8Array): void {
    this.#terminal.write(bytes);
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  abandon(): void {}
}

/** What can't be replaced, and has no use for being synced. */
class DeviceTarget implements SnapshotTarget {
  readonly #output;

  constructor(path: string, files: Files) {
    this.#output = files.create(path);
  }

  write(bytes: Uint8Array): void {
    put((piece) => this.#output.write(piece), bytes);
  }

  finish(): Promise<void> {
    this.#output.close();
    return Promise.resolve();
  }

  abandon(): void {
    this.#output.close();
  }
}

/** A file. */
class FileTarget implements SnapshotTarget {
  readonly #files: Files;
  readonly #name: string;
  readonly #path: string;
  readonly #partialPath: string;
  readonly #output;

  constructor(name: string, place: Place, files: Files) {
    this.#files = files;
    this.#name = name;
    this.#path = place.path;
    this.#partialPath = `${place.path}.${Deno.pid}.partial`;
    this.#output = files.create(this.#partialPath);
    // Who couldn't read the old one isn't to read the new one.
    if (place.permissions !== undefined) {
      files.setPermissions(this.#partialPath, place.permissions);
    }
  }

  write(bytes: Uint8Array): void {
    put((piece) => this.#output.write(piece), bytes);
  }

  async finish(): Promise<void> {
    try {
      await this.#output.sync();
    } catch (error) {
      throw new ToolError(`Fail to fsync '${this.#name}': ${systemReason(error)}`);
    }
    this.#output.close();
    try {
      this.#files.rename(this.#partialPath, this.#path);
      this.#files.syncFolder(folderOf(this.#path));
    } catch (error) {
      throw new ToolError(`Error renaming the file to '${this.#name}': ${systemReason(error)}`);
    }
  }

  abandon(): void {
    try {
      this.#output.close();
    } catch {
      // It was closed before it got its name.
    }
    removeQuietly(this.#files, this.#partialPath);
  }
}
