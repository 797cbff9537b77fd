/**
 * A connection whose bytes a tool reads and writes by itself.
 *
 * The library's client reads all there is and makes replies of it. A snapshot is no reply, and five
 * million replies are better counted than made: such tools have the user, the database and the
 * protocol set here, and the bytes from then on are theirs.
 *
 * @module
 */

import { joinBytes } from "../../protocol/joined_bytes.ts";
import type { Reply } from "../../protocol/reply.ts";
import { ReplyReader } from "../../protocol/reply_reader.ts";
import { CARRIAGE_RETURN, LINE_FEED, ReplyProtocolError } from "../../protocol/reply_types.ts";
import { encodeRequest } from "../../protocol/request_writer.ts";
import type { Channel } from "../client.ts";
import { openSocket } from "../connect.ts";
import { closedBecause } from "../errors.ts";
import { reportFailure, ToolError } from "../failures.ts";
import { introduce } from "../introduction.ts";
import { latin1Text } from "../quoting.ts";
import type { ToolContext } from "./tool.ts";

const READ_BYTES = 4096;

/** Longer lines than this are no line of the protocol. */
const MAX_LINE_BYTES = 64 << 10;

/** A connection as bytes. */
export class RawConnection {
  readonly #channel: Channel;
  /** What was read and not yet taken. */
  #rest: Uint8Array = new Uint8Array(0);
  #isClosed = false;

  private constructor(channel: Channel) {
    this.#channel = channel;
  }

  /**
   * Connects as the settings say, and says on the error output why if that doesn't work.
   *
   * @returns the connection, or `undefined` if there is none, or the server refuses the user, the
   * database or the protocol.
   */
  static async open({ settings, terminal }: ToolContext): Promise<RawConnection | undefined> {
    let opened: RawConnection | undefined;
    try {
      const connection = opened = new RawConnection(await openSocket(settings.address));
      const refusal = await introduce(settings, (...words) => connection.command(...words));
      if (refusal !== undefined) throw new ToolError(refusal);
      return connection;
    } catch (error) {
      opened?.close();
      reportFailure(error, terminal);
      return undefined;
    }
  }

  /**
   * Sends a command and waits for its reply, before which nothing else may come.
   *
   * @throws {ConnectionClosedError} if the connection ends before the reply.
   * @throws {ReplyProtocolError} if the server sends what is no reply.
   */
  async command(name: string, ...args: readonly string[]): Promise<Reply> {
    await this.send(name, ...args);
    const reader = new ReplyReader();
    for (;;) {
      reader.push(this.#rest);
      const reply = reader.next();
      if (reply !== undefined) {
        this.#rest = reader.takeRest();
        return reply;
      }
      this.#rest = await this.#readPiece();
    }
  }

  /**
   * Sends a command without waiting for anything.
   *
   * @throws {ConnectionClosedError} if the connection has ended.
   */
  send(name: string, ...args: readonly string[]): Promise<void> {
    return this.write(encodeRequest([name, ...args]));
  }

  /**
   * Reads a line.
   *
   * @returns The line without its end, a character for each byte.
   * @throws {ConnectionClosedError} if the connection ends before the line does.
   * @throws {ReplyProtocolError} if there is no end of the line.
   */
  async readLine(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf(LINE_FEED);
      if (end >= 0) {
        const isPair = this.#rest[end - 1] === CARRIAGE_RETURN;
        const line = this.#rest.subarray(0, isPair ? end - 1 : end);
        this.#rest = this.#rest.subarray(end + 1);
        return latin1Text(line);
      }
      if (this.#rest.length > MAX_LINE_BYTES) throw new ReplyProtocolError("endless line", 0);
      this.#rest = joinBytes([this.#rest, await this.#readPiece()]);
    }
  }

  /**
   * Reads what there is.
   *
   * @param room Where the bytes go; it must not be touched before they are there.
   * @returns How many bytes came, at least one.
   * @throws {ConnectionClosedError} if the connection has ended.
   */
  async read(room: Uint8Array): Promise<number> {
    if (this.#rest.length > 0) {
      const taken = this.#rest.subarray(0, room.length);
      room.set(taken);
      this.#rest = this.#rest.subarray(taken.length);
      return taken.length;
    }
    return await this.#readAnew(room);
  }

  /**
   * Writes all bytes.
   *
   * @param bytes What to write; it must not be touched before that is done.
   * @throws {ConnectionClosedError} if the connection has ended.
   */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let written = 0; written < bytes.length;) {
        written += await this.#channel.write(written === 0 ? bytes : bytes.subarray(written));
      }
    } catch (error) {
      throw closedBecause(error);
    }
  }

  /** Closes the connection, if it is open; who reads or writes is told that it has ended. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#channel.close();
  }

  /** Reads what comes behind all that was read. */
  async #readPiece(): Promise<Uint8Array> {
    const piece = new Uint8Array(READ_BYTES);
    return piece.subarray(0, await this.#readAnew(piece));
  }

  async #readAnew(room: Uint8Array): Promise<number> {
    let count: number | null;
    try {
      count = await this.#channel.read(room);
    } catch (error) {
      throw closedBecause(error);
    }
    if (count === null) throw closedBecause();
    return count;
  }
}
