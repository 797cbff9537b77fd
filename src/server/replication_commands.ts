/**
 * Handlers of the commands of a master and its replicas.
 *
 * @module
 */
import { type Handler, SYNTAX_ERROR } from "../commands/context.ts";
import type { REPLICATION_SPECS } from "../commands/specs/replication.ts";
import type { HandlersFor } from "../commands/specs/types.ts";
import { describeClient } from "./client_info.ts";
import { serverHandler } from "./connection_commands.ts";
import { goOn, whyNotPartial } from "./partial_sync.ts";
import type { FailoverTarget } from "./failover.ts";
import type { Replica } from "./replicas.ts";
import type { ServerContext } from "./server_context.ts";

const LARGEST_PORT = 65535;
const NOT_CONNECTED = "NOMASTERLINK Can't SYNC while not connected with my master";
const NOT_AN_INTEGER = "ERR value is not an integer or out of range";

function replicaOf(context: ServerContext): void {
  const { client, reply, server, server: { logger, replication } } = context;
  if (replication.failover.isUnderway) {
    return reply.error("ERR REPLICAOF not allowed while failing over.");
  }
  const who = (): string => `(user request from '${describeClient(server, client, context)}')`;
  if (context.isWord(1, "NO") && context.isWord(2, "ONE")) {
    if (replication.isReplica) {
      replication.lead();
      logger.log("notice", `MASTER MODE enabled ${who()}`);
    }
    return reply.simple("OK");
  }
  if (replication.replicas.isReplica(client)) {
    return reply.error("ERR Command is not valid when client is a replica.");
  }
  const port = readPort(context, 2, "ERR Invalid master port");
  if (port === null) return;
  const host = context.text(1);
  const { link } = replication;
  if (link !== null && link.host.toLowerCase() === host.toLowerCase() && link.port === port) {
    logger.log(
      "notice",
      "REPLICAOF would result into synchronization with the master we are already connected " +
        "with. No operation performed.",
    );
    return reply.simple("OK Already connected to specified master");
  }
  replication.follow(host, port);
  logger.log("notice", `REPLICAOF ${host}:${port} enabled ${who()}`);
  reply.simple("OK");
}

/** The port in argument `index`; null if it is none, which was replied with `error`. */
function readPort(context: ServerContext, index: number, error: string): number | null {
  if (!context.integer(index, error)) return null;
  const { value } = context;
  if (value >= 0 && value <= LARGEST_PORT) return value;
  context.reply.error(error);
  return null;
}

function replconf(context: ServerContext): void {
  const { argc, client, reply, server: { replication } } = context;
  // A name and a value each.
  if (argc % 2 === 0) return reply.error(SYNTAX_ERROR);
  const { replicas } = replication;
  for (let index = 1; index < argc; index += 2) {
    const at = index + 1;
    if (context.isWord(index, "ACK")) {
      const replica = replicas.find(client);
      const offset = Number(context.text(at));
      if (replica !== undefined && Number.isSafeInteger(offset)) {
        replicas.acknowledge(replica, offset);
      }
      return;
    }
    if (context.isWord(index, "GETACK")) {
      // Its own bytes count when its turn is over, and so does what came before it.
      if (client.isMaster) replication.acknowledgesTurn = true;
      return;
    }
    if (!introduces(context, index, replicas.of(client))) return;
  }
  reply.simple("OK");
}

/** Takes one thing that a replica says of itself; false if it makes no sense, which was replied. */
function introduces(context: ServerContext, index: number, replica: Replica): boolean {
  const { reply } = context;
  const at = index + 1;
  if (context.isWord(index, "LISTENING-PORT")) {
    const port = readPort(context, at, NOT_AN_INTEGER);
    if (port === null) return false;
    replica.port = port;
  } else if (context.isWord(index, "IP-ADDRESS")) replica.announced = context.text(at);
  else if (context.isWord(index, "CAPA")) {
    // What nobody knows is no fault: a newer replica may have it.
    if (context.isWord(at, "EOF")) replica.knowsMark = true;
    else if (context.isWord(at, "PSYNC2")) replica.knowsIds = true;
  } else if (context.isWord(index, "RDB-ONLY")) {
    if (!context.integer(at, NOT_AN_INTEGER)) return false;
    replica.snapshotOnly = context.value === 1;
  } else if (context.isWord(index, "RDB-FILTER-ONLY")) {
    const words = context.text(at).split(/\s+/).filter((word) => word !== "");
    const unknown = words.find((word) => word !== "functions");
    if (unknown !== undefined) {
      reply.error(`ERR Unsupported rdb-filter-only option: ${unknown}`);
      return false;
    }
    replica.withoutKeys = true;
  } else {
    reply.error(`ERR Unrecognized REPLCONF option: ${context.text(index)}`);
    return false;
  }
  return true;
}

function sync(context: ServerContext): void {
  const { client, server: { logger, replication: { replicas } } } = context;
  if (!maySync(context)) return;
  const replica = replicas.of(client);
  logger.log("notice", `Replica ${replica.address} asks for synchronization`);
  replica.isOld = true;
  replicas.fullSync.request(replica);
}

function psync(context: ServerContext): void {
  const { client, server, server: { logger, replication, replication: { replicas } } } = context;
  const id = context.text(1);
  if (context.argc > 3 && context.isWord(3, "FAILOVER") && !becomesMaster(context, id)) return;
  if (!maySync(context)) return;
  const replica = replicas.of(client);
  if (!context.integer(2, NOT_AN_INTEGER)) {
    return logger.log(
      "warning",
      `Replica ${replica.address} asks for synchronization but with a wrong offset`,
    );
  }
  logger.log("notice", `Replica ${replica.address} asks for synchronization`);
  // It names the next byte that it wants to have.
  const offset = context.value - 1;
  if (id === "?") {
    logger.log("notice", `Full resync requested by replica ${replica.address}`);
  } else {
    replica.asked = { id, offset };
    const refusal = whyNotPartial(replication, replica, replica.asked);
    if (refusal === null) return goOn(server, replica, offset);
    logger.log("notice", refusal);
    replicas.refusedPartialSyncs++;
  }
  replicas.fullSync.request(replica);
}

