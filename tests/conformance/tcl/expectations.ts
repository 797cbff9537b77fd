/**
 * The committed lists of tests, and how a run compares with them.
 *
 * `passing/<unit>.txt` names the tests that pass, one a line: none may be lost. `waiting/<unit>.txt`
 * names those that can't pass yet, each with what it waits for behind a tab, and behind another tab
 * `hangs` or `skip` if it would hang until then, or take others with it: it is left out. A test of the unit is in one of the two; one
 * that is in neither fails the run.
 *
 * @module
 */

import type { TestResult } from "./output.ts";

/** The marks of a test that is left out. */
const MARKS: readonly string[] = ["hangs", "skip"];
const LISTS = new URL("./", import.meta.url);

/** What is expected of a unit. */
export interface Expectations {
  /** Names of the tests that pass. */
  readonly passing: ReadonlySet<string>;
  /** Names of those that don't yet, with what they wait for. */
  readonly waiting: ReadonlyMap<string, string>;
  /** Those of the waiting ones that are left out, with their marks. */
  readonly leftOut: ReadonlyMap<string, string>;
}

/** How a run of a unit differs from what was expected. */
export interface Comparison {
  /** Tests that are listed as passing and didn't pass, with the reason. */
  readonly lost: readonly TestResult[];
  /** Tests that pass and aren't listed so yet. */
  readonly gained: readonly string[];
  /** Tests that failed and are in neither list. */
  readonly unlisted: readonly TestResult[];
  /** Waiting tests that failed as expected, or weren't met. */
  readonly stillWaiting: readonly string[];
}

/** Reads the lists of a unit, which are in a folder; a missing one is empty. */
export async function readExpectations(unit: string, lists: URL = LISTS): Promise<Expectations> {
  const passing = await readLines(listFile(lists, "passing", unit));
  const waiting = new Map<string, string>();
  const leftOut = new Map<string, string>();
  for (const line of await readLines(listFile(lists, "waiting", unit))) {
    const [name, reason = "", mark = ""] = line.split("\t");
    if (reason === "") throw new Error(`waiting/${unit}.txt: no reason behind a tab: ${line}`);
    waiting.set(name, reason);
    if (MARKS.includes(mark)) leftOut.set(name, mark);
  }
  return { passing: new Set(passing), waiting, leftOut };
}

/** Compares what a run met with what was expected. */
export function compareRun(
  expected: Pick<Expectations, "passing" | "waiting">,
  tests: readonly TestResult[],
): Comparison {
  const met = new Map(tests.map((test) => [test.name, test]));
  const lost = [...expected.passing].filter((name) => met.get(name)?.outcome !== "passed").map(
    (name): TestResult =>
      met.get(name) ?? { name, outcome: "failed", details: "the suite didn't come to it" },
  );
  const passed = tests.filter((test) => test.outcome === "passed").map((test) => test.name);
  return {
    lost,
    gained: passed.filter((name) => !expected.passing.has(name)),
    unlisted: tests.filter(({ name, outcome }) =>
      outcome === "failed" && !expected.passing.has(name) && !expected.waiting.has(name)
    ),
    stillWaiting: [...expected.waiting.keys()].filter((name) => !passed.includes(name)),
  };
}

/** Puts what a run gained into the list of passing tests, and takes it off the waiting ones. */
export async function addGained(
  unit: string,
  expected: Expectations,
  gained: readonly string[],
  lists: URL = LISTS,
): Promise<void> {
  await writeLines(listFile(lists, "passing", unit), [...expected.passing, ...gained]);
  const waiting = [...expected.waiting].filter(([name]) => !gained.includes(name))
    .map(([name, reason]) => [name, reason, expected.leftOut.get(name) ?? []].flat());
  await writeLines(listFile(lists, "waiting", unit), waiting.map((entry) => entry.join("\t")));
}

/** What is wrong with the lists, given all tests that the unit has. */
export function checkLists(
  expected: Pick<Expectations, "passing" | "waiting">,
  all: readonly string[],
): string[] {
  const problems: string[] = [];
  for (const name of all) {
    const isPassing = expected.passing.has(name);
    const isWaiting = expected.waiting.has(name);
    if (isPassing && isWaiting) problems.push(`in both lists: ${name}`);
    if (!isPassing && !isWaiting) problems.push(`in no list: ${name}`);
  }
  for (const name of [...expected.passing, ...expected.waiting.keys()]) {
    if (!all.includes(name)) problems.push(`listed, but no test of redis-server: ${name}`);
  }
  return problems;
}

function listFile(lists: URL, list: "passing" | "waiting", unit: string): URL {
  return new URL(`${list}/${unit}.txt`, lists);
}

async function readLines(file: URL): Promise<string[]> {
  try {
    return (await Deno.readTextFile(file)).split("\n").filter((line) => line !== "");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function writeLines(file: URL, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) {
    await Deno.remove(file).catch(() => {});
    return;
  }
  await Deno.mkdir(new URL("./", file), { recursive: true });
  await Deno.writeTextFile(file, lines.join("\n") + "\n");
}
