import { assertEquals } from "@std/assert";
import { globMatch, globMatchRange } from "../../src/keyspace/glob.ts";

/** One byte a character. */
function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function check(pattern: string, text: string, expected: boolean, ignoreCase = false) {
  const shown = `${JSON.stringify(pattern)} ${JSON.stringify(text)}`;
  assertEquals(globMatch(bytes(pattern), bytes(text), ignoreCase), expected, shown);
  // The same between other bytes that must not be looked at.
  const framedPattern = bytes(`*]${pattern}]*`);
  const framedText = bytes(`a]${text}]*`);
  assertEquals(
    globMatchRange(
      framedPattern,
      2,
      framedPattern.length - 2,
      framedText,
      2,
      framedText.length - 2,
      ignoreCase,
    ),
    expected,
    shown,
  );
}

/** Splits "pattern text text" lines. */
function checkAll(lines: string[], expected: boolean, ignoreCase = false) {
  for (const line of lines) {
    const [pattern, ...texts] = line.split(" ");
    for (const text of texts) check(pattern, text, expected, ignoreCase);
  }
}

Deno.test("glob: stars and question marks", () => {
  checkAll([
    "a a",
    "* a abc",
    "** a abc",
    "a* a ab abc",
    "*c c bc abc",
    "a*c ac abc abbc acac",
    "a*b*c abc axbxc abbcc",
    "? a b *",
    "a?c abc a?c",
    "*a* a ba ab bab",
    "*ab ab aab abab",
    "*?a aa baa",
  ], true);
  checkAll(
    ["a b aa", "a* b ba", "*c a ca", "a*c ab bac acb", "? ab", "a?c ac abbc", "*?a a"],
    false,
  );
});

Deno.test("glob: classes", () => {
  checkAll([
    "[abc] a b c",
    "[a-c] a b c",
    "[c-a] a b c",
    "[^a-c] d ^ -",
    "[^^] a",
    "[a^] a ^",
    "[-a] - a",
    "[a-] a ^",
    "x[0-9]*y x1y x12zy",
    "[\\]] ]",
    "[\\^a] ^ a",
    "[\\\\] \\",
    "[[] [",
    "[a\\-c] a - c",
  ], true);
  checkAll([
    "[abc] d ab",
    "[a-c] d",
    "[^a-c] a b c",
    "[^^] ^",
    "[a\\-c] b",
    "[] a ]",
    "[]a] a ]a ]",
  ], false);
});

Deno.test("glob: a class that isn't closed ends with the pattern", () => {
  checkAll(["[a a", "[^ a", "[^a b", "[a-c b", "[a-] _", "[a\\ \\ a", "[ab a b", "*[b ab"], true);
  checkAll(["[ a [", "[a b", "[^a a", "[a-] -", "[a-c d", "[b ab"], false);
});

Deno.test("glob: escapes", () => {
  checkAll(
    ["\\* *", "\\? ?", "\\[a] [a]", "\\\\ \\", "\\a a", "a\\ a\\", "*\\** a*b", "\\ \\"],
    true,
  );
  checkAll(["\\* a", "\\? a", "\\[a] a", "\\\\ a", "a\\ a", "*\\** ab"], false);
});

Deno.test("glob: an empty text matches an empty pattern only", () => {
  check("", "", true);
  check("*", "", false);
  check("**", "", false);
  check("", "a", false);
});

Deno.test("glob: bytes of 128 and more are negative in ranges", () => {
  check("[\xff-a]", "\0", true);
  check("[a-\xff]", "\0", true);
  check("[a-\xff]", "b", false);
  check("[a-\xff]", "\x80", false);
  check("[\x80-\x90]", "\x85", true);
  check("\xe9*", "\xe9a", true);
});

Deno.test("glob: letters in either case", () => {
  checkAll(
    [
      "ABC abc ABC aBc",
      "a?C aXc",
      "max* MAXMEMORY",
      "*POLICY maxmemory-policy",
      "[A-C] a B c",
      "[a-c] A b C",
      "[ABC] a",
      "\\A a A",
      "[\\A] A",
      "[^a] B",
    ],
    true,
    true,
  );
  checkAll(["ABC abd", "[A-C] d D", "[^a] A a", "[\\A] a", "[Z-a] z Z a [", "@ `"], false, true);
  checkAll(["ABC abc", "[A-C] a", "\\A a", "[ABC] a"], false);
});

Deno.test("glob: agrees with the plain definition for random patterns", () => {
  let seed = 1;
  const random = (limit: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return (seed >>> 8) % limit;
  };
  const pick = (alphabet: string, length: number) =>
    Array.from({ length }, () => alphabet[random(alphabet.length)]).join("");
  for (let round = 0; round < 5000; round++) {
    const pattern = pick("ab?**", 1 + random(8));
    const text = pick("ab", 1 + random(8));
    const expression = pattern.replaceAll("?", ".").replace(/\*+/g, ".*");
    check(pattern, text, new RegExp(`^${expression}$`).test(text));
  }
});

Deno.test("glob: many stars take no time to speak of", () => {
  const text = "a".repeat(10_000);
  check("a*".repeat(30) + "b", text, false);
  check("*a*a*a*a*a*a*a*a*b*", text, false);
  check("a*".repeat(30), text, true);
});

Deno.test("glob: gives up behind a thousand stars, as Redis does", () => {
  check("*a".repeat(1000), "a".repeat(1000), true);
  check("*a".repeat(1000) + "*", "a".repeat(1000), true);
  check("*a".repeat(1001), "a".repeat(1001), false);
  check("a*".repeat(1001), "a".repeat(1001), true);
  check("a*".repeat(1002), "a".repeat(1002), false);
});
