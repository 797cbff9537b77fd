/**
 * Command lines made at random from the descriptions of arguments, by rules of their own: what the
 * guide makes of them is thus compared with something that doesn't share its code.
 *
 * @module
 */

import { assert } from "@std/assert";
import type { CommandGuide } from "../../../src/client/help/mod.ts";
import type { ArgumentSpec } from "../../../src/commands/specs/mod.ts";

/** A word of a line, and what it is. */
export interface GeneratedWord {
  /** The word. */
  readonly text: string;
  /** What it is. */
  readonly kind: "token" | "key" | "other";
}

/** Values that no option has as its word. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  "integer": ["0", "-1", "17"],
  "unix-time": ["1700000000"],
  "double": ["1", "-0.5", "1e3", "inf"],
  "key": ["k:1", "k:2"],
  "pattern": ["p*"],
  "string": ["v:1", "v:2", "1-1"],
};

/** Makes the words of one call at random. */
export class LineGenerator {
  readonly #random: () => number;
  /** How many keys the last `numkeys` asked for. */
  #keyCount: number | undefined;

  /** Takes its chances from `random`. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /**
   * Makes the words that follow the name of a command.
   *
   * @param specs What the command takes.
   */
  words(specs: readonly ArgumentSpec[]): GeneratedWord[] {
    this.#keyCount = undefined;
    return this.#inOrder(specs);
  }

  #inOrder(specs: readonly ArgumentSpec[]): GeneratedWord[] {
    const words: GeneratedWord[] = [];
    for (let index = 0; index < specs.length;) {
      // Options with words of their own that stand side by side are shuffled.
      let end = index;
      while (end < specs.length && isTokenOption(specs[end])) end++;
      const group = end > index ? this.#shuffled(specs.slice(index, end)) : [specs[index]];
      for (const spec of group) words.push(...this.#argument(spec));
      index = Math.max(end, index + 1);
    }
    return words;
  }

  #argument(spec: ArgumentSpec): GeneratedWord[] {
    const flags = spec.flags ?? [];
    const counted = this.#keyCount !== undefined && spec.type === "key" &&
        flags.includes("multiple")
      ? this.#keyCount
      : undefined;
    if (counted !== undefined) this.#keyCount = undefined;
    if (counted === 0) return [];
    if (flags.includes("optional") && counted === undefined && this.#random() < 0.5) return [];
    const times = counted ?? (flags.includes("multiple") ? this.#below(3) + 1 : 1);
    const words: GeneratedWord[] = [];
    for (let time = 0; time < times; time++) {
      if (spec.token !== undefined && (time === 0 || flags.includes("multiple_token"))) {
        words.push({ text: spec.token === "" ? '""' : spec.token, kind: "token" });
      }
      words.push(...this.#value(spec));
    }
    return words;
  }

  #value({ name, type, arguments: inner = [] }: ArgumentSpec): GeneratedWord[] {
    if (type === "pure-token") return [];
    if (type === "oneof") return this.#argument(inner[this.#below(inner.length)]);
    if (type === "block") return this.#inOrder(inner);
    if (name === "numkeys") {
      this.#keyCount = this.#below(3) + 1;
      return [{ text: String(this.#keyCount), kind: "other" }];
    }
    const values = VALUES[type];
    return [{
      text: values[this.#below(values.length)],
      kind: type === "key" ? "key" : "other",
    }];
  }

  #shuffled(specs: readonly ArgumentSpec[]): ArgumentSpec[] {
    return specs.map((spec) => ({ spec, place: this.#random() }))
      .sort((a, b) => a.place - b.place)
      .map(({ spec }) => spec);
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}

/**
 * Checks that a guide expects each word of a call behind the ones before it: with a hint, and, for
 * the words that it can offer, among the candidates.
 */
export function assertIsExpected(
  guide: CommandGuide,
  name: readonly string[],
  words: readonly GeneratedWord[],
): void {
  let line = name.join(" ") + " ";
  for (const { text, kind } of words) {
    const { candidates, key } = guide.complete(line);
    assert(guide.hint(line) !== "", `nothing is expected behind '${line}', but '${text}' is`);
    if (kind === "token" && text !== '""') {
      const isOffered = candidates.some((word) => word.toUpperCase() === text.toUpperCase());
      assert(isOffered, `'${text}' isn't offered behind '${line}'`);
    }
    if (kind === "key") assert(key !== undefined, `no key is expected behind '${line}'`);
    line += text + " ";
  }
}

/** Whether an option is told from all others by its first word. */
function isTokenOption(spec: ArgumentSpec): boolean {
  return (spec.flags ?? []).includes("optional") && startsWithToken(spec);
}

function startsWithToken({ token, type, arguments: inner = [] }: ArgumentSpec): boolean {
  if (token !== undefined) return true;
  if (type === "oneof") return inner.every(startsWithToken);
  return type === "block" && startsWithToken(inner[0]);
}
