/**
 * What a server asks of the worker that writes snapshots, and how that is done.
 *
 * The worker gets an order with frozen memory, writes the file from its start to its end without a stop, and says how that went.
 * What the server is to know meanwhile, or has to say, stands in shared memory ({@linkcode CONTROL_CANCEL} and its siblings).
 *
 * @module
 */
import { removeQuietly, systemFiles, systemReason } from "../runtime/files.ts";
import { type FrozenData, FrozenSnapshot } from "./frozen_snapshot.ts";
import { PIECES_LIMIT, type SnapshotOrder, type SnapshotResult } from "./snapshot_engine.ts";
import { writeLasting } from "./snapshot_file.ts";

/** Word of the shared memory: not 0 if the snapshot is given up. */
export const CONTROL_CANCEL = 0;
/** Word: how many keys have been written. */
export const CONTROL_KEYS = 1;
/** Word: KiB of memory that were taken at once, at most. */
export const CONTROL_KIBIBYTES = 2;
/** A word that never changes, to wait for. */
const CONTROL_NOTHING = 3;
/** Word: pieces that nobody has taken yet. */
export const CONTROL_UNTAKEN = 4;
/** How many words there are. */
export const CONTROL_WORDS = 5;

/** A snapshot that goes to no file comes in pieces of so many bytes, but for the last. */
export const PIECE_BYTES: number = 256 * 1024;
/** Who waits for others to take pieces looks after so many ms whether it was given up. */
const LOOK_MS = 100;

/**
 * After so much work the worker rests for a moment. Where all cores are busy, the system lets even a thread that is as nice as can
 * be go on for some ms before it gives way; one that sleeps has given way.
 */
const BURST_MS = 0.2;
const REST_MS = 0.1;
/** Keys or elements between two looks at the clock. */
const STEPS_PER_LOOK = 64;

/** What the server tells the worker: to write. */
export interface SnapshotRequest {
  /** What. */
  readonly order: SnapshotOrder;
  /** Of which data. */
  readonly data: FrozenData;
  /** Words that both see. */
  readonly control: SharedArrayBuffer;
  /** Room for {@linkcode PIECES_LIMIT} pieces, if it goes to no file: they take turns, and cost nobody's collector anything. */
  readonly room: SharedArrayBuffer | null;
}

/** What the worker tells the server before the result: the next piece stands in its place. */
export interface SnapshotPiece {
  /** How many bytes it has. */
  readonly pieceBytes: number;
}

/** It was given up. */
class CancelledError extends Error {}

/** Gathers what is written into pieces, and hands them over no faster than they are taken. */
class PieceSink {
  private readonly room: Uint8Array;
  /** The place of the piece under way, */
  private place = 0;
  /** and how much it has. */
  private used = 0;

  constructor(
    room: SharedArrayBuffer,
    private readonly words: Int32Array<SharedArrayBuffer>,
    private readonly post: (piece: SnapshotPiece) => void,
    private readonly check: () => void,
  ) {
    this.room = new Uint8Array(room);
  }

  /** Takes bytes that are only good during the call. */
  readonly write = (bytes: Uint8Array): void => {
    for (let from = 0; from < bytes.length;) {
      if (this.used === 0) this.waitForRoom();
      const count = Math.min(bytes.length - from, PIECE_BYTES - this.used);
      this.room.set(bytes.subarray(from, from + count), this.place * PIECE_BYTES + this.used);
      this.used += count;
      from += count;
      if (this.used === PIECE_BYTES) this.flush();
    }
  };

  /** Hands over what has gathered. */
  flush(): void {
    if (this.used === 0) return;
    Atomics.add(this.words, CONTROL_UNTAKEN, 1);
    this.post({ pieceBytes: this.used });
    this.used = 0;
    this.place = (this.place + 1) % PIECES_LIMIT;
  }

  /** Waits until the place of the next piece is free. */
  private waitForRoom(): void {
    for (;;) {
      this.check();
      const untaken = Atomics.load(this.words, CONTROL_UNTAKEN);
      if (untaken < PIECES_LIMIT) return;
      Atomics.wait(this.words, CONTROL_UNTAKEN, untaken, LOOK_MS);
    }
  }
}

/**
 * Writes what is asked for, but gives it no other name: only the server knows whether it is still wanted. `post` gets the pieces of what
 * goes to no file.
 */
export function writeFrozen(
  { order, data, control, room }: SnapshotRequest,
  post: (piece: SnapshotPiece) => void,
): SnapshotResult {
  const words = new Int32Array(control);
  let peak = 0;
  const waitMs = order.keyDelay / 1000;
  const check = (): void => {
    if (Atomics.load(words, CONTROL_CANCEL) !== 0) throw new CancelledError("it was given up");
  };
  try {
    check();
    const write = (sink: (bytes: Uint8Array) => void): void => {
      let steps = 0;
      let restedMs = performance.now();
      const snapshot = new FrozenSnapshot(data, order, sink, {
        wroteKey(): void {
          Atomics.store(words, CONTROL_KEYS, snapshot.keys);
          if (waitMs <= 0) return;
          Atomics.wait(words, CONTROL_NOTHING, 0, waitMs);
          check();
        },
        step(): void {
          if (++steps % STEPS_PER_LOOK !== 0 || performance.now() - restedMs < BURST_MS) return;
          Atomics.wait(words, CONTROL_NOTHING, 0, REST_MS);
          restedMs = performance.now();
        },
      });
      for (const _ of snapshot.write()) {
        check();
        peak = snapshot.peakBytes;
        Atomics.store(words, CONTROL_KIBIBYTES, peak >>> 10);
      }
      peak = Math.max(peak, snapshot.peakBytes);
    };
    if (order.temporary === null) {
      const pieces = new PieceSink(room!, words, post, check);
      write(pieces.write);
      pieces.flush();
    } else writeLasting(systemFiles, order.temporary, order.syncsInSteps, write);
    return { error: null, extraBytes: peak };
  } catch (error) {
    // Who gave it up removes the file: by now another worker may be writing one of this name.
    const isCancelled = Atomics.load(words, CONTROL_CANCEL) !== 0;
    if (!isCancelled && order.temporary !== null) removeQuietly(systemFiles, order.temporary);
    return { error: systemReason(error), extraBytes: peak };
  }
}
