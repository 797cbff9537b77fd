import { assertEquals } from "@std/assert";
import {
  intsetBytes,
  intsetCreate,
  intsetFind,
  intsetGet,
  intsetInsert,
  intsetInsertBytes,
  intsetLength,
  intsetRemove,
  intsetValidate,
  intsetWidth,
} from "../../src/memory/intset.ts";
import { seededRandom, testSeed } from "../support/random.ts";

function compare(one: bigint, other: bigint): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function halves(value: bigint): { high: number; low: number } {
  return { high: Number(BigInt.asIntN(32, value >> 32n)), low: Number(BigInt.asIntN(32, value)) };
}

function members(view: DataView, start: number): bigint[] {
  const out = { high: 0, low: 0 };
  return Array.from({ length: intsetLength(view, start) }, (_, index) => {
    intsetGet(view, start, index, out);
    return BigInt(out.high) << 32n | BigInt(out.low >>> 0);
  });
}

function someInteger(random: () => number): bigint {
  const bits = [3, 8, 16, 17, 32, 33, 40, 64][Math.floor(random() * 8)];
  const value = BigInt(Math.floor(random() * 0x100000000)) << 32n |
    BigInt(Math.floor(random() * 0x100000000));
  return BigInt.asIntN(bits, value);
}

Deno.test("intset: random changes agree with a sorted array", () => {
  const random = seededRandom(testSeed("intset"));
  for (let round = 0; round < 40; round++) {
    const view = new DataView(new SharedArrayBuffer(1 << 16));
    const start = 5;
    intsetCreate(view, start);
    const model = new Set<bigint>();
    // Each round starts with narrow integers, and lets wider ones in later.
    for (let step = 0; step < 300; step++) {
      const value = BigInt.asIntN(step < 100 ? 16 : step < 200 ? 32 : 64, someInteger(random));
      const { high, low } = halves(value);
      const sorted = [...model].sort(compare);
      const found = intsetFind(view, start, high, low);
      assertEquals(found >= 0, model.has(value));
      if (found < 0) assertEquals(-found - 1, sorted.filter((one) => one < value).length);
      else assertEquals(sorted[found], value);
      if (random() < 0.35 && sorted.length > 0) {
        const victim = random() < 0.2 ? value : sorted[Math.floor(random() * sorted.length)];
        const gone = halves(victim);
        assertEquals(intsetRemove(view, start, gone.high, gone.low), model.delete(victim));
      } else {
        const bytes = intsetInsertBytes(view, start, high, low);
        assertEquals(intsetInsert(view, start, high, low), !model.has(value));
        if (!model.has(value)) assertEquals(intsetBytes(view, start), bytes);
        model.add(value);
      }
      assertEquals(members(view, start), [...model].sort(compare));
      assertEquals(intsetValidate(view, start, intsetBytes(view, start)), true);
    }
  }
});

Deno.test("intset: integers are as wide as the widest one was", () => {
  const view = new DataView(new ArrayBuffer(100));
  intsetCreate(view, 0);
  const widths = [32767n, -32768n, 32768n, -2147483648n, 2147483648n].map((value) => {
    const { high, low } = halves(value);
    intsetInsert(view, 0, high, low);
    return intsetWidth(view, 0);
  });
  assertEquals(widths, [2, 2, 4, 4, 8]);
  assertEquals(members(view, 0), [-2147483648n, -32768n, 32767n, 32768n, 2147483648n]);
});

Deno.test("intset: what isn't one is told apart", () => {
  const view = new DataView(new ArrayBuffer(100));
  intsetCreate(view, 0);
  for (const value of [1n, 2n, 3n]) intsetInsert(view, 0, 0, Number(value));
  assertEquals(intsetValidate(view, 0, 14), true);
  assertEquals(intsetValidate(view, 0, 13), false);
  assertEquals(intsetValidate(view, 0, 16), false);
  assertEquals(intsetValidate(view, 0, 7), false);
  assertEquals(intsetValidate(view, 92, 14), false);
  view.setInt16(10, 1, true);
  assertEquals(intsetValidate(view, 0, 14), false, "one integer twice");
  view.setInt16(10, 2, true);
  view.setUint32(0, 3, true);
  assertEquals(intsetValidate(view, 0, 14), false, "a width of three");
});
