import { assert, assertEquals } from "@std/assert";
import { TurnClock } from "../../src/runtime/turn_clock.ts";

Deno.test("turn clock: unix time is the monotonic time and an offset", () => {
  let unix = 1_700_000_000_000;
  let monotonic = 5;
  const clock = new TurnClock({ now: () => unix, monotonic: () => monotonic });
  assertEquals(clock.unixMs, unix);
  monotonic += 12.25;
  assertEquals(clock.unixMs, unix, "only a look tells that time has passed");
  assertEquals(clock.look(), 17.25);
  assertEquals(clock.unixMs, unix + 12);
  assertEquals(clock.unixMicroseconds(), unix * 1000 + 12250);
  unix += 60_000;
  clock.correct();
  assertEquals(clock.unixMs, unix, "a clock that was set is followed");
  unix -= 120_000;
  clock.correct();
  assertEquals(clock.unixMs, unix);
});

Deno.test("turn clock: corrections stay within the millisecond that the system tells", () => {
  // The true time is the monotonic one and 0.4 ms; the system tells whole milliseconds.
  const start = 1_700_000_000_000;
  let monotonic = 1000;
  const clock = new TurnClock({
    now: () => Math.floor(start + monotonic + 0.4),
    monotonic: () => monotonic,
  });
  let last = 0;
  for (let tick = 0; tick < 1000; tick++) {
    monotonic += 100.037;
    clock.correct();
    assert(clock.unixMs >= last, "time doesn't go back");
    last = clock.unixMs;
  }
  assert(Math.abs(clock.unixMicroseconds() / 1000 - (start + monotonic + 0.4)) < 0.1);
});

Deno.test("turn clock: a look that was interrupted corrects nothing", () => {
  let monotonic = 0;
  let unix = 1000;
  let slow = false;
  const clock = new TurnClock({
    now: () => {
      if (slow) monotonic += 30;
      return unix;
    },
    monotonic: () => monotonic,
  });
  slow = true;
  unix += 500;
  clock.correct();
  assertEquals(clock.unixMs, 1030);
});
