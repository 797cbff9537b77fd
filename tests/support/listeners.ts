/**
 * Clients of a server in memory that hear more than replies.
 *
 * @module
 */
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import { type MemoryConnection, type MemoryServer, plain } from "./memory_server.ts";

const END = "that is all";

/** All that a client has been sent, up to the answer to a last question. */
export async function heard(client: MemoryConnection): Promise<unknown[]> {
  client.send(encodeRequest(["PING", END]));
  const all: unknown[] = [];
  for (;;) {
    const reply = plain(await client.reply());
    // A subscriber who speaks RESP2 is answered in its own way.
    if (reply === END || (Array.isArray(reply) && reply[0] === "pong" && reply[1] === END)) {
      return all;
    }
    all.push(reply);
  }
}

/** Sends commands in one piece; what the client hears. */
export function talk(client: MemoryConnection, ...commands: string[]): Promise<unknown[]> {
  client.send(...commands.map((command) => encodeRequest(command.split(" "))));
  return heard(client);
}

/** A client that speaks version `version` of the protocol. */
export async function speaker(machine: MemoryServer, version: string): Promise<MemoryConnection> {
  const client = await machine.connect();
  await client.ask("HELLO", version);
  return client;
}
