/**
 * `@std/streams`: lines and pipes.
 *
 * @module
 */

// @ts-types="./streams.d.ts"
export * from "deno-std/streams/mod.js";
