import { assertEquals, assertMatch } from "@std/assert";
import { checkLists, compareRun, readExpectations } from "./expectations.ts";
import { mergeAlike, parseOutput } from "./output.ts";
import { pickShare, UNITS } from "./units.ts";

const OUTPUT = `Cleanup: may take some time... OK
Starting test server at port 22100
[ready]: 4451
\x1b[1;37;49mTesting unit/some\x1b[0m
[\x1b[0;32;49mok\x1b[0m]: First (with brackets) (12 ms)
Waiting for process 12 to exit...
[\x1b[0;32;49mok\x1b[0m]: First (with brackets) (3 ms)
[err]: Second in tests/unit/some.tcl
Expected 'a' to be equal to 'b'
[ignore]: Third: large memory flag not provided
[ignore]: Tag: needs:debug denied
[skip]: Fourth
[err]: me outside of a test
    while executing
"r config set x y"
[1/1 done]: unit/some (3 seconds)

                   The End

[err]: Second in tests/unit/some.tcl
Expected 'a' to be equal to 'b'
`;

Deno.test("the output of the suite is taken apart", () => {
  const output = parseOutput(OUTPUT);
  assertEquals(output.tests, [
    { name: "First (with brackets)", outcome: "passed", details: "" },
    { name: "First (with brackets) #2", outcome: "passed", details: "" },
    { name: "Second", outcome: "failed", details: "Expected 'a' to be equal to 'b'" },
    { name: "Third", outcome: "left out", details: "" },
    { name: "Fourth", outcome: "left out", details: "" },
  ]);
  assertEquals(output.faults.length, 1);
  assertEquals(output.isComplete, true);
  assertEquals(output.hangingTest, undefined);
});

Deno.test("a test at which the suite gave up is named", () => {
  const output = parseOutput(`[ok]: First (1 ms)
[TIMEOUT]: clients state report follows.
sock55d0 => (IN PROGRESS) Blocked for ever
Killing still running Redis server 17
`);
  assertEquals(output.hangingTest, "Blocked for ever");
  assertEquals(output.isComplete, false);
});

Deno.test("tests whose names differ in numbers alone are one where chance names them", () => {
  const { tests } = parseOutput(`[ok]: PSYNC2: Set #1 to follow #4 (1 ms)
[ok]: PSYNC2: load (x = 12) (1 ms)
[err]: PSYNC2: Set #2 to follow #3 in tests/some.tcl
It didn't
[ok]: PSYNC2: load (x = 13) (1 ms)
[ok]: PSYNC2: Set #2 to follow #3 (1 ms)
`);
  assertEquals(mergeAlike(tests), [
    { name: "PSYNC2: Set #N to follow #N", outcome: "failed", details: "It didn't" },
    { name: "PSYNC2: load (x = N)", outcome: "passed", details: "" },
  ]);
});

Deno.test("a test whose server doesn't start has not passed", () => {
  const output = parseOutput(`[err]: Can't start the Redis server
CONFIGURATION:port 1
ERROR:### Starting server for test Others in tests/unit/some.tcl
1:M 1 Jan 2026 00:00:00.000 * Ready to accept connections
### Starting server for test Odd arguments in tests/unit/some.tcl
unknown option
[ok]: Odd arguments (1 ms)
[ok]: Others (1 ms)
`);
  assertEquals(output.tests.map((test) => test.outcome), ["failed", "passed"]);
  assertEquals(output.faults.length, 1);
  assertMatch(output.faults[0], /^Can't start the Redis server: [^]*unknown option$/);
});

Deno.test("a run is compared with the lists", () => {
  const expected = {
    passing: new Set(["stays", "breaks", "vanishes"]),
    waiting: new Map([["waits", "lists"], ["now passes", "lists"]]),
  };
  const comparison = compareRun(expected, [
    { name: "stays", outcome: "passed", details: "" },
    { name: "breaks", outcome: "failed", details: "why" },
    { name: "waits", outcome: "failed", details: "ERR unknown command" },
    { name: "now passes", outcome: "passed", details: "" },
    { name: "new", outcome: "passed", details: "" },
    { name: "unknown", outcome: "failed", details: "" },
  ]);
  assertEquals(comparison.lost.map((test) => test.name), ["breaks", "vanishes"]);
  assertEquals(comparison.gained, ["now passes", "new"]);
  assertEquals(comparison.unlisted.map((test) => test.name), ["unknown"]);
  assertEquals(comparison.stillWaiting, ["waits"]);
});

Deno.test("a test is in one of the lists", () => {
  const expected = { passing: new Set(["a", "b"]), waiting: new Map([["b", "x"], ["c", "x"]]) };
  assertEquals(checkLists(expected, ["a", "b", "d"]), [
    "in both lists: b",
    "in no list: d",
    "listed, but no test of redis-server: c",
  ]);
});

Deno.test("slow units take turns within the budget", () => {
  const units = [
    { name: "fast", seconds: 5 },
    { name: "slow 1", seconds: 60 },
    { name: "slow 2", seconds: 60 },
    { name: "slow 3", seconds: 200 },
  ];
  const picked = (turn: number, budget: number) =>
    pickShare(units, turn, budget).map((unit) => unit.name);
  assertEquals(picked(0, 130), ["fast", "slow 1", "slow 2"]);
  assertEquals(picked(1, 130), ["fast", "slow 2"]);
  assertEquals(picked(2, 10), ["fast", "slow 3"]);
});

Deno.test("the committed lists name each test once, and why it waits", async () => {
  const problems: string[] = [];
  for (const { name } of UNITS) {
    const { passing, waiting } = await readExpectations(name);
    problems.push(...checkLists({ passing, waiting }, [...passing, ...waiting.keys()]));
  }
  assertEquals(problems, []);
});

Deno.test("the lists for our client name the same tests against each server", async () => {
  const names: string[][] = [];
  for (const server of ["redis-server", "miniredis"]) {
    const lists = new URL(`./client/${server}/`, import.meta.url);
    const { passing, waiting } = await readExpectations("integration/redis-cli", lists);
    assertEquals(checkLists({ passing, waiting }, [...passing, ...waiting.keys()]), []);
    names.push([...passing, ...waiting.keys()].sort());
  }
  assertEquals(names[0].length, 31);
  assertEquals(names[0], names[1]);
});
