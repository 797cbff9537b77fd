/**
 * The error that all this is after.
 *
 * @module
 */

/** Something that a server must not do. */
export class SimulationFault extends Error {
  override readonly name = "SimulationFault";
}
