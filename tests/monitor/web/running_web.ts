/**
 * A web server with a monitor behind it that only plays one.
 *
 * @module
 */

import { type DemoControls, startWeb, type Web } from "../../../src/monitor/web/server.ts";
import { Logger } from "../../../src/runtime/logging.ts";
import { FakeMonitor } from "./fake_monitor.ts";

/** See the head of this file. */
export interface RunningWeb extends AsyncDisposable {
  /** The monitor. */
  readonly monitor: FakeMonitor;
  /** The web server. */
  readonly web: Web;
  /** What stands in the log. */
  readonly log: string[];
  /** Asks for a path. */
  get(path: string, init?: RequestInit): Promise<Response>;
  /** Posts as the page does, and gives the status and the answer. */
  post(
    path: string,
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; answer: Record<string, unknown> }>;
}

/** Starts one on a port of the system's choice. */
export async function runWeb(
  options: { token?: string; demo?: DemoControls; monitor?: FakeMonitor; port?: number } = {},
): Promise<RunningWeb> {
  const { token = "secret", demo, port = 0, monitor = new FakeMonitor() } = options;
  const log: string[] = [];
  const logger = new Logger((line) => log.push(line), () => monitor.nowMs);
  const web = await startWeb(monitor, { hostname: "127.0.0.1", port, token, demo }, logger);
  const get = (path: string, init?: RequestInit) => fetch(new URL(path, web.url), init);
  return {
    monitor,
    web,
    log,
    get,
    async post(path, body, headers = {}) {
      const response = await get(path, {
        method: "POST",
        headers: { "content-type": "application/json", "x-miniredis-monitor": "test", ...headers },
        body: JSON.stringify(body),
      });
      return { status: response.status, answer: await response.json() };
    },
    [Symbol.asyncDispose]: () => web.stop(),
  };
}
