/**
 * Every command miniredis knows, described as data.
 *
 * @module
 */

import { BITMAP_SPECS } from "./bitmaps.ts";
import { CLIENT_SPECS } from "./client.ts";
import { CLUSTER_SPECS } from "./cluster.ts";
import { CONNECTION_SPECS } from "./connection.ts";
import { GENERIC_SPECS } from "./generic.ts";
import { GEO_SPECS } from "./geo.ts";
import { HASH_SPECS } from "./hashes.ts";
import { HYPERLOGLOG_SPECS } from "./hyperloglog.ts";
import { LIST_SPECS } from "./lists.ts";
import { MEMORY_SPECS } from "./memory.ts";
import { PERSISTENCE_SPECS } from "./persistence.ts";
import { PUBSUB_SPECS } from "./pubsub.ts";
import { OBSERVATION_SPECS } from "./observation.ts";
import { REPLICATION_SPECS } from "./replication.ts";
import { SAVING_SPECS } from "./saving.ts";
import { SERVER_SPECS } from "./server.ts";
import { SET_SPECS } from "./sets.ts";
import { SORT_SPECS } from "./sort.ts";
import { STREAM_GROUP_SPECS } from "./stream_groups.ts";
import { STREAM_SPECS } from "./streams.ts";
import { SORTED_SET_ALGEBRA_SPECS } from "./sorted_set_algebra.ts";
import { SORTED_SET_RANGE_SPECS } from "./sorted_set_ranges.ts";
import { SORTED_SET_SPECS } from "./sorted_sets.ts";
import { STRING_SPECS } from "./strings.ts";
import { TRANSACTION_SPECS } from "./transactions.ts";

export * from "./keys.ts";
export * from "./lookup.ts";
export * from "./types.ts";
export {
  BITMAP_SPECS,
  CLIENT_SPECS,
  CLUSTER_SPECS,
  CONNECTION_SPECS,
  GENERIC_SPECS,
  GEO_SPECS,
  HASH_SPECS,
  HYPERLOGLOG_SPECS,
  LIST_SPECS,
  MEMORY_SPECS,
  OBSERVATION_SPECS,
  PERSISTENCE_SPECS,
  PUBSUB_SPECS,
  SERVER_SPECS,
  SET_SPECS,
  SORT_SPECS,
  SORTED_SET_ALGEBRA_SPECS,
  SORTED_SET_RANGE_SPECS,
  SORTED_SET_SPECS,
  STREAM_GROUP_SPECS,
  STREAM_SPECS,
  STRING_SPECS,
  TRANSACTION_SPECS,
};

/** All families joined: the one table that the server, the monitor and the client share. */
export const ALL_SPECS:
  & typeof STRING_SPECS
  & typeof BITMAP_SPECS
  & typeof HYPERLOGLOG_SPECS
  & typeof STREAM_SPECS
  & typeof STREAM_GROUP_SPECS
  & typeof LIST_SPECS
  & typeof SET_SPECS
  & typeof HASH_SPECS
  & typeof SORTED_SET_SPECS
  & typeof SORTED_SET_RANGE_SPECS
  & typeof SORTED_SET_ALGEBRA_SPECS
  & typeof GEO_SPECS
  & typeof SORT_SPECS
  & typeof GENERIC_SPECS
  & typeof MEMORY_SPECS
  & typeof PERSISTENCE_SPECS
  & typeof REPLICATION_SPECS
  & typeof CONNECTION_SPECS
  & typeof TRANSACTION_SPECS
  & typeof CLIENT_SPECS
  & typeof SERVER_SPECS
  & typeof OBSERVATION_SPECS
  & typeof PUBSUB_SPECS
  & typeof CLUSTER_SPECS = {
    ...STRING_SPECS,
    ...BITMAP_SPECS,
    ...HYPERLOGLOG_SPECS,
    ...STREAM_SPECS,
    ...STREAM_GROUP_SPECS,
    ...LIST_SPECS,
    ...SET_SPECS,
    ...HASH_SPECS,
    ...SORTED_SET_SPECS,
    ...SORTED_SET_RANGE_SPECS,
    ...SORTED_SET_ALGEBRA_SPECS,
    ...GEO_SPECS,
    ...SORT_SPECS,
    ...GENERIC_SPECS,
    ...MEMORY_SPECS,
    ...PERSISTENCE_SPECS,
    ...REPLICATION_SPECS,
    ...CONNECTION_SPECS,
    ...TRANSACTION_SPECS,
    ...CLIENT_SPECS,
    ...SAVING_SPECS,
    ...SERVER_SPECS,
    ...OBSERVATION_SPECS,
    ...PUBSUB_SPECS,
    ...CLUSTER_SPECS,
  };
