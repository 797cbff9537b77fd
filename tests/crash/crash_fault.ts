/**
 * The error that all this is after.
 *
 * @module
 */

/** Something that a server must not do. */
export class CrashFault extends Error {
  /** The error's name. */
  override readonly name = "CrashFault";
}
