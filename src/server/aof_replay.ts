/**
 * Replays the commands of an append-only file.
 *
 * They are read ahead into a batch and run one after the other, as those of a client are, but nobody gets replies, nothing goes to
 * the journal, and no key expires before the file has said what becomes of it. A transaction is run
 * when it is there to its end; what ends before its EXEC hasn't happened.
 *
 * @module
 */
import { readReplicationNote } from "../persistence/aof_note.ts";
import { afterFunctionCommand } from "../persistence/function_libraries.ts";
import type { ReplicationFacts } from "../persistence/rdb_file_writer.ts";
import type { RdbWindow } from "../persistence/rdb_window.ts";
import { ByteBuffer } from "../protocol/byte_buffer.ts";
import {
  LONGEST_STRING,
  parseRequest,
  REQUEST_COMPLETE,
  REQUEST_INCOMPLETE,
  type RequestFrame,
} from "../protocol/request_parser.ts";
import type { Connection } from "../runtime/sockets.ts";
import { Batch, BATCH_REQUESTS } from "./batch.ts";
import { takesArguments } from "./command_runner.ts";
import type { Command } from "./command_table.ts";
import type { Server } from "./server.ts";
import type { ServerContext } from "./server_context.ts";
import { Session } from "./session.ts";

const STAR = 42;
const HASH = 35;
const LF = 10;
const LETTER_R = 82;
const decoder = new TextDecoder();
/** Longest line that begins with `#`. */
const LONGEST_NOTE = 1024;
/** So many commands that are refused are told of in the log. */
const TOLD_REFUSALS = 10;

/** How the reading of a file ended. */
export const REPLAY_ENDED = 0;
/** It ends in the midst of a command, */
export const REPLAY_TRUNCATED = 1;
/** or of a transaction; */
export const REPLAY_UNFINISHED_TRANSACTION = 2;
/** or there is more to do. */
export const REPLAY_GOES_ON = 3;

/** A file holds what is no command. */
export class ReplayError extends Error {
  /** Says what, and at which byte. */
  constructor(reason: string, readonly position: number) {
    super(reason);
    this.name = "ReplayError";
  }
}

/** A connection to nobody. */
const NOBODY: Connection = {
  remote: "",
  local: "",
  fromLoopback: true,
  read: () => new Promise(() => {}),
  write: (bytes) => Promise.resolve(bytes.length),
  close: () => {},
};

/** Replays one file after the other; see the head of this file. */
export class AofReplay {
  /** How many commands were run. */
  commands = 0;
  /** What the running command was refused with; null if it wasn't. */
  private refusal: string | null = null;
  /** How many were refused. */
  private refusals = 0;
  /** The last note that tells of replication, and where it ends in its file. */
  private note: { readonly facts: ReplicationFacts; readonly end: number } | null = null;
  private readonly session: Session;
  private readonly batch: Batch;

  /** Replays to `server`; commands run in `context`. */
  constructor(private readonly server: Server, private readonly context: ServerContext) {
    this.session = new Session(server, NOBODY, 0, 0, server.clock.now(), true);
    this.batch = new Batch(server.dispatcher.pops);
  }

  /** Another file begins. */
  begin(): void {
    this.session.database = 0;
    this.note = null;
  }

  /** What a note tells that ends the file at its byte `size`; null if nothing does. */
  factsAt(size: number): ReplicationFacts | null {
    return this.note?.end === size ? this.note.facts : null;
  }

  /**
   * Runs what `window` has from its reader's position on, until the file ends or `isTime` says to stop; one of the `REPLAY_`
   * constants. The window's position is then behind the last whole command, or transaction.
   *
   * @throws {ReplayError} if what is there is no command.
   */
  run(window: RdbWindow, isTime: () => boolean): number {
    const { context, server: { keyspace, reply } } = this;
    const { maximumString } = context;
    const { onError } = reply;
    keyspace.dueBefore = 0;
    context.mayBlock = false;
    // What once was allowed is loaded, whatever the settings say by now.
    context.maximumString = LONGEST_STRING;
    reply.onError = (text) => this.refusal = text;
    // DEBUG LOADAOF is itself one of a client's commands, and others are behind it.
    const { hashes, candidates, candidateDict, candidateMoves } = context;
    let ended = REPLAY_GOES_ON;
    try {
      context.lend(() => {
        do ended = this.runBatch(window); while (ended === REPLAY_GOES_ON && !isTime());
      });
      return ended;
    } finally {
      Object.assign(context, { hashes, candidates, candidateDict, candidateMoves });
      context.mayBlock = true;
      context.maximumString = maximumString;
      reply.onError = onError;
      keyspace.dueBefore = keyspace.now;
    }
  }

