/**
 * Loads a snapshot into a keyspace, in as many steps as others need turns.
 *
 * An item of the file (a key with what is said of it is several) is loaded whole or not at all, see
 * {@linkcode RdbWindow}. What is wrong with the file ends the loading with a {@linkcode LoadError}, which names the byte; the
 * keys before it are in the keyspace then, and what becomes of them is the caller's to say.
 *
 * @module
 */
import { setIdleSeconds, setUseFrequency } from "../keyspace/access_clock.ts";
import { type Database, findEntry, type Keyspace } from "../keyspace/keyspace.ts";
import {
  EXPIRY_NONE,
  EXPIRY_SET,
  EXTERNAL_BYTES,
  setInteger,
  setStringOrInteger,
} from "../keyspace/strings.ts";
import { dictReserve } from "../memory/dict.ts";
import { Int64 } from "../protocol/integers.ts";
import {
  RDB_AUX,
  RDB_END,
  RDB_EXPIRY_MS,
  RDB_EXPIRY_SECONDS,
  RDB_FREQ,
  RDB_FUNCTION,
  RDB_FUNCTION_EARLY,
  RDB_IDLE,
  RDB_MODULE_AUX,
  RDB_RESIZE,
  RDB_SELECT,
  RDB_TYPE_HASH_EXPIRING,
  RDB_TYPE_HASH_EXPIRING_LAST,
  RDB_TYPE_MODULE,
  RDB_TYPE_MODULE_2,
  RDB_TYPE_STRING,
} from "./rdb_format.ts";
import {
  earlyFunction,
  LoadError,
  moduleAuxiliary,
  moduleValue,
  readRdbChecksum,
  readRdbHead,
  WITHOUT_CHECKSUM,
} from "./rdb_frame.ts";
import {
  RdbEmptyError,
  RdbEndError,
  RdbFormatError,
  type RdbReader,
  READ_INTEGER,
  READ_PLAIN,
} from "./rdb_reader.ts";
import { RdbText } from "./rdb_text.ts";
import { type LoadSettings, readFileValue } from "./rdb_values.ts";
import type { RdbWindow } from "./rdb_window.ts";

/** So many keys are loaded between two looks at the clock. */
const KEYS_PER_LOOK = 32;
/** No key with its value is shorter than type, length, name, and length or value of the shortest kind. */
const LEAST_KEY_BYTES = 3;
/** While nobody knows how long the file is, it may be so much longer. */
const UNSEEN_BYTES = 16 * 1024 * 1024;
/** So many buckets are made ready before the next key is read. */
const RESERVED_AT_ONCE = 256;
/** So many keys without elements are named in the log. */
const NAMED_EMPTY_KEYS = 10;

const decoder = new TextDecoder();

/** How a snapshot is loaded. */
export interface LoadForm extends LoadSettings {
  /** Where keys are put, by number. @default the keyspace's databases */
  readonly databases?: readonly Database[];
  /** Whether keys whose time has come are loaded nevertheless: later changes may say what becomes of them. */
  readonly keepsExpired: boolean;
  /** Whether the checksum must be right. */
  readonly checksum: boolean;
  /** Whether keys may be there already, and are replaced. */
  readonly merges: boolean;
  /** Told of each key that is left out since its time has come; the bytes are only good during the call. */
  readonly leftOut?: (database: number, key: Uint8Array) => void;
  /** For tests: whether time is to pass at each key, so that the loading asks as often whether to stop. */
  isSlow(): boolean;
  /** Gets lines for the log. */
  log(line: string): void;
}

