/**
 * Whether what came from outside can be a node of a stream. Everything else takes a node at its word.
 *
 * @module
 */
import type { ReadonlyView } from "../memory/arena.ts";
import { compareIds, EntryId } from "../memory/id_tree.ts";
import { LISTPACK_HEADER_BYTES } from "../memory/listpack.ts";
import {
  elementBytes,
  integerHighAt,
  integerLowAt,
  isIntegerAt,
} from "../memory/listpack_element.ts";
import { listpackValidate } from "../memory/listpack_validation.ts";
import {
  behindEntry,
  deletedEntries,
  enterListpack,
  FLAG_DELETED,
  FLAG_SAME_FIELDS,
  isLive,
  liveEntries,
  readEntry,
  type StreamPlace,
} from "./stream_nodes.ts";

/** Elements of the master besides its fields. */
const MASTER_ELEMENTS = 4;
/** Elements of an entry besides fields and values, and the last one. */
const ENTRY_ELEMENTS = 3;

/**
 * Whether the `length` bytes at `start` of `view` are a node whose id is `place.nodeId`, above `last`, with entries from there on in
 * the order of their ids, as far as they aren't deleted. `last` is then the id of the last one (or of the node, if all are deleted),
 * and the node is entered.
 */
export function isStreamNode(
  view: ReadonlyView,
  start: number,
  length: number,
  last: EntryId,
  place: StreamPlace,
): boolean {
  const elements = listpackValidate(view, start, length);
  if (elements < MASTER_ELEMENTS) return false;
  const walk = new ElementWalk(view, start + LISTPACK_HEADER_BYTES, elements);
  const live = walk.count();
  const deleted = walk.count();
  const fields = walk.count();
  if (live < 0 || deleted < 0 || live + deleted === 0) return false;
  if (fields < 0 || !walk.skip(fields) || walk.count() !== 0) return false;
  enterListpack(view, start, place);
  let found = 0;
  for (let entry = live + deleted; entry > 0; entry--) {
    if (!isEntry(walk, fields)) return false;
  }
  if (walk.left !== 0 || compareIds(place.nodeId, last) <= 0) return false;
  last.copy(place.nodeId);
  for (place.at = place.entriesAt; place.at < place.end; place.at = behindEntry(place)) {
    readEntry(place);
    if (!isLive(place)) continue;
    const order = compareIds(place.id, last);
    if (order < 0 || (order === 0 && found > 0)) return false;
    last.copy(place.id);
    found++;
  }
  return found === liveEntries(place) && deletedEntries(place) === deleted;
}

/** Goes past an entry of a node whose master has so many fields; false if it isn't one. */
function isEntry(walk: ElementWalk, masterFields: number): boolean {
  const flags = walk.count();
  if (flags < 0 || flags > (FLAG_DELETED | FLAG_SAME_FIELDS)) return false;
  if (!walk.integer() || !walk.integer()) return false;
  const isSame = (flags & FLAG_SAME_FIELDS) !== 0;
  const fields = isSame ? masterFields : walk.count();
  if (fields < 0) return false;
  const texts = isSame ? fields : fields * 2;
  const elements = ENTRY_ELEMENTS + texts + (isSame ? 0 : 1);
  return walk.skip(texts) && walk.count() === elements;
}

/** Goes through the elements of a listpack that is one. */
class ElementWalk {
  constructor(private readonly view: ReadonlyView, private at: number, public left: number) {}

  /** The next element if it is an integer from 0 up to 2^31 - 1; -1 if it isn't, or if there is none. */
  count(): number {
    const { view, at } = this;
    if (!this.integer()) return -1;
    const low = integerLowAt(view, at);
    return low < 0 || integerHighAt(view, at, low) !== 0 ? -1 : low;
  }

  /** Goes past the next element; whether it is an integer. */
  integer(): boolean {
    const { view, at } = this;
    return this.skip(1) && isIntegerAt(view, at);
  }

  /** Goes past so many elements; false if there aren't so many. */
  skip(count: number): boolean {
    if (count > this.left) return false;
    this.left -= count;
    for (; count > 0; count--) this.at += elementBytes(this.view, this.at);
    return true;
  }
}
