/**
 * The line that CLIENT LIST and CLIENT INFO write about a client.
 *
 * @module
 */
import type { Server } from "./server.ts";
import type { Session } from "./session.ts";

/** One client as Redis describes it (https://redis.io/commands/client-list/), without line end. */
export function describeClient(server: Server, session: Session): string {
  const now = server.clock.now();
  const waiting = session.end - session.position;
  const fields: [name: string, value: string | number][] = [
    ["id", session.id],
    ["addr", session.connection.remote],
    ["laddr", session.connection.local],
    ["fd", -1],
    ["name", session.name],
    ["age", Math.floor((now - session.created) / 1000)],
    ["idle", Math.floor((now - session.lastInteraction) / 1000)],
    ["flags", session.closing ? "c" : "N"],
    ["db", session.database],
    ["sub", 0],
    ["psub", 0],
    ["ssub", 0],
    ["multi", -1],
    ["qbuf", waiting],
    ["qbuf-free", session.buffer.bytes.length - waiting],
    ["argv-mem", 0],
    ["multi-mem", 0],
    ["rbs", 0],
    ["rbp", 0],
    ["obl", 0],
    ["oll", session.pendingChunks],
    ["omem", session.pendingBytes],
    ["tot-mem", session.memory],
    ["events", session.writing ? "rw" : "r"],
    ["cmd", session.lastCommand],
    ["user", "default"],
    ["redir", -1],
    ["resp", session.resp],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(" ");
}
