/**
 * What commands on streams work with, kept from one to the next so that none is made for each.
 *
 * @module
 */
import { EntryId } from "../memory/id_tree.ts";
import { Int64 } from "../protocol/integers.ts";
import { EntryIdReader } from "../keyspace/entry_ids.ts";
import { StreamFacts } from "../keyspace/stream_facts.ts";
import { StreamPlace } from "../keyspace/stream_nodes.ts";
import { PendingPlace } from "../keyspace/stream_pending.ts";
import { EntryRange } from "../keyspace/stream_ranges.ts";
import type { StreamTrim } from "../keyspace/stream_trimming.ts";

/** How an entry's id is given: all of it is free, */
export const ID_FREE = 0;
/** its number is, */
export const ID_NUMBER_FREE = 1;
/** or nothing. */
export const ID_GIVEN = 2;

/** The options of XADD and XTRIM. */
export class StreamOptions implements StreamTrim {
  /** Whether anything is to be trimmed. */
  trims = false;
  byId = false;
  length = 0;
  readonly minimum: EntryId = new EntryId();
  approximate = false;
  limit = 0;
  /** The argument that says how much is to stay. */
  boundIndex = 0;
  /** The argument that is LIMIT; 0 for none. */
  limitIndex = 0;
  /** Whether a stream that isn't there isn't to be made. */
  onlyExisting = false;
  /** How the id is given. */
  idForm: number = ID_FREE;
  /** The id. */
  readonly id: EntryId = new EntryId();

  /** Nothing is said yet. */
  reset(): void {
    this.trims = false;
    this.byId = false;
    this.approximate = false;
    this.limit = 0;
    this.limitIndex = 0;
    this.onlyExisting = false;
    this.idForm = ID_FREE;
  }
}

/** See the head of this file. */
export class StreamTools {
  /** Reads ids. */
  readonly reader: EntryIdReader = new EntryIdReader();
  /** The options of XADD and XTRIM. */
  readonly options: StreamOptions = new StreamOptions();
  /** Where in the stream it is. */
  readonly place: StreamPlace = new StreamPlace();
  /** Where in what is pending it is. */
  readonly pending: PendingPlace = new PendingPlace();
  /** Tells of a stream. */
  readonly facts: StreamFacts = new StreamFacts();
  /** The entries that are asked for. */
  readonly range: EntryRange = new EntryRange();
  /** The id that the command is about. */
  readonly id: EntryId = new EntryId();
  /** Another id. */
  readonly other: EntryId = new EntryId();
  /** The id that a group has come to. */
  readonly last: EntryId = new EntryId();
  /** A number that a root has. */
  readonly number: Int64 = new Int64();
}
