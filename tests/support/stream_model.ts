/**
 * A stream of a keyspace beside arrays and Maps that say what must be in it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { checkKeyspace } from "../../src/keyspace/checking.ts";
import { rootOf } from "../../src/keyspace/collections.ts";
import { moversOf } from "../../src/keyspace/defragmentation.ts";
import { findEntry, Keyspace, removeEntry } from "../../src/keyspace/keyspace.ts";
import { appendEntry, type NodeLimits } from "../../src/keyspace/stream_appending.ts";
import { deliverEntries } from "../../src/keyspace/stream_delivery.ts";
import { StreamFacts } from "../../src/keyspace/stream_facts.ts";
import {
  childCount,
  childNameBytes,
  childrenOf,
  createConsumer,
  createGroup,
  findChild,
  GROUP_LAST_ID,
  GROUP_READ,
  type Name,
  pendingCount,
  removeChild,
} from "../../src/keyspace/stream_groups.ts";
import { StreamPlace } from "../../src/keyspace/stream_nodes.ts";
import {
  addPending,
  dropPending,
  findPending,
  forgetConsumer,
  givePending,
  PendingPlace,
} from "../../src/keyspace/stream_pending.ts";
import {
  countEntries,
  EntryRange,
  findEndEntry,
  findStreamEntry,
  replyEntries,
  visitEntries,
} from "../../src/keyspace/stream_ranges.ts";
import {
  readRootNumber,
  setRootNumber,
  STREAM_ADDED,
  STREAM_DELETED_ID,
  STREAM_FIRST_ID,
  STREAM_LAST_ID,
  streamLength,
} from "../../src/keyspace/stream_root.ts";
import { copyStream, forEachPending, streamBytes } from "../../src/keyspace/stream_transfer.ts";
import {
  deleteEntry,
  dropEmptyEnd,
  noteDeleted,
  trimStream,
} from "../../src/keyspace/stream_trimming.ts";
import { addStream } from "../../src/keyspace/streams.ts";
import { type Arena, ArenaFullError } from "../../src/memory/arena.ts";
import { EntryId, readId, writeId } from "../../src/memory/id_tree.ts";
import { BufferPool } from "../../src/protocol/byte_buffer.ts";
import { Int64 } from "../../src/protocol/integers.ts";
import { ReplyWriter } from "../../src/protocol/reply_writer.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const START_MS = 1_700_000_000_000;
const MAX_ID = (1n << 128n) - 1n;

/** A number as an id. */
export function idOf(value: bigint, id: EntryId = new EntryId()): EntryId {
  const word = (shift: bigint) => Number(BigInt.asIntN(32, value >> shift));
  id.set(word(96n), word(64n), word(32n), word(0n));
  return id;
}

/** An id as a number. */
export function valueOf(id: EntryId): bigint {
  return [id.msHigh, id.msLow, id.seqHigh, id.seqLow].reduce(
    (value, word) => (value << 32n) | BigInt(word >>> 0),
    0n,
  );
}

/** An id as text. */
export function textOf(value: bigint): string {
  return `${value >> 64n}-${value & 0xffffffffffffffffn}`;
}

/** A text as what stands for a name. */
export function nameOf(text: string): Name {
  const bytes = encoder.encode(text);
  return { view: new DataView(bytes.buffer), start: 0, length: bytes.length };
}

/** An entry. */
export interface KnownEntry {
  readonly id: bigint;
  readonly fields: readonly string[];
  deleted: boolean;
}

/** What is pending. */
export interface KnownPending {
  consumer: string;
  time: number;
  count: number;
}

/** A group. */
export interface KnownGroup {
  last: bigint;
  readonly consumers: Set<string>;
  readonly pending: Map<bigint, KnownPending>;
}

/** One stream beside its model; see the head of this file. */
export class StreamPair {
  readonly keyspace: Keyspace;
  readonly place = new StreamPlace();
  readonly pending = new PendingPlace();
  readonly facts = new StreamFacts();
  readonly number = new Int64();
  readonly range = new EntryRange();
  /** Nodes with their entries. */
  nodes: KnownEntry[][] = [];
  last = 0n;
  highestDeleted = 0n;
  added = 0;
  readonly groups = new Map<string, KnownGroup>();
  moved = 0;
  /** After so many more blocks there is no room. */
  room = Infinity;
  private readonly movers: ReturnType<typeof moversOf>;

  constructor(seed: number, readonly limits: NodeLimits) {
    this.keyspace = new Keyspace(1, seed, seed ^ 0x5a5a5a5a);
    this.keyspace.setTime(START_MS);
    this.movers = moversOf(this.keyspace, () => {});
    const allocate = this.arena.allocate.bind(this.arena);
    this.arena.allocate = (units, kind) => {
      if (--this.room < 0) throw new ArenaFullError(units);
      return allocate(units, kind);
    };
  }

