/**
 * The snapshot that a server sends to whoever says SYNC, as its replicas do.
 *
 * ```text
 *   $<length>\r\n<bytes>            made beforehand: its length is known
 *   $EOF:<mark>\r\n<bytes><mark>    sent while it is made: 40 bytes, which the server draws, stand behind the end
 * ```
 *
 * As long as the server prepares, it sends empty lines, so that the connection doesn't look dead.
 * With a mark, nothing follows until it is acknowledged: what has come last is the mark, or isn't
 * the end.
 *
 * @module
 */

import { ConnectionClosedError } from "../errors.ts";
import { ToolError } from "../failures.ts";
import type { Terminal } from "../terminal.ts";
import { Progress } from "./progress.ts";
import type { RawConnection } from "./raw_connection.ts";

const MARK_BYTES = 40;
const EOF_PREFIX = "$EOF:";
const ROOM_BYTES = 256 << 10;

/** A snapshot that is about to come. */
export class IncomingSnapshot {
  /** How long it is in bytes; `undefined` if only its end will tell. */
  readonly length: number | undefined;
  readonly #connection: RawConnection;
  readonly #mark: string;

  private constructor(connection: RawConnection, length: number | undefined, mark: string) {
    this.#connection = connection;
    this.length = length;
    this.#mark = mark;
  }

  /**
   * Asks the server for a snapshot, and waits until it comes.
   *
   * @throws {ToolError} if the server refuses, goes away or answers with something else.
   */
  static async request(connection: RawConnection): Promise<IncomingSnapshot> {
    let line = "";
    try {
      await connection.send("SYNC");
      while (line === "") line = await connection.readLine();
    } catch (error) {
      if (!(error instanceof ConnectionClosedError)) throw error;
      throw new ToolError("Error reading bulk length while SYNCing");
    }
    if (line.startsWith(EOF_PREFIX) && line.length === EOF_PREFIX.length + MARK_BYTES) {
      return new IncomingSnapshot(connection, undefined, line.slice(EOF_PREFIX.length));
    }
    if (/^\$[0-9]{1,15}$/.test(line)) {
      return new IncomingSnapshot(connection, Number(line.slice(1)), "");
    }
    throw new ToolError(`SYNC with master failed: ${line.slice(0, 200)}`);
  }

  /**
   * Receives it, up to its last byte.
   *
   * @param take Is given the bytes as they come, which are only good during the call.
   * @throws {ConnectionClosedError} if the connection ends before.
   */
  async receive(take: (bytes: Uint8Array) => void): Promise<void> {
    if (this.length === undefined) await this.#receiveToMark(take);
    else await this.#receiveLength(this.length, take);
  }

  async #receiveLength(length: number, take: (bytes: Uint8Array) => void): Promise<void> {
    const room = new Uint8Array(ROOM_BYTES);
    for (let left = length; left > 0;) {
      const count = await this.#connection.read(left < ROOM_BYTES ? room.subarray(0, left) : room);
      take(room.subarray(0, count));
      left -= count;
    }
  }

  /** The last bytes are held back until more come, which shows that they aren't the mark. */
  async #receiveToMark(take: (bytes: Uint8Array) => void): Promise<void> {
    const room = new Uint8Array(MARK_BYTES + ROOM_BYTES);
    for (let held = 0;;) {
      const end = held + await this.#connection.read(room.subarray(held));
      const surplus = end - MARK_BYTES;
      if (surplus < 0) {
        held = end;
        continue;
      }
      if (surplus > 0) take(room.subarray(0, surplus));
      if (this.#isMarkAt(room, surplus)) return;
      room.copyWithin(0, surplus, end);
      held = MARK_BYTES;
    }
  }

  #isMarkAt(bytes: Uint8Array, start: number): boolean {
    for (let index = 0; index < MARK_BYTES; index++) {
      if (bytes[start + index] !== this.#mark.charCodeAt(index)) return false;
    }
    return true;
  }
}

/**
 * Receives a snapshot, and shows how far it is.
 *
 * @param title What is done with it, in a word for the bar.
 * @param failure What is said if the connection ends before it does.
 * @param take Is given the bytes as they come, which are only good during the call.
 * @returns How long it was in bytes.
 * @throws {ToolError} if the connection ends before.
 */
export async function receiveVisibly(
  snapshot: IncomingSnapshot,
  terminal: Terminal,
  { title, failure }: { readonly title: string; readonly failure: string },
  take: (bytes: Uint8Array) => void,
): Promise<number> {
  const total = snapshot.length;
  const progress = new Progress(terminal, { label: title, unit: "bytes", total });
  let received = 0;
  try {
    await snapshot.receive((bytes) => {
      take(bytes);
      received += bytes.length;
      progress.update(received);
    });
    return received;
  } catch (error) {
    if (!(error instanceof ConnectionClosedError)) throw error;
    throw new ToolError(failure);
  } finally {
    progress.end();
  }
}

/**
 * Tells the server something of the replica that it is to take us for.
 *
 * @returns whether it agrees; if not, why is said on the error output. Older servers know less.
 * @throws {ConnectionClosedError} if the connection ends before the reply.
 * @throws {ReplyProtocolError} if the server sends what is no reply.
 */
export async function introduceReplica(
  connection: RawConnection,
  terminal: Terminal,
  name: string,
  value: string,
): Promise<boolean> {
  terminal.writeError(`sending REPLCONF ${name} ${value}`);
  const reply = await connection.command("REPLCONF", name, value);
  if (reply.kind !== "error") return true;
  terminal.writeError(`REPLCONF ${name} error: ${reply.text()}`);
  return false;
}
