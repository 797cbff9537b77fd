/**
 * Handlers of the HyperLogLog commands; their descriptions are in `specs/hyperloglog.ts`, and how a
 * HyperLogLog works is told in `memory/hyperloglog.ts`.
 *
 * @module
 */
import { removeEntry } from "../keyspace/keyspace.ts";
import { editString, locateString, openString, setRawString } from "../keyspace/string_editing.ts";
import { EXPIRY_NONE } from "../keyspace/strings.ts";
import { estimateCardinality, estimateFromRegisters } from "../memory/cardinality.ts";
import {
  CORRUPT,
  denseRegister,
  describeSparse,
  emptySparse,
  estimateHalf,
  forgetEstimate,
  hasEstimate,
  HEADER_BYTES,
  isDense,
  isHyperLogLog,
  mergeRegisters,
  rankOf,
  registerOf,
  REGISTERS,
  writeEstimate,
} from "../memory/hyperloglog.ts";
import { murmurHash } from "../memory/murmur.ts";
import type { Context, Handler } from "./context.ts";
import { HyperLogLogEditor } from "./hyperloglog_editor.ts";
import { selfTest } from "./hyperloglog_self_test.ts";
import type { HYPERLOGLOG_SPECS } from "./specs/hyperloglog.ts";
import type { HandlersFor } from "./specs/types.ts";
import { findString, findStringToChange } from "./string_arguments.ts";

const NOT_ONE = "WRONGTYPE Key is not a valid HyperLogLog string value.";
const CORRUPTED = "INVALIDOBJ Corrupted HLL object detected";
const TWO_32 = 4294967296;
const TWO_63 = 9223372036854775808;

/**
 * The entry of the key in argument `index`, 0 if there is none, with its string at `context.place`;
 * `undefined`, after an error, if its value isn't a HyperLogLog.
 */
function findHyperLogLog(context: Context, index: number, toChange: boolean): number | undefined {
  const entry = toChange ? findStringToChange(context, index) : findString(context, index);
  if (entry === undefined || entry === 0) return entry;
  locateString(context.keyspace, entry, context.scratch, context.place);
  if (isHyperLogLog(context.place)) return entry;
  context.reply.error(NOT_ONE);
  return undefined;
}

/**
 * Runs `work` on the HyperLogLog in `entry`, or on a new one for the key in argument 1, and notes the change;
 * `work` says how many changes there were. Replies with an error, and gives `undefined`, if that is -1.
 */
function change(
  context: Context,
  entry: number,
  work: (editor: HyperLogLogEditor) => number,
): number | undefined {
  const { keyspace, database, view, starts, lengths } = context;
  const made = entry === 0;
  if (made) {
    const empty = emptySparse();
    entry = setRawString(database, 0, view, starts[1], lengths[1], empty, EXPIRY_NONE);
  }
  const editor = new HyperLogLogEditor(context, entry, 1);
  let changes = 0;
  try {
    editor.open();
    changes = work(editor);
  } catch (error) {
    // There is no room. A key that wasn't there goes; what another has seen already stays.
    if (made) removeEntry(database, keyspace.hash, editor.entry);
    else if (editor.raised > 0) noteChanges(context, editor.raised);
    throw error;
  }
  if (changes < 0) {
    context.reply.error(CORRUPTED);
    if (editor.raised > 0) {
      forgetEstimate(context.place);
      // Redis tells nobody of what came before; but who repeats the data must have the same bytes.
      context.effect(() => context.allArguments());
    }
    return undefined;
  }
  if (made) changes++;
  if (changes > 0) noteChanges(context, changes);
  return changes;
}

function noteChanges(context: Context, changes: number): void {
  forgetEstimate(context.place);
  context.changed(1, "pfadd");
  context.keyspace.dirty += changes - 1;
}

function pfadd(context: Context): void {
  const found = findHyperLogLog(context, 1, true);
  if (found === undefined) return;
  const changes = change(context, found, (editor) => {
    const { view, starts, lengths, number } = context;
    for (let index = 2; index < context.argc; index++) {
      murmurHash(view, starts[index], lengths[index], number);
      const outcome = editor.raise(registerOf(number), rankOf(number));
      if (outcome === CORRUPT) return -1;
    }
    return editor.raised;
  });
  if (changes !== undefined) context.reply.integer(changes > 0 ? 1 : 0);
}

