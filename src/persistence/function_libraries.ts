/**
 * Libraries of functions that came with a file. Nobody can call them here, but they are somebody's work: they are kept as
 * they are, and written again with the data.
 *
 * An append-only file tells of them by FUNCTION commands, of which only what they do to the list of libraries is done.
 *
 * @module
 */
import { RDB_FUNCTION } from "./rdb_format.ts";
import { RdbFormatError, RdbReader } from "./rdb_reader.ts";
import { RdbText } from "./rdb_text.ts";

/** Version (2 bytes) and checksum behind what FUNCTION DUMP gives. */
const FOOTER_BYTES = 10;

const latin1 = new TextDecoder("latin1");

/**
 * What becomes of `libraries` by a FUNCTION command with these arguments (the subcommand is the first); null if it is no command
 * that changes them.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const [load, code, remove, name] = ["LOAD", "#!lua name=l\n...", "DELETE", "l"]
 *   .map((text) => new TextEncoder().encode(text));
 * const libraries = afterFunctionCommand([], [load, code])!;
 * assertEquals(libraries.length, 1);
 * assertEquals(afterFunctionCommand(libraries, [remove, name]), []);
 * ```
 */
export function afterFunctionCommand(
  libraries: readonly Uint8Array[],
  args: readonly Uint8Array[],
): readonly Uint8Array[] | null {
  const [name, ...rest] = args;
  switch (name === undefined ? "" : latin1.decode(name).toLowerCase()) {
    case "load":
      // In front of the code there may be REPLACE, which is what happens anyway.
      return rest.length === 0 ? null : withLibrary(libraries, rest[rest.length - 1]);
    case "delete":
      return rest.length === 0 ? null : withoutLibrary(libraries, latin1.decode(rest[0]));
    case "flush":
      return [];
    case "restore":
      return rest.length === 0 ? null : afterRestore(libraries, rest);
    default:
      return null;
  }
}

/** With a library, in the place of one of its name. */
function withLibrary(libraries: readonly Uint8Array[], code: Uint8Array): readonly Uint8Array[] {
  return [...withoutLibrary(libraries, libraryName(code)), code.slice()];
}

function withoutLibrary(libraries: readonly Uint8Array[], name: string): readonly Uint8Array[] {
  return libraries.filter((library) => libraryName(library) !== name);
}

/** The name in the first line of a library: `#!lua name=mylib`. */
function libraryName(code: Uint8Array): string {
  const end = code.indexOf(10);
  const line = latin1.decode(end < 0 ? code : code.subarray(0, end));
  return /\sname=["']?([^\s"']*)/i.exec(line)?.[1] ?? line;
}

/** With the libraries of a payload; null if it isn't one. */
function afterRestore(
  libraries: readonly Uint8Array[],
  [payload, policy]: readonly Uint8Array[],
): readonly Uint8Array[] | null {
  const flushes = policy !== undefined && latin1.decode(policy).toLowerCase() === "flush";
  let restored = flushes ? [] : libraries;
  const reader = new RdbReader(payload, 0, Math.max(0, payload.length - FOOTER_BYTES));
  const text = new RdbText();
  try {
    while (reader.position < reader.end) {
      if (reader.byte() !== RDB_FUNCTION) return null;
      text.read(reader);
      restored = withLibrary(restored, text.bytes.subarray(text.start, text.start + text.length));
    }
  } catch (error) {
    if (!(error instanceof RdbFormatError)) throw error;
    return null;
  }
  return restored;
}
