/**
 * Streams as values of keys. How one lies in the arena stands at the head of `stream_root.ts`; what can be done with one is in the
 * rooms beside it: adding entries (`stream_appending.ts`), finding them (`stream_ranges.ts`), deleting them (`stream_trimming.ts`),
 * groups of consumers (`stream_groups.ts`) with what is pending in them (`stream_pending.ts`), and what can be told of it all
 * (`stream_facts.ts`).
 *
 * @module
 */
import type { ReadonlyView } from "../memory/arena.ts";
import { addCollection } from "./collections.ts";
import type { Database } from "./keyspace.ts";
import { createStreamRoot } from "./stream_root.ts";
import { ENCODING_ROOT, TYPE_STREAM } from "./types.ts";

/** Type and encoding of a stream. */
export const META_STREAM: number = TYPE_STREAM | (ENCODING_ROOT << 4);

/**
 * Makes a stream, has `fill` put into its root what it is to have from the start, and gives it to the key in `view`, which isn't there
 * and whose hash is `keyspace.hash`. Returns its root.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function addStream(
  database: Database,
  view: ReadonlyView,
  start: number,
  length: number,
  fill: (root: number) => void,
): number {
  const { keyspace } = database;
  const root = createStreamRoot(keyspace);
  try {
    fill(root);
    addCollection(database, view, start, length, 0, META_STREAM, root);
  } catch (error) {
    keyspace.freeValueBlock(root);
    throw error;
  }
  return root;
}
