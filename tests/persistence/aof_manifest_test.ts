import { assertEquals, assertThrows } from "@std/assert";
import {
  type AofManifest,
  baseName,
  EMPTY_MANIFEST,
  formatManifest,
  incrementName,
  ManifestError,
  manifestName,
  manifestOfOldFile,
  parseManifest,
  temporaryIncrementName,
  temporaryManifestName,
  withNewBase,
  withNewIncrement,
  withoutHistory,
  withRewrittenIncrements,
} from "../../src/persistence/aof_manifest.ts";

const BASE = "file appendonly.aof.2.base.rdb seq 2 type b\n";
const INCREMENT = "file appendonly.aof.1.incr.aof seq 1 type i\n";

function wrong(text: string): ManifestError {
  return assertThrows(() => parseManifest(text), ManifestError);
}

Deno.test("a manifest is read and written line by line", () => {
  const text = BASE +
    "file appendonly.aof.1.incr.aof seq 1 type h\n" +
    "file appendonly.aof.2.incr.aof seq 2 type i\n" +
    "file appendonly.aof.4.incr.aof seq 4 type i\n";
  const manifest = parseManifest(text);
  assertEquals(manifest, {
    base: { name: "appendonly.aof.2.base.rdb", sequence: 2 },
    history: [{ name: "appendonly.aof.1.incr.aof", sequence: 1 }],
    increments: [
      { name: "appendonly.aof.2.incr.aof", sequence: 2 },
      { name: "appendonly.aof.4.incr.aof", sequence: 4 },
    ],
    currentBaseSequence: 2,
    currentIncrementSequence: 4,
  });
  assertEquals(formatManifest(manifest), text);
});

Deno.test("words count whatever their order, case and company", () => {
  for (
    const line of [
      "type i seq 1 file appendonly.aof.1.incr.aof\n",
      "FILE appendonly.aof.1.incr.aof Seq 1 TYPE i\r\n",
      " \tfile appendonly.aof.1.incr.aof  seq +1x type increment \n",
      "file appendonly.aof.1.incr.aof seq 1 type i newkey value *3 ''\n",
      "*3 value file appendonly.aof.1.incr.aof seq 1 type i\n",
      "file other seq 2 type b file 'appendonly.aof.1.incr.aof' seq 1 type i\n",
      `# ${"a comment of any length".repeat(100)}\n${INCREMENT}#\n`,
    ]
  ) {
    assertEquals(parseManifest(line).increments, [
      { name: "appendonly.aof.1.incr.aof", sequence: 1 },
    ], line);
  }
  assertEquals(parseManifest("#\n"), { ...EMPTY_MANIFEST, base: undefined });
});

Deno.test("names that need it stand in quotes", () => {
  for (
    const [name, written] of [
      ["plain-name_1.aof", "plain-name_1.aof"],
      ["a b.aof", '"a b.aof"'],
      ['"a"', '"\\"a\\""'],
      ["a'b", `"a'b"`],
      ["a\tb\x01", '"a\\tb\\x01"'],
      ["é€.aof", '"\\xc3\\xa9\\xe2\\x82\\xac.aof"'],
    ]
  ) {
    const manifest: AofManifest = { ...EMPTY_MANIFEST, base: { name, sequence: 1 } };
    const text = formatManifest(manifest);
    assertEquals(text, `file ${written} seq 1 type b\n`);
    assertEquals(parseManifest(text).base, { name, sequence: 1 });
  }
  assertEquals(parseManifest("file é.aof seq 1 type b\n").base?.name, "é.aof");
});

