/**
 * What the tests of foreign clients have in common.
 *
 * @module
 */

import { MemoryFiles } from "../support/memory_files.ts";
import { type Server, startServer } from "../../src/server/mod.ts";

/** A length that no client or server holds in one piece. */
export const LARGE_BYTES = 100 * 1024 * 1024;

/** Starts a server in this process; disposing of it ends it. */
export async function startQuietServer(
  options: Readonly<Record<string, string>> = {},
): Promise<Server & AsyncDisposable> {
  const server = await startServer({ port: "0", bind: "127.0.0.1", ...options }, {
    log: () => {},
    files: new MemoryFiles(),
  });
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.shutDownNow() });
}

/** Bytes of which each part looks different, so that none can be lost or moved unseen. */
export function patternBytes(length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let index = 0; index < words.length; index++) words[index] = Math.imul(index, 2654435761);
  return new Uint8Array(words.buffer, 0, length);
}

/** All 256 bytes, then those that the protocol gives a meaning. */
export function allBytes(): Uint8Array {
  return new Uint8Array([...Array(256).keys(), 13, 10, 0, 36, 45, 49, 13, 10]);
}

/** Where two values differ, or -1: quicker than comparing them as tests do, and shorter to print. */
export function firstDifference(left: Uint8Array, right: Uint8Array): number {
  if (left.length !== right.length) return Math.min(left.length, right.length);
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return index;
  return -1;
}
