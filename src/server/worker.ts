/**
 * The worker that the server of `miniredis server` runs in (see `cli.ts` for the reason), and the
 * messages between it and the main thread.
 *
 * Nothing that runs in here may call `Deno.exit`: in a worker it ends the worker alone, without a
 * word to the main thread. The exit code goes there as a message. By then all of the log is written,
 * since each line is before the call that writes it returns.
 *
 * @module
 */

import { type Server, type ShutdownManner, startServer } from "./server.ts";
import { type Directive, SettingsError } from "./settings.ts";
import type { SnapshotEngine } from "../persistence/snapshot_engine.ts";
import { WorkerSnapshotEngine } from "../persistence/worker_engine.ts";
import type { StartWorker } from "../persistence/worker_start.ts";
import { warmUp } from "./warming.ts";

const SIGABRT_NUMBER = 6;
/** What a shell shows for a process that was ended by it. */
const SIGABRT_EXIT_CODE = 134;

/** How a server is started. */
export interface StartMessage {
  /** What is asked for. */
  readonly type: "start";
  /** The configuration. */
  readonly directives: readonly Directive[];
  /** The whole path of the config file, if there is one. */
  readonly configFile: string | undefined;
  /** Whether somebody watches the log on a terminal. */
  readonly watched: boolean;
}

/** What the main thread tells the worker. */
export type MessageToWorker =
  | StartMessage
  | { readonly type: "signal"; readonly signal: string }
  | { readonly type: "snapshotWorkerFailed"; readonly reason: string };

/** What the worker tells the main thread. */
export type MessageFromWorker =
  | {
    /** How the server has ended: the exit code of the program. */
    readonly exitCode: number;
  }
  | {
    /** A worker for snapshots is wanted at this port; null: not any more. */
    readonly snapshotPort: MessagePort | null;
  }
  | {
    /** A signal has the server end now, by way of this file, which whoever can't wait has to remove; null: it goes on. */
    readonly endingBy: string | null;
  };

/** The part of a worker's global scope that is used here; the default types are a window's. */
interface WorkerScope {
  onmessage: (event: MessageEvent<MessageToWorker>) => Promise<void>;
  postMessage(message: MessageFromWorker, transfer?: Transferable[]): void;
  addEventListener(
    type: "error" | "unhandledrejection",
    listener: (event: Event & { readonly error?: unknown; readonly reason?: unknown }) => void,
  ): void;
}

/** Who is told when the worker for snapshots, which the main thread has, has ended by itself. */
interface SnapshotFailure {
  tell: (reason: string) => void;
}

/** Starts the server when told to, and tells how it ended. */
function serve(scope: WorkerScope): void {
  // A signal may come while the server is still starting, so it waits for the promise.
  let starting: Promise<Server | undefined> = Promise.resolve(undefined);
  let running: Server | undefined;
  const failure: SnapshotFailure = { tell: () => {} };
  const startWorker: StartWorker = (port, failed) =>
    startOnMainThread(scope, failure, port, failed);

  scope.onmessage = async ({ data }) => {
    if (data.type === "snapshotWorkerFailed") return failure.tell(data.reason);
    if (data.type === "signal") {
      const server = await starting;
      if (server !== undefined) takeSignal(scope, server, data.signal);
      return;
    }
    starting = start(data, startWorker);
    running = await starting;
    // Loading needs all the time there is, and nobody can be served before.
    running?.ready.then(() => warmUpBeside(running!));
    scope.postMessage({ exitCode: running === undefined ? 1 : await running.finished });
  };

  for (const type of ["error", "unhandledrejection"] as const) {
    scope.addEventListener(type, (event) => {
      // Without a server, the runtime prints the error, and the main thread hears of it.
      if (running === undefined) return;
      event.preventDefault();
      running.crash(event.error ?? event.reason);
    });
  }
}

/** A signal has come. */
function takeSignal(scope: WorkerScope, server: Server, signal: string): void {
  if (signal === "SIGABRT") return server.crash(SIGABRT_NUMBER, SIGABRT_EXIT_CODE);
  server.logger.signal(`Received ${signal} scheduling shutdown...`);
  scope.postMessage({ endingBy: server.persistence.snapshots.settings.temporary });
  server.shutdownRequest.ask(
    mannerOf(server, signal),
    () => scope.postMessage({ endingBy: null }),
  );
}

/** How a signal has the server stop. */
function mannerOf({ settings }: Server, signal: string): ShutdownManner {
  const words = settings.words(signal === "SIGTERM" ? "shutdown-on-sigterm" : "shutdown-on-sigint");
  const force = words.includes("force");
  const now = words.includes("now");
  if (words.includes("save")) return { save: true, force, now };
  return words.includes("nosave") ? { save: false, force, now } : { force, now };
}

/** Has the runtime know the hot commands before somebody needs them, while the server is already there for all. */
function warmUpBeside({ logger }: Server): void {
  warmUp().catch((error) => logger.log("warning", `Warming up failed: ${error.message}`));
}

/** Has the main thread start a worker for snapshots: here it would keep clients waiting for 15 ms. */
function startOnMainThread(
  scope: WorkerScope,
  failure: SnapshotFailure,
  port: MessagePort,
  failed: (reason: string) => void,
): () => void {
  failure.tell = failed;
  scope.postMessage({ snapshotPort: port }, [port]);
  return () => scope.postMessage({ snapshotPort: null });
}

/** The server, or undefined if it can't start, which is in the log. */
async function start(
  { directives, configFile, watched }: StartMessage,
  startWorker: StartWorker,
): Promise<Server | undefined> {
  try {
    const snapshots = ({ keyspace }: Server): SnapshotEngine =>
      new WorkerSnapshotEngine(keyspace, startWorker);
    return await startServer(directives, { configFile, watched, snapshots });
  } catch (error) {
    if (error instanceof SettingsError) return undefined;
    throw error;
  }
}

serve(self as unknown as WorkerScope);
