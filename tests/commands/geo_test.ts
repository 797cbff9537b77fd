import { assertEquals } from "@std/assert";
import { type MemoryConnection, startMemoryServer } from "../support/memory_server.ts";

const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const SYNTAX = "-ERR syntax error";
const NO_UNIT = "-ERR unsupported unit provided. please use M, KM, FT, MI";
const NO_MEMBER = "-ERR could not decode requested zset member";
const ANY = "-ERR the ANY argument requires COUNT argument";
const DETAILS = "is not compatible with WITHDIST, WITHHASH and WITHCOORD options";

function ask(connection: MemoryConnection, command: string): Promise<unknown> {
  return connection.ask(...command.split(" "));
}

async function withPlaces(
  seed: number,
  cases: readonly (readonly [string, unknown])[],
  version = "2",
): Promise<void> {
  await using machine = await startMemoryServer(seed);
  const connection = await machine.connect();
  await connection.ask("HELLO", version);
  await ask(connection, "SET s x");
  await ask(connection, "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania");
  for (const [command, expected] of cases) {
    assertEquals(await ask(connection, command), expected, command);
  }
}

Deno.test("geo commands: places, distances, hashes", async () => {
  await withPlaces(301, [
    ["GEOADD g NX 1 1 Palermo 180 85.05112878 corner", 1],
    ["GEOADD g XX CH 13.361389 38.115556 Palermo", 0],
    ["GEOPOS g Palermo corner none", [
      ["13.36138933897018433", "38.11555639549629859"],
      ["180", "85.0511287799999991"],
      null,
    ]],
    ["GEOPOS none a", [null]],
    ["GEOHASH g Palermo corner none", ["sqc8b49rny0", "bp05b5048p0", null]],
    ["GEODIST g Palermo Catania", "166274.1516"],
    ["GEODIST g Palermo Catania km", "166.2742"],
    ["GEODIST g Palermo Catania MI", "103.3182"],
    ["GEODIST g Palermo none", null],
    ["GEODIST none a b", null],
    ["ZSCORE g Catania", "3479447370796909"],
  ]);
});

Deno.test("geo commands: searches", async () => {
  await withPlaces(302, [
    ["GEORADIUS g 15 37 200 km", ["Palermo", "Catania"]],
    ["GEORADIUS g 15 37 200 km ASC", ["Catania", "Palermo"]],
    ["GEORADIUS g 15 37 200 km COUNT 1", ["Catania"]],
    ["GEORADIUS g 15 37 200 km ANY COUNT 1", ["Palermo"]],
    ["GEORADIUS g 15 37 200 km WITHCOORD WITHHASH WITHDIST DESC COUNT 1", [[
      "Palermo",
      "190.4424",
      3479099956230698,
      ["13.36138933897018433", "38.11555639549629859"],
    ]]],
    ["GEORADIUSBYMEMBER g Palermo 100 km", ["Palermo"]],
    ["GEORADIUSBYMEMBER_RO g Palermo 200 km ASC", ["Palermo", "Catania"]],
    ["GEORADIUSBYMEMBER none Palermo no km", []],
    ["GEOSEARCH g FROMMEMBER Palermo BYBOX 400 400 km ASC", ["Palermo", "Catania"]],
    ["GEOSEARCH g BYRADIUS 0 m FROMMEMBER Catania WITHDIST", [["Catania", "0.0000"]]],
    ["GEOSEARCH g FROMLONLAT 15 37 BYBOX inf inf km ASC", ["Catania", "Palermo"]],
    ["GEOSEARCH none FROMMEMBER none BYRADIUS 1 km", []],
    ["GEOSEARCHSTORE to g FROMLONLAT 15 37 BYRADIUS 200 km", 2],
    ["ZRANGE to 0 -1 WITHSCORES", [
      "Palermo",
      "3479099956230698",
      "Catania",
      "3479447370796909",
    ]],
    ["GEORADIUS g 15 37 200 km COUNT 1 STOREDIST to", 1],
    ["ZRANGE to 0 -1 WITHSCORES", ["Catania", "56.441257870158204"]],
    ["GEORADIUS none 15 37 200 km STORE to", 0],
    ["EXISTS to", 0],
  ]);
});

