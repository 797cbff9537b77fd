/**
 * Transactions: the commands that a client has sent since MULTI, and the keys that it watches.
 *
 * **The queue.** The arguments of all queued commands stand one behind the other in one array of bytes, and where
 * each starts in an array of integers, so that queueing a command makes no object; both double when they are full. EXEC
 * loads one command after the other into the context, as if that array were a session's buffer. A server keeps one
 * emptied queue for the next who needs one.
 *
 * **Watched keys.** A client is *dirty* from the first moment at which a key that it watches is another one than it was,
 * and stays so until EXEC, DISCARD or UNWATCH; there is nothing more to watch then. A key that isn't there and one
 * whose time has come are the same to everybody, so going from one to the other changes nothing: what counts is how the
 * key was when it was watched. A key whose time has come since then, and that nobody has removed yet, is found by
 * {@linkcode WatchList.isDirty}.
 *
 * **Cost.** A session without either has two nulls, and a command costs one comparison. A queued command takes its arguments and 4
 * bytes for each, a watched key about 250 bytes.
 *
 * @module
 */
import type { Context } from "../commands/context.ts";
import { storedEntry } from "../keyspace/flushing.ts";
import { expiryOf, hasExpiry } from "../keyspace/entry_facts.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { KeyObserver, ObservedKey } from "../keyspace/observed_keys.ts";
import type { ReadonlyView } from "../memory/arena.ts";
import { copyBytes } from "../memory/copy.ts";
import { RequestFrame } from "../protocol/request_parser.ts";
import type { Command } from "./command_table.ts";
import type { Session } from "./session.ts";

const FIRST_BYTES = 1024;
const FIRST_NUMBERS = 64;
/** A larger queue isn't kept for the next transaction. */
const KEPT_BYTES = 64 * 1024;
/** About what a queued command, and a watched key, take beside their bytes. */
const COMMAND_BYTES = 8;
const WATCHED_BYTES = 250;

/** The commands that wait for EXEC. */
export class Transaction {
  /** The commands, first one first. */
  readonly commands: Command[] = [];
  /** A command was refused, so that EXEC will be. */
  failed = false;
  /** A command may need room. */
  needsRoom = false;
  /** A command writes, or may have an effect on replicas. */
  mayReplicate = false;
  private bytes = new Uint8Array(FIRST_BYTES);
  private view = new DataView(this.bytes.buffer);
  private length = 0;
  /** Where each argument ends in {@linkcode bytes}. */
  private ends = new Int32Array(FIRST_NUMBERS);
  private arguments = 0;
  /** How many arguments each command has. */
  private readonly counts: number[] = [];
  private readonly frame = new RequestFrame();

  /** Bytes of memory that it takes. */
  get memory(): number {
    return this.bytes.length + this.ends.length * 4 + this.commands.length * COMMAND_BYTES;
  }

  /** Bytes of the arguments of its commands, as Redis counts them: with 8 more for each. */
  get queuedBytes(): number {
    return this.length + this.arguments * 8;
  }

  /** Queues the command whose arguments are in the context. */
  add(command: Command, context: Context): void {
    const { argc, starts, lengths, view, blockArgument } = context;
    for (let index = 0; index < argc; index++) {
      if (index === blockArgument) {
        const value = context.valueArgument(index);
        this.append(new DataView(value.buffer, value.byteOffset, value.length), 0, value.length);
      } else this.append(view, starts[index], lengths[index]);
    }
    this.commands.push(command);
    this.counts.push(argc);
    this.needsRoom ||= command.needsRoom;
    this.mayReplicate ||= command.mayReplicate;
  }

  /** Calls `run` for each command, whose arguments are in the context then. */
  forEach(context: Context, run: (command: Command, index: number) => void): void {
    let argument = 0;
    for (let index = 0; index < this.commands.length; index++) {
      this.load(context, argument, this.counts[index]);
      run(this.commands[index], index);
      argument += this.counts[index];
    }
  }

  /** Puts the arguments of command `index` into the context. */
  show(context: Context, index: number): void {
    let argument = 0;
    for (let before = 0; before < index; before++) argument += this.counts[before];
    this.load(context, argument, this.counts[index]);
  }

