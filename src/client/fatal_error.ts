/**
 * What ends the whole program, also where lines are read and run one by one.
 *
 * @module
 */

/** The message is told, and the program ends with 1. */
export class FatalError extends Error {
  /** The error's name. */
  override readonly name = "FatalError";
}
