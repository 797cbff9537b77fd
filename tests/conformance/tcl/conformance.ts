/**
 * Runs units of Redis' own Tcl suite against miniredis, and compares with the committed lists.
 *
 * See README.md in the folder above.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import {
  addGained,
  checkLists,
  compareRun,
  type Comparison,
  type Expectations,
  readExpectations,
} from "./expectations.ts";
import { programWords } from "../../support/program.ts";
import { mergeAlike } from "./output.ts";
import { fetchSuite, makeSandbox } from "./sandbox.ts";
import { killGroup } from "./suite_process.ts";
import { runUnit, type UnitResult } from "./unit_run.ts";
import { pickShare, UNITS } from "./units.ts";

const USAGE = `usage: conformance.ts [options] [UNIT...]

Runs units of Redis' Tcl suite (all that are listed in units.ts, if none is named).

  --update         put tests that pass now into the lists of passing ones
  --reference      run the real redis-server instead, and check that the lists have each test
  --client SERVER  try our client instead, with the unit of redis-cli: against redis-server
                   or miniredis
  --share SECONDS  run the fast units, and slow ones in turns, about so long in all
  --only NAME      run this test alone (or /regexp); the lists are left out of it
  --verbose        show all that the suite prints
  --base-port N    the suite uses ports from N-32 on (22132)
  --cache FOLDER   where the suite is kept (~/.cache/miniredis-conformance)
`;

/** The unit that is about redis-cli. */
const CLIENT_UNIT = "integration/redis-cli";

/** The servers against which our client is tried; each has lists of its own. */
const CLIENT_SERVERS: readonly string[] = ["redis-server", "miniredis"];

const FIRST_PORT = 22132;
const PORT_COUNT = 400;
/** The longest test is silent for three quarters of a minute with redis-server. */
const SILENCE_SECONDS = 120;
const LIMIT_SECONDS = 900;
const SHOWN_DETAILS = 600;
const SHOWN_COMMAND = 120;

/** A number that differs from commit to commit, in a clone without history too. */
async function turnOfCommit(): Promise<number> {
  const { stdout } = await new Deno.Command("git", { args: ["rev-parse", "HEAD"] }).output();
  return parseInt(new TextDecoder().decode(stdout).slice(0, 8), 16) || 0;
}

function describe(comparison: Comparison, expected: Expectations, result: UnitResult): string {
  const lines: string[] = [];
  for (const test of [...comparison.lost, ...comparison.unlisted]) {
    const kind = expected.passing.has(test.name) ? "no longer passes" : "fails, in no list";
    lines.push(`  ${kind}: ${test.name}`);
    lines.push(...shorten(test.details).map((line) => `    | ${line}`));
  }
  for (const fault of result.faults) {
    lines.push(...shorten(fault).map((line) => `  ! ${line}`));
  }
  for (const name of comparison.gained) lines.push(`  newly passing: ${name}`);
  return lines.join("\n");
}

