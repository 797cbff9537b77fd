/**
 * What a client has written into one key, and what it was told of each write.
 *
 * Every write carries a number of its own, so that each can be found again, or be missed.
 *
 * @module
 */

/**
 * What a client knows of a write: no answer yet; done; an error that says that nobody knows whether it was done; an
 * error that says that it wasn't.
 */
export type Outcome = "pending" | "done" | "unknown" | "refused";

/** What a look at a key finds. */
export interface Finding {
  /** How many acknowledged writes aren't there. */
  readonly lost: number;
  /** What is wrong, or undefined. */
  readonly fault: string | undefined;
}

const WELL: Finding = { lost: 0, fault: undefined };
/** As many numbers as a fault names. */
const MOST_NAMED = 5;

/** The writes into one key, in the order in which they were sent. */
export class WriteRecord {
  readonly #outcomes = new Map<number, Outcome>();
  #doneCount = 0;

  /** Takes the name of the key, for faults. */
  constructor(readonly key: string) {}

  /** A write is about to be sent; numbers grow. */
  begin(number: number): void {
    this.#outcomes.set(number, "pending");
  }

  /** Its client was told what became of it. */
  settle(number: number, outcome: Outcome): void {
    this.#outcomes.set(number, outcome);
    if (outcome === "done") this.#doneCount++;
  }

  /** How many are done. */
  get doneCount(): number {
    return this.#doneCount;
  }

  /** The numbers of those that are done. */
  get done(): number[] {
    return [...this.#outcomes].filter(([, outcome]) => outcome === "done").map(([number]) =>
      number
    );
  }

  /** How many may be there at most. */
  get most(): number {
    return [...this.#outcomes.values()].filter((outcome) => outcome !== "refused").length;
  }

  /**
   * Holds what the key shows against what was sent.
   *
   * @param done Those that have to be there: what was done before the look.
   * @param isOrdered Whether the key keeps the order of writes.
   */
  check(shown: readonly number[], done: readonly number[], isOrdered: boolean): Finding {
    const found = new Set(shown);
    const lost = done.filter((number) => !found.has(number));
    if (lost.length > 0) {
      return { lost: lost.length, fault: `${this.key} has lost ${naming(lost)}, acknowledged` };
    }
    if (found.size !== shown.length) return this.#amiss("holds a write twice");
    const foreign = shown.filter((number) => !this.#outcomes.has(number));
    if (foreign.length > 0) return this.#amiss(`holds what nobody wrote: ${naming(foreign)}`);
    const refused = shown.filter((number) => this.#outcomes.get(number) === "refused");
    if (refused.length > 0) return this.#amiss(`holds what was refused: ${naming(refused)}`);
    const early = isOrdered
      ? shown.find((number, at) => at > 0 && number < shown[at - 1])
      : undefined;
    return early === undefined ? WELL : this.#amiss(`has ${early} out of order`);
  }

  /** The same for a key that holds the last number alone. */
  checkLast(shown: number, done: readonly number[]): Finding {
    const last = done.at(-1) ?? 0;
    if (shown < last) {
      return { lost: 1, fault: `${this.key} shows ${shown}, and ${last} was acknowledged` };
    }
    const outcome = this.#outcomes.get(shown);
    if (shown > 0 && (outcome === undefined || outcome === "refused")) {
      return this.#amiss(`shows ${shown}, which is ${outcome ?? "of nobody"}`);
    }
    return WELL;
  }

  /** The same for a key that counts the writes. */
  checkCount(shown: number, done: number): Finding {
    if (shown < done) {
      return {
        lost: done - shown,
        fault: `${this.key} is ${shown}, and ${done} were acknowledged`,
      };
    }
    const { most } = this;
    return shown > most ? this.#amiss(`is ${shown}, and only ${most} were sent`) : WELL;
  }

  #amiss(what: string): Finding {
    return { lost: 0, fault: `${this.key} ${what}` };
  }
}

function naming(numbers: readonly number[]): string {
  const more = numbers.length - MOST_NAMED;
  return numbers.slice(0, MOST_NAMED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
