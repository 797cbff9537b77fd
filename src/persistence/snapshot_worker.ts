/**
 * The worker that writes snapshots. Nothing but a worker may load this: it takes over the thread that does.
 *
 * It has less of a claim to the processor than the server: where there is one core, or all are busy, clients go first.
 *
 * @module
 */
import { lowerThreadPriority } from "../runtime/machine.ts";
import { type SnapshotRequest, writeFrozen } from "./snapshot_request.ts";

const NICENESS = 10;

/** The part of a worker's global scope that is used here; the default types are a window's. */
interface WorkerScope {
  onmessage: ((event: { data: { readonly port: MessagePort } }) => void) | null;
}

/** Serves the server at the other end of the port that comes as the first message. */
function serve(scope: WorkerScope): void {
  lowerThreadPriority(NICENESS);
  scope.onmessage = ({ data: { port } }) => {
    port.onmessage = ({ data }: MessageEvent<SnapshotRequest>) =>
      port.postMessage(
        writeFrozen(data, (piece) => port.postMessage(piece)),
      );
  };
}

serve(self as unknown as WorkerScope);
