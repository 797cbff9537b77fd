/**
 * Members of sorted sets as replies, from where they lie.
 *
 * @module
 */
import { type Arena, SEGMENT_MASK, SEGMENT_SHIFT, UNIT_BYTES } from "../memory/arena.ts";
import { ENTRY_KEY, KEY_LENGTH_MASK, keyWord } from "../memory/entry.ts";
import { SCORE_MEMBER, SCORE_SHAPE } from "../memory/score_tree.ts";
import { treeNext, treePrevious } from "../memory/tree.ts";
import { SLOTS, USED } from "../memory/tree_nodes.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { replyListpackElement } from "./listpack_replies.ts";
import type { SortedSetPlace } from "./sorted_set_place.ts";

/**
 * Replies with the members of `place`'s range, the last one first if `backwards`, each followed by its score if that is wanted, and
 * both in an array of their own if `paired`; without the array around. The place is at the last of them afterwards.
 */
export function replyRange(
  arena: Arena,
  reply: ReplyWriter,
  place: SortedSetPlace,
  backwards: boolean,
  withScores: boolean,
  paired: boolean,
): void {
  const count = place.end - place.first;
  if (count === 0) return;
  place.goTo(backwards ? place.end - 1 : place.first);
  if (place.root === 0) replySmall(reply, place, count, backwards, withScores, paired);
  else replyLarge(arena, reply, place, count, backwards, withScores, paired);
}

function replySmall(
  reply: ReplyWriter,
  place: SortedSetPlace,
  count: number,
  backwards: boolean,
  withScores: boolean,
  paired: boolean,
): void {
  const { view, offsets, scores } = place;
  const step = backwards ? -1 : 1;
  let { index } = place;
  for (let left = count; left > 0; left--, index += step) {
    if (paired) reply.array(2);
    replyListpackElement(reply, view, offsets[index]);
    if (withScores) reply.double(scores.read(view, place.scoreOffset(index)));
  }
  place.index = index - step;
}

/** Goes through leaf after leaf: what is asked of the cursor for each member would cost as much as the reply. */
function replyLarge(
  arena: Arena,
  reply: ReplyWriter,
  place: SortedSetPlace,
  count: number,
  backwards: boolean,
  withScores: boolean,
  paired: boolean,
): void {
  const { cursor } = place;
  const step = backwards ? -1 : 1;
  for (;;) {
    const leaf = cursor.nodes[0];
    const view = arena.views[leaf >>> SEGMENT_SHIFT];
    const words = arena.words[leaf >>> SEGMENT_SHIFT];
    const first = (leaf & SEGMENT_MASK) * (UNIT_BYTES >> 2);
    const from = cursor.indexes[0];
    const here = Math.min(count, backwards ? from + 1 : words[first + USED] - from);
    const end = from + here * step;
    for (let index = from; index !== end; index += step) {
      const slot = first + SLOTS + index * SCORE_SHAPE.width;
      if (paired) reply.array(2);
      replyMember(arena, reply, words[slot + SCORE_MEMBER]);
      if (withScores) reply.double(view.getFloat64(slot << 2, true));
    }
    cursor.indexes[0] = end - step;
    count -= here;
    if (count === 0) return;
    if (backwards) treePrevious(arena, cursor);
    else treeNext(arena, cursor);
  }
}

function replyMember(arena: Arena, reply: ReplyWriter, member: number): void {
  const segment = member >>> SEGMENT_SHIFT;
  const at = (member & SEGMENT_MASK) * (UNIT_BYTES >> 2);
  const field = arena.words[segment][at + ENTRY_KEY];
  reply.bulkView(arena.views[segment], (at + keyWord(field)) << 2, field & KEY_LENGTH_MASK);
}
