/**
 * Runs one unit of the Tcl suite, within limits of time, and leaves no process behind.
 *
 * A test that hangs, or an error that ends the suite, must not hide the tests behind it: the unit
 * is then run again without the culprit, and what the runs found is put together.
 *
 * @module
 */

import { PROGRAMS } from "./sandbox.ts";
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
  // In a process group of its own, so that all that it started can be ended.
  const process = new Deno.Command("setsid", {
    args: ["--wait", "sh", "-c", 'echo "$$" >group; exec "$@"', "sh", ...args],
    cwd: options.folder,
    env: { TERM: "dumb", PATH: `${options.folder}/${PROGRAMS}:${Deno.env.get("PATH") ?? ""}` },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    killGroup(options.folder);
  }, options.limitSeconds * 1000);
  const [stdout, stderr] = await Promise.all([
    collect(process.stdout, options.isVerbose),
    collect(process.stderr, options.isVerbose),
  ]);
  await process.status;
  clearTimeout(timer);
  killGroup(options.folder);
  const output = parseOutput(stdout);
  const faults = [...output.faults];
  if (isLate) faults.push(`stopped after ${options.limitSeconds} s`);
  if (stderr.trim() !== "") faults.push(stderr.trim());
  return { ...output, faults };
}

/** Ends all processes of the last run in a sandbox that are still there. */
export function killGroup(folder: string): void {
  const group = Deno.readTextFileSync(`${folder}/group`).trim();
  new Deno.Command("kill", { args: ["-KILL", "--", `-${group}`], stderr: "null" }).outputSync();
}

async function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  isVerbose = false,
): Promise<string> {
  let text = "";
  // Names of tests are in UTF-8; what a failing test prints needn't be.
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (isVerbose) await Deno.stdout.write(new TextEncoder().encode(part));
  }
  return text;
}
