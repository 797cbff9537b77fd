/**
 * What a command's handler works with: its arguments, the selected database, the writer of replies.
 *
 * One context serves a whole server; the session whose turn it is puts its own buffer and database
 * in. Arguments are offsets in that buffer, and a handler asks for each in the form it needs: most never
 * become strings.
 *
 * @module
 */
import type { Database, Keyspace } from "../keyspace/keyspace.ts";
import { touchEntry } from "../keyspace/access_clock.ts";
import {
  countReading,
  findHashed,
  keyChanged,
  keyNoted,
  keyTouched,
  liveEntry,
} from "../keyspace/keyspace.ts";
import { ListPlace } from "../keyspace/lists.ts";
import { CollectionWalk } from "../keyspace/collection_walk.ts";
import { ElementPlace } from "../keyspace/element_place.ts";
import { SortedSetPlace } from "../keyspace/sorted_set_place.ts";
import { StringPlace } from "../keyspace/string_editing.ts";
import { keyIsMissed } from "../keyspace/notifications.ts";
import { blockBytes } from "../keyspace/strings.ts";
import type { Journal } from "../keyspace/journal.ts";
import { entryHasKey } from "../memory/entry.ts";
import { hashBytes } from "../memory/hash.ts";
import { Int64, parseInteger64 } from "../protocol/integers.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import type { RequestArgument } from "../protocol/request_writer.ts";
import { StreamTools } from "./stream_tools.ts";
import { RangeRequest } from "./range_request.ts";
import type { Blocked, KeyWait, Wait } from "./wait.ts";

/** Runs one command. */
export type Handler = (context: Context) => void;

/** Reply to a command whose options don't fit together. */
export const SYNTAX_ERROR = "ERR syntax error";
/** Reply where a number is wanted and there is none. */
export const NOT_AN_INTEGER = "ERR value is not an integer or out of range";
/** Reply to a command for another type than the key has. */
export const WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";

const decoder = new TextDecoder();
const TWO_32 = 4294967296;
/** Longest text of a 64-bit integer, and some. */
const SCRATCH_BYTES = 64;
const EMPTY = new Uint8Array(0);

/** How large a collection may be and still have the form of a small one, and how large the nodes of others are. */
export interface CollectionLimits {
  /** `hash-max-listpack-entries`. */
  hashMaxEntries: number;
  /** `hash-max-listpack-value`, in bytes. */
  hashMaxValueBytes: number;
  /** `set-max-intset-entries`. */
  setMaxIntegers: number;
  /** `zset-max-listpack-entries`. */
  zsetMaxEntries: number;
  /** `zset-max-listpack-value`, in bytes. */
  zsetMaxValueBytes: number;
  /** `list-max-listpack-size`: elements of a node, or, if negative, one of five sizes. */
  listMaxSize: number;
  /** `list-compress-depth`. */
  listCompressDepth: number;
  /** `stream-node-max-bytes`; 0 for no limit. */
  streamNodeBytes: number;
  /** `stream-node-max-entries`; 0 for no limit. */
  streamNodeEntries: number;
}

/** The limits of a server without a configuration. */
export function defaultLimits(): CollectionLimits {
  return {
    hashMaxEntries: 512,
    hashMaxValueBytes: 64,
    setMaxIntegers: 512,
    zsetMaxEntries: 128,
    zsetMaxValueBytes: 64,
    listMaxSize: -2,
    listCompressDepth: 0,
    streamNodeBytes: 4096,
    streamNodeEntries: 100,
  };
}