  get arena(): Arena {
    return this.keyspace.arena;
  }

  /** The entry of the key, or 0. */
  entry(key = "stream"): number {
    const { view, length } = nameOf(key);
    return findEntry(this.keyspace.databases[0], view, 0, length);
  }

  /** The stream's root, which is made if there is none. */
  root(): number {
    const entry = this.entry();
    if (entry !== 0) return rootOf(this.keyspace, entry);
    const { view, length } = nameOf("stream");
    return addStream(this.keyspace.databases[0], view, 0, length, () => {});
  }

  live(): KnownEntry[] {
    return this.nodes.flat().filter(({ deleted }) => !deleted);
  }

  /** Moves some of all blocks, as defragmentation does between turns. */
  move(share: number, random: () => number): void {
    const blocks: [number, number][] = [];
    this.arena.walk((address, _units, kind) => {
      if (random() < share) blocks.push([address, kind]);
    });
    for (const [address, kind] of blocks) {
      if (this.arena.kindOf(address) === kind && this.movers[kind]?.(address)) this.moved++;
    }
  }

  append(id: bigint, fields: readonly string[]): void {
    const bytes = fields.map((text) => encoder.encode(text));
    const whole = new Uint8Array(bytes.reduce((sum, { length }) => sum + length, 3));
    const starts: number[] = [];
    let at = 3;
    for (const text of bytes) {
      starts.push(at);
      whole.set(text, at);
      at += text.length;
    }
    const lengths = bytes.map(({ length }) => length);
    const source = { view: new DataView(whole.buffer), starts, lengths };
    const root = this.root();
    appendEntry(this.arena, root, idOf(id), source, 0, fields.length, this.limits, this.place);
    const lastNode = this.nodes.at(-1);
    const full = lastNode === undefined || this.limits.streamNodeEntries > 0 &&
        lastNode.length >= this.limits.streamNodeEntries;
    if (full) this.nodes.push([]);
    this.nodes.at(-1)!.push({ id, fields, deleted: false });
    this.last = id;
    this.added++;
  }

  delete(id: bigint): void {
    const found = this.live().find((entry) => entry.id === id);
    const deleted = deleteEntry(this.arena, this.root(), idOf(id), this.place);
    assertEquals(deleted, found !== undefined);
    if (found === undefined) return;
    noteDeleted(this.arena, this.root(), idOf(id), this.place);
    if (id > this.highestDeleted) this.highestDeleted = id;
    found.deleted = true;
    this.nodes = this.nodes.filter((node) => node.includes(found) ? hasLive(node) : true);
  }

  /** Has the next id come behind `last`, which no entry that is there is behind. */
  goBack(last: bigint): void {
    const root = this.root();
    if (last < this.last) {
      dropEmptyEnd(this.arena, root, this.place);
      while (this.nodes.length > 0 && !hasLive(this.nodes.at(-1)!)) this.nodes.pop();
    }
    writeId(this.arena, root, STREAM_LAST_ID, idOf(last));
    this.last = last;
  }

  trim(byId: boolean, bound: bigint, approximate: boolean, limit: number): void {
    const trim = { byId, length: Number(bound), minimum: idOf(bound), approximate, limit };
    const gone = trimStream(this.arena, this.root(), trim, this.place);
    assertEquals(gone, this.trimModel(byId, bound, approximate, limit));
  }

  private trimModel(byId: boolean, bound: bigint, approximate: boolean, limit: number): number {
    let gone = 0;
    while (this.nodes.length > 0) {
      const node = this.nodes[0];
      const length = BigInt(this.live().length);
      const live = node.filter(({ deleted }) => !deleted).length;
      if (!byId && length <= bound || limit > 0 && gone + live > limit) break;
      const whole = byId ? node.at(-1)!.id < bound : length - BigInt(live) >= bound;
      if (!whole) {
        if (!approximate) gone += this.trimNode(node, byId, bound, length);
        break;
      }
      this.nodes.shift();
      gone += live;
    }
    return gone;
  }

  private trimNode(node: KnownEntry[], byId: boolean, bound: bigint, length: bigint): number {
    let gone = 0;
    for (const entry of node) {
      if (byId ? entry.id >= bound : length - BigInt(gone) <= bound) break;
      if (!entry.deleted) gone++;
      entry.deleted = true;
    }
    return gone;
  }

