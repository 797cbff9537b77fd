import { assert, assertEquals } from "@std/assert";
import * as listpack from "../../src/memory/listpack.ts";
import { listpackValidate } from "../../src/memory/listpack_validation.ts";
import { seededRandom, testSeed } from "../support/random.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const ROOM = 1 << 20;

function textView(text: string): { view: DataView; length: number } {
  const bytes = encoder.encode(text);
  return { view: new DataView(bytes.buffer), length: bytes.length };
}

/** Texts of all encodings, many at the edge of one. */
function someText(random: () => number): string {
  const kind = Math.floor(random() * 10);
  if (kind === 0) {
    return "x".repeat([0, 1, 62, 63, 64, 65, 125, 126, 127, 128][Math.floor(random() * 10)]);
  }
  if (kind === 1) return "y".repeat([4095, 4096, 16377, 16378, 16379][Math.floor(random() * 5)]);
  if (kind === 2) {
    return ["-", "-0", "00", "01", "+1", " 1", "1 ", "9x", "-x"][Math.floor(random() * 9)];
  }
  if (kind < 7) {
    const edge = 1n << BigInt([0, 7, 12, 15, 23, 31, 33, 52, 63][Math.floor(random() * 9)]);
    const value = (random() < 0.5 ? edge : -edge) + BigInt(Math.floor(random() * 5) - 2);
    return value.toString();
  }
  if (kind === 7) return String(Math.floor(random() * 10 ** Math.floor(random() * 16)));
  return `member:${Math.floor(random() * 50)}`;
}

/** A listpack in the middle of a buffer, beside the texts that must be in it. */
class Pair {
  readonly buffer = new SharedArrayBuffer(ROOM);
  readonly view = new DataView(this.buffer);
  start = ROOM / 2 + 3;
  readonly model: string[] = [];
  readonly element = new listpack.ListpackElement();

  constructor() {
    listpack.listpackCreate(this.view, this.start);
  }

  read(at: number): string {
    const { view, element } = this;
    listpack.listpackRead(view, at, element);
    if (element.isInteger) {
      return (BigInt(element.high) << 32n | BigInt(element.low >>> 0)).toString();
    }
    return decoder.decode(new Uint8Array(this.buffer, element.start, element.length).slice());
  }

  at(index: number): number {
    const at = listpack.listpackSeek(this.view, this.start, index);
    return at === 0 ? listpack.listpackEnd(this.view, this.start) : at;
  }

  check(): void {
    const { view, start, model } = this;
    const bytes = listpack.listpackBytes(view, start);
    assertEquals(listpackValidate(view, start, bytes), model.length);
    assertEquals(listpack.listpackLength(view, start), model.length);
    assertEquals(bytes, listpack.listpackEnd(view, start) + 1 - start);
    const forwards: string[] = [];
    let at = listpack.listpackFirst(view, start);
    for (; at !== 0; at = listpack.listpackNext(view, at)) forwards.push(this.read(at));
    assertEquals(forwards, model);
    const backwards: string[] = [];
    at = listpack.listpackLast(view, start);
    for (; at !== 0; at = listpack.listpackPrevious(view, start, at)) backwards.push(this.read(at));
    assertEquals(backwards.reverse(), model);
  }
}

/** One random change of a pair. */
function change(pair: Pair, random: () => number): void {
  const { view, model } = pair;
  const text = someText(random);
  const source = textView(text);
  const index = Math.floor(random() * (model.length + 1));
  const count = Math.floor(random() * 4);
  switch (Math.floor(random() * 11)) {
    case 0:
    case 1:
      listpack.listpackInsert(view, pair.start, pair.at(index), source.view, 0, source.length);
      model.splice(index, 0, text);
      break;
    case 2:
    case 3:
      listpack.listpackAppend(view, pair.start, source.view, 0, source.length);
      model.push(text);
      break;
    case 4:
      pair.start = listpack.listpackPrepend(view, pair.start, source.view, 0, source.length);
      model.unshift(text);
      break;
    case 5:
      if (index === model.length) break;
      listpack.listpackReplace(view, pair.start, pair.at(index), source.view, 0, source.length);
      model[index] = text;
      break;
    case 6:
      if (index === model.length) break;
      listpack.listpackDelete(view, pair.start, pair.at(index));
      model.splice(index, 1);
      break;
    case 7: {
      const deleted = listpack.listpackDeleteRange(view, pair.start, pair.at(index), count);
      assertEquals(deleted, model.splice(index, count).length);
      break;
    }
    case 8:
      pair.start = listpack.listpackDropFirst(view, pair.start, count);
      model.splice(0, count);
      break;
    case 9: {
      const low = Math.floor(random() * 0x100000000) >> Math.floor(random() * 32);
      const high = random() < 0.7 ? low >> 31 : Math.floor(random() * 9) - 5;
      const value = (BigInt(high) << 32n | BigInt(low >>> 0)).toString();
      if (random() < 0.3) listpack.listpackAppendInteger(view, pair.start, high, low);
      else if (index === model.length || random() < 0.5) {
        listpack.listpackInsertInteger(view, pair.start, pair.at(index), high, low);
        model.splice(index, 0, value);
        break;
      } else {
        listpack.listpackReplaceInteger(view, pair.start, pair.at(index), high, low);
        model[index] = value;
        break;
      }
      model.push(value);
      break;
    }
    default:
      if (model.length > 30) {
        listpack.listpackDropFrom(view, pair.start, pair.at(20), model.length - 20);
        model.length = 20;
      }
  }
}

