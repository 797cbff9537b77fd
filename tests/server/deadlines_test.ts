import { assertEquals } from "@std/assert";
import { type Deadline, Deadlines } from "../../src/server/deadlines.ts";
import { HandClock } from "../support/memory_server.ts";
import { seededRandom } from "../support/random.ts";

/** A deadline that notes when it happened. */
function deadlineAt(dueMs: number, happened: number[]): Deadline {
  return { dueMs, heapIndex: -1, due: () => happened.push(dueMs) };
}

Deno.test("deadlines: random ones happen in order, each once, and those taken out never", () => {
  const clock = new HandClock();
  const deadlines = new Deadlines(clock);
  const random = seededRandom(5);
  const happened: number[] = [];
  const expected: number[] = [];
  let waiting: Deadline[] = [];
  for (let round = 0; round < 3000; round++) {
    const kind = random();
    if (kind < 0.6) {
      const deadline = deadlineAt(clock.now() + Math.floor(random() * 1000), happened);
      waiting.push(deadline);
      deadlines.add(deadline);
    } else if (kind < 0.8 && waiting.length > 0) {
      const [gone] = waiting.splice(Math.floor(random() * waiting.length), 1);
      deadlines.remove(gone);
      deadlines.remove(gone);
    } else {
      clock.advance(Math.floor(random() * 50));
      const due = waiting.filter((deadline) => deadline.dueMs <= clock.now());
      waiting = waiting.filter((deadline) => deadline.dueMs > clock.now());
      expected.push(...due.map((deadline) => deadline.dueMs).sort((left, right) => left - right));
      deadlines.run();
    }
    assertEquals(deadlines.size, waiting.length);
  }
  assertEquals(happened, expected);
  deadlines.stop();
  assertEquals(deadlines.size, 0);
});

Deno.test("deadlines: the timer rings by itself, also for one that comes later and is due sooner", async () => {
  const start = Date.now();
  const deadlines = new Deadlines({ now: () => Date.now(), monotonic: () => performance.now() });
  const happened: string[] = [];
  await new Promise<void>((done) => {
    const add = (name: string, ms: number, then: () => void) =>
      deadlines.add({
        dueMs: start + ms,
        heapIndex: -1,
        due: () => {
          happened.push(name);
          then();
        },
      });
    add("late", 30, done);
    add("soon", 5, () => add("next", 10, () => {}));
  });
  assertEquals(happened, ["soon", "next", "late"]);
  deadlines.stop();
});
