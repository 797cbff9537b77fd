import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Outcome, WriteRecord } from "./record.ts";

function recordOf(...outcomes: readonly Outcome[]): WriteRecord {
  const record = new WriteRecord("key");
  for (const [index, outcome] of outcomes.entries()) {
    record.begin(index + 1);
    record.settle(index + 1, outcome);
  }
  return record;
}

Deno.test("what was acknowledged has to be there, what is unknown may be", () => {
  const record = recordOf("done", "unknown", "done", "pending");
  const well = { lost: 0, fault: undefined };
  assertEquals(record.check([1, 3], record.done, true), well);
  assertEquals(record.check([1, 2, 3, 4], record.done, true), well);
  assertEquals(record.check([1, 2], record.done, true).lost, 1);
  assertEquals(record.check([], record.done, true).lost, 2);
});

Deno.test("what is there twice, was refused, is of nobody or out of order is a fault", () => {
  const record = recordOf("done", "refused", "done");
  const fault = (shown: readonly number[]) => record.check(shown, record.done, true).fault ?? "";
  assertStringIncludes(fault([1, 3, 3]), "twice");
  assertStringIncludes(fault([1, 2, 3]), "refused: 2");
  assertStringIncludes(fault([1, 3, 4]), "nobody wrote: 4");
  assertStringIncludes(fault([3, 1]), "out of order");
  assertEquals(record.check([3, 1], record.done, false).fault, undefined);
});

Deno.test("the last value is the last acknowledged one or a later one", () => {
  const record = recordOf("done", "done", "unknown", "refused");
  assertEquals(record.checkLast(2, record.done).fault, undefined);
  assertEquals(record.checkLast(3, record.done).fault, undefined);
  assertEquals(record.checkLast(1, record.done).lost, 1);
  assertStringIncludes(record.checkLast(4, record.done).fault!, "refused");
});

Deno.test("a counter is between what was acknowledged and what was sent", () => {
  const record = recordOf("done", "unknown", "refused");
  assertEquals(record.checkCount(1, 1).fault, undefined);
  assertEquals(record.checkCount(2, 1).fault, undefined);
  assertEquals(record.checkCount(0, 1).lost, 1);
  assertStringIncludes(record.checkCount(3, 1).fault!, "only 2 were sent");
});
