/**
 * A file of a {@linkcode VirtualDisk}: its bytes as processes see them, and what of them is on the disk.
 *
 * The system keeps what is written in memory and brings it to the disk when it likes, in the order it
 * likes; only a sync that has ended says that it is there. So a file has two contents: `seen`, with all that was
 * written, and `durable`, what is surely on the disk; and the changes that lead from the one to the other.
 *
 * **A power cut** leaves what is durable and, of the changes, chance decides: nothing; everything; the first of them,
 * the last of which may be torn, with zeros or garbage at its end; or some of their blocks, where a block that didn't
 * come is what was durable there, or zeros where the file has only grown. What is durable is never damaged but where
 * an unsynced change was about to replace it. Where a disk is less cruel ({@linkcode Tearing}), only a first part of the
 * changes is there, down to the byte, as after appending to a file of ext4, APFS or NTFS.
 *
 * **A sync that fails** forgets the changes: processes go on seeing them, but as on Linux, which takes the pages for
 * clean afterwards, no later sync brings them to the disk.
 *
 * @module
 */

/** What a disk writes in one go. */
export const BLOCK_BYTES = 512;

/** What a power cut may make of what was written but not synced: any of its blocks are there, or only a first part. */
export type Tearing = "blocks" | "prefix";

/** Something that was done to a file, in the order of `number`. */
type Change =
  | {
    readonly kind: "write";
    readonly number: number;
    readonly at: number;
    readonly bytes: Uint8Array;
  }
  | { readonly kind: "resize"; readonly number: number; readonly size: number };

/** A file without a name. */
export class DiskFile {
  private readonly seen = new Content();
  private readonly durable = new Content();
  private changes: Change[] = [];
  private changesMade = 0;

  /** Bytes that processes see. */
  get size(): number {
    return this.seen.size;
  }

  /** The number of the last change, up to which a sync that begins now works. */
  get lastChange(): number {
    return this.changesMade;
  }

  /** The bytes that processes see; valid until the next change. */
  bytes(): Uint8Array {
    return this.seen.bytes();
  }

  /** Writes bytes; a gap before them is zeros. */
  write(at: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.change({ kind: "write", number: ++this.changesMade, at, bytes: bytes.slice() });
  }

  /** Cuts what is behind the first `size` bytes, or adds zeros up to there. */
  resize(size: number): void {
    this.change({ kind: "resize", number: ++this.changesMade, size });
  }

  /** Makes changes durable, up to the one of a number. */
  commit(lastChange: number): void {
    for (const change of this.take(lastChange)) apply(change, this.durable);
  }

  /** Makes sure that changes never become durable, up to the one of a number. */
  forget(lastChange: number): void {
    this.take(lastChange);
  }

  /** Leaves what a power cut leaves. */
  powerCut(random: () => number, tearing: Tearing): void {
    if (this.changes.length > 0) {
      const fate = random();
      if (fate < 0.2) this.changes = [];
      else if (fate < 0.4) this.commit(this.changesMade);
      else if (fate < 0.7 || tearing === "prefix") this.keepFirstChanges(random, tearing);
      else this.keepSomeBlocks(random);
      this.changes = [];
    }
    // What was seen but forgotten goes as well.
    this.seen.resize(0);
    this.seen.write(0, this.durable.bytes());
  }

  private change(change: Change): void {
    this.changes.push(change);
    apply(change, this.seen);
  }

  private take(lastChange: number): Change[] {
    const later = this.changes.findIndex(({ number }) => number > lastChange);
    return this.changes.splice(0, later < 0 ? this.changes.length : later);
  }

  /** Some changes came to the disk, in order, and perhaps a part of the next one. */
  private keepFirstChanges(random: () => number, tearing: Tearing): void {
    const torn = this.changes[randomInteger(random, this.changes.length)];
    this.commit(torn.number - 1);
    if (torn.kind === "resize") return;
    const kept = randomInteger(random, torn.bytes.length);
    this.durable.write(torn.at, torn.bytes.subarray(0, kept));
    if (tearing === "prefix") return;
    const tail = random();
    if (tail < 0.5) return;
    // The size was written before the bytes: they are what the disk had there.
    const length = 1 + randomInteger(random, Math.min(BLOCK_BYTES, torn.bytes.length - kept));
    const rubbish = new Uint8Array(length);
    if (tail < 0.75) rubbish.forEach((_, index) => rubbish[index] = randomInteger(random, 256));
    this.durable.write(torn.at + kept, rubbish);
  }

  /** The size that the file had after some changes came to the disk, and of their blocks each or not. */
  private keepSomeBlocks(random: () => number): void {
    const before = this.durable.bytes().slice();
    const changes = this.changes.slice(0, 1 + randomInteger(random, this.changes.length));
    for (const change of changes) apply(change, this.durable);
    const presence = [0, 0.5, 0.9][randomInteger(random, 3)];
    const start = Math.min(...changes.map(firstByteOf));
    for (let at = start - start % BLOCK_BYTES; at < this.durable.size; at += BLOCK_BYTES) {
      if (random() < presence) continue;
      const end = Math.min(at + BLOCK_BYTES, this.durable.size);
      const block = new Uint8Array(end - at);
      block.set(before.subarray(at, end));
      this.durable.write(at, block);
    }
  }
}

/** A whole number from 0 to less than `limit`. */
export function randomInteger(random: () => number, limit: number): number {
  return Math.floor(random() * limit);
}

function apply(change: Change, content: Content): void {
  if (change.kind === "write") content.write(change.at, change.bytes);
  else content.resize(change.size);
}

function firstByteOf(change: Change): number {
  return change.kind === "write" ? change.at : change.size;
}

/** Bytes that grow. */
class Content {
  size = 0;
  /** Zeros behind `size`. */
  private room = new Uint8Array(64);

  bytes(): Uint8Array {
    return this.room.subarray(0, this.size);
  }

  write(at: number, bytes: Uint8Array): void {
    if (at + bytes.length > this.size) this.resize(at + bytes.length);
    this.room.set(bytes, at);
  }

  resize(size: number): void {
    if (size > this.room.length) {
      const larger = new Uint8Array(Math.max(size, this.room.length * 2));
      larger.set(this.bytes());
      this.room = larger;
    }
    if (size < this.size) this.room.fill(0, size, this.size);
    this.size = size;
  }
}
