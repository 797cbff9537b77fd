import { assertEquals } from "@std/assert";
import { Arena } from "../../src/memory/arena.ts";
import {
  compareIds,
  EntryId,
  idFind,
  idSeek,
  idSeekFrom,
  idSeekUpTo,
  readId,
  setIdSlot,
  slotId,
  writeId,
} from "../../src/memory/id_tree.ts";
import {
  slotWord,
  treeCreate,
  TreeCursor,
  treeInsert,
  treeRemove,
  type TreeShape,
} from "../../src/memory/tree.ts";
import { treeCheck, treeWeight } from "../../src/memory/tree_nodes.ts";
import { seededRandom, testSeed } from "../support/random.ts";
import { idOf, valueOf } from "../support/stream_model.ts";

const HIGHEST = (1n << 128n) - 1n;
const EDGES = [31n, 32n, 63n, 64n, 95n, 96n, 127n, 128n].flatMap((shift) => {
  const value = 1n << shift;
  return [value - 1n, value, value + 1n].filter((one) => one <= HIGHEST);
}).concat(0n, 1n, HIGHEST);

Deno.test("ids count up and down over all their words, and stop at both ends", () => {
  for (const value of EDGES) {
    const id = idOf(value);
    assertEquals(id.increment(), value < HIGHEST);
    assertEquals(valueOf(id), value < HIGHEST ? value + 1n : value);
    idOf(value, id);
    assertEquals(id.decrement(), value > 0n);
    assertEquals(valueOf(id), value > 0n ? value - 1n : value);
    assertEquals([idOf(value).isLowest, idOf(value).isHighest], [value === 0n, value === HIGHEST]);
    assertEquals(valueOf(idOf(value).clone()), value);
  }
});

Deno.test("ids compare as unsigned numbers", () => {
  for (const first of EDGES) {
    for (const second of EDGES) {
      const order = Math.sign(compareIds(idOf(first), idOf(second)));
      assertEquals(order, first < second ? -1 : first > second ? 1 : 0, `${first}, ${second}`);
    }
  }
});

Deno.test("ids stand in any words of a block", () => {
  const arena = new Arena();
  const block = arena.allocate(8, 0);
  const id = new EntryId();
  for (const value of EDGES) {
    writeId(arena, block, 3, idOf(value));
    readId(arena, block, 3, id);
    assertEquals(valueOf(id), value);
  }
});

for (const width of [4, 5, 9]) {
  Deno.test(`a tree of ids finds what an array finds, ${width} words a slot`, () => {
    const random = seededRandom(testSeed(`ids of ${width}`));
    const shape: TreeShape = { width, keyWords: 4, weightWord: -1, ownedWord: -1 };
    const arena = new Arena();
    const tree = treeCreate(arena, 0, shape);
    const cursor = new TreeCursor();
    const id = new EntryId();
    const model: bigint[] = [];
    const some = () => {
      const kind = random();
      if (kind < 0.05) return EDGES[Math.floor(random() * EDGES.length)];
      const near = BigInt(Math.floor(random() * 3000));
      return kind < 0.5 ? near : near << BigInt(Math.floor(random() * 116));
    };
    const found = (there: boolean) => {
      if (there) slotId(arena, cursor, id);
      return there ? valueOf(id) : undefined;
    };
    for (let step = 0; step < 20_000; step++) {
      const value = some();
      const index = model.findIndex((one) => one >= value);
      const has = index >= 0 && model[index] === value;
      assertEquals(idFind(arena, tree, idOf(value), cursor), has);
      if (random() < (step < 14_000 ? 0.7 : 0.3)) {
        if (!has) {
          idSeek(arena, tree, idOf(value), cursor);
          setIdSlot(cursor, idOf(value));
          if (width > 4) cursor.slot[4] = step;
          treeInsert(arena, cursor);
          model.splice(index < 0 ? model.length : index, 0, value);
          if (width > 4) assertEquals(slotWord(arena, cursor, 4), step);
        }
      } else if (has) {
        treeRemove(arena, cursor);
        model.splice(index, 1);
      }
      const other = some();
      const from = model.find((one) => one >= other);
      assertEquals(found(idSeekFrom(arena, tree, idOf(other), cursor)), from);
      const upTo = model.findLast((one) => one <= other);
      assertEquals(found(idSeekUpTo(arena, tree, idOf(other), cursor)), upTo);
      if (step % 1000 === 0) {
        treeCheck(arena, tree);
        assertEquals(treeWeight(arena, tree), model.length);
      }
    }
    arena.check();
  });
}
