import { assert, assertEquals } from "@std/assert";
import { checkKeyspace } from "../../src/keyspace/checking.ts";
import { findEntry, Keyspace } from "../../src/keyspace/keyspace.ts";
import {
  copyString,
  EXPIRY_NONE,
  EXTERNAL_BYTES,
  externalBytes,
  integerHigh,
  integerLow,
  isInteger,
  setInteger,
  setString,
  setStringOrInteger,
  stringBytes,
  stringEncodingName,
  stringLength,
  tryAdd,
  writeRange,
} from "../../src/keyspace/strings.ts";
import { Int64 } from "../../src/protocol/integers.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const KEY = new DataView(encoder.encode("key").buffer);
const OTHER = new DataView(encoder.encode("other").buffer);
const scratch = new Uint8Array(64);

function find(keyspace: Keyspace, key = KEY): number {
  return findEntry(keyspace.databases[0], key, 0, key.byteLength);
}

function store(keyspace: Keyspace, text: string): number {
  const bytes = encoder.encode(text);
  const view = new DataView(bytes.buffer);
  return setStringOrInteger(
    keyspace.databases[0],
    find(keyspace),
    KEY,
    0,
    KEY.byteLength,
    bytes,
    view,
    0,
    bytes.length,
    EXPIRY_NONE,
    new Int64(),
  );
}

function textOf(keyspace: Keyspace, entry: number): string {
  return decoder.decode(stringBytes(keyspace, entry, scratch).slice());
}

Deno.test("strings: text that is an integer is one, and nothing else is", () => {
  const keyspace = new Keyspace(1, 1, 2);
  const integers = [
    "0",
    "-1",
    "7",
    "2147483647",
    "-2147483648",
    "2147483648",
    "-2147483649",
    "4294967295",
    "9007199254740993",
    "-9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
  ];
  for (const text of integers) {
    const entry = store(keyspace, text);
    assert(isInteger(keyspace, entry), text);
    assertEquals(textOf(keyspace, entry), text);
    assertEquals(stringLength(keyspace, entry, scratch), text.length);
    assertEquals(stringEncodingName(keyspace, entry), "int");
    const value = (BigInt(integerHigh(keyspace, entry)) << 32n) |
      BigInt(integerLow(keyspace, entry) >>> 0);
    assertEquals(value, BigInt(text));
  }
  const others = ["", "-", "-0", "01", "+1", " 1", "1 ", "1.0", "9223372036854775808", "1e3", "x"];
  for (const text of others) {
    const entry = store(keyspace, text);
    assert(!isInteger(keyspace, entry), text);
    assertEquals(textOf(keyspace, entry), text);
    assertEquals(stringEncodingName(keyspace, entry), "embstr");
  }
  checkKeyspace(keyspace);
});

Deno.test("strings: a small integer is added to where it is, if the sum fits there", () => {
  const keyspace = new Keyspace(1, 1, 2);
  const database = keyspace.databases[0];
  const sum = new Int64();
  let entry = setInteger(database, find(keyspace), KEY, 0, 3, 0, 5, EXPIRY_NONE);
  assert(tryAdd(keyspace, entry, -11, sum));
  assertEquals([sum.high, sum.low], [-1, -6]);
  assertEquals(textOf(keyspace, entry), "-6");
  assert(!tryAdd(keyspace, entry, -2147483648, sum), "the sum has 33 bits");
  assert(tryAdd(keyspace, entry, 2147483647, sum));
  assertEquals(textOf(keyspace, entry), "2147483641");
  assert(!tryAdd(keyspace, entry, 7, sum));
  assertEquals(textOf(keyspace, entry), "2147483641", "and nothing has changed");
  find(keyspace);
  entry = setInteger(database, entry, KEY, 0, 3, 1, 0, EXPIRY_NONE);
  assertEquals(textOf(keyspace, entry), "4294967296");
  assert(!tryAdd(keyspace, entry, 1, sum));
  entry = store(keyspace, "text");
  assert(!tryAdd(keyspace, entry, 1, sum));
  checkKeyspace(keyspace);
});

Deno.test("strings: the form changes with the length, and each keeps its bytes", () => {
  const keyspace = new Keyspace(1, 1, 2);
  const lengths = [44, 45, EXTERNAL_BYTES - 1, EXTERNAL_BYTES, EXTERNAL_BYTES + 1, 3, 200_000, 0];
  for (const length of lengths) {
    const text = "abcdefghij".repeat(length / 10 + 1).slice(0, length);
    const entry = store(keyspace, text);
    assert(textOf(keyspace, entry) === text, `${length} bytes`);
    assertEquals(stringEncodingName(keyspace, entry), length <= 44 ? "embstr" : "raw");
    assertEquals(externalBytes(keyspace, entry) >= length, length === 0 || length >= 65536);
    checkKeyspace(keyspace);
  }
});

Deno.test("strings: one that grows byte by byte keeps all of them, and moves seldom", () => {
  const keyspace = new Keyspace(1, 1, 2);
  let entry = store(keyspace, "1");
  let moves = 0;
  let text = "1";
  while (text.length < EXTERNAL_BYTES + 5000) {
    const piece = String.fromCharCode(97 + text.length % 26).repeat(37);
    const bytes = encoder.encode(piece);
    const view = new DataView(bytes.buffer);
    find(keyspace);
    const database = keyspace.databases[0];
    const moved = writeRange(database, entry, text.length, view, 0, bytes.length, scratch);
    if (moved !== entry) moves++;
    entry = moved;
    text += piece;
    assertEquals(stringLength(keyspace, entry, scratch), text.length);
  }
  assert(textOf(keyspace, entry) === text);
  assertEquals(stringEncodingName(keyspace, entry), "raw");
  assert(moves < 20, `${moves} moves`);
  checkKeyspace(keyspace);
});

Deno.test("strings: a gap is filled with zero bytes, whatever was there before", () => {
  const keyspace = new Keyspace(1, 1, 2);
  const piece = encoder.encode("end");
  for (const gap of [10, 60, EXTERNAL_BYTES + 3]) {
    store(keyspace, "z".repeat(300));
    const entry = store(keyspace, "start");
    find(keyspace);
    const view = new DataView(piece.buffer);
    const grown = writeRange(keyspace.databases[0], entry, 5 + gap, view, 0, 3, scratch);
    assert(textOf(keyspace, grown) === `start${"\0".repeat(gap)}end`, `a gap of ${gap}`);
  }
  checkKeyspace(keyspace);
});

Deno.test("strings: a copy is a value of its own, in the same form", () => {
  const keyspace = new Keyspace(1, 1, 2);
  const database = keyspace.databases[0];
  for (const text of ["5", "9007199254740993", "short", "x".repeat(50), "y".repeat(70_000)]) {
    for (const grown of [false, true]) {
      let source = store(keyspace, text);
      const nothing = new DataView(new ArrayBuffer(0));
      if (grown) source = writeRange(database, source, text.length, nothing, 0, 0, scratch);
      const old = find(keyspace, OTHER);
      const copy = copyString(database, old, OTHER, 0, 5, source, EXPIRY_NONE, scratch);
      assertEquals(stringEncodingName(keyspace, copy), stringEncodingName(keyspace, source));
      find(keyspace);
      const bytes = encoder.encode("changed");
      const view = new DataView(bytes.buffer);
      setString(database, find(keyspace), KEY, 0, 3, view, 0, bytes.length, EXPIRY_NONE);
      assert(textOf(keyspace, copy) === text, text.slice(0, 20));
      checkKeyspace(keyspace);
    }
  }
});
