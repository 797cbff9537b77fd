/**
 * The command lines of programs that play something from seeds.
 *
 * @module
 */

import { parseArgs } from "@std/cli";

/** A program of ours, as its user sees it. */
export interface Program<T> {
  /** What `--help` prints. */
  readonly usage: string;
  /** The options that take a value. */
  readonly texts: readonly string[];
  /** The options that take none, `--help` aside. */
  readonly flags: readonly string[];
  /**
   * What is to be done.
   *
   * @throws {Error} That isn't said clearly.
   */
  read(given: GivenOptions): T;
  /** Does it; gives the exit code. */
  run(options: T): Promise<number>;
}

/** The options that were given. */
export class GivenOptions {
  /** Takes what the parser of `@std/cli` gives. */
  constructor(private readonly values: Readonly<Record<string, unknown>>) {}

  /** Whether a flag was given. */
  has(name: string): boolean {
    return this.values[name] === true;
  }

  /**
   * The value of an option; undefined if it wasn't given.
   *
   * @throws {Error} It was given without one, or twice.
   */
  text(name: string): string | undefined {
    const value = this.values[name];
    if (value === undefined) return undefined;
    if (typeof value !== "string" || value === "") throw new Error(`--${name} takes one value`);
    return value;
  }

  /**
   * A whole number.
   *
   * @param most The largest that makes sense.
   * @throws {Error} It isn't one, or is larger.
   */
  whole(name: string, most = Infinity): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (!/^\d+$/.test(value)) throw new Error(`--${name} is a whole number`);
    if (Number(value) > most) throw new Error(`--${name} is ${most} at most`);
    return Number(value);
  }

  /**
   * One of several words.
   *
   * @throws {Error} It is none of them.
   */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const found = choices.find((known) => known === value);
    if (found === undefined) throw new Error(`--${name} is one of ${choices.join(", ")}`);
    return found;
  }

  /** The seed; a random one if none was given. */
  seed(): number {
    return this.whole("seed") ?? crypto.getRandomValues(new Uint32Array(1))[0];
  }
}

/** Runs a program with what stands on its command line; gives the exit code. */
export async function runProgram<T>(
  program: Program<T>,
  args: readonly string[] = Deno.args,
): Promise<number> {
  let options: T;
  try {
    const given = parseArgs([...args], {
      string: [...program.texts],
      boolean: ["help", ...program.flags],
      unknown: (argument) => {
        throw new Error(`${argument} is unknown; --help tells what there is`);
      },
    });
    if (given.help === true) {
      console.log(program.usage);
      return 0;
    }
    options = program.read(new GivenOptions(given));
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  return await program.run(options);
}
