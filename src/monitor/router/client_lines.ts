/**
 * The line that CLIENT LIST and CLIENT INFO write about a client of the router (https://redis.io/commands/client-list/).
 *
 * @module
 */
import type { Router } from "./router.ts";
import type { RouterSession } from "./session.ts";

/** One client, without line end; only the fields that mean something here. */
export function describeSession(session: RouterSession, router: Router): string {
  const seconds = (sinceMs: number) => Math.floor((router.nowMs - sinceMs) / 1000);
  const fields: [name: string, value: string | number][] = [
    ["id", session.id],
    ["addr", session.connection.remote],
    ["laddr", session.connection.local],
    ["name", session.name],
    ["age", seconds(session.createdMs)],
    ["idle", seconds(session.lastInteractionMs)],
    ["flags", flagsOf(session)],
    ["db", session.database],
    ["qbuf", session.waitingBytes],
    ["omem", session.pendingBytes],
    ["cmd", session.lastCommand],
    ["user", "default"],
    ["resp", session.resp],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(" ");
}

function flagsOf(session: RouterSession): string {
  let flags = "";
  if (session.line.exclusiveRun !== null) flags += "b";
  if (session.isClosing) flags += "c";
  if (session.noEvict) flags += "e";
  return flags === "" ? "N" : flags;
}
