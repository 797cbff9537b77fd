/**
 * Commands of the differential tests that change data, for tests of what such commands leave.
 *
 * @module
 */
import type { Words } from "../support/file_samples.ts";
import { seededRandom } from "../support/random.ts";
import { StepSource } from "./recipes/mod.ts";

const CHANGING =
  /^(append|set|setrange|setbit|incr.*|decr.*|mset|getset|getdel|getex|psetex|setex|setnx|bitop|bitfield|pf\w+|[lr]push|[lr]pushx|[lr]pop|linsert|lset|lrem|ltrim|lmove|lmpop|rpoplpush|sadd|srem|smove|spop|s\w+store|h(set|mset|setnx|del|incrby|incrbyfloat)|z(add|rem|incrby|pop\w+|rem\w+|\w+store|mpop)|geoadd|x(add|del|trim|setid|group|readgroup|ack|claim|autoclaim)|p?expire(at)?|persist|rename(nx)?|copy|move|del|unlink|select|restore|sort)$/i;
/**
 * What Redis tells neither its append-only file nor its replicas as it has done it: a BITFIELD that fails makes the
 * string longer, a limit of trimming is written to where it can't be, and a PFADD that finds its HyperLogLog broken
 * has added the elements before.
 */
const UNTOLD = / (FAIL|LIMIT) |^pfadd \S+ \S+ /i;

/** What may make a score of -0, whose sign a small sorted set doesn't keep when it is loaded. */
const NEGATIVE_ZERO = /^z.* (-0(\.0*)?( |$)|weights .*-)/i;

/** Whether Redis tells of what this command does. */
export function isToldByRedis(words: Words): boolean {
  return !UNTOLD.test(words.join(" "));
}

/** Makes up commands; the same seed makes the same. */
export class RandomChanges {
  readonly #source: StepSource;

  /** Commands from `seed`. */
  constructor(seed: number) {
    this.#source = new StepSource(seededRandom(seed));
  }

  /** The next one. */
  next(): Words {
    while (true) {
      const { words } = this.#source.next();
      // Nobody is there to wake who waits.
      const line = words.join(" ");
      if (!CHANGING.test(words[0]) || / BLOCK /i.test(line)) continue;
      if (!NEGATIVE_ZERO.test(line)) return words;
    }
  }
}
