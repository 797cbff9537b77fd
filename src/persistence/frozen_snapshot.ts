/**
 * Writes a snapshot of frozen memory: beside the server, from what it holds, as it was at one instant.
 *
 * All blocks of the arena are walked through, twice if need be, in the order of their addresses, and entries are found by the kind of
 * their blocks. First come the entries whose values lie elsewhere, long strings and large collections, which need pages from
 * everywhere. Then those that hold their values; then nobody needs a page any more that has been walked through, so
 * that the server needn't copy it before it changes it.
 *
 * @module
 */
import { databaseId, entryEncoding, valueBlock } from "../keyspace/entry_facts.ts";
import { Keyspace } from "../keyspace/keyspace.ts";
import { ENCODING_ROOT } from "../keyspace/types.ts";
import { BLOCK_ENTRY } from "../memory/arena.ts";
import { FrozenArena } from "../memory/frozen_arena.ts";
import type { FrozenMemory } from "../memory/frozen_pages.ts";
import { AofCommandWriter } from "./aof_commands.ts";
import { FrozenValues } from "./frozen_values.ts";
import type { RdbWriter } from "./rdb_writer.ts";
import { RdbFileWriter, type SnapshotFacts, type SnapshotForm } from "./rdb_file_writer.ts";

/** Brought pages are forgotten when they are more than this. */
const BROUGHT_BYTES = 16 * 1024 * 1024;

/** A database as it was frozen. */
export interface FrozenDatabase {
  /** The id in its entries. */
  readonly id: number;
  /** The number that clients select. */
  readonly number: number;
  /** How many keys it has, */
  readonly keys: number;
  /** and how many of them with an expiry. */
  readonly volatileKeys: number;
}

/** The data of a server as it was frozen; goes from thread to thread as a message. */
export interface FrozenData {
  /** The memory that it lies in. */
  readonly memory: FrozenMemory;
  /** The databases that have keys. */
  readonly databases: readonly FrozenDatabase[];
  /** Whether there are values outside of their entries. */
  readonly hasOuterValues: boolean;
  /** Dicts whose entries are still there, and belong to no database any more. */
  readonly detached: readonly number[];
  /** Unix time in ms. */
  readonly now: number;
  /** Whether entries count how often they are used. */
  readonly countsUses: boolean;
  /** `lfu-decay-time`. */
  readonly decayMinutes: number;
}

/** What is to be written of it. */
export interface FrozenOrder {
  /** As commands instead of RDB. */
  readonly asCommands: boolean;
  /** How it is written. */
  readonly form: SnapshotForm;
  /** What it says besides keys. */
  readonly facts: SnapshotFacts;
}

/** Who hears how a snapshot comes along, and may keep it waiting. */
export interface SnapshotPace {
  /** A key has been written. */
  wroteKey(): void;
  /** So has a key, or an element of a large collection. */
  step(): void;
}

/** Writes one snapshot; see the head of this file. */
export class FrozenSnapshot {
  /** How many keys have been written. */
  keys = 0;
  /** Bytes of memory that were brought at once, at most. */
  peakBytes = 0;
  private readonly arena: FrozenArena;
  private readonly values: FrozenValues;
  private readonly keyspace = new Keyspace(0, 0, 0);
  private readonly writer: RdbFileWriter | AofCommandWriter;
  private readonly byId = new Map<number, FrozenDatabase>();
  private readonly announced = new Set<number>();
  private readonly skipped = new Set<number>();