  /** The entries of a range, as they are counted, visited and replied. */
  checkRange(from: bigint, to: bigint, limit: number, backwards: boolean): void {
    const { range, place, arena } = this;
    idOf(from, range.from);
    idOf(to, range.to);
    range.backwards = backwards;
    const expected = this.live().filter(({ id }) => id >= from && id <= to);
    if (backwards) expected.reverse();
    const shown = expected.slice(0, limit);
    const root = this.root();
    const count = countEntries(arena, root, range, limit, place);
    assertEquals(count, shown.length);
    const visited: bigint[] = [];
    visitEntries(arena, root, range, count, place, ({ id }) => visited.push(valueOf(id)));
    assertEquals(visited, shown.map(({ id }) => id));
    const reply = new ReplyWriter(new BufferPool(16384, 4), new BufferPool(1 << 20, 4));
    replyEntries(arena, reply, root, range, count, place);
    assertEquals(written(reply), shown.map(replyOf).join(""));
  }

  makeGroup(name: string, last: bigint): void {
    if (this.groups.has(name)) return;
    const group = createGroup(this.keyspace, this.root(), nameOf(name));
    writeId(this.arena, group, GROUP_LAST_ID, idOf(last));
    setRootNumber(this.arena, group, GROUP_READ, -1, -1);
    this.groups.set(name, { last, consumers: new Set(), pending: new Map() });
  }

  removeGroup(name: string): void {
    const removed = removeChild(this.keyspace, this.root(), nameOf(name));
    assertEquals(removed, this.groups.delete(name));
  }

  /** Root of a group, which is there. */
  group(name: string): number {
    const group = findChild(this.keyspace, this.root(), nameOf(name));
    assert(group !== 0, `group ${name}`);
    return group;
  }

  /** Root of a consumer, which is made if there is none. */
  consumer(group: string, name: string): number {
    const root = this.group(group);
    const found = findChild(this.keyspace, root, nameOf(name));
    const { consumers } = this.groups.get(group)!;
    assertEquals(found !== 0, consumers.has(name));
    if (found !== 0) return found;
    const made = createConsumer(this.keyspace, root, nameOf(name));
    consumers.add(name);
    return made;
  }

  removeConsumer(group: string, name: string): void {
    const known = this.groups.get(group)!;
    const root = this.group(group);
    const consumer = findChild(this.keyspace, root, nameOf(name));
    assertEquals(consumer !== 0, known.consumers.delete(name));
    if (consumer === 0) return;
    forgetConsumer(this.arena, root, consumer, new EntryId(), this.pending);
    removeChild(this.keyspace, root, nameOf(name));
    for (const [id, { consumer }] of known.pending) if (consumer === name) known.pending.delete(id);
  }

  deliver(group: string, name: string, limit: number, acknowledged: boolean): void {
    const known = this.groups.get(group)!;
    const consumer = this.consumer(group, name);
    const delivery = {
      stream: this.root(),
      group: this.group(group),
      consumer,
      limit,
      acknowledged,
    };
    const expected = this.live().filter(({ id }) => id > known.last).slice(0, limit);
    const told: bigint[] = [];
    const before = this.room;
    const count = deliverEntries(this.keyspace, delivery, this.range, this, (id) => {
      told.push(valueOf(id));
    });
    const got = expected.slice(0, count);
    if (before === Infinity) assertEquals(count, expected.length);
    assertEquals(told, got.map(({ id }) => id));
    for (const { id } of got) {
      known.last = id;
      if (acknowledged) continue;
      known.pending.delete(id);
      known.pending.set(id, { consumer: name, time: this.keyspace.now, count: 1 });
    }
  }

  acknowledge(group: string, id: bigint): void {
    const found = findPending(this.arena, this.group(group), idOf(id), this.pending);
    assertEquals(found, this.groups.get(group)!.pending.delete(id));
    if (found) dropPending(this.keyspace, this.group(group), idOf(id), this.pending);
  }

  /** Gives an entry, pending or not, to a consumer. */
  claim(group: string, name: string, id: bigint): void {
    const known = this.groups.get(group)!;
    const consumer = this.consumer(group, name);
    const root = this.group(group);
    const { pending } = this.pending;
    const found = findPending(this.arena, root, idOf(id), this.pending);
    assertEquals(found, known.pending.has(id));
    pending.time = this.keyspace.now - 5;
    if (found) {
      pending.countDelivery();
      givePending(this.keyspace, consumer, idOf(id), this.pending);
    } else {
      pending.setDeliveries(7);
      addPending(this.arena, root, consumer, idOf(id), this.pending);
    }
    const count = found ? known.pending.get(id)!.count + 1 : 7;
    known.pending.set(id, { consumer: name, time: this.keyspace.now - 5, count });
  }

  /** Removes the key with all that hangs on it. */
  remove(): void {
    const entry = this.entry();
    if (entry !== 0) removeEntry(this.keyspace.databases[0], this.keyspace.hash, entry);
    this.nodes = [];
    this.last = 0n;
    this.highestDeleted = 0n;
    this.added = 0;
    this.groups.clear();
  }

