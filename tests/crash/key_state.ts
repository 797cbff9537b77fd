/**
 * What a key holds, as far as the harness can know it, and whether what a server shows is that.
 *
 * Two things aren't known exactly while a command has no reply: which member an SPOP took, and at
 * which millisecond the server read an EXPIRE. So a set may have members that are gone without
 * anybody knowing which, an entry of a stream may have an unknown id, and a time to live is a
 * window. What was read from a server is the same type with nothing unknown in it.
 *
 * @module
 */

/** A value of one of the six types. */
export type Value =
  | { readonly kind: "string"; text: string }
  | { readonly kind: "list"; items: string[] }
  | { readonly kind: "hash"; fields: Map<string, string> }
  | { readonly kind: "sorted set"; scores: Map<string, number> }
  | {
    readonly kind: "set";
    pool: Set<string>;
    /** How many of the pool's members are gone, though nobody knows which. */
    gone: number;
  }
  | { readonly kind: "stream"; entries: StreamEntry[] };

/** An entry of a stream. */
export interface StreamEntry {
  /** Its id, if the reply that told it arrived. */
  readonly id: string | undefined;
  /** Its only field and the value. */
  readonly text: string;
}

/** When a key ends, in milliseconds of the wall clock. */
export interface Expiry {
  /** Not before this. */
  readonly earliestMs: number;
  /** Not after this. */
  readonly latestMs: number;
}

/** A key's value and time to live. */
export interface KeyState {
  /** The value. */
  value: Value;
  /** When it ends, or undefined if it stays. */
  expiry: Expiry | undefined;
}

/** The keys of one writer. */
export type KeyStates = Map<string, KeyState>;

/**
 * What the server's clock may differ from ours when it reads a time to live: it may have read its
 * clock some commands ago.
 */
const CLOCK_SLACK_MS = 25;

/** A copy that shares nothing that changes. */
export function copyStates(states: KeyStates): KeyStates {
  const copy: KeyStates = new Map();
  for (const [key, { value, expiry }] of states) {
    copy.set(key, { value: copyValue(value), expiry });
  }
  return copy;
}

function copyValue(value: Value): Value {
  switch (value.kind) {
    case "string":
      return { ...value };
    case "list":
      return { kind: "list", items: [...value.items] };
    case "hash":
      return { kind: "hash", fields: new Map(value.fields) };
    case "sorted set":
      return { kind: "sorted set", scores: new Map(value.scores) };
    case "set":
      return { kind: "set", pool: new Set(value.pool), gone: value.gone };
    case "stream":
      return { kind: "stream", entries: [...value.entries] };
  }
}

/**
 * Whether a server may show `observed` where the model says `expected`.
 *
 * @param momentMs When the server was read, at the latest: a key that may have ended by then may be
 * there or not.
 */
export function mayShow(
  expected: KeyState | undefined,
  observed: KeyState | undefined,
  momentMs: number,
): boolean {
  if (expected === undefined) return observed === undefined;
  if (observed === undefined) return mayHaveEnded(expected, momentMs);
  return sameExpiry(expected.expiry, observed.expiry) && sameValue(expected.value, observed.value);
}

/** Whether the key's time to live may have run out by this moment. */
export function mayHaveEnded(state: KeyState, momentMs: number): boolean {
  return state.expiry !== undefined && state.expiry.earliestMs - CLOCK_SLACK_MS <= momentMs;
}

function sameExpiry(expected: Expiry | undefined, observed: Expiry | undefined): boolean {
  if (expected === undefined || observed === undefined) return expected === observed;
  return observed.earliestMs >= expected.earliestMs - CLOCK_SLACK_MS &&
    observed.latestMs <= expected.latestMs + CLOCK_SLACK_MS;
}

// Lengths are compared first: of the many states that a writer's commands give, most differ there.
function sameValue(expected: Value, observed: Value): boolean {
  switch (expected.kind) {
    case "string":
      return observed.kind === "string" && observed.text === expected.text;
    case "list":
      return observed.kind === "list" && sameItems(expected.items, observed.items);
    case "hash":
      return observed.kind === "hash" && sameEntries(expected.fields, observed.fields);
    case "sorted set":
      return observed.kind === "sorted set" && sameEntries(expected.scores, observed.scores);
    case "set":
      return observed.kind === "set" &&
        observed.pool.size === expected.pool.size - expected.gone &&
        observed.pool.isSubsetOf(expected.pool);
    case "stream":
      return observed.kind === "stream" && sameStream(expected.entries, observed.entries);
  }
}

// From the end, since lists here grow at the end and differ there.
function sameItems(expected: readonly string[], observed: readonly string[]): boolean {
  if (expected.length !== observed.length) return false;
  for (let index = expected.length - 1; index >= 0; index--) {
    if (expected[index] !== observed[index]) return false;
  }
  return true;
}

function sameEntries<T>(expected: ReadonlyMap<string, T>, observed: ReadonlyMap<string, T>) {
  if (expected.size !== observed.size) return false;
  for (const [name, content] of expected) if (observed.get(name) !== content) return false;
  return true;
}

function sameStream(expected: readonly StreamEntry[], observed: readonly StreamEntry[]): boolean {
  if (expected.length !== observed.length) return false;
  for (let index = expected.length - 1; index >= 0; index--) {
    const { id, text } = expected[index];
    if (text !== observed[index].text) return false;
    if (id !== undefined && id !== observed[index].id) return false;
  }
  return true;
}

const SHOWN_ITEMS = 3;
const SHOWN_CHARACTERS = 40;

/** A state in a few words, for people. */
export function describeState(state: KeyState | undefined): string {
  if (state === undefined) return "nothing";
  const expiry = state.expiry === undefined
    ? ""
    : state.expiry.earliestMs === state.expiry.latestMs
    ? `, ends at ${state.expiry.earliestMs}`
    : `, ends from ${state.expiry.earliestMs} to ${state.expiry.latestMs}`;
  return describeValue(state.value) + expiry;
}

function describeValue(value: Value): string {
  switch (value.kind) {
    case "string":
      return `${shorten(value.text)} (${value.text.length} characters)`;
    case "list":
      return `a list of ${value.items.length} that ends with ${lastOf(value.items)}`;
    case "hash":
      return `a hash of ${value.fields.size} that ends with ${lastOf([...value.fields])}`;
    case "sorted set":
      return `a sorted set of ${value.scores.size} that ends with ${lastOf([...value.scores])}`;
    case "set":
      return `a set of ${value.pool.size - value.gone} that ends with ${lastOf([...value.pool])}`;
    case "stream":
      return `a stream of ${value.entries.length} that ends with ` +
        lastOf(value.entries.map(({ id, text }) => `${id ?? "?"} ${text}`));
  }
}

function lastOf(items: readonly unknown[]): string {
  return items.slice(-SHOWN_ITEMS).map((item) => shorten(String(item))).join(", ");
}

function shorten(text: string): string {
  const short = text.length > SHOWN_CHARACTERS ? text.slice(0, SHOWN_CHARACTERS) + "..." : text;
  return JSON.stringify(short);
}