Deno.test("what can't be used is refused in the words of Redis", () => {
  const tooLong = "The AOF manifest file contains too long line";
  const invalid = "Invalid AOF manifest file format";
  for (
    const [text, message] of [
      ["", "Found an empty AOF manifest"],
      [`${INCREMENT}\n${BASE}`, invalid],
      [" \t \n", invalid],
      ["filx a seq 1 type b\n", invalid],
      ["file a type i\n", invalid],
      ["file a seq 1 type i newkey\n", invalid],
      ["file '' seq 1 type i\n", invalid],
      ["file a seq 1 type ''\n", invalid],
      ["file a seq x type i\n", invalid],
      ["file a seq 9007199254740991 type i\n", invalid],
      ['file "a seq 1 type i\n', invalid],
      ["file a seq 1 type x\n", "Unknown AOF file type"],
      [`${BASE}${BASE.replaceAll("2", "3")}`, "Found duplicate base file information"],
      ["file b seq 2 type i\nfile a seq 1 type i\n", "Found a non-monotonic sequence number"],
      ["file b seq 2 type i\nfile a seq 2 type i\n", "Found a non-monotonic sequence number"],
      ["file a seq -1 type i\n", "Found a non-monotonic sequence number"],
      ["file ../a seq 1 type i\n", "File can't be a path, just a filename"],
      ["file a\\\\b seq 1 type i\n", "File can't be a path, just a filename"],
      [INCREMENT.trim(), tooLong],
      [INCREMENT.replace("\n", " \0\n"), tooLong],
      [`file a seq 1 type i key ${"x".repeat(1000)}\n`, tooLong],
      [`file a seq 1 type i key ${"é".repeat(500)}\n`, tooLong],
    ]
  ) {
    // Redis takes a backslash outside of quotes as it is.
    assertEquals(wrong(text.replaceAll("\\\\", "\\")).message, message, text);
  }
  const longest = `file a seq 1 type i key ${"x".repeat(999)}\n`;
  assertEquals(longest.length, 1024);
  assertEquals(parseManifest(longest).increments.length, 1);
});

Deno.test("the log says where a manifest is wrong", () => {
  assertEquals(wrong(`${BASE} file a seq 1 type x\r\n`).logTexts, [
    "\n*** FATAL AOF MANIFEST FILE ERROR ***\n",
    "Reading the manifest file, at line 2\n",
    ">>> 'file a seq 1 type x'\n",
    "Unknown AOF file type\n",
  ]);
  assertEquals(wrong("").logTexts.slice(1), ["Found an empty AOF manifest\n"]);
});

Deno.test("files have the names that Redis gives them", () => {
  assertEquals(manifestName("a.aof"), "a.aof.manifest");
  assertEquals(temporaryManifestName("a.aof"), "temp-a.aof.manifest");
  assertEquals(temporaryIncrementName("a.aof"), "temp-a.aof.incr");
  assertEquals(baseName("a.aof", 3, true), "a.aof.3.base.rdb");
  assertEquals(baseName("a.aof", 3, false), "a.aof.3.base.aof");
  assertEquals(incrementName("a.aof", 3), "a.aof.3.incr.aof");
});

Deno.test("a rewrite makes the old files history, and then they go", () => {
  const first = withNewIncrement(withNewBase(EMPTY_MANIFEST, "a", true), "a");
  assertEquals(
    formatManifest(first),
    "file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i\n",
  );
  // A rewrite that failed left a second increment; the next one starts with a third.
  const started = withNewIncrement(withNewIncrement(first, "a"), "a");
  assertEquals(started.increments.map(({ sequence }) => sequence), [1, 2, 3]);
  const rewritten = withRewrittenIncrements(withNewBase(started, "a", false), 1);
  assertEquals(
    formatManifest(rewritten),
    "file a.2.base.aof seq 2 type b\n" +
      "file a.1.incr.aof seq 1 type h\nfile a.2.incr.aof seq 2 type h\n" +
      "file a.1.base.rdb seq 1 type h\nfile a.3.incr.aof seq 3 type i\n",
  );
  assertEquals(
    formatManifest(withoutHistory(rewritten)),
    "file a.2.base.aof seq 2 type b\nfile a.3.incr.aof seq 3 type i\n",
  );
  // Nothing of this has changed what there was before.
  assertEquals(first.increments.length, 1);
  assertEquals(withRewrittenIncrements(EMPTY_MANIFEST, 1), EMPTY_MANIFEST);
  assertEquals(withRewrittenIncrements(rewritten, 0).increments, []);
});

Deno.test("no new file has the name of one that is going to be removed", () => {
  const history = "file a.1.base.rdb seq 1 type h\nfile a.1.incr.aof seq 1 type h\n";
  const manifest = parseManifest(history + "file a.2.incr.aof seq 2 type h\n");
  const next = withNewIncrement(withNewBase(manifest, "a", true), "a");
  assertEquals([next.base!.name, next.increments[0].name], ["a.2.base.rdb", "a.3.incr.aof"]);
});

Deno.test("an old file in one piece becomes the base", () => {
  const manifest = manifestOfOldFile("a.aof");
  assertEquals(formatManifest(manifest), "file a.aof seq 1 type b\n");
  assertEquals(withNewBase(manifest, "a.aof", true).base?.name, "a.aof.2.base.rdb");
});
