/**
 * How a replica introduces itself to its master.
 *
 * ```text
 *   PING                                     is there anybody?
 *   AUTH [user] password                     if the master asks for one
 *   REPLCONF listening-port 6380             where this replica can be reached
 *   REPLCONF ip-address 10.0.0.7             if that differs from where it comes from
 *   REPLCONF capa eof capa psync2            what it understands
 *   PSYNC id offset                          what it has already; "? -1" for nothing
 *     +CONTINUE [id]                         the stream goes on from there
 *     +FULLRESYNC id offset                  a snapshot comes, then the stream from that offset on
 * ```
 *
 * Those before PSYNC are sent together, so that they cost one round trip. Masters older than some of them refuse these, which
 * doesn't matter; one without PSYNC is asked with SYNC.
 *
 * @module
 */
import { joinBytes } from "../protocol/joined_bytes.ts";
import { encodeRequest, type RequestArgument } from "../protocol/request_writer.ts";
import type { LogLevel } from "../runtime/logging.ts";
import type { Peer } from "./peer.ts";

/** What a replica says of itself. */
export interface Introduction {
  /** The port at which it listens. */
  readonly port: number;
  /** `replica-announce-ip`; empty for the address that it comes from. */
  readonly address: string;
  /** `masteruser`; empty for the default one. */
  readonly user: string;
  /** `masterauth`; empty for none. */
  readonly password: string;
  /** What it has of a stream; null if it has nothing that can be gone on with. */
  readonly has: { readonly id: string; readonly offset: number } | null;
  /** Whether the master is to become this server's replica's master, as FAILOVER asks. */
  readonly failover: boolean;
}

/** What the master will send. */
export type HandshakeOutcome =
  /** The stream goes on, under this id if it says one. */
  | { readonly kind: "continue"; readonly id: string | null }
  /** A snapshot of this id and offset. */
  | { readonly kind: "full"; readonly id: string; readonly offset: number }
  /** A snapshot of an offset that it doesn't tell. */
  | { readonly kind: "legacy" };

/** The handshake has failed; the log knows why. */
export class HandshakeError extends Error {
  /** With the line for the log; `passing`: it may go well soon, as the master isn't ready yet. */
  constructor(line: string, readonly passing: boolean = false) {
    super(line);
    this.name = "HandshakeError";
  }
}

/** Writes a line of the log. */
export type WriteLog = (level: LogLevel, line: string) => void;

/**
 * Introduces a replica to its master.
 *
 * @throws {HandshakeError} if the master doesn't want it.
 * @throws {PeerError} if the connection ends.
 */
export async function introduce(
  peer: Peer,
  introduction: Introduction,
  log: WriteLog,
): Promise<HandshakeOutcome> {
  await ping(peer, log);
  await configure(peer, introduction, log);
  return await synchronise(peer, introduction, log);
}

/** Asks whether there is a server of this protocol. */
async function ping(peer: Peer, log: WriteLog): Promise<void> {
  await peer.write(encodeRequest(["PING"]));
  const reply = await peer.line();
  const refusesOnly = ["-NOAUTH", "-NOPERM", "-ERR operation not permitted"].some((start) =>
    reply.startsWith(start)
  );
  if (!reply.startsWith("+") && !refusesOnly) {
    throw new HandshakeError(`Error reply to PING from master: '${reply}'`);
  }
  log("notice", "Master replied to PING, replication can continue...");
}

/** Logs in, and says where this replica is and what it understands. */
async function configure(
  peer: Peer,
  { address, password, port, user }: Introduction,
  log: WriteLog,
): Promise<void> {
  const requests: [name: string, request: RequestArgument[]][] = [];
  if (password !== "") {
    requests.push(["AUTH", user === "" ? ["AUTH", password] : ["AUTH", user, password]]);
  }
  requests.push(["REPLCONF listening-port", ["REPLCONF", "listening-port", port]]);
  if (address !== "") {
    requests.push(["REPLCONF ip-address", ["REPLCONF", "ip-address", address]]);
  }
  requests.push(["REPLCONF capa", ["REPLCONF", "capa", "eof", "capa", "psync2"]]);
  await peer.write(joinBytes(requests.map(([, request]) => encodeRequest(request))));
  for (const [name] of requests) {
    const reply = await peer.line();
    if (!reply.startsWith("-")) continue;
    if (name === "AUTH") throw new HandshakeError(`Unable to AUTH to MASTER: ${reply}`);
    log("notice", `(Non critical) Master does not understand ${name}: ${reply}`);
  }
}

/** Asks for the stream. */
async function synchronise(
  peer: Peer,
  { failover, has }: Introduction,
  log: WriteLog,
): Promise<HandshakeOutcome> {
  const id = has?.id ?? "?";
  // The next byte that it wants to have.
  const offset = has === null ? -1 : has.offset + 1;
  if (has === null) log("notice", "Partial resynchronization not possible (no cached master)");
  else log("notice", `Trying a partial resynchronization (request ${id}:${offset}).`);
  await peer.write(encodeRequest(["PSYNC", id, offset, ...failover ? ["FAILOVER"] : []]));
  let reply = await peer.line();
  // While it prepares a snapshot, the master sends empty lines, so that nobody thinks it has gone.
  while (reply === "") reply = await peer.line();
  const [word, newId, newOffset] = reply.split(" ");
  if (word === "+CONTINUE") {
    log("notice", "Successful partial resynchronization with master.");
    return { kind: "continue", id: isId(newId) ? newId : null };
  }
  if (word === "+FULLRESYNC") {
    if (!isId(newId) || !/^[0-9]{1,16}$/.test(newOffset ?? "")) {
      throw new HandshakeError("Master replied with wrong +FULLRESYNC syntax.");
    }
    log("notice", `Full resync from master: ${newId}:${newOffset}`);
    return { kind: "full", id: newId, offset: Number(newOffset) };
  }
  return await refused(peer, reply, failover, log);
}

/** The master doesn't answer PSYNC as it should: SYNC may help, or another try. */
async function refused(
  peer: Peer,
  reply: string,
  failover: boolean,
  log: WriteLog,
): Promise<HandshakeOutcome> {
  if (/^-(NOMASTERLINK|LOADING|MASTERDOWN)/.test(reply)) {
    throw new HandshakeError(
      `Master is currently unable to PSYNC but should be in the future: ${reply}`,
      true,
    );
  }
  const isKnown = reply.startsWith("-ERR");
  const line = isKnown
    ? `Master does not support PSYNC or is in error state (reply: ${reply})`
    : `Unexpected reply to PSYNC from master: ${reply}`;
  // Without PSYNC it can't be asked to be the master.
  if (failover) throw new HandshakeError(line);
  log(isKnown ? "notice" : "warning", line);
  log("notice", "Retrying with SYNC...");
  await peer.write(encodeRequest(["SYNC"]));
  return { kind: "legacy" };
}

function isId(text: string | undefined): text is string {
  return text !== undefined && /^[0-9a-zA-Z]{40}$/.test(text);
}