/** Loads one snapshot; see the head of this file. */
export class RdbLoader {
  /** How many keys have been loaded, */
  loaded = 0;
  /** how many were left out since their time had come, */
  expired = 0;
  /** and how many since they had no elements. */
  empty = 0;
  /** Facts about the file by name. */
  readonly facts: Map<string, string> = new Map();
  /** Libraries of functions. */
  readonly functions: Uint8Array[] = [];
  /** The file goes on with bytes that haven't come yet; the loading does once they have. */
  isStarving = false;
  private readonly databases: readonly Database[];
  private readonly key = new RdbText();
  private readonly value = new RdbText();
  private readonly scratch = new Int64();
  /** Takes strings that were compressed. */
  private readonly inflated = new Uint8Array(EXTERNAL_BYTES);
  private readonly inflatedView = new DataView(this.inflated.buffer);
  private readonly expiry = new Int64();
  private version = 0;
  /** How many keys the database is said to have; 0 once it is made ready for them. */
  private expected = 0;
  private database: Database;
  /** What was said of the key that comes next: */
  private volatile = false;
  /** seconds without use, or -1, */
  private idleSeconds = -1;
  /** and how often it is used, or -1. */
  private frequency = -1;

  /** Loads what `window` has. */
  constructor(
    private readonly keyspace: Keyspace,
    private readonly window: RdbWindow,
    private readonly form: LoadForm,
  ) {
    this.window.checks = form.checksum;
    this.databases = form.databases ?? keyspace.databases;
    this.database = this.databases[0];
  }

  /**
   * Loads on until the file ends, then true, or until `isTime` says to stop or the file isn't there yet, then false.
   *
   * @throws {LoadError} if the file is broken, or can't be loaded here.
   * @throws {ArenaFullError} when there is no room.
   */
  loadSome(isTime: () => boolean): boolean {
    const { window } = this;
    const keysPerLook = this.form.isSlow() ? 1 : KEYS_PER_LOOK;
    this.isStarving = false;
    let left = keysPerLook;
    for (;;) {
      const { reader } = window;
      const item = reader.position;
      try {
        if (this.expected > 0) this.reserve();
        if (this.version === 0) this.version = readRdbHead(reader);
        else if (this.readItem(reader)) return true;
      } catch (error) {
        this.recover(error, item);
        if (this.isStarving) return false;
      }
      if (--left > 0) continue;
      if (isTime()) return false;
      left = keysPerLook;
    }
  }

  /** Has the window hold more if the item at `item` needs that; any other error ends the loading. */
  private recover(error: unknown, item: number): void {
    const { window } = this;
    if (!(error instanceof RdbFormatError)) throw error;
    if (error instanceof RdbEndError) {
      try {
        if (window.slide(item)) return;
        if (window.isGrowing) {
          this.isStarving = true;
          return;
        }
      } catch (tooLong) {
        if (!(tooLong instanceof RdbFormatError)) throw tooLong;
        throw new LoadError(tooLong.message, window.position);
      }
      throw new LoadError("Unexpected EOF reading RDB file", window.size);
    }
    const start = window.position - window.reader.position;
    throw new LoadError(error.what, start + error.position);
  }

  /** Has the database grow to what it is said to become, a little at each call; the file must be long enough for so many keys. */
  private reserve(): void {
    const { database, window } = this;
    const bytes = window.isGrowing ? UNSEEN_BYTES : window.size - window.position;
    const most = bytes / LEAST_KEY_BYTES;
    const keys = Math.min(this.expected, most) + database.size;
    if (!dictReserve(database.keyspace.arena, database.dict, keys, RESERVED_AT_ONCE)) {
      this.expected = 0;
    }
  }

  /** Reads an opcode or a key; whether that is the end. */
  private readItem(reader: RdbReader): boolean {
    const type = reader.byte();
    switch (type) {
      case RDB_EXPIRY_MS:
        reader.fixedLong();
        this.setExpiry(reader.number.high, reader.number.low);
        return false;
      case RDB_EXPIRY_SECONDS: {
        const ms = reader.view.getInt32(reader.skip(4), true) * 1000;
        this.setExpiry(Math.floor(ms / 4294967296), ms | 0);
        return false;
      }
      case RDB_FREQ:
        this.frequency = reader.byte();
        return false;
      case RDB_IDLE:
        this.idleSeconds = reader.length();
        return false;
      case RDB_SELECT:
        this.select(reader.length());
        return false;
      case RDB_RESIZE:
        this.expected = reader.length();
        reader.length();
        return false;
      case RDB_AUX:
        this.readFact(reader);
        return false;
      case RDB_FUNCTION:
        this.value.read(reader);
        this.functions.push(this.valueBytes().slice());
        return false;
      case RDB_END:
        this.compareChecksum();
        return true;
      default:
        if (type >= RDB_FUNCTION_EARLY || (type >= RDB_TYPE_MODULE && type <= RDB_TYPE_MODULE_2)) {
          this.refuse(reader, type);
        }
        this.readKey(reader, type);
        return false;
    }
  }

