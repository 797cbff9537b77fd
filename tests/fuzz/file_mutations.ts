/**
 * Breaks files: what a bad disk, a bad program or a bad person makes of them.
 *
 * @module
 */
import { updateCrc64 } from "../../src/persistence/crc64.ts";
import { RDB_END } from "../../src/persistence/rdb_format.ts";
import { Int64 } from "../../src/protocol/integers.ts";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import type { RandomSource } from "./random_source.ts";
import { joinBytes } from "../../src/protocol/joined_bytes.ts";

/** Bytes. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The words of a command. */
export type Words = readonly string[];

const CHECKSUM_BYTES = 8;
/** Most changes to a file. */
const MOST_CHANGES = 4;
/** Longest range that is taken away, doubled or moved. */
const LONGEST_RANGE = 64;
/** Most of what is worth changing stands at the start. */
const HEAD_BYTES = 40;
/** Bytes that mean something, in RDB or in listpacks. */
// deno-fmt-ignore
const TELLING_BYTES = [
  0, 1, 2, 3, 4, 5, 0x0a, 0x0d, 0x24, 0x2a, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xbf, 0xc0, 0xc1, 0xc2, 0xc3, 0xdf, 0xe0, 0xef, 0xf0,
  0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff,
];
/** Lengths at an edge, as RDB writes them. */
// deno-fmt-ignore
const LENGTHS: readonly (readonly number[])[] = [
  [0], [1], [0x3f], [0x40, 0], [0x7f, 0xff], [0x80, 0, 0, 0, 0], [0x80, 0, 0, 0x40, 0], [0x80, 0x7f, 0xff, 0xff, 0xff],
  [0x80, 0x80, 0, 0, 0], [0x80, 0xff, 0xff, 0xff, 0xff], [0x81, 0, 0, 0, 1, 0, 0, 0, 0], [0x81, 0, 0, 0, 0, 0, 0, 0, 1],
  [0x81, 0x00, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0x81, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0xc3, 0x40, 0xff, 0x80, 0x7f, 0xff, 0xff, 0xff],
  [0xc3, 4, 0x80, 0xff, 0xff, 0xff, 0xff],
];
/** Numbers at an edge, as text. */
// deno-fmt-ignore
const NUMBERS = [
  "0", "-1", "1", "9", "64", "255", "65536", "1048576", "1048577", "2147483647", "2147483648", "4294967296", "-2147483648",
  "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551616", "99999999999999999999999", "", "x",
  "1.5", "inf", "-inf", "nan", "1e308",
];

/** `bytes` with one change or a few; `donor` is another file, parts of which may get into it. */
export function mutated(bytes: Bytes, donor: Bytes, source: RandomSource): Bytes {
  let result = bytes;
  // A single one leads furthest.
  const most = source.chance(0.6) ? 1 : MOST_CHANGES;
  for (let changes = source.between(1, most); changes > 0; changes--) {
    result = changed(result, donor, source);
  }
  return result;
}

/** Commands, some of them with other words, left out, doubled or out of order, but each of them whole. */
export function mutatedCommands(
  commands: readonly Words[],
  donor: readonly Words[],
  source: RandomSource,
): Bytes {
  const result = [...commands];
  for (let changes = source.between(1, MOST_CHANGES); changes > 0; changes--) {
    const at = source.below(result.length + 1);
    const words = [...result[at] ?? []];
    const word = source.below(words.length + 1);
    switch (source.below(6)) {
      case 0:
        result.splice(at, 1);
        break;
      case 1:
        result.splice(source.below(result.length + 1), 0, source.pick(donor));
        break;
      case 2:
        words.splice(word, 1);
        break;
      case 3:
        words.splice(word, 0, source.pick(words.length === 0 ? NUMBERS : words));
        break;
      case 4:
        words[word] = source.pick(source.pick(donor));
        break;
      default:
        words[word] = source.pick(NUMBERS);
    }
    if (words.length > 0 && at < result.length) result[at] = words;
  }
  return joinBytes(result.map((words) => encodeRequest(words)));
}

/** With a checksum that agrees with what is in front of it; for snapshots. */
export function withChecksum(bytes: Bytes): Bytes {
  const body = bytes.slice(0, Math.max(0, bytes.length - CHECKSUM_BYTES));
  // What was cut off has no end, behind which the checksum would stand.
  if (body[body.length - 1] !== RDB_END) {
    return withChecksum(
      joinBytes([bytes, Uint8Array.of(RDB_END), new Uint8Array(CHECKSUM_BYTES)]),
    );
  }
  const crc = new Int64();
  updateCrc64(crc, body, 0, body.length);
  const whole = joinBytes([body, new Uint8Array(CHECKSUM_BYTES)]);
  const view = new DataView(whole.buffer, body.length);
  view.setInt32(0, crc.low, true);
  view.setInt32(4, crc.high, true);
  return whole;
}

function changed(bytes: Bytes, donor: Bytes, source: RandomSource): Bytes {
  if (bytes.length === 0) return source.bytes(source.between(1, 20));
  const limit = source.chance(0.3) ? Math.min(HEAD_BYTES, bytes.length) : bytes.length;
  const at = source.below(limit);
  const length = Math.min(source.between(1, LONGEST_RANGE), bytes.length - at);
  const [head, range, tail] = [
    bytes.subarray(0, at),
    bytes.subarray(at, at + length),
    bytes.subarray(at + length),
  ];
  switch (source.below(12)) {
    case 0:
      return withByte(bytes, at, bytes[at] ^ (1 << source.below(8)));
    case 1:
      return withByte(bytes, at, source.below(256));
    case 2:
      return withByte(bytes, at, source.pick(TELLING_BYTES));
    case 3:
      return joinBytes([head, tail]);
    case 4:
      return joinBytes([head, range, range, tail]);
    case 5:
      return joinBytes([head, source.bytes(source.between(1, 9)), range, tail]);
    case 6:
      return head.slice();
    case 7: {
      // Two ranges change places.
      const cut = source.below(tail.length + 1);
      return joinBytes([head, tail.subarray(0, cut), range, tail.subarray(cut)]);
    }
    case 8: {
      const from = source.below(donor.length + 1);
      const part = donor.subarray(from, from + source.between(1, LONGEST_RANGE));
      return joinBytes([head, part, source.chance(0.5) ? tail : bytes.subarray(at)]);
    }
    case 9:
      return withNumber(bytes, at, source);
    default: {
      const put = Uint8Array.from(source.pick(LENGTHS));
      return joinBytes([head, put, bytes.subarray(at + (source.chance(0.7) ? put.length : 1))]);
    }
  }
}

/** With another number in the place of one that is written as text at or behind `at`. */
function withNumber(bytes: Bytes, at: number, source: RandomSource): Bytes {
  const isDigit = (byte: number) => byte >= 48 && byte <= 57;
  let start = at;
  while (start < bytes.length && !isDigit(bytes[start])) start++;
  let end = start;
  while (end < bytes.length && isDigit(bytes[end])) end++;
  const put = new TextEncoder().encode(source.pick(NUMBERS));
  return joinBytes([bytes.subarray(0, start), put, bytes.subarray(end)]);
}

function withByte(bytes: Bytes, at: number, byte: number): Bytes {
  const result = bytes.slice();
  result[at] = byte;
  return result;
}
