/**
 * How random DUMPs and RESTOREs are made.
 *
 * A payload that one server made can't go to the other within a stream, so RESTORE gets payloads that are made here: mostly
 * whole ones, of a string as it is, of an integer, or of a collection in any form. Those that DUMP makes are compared byte for byte.
 *
 * @module
 */

import { latin1Text } from "../../../src/client/quoting.ts";
import { restorePayload } from "../../support/restore_payload.ts";
import {
  intsetBody,
  quicklistBody,
  RDB_BODIES,
  type Scored,
  sortedSetBody,
} from "../../support/rdb_bodies.ts";
import type { Values } from "../values.ts";
import { key, type RecipeTable } from "./recipe.ts";

/** Short texts that are all different. */
function texts(values: Values): string[] {
  return [...new Set(values.some(1, 12, () => values.element()))].filter(({ length }) =>
    length < 5000
  );
}

/** As many again, each behind one of them. */
function pairs(values: Values): string[] {
  return texts(values).flatMap((field) => [field, values.element().slice(0, 300)]);
}

/** Members in the order of their scores and then of their bytes. */
function scored(values: Values): Scored {
  return texts(values).map((member) => [member, values.below(8) - 2] as const).sort(
    ([member, score], [other, otherScore]) => score - otherScore || (member < other ? -1 : 1),
  );
}

/** A collection in one of the forms that Redis reads. */
function collectionBody(values: Values): string {
  const kind = values.below(7);
  if (kind === 0) {
    const from = values.below(5) - 3;
    const integers = Array.from({ length: 1 + values.below(20) }, (_, index) => from + index * 7);
    return intsetBody(integers, values.one([2, 4, 8]));
  }
  if (kind === 1) return sortedSetBody(values.one([3, 5, 12, 17]), scored(values));
  if (kind === 2) return quicklistBody(values.some(1, 3, () => texts(values)), values.chance(0.5));
  const form = values.one(Object.keys(RDB_BODIES) as (keyof typeof RDB_BODIES)[]);
  return RDB_BODIES[form](form.startsWith("hash") ? pairs(values) : texts(values));
}

/** A byte a character; the value as it is, with a footer. */
function payload(values: Values): string {
  const kind = values.random();
  let body = `\x00\xc0${String.fromCharCode(values.below(256))}`;
  if (kind < 0.5) body = collectionBody(values);
  else if (kind < 0.7) {
    const text = values.value();
    const { length } = text;
    body =
      `\x00\x80\x00${String.fromCharCode(length >>> 16, (length >>> 8) & 0xff, length & 0xff)}` +
      text;
  } else if (kind < 0.75) body = `\x00${values.text()}`;
  else if (kind < 0.8) body = `\x00\xc3${values.text()}`;
  const bytes = Uint8Array.from(body, (character) => character.charCodeAt(0));
  const whole = latin1Text(restorePayload(bytes, values.chance(0.97) ? 10 : 11));
  return values.chance(0.97) ? whole : whole.replace(/.$/s, "x");
}

function restoreOptions(values: Values): string[] {
  return values.some(0, 2, () =>
    values.one([
      ["REPLACE"],
      ["replace"],
      ["REPLACE"],
      ["IDLETIME", values.integer()],
      ["FREQ", values.integer()],
      ["FOO"],
    ])).flat();
}

function restore(values: Values): string[] {
  const absolute = values.chance(0.4);
  const time = values.chance(0.4) ? "0" : values.time(absolute ? "PXAT" : "PX");
  return [
    values.key(),
    time,
    payload(values),
    ...(absolute ? ["ABSTTL"] : []),
    ...restoreOptions(values),
  ];
}

/** The family's recipes. */
export const PERSISTENCE_RECIPES: RecipeTable = {
  "dump": [5, key],
  "restore": [10, restore],
};