/** Arguments, database and replies of the command that runs; see the head of this file. */
export class Context {
  /** Number of arguments, the command's name included. */
  argc = 0;
  /** The buffer in which the arguments stand. */
  bytes: Uint8Array = EMPTY;
  /** The same buffer, for unaligned access. */
  view: DataView = new DataView(EMPTY.buffer);
  /** Where each argument starts. */
  starts: Int32Array = new Int32Array(0);
  /** Length of each argument in bytes. */
  lengths: Int32Array = new Int32Array(0);
  /** The selected database. */
  database: Database;
  /** Hashes of the command's keys that are known: */
  hashes: Int32Array = new Int32Array(0);
  /** Entries that those keys may have, each 0 or good as long as */
  candidates: Int32Array = new Int32Array(0);
  /** this is the selected database's dict and */
  candidateDict = 0;
  /** `keyspace.moves` is this. */
  candidateMoves = 0;
  /** What is known of this command's keys starts here in {@linkcode hashes}, */
  hashFrom = 0;
  /** so many, */
  hashCount = 0;
  /** The hash whose candidate was found to be right last; -1 for none. */
  foundPlace: number = -1;
  /** where key `n` is argument `(n << keyShift) + 1`. */
  keyShift = 0;
  /** Which argument stands in a value block of its own instead of the buffer; -1 for none. */
  blockArgument: number = -1;
  /** Address of that block. */
  block = 0;
  /** Whether the running command has made that block its own. */
  blockTaken = false;
  /** Longest string that a command may make, in bytes (`proto-max-bulk-len`). */
  maximumString: number = 512 * 1024 * 1024;
  /** Longest sparse HyperLogLog, in bytes (`hll-sparse-max-bytes`). */
  sparseLimit = 3000;
  /** How large a small collection may be. */
  readonly limits: CollectionLimits = defaultLimits();
  /** Whether the running command has written its effect to the journal itself. */
  journaled = false;
  /** Whether a command that has nothing to reply yet may block its client. */
  mayBlock = true;
  /** The integer that was parsed last. */
  readonly number: Int64 = new Int64();
  /** Room for the text of a number. */
  readonly scratch: Uint8Array = new Uint8Array(SCRATCH_BYTES);

  /** Where the string that the command works on lies. */
  readonly place: StringPlace = new StringPlace();
  /** A walk through the set or hash that the command works on. */
  readonly walk: CollectionWalk = new CollectionWalk();
  /** The element that the command works on, or makes. */
  readonly element: ElementPlace = new ElementPlace();
  /** What commands on streams work with. */
  readonly streams: StreamTools = new StreamTools();
  /** Where in the list that it works on it is. */
  readonly list: ListPlace = new ListPlace();
  /** Where in the sorted set that it works on it is. */
  readonly sortedSet: SortedSetPlace = new SortedSetPlace();
  /** The range of a sorted set that is asked for. */
  readonly range: RangeRequest = new RangeRequest();

  /** Makes the context of one server. */
  constructor(
    readonly keyspace: Keyspace,
    readonly journal: Journal,
    /** Takes the reply. */
    public reply: ReplyWriter,
    /** A number at random from 0 up to 1. */
    readonly random: () => number,
  ) {
    this.database = keyspace.databases[0];
  }

  /**
   * Has the client wait, see `wait.ts`; a timeout of 0 is for ever. Not to be called unless
   * {@linkcode mayBlock}.
   */
  waitFor(_wait: Wait, _timeoutMs: number): Blocked {
    throw new Error("only a client can wait");
  }

  /** Has the client wait for keys, see `wait.ts`. Not to be called unless {@linkcode mayBlock}. */
  waitForKeys(_wait: KeyWait): void {
    throw new Error("only a client can wait");
  }

  /**
   * Whether a reply of so many bytes is more than may ever wait for the client: then it is being closed, and needs
   * no reply.
   */
  exceedsOutput(_bytes: number): boolean {
    return false;
  }

  /** Argument `index` as text. */
  text(index: number): string {
    const start = this.starts[index];
    return decoder.decode(this.bytes.subarray(start, start + this.lengths[index]));
  }

  /**
   * Argument `index` as errors quote it: a character for each byte, no more than `limit`, up to a
   * zero byte, which ends a text in C.
   */
  quoted(index: number, limit: number = this.lengths[index]): string {
    const start = this.starts[index];
    const end = start + Math.min(limit, this.lengths[index]);
    let text = "";
    for (let at = start; at < end && this.bytes[at] !== 0; at++) {
      text += String.fromCharCode(this.bytes[at]);
    }
    return text;
  }

  /** Argument `index` as bytes in the buffer, good until the handler returns. */
  argument(index: number): Uint8Array {
    const start = this.starts[index];
    return this.bytes.subarray(start, start + this.lengths[index]);
  }

  /** Whether argument `index` is `word` (in capitals), in any case. */
  isWord(index: number, word: string): boolean {
    if (this.lengths[index] !== word.length) return false;
    const start = this.starts[index];
    for (let offset = 0; offset < word.length; offset++) {
      let byte = this.bytes[start + offset];
      if (byte >= 97 && byte <= 122) byte -= 32;
      if (byte !== word.charCodeAt(offset)) return false;
    }
    return true;
  }

  /** Parses argument `index` into {@linkcode number}; if it isn't an integer, replies so. */
  integer(index: number, error: string = NOT_AN_INTEGER): boolean {
    if (parseInteger64(this.bytes, this.starts[index], this.lengths[index], this.number)) {
      return true;
    }
    this.reply.error(error);
    return false;
  }

