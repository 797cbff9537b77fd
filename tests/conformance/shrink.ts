/**
 * Makes a stream on which the servers disagree shorter, as long as they still do.
 *
 * @module
 */

import type { Step } from "./step.ts";

/** A shorter argument is tried if it is longer than that. */
const LONG_ARGUMENT = 8;

/**
 * Takes away what isn't needed: whole chunks of steps first, then single ones, then parts of long arguments.
 *
 * @param steps Steps of which the last shows the disagreement.
 * @param fails Whether a stream still shows one; how many of its steps that took, or 0.
 * @param limitMs No further streams are tried after that.
 */
export async function shrinkSteps(
  steps: readonly Step[],
  fails: (steps: readonly Step[]) => Promise<number>,
  limitMs: number,
): Promise<readonly Step[]> {
  let current = steps;
  const stop = performance.now() + limitMs;
  const tryInstead = async (candidate: readonly Step[]): Promise<boolean> => {
    if (performance.now() > stop) return false;
    const needed = await fails(candidate);
    if (needed > 0) current = candidate.slice(0, needed);
    return needed > 0;
  };
  for (let size = Math.ceil(current.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let end = current.length - 1; end > 0;) {
      const start = Math.max(0, end - size);
      const without = [...current.slice(0, start), ...current.slice(end)];
      await tryInstead(without);
      end = Math.min(start, current.length - 1);
    }
  }
  for (let index = 0; index < current.length; index++) {
    for (let word = 0; word < (current[index]?.words.length ?? 0); word++) {
      await shortenWord(() => current, index, word, tryInstead);
    }
  }
  return current;
}

async function shortenWord(
  current: () => readonly Step[],
  index: number,
  word: number,
  tryInstead: (candidate: readonly Step[]) => Promise<boolean>,
): Promise<void> {
  for (;;) {
    const step = current()[index];
    const text = step?.words[word];
    if (text === undefined || text.length <= LONG_ARGUMENT) return;
    const words = step.words.with(word, text.slice(0, text.length >>> 1));
    if (!await tryInstead(current().with(index, { ...step, words }))) return;
  }
}
