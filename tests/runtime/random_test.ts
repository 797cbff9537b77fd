import { assertEquals } from "@std/assert";
import { RandomTape } from "../../src/runtime/random.ts";

Deno.test("a tape draws the numbers of its source in order, and tells those that come without drawing them", () => {
  let drawn = 0;
  const tape = new RandomTape(() => drawn++);
  const expected = { next: 0 };
  for (let step = 0; step < 1000; step++) {
    const ahead = (step * 37) % 64;
    if (step % 3 === 0) assertEquals(tape.peek(ahead), expected.next + ahead);
    else assertEquals(tape.next(), expected.next++);
  }
});
