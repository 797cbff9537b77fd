/**
 * Searches for places in an area: GEOSEARCH, GEOSEARCHSTORE, and the older GEORADIUS and its kin.
 *
 * All of them read what is asked for into a {@linkcode Search}, walk through the cells that the area is in (`keyspace/geo_area.ts`), and
 * reply or store. What isn't sorted comes cell by cell, as in Redis.
 *
 * @module
 */
import { cellsOf, GeoArea } from "../keyspace/geo_area.ts";
import { cellScore, GeoPlace, PLACE_STEPS, scorePlace } from "../keyspace/geohash.ts";
import { ScoreBounds, scoreRange } from "../keyspace/sorted_set_ranges.ts";
import { SortedSetBuilder } from "../keyspace/sorted_set_transfer.ts";
import { type Context, SYNTAX_ERROR } from "./context.ts";
import {
  findPlace,
  parseLength,
  parsePlace,
  parseUnit,
  replyDistance,
  replyPlace,
} from "./geo_arguments.ts";
import { findSortedSet, storeSortedSet } from "./sorted_set_arguments.ts";

const NO_RADIUS = "ERR need numeric radius";
const NEGATIVE_RADIUS = "ERR radius cannot be negative";
const NO_WIDTH = "ERR need numeric width";
const NO_HEIGHT = "ERR need numeric height";
const NEGATIVE_SIDE = "ERR height or width cannot be negative";
const NO_MEMBER = "ERR could not decode requested zset member";
const NO_COUNT = "ERR COUNT must be > 0";
const ANY_OF_ALL = "ERR the ANY argument requires COUNT argument";
const NOT_BOTH = "is not compatible with WITHDIST, WITHHASH and WITHCOORD options";

/** The order is that of the cells, */
const UNSORTED = 0;
/** the nearest first, */
const ASCENDING = 1;
/** or last. */
const DESCENDING = -1;

/** What is asked for. */
class Search {
  readonly area = new GeoArea();
  /** The middle is a member's place, */
  fromMember = false;
  /** or one that was given. */
  fromPlace = false;
  byRadius = false;
  withDistance = false;
  withHash = false;
  withPlace = false;
  order = UNSORTED;
  /** How many places are wanted; 0 for all. */
  count = 0;
  /** Whether they may be any of those in the area, and not the nearest ones. */
  any = false;
  /** The argument that is the key at which the result is stored; 0 for none. */
  store = 0;
  /** Whether distances are stored in place of geohashes. */
  storesDistance = false;

  /** Whether replies have more than members. */
  get detailed(): boolean {
    return this.withDistance || this.withHash || this.withPlace;
  }
}

/** Places that were found, in parts: index by index, they belong together. */
class Found {
  /** By which `context.sortedSet` finds the member again. */
  readonly positions: number[] = [];
  readonly scores: number[] = [];
  /** From the middle, in m. */
  readonly distances: number[] = [];
}

/** GEOSEARCH and GEOSEARCHSTORE, whose first key is where the result goes. */
export function geosearch(context: Context, stores: boolean): void {
  const search = new Search();
  const key = stores ? 2 : 1;
  if (stores) search.store = 1;
  const entry = findSortedSet(context, key);
  if (entry === undefined) return;
  for (let index = key + 1; index < context.argc;) {
    let used = commonOption(context, search, index);
    if (used === 0) used = areaOption(context, search, index, entry);
    if (used === 0 && stores && context.isWord(index, "STOREDIST")) {
      search.storesDistance = true;
      used = 1;
    }
    if (used === 0) context.reply.error(SYNTAX_ERROR);
    if (used <= 0) return;
    index += used;
  }
  const name = context.quoted(0);
  const { reply } = context;
  if (stores && search.detailed) return reply.error(`ERR GEOSEARCHSTORE ${NOT_BOTH}`);
  if (!search.fromMember && !search.fromPlace) {
    return reply.error(
      `ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${name}`,
    );
  }
  if (!search.byRadius && !search.area.isBox) {
    return reply.error(`ERR exactly one of BYRADIUS and BYBOX can be specified for ${name}`);
  }
  answer(context, search, entry, "geosearchstore");
}

