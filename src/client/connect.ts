/**
 * Opens connections to servers, and makes them ready: protocol, user, name and database.
 *
 * @module
 */

import type { RequestArgument } from "../protocol/request_writer.ts";
import { type Channel, Client, type ClientOptions } from "./client.ts";
import { ConnectError, describeConnectFailure, ReplyError } from "./errors.ts";
import type { TlsOptions } from "./tls.ts";

/** Where a server is, and how to reach it. */
export interface ServerAddress {
  /**
   * Its name or address.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /**
   * Its TCP port.
   *
   * @default {6379}
   */
  port?: number;
  /** The path of its Unix socket, which is then used instead of TCP. */
  path?: string;
  /** Encrypts what goes over TCP; an empty object checks the server as browsers do. */
  tls?: TlsOptions;
}

/** Which server to connect to, and how. */
export interface ConnectOptions extends ServerAddress, ClientOptions {
  /**
   * The user, if not the default one.
   *
   * @default {undefined}
   */
  username?: string;
  /** The user's password. */
  password?: string;
  /**
   * The database to select.
   *
   * @default {0}
   */
  database?: number;
  /**
   * The version of the protocol.
   *
   * @default {2}
   */
  resp?: 2 | 3;
  /** The connection's name, which CLIENT LIST shows. */
  clientName?: string;
  /**
   * Opens the socket; a test may put its own network here.
   *
   * @default {openSocket}
   */
  openSocket?: (address: ServerAddress) => Promise<Channel>;
}

/**
 * Connects to a server.
 *
 * @throws {ConnectError} if there is no server, or no agreement with it on TLS.
 * @throws {ReplyError} if it refuses the user, the protocol or the database.
 * @throws {ConnectionClosedError} if it closes the connection before that.
 */
export async function connect(options: ConnectOptions = {}): Promise<Client> {
  const channel = await (options.openSocket ?? openSocket)(options);
  const client = new Client(channel, options);
  try {
    for (const reply of await client.pipeline(handshake(options))) {
      if (reply.kind === "error") throw new ReplyError(reply);
    }
  } catch (error) {
    client.close();
    throw error;
  }
  return client;
}

/**
 * Opens a socket to a server.
 *
 * @throws {ConnectError} if there is no server, or no agreement with it on TLS.
 */
export async function openSocket(address: ServerAddress): Promise<Channel> {
  const { hostname = "127.0.0.1", port = 6379, path, tls } = address;
  try {
    // Better not at all than without the encryption that was asked for.
    if (path !== undefined && tls !== undefined) throw new Error("no TLS over Unix sockets");
    if (path !== undefined) return await Deno.connect({ transport: "unix", path });
    if (tls !== undefined) {
      const { openTlsSocket } = await import("./tls.ts");
      return await openTlsSocket(hostname, port, tls);
    }
    const connection = await Deno.connect({ hostname, port });
    // Many small writes are the rule here; none is to wait for the other side's acknowledgement.
    connection.setNoDelay(true);
    return connection;
  } catch (error) {
    throw new ConnectError(describeAddress(address), describeConnectFailure(error), {
      cause: error,
    });
  }
}

/** A server's address as people write it. */
function describeAddress(address: ServerAddress): string {
  const { hostname = "127.0.0.1", port = 6379, path } = address;
  return path ?? `${hostname}:${port}`;
}

function handshake(options: ConnectOptions): RequestArgument[][] {
  const { username, password, database, resp, clientName } = options;
  const commands: RequestArgument[][] = [];
  const hasUser = username !== undefined || password !== undefined;
  if (resp === 3) {
    const hello: RequestArgument[] = ["HELLO", 3];
    if (hasUser) hello.push("AUTH", username ?? "default", password ?? "");
    if (clientName !== undefined) hello.push("SETNAME", clientName);
    commands.push(hello);
  } else {
    // Servers before 6.0 know AUTH with a password only.
    if (username !== undefined) commands.push(["AUTH", username, password ?? ""]);
    else if (password !== undefined) commands.push(["AUTH", password]);
    if (clientName !== undefined) commands.push(["CLIENT", "SETNAME", clientName]);
  }
  if (database !== undefined && database !== 0) commands.push(["SELECT", database]);
  return commands;
}