  /**
   * Writes `data` to `sink`, whose bytes are only good during the call, and tells `pace` how far it is. Brings about `limit`
   * bytes at once, or as many as one value needs.
   */
  constructor(
    private readonly data: FrozenData,
    private readonly order: FrozenOrder,
    sink: (bytes: Uint8Array) => void,
    private readonly pace: SnapshotPace,
    private readonly limit: number = BROUGHT_BYTES,
  ) {
    const { keyspace } = this;
    this.arena = new FrozenArena(data.memory);
    this.values = new FrozenValues(this.arena, () => {
      this.forget(limit);
      pace.step();
    });
    Object.assign(keyspace, { arena: this.arena });
    keyspace.setTime(data.now);
    keyspace.frequency.decayMinutes = data.decayMinutes;
    keyspace.countUses(data.countsUses);
    for (const database of data.databases) this.byId.set(database.id, database);
    this.writer = order.asCommands
      ? new AofCommandWriter(keyspace, sink)
      : new RdbFileWriter(keyspace, order.form, sink);
  }

  /** Writes everything; it stops now and then, for whoever wants to stop for good. */
  *write(): Generator<void, void, void> {
    const { arena, keyspace, writer } = this;
    for (const dict of this.data.detached) {
      arena.bringDict(dict, (entry) => this.skipped.add(entry));
      this.forget(0);
      yield;
    }
    writer.begin(this.order.facts);
    if (this.data.hasOuterValues) yield* this.writeOuter();
    yield* arena.walkCopies(true, (address, kind, copy) => {
      if (kind === BLOCK_ENTRY && valueBlock(keyspace, copy) === 0) this.entry(address, copy);
    });
    writer.end();
  }

  /** Writes the entries whose values lie elsewhere. */
  private *writeOuter(): Generator<void, void, void> {
    const { arena, keyspace, writer } = this;
    yield* arena.walkCopies(false, (address, kind, copy) => {
      if (kind !== BLOCK_ENTRY) return;
      const block = valueBlock(keyspace, copy);
      if (block === 0) return;
      const isRoot = entryEncoding(keyspace, copy) === ENCODING_ROOT;
      if (isRoot && writer instanceof RdbFileWriter) {
        this.entry(address, copy, (values) => {
          if (this.values.write(values, block)) return true;
          arena.bringCollection(block);
          return false;
        });
      } else {
        if (isRoot) arena.bringCollection(block);
        else arena.bringBlock(block);
        this.entry(address, copy);
      }
      this.forget(this.limit);
    });
    this.forget(0);
  }

  /** Writes the entry that was at `address` and of which a copy lies at `copy`. */
  private entry(
    address: number,
    copy: number,
    writeLarge?: (writer: RdbWriter) => boolean,
  ): void {
    const { announced, writer } = this;
    if (this.skipped.size > 0 && this.skipped.has(address)) return;
    const database = this.byId.get(databaseId(this.keyspace, copy));
    // It is in one that is being filled, to take the place of another: nobody sees it yet.
    if (database === undefined) return;
    writer.select(database.number);
    if (writer instanceof RdbFileWriter && !announced.has(database.id)) {
      announced.add(database.id);
      writer.sizes(database.keys, database.volatileKeys);
    }
    if (writer instanceof RdbFileWriter) writer.entry(copy, writeLarge);
    else writer.entry(copy);
    this.keys++;
    this.pace.wroteKey();
    this.pace.step();
  }

  /** Gives memory back, if there is more than `limit`. */
  private forget(limit: number): void {
    const { arena } = this;
    this.peakBytes = Math.max(this.peakBytes, arena.broughtBytes);
    if (arena.broughtBytes > limit) arena.forget();
  }
}

/** The data of `keyspace` with `memory`, in which it was frozen just now. */
export function frozenData(keyspace: Keyspace, memory: FrozenMemory): FrozenData {
  const databases = keyspace.databases.filter(({ size }) => size > 0);
  return {
    memory,
    databases: databases.map(({ id, number, size, volatile }) => ({
      id,
      number,
      keys: size,
      volatileKeys: volatile.length,
    })),
    hasOuterValues: keyspace.arena.outerValues > 0,
    detached: keyspace.detached.map(({ dict }) => dict),
    now: keyspace.now,
    countsUses: keyspace.countsUses,
    decayMinutes: keyspace.frequency.decayMinutes,
  };
}
