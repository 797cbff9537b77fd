import { assert, assertEquals } from "@std/assert";
import { ZipfSource } from "./zipf.ts";

Deno.test("zipf: numbers come up as often as their rank says, and are the same for the same seed", () => {
  const count = 1000;
  const draws = 400_000;
  const source = new ZipfSource(count, 1, 42);
  const again = new ZipfSource(count, 1, 42);
  const seen = new Float64Array(count);
  for (let draw = 0; draw < draws; draw++) {
    const number = source.next();
    assertEquals(again.next(), number);
    seen[number]++;
  }
  const harmonic = Array.from({ length: count }, (_, rank) => 1 / (rank + 1))
    .reduce((sum, share) => sum + share, 0);
  const descending = seen.toSorted().reverse();
  for (const rank of [0, 1, 4, 19]) {
    const expected = draws / harmonic / (rank + 1);
    assert(Math.abs(descending[rank] - expected) < expected * 0.06, `rank ${rank}`);
  }
  assert(descending[count - 1] > 0, "the least popular one comes up, too");
});
