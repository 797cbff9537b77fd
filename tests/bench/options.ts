/**
 * The command line of the benchmark.
 *
 * @module
 */

import { parseArgs } from "@std/cli";

/** What the command line asks for. */
export interface BenchOptions {
  /** Names of suites; all of them if none is given. */
  readonly suites: readonly string[];
  /** Interleaved rounds of each cell. */
  readonly rounds: number;
  /** About how long one run of redis-benchmark takes. */
  readonly secondsPerCell: number;
  /** A command line that starts the server under test; `--port` is added. */
  readonly miniredis: readonly string[] | null;
  /** The server it is compared with. */
  readonly redis: string;
  /** The load generator. */
  readonly redisBenchmark: string;
  /** A compiled miniredis, measured in place of the sources. */
  readonly compiled: string | null;
  /** The first of the ports used. */
  readonly port: number;
  /** Only cells and rows whose names match are measured, and the README stays as it is; null for all. */
  readonly only: RegExp | null;
  /** Small sizes and few rounds, and the README stays as it is: to see that everything runs. */
  readonly quick: boolean;
}

/** What `--help` prints before the list of suites. */
export const USAGE = `usage: bench.ts [suite ...] [options]

  --rounds N             interleaved rounds per cell (7; quick 2)
  --seconds-per-cell S   about the length of one run (1.2; quick 0.3)
  --miniredis "COMMAND"  how to start the server under test (the sources, with this Deno)
  --compiled FILE        measure this compiled miniredis instead
  --redis FILE           the redis-server to compare with (redis-server)
  --redis-benchmark FILE the load generator (redis-benchmark)
  --port N               first port to use (17300)
  --only REGEXP          only cells and rows with such a name; doesn't touch the README
  --quick                small and short; doesn't touch the README

DENO_COMPILE names the Deno executable that the compiled miniredis was made with.
`;

/** A command line that can't be followed. */
export class UsageError extends Error {}

/** Splits a command line at blanks, except within single or double quotes. */
export function splitCommandLine(line: string): string[] {
  const words = line.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"));
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text, "i");
  } catch {
    throw new UsageError("--only takes a regular expression");
  }
}

/**
 * Reads `args`; null stands for a wish for help.
 *
 * @throws {UsageError} on an unknown option or a value that can't be
 */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const parsed = parseArgs([...args], {
    boolean: ["help", "quick"],
    string: [
      "rounds",
      "seconds-per-cell",
      "miniredis",
      "redis",
      "redis-benchmark",
      "compiled",
      "port",
      "only",
    ],
    unknown: (argument: string) => {
      if (argument.startsWith("-")) throw new UsageError(`unknown option ${argument}`);
      return true;
    },
  });
  if (parsed.help) return null;
  const quick = parsed.quick === true;
  const text = (name: string): string | null => {
    const value = parsed[name];
    if (value === undefined) return null;
    // An option without its value is read as an empty string, one given twice as a list.
    if (typeof value !== "string" || value === "") {
      throw new UsageError(`--${name} takes one value`);
    }
    return value;
  };
  const positive = (name: string, preset: number): number => {
    const value = Number(text(name) ?? preset);
    if (!(value > 0)) throw new UsageError(`--${name} takes a positive number`);
    return value;
  };
  const miniredis = text("miniredis");
  const only = text("only");
  return {
    suites: parsed._.map(String),
    rounds: positive("rounds", quick ? 2 : 7),
    secondsPerCell: positive("seconds-per-cell", quick ? 0.3 : 1.2),
    miniredis: miniredis === null ? null : splitCommandLine(miniredis),
    redis: text("redis") ?? "redis-server",
    redisBenchmark: text("redis-benchmark") ?? "redis-benchmark",
    compiled: text("compiled"),
    port: positive("port", 17300),
    only: only === null ? null : pattern(only),
    quick,
  };
}
