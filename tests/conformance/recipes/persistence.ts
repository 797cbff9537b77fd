/**
 * How random DUMPs and RESTOREs are made.
 *
 * A payload that one server made can't go to the other within a stream, so RESTORE gets payloads that are made here: mostly
 * whole ones, of a string as it is or of an integer. Those that DUMP makes are compared byte for byte.
 *
 * @module
 */

import { latin1Text } from "../../../src/client/quoting.ts";
import { restorePayload } from "../../support/restore_payload.ts";
import type { Values } from "../values.ts";
import { key, type RecipeTable } from "./recipe.ts";

/** A byte a character; the value as it is, with a footer. */
function payload(values: Values): string {
  const kind = values.random();
  let body = `\x00\xc0${String.fromCharCode(values.below(256))}`;
  if (kind < 0.7) {
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
  "restore": [5, restore],
};
