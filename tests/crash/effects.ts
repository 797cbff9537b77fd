/**
 * What each command of the load does to its keys: the model that a server is compared with.
 *
 * It knows only what the load sends, and takes from a reply only what nobody could foretell: the
 * member that SPOP took and the id that XADD gave.
 *
 * @module
 */

import { type Expiry, type KeyStates, type Value } from "./key_state.ts";
import type { Answer, Operation } from "./operation.ts";

/** What a command has besides its words. */
interface Context {
  readonly states: KeyStates;
  /** The reply, or undefined if none came. */
  readonly answer: Answer | undefined;
  /** When the server read the command. */
  readonly moment: Expiry;
}

/** Changes the states; gives the reply that is to be expected, or undefined where any may come. */
type Effect = (context: Context, key: string, args: readonly string[]) => Answer | undefined;

type ValueOf<K extends Value["kind"]> = Extract<Value, { kind: K }>;

/** The value of a key, made by `empty` if there is none. */
function open<K extends Value["kind"]>(
  { states }: Context,
  key: string,
  empty: ValueOf<K>,
): ValueOf<K> {
  const state = states.get(key);
  if (state === undefined) {
    states.set(key, { value: empty, expiry: undefined });
    return empty;
  }
  if (state.value.kind !== empty.kind) throw new Error(`${key} is a ${state.value.kind}`);
  return state.value as ValueOf<K>;
}

function openList(context: Context, key: string): string[] {
  return open(context, key, { kind: "list", items: [] }).items;
}

/** A collection that has lost its last member is no key. */
function dropIf(empty: boolean, { states }: Context, key: string): void {
  if (empty) states.delete(key);
}

function inMs(moment: Expiry, lifeMs: number): Expiry {
  return { earliestMs: moment.earliestMs + lifeMs, latestMs: moment.latestMs + lifeMs };
}

const effects: Readonly<Record<string, Effect>> = {
  SET({ states, moment }, key, [text, unit, life]) {
    const expiry = unit === "PX" ? inMs(moment, Number(life)) : undefined;
    states.set(key, { value: { kind: "string", text }, expiry });
    return "OK";
  },
  APPEND(context, key, [text]) {
    const value = open(context, key, { kind: "string", text: "" });
    value.text += text;
    return undefined;
  },
  INCR(context, key) {
    const value = open(context, key, { kind: "string", text: "0" });
    value.text = String(Number(value.text) + 1);
    return Number(value.text);
  },
  RPUSH(context, key, texts) {
    return openList(context, key).push(...texts);
  },
  LPOP(context, key) {
    const items = openList(context, key);
    const item = items.shift() ?? null;
    dropIf(items.length === 0, context, key);
    return item;
  },
  LMOVE(context, source, [destination]) {
    const from = openList(context, source);
    const item = from.shift() ?? null;
    dropIf(from.length === 0, context, source);
    if (item !== null) openList(context, destination).push(item);
    return item;
  },
  LTRIM(context, key, [start]) {
    const items = openList(context, key);
    items.splice(0, Math.max(0, items.length + Number(start)));
    dropIf(items.length === 0, context, key);
    return "OK";
  },
  HSET(context, key, [field, text]) {
    const { fields } = open(context, key, { kind: "hash", fields: new Map() });
    const added = fields.has(field) ? 0 : 1;
    fields.set(field, text);
    return added;
  },
  HDEL(context, key, [field]) {
    const { fields } = open(context, key, { kind: "hash", fields: new Map() });
    const removed = fields.delete(field) ? 1 : 0;
    dropIf(fields.size === 0, context, key);
    return removed;
  },
  ZADD(context, key, [score, member]) {
    const { scores } = open(context, key, { kind: "sorted set", scores: new Map() });
    const added = scores.has(member) ? 0 : 1;
    scores.set(member, Number(score));
    return added;
  },
  ZREM(context, key, [member]) {
    const { scores } = open(context, key, { kind: "sorted set", scores: new Map() });
    const removed = scores.delete(member) ? 1 : 0;
    dropIf(scores.size === 0, context, key);
    return removed;
  },
  SADD(context, key, [member]) {
    // The load adds each member once only, so that none can be back after an SPOP took it.
    open(context, key, { kind: "set", pool: new Set(), gone: 0 }).pool.add(member);
    return 1;
  },
  SPOP(context, key) {
    const set = open(context, key, { kind: "set", pool: new Set(), gone: 0 });
    const { answer } = context;
    let foretold: Answer | undefined;
    if (set.pool.size === set.gone) foretold = null;
    else if (answer === undefined) set.gone++;
    else if (typeof answer !== "string" || !set.pool.delete(answer)) {
      foretold = "one of its members";
    }
    dropIf(set.pool.size === set.gone, context, key);
    return foretold;
  },
  XADD(context, key, [, limit, , field, text]) {
    const { entries } = open(context, key, { kind: "stream", entries: [] });
    const { answer } = context;
    entries.push({ id: typeof answer === "string" ? answer : undefined, text: `${field} ${text}` });
    if (entries.length > Number(limit)) entries.shift();
    return undefined;
  },
  DEL({ states }, key) {
    return states.delete(key) ? 1 : 0;
  },
  EXPIRE({ states, moment }, key, [seconds]) {
    const state = states.get(key);
    if (state === undefined) return 0;
    state.expiry = inMs(moment, Number(seconds) * 1000);
    return 1;
  },
  PERSIST({ states }, key) {
    const state = states.get(key);
    if (state?.expiry === undefined) return 0;
    state.expiry = undefined;
    return 1;
  },
};

/**
 * Does to the states what an operation does to the server's keys.
 *
 * @param latestMs When the server had read it at the latest, if no reply told.
 * @returns Which answer was wrong, or undefined if what came is what the model expects.
 */
export function applyOperation(
  states: KeyStates,
  operation: Operation,
  latestMs: number,
): string | undefined {
  let wrong: string | undefined;
  const moment = {
    earliestMs: operation.sentMs,
    latestMs: operation.acknowledgedMs ?? latestMs,
  };
  for (const [index, [name, key, ...args]] of operation.commands.entries()) {
    const answer = operation.answers?.[index];
    const expected = effects[name]({ states, answer, moment }, key, args);
    if (answer !== undefined && expected !== undefined && answer !== expected) {
      wrong ??= `${name} ${key} was answered with ${JSON.stringify(answer)}, ` +
        `not with ${JSON.stringify(expected)}`;
    }
  }
  return wrong;
}

/** The keys that an operation may change. */
export function touchedKeys({ commands }: Operation): string[] {
  const keys: string[] = [];
  for (const [name, key, second] of commands) {
    keys.push(key);
    if (name === "LMOVE") keys.push(second);
  }
  return keys;
}
