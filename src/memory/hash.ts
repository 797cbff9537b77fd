/**
 * The hash of keys: HalfSipHash-1-3, a keyed function on 32-bit words.
 *
 * A hash that an attacker can predict lets him choose a million keys that share one bucket. SipHash
 * is the usual answer, but works on 64-bit words, which JavaScript has only as objects.
 * HalfSipHash is its authors' own form for 32-bit machines; one round a word and three at the end
 * is what kernels use to protect hash tables. (Aumasson and Bernstein, "SipHash: a fast short-input
 * PRF", and the reference description of HalfSipHash.)
 *
 * **Cost.** About 25 ns for a key of 16 bytes.
 *
 * @module
 */
import type { ReadonlyView } from "./arena.ts";

/**
 * The 32-bit hash (a signed integer) of `length` bytes of `view` from `start`, under the key
 * `seed0`, `seed1`.
 */
export function hashBytes(
  view: ReadonlyView,
  start: number,
  length: number,
  seed0: number,
  seed1: number,
): number {
  let v0 = seed0;
  let v1 = seed1;
  let v2 = 0x6c796765 ^ seed0;
  let v3 = 0x74656462 ^ seed1;
  const words = start + (length & ~3);
  let at = start;
  for (; at < words; at += 4) {
    const word = view.getInt32(at, true);
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  let last = length << 24;
  const rest = length & 3;
  if (rest > 2) last |= view.getUint8(at + 2) << 16;
  if (rest > 1) last |= view.getUint8(at + 1) << 8;
  if (rest > 0) last |= view.getUint8(at);
  v3 ^= last;
  for (let round = 0; round < 4; round++) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    if (round === 0) {
      v0 ^= last;
      v2 ^= 0xff;
    }
  }
  return v1 ^ v3;
}
