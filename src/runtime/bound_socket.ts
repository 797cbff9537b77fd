/**
 * Connections that come from an address of our choice. The runtime's own can't, but those that it has for programs of Node can: slower, and
 * good enough for the few that need it.
 *
 * @module
 */
import { connect } from "node:net";
import { NodeConnection } from "./node_connection.ts";
import type { Connection } from "./sockets.ts";

/** What is wrong where the machine has no such address, or not for that peer. */
const UNUSABLE: readonly string[] = ["EADDRNOTAVAIL", "EINVAL", "ERR_INVALID_IP_ADDRESS"];

/**
 * Connects by TCP, from the address `source`; null if that can't be connected from.
 *
 * @throws {Error} as the system says why it can't connect.
 */
export async function connectFrom(
  source: string,
  hostname: string,
  port: number,
): Promise<Connection | null> {
  try {
    return await open(source, hostname, port);
  } catch (error) {
    if (UNUSABLE.includes((error as { readonly code?: string }).code ?? "")) return null;
    throw error;
  }
}

function open(source: string, hostname: string, port: number): Promise<Connection> {
  return new Promise((connected, refused) => {
    const socket = connect({ host: hostname, port, localAddress: source });
    socket.once("error", refused);
    socket.once("connect", () => {
      socket.off("error", refused);
      socket.setNoDelay(true);
      socket.setKeepAlive(true);
      // It listens to the socket from this moment on: an error that nobody hears ends the program.
      connected(new NodeConnection(socket));
    });
  });
}
