import { assertEquals, assertStringIncludes } from "@std/assert";
import { createCheckConsole } from "../../src/persistence/check_console.ts";
import { checkRdb } from "../../src/persistence/check_rdb.ts";
import { systemFiles } from "../../src/runtime/files.ts";
import {
  intsetBody,
  latin1Bytes,
  littleEndian,
  quicklistBody,
  RDB_BODIES,
  rdbLength,
  rdbString,
  sortedSetBody,
} from "../support/rdb_bodies.ts";
import { referenceTool } from "../support/reference_tool.ts";
import { seededRandom, testSeed } from "../support/random.ts";
import { snapshotAround, snapshotOf } from "../support/snapshot_bytes.ts";

/** What a check says. */
interface Outcome {
  readonly code: number;
  readonly output: string;
}

const path = `${Deno.makeTempDirSync({ prefix: "check-rdb-" })}/dump.rdb`;
globalThis.addEventListener(
  "unload",
  () => Deno.removeSync(path.slice(0, -"/dump.rdb".length), { recursive: true }),
);

/** Checks a snapshot whose bytes are characters. */
function check(snapshot: string): Outcome {
  Deno.writeFileSync(path, latin1Bytes(snapshot));
  return checkFile(path);
}

function checkFile(name: string): Outcome {
  let output = "";
  const console = createCheckConsole({
    write: (text) => output += text,
    readLine: () => "",
    watched: false,
  });
  const code = checkRdb(systemFiles, name, console);
  return { code, output };
}

/** What redis-check-rdb says of the snapshot that was checked last. */
async function reference(): Promise<Outcome | undefined> {
  const outcome = await referenceTool("redis-check-rdb", [path]);
  if (outcome === undefined) return undefined;
  // Before the first key, Redis calls a string what is nothing yet.
  const output = outcome.output.replace(
    /(While doing: (?!read-key|read-object-value).*\n)\[additional info\] Reading type 0 .*\n/,
    "$1",
  );
  return { code: outcome.code, output };
}

async function compare(snapshot: string): Promise<Outcome> {
  const ours = check(snapshot);
  const theirs = await reference();
  if (theirs !== undefined) assertEquals(ours, theirs, JSON.stringify(snapshot.slice(0, 200)));
  return ours;
}

const FOO = ["\x00", "foo", rdbString("hello")] as const;
const EXPIRED = `\xfc${littleEndian(1_000_000_000_000, 8)}\x00`;
const FUTURE = `\xfc${littleEndian(9_000_000_000_000, 8)}\x00`;
/** A snapshot with all that may be in one. */
const ALL = snapshotAround([
  `\xfa${rdbString("redis-ver")}${rdbString("7.0.15")}`,
  `\xfa${rdbString("redis-bits")}\xc0\x40`,
  `\xf5${rdbString("#!lua name=x\nredis.register_function('f', function() return 1 end)")}`,
  `\xfe\x00\xfb\x05\x03`,
  `\x00${rdbString("foo")}${rdbString("hello")}`,
  `${EXPIRED}${rdbString("gone")}${rdbString("1")}`,
  `\xfd${littleEndian(1_000_000_000, 4)}\x00${rdbString("gone too")}\xc1\x10\x27`,
  `${FUTURE}${rdbString("later")}\xc2\x00\x00\x01\x00`,
  `\xf8\x40\x80\x01${rdbString("idle")}${rdbLength(2)}${rdbString("a")}${rdbString("b")}`,
  `\xf9\x05\x04${rdbString("used")}${rdbLength(1)}${rdbString("a")}${rdbString("b")}`,
  `\xfe\x4f\xff\x00${rdbString("")}${rdbString("x".repeat(20000))}`,
].join(""));

const TEXTS = ["a", "1", "b", "-40000"];
const SCORED = [["a", -1.5], ["10", 2], ["b", 2], ["c", 1e20]] as const;
/** Values of most types in most forms. */
const BODIES: readonly string[] = [
  rdbString("string"),
  ...Object.values(RDB_BODIES).map((make) => make(TEXTS)),
  intsetBody([-5, 1, 70000], 4),
  quicklistBody([TEXTS, ["x"]], true),
  quicklistBody([TEXTS, ["x"]], false),
  ...([3, 5, 12, 17] as const).map((form) => sortedSetBody(form, SCORED)),
].map((body, index) => index === 0 ? `\x00${body}` : body);

Deno.test("a whole snapshot looks OK, in the words of redis-check-rdb", async () => {
  const { code, output } = await compare(ALL);
  assertEquals(code, 0);
  assertStringIncludes(output, "AUX FIELD redis-bits = '64'\n");
  assertStringIncludes(output, `\\o/ RDB looks OK! \\o/\n[info] 7 keys read\n[info] 3 expires\n`);
  assertStringIncludes(output, "[info] 2 already expired\n");
  for (const version of ["0001", "0004"]) await compare(snapshotAround("", version).slice(0, -8));
  await compare(snapshotAround(`\xfe\x00\x00${rdbString("a")}${rdbString("b")}`, "0005"));
  await compare(ALL.slice(0, -8) + "\0".repeat(8));
});