  /** Reads some commands and runs them. */
  private runBatch(window: RdbWindow): number {
    const { batch, server: { keyspace, table } } = this;
    const { reader } = window;
    const { view, end } = reader;
    const bytes = window.memory;
    const start = reader.position;
    batch.clear();
    let position = start;
    let status = REQUEST_COMPLETE;
    while (batch.count < BATCH_REQUESTS) {
      position = this.skipNotes(window, bytes, position, end);
      if (position < 0) {
        position = ~position;
        status = REQUEST_INCOMPLETE;
        break;
      }
      if (position === end) break;
      const frame = batch.frames[batch.count];
      status = this.parse(window, frame, bytes, position, end);
      if (status !== REQUEST_COMPLETE) break;
      position = frame.position;
      const command = batch.repeatsCommand(view)
        ? batch.commands[batch.count - 1]
        : table.find(bytes, frame.starts[0], frame.lengths[0]);
      batch.add(command, view, keyspace.seed0, keyspace.seed1);
    }
    if (batch.count === 0) {
      // Notes are behind already.
      reader.position = position;
      if (window.slide(position)) return REPLAY_GOES_ON;
      return position === end ? REPLAY_ENDED : REPLAY_TRUNCATED;
    }
    if (this.session.buffer.bytes !== bytes) this.session.buffer = ByteBuffer.over(bytes);
    this.context.enter(this.session);
    batch.prefetch(keyspace, this.context.database.dict);
    batch.begin(this.context);
    for (let index = 0; index < batch.count; index++) {
      const command = batch.commands[index];
      const frame = batch.frames[index];
      if (command !== null && command.name === "multi") {
        const from = index === 0 ? start : batch.frames[index - 1].position;
        return this.runTransaction(window, from, frame.position);
      }
      batch.load(this.context, index);
      this.runOne(window, frame, command);
    }
    reader.position = batch.frames[batch.count - 1].position;
    return REPLAY_GOES_ON;
  }

  /** Goes past lines that begin with `#`; the complement of where one starts that isn't whole. */
  private skipNotes(window: RdbWindow, bytes: Uint8Array, from: number, end: number): number {
    while (from < end && bytes[from] === HASH) {
      const line = bytes.indexOf(LF, from);
      if (line < 0 || line >= end) {
        if (end - from > LONGEST_NOTE) throw this.wrong(window, from);
        return ~from;
      }
      this.readNote(window, bytes, from, line + 1);
      from = line + 1;
    }
    return from;
  }

  /** Keeps what the line between `from` and `end` tells of replication, if it does. */
  private readNote(window: RdbWindow, bytes: Uint8Array, from: number, end: number): void {
    if (bytes[from + 1] !== LETTER_R) return;
    const facts = readReplicationNote(decoder.decode(bytes.slice(from, end)));
    if (facts === null) return;
    this.note = { facts, end: window.position - window.reader.position + end };
  }

  /** Reads the command at `position` into `frame`; one of the `REQUEST_` constants. */
  private parse(
    window: RdbWindow,
    frame: RequestFrame,
    bytes: Uint8Array,
    position: number,
    end: number,
  ): number {
    if (bytes[position] !== STAR) throw this.wrong(window, position);
    frame.reset(position);
    const status = parseRequest(frame, bytes, end, LONGEST_STRING, true);
    if (status !== REQUEST_COMPLETE && status !== REQUEST_INCOMPLETE) {
      throw this.wrong(window, position);
    }
    if (status === REQUEST_COMPLETE && frame.argc === 0) throw this.wrong(window, position);
    return status;
  }

  /** The error for what stands at `at` in the window. */
  private wrong(window: RdbWindow, at: number): ReplayError {
    return new ReplayError(
      "Bad file format reading the append only file: make a backup of your AOF file, then use " +
        "./redis-check-aof --fix <filename>",
      window.position - window.reader.position + at,
    );
  }

