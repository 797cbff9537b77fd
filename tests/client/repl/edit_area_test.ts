import { assertEquals } from "@std/assert";
import { EditArea, type EditFrame } from "../../../src/client/repl/edit_area.ts";
import { seededRandom, testSeed } from "../../support/random.ts";
import { Screen } from "./screen.ts";

const PROMPT = "127.0.0.1:6379> ";
const HINT = " key value [NX|XX]";
/** What lines are made of: narrow, wide, none at all, and what moves the cursor if it isn't hidden. */
const CHARACTERS = ["a", "b", "日", "👍", "e\u0301", "\t", "\x1b"];

function areaOn(screen: Screen): EditArea {
  const size = () => ({ columns: screen.columns, rows: screen.rows });
  return new EditArea((text) => screen.write(text), size, "\x1b[90m");
}

/** Any line, with the cursor on any of its characters. */
function randomFrame(random: () => number, characters: readonly string[]): EditFrame {
  const parts = Array.from(
    { length: Math.floor(random() * 50) },
    () => characters[Math.floor(random() * characters.length)],
  );
  const before = parts.slice(0, Math.floor(random() * (parts.length + 1))).join("");
  return {
    prompt: PROMPT,
    line: parts.join(""),
    cursor: random() < 0.3 ? parts.join("").length : before.length,
    hint: random() < 0.5 ? HINT : "",
  };
}

Deno.test("whatever was drawn before, a line looks as if nothing had been", () => {
  const random = seededRandom(testSeed("lines drawn over lines"));
  for (let round = 0; round < 100; round++) {
    const columns = 6 + Math.floor(random() * 40);
    const screen = new Screen(columns, 50);
    const area = areaOn(screen);
    screen.write("above\n");
    for (let step = 0; step < 20; step++) {
      const frame = randomFrame(random, CHARACTERS);
      area.draw(frame);
      const fresh = new Screen(columns, 50);
      fresh.write("above\n");
      areaOn(fresh).draw(frame);
      assertEquals([screen.text, screen.cursor], [fresh.text, fresh.cursor]);
    }
    area.erase();
    assertEquals([screen.text, screen.cursor], ["above", [1, 0]]);
  }
});

Deno.test("nor does it matter how wide the window was", () => {
  const random = seededRandom(testSeed("lines drawn in windows of all sizes"));
  for (let round = 0; round < 200; round++) {
    const screen = new Screen(20 + Math.floor(random() * 60), 100);
    const area = areaOn(screen);
    const frame = { ...randomFrame(random, ["a", "b"]), hint: "" };
    for (let step = 0; step < 10; step++) {
      area.draw(frame);
      const fresh = new Screen(screen.columns, 100);
      areaOn(fresh).draw(frame);
      assertEquals([screen.text, screen.cursor], [fresh.text, fresh.cursor]);
      screen.resize(20 + Math.floor(random() * 60));
    }
  }
});
