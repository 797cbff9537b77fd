/**
 * `--stat`: how a server does, a line each second.
 *
 * @module
 */

import { type Reply, textOf } from "../../protocol/reply.ts";
import { ToolError } from "../failures.ts";
import { latin1Bytes } from "../quoting.ts";
import { formatMemory } from "./figures.ts";
import { type Live, runLive } from "./live.ts";
import type { ToolContext } from "./tool.ts";

const DEFAULT_INTERVAL_SECONDS = 1;

/** After so many lines the headings stand again. */
const LINES_BETWEEN_HEADINGS = 20;

const HEADINGS = `\
------- data ------ --------------------- load -------------------- - child -
keys       mem      clients blocked requests            connections          
`;

/** What stands where the server doesn't tell a figure. */
const UNKNOWN = "?";

/** What the server does beside its work, by the field of INFO that says so. */
const CHILD_FIELDS = [
  ["rdb_bgsave_in_progress", "SAVE"],
  ["aof_rewrite_in_progress", "AOF"],
  ["loading", "LOAD"],
] as const;

/** Shows how a server does. */
export function watchServer(context: ToolContext): Promise<number> {
  return runLive(context, showLines);
}

async function showLines({ settings, terminal, server, interruption }: Live): Promise<number> {
  const intervalMs = (settings.intervalSeconds || DEFAULT_INTERVAL_SECONDS) * 1000;
  let requestsBefore: number | undefined;
  for (let line = 0; !interruption.isRequested; line++) {
    const info = readInfo(await server.send("INFO"));
    const headings = line % LINES_BETWEEN_HEADINGS === 0 ? HEADINGS : "";
    terminal.write(latin1Bytes(`${headings}${statLine(info, requestsBefore)}\n`));
    requestsBefore = numberOf(info, "total_commands_processed");
    await interruption.sleep(intervalMs);
  }
  return 0;
}

/**
 * One line about a server.
 *
 * @param info The fields that INFO answered.
 * @param requestsBefore How many requests it had when the line before was made.
 */
export function statLine(
  info: ReadonlyMap<string, string>,
  requestsBefore: number | undefined,
): string {
  const memoryBytes = numberOf(info, "used_memory");
  const memory = memoryBytes === undefined ? UNKNOWN : formatMemory(memoryBytes);
  const requests = numberOf(info, "total_commands_processed");
  const newRequests = (requests ?? 0) - (requestsBefore ?? requests ?? 0);
  const figure = (field: string) => info.get(field) ?? UNKNOWN;
  return [
    String(countKeys(info)).padEnd(11),
    memory.padEnd(8),
    " ",
    figure("connected_clients").padEnd(8),
    figure("blocked_clients").padEnd(8),
    `${requests ?? UNKNOWN} (+${newRequests})`.padEnd(19),
    " ",
    figure("total_connections_received").padEnd(12),
    CHILD_FIELDS.filter(([field]) => figure(field) === "1").map(([, word]) => word).join("+"),
  ].join("");
}

/**
 * The fields of a reply to INFO.
 *
 * @throws {ToolError} if it is an error.
 */
function readInfo(reply: Reply): Map<string, string> {
  const text = textOf(reply) ?? "";
  if (reply.kind === "error") throw new ToolError(`ERROR: ${text}`);
  const fields = new Map<string, string>();
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

function numberOf(info: ReadonlyMap<string, string>, field: string): number | undefined {
  const number = Number(info.get(field) ?? NaN);
  return Number.isNaN(number) ? undefined : number;
}

/** The keys of all databases: `db0:keys=12,expires=3,...`. */
function countKeys(info: ReadonlyMap<string, string>): number {
  let count = 0;
  for (const [field, value] of info) {
    if (/^db\d+$/.test(field)) count += Number(/^keys=(\d+)/.exec(value)?.[1] ?? 0);
  }
  return count;
}
