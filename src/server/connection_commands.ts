/**
 * Handlers of the commands about a client's own connection, and of CLIENT.
 *
 * @module
 */
import { type Context, type Handler, SYNTAX_ERROR } from "../commands/context.ts";
import { replyHelp } from "../commands/generic.ts";
import type { CONNECTION_SPECS } from "../commands/specs/connection.ts";
import type { HandlersFor } from "../commands/specs/types.ts";
import { REDIS_VERSION } from "../runtime/version.ts";
import { describeClient } from "./client_info.ts";
import type { ServerContext, ServerHandler } from "./server_context.ts";
import { REPLY_OFF, REPLY_ON, REPLY_SKIP, REPLY_SKIP_NEXT, type Session } from "./session.ts";

/** The name of the one user there is. */
const DEFAULT_USER = "default";
const WRONG_PASSWORD = "WRONGPASS invalid username-password pair or user is disabled.";
const NO_PASSWORD_SET =
  "ERR AUTH <password> called without any password configured for the default user. " +
  "Are you sure your configuration is correct?";
const BAD_NAME = "ERR Client names cannot contain spaces, newlines or special characters.";

/** Gives a handler of this family the context it knows it has. */
export function serverHandler(handler: ServerHandler): Handler {
  return handler as unknown as (context: Context) => void;
}

function ping(context: ServerContext): void {
  if (context.argc > 2) {
    return context.reply.error("ERR wrong number of arguments for 'ping' command");
  }
  if (context.argc === 1) context.reply.simple("PONG");
  else context.reply.bulkBytes(context.argument(1));
}

function select(context: ServerContext): void {
  if (!context.smallInteger(1)) return;
  const number = context.value;
  if (context.keyspace.databases[number] === undefined) {
    return context.reply.error("ERR DB index is out of range");
  }
  context.select(number);
  context.reply.simple("OK");
}

function quit(context: ServerContext): void {
  context.reply.simple("OK");
  context.client.closing = true;
}

function reset(context: ServerContext): void {
  const session = context.client;
  session.name = "";
  // As with Redis, the reply of a RESET that is skipped stays so.
  if (session.replyMode !== REPLY_SKIP) session.replyMode = REPLY_ON;
  session.authenticated = context.server.open;
  session.resp = 2;
  context.reply.resp = 2;
  context.select(0);
  context.reply.simple("RESET");
}

/** Logs the session in, or replies with the error and returns false. */
function authenticate(context: ServerContext, user: string, password: string): boolean {
  const { server, client } = context;
  if (user === DEFAULT_USER && (server.open || server.isPassword(password))) {
    client.authenticated = true;
    return true;
  }
  context.reply.error(WRONG_PASSWORD);
  return false;
}

function auth(context: ServerContext): void {
  if (context.argc > 3) return context.reply.error(SYNTAX_ERROR);
  if (context.argc === 2 && context.server.open) return context.reply.error(NO_PASSWORD_SET);
  const user = context.argc === 3 ? context.text(1) : DEFAULT_USER;
  if (authenticate(context, user, context.text(context.argc - 1))) context.reply.simple("OK");
}