/** GEORADIUS, GEORADIUSBYMEMBER, and their forms that only read. */
export function georadius(context: Context, byMember: boolean, readOnly: boolean): void {
  const search = new Search();
  const { area } = search;
  const entry = findSortedSet(context, 1);
  if (entry === undefined) return;
  const radius = byMember ? 3 : 4;
  if (byMember) {
    // Where nothing is, nobody asks how far it would be.
    if (entry !== 0 && !(placeOfMember(context, entry, 2, area) && circle(context, radius, area))) {
      return;
    }
  } else if (!parsePlace(context, 2, area) || !circle(context, radius, area)) return;
  for (let index = radius + 2; index < context.argc;) {
    let used = commonOption(context, search, index);
    if (used === 0 && !readOnly && index + 1 < context.argc) {
      const storesDistance = context.isWord(index, "STOREDIST");
      if (storesDistance || context.isWord(index, "STORE")) {
        search.store = index + 1;
        search.storesDistance = storesDistance;
        used = 2;
      }
    }
    if (used === 0) context.reply.error(SYNTAX_ERROR);
    if (used <= 0) return;
    index += used;
  }
  if (search.store > 0 && search.detailed) {
    return context.reply.error(`ERR STORE option in GEORADIUS ${NOT_BOTH}`);
  }
  answer(context, search, entry, "georadiusstore");
}

/** Reads an option that all searches have; how many arguments it takes, 0 if it is none, -1 after an error. */
function commonOption(context: Context, search: Search, index: number): number {
  if (context.isWord(index, "WITHDIST")) search.withDistance = true;
  else if (context.isWord(index, "WITHHASH")) search.withHash = true;
  else if (context.isWord(index, "WITHCOORD")) search.withPlace = true;
  else if (context.isWord(index, "ANY")) search.any = true;
  else if (context.isWord(index, "ASC")) search.order = ASCENDING;
  else if (context.isWord(index, "DESC")) search.order = DESCENDING;
  else if (context.isWord(index, "COUNT") && index + 1 < context.argc) {
    if (!context.integer(index + 1)) return -1;
    search.count = context.value;
    if (search.count > 0) return 2;
    context.reply.error(NO_COUNT);
    return -1;
  } else return 0;
  return 1;
}

/** As {@linkcode commonOption}, for what GEOSEARCH says of the area. */
function areaOption(context: Context, search: Search, index: number, entry: number): number {
  const { area } = search;
  const left = context.argc - index - 1;
  if (left >= 1 && !search.fromPlace && context.isWord(index, "FROMMEMBER")) {
    search.fromMember = true;
    return entry === 0 || placeOfMember(context, entry, index + 1, area) ? 2 : -1;
  }
  if (left >= 2 && !search.fromMember && context.isWord(index, "FROMLONLAT")) {
    search.fromPlace = true;
    return parsePlace(context, index + 1, area) ? 3 : -1;
  }
  if (left >= 2 && !area.isBox && context.isWord(index, "BYRADIUS")) {
    search.byRadius = true;
    return circle(context, index + 1, area) ? 3 : -1;
  }
  if (left >= 3 && !search.byRadius && context.isWord(index, "BYBOX")) {
    area.isBox = true;
    return box(context, index + 1, area) ? 4 : -1;
  }
  return 0;
}

function placeOfMember(context: Context, entry: number, index: number, area: GeoArea): boolean {
  if (findPlace(context, entry, index, area)) return true;
  context.reply.error(NO_MEMBER);
  return false;
}

/** Reads a radius and its unit. */
function circle(context: Context, index: number, area: GeoArea): boolean {
  area.radius = parseLength(context, index, NO_RADIUS);
  if (area.radius !== area.radius) return false;
  if (area.radius < 0) {
    context.reply.error(NEGATIVE_RADIUS);
    return false;
  }
  area.unitMeters = parseUnit(context, index + 1);
  return area.unitMeters > 0;
}

