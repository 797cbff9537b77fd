import { assert, assertEquals } from "@std/assert";
import { measureStalls, StallMeter } from "../../../src/client/tools/intrinsic_latency.ts";
import type { Clock } from "../../../src/runtime/clock.ts";
import { eventually } from "../../support/waiting.ts";
import { FakeTerminal } from "../fake_terminal.ts";
import { runTool, runToolItself, steppingClock } from "./tool_run.ts";

/** A clock that shows these times, one after the other, in milliseconds. */
function clockShowing(...timesMs: number[]): Clock {
  const next = () => timesMs.shift()!;
  return { now: next, monotonic: next };
}

Deno.test("the longest computation is told whenever there is a longer one", () => {
  // The begin, then the start and the end of each computation.
  const meter = new StallMeter(clockShowing(0, 0, 0.002, 0.003, 0.01, 0.01, 0.012, 0.5, 1.5));
  const longest: number[] = [];
  meter.measure(1, (longestUs) => longest.push(longestUs));
  assertEquals(longest, [2, 7, 1000]);
  assertEquals(meter.measuredMs, 1.5);
  assertEquals(
    meter.summary(),
    `
4 total runs (avg latency: 375.0000 microseconds / 375000.00 nanoseconds per run).
Worst run took 3x longer than the average latency.
`,
  );
});

Deno.test("no time at all is one computation", () => {
  const meter = new StallMeter(clockShowing(0, 0, 0));
  meter.measure(0, () => assert(false));
  assertEquals(
    meter.summary(),
    `
1 total runs (avg latency: 0.0000 microseconds / 0.00 nanoseconds per run).
Worst run took 0x longer than the average latency.
`,
  );
});

Deno.test("it measures for as long as it is told, without a server", async () => {
  const { code, output, commands } = await runToolItself(
    (context) => measureStalls(context, steppingClock(25)),
    ["--intrinsic-latency", "1"],
    () => "close",
  );
  assertEquals([code, commands], [0, []]);
  assertEquals(
    output,
    `Max latency so far: 25000 microseconds.

20 total runs (avg latency: 50000.0000 microseconds / 50000000.00 nanoseconds per run).
Worst run took 1x longer than the average latency.
`,
  );
});

Deno.test("Ctrl-C ends it with what was found", async () => {
  const terminal = new FakeTerminal();
  const running = runToolItself(
    (context) => measureStalls(context, steppingClock(25)),
    ["--intrinsic-latency", "1000000"],
    () => "close",
    terminal,
  );
  await eventually(() => terminal.output !== "");
  assert(terminal.interrupt());
  const { code, output } = await running;
  assertEquals(code, 0);
  assert(/^Max .*\n\n\d+ total runs .*\nWorst .*\n$/.test(output), output);
});

Deno.test("what is no number of seconds", async () => {
  const terminal = new FakeTerminal();
  const { code } = await runTool(["--intrinsic-latency", "soon"], () => "close", terminal);
  assertEquals(code, 1);
  assert(terminal.errors[0].includes("'soon' is no value for '--intrinsic-latency'"));
});