Deno.test("geo commands: errors, in the order in which Redis looks", async () => {
  const one = "-ERR exactly one of";
  await withPlaces(303, [
    ["GEOADD g 181.0078125 1 a", "-ERR invalid longitude,latitude pair 181.007812,1.000000"],
    ["GEOADD g inf 1 a", "-ERR invalid longitude,latitude pair inf,1.000000"],
    ["GEOADD s 1 x a", "-ERR value is not a valid float"],
    ["GEOADD s 1 1 a", WRONG_TYPE],
    ["GEOADD g 1 1 a 2 2", SYNTAX],
    ["GEOADD g NX XX 1 1 a", SYNTAX],
    ["GEODIST s a b foo", NO_UNIT],
    ["GEODIST g a b m x", SYNTAX],
    ["GEODIST s a b", WRONG_TYPE],
    ["GEORADIUS s 15 100 1 km", WRONG_TYPE],
    ["GEORADIUS none 15 37 x foo", "-ERR need numeric radius"],
    ["GEORADIUS none 15 37 -1 foo", "-ERR radius cannot be negative"],
    ["GEORADIUS none 15 37 1 foo", NO_UNIT],
    ["GEORADIUS g 15 37 200 km STORE", SYNTAX],
    ["GEORADIUS g 15 37 200 km STORE to WITHDIST", `-ERR STORE option in GEORADIUS ${DETAILS}`],
    ["GEORADIUS_RO g 15 37 200 km STORE to", SYNTAX],
    ["GEORADIUS g 15 37 200 km COUNT 0", "-ERR COUNT must be > 0"],
    ["GEORADIUS none 15 37 200 km ANY", ANY],
    ["GEORADIUSBYMEMBER g none x km", NO_MEMBER],
    ["GEOSEARCH g FROMMEMBER none FOO BYRADIUS 1 km", NO_MEMBER],
    ["GEOSEARCH g FOO FROMMEMBER none BYRADIUS 1 km", SYNTAX],
    ["GEOSEARCH g FROMLONLAT 1 1 FROMMEMBER Palermo BYRADIUS 1 km", SYNTAX],
    ["GEOSEARCH g FROMLONLAT 1 1 BYRADIUS 1 km BYBOX 1 1 km", SYNTAX],
    [
      "GeoSearch g ASC ASC ASC ASC ASC ASC",
      `${one} FROMMEMBER or FROMLONLAT can be specified for GeoSearch`,
    ],
    [
      "GEOSEARCH g FROMMEMBER Palermo ASC ASC ASC",
      `${one} BYRADIUS and BYBOX can be specified for GEOSEARCH`,
    ],
    ["GEOSEARCH none FROMMEMBER x BYBOX a 1 km", "-ERR need numeric width"],
    ["GEOSEARCH none FROMMEMBER x BYBOX 1 a km", "-ERR need numeric height"],
    ["GEOSEARCH none FROMMEMBER x BYBOX 1 -1 foo", "-ERR height or width cannot be negative"],
    ["GEOSEARCHSTORE to g WITHDIST ASC ASC ASC BYBOX 1 1 km", `-ERR GEOSEARCHSTORE ${DETAILS}`],
    ["GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST", SYNTAX],
    ["EXISTS to", 0],
  ]);
});

Deno.test("geo commands: coordinates are doubles in RESP3, distances are not", async () => {
  await using machine = await startMemoryServer(304);
  const connection = await machine.connect();
  await connection.ask("HELLO", "3");
  await ask(connection, "GEOADD g 13.361389 38.115556 Palermo");
  assertEquals(
    await connection.askRaw("GEOPOS", "g", "Palermo", "none"),
    "*2\r\n*2\r\n,13.36138933897018433\r\n,38.11555639549629859\r\n_\r\n",
  );
  assertEquals(
    await connection.askRaw(..."GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km WITHDIST".split(" ")),
    "*1\r\n*2\r\n$7\r\nPalermo\r\n$8\r\n190.4424\r\n",
  );
});
