/**
 * `@std/assert`: invariants in the sources, expectations in the tests.
 *
 * @module
 */

// @ts-types="./assert.d.ts"
export * from "deno-std/assert/mod.js";
