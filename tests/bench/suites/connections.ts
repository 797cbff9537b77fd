/**
 * What a connection costs that lives for one request.
 *
 * @module
 */

import type { Suite } from "../bench_context.ts";
import { type Cell, measureAndShow } from "../cells.ts";

const CELLS: readonly Cell[] = [{
  label: "connect, PING, close",
  test: "ping_mbulk",
  clients: 50,
  pipeline: 1,
  keepAlive: false,
  cpuGoal: { atMost: 1.5 },
}];

/** Connect, one PING, close: processor time per connection. */
export const connections: Suite = {
  name: "connections",
  summary: "connect, one PING, close: processor time per connection",
  run: (bench) => measureAndShow(bench, CELLS),
};
