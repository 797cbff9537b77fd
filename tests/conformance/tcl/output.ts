/**
 * What the Tcl suite prints, taken apart: which tests a run of a unit met, and how each ended.
 *
 * The suite prints `[ok]: name (3 ms)`, `[err]: name in tests/unit/x.tcl` with the reason on the
 * lines below, `[ignore]: name: reason` and `[skip]: name`. A test is known by its name alone, so a
 * name that comes again gets a number.
 *
 * @module
 */

/** How a test ended. */
export type TestOutcome = "passed" | "failed" | "left out";

/** One test of a run. */
export interface TestResult {
  /** Its name, the same in every run. */
  readonly name: string;
  /** How it ended. */
  readonly outcome: TestOutcome;
  /** What the suite says of a failure; empty otherwise. */
  readonly details: string;
}

/** What a run of a unit printed. */
export interface UnitOutput {
  /** The tests in the order in which they ended. */
  readonly tests: readonly TestResult[];
  /** Errors outside of tests, which take the rest of their server's tests with them. */
  readonly faults: readonly string[];
  /** Whether the suite went through the unit to its end. */
  readonly isComplete: boolean;
  /** The test that ran when the suite gave up waiting. */
  readonly hangingTest?: string;
}

// deno-lint-ignore no-control-regex -- the suite prints in colours.
const COLOURS = /\x1b\[[0-9;]*m/g;
const MARK = /^\[([a-z]+|TIMEOUT|\d+\/\d+ done)\]: (.*)$/;

const CANNOT_START = "Can't start the Redis server";

/** The name under which a test is listed. */
export function stableName(name: string): string {
  return name.replace(/\s+/g, " ").trim();
}

/** Reads what a run of a unit printed. */
export function parseOutput(text: string): UnitOutput {
  const tests: TestResult[] = [];
  const faults: string[] = [];
  const withoutServer = new Set<string>();
  const seen = new Map<string, number>();
  let isComplete = false;
  let hangingTest: string | undefined;
  const add = (name: string, outcome: TestOutcome, details = "") => {
    const stable = stableName(name);
    const count = (seen.get(stable) ?? 0) + 1;
    seen.set(stable, count);
    tests.push({ name: count === 1 ? stable : `${stable} #${count}`, outcome, details });
  };
  for (const { mark, body } of entries(text.replace(COLOURS, ""))) {
    const [first, ...rest] = body.split("\n");
    if (mark === "ok") add(first.replace(/ \(\d+ ms\)$/, ""), "passed");
    else if (mark === "skip") add(first, "left out");
    else if (mark === "ignore") {
      // A whole server may be left out by its tags: that has no name.
      const end = first.lastIndexOf(": ");
      if (end > 0 && !first.startsWith("Tag: ")) add(first.slice(0, end), "left out");
    } else if (mark === "err") {
      if (first.startsWith(CANNOT_START)) {
        // The settings stand between this line and the reason.
        faults.push(`${CANNOT_START}: ${body.slice(body.indexOf("\nERROR:") + 7).trim()}`);
        // Servers that share a folder have written to the same log before.
        const starts = [...body.matchAll(/### Starting server for test (.*)$/gm)];
        const test = /^(.*) in tests\/\S+\.tcl$/.exec(starts.at(-1)?.[1] ?? "");
        if (test !== null) withoutServer.add(stableName(test[1]));
        continue;
      }
      const named = /^([^]*?) in tests\/\S+\.tcl$/m.exec(body);
      if (named !== null) add(named[1], "failed", body.slice(named[0].length).trim());
      else faults.push(body.trim());
    } else if (mark === "exception") faults.push(body.trim());
    else if (mark === "TIMEOUT") {
      hangingTest = /=> \(IN PROGRESS\) (.*)/.exec(rest.join("\n"))?.[1] ?? hangingTest;
      faults.push(`no progress: ${rest.join(" ").trim().slice(0, 300)}`);
    } else if (mark.endsWith("done")) isComplete = true;
  }
  return {
    // The suite goes on without the server, and may find nothing wrong.
    tests: tests.map((test) =>
      withoutServer.has(test.name) && test.outcome === "passed"
        ? { ...test, outcome: "failed", details: CANNOT_START }
        : test
    ),
    faults,
    isComplete,
    hangingTest,
  };
}

/**
 * The tests of a unit of which chance says which it has: those whose names differ in numbers alone (which replica, the how manieth) are
 * one, which passes if all of them do.
 */
export function mergeAlike(tests: readonly TestResult[]): TestResult[] {
  const merged = new Map<string, TestResult>();
  for (const test of tests) {
    let name = test.name.replace(/\b\d+\b/g, "N");
    // What was counted when a name came again; others end so too.
    const first = name.replace(/ #N$/, "");
    if (merged.has(first)) name = first;
    const before = merged.get(name);
    const isWorse = before === undefined || test.outcome === "failed" ||
      before.outcome === "left out";
    if (isWorse && before?.outcome !== "failed") merged.set(name, { ...test, name });
  }
  return [...merged.values()];
}

/** Cuts the text into marked entries; lines without a mark belong to the entry above them. */
function entries(text: string): { mark: string; body: string }[] {
  const found: { mark: string; body: string }[] = [];
  // Behind this line failures are told a second time.
  for (const line of text.split(/^ +The End$/m)[0].split("\n")) {
    const match = MARK.exec(line);
    if (match !== null) found.push({ mark: match[1], body: match[2] });
    else if (found.length > 0) found[found.length - 1].body += `\n${line}`;
  }
  return found;
}
