/**
 * Encrypted connections for what the runtime's own TLS can't do: taking any certificate, or sending
 * ours to a server that has another name than the one it is reached by. They are slower than its
 * own.
 *
 * @module
 */
import { connect } from "node:tls";
import { NodeConnection } from "./node_connection.ts";
import type { Connection } from "./sockets.ts";

/** Whom to connect to, and whom to trust. */
export interface NodeTlsOptions {
  /** The server's name or address. */
  readonly hostname: string;
  /** Its TCP port. */
  readonly port: number;
  /** The name that its certificate must be for. */
  readonly serverName: string;
  /** The certificates of the authorities to trust, as PEM; without them, any certificate will do. */
  readonly authorities: readonly string[] | undefined;
  /** Our certificate, as PEM. */
  readonly certificate?: string;
  /** Its key, as PEM. */
  readonly key?: string;
}

/**
 * Opens an encrypted connection.
 *
 * @param signal Ends the attempt.
 * @throws {Error} as the runtime says why there is none.
 */
export function openNodeTls(options: NodeTlsOptions, signal: AbortSignal): Promise<Connection> {
  const { hostname, port, serverName, authorities, certificate, key } = options;
  return new Promise((connected, refused) => {
    const socket = connect({
      host: hostname,
      port,
      // Addresses are no names that a server could be asked for by.
      servername: /^[0-9.]+$|:/.test(serverName) ? undefined : serverName,
      rejectUnauthorized: authorities !== undefined,
      ca: authorities?.slice(),
      cert: certificate,
      key,
    });
    const give = () => socket.destroy(signal.reason);
    signal.addEventListener("abort", give);
    socket.once("error", refused);
    socket.once("close", () => refused(new Deno.errors.ConnectionReset("closed")));
    socket.once("secureConnect", () => {
      signal.removeEventListener("abort", give);
      socket.off("error", refused);
      socket.setNoDelay(true);
      connected(new NodeConnection(socket));
    });
  });
}
