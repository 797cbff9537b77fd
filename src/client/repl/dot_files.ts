/**
 * Files of the user that the dialogue keeps: where they are, and reading them.
 *
 * @module
 */

import type { Terminal } from "../terminal.ts";

/**
 * Where a file of the user is.
 *
 * @param terminal Knows the environment.
 * @param variable The variable with its path; `/dev/null` in it means that there is to be none.
 * @param name Its name in the user's folder.
 * @returns The path, or `undefined` if there is to be no such file, or no folder is known.
 */
export function dotFilePath(
  terminal: Pick<Terminal, "environment">,
  variable: string,
  name: string,
): string | undefined {
  const path = terminal.environment(variable);
  if (path !== undefined && path !== "") return path === "/dev/null" ? undefined : path;
  // Windows has no HOME, unless a program from elsewhere has set it.
  const home = terminal.environment("HOME") || terminal.environment("USERPROFILE");
  return home ? `${home}/${name}` : undefined;
}

/**
 * The end of a file.
 *
 * @param path Where it is.
 * @param limitBytes How much of it is read.
 * @returns The bytes, or `undefined` if the file isn't there or can't be read.
 */
export function readEnd(path: string, limitBytes: number): Uint8Array | undefined {
  try {
    using file = Deno.openSync(path);
    const { size, isFile } = file.statSync();
    if (!isFile) return undefined;
    const start = Math.max(0, size - limitBytes);
    file.seekSync(start, Deno.SeekMode.Start);
    const bytes = new Uint8Array(size - start);
    let length = 0;
    while (length < bytes.length) {
      const count = file.readSync(bytes.subarray(length));
      if (count === null) break;
      length += count;
    }
    return bytes.subarray(0, length);
  } catch {
    return undefined;
  }
}
