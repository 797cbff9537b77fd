/**
 * How random commands on strings as rows of bits are made.
 *
 * @module
 */

import type { Values } from "../values.ts";
import type { RecipeTable } from "./recipe.ts";

const EDGES = [
  "0",
  "-1",
  "1",
  "7",
  "8",
  "-9223372036854775808",
  "-9223372036854775807",
  "9223372036854775807",
];
// deno-fmt-ignore
const OFFSETS = [
  "16777215", "16777216", "-1", "#", "#-1", "##1", "#4611686018427387904", "#2305843009213693953", "4294967296",
  "9223372036854775807", "#9223372036854775807", "99999999999999999999", " 1", "01", "524288", "524295",
];
// deno-fmt-ignore
const NO_TYPES = ["u64", "i65", "u0", "i0", "u", "i", "U8", "I8", "x8", "8", "", "u-1", "i+8", "u08", "i 8", "u99999999999"];
const VALUES = ["1", "-1", "127", "128", "-128", "-129", "255", "256", "4294967295", "-4294967296"];

/** A key that mostly holds bits. */
function bitKey(values: Values): string {
  return values.chance(0.75) ? `b${values.below(4)}` : values.key();
}

/** The position of a bit. */
function offset(values: Values, counted: boolean): string {
  if (values.chance(0.04)) return values.one(OFFSETS);
  const mark = counted && values.chance(0.3) ? "#" : "";
  return `${mark}${values.below(values.chance(0.8) ? 100 : 3000)}`;
}

/** An index into a row. */
function index(values: Values): string {
  if (values.chance(0.1)) return values.one(EDGES);
  return values.chance(0.05) ? values.integer() : String(values.below(120) - 60);
}

/** Both ends of a part, perhaps only the first one, perhaps with their unit. */
function range(values: Values, alone: boolean): string[] {
  const kind = values.below(alone ? 4 : 3);
  if (kind === 0) return [];
  if (kind === 3) return [index(values)];
  const unit = kind === 1 ? [] : [values.anyCase(values.one(["BIT", "BIT", "BYTE"]))];
  return [index(values), index(values), ...unit];
}

/** Type of a field: any width, the edges more often. */
function fieldType(values: Values): string {
  if (values.chance(0.01)) return values.one(NO_TYPES);
  const width = values.chance(0.5) ? 1 + values.below(63) : values.one([1, 8, 16, 31, 32, 33, 63]);
  if (values.chance(0.05)) return "i64";
  return `${values.one(["u", "i"])}${width}`;
}

function fieldValue(values: Values): string {
  const kind = values.below(5);
  if (kind === 0) return values.one(EDGES);
  if (kind === 1) return values.one(VALUES);
  if (kind === 2 && values.chance(0.3)) return values.integer();
  if (kind === 3) {
    return String(
      BigInt.asIntN(64, BigInt(Math.floor(values.random() * 2 ** 52)) << BigInt(values.below(13))),
    );
  }
  return String(values.below(600) - 300);
}

function fieldOperations(values: Values, readOnly: boolean): string[] {
  return values.some(0, 4, () => {
    const field = [fieldType(values), offset(values, true)];
    if (readOnly || values.chance(0.3)) return [values.anyCase("GET"), ...field];
    const kind = values.one(["WRAP", "SAT", "FAIL"]);
    const overflow = values.chance(0.5) ? ["OVERFLOW", values.anyCase(kind)] : [];
    return [
      ...overflow,
      values.anyCase(values.one(["SET", "INCRBY"])),
      ...field,
      fieldValue(values),
    ];
  }).flat();
}

function bit(values: Values): string {
  return values.chance(0.97) ? String(values.below(2)) : values.one(["2", "-1", "", "01", "a"]);
}

/** The family's recipes. */
export const BITMAP_RECIPES: RecipeTable = {
  "setbit": [15, (values) => [bitKey(values), offset(values, false), bit(values)]],
  "getbit": [8, (values) => [bitKey(values), offset(values, false)]],
  "bitcount": [10, (values) => [bitKey(values), ...range(values, false)]],
  "bitpos": [10, (values) => [bitKey(values), bit(values), ...range(values, true)]],
  "bitop": [
    8,
    (values) => {
      const operation = values.anyCase(values.one(["AND", "OR", "XOR", "NOT", "NOT"]));
      const sources = operation.toUpperCase() === "NOT" && values.chance(0.9)
        ? [bitKey(values)]
        : values.some(1, 4, () => bitKey(values));
      return [values.chance(0.98) ? operation : "NAND", bitKey(values), ...sources];
    },
  ],
  "bitfield": [25, (values) => [bitKey(values), ...fieldOperations(values, values.chance(0.1))]],
  "bitfield_ro": [5, (values) => [bitKey(values), ...fieldOperations(values, values.chance(0.95))]],
};
