/**
 * A disk in memory that loses what wasn't synced, fills up and fails: for tests that cut the power at any moment and
 * look at what a server makes of the rest.
 *
 * **Processes.** A server gets its files from {@linkcode VirtualDisk.process}. After a power cut or a kill that view and
 * all files opened through it are dead: nothing that the old server still does reaches the disk, whatever of its code goes on
 * running. The disk itself is a view as well, of whichever process lives.
 *
 * **What a power cut leaves** is in disk_file.ts for bytes and in disk_folders.ts for names. Chance decides from the seed;
 * with {@linkcode VirtualDisk.holdSyncs} the same calls give the same disk, byte for byte.
 *
 * ```ts
 * import { VirtualDisk } from "./virtual_disk.ts";
 * const disk = new VirtualDisk(7);
 * const server = disk.process();
 * const file = server.create("log");
 * file.write(new TextEncoder().encode("a line\n"));
 * file.syncNow();
 * server.syncFolder(".");
 * disk.powerCut();
 * if (disk.readText("/data/log") !== "a line\n") throw new Error("what was synced is lost");
 * ```
 *
 * @module
 */
import {
  type Files,
  folderOf,
  type InputFile,
  type OutputFile,
  writeWhole,
} from "../../src/runtime/files.ts";
import { DiskFile, randomInteger, type Tearing } from "./disk_file.ts";
import {
  DiskFolder,
  DiskFolders,
  systemError,
  type SystemReason,
  wholePath,
} from "./disk_folders.ts";
import { seededRandom } from "./random.ts";

/** What changes a disk or makes a change last. */
export type OperationKind =
  | "create"
  | "write"
  | "truncate"
  | "sync"
  | "rename"
  | "remove"
  | "makeFolder"
  | "syncFolder"
  | "setPermissions";

/**
 * Which calls fail. A number below 1 is a probability; one from 1 on says how many of the next calls fail, and is counted
 * down. A function decides for each call, and may say with which error; otherwise it is "Input/output error".
 */
export type Fault = number | ((path: string) => boolean | SystemReason);

/** A use of the disk by a process that is no more. */
export class DeadProcessError extends Error {
  override name = "DeadProcessError";

  /** Says so. */
  constructor() {
    super("the process is dead");
  }
}

/** A sync that the disk has begun. */
interface BegunSync {
  readonly file: DiskFile;
  /** The last change that it makes durable. */
  readonly lastChange: number;
  /** What is going to become of it. */
  readonly outcome: SyncOutcome;
}

/** A sync that a process waits for. */
interface AwaitedSync extends BegunSync {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  timer?: ReturnType<typeof setTimeout>;
}

/** A sync makes changes durable, or does so in name only, or fails. */
type SyncOutcome = "durable" | "ignored" | Error;

/** A disk with the folders `/` and `/data`; a path that doesn't start at `/` is seen from `/data`. */
export class VirtualDisk implements Files {
  /**
   * Bytes for which there is room; what has no name takes none.
   *
   * @default {Infinity}
   */
  capacity = Infinity;
  /** Probability of writes that write less than they were given. */
  shortWrites = 0;
  /** Writes that fail. The path is, as for syncs, the one under which the file was opened. */
  failWrites: Fault = 0;
  /** Truncations that fail. */
  failTruncates: Fault = 0;
  /** Syncs of files and folders that fail; what they were to make durable never becomes so. */
  failSyncs: Fault = 0;
  /** Whether that goes for names as well; where they are in a journal, the next sync may bring them to the disk. */
  forgetsNames = true;
  /** Openings of files that fail, whatever for. */
  failOpens: Fault = 0;
  /** Renames that fail; the path is the new one. */
  failRenames: Fault = 0;
  /** Syncs that do nothing, for a proof that it would be noticed. */
  ignoreSyncs: (kind: "file" | "folder", path: string) => boolean = () => false;
  /** What a power cut makes of files. */
  tearing: Tearing = "blocks";
  /** How many ms takes what goes on beside the event loop. */
  asideMs: () => number = () => 0;
  /** Whether syncs that are waited for end only by {@linkcode releaseSyncs}; otherwise a `setTimeout` ends them. */
  holdSyncs = false;
  /** Operations that were begun. */
  operations = 0;
  /**
   * Called before each operation, which doesn't happen if the power is cut in it or it throws. A rename's path
   * is the new one.
   */
  onOperation: ((kind: OperationKind, path: string) => void) | null = null;

