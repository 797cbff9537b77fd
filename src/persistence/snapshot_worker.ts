/**
 * The worker that writes snapshots, and the messages between it and a server.
 *
 * It gets an order with frozen memory, writes the file from its start to its end without a stop, and says how that went. What
 * the server is to know meanwhile, or has to say, stands in shared memory ({@linkcode CONTROL_CANCEL} and its siblings).
 *
 * It has less of a claim to the processor than the server: where there is one core, or all are busy, clients go first.
 *
 * @module
 */
import os from "node:os";
import { folderOf, systemFiles, systemReason } from "../runtime/files.ts";
import { type FrozenData, FrozenSnapshot } from "./frozen_snapshot.ts";
import type { SnapshotOrder, SnapshotResult } from "./snapshot_engine.ts";
import { removeQuietly, writeLasting } from "./snapshot_file.ts";

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

const NICENESS = 10;

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

/** Writes what is asked for. */
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
      const snapshot = new FrozenSnapshot(data, order, sink, () => {
        Atomics.store(words, CONTROL_KEYS, snapshot.keys);
        if (waitMs <= 0) return;
        Atomics.wait(words, CONTROL_NOTHING, 0, waitMs);
        check();
      });
      for (const _ of snapshot.write()) {
        check();
        peak = snapshot.peakBytes;
        Atomics.store(words, CONTROL_KIBIBYTES, peak >>> 10);
      }
      peak = Math.max(peak, snapshot.peakBytes);
    });
    check();
    if (order.target !== null) {
      systemFiles.rename(order.temporary, order.target);
      systemFiles.syncFolder(folderOf(order.target));
    }
    return { error: null, extraBytes: peak };
  } catch (error) {
    // Who gave it up removes the file: by now another worker may be writing one of this name.
    const isCancelled = Atomics.load(words, CONTROL_CANCEL) !== 0;
    if (!isCancelled) removeQuietly(systemFiles, order.temporary);
    return { error: systemReason(error), extraBytes: peak };
  }
}

/** The part of a worker's global scope that is used here; the default types are a window's. */
interface WorkerScope {
  onmessage: ((event: { data: { readonly port: MessagePort } }) => void) | null;
}

/** Serves the server at the other end of the port that comes as the first message. */
function serve(scope: WorkerScope): void {
  try {
    os.setPriority(0, NICENESS);
  } catch {
    // Without leave to do so, it is one thread among others.
  }
  scope.onmessage = ({ data: { port } }) => {
    port.onmessage = ({ data }: MessageEvent<SnapshotRequest>) =>
      port.postMessage(writeFrozen(data));
  };
}

/** Whether this thread is a worker, and not a test that uses what is in here. */
const { WorkerGlobalScope } = globalThis as { WorkerGlobalScope?: new () => unknown };
if (WorkerGlobalScope !== undefined && self instanceof WorkerGlobalScope) {
  serve(self as unknown as WorkerScope);
}
