/**
 * The commands on strings as rows of bits, and of integers of any width.
 *
 * @module
 */

import { KEY, keyAt, keysToEnd, word } from "./parts.ts";
import type { ArgumentSpec, CommandSpec } from "./types.ts";

/** Whether indexes count bytes or bits. */
const INDEX_UNIT: ArgumentSpec = {
  name: "index_unit",
  type: "oneof",
  since: "7.0.0",
  flags: ["optional"],
  arguments: [word("BYTE"), word("BIT")],
};

/** Type and place of an integer among the bits. */
const FIELD: readonly ArgumentSpec[] = [
  { name: "encoding", type: "string" },
  { name: "offset", type: "integer" },
];

/** The commands on strings as rows of bits, and of integers of any width. */
export const BITMAP_SPECS = {
  setbit: {
    summary: "Sets or clears one bit of a string, which grows as needed.",
    since: "2.2.0",
    group: "bitmap",
    complexity: "O(1)",
    arity: 4,
    flags: ["write", "denyoom"],
    acl: ["write", "bitmap", "slow"],
    keys: [keyAt(1, ["RW", "access", "update"])],
    arguments: [KEY, { name: "offset", type: "integer" }, { name: "value", type: "integer" }],
  },
  getbit: {
    summary: "Returns one bit of a string.",
    since: "2.2.0",
    group: "bitmap",
    complexity: "O(1)",
    arity: 3,
    flags: ["readonly", "fast"],
    acl: ["read", "bitmap", "fast"],
    keys: [keyAt(1, ["RO", "access"])],
    arguments: [KEY, { name: "offset", type: "integer" }],
  },
  bitcount: {
    summary: "Counts the bits that are set in a string or in a part of it.",
    since: "2.6.0",
    group: "bitmap",
    complexity: "O(N), N being the length of the part in bytes.",
    arity: -2,
    flags: ["readonly"],
    acl: ["read", "bitmap", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    history: [["7.0.0", "Options `BYTE` and `BIT`."]],
    arguments: [
      KEY,
      {
        name: "index",
        type: "block",
        flags: ["optional"],
        arguments: [
          { name: "start", type: "integer" },
          { name: "end", type: "integer" },
          INDEX_UNIT,
        ],
      },
    ],
  },
  bitpos: {
    summary: "Finds the first bit that is set, or the first that is clear.",
    since: "2.8.7",
    group: "bitmap",
    complexity: "O(N), N being the length of the part searched, in bytes.",
    arity: -3,
    flags: ["readonly"],
    acl: ["read", "bitmap", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    history: [["7.0.0", "Options `BYTE` and `BIT`."]],
    arguments: [
      KEY,
      { name: "bit", type: "integer" },
      {
        name: "index",
        type: "block",
        flags: ["optional"],
        arguments: [
          { name: "start", type: "integer" },
          {
            name: "end_index",
            type: "block",
            flags: ["optional"],
            arguments: [{ name: "end", type: "integer" }, INDEX_UNIT],
          },
        ],
      },
    ],
  },
  bitop: {
    summary: "Combines strings bit by bit and stores the result at a key.",
    since: "2.6.0",
    group: "bitmap",
    complexity: "O(N), N being the length of the longest string.",
    arity: -4,
    flags: ["write", "denyoom"],
    acl: ["write", "bitmap", "slow"],
    keys: [keyAt(2, ["OW", "update"]), keysToEnd(3, 1, ["RO", "access"])],
    arguments: [
      { name: "operation", type: "string" },
      { name: "destkey", type: "key", keySpecIndex: 0 },
      { name: "key", type: "key", keySpecIndex: 1, flags: ["multiple"] },
    ],
  },
  bitfield: {
    summary: "Reads, sets and adds to integers of any width among the bits of a string.",
    since: "3.2.0",
    group: "bitmap",
    complexity: "O(1) for each operation.",
    arity: -2,
    flags: ["write", "denyoom"],
    acl: ["write", "bitmap", "slow"],
    keys: [{
      ...keyAt(1, ["RW", "access", "update", "variable_flags"]),
      notes: "Changes nothing when all operations are `GET`",
    }],
    keyRule: "bitfield",
    arguments: [
      KEY,
      {
        name: "operation",
        type: "oneof",
        flags: ["optional", "multiple"],
        arguments: [
          { name: "encoding_offset", type: "block", token: "GET", arguments: FIELD },
          {
            name: "write",
            type: "block",
            arguments: [
              {
                name: "wrap_sat_fail",
                type: "oneof",
                token: "OVERFLOW",
                flags: ["optional"],
                arguments: [word("WRAP"), word("SAT"), word("FAIL")],
              },
              {
                name: "write_operation",
                type: "oneof",
                arguments: [
                  {
                    name: "encoding_offset_value",
                    type: "block",
                    token: "SET",
                    arguments: [...FIELD, { name: "value", type: "integer" }],
                  },
                  {
                    name: "encoding_offset_increment",
                    type: "block",
                    token: "INCRBY",
                    arguments: [...FIELD, { name: "increment", type: "integer" }],
                  },
                ],
              },
            ],
          },
        ],
      },
    ],
  },
  bitfield_ro: {
    summary: "Reads integers of any width among the bits of a string.",
    since: "6.0.0",
    group: "bitmap",
    complexity: "O(1) for each operation.",
    arity: -2,
    flags: ["readonly", "fast"],
    acl: ["read", "bitmap", "fast"],
    keys: [keyAt(1, ["RO", "access"])],
    arguments: [
      KEY,
      {
        name: "encoding_offset",
        type: "block",
        token: "GET",
        flags: ["optional", "multiple", "multiple_token"],
        arguments: FIELD,
      },
    ],
  },
} as const satisfies Record<string, CommandSpec>;