/** Whether the client may ask for the stream now; replied if not. */
function maySync(context: ServerContext): boolean {
  const { client, reply, server: { replication } } = context;
  // As with Redis, who is a replica already isn't answered.
  if (replication.replicas.isReplica(client) || client.monitoring) return false;
  if (replication.failover.isUnderway) {
    reply.error("NOMASTERLINK Can't SYNC while failing over");
    return false;
  }
  if (replication.link !== null && !replication.link.isUp) {
    reply.error(NOT_CONNECTED);
    return false;
  }
  if (reply.length > 0 || client.pendingBytes > 0) {
    reply.error("ERR SYNC and PSYNC are invalid with pending output");
    return false;
  }
  return true;
}

/** The master asks this server to take its place; whether it does. */
function becomesMaster(context: ServerContext, id: string): boolean {
  const { client, reply, server, server: { logger, replication } } = context;
  if (!replication.isReplica) {
    reply.error("ERR PSYNC FAILOVER can't be sent to a master.");
    return false;
  }
  if (id !== replication.history.id) {
    reply.error("ERR PSYNC FAILOVER replid must match my replid.");
    return false;
  }
  replication.lead();
  logger.log(
    "notice",
    `MASTER MODE enabled (failover request from '${describeClient(server, client, context)}')`,
  );
  return true;
}

/** The options of FAILOVER. */
interface FailoverOptions {
  target: FailoverTarget | null;
  timeoutMs: number;
  force: boolean;
  abort: boolean;
}

function failover(context: ServerContext): void {
  const { reply, server: { replication } } = context;
  const options = readFailover(context);
  if (options === null) return;
  const { force, target, timeoutMs } = options;
  if (options.abort) {
    if (context.argc > 2) return reply.error(SYNTAX_ERROR);
    return replication.failover.abort("Failover manually aborted")
      ? reply.simple("OK")
      : reply.error("ERR No failover in progress.");
  }
  if (replication.failover.isUnderway) {
    return reply.error("ERR FAILOVER already in progress.");
  }
  if (replication.isReplica) {
    return reply.error("ERR FAILOVER is not valid when server is a replica.");
  }
  if (replication.replicas.all.size === 0) {
    return reply.error("ERR FAILOVER requires connected replicas.");
  }
  if (force && (timeoutMs === 0 || target === null)) {
    return reply.error(
      "ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
    );
  }
  if (target !== null) {
    const replica = [...replication.replicas.all].find((replica) => replica.isAt(target));
    if (replica === undefined) {
      return reply.error("ERR FAILOVER target HOST and PORT is not a replica.");
    }
    if (replica.state !== "online") {
      return reply.error("ERR FAILOVER target replica is not online.");
    }
  }
  replication.failover.start({ target, timeoutMs, force });
  reply.simple("OK");
}

/** Reads the options of FAILOVER; null if they make no sense, which was replied. */
function readFailover(context: ServerContext): FailoverOptions | null {
  const { argc, reply } = context;
  const options: FailoverOptions = { target: null, timeoutMs: 0, force: false, abort: false };
  for (let index = 1; index < argc; index++) {
    if (context.isWord(index, "TIMEOUT") && index + 1 < argc && options.timeoutMs === 0) {
      if (!context.integer(++index, NOT_AN_INTEGER)) return null;
      if (context.value <= 0) {
        reply.error("ERR FAILOVER timeout must be greater than 0");
        return null;
      }
      options.timeoutMs = context.value;
    } else if (context.isWord(index, "ABORT") && !options.abort) options.abort = true;
    else if (context.isWord(index, "TO") && index + 2 < argc && options.target === null) {
      const host = context.text(index + 1);
      if (!context.integer(index + 2, NOT_AN_INTEGER)) return null;
      options.target = { host, port: context.value };
      index += 2;
    } else if (context.isWord(index, "FORCE") && !options.force) options.force = true;
    else {
      reply.error(SYNTAX_ERROR);
      return null;
    }
  }
  return options;
}

/** ROLE: what this server is in replication, and with whom (https://redis.io/commands/role/). */
export function role({ reply, server: { journal, replication } }: ServerContext): void {
  const { link, replicas } = replication;
  if (link === null) {
    journal.endTurn();
    const online = [...replicas.all].filter(({ state }) => state === "online");
    reply.array(3);
    reply.bulk("master");
    reply.integer(replication.history.offset);
    reply.array(online.length);
    for (const { acknowledged, host, port } of online) {
      reply.array(3);
      reply.bulk(host);
      reply.bulk(String(port));
      reply.bulk(String(Math.max(0, acknowledged)));
    }
    return;
  }
  reply.array(5);
  reply.bulk("slave");
  reply.bulk(link.host);
  reply.integer(link.port);
  reply.bulk(link.state);
  reply.integer(link.isUp ? replication.history.offset : -1);
}

/** The handlers of the commands of a master and its replicas. */
export const REPLICATION_HANDLERS: HandlersFor<typeof REPLICATION_SPECS, Handler> = {
  replicaof: serverHandler(replicaOf),
  slaveof: serverHandler(replicaOf),
  psync: serverHandler(psync),
  sync: serverHandler(sync),
  replconf: serverHandler(replconf),
  failover: serverHandler(failover),
};
