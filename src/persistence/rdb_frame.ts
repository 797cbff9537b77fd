/**
 * What a snapshot has around its keys, for those who load it and those who check it: the head, the checksum behind the end, and
 * what can't be read here, each with the words of Redis for it.
 *
 * @module
 */
import { Int64 } from "../protocol/integers.ts";
import { NEWEST_RDB_VERSION, RDB_MAGIC } from "./rdb_format.ts";
import { moduleName } from "./rdb_modules.ts";
import type { RdbReader } from "./rdb_reader.ts";
import type { RdbWindow } from "./rdb_window.ts";

const MAGIC_BYTES = 9;
const VERSION_FROM = RDB_MAGIC.length;
/** From this version on, a checksum stands behind the end. */
const CHECKSUM_VERSION = 5;
const CHECKSUM_BYTES = 8;

/** What the log says where a checksum is 0. */
export const WITHOUT_CHECKSUM = "RDB file was saved with checksum disabled: no check performed.";

const latin1 = new TextDecoder("latin1");

/** A file can't be loaded. */
export class LoadError extends Error {
  /** Says why, as the log does; `position` is the byte at fault. */
  constructor(reason: string, readonly position: number) {
    super(reason);
    this.name = "LoadError";
  }
}

/**
 * Reads the first bytes of a snapshot: its version.
 *
 * @throws {LoadError} if it is none, or of a version that nobody here knows.
 */
export function readRdbHead(reader: RdbReader): number {
  const at = reader.skip(MAGIC_BYTES);
  const head = latin1.decode(reader.bytes.subarray(at, at + MAGIC_BYTES));
  if (!head.startsWith(RDB_MAGIC)) {
    throw new LoadError("Wrong signature trying to load DB from file", 0);
  }
  const version = Number.parseInt(head.slice(VERSION_FROM)) || 0;
  if (version < 1 || version > NEWEST_RDB_VERSION) {
    throw new LoadError(`Can't handle RDB format version ${version}`, VERSION_FROM);
  }
  return version;
}

/** Reads the checksum behind the end, and carries that of the window on to it; null where `version` has none. */
export function readRdbChecksum(window: RdbWindow, version: number): Int64 | null {
  if (version < CHECKSUM_VERSION) return null;
  const { reader } = window;
  const at = reader.skip(CHECKSUM_BYTES);
  window.sumUp(at);
  return new Int64(reader.view.getInt32(at + 4, true), reader.view.getInt32(at, true));
}

/** A library of functions in the form of some version before 7.0 was released. */
export function earlyFunction(position: number): LoadError {
  return new LoadError("Pre-release function format not supported.", position);
}

/** Reads what module data beside the keys is of. */
export function moduleAuxiliary(reader: RdbReader, position: number): LoadError {
  reader.long();
  return new LoadError(
    "The RDB file contains AUX module data I can't load: no matching module " +
      `'${moduleName(reader.number)}'`,
    position,
  );
}

/** Reads, behind the name of a key, what module its value is of. */
export function moduleValue(reader: RdbReader, position: number): LoadError {
  reader.long();
  return new LoadError(
    "The RDB file contains module data I can't load: no matching module type " +
      `'${moduleName(reader.number)}'`,
    position,
  );
}
