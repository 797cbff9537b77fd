/**
 * Where clients come in.
 *
 * @module
 */
import { systemReason } from "../../runtime/files.ts";
import type { Logger } from "../../runtime/logging.ts";
import type { Connection, SocketListener, Sockets } from "../../runtime/sockets.ts";

/** How long to wait after a connection could not be accepted. */
const ACCEPT_AGAIN_MS = 100;

/** Open listeners. */
export interface Listening {
  /** The port, chosen by the system if 0 was asked for. */
  readonly port: number;
  /** Stops listening. */
  close(): void;
}

/**
 * Listens on all addresses (`*` for all of IPv4, `::*` for all; one with a dash in front may be missing).
 *
 * @throws {Error} with the system's reason, if one can't be listened on; then none is.
 */
export function listenOn(
  sockets: Sockets,
  addresses: readonly string[],
  port: number,
  welcome: (connection: Connection) => void,
  logger: Logger,
): Listening {
  const open: SocketListener[] = [];
  let isClosed = false;
  const close = () => {
    isClosed = true;
    for (const listener of open) listener.close();
  };
  const accept = async (listener: SocketListener) => {
    while (!isClosed) {
      try {
        welcome(await listener.accept());
      } catch (error) {
        if (isClosed) return;
        logger.log("warning", `Accepting client connection: ${(error as Error).message}`);
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_AGAIN_MS));
      }
    }
  };
  for (const address of hostnames(addresses)) {
    try {
      const listener = sockets.listen(
        address.name,
        open.length > 0 ? open[0].port : port,
        () => true,
      );
      open.push(listener);
      accept(listener);
    } catch (error) {
      if (address.isOptional && !(error instanceof Deno.errors.AddrInUse)) continue;
      close();
      throw new Error(`Could not listen on ${address.name}:${port}: ${systemReason(error)}`);
    }
  }
  if (open.length === 0) throw new Error(`Could not listen on any address at port ${port}`);
  return { port: open[0].port, close };
}

/** All of IPv4 and all of IPv6 are one listener: both can't be bound. */
function hostnames(addresses: readonly string[]): { name: string; isOptional: boolean }[] {
  const all = addresses.map((address) => {
    const isOptional = address.startsWith("-");
    const name = isOptional ? address.slice(1) : address;
    return { isOptional, name: name === "*" ? "0.0.0.0" : name === "::*" ? "::" : name };
  });
  const hasBoth = all.some(({ name }) => name === "::") &&
    all.some(({ name }) => name === "0.0.0.0");
  return hasBoth ? all.filter(({ name }) => name !== "0.0.0.0") : all;
}
