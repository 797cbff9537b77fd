/**
 * Areas on earth: distances, circles and boxes, and the nine cells of the map in which all of an area must be.
 *
 * The earth is a ball of 6372797.560856 m. What is near a place is looked for in the cell that it is in and in the eight cells around
 * it, where cells are as large as they have to be: about the radius of the area. A cell is a range of scores (`geohash.ts`), so that is
 * nine searches; each place found is then looked at. The order of the cells is seen from outside: what isn't sorted comes
 * in that order.
 *
 * Numbers are worked out in Redis' order, so that they are the same to the last digit, as far as the sine is: the C library's and ours
 * differ by half a unit of the last of 17 digits in one case in a thousand.
 *
 * @module
 */
import { cellOf, cellStart, MAP_LATITUDE, MAP_LONGITUDE, PLACE_STEPS } from "./geohash.ts";

const EARTH_RADIUS_METERS = 6372797.560856;
const RADIANS_PER_DEGREE = Math.PI / 180;
/** Half the width of the map in m, as the Mercator projection has it at the equator. */
const MAP_METERS = 20037726.37;
/** From this latitude on cells are narrow, and the area needs larger ones; */
const NARROW_LATITUDE = 66;
/** from this one on, still larger ones. */
const NARROWER_LATITUDE = 80;

/** The way on a great circle from one place to another, in m. */
export function distanceMeters(
  longitude1: number,
  latitude1: number,
  longitude2: number,
  latitude2: number,
): number {
  const east = Math.sin((longitude2 * RADIANS_PER_DEGREE - longitude1 * RADIANS_PER_DEGREE) / 2);
  if (east === 0) return latitudeMeters(latitude1, latitude2);
  const south = latitude1 * RADIANS_PER_DEGREE;
  const north = latitude2 * RADIANS_PER_DEGREE;
  const up = Math.sin((north - south) / 2);
  const chord = up * up + Math.cos(south) * Math.cos(north) * east * east;
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.sqrt(chord));
}

/** The way from one place to another on the same meridian, in m. */
function latitudeMeters(latitude1: number, latitude2: number): number {
  return EARTH_RADIUS_METERS *
    Math.abs(latitude2 * RADIANS_PER_DEGREE - latitude1 * RADIANS_PER_DEGREE);
}

/** A circle or a box around a place; lengths are in a unit of `unitMeters` m. */
export class GeoArea {
  /** Degrees east of the middle. */
  longitude = 0;
  /** Degrees north of the middle. */
  latitude = 0;
  /** Whether it is a box. */
  isBox = false;
  /** Radius of a circle. */
  radius = 0;
  /** From west to east of a box. */
  width = 0;
  /** From south to north of a box. */
  height = 0;
  /** How many m the unit of lengths is. */
  unitMeters = 1;

  /** Distance in m of a place from the middle, if it is in the area; -1 if it isn't. */
  distanceOf(longitude: number, latitude: number): number {
    const distance = distanceMeters(this.longitude, this.latitude, longitude, latitude);
    if (!this.isBox) return distance <= this.radius * this.unitMeters ? distance : -1;
    if (latitudeMeters(latitude, this.latitude) > (this.height * this.unitMeters) / 2) return -1;
    const across = distanceMeters(longitude, latitude, this.longitude, latitude);
    return across > (this.width * this.unitMeters) / 2 ? -1 : distance;
  }
}

/** A cell of the map, of 2^steps rows and columns. */
export interface GeoCell {
  /** Number of the row, from the south. */
  readonly row: number;
  /** Number of the column, from the west. */
  readonly column: number;
}

/** The edges of an area in degrees. */
interface Edges {
  readonly south: number;
  readonly north: number;
  readonly west: number;
  readonly east: number;
}

