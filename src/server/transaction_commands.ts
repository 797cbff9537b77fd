/**
 * Handlers of the commands that make several commands one step.
 *
 * @module
 */
import type { Handler } from "../commands/context.ts";
import type { HandlersFor, TRANSACTION_SPECS } from "../commands/specs/mod.ts";
import { serverHandler } from "./connection_commands.ts";
import type { ServerContext } from "./server_context.ts";
import { WatchList } from "./transactions.ts";

function multi(context: ServerContext): void {
  const { client, reply, server } = context;
  if (client.transaction !== null) return reply.error("ERR MULTI calls can not be nested");
  server.clients.transactions.begin(client);
  reply.simple("OK");
}

function discard(context: ServerContext): void {
  const { client, reply, server } = context;
  if (client.transaction === null) return reply.error("ERR DISCARD without MULTI");
  server.clients.transactions.discard(client);
  reply.simple("OK");
}

function exec(context: ServerContext): void {
  const { client, client: { transaction }, reply, server: { clients: { transactions } } } = context;
  if (transaction === null) return reply.error("ERR EXEC without MULTI");
  if (transaction.failed) {
    reply.error("EXECABORT Transaction discarded because of previous errors.");
  } else if (client.watched !== null && client.watched.isDirty()) reply.nullArray();
  else {
    // What its own commands change doesn't matter.
    transactions.unwatch(client);
    context.runTransaction(transaction);
  }
  transactions.discard(client);
}

function watch(context: ServerContext): void {
  const { client, reply, database, view, starts, lengths } = context;
  if (client.transaction !== null) return reply.error("ERR WATCH inside MULTI is not allowed");
  const watched = client.watched ??= new WatchList(context.keyspace);
  for (let index = 1; index < context.argc; index++) {
    watched.watch(database.number, view, starts[index], lengths[index]);
  }
  reply.simple("OK");
}

function unwatch(context: ServerContext): void {
  context.server.clients.transactions.unwatch(context.client);
  context.reply.simple("OK");
}

/** The handlers of the commands that make several commands one step. */
export const TRANSACTION_HANDLERS: HandlersFor<typeof TRANSACTION_SPECS, Handler> = {
  multi: serverHandler(multi),
  exec: serverHandler(exec),
  discard: serverHandler(discard),
  watch: serverHandler(watch),
  unwatch: serverHandler(unwatch),
};
