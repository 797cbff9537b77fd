/**
 * Handlers of CLIENT: what one client may ask and change about itself and about the others.
 *
 * @module
 */
import { type Handler, SYNTAX_ERROR } from "../commands/context.ts";
import { replyHelp } from "../commands/generic.ts";
import type { CLIENT_SPECS } from "../commands/specs/client.ts";
import type { HandlersFor } from "../commands/specs/types.ts";
import { parseTimeoutMilliseconds } from "../commands/timeouts.ts";
import { describeClient } from "./client_info.ts";
import { CLIENT_CLASSES } from "./client_classes.ts";
import { BAD_NAME, DEFAULT_USER, isGoodName, serverHandler } from "./connection_commands.ts";
import { PAUSE_ALL, PAUSE_WRITES } from "./pause.ts";
import type { ServerContext } from "./server_context.ts";
import {
  clientCaching,
  clientGetRedirection,
  clientTracking,
  clientTrackingInfo,
} from "./tracking_commands.ts";
import { REPLY_OFF, REPLY_ON, REPLY_SKIP_NEXT, type Session } from "./session.ts";

function clientSetName(context: ServerContext): void {
  const name = context.text(2);
  if (!isGoodName(name)) return context.reply.error(BAD_NAME);
  context.client.name = name;
  context.reply.simple("OK");
}

function clientGetName(context: ServerContext): void {
  if (context.client.name === "") context.reply.nullBulk();
  else context.reply.bulk(context.client.name);
}

function clientInfo(context: ServerContext): void {
  const line = describeClient(context.server, context.client, context);
  context.reply.verbatim("txt", `${line}\n`);
}

function clientList(context: ServerContext): void {
  const { reply, server } = context;
  let sessions = [...server.sessions.values()];
  if (context.argc === 4 && context.isWord(2, "TYPE")) {
    const wanted = classOfType(context.text(3));
    if (wanted === undefined) {
      return reply.error(`ERR Unknown client type '${context.quoted(3)}'`);
    }
    sessions = sessions.filter((session) => typeOf(session) === wanted);
  } else if (context.argc > 3 && context.isWord(2, "ID")) {
    const ids = new Set<number>();
    for (let index = 3; index < context.argc; index++) {
      if (!context.integer(index, "ERR Invalid client ID")) return;
      ids.add(context.value);
    }
    sessions = sessions.filter((session) => ids.has(session.id));
  } else if (context.argc !== 2) return reply.error(SYNTAX_ERROR);
  const lines = sessions.map((session) => `${describeClient(server, session, context)}\n`);
  reply.verbatim("txt", lines.join(""));
}

/** What a client is to those who ask for clients of a type: its class, or {@linkcode MASTER_TYPE}. */
function typeOf({ clientClass, isMaster }: Session): number {
  return isMaster ? MASTER_TYPE : clientClass;
}

/** The clients that the name of a type means, as {@linkcode typeOf} tells them; undefined if it is none. */
function classOfType(type: string): number | undefined {
  const name = type.toLowerCase();
  if (name === "master") return MASTER_TYPE;
  const index = (CLIENT_CLASSES as readonly string[]).indexOf(name === "replica" ? "slave" : name);
  return index < 0 ? undefined : index;
}

/** Closes a client: at once, or after its reply if it is the one that asks. */
function kill(context: ServerContext, session: Session): void {
  if (session === context.client) session.closing = true;
  else session.close();
}

function clientKill(context: ServerContext): void {
  const { reply, server } = context;
  const sessions = [...server.sessions.values()];
  if (context.argc === 3) {
    const address = context.text(2);
    const session = sessions.find((candidate) => candidate.connection.remote === address);
    if (session === undefined) return reply.error("ERR No such client");
    kill(context, session);
    return reply.simple("OK");
  }
  const filters = killFilters(context);
  if (filters === undefined) return;
  const matching = sessions.filter((session) => filters.every((filter) => filter(session)));
  for (const session of matching) kill(context, session);
  reply.integer(matching.length);
}

type SessionFilter = (session: Session) => boolean;

/** The filters of CLIENT KILL, or undefined after an error. */
function killFilters(context: ServerContext): SessionFilter[] | undefined {
  const { reply } = context;
  const filters: SessionFilter[] = [];
  let skipSelf = true;
  for (let index = 2; index < context.argc; index += 2) {
    if (index + 1 === context.argc) {
      reply.error(SYNTAX_ERROR);
      return undefined;
    }
    const value = context.text(index + 1);
    if (context.isWord(index, "ID")) {
      if (!context.integer(index + 1, "ERR client-id should be greater than 0")) return undefined;
      const id = context.value;
      if (id < 1) {
        reply.error("ERR client-id should be greater than 0");
        return undefined;
      }
      filters.push((session) => session.id === id);
    } else if (context.isWord(index, "TYPE")) {
      const wanted = classOfType(value);
      if (wanted === undefined) {
        reply.error(`ERR Unknown client type '${context.quoted(index + 1)}'`);
        return undefined;
      }
      filters.push((session) => typeOf(session) === wanted);
    } else if (context.isWord(index, "ADDR")) {
      filters.push((session) => session.connection.remote === value);
    } else if (context.isWord(index, "LADDR")) {
      filters.push((session) => session.connection.local === value);
    } else if (context.isWord(index, "USER")) {
      if (value !== DEFAULT_USER) {
        reply.error(`ERR No such user '${context.quoted(index + 1)}'`);
        return undefined;
      }
    } else if (context.isWord(index, "SKIPME") && /^(yes|no)$/i.test(value)) {
      skipSelf = value.toLowerCase() === "yes";
    } else {
      reply.error(SYNTAX_ERROR);
      return undefined;
    }
  }
  if (skipSelf) filters.push((session) => session !== context.client);
  return filters;
}