  private readonly folders = new DiskFolders();
  private readonly random: () => number;
  /** Processes that have ended; the number of the one that lives. */
  private epoch = 0;
  private awaited: AwaitedSync[] = [];

  /** A disk whose fate is decided by `seed`. */
  constructor(seed: number) {
    this.random = seededRandom(seed);
    // The first numbers of small seeds are small.
    for (let drawn = 0; drawn < 20; drawn++) this.random();
    this.folders.placeDurably("/data", new DiskFolder());
  }

  /** The files as a process sees them that lives until the next power cut or kill. */
  process(): Files {
    const epoch = this.epoch;
    const alive = <Arguments extends unknown[], Result>(call: (...given: Arguments) => Result) => {
      return (...given: Arguments): Result => {
        this.mustLive(epoch);
        return call.apply(this, given);
      };
    };
    return {
      create: alive(this.create),
      openToAppend: alive(this.openToAppend),
      openToRead: alive(this.openToRead),
      exists: alive(this.exists),
      rename: alive(this.rename),
      makeFolder: alive(this.makeFolder),
      syncFolder: alive(this.syncFolder),
      syncFolderAside: alive(this.syncFolderAside),
      removeAside: alive(this.removeAside),
      readText: alive(this.readText),
      replaceText: alive(this.replaceText),
      appendText: alive(this.appendText),
      remove: alive(this.remove),
      setPermissions: alive(this.setPermissions),
      folder: alive(this.folder),
      list: alive(this.list),
    };
  }

  /** Ends the process, and leaves of what wasn't synced what chance allows. */
  powerCut(): void {
    for (const { file, lastChange, outcome } of this.awaited) {
      if (outcome === "durable" && this.random() < 0.5) file.commit(lastChange);
    }
    this.processKilled();
    this.folders.powerCut(this.random, this.tearing);
  }

  /** Ends the process; what it wrote stays, and as little of it is durable as before. */
  processKilled(): void {
    for (const { timer } of this.awaited) clearTimeout(timer);
    this.awaited = [];
    this.epoch++;
  }

  /** Ends the syncs that have begun, in their order. */
  releaseSyncs(): void {
    for (const sync of [...this.awaited]) this.endAwaited(sync);
  }

  /** The bytes of a file. */
  read(path: string): Uint8Array {
    return this.folders.file(path, `open '${path}'`).bytes().slice();
  }

  /** Puts a file on the disk as if it had always been there, in folders that are made if need be. */
  write(path: string, bytes: Uint8Array): void {
    const file = new DiskFile();
    file.write(0, bytes);
    file.commit(file.lastChange);
    this.folders.placeDurably(path, file);
  }

  /** The paths of all files, in order. */
  paths(): string[] {
    return this.folders.files().map(([path]) => path).sort();
  }

  create(path: string): OutputFile {
    const call = `open '${path}'`;
    this.begin("create", path);
    this.strike("failOpens", path, call);
    const { file, isNew } = this.openFile(path, call);
    // As with O_TRUNC it is the old file: its bytes may be back after a power cut.
    if (!isNew) file.resize(0);
    return this.output(file, path, false);
  }

  openToAppend(path: string): OutputFile {
    const call = `open '${path}'`;
    if (this.folders.find(path, call) === undefined) this.begin("create", path);
    this.strike("failOpens", path, call);
    return this.output(this.openFile(path, call).file, path, true);
  }

  openToRead(path: string): InputFile {
    const call = `open '${path}'`;
    const file = this.folders.file(path, call);
    this.strike("failOpens", path, call);
    const use = this.handle();
    let position = 0;
    return {
      size: file.size,
      read: (room) => {
        use();
        const bytes = file.bytes().subarray(position, position + room.length);
        room.set(bytes);
        position += bytes.length;
        return bytes.length;
      },
      seek: (to) => {
        use();
        position = to;
      },
      close: use.close,
    };
  }

  exists(path: string): boolean {
    return this.folders.find(path, `lstat '${path}'`) !== undefined;
  }