  /** As {@linkcode integer}, for a number of 32 bits, such as that of a database. */
  smallInteger(index: number, error?: string): boolean {
    if (!this.integer(index, error)) return false;
    const { value } = this;
    if (value >= -0x80000000 && value <= 0x7fffffff) return true;
    this.reply.error(
      error ?? "ERR value is out of range, value must between -2147483648 and 2147483647",
    );
    return false;
  }

  /** {@linkcode number} as a double, exact below 2^53. */
  get value(): number {
    return this.number.high * TWO_32 + (this.number.low >>> 0);
  }

  /** {@linkcode number} as a BigInt. */
  get bigValue(): bigint {
    return (BigInt(this.number.high) << 32n) | BigInt(this.number.low >>> 0);
  }

  /** The entry of the key in argument `index`, or 0; its hash is then in `keyspace.hash`. */
  find(index: number): number {
    const { view, keyspace } = this;
    const start = this.starts[index];
    const length = this.lengths[index];
    const key = (index - 1) >>> this.keyShift;
    if (key >= this.hashCount) {
      const hash = hashBytes(view, start, length, keyspace.seed0, keyspace.seed1);
      return findHashed(this.database, hash, view, start, length);
    }
    const place = this.hashFrom + key;
    const hash = this.hashes[place];
    const candidate = this.candidates[place];
    if (
      candidate !== 0 && this.candidateMoves === keyspace.moves &&
      this.candidateDict === this.database.dict &&
      // Requests for the same key share a place.
      (place === this.foundPlace || entryHasKey(keyspace.arena, candidate, view, start, length))
    ) {
      this.foundPlace = place;
      keyspace.hash = hash;
      return liveEntry(this.database, hash, candidate);
    }
    return findHashed(this.database, hash, view, start, length);
  }

  /** As {@linkcode find}, for a command that reads: counts a hit or miss, notes the access. */
  findForReading(index: number): number {
    const entry = this.find(index);
    countReading(this.keyspace, entry);
    if (entry === 0) this.missed(index);
    return entry;
  }

  /**
   * As {@linkcode find}, for a command that changes the value: counts the use, where uses are counted. (Where they
   * are not, the change itself will note the time.)
   */
  findForWriting(index: number): number {
    const entry = this.find(index);
    if (entry !== 0 && this.keyspace.countsUses) touchEntry(this.keyspace, entry);
    return entry;
  }

  /** As {@linkcode find}, for a command that may leave a value as it is, but counts as a use of it all the same. */
  findAndTouch(index: number): number {
    const entry = this.find(index);
    if (entry !== 0) touchEntry(this.keyspace, entry);
    return entry;
  }

  /** Tells that somebody has read the key in argument `index`, which isn't there. */
  missed(index: number): void {
    keyIsMissed(this.database, this.view, this.starts[index], this.lengths[index]);
  }

  /** Notes that the key in argument `index` has changed. */
  changed(index: number, event: string): void {
    keyChanged(this.database, this.view, this.starts[index], this.lengths[index], event);
  }

  /** As {@linkcode changed}, for one more event of a change that is counted once. */
  changedToo(index: number, event: string): void {
    keyTouched(this.database, this.view, this.starts[index], this.lengths[index], event);
  }

  /** As {@linkcode changed}, for a change of what hangs on the key but isn't its value; `event` may be empty. */
  noted(index: number, event: string): void {
    keyNoted(this.database, this.view, this.starts[index], this.lengths[index], event);
  }

  /** As {@linkcode changed}, for a change that Redis has no event for. */
  touched(index: number): void {
    this.changed(index, "");
  }

  /** As {@linkcode changed}, for a key in a database that isn't the selected one. */
  changedIn(database: Database, index: number, event: string): void {
    keyChanged(database, this.view, this.starts[index], this.lengths[index], event);
  }

  /** Writes `effect` to the journal in place of the command itself. */
  effect(effect: () => readonly RequestArgument[]): void {
    this.journaled = true;
    if (this.journal.listening) this.journal.append(this.database.number, effect());
  }

  /** Has the journal have the command with its arguments before `end` only, since there was no room for more. */
  effectUpTo(end: number): void {
    this.effect(() => this.allArguments().slice(0, end));
  }

  /** As {@linkcode argument}, for one that may stand in a block of its own. */
  valueArgument(index: number): Uint8Array {
    return index === this.blockArgument
      ? blockBytes(this.keyspace, this.block)
      : this.argument(index);
  }

  /** All arguments, for the journal. */
  allArguments(): Uint8Array[] {
    return Array.from({ length: this.argc }, (_, index) => this.valueArgument(index));
  }
}
