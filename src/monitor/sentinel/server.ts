/**
 * The Sentinel API on its port.
 *
 * @module
 */
import { BufferPool } from "../../protocol/byte_buffer.ts";
import { ReplyWriter } from "../../protocol/reply_writer.ts";
import type { Connection } from "../../runtime/sockets.ts";
import type { MonitorEnvironment } from "../environment.ts";
import type { MonitorOptions } from "../options.ts";
import { type Listening, listenOn } from "../router/listening.ts";
import { SentinelCall, type SentinelHost } from "./call.ts";
import { answerCommand } from "./commands.ts";
import { SentinelSession } from "./session.ts";

/** As many clients as redis-sentinel takes. */
const MOST_CLIENTS = 10_000;
const BUFFER_BYTES = 16 << 10;
const LARGE_BUFFER_BYTES = 256 << 10;

const DENIED =
  "-DENIED the monitor is running in protected mode because no password is set for its Sentinel port. " +
  "In this mode connections are only accepted from the loopback interface. To serve other machines, set a password " +
  "(requirepass), or turn protected mode off (protected-mode no).\r\n";

/** Counts since the start, for INFO. */
export interface ServerCounts {
  /** Connections that were taken. */
  connections: number;
  /** Commands. */
  commands: number;
  /** Replies that were errors. */
  errors: number;
  /** Connections that were turned away. */
  rejected: number;
}

/** See the head of this file. */
export class SentinelServer {
  /** All connections, by number. */
  readonly sessions: Map<number, SentinelSession> = new Map();
  /** What was counted. */
  readonly counts: ServerCounts = { connections: 0, commands: 0, errors: 0, rejected: 0 };
  /** The id of this process, which isn't the id among sentinels. */
  readonly processId: string;
  /** When it was made, by the monotonic clock. */
  readonly startedAt: number;
  #listening: Listening | null = null;
  #nextId = 1;
  readonly #pool = new BufferPool(BUFFER_BYTES, 8);
  readonly #largePool = new BufferPool(LARGE_BUFFER_BYTES, 1);

  /** Makes a server that doesn't listen yet. */
  constructor(
    readonly options: MonitorOptions,
    readonly environment: MonitorEnvironment,
    readonly host: SentinelHost,
  ) {
    this.processId = environment.randomness.hex(40);
    this.startedAt = environment.clock.monotonic();
  }

  /** The port; null while it doesn't listen. */
  get port(): number | null {
    return this.#listening?.port ?? null;
  }

  /**
   * Listens.
   *
   * @throws {Error} if that can't be done.
   */
  listen(): void {
    const { sentinelBind, sentinelPort } = this.options;
    this.#listening = listenOn(
      this.environment.sockets,
      sentinelBind,
      sentinelPort ?? 0,
      (connection) => this.#welcome(connection),
      this.environment.logger,
    );
  }

  /** Stops listening, and closes all connections. */
  close(): void {
    this.#listening?.close();
    this.#listening = null;
    for (const session of [...this.sessions.values()]) session.close();
  }

  /** Sends a message to those who listen to a channel; how many they are. */
  publish(channel: string, text: string): number {
    let receivers = 0;
    for (const session of this.sessions.values()) {
      if (session.channels.has(channel)) {
        this.#push(session, ["message", channel, text]);
        receivers++;
      }
      for (const [pattern, matches] of session.patterns) {
        if (!matches(channel)) continue;
        this.#push(session, ["pmessage", pattern, channel, text]);
        receivers++;
      }
    }
    return receivers;
  }

  /** Has a reply written, and sends it to a session. */
  reply(
    session: SentinelSession,
    write: (writer: ReplyWriter) => void | Promise<void>,
  ): void | Promise<void> {
    const writer = this.#newWriter(session);
    const pending = write(writer);
    if (pending === undefined) return this.#deliver(session, writer);
    return pending.then(() => this.#deliver(session, writer));
  }

  #newWriter(session: SentinelSession): ReplyWriter {
    const writer = new ReplyWriter(this.#pool, this.#largePool);
    writer.resp = session.resp;
    writer.onError = () => this.counts.errors++;
    return writer;
  }

  #welcome(connection: Connection): void {
    const { sentinelProtectedMode, sentinelRequirePass } = this.options;
    if (sentinelProtectedMode && sentinelRequirePass === "" && !connection.fromLoopback) {
      return this.#turnAway(connection, DENIED);
    }
    if (this.sessions.size >= MOST_CLIENTS) {
      return this.#turnAway(connection, "-ERR max number of clients reached\r\n");
    }
    this.counts.connections++;
    const now = this.environment.clock.monotonic();
    const open = sentinelRequirePass === "";
    const session = new SentinelSession(this.#nextId++, connection, this.#owner, open, now);
    this.sessions.set(session.id, session);
    session.run();
  }

  #turnAway(connection: Connection, text: string): void {
    this.counts.rejected++;
    const close = () => connection.close();
    connection.write(new TextEncoder().encode(text)).then(close, close);
  }

  readonly #owner = {
    answer: (session: SentinelSession, words: readonly string[]) => {
      this.counts.commands++;
      session.lastActivity = this.environment.clock.monotonic();
      return this.reply(
        session,
        (writer) => answerCommand(new SentinelCall(this, session, this.host, writer, words)),
      );
    },
    refuse: (session: SentinelSession, error: string) => {
      this.reply(session, (writer) => writer.error(`ERR Protocol error: ${error}`));
      session.closeSoon();
    },
    ended: (session: SentinelSession) => {
      this.sessions.delete(session.id);
    },
  };

  #push(session: SentinelSession, words: readonly string[]): void {
    const writer = this.#newWriter(session);
    writer.push(words.length);
    for (const word of words) writer.bulk(word);
    session.send(takeBytes(writer));
  }

  #deliver(session: SentinelSession, writer: ReplyWriter): void {
    const bytes = takeBytes(writer);
    const { replyMode } = session;
    if (replyMode === "on") session.send(bytes);
    else if (replyMode === "skip next") session.replyMode = "skip";
    else if (replyMode === "skip") session.replyMode = "on";
  }
}

/** What was written, as bytes of their own; the writer isn't used any more. */
function takeBytes(writer: ReplyWriter): Uint8Array {
  const bytes = new Uint8Array(writer.length);
  let at = 0;
  for (const chunk of writer.chunks) {
    bytes.set(chunk.bytes, at);
    at += chunk.bytes.length;
    chunk.release?.();
    if (chunk.buffer !== null) writer.giveBack(chunk.buffer);
  }
  bytes.set(writer.buffer.bytes.subarray(0, writer.position), at);
  writer.giveBack(writer.buffer);
  return bytes;
}