Deno.test("listpack: random changes agree with an array", () => {
  const random = seededRandom(testSeed("listpack"));
  for (let round = 0; round < 20; round++) {
    const pair = new Pair();
    for (let step = 0; step < 300; step++) {
      change(pair, random);
      if (pair.model.length === 0 || step % 10 === 0) pair.check();
    }
    pair.check();
  }
});

Deno.test("listpack: an element is found by its text", () => {
  const random = seededRandom(testSeed("listpack find"));
  for (let round = 0; round < 200; round++) {
    const pair = new Pair();
    for (let index = 0; index < 12; index++) {
      const { view, length } = textView(someText(random));
      listpack.listpackAppend(pair.view, pair.start, view, 0, length);
      pair.model.push(pair.read(listpack.listpackLast(pair.view, pair.start)));
    }
    const wanted = random() < 0.7 ? pair.model[Math.floor(random() * 12)] : someText(random);
    const { view, length } = textView(wanted);
    for (const skip of [0, 1, 2]) {
      const first = listpack.listpackFirst(pair.view, pair.start);
      const at = listpack.listpackFind(pair.view, first, view, 0, length, skip);
      const index = pair.model.findIndex((text, place) =>
        text === wanted && place % (skip + 1) === 0
      );
      assertEquals(at, index < 0 ? 0 : pair.at(index));
    }
    for (const [index, text] of pair.model.entries()) {
      const same = listpack.listpackMatches(pair.view, pair.at(index), view, 0, length);
      assertEquals(same, text === wanted);
    }
  }
});

Deno.test("listpack: what an element will take is known before", () => {
  const random = seededRandom(testSeed("listpack sizes"));
  for (let round = 0; round < 500; round++) {
    const pair = new Pair();
    const { view, length } = textView(someText(random));
    const before = listpack.listpackBytes(pair.view, pair.start);
    listpack.listpackAppend(pair.view, pair.start, view, 0, length);
    const grown = listpack.listpackBytes(pair.view, pair.start) - before;
    assertEquals(grown, listpack.listpackEncodedBytes(view, 0, length));
    assert(grown <= listpack.listpackStringBytes(length));
  }
});

Deno.test("listpack: the bytes are those of Redis", () => {
  const pair = new Pair();
  for (const text of ["a", "127", "128", "-4097", "8388607", "-8388609", "4294967296", "007"]) {
    const { view, length } = textView(text);
    listpack.listpackAppend(pair.view, pair.start, view, 0, length);
  }
  const bytes = listpack.listpackBytes(pair.view, pair.start);
  assertEquals(
    [...new Uint8Array(pair.buffer, pair.start, bytes)].map((byte) =>
      byte.toString(16).padStart(2, "0")
    ).join(" "),
    "2d 00 00 00 08 00 81 61 02 7f 01 c0 80 02 f1 ff ef 03 f2 ff ff 7f 04 " +
      "f3 ff ff 7f ff 05 f4 00 00 00 00 01 00 00 00 09 83 30 30 37 04 ff",
  );
});

Deno.test("listpack: encoded elements can be added as they are", () => {
  const source = new Pair();
  for (const text of ["one", "2", "three".repeat(40)]) {
    const { view, length } = textView(text);
    listpack.listpackAppend(source.view, source.start, view, 0, length);
  }
  const pair = new Pair();
  const from = source.at(1);
  const bytes = source.at(3) - from;
  listpack.listpackAppendEncoded(pair.view, pair.start, source.view, from, bytes, 2);
  listpack.listpackAppendEncoded(pair.view, pair.start, source.view, from, bytes, 2);
  pair.model.push("2", "three".repeat(40), "2", "three".repeat(40));
  pair.check();
});

Deno.test("listpack: more elements than the header can count", () => {
  const pair = new Pair();
  const one = textView("1");
  for (let index = 0; index < 70_000; index++) {
    listpack.listpackAppend(pair.view, pair.start, one.view, 0, one.length);
  }
  assertEquals(listpack.listpackLength(pair.view, pair.start), 70_000);
  pair.start = listpack.listpackDropFirst(pair.view, pair.start, 69_998);
  pair.model.push("1", "1");
  pair.check();
});

Deno.test("listpack: whatever bytes are changed, validating says no or a walk is safe", () => {
  const random = seededRandom(testSeed("listpack validation"));
  let accepted = 0;
  for (let round = 0; round < 3000; round++) {
    const pair = new Pair();
    for (let index = 0; index < 6; index++) {
      const { view, length } = textView(someText(random).slice(0, 150));
      listpack.listpackAppend(pair.view, pair.start, view, 0, length);
    }
    const bytes = listpack.listpackBytes(pair.view, pair.start);
    const copy = new Uint8Array(pair.buffer, pair.start, bytes).slice();
    const view = new DataView(copy.buffer);
    for (let changes = 0; changes < 2; changes++) {
      copy[Math.floor(random() * bytes)] = Math.floor(random() * 256);
    }
    const cut = random() < 0.2 ? Math.floor(random() * bytes) : bytes;
    const count = listpackValidate(view, 0, cut);
    if (count < 0) continue;
    accepted++;
    const element = new listpack.ListpackElement();
    let walked = 0;
    let at = listpack.listpackFirst(view, 0);
    for (; at !== 0; at = listpack.listpackNext(view, at)) {
      listpack.listpackRead(view, at, element);
      if (!element.isInteger) assert(element.start + element.length < cut);
      walked++;
    }
    assertEquals(walked, count);
    at = listpack.listpackLast(view, 0);
    for (; at !== 0; at = listpack.listpackPrevious(view, 0, at)) walked--;
    assertEquals(walked, 0);
  }
  assert(accepted > 0);
});
