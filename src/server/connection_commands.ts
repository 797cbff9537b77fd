/**
 * Handlers of the commands about a client's own connection.
 *
 * @module
 */
import { type Context, type Handler, SYNTAX_ERROR } from "../commands/context.ts";
import type { CONNECTION_SPECS } from "../commands/specs/connection.ts";
import type { HandlersFor } from "../commands/specs/types.ts";
import { parseTimeoutMilliseconds } from "../commands/timeouts.ts";
import { REDIS_VERSION } from "../runtime/version.ts";
import type { ServerContext, ServerHandler } from "./server_context.ts";
import { REPLY_ON, REPLY_SKIP } from "./session.ts";

/** The name of the one user there is. */
export const DEFAULT_USER = "default";
const WRONG_PASSWORD = "WRONGPASS invalid username-password pair or user is disabled.";
const NO_PASSWORD_SET =
  "ERR AUTH <password> called without any password configured for the default user. " +
  "Are you sure your configuration is correct?";
const NO_WAIT_ON_REPLICAS =
  "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a " +
  "replica is configured to be writable (which is not the default) writes to replicas are just " +
  "local and are not propagated.";
/** Reply to a name that a client can't give itself. */
export const BAD_NAME = "ERR Client names cannot contain spaces, newlines or special characters.";

/** Gives a handler of this family the context it knows it has. */
export function serverHandler(handler: ServerHandler): Handler {
  return handler as unknown as (context: Context) => void;
}

function ping(context: ServerContext): void {
  if (context.argc > 2) {
    return context.reply.error("ERR wrong number of arguments for 'ping' command");
  }
  const { client, reply } = context;
  // WAIT is about all that was done when its client's last command ran, whoever did it.
  client.wrote = context.server.journal.position;
  if (client.topics !== null && client.resp === 2) {
    // A subscriber who speaks RESP2 can't tell a reply from a message, unless it looks like one.
    reply.array(2);
    reply.bulk("pong");
    if (context.argc === 1) reply.bulk("");
    else reply.bulkBytes(context.argument(1));
  } else if (context.argc === 1) reply.simple("PONG");
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
  context.server.clients.tracking.stop(session);
  context.server.clients.subscriptions.drop(session);
  context.server.clients.transactions.discard(session);
  if (session.monitoring) context.server.monitors.remove(session);
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

function wait(context: ServerContext): void {
  const { client, server: { replication, replication: { replicas } } } = context;
  if (replication.isReplica) return context.reply.error(NO_WAIT_ON_REPLICAS);
  if (!context.integer(1)) return;
  const wanted = context.value;
  const timeoutMs = parseTimeoutMilliseconds(context, 2);
  if (timeoutMs === undefined) return;
  const offset = replication.offsetAt(client.wrote);
  const there = replicas.countWith(offset);
  if (there >= wanted || !context.mayBlock) return context.reply.integer(there);
  replicas.wait(context, offset, wanted, timeoutMs);
}

function withoutCluster(context: ServerContext): void {
  context.reply.error("ERR This instance has cluster support disabled");
}

/** Whether a client may call itself so: visible ASCII without spaces. */
export function isGoodName(name: string): boolean {
  return /^[!-~]*$/.test(name);
}

/** The handlers of the commands about a client's own connection. */
export const CONNECTION_HANDLERS: HandlersFor<typeof CONNECTION_SPECS, Handler> = {
  ping: serverHandler(ping),
  echo: (context) => context.reply.bulkBytes(context.argument(1)),
  hello: serverHandler(hello),
  select: serverHandler(select),
  quit: serverHandler(quit),
  reset: serverHandler(reset),
  auth: serverHandler(auth),
  wait: serverHandler(wait),
  readonly: serverHandler(withoutCluster),
  readwrite: serverHandler(withoutCluster),
};
