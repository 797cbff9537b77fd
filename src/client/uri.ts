/**
 * A server as URI: `redis://user:password@host:port/database`.
 *
 * @module
 */

import { UsageError } from "../runtime/arguments.ts";

/** What a URI may say of a server; what it doesn't is missing. */
export interface UriParts {
  /** The server's name or address. */
  readonly host?: string;
  /** Its port, as it is written. */
  readonly port?: string;
  /** The user. */
  readonly user?: string;
  /** The password; of a URI with one word in front of the `@`, that word. */
  readonly pass?: string;
  /** The database, as it is written. */
  readonly db?: string;
  /** Whether to talk over TLS. */
  readonly tls: boolean;
}

// Hosts have no `@`, so all but the last belong to the password.
const URI_PATTERN =
  /^redis(?<tls>s?):\/\/(?:(?:(?<user>[^:@]*):)?(?<pass>[^@]*(?:@[^@/]*)*)@)?(?<host>\[[^\]]*\]|[^:/]*)(?::(?<port>\d*))?(?:\/(?<db>\d*).*)?$/i;

/**
 * Takes a URI apart.
 *
 * @throws {UsageError} if it is none, or has another scheme.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseUri("redis://p%40ss@[::1]:6380/3"), {
 *   host: "::1",
 *   port: "6380",
 *   user: undefined,
 *   pass: "p@ss",
 *   db: "3",
 *   tls: false,
 * });
 * ```
 */
export function parseUri(text: string): UriParts {
  if (!/^rediss?:\/\//i.test(text)) throw new UsageError("Invalid URI scheme");
  const parts = URI_PATTERN.exec(text)?.groups;
  if (parts === undefined) {
    // Messages end up in logs, where no password should be.
    throw new UsageError(`Invalid URI '${text.replace(/\/\/.*@/s, "//...@")}'`);
  }
  return {
    host: parts.host.replace(/^\[(.*)\]$/, "$1") || undefined,
    port: parts.port || undefined,
    user: parts.user ? decode(parts.user) : undefined,
    pass: parts.pass === undefined ? undefined : decode(parts.pass),
    db: parts.db || undefined,
    tls: parts.tls !== "",
  };
}

/** Text in which `%` with two hexadecimal digits stands for a byte. */
function decode(text: string): string {
  if (/%.?$/.test(text)) throw new UsageError("Incomplete URI encoding");
  if (/%(?![0-9a-f]{2})/i.test(text)) throw new UsageError("Illegal character in URI encoding");
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UsageError("A URI's percent signs must stand for UTF-8");
  }
}
