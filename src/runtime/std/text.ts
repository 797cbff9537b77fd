/**
 * `@std/text`: how far two words are apart.
 *
 * @module
 */

// @ts-types="./text.d.ts"
export * from "deno-std/text/levenshtein_distance.js";
