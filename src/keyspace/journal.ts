/**
 * The journal: every change, once, as the command that repeats it.
 *
 * What is written here is the *effect* of a command, which gives the same result whenever and
 * wherever it is run: `EXPIRE k 10` is written as `PEXPIREAT k <unix ms>`, a key that expired as `DEL k`. The
 * append-only file, the backlog and the replicas listen; each gets the bytes of a turn at its end. While
 * nobody listens, nothing is encoded.
 *
 * **Asides.** Some of it is for replicas only and changes no data: pings, messages of channels. Who keeps data is handed the
 * bytes without them; offsets count them.
 *
 * **Units.** What one command changes, or all commands of a transaction, happens as a whole or not at all, also where it
 * is repeated. So if a unit ({@linkcode Journal.beginUnit}) has more than one change, MULTI and EXEC stand around it. Which
 * database is selected for its first change is said before MULTI.
 *
 * @module
 */
import { joinBytes } from "../protocol/joined_bytes.ts";
import { encodeRequest, type RequestArgument, RequestWriter } from "../protocol/request_writer.ts";

const MULTI = encodeRequest(["MULTI"]);

/** Gets the changes of one turn as requests in RESP; the bytes are only good during the call. */
export type JournalListener = (bytes: Uint8Array) => void;

/** What a listener wants to hear: all, or nothing but changes of the data. */
export type JournalInterest = "all" | "changes";

/** The stream of changes of one server. */
export class Journal {
  private readonly listeners = new Map<JournalListener, JournalInterest>();
  /** Where asides start and end in the writer, one pair behind the other. */
  private readonly asides: number[] = [];
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
  /** How many bytes there were up to the last change: what comes behind are asides. */
  changed = 0;
  /** Whether anybody listens; when not, appending does nothing. */
  listening = false;
  /** Whether anybody hears asides. */
  heardWhole = false;
  private silent = false;

  /** Whether nothing is written though somebody may listen: the data is being replaced by what was written before. */
  get muted(): boolean {
    return this.silent;
  }

  set muted(silent: boolean) {
    this.cut();
    this.silent = silent;
    this.countListeners();
  }

  /** Looks who listens. */
  private countListeners(): void {
    this.listening = !this.silent && this.listeners.size > 0;
    this.heardWhole = this.listening && [...this.listeners.values()].includes("all");
  }

  /** Has `listener` called with each turn's changes, from now on; and with asides, if it wants to hear all. */
  listen(listener: JournalListener, interest: JournalInterest = "changes"): void {
    this.cut();
    this.listeners.set(listener, interest);
    this.countListeners();
    // A new listener doesn't know which database was selected last.
    this.selected = -1;
  }

  /** Ends {@linkcode listen}. */
  unlisten(listener: JournalListener): void {
    this.cut();
    this.listeners.delete(listener);
    this.countListeners();
  }

  /** Writes one change in database number `database`. */
  append(database: number, args: readonly RequestArgument[]): void {
    if (!this.listening) return;
    this.select(database);
    if (this.depth > 0 && this.changes++ === 0) this.unitStart = this.writer.length;
    this.writer.write(args);
    this.changed = this.position;
  }

  /**
   * Writes one change that is a request as it came: the bytes of `bytes` from `start` to `end`, a whole request of which each length
   * is written the shortest way.
   */
  appendRequest(database: number, bytes: Uint8Array, start: number, end: number): void {
    this.select(database);
    if (this.depth > 0 && this.changes++ === 0) this.unitStart = this.writer.length;
    this.writer.writeEncoded(bytes, start, end);
    this.changed = this.position;
  }

  /**
   * Writes what replicas are to hear, but changes no data; within a unit it takes part in it. `database` is the one that it happens
   * in, or -1 where that doesn't matter.
   */
  appendAside(database: number, args: readonly RequestArgument[]): void {
    if (!this.heardWhole) return;
    // Selecting a database changes nothing: those who keep data may hear it.
    if (database >= 0) this.select(database);
    if (this.depth > 0 && this.changes++ === 0) this.unitStart = this.writer.length;
    const start = this.writer.length;
    this.writer.write(args);
    this.asides.push(start, this.writer.length);
  }

  /** What follows is in database number `database`. */
  private select(database: number): void {
    if (database === this.selected) return;
    this.selected = database;
    this.writer.write(["SELECT", database]);
  }

  /** The database that was selected last; -1 if it is to be said anew. */
  get selectedDatabase(): number {
    return this.selected;
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
      this.shiftAsides(this.unitStart);
      this.writer.write(["EXEC"]);
      this.changed = this.position;
    }
    this.changes = 0;
  }

  /** MULTI was inserted at `from`: asides behind it have moved. */
  private shiftAsides(from: number): void {
    const { asides } = this;
    for (let index = 0; index < asides.length; index += 2) {
      if (asides[index] < from) continue;
      asides[index] += MULTI.length;
      asides[index + 1] += MULTI.length;
    }
  }

  /** Whether a unit goes on that has changes already: the data is what no listener will have heard of until it ends. */
  get isWithinUnit(): boolean {
    return this.changes > 0;
  }

  /** Hands what was written to the listeners; a unit that has changes already stays whole, and goes with all before it when it has ended. */
  endTurn(): void {
    if (this.writer.length > 0 && !this.isWithinUnit) this.handOver();
  }

  /** As {@linkcode endTurn}, whatever goes on: where somebody begins or ceases to listen within a unit, who stays gets it in two parts. */
  cut(): void {
    if (this.writer.length === 0) return;
    this.closeUnit();
    this.handOver();
  }

  /** Hands all that was written to the listeners. */
  private handOver(): void {
    const bytes = this.writer.take();
    this.offset += bytes.length;
    const changes = this.asides.length === 0 ? bytes : withoutAsides(bytes, this.asides);
    this.asides.length = 0;
    for (const [listener, interest] of this.listeners) {
      const heard = interest === "all" ? bytes : changes;
      if (heard.length > 0) listener(heard);
    }
    this.writer.recycle(bytes);
  }
}

/** A copy of `bytes` without what stands between each pair of `asides`. */
function withoutAsides(bytes: Uint8Array, asides: readonly number[]): Uint8Array {
  const rest: Uint8Array[] = [];
  let from = 0;
  for (let index = 0; index < asides.length; index += 2) {
    rest.push(bytes.subarray(from, asides[index]));
    from = asides[index + 1];
  }
  rest.push(bytes.subarray(from));
  return joinBytes(rest);
}
