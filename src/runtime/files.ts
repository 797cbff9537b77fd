/**
 * Files, as a server uses them.
 *
 * Calls are synchronous but for {@linkcode OutputFile.sync}: a write that goes to the system's memory takes microseconds, and an
 * asynchronous one would stand in line behind a `sync` of the same file. What is long is read and written in pieces.
 *
 * **What lasts.** What was written survives the end of the process, but a power cut only after `sync`; that a file
 * is there under its name only after {@linkcode Files.syncFolder}. Errors are the system's own (`Deno.errors`), see
 * {@linkcode systemReason}.
 *
 * @module
 */
import { type OperatingSystem, operatingSystem } from "./operating_system.ts";

/** A file that is written to, from its end on. */
export interface OutputFile {
  /** Bytes that are in it. */
  readonly size: number;
  /**
   * Writes bytes at the end; how many of them, which may be fewer than there are.
   *
   * @throws {Error} as the system says; nothing was written then.
   */
  write(bytes: Uint8Array): number;
  /** Makes what was written before the call last (`fdatasync`), beside the event loop. */
  sync(): Promise<void>;
  /** Likewise, while everybody waits. */
  syncNow(): void;
  /** Cuts what is behind the first `size` bytes. */
  truncate(size: number): void;
  /** Ends the writing; nothing is made to last by it. */
  close(): void;
}

/** A file that is read, from its start. */
export interface InputFile {
  /** Bytes that were in it when it was opened. */
  readonly size: number;
  /** Reads the next bytes into `room`; how many came, 0 only at the end. */
  read(room: Uint8Array): number;
  /** Goes on reading at byte `position`. */
  seek(position: number): void;
  /** Ends the reading. */
  close(): void;
}

/** The files of a machine. */
export interface Files {
  /** A new file, in the place of one of this name. */
  create(path: string): OutputFile;
  /** An old file, or a new one, to be written to from its end on. */
  openToAppend(path: string): OutputFile;
  /**
   * A file that is there, to be read.
   *
   * @throws {Deno.errors.NotFound} if it isn't.
   */
  openToRead(path: string): InputFile;
  /** Whether there is something of this name. */
  exists(path: string): boolean;
  /** Gives a file another name, in the place of one that has it. */
  rename(from: string, to: string): void;
  /** Makes a folder, if it isn't there. */
  makeFolder(path: string): void;
  /** Makes names that were made, changed or removed in a folder last. */
  syncFolder(path: string): void;
  /** Likewise, beside the event loop. */
  syncFolderAside(path: string): Promise<void>;
  /** Removes a file beside the event loop: a long one takes a while. */
  removeAside(path: string): Promise<void>;
  /**
   * The whole text of a file.
   *
   * @throws {Error} as the system says; see {@linkcode systemReason}.
   */
  readText(path: string): string;
  /**
   * Puts a text in the place of a file: whoever looks, and whenever the machine stops, there is the
   * old text or the new one.
   */
  replaceText(path: string, text: string): void;
  /** Adds to the end of a file, which is made if it isn't there. */
  appendText(path: string, text: string): void;
  /** Removes a file. */
  remove(path: string): void;
  /** Changes who may do what with a file, on systems where files say so. */
  setPermissions(path: string, mode: number): void;
  /** The whole path of a folder, which must be there. */
  folder(path: string): string;
  /** Names of what is in a folder, in order. */
  list(path: string): string[];
}

/** The calls that systems answer differently. */
export type FileCalls = Pick<typeof Deno, "renameSync" | "removeSync" | "remove" | "chmodSync">;

/** How often, and after how many milliseconds, something is tried again that another program stands in the way of. */
const HELD_TRIES = 20;
const HELD_PAUSE_MS = 5;

/** Windows: access denied, and another program has the file open. */
const HELD_ERRORS = /\(os error (5|32)\)/;

/**
 * The files of a machine.
 *
 * @param system Its operating system.
 * @param calls What does the work.
 */