function pfcount(context: Context): void {
  if (context.argc > 2) return countTogether(context);
  const { keyspace, database, place, reply, scratch } = context;
  let entry = findHyperLogLog(context, 1, false);
  if (entry === undefined) return;
  if (entry === 0) return reply.integer(0);
  entry = openString(database, entry, 0, scratch);
  editString(keyspace, entry, 0, HEADER_BYTES, place);
  if (!hasEstimate(place)) {
    const estimate = estimateCardinality(place);
    if (estimate === undefined) return reply.error(CORRUPTED);
    writeEstimate(place, highHalf(estimate), lowHalf(estimate));
    context.touched(1);
  }
  reply.integer64(estimateHalf(place, true), estimateHalf(place, false));
}

/** PFCOUNT of several keys, whose values stay as they are. */
function countTogether(context: Context): void {
  const registers = new Uint8Array(REGISTERS);
  for (let index = 1; index < context.argc; index++) {
    const entry = findHyperLogLog(context, index, false);
    if (entry === undefined) return;
    if (entry !== 0 && !mergeRegisters(context.place, registers)) {
      return context.reply.error(CORRUPTED);
    }
  }
  const estimate = estimateFromRegisters(registers);
  context.reply.integer64(highHalf(estimate), lowHalf(estimate));
}

/** The upper half of an estimate; one beyond all numbers, from registers that no hash gives, is C's. */
function highHalf(estimate: number): number {
  return estimate < TWO_63 ? Math.floor(estimate / TWO_32) | 0 : -0x80000000;
}

function lowHalf(estimate: number): number {
  return estimate < TWO_63 ? (estimate % TWO_32) | 0 : 0;
}

function pfmerge(context: Context): void {
  const registers = new Uint8Array(REGISTERS);
  let dense = false;
  for (let index = 1; index < context.argc; index++) {
    const entry = findHyperLogLog(context, index, false);
    if (entry === undefined) return;
    if (entry === 0) continue;
    dense ||= isDense(context.place);
    if (!mergeRegisters(context.place, registers)) return context.reply.error(CORRUPTED);
  }
  const target = context.findForWriting(1);
  const changes = change(context, target, (editor) => {
    if (dense && !editor.makeDense()) return -1;
    editor.raiseAll(registers);
    // The command counts as one change even if everything was known; a key that it makes is one already.
    return target === 0 ? 0 : 1;
  });
  if (changes !== undefined) context.reply.simple("OK");
}

function pfdebug(context: Context): void {
  const { reply, place } = context;
  const entry = findStringToChange(context, 2);
  if (entry === undefined) return;
  if (entry === 0) return reply.error("ERR The specified key does not exist");
  locateString(context.keyspace, entry, context.scratch, place);
  if (!isHyperLogLog(place)) return reply.error(NOT_ONE);
  const editor = new HyperLogLogEditor(context, entry, 2);
  editor.open();
  const sparse = !isDense(place);
  if (context.isWord(1, "ENCODING")) return reply.simple(sparse ? "sparse" : "dense");
  if (context.isWord(1, "DECODE")) {
    if (sparse) return reply.bulk(describeSparse(place));
    return reply.error("ERR HLL encoding is not sparse");
  }
  const toDense = context.isWord(1, "TODENSE");
  if (!toDense && !context.isWord(1, "GETREG")) {
    return reply.error(`ERR Unknown PFDEBUG subcommand '${context.quoted(1)}'`);
  }
  if (sparse) {
    if (!editor.makeDense()) return reply.error(CORRUPTED);
    context.touched(2);
  }
  if (toDense) return reply.integer(sparse ? 1 : 0);
  reply.array(REGISTERS);
  for (let index = 0; index < REGISTERS; index++) reply.integer(denseRegister(place, index));
}

function pfselftest(context: Context): void {
  const failure = selfTest(context.random);
  if (failure === undefined) context.reply.simple("OK");
  else context.reply.error(`TESTFAILED ${failure}`);
}

/** The handlers of the HyperLogLog commands. */
export const HYPERLOGLOG_HANDLERS: HandlersFor<typeof HYPERLOGLOG_SPECS, Handler> = {
  pfadd,
  pfcount,
  pfmerge,
  pfdebug,
  pfselftest,
};