  /** The next key has this expiry. */
  private setExpiry(high: number, low: number): void {
    this.volatile = true;
    this.expiry.high = high;
    this.expiry.low = low;
  }

  /** The keys that follow are in database `number`. */
  private select(number: number): void {
    const database = this.databases[number];
    if (database === undefined) {
      throw new LoadError(
        "FATAL: Data file was created with a server configured to handle more than " +
          `${this.databases.length} databases. Exiting`,
        this.window.position,
      );
    }
    this.database = database;
  }

  /** Reads a fact about the file. */
  private readFact(reader: RdbReader): void {
    this.key.read(reader);
    this.value.read(reader);
    const { bytes, start, length } = this.key;
    const name = decoder.decode(bytes.subarray(start, start + length));
    const value = decoder.decode(this.valueBytes());
    this.facts.set(name, value);
    if (name === "redis-ver") this.form.log(`Loading RDB produced by version ${value}`);
    else if (name === "ctime") {
      const age = Math.floor(this.keyspace.now / 1000) - Number(value);
      this.form.log(`RDB age ${Math.max(0, age)} seconds`);
    } else if (name === "used-mem") {
      const mebibytes = (Number(value) / (1024 * 1024)).toFixed(2);
      this.form.log(`RDB memory usage when created ${mebibytes} Mb`);
    } else if (name.startsWith("%")) this.form.log(`RDB '${name}': ${value}`);
  }

  /** The bytes of the string that was read as a value. */
  private valueBytes(): Uint8Array {
    const { bytes, start, length } = this.value;
    return bytes.subarray(start, start + length);
  }

  /** Reads a key and its value. */
  private readKey(reader: RdbReader, type: number): void {
    const { key, keyspace, database } = this;
    key.read(reader);
    if (type >= RDB_TYPE_HASH_EXPIRING && type <= RDB_TYPE_HASH_EXPIRING_LAST) {
      throw new LoadError(
        `The hash '${this.keyName()}' has fields with an expiry (Redis 7.4), which can't be kept`,
        this.window.position,
      );
    }
    const { volatile } = this;
    if (volatile && this.isExpired()) {
      // It has to be read to be skipped.
      this.skipValue(reader, type);
      this.expired++;
      this.form.leftOut?.(database.number, this.keyBytes());
    } else {
      const old = findEntry(database, key.view, key.start, key.length);
      if (old !== 0 && !this.form.merges) {
        throw new LoadError(
          `RDB has duplicated key '${this.keyName()}' in DB ${database.number}`,
          this.window.position,
        );
      }
      const { hash } = keyspace;
      keyspace.expiry.high = this.expiry.high;
      keyspace.expiry.low = this.expiry.low;
      const entry = type === RDB_TYPE_STRING
        ? this.loadString(reader, old, volatile)
        : this.loadValue(reader, type, old, hash, volatile);
      if (entry !== 0) {
        this.loaded++;
        if (this.idleSeconds >= 0) setIdleSeconds(keyspace, entry, this.idleSeconds);
        if (this.frequency >= 0) setUseFrequency(keyspace, entry, this.frequency);
      }
    }
    this.volatile = false;
    this.idleSeconds = -1;
    this.frequency = -1;
  }

  /** Whether the next key's time has come, and it isn't wanted then. */
  private isExpired(): boolean {
    const { high, low } = this.expiry;
    return !this.form.keepsExpired && high * 4294967296 + (low >>> 0) < this.keyspace.now;
  }

