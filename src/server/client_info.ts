/**
 * The line that CLIENT LIST and CLIENT INFO write about a client.
 *
 * @module
 */
import { REPLICA_CLASS } from "./client_classes.ts";
import type { Server } from "./server.ts";
import type { ServerContext } from "./server_context.ts";
import type { Session } from "./session.ts";

/**
 * One client as Redis describes it (https://redis.io/commands/client-list/), without line end.
 *
 * @param context whose command it is that asks, if a command does
 */
export function describeClient(
  server: Server,
  session: Session,
  context: ServerContext | null = null,
): string {
  const now = server.clock.now();
  const running = context?.client === session;
  // What a turn has run is cut off the buffer at its end: as with Redis, until then it counts.
  const waiting = running ? session.end : session.waitingBytes;
  const fields: [name: string, value: string | number][] = [
    ["id", session.id],
    ["addr", session.connection.remote],
    ["laddr", session.connection.local],
    ["fd", session.descriptor],
    ["name", session.name],
    ["age", Math.floor((now - session.created) / 1000)],
    ["idle", Math.floor((now - session.lastInteraction) / 1000)],
    ["flags", flagsOf(session)],
    ["db", session.database],
    ["sub", session.topics?.channels.size ?? 0],
    ["psub", session.topics?.patterns.size ?? 0],
    ["ssub", session.topics?.shardChannels.size ?? 0],
    ["multi", session.transaction?.count ?? -1],
    ["qbuf", waiting],
    ["qbuf-free", session.buffer.bytes.length - waiting],
    ["argv-mem", running ? context.argumentBytes : session.argumentBytes],
    ["multi-mem", session.transaction?.queuedBytes ?? 0],
    // Replies of a turn are written into one buffer that belongs to all sessions.
    ["rbs", running ? server.reply.buffer.bytes.length : 0],
    ["rbp", running ? server.reply.buffer.bytes.length : 0],
    ["obl", (running ? server.reply.length : 0) + session.pendingBytes - session.outputBytes],
    ["oll", session.outputBytes === 0 ? 0 : Math.max(1, session.pendingChunks)],
    ["omem", session.outputBytes],
    ["tot-mem", session.footprint],
    ["events", session.writing ? "rw" : "r"],
    ["cmd", session.lastCommand],
    ["user", "default"],
    ["redir", session.tracking?.redirect ?? -1],
    ["resp", session.resp],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(" ");
}

/** A letter for each thing that is special about a client. */
function flagsOf(session: Session): string {
  const { tracking } = session;
  let flags = session.monitoring ? "O" : session.clientClass === REPLICA_CLASS ? "S" : "";
  if (session.isMaster) flags += "M";
  if (session.topics !== null) flags += "P";
  if (session.transaction !== null) flags += "x";
  if (session.blocked !== null) flags += "b";
  if (tracking !== null) flags += "t";
  if (tracking?.redirectBroken) flags += "R";
  if (tracking?.broadcast) flags += "B";
  if (session.watched?.changed) flags += "d";
  if (session.closing) flags += "c";
  if (session.connection.remote.endsWith(":0")) flags += "U";
  if (session.protectedFromEviction) flags += "e";
  return flags === "" ? "N" : flags;
}
