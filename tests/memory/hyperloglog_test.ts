import { assert, assertEquals } from "@std/assert";
import { estimateCardinality, estimateFromRegisters } from "../../src/memory/cardinality.ts";
import {
  type ByteRun,
  CORRUPT,
  denseFromSparse,
  denseRegister,
  describeSparse,
  emptySparse,
  HEADER_BYTES,
  isHyperLogLog,
  KEPT,
  mergeRegisters,
  NEEDS_DENSE,
  RAISED,
  raiseDense,
  raiseSparse,
  rankOf,
  registerOf,
  REGISTERS,
  SparseCursor,
  writeDense,
} from "../../src/memory/hyperloglog.ts";
import { murmurHash } from "../../src/memory/murmur.ts";
import { seededRandom, testSeed } from "../support/random.ts";

const LIMIT = 3000;

/** A sparse value with room behind it. */
function sparseRun(): ByteRun {
  const bytes = new Uint8Array(40_000);
  bytes.set(emptySparse());
  return { bytes, start: 0, length: emptySparse().length };
}

function denseRun(run: ByteRun): ByteRun {
  const bytes = denseFromSparse(run)!;
  return { bytes, start: 0, length: bytes.length };
}

/** MurmurHash64A in 64-bit integers, to compare with. */
function referenceHash(bytes: Uint8Array): bigint {
  const mask = (1n << 64n) - 1n;
  const factor = 0xc6a4a7935bd1e995n;
  const read = (from: number, count: number) =>
    bytes.slice(from, from + count).reduceRight((sum, byte) => sum << 8n | BigInt(byte), 0n);
  const length = bytes.length;
  let hash = 0xadc83b19n ^ (BigInt(length) * factor & mask);
  for (let at = 0; at + 8 <= length; at += 8) {
    let part = read(at, 8) * factor & mask;
    part = (part ^ part >> 47n) * factor & mask;
    hash = (hash ^ part) * factor & mask;
  }
  const rest = length % 8;
  if (rest > 0) hash = (hash ^ read(length - rest, rest)) * factor & mask;
  hash = (hash ^ hash >> 47n) * factor & mask;
  return hash ^ hash >> 47n;
}

Deno.test("hyperloglog: the hash is the same as with 64-bit integers, and so are register and rank", () => {
  const random = seededRandom(testSeed("murmur"));
  for (let round = 0; round < 1000; round++) {
    const bytes = Uint8Array.from({ length: round % 40 }, () => Math.floor(random() * 256));
    const out = { high: 0, low: 0 };
    murmurHash(new DataView(bytes.buffer), 0, bytes.length, out);
    const expected = referenceHash(bytes);
    const actual = BigInt(out.high >>> 0) << 32n | BigInt(out.low >>> 0);
    assertEquals(actual, expected, `${bytes}`);
    assertEquals(registerOf(out), Number(expected & 16383n));
    const rest = (expected >> 14n | 1n << 50n).toString(2);
    assertEquals(rankOf(out), rest.length - rest.lastIndexOf("1"));
  }
  assertEquals(rankOf({ high: 0, low: 0 }), 51);
  assertEquals(rankOf({ high: 1 << 14, low: 0 }), 33);
  assertEquals(rankOf({ high: -0x80000000, low: 16383 }), 50);
});

Deno.test("hyperloglog: registers of both forms against plain numbers", () => {
  const random = seededRandom(testSeed("registers"));
  const sparse = sparseRun();
  const dense = denseRun(sparse);
  const plain = new Uint8Array(REGISTERS);
  for (let step = 0; step < 20_000; step++) {
    const index = Math.floor(random() ** 2 * REGISTERS);
    const rank = 1 + Math.floor(random() * 32);
    const higher = rank > plain[index];
    if (higher) plain[index] = rank;
    assertEquals(raiseDense(dense, index, rank), higher);
    assertEquals(raiseSparse(sparse, index, rank, Infinity), higher ? RAISED : KEPT);
  }
  assert(sparse.length < 20_000, String(sparse.length));
  for (const run of [sparse, dense]) {
    const registers = new Uint8Array(REGISTERS);
    assert(mergeRegisters(run, registers));
    assertEquals(registers, plain);
    assertEquals(estimateCardinality(run), estimateFromRegisters(plain));
  }
  assertEquals(denseFromSparse(sparse)!.subarray(HEADER_BYTES), dense.bytes.subarray(HEADER_BYTES));
  assertEquals(denseRegister(dense, REGISTERS - 1), plain[REGISTERS - 1]);
});

