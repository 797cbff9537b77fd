import { assert, assertEquals } from "@std/assert";
import { checkKeyspace } from "../../src/keyspace/checking.ts";
import { moveChunk, moveRoot, moveTreeHead } from "../../src/keyspace/collection_moves.ts";
import { listFind, listRemove, listReplace } from "../../src/keyspace/list_editing.ts";
import { listInsert } from "../../src/keyspace/list_insertion.ts";
import {
  copyList,
  forEachListElement,
  forEachListNode,
  ListBuilder,
  listBytes,
} from "../../src/keyspace/list_transfer.ts";
import {
  createList,
  isSmallList,
  listDrop,
  listEnd,
  listLength,
  ListPlace,
  listPush,
  listSeek,
  replyListBackwards,
  replyListRange,
} from "../../src/keyspace/lists.ts";
import { findEntry, Keyspace, removeEntry } from "../../src/keyspace/keyspace.ts";
import {
  type Arena,
  ArenaFullError,
  BLOCK_CHUNK,
  BLOCK_INNER,
  BLOCK_LEAF,
  BLOCK_ROOT,
  BLOCK_TREE,
  type ReadonlyView,
} from "../../src/memory/arena.ts";
import { listpackLength } from "../../src/memory/listpack.ts";
import { moveNode } from "../../src/memory/tree_nodes.ts";
import { BufferPool } from "../../src/protocol/byte_buffer.ts";
import { ReplyWriter } from "../../src/protocol/reply_writer.ts";
import { TextScratch } from "../../src/keyspace/text_scratch.ts";
import { seededRandom, testSeed } from "../support/random.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const KEY = encoder.encode("list");
const KEY_VIEW = new DataView(KEY.buffer);

function asView(text: string): DataView {
  return new DataView(encoder.encode(text).buffer);
}

/** Moves some of the blocks of large lists, as defragmentation does between turns. */
function moveSome(keyspace: Keyspace, share: number, random: () => number): void {
  const { arena } = keyspace;
  const blocks: [number, number][] = [];
  arena.walk((address, _units, kind) => {
    if (random() < share) blocks.push([address, kind]);
  });
  for (const [address, kind] of blocks) {
    if (kind === BLOCK_CHUNK) moveChunk(keyspace, address);
    else if (kind === BLOCK_ROOT) moveRoot(keyspace, address);
    else if (kind === BLOCK_TREE) moveTreeHead(arena, address);
    else if (kind === BLOCK_INNER || kind === BLOCK_LEAF) {
      moveNode(arena, address, kind === BLOCK_LEAF);
    }
  }
}

/** One list of a keyspace beside the array that it must be. */
class Pair {
  readonly keyspace = new Keyspace(1, 1, 2);
  readonly database = this.keyspace.databases[0];
  readonly place = new ListPlace();
  readonly text = new TextScratch();
  model: string[] = [];

  constructor(readonly limit: number) {}

  find(): number {
    return findEntry(this.database, KEY_VIEW, 0, KEY.length);
  }

  read(view: ReadonlyView, at: number): string {
    this.text.takeElement(view, at);
    return decoder.decode(this.text.bytes.subarray(0, this.text.length));
  }

  push(front: boolean, text: string): void {
    let entry = this.find();
    if (entry === 0) entry = createList(this.database, KEY_VIEW, 0, KEY.length, text.length);
    const view = asView(text);
    entry = listPush(
      this.database,
      entry,
      front,
      view,
      0,
      view.byteLength,
      this.limit,
      this.place,
    );
    assertEquals(entry, this.find());
    if (front) this.model.unshift(text);
    else this.model.push(text);
  }

  drop(front: boolean, count: number): void {
    const entry = this.find();
    if (entry === 0) return;
    const left = listDrop(this.database, entry, front, count, this.place);
    if (front) this.model.splice(0, count);
    else this.model.splice(Math.max(0, this.model.length - count), count);
    assertEquals(left !== 0, this.model.length > 0);
    assertEquals(left, this.find());
  }

  insert(after: boolean, pivot: string, text: string): void {
    let entry = this.find();
    if (entry === 0) return;
    const pivotView = asView(pivot);
    const found = listFind(
      this.keyspace,
      entry,
      pivotView,
      0,
      pivotView.byteLength,
      this.place,
    );
    const index = this.model.indexOf(pivot);
    assertEquals(found, index >= 0);
    if (!found) return;
    const view = asView(text);
    entry = listInsert(
      this.database,
      entry,
      after,
      view,
      0,
      view.byteLength,
      this.limit,
      this.place,
    );
    assertEquals(entry, this.find());
    this.model.splice(after ? index + 1 : index, 0, text);
  }

  replace(index: number, text: string): void {
    const entry = this.find();
    if (index >= this.model.length) return;
    const view = asView(text);
    listSeek(this.keyspace, entry, index, this.place);
    const now = listReplace(this.database, entry, view, 0, view.byteLength, this.place);
    assertEquals(now, this.find());
    this.model[index] = text;
  }

