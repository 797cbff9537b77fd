/**
 * What several clients of one server see who push to lists, wait for them, and run transactions: in plain words,
 * without a thought about cost.
 *
 * @module
 */

/** The last word of a command that waits is its timeout; these wait for ever. */
const WAITING = new Set(["BLPOP", "BRPOP", "BLMOVE"]);
const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value";

/** A reply in plain values. */
export type ModelReply = string | number | null | ModelReply[];

/** A client as the model sees it. */
interface Client {
  readonly replies: ModelReply[];
  /** Commands since MULTI. */
  queue: string[][] | null;
  /** Watched keys, with their versions then. */
  readonly watched: Map<string, number>;
  /** The command with which it waits. */
  waits: string[] | null;
}

/** One server with its clients; see the head of this file. */
export class SeveralClientsModel {
  /** The lists, and strings as text. */
  readonly values: Map<string, string[] | string> = new Map();
  readonly clients: readonly Client[];
  private readonly versions = new Map<string, number>();
  /** Keys that became lists that somebody waits for, first one first. */
  private readonly ready: string[] = [];
  /** Who waits, who came first first. */
  private readonly waiting: Client[] = [];

  constructor(count: number) {
    this.clients = Array.from({ length: count }, () => ({
      replies: [],
      queue: null,
      watched: new Map(),
      waits: null,
    }));
  }

  /** Has a client that doesn't wait run a command. */
  run(index: number, words: string[]): void {
    const client = this.clients[index];
    const reply = this.control(client, words) ?? this.execute(words);
    if (reply === undefined) {
      client.waits = words;
      this.waiting.push(client);
    } else client.replies.push(reply === NOTHING ? null : reply);
    this.serve();
  }

  /** CLIENT UNBLOCK. */
  unblock(index: number): void {
    const client = this.clients[index];
    if (client.waits === null) return;
    this.stopWaiting(client);
    client.replies.push(null);
  }

  /** What commands about transactions do; undefined for others. */
  private control(client: Client, words: string[]): ModelReply | typeof NOTHING | undefined {
    const { queue } = client;
    switch (words[0]) {
      case "MULTI":
        client.queue ??= [];
        return queue === null ? "OK" : "-ERR MULTI calls can not be nested";
      case "WATCH":
        if (queue !== null) return "-ERR WATCH inside MULTI is not allowed";
        for (const key of words.slice(1)) {
          if (!client.watched.has(key)) client.watched.set(key, this.version(key));
        }
        return "OK";
      case "EXEC": {
        if (queue === null) return "-ERR EXEC without MULTI";
        const dirty = [...client.watched].some(([key, version]) => this.version(key) !== version);
        client.queue = null;
        client.watched.clear();
        if (dirty) return NOTHING;
        return queue.map((command) => {
          const reply = command[0] === "UNWATCH" ? "OK" : this.execute(command) ?? NOTHING;
          return reply === NOTHING ? null : reply;
        });
      }
      case "DISCARD":
        if (queue === null) return "-ERR DISCARD without MULTI";
        client.queue = null;
        client.watched.clear();
        return "OK";
    }
    if (queue !== null) {
      queue.push(words);
      return "QUEUED";
    }
    if (words[0] !== "UNWATCH") return undefined;
    client.watched.clear();
    return "OK";
  }

  /** What a command replies and does; undefined if it has to wait. */
  private execute(words: string[]): ModelReply | typeof NOTHING | undefined {
    const [name, key, other] = words;
    const value = this.values.get(key);
    switch (name) {
      case "RPUSH":
      case "LPUSH": {
        if (typeof value === "string") return WRONG_TYPE;
        const list = value ?? [];
        for (const element of words.slice(2)) {
          if (name === "RPUSH") list.push(element);
          else list.unshift(element);
        }
        this.put(key, list);
        return list.length;
      }
      case "LRANGE":
        return typeof value === "string" ? WRONG_TYPE : [...value ?? []];
      case "SET":
        this.put(key, other);
        return "OK";
      case "DEL":
        if (value !== undefined) this.put(key, undefined);
        return value === undefined ? 0 : 1;
      case "RENAME":
        if (value === undefined) return "-ERR no such key";
        if (key === other) return "OK";
        this.put(key, undefined);
        this.put(other, value);
        return "OK";
      case "FLUSHALL":
        for (const present of [...this.values.keys()]) this.put(present, undefined);
        return "OK";
    }
    return this.attempt(words, keysOf(words));
  }

  /** What a command that may wait does with the first of these keys that has something for it. */
  private attempt(words: string[], keys: readonly string[]): ModelReply | undefined {
    for (const key of keys) {
      const list = this.values.get(key);
      if (list === undefined) continue;
      if (typeof list === "string") return WRONG_TYPE;
      const move = words[0] === "BLMOVE";
      if (move && typeof this.values.get(words[2]) === "string") return WRONG_TYPE;
      const fromLeft = move ? words[3] === "LEFT" : words[0] === "BLPOP";
      const element = fromLeft ? list.shift()! : list.pop()!;
      this.put(key, list.length === 0 ? undefined : list);
      if (!move) return [key, element];
      const target = [...((this.values.get(words[2]) ?? []) as string[])];
      if (words[4] === "LEFT") target.unshift(element);
      else target.push(element);
      this.put(words[2], target);
      return element;
    }
    return undefined;
  }

  private put(key: string, value: string[] | string | undefined): void {
    if (value === undefined) this.values.delete(key);
    else this.values.set(key, value);
    this.versions.set(key, this.version(key) + 1);
    // As in Redis, neither a removal nor a string gives a key its turn, nor a change that nobody waits for.
    if (Array.isArray(value) && this.isAwaited(key) && !this.ready.includes(key)) {
      this.ready.push(key);
    }
  }

  private isAwaited(key: string): boolean {
    return this.waiting.some(({ waits }) => keysOf(waits!).includes(key));
  }

  private version(key: string): number {
    return this.versions.get(key) ?? 0;
  }

  private serve(): void {
    for (let key = this.ready.shift(); key !== undefined; key = this.ready.shift()) {
      for (const client of [...this.waiting]) {
        if (!keysOf(client.waits!).includes(key) || !Array.isArray(this.values.get(key))) continue;
        const reply = this.attempt(client.waits!, [key])!;
        this.stopWaiting(client);
        client.replies.push(reply);
      }
    }
  }

  private stopWaiting(client: Client): void {
    client.waits = null;
    this.waiting.splice(this.waiting.indexOf(client), 1);
  }
}

/** Null as a reply, where undefined and null mean something else. */
const NOTHING = Symbol("nothing");

/** The keys that a command waits for. */
function keysOf(words: readonly string[]): readonly string[] {
  if (!WAITING.has(words[0])) return [];
  return words[0] === "BLMOVE" ? [words[1]] : words.slice(1, -1);
}
