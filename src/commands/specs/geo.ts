/**
 * The commands on places on earth, which are the scores of sorted sets.
 *
 * @module
 */

import { KEY, keyAt, keyBehind, word } from "./parts.ts";
import type { ArgumentSpec, CommandSpec } from "./types.ts";

/** Meters, kilometers, feet or miles. */
const UNIT = {
  name: "unit",
  type: "oneof",
  arguments: [word("M"), word("KM"), word("FT"), word("MI")],
} as const satisfies ArgumentSpec;

/** Where a search starts: at a place that has a name, or at a point. */
const CENTER = {
  name: "from",
  type: "oneof",
  arguments: [
    { name: "member", type: "string", token: "FROMMEMBER" },
    {
      name: "longitude_latitude",
      type: "block",
      token: "FROMLONLAT",
      arguments: [
        { name: "longitude", type: "double" },
        { name: "latitude", type: "double" },
      ],
    },
  ],
} as const satisfies ArgumentSpec;

/** How far a search goes. */
const AREA = {
  name: "by",
  type: "oneof",
  arguments: [
    {
      name: "circle",
      type: "block",
      arguments: [
        { name: "radius", type: "double", token: "BYRADIUS" },
        UNIT,
      ],
    },
    {
      name: "box",
      type: "block",
      arguments: [
        { name: "width", type: "double", token: "BYBOX" },
        { name: "height", type: "double" },
        UNIT,
      ],
    },
  ],
} as const satisfies ArgumentSpec;

/** The nearest place first, or the farthest. */
const ORDER = {
  name: "order",
  type: "oneof",
  flags: ["optional"],
  arguments: [word("ASC"), word("DESC")],
} as const satisfies ArgumentSpec;

/** How many places to return; any, or the nearest. */
const COUNT = {
  name: "count",
  type: "block",
  flags: ["optional"],
  arguments: [
    { name: "count", type: "integer", token: "COUNT" },
    { name: "any", type: "pure-token", token: "ANY", flags: ["optional"] },
  ],
} as const satisfies ArgumentSpec;

/** The same for the commands that are older than `ANY`. */
const RADIUS_COUNT = {
  name: "count",
  type: "block",
  flags: ["optional"],
  arguments: [
    { name: "count", type: "integer", token: "COUNT" },
    { name: "any", type: "pure-token", token: "ANY", since: "6.2.0", flags: ["optional"] },
  ],
} as const satisfies ArgumentSpec;

