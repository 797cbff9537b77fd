/**
 * The client library: connections to servers that speak RESP2 or RESP3.
 *
 * @module
 */

export * from "../protocol/reply.ts";
export { type ReplyLimits, ReplyProtocolError } from "../protocol/reply_types.ts";
export type { RequestArgument } from "../protocol/request_writer.ts";
export { type Channel, Client, type ClientOptions } from "./client.ts";
export { connect, type ConnectOptions, openSocket, type ServerAddress } from "./connect.ts";
export type { Identity, TlsOptions } from "./tls.ts";
export { ConnectError, ConnectionClosedError, ReplyError } from "./errors.ts";
export { type ConnectionEvent, ReconnectingClient, type ReconnectOptions } from "./reconnecting.ts";
export type { Subscriptions } from "./subscriptions.ts";
