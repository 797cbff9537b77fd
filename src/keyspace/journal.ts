/**
 * The journal: every change, once, as the command that repeats it.
 *
 * What is written here is the *effect* of a command, which gives the same result whenever and
 * wherever it is run: `EXPIRE k 10` is written as `PEXPIREAT k <unix ms>`, a key that expired as `DEL k`. The
 * append-only file, the backlog and the replicas listen; each gets the bytes of a turn at its end. While
 * nobody listens, nothing is encoded.
 *
 * @module
 */
import { type RequestArgument, RequestWriter } from "../protocol/request_writer.ts";

/** Gets the changes of one turn as requests in RESP; the bytes are only good during the call. */
export type JournalListener = (bytes: Uint8Array) => void;

/** The stream of changes of one server. */
export class Journal {
  private readonly listeners = new Set<JournalListener>();
  private readonly writer = new RequestWriter();
  private selected = -1;
  /** Bytes written since the start. */
  offset = 0;
  /** Whether anybody listens; when not, appending does nothing. */
  listening = false;

  /** Has `listener` called with each turn's changes, from now on. */
  listen(listener: JournalListener): void {
    this.endTurn();
    this.listeners.add(listener);
    this.listening = true;
    // A new listener doesn't know which database was selected last.
    this.selected = -1;
  }

  /** Ends {@linkcode listen}. */
  unlisten(listener: JournalListener): void {
    this.endTurn();
    this.listeners.delete(listener);
    this.listening = this.listeners.size > 0;
  }

  /** Writes one change in database number `database`. */
  append(database: number, args: readonly RequestArgument[]): void {
    if (!this.listening) return;
    if (database !== this.selected) {
      this.selected = database;
      this.writer.write(["SELECT", database]);
    }
    this.writer.write(args);
  }

  /** Hands what was written to the listeners. */
  endTurn(): void {
    if (this.writer.length === 0) return;
    const bytes = this.writer.take();
    this.offset += bytes.length;
    for (const listener of this.listeners) listener(bytes);
  }
}
