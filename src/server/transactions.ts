/**
 * Transactions: the commands that a client has sent since MULTI, and the keys that it watches.
 *
 * **The queue.** The arguments of all queued commands stand one behind the other in one array of bytes, and where
 * each ends in an array of integers, so that queueing a command makes no object; both double when they are full. EXEC
 * loads one command after the other into the context, as if that array were a session's buffer. A server keeps one
 * emptied queue for the next who needs one.
 *
 * **Watched keys.** A client is *dirty* from the first moment at which a key that it watches is another one than it was,
 * and stays so until EXEC, DISCARD or UNWATCH; there is nothing more to watch then. A key that isn't there and one
 * whose time has come are the same to everybody, so going from one to the other changes nothing: what counts is how the
 * key was when it was watched. A key whose time has come since then, and that nobody has removed yet, is found by
 * {@linkcode WatchList.isDirty}.
 *
 * **Cost.** A session without either has two nulls, and a command costs one comparison. A queued command takes its
 * arguments, 4 bytes for each and 12 for itself; a watched key about 250 bytes.
 *
 * @module
 */
import type { Context } from "../commands/context.ts";
import { storedEntry } from "../keyspace/flushing.ts";
import { expiryOf, hasExpiry } from "../keyspace/entry_facts.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { KeyObserver, Observation } from "../keyspace/observed_keys.ts";
import type { ReadonlyView } from "../memory/arena.ts";
import { copyBytes } from "../memory/copy.ts";
import { dictFind } from "../memory/dict.ts";
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
/** So many places for watched keys are kept for the next transaction. */
const KEPT_OBSERVATIONS = 64;

/** The commands that wait for EXEC. */
export class Transaction {
  /** The commands, first one first; */
  readonly commands: Command[] = [];
  /** so many of them count. */
  count = 0;
  /** A command was refused, so that EXEC will be. */
  failed = false;
  /** A command may need room. */
  needsRoom = false;
  /** A command writes, or may have an effect on replicas. */
  mayReplicate = false;
  /** Whether one of them changes data. */
  writes = false;
  /** Whether all of them run while the data is being loaded. */
  whileLoading = true;
  /** Likewise while other data is being loaded to take the place of this. */
  whileSwapping = true;
  /** Whether all of them run on a replica that has lost its master. */
  whileStale = true;
  private bytes = new Uint8Array(FIRST_BYTES);
  private view = new DataView(this.bytes.buffer);
  private length = 0;
  /** For each command the number of its arguments, and then where each of them ends in {@linkcode bytes}. */
  private numbers = new Int32Array(FIRST_NUMBERS);
  private used = 0;
  /** What {@linkcode loadNext} loads begins here among the numbers, */
  private nextNumber = 0;
  /** and here among the bytes. */
  private nextByte = 0;
  private readonly frame = new RequestFrame();

  /** Bytes of memory that it takes. */
  get memory(): number {
    return this.bytes.length + this.numbers.length * 4 + this.count * COMMAND_BYTES;
  }

  /** Bytes of the arguments of its commands, as Redis counts them: with 8 more for each. */
  get queuedBytes(): number {
    return this.length + (this.used - this.count) * 8;
  }

  /** Queues the command whose arguments are in the context. */
  add(command: Command, context: Context): void {
    const { argc, starts, lengths, view, blockArgument } = context;
    if (this.used + argc + 1 > this.numbers.length) this.growNumbers(this.used + argc + 1);
    this.numbers[this.used++] = argc;
    for (let index = 0; index < argc; index++) {
      if (index === blockArgument) {
        const value = context.valueArgument(index);
        this.append(new DataView(value.buffer, value.byteOffset, value.length), 0, value.length);
      } else this.append(view, starts[index], lengths[index]);
    }
    this.commands[this.count++] = command;
    if (command.needsRoom) this.needsRoom = true;
    if (command.mayReplicate) this.mayReplicate = true;
    if (command.writes) this.writes = true;
    if (!command.whileLoading) this.whileLoading = false;
    if (!command.whileSwapping) this.whileSwapping = false;
    if (!command.whileStale) this.whileStale = false;
  }

  /** Has {@linkcode loadNext} begin with the first command. */
  rewind(): void {
    this.nextNumber = 0;
    this.nextByte = 0;
  }

  /** Puts the arguments of the next command into the context. */
  loadNext(context: Context): void {
    const { frame, numbers } = this;
    let number = this.nextNumber;
    let start = this.nextByte;
    const argc = numbers[number++];
    frame.reset(0);
    for (const end = number + argc; number < end; number++) {
      frame.add(start, numbers[number] - start);
      start = numbers[number];
    }
    this.nextNumber = number;
    this.nextByte = start;
    context.bytes = this.bytes;
    context.view = this.view;
    context.argc = argc;
    context.starts = frame.starts;
    context.lengths = frame.lengths;
    context.hashCount = 0;
    context.blockArgument = -1;
    context.blockTaken = false;
  }

