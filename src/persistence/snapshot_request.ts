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
import type { SnapshotOrder, SnapshotResult } from "./snapshot_engine.ts";
import { writeLasting } from "./snapshot_file.ts";

/** Word of the shared memory: not 0 if the snapshot is given up. */
export const CONTROL_CANCEL = 0;
/** Word: how many keys have been written. */
export const CONTROL_KEYS = 1;
/** Word: KiB of memory that were taken at once, at most. */
export const CONTROL_KIBIBYTES = 2;
/** A word that never changes, to wait for. */
const CONTROL_NOTHING = 3;
/** How many words there are. */
export const CONTROL_WORDS = 4;

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
}

/** It was given up. */
class CancelledError extends Error {}

/** Writes what is asked for, but gives it no other name: only the server knows whether it is still wanted. */
export function writeFrozen({ order, data, control }: SnapshotRequest): SnapshotResult {
  const words = new Int32Array(control);
  let peak = 0;
  const waitMs = order.keyDelay / 1000;
  const check = (): void => {
    if (Atomics.load(words, CONTROL_CANCEL) !== 0) throw new CancelledError("it was given up");
  };
  try {
    check();
    writeLasting(systemFiles, order.temporary, order.syncsInSteps, (sink) => {
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
    });
    return { error: null, extraBytes: peak };
  } catch (error) {
    // Who gave it up removes the file: by now another worker may be writing one of this name.
    const isCancelled = Atomics.load(words, CONTROL_CANCEL) !== 0;
    if (!isCancelled) removeQuietly(systemFiles, order.temporary);
    return { error: systemReason(error), extraBytes: peak };
  }
}
