import { assert, assertEquals } from "@std/assert";
import { Arena, BLOCK_CHUNK, BLOCK_INNER, BLOCK_LEAF, BLOCK_TREE } from "../../src/memory/arena.ts";
import { wordIndex, wordsAt } from "../../src/memory/entry.ts";
import {
  atSlot,
  slotWord,
  treeAt,
  treeCreate,
  TreeCursor,
  treeEnd,
  treeFirst,
  treeFree,
  treeInsert,
  treeLast,
  treeNext,
  treePosition,
  treePrevious,
  treeRefresh,
  treeRemove,
  treeSetWeight,
  type TreeShape,
} from "../../src/memory/tree.ts";
import {
  moveNode,
  moveOwned,
  moveTree,
  treeCheck,
  treeWeight,
} from "../../src/memory/tree_nodes.ts";

/** Numbers from 0 up to 1, the same for the same seed. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

const KEYED: TreeShape = { width: 3, keyWords: 2, weightWord: -1, ownedWord: -1 };
const CHUNKS: TreeShape = { width: 2, keyWords: 0, weightWord: 1, ownedWord: 0 };

function contents(arena: Arena, tree: number, cursor: TreeCursor, word: number): number[] {
  const found: number[] = [];
  for (let more = treeFirst(arena, tree, cursor); more; more = treeNext(arena, cursor)) {
    found.push(slotWord(arena, cursor, word));
  }
  return found;
}

for (const [name, grow] of [["grows", 0.65], ["shrinks", 0.35]] as const) {
  for (const place of ["anywhere", "at the end", "at the start"]) {
    Deno.test(`a tree that ${name} ${place} is a sequence`, () => {
      const random = numbers(place.length * 31 + name.length);
      const arena = new Arena();
      const before = arena.usedBytes;
      let tree = treeCreate(arena, 0, KEYED);
      const cursor = new TreeCursor();
      const model: number[] = [];
      const insertAt = (position: number, value: number) => {
        if (position === model.length) treeEnd(arena, tree, cursor);
        else treeAt(arena, tree, position, cursor);
        cursor.slot[0] = value;
        cursor.slot[1] = value + 1;
        cursor.slot[2] = value + 2;
        treeInsert(arena, cursor);
        model.splice(position, 0, value);
        assertEquals(treePosition(arena, cursor), position);
      };
      for (let value = 0; value < (grow < 0.5 ? 9000 : 0); value++) insertAt(model.length, value);
      for (let step = 0; step < 12_000; step++) {
        const somewhere = place === "anywhere"
          ? Math.floor(random() * (model.length + 1))
          : place === "at the end"
          ? model.length
          : 0;
        if (random() < grow || model.length === 0) insertAt(somewhere, step * 3);
        else {
          const position = Math.min(somewhere, model.length - 1);
          treeAt(arena, tree, position, cursor);
          assertEquals(slotWord(arena, cursor, 0), model[position]);
          model.splice(position, 1);
          const more = treeRemove(arena, cursor);
          assertEquals(more, position < model.length);
          if (more) {
            assertEquals(slotWord(arena, cursor, 0), model[position]);
            assertEquals(treePosition(arena, cursor), position);
          }
        }
        if (step % 500 === 0) {
          treeCheck(arena, tree);
          tree = moveTree(arena, tree);
          assertEquals(contents(arena, tree, cursor, 2), model.map((value) => value + 2));
        }
      }
      treeCheck(arena, tree);
      assertEquals(contents(arena, tree, cursor, 0), model);
      const backwards: number[] = [];
      for (let more = treeLast(arena, tree, cursor); more; more = treePrevious(arena, cursor)) {
        backwards.push(slotWord(arena, cursor, 0));
      }
      assertEquals(backwards, [...model].reverse());
      treeFree(arena, tree, () => {});
      arena.check();
      assertEquals(arena.usedBytes, before);
    });
  }
}

Deno.test("a range is removed with one cursor", () => {
  const arena = new Arena();
  const tree = treeCreate(arena, 0, KEYED);
  const cursor = new TreeCursor();
  for (let value = 0; value < 20_000; value++) {
    treeEnd(arena, tree, cursor);
    cursor.slot[0] = value;
    cursor.slot[1] = 0;
    treeInsert(arena, cursor);
  }
  treeAt(arena, tree, 100, cursor);
  for (let count = 0; count < 19_800; count++) assert(treeRemove(arena, cursor));
  assertEquals(slotWord(arena, cursor, 0), 19_900);
  treeCheck(arena, tree);
  assertEquals(treeWeight(arena, tree), 200);
  while (treeFirst(arena, tree, cursor)) treeRemove(arena, cursor);
  treeCheck(arena, tree);
});

Deno.test("slots with weights, and blocks that know their leaf wherever both go", () => {
  const random = numbers(77);
  const arena = new Arena();
  const before = arena.usedBytes;
  let tree = treeCreate(arena, 0, CHUNKS);
  const cursor = new TreeCursor();
  const model: { id: number; weight: number }[] = [];
  let next = 1;
  const idOf = (block: number) => wordsAt(arena, block)[wordIndex(block) + 2];
  for (let step = 0; step < 6000; step++) {
    const growing = step < 4000;
    const total = model.reduce((sum, one) => sum + one.weight, 0);
    assertEquals(treeWeight(arena, tree), total);
    const position = Math.floor(random() * (total + 1));
    let index = 0;
    let rest = position;
    while (index < model.length && rest >= model[index].weight) rest -= model[index++].weight;
    if (position === total) treeEnd(arena, tree, cursor);
    else assertEquals(treeAt(arena, tree, position, cursor), rest);
    const choice = random();
    if (choice < (growing ? 0.6 : 0.2) || index === model.length) {
      const block = arena.allocate(4, BLOCK_CHUNK);
      arena.writable(block, 16)[wordIndex(block) + 2] = next;
      const weight = 1 + Math.floor(random() * 9);
      cursor.slot[0] = block;
      cursor.slot[1] = weight;
      treeInsert(arena, cursor);
      model.splice(index, 0, { id: next++, weight });
    } else if (choice < 0.7) {
      const weight = 1 + Math.floor(random() * 9);
      treeSetWeight(arena, cursor, weight);
      model[index].weight = weight;
    } else {
      assert(atSlot(arena, cursor));
      const block = slotWord(arena, cursor, 0);
      assertEquals(idOf(block), model[index].id);
      treeRemove(arena, cursor);
      arena.free(block);
      model.splice(index, 1);
    }
    if (step % 200 !== 0) continue;
    // Every block of the tree goes somewhere else.
    const blocks: [number, number][] = [];
    arena.walk((address, _units, kind) => blocks.push([address, kind]));
    for (const [address, kind] of blocks) {
      if (kind === BLOCK_TREE) tree = moveTree(arena, address);
      if (kind === BLOCK_CHUNK) moveOwned(arena, address);
      if (kind === BLOCK_LEAF || kind === BLOCK_INNER) {
        moveNode(arena, address, kind === BLOCK_LEAF);
      }
    }
    treeCheck(arena, tree);
    arena.check();
    assertEquals(contents(arena, tree, cursor, 0).map(idOf), model.map((one) => one.id));
  }
  treeFree(arena, tree, (block) => arena.free(block));
  assertEquals(arena.usedBytes, before);
});

Deno.test("a changed key is known above", () => {
  const arena = new Arena();
  const tree = treeCreate(arena, 0, KEYED);
  const cursor = new TreeCursor();
  for (let value = 0; value < 5000; value++) {
    treeEnd(arena, tree, cursor);
    cursor.slot[0] = value * 10;
    treeInsert(arena, cursor);
  }
  for (let position = 0; position < 5000; position += 7) {
    treeAt(arena, tree, position, cursor);
    const words = arena.writable(cursor.leaf, 0);
    const index = wordIndex(cursor.leaf) + 3 + cursor.index * 3;
    words[index] += 3;
    treeRefresh(arena, cursor);
  }
  treeCheck(arena, tree);
});