  remove(backwards: boolean, count: number, text: string): void {
    const entry = this.find();
    if (entry === 0) return;
    const view = asView(text);
    const removed = listRemove(
      this.database,
      entry,
      backwards,
      count,
      view,
      0,
      view.byteLength,
      this.place,
    );
    let left = count === 0 ? Infinity : count;
    if (backwards) this.model.reverse();
    const kept = this.model.filter((one) => one !== text || left-- <= 0);
    assertEquals(removed, this.model.length - kept.length);
    if (backwards) kept.reverse();
    this.model = kept;
  }

  reply(write: (reply: ReplyWriter) => void): string {
    const reply = new ReplyWriter(new BufferPool(16384, 4), new BufferPool(1 << 20, 4));
    write(reply);
    const bytes = [
      ...reply.chunks.map((chunk) => chunk.bytes),
      reply.buffer.bytes.subarray(0, reply.position),
    ];
    return bytes.map((piece) => decoder.decode(piece)).join("");
  }

  check(): void {
    checkKeyspace(this.keyspace);
    const entry = this.find();
    const { model } = this;
    assertEquals(entry !== 0, model.length > 0);
    if (entry === 0) return;
    assertEquals(listLength(this.keyspace, entry), model.length);
    const found: string[] = [];
    forEachListElement(this.keyspace, entry, (view, at) => found.push(this.read(view, at)));
    assertEquals(found, model);
    for (const front of [true, false]) {
      const view = listEnd(this.keyspace, entry, front, this.place);
      assertEquals(this.read(view, this.place.at), model[front ? 0 : model.length - 1]);
    }
  }

  checkRange(random: () => number): void {
    const entry = this.find();
    if (entry === 0) return;
    const { model, place } = this;
    const index = Math.floor(random() * model.length);
    const count = Math.floor(random() * (model.length - index + 1));
    const bulk = (text: string) => `$${encoder.encode(text).length}\r\n${text}\r\n`;
    assertEquals(
      this.reply((reply) => replyListRange(this.keyspace, reply, entry, index, count, place)),
      model.slice(index, index + count).map(bulk).join(""),
    );
    assertEquals(
      this.reply((reply) => replyListBackwards(this.keyspace, reply, entry, count, place)),
      model.slice(model.length - count).reverse().map(bulk).join(""),
    );
    const view = listSeek(this.keyspace, entry, index, place);
    assertEquals(this.read(view, place.at), model[index]);
  }
}

function someText(random: () => number): string {
  const kind = random();
  if (kind < 0.3) return String(Math.floor((random() - 0.5) * 10 ** Math.floor(random() * 17)));
  if (kind < 0.9) return `element-${Math.floor(random() * 30)}`;
  if (kind < 0.97) return "m".repeat(Math.floor(random() * 600));
  return "l".repeat(Math.floor(random() * 12_000));
}

function change(pair: Pair, random: () => number): void {
  const text = someText(random);
  const some = pair.model.length === 0 || random() < 0.1
    ? someText(random)
    : pair.model[Math.floor(random() * pair.model.length)];
  const front = random() < 0.5;
  const kind = Math.floor(random() * 12);
  if (kind < 4) pair.push(front, text);
  else if (kind < 6) pair.drop(front, 1);
  else if (kind < 9) pair.insert(front, some, text);
  else if (kind < 10) pair.replace(Math.floor(random() * pair.model.length), text);
  else if (kind < 11) pair.remove(front, Math.floor(random() * 3), some);
  else if (random() < 0.03) pair.drop(front, Math.floor(random() * pair.model.length * 1.1));
  else if (random() < 0.1) {
    for (let left = 300; left > 0; left--) pair.push(front, someText(random));
  }
}

for (const limit of [-2, -1, -5, 3, 50, 0, 1]) {
  Deno.test(`lists: random changes agree with an array, nodes of ${limit}`, () => {
    const seed = testSeed(`lists ${limit}`);
    const random = seededRandom(seed);
    const pair = new Pair(limit);
    for (let step = 0; step < 3000; step++) {
      change(pair, random);
      if (random() < 0.02) moveSome(pair.keyspace, random(), random);
      if (random() < 0.1) pair.checkRange(random);
      if (step % 25 === 0) pair.check();
    }
    pair.check();
    pair.drop(true, pair.model.length);
    pair.check();
    assertEquals(pair.keyspace.roots.count, 0);
  });
}

Deno.test("lists: many small elements pushed and popped at both ends", () => {
  const random = seededRandom(testSeed("list ends"));
  const pair = new Pair(-2);
  for (let round = 0; round < 60; round++) {
    const front = random() < 0.5;
    const count = Math.floor(random() * 4000);
    const kind = random();
    if (kind < 0.5) {
      for (let index = 0; index < count; index++) pair.push(front, String(index));
    } else if (kind < 0.75) pair.drop(front, count);
    else for (let index = 0; index < count; index++) pair.drop(front, 1);
    if (random() < 0.3) moveSome(pair.keyspace, 0.5, random);
    pair.check();
    pair.checkRange(random);
  }
});