  /** The key that was read last, for the log. */
  private keyName(): string {
    return decoder.decode(this.keyBytes());
  }

  /** The key that was read last. */
  private keyBytes(): Uint8Array {
    const { bytes, start, length } = this.key;
    return bytes.subarray(start, start + length);
  }

  /** Loads a string; returns its entry. */
  private loadString(reader: RdbReader, old: number, volatile: boolean): number {
    const { key, database, keyspace, scratch } = this;
    const { hash } = keyspace;
    const expiry = volatile ? EXPIRY_SET : EXPIRY_NONE;
    const start = reader.position;
    const form = reader.string();
    if (form === READ_INTEGER) {
      const { high, low } = reader.number;
      return setInteger(database, old, key.view, key.start, key.length, high, low, expiry);
    }
    if (form !== READ_PLAIN && reader.fullLength >= EXTERNAL_BYTES) {
      reader.position = start;
      return this.loadValue(reader, RDB_TYPE_STRING, old, hash, volatile);
    }
    let bytes = reader.bytes;
    let view: DataView = reader.view;
    let from = reader.start;
    if (form !== READ_PLAIN) {
      bytes = this.inflated;
      view = this.inflatedView;
      from = 0;
      reader.decompress(bytes.subarray(0, reader.fullLength));
    }
    return setStringOrInteger(
      database,
      old,
      key.view,
      key.start,
      key.length,
      bytes,
      view,
      from,
      reader.fullLength,
      expiry,
      scratch,
    );
  }

  /** Loads a value of any type; returns its entry, or 0 if it has no elements. */
  private loadValue(
    reader: RdbReader,
    type: number,
    old: number,
    hash: number,
    volatile: boolean,
  ): number {
    const { key, database, keyspace } = this;
    try {
      const value = readFileValue(reader, keyspace, this.form, type);
      keyspace.hash = hash;
      keyspace.expiry.high = this.expiry.high;
      keyspace.expiry.low = this.expiry.low;
      try {
        const { view, start, length } = key;
        return value.store({ database, old, view, start, length, volatile });
      } catch (error) {
        value.discard();
        throw error;
      }
    } catch (error) {
      if (!(error instanceof RdbEmptyError)) throw error;
      if (this.empty++ < NAMED_EMPTY_KEYS) {
        this.form.log(`rdbLoadObject skipping empty key: ${this.keyName()}`);
      }
      return 0;
    }
  }

  /** Reads a value that nobody wants. */
  private skipValue(reader: RdbReader, type: number): void {
    try {
      readFileValue(reader, this.keyspace, this.form, type).discard();
    } catch (error) {
      if (!(error instanceof RdbEmptyError)) throw error;
    }
  }

  /** Refuses what belongs to a module or to a version between two releases. */
  private refuse(reader: RdbReader, type: number): void {
    const position = this.window.position - 1;
    if (type === RDB_FUNCTION_EARLY) throw earlyFunction(position);
    if (type === RDB_MODULE_AUX) throw moduleAuxiliary(reader, position);
    if (type !== RDB_TYPE_MODULE && type !== RDB_TYPE_MODULE_2) {
      throw new LoadError(`Unknown RDB encoding type ${type}`, position);
    }
    this.key.read(reader);
    throw moduleValue(reader, position);
  }

  /** Compares the checksum behind the end, where there is one. */
  private compareChecksum(): void {
    const { form, version, window, window: { crc } } = this;
    const said = readRdbChecksum(window, version);
    if (said === null || !form.checksum) return;
    if (said.low === 0 && said.high === 0) return form.log(WITHOUT_CHECKSUM);
    if (said.low === crc.low && said.high === crc.high) return;
    const hex = (one: Int64): string =>
      ((BigInt(one.high >>> 0) << 32n) | BigInt(one.low >>> 0)).toString(16);
    form.log(
      `Wrong RDB checksum expected: (${hex(said)}) but got (${hex(crc)}). Aborting now.`,
    );
    throw new LoadError("RDB CRC error", window.position);
  }
}
