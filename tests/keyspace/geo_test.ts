import { assert, assertEquals } from "@std/assert";
import { cellsOf, distanceMeters, GeoArea } from "../../src/keyspace/geo_area.ts";
import {
  cellScore,
  geohashText,
  GeoPlace,
  MAP_LATITUDE,
  PLACE_STEPS,
  placeScore,
  scorePlace,
} from "../../src/keyspace/geohash.ts";
import { seededRandom, testSeed } from "../support/random.ts";

Deno.test("geohash: scores, places and texts are Redis'", () => {
  const place = new GeoPlace();
  const cases: [number, number, number, string][] = [
    [13.361389, 38.115556, 3479099956230698, "sqc8b49rny0"],
    [15.087269, 37.502669, 3479447370796909, "sqdtr74hyu0"],
    [180, MAP_LATITUDE, 13510798882111488, "bp05b5048p0"],
    [-180, -MAP_LATITUDE, 0, "00bh0hbj200"],
  ];
  for (const [longitude, latitude, score, text] of cases) {
    assertEquals(placeScore(longitude, latitude), score);
    assertEquals(geohashText(score, place), text);
  }
});

Deno.test("geohash: a place is found again, to within its cell", () => {
  const random = seededRandom(testSeed("places"));
  const place = new GeoPlace();
  for (let count = 0; count < 2000; count++) {
    const longitude = random() * 360 - 180;
    const latitude = (random() * 2 - 1) * MAP_LATITUDE;
    scorePlace(placeScore(longitude, latitude), place);
    assert(Math.abs(place.longitude - longitude) <= 180.0001 / 2 ** PLACE_STEPS);
    assert(Math.abs(place.latitude - latitude) <= (MAP_LATITUDE + 0.0001) / 2 ** PLACE_STEPS);
    const again = placeScore(place.longitude, place.latitude);
    scorePlace(again, place);
    assertEquals(placeScore(place.longitude, place.latitude), again);
  }
});

Deno.test("geohash: any score names a place, as a processor turns it into an integer", () => {
  const place = new GeoPlace();
  const at = (score: number): [number, number] => {
    scorePlace(score, place);
    return [place.longitude, place.latitude];
  };
  const [west, south] = at(0);
  assertEquals(at(-5), [180, MAP_LATITUDE]);
  assertEquals(at(1.5), at(1));
  assertEquals(at(Infinity), [west, south]);
  assertEquals(at(-Infinity), [180, south]);
  assertEquals(at(1e300), [west, south]);
  assertEquals(at(2 ** 53), [180, south]);
  assertEquals(at(2 ** 64), [west, south]);
  assertEquals(at(1e19), [180, MAP_LATITUDE]);
  assertEquals(at(-1e19), [180, south]);
});

Deno.test("geo: distances are Redis', to the digit", () => {
  assertEquals(
    distanceMeters(13.361389338970184, 38.1155563954963, 15.087267458438873, 37.50266842333162)
      .toFixed(4),
    "166274.1516",
  );
  // On a meridian no sine is needed.
  assertEquals(
    distanceMeters(10, 20, 10, 21),
    6372797.560856 * (21 * (Math.PI / 180) - 20 * (Math.PI / 180)),
  );
  assertEquals(distanceMeters(10, 20, 10, 20), 0);
});

Deno.test("geo: whatever is in an area is in one of its cells, and in one only", () => {
  const random = seededRandom(testSeed("areas"));
  const area = new GeoArea();
  for (let count = 0; count < 400; count++) {
    area.longitude = random() * 300 - 150;
    area.latitude = (random() * 2 - 1) * 70;
    area.isBox = random() < 0.5;
    area.unitMeters = [1, 1000, 0.3048][count % 3];
    const meters = 10 ** (random() * 6);
    area.radius = meters / area.unitMeters;
    area.width = (random() * 2 * meters) / area.unitMeters;
    area.height = (random() * 2 * meters) / area.unitMeters;
    const { steps, cells } = cellsOf(area);
    assert(cells.length <= 9);
    const ranges = cells.map(({ row, column }) => cellScore(row, column, steps));
    const size = 4 ** (PLACE_STEPS - steps);
    let inside = 0;
    for (let tries = 0; tries < 200; tries++) {
      const spread = (meters / 111_000) * 3;
      const longitude = area.longitude +
        ((random() - 0.5) * spread) / Math.cos(area.latitude / 57.3);
      const latitude = area.latitude + (random() - 0.5) * spread;
      if (Math.abs(longitude) > 180 || Math.abs(latitude) > MAP_LATITUDE) continue;
      if (area.distanceOf(longitude, latitude) < 0) continue;
      inside++;
      const score = placeScore(longitude, latitude);
      const holding = ranges.filter((start) => score >= start && score < start + size);
      assertEquals(holding.length, 1, `${longitude} ${latitude} of ${JSON.stringify(area)}`);
    }
    assert(inside > 0 || area.isBox, "some were inside");
  }
});
