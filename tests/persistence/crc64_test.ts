import { assertEquals } from "@std/assert";
import { updateCrc64 } from "../../src/persistence/crc64.ts";
import { Int64 } from "../../src/protocol/integers.ts";

/** The checksum bit by bit, as its definition reads. */
function crcByDefinition(bytes: Uint8Array): bigint {
  let crc = 0n;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 1n) === 0n ? crc >> 1n : (crc >> 1n) ^ 0x95ac9329ac4bc9b5n;
    }
  }
  return crc;
}

function value(crc: Int64): bigint {
  return (BigInt(crc.high >>> 0) << 32n) | BigInt(crc.low >>> 0);
}

Deno.test("CRC-64 of the text that everybody checks with", () => {
  const crc = new Int64();
  const bytes = new TextEncoder().encode("123456789");
  updateCrc64(crc, bytes, 0, bytes.length);
  assertEquals(value(crc), 0xe9c6d914c4b8d9can);
});

Deno.test("CRC-64 is that of the definition, for any length, from any start, in any pieces", () => {
  const bytes = Uint8Array.from({ length: 80 }, (_, index) => (index * 167 + 13) & 0xff);
  for (let start = 0; start < 10; start++) {
    for (let end = start; end <= bytes.length; end += 7) {
      const crc = new Int64();
      const middle = start + ((end - start) >> 1);
      updateCrc64(crc, bytes, start, middle);
      updateCrc64(crc, bytes, middle, end);
      assertEquals(value(crc), crcByDefinition(bytes.subarray(start, end)), `${start}..${end}`);
    }
  }
});
