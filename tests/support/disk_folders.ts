/**
 * The folders of a {@linkcode VirtualDisk}: which names there are, and which of them are on the disk.
 *
 * As a file has two contents (disk_file.ts), a folder has two lists of names: those that processes see, and those that
 * are surely on the disk. What was done to names since is kept in order. A power cut leaves, in each folder, the
 * first few of these operations, so that a file may be gone with all that was synced in it, or have its old name back.
 * A rename from one folder to another happens in both or in neither.
 *
 * @module
 */
import { DiskFile, randomInteger, type Tearing } from "./disk_file.ts";

/** A folder of names. */
export class DiskFolder {
  /** What processes see. */
  entries: Map<string, DiskNode> = new Map();
  /** What is surely on the disk. */
  readonly durable: Map<string, DiskNode> = new Map();
}

/** What a name stands for. */
export type DiskNode = DiskFile | DiskFolder;

/** Where a name is or could be. */
export interface Place {
  /** The folder, which is there. */
  readonly folder: DiskFolder;
  /** The name in it. */
  readonly name: string;
}

/** A name that gets another meaning, or none. */
export interface Step extends Place {
  /** What the name stands for then. */
  readonly node: DiskNode | null;
}

/** Steps of which all happen or none. */
type Operation = readonly Step[];

/** A tree of folders, which starts as `/`. */
export class DiskFolders {
  private readonly root = new DiskFolder();
  private unsynced: Operation[] = [];

  /**
   * What is at a path, if something is.
   *
   * @param call What the system says was called, for its error.
   */
  find(path: string, call: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.root;
    for (const part of partsOf(path)) {
      if (node === undefined) return undefined;
      if (node instanceof DiskFile) throw systemError("Not a directory", call);
      node = node.entries.get(part);
    }
    return node;
  }

  /** The file at a path, which must be there. */
  file(path: string, call: string): DiskFile {
    const node = this.find(path, call);
    if (node === undefined) throw systemError("No such file or directory", call);
    if (node instanceof DiskFolder) throw systemError("Is a directory", call);
    return node;
  }

  /** The folder at a path, which must be there. */
  folder(path: string, call: string): DiskFolder {
    const node = this.find(path, call);
    if (node === undefined) throw systemError("No such file or directory", call);
    if (node instanceof DiskFile) throw systemError("Not a directory", call);
    return node;
  }

  /** The place of a path, whose folder must be there. */
  place(path: string, call: string): Place {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) throw systemError("Is a directory", call);
    return { folder: this.folder(`/${parts.join("/")}`, call), name };
  }

  /** Gives names another meaning, for good only after {@linkcode commit}. */
  change(...operation: Step[]): void {
    this.unsynced.push(operation);
    for (const { folder, name, node } of operation) set(folder.entries, name, node);
  }

  /** Gives a name its meaning for good, in folders that are made if need be; other names stay as they are. */
  placeDurably(path: string, node: DiskNode): void {
    const names = partsOf(path);
    let folder = this.root;
    names.forEach((name, index) => {
      const next = index === names.length - 1 ? node : folder.entries.get(name) ?? new DiskFolder();
      const isOther = (step: Step) => step.folder !== folder || step.name !== name;
      this.unsynced = this.unsynced.map((operation) => operation.filter(isOther));
      set(folder.entries, name, next);
      set(folder.durable, name, next);
      if (next instanceof DiskFolder) folder = next;
    });
  }

  /** Makes what was done to the names of a folder durable. */
  commit(folder: DiskFolder): void {
    for (const operation of this.take(folder)) applyDurably(operation);
  }

  /** Makes sure that what was done to the names of a folder never becomes durable. */
  forget(folder: DiskFolder): void {
    this.take(folder);
  }

  /** Leaves what a power cut leaves, of the folders and of the files in them. */
  powerCut(random: () => number, tearing: Tearing): void {
    const left = new Map<DiskFolder, number>();
    for (const folder of this.unsynced.flatMap(foldersOf)) {
      left.set(folder, (left.get(folder) ?? 0) + 1);
    }
    for (const [folder, count] of left) left.set(folder, randomInteger(random, count + 1));
    for (const operation of this.unsynced) {
      const folders = foldersOf(operation);
      const happened = folders.every((folder) => left.get(folder)! > 0);
      if (happened) applyDurably(operation);
      for (const folder of folders) left.set(folder, happened ? left.get(folder)! - 1 : 0);
    }
    this.unsynced = [];
    forgetNames(this.root);
    for (const [, file] of this.files()) file.powerCut(random, tearing);
  }

  /** The files that processes see, with their paths. */
  files(): [path: string, file: DiskFile][] {
    return filesIn(this.root, "");
  }

  /** The operations that a sync of a folder ends. */
  private take(folder: DiskFolder): Operation[] {
    const taken = new Set<Operation>();
    // A rename from another folder takes along what was done to its name in that one before, and nothing else: by the letter of
    // POSIX, only that folder's own sync would.
    const names = new Map<DiskFolder, Set<string>>();
    const isTouched = (step: Step) =>
      step.folder === folder || names.get(step.folder)?.has(step.name) === true;
    for (const operation of this.unsynced.toReversed()) {
      if (!operation.some(isTouched)) continue;
      taken.add(operation);
      for (const step of operation) {
        names.set(step.folder, (names.get(step.folder) ?? new Set()).add(step.name));
      }
    }
    const operations = this.unsynced.filter((operation) => taken.has(operation));
    this.unsynced = this.unsynced.filter((operation) => !taken.has(operation));
    return operations;
  }
}

/** A path from the root, without detours; what isn't is seen from `/data`. */
export function wholePath(path: string): string {
  return `/${partsOf(path).join("/")}`;
}

/** What the system may say, with its numbers and Deno's classes. */
const REASONS = {
  "No such file or directory": [2, Deno.errors.NotFound],
  "Input/output error": [5, Error],
  "File exists": [17, Deno.errors.AlreadyExists],
  "Not a directory": [20, Deno.errors.NotADirectory],
  "Is a directory": [21, Deno.errors.IsADirectory],
  "No space left on device": [28, Error],
  "Read-only file system": [30, Error],
  "Directory not empty": [39, Error],
} as const;

/** What the system may say. */
export type SystemReason = keyof typeof REASONS;

/** An error as Deno throws it when the system says `reason`; a write to an open file names no call. */
export function systemError(reason: SystemReason, call?: string): Error {
  const [number, ErrorClass] = REASONS[reason];
  return new ErrorClass(`${reason} (os error ${number})${call === undefined ? "" : `: ${call}`}`);
}

function partsOf(path: string): string[] {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `/data/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts;
}

function foldersOf(operation: Operation): DiskFolder[] {
  return [...new Set(operation.map(({ folder }) => folder))];
}

function applyDurably(operation: Operation): void {
  for (const { folder, name, node } of operation) set(folder.durable, name, node);
}

function set(names: Map<string, DiskNode>, name: string, node: DiskNode | null): void {
  if (node === null) names.delete(name);
  else names.set(name, node);
}

function forgetNames(folder: DiskFolder): void {
  folder.entries = new Map(folder.durable);
  for (const node of folder.entries.values()) {
    if (node instanceof DiskFolder) forgetNames(node);
  }
}

function filesIn(folder: DiskFolder, path: string): [string, DiskFile][] {
  return [...folder.entries].flatMap(([name, node]): [string, DiskFile][] =>
    node instanceof DiskFile ? [[`${path}/${name}`, node]] : filesIn(node, `${path}/${name}`)
  );
}
