/**
 * The types of what this project uses of `@std/text`.
 *
 * The npm package holds plain JavaScript, so the types are declared here.
 *
 * @module
 */

/** How many characters must be put in, taken out or changed to get from one text to the other. */
export function levenshteinDistance(first: string, second: string): number;
