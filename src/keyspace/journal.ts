/**
 * The journal: every change, once, as the command that repeats it.
 *
 * What is written here is the *effect* of a command, which gives the same result whenever and
 * wherever it is run: `EXPIRE k 10` is written as `PEXPIREAT k <unix ms>`, a key that expired as `DEL k`. The
 * append-only file, the backlog and the replicas listen; each gets the bytes of a turn at its end. While
 * nobody listens, nothing is encoded.
 *
 * **Units.** What one command changes, or all commands of a transaction, happens as a whole or not at all, also where it
 * is repeated. So if a unit ({@linkcode Journal.beginUnit}) has more than one change, MULTI and EXEC stand around it. Which
 * database is selected for its first change is said before MULTI.
 *
 * @module
 */
import { encodeRequest, type RequestArgument, RequestWriter } from "../protocol/request_writer.ts";

const MULTI = encodeRequest(["MULTI"]);

/** Gets the changes of one turn as requests in RESP; the bytes are only good during the call. */
export type JournalListener = (bytes: Uint8Array) => void;

/** The stream of changes of one server. */
export class Journal {
  private readonly listeners = new Set<JournalListener>();
  private readonly writer = new RequestWriter();
  private selected = -1;
  /** How many units are open, each within the one before. */
  private depth = 0;
  /** How many changes the outermost has, */
  private changes = 0;
  /** and where in the writer the first one starts. */
  private unitStart = 0;
  /** Bytes written since the start. */
  offset = 0;
  /** Whether anybody listens; when not, appending does nothing. */
  listening = false;
  private silent = false;

  /** Whether nothing is written though somebody may listen: the data is being replaced by what was written before. */
  get muted(): boolean {
    return this.silent;
  }

  set muted(silent: boolean) {
    this.endTurn();
    this.silent = silent;
    this.listening = !silent && this.listeners.size > 0;
  }

  /** Has `listener` called with each turn's changes, from now on. */
  listen(listener: JournalListener): void {
    this.endTurn();
    this.listeners.add(listener);
    this.listening = !this.silent;
    // A new listener doesn't know which database was selected last.
    this.selected = -1;
  }

  /** Ends {@linkcode listen}. */
  unlisten(listener: JournalListener): void {
    this.endTurn();
    this.listeners.delete(listener);
    this.listening = !this.silent && this.listeners.size > 0;
  }

  /** Writes one change in database number `database`. */
  append(database: number, args: readonly RequestArgument[]): void {
    if (!this.listening) return;
    if (database !== this.selected) {
      this.selected = database;
      this.writer.write(["SELECT", database]);
    }
    if (this.depth > 0 && this.changes++ === 0) this.unitStart = this.writer.length;
    this.writer.write(args);
  }

  /**
   * Writes one change that is a request as it came: the bytes of `bytes` from `start` to `end`, a whole request of which each length
   * is written the shortest way.
   */
  appendRequest(database: number, bytes: Uint8Array, start: number, end: number): void {
    if (database !== this.selected) {
      this.selected = database;
      this.writer.write(["SELECT", database]);
    }
    if (this.depth > 0 && this.changes++ === 0) this.unitStart = this.writer.length;
    this.writer.writeEncoded(bytes, start, end);
  }

  /** How many bytes there were since the start, those of the turn that goes on included. */
  get position(): number {
    return this.offset + this.writer.length;
  }

  /** Which database is selected is said anew before the next change: it goes to somebody who doesn't know. */
  selectAnew(): void {
    this.selected = -1;
  }

  /** Begins a unit, or one more within it. */
  beginUnit(): void {
    this.depth++;
  }

  /** Ends what {@linkcode beginUnit} began. */
  endUnit(): void {
    if (--this.depth === 0) this.closeUnit();
  }

  /** Puts the changes of the unit so far between MULTI and EXEC, if there are several. */
  private closeUnit(): void {
    if (this.changes > 1) {
      this.writer.insert(this.unitStart, MULTI);
      this.writer.write(["EXEC"]);
    }
    this.changes = 0;
  }

  /** Hands what was written to the listeners. */
  endTurn(): void {
    if (this.writer.length === 0) return;
    // Within a unit, that is somebody who begins or ceases to listen: who stays gets it in two parts.
    this.closeUnit();
    const bytes = this.writer.take();
    this.offset += bytes.length;
    for (const listener of this.listeners) listener(bytes);
    this.writer.recycle(bytes);
  }
}
