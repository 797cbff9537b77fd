/**
 * Starts the worker that writes snapshots. It stands apart from what the worker is told, since the thread that starts it for a
 * server needs nothing else of that.
 *
 * @module
 */

/** Starts a worker that serves the other end of the port, calls `failed` if it ends by itself, and returns what ends it. */
export type StartWorker = (port: MessagePort, failed: (reason: string) => void) => () => void;

/** Starts the worker from this thread, which does nothing else for some 15 ms then. */
export function startSnapshotWorker(
  port: MessagePort,
  failed: (reason: string) => void,
): () => void {
  const url = new URL("./snapshot_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  worker.onerror = (event) => {
    event.preventDefault();
    failed(event.message);
  };
  worker.postMessage({ port }, [port]);
  return () => worker.terminate();
}
