/**
 * A server of the demo, in a worker: who ends the worker kills the server, as `kill -9` would.
 *
 * @module
 */

import { type ServerOptions, startServer } from "../../server/mod.ts";

/** What the worker is told: the settings of the server that it is to run. */
export interface DemoServerStart {
  /** The settings. */
  readonly options: ServerOptions;
}

/** What the worker says: the port that the server listens on, or why there is none. */
export type DemoServerStarted = { readonly port: number } | { readonly failed: string };

/** The part of a worker's global scope that is used here; the default types are a window's. */
interface WorkerScope {
  onmessage: (event: MessageEvent<DemoServerStart>) => Promise<void>;
  postMessage(message: DemoServerStarted): void;
}

function serve(scope: WorkerScope): void {
  scope.onmessage = async ({ data }) => {
    try {
      const server = await startServer(data.options);
      await server.ready;
      scope.postMessage({ port: server.port });
    } catch (error) {
      scope.postMessage({ failed: error instanceof Error ? error.message : String(error) });
    }
  };
}

serve(self as unknown as WorkerScope);