function clientReply(context: ServerContext): void {
  const session = context.client;
  if (context.isWord(2, "ON")) {
    session.replyMode = REPLY_ON;
    context.reply.simple("OK");
  } else if (context.isWord(2, "OFF")) session.replyMode = REPLY_OFF;
  else if (context.isWord(2, "SKIP")) {
    if (session.replyMode !== REPLY_OFF) session.replyMode = REPLY_SKIP_NEXT;
  } else context.reply.error(SYNTAX_ERROR);
}

function clientNoEvict(context: ServerContext): void {
  if (context.isWord(2, "ON")) context.client.protectedFromEviction = true;
  else if (context.isWord(2, "OFF")) context.client.protectedFromEviction = false;
  else return context.reply.error(SYNTAX_ERROR);
  context.reply.simple("OK");
}

function clientPause(context: ServerContext): void {
  const { reply, server: { clients }, keyspace } = context;
  if (context.argc > 4) return reply.error(wrongArguments(context));
  const writesOnly = context.argc === 4 && context.isWord(3, "WRITE");
  if (context.argc === 4 && !writesOnly && !context.isWord(3, "ALL")) {
    return reply.error("ERR CLIENT PAUSE mode must be WRITE or ALL");
  }
  const timeoutMs = parseTimeoutMilliseconds(context, 2);
  if (timeoutMs === undefined) return;
  clients.pause.start(writesOnly ? PAUSE_WRITES : PAUSE_ALL, keyspace.now + timeoutMs);
  reply.simple("OK");
}

function clientUnpause(context: ServerContext): void {
  context.server.clients.pause.end();
  context.reply.simple("OK");
}

function clientUnblock(context: ServerContext): void {
  const { reply, server } = context;
  if (context.argc > 4) return reply.error(wrongArguments(context));
  const withError = context.argc === 4 && context.isWord(3, "ERROR");
  if (context.argc === 4 && !withError && !context.isWord(3, "TIMEOUT")) {
    return reply.error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  }
  if (!context.integer(2)) return;
  const session = server.sessions.get(context.value);
  if (session === undefined || !server.clients.blocking.unblock(session, withError)) {
    return reply.integer(0);
  }
  // Redis counts this as a failure of the command that waited, whatever it replied.
  server.table.byName.get(session.lastCommand)!.statistics.failed++;
  reply.integer(1);
}

/** What replies to a subcommand with too many arguments. */
function wrongArguments(context: ServerContext): string {
  return `ERR unknown subcommand or wrong number of arguments for '${context.quoted(1, 128)}'. ` +
    "Try CLIENT HELP.";
}

/** Stands beside the classes for the one client that is the master. */
const MASTER_TYPE = -1;

const CLIENT_HELP = [
  "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "CACHING (YES|NO)",
  "    Say whether the keys of the next command are tracked (modes OPTIN and OPTOUT).",
  "GETNAME",
  "    Answer with the name that this connection has.",
  "GETREDIR",
  "    Answer with the number of the connection that is told of changed keys in place of this one.",
  "ID",
  "    Answer with the number of this connection.",
  "INFO",
  "    Describe this connection.",
  "KILL <ip:port>",
  "    Close the connection from <ip:port>.",
  "KILL <option> <value> [<option> <value> [...]]",
  "    Close the connections to which all options apply: ADDR <ip:port>, LADDR <ip:port>,",
  "    TYPE (NORMAL|MASTER|REPLICA|PUBSUB), USER <username>, SKIPME (YES|NO), ID <client-id>.",
  "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB)] [ID <client-id> ...]",
  "    Describe the connections, all or some.",
  "NO-EVICT (ON|OFF)",
  "    Say whether this connection may be closed for the memory that it takes.",
  "PAUSE <timeout> [WRITE|ALL]",
  "    Have commands, or those that write, wait for <timeout> milliseconds.",
  "REPLY (ON|OFF|SKIP)",
  "    Choose which commands of this connection are answered.",
  "SETNAME <name>",
  "    Give this connection a name.",
  "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]] [OPTIN] [OPTOUT] [NOLOOP]",
  "    Choose whether, and how, this connection is told of keys that change.",
  "TRACKINGINFO",
  "    Tell how that is.",
  "UNBLOCK <client-id> [TIMEOUT|ERROR]",
  "    End the waiting of a connection whose command blocks.",
  "UNPAUSE",
  "    End a pause.",
  "HELP",
  "    Show this help.",
];

/** The handlers of CLIENT. */
export const CLIENT_HANDLERS: HandlersFor<typeof CLIENT_SPECS, Handler> = {
  client: {
    id: serverHandler((context) => context.reply.integer(context.client.id)),
    info: serverHandler(clientInfo),
    list: serverHandler(clientList),
    setname: serverHandler(clientSetName),
    getname: serverHandler(clientGetName),
    kill: serverHandler(clientKill),
    reply: serverHandler(clientReply),
    "no-evict": serverHandler(clientNoEvict),
    caching: serverHandler(clientCaching),
    tracking: serverHandler(clientTracking),
    trackinginfo: serverHandler(clientTrackingInfo),
    getredir: serverHandler(clientGetRedirection),
    pause: serverHandler(clientPause),
    unpause: serverHandler(clientUnpause),
    unblock: serverHandler(clientUnblock),
    help: (context) => replyHelp(context, CLIENT_HELP),
  },
};
