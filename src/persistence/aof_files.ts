/**
 * The files of an append-only file, and the list that names them.
 *
 * A list becomes the one that counts by its own name alone: it is written under another, made to last, and renamed. Whoever reads the
 * folder, and whenever, finds a whole list, and all files that it names.
 *
 * @module
 */
import {
  type Files,
  folderOf,
  type OutputFile,
  removeQuietly,
  systemReason,
  writeWhole,
} from "../runtime/files.ts";
import type { LogLevel } from "../runtime/logging.ts";
import {
  type AofManifest,
  EMPTY_MANIFEST,
  formatManifest,
  manifestName,
  temporaryManifestName,
  withoutHistory,
} from "./aof_manifest.ts";

/** What these files need of their server. */
export interface AofFilesHost {
  /** Files. */
  readonly files: Files;
  /** Writes a line of the log. */
  log(level: LogLevel, line: string): void;
}

/** Where they are. */
export interface AofPlace {
  /** The folder, as a whole path. */
  readonly folder: string;
  /** What their names begin with. */
  readonly name: string;
  /** Whether files that count no more are kept. */
  readonly keepsHistory: boolean;
}

/** The files of one append-only file; see the head of this file. */
export class AofFiles {
  /** Which there are. */
  manifest: AofManifest = EMPTY_MANIFEST;

  /** The files at `place`, which may change. */
  constructor(private readonly host: AofFilesHost, private readonly place: AofPlace) {}

  /** The path of a file in the folder. */
  pathOf(name: string): string {
    return `${this.place.folder}/${name}`;
  }

  /** Bytes of all files that count. */
  get size(): number {
    const { base, increments } = this.manifest;
    const names = increments.map(({ name }) => name);
    if (base !== undefined) names.push(base.name);
    return names.reduce((sum, name) => sum + this.sizeOf(name), 0);
  }

  /** Makes the folder, if it isn't there. */
  makeFolder(): void {
    this.host.files.makeFolder(this.place.folder);
  }

  /** Makes the folder last, and what is named in it. */
  makeFolderLast(): void {
    const { host: { files }, place: { folder } } = this;
    this.makeFolder();
    files.syncFolder(folderOf(folder));
    files.syncFolder(folder);
  }

  /**
   * A new increment. A rewrite that the end of a process has cut off may have left a file of its name: emptying that one wouldn't
   * last, so that a power cut could bring back what was in it.
   */
  create(name: string): OutputFile {
    this.remove(name);
    return this.host.files.create(this.pathOf(name));
  }

  /** An increment that is there, to be gone on with. */
  openIncrement(name: string): OutputFile {
    return this.host.files.openToAppend(this.pathOf(name));
  }

  /** Removes a file that may not be there. */
  remove(name: string): void {
    removeQuietly(this.host.files, this.pathOf(name));
  }

  /**
   * Makes a base last that isn't the last file any more: a start that was cut off may have taken a torn end from it, which a power
   * cut could bring back.
   */
  syncBase(name: string): void {
    const file = this.host.files.openToAppend(this.pathOf(name));
    try {
      file.syncNow();
    } finally {
      file.close();
    }
  }

  /** Makes a list the one that is read at the next start, and then our own; throws if it is `isCurrent` no more by then. */
  async store(next: AofManifest, isCurrent: () => boolean): Promise<void> {
    // The temporary file belongs to whoever came later.
    mustBe(isCurrent);
    const file = this.createList();
    try {
      writeList(file, next);
      await file.sync();
    } finally {
      file.close();
    }
    mustBe(isCurrent);
    this.nameList(next);
    await this.host.files.syncFolderAside(this.place.folder);
  }

  /** As {@linkcode store}, while everybody waits. */
  storeNow(next: AofManifest): void {
    const file = this.createList();
    try {
      writeList(file, next);
      file.syncNow();
    } finally {
      file.close();
    }
    this.nameList(next);
    this.host.files.syncFolder(this.place.folder);
  }

  /** Creates the file that a list is written to before it counts. */
  private createList(): OutputFile {
    return this.host.files.create(this.pathOf(temporaryManifestName(this.place.name)));
  }

  /** The list that was written there is the one that counts, as long as the power stays on. */
  private nameList(next: AofManifest): void {
    const { host: { files }, place: { name } } = this;
    files.rename(this.pathOf(temporaryManifestName(name)), this.pathOf(manifestName(name)));
    this.manifest = next;
  }

  /** Removes the files that count no more, and then their names from the list. */
  async removeHistory(isCurrent: () => boolean): Promise<void> {
    const { host, manifest: { history }, place } = this;
    if (place.keepsHistory || history.length === 0) return;
    for (const { name } of history) {
      if (!isCurrent()) return;
      this.logRemoval(name);
      try {
        await host.files.removeAside(this.pathOf(name));
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) continue;
        const reason = systemReason(error);
        host.log("warning", `Failed to remove the history file ${name}: ${reason}`);
      }
    }
    await this.store(withoutHistory(this.manifest), isCurrent);
  }

  /** As {@linkcode removeHistory}, while everybody waits. */
  removeHistoryNow(): void {
    const { history } = this.manifest;
    if (history.length === 0) return;
    for (const { name } of history) {
      this.logRemoval(name);
      this.remove(name);
    }
    try {
      this.storeNow(withoutHistory(this.manifest));
    } catch (error) {
      this.host.log("warning", `Failed to store the AOF manifest: ${systemReason(error)}`);
    }
  }

  /** Says that a file goes. */
  private logRemoval(name: string): void {
    this.host.log("notice", `Removing the history file ${name} in the background`);
  }

  /** Bytes of a file of its folder, 0 if it can't be seen. */
  private sizeOf(name: string): number {
    try {
      const file = this.host.files.openToRead(this.pathOf(name));
      file.close();
      return file.size;
    } catch {
      return 0;
    }
  }
}

function writeList(file: OutputFile, manifest: AofManifest): void {
  writeWhole((bytes) => file.write(bytes), new TextEncoder().encode(formatManifest(manifest)));
}

/** Throws if something else has come in between. */
function mustBe(isCurrent: () => boolean): void {
  if (!isCurrent()) throw new Error("it was turned off meanwhile");
}
