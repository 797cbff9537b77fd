/**
 * Whole snapshots, made by hand, a byte a character.
 *
 * @module
 */
import { latin1Text } from "../../src/client/quoting.ts";
import { updateCrc64 } from "../../src/persistence/crc64.ts";
import { Int64 } from "../../src/protocol/integers.ts";
import { latin1Bytes, rdbString } from "./rdb_bodies.ts";

/** The head, `body`, the end and its checksum. */
export function snapshotAround(body: string, version = "0010"): string {
  const text = `REDIS${version}${body}\xff`;
  const bytes = latin1Bytes(text);
  const crc = new Int64();
  updateCrc64(crc, bytes, 0, bytes.length);
  const sum = new DataView(new ArrayBuffer(8));
  sum.setInt32(0, crc.low, true);
  sum.setInt32(4, crc.high, true);
  return text + latin1Text(new Uint8Array(sum.buffer));
}

/** A snapshot with these keys in database 0: type byte (opcodes may be in front of it), name and value. */
export function snapshotOf(
  keys: readonly (readonly [type: string, name: string, value: string])[],
): string {
  const texts = keys.map(([type, name, value]) => type + rdbString(name) + value);
  return snapshotAround(`\xfe\x00${texts.join("")}`);
}
