import { assert, assertEquals } from "@std/assert";
import { CommandGuide } from "../../../src/client/help/mod.ts";
import { ALL_SPECS, type NamedSpec, visitSpecs } from "../../../src/commands/specs/mod.ts";
import { seededRandom, testSeed } from "../../support/random.ts";
import { assertIsExpected, type GeneratedWord, LineGenerator } from "./generated_lines.ts";

const guide = new CommandGuide(ALL_SPECS);

/** The commands that aren't containers. */
function leaves(): NamedSpec[] {
  const commands: NamedSpec[] = [];
  visitSpecs(ALL_SPECS, (named) => {
    if (named.spec.subcommands === undefined) commands.push(named);
  });
  return commands;
}

/** Calls at random, some of each command: the words of the name, and those that follow. */
function* calls(
  title: string,
  rounds: number,
): Generator<{ name: string[]; words: GeneratedWord[] }> {
  const random = seededRandom(testSeed(title));
  const generator = new LineGenerator(random);
  for (const { fullName, spec } of leaves()) {
    for (let round = 0; round < rounds; round++) {
      yield { name: fullName.split("|"), words: generator.words(spec.arguments ?? []) };
    }
  }
}

Deno.test("each word of a call can follow the ones before it", () => {
  for (const { name, words } of calls("calls", 10)) assertIsExpected(guide, name, words);
});

Deno.test("arguments that can't be left out are taken away one by one", () => {
  for (const { fullName, spec } of leaves()) {
    const name = fullName.split("|");
    const specs = spec.arguments ?? [];
    const optional = specs.findIndex(({ type, flags, token }) =>
      flags !== undefined || token !== undefined || ["oneof", "block"].includes(type)
    );
    const plain = optional < 0 ? specs.length : optional;
    let line = name.join(" ") + " ";
    let expected = guide.syntax(...name)!;
    for (const { type } of specs.slice(0, plain)) {
      assertEquals(guide.hint(line), expected, line);
      line += type === "string" || type === "key" ? "x " : "1 ";
      expected = expected.slice((expected + " ").indexOf(" ") + 1);
    }
    // A number of keys says how many of them come, so what follows it may be less.
    if (!specs.slice(0, plain).some((argument) => argument.name === "numkeys")) {
      assertEquals(guide.hint(line), expected, line);
    }
  }
});

Deno.test("a word that is half typed becomes the one that was meant", () => {
  for (const { name, words } of calls("beginnings", 1)) {
    const line = [...name, ...words.map(({ text }) => text)].join(" ");
    for (let end = 0; end <= line.length; end++) {
      const typed = line.slice(0, end);
      const hint = guide.hint(typed);
      assert(!/^\s\s|\s$/.test(hint), `spaces around '${hint}' behind '${typed}'`);
      const { start, candidates } = guide.complete(typed);
      assert(start <= end);
      for (const candidate of candidates) {
        assertEquals(candidate.slice(0, end - start), typed.slice(start), typed);
      }
    }
  }
});

Deno.test("what was completed is completed to the same again", () => {
  for (const { name, words } of calls("completions", 1)) {
    const line = [...name, ...words.map(({ text }) => text)].join(" ");
    for (let end = 0; end <= line.length; end++) {
      const { start, candidates } = guide.complete(line.slice(0, end));
      // At the very start, all commands would be tried again and again.
      for (const candidate of candidates.slice(0, 20)) {
        const again = guide.complete(line.slice(0, start) + candidate);
        assertEquals(again.start, start);
        assert(again.candidates.includes(candidate), `${line.slice(0, start)}${candidate}`);
      }
    }
  }
});

Deno.test("no line is too strange", () => {
  const random = seededRandom(testSeed("strange lines"));
  const below = (limit: number) => Math.floor(random() * limit);
  const names = Object.keys(ALL_SPECS);
  const pieces = [
    ...["help", "?", ":set", "connect", "config", "get", "streams", "numkeys", "ex", "nx", "2"],
    ...[" ", " ", " ", "\t", '"', "'", "\\", "\\x", "@", "*", "\0", "\xff", "\u{1f600}", "-", "1e"],
  ];
  const piece = () => {
    switch (below(4)) {
      case 0:
        return String.fromCharCode(below(256));
      case 1:
        return names[below(names.length)];
      default:
        return pieces[below(pieces.length)];
    }
  };
  for (let round = 0; round < 2_000; round++) {
    const line = Array.from({ length: below(12) }, piece).join("");
    assertEquals(typeof guide.hint(line), "string");
    const { start, candidates, key } = guide.complete(line);
    assert(start >= 0 && start <= line.length, JSON.stringify(line));
    assertEquals(new Set(candidates).size, candidates.length, JSON.stringify(line));
    if (key !== undefined) assert(key.prefix.length <= line.length - start);
    assert(guide.help(line.split(" ").filter((word) => word !== "")).endsWith("\n"));
  }
});
