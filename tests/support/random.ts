/**
 * Numbers that look random and are the same for the same seed, for tests that try many things.
 *
 * @module
 */

/** A generator of doubles in [0, 1) from `seed` (xorshift32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x100000000;
  };
}

/** The seed from the environment variable `SEED`, or a fresh one; prints which. */
export function testSeed(name: string): number {
  const given = Deno.env.get("SEED");
  const seed = given === undefined ? crypto.getRandomValues(new Int32Array(1))[0] : Number(given);
  console.log(`${name}: SEED=${seed}`);
  return seed;
}
