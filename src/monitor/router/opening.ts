/**
 * Connections to nodes: opened, and made ready before a command of a client goes there.
 *
 * @module
 */
import { ReplyReader } from "../../protocol/reply_reader.ts";
import { type RequestArgument, RequestWriter } from "../../protocol/request_writer.ts";
import type { Reply } from "../../protocol/reply.ts";
import type { Connection, Sockets } from "../../runtime/sockets.ts";
import type { NodeAddress } from "../routing.ts";
import { isBusy, type NodeRole, readRole } from "./role.ts";
import { closeQuietly } from "./upstream.ts";

/** How to open one. */
export interface OpeningOptions {
  /** Version of the protocol. */
  readonly resp: 2 | 3;
  /** The database that is selected. */
  readonly database: number;
  /** User and password; empty for none. */
  readonly user: string;
  /** The password; empty for none. */
  readonly pass: string;
  /** How long all of it may take, in ms. */
  readonly timeoutMs: number;
}

/** A connection that is ready, and what the node is. */
export interface Opened {
  /** The connection, ready for commands. */
  readonly connection: Connection;
  /** What the node has said to ROLE; null if it only says that it is busy with a script. */
  readonly role: NodeRole | null;
}

/**
 * Opens a connection, gives the password, picks protocol and database, and asks for the role.
 *
 * @throws {Error} if the node can't be reached, refuses one of these, or takes too long.
 */
export async function openConnection(
  sockets: Sockets,
  node: NodeAddress,
  options: OpeningOptions,
): Promise<Opened> {
  const lateness = new Error(`no answer within ${options.timeoutMs} ms`);
  let connection: Connection | null = null;
  let isLate = false;
  const tooLate = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    isLate = true;
    tooLate.reject(lateness);
  }, options.timeoutMs);
  try {
    connection = await Promise.race([connect(sockets, node, () => isLate), tooLate.promise]);
    const role = await Promise.race([shakeHands(connection, options), tooLate.promise]);
    return { connection, role };
  } catch (error) {
    closeQuietly(connection);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** A connection that comes when nobody waits for it any more is closed. */
async function connect(
  sockets: Sockets,
  { host, port }: NodeAddress,
  isLate: () => boolean,
): Promise<Connection> {
  const connection = await sockets.connect(host, port);
  if (isLate()) closeQuietly(connection);
  return connection;
}

async function shakeHands(
  connection: Connection,
  options: OpeningOptions,
): Promise<NodeRole | null> {
  const requests = greeting(options);
  const writer = new RequestWriter();
  for (const request of requests) writer.write(request);
  const bytes = writer.take();
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
  const reader = new ReplyReader();
  const buffer = new Uint8Array(4096);
  let last: Reply | undefined;
  for (let answered = 0; answered < requests.length;) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error("the node has closed the connection");
    reader.push(buffer.subarray(0, count));
    for (let reply = reader.next(); reply !== undefined; reply = reader.next()) {
      last = reply;
      answered++;
      if (reply.kind !== "error") continue;
      if (answered < requests.length || !isBusy(reply)) throw new Error(reply.text());
    }
  }
  return isBusy(last!) ? null : readRole(last!);
}

function greeting({ resp, database, user, pass }: OpeningOptions): RequestArgument[][] {
  const requests: RequestArgument[][] = [];
  const login = pass === "" ? [] : ["AUTH", user === "" ? "default" : user, pass];
  if (resp === 3) requests.push(["HELLO", 3, ...login]);
  else if (pass !== "") requests.push(user === "" ? ["AUTH", pass] : login);
  if (database !== 0) requests.push(["SELECT", database]);
  requests.push(["ROLE"]);
  return requests;
}
