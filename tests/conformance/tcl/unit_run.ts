/**
 * Runs one unit of the Tcl suite, within limits of time, and leaves no process behind.
 *
 * A test that hangs, or an error that ends the suite, must not hide the tests behind it: the unit
 * is then run again without the culprit, and what the runs found is put together.
 *
 * @module
 */

import { PROGRAMS } from "./sandbox.ts";
import { runSuite } from "./suite_process.ts";
import { parseOutput, stableName, type TestResult, type UnitOutput } from "./output.ts";

/** How a unit is run. */
export interface UnitRunOptions {
  /** The folder that {@linkcode makeSandbox} made. */
  readonly folder: string;
  /** First port for the servers of the suite; 32 below it are for the suite itself. */
  readonly basePort: number;
  /** How many ports it may use. */
  readonly portCount: number;
  /** A test that shows no progress for so long hangs. */
  readonly silenceSeconds: number;
  /** After so long the unit is stopped, whatever it does. */
  readonly limitSeconds: number;
  /** Tests to leave out, since they are known to hang. */
  readonly skip?: readonly string[];
  /** Runs only tests with this name, or, behind a slash, whose name matches. */
  readonly only?: string;
  /** Shows what the suite prints as it comes. */
  readonly isVerbose?: boolean;
}

/** What became of a unit. */
export interface UnitResult {
  /** Each test that was met, once. */
  readonly tests: readonly TestResult[];
  /** Errors outside of tests, and why the unit didn't come to its end. */
  readonly faults: readonly string[];
  /** How long all of it took. */
  readonly seconds: number;
}

/** So many culprits are left out one after the other before a unit is given up. */
const MOST_RUNS = 4;

/** Runs a unit, `unit/keyspace` say. */
export async function runUnit(unit: string, options: UnitRunOptions): Promise<UnitResult> {
  const start = performance.now();
  const tests = new Map<string, TestResult>();
  const faults: string[] = [];
  const culprits: string[] = [...options.skip ?? []];
  for (let run = 0; run < MOST_RUNS; run++) {
    const output = await runOnce(unit, culprits, options);
    for (const test of output.tests) {
      // What is left out in a later run has been seen in an earlier one.
      if (!tests.has(test.name) || tests.get(test.name)!.outcome === "left out") {
        tests.set(test.name, test);
      }
    }
    faults.push(...output.faults);
    if (output.hangingTest === undefined) {
      if (!output.isComplete) faults.push("the suite ended before the unit's end");
      break;
    }
    culprits.push(output.hangingTest);
    const name = stableName(output.hangingTest);
    tests.set(name, { name, outcome: "failed", details: "it hangs" });
  }
  return { tests: [...tests.values()], faults, seconds: (performance.now() - start) / 1000 };
}

async function runOnce(
  unit: string,
  culprits: readonly string[],
  options: UnitRunOptions,
): Promise<UnitOutput> {
  // deno-fmt-ignore
  const args = [
    "./runtest", "--single", unit, "--durable", "--clients", "1",
    "--baseport", String(options.basePort), "--portcount", String(options.portCount),
    "--timeout", String(options.silenceSeconds),
    ...culprits.flatMap((name) => ["--skiptest", name]),
    ...(options.only === undefined ? [] : ["--only", options.only]),
  ];
  const encoder = new TextEncoder();
  const { stdout, stderr, isLate } = await runSuite(args, {
    folder: options.folder,
    programs: `${options.folder}/${PROGRAMS}`,
    limitSeconds: options.limitSeconds,
    onText: options.isVerbose ? (text) => Deno.stdout.writeSync(encoder.encode(text)) : undefined,
  });
  const output = parseOutput(stdout);
  const faults = [...output.faults];
  if (isLate) faults.push(`stopped after ${options.limitSeconds} s`);
  if (stderr.trim() !== "") faults.push(stderr.trim());
  return { ...output, faults };
}
