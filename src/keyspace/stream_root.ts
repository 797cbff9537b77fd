/**
 * Streams as they lie in the arena: a root with the facts, entries in nodes, groups of consumers.
 *
 * ```text
 * root     | ... | groups | tree | entries | last node | last id | first id | highest deleted id | entries ever added |
 * tree       slots: | id of a node (4 words) | its chunk |
 * chunk      a node: up to 100 entries or 4 KiB, see stream_nodes.ts
 * groups     members by name, each with a root of its own, see stream_groups.ts
 * ```
 *
 * A stream always has a root, even with no entry: its ids go on rising, and groups hang on it. All ids are four words
 * (`memory/id_tree.ts`).
 *
 * **The end.** The root names the last node, so that adding an entry looks at the root and at that node only, whose id is in the last
 * slot of the leaf that the chunk names. The last node has room for more; when the next one is begun it is cut to what it needs,
 * and the next one gets as much room as it took.
 *
 * **Deleting** marks entries, and takes a node away with its last entry. The counters in a node may take a byte more
 * then, for which there is always room behind its listpack: so nothing that deletes can fail for lack of memory.
 *
 * **Cost.** Adding: 0.1 us. Finding by id: three levels of the tree, then half a node is walked, 1 us. A node takes 12 bytes of chunk
 * and 20 of tree beside its listpack; a stream without entries 200 bytes.
 *
 * @module
 */
import type { Arena } from "../memory/arena.ts";
import { wordIndex, wordsAt } from "../memory/entry.ts";
import { ID_WORDS } from "../memory/id_tree.ts";
import {
  ROOT_COUNT,
  ROOT_HANDLE,
  ROOT_STREAM,
  ROOT_TREE,
  rootCreate,
  rootWord,
  setRootWord,
  STREAM_LAST,
} from "../memory/root.ts";
import { treeCreate, type TreeShape } from "../memory/tree.ts";
import type { Int64 } from "../protocol/integers.ts";
import type { Keyspace } from "./keyspace.ts";

/** Word of a root: id of the entry that was added last. */
export const STREAM_LAST_ID: number = STREAM_LAST + 1;
/** Word of a root: id of the first entry that isn't deleted; the lowest id if there is none. */
export const STREAM_FIRST_ID: number = STREAM_LAST_ID + ID_WORDS;
/** Word of a root: the highest id that XDEL has deleted. */
export const STREAM_DELETED_ID: number = STREAM_FIRST_ID + ID_WORDS;
/** Word of a root: how many entries have been added in all, upper half; the lower one follows. */
export const STREAM_ADDED: number = STREAM_DELETED_ID + ID_WORDS;

const EXTRA_WORDS = 3 * ID_WORDS + 3;
/** Bytes of a root. */
export const STREAM_ROOT_BYTES: number = (STREAM_LAST + EXTRA_WORDS) * 4;
const NODE_SHAPE: TreeShape = { width: 5, keyWords: ID_WORDS, weightWord: -1, ownedWord: 4 };

/**
 * The root of a stream without entries, which nobody holds yet.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function createStreamRoot(keyspace: Keyspace): number {
  const { arena, roots } = keyspace;
  const root = rootCreate(arena, roots, ROOT_STREAM, EXTRA_WORDS);
  makeTree(keyspace, root, NODE_SHAPE);
  return root;
}

/**
 * Gives a root, which has nothing yet, its tree.
 *
 * @throws {ArenaFullError} with the root freed, when there is no room.
 */
function makeTree(keyspace: Keyspace, root: number, shape: TreeShape): void {
  const { arena, roots } = keyspace;
  try {
    setRootWord(arena, root, ROOT_TREE, treeCreate(arena, root, shape));
  } catch (error) {
    roots.release(rootWord(arena, root, ROOT_HANDLE));
    arena.free(root);
    throw error;
  }
}

/** How many entries a stream has. */
export function streamLength(arena: Arena, root: number): number {
  return rootWord(arena, root, ROOT_COUNT);
}

/** Reads the 64-bit number in word `word` of a root (its upper half) and the next. */
export function readRootNumber(arena: Arena, root: number, word: number, number: Int64): void {
  const words = wordsAt(arena, root);
  const at = wordIndex(root) + word;
  number.high = words[at];
  number.low = words[at + 1];
}

/** Sets the 64-bit number in word `word` of a root and the next. */
export function setRootNumber(
  arena: Arena,
  root: number,
  word: number,
  high: number,
  low: number,
): void {
  const words = arena.writable(root, (word + 2) * 4);
  const at = wordIndex(root) + word;
  words[at] = high;
  words[at + 1] = low;
}

/** Adds 1 to the 64-bit number in word `word` of a root and the next. */
export function countUp(arena: Arena, root: number, word: number): void {
  const words = arena.writable(root, (word + 2) * 4);
  const at = wordIndex(root) + word;
  words[at + 1] = words[at + 1] + 1;
  if (words[at + 1] === 0) words[at] = words[at] + 1;
}
