/**
 * Runs Redis' Sentinel suite with `miniredis monitor` and `miniredis server`, and compares with the committed lists.
 *
 * See README.md in the folder above.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { programWords } from "../../support/program.ts";
import { addGained, checkLists, compareRun, readExpectations } from "../tcl/expectations.ts";
import { fetchSuite } from "../tcl/sandbox.ts";
import { killGroup, runSuite } from "../tcl/suite_process.ts";
import { SentinelOutput, type SentinelTest } from "./output.ts";
import { type Contenders, makeSentinelSandbox } from "./sandbox.ts";

const USAGE = `usage: conformance.ts [options] [UNIT...]

Runs units of Redis' Sentinel suite (all of them, if none is named; 00-base, or a part of a name).

  --reference      run the real redis-sentinel and redis-server, and check the lists by them
  --server FILE    run this in the place of redis-server
  --sentinel FILE  run this in the place of redis-sentinel
  --update         put tests that pass now into the lists of passing ones
  --verbose        show all that the suite prints
  --keep           keep the folder with the logs of all instances, and say where it is
  --cache FOLDER   where the suite is kept (~/.cache/miniredis-conformance)
`;

/** With redis-server it takes two and a half minutes. */
const LIMIT_SECONDS = 1500;
const LISTS = new URL("./", import.meta.url);

/** The units of Redis 7.0.15. One of them has no tests. */
export const UNITS: readonly string[] = [
  "00-base",
  "01-conf-update",
  "02-slaves-reconf",
  "03-runtime-reconf",
  "05-manual",
  "06-ckquorum",
  "07-down-conditions",
  "08-hostname-conf",
  "09-acl-support",
  "10-replica-priority",
  "11-port-0",
  "12-master-reboot",
  "13-info-command",
];

/** What the command line asks for. */
interface Options {
  readonly units: readonly string[];
  readonly cache: string;
  readonly server: string | undefined;
  readonly sentinel: string | undefined;
  readonly isReference: boolean;
  readonly isUpdate: boolean;
  readonly isVerbose: boolean;
  readonly keeps: boolean;
}

function readOptions(args: string[]): Options | undefined {
  const flags = parseArgs(args, {
    string: ["cache", "server", "sentinel"],
    boolean: ["help", "reference", "update", "verbose", "keep"],
  });
  if (flags.help) return undefined;
  const named = flags._.map(String);
  return {
    units: UNITS.filter((unit) => named.length === 0 || named.some((name) => unit.includes(name))),
    cache: String(flags.cache ?? `${Deno.env.get("HOME") ?? "."}/.cache/miniredis-conformance`),
    server: flags.server === undefined ? undefined : String(flags.server),
    sentinel: flags.sentinel === undefined ? undefined : String(flags.sentinel),
    isReference: Boolean(flags.reference),
    isUpdate: Boolean(flags.update),
    isVerbose: Boolean(flags.verbose),
    keeps: Boolean(flags.keep),
  };
}

async function contendersOf(options: Options): Promise<Contenders> {
  if (options.isReference) return { server: ["redis-server"], sentinel: ["redis-sentinel"] };
  const ours = await programWords();
  return {
    server: options.server === undefined ? [...ours, "server"] : [options.server],
    sentinel: options.sentinel === undefined ? [...ours, "monitor"] : [options.sentinel],
  };
}

/** Runs the units, and shows each test as it ends. */
async function run(options: Options, skipped: readonly string[]): Promise<SentinelOutput> {
  const suite = await fetchSuite(options.cache);
  const contenders = await contendersOf(options);
  await using sandbox = await makeSentinelSandbox(suite, contenders, skipped, options.keeps);
  if (options.keeps) console.log(`The suite runs in ${sandbox.folder}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // What the suite has started is in a process group of its own, which the signal doesn't reach.
    Deno.addSignalListener(signal, () => {
      killGroup(sandbox.folder);
      if (!options.keeps) Deno.removeSync(sandbox.folder, { recursive: true });
      Deno.exit(1);
    });
  }
  const output = new SentinelOutput(() => performance.now(), showTest);
  const encoder = new TextEncoder();
  const { stderr, isLate } = await runSuite([
    "./runtest-sentinel",
    ...options.units.flatMap((unit) => ["--single", unit]),
    ...options.keeps ? ["--dont-clean"] : [],
  ], {
    folder: sandbox.folder,
    limitSeconds: LIMIT_SECONDS,
    onText: (text) => {
      if (options.isVerbose) Deno.stdout.writeSync(encoder.encode(text));
      output.take(text);
    },
  });
  output.finish();
  if (isLate) output.faults.push(`stopped after ${LIMIT_SECONDS} s`);
  if (stderr.trim() !== "") output.faults.push(stderr.trim());
  if (!output.isComplete) output.faults.push("the suite ended before its end");
  return output;
}

function showTest({ unit, name, outcome, details, milliseconds }: SentinelTest): void {
  const time = `${(milliseconds / 1000).toFixed(1)} s`.padStart(7);
  console.log(`${time}  ${outcome.padEnd(8)}  ${unit}: ${name}`);
  for (const line of details.split("\n")) if (line !== "") console.log(`           | ${line}`);
}

/** What a unit has that it shouldn't have; each is a failure. */
async function problemsOf(
  unit: string,
  tests: readonly SentinelTest[],
  options: Options,
): Promise<string[]> {
  const expected = await readExpectations(unit, LISTS);
  if (options.isReference) {
    return [
      ...tests.filter((test) => test.outcome === "failed").map((test) => `fails: ${test.name}`),
      ...checkLists(expected, tests.map((test) => test.name)),
    ];
  }
  const { lost, unlisted, gained } = compareRun(expected, tests);
  if (options.isUpdate) await addGained(unit, expected, gained, LISTS);
  for (const name of gained) console.log(`newly passing: ${unit}: ${name}`);
  return [...lost, ...unlisted].map(({ name, details }) =>
    `${name}: ${details.split("\n").at(-1)}`
  );
}

async function main(args: string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  const skipped: string[] = [];
  for (const unit of options.isReference ? [] : options.units) {
    skipped.push(...(await readExpectations(unit, LISTS)).leftOut.keys());
  }
  const start = performance.now();
  const output = await run(options, skipped);
  const problems: string[] = [];
  for (const unit of options.units) {
    const tests = output.tests.filter((test) => test.unit === unit);
    problems.push(
      ...(await problemsOf(unit, tests, options)).map((problem) => `${unit}: ${problem}`),
    );
  }
  for (const problem of [...problems, ...output.faults]) console.log(`! ${problem}`);
  const passed = output.tests.filter((test) => test.outcome === "passed").length;
  const leftOut = output.tests.filter((test) => test.outcome === "left out").length;
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  const failed = problems.length === 0 && output.faults.length > 0 ? 1 : problems.length;
  console.log(
    `\nconformance-sentinel: ${passed} passed, ${failed} failed, ${leftOut} left out, ${seconds} s`,
  );
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