  check(): void {
    const room = this.room;
    this.room = Infinity;
    checkKeyspace(this.keyspace);
    if (this.entry() !== 0) {
      const root = this.root();
      this.checkStream(root);
      this.checkGroups(root);
    }
    this.room = room;
  }

  private checkStream(root: number): void {
    const live = this.live();
    assertEquals(streamLength(this.arena, root), live.length);
    this.checkRange(0n, MAX_ID, Infinity, false);
    this.checkRange(0n, MAX_ID, Infinity, true);
    const id = new EntryId();
    for (
      const [word, value] of [
        [STREAM_LAST_ID, this.last],
        [STREAM_FIRST_ID, live[0]?.id ?? 0n],
        [STREAM_DELETED_ID, this.highestDeleted],
      ] as const
    ) {
      readId(this.arena, root, word, id);
      assertEquals(valueOf(id), value);
    }
    readRootNumber(this.arena, root, STREAM_ADDED, this.number);
    assertEquals(this.number.low, this.added);
    for (const backwards of [false, true]) {
      const found = findEndEntry(this.arena, root, backwards, this.place);
      const expected = live.at(backwards ? -1 : 0)?.id;
      assertEquals(found ? valueOf(this.place.id) : undefined, expected);
    }
  }

  private checkGroups(root: number): void {
    const { arena } = this;
    const names = (holder: number) =>
      childrenOf(arena, holder).map((child) => decoder.decode(childNameBytes(arena, child)));
    assertEquals(names(root), [...this.groups.keys()].sort());
    assertEquals(childCount(arena, root), this.groups.size);
    const id = new EntryId();
    for (const [name, known] of this.groups) {
      const group = this.group(name);
      readId(arena, group, GROUP_LAST_ID, id);
      assertEquals(valueOf(id), known.last);
      assertEquals(names(group), [...known.consumers].sort());
      assertEquals(pendingCount(arena, group), known.pending.size);
      const order = [...known.pending.keys()].sort((first, second) => first < second ? -1 : 1);
      const found: bigint[] = [];
      forEachPending(arena, group, group, this.pending, (id) => {
        const one = known.pending.get(valueOf(id))!;
        const { pending } = this.pending;
        found.push(valueOf(id));
        assertEquals(pending.time, one.time);
        assertEquals(pending.deliveriesLow, one.count);
        const consumer = this.keyspace.roots.at(pending.consumer);
        assertEquals(decoder.decode(childNameBytes(arena, consumer)), one.consumer);
      });
      assertEquals(found, order);
    }
  }

  /** Whether an entry is found by its id. */
  checkFound(id: bigint): void {
    const found = findStreamEntry(this.arena, this.root(), idOf(id), this.place);
    const known = this.live().find((entry) => entry.id === id);
    assertEquals(found, known !== undefined);
    if (found) assertEquals(valueOf(this.place.id), id);
  }

  /** Copies the stream to another key, compares what that takes, and removes it. */
  checkCopy(): void {
    const { keyspace } = this;
    const source = this.entry();
    const { view, length } = nameOf("copy");
    assertEquals(this.entry("copy"), 0);
    const before = this.arena.usedBytes;
    const copy = copyStream(keyspace.databases[0], 0, view, 0, length, source, false);
    const bytes = this.arena.unitsOf(copy) * 8 + streamBytes(keyspace, copy);
    assertEquals(this.arena.usedBytes - before, bytes);
    checkKeyspace(keyspace);
    const root = rootOf(keyspace, copy);
    this.checkStream(rootOf(keyspace, this.entry()));
    // What the copy holds is checked by looking at it instead of the stream.
    const original = this.root;
    this.root = () => root;
    this.checkStream(root);
    this.checkGroups(root);
    this.root = original;
    removeEntry(keyspace.databases[0], this.copyHash(), copy);
    while (keyspace.freeDying(1));
  }

  private copyHash(): number {
    this.entry("copy");
    return this.keyspace.hash;
  }
}

function hasLive(node: readonly KnownEntry[]): boolean {
  return node.some(({ deleted }) => !deleted);
}

/** What an entry looks like in a reply. */
function replyOf({ id, fields }: KnownEntry): string {
  const bulk = (text: string) => `$${encoder.encode(text).length}\r\n${text}\r\n`;
  return `*2\r\n${bulk(textOf(id))}*${fields.length}\r\n${fields.map(bulk).join("")}`;
}

/** What has been written. */
function written(reply: ReplyWriter): string {
  const pieces = reply.chunks.map(({ bytes }) => bytes);
  pieces.push(reply.buffer.bytes.subarray(0, reply.position));
  return pieces.map((piece) => decoder.decode(piece)).join("");
}