Deno.test("a snapshot that ends too early is told from a whole one at every byte", async () => {
  for (let length = 0; length < ALL.length; length++) {
    // The last string is long, and one place within it like the others.
    if (length > 330 && length < ALL.length - 20) continue;
    // What Redis says of a length in two bytes is where its first one ends; and a function has its own words.
    const ours = check(ALL.slice(0, length));
    assertEquals(ours.code, 1);
    assertStringIncludes(ours.output, "Unexpected EOF reading RDB file\n");
    const theirs = await reference();
    if (theirs === undefined) continue;
    const comparable = (text: string) =>
      text.replace(
        "Failed loading library, Failed loading library payload",
        "Unexpected EOF reading RDB file",
      );
    assertEquals(ours, { ...theirs, output: comparable(theirs.output) }, `${length}`);
  }
});

Deno.test("what is wrong is said with its place", async () => {
  for (
    const [snapshot, text] of [
      ["REDIX0010", "[offset 9] Wrong signature trying to load DB from file"],
      [snapshotAround("", "0000"), "[offset 9] Can't handle RDB format version 0"],
      [snapshotAround("", "0099"), "[offset 9] Can't handle RDB format version 99"],
      [snapshotAround("", "x010"), "[offset 9] Can't handle RDB format version 0"],
      [snapshotAround("\x08"), "[offset 10] Invalid object type: 8"],
      [snapshotAround("\x64"), "[offset 10] Invalid object type: 100"],
      [snapshotOf([FOO, ["\x64", "a", ""]]), "Invalid object type: 100"],
      [`${ALL.slice(0, -1)}x`, "RDB CRC error"],
    ] as const
  ) {
    const { code, output } = await compare(snapshot);
    assertEquals(code, 1);
    assertStringIncludes(output, text);
  }
});

Deno.test("values that are wrong are named with their key and type", () => {
  const { code, output } = check(snapshotOf([FOO, ["\x10", "bad\nkey", rdbString("listpack?")]]));
  assertEquals(code, 1);
  assertStringIncludes(
    output,
    "[additional info] While doing: read-object-value\n" +
      "[additional info] Reading key 'bad\\x0akey'\n" +
      "[additional info] Reading type 16 (hash-listpack)\n" +
      "[info] 2 keys read\n",
  );
});

Deno.test("data of modules is refused by the module's name", () => {
  const id = `\x81${[...littleEndian(0x0010831051872000n, 8)].reverse().join("")}`;
  for (
    const [snapshot, text] of [
      [
        snapshotAround(`\xf7${id}\x02\x02\x00`),
        "AUX module data I can't load: no matching module 'ABCDEFGHI'",
      ],
      [
        snapshotOf([["\x07", "a", `${id}\x00`]]),
        "module data I can't load: no matching module type 'ABCDEFGHI'",
      ],
    ]
  ) {
    const { code, output } = check(snapshot);
    assertEquals(code, 1);
    assertStringIncludes(output, text);
  }
});

Deno.test("values in all forms that were ever written are read, and broken ones never take more than an exit code", async () => {
  const random = seededRandom(testSeed("check-rdb"));
  const below = (limit: number) => Math.floor(random() * limit);
  for (const body of BODIES) {
    const snapshot = snapshotOf([[body[0], "key", body.slice(1)]]);
    const { code } = check(snapshot);
    const theirs = await reference();
    if (theirs !== undefined) assertEquals(code, theirs.code, JSON.stringify(body));
    for (let round = 0; round < 30; round++) {
      const at = 1 + below(body.length - 1);
      const broken = body.slice(1, at) + String.fromCharCode(below(256)) + body.slice(at + 1);
      const outcome = check(snapshotOf([[body[0], "key", broken]]));
      assertStringIncludes(outcome.output, outcome.code === 0 ? "looks OK" : "RDB ERROR DETECTED");
    }
  }
});

Deno.test("a value that is longer than a window is read as a whole", async () => {
  const long = Array.from({ length: 300 }, (_, index) => rdbString(`${index}`.repeat(5000)));
  const { code } = await compare(
    snapshotOf([FOO, ["\x01", "list", rdbLength(300) + long.join("")], FOO, [
      "\x00",
      "string",
      rdbString("z".repeat(3_000_000)),
    ], ["\x00", "last", "\xc0\x01"]]),
  );
  assertEquals(code, 0);
});

Deno.test("a file that can't be read ends with 1", async () => {
  assertEquals(checkFile(`${path}-missing`), {
    code: 1,
    output: `[offset 0] Checking RDB file ${path}-missing\n` +
      `Cannot open file ${path}-missing: No such file or directory\n`,
  });
  assertEquals((await referenceTool("redis-check-rdb", [`${path}-missing`]))?.code ?? 1, 1);
  assertEquals(checkFile(path.slice(0, -"/dump.rdb".length)).code, 1);
});