  rename(from: string, to: string): void {
    const call = `rename '${from}' -> '${to}'`;
    this.begin("rename", to);
    this.strike("failRenames", to, call);
    const source = this.folders.place(from, call);
    const target = this.folders.place(to, call);
    const node = source.folder.entries.get(source.name);
    const replaced = target.folder.entries.get(target.name);
    if (node === undefined) throw systemError("No such file or directory", call);
    if (node === replaced) return;
    if (replaced instanceof DiskFolder) throw systemError("Is a directory", call);
    if (replaced !== undefined && node instanceof DiskFolder) {
      throw systemError("Not a directory", call);
    }
    this.folders.change({ ...source, node: null }, { ...target, node });
  }

  makeFolder(path: string): void {
    const call = `mkdir '${path}'`;
    const node = this.folders.find(path, call);
    if (node instanceof DiskFile) throw systemError("File exists", call);
    if (node instanceof DiskFolder) return;
    const whole = wholePath(path);
    this.makeFolder(folderOf(whole));
    this.begin("makeFolder", whole);
    this.folders.change({ ...this.folders.place(whole, call), node: new DiskFolder() });
  }

  syncFolder(path: string): void {
    this.begin("syncFolder", path);
    const folder = this.folders.folder(path, `open '${path}'`);
    const outcome = this.outcomeOfSync("folder", path);
    if (outcome === "durable") this.folders.commit(folder);
    if (!(outcome instanceof Error)) return;
    if (this.forgetsNames) this.folders.forget(folder);
    throw outcome;
  }

  async syncFolderAside(path: string): Promise<void> {
    await this.aside();
    this.syncFolder(path);
  }

  async removeAside(path: string): Promise<void> {
    await this.aside();
    this.remove(path);
  }

  /** Goes on after others, if the process lives then. */
  private async aside(): Promise<void> {
    const { epoch } = this;
    await new Promise((resolve) => setTimeout(resolve, this.asideMs()));
    this.mustLive(epoch);
  }

  readText(path: string): string {
    const call = `readfile '${path}'`;
    const file = this.folders.file(path, call);
    this.strike("failOpens", path, call);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(file.bytes());
  }

  replaceText(path: string, text: string): void {
    // If the power is cut in the midst, what is left to do is the dead process' as well.
    const files = this.process();
    const temporary = `${path}.${this.epoch}.tmp`;
    try {
      const file = files.create(temporary);
      try {
        writeText(file, text);
        file.syncNow();
      } finally {
        file.close();
      }
      files.rename(temporary, path);
    } catch (error) {
      try {
        files.remove(temporary);
      } catch {
        // It wasn't made, or nobody is left to remove it.
      }
      throw error;
    }
    files.syncFolder(folderOf(path));
  }

  appendText(path: string, text: string): void {
    const file = this.openToAppend(path);
    try {
      writeText(file, text);
    } finally {
      file.close();
    }
  }

  remove(path: string): void {
    const call = `remove '${path}'`;
    this.begin("remove", path);
    const place = this.folders.place(path, call);
    const node = place.folder.entries.get(place.name);
    if (node === undefined) throw systemError("No such file or directory", call);
    if (node instanceof DiskFolder && node.entries.size > 0) {
      throw systemError("Directory not empty", call);
    }
    this.folders.change({ ...place, node: null });
  }

  setPermissions(path: string, _mode: number): void {
    this.begin("setPermissions", path);
    if (!this.exists(path)) throw systemError("No such file or directory", `chmod '${path}'`);
  }

  folder(path: string): string {
    const node = this.folders.find(path, `realpath '${path}'`);
    if (node === undefined) throw systemError("No such file or directory", `realpath '${path}'`);
    if (node instanceof DiskFile) throw new Error("Not a directory");
    return wholePath(path);
  }

  list(path: string): string[] {
    return [...this.folders.folder(path, `readdir '${path}'`).entries.keys()].sort();
  }

  private mustLive(epoch: number): void {
    if (epoch !== this.epoch) throw new DeadProcessError();
  }

  /** Counts and announces an operation. */
  private begin(kind: OperationKind, path: string): void {
    const epoch = this.epoch;
    this.operations++;
    this.onOperation?.(kind, wholePath(path));
    this.mustLive(epoch);
  }