Deno.test("hyperloglog: runs split where a register changes, and join again", () => {
  const run = sparseRun();
  const raise = (index: number, rank: number) => raiseSparse(run, index, rank, LIMIT);
  const check = (text: string) => assertEquals(describeSparse(run), text);
  check("Z:16384");
  raise(0, 1);
  check("v:1,1 Z:16383");
  raise(1, 1);
  check("v:1,2 Z:16382");
  raise(3, 1);
  check("v:1,2 z:1 v:1,1 Z:16380");
  raise(2, 1);
  check("v:1,4 Z:16380");
  raise(4, 1);
  check("v:1,4 v:1,1 Z:16379");
  raise(2, 32);
  check("v:1,2 v:32,1 v:1,1 v:1,1 Z:16379".replace("v:1,1 v:1,1", "v:1,2"));
  raise(16383, 2);
  check("v:1,2 v:32,1 v:1,2 Z:16378 v:2,1");
  raise(16383 - 64, 2);
  check("v:1,2 v:32,1 v:1,2 Z:16314 v:2,1 z:63 v:2,1");
  assertEquals(raise(2, 31), KEPT);
  assertEquals(raise(2, 33), NEEDS_DENSE);
  assertEquals(raiseSparse(run, 100, 1, run.length + 2), NEEDS_DENSE);
  check("v:1,2 v:32,1 v:1,2 Z:16314 v:2,1 z:63 v:2,1");
});

Deno.test("hyperloglog: a search that goes on from the last one makes the same value", () => {
  const random = seededRandom(testSeed("cursor"));
  for (let round = 0; round < 30; round++) {
    const [searched, resumed] = [sparseRun(), sparseRun()];
    // Several passes: the later ones meet runs of the earlier ones.
    for (let pass = 0; pass < 3; pass++) {
      const cursor = new SparseCursor();
      const step = 1 + Math.floor(random() * 20);
      for (let index = 0; index < REGISTERS; index += 1 + Math.floor(random() * step)) {
        const rank = 1 + Math.floor(random() * 3);
        const outcome = raiseSparse(searched, index, rank, LIMIT);
        assertEquals(raiseSparse(resumed, index, rank, LIMIT, cursor), outcome);
        if (outcome === NEEDS_DENSE) break;
      }
      assertEquals(describeSparse(resumed), describeSparse(searched));
    }
  }
});

Deno.test("hyperloglog: all registers of a dense value at once", () => {
  const random = seededRandom(testSeed("dense"));
  const registers = Uint8Array.from({ length: REGISTERS }, () => Math.floor(random() * 64));
  const dense = denseRun(sparseRun());
  writeDense(dense, registers);
  const read = new Uint8Array(REGISTERS);
  assert(mergeRegisters(dense, read));
  assertEquals(read, registers);
  assertEquals(estimateCardinality(dense), estimateFromRegisters(registers));
});

Deno.test("hyperloglog: what a stranger made is refused, not believed", () => {
  const cases: [name: string, runs: number[], whole: boolean, raised: number][] = [
    ["too few registers", [0x7f, 0x00], false, RAISED],
    ["too many", [0x7f, 0xff, 0x00], false, RAISED],
    ["none", [], false, CORRUPT],
    ["half of a run", [0x7f], false, CORRUPT],
    ["just right", [0x7f, 0xfe, 0x80], true, RAISED],
  ];
  for (const [name, runs, whole, raised] of cases) {
    const run = sparseRun();
    run.bytes.fill(0, HEADER_BYTES);
    run.bytes.set(runs, HEADER_BYTES);
    run.length = HEADER_BYTES + runs.length;
    assert(isHyperLogLog(run), name);
    assertEquals(denseFromSparse(run) !== undefined, whole, name);
    assertEquals(estimateCardinality(run) !== undefined, whole, name);
    assertEquals(mergeRegisters(run, new Uint8Array(REGISTERS)), whole, name);
    assertEquals(raiseSparse(run, 5, 1, LIMIT), raised, name);
  }
  const looks = (text: string) => {
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    return isHyperLogLog({ bytes, start: 0, length: bytes.length });
  };
  assertEquals(looks("HYLL\x01" + "\0".repeat(11)), true);
  assertEquals(looks("HYLL\x01" + "\0".repeat(10)), false);
  assertEquals(looks("HYLM\x01" + "\0".repeat(11)), false);
  assertEquals(looks("HYLL\x02" + "\0".repeat(11)), false);
  assertEquals(looks("HYLL\x00" + "\0".repeat(12299)), true);
  assertEquals(looks("HYLL\x00" + "\0".repeat(12298)), false);
});

Deno.test("hyperloglog: estimates, from none to more than there are hashes", () => {
  assertEquals(estimateFromRegisters(new Uint8Array(REGISTERS)), 0);
  assertEquals(estimateFromRegisters(new Uint8Array(REGISTERS).fill(51)), Infinity);
  const one = new Uint8Array(REGISTERS);
  one[77] = 1;
  assertEquals(estimateFromRegisters(one), 1);
});

Deno.test("the text of a value that ends within a run takes nothing from behind it", () => {
  const bytes = new Uint8Array(20).fill(0x7f);
  assertEquals(describeSparse({ bytes, start: 0, length: 17 }), "Z:16129");
});