/** Reads width, height and their unit. */
function box(context: Context, index: number, area: GeoArea): boolean {
  area.width = parseLength(context, index, NO_WIDTH);
  if (area.width !== area.width) return false;
  area.height = parseLength(context, index + 1, NO_HEIGHT);
  if (area.height !== area.height) return false;
  if (area.width < 0 || area.height < 0) {
    context.reply.error(NEGATIVE_SIDE);
    return false;
  }
  area.unitMeters = parseUnit(context, index + 2);
  return area.unitMeters > 0;
}

/** Searches, and replies with what was found, or stores it. */
function answer(context: Context, search: Search, entry: number, event: string): void {
  const { reply } = context;
  if (search.any && search.count === 0) return reply.error(ANY_OF_ALL);
  const found = new Found();
  if (search.store > 0) return store(context, search, entry, found, event);
  if (entry === 0) return reply.array(0);
  collect(context, search, entry, found);
  replyFound(context, search, found, wantedOf(search, found));
}

/** Walks through the cells that the area is in. */
function collect(context: Context, search: Search, entry: number, found: Found): void {
  const { keyspace, sortedSet: place } = context;
  const { area } = search;
  const limit = search.any ? search.count : Infinity;
  const { steps, cells } = cellsOf(area);
  const bounds = new ScoreBounds();
  bounds.maxExcluded = true;
  const position = new GeoPlace();
  place.enter(keyspace, entry);
  for (const { row, column } of cells) {
    if (found.scores.length >= limit) return;
    bounds.min = cellScore(row, column, steps);
    bounds.max = bounds.min + cellSize(steps);
    scoreRange(keyspace.arena, place, bounds);
    if (place.end <= place.first) continue;
    place.goTo(place.first);
    for (let left = place.end - place.first;;) {
      place.readScore();
      scorePlace(place.score, position);
      const distance = area.distanceOf(position.longitude, position.latitude);
      if (distance >= 0) {
        found.positions.push(place.position);
        found.scores.push(place.score);
        found.distances.push(distance);
        if (found.scores.length >= limit) return;
      }
      if (--left === 0) break;
      place.step(false);
    }
  }
}

/** How far the score of a cell is from that of the next one. */
function cellSize(steps: number): number {
  return 4 ** (PLACE_STEPS - steps);
}

/** Which of what was found are wanted, in their order. */
function wantedOf(search: Search, { distances }: Found): number[] {
  const indexes = distances.map((_, index) => index);
  // The first of many are the nearest, unless any will do.
  const order = search.order === UNSORTED && search.count > 0 && !search.any
    ? ASCENDING
    : search.order;
  if (order !== UNSORTED) {
    indexes.sort((first, second) => order * (distances[first] - distances[second]));
  }
  return search.count > 0 ? indexes.slice(0, search.count) : indexes;
}

function replyFound(context: Context, search: Search, found: Found, wanted: number[]): void {
  const { reply, sortedSet: place } = context;
  const { withDistance, withHash, withPlace } = search;
  const details = 1 + Number(withDistance) + Number(withHash) + Number(withPlace);
  const position = new GeoPlace();
  reply.array(wanted.length);
  for (const index of wanted) {
    if (details > 1) reply.array(details);
    place.readAt(found.positions[index]);
    place.element.reply(reply);
    if (withDistance) replyDistance(reply, found.distances[index] / search.area.unitMeters);
    if (withHash) reply.integer(Math.trunc(found.scores[index]));
    if (withPlace) {
      scorePlace(found.scores[index], position);
      replyPlace(reply, position);
    }
  }
}

function store(
  context: Context,
  search: Search,
  entry: number,
  found: Found,
  event: string,
): void {
  const builder = new SortedSetBuilder(context.keyspace);
  storeSortedSet(context, search.store, event, builder, () => {
    if (entry === 0) return;
    const { sortedSet: place, sortedSet: { element } } = context;
    collect(context, search, entry, found);
    for (const index of wantedOf(search, found)) {
      place.readAt(found.positions[index]);
      element.spell();
      const score = search.storesDistance
        ? found.distances[index] / search.area.unitMeters
        : found.scores[index];
      builder.add(element.view, element.start, element.length, score);
    }
  });
}
