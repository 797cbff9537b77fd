import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { checkLists, readExpectations } from "../tcl/expectations.ts";
import { UNITS } from "./conformance.ts";
import { SentinelOutput } from "./output.ts";
import { adapted } from "./sandbox.ts";

const OUTPUT = `Starting sentinel #0 at port 20000
\x1b[0;33;49mTesting unit: 00-base.tcl\x1b[0m
15:51:02> (init) Restart killed instances: redis/0 sentinel/1 \x1b[0;32;49mOK\x1b[0m
15:51:04> New master 127.0.0.1:30003 role matches: \x1b[0;32;49mOK\x1b[0m
15:51:05> Some are left out: LEFT OUT
15:51:06> New master 127.0.0.1:30001 role matches: Waiting for process 12 to exit...
\x1b[0;32;49mOK\x1b[0m
15:51:07> Breaks: a word
\x1b[0;31;49mFAILED: It didn't\x1b[0m
\x1b[0;31;49m(Jumping to next unit after error)\x1b[0m
\x1b[0;33;49mTesting unit: 01-conf-update.tcl\x1b[0m
15:51:08> Throws: FAILED: caught an error in the test ERR unknown command
ERR unknown command
    while executing
"S 0 sentinel nope"
\x1b[0;33;49mTesting unit: 02-slaves-reconf.tcl\x1b[0m
15:51:09> Hangs: `;

Deno.test("the output of the Sentinel suite is taken apart, however it comes", () => {
  for (const size of [1, 7, OUTPUT.length]) {
    let now = 0;
    const output = new SentinelOutput(() => now++);
    for (let index = 0; index < OUTPUT.length; index += size) {
      output.take(OUTPUT.slice(index, index + size));
    }
    output.finish();
    assertEquals(output.tests.map(({ unit, name, outcome }) => [unit, name, outcome]), [
      ["00-base", "(init) Restart killed instances", "passed"],
      ["00-base", "New master 127.0.0.1:N role matches", "passed"],
      ["00-base", "Some are left out", "left out"],
      ["00-base", "New master 127.0.0.1:N role matches #2", "passed"],
      ["00-base", "Breaks", "failed"],
      ["01-conf-update", "Throws", "failed"],
      ["02-slaves-reconf", "Hangs", "failed"],
    ]);
    assertEquals(output.tests[4].details, "a word\nIt didn't");
    assertEquals(output.tests[5].details, "caught an error in the test ERR unknown command");
    assertEquals(output.isComplete, false);
  }
});

Deno.test("a test takes as long as its name stands alone", () => {
  let now = 100;
  const output = new SentinelOutput(() => now);
  output.take("Testing unit: 00-base.tcl\n");
  now = 200;
  output.take("15:51:02> First: ");
  now = 250;
  output.take("redis/0 ");
  now = 300;
  output.take("OK\n15:51:02> Second: ");
  now = 700;
  output.take("OK\n");
  assertEquals(output.tests.map((test) => test.milliseconds), [100, 400]);
});

Deno.test("the suite's end is seen", () => {
  for (const end of ["GOOD! No errors.", "WARNING 2 test(s) failed."]) {
    const output = new SentinelOutput(() => 0);
    output.take(`\x1b[0;32;49m${end}\x1b[0m\n`);
    assertEquals(output.isComplete, true);
  }
});

Deno.test("the suite is changed where it has to be, or not at all", () => {
  const text = adapted('set ::leaked_fds_file "x"\nproc test {descr code} {\n  body\n', [
    "a b",
    "c",
  ]);
  assertStringIncludes(text, 'set ::leaked_fds_file ""\n');
  assertStringIncludes(text, "if {$descr in {{a b} {c}}} {");
  assertStringIncludes(text, "  body\n");
  assertThrows(() => adapted("proc test {descr} {", []), Error, "the suite has no place");
});

Deno.test("the committed lists of the Sentinel suite name each test once, and why it waits", async () => {
  const problems: string[] = [];
  for (const unit of UNITS) {
    const { passing, waiting } = await readExpectations(unit, new URL("./", import.meta.url));
    problems.push(...checkLists({ passing, waiting }, [...passing, ...waiting.keys()]));
    if (passing.size === 0) problems.push(`no lists for ${unit}`);
  }
  assertEquals(problems, []);
});
