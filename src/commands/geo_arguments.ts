/**
 * What the geo commands ask of their arguments alike: places, units, members.
 *
 * @module
 */
import { type GeoPlace, MAP_LATITUDE, MAP_LONGITUDE, scorePlace } from "../keyspace/geohash.ts";
import { scoreInSortedSet } from "../keyspace/sorted_sets.ts";
import { parseDouble } from "../protocol/doubles.ts";
import { formatFixed, formatTrimmed } from "../protocol/fixed_point.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import type { Context } from "./context.ts";

/** Reply where a unit of lengths is wanted and there is none. */
const NO_UNIT = "ERR unsupported unit provided. please use M, KM, FT, MI";
const NOT_A_FLOAT = "ERR value is not a valid float";
/** Digits behind the point of a distance, */
const DISTANCE_DIGITS = 4;
/** of a coordinate, at most, */
const COORDINATE_DIGITS = 17;
/** and of a coordinate in an error. */
const QUOTED_DIGITS = 6;

/** How many m the unit in argument `index` is; 0 after an error. */
export function parseUnit(context: Context, index: number): number {
  if (context.isWord(index, "M")) return 1;
  if (context.isWord(index, "KM")) return 1000;
  if (context.isWord(index, "FT")) return 0.3048;
  if (context.isWord(index, "MI")) return 1609.34;
  context.reply.error(NO_UNIT);
  return 0;
}

/** The number in argument `index`; NaN after an error. */
export function parseLength(context: Context, index: number, error: string): number {
  const { bytes, starts, lengths, reply } = context;
  const value = parseDouble(bytes, starts[index], lengths[index]);
  if (value !== undefined) return value;
  reply.error(error);
  return NaN;
}

/** Reads longitude and latitude from argument `index` and the one behind it; false after an error. */
export function parsePlace(context: Context, index: number, place: GeoPlace): boolean {
  const longitude = parseLength(context, index, NOT_A_FLOAT);
  if (longitude !== longitude) return false;
  const latitude = parseLength(context, index + 1, NOT_A_FLOAT);
  if (latitude !== latitude) return false;
  if (Math.abs(longitude) > MAP_LONGITUDE || Math.abs(latitude) > MAP_LATITUDE) {
    const quoted = [longitude, latitude].map((value) => formatFixed(value, QUOTED_DIGITS));
    context.reply.error(`ERR invalid longitude,latitude pair ${quoted.join(",")}`);
    return false;
  }
  place.longitude = longitude;
  place.latitude = latitude;
  return true;
}

/** Score of the member in argument `index` of the sorted set in `entry` (0: none); NaN if it isn't there. */
export function memberScoreAt(context: Context, entry: number, index: number): number {
  if (entry === 0) return NaN;
  const { keyspace, view, starts, lengths, sortedSet } = context;
  return scoreInSortedSet(keyspace, entry, view, starts[index], lengths[index], sortedSet);
}

/** Puts the place of the member in argument `index` into `place`; false if it isn't there. */
export function findPlace(
  context: Context,
  entry: number,
  index: number,
  place: GeoPlace,
): boolean {
  const score = memberScoreAt(context, entry, index);
  if (score !== score) return false;
  scorePlace(score, place);
  return true;
}

/** Replies with a distance. */
export function replyDistance(reply: ReplyWriter, distance: number): void {
  reply.bulk(formatFixed(distance, DISTANCE_DIGITS));
}

/** Replies with longitude and latitude. */
export function replyPlace(reply: ReplyWriter, place: GeoPlace): void {
  reply.array(2);
  reply.doubleText(formatTrimmed(place.longitude, COORDINATE_DIGITS));
  reply.doubleText(formatTrimmed(place.latitude, COORDINATE_DIGITS));
}
