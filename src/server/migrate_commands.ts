/**
 * The handler of MIGRATE.
 *
 * @module
 */
import type { Handler } from "../commands/context.ts";
import type { MIGRATE_SPECS } from "../commands/specs/migrate.ts";
import type { HandlersFor } from "../commands/specs/types.ts";
import { serverHandler } from "./connection_commands.ts";
import { parseMigrate } from "./migrate_request.ts";
import type { ServerContext } from "./server_context.ts";

/** Redis stands still until the other side has answered; here the client waits, which is no way out within EXEC. */
const MAY_NOT_WAIT = "ERR MIGRATE has to wait for the target instance, which it can't here: " +
  "send it outside of a transaction or script";

function migrate(context: ServerContext): void {
  const { reply, server } = context;
  const request = parseMigrate(context);
  if (request === undefined) return;
  const keys: number[] = [];
  for (let at = 0; at < request.keyCount; at++) {
    const key = request.firstKey + at;
    if (context.findForReading(key) !== 0) keys.push(key);
  }
  if (keys.length === 0) return reply.simple("NOKEY");
  if (!context.mayBlock) return reply.error(MAY_NOT_WAIT);
  server.clients.migrations.start(context, request, keys);
}

/** The handler of MIGRATE. */
export const MIGRATE_HANDLERS: HandlersFor<typeof MIGRATE_SPECS, Handler> = {
  migrate: serverHandler(migrate),
};
