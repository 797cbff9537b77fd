/**
 * Reads all that a server holds.
 *
 * @module
 */

import { type Client, type PlainValue, plainValue } from "../../src/client/mod.ts";
import type { KeyState, KeyStates, StreamEntry, Value } from "./key_state.ts";

/** How many keys are asked for at once: the replies must not pile up. */
const KEYS_AT_ONCE = 500;

/** What the databases hold. */
export interface Observation {
  /** The keys of each database. */
  readonly databases: readonly KeyStates[];
  /** When the last key was read, in milliseconds of the wall clock. */
  readonly readMs: number;
}

/** Reads all keys of the first `count` databases. */
export async function observe(client: Client, count: number): Promise<Observation> {
  const databases: KeyStates[] = [];
  for (let database = 0; database < count; database++) {
    await client.command("SELECT", database);
    databases.push(await readDatabase(client));
  }
  return { databases, readMs: Date.now() };
}

async function readDatabase(client: Client): Promise<KeyStates> {
  const keys = plainValue(await client.command("KEYS", "*")) as string[];
  const states: KeyStates = new Map();
  for (let start = 0; start < keys.length; start += KEYS_AT_ONCE) {
    await readKeys(client, keys.slice(start, start + KEYS_AT_ONCE), states);
  }
  return states;
}

async function readKeys(client: Client, keys: readonly string[], into: KeyStates): Promise<void> {
  const facts = await plainReplies(
    client,
    keys.flatMap((key) => [["TYPE", key], ["PEXPIRETIME", key]]),
  );
  const found = keys
    .map((key, index) => ({
      key,
      type: String(facts[index * 2]),
      endsMs: facts[index * 2 + 1] as number,
    }))
    .filter(({ type }) => type !== "none");
  const contents = await plainReplies(client, found.map(({ key, type }) => readCommand(key, type)));
  for (const [index, { key, type, endsMs }] of found.entries()) {
    const value = valueOf(type, contents[index]);
    if (value === undefined) continue;
    const expiry = endsMs < 0 ? undefined : { earliestMs: endsMs, latestMs: endsMs };
    into.set(key, { value, expiry } satisfies KeyState);
  }
}

async function plainReplies(client: Client, commands: string[][]): Promise<PlainValue[]> {
  return (await client.pipeline(commands)).map((reply) => {
    if (reply.kind === "error") throw new Error(reply.text());
    return plainValue(reply);
  });
}

function readCommand(key: string, type: string): string[] {
  switch (type) {
    case "string":
      return ["GET", key];
    case "list":
      return ["LRANGE", key, "0", "-1"];
    case "hash":
      return ["HGETALL", key];
    case "set":
      return ["SMEMBERS", key];
    case "zset":
      return ["ZRANGE", key, "0", "-1", "WITHSCORES"];
    case "stream":
      return ["XRANGE", key, "-", "+"];
    default:
      throw new Error(`${key} is a ${type}`);
  }
}

/** The value, or undefined if the key has ended since its type was asked for. */
function valueOf(type: string, content: PlainValue): Value | undefined {
  if (content === null || (Array.isArray(content) && content.length === 0)) return undefined;
  if (type === "string") return { kind: "string", text: String(content) };
  const items = content as string[];
  switch (type) {
    case "list":
      return { kind: "list", items };
    case "hash":
      return { kind: "hash", fields: new Map(pairs(items)) };
    case "set":
      return { kind: "set", pool: new Set(items), gone: 0 };
    case "zset":
      return {
        kind: "sorted set",
        scores: new Map(pairs(items).map(([member, score]) => [member, Number(score)])),
      };
    default:
      return { kind: "stream", entries: (content as [string, string[]][]).map(entryOf) };
  }
}

function entryOf([id, fields]: [string, string[]]): StreamEntry {
  return { id, text: fields.join(" ") };
}

function pairs(items: readonly string[]): [string, string][] {
  return Array.from(
    { length: items.length / 2 },
    (_, index) => [items[index * 2], items[index * 2 + 1]],
  );
}
