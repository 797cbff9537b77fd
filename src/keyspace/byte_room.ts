/**
 * Memory outside of the arena in which a small collection is built.
 *
 * @module
 */

const FIRST_BYTES = 256;

/** Room that grows; see the head of this file. */
export class ByteRoom {
  /** The room's bytes. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BYTES);
  /** The same, for unaligned access. */
  view: DataView<ArrayBuffer> = new DataView(this.bytes.buffer);

  /** Has at least `bytes` bytes be there; what is there already stays, in another place. */
  reserve(bytes: number): void {
    if (bytes <= this.bytes.length) return;
    const larger = new Uint8Array(bytes * 2);
    larger.set(this.bytes);
    this.use(larger);
  }

  /** Has `bytes` be the room. */
  use(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}
