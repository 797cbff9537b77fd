/**
 * The checksum at the end of snapshots and of DUMP's payloads: CRC-64 in Jones' variant.
 *
 * Polynomial 0xad93d23594c935a9, bits reflected on the way in and out, no initial value and no final
 * complement; that of the text `123456789` is e9c6d914c4b8d9ca.
 *
 * JavaScript has no 64-bit integers that are fast, so a checksum is a pair of 32-bit halves. Eight bytes are
 * taken at a time: each has a table of its own, which holds what the byte contributes once those behind it have
 * been shifted in, and the eight contributions are combined with XOR ("slicing by eight"). The halves of a
 * contribution lie side by side, and all tables together are 16 KiB, so that they stay in the innermost cache.
 * Measured: 670 to 730 MB/s, against 290 MB/s byte by byte with one table.
 *
 * @module
 */
import type { Int64 } from "../protocol/integers.ts";

/** The polynomial with its bits in reverse, in two halves. */
const POLYNOMIAL_HIGH = 0x95ac9329 | 0;
const POLYNOMIAL_LOW = 0xac4bc9b5 | 0;
const SLICES = 8;
/** Words of one byte's table: 256 pairs of low and high half. */
const TABLE_WORDS = 512;

const TABLES = makeTables();

/** Carries the checksum in `crc` (all zero at first) on over `bytes[start..end)`. */
export function updateCrc64(crc: Int64, bytes: Uint8Array, start: number, end: number): void {
  const tables = TABLES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let low = crc.low;
  let high = crc.high;
  let at = start;
  for (const last = end - SLICES; at <= last; at += SLICES) {
    low ^= view.getInt32(at, true);
    high ^= view.getInt32(at + 4, true);
    const a = 3584 + ((low & 0xff) << 1);
    const b = 3072 + ((low >>> 7) & 0x1fe);
    const c = 2560 + ((low >>> 15) & 0x1fe);
    const d = 2048 + ((low >>> 23) & 0x1fe);
    const e = 1536 + ((high & 0xff) << 1);
    const f = 1024 + ((high >>> 7) & 0x1fe);
    const g = 512 + ((high >>> 15) & 0x1fe);
    const h = (high >>> 23) & 0x1fe;
    low = tables[a] ^ tables[b] ^ tables[c] ^ tables[d] ^ tables[e] ^ tables[f] ^ tables[g] ^
      tables[h];
    high = tables[a + 1] ^ tables[b + 1] ^ tables[c + 1] ^ tables[d + 1] ^ tables[e + 1] ^
      tables[f + 1] ^ tables[g + 1] ^ tables[h + 1];
  }
  for (; at < end; at++) {
    const pair = ((low ^ bytes[at]) & 0xff) << 1;
    low = ((low >>> 8) | (high << 24)) ^ tables[pair];
    high = (high >>> 8) ^ tables[pair + 1];
  }
  crc.low = low;
  crc.high = high;
}

/** The tables, that of the last of eight bytes first. */
function makeTables(): Int32Array {
  const tables = new Int32Array(SLICES * TABLE_WORDS);
  for (let byte = 0; byte < 256; byte++) {
    let low = byte;
    let high = 0;
    for (let bit = 0; bit < 8; bit++) {
      const odd = low & 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (odd === 0) continue;
      low ^= POLYNOMIAL_LOW;
      high ^= POLYNOMIAL_HIGH;
    }
    tables[byte * 2] = low;
    tables[byte * 2 + 1] = high;
  }
  for (let word = TABLE_WORDS; word < tables.length; word += 2) {
    const low = tables[word - TABLE_WORDS];
    const high = tables[word - TABLE_WORDS + 1];
    const pair = (low & 0xff) * 2;
    tables[word] = ((low >>> 8) | (high << 24)) ^ tables[pair];
    tables[word + 1] = (high >>> 8) ^ tables[pair + 1];
  }
  return tables;
}
