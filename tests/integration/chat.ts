/**
 * A chat over publish and subscribe, for the tests of foreign clients: rooms are channels, moderators subscribe
 * to patterns. Each user comes by one client library or another; all of them hear each other.
 *
 * @module
 */

import { Redis } from "../support/packages/ioredis.ts";
import { createClient } from "../support/packages/redis.ts";

/** After so long something has been lost. */
const PATIENCE_MS = 10_000;

/** What a client library does for a user. */
export interface ChatClient extends AsyncDisposable {
  /** Subscribes to a channel. */
  subscribe(channel: string): Promise<void>;
  /** Ends that. */
  unsubscribe(channel: string): Promise<void>;
  /** Subscribes to a pattern. */
  subscribePattern(pattern: string): Promise<void>;
  /** Ends that. */
  unsubscribePattern(pattern: string): Promise<void>;
  /** Subscribes to a shard channel. */
  subscribeShard(channel: string): Promise<void>;
  /** Publishes; to how many. */
  publish(channel: string, message: string): Promise<number>;
  /** Publishes on a shard channel. */
  publishToShard(channel: string, message: string): Promise<number>;
  /** Asks for something else, on the connection that subscribes where that may be. */
  ask(command: string, ...args: string[]): Promise<unknown>;
}

/** Takes what a client hears: a channel, and a message. */
export type Hear = (channel: string, message: string) => void;

/** A way to connect. */
export interface Library {
  /** Its name. */
  readonly name: string;
  /** Connects to `port`. */
  connect(port: number, hear: Hear): Promise<ChatClient>;
}

/** Two connections, one that subscribes and one for the rest, as ioredis wants it. */
async function connectByIoredis(port: number, hear: Hear): Promise<ChatClient> {
  const options = { port, host: "127.0.0.1", retryStrategy: () => 10 };
  const [listener, speaker] = [new Redis(options), new Redis(options)];
  for (const client of [listener, speaker]) client.on("error", () => {});
  listener.on("message", hear);
  listener.on("smessage", hear);
  listener.on(
    "pmessage",
    (_pattern: string, channel: string, message: string) => hear(channel, message),
  );
  await speaker.ping();
  return {
    subscribe: async (channel) => void await listener.subscribe(channel),
    unsubscribe: async (channel) => void await listener.unsubscribe(channel),
    subscribePattern: async (pattern) => void await listener.psubscribe(pattern),
    unsubscribePattern: async (pattern) => void await listener.punsubscribe(pattern),
    subscribeShard: async (channel) => void await listener.ssubscribe(channel),
    publish: (channel, message) => speaker.publish(channel, message),
    publishToShard: async (channel, message) => Number(await speaker.spublish(channel, message)),
    ask: (command, ...args) => speaker.call(command, ...args),
    async [Symbol.asyncDispose](): Promise<void> {
      for (const client of [listener, speaker]) {
        const ended = new Promise((resolve) => client.once("end", resolve));
        client.disconnect();
        await ended;
      }
    },
  };
}

/** One connection that speaks RESP3, or, in RESP2, two. */
async function connectByNodeRedis(port: number, hear: Hear, resp: 2 | 3): Promise<ChatClient> {
  const connect = async () => {
    const client = createClient({
      url: `redis://127.0.0.1:${port}`,
      RESP: resp,
      socket: { reconnectStrategy: () => 10 },
    });
    client.on("error", () => {});
    await client.connect();
    return client;
  };
  const listener = await connect();
  const speaker = resp === 3 ? listener : await connect();
  const listen = (message: string, channel: string) => hear(channel, message);
  return {
    subscribe: (channel) => listener.subscribe(channel, listen),
    unsubscribe: (channel) => listener.unsubscribe(channel),
    subscribePattern: (pattern) => listener.pSubscribe(pattern, listen),
    unsubscribePattern: (pattern) => listener.pUnsubscribe(pattern),
    subscribeShard: (channel) => listener.sSubscribe(channel, listen),
    publish: (channel, message) => speaker.publish(channel, message),
    publishToShard: (channel, message) => speaker.sPublish(channel, message),
    ask: (command, ...args) => speaker.sendCommand([command, ...args]),
    [Symbol.asyncDispose](): Promise<void> {
      for (const client of new Set([listener, speaker])) client.destroy();
      return Promise.resolve();
    },
  };
}

/** The ways to connect that are tried. */
export const LIBRARIES: readonly Library[] = [
  { name: "ioredis", connect: connectByIoredis },
  { name: "node-redis RESP2", connect: (port, hear) => connectByNodeRedis(port, hear, 2) },
  { name: "node-redis RESP3", connect: (port, hear) => connectByNodeRedis(port, hear, 3) },
];

/** Somebody who chats. */
export class User implements AsyncDisposable {
  /** What was heard, `room: message`. */
  readonly heard: string[] = [];
  private client!: ChatClient;
  private wake: () => void = () => {};

  private constructor(
    /** How the others call them. */
    readonly name: string,
  ) {}

  /** Somebody comes. */
  static async arrive(name: string, library: Library, port: number): Promise<User> {
    const user = new User(name);
    user.client = await library.connect(port, (channel, message) => {
      user.heard.push(`${channel}: ${message}`);
      user.wake();
    });
    return user;
  }

  /** What the library does for them. */
  get connection(): ChatClient {
    return this.client;
  }

  /** Enters a room. */
  enter(room: string): Promise<void> {
    return this.client.subscribe(`room:${room}`);
  }

  /** Leaves a room. */
  leave(room: string): Promise<void> {
    return this.client.unsubscribe(`room:${room}`);
  }

  /** Says something in a room; how many hear it. */
  say(room: string, words: string): Promise<number> {
    return this.client.publish(`room:${room}`, `${this.name} says ${words}`);
  }

  /**
   * Waits until `count` messages were heard since the last call, and takes them.
   *
   * @throws {Error} if they don't come
   */
  async hear(count: number): Promise<string[]> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<never>((_, fail) => {
      const complain = () => fail(new Error(`${this.name} heard no more than ${this.heard}`));
      timer = setTimeout(complain, PATIENCE_MS);
    });
    try {
      while (this.heard.length < count) {
        await Promise.race([new Promise<void>((wake) => this.wake = wake), patience]);
      }
      return this.heard.splice(0);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Goes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
  }
}
