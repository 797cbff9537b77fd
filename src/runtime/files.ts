/**
 * Files, as a server uses them.
 *
 * All calls are synchronous: they are for the start, for the log and for what CONFIG does, each a few
 * lines long.
 *
 * @module
 */

/** The files of a machine. */
export interface Files {
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
  /** Changes who may do what with a file. */
  setPermissions(path: string, mode: number): void;
  /** The whole path of a folder, which must be there. */
  folder(path: string): string;
  /** Names of what is in a folder, in order. */
  list(path: string): string[];
}

/** The files of this machine. */
export const systemFiles: Files = {
  readText: (path) => Deno.readTextFileSync(path),
  replaceText(path: string, text: string): void {
    const temporary = `${path}.${Deno.pid}.tmp`;
    try {
      const file = Deno.openSync(temporary, { write: true, create: true, truncate: true });
      try {
        writeWhole(file, new TextEncoder().encode(text));
        file.syncSync();
      } finally {
        file.close();
      }
      copyPermissions(path, temporary);
      Deno.renameSync(temporary, path);
    } catch (error) {
      removeQuietly(temporary);
      throw error;
    }
    syncFolderOf(path);
  },
  appendText: (path, text) => Deno.writeTextFileSync(path, text, { append: true }),
  remove: (path) => Deno.removeSync(path),
  setPermissions: (path, mode) => Deno.chmodSync(path, mode),
  folder(path: string): string {
    const whole = Deno.realPathSync(path);
    if (!Deno.statSync(whole).isDirectory) throw new Error("Not a directory");
    return whole;
  },
  list: (path) => [...Deno.readDirSync(path)].map(({ name }) => name).sort(),
};

/** What the system says of an error, without the path and the call: "No such file or directory". */
export function systemReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/ \(os error .*/s, "");
}

/** Whether a path stands for itself, wherever one is. */
export function isAbsolutePath(path: string): boolean {
  return /^([/\\]|[A-Za-z]:[/\\])/.test(path);
}

/** A path as seen from a folder. */
export function pathFrom(folder: string, path: string): string {
  return isAbsolutePath(path) ? path : `${folder}/${path}`;
}

/** Writes all bytes. */
export function writeWhole(
  file: { writeSync(bytes: Uint8Array): number },
  bytes: Uint8Array,
): void {
  for (let written = 0; written < bytes.length;) {
    written += file.writeSync(bytes.subarray(written));
  }
}

function copyPermissions(from: string, to: string): void {
  try {
    const { mode } = Deno.statSync(from);
    if (mode !== null && Deno.build.os !== "windows") Deno.chmodSync(to, mode & 0o777);
  } catch (error) {
    // A file that isn't there yet has no permissions.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It wasn't made, or is the least of the troubles.
  }
}

/** Makes a rename last. Windows can't open folders, and needs no such thing. */
function syncFolderOf(path: string): void {
  if (Deno.build.os === "windows") return;
  const folder = Deno.openSync(path.replace(/[^/]*$/, "") || ".", { read: true });
  try {
    folder.syncSync();
  } finally {
    folder.close();
  }
}