/** The reason for a failure, and the command that led to it, out of Tcl's whole stack. */
function shorten(details: string): string[] {
  const [reason, ...stack] = details.split(/^ +(?:while executing|invoked from within)$/m);
  const command = stack.find((part) => !/^\s*"(?:\[srv|::redis|uplevel|redis_)/.test(part));
  const lines = `${reason.slice(0, SHOWN_DETAILS)}\n${command?.slice(0, SHOWN_COMMAND) ?? ""}`;
  return lines.split("\n").filter((line) => line.trim() !== "");
}

function countOutcome(result: UnitResult, outcome: string): number {
  return result.tests.filter((test) => test.outcome === outcome).length;
}

/** What the command line asks for. */
interface Options {
  readonly units: readonly string[];
  readonly cache: string;
  readonly basePort: number;
  readonly only?: string;
  /** The server against which our client is tried, if that is what is done. */
  readonly client?: string;
  readonly isUpdate: boolean;
  readonly isReference: boolean;
  readonly isVerbose: boolean;
}

/** How many tests of a unit were as expected, and how many weren't. */
interface Tally {
  readonly passed: number;
  readonly failed: number;
}

async function readOptions(args: string[]): Promise<Options | undefined> {
  const flags = parseArgs(args, {
    string: ["share", "only", "base-port", "cache", "client"],
    boolean: ["help", "update", "reference", "verbose"],
  });
  if (flags.help) return undefined;
  const client = flags.client === undefined ? undefined : String(flags.client);
  if (client !== undefined && !CLIENT_SERVERS.includes(client)) return undefined;
  let units = client === undefined ? UNITS.map((unit) => unit.name) : [CLIENT_UNIT];
  if (flags._.length > 0) units = flags._.map(String);
  else if (flags.share !== undefined) {
    units = pickShare(UNITS, await turnOfCommit(), Number(flags.share)).map((unit) => unit.name);
  }
  return {
    units,
    cache: String(flags.cache ?? `${Deno.env.get("HOME") ?? "."}/.cache/miniredis-conformance`),
    basePort: Number(flags["base-port"] ?? FIRST_PORT),
    only: flags.only === undefined ? undefined : String(flags.only),
    client,
    isUpdate: Boolean(flags.update),
    isReference: Boolean(flags.reference),
    isVerbose: Boolean(flags.verbose),
  };
}

/** Shows how the tests that `--only` picked ended. */
function showPicked(result: UnitResult): Tally {
  const met = result.tests.filter((test) => test.outcome !== "left out");
  for (const { name, outcome, details } of met) console.log(`${outcome}: ${name}\n${details}`);
  for (const fault of result.faults) console.log(`! ${fault}`);
  const passed = countOutcome(result, "passed");
  return { passed, failed: met.length - passed };
}

/** Compares the lists with the tests that redis-server passes. */
function checkWithReference(unit: string, expected: Expectations, result: UnitResult): Tally {
  const all = result.tests.filter((test) => test.outcome !== "left out");
  const problems = [
    ...all.filter((test) => test.outcome === "failed")
      .map((test) => `redis-server itself fails: ${test.name}`),
    ...checkLists(expected, all.map((test) => test.name)),
  ];
  console.log(`${unit}: ${all.length} tests, ${result.seconds.toFixed(1)} s`);
  for (const problem of problems) console.log(`  ${problem}`);
  return { passed: all.length - problems.length, failed: problems.length };
}

/** Where the lists are. */
function listsOf(client: string | undefined): URL {
  return new URL(client === undefined ? "./" : `./client/${client}/`, import.meta.url);
}

/** Compares a run of miniredis with the lists. */
async function checkWithLists(
  unit: string,
  expected: Expectations,
  result: UnitResult,
  { isUpdate, client }: Options,
): Promise<Tally> {
  const comparison = compareRun(expected, result.tests);
  const failed = comparison.lost.length + comparison.unlisted.length;
  const passed = countOutcome(result, "passed");
  console.log(
    `${unit}: ${passed} passed, ${failed} failed, ${comparison.stillWaiting.length} waiting, ` +
      `${result.seconds.toFixed(1)} s`,
  );
  const description = describe(comparison, expected, result);
  if (description !== "") console.log(description);
  if (isUpdate) await addGained(unit, expected, comparison.gained, listsOf(client));
  return { passed, failed };
}

async function main(args: string[]): Promise<number> {
  const options = await readOptions(args);
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  const suite = await fetchSuite(options.cache);
  const program = await programWords();
  const isOurs = !options.isReference && options.client !== "redis-server";
  const server = isOurs ? [...program, "server"] : ["redis-server"];
  const client = options.client === undefined ? undefined : [...program, "client"];
  await using sandbox = await makeSandbox(suite, server, isOurs, client);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // What the suite has started is in a process group of its own, which the signal doesn't reach.
    Deno.addSignalListener(signal, () => {
      killGroup(sandbox.folder);
      Deno.removeSync(sandbox.folder, { recursive: true });
      Deno.exit(1);
    });
  }
  const start = performance.now();
  let passed = 0;
  let failed = 0;
  for (const unit of options.units) {
    const expected = await readExpectations(unit, listsOf(options.client));
    const run = await runUnit(unit, {
      folder: sandbox.folder,
      basePort: options.basePort,
      portCount: PORT_COUNT,
      silenceSeconds: SILENCE_SECONDS,
      limitSeconds: LIMIT_SECONDS,
      only: options.only,
      skip: options.isReference || options.only !== undefined ? [] : [...expected.leftOut.keys()],
      isVerbose: options.isVerbose,
    });
    const isRandom = UNITS.find(({ name }) => name === unit)?.isRandom === true;
    const result = isRandom ? { ...run, tests: mergeAlike(run.tests) } : run;
    const tally = options.only !== undefined
      ? showPicked(result)
      : options.isReference
      ? checkWithReference(unit, expected, result)
      : await checkWithLists(unit, expected, result, options);
    passed += tally.passed;
    failed += tally.failed;
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`\nconformance: ${passed} passed | ${failed} failed, ${seconds} s`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