Deno.test("lists: a queue keeps to the room it needs", () => {
  const pair = new Pair(-2);
  for (let index = 0; index < 100; index++) pair.push(false, `job:${index}`);
  const before = pair.keyspace.arena.usedBytes;
  for (let index = 0; index < 20_000; index++) {
    pair.push(false, `job:${index % 100}`);
    pair.drop(true, 1);
  }
  pair.check();
  assert(pair.keyspace.arena.usedBytes < before + 2000);
});

Deno.test("lists: a million elements take little more than their bytes", () => {
  const pair = new Pair(-2);
  const view = asView("xxx");
  let entry = createList(pair.database, KEY_VIEW, 0, KEY.length, 0);
  const before = pair.keyspace.arena.usedBytes;
  for (let index = 0; index < 1_000_000; index++) {
    entry = listPush(pair.database, entry, index % 2 === 0, view, 0, 3, -2, pair.place);
  }
  const bytes = pair.keyspace.arena.usedBytes - before;
  assert(bytes < 5_100_000, `${bytes} bytes`);
  removeEntry(pair.database, pair.keyspace.hash, entry);
  while (pair.keyspace.freeDying(1000));
  assert(pair.keyspace.arena.usedBytes <= before);
  checkKeyspace(pair.keyspace);
});

Deno.test("lists: a list is put together out of nodes, or out of elements", () => {
  const random = seededRandom(testSeed("list builder"));
  for (let round = 0; round < 30; round++) {
    const pair = new Pair(-1);
    const count = Math.floor(random() ** 3 * 3000) + 1;
    for (let index = 0; index < count; index++) pair.push(random() < 0.2, someText(random));
    const source = pair.find();
    const copy = new ListBuilder(pair.keyspace, -1);
    const nodes: number[] = [];
    if (round % 2 === 0) {
      forEachListNode(pair.keyspace, source, (view, start) => {
        nodes.push(listpackLength(view, start));
        copy.addNode(view, start);
      });
    } else {for (const text of pair.model) {
        copy.addElement(asView(text), 0, encoder.encode(text).length);
      }}
    assertEquals(copy.length, pair.model.length);
    const other = encoder.encode("other");
    const view = new DataView(other.buffer);
    assertEquals(findEntry(pair.database, view, 0, other.length), 0);
    const before = pair.keyspace.arena.usedBytes;
    const entry = round % 4 === 0
      ? copyList(pair.database, 0, view, 0, other.length, source, false)
      : copy.store(pair.database, 0, view, 0, other.length, false);
    if (round % 4 === 0) {
      const used = pair.keyspace.arena.usedBytes - before;
      assertEquals(used, pair.keyspace.arena.unitsOf(entry) * 8 + listBytes(pair.keyspace, entry));
      copy.abandon();
    }
    checkKeyspace(pair.keyspace);
    assertEquals(isSmallList(pair.keyspace, entry), isSmallList(pair.keyspace, pair.find()));
    const found: string[] = [];
    forEachListElement(pair.keyspace, entry, (from, at) => found.push(pair.read(from, at)));
    assertEquals(found, pair.model);
    if (nodes.length > 0) {
      const copied: number[] = [];
      forEachListNode(
        pair.keyspace,
        entry,
        (from, start) => copied.push(listpackLength(from, start)),
      );
      assertEquals(copied, nodes);
    }
    const abandoned = new ListBuilder(pair.keyspace, -1);
    abandoned.addElement(asView("x"), 0, 1);
    abandoned.abandon();
    checkKeyspace(pair.keyspace);
  }
});

/** Has the arena refuse the request number `nth` from now on. */
function refuseLater(arena: Arena, nth: number): () => void {
  const allocate = arena.allocate;
  arena.allocate = (units, kind) => {
    if (nth-- === 0) throw new ArenaFullError(units);
    return allocate.call(arena, units, kind);
  };
  return () => arena.allocate = allocate;
}

Deno.test("lists: what finds no room changes nothing", () => {
  const random = seededRandom(testSeed("list room"));
  for (const limit of [-1, 4]) {
    const pair = new Pair(limit);
    for (let index = 0; index < 200; index++) pair.push(false, someText(random));
    let refused = 0;
    for (let step = 0; step < 1500; step++) {
      const restore = refuseLater(pair.keyspace.arena, Math.floor(random() * 3));
      try {
        change(pair, random);
      } catch (error) {
        if (!(error instanceof ArenaFullError)) throw error;
        refused++;
        const entry = pair.find();
        if (entry !== 0 && listLength(pair.keyspace, entry) === 0) {
          removeEntry(pair.database, pair.keyspace.hash, entry);
        }
        pair.check();
      } finally {
        restore();
      }
      if (step % 10 === 0) pair.check();
    }
    assert(refused > 20, `${refused} were refused`);
    pair.check();
  }
});
