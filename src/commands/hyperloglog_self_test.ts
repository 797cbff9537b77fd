/**
 * PFSELFTEST: the server tries its HyperLogLog on itself.
 *
 * @module
 */
import { estimateCardinality } from "../memory/cardinality.ts";
import {
  type ByteRun,
  denseFromSparse,
  denseRegister,
  emptySparse,
  HEADER_BYTES,
  NEEDS_DENSE,
  raiseDense,
  raiseSparse,
  rankOf,
  registerOf,
  REGISTERS,
} from "../memory/hyperloglog.ts";
import { type HashHalves, murmurHash } from "../memory/murmur.ts";

const REGISTER_ROUNDS = 10;
const REGISTER_LIMIT = 64;
/** The numbers of elements at which the estimate is looked at. */
const CHECKPOINTS = [1, 10, 100, 1000, 10_000, 100_000];
/** The standard error is 1.04 / sqrt(registers); six times that never happens by chance. */
const LARGEST_ERROR = 6 * 1.04 / Math.sqrt(REGISTERS);
/** So many elements may be off when there are few. */
const SLACK = 10;
const SPARSE_ROOM = HEADER_BYTES + 2 * REGISTERS;
const SPARSE_LIMIT = 3000;

/** What is wrong with the HyperLogLog, or `undefined`. */
export function selfTest(random: () => number): string | undefined {
  return testRegisters(random) ?? testEstimates(random);
}

/** Sets registers at random and compares all of them with plain numbers. */
function testRegisters(random: () => number): string | undefined {
  const dense: ByteRun = asRun(denseFromSparse(asRun(emptySparse()))!);
  const plain = new Uint8Array(REGISTERS);
  for (let round = 0; round < REGISTER_ROUNDS; round++) {
    for (let index = 0; index < REGISTERS; index++) {
      const rank = Math.floor(random() * REGISTER_LIMIT);
      plain[index] = Math.max(plain[index], rank);
      raiseDense(dense, index, rank);
    }
    for (let index = 0; index < REGISTERS; index++) {
      const register = denseRegister(dense, index);
      if (register !== plain[index]) {
        return `Register ${index} should be ${plain[index]} but is ${register}`;
      }
    }
  }
  return undefined;
}

/** Adds elements to a sparse and a dense value, whose estimates must agree and be near the truth. */
function testEstimates(random: () => number): string | undefined {
  const dense = asRun(denseFromSparse(asRun(emptySparse()))!);
  const room = new Uint8Array(SPARSE_ROOM);
  room.set(emptySparse());
  const sparse: ByteRun = { bytes: room, start: 0, length: emptySparse().length };
  const element = new DataView(new ArrayBuffer(8));
  const hash: HashHalves = { high: 0, low: 0 };
  element.setFloat64(0, random());
  let isSparse = true;
  let added = 0;
  for (const count of CHECKPOINTS) {
    for (; added < count; added++) {
      element.setInt32(0, added);
      murmurHash(element, 0, element.byteLength, hash);
      raiseDense(dense, registerOf(hash), rankOf(hash));
      if (!isSparse) continue;
      isSparse = raiseSparse(sparse, registerOf(hash), rankOf(hash), SPARSE_LIMIT) !== NEEDS_DENSE;
    }
    const estimate = estimateCardinality(dense)!;
    if (isSparse && estimateCardinality(sparse) !== estimate) {
      return `Sparse and dense estimates of ${count} elements differ`;
    }
    if (Math.abs(estimate - count) > Math.max(SLACK, count * LARGEST_ERROR)) {
      return `Too big error. card:${count} estimate:${estimate}`;
    }
  }
  return undefined;
}

function asRun(bytes: Uint8Array): ByteRun {
  return { bytes, start: 0, length: bytes.length };
}
