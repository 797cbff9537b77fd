/**
 * Randomness, as a server uses it; a test puts a seeded one in its place.
 *
 * @module
 */

/** Where a server gets its random numbers. */
export interface Randomness {
  /** A double from 0 up to 1, good enough to choose by. */
  number(): number;
  /** A signed 32-bit integer that nobody can predict, for seeds. */
  secret(): number;
  /** `length` hexadecimal digits that nobody can predict, for ids. */
  hex(length: number): string;
}

/** The randomness of the machine. */
export const systemRandomness: Randomness = {
  number: () => Math.random(),
  secret: () => crypto.getRandomValues(new Int32Array(1))[0],
  hex: (length) => {
    const bytes = crypto.getRandomValues(new Uint8Array((length + 1) >>> 1));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("").slice(
      0,
      length,
    );
  },
};

/** So many numbers can be looked at before they are drawn; a power of 2. */
const TAPE_NUMBERS = 64;

/** Random numbers that can be looked at before they are drawn, by those who want to know what will be chosen by them. */
export class RandomTape {
  private readonly numbers = new Float64Array(TAPE_NUMBERS);
  /** Where the next one stands, */
  private first = 0;
  /** and how many stand there. */
  private count = 0;

  /** Makes a tape of numbers of `source`. */
  constructor(private readonly source: () => number) {}

  /** The next number. */
  readonly next = (): number => {
    if (this.count === 0) return this.source();
    const number = this.numbers[this.first];
    this.first = (this.first + 1) & (TAPE_NUMBERS - 1);
    this.count--;
    return number;
  };

  /** The number that will come after `ahead` (below 64) others. */
  readonly peek = (ahead: number): number => {
    while (this.count <= ahead) {
      this.numbers[(this.first + this.count++) & (TAPE_NUMBERS - 1)] = this.source();
    }
    return this.numbers[(this.first + ahead) & (TAPE_NUMBERS - 1)];
  };
}