export function filesOf(system: OperatingSystem, calls: FileCalls = Deno): Files {
  const rename = (from: string, to: string): void =>
    withPatience(system, () => calls.renameSync(from, to));
  const setPermissions = (path: string, mode: number): void => {
    if (system.hasPermissions) calls.chmodSync(path, mode);
  };
  const syncFolder = (path: string): void => {
    if (!system.syncsFolders) return;
    using folder = Deno.openSync(path, { read: true });
    folder.syncSync();
  };
  return {
    create: (path) => new SystemOutput(path, { write: true, create: true, truncate: true }),
    openToAppend: (path) => new SystemOutput(path, { append: true, create: true }),
    openToRead: (path) => new SystemInput(path),
    exists(path: string): boolean {
      try {
        Deno.lstatSync(path);
        return true;
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return false;
        throw error;
      }
    },
    rename,
    makeFolder(path: string): void {
      Deno.mkdirSync(path, { recursive: true });
    },
    syncFolder,
    async syncFolderAside(path: string): Promise<void> {
      if (!system.syncsFolders) return;
      using folder = await Deno.open(path, { read: true });
      await folder.sync();
    },
    removeAside: (path) => calls.remove(path),
    readText: (path) => Deno.readTextFileSync(path),
    replaceText(path: string, text: string): void {
      const temporary = `${path}.${Deno.pid}.tmp`;
      try {
        writeSynced(temporary, text);
        const mode = permissionsOf(path);
        if (mode !== undefined) setPermissions(temporary, mode);
        rename(temporary, path);
      } catch (error) {
        removeQuietly(this, temporary);
        throw error;
      }
      syncFolder(folderOf(path));
    },
    appendText: (path, text) => Deno.writeTextFileSync(path, text, { append: true }),
    remove: (path) => withPatience(system, () => calls.removeSync(path)),
    setPermissions,
    folder(path: string): string {
      const whole = Deno.realPathSync(path);
      if (!Deno.statSync(whole).isDirectory) throw new Error("Not a directory");
      return whole;
    },
    list: (path) => [...Deno.readDirSync(path)].map(({ name }) => name).sort(),
  };
}

/** The files of this machine. */
export const systemFiles: Files = filesOf(operatingSystem);

/**
 * Does what another program may stand in the way of for a moment, by having a file open: a virus scanner looks at each
 * new file on Windows. Everybody waits meanwhile, so it isn't tried for long.
 */
function withPatience(system: OperatingSystem, act: () => void): void {
  for (let tries = 1;; tries++) {
    try {
      return act();
    } catch (error) {
      const isHeld = system.holdsOpenFiles && error instanceof Error &&
        HELD_ERRORS.test(error.message);
      if (!isHeld || tries === HELD_TRIES) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HELD_PAUSE_MS);
    }
  }
}

/** What the system says of an error, without the path and the call: "No such file or directory". */
export function systemReason(error: unknown): string {
  // The runtime's advice is for who starts programs from source. It keeps most devices to itself.
  if (error instanceof Deno.errors.NotCapable) return "Not open to this program";
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/ \(os error .*/s, "");
}

/** Whether a path stands for itself, wherever one is. */
export function isAbsolutePath(path: string, system: OperatingSystem = operatingSystem): boolean {
  return system.pathRoot.test(path);
}

/** A path as seen from a folder. */
export function pathFrom(folder: string, path: string): string {
  return isAbsolutePath(path) ? path : `${folder}/${path}`;
}

/** Writes all bytes with `write`, which may take fewer at once, and says how many. */
export function writeWhole(write: (bytes: Uint8Array) => number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += write(written === 0 ? bytes : bytes.subarray(written));
  }
}

/** Removes a file that may not be there, or not be removed. */
export function removeQuietly(files: Files, path: string): void {
  try {
    files.remove(path);
  } catch {
    // It is only in the way, at worst.
  }
}

/** Writes a text to a new file, and makes it last. */
function writeSynced(path: string, text: string): void {
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  writeWhole((bytes) => file.writeSync(bytes), new TextEncoder().encode(text));
  file.syncSync();
}

/** Who may do what with a file, if it is there and the system knows. */
function permissionsOf(path: string): number | undefined {
  try {
    const { mode } = Deno.statSync(path);
    return mode === null ? undefined : mode & 0o777;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The folder that a file is in, with the separator at its end. */
export function folderOf(path: string, system: OperatingSystem = operatingSystem): string {
  const name = path.split(system.pathSeparator).at(-1)!;
  return path.slice(0, path.length - name.length) || ".";
}

/** A file of this machine that is written to. */
class SystemOutput implements OutputFile {
  size: number;
  private readonly file: Deno.FsFile;

  constructor(path: string, options: Deno.OpenOptions) {
    this.file = Deno.openSync(path, options);
    this.size = this.file.statSync().size;
  }

  write(bytes: Uint8Array): number {
    const count = this.file.writeSync(bytes);
    this.size += count;
    return count;
  }

  sync(): Promise<void> {
    return this.file.syncData();
  }

  syncNow(): void {
    this.file.syncDataSync();
  }

  truncate(size: number): void {
    this.file.truncateSync(size);
    // A file that isn't appended to goes on writing where it was.
    this.file.seekSync(size, Deno.SeekMode.Start);
    this.size = size;
  }

  close(): void {
    this.file.close();
  }
}

/** A file of this machine that is read. */
class SystemInput implements InputFile {
  readonly size: number;
  private readonly file: Deno.FsFile;

  constructor(path: string) {
    this.file = Deno.openSync(path, { read: true });
    this.size = this.file.statSync().size;
  }

  read(room: Uint8Array): number {
    return this.file.readSync(room) ?? 0;
  }

  seek(position: number): void {
    this.file.seekSync(position, Deno.SeekMode.Start);
  }

  close(): void {
    this.file.close();
  }
}