/** The cells in which all of `area` is, in the order in which they are looked at, and how often the map is halved for them. */
export function cellsOf(area: GeoArea): { steps: number; cells: GeoCell[] } {
  const edges = edgesOf(area);
  let steps = stepsFor(area);
  if (steps > 1 && !reachesAround(area, edges, steps)) steps--;
  const row = cellOf(area.latitude, MAP_LATITUDE, steps);
  const column = cellOf(area.longitude, MAP_LONGITUDE, steps);
  const wanted = steps < 2 ? ALL_SIDES : {
    south: cellStart(row, MAP_LATITUDE, steps) >= edges.south,
    north: cellStart(row + 1, MAP_LATITUDE, steps) <= edges.north,
    west: cellStart(column, MAP_LONGITUDE, steps) >= edges.west,
    east: cellStart(column + 1, MAP_LONGITUDE, steps) <= edges.east,
  };
  const last = 2 ** steps - 1;
  const cells: GeoCell[] = [];
  for (const [north, east] of NEIGHBOURS) {
    if ((north > 0 && !wanted.north) || (north < 0 && !wanted.south)) continue;
    if ((east > 0 && !wanted.east) || (east < 0 && !wanted.west)) continue;
    // Behind an edge of the map comes the opposite one.
    const cell = {
      row: north === 0 ? row : (row + north) & last,
      column: east === 0 ? column : (column + east) & last,
    };
    const before = cells.at(-1);
    // Of a map of four cells, neighbours on both sides are the same.
    if (before?.row !== cell.row || before.column !== cell.column) cells.push(cell);
  }
  return { steps, cells };
}

const ALL_SIDES = { south: true, north: true, west: true, east: true };

/** The cell itself and those around it, as steps to the north and to the east. */
const NEIGHBOURS: readonly (readonly [north: number, east: number])[] = [
  [0, 0],
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
  [1, 1],
  [1, -1],
  [-1, 1],
  [-1, -1],
];

/** The edges of an area; those in the west and east are where it is nearer to the pole. */
function edgesOf(area: GeoArea): Edges {
  const { longitude, latitude, unitMeters } = area;
  const height = unitMeters * (area.isBox ? area.height / 2 : area.radius);
  const width = unitMeters * (area.isBox ? area.width / 2 : area.radius);
  const up = height / EARTH_RADIUS_METERS / RADIANS_PER_DEGREE;
  const widest = latitude < 0 ? latitude - up : latitude + up;
  const across = width / EARTH_RADIUS_METERS / Math.cos(widest * RADIANS_PER_DEGREE) /
    RADIANS_PER_DEGREE;
  return {
    south: latitude - up,
    north: latitude + up,
    west: longitude - across,
    east: longitude + across,
  };
}

/** How often the map is halved so that cells are about as large as the area. */
function stepsFor({ latitude, isBox, radius, width, height, unitMeters }: GeoArea): number {
  let meters = isBox ? Math.sqrt((width / 2) * (width / 2) + (height / 2) * (height / 2)) : radius;
  meters *= unitMeters;
  if (meters === 0) return PLACE_STEPS;
  let steps = 1;
  for (; meters < MAP_METERS; meters *= 2) steps++;
  // What is in the middle of its cell is wholly within the cells around.
  steps -= 2;
  const distance = Math.abs(latitude);
  if (distance > NARROW_LATITUDE) steps--;
  if (distance > NARROWER_LATITUDE) steps--;
  return Math.max(1, Math.min(PLACE_STEPS, steps));
}

/** Whether the cells around the one in the middle reach as far as the area does. */
function reachesAround(area: GeoArea, edges: Edges, steps: number): boolean {
  const last = 2 ** steps - 1;
  const row = cellOf(area.latitude, MAP_LATITUDE, steps);
  const column = cellOf(area.longitude, MAP_LONGITUDE, steps);
  const north = (row + 1) & last;
  const south = (row - 1) & last;
  const east = (column + 1) & last;
  const west = (column - 1) & last;
  return cellStart(north + 1, MAP_LATITUDE, steps) >= edges.north &&
    cellStart(south, MAP_LATITUDE, steps) <= edges.south &&
    cellStart(east + 1, MAP_LONGITUDE, steps) >= edges.east &&
    cellStart(west, MAP_LONGITUDE, steps) <= edges.west;
}
