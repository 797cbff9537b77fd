/**
 * What can go wrong between a client and a server.
 *
 * @module
 */

import type { ErrorReply } from "../protocol/reply.ts";
import { systemReason } from "../runtime/files.ts";

/** What is said of a connection that the server has ended, in whatever way. */
const CLOSED = "Server closed the connection";

/** The server answered with an error. The connection is as good as before. */
export class ReplyError extends Error {
  /** The error's name. */
  override readonly name = "ReplyError";
  /** The first word of the server's text, which says what sort of error it is: `WRONGTYPE`. */
  readonly code: string;

  /** Makes an error of the server's answer; the message is its text. */
  constructor(
    /** What the server answered. */
    readonly reply: ErrorReply,
  ) {
    super(reply.text());
    this.code = reply.code();
  }
}

/** No connection could be made. */
export class ConnectError extends Error {
  /** The error's name. */
  override readonly name = "ConnectError";

  /** Makes an error about the server at `address`. */
  constructor(
    /** Where the server was expected: host and port, or the path of a socket. */
    readonly address: string,
    /** Why there was none, in the words of POSIX: `Connection refused`. */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`Could not connect to Redis at ${address}: ${reason}`, options);
  }
}

/**
 * The connection is closed; commands that had no reply yet, and all later ones, fail with this.
 * Whether the server carried out a command whose reply is missing, nobody can know.
 */
export class ConnectionClosedError extends Error {
  /** The error's name. */
  override readonly name = "ConnectionClosedError";
}

/** Why an attempt to connect failed, in the words of POSIX, on every operating system. */
export function describeConnectFailure(error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) return "Connection refused";
  if (error instanceof Deno.errors.NotFound) return "No such file or directory";
  if (error instanceof Deno.errors.TimedOut) return "Connection timed out";
  if (error instanceof Deno.errors.PermissionDenied) return "Permission denied";
  // What the runtime adds in front of the operating system's words.
  return systemReason(error).replace(/^failed to lookup address information: /, "");
}

/**
 * Whether reading or writing failed since the other side has gone.
 *
 * @param error What was thrown.
 */
export function isDisconnect(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.BrokenPipe;
}

/**
 * The error of a connection that has ended.
 *
 * @param cause What reading or writing threw; `undefined` if the other side just ended it.
 */
export function closedBecause(cause?: unknown): ConnectionClosedError {
  if (cause === undefined) return new ConnectionClosedError(CLOSED);
  return new ConnectionClosedError(isDisconnect(cause) ? CLOSED : systemReason(cause), { cause });
}
