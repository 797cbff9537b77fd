/**
 * Handlers of the geo commands; their descriptions are in `specs/geo.ts`.
 *
 * Places are members of a sorted set whose scores are geohashes (`keyspace/geohash.ts`), so everything else that is done with sorted
 * sets can be done with them as well. Searches are in `geo_search.ts`.
 *
 * @module
 */
import { distanceMeters } from "../keyspace/geo_area.ts";
import { geohashText, GeoPlace, placeScore } from "../keyspace/geohash.ts";
import { type Context, type Handler, SYNTAX_ERROR } from "./context.ts";
import {
  findPlace,
  memberScoreAt,
  parsePlace,
  parseUnit,
  replyDistance,
  replyPlace,
} from "./geo_arguments.ts";
import { georadius, geosearch } from "./geo_search.ts";
import { findSortedSet } from "./sorted_set_arguments.ts";
import { addition, addPairs, CH, NX, XX } from "./sorted_sets.ts";
import type { GEO_SPECS } from "./specs/geo.ts";
import type { HandlersFor } from "./specs/types.ts";

/** Arguments that a place with its member takes. */
const PLACE_ARGUMENTS = 3;

/** GEOADD: ZADD with places in place of scores, and as such it is repeated. */
function geoadd(context: Context): void {
  const { reply, sortedSet } = context;
  let options = 0;
  let first = 2;
  for (; first < context.argc; first++) {
    if (context.isWord(first, "NX")) options |= NX;
    else if (context.isWord(first, "XX")) options |= XX;
    else if (context.isWord(first, "CH")) options |= CH;
    else break;
  }
  const rest = context.argc - first;
  if (rest === 0 || rest % PLACE_ARGUMENTS !== 0 || (options & (NX | XX)) === (NX | XX)) {
    return reply.error(SYNTAX_ERROR);
  }
  const count = rest / PLACE_ARGUMENTS;
  const given = sortedSet.givenFor(count);
  const place = new GeoPlace();
  for (let member = 0; member < count; member++) {
    if (!parsePlace(context, first + member * PLACE_ARGUMENTS, place)) return;
    given[member] = placeScore(place.longitude, place.latitude);
  }
  const dirty = context.keyspace.dirty;
  addPairs(context, options, first + 2, PLACE_ARGUMENTS, count);
  if (context.keyspace.dirty === dirty) return;
  context.effect(() => addition(context, options, first + 2, PLACE_ARGUMENTS, count));
}

function geodist(context: Context): void {
  const { reply } = context;
  if (context.argc > 5) return reply.error(SYNTAX_ERROR);
  const unitMeters = context.argc === 5 ? parseUnit(context, 4) : 1;
  if (unitMeters === 0) return;
  const entry = findSortedSet(context, 1);
  if (entry === undefined) return;
  const first = new GeoPlace();
  const second = new GeoPlace();
  if (!findPlace(context, entry, 2, first) || !findPlace(context, entry, 3, second)) {
    return reply.nullBulk();
  }
  const meters = distanceMeters(
    first.longitude,
    first.latitude,
    second.longitude,
    second.latitude,
  );
  replyDistance(reply, meters / unitMeters);
}

function geohash(context: Context): void {
  const { reply } = context;
  const entry = findSortedSet(context, 1);
  if (entry === undefined) return;
  const place = new GeoPlace();
  reply.array(context.argc - 2);
  for (let index = 2; index < context.argc; index++) {
    const score = memberScoreAt(context, entry, index);
    if (score === score) reply.bulk(geohashText(score, place));
    else reply.nullBulk();
  }
}

function geopos(context: Context): void {
  const { reply } = context;
  const entry = findSortedSet(context, 1);
  if (entry === undefined) return;
  const place = new GeoPlace();
  reply.array(context.argc - 2);
  for (let index = 2; index < context.argc; index++) {
    if (findPlace(context, entry, index, place)) replyPlace(reply, place);
    else reply.nullArray();
  }
}

/** The handlers of the geo commands. */
export const GEO_HANDLERS: HandlersFor<typeof GEO_SPECS, Handler> = {
  geoadd,
  geodist,
  geohash,
  geopos,
  geosearch: (context) => geosearch(context, false),
  geosearchstore: (context) => geosearch(context, true),
  georadius: (context) => georadius(context, false, false),
  georadius_ro: (context) => georadius(context, false, true),
  georadiusbymember: (context) => georadius(context, true, false),
  georadiusbymember_ro: (context) => georadius(context, true, true),
};
