/**
 * Payloads for RESTORE, made by hand.
 *
 * @module
 */
import { updateCrc64 } from "../../src/persistence/crc64.ts";
import { Int64 } from "../../src/protocol/integers.ts";

/** `body` (a type byte and a value) with a footer that agrees with it. */
export function restorePayload(body: ArrayLike<number>, version = 10): Uint8Array {
  const bytes = new Uint8Array(body.length + 10);
  bytes.set(body);
  const view = new DataView(bytes.buffer, body.length);
  view.setUint16(0, version, true);
  const crc = new Int64();
  updateCrc64(crc, bytes, 0, body.length + 2);
  view.setInt32(2, crc.low, true);
  view.setInt32(6, crc.high, true);
  return bytes;
}