  /** Runs one command, which is in `frame`. */
  private runOne(window: RdbWindow, frame: RequestFrame, found: Command | null): void {
    const { context, server: { reply } } = this;
    context.load(this.session, frame);
    const command = this.resolve(found);
    if (command === null) {
      if (this.keepFunctions()) return;
      const at = window.position - window.reader.position + frame.starts[0];
      throw new ReplayError(
        `Unknown command '${context.text(0)}' reading the append only file`,
        at,
      );
    }
    if (!takesArguments(command, context.argc)) {
      throw this.wrong(window, frame.starts[0]);
    }
    this.commands++;
    // What changes nothing would be for a client that isn't there, or for a server that isn't ready.
    if (!command.mayReplicate && command.name !== "select") return;
    const mark = reply.length;
    command.handler(context);
    if (reply.length > mark) reply.truncate(mark);
    if (this.refusal !== null) this.noteRefusal(window, frame, command);
  }

  /** A command that was once run has been refused: its change is lost, and those behind it may be wrong. */
  private noteRefusal(window: RdbWindow, frame: RequestFrame, command: Command): void {
    const { context, server: { logger } } = this;
    const refusal = this.refusal!;
    this.refusal = null;
    if (command.name === "select") {
      // What follows would go to another database.
      const at = window.position - window.reader.position + frame.starts[0];
      throw new ReplayError(`Can't select database '${context.text(1)}': ${refusal}`, at);
    }
    if (this.refusals++ >= TOLD_REFUSALS) return;
    logger.log(
      "warning",
      "== CRITICAL == This server is sending an error to its AOF-loading-client: " +
        `'${refusal}' after processing the command '${command.name}'`,
    );
  }

  /** Keeps what a FUNCTION command does to libraries, which nobody can call here; whether it was one. */
  private keepFunctions(): boolean {
    const { context, context: { argc }, server: { persistence } } = this;
    if (context.text(0).toLowerCase() !== "function") return false;
    const args = Array.from({ length: argc - 1 }, (_, index) => context.argument(index + 1));
    const libraries = afterFunctionCommand(persistence.functions, args);
    if (libraries === null) return false;
    persistence.functions = libraries;
    this.commands++;
    return true;
  }

  /** The command, or its subcommand that is called; null if there is none. */
  private resolve(command: Command | null): Command | null {
    const { context } = this;
    if (command === null) return null;
    let resolved = command;
    if (command.subcommands !== null && context.argc >= 2) {
      const named = command.subcommands.get(context.text(1).toLowerCase());
      if (named === undefined) return null;
      resolved = named;
    }
    return resolved;
  }

  /**
   * Runs the transaction whose MULTI starts at `start` in the window and whose first command at `from`, if all of it is there; else moves
   * the window on to where it starts, so that it is read again when there is more.
   */
  private runTransaction(window: RdbWindow, start: number, from: number): number {
    const { batch, context, server: { keyspace, table } } = this;
    const { reader } = window;
    const { bytes, end } = reader;
    const behind = this.findExec(window, bytes, from, end);
    if (behind < 0) {
      reader.position = start;
      if (window.slide(start)) return REPLAY_GOES_ON;
      return REPLAY_UNFINISHED_TRANSACTION;
    }
    const frame = batch.frames[0];
    batch.clear();
    batch.add(null, reader.view, keyspace.seed0, keyspace.seed1);
    for (let position = from;;) {
      position = this.skipNotes(window, bytes, position, end);
      this.parse(window, frame, bytes, position, end);
      position = frame.position;
      const command = table.find(bytes, frame.starts[0], frame.lengths[0]);
      if (command !== null && command.name === "exec") break;
      context.hashCount = 0;
      this.runOne(window, frame, command);
    }
    reader.position = behind;
    return REPLAY_GOES_ON;
  }

  /** Where the transaction ends whose first command starts at `from`; -1 if that isn't in the window. */
  private findExec(window: RdbWindow, bytes: Uint8Array, from: number, end: number): number {
    const frame = this.batch.frames[0];
    for (let position = from;;) {
      position = this.skipNotes(window, bytes, position, end);
      if (position < 0 || position === end) return -1;
      if (this.parse(window, frame, bytes, position, end) !== REQUEST_COMPLETE) return -1;
      position = frame.position;
      const command = this.server.table.find(bytes, frame.starts[0], frame.lengths[0]);
      if (command !== null && command.name === "exec") return position;
      if (command !== null && command.name === "multi") throw this.wrong(window, frame.starts[0]);
    }
  }
}
