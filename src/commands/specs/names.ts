/**
 * Names of commands and words among arguments: Redis compares them without regard to the case of
 * ASCII letters, and of those alone.
 *
 * @module
 */

/**
 * Turns ASCII capitals into small letters and leaves the rest alone.
 *
 * `toLowerCase` would also turn the Kelvin sign into a `k`, and so find KEYS under a name that
 * Redis doesn't know.
 *
 * @param text The text to turn.
 */
export function lowerCaseAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
}
