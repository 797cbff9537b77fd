import { assert, assertEquals } from "@std/assert";
import {
  FIRST_FREQUENCY,
  FrequencyClock,
  secondsBetween,
  secondsClock,
} from "../../src/keyspace/access_clock.ts";
import { seededRandom } from "../support/random.ts";

const MINUTE_MS = 60_000;
const START_MS = 1_700_000_000_000;

Deno.test("access clock: seconds, also across the end of its 24 bits", () => {
  const wrapMs = 2 ** 24 * 1000;
  const before = secondsClock(wrapMs - 5000);
  assertEquals(before, 2 ** 24 - 5);
  assertEquals(secondsBetween(before, secondsClock(wrapMs + 3999)), 8);
  assertEquals(secondsBetween(before, before), 0);
});

Deno.test("access clock: a frequency loses one for each decay time that goes by unused", () => {
  const clock = new FrequencyClock(() => 0);
  clock.setTime(START_MS);
  const access = clock.withFrequency(20);
  assertEquals(clock.frequencyOf(access), 20);
  clock.setTime(START_MS + 3 * MINUTE_MS);
  assertEquals(clock.frequencyOf(access), 17);
  clock.decayMinutes = 2;
  assertEquals(clock.frequencyOf(access), 19);
  clock.decayMinutes = 0;
  assertEquals(clock.frequencyOf(access), 20);
  clock.decayMinutes = 1;
  clock.setTime(START_MS + 100 * MINUTE_MS);
  assertEquals(clock.frequencyOf(access), 0);
});

Deno.test("access clock: minutes wrap at 16 bits", () => {
  const clock = new FrequencyClock(() => 0);
  clock.setTime((2 ** 16 - 1) * MINUTE_MS);
  const access = clock.withFrequency(9);
  clock.setTime((2 ** 16 + 1) * MINUTE_MS);
  assertEquals(clock.minutes, 1);
  assertEquals(clock.frequencyOf(access), 7);
});

Deno.test("access clock: the first use counts, later ones by chance", () => {
  let chance = 0.999;
  const clock = new FrequencyClock(() => chance);
  clock.setTime(START_MS);
  let access = clock.withFrequency(FIRST_FREQUENCY);
  access = clock.afterUse(access);
  assertEquals(clock.frequencyOf(access), FIRST_FREQUENCY + 1);
  access = clock.afterUse(access);
  assertEquals(clock.frequencyOf(access), FIRST_FREQUENCY + 1, "one in eleven counts");
  chance = 1 / 11 + 0.001;
  assertEquals(clock.afterUse(access), access);
  chance = 1 / 11 - 0.001;
  access = clock.afterUse(access);
  assertEquals(clock.frequencyOf(access), FIRST_FREQUENCY + 2);
  chance = 0;
  const highest = clock.withFrequency(255);
  assertEquals(clock.frequencyOf(clock.afterUse(highest)), 255);
});

Deno.test("access clock: a hundred, a thousand and a hundred thousand uses", () => {
  // redis.conf has such a table: 10, 18, 142 for the factor 10.
  const clock = new FrequencyClock(seededRandom(7));
  clock.setTime(START_MS);
  const after = (uses: number): number => {
    let sum = 0;
    for (let key = 0; key < 10; key++) {
      let access = clock.withFrequency(FIRST_FREQUENCY);
      for (let use = 0; use < uses; use++) access = clock.afterUse(access);
      sum += clock.frequencyOf(access);
    }
    return sum / 10;
  };
  assert(Math.abs(after(100) - 10) <= 2);
  assert(Math.abs(after(1000) - 18) <= 3);
  assert(Math.abs(after(100_000) - 142) <= 8);
});
