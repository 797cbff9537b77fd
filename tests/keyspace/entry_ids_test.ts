import { assertEquals } from "@std/assert";
import {
  EntryIdReader,
  entryIdText,
  ID_TEXT_BYTES,
  MISSING_HIGHEST,
  MISSING_LOWEST,
  NO_ID,
  NUMBER_FREE,
  WHOLE_ID,
  writeEntryId,
} from "../../src/keyspace/entry_ids.ts";
import { EntryId } from "../../src/memory/id_tree.ts";
import { textOf, valueOf } from "../support/stream_model.ts";

const reader = new EntryIdReader();
const MAX = 2n ** 64n - 1n;

/** What a text is read as: a number, "free" with it, or nothing. */
function read(text: string, missing: number = MISSING_LOWEST, strict = true): unknown {
  const bytes = Uint8Array.from(`#${text}#`, (character) => character.charCodeAt(0));
  const id = new EntryId();
  const form = reader.read(bytes, 1, text.length, missing, strict, id);
  if (form === NO_ID) return undefined;
  if (form === NUMBER_FREE) return ["free", textOf(valueOf(id))];
  assertEquals(form, WHOLE_ID);
  return textOf(valueOf(id));
}

Deno.test("ids are read as Redis reads them", () => {
  assertEquals(read("5-7"), "5-7");
  assertEquals(read("0-0"), "0-0");
  assertEquals(read("5"), "5-0");
  assertEquals(read("5", MISSING_HIGHEST), `5-${MAX}`);
  assertEquals(read("5-0", MISSING_HIGHEST), "5-0");
  assertEquals(read(`${MAX}-${MAX}`), `${MAX}-${MAX}`);
  assertEquals(read(`${2n ** 63n}-${2n ** 63n - 1n}`), `${2n ** 63n}-${2n ** 63n - 1n}`);
  assertEquals(read("5-*"), ["free", "5-0"]);
  // What C's strtoull takes besides.
  assertEquals(read("05-007"), "5-7");
  assertEquals(read(" 5-\t7"), "5-7");
  assertEquals(read("+5-+7"), "5-7");
  assertEquals(read("5--07"), `5-${MAX - 6n}`);
  assertEquals(read("5--0"), "5-0");
  assertEquals(read("5\0junk"), "5-0");
  assertEquals(read("5-7\0junk"), "5-7");
});

Deno.test("what isn't an id isn't read", () => {
  const none = [
    "",
    "a",
    "-5",
    "5-",
    "-",
    "+",
    "5-7-9",
    "5-a",
    "5-7 ",
    "1e3",
    "0x10",
    "5.5",
    "*",
    "5-**",
  ];
  none.push(
    `${MAX + 1n}`,
    `5-${MAX + 1n}`,
    "5--7",
    "\0",
    "5-\0",
    " ",
    "5- ",
    `5-${"0".repeat(125)}7`,
  );
  for (const text of none) assertEquals(read(text), undefined, JSON.stringify(text));
  assertEquals(read(`5-${"0".repeat(124)}7`), "5-7");
});

Deno.test("the lowest and the highest id have names, where they may", () => {
  assertEquals(read("-", MISSING_LOWEST, false), "0-0");
  assertEquals(read("+", MISSING_LOWEST, false), `${MAX}-${MAX}`);
  assertEquals(read("5-7", MISSING_LOWEST, false), "5-7");
  assertEquals(read("--", MISSING_LOWEST, false), undefined);
});

Deno.test("ids are written as two unsigned numbers", () => {
  const id = new EntryId();
  const bytes = new Uint8Array(ID_TEXT_BYTES);
  for (const text of ["0-0", "1700000000000-12", `${MAX}-${MAX}`, `${2n ** 63n}-${2n ** 32n}`]) {
    const source = new TextEncoder().encode(text);
    assertEquals(reader.read(source, 0, source.length, MISSING_LOWEST, true, id), WHOLE_ID);
    assertEquals(entryIdText(id), text);
    assertEquals(new TextDecoder().decode(bytes.subarray(0, writeEntryId(bytes, 0, id))), text);
  }
});
