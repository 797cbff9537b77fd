/**
 * Checks a large list against what it says of itself.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { Arena } from "../memory/arena.ts";
import { chunkCapacity, chunkFront, chunkListpack, chunkView } from "../memory/chunk.ts";
import { listpackBytes } from "../memory/listpack.ts";
import { listpackValidate } from "../memory/listpack_validation.ts";
import { LIST_FIRST, LIST_LAST, ROOT_COUNT, ROOT_TREE, rootWord } from "../memory/root.ts";
import { slotWord, TreeCursor, treeFirst, treeNext } from "../memory/tree.ts";
import { FIRST_CHANGE, LAST_CHANGE, SLOT_CHUNK, SLOT_COUNT } from "./list_root.ts";

/**
 * Checks the nodes of the large list at `root`: their listpacks, their room, and how many elements they have.
 *
 * @throws {AssertionError} at the first thing that doesn't agree.
 */
export function checkListRoot(arena: Arena, root: number): void {
  const cursor = new TreeCursor();
  const first = rootWord(arena, root, LIST_FIRST);
  const last = rootWord(arena, root, LIST_LAST);
  let elements = 0;
  let chunk = 0;
  const tree = rootWord(arena, root, ROOT_TREE);
  for (let more = treeFirst(arena, tree, cursor); more; more = treeNext(arena, cursor)) {
    const before = chunk;
    chunk = slotWord(arena, cursor, SLOT_CHUNK);
    assert(before !== 0 || chunk === first, "a list knows its first chunk");
    const bytes = listpackBytes(chunkView(arena, chunk), chunkListpack(arena, chunk));
    assert(chunkFront(arena, chunk) >= 0, "a listpack starts in its chunk");
    assert(chunkFront(arena, chunk) + bytes <= chunkCapacity(arena, chunk), "and ends there");
    const count = listpackValidate(chunkView(arena, chunk), chunkListpack(arena, chunk), bytes);
    assert(count > 0, "a node is a listpack with elements");
    let told = slotWord(arena, cursor, SLOT_COUNT);
    if (chunk === first) told += rootWord(arena, root, FIRST_CHANGE);
    if (chunk === last) told += rootWord(arena, root, LAST_CHANGE);
    assert(told === count, `a node of ${count} elements is said to have ${told}`);
    elements += count;
  }
  assert(chunk === last, "a list knows its last chunk");
  assert(elements === rootWord(arena, root, ROOT_COUNT), `${elements} elements are counted`);
}
