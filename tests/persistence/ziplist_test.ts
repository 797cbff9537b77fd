import { assert, assertEquals } from "@std/assert";
import { latin1Text } from "../../src/client/quoting.ts";
import { listpackValidate } from "../../src/memory/listpack_validation.ts";
import { ListpackBuffer } from "../../src/persistence/listpack_buffer.ts";
import { appendZiplist, appendZipmap } from "../../src/persistence/ziplist.ts";
import { seededRandom, testSeed } from "../support/random.ts";
import { latin1Bytes, listpackOf, ziplistOf, zipmapOf } from "../support/rdb_bodies.ts";

// deno-fmt-ignore
const TEXTS = [
  "", "a", "0", "12", "13", "-1", "127", "128", "-128", "-129", "32767", "32768", "-32769", "8388607", "8388608", "-8388609",
  "2147483647", "2147483648", "-2147483649", "9007199254740993", "01", "-0", "1.5", "x".repeat(63), "x".repeat(64),
  "y".repeat(253), "y".repeat(254), "z".repeat(16_383), "z".repeat(16_384), "w".repeat(70_000),
];

type Reader = (view: DataView, target: ListpackBuffer) => number;

/** What a reader makes of bytes: how many elements it tells, and the listpack. */
function read(reader: Reader, text: string): [count: number, listpack: string] {
  const buffer = new ListpackBuffer();
  const count = reader(new DataView(latin1Bytes(text).buffer), buffer);
  return [count, latin1Text(new Uint8Array(buffer.view.buffer, 0, buffer.bytes))];
}

Deno.test("ziplists and zipmaps are read as listpacks of the same elements", () => {
  for (let length = 0; length <= TEXTS.length; length += 2) {
    const texts = TEXTS.slice(0, length);
    assertEquals(read(appendZiplist, ziplistOf(texts)), [length, listpackOf(texts)]);
    for (const spare of [0, 3]) {
      assertEquals(read(appendZipmap, zipmapOf(texts, spare)), [length, listpackOf(texts)]);
    }
  }
  assertEquals(read(appendZiplist, ziplistOf(TEXTS.slice(0, 3)))[0], 3);
});

Deno.test("ziplists and zipmaps whose bytes are changed are refused, or read as something whole", () => {
  const random = seededRandom(testSeed("ziplists"));
  const below = (limit: number) => Math.floor(random() * limit);
  let refused = 0;
  for (let round = 0; round < 20_000; round++) {
    const texts = Array.from({ length: 2 * (1 + below(4)) }, () => TEXTS[below(27)]);
    const ziplist = random() < 0.5;
    const bytes = [...latin1Bytes(ziplist ? ziplistOf(texts) : zipmapOf(texts, below(3)))];
    for (let changes = 1 + below(3); changes > 0; changes--) {
      const at = below(bytes.length);
      if (random() < 0.8) bytes[at] = random() < 0.5 ? below(256) : [0, 0xfe, 0xff, 0x80][below(4)];
      else bytes.splice(at, 1);
    }
    const text = latin1Text(Uint8Array.from(bytes));
    const [count, listpack] = read(ziplist ? appendZiplist : appendZipmap, text);
    if (count < 0) refused++;
    else {
      const view = new DataView(latin1Bytes(listpack).buffer);
      assertEquals(listpackValidate(view, 0, view.byteLength), count);
    }
  }
  assert(refused > 5_000 && refused < 20_000, `${refused} were refused`);
});
