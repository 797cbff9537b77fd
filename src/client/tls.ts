/**
 * TLS to a server.
 *
 * The runtime's own TLS checks the server's certificate and can't do without. Nor can it send a
 * certificate of ours while it asks for the server by another name than the one it is reached by.
 * Both go through what the runtime has for programs of Node.
 *
 * @module
 */

import { systemAuthorities } from "../runtime/authorities.ts";
import type { Channel } from "./client.ts";
import { explained } from "./tls_failures.ts";

/** How to talk TLS. */
export interface TlsOptions {
  /**
   * The server's name: what its certificate must be for, and whom the server is told we look for.
   *
   * @default {the hostname that it is reached by}
   */
  serverName?: string;
  /**
   * The certificates of the authorities to trust, as PEM, beside those that the runtime trusts.
   *
   * @default {those that the system trusts}
   */
  authorities?: readonly string[];
  /**
   * Whether any certificate will do: what is sent is encrypted, but nobody knows for whom.
   *
   * @default {false}
   */
  insecure?: boolean;
  /** Our certificate, for servers that ask for one. */
  identity?: Identity;
  /**
   * How long to wait for the first half of the conversation, in which the encryption is agreed on.
   * A server that doesn't know TLS may wait for the end of what it takes for a command.
   *
   * @default {10000}
   */
  handshakeTimeoutMs?: number;
}

/** A certificate and its key. */
export interface Identity {
  /** The certificate, as PEM; those between it and an authority follow. */
  readonly certificate: string;
  /** Its private key, as PEM. */
  readonly key: string;
}

/**
 * Opens an encrypted connection.
 *
 * @param hostname The server's name or address.
 * @param port Its TCP port.
 * @throws {Error} that says why there is no server, or no agreement with it.
 */
export async function openTlsSocket(
  hostname: string,
  port: number,
  tls: TlsOptions,
): Promise<Channel> {
  const { insecure = false, identity, serverName = hostname, handshakeTimeoutMs = 10_000 } = tls;
  try {
    if (insecure || (identity !== undefined && serverName !== hostname)) {
      const { openNodeTls } = await import("../runtime/node_tls.ts");
      const authorities = insecure ? undefined : await trusted(tls);
      const socket = { hostname, port, serverName, authorities, ...identity };
      const channel = await within(handshakeTimeoutMs, (signal) => openNodeTls(socket, signal));
      return new ExplainedChannel(channel, identity !== undefined);
    }
    const connection = await openRuntimeTls(hostname, port, serverName, tls);
    await within(handshakeTimeoutMs, (signal) => agree(connection, signal));
    return new ExplainedChannel(connection, identity !== undefined);
  } catch (error) {
    throw explained(error, identity !== undefined);
  }
}

async function agree(connection: Deno.TlsConn, signal: AbortSignal): Promise<void> {
  signal.addEventListener("abort", () => connection.close());
  try {
    await connection.handshake();
  } catch (error) {
    if (!signal.aborted) connection.close();
    throw error;
  }
}

/** Gives up what takes too long, whatever it says when it is given up. */
async function within<T>(
  timeoutMs: number,
  attempt: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(
      new Error(`no TLS within ${timeoutMs / 1000} s; does the server speak it on this port?`),
    );
  }, timeoutMs);
  try {
    return await attempt(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

async function openRuntimeTls(
  hostname: string,
  port: number,
  serverName: string,
  tls: TlsOptions,
): Promise<Deno.TlsConn> {
  const caCerts = await trusted(tls);
  if (tls.identity !== undefined) {
    const { certificate: cert, key } = tls.identity;
    return await Deno.connectTls({ hostname, port, caCerts, cert, key });
  }
  const connection = await Deno.connect({ hostname, port });
  // Many small writes are the rule here; none is to wait for the other side's acknowledgement.
  connection.setNoDelay(true);
  return await Deno.startTls(connection, { hostname: serverName, caCerts });
}

async function trusted(tls: TlsOptions): Promise<string[]> {
  return [...tls.authorities ?? await systemAuthorities()];
}

/** A connection whose errors are said in words that help. */
class ExplainedChannel implements Channel {
  readonly #channel: Channel;
  readonly #hasIdentity: boolean;

  constructor(channel: Channel, hasIdentity: boolean) {
    this.#channel = channel;
    this.#hasIdentity = hasIdentity;
  }

  async read(bytes: Uint8Array): Promise<number | null> {
    try {
      return await this.#channel.read(bytes);
    } catch (error) {
      // Gone without the farewell that TLS has for it: so do processes that are killed.
      if (error instanceof Deno.errors.UnexpectedEof) return null;
      throw explained(error, this.#hasIdentity);
    }
  }

  async write(bytes: Uint8Array): Promise<number> {
    try {
      return await this.#channel.write(bytes);
    } catch (error) {
      throw explained(error, this.#hasIdentity);
    }
  }

  close(): void {
    this.#channel.close();
  }
}
