/**
 * Keeps apart what answers a command and what doesn't, on a connection with subscriptions.
 *
 * A reply answers the oldest command that has none. Subscribing breaks that rule twice: one command
 * gets a confirmation for each channel, and messages come at any time. RESP3 marks both as pushes;
 * in RESP2 they are arrays like any other, and only the state of the connection tells them apart.
 *
 * @module
 */

import { PushReply, type Reply, textOf } from "../protocol/reply.ts";

/** Commands with a confirmation for each channel, and the kind of subscription that they change. */
const CONFIRMED_COMMANDS: ReadonlyMap<string, "channel" | "pattern" | "shard"> = new Map([
  ["subscribe", "channel"],
  ["unsubscribe", "channel"],
  ["psubscribe", "pattern"],
  ["punsubscribe", "pattern"],
  ["ssubscribe", "shard"],
  ["sunsubscribe", "shard"],
]);

/** The first elements of messages, and how many elements those have in RESP2. */
const MESSAGE_LENGTHS: ReadonlyMap<string, number> = new Map([
  ["message", 3],
  ["pmessage", 4],
  ["smessage", 3],
]);

/** What a connection is subscribed to. */
export interface Subscriptions {
  /** Channels (SUBSCRIBE). */
  readonly channels: readonly string[];
  /** Patterns (PSUBSCRIBE). */
  readonly patterns: readonly string[];
  /** Channels of shards (SSUBSCRIBE). */
  readonly shardChannels: readonly string[];
}

/** What {@linkcode SubscriptionState} expects of a command that has confirmations. */
export interface Confirmations {
  /** The command's name, in small letters: the first element of each confirmation. */
  readonly command: string;
  /** How many are missing; -1 if there will be one for each subscription that there is by then. */
  missing: number;
}

/**
 * The confirmations that a command will get, or `undefined` if it gets a reply like any other.
 *
 * @param command The command's name in small letters.
 * @param argumentCount How many arguments stand behind it.
 */
export function expectedConfirmations(
  command: string,
  argumentCount: number,
): Confirmations | undefined {
  const change = subscriptionChange(command);
  if (change === undefined) return undefined;
  if (argumentCount > 0) return { command, missing: argumentCount };
  // Without a channel, UNSUBSCRIBE ends all of them; SUBSCRIBE is refused with a plain error.
  return { command, missing: change === "removes" ? -1 : 1 };
}

/**
 * What a command does to the connection's subscriptions, or `undefined` if nothing. Such commands
 * are answered with confirmations.
 *
 * @param command The command's name in small letters.
 */
export function subscriptionChange(command: string): "adds" | "removes" | undefined {
  if (!CONFIRMED_COMMANDS.has(command)) return undefined;
  return command.includes("unsub") ? "removes" : "adds";
}

/**
 * What a reply is to a connection: the answer to a command, or something that no command waits for.
 */
export type Role = "answer" | "confirmation" | "last confirmation" | "push";

/** The subscriptions of a connection, as far as its confirmations told. */
export class SubscriptionState {
  readonly #names = {
    channel: new Set<string>(),
    pattern: new Set<string>(),
    shard: new Set<string>(),
  };
  #monitoring = false;

  get #count(): number {
    return this.#names.channel.size + this.#names.pattern.size + this.#names.shard.size;
  }

  /** The subscriptions. */
  get all(): Subscriptions {
    const { channel, pattern, shard } = this.#names;
    return { channels: [...channel], patterns: [...pattern], shardChannels: [...shard] };
  }

  /** Whether a reply may come that answers no command. */
  get streaming(): boolean {
    return this.#monitoring || this.#count > 0;
  }

  /** The server confirmed MONITOR: from now on it tells what all clients do. */
  startMonitoring(): void {
    this.#monitoring = true;
  }

  /** The server confirmed RESET. */
  reset(): void {
    for (const names of Object.values(this.#names)) names.clear();
    this.#monitoring = false;
  }

  /**
   * What a reply is to the oldest command without one.
   *
   * @param reply The reply.
   * @param expected The confirmations that this command waits for, if it does.
   */
  classify(reply: Reply, expected: Confirmations | undefined): Role {
    switch (reply.kind) {
      case "push":
        return this.#classifyItems(reply.items, expected) ?? "push";
      case "array":
        if (expected === undefined && this.#count === 0) return "answer";
        return this.#classifyItems(reply.items, expected) ?? "answer";
      case "simple":
        // A line of MONITOR starts with the time. No command is answered with such a status.
        return this.#monitoring && /^[0-9]+\.[0-9]+ \[/.test(reply.text()) ? "push" : "answer";
      default:
        return "answer";
    }
  }

  #classifyItems(items: readonly Reply[], expected: Confirmations | undefined): Role | undefined {
    if (items.length < 3 || items[0].kind !== "bulk") return undefined;
    const topic = items[0].text();
    if (MESSAGE_LENGTHS.get(topic) === items.length && this.#count > 0) return "push";
    const kind = CONFIRMED_COMMANDS.get(topic);
    if (kind === undefined) return undefined;
    if (expected?.command !== topic) return undefined;
    const names = this.#names[kind];
    const name = textOf(items[1]);
    if (name !== undefined) {
      if (subscriptionChange(topic) === "removes") names.delete(name);
      else names.add(name);
    }
    if (expected.missing > 0) expected.missing--;
    const last = expected.missing === 0 || (expected.missing < 0 && names.size === 0);
    return last ? "last confirmation" : "confirmation";
  }
}

/** A message of RESP2, which is an array, in the form of RESP3; other replies stay as they are. */
export function asPush(reply: Reply): Reply {
  return reply.kind === "array" ? new PushReply(reply.items) : reply;
}