  /** Puts the arguments of command `index` into the context, and those of the present one back if `run` is done. */
  show(context: Context, index: number, run: () => void): void {
    const { nextNumber, nextByte } = this;
    this.rewind();
    for (let before = 0; before <= index; before++) this.loadNext(context);
    run();
    this.nextNumber = nextNumber;
    this.nextByte = nextByte;
  }

  /** Forgets all; whether it is worth keeping. */
  clear(): boolean {
    this.count = 0;
    this.length = 0;
    this.used = 0;
    this.failed = false;
    this.needsRoom = false;
    this.mayReplicate = false;
    this.writes = false;
    this.whileLoading = true;
    this.whileSwapping = true;
    this.whileStale = true;
    return this.memory <= KEPT_BYTES;
  }

  /** Adds an argument. */
  private append(source: ReadonlyView, start: number, length: number): void {
    const end = this.length + length;
    if (end > this.bytes.length) this.growBytes(end);
    copyBytes(source, start, this.view, this.length, length);
    this.length = end;
    this.numbers[this.used++] = end;
  }

  /** Makes room for more bytes. */
  private growBytes(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }

  /** Makes room for more numbers. */
  private growNumbers(needed: number): void {
    const larger = new Int32Array(Math.max(needed, this.numbers.length * 2));
    larger.set(this.numbers);
    this.numbers = larger;
  }
}

/** A watched key isn't there, */
const ABSENT = 0;
/** or its time has come, but it is still stored, */
const EXPIRED = 1;
/** or it is there, */
const PRESENT = 2;
/** or it is there and its time will come. */
const VOLATILE = 3;

/** The keys that one client watches; see the head of this file. */
export class WatchList implements KeyObserver {
  /** Bytes of memory that it takes. */
  memory = 0;
  private dirty = false;
  /** The keys, each with a note of how it was when it was watched, as far as others can tell; */
  private readonly observations: Observation[] = [];
  /** so many of them count. */
  private count = 0;
  /** How many of them may be gone without a word. */
  private volatile = 0;

  /** Watches keys of `keyspace`. */
  constructor(private readonly keyspace: Keyspace) {}

  /** Watches the key in `view`, in the database of this number. */
  watch(database: number, view: ReadonlyView, start: number, length: number): void {
    // What can't be carried out any more needs no further reason.
    if (this.dirty) return;
    const { keyspace } = this;
    const observation = keyspace.observed.observe(database, view, start, length, this, ABSENT);
    if (observation === null) return;
    const { hash } = observation.key;
    const { arena, databases } = keyspace;
    const { dict } = databases[database];
    observation.note = this.stateOf(dictFind(arena, dict, hash, view, start, length));
    if (observation.note === VOLATILE) this.volatile++;
    this.observations[this.count++] = observation;
    this.memory += WATCHED_BYTES + length;
  }

  /** A watched key has changed. */
  keyChanged(observation: Observation): void {
    const now = this.stateNow(observation);
    if (observation.note <= EXPIRED && now <= EXPIRED) observation.note = now;
    else {
      this.forget();
      this.dirty = true;
    }
  }

  /** Whether a watched key has changed: somebody has changed it, or its time has come since. */
  isDirty(): boolean {
    if (this.dirty || this.volatile === 0) return this.dirty;
    for (let index = 0; index < this.count; index++) {
      const observation = this.observations[index];
      if (observation.note === VOLATILE && this.stateNow(observation) === EXPIRED) return true;
    }
    return false;
  }

  /** Whether somebody has changed a watched key. */
  get changed(): boolean {
    return this.dirty;
  }

  /** Watches nothing any more. */
  forget(): void {
    const { observed } = this.keyspace;
    for (let index = 0; index < this.count; index++) observed.ignore(this.observations[index]);
    if (this.count > KEPT_OBSERVATIONS) this.observations.length = 0;
    this.count = 0;
    this.volatile = 0;
    this.memory = 0;
    this.dirty = false;
  }

  /** How a watched key is now. */
  private stateNow({ key }: Observation): number {
    return this.stateOf(storedEntry(this.keyspace.databases[key.database], key));
  }

  /** How a key is whose entry this is. */
  private stateOf(entry: number): number {
    const { keyspace } = this;
    if (entry === 0) return ABSENT;
    if (!hasExpiry(keyspace, entry)) return PRESENT;
    return expiryOf(keyspace, entry) < keyspace.now ? EXPIRED : VOLATILE;
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
  }
}