function hello(context: ServerContext): void {
  const { reply, client, server } = context;
  let version: 2 | 3 = client.resp;
  let index = 1;
  if (context.argc > 1) {
    if (!context.integer(1, "ERR Protocol version is not an integer or out of range")) return;
    if (context.value !== 2 && context.value !== 3) {
      return reply.error("NOPROTO unsupported protocol version");
    }
    version = context.value;
    index = 2;
  }
  // Each option counts as soon as it is read, even if the next one turns out to be wrong.
  for (; index < context.argc; index++) {
    const more = context.argc - index - 1;
    if (context.isWord(index, "AUTH") && more >= 2) {
      if (!authenticate(context, context.text(index + 1), context.text(index + 2))) return;
      index += 2;
    } else if (context.isWord(index, "SETNAME") && more >= 1) {
      const name = context.text(++index);
      if (!isGoodName(name)) return reply.error(BAD_NAME);
      client.name = name;
    } else {
      return reply.error(`ERR Syntax error in HELLO option '${context.quoted(index)}'`);
    }
  }
  if (!client.authenticated) {
    return reply.error(
      "NOAUTH HELLO must be called with the client already authenticated, otherwise the " +
        "HELLO AUTH <user> <pass> option can be used to authenticate the client and " +
        "select the RESP protocol version at the same time",
    );
  }
  client.resp = version;
  reply.resp = version;
  reply.map(7);
  reply.bulk("server");
  reply.bulk("redis");
  reply.bulk("version");
  reply.bulk(REDIS_VERSION);
  reply.bulk("proto");
  reply.integer(version);
  reply.bulk("id");
  reply.integer(client.id);
  reply.bulk("mode");
  reply.bulk("standalone");
  reply.bulk("role");
  reply.bulk("master");
  reply.bulk("modules");
  reply.array(0);
  server.logger.log("debug", `Client id=${client.id} speaks RESP${version}`);
}

/** Whether a client may call itself so: visible ASCII without spaces. */
function isGoodName(name: string): boolean {
  return /^[!-~]*$/.test(name);
}

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
  const line = describeClient(context.server, context.client);
  context.reply.verbatim("txt", `${line}\n`);
}

function clientList(context: ServerContext): void {
  const { reply, server } = context;
  let sessions = [...server.sessions.values()];
  if (context.argc === 4 && context.isWord(2, "TYPE")) {
    const type = context.text(3).toLowerCase();
    if (!isClientType(type)) return reply.error(`ERR Unknown client type '${context.quoted(3)}'`);
    if (type !== "normal") sessions = [];
  } else if (context.argc > 3 && context.isWord(2, "ID")) {
    const ids = new Set<number>();
    for (let index = 3; index < context.argc; index++) {
      if (!context.integer(index, "ERR Invalid client ID")) return;
      ids.add(context.value);
    }
    sessions = sessions.filter((session) => ids.has(session.id));
  } else if (context.argc !== 2) return reply.error(SYNTAX_ERROR);
  const lines = sessions.map((session) => `${describeClient(server, session)}\n`);
  reply.verbatim("txt", lines.join(""));
}

function isClientType(type: string): boolean {
  return ["normal", "master", "replica", "slave", "pubsub"].includes(type);
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
      if (!isClientType(value.toLowerCase())) {
        reply.error(`ERR Unknown client type '${context.quoted(index + 1)}'`);
        return undefined;
      }
      filters.push(() => value.toLowerCase() === "normal");
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

const CLIENT_HELP = [
  "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "GETNAME",
  "    Answer with the name that this connection has.",
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
  "REPLY (ON|OFF|SKIP)",
  "    Choose which commands of this connection are answered.",
  "SETNAME <name>",
  "    Give this connection a name.",
  "HELP",
  "    Show this help.",
];

/** The handlers of the commands about a client's own connection, and of CLIENT. */
export const CONNECTION_HANDLERS: HandlersFor<typeof CONNECTION_SPECS, Handler> = {
  ping: serverHandler(ping),
  echo: (context) => context.reply.bulkBytes(context.argument(1)),
  hello: serverHandler(hello),
  select: serverHandler(select),
  quit: serverHandler(quit),
  reset: serverHandler(reset),
  auth: serverHandler(auth),
  client: {
    id: serverHandler((context) => context.reply.integer(context.client.id)),
    info: serverHandler(clientInfo),
    list: serverHandler(clientList),
    setname: serverHandler(clientSetName),
    getname: serverHandler(clientGetName),
    kill: serverHandler(clientKill),
    reply: serverHandler(clientReply),
    help: (context) => replyHelp(context, CLIENT_HELP),
  },
};
