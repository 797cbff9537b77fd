/**
 * Writes whole snapshots: a head, the keys, an end.
 *
 * ```text
 * REDIS0010 | facts | [functions] | per database: SELECT number, RESIZE keys and volatile keys,
 *   per key: [expiry] [use] type, name, value | END | CRC-64 (8 bytes, all 0 without)
 * ```
 *
 * Keys may come in any order, and a database more than once, as a walk through memory finds them.
 *
 * @module
 */
import { accessOf, idleSeconds, useFrequency } from "../keyspace/access_clock.ts";
import { hasExpiry, readExpiry, tailStart } from "../keyspace/entry_facts.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { META_GROWN, META_INLINE } from "../keyspace/strings.ts";
import { SEGMENT_SHIFT } from "../memory/arena.ts";
import {
  ENTRY_META,
  ENTRY_VALUE,
  keyLength,
  keyStart,
  wordIndex,
  wordsAt,
} from "../memory/entry.ts";
import { Int64 } from "../protocol/integers.ts";
import { REDIS_VERSION } from "../runtime/version.ts";
import { updateCrc64 } from "./crc64.ts";
import {
  RDB_AUX,
  RDB_END,
  RDB_EXPIRY_MS,
  RDB_FREQ,
  RDB_FUNCTION,
  RDB_IDLE,
  RDB_MAGIC,
  RDB_RESIZE,
  RDB_SELECT,
  RDB_TYPE_STRING,
  RDB_VERSION,
} from "./rdb_format.ts";
import { writeValue } from "./rdb_values.ts";
import { RdbWriter } from "./rdb_writer.ts";

const encoder = new TextEncoder();
const VERSION_DIGITS = 4;
const KIND_MASK = 0xff;

/** What a file says of how a key is used, which eviction goes by. */
export type SavedUse = "none" | "idle" | "frequency";

/** Which place in which history data has, and which database was selected there. */
export interface ReplicationFacts {
  /** The id of the stream. */
  readonly id: string;
  /** Bytes of the stream. */
  readonly offset: number;
  /** The number of the database. */
  readonly database: number;
}

/** What a snapshot says besides keys. */
export interface SnapshotFacts {
  /** Unix time in seconds. */
  readonly seconds: number;
  /** Bytes of memory in use. */
  readonly usedMemory: number;
  /** Whether an append-only file begins with it. */
  readonly aofBase: boolean;
  /** Whether commands begin with a note of the time (`aof-timestamp-enabled`). @default false */
  readonly stamped?: boolean;
  /** What replicas can go on with; null for nothing. */
  readonly replication: ReplicationFacts | null;
  /** Libraries of functions, as they came. */
  readonly functions: readonly Uint8Array[];
}

/** How a snapshot is written. */
export interface SnapshotForm {
  /** `rdbcompression`. */
  readonly compress: boolean;
  /** `rdbchecksum`. */
  readonly checksum: boolean;
  /** What is kept of the use of keys. */
  readonly use: SavedUse;
}

/** Writes one snapshot; see the head of this file. */
export class RdbFileWriter {
  /** How many keys it has. */
  keys = 0;
  /** How many bytes have gone to the sink. */
  bytes = 0;
  private readonly writer: RdbWriter;
  private readonly crc = new Int64();
  private readonly expiry = new Int64();
  private selected = -1;

  /** Gives `sink` the bytes, which are only good during the call; what it throws ends the writing. */
  constructor(
    private readonly keyspace: Keyspace,
    private readonly form: SnapshotForm,
    sink: (bytes: Uint8Array) => void,
  ) {
    this.writer = new RdbWriter((bytes) => {
      if (form.checksum) updateCrc64(this.crc, bytes, 0, bytes.length);
      this.bytes += bytes.length;
      sink(bytes);
    });
    this.writer.compress = form.compress;
  }

  /** The head of the file. */
  begin(facts: SnapshotFacts): void {
    const { writer } = this;
    writer.raw(encoder.encode(RDB_MAGIC + String(RDB_VERSION).padStart(VERSION_DIGITS, "0")));
    this.fact("redis-ver", REDIS_VERSION);
    this.fact("redis-bits", "64");
    this.fact("ctime", String(facts.seconds));
    this.fact("used-mem", String(facts.usedMemory));
    const { replication } = facts;
    if (replication !== null) {
      this.fact("repl-stream-db", String(replication.database));
      this.fact("repl-id", replication.id);
      this.fact("repl-offset", String(replication.offset));
    }
    this.fact("aof-base", facts.aofBase ? "1" : "0");
    for (const library of facts.functions) {
      writer.byte(RDB_FUNCTION);
      writer.string(library);
    }
  }

  /** The keys that follow are in database `number`. */
  select(number: number): void {
    if (number === this.selected) return;
    this.selected = number;
    this.writer.byte(RDB_SELECT);
    this.writer.length(number);
  }

  /** This database has so many keys, and so many of them an expiry. */
  sizes(keys: number, volatileKeys: number): void {
    this.writer.byte(RDB_RESIZE);
    this.writer.length(keys);
    this.writer.length(volatileKeys);
  }

  /** A key with its value, which `writeLarge` writes if it lies elsewhere and that says so. */
  entry(entry: number, writeLarge?: (writer: RdbWriter) => boolean): void {
    const { keyspace, keyspace: { arena }, writer } = this;
    this.keys++;
    if (hasExpiry(keyspace, entry)) {
      readExpiry(keyspace, entry, this.expiry);
      writer.byte(RDB_EXPIRY_MS);
      writer.fixedLong(this.expiry.high, this.expiry.low);
    }
    if (this.form.use !== "none") this.use(entry);
    const meta = wordsAt(arena, entry)[wordIndex(entry) + ENTRY_META] & KIND_MASK;
    const bytes = arena.bytes[entry >>> SEGMENT_SHIFT] as Uint8Array;
    writer.nameNext(bytes, keyStart(arena, entry), keyLength(arena, entry));
    if (meta !== META_INLINE && meta !== META_GROWN) {
      if (writeLarge === undefined || !writeLarge(writer)) writeValue(writer, keyspace, entry);
      return;
    }
    writer.type(RDB_TYPE_STRING);
    const length = wordsAt(arena, entry)[wordIndex(entry) + ENTRY_VALUE];
    writer.stringIn(bytes, tailStart(keyspace, entry), length);
  }

  /** The end of the file. */
  end(): void {
    const { crc, writer } = this;
    writer.byte(RDB_END);
    writer.flush();
    writer.fixedLong(crc.high, crc.low);
    writer.flush();
  }

  /** What is known of the use of `entry`. */
  private use(entry: number): void {
    const { keyspace, writer } = this;
    if (this.form.use === "frequency") {
      writer.byte(RDB_FREQ);
      writer.byte(useFrequency(keyspace, entry));
    } else if (accessOf(keyspace, entry) !== 0) {
      writer.byte(RDB_IDLE);
      writer.length(idleSeconds(keyspace, entry));
    }
  }

  /** A fact about the file. */
  private fact(name: string, value: string): void {
    this.writer.byte(RDB_AUX);
    this.writer.string(encoder.encode(name));
    this.writer.string(encoder.encode(value));
  }
}