  /** Forgets all; whether it is worth keeping. */
  clear(): boolean {
    this.commands.length = 0;
    this.counts.length = 0;
    this.length = 0;
    this.arguments = 0;
    this.failed = false;
    this.needsRoom = false;
    this.mayReplicate = false;
    return this.memory <= KEPT_BYTES;
  }

  /** Puts `count` arguments from number `first` on into the context. */
  private load(context: Context, first: number, count: number): void {
    const { frame, ends } = this;
    frame.reset(0);
    let start = first === 0 ? 0 : ends[first - 1];
    for (let argument = first; argument < first + count; argument++) {
      frame.add(start, ends[argument] - start);
      start = ends[argument];
    }
    context.bytes = this.bytes;
    context.view = this.view;
    context.argc = count;
    context.starts = frame.starts;
    context.lengths = frame.lengths;
    context.hashCount = 0;
    context.blockArgument = -1;
    context.blockTaken = false;
  }

  private append(source: ReadonlyView, start: number, length: number): void {
    const end = this.length + length;
    if (end > this.bytes.length) this.growBytes(end);
    if (this.arguments === this.ends.length) this.growNumbers();
    copyBytes(source, start, this.view, this.length, length);
    this.length = end;
    this.ends[this.arguments++] = end;
  }

  private growBytes(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }

  private growNumbers(): void {
    const larger = new Int32Array(this.ends.length * 2);
    larger.set(this.ends);
    this.ends = larger;
  }
}

/** A key that isn't there, or whose time has come and that is still stored, or that is there. */
type KeyState = "absent" | "expired" | "present";

/** The keys that one client watches; see the head of this file. */
export class WatchList implements KeyObserver {
  /** Bytes of memory that it takes. */
  memory = 0;
  private dirty = false;
  /** The keys, with how each was when it was watched, as far as others can tell. */
  private readonly states = new Map<ObservedKey, KeyState>();

  /** Watches keys of `keyspace`. */
  constructor(private readonly keyspace: Keyspace) {}

  /** Watches the key in `view`, in the database of this number. */
  watch(database: number, view: ReadonlyView, start: number, length: number): void {
    // What can't be carried out any more needs no further reason.
    if (this.dirty) return;
    const key = this.keyspace.observed.observe(database, view, start, length, this);
    if (this.states.has(key)) return;
    this.states.set(key, this.stateOf(key));
    this.memory += WATCHED_BYTES + length;
  }

  /** A watched key has changed. */
  keyChanged(key: ObservedKey): void {
    const before = this.states.get(key)!;
    const now = this.stateOf(key);
    if (before !== "present" && now !== "present") this.states.set(key, now);
    else {
      this.forget();
      this.dirty = true;
    }
  }

  /** Whether a watched key has changed: somebody has changed it, or its time has come since. */
  isDirty(): boolean {
    if (this.dirty) return true;
    for (const [key, before] of this.states) {
      if (before !== "expired" && this.stateOf(key) === "expired") return true;
    }
    return false;
  }

  /** Whether somebody has changed a watched key. */
  get changed(): boolean {
    return this.dirty;
  }

  /** Watches nothing any more. */
  forget(): void {
    for (const key of this.states.keys()) this.keyspace.observed.ignore(key, this);
    this.states.clear();
    this.memory = 0;
    this.dirty = false;
  }

  private stateOf(key: ObservedKey): KeyState {
    const { keyspace } = this;
    const entry = storedEntry(keyspace.databases[key.database], key);
    if (entry === 0) return "absent";
    return hasExpiry(keyspace, entry) && expiryOf(keyspace, entry) < keyspace.now
      ? "expired"
      : "present";
  }
}

/** The transactions of all clients of one server. */
export class Transactions {
  private spare: Transaction | null = null;

  /** Has the client collect commands. */
  begin(session: Session): void {
    session.transaction = this.spare ?? new Transaction();
    this.spare = null;
  }

  /** Forgets what the client has collected, and what it watches. */
  discard(session: Session): void {
    const { transaction } = session;
    if (transaction !== null && transaction.clear()) this.spare = transaction;
    session.transaction = null;
    this.unwatch(session);
  }

  /** Forgets what the client watches. */
  unwatch(session: Session): void {
    session.watched?.forget();
    session.watched = null;
  }
}
