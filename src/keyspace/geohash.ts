/**
 * Geohashes: places on earth as numbers, so that what is near is often near as a number.
 *
 * The map, from 180 degrees west to 180 degrees east and from 85.05112878 degrees south to as many north, is halved again and again, a
 * bit for each half; 26 times in each direction for a place. The bits of both directions taken in turn, longitude first, are an
 * integer of 52 bits, which a double holds exactly: the score of a member of a sorted set.
 *
 * Halved fewer times, the map falls into larger cells. All places in a cell have scores from that of its corner up to that of the
 * corner of the next cell, so what is in a cell is a range of scores. Here a cell is two numbers, its row and its column; only scores
 * have their bits mixed, and nothing needs more than 32 bits at a time.
 *
 * A place on the very edge of the map, in the north or east, is one row or column outside of it. Redis has it so, and then
 * its hash has 54 bits; so have ours.
 *
 * @module
 */

/** How often the map is halved in each direction for a place. */
export const PLACE_STEPS = 26;
/** Degrees east of the eastern edge, and west of the western one. */
export const MAP_LONGITUDE = 180;
/** Degrees north of the northern edge, and south of the southern one. */
export const MAP_LATITUDE = 85.05112878;

const TWO_32 = 4294967296;
const TWO_63 = 2 ** 63;
const PLACE_CELLS = 2 ** PLACE_STEPS;
const ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz";
/** The text of a geohash goes by a map up to the poles, */
const TEXT_LATITUDE = 90;
/** and has so many letters, of 5 bits each; there are none for the last one. */
const TEXT_LETTERS = 11;
const LETTER_BITS = 5;
const SCORE_BITS = 52;

/** A place in degrees. */
export class GeoPlace {
  /** Degrees east. */
  longitude = 0;
  /** Degrees north. */
  latitude = 0;
}

/** Number of the row or column with `value`, of 2^steps from -`edge` to `edge`. */
export function cellOf(value: number, edge: number, steps: number): number {
  return Math.floor(((value + edge) / (edge + edge)) * 2 ** steps);
}

/** Where row or column `cell` of 2^steps begins; it ends where the next one begins. */
export function cellStart(cell: number, edge: number, steps: number): number {
  return -edge + (cell / 2 ** steps) * (edge + edge);
}

/** The score of the corner of a cell of 2^steps rows and columns, in the south west. */
export function cellScore(row: number, column: number, steps: number): number {
  return mixBits(row, column) * 4 ** (PLACE_STEPS - steps);
}

/** The score of a place. */
export function placeScore(longitude: number, latitude: number): number {
  return mixBits(
    cellOf(latitude, MAP_LATITUDE, PLACE_STEPS),
    cellOf(longitude, MAP_LONGITUDE, PLACE_STEPS),
  );
}

/** Puts the middle of the cell that a score names into `out`. Any score names one, as it does in Redis, or a place on the edge. */
export function scorePlace(score: number, out: GeoPlace): void {
  let high: number;
  let low: number;
  if (score >= 0 && score < 2 ** 53) {
    const whole = Math.floor(score);
    high = Math.floor(whole / TWO_32);
    low = whole - high * TWO_32;
  } else [high, low] = unsignedHalves(score);
  const row = ((evenBits(high) << 16) | evenBits(low)) >>> 0;
  const column = ((evenBits(high >>> 1) << 16) | evenBits(low >>> 1)) >>> 0;
  out.longitude = middleOf(column, MAP_LONGITUDE);
  out.latitude = middleOf(row, MAP_LATITUDE);
}

function middleOf(cell: number, edge: number): number {
  const start = -edge + (cell / PLACE_CELLS) * (edge + edge);
  const end = -edge + ((cell + 1) / PLACE_CELLS) * (edge + edge);
  return Math.max(-edge, Math.min(edge, (start + end) / 2));
}

/**
 * The halves of what a processor makes of a double that is to be an unsigned integer of 64 bits: negative ones wrap around, and what is
 * out of range is 0, or 2^63 below.
 */
function unsignedHalves(score: number): [high: number, low: number] {
  if (score >= 2 * TWO_63) return [0, 0];
  if (score < -TWO_63) return [2 ** 31, 0];
  const whole = Math.trunc(score);
  const high = Math.floor(whole / TWO_32);
  return [high < 0 ? high + TWO_32 : high, whole - high * TWO_32];
}

/** The text of the geohash of a score. */
export function geohashText(score: number, place: GeoPlace): string {
  scorePlace(score, place);
  const row = cellOf(place.latitude, TEXT_LATITUDE, PLACE_STEPS);
  const column = cellOf(place.longitude, MAP_LONGITUDE, PLACE_STEPS);
  const bits = mixBits(row, column);
  let text = "";
  for (let letter = 1; letter < TEXT_LETTERS; letter++) {
    text += ALPHABET[Math.floor(bits / 2 ** (SCORE_BITS - letter * LETTER_BITS)) % 32];
  }
  return text + ALPHABET[0];
}

/** The integer whose even bits are `row` and whose odd bits are `column`, of 27 bits each. */
function mixBits(row: number, column: number): number {
  const low = spreadBits(row & 0xffff) | (spreadBits(column & 0xffff) << 1);
  const high = spreadBits(row >>> 16) | (spreadBits(column >>> 16) << 1);
  return high * TWO_32 + (low >>> 0);
}

/** Has each of 16 bits be followed by a zero. */
function spreadBits(bits: number): number {
  bits = (bits | (bits << 8)) & 0x00ff00ff;
  bits = (bits | (bits << 4)) & 0x0f0f0f0f;
  bits = (bits | (bits << 2)) & 0x33333333;
  return (bits | (bits << 1)) & 0x55555555;
}

/** The 16 bits of 32 at even places, together. */
function evenBits(bits: number): number {
  bits &= 0x55555555;
  bits = (bits | (bits >>> 1)) & 0x33333333;
  bits = (bits | (bits >>> 2)) & 0x0f0f0f0f;
  bits = (bits | (bits >>> 4)) & 0x00ff00ff;
  return (bits | (bits >>> 8)) & 0xffff;
}
