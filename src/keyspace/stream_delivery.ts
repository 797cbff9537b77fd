/**
 * Delivering entries to the consumers of a group: those that nobody in the group has got yet, each to one consumer, for whom it is
 * pending until it is acknowledged.
 *
 * @module
 */
import { ArenaFullError } from "../memory/arena.ts";
import { type EntryId, readId, writeId } from "../memory/id_tree.ts";
import type { Int64 } from "../protocol/integers.ts";
import type { Keyspace } from "./keyspace.ts";
import type { StreamFacts } from "./stream_facts.ts";
import { GROUP_LAST_ID, GROUP_READ } from "./stream_groups.ts";
import type { StreamPlace } from "./stream_nodes.ts";
import { addPending, findPending, givePending, type PendingPlace } from "./stream_pending.ts";
import { countEntries, EntryRange, visitEntries } from "./stream_ranges.ts";
import { countUp, readRootNumber, setRootNumber } from "./stream_root.ts";

/** What delivering works with. */
export interface DeliveryTools {
  /** Where in the stream it is. */
  readonly place: StreamPlace;
  /** Where in what is pending it is. */
  readonly pending: PendingPlace;
  /** What is known of the stream. */
  readonly facts: StreamFacts;
  /** A number that a root has. */
  readonly number: Int64;
}

/** Of what group, to whom, and how much. */
export interface Delivery {
  /** Root of the stream. */
  readonly stream: number;
  /** Root of the group. */
  readonly group: number;
  /** Root of the consumer. */
  readonly consumer: number;
  /** Most entries. */
  readonly limit: number;
  /** Whether they count as acknowledged right away. */
  readonly acknowledged: boolean;
}

/**
 * Delivers the entries behind the group's last one, and has `range` be the range that they are the first of. `delivered` is called
 * after each, with its id, while what is known of it is in `tools.pending`. Returns how many there were: fewer than there are
 * if memory ends.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room for the first.
 */
export function deliverEntries(
  keyspace: Keyspace,
  delivery: Delivery,
  range: EntryRange,
  tools: DeliveryTools,
  delivered: ((id: EntryId) => void) | null,
): number {
  const { arena } = keyspace;
  const { stream, group, limit } = delivery;
  const { place, facts } = tools;
  readId(arena, group, GROUP_LAST_ID, place.id);
  if (!range.setBehind(place.id)) return 0;
  const count = countEntries(arena, stream, range, limit, place);
  facts.look(arena, stream);
  let done = 0;
  try {
    visitEntries(arena, stream, range, count, place, ({ id }) => {
      if (!delivery.acknowledged) makePending(keyspace, delivery, id, tools.pending);
      moveOn(keyspace, group, id, tools);
      done++;
      delivered?.(id);
    });
  } catch (error) {
    if (!(error instanceof ArenaFullError) || done === 0) throw error;
  }
  return done;
}

/** Has an entry be pending, as one that was delivered now for the first time, whoever had it before. */
function makePending(
  keyspace: Keyspace,
  { group, consumer }: Delivery,
  id: EntryId,
  place: PendingPlace,
): void {
  const { arena } = keyspace;
  const { pending } = place;
  const known = findPending(arena, group, id, place);
  pending.time = keyspace.now;
  pending.setDeliveries(1);
  if (known) givePending(keyspace, consumer, id, place);
  else addPending(arena, group, consumer, id, place);
}

/** Has the group know that it has read the entry with this id. */
function moveOn(
  { arena }: Keyspace,
  group: number,
  id: EntryId,
  { facts, number }: DeliveryTools,
): void {
  writeId(arena, group, GROUP_LAST_ID, id);
  readRootNumber(arena, group, GROUP_READ, number);
  if ((number.high & number.low) !== -1 && !facts.hasHoles(id)) countUp(arena, group, GROUP_READ);
  else if (facts.hasAdded && facts.countUpTo(id)) {
    setRootNumber(arena, group, GROUP_READ, facts.count.high, facts.count.low);
  } else if (facts.hasAdded) setRootNumber(arena, group, GROUP_READ, -1, -1);
}
