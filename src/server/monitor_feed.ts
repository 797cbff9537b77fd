/**
 * MONITOR: shows some clients every command that the others run.
 *
 * The lines of a turn are collected and sent at its end, the same bytes to each monitor. A monitor's own commands
 * are shown right behind their replies instead, so that what it reads stays in order.
 *
 * @module
 */
import { ByteAccumulator } from "../protocol/byte_accumulator.ts";
import { appendQuoted } from "../protocol/quoted_bytes.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import type { Session } from "./session.ts";

const MICROSECONDS = 1_000_000;

/** The monitors of one server. */
export class MonitorFeed {
  /** Whether there is a monitor. */
  active = false;
  private readonly monitors = new Set<Session>();
  private readonly line = new ByteAccumulator();
  private readonly lines = new ByteAccumulator();

  /** Shows `session` all commands from now on. */
  add(session: Session): void {
    session.monitoring = true;
    this.monitors.add(session);
    this.active = true;
  }

  /** Ends {@linkcode add}. */
  remove(session: Session): void {
    session.monitoring = false;
    this.monitors.delete(session);
    this.active = this.monitors.size > 0;
  }

  /**
   * Shows a command: when it ran, in unix microseconds, in which database, of which client (whose turn
   * it is, and whose replies are in `reply`), and its words.
   */
  show(
    microseconds: number,
    database: number,
    client: Session,
    args: readonly Uint8Array[],
    reply: ReplyWriter,
  ): void {
    const { line } = this;
    const seconds = Math.floor(microseconds / MICROSECONDS);
    const fraction = String(microseconds % MICROSECONDS).padStart(6, "0");
    line.appendLatin1(`+${seconds}.${fraction} [${database} ${client.connection.remote}]`);
    for (const argument of args) {
      line.appendLatin1(" ");
      appendQuoted(line, argument);
    }
    line.appendLineEnd();
    const bytes = line.take();
    this.lines.appendBytes(bytes);
    if (client.monitoring && !client.closing) reply.raw(bytes);
    line.recycle(bytes);
  }

  /** Sends the lines of `client`'s turn, which ends; itself it has seen them. */
  endTurn(client: Session): void {
    if (this.lines.length === 0) return;
    const bytes = this.lines.take();
    for (const monitor of this.monitors) {
      if (monitor !== client) monitor.push(bytes);
    }
  }
}
