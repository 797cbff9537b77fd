/**
 * Whether what a server shows after a crash is what one writer's commands may have left.
 *
 * The writer's commands are done again, one by one, on the state that was there before. After each
 * of them the model either is what the server shows or not; if it is after the first N commands,
 * then exactly those have survived. One N must do for all keys of the writer at once: with that,
 * no command can be missing in the middle, no transaction be there by half, and nothing be there
 * that wasn't sent. N has a floor, what the server has promised to keep.
 *
 * So that this costs little, only the keys that a command touches are compared again, and the
 * number of those that differ is kept. Commands that change nothing, or what a later one
 * overwrites, can't be told from commands that are missing; nobody can ask the server for them
 * either.
 *
 * @module
 */

import { applyOperation, touchedKeys } from "./effects.ts";
import { copyStates, describeState, type KeyStates, mayShow } from "./key_state.ts";
import { describeOperation, type Operation } from "./operation.ts";

/** What is known of one writer before the server is looked at. */
export interface Evidence {
  /** What the server showed when the writer began. */
  readonly base: KeyStates;
  /** What the writer sent since, in order. */
  readonly operations: readonly Operation[];
  /** How many of the operations the server has promised to keep. */
  readonly floor: number;
  /** When the server was killed, in milliseconds of the wall clock. */
  readonly killedMs: number;
}

/** What a server shows. */
export interface Shown {
  /** The keys of this writer. */
  readonly states: KeyStates;
  /** When the last of them was read. */
  readonly readMs: number;
}

/** What came out. */
export interface Verdict {
  /** How many of the operations have survived; as many as possible, if several numbers fit. */
  readonly survived: number;
  /** What is wrong, or undefined if nothing is. */
  readonly fault: string | undefined;
}

/** Finds how many of a writer's operations have survived, or what is wrong. */
export function checkWriter(evidence: Evidence, shown: Shown): Verdict {
  const { operations, floor } = evidence;
  let survived = -1;
  let wrongAnswer: string | undefined;
  replay(evidence, shown, (count, differing, wrong) => {
    if (differing === 0) survived = count;
    if (wrong !== undefined) {
      wrongAnswer ??= `${wrong} (${describeOperation(operations[count - 1])})`;
    }
  });
  if (wrongAnswer !== undefined) {
    return { survived: Math.max(0, survived), fault: `before the kill, ${wrongAnswer}` };
  }
  if (survived >= floor) return { survived, fault: undefined };
  if (survived >= 0) {
    return {
      survived,
      fault: `lost ${floor - survived} operations that had to be kept: ` +
        `${survived} of ${operations.length} are there, ${floor} were promised; ` +
        `the first one lost is ${describeOperation(operations[survived])}`,
    };
  }
  return { survived: 0, fault: explain(evidence, shown) };
}

/** Does the operations again and tells, before the first and after each, how many keys differ. */
function replay(
  { base, operations, killedMs }: Evidence,
  { states: observed, readMs }: Shown,
  told: (count: number, differing: number, wrongAnswer: string | undefined) => void,
): void {
  const states = copyStates(base);
  const differing = new Set<string>();
  const compare = (key: string) => {
    if (mayShow(states.get(key), observed.get(key), readMs)) differing.delete(key);
    else differing.add(key);
  };
  for (const key of states.keys()) compare(key);
  for (const key of observed.keys()) compare(key);
  told(0, differing.size, undefined);
  for (const [index, operation] of operations.entries()) {
    const wrongAnswer = applyOperation(states, operation, killedMs);
    for (const key of touchedKeys(operation)) compare(key);
    told(index + 1, differing.size, wrongAnswer);
  }
}

/** After how many operations a key, looked at alone, is as the server shows it. */
interface Fit {
  readonly key: string;
  first: number | undefined;
  last: number;
}

/** Says what is wrong where no number of operations gives all that is shown. */
function explain(evidence: Evidence, shown: Shown): string {
  const { operations } = evidence;
  const fits = fitsOfKeys(evidence, shown);
  const impossible = fits.filter(({ first }) => first === undefined).map(({ key }) => key);
  if (impossible.length > 0) {
    const [key, ...others] = impossible;
    return `nothing that was sent leaves ${key} as it is: ${
      describeState(shown.states.get(key))
    }; it was ${describeState(evidence.base.get(key))} before these ${operations.length} ` +
      `operations and would be ${describeState(finalStates(evidence).get(key))} after them` +
      (others.length > 0 ? ` (also ${others.join(", ")})` : "");
  }
  const late = fits.reduce((a, b) => b.first! > a.first! ? b : a);
  const early = fits.reduce((a, b) => b.last < a.last ? b : a);
  if (late.first! <= early.last) {
    return `no number of operations fits all keys, though one fits each; between ${early.last} ` +
      `(${early.key}) and ${late.first} (${late.key})`;
  }
  return `a hole, or something twice: ${late.key} has ${
    describeOperation(operations[late.first! - 1])
  }, ` +
    `but ${early.key} lacks what was sent before it, ${describeOperation(operations[early.last])}`;
}

/** Looks at each key alone. A key goes on fitting, or not, until a command touches it. */
function fitsOfKeys({ base, operations, killedMs }: Evidence, { states, readMs }: Shown): Fit[] {
  const model = copyStates(base);
  const fits = new Map<string, Fit>();
  const fitting = new Set<string>();
  const look = (key: string, count: number) => {
    const fit = fits.get(key)!;
    if (fitting.delete(key)) fit.last = count - 1;
    if (!mayShow(model.get(key), states.get(key), readMs)) return;
    fit.first ??= count;
    fitting.add(key);
  };
  for (const key of [...base.keys(), ...operations.flatMap(touchedKeys), ...states.keys()]) {
    fits.set(key, { key, first: undefined, last: 0 });
  }
  for (const key of fits.keys()) look(key, 0);
  for (const [index, operation] of operations.entries()) {
    applyOperation(model, operation, killedMs);
    for (const key of new Set(touchedKeys(operation))) look(key, index + 1);
  }
  for (const key of fitting) fits.get(key)!.last = operations.length;
  return [...fits.values()];
}

function finalStates({ base, operations, killedMs }: Evidence): KeyStates {
  const states = copyStates(base);
  for (const operation of operations) applyOperation(states, operation, killedMs);
  return states;
}
