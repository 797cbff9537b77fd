/**
 * The worker that the server of `miniredis server` runs in (see `cli.ts` for the reason), and the
 * messages between it and the main thread.
 *
 * Nothing that runs in here may call `Deno.exit`: in a worker it ends the worker alone, without a
 * word to the main thread. The exit code goes there as a message.
 *
 * @module
 */

import { type Server, type ServerOptions, startServer } from "./server.ts";
import { SettingsError } from "./settings.ts";

/** What the main thread tells the worker. */
export type MessageToWorker =
  | { readonly type: "start"; readonly options: ServerOptions }
  | { readonly type: "shutdown"; readonly reason: string };

/** What the worker tells the main thread. */
export type MessageFromWorker =
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "finished"; readonly exitCode: number };

/** The part of a worker's global scope that is used here; the default types are a window's. */
interface WorkerScope {
  onmessage: (event: MessageEvent<MessageToWorker>) => Promise<void>;
  postMessage(message: MessageFromWorker): void;
}

/** Starts the server when told to, and tells how it ended. */
function serve(scope: WorkerScope): void {
  // A shutdown may be asked for while the server is still starting, so it waits for the promise.
  let starting: Promise<Server | undefined> = Promise.resolve(undefined);

  scope.onmessage = async ({ data }) => {
    if (data.type === "shutdown") {
      await (await starting)?.shutdown(data.reason);
      return;
    }
    starting = startServer(data.options).catch((error) => {
      scope.postMessage({ type: "failed", message: explainFailure(error) });
      return undefined;
    });
    const exitCode = await (await starting)?.finished;
    if (exitCode !== undefined) scope.postMessage({ type: "finished", exitCode });
  };
}

/** What to tell the user, who can mend a setting or an address, but not a fault of ours. */
function explainFailure(error: unknown): string {
  if (error instanceof SettingsError) return error.message;
  throw error;
}

serve(self as unknown as WorkerScope);
