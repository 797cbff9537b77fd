import { assertEquals, assertStringIncludes } from "@std/assert";
import { Tally } from "./tally.ts";
import { type Failure, outcomeOf, Stalls, Watch } from "./watch.ts";

const KILL = { kind: "kill", beganMs: 1000 } as const;
const UNKNOWN = "UNCERTAIN The master was lost before it answered";

function failure(sentMs: number, text = UNKNOWN): Failure {
  return { command: "set", text, sentMs, answeredMs: 2000 };
}

function judged(failures: Partial<Record<"reads" | "writes", Failure[]>>, incident?: typeof KILL) {
  const watch = new Watch();
  watch.failedReads.push(...failures.reads ?? []);
  watch.failedWrites.push(...failures.writes ?? []);
  return new Tally(1000).judge(watch, incident);
}

Deno.test("only writes that were in flight at a kill may fail", () => {
  assertEquals(judged({ writes: [failure(990), failure(1050)] }, KILL), undefined);
  assertStringIncludes(judged({ writes: [failure(1500)] }, KILL)!, "1 writes failed");
  assertStringIncludes(judged({ writes: [failure(990)] })!, "1 writes failed");
  assertStringIncludes(judged({ reads: [failure(990)] }, KILL)!, "1 reads failed");
});

Deno.test("a write must fail with a word about its outcome", () => {
  assertStringIncludes(judged({ writes: [failure(990, "ERR what?")] }, KILL)!, "ERR what?");
  assertEquals(outcomeOf(UNKNOWN), "unknown");
  assertEquals(outcomeOf("MASTERDOWN No master takes commands"), "refused");
  assertEquals(outcomeOf("Connection is closed."), "unknown");
});

Deno.test("the longest time between two events is counted from a restart on", () => {
  const stalls = new Stalls();
  for (const ms of [0, 50, 60]) stalls.note(ms);
  assertEquals(stalls.longestMs, 50);
  stalls.restart();
  for (const ms of [90, 100]) stalls.note(ms);
  assertEquals(stalls.longestMs, 30);
});