  /** Throws if a call is to fail. */
  private strike(
    kind: "failWrites" | "failTruncates" | "failSyncs" | "failOpens" | "failRenames",
    path: string,
    call?: string,
  ): void {
    const fault = this[kind];
    let struck: boolean | SystemReason;
    if (typeof fault === "function") struck = fault(wholePath(path));
    else if (fault < 1) struck = this.random() < fault;
    else {
      this[kind] = fault - 1;
      struck = true;
    }
    if (struck === false) return;
    throw systemError(struck === true ? "Input/output error" : struck, call);
  }

  /** The file at a path, which is made if it isn't there. */
  private openFile(path: string, call: string): { file: DiskFile; isNew: boolean } {
    const place = this.folders.place(path, call);
    if (place.folder.entries.has(place.name)) {
      return { file: this.folders.file(path, call), isNew: false };
    }
    const file = new DiskFile();
    this.folders.change({ ...place, node: file });
    return { file, isNew: true };
  }

  /** What each use of an open file begins with: whether it is open, and by a process that lives. */
  private handle(): { (): void; close: () => void } {
    const epoch = this.epoch;
    let open = true;
    const use = () => {
      this.mustLive(epoch);
      if (!open) throw new Deno.errors.BadResource("Bad resource ID");
    };
    const close = () => {
      // The end of a process has closed its files.
      if (epoch === this.epoch) use();
      open = false;
    };
    return Object.assign(use, { close });
  }

  private output(file: DiskFile, path: string, appends: boolean): OutputFile {
    const use = this.handle();
    const operation = (kind: OperationKind) => {
      use();
      this.begin(kind, path);
    };
    let size = file.size;
    return {
      get size() {
        return size;
      },
      write: (bytes) => {
        operation("write");
        this.strike("failWrites", path);
        const count = this.acceptedBytes(bytes.length);
        file.write(appends ? file.size : size, bytes.subarray(0, count));
        size += count;
        return count;
      },
      sync: async () => {
        operation("sync");
        await this.awaitSync(this.beginSync(file, path));
      },
      syncNow: () => {
        operation("sync");
        endSync(this.beginSync(file, path));
      },
      truncate: (to) => {
        operation("truncate");
        this.strike("failTruncates", path);
        file.resize(to);
        size = to;
      },
      close: use.close,
    };
  }

  /** How many of the bytes given to a write are written. */
  private acceptedBytes(given: number): number {
    const used = this.folders.files().reduce((sum, [, file]) => sum + file.size, 0);
    const accepted = Math.min(given, this.capacity - used);
    if (accepted <= 0 && given > 0) throw systemError("No space left on device");
    if (accepted < 2 || this.random() >= this.shortWrites) return accepted;
    return 1 + randomInteger(this.random, accepted - 1);
  }

  private outcomeOfSync(kind: "file" | "folder", path: string): SyncOutcome {
    try {
      this.strike("failSyncs", path);
    } catch (error) {
      return error as Error;
    }
    return this.ignoreSyncs(kind, wholePath(path)) ? "ignored" : "durable";
  }

  private beginSync(file: DiskFile, path: string): BegunSync {
    return { file, lastChange: file.lastChange, outcome: this.outcomeOfSync("file", path) };
  }

  /** Waits until a sync is ended; for ever, if the process ends first. */
  private awaitSync(begun: BegunSync): Promise<void> {
    return new Promise((resolve, reject) => {
      const sync: AwaitedSync = { ...begun, resolve, reject };
      if (!this.holdSyncs) sync.timer = setTimeout(() => this.endAwaited(sync), this.asideMs());
      this.awaited.push(sync);
    });
  }

  private endAwaited(sync: AwaitedSync): void {
    clearTimeout(sync.timer);
    this.awaited = this.awaited.filter((other) => other !== sync);
    try {
      endSync(sync);
      sync.resolve();
    } catch (error) {
      sync.reject(error as Error);
    }
  }
}

/** Does what becomes of a sync. */
function endSync({ file, lastChange, outcome }: BegunSync): void {
  if (outcome === "durable") file.commit(lastChange);
  if (!(outcome instanceof Error)) return;
  file.forget(lastChange);
  throw outcome;
}

function writeText(file: OutputFile, text: string): void {
  writeWhole((bytes) => file.write(bytes), new TextEncoder().encode(text));
}