/** The commands on places on earth, which are the scores of sorted sets. */
export const GEO_SPECS = {
  geoadd: {
    summary: "Adds places with longitude, latitude and name to a sorted set.",
    since: "3.2.0",
    group: "geo",
    complexity: "O(log(N)) for each place, N being the number of members in the sorted set.",
    arity: -5,
    flags: ["write", "denyoom"],
    acl: ["write", "geo", "slow"],
    keys: [keyAt(1, ["RW", "update"])],
    history: [["6.2.0", "Options `CH`, `NX` and `XX`."]],
    arguments: [
      KEY,
      {
        name: "condition",
        type: "oneof",
        since: "6.2.0",
        flags: ["optional"],
        arguments: [word("NX"), word("XX")],
      },
      { name: "change", type: "pure-token", token: "CH", since: "6.2.0", flags: ["optional"] },
      {
        name: "longitude_latitude_member",
        type: "block",
        flags: ["multiple"],
        arguments: [
          { name: "longitude", type: "double" },
          { name: "latitude", type: "double" },
          { name: "member", type: "string" },
        ],
      },
    ],
  },
  geodist: {
    summary: "Returns how far two places are from one another.",
    since: "3.2.0",
    group: "geo",
    complexity: "O(log(N))",
    arity: -4,
    flags: ["readonly"],
    acl: ["read", "geo", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    arguments: [
      KEY,
      { name: "member1", type: "string" },
      { name: "member2", type: "string" },
      {
        name: "unit",
        type: "oneof",
        flags: ["optional"],
        arguments: [word("M"), word("KM"), word("FT"), word("MI")],
      },
    ],
  },
  geohash: {
    summary: "Returns the geohashes of places as strings.",
    since: "3.2.0",
    group: "geo",
    complexity: "O(log(N)) for each place, N being the number of members in the sorted set.",
    arity: -2,
    flags: ["readonly"],
    acl: ["read", "geo", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    arguments: [
      KEY,
      { name: "member", type: "string", flags: ["multiple"] },
    ],
  },
  geopos: {
    summary: "Returns longitude and latitude of places.",
    since: "3.2.0",
    group: "geo",
    complexity: "O(N), N being the number of places asked for.",
    arity: -2,
    flags: ["readonly"],
    acl: ["read", "geo", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    arguments: [
      KEY,
      { name: "member", type: "string", flags: ["multiple"] },
    ],
  },
  geosearch: {
    summary: "Returns the places within a circle or a box.",
    since: "6.2.0",
    group: "geo",
    complexity:
      "O(N+log(M)), N being the number of places in the grid cells around the area and M that of the places in the area.",
    arity: -7,
    flags: ["readonly"],
    acl: ["read", "geo", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    history: [["7.0.0", "Names of units in capital letters."]],
    arguments: [
      KEY,
      CENTER,
      AREA,
      ORDER,
      COUNT,
      { name: "withcoord", type: "pure-token", token: "WITHCOORD", flags: ["optional"] },
      { name: "withdist", type: "pure-token", token: "WITHDIST", flags: ["optional"] },
      { name: "withhash", type: "pure-token", token: "WITHHASH", flags: ["optional"] },
    ],
  },
  geosearchstore: {
    summary: "Stores the places within a circle or a box as a sorted set.",
    since: "6.2.0",
    group: "geo",
    complexity:
      "O(N+log(M)), N being the number of places in the grid cells around the area and M that of the places in the area.",
    arity: -8,
    flags: ["write", "denyoom"],
    acl: ["write", "geo", "slow"],
    keys: [keyAt(1, ["OW", "update"]), keyAt(2, ["RO", "access"])],
    history: [["7.0.0", "Names of units in capital letters."]],
    arguments: [
      { name: "destination", type: "key", keySpecIndex: 0 },
      { name: "source", type: "key", keySpecIndex: 1 },
      CENTER,
      AREA,
      ORDER,
      COUNT,
      { name: "storedist", type: "pure-token", token: "STOREDIST", flags: ["optional"] },
    ],
  },
  georadius: {
    summary: "Returns or stores the places around a point.",
    since: "3.2.0",
    group: "geo",
    complexity:
      "O(N+log(M)), N being the number of places in the box around the circle and M that of the places in the index.",
    arity: -6,
    flags: ["write", "denyoom", "movablekeys"],
    acl: ["write", "geo", "slow"],
    keys: [
      keyAt(1, ["RO", "access"]),
      keyBehind("STORE", 6, ["OW", "update"]),
      keyBehind("STOREDIST", 6, ["OW", "update"]),
    ],
    docFlags: ["deprecated"],
    deprecatedSince: "6.2.0",
    replacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with option `BYRADIUS`",
    history: [
      ["6.2.0", "Option `ANY` of `COUNT`."],
      ["7.0.0", "Names of units in capital letters."],
    ],
    arguments: [
      KEY,
      { name: "longitude", type: "double" },
      { name: "latitude", type: "double" },
      { name: "radius", type: "double" },
      UNIT,
      { name: "withcoord", type: "pure-token", token: "WITHCOORD", flags: ["optional"] },
      { name: "withdist", type: "pure-token", token: "WITHDIST", flags: ["optional"] },
      { name: "withhash", type: "pure-token", token: "WITHHASH", flags: ["optional"] },
      RADIUS_COUNT,
      ORDER,
      { name: "key", type: "key", keySpecIndex: 1, token: "STORE", flags: ["optional"] },
      { name: "key", type: "key", keySpecIndex: 2, token: "STOREDIST", flags: ["optional"] },
    ],
  },
  georadius_ro: {
    summary: "Returns the places around a point; a `GEORADIUS` that only reads.",
    since: "3.2.10",
    group: "geo",
    complexity:
      "O(N+log(M)), N being the number of places in the box around the circle and M that of the places in the index.",
    arity: -6,
    flags: ["readonly"],
    acl: ["read", "geo", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    docFlags: ["deprecated"],
    deprecatedSince: "6.2.0",
    replacedBy: "`GEOSEARCH` with option `BYRADIUS`",
    history: [["6.2.0", "Option `ANY` of `COUNT`."]],
    arguments: [
      KEY,
      { name: "longitude", type: "double" },
      { name: "latitude", type: "double" },
      { name: "radius", type: "double" },
      UNIT,
      { name: "withcoord", type: "pure-token", token: "WITHCOORD", flags: ["optional"] },
      { name: "withdist", type: "pure-token", token: "WITHDIST", flags: ["optional"] },
      { name: "withhash", type: "pure-token", token: "WITHHASH", flags: ["optional"] },
      RADIUS_COUNT,
      ORDER,
    ],
  },
  georadiusbymember: {
    summary: "Returns or stores the places around a place.",
    since: "3.2.0",
    group: "geo",
    complexity:
      "O(N+log(M)), N being the number of places in the box around the circle and M that of the places in the index.",
    arity: -5,
    flags: ["write", "denyoom", "movablekeys"],
    acl: ["write", "geo", "slow"],
    keys: [
      keyAt(1, ["RO", "access"]),
      keyBehind("STORE", 5, ["OW", "update"]),
      keyBehind("STOREDIST", 5, ["OW", "update"]),
    ],
    docFlags: ["deprecated"],
    deprecatedSince: "6.2.0",
    replacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with options `BYRADIUS` and `FROMMEMBER`",
    history: [["7.0.0", "Names of units in capital letters."]],
    arguments: [
      KEY,
      { name: "member", type: "string" },
      { name: "radius", type: "double" },
      UNIT,
      { name: "withcoord", type: "pure-token", token: "WITHCOORD", flags: ["optional"] },
      { name: "withdist", type: "pure-token", token: "WITHDIST", flags: ["optional"] },
      { name: "withhash", type: "pure-token", token: "WITHHASH", flags: ["optional"] },
      COUNT,
      ORDER,
      { name: "key", type: "key", keySpecIndex: 1, token: "STORE", flags: ["optional"] },
      { name: "key", type: "key", keySpecIndex: 2, token: "STOREDIST", flags: ["optional"] },
    ],
  },
  georadiusbymember_ro: {
    summary: "Returns the places around a place; a `GEORADIUSBYMEMBER` that only reads.",
    since: "3.2.10",
    group: "geo",
    complexity:
      "O(N+log(M)), N being the number of places in the box around the circle and M that of the places in the index.",
    arity: -5,
    flags: ["readonly"],
    acl: ["read", "geo", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    docFlags: ["deprecated"],
    deprecatedSince: "6.2.0",
    replacedBy: "`GEOSEARCH` with options `BYRADIUS` and `FROMMEMBER`",
    arguments: [
      KEY,
      { name: "member", type: "string" },
      { name: "radius", type: "double" },
      UNIT,
      { name: "withcoord", type: "pure-token", token: "WITHCOORD", flags: ["optional"] },
      { name: "withdist", type: "pure-token", token: "WITHDIST", flags: ["optional"] },
      { name: "withhash", type: "pure-token", token: "WITHHASH", flags: ["optional"] },
      COUNT,
      ORDER,
    ],
  },
} as const satisfies Record<string, CommandSpec>;
