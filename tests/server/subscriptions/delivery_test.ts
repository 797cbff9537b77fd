import { assert, assertEquals } from "@std/assert";
import { encodeRequest } from "../../../src/protocol/request_writer.ts";
import { FIRST_BUFFER_BYTES } from "../../../src/server/session.ts";
import { heard, speaker } from "../../support/listeners.ts";
import { type MemoryConnection, plain, startMemoryServer } from "../../support/memory_server.ts";
import { seededRandom, testSeed } from "../../support/random.ts";
import { joinBytes } from "../../../src/protocol/joined_bytes.ts";

Deno.test("subscribers of all kinds hear each message once, in order, and in few writes", async () => {
  await using machine = await startMemoryServer(5);
  const [publisher, other] = [await machine.connect(), await machine.connect()];
  const clients: MemoryConnection[] = [];
  for (let index = 0; index < 100; index++) {
    const client = await speaker(machine, index % 3 === 0 ? "3" : "2");
    await client.ask("SUBSCRIBE", "a");
    if (index % 10 === 0) await client.ask("SUBSCRIBE", "b");
    clients.push(client);
  }
  const before = machine.server.counters.writes;
  const pipeline = Array.from({ length: 50 }, (_, n) => encodeRequest(["PUBLISH", "a", `${n}`]));
  publisher.send(joinBytes(pipeline));
  other.send(encodeRequest(["PUBLISH", "b", "x"]));
  for (let n = 0; n < 50; n++) assertEquals(plain(await publisher.reply()), 100);
  assertEquals(plain(await other.reply()), 10);
  for (const [index, client] of clients.entries()) {
    const got: unknown[] = [];
    const count = index % 10 === 0 ? 51 : 50;
    while (got.length < count) got.push(plain(await client.reply()));
    const numbers = got.filter((message) => (message as string[])[1] === "a");
    assertEquals(numbers.map((message) => (message as string[])[2]), [
      ...Array.from({ length: 50 }, (_, n) => `${n}`),
    ]);
  }
  // Each has one write, and the other publisher's message may come too late for it.
  assert(machine.server.counters.writes - before <= 100 + 10 + 2);
  for (const client of clients) assertEquals(await heard(client), []);
});

Deno.test("a subscriber that doesn't read is closed at the limits of its class", async () => {
  await using machine = await startMemoryServer(9);
  const [slow, fast] = [await machine.connect(), await machine.connect()];
  const publisher = await machine.connect();
  const limits = "normal 0 0 0 slave 0 0 0 pubsub 300000 100000 5";
  await publisher.ask("CONFIG", "SET", "client-output-buffer-limit", limits);
  for (const client of [slow, fast]) await client.ask("SUBSCRIBE", "a");
  slow.open = false;
  const message = "x".repeat(1000);
  for (let n = 0; n < 200; n++) await publisher.ask("PUBLISH", "a", message);
  const list = await publisher.ask("CLIENT", "LIST", "TYPE", "pubsub") as string;
  const waiting = Number(/omem=(\d+)/.exec(list)![1]);
  assert(waiting > 180_000 && waiting < 220_000, list);
  assert(!slow.closed);
  for (let n = 0; n < 200; n++) await publisher.ask("PUBLISH", "a", message);
  assert(slow.closed && !fast.closed);
  assertEquals(await publisher.ask("PUBLISH", "a", message), 1);
  assertEquals((await heard(fast)).length, 401);
});

Deno.test("the soft limit of subscribers counts seconds", async () => {
  await using machine = await startMemoryServer(10);
  const [slow, publisher] = [await machine.connect(), await machine.connect()];
  const limits = "pubsub 0 50000 5";
  await publisher.ask("CONFIG", "SET", "client-output-buffer-limit", limits);
  await slow.ask("SUBSCRIBE", "a");
  slow.open = false;
  const message = "x".repeat(1000);
  for (let n = 0; n < 100; n++) await publisher.ask("PUBLISH", "a", message);
  machine.clock.advance(3000);
  machine.server.clients.limits.tick(machine.clock.now());
  assert(!slow.closed);
  machine.clock.advance(4000);
  machine.server.clients.limits.tick(machine.clock.now());
  assert(slow.closed);
});

Deno.test("a subscriber that was slow hears all of it once it reads", async () => {
  await using machine = await startMemoryServer(11);
  const [slow, publisher] = [await machine.connect(), await machine.connect()];
  await slow.ask("SUBSCRIBE", "a");
  slow.open = false;
  for (let n = 0; n < 3000; n++) publisher.send(encodeRequest(["PUBLISH", "a", `message ${n}`]));
  for (let n = 0; n < 3000; n++) await publisher.reply();
  slow.readAll();
  for (let n = 0; n < 3000; n++) {
    assertEquals(plain(await slow.reply()), ["message", "a", `message ${n}`]);
  }
});

Deno.test("an idle subscriber isn't closed by timeout", async () => {
  await using machine = await startMemoryServer(12, { timeout: "10" });
  const [client, idle] = [await machine.connect(), await machine.connect()];
  await client.ask("SUBSCRIBE", "a");
  await idle.ask("PING");
  machine.clock.advance(20_000);
  machine.server.clients.limits.tick(machine.clock.now());
  assertEquals([client.closed, idle.closed], [false, true]);
});

/** A subscriber of the random test, and what it should hear. */
interface Listener {
  readonly client: MemoryConnection;
  readonly channels: Set<string>;
  readonly patterns: Set<string>;
  readonly expected: unknown[];
}

/** What was heard, with a long message as its start and its length. */
function brief(heard: unknown): string {
  const text = JSON.stringify(heard);
  return text.length < 60 ? text : `${text.slice(0, 40)}... ${text.length}`;
}

const CHANNELS = ["a", "b", "ab", "abc"];
const PATTERNS: readonly (readonly [pattern: string, matches: RegExp])[] = [
  ["a*", /^a/],
  ["?", /^.$/],
  ["[ab]", /^[ab]$/],
  ["*c", /c$/],
];

/** What a listener should hear of a message, as often as it does. */
function expect(listener: Listener, channel: string, message: string): number {
  const before = listener.expected.length;
  if (listener.channels.has(channel)) listener.expected.push(["message", channel, message]);
  for (const [pattern, matches] of PATTERNS) {
    if (!listener.patterns.has(pattern) || !matches.test(channel)) continue;
    listener.expected.push(["pmessage", pattern, channel, message]);
  }
  return listener.expected.length - before;
}

Deno.test("subscribers and publishers by random: everybody hears what they should", async () => {
  const random = seededRandom(testSeed("pubsub"));
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  await using machine = await startMemoryServer(16);
  const publishers = [await machine.connect(), await machine.connect(), await machine.connect()];
  const listeners: Listener[] = [];
  // Patterns are told in the order in which they came to be.
  const keeper = await machine.connect();
  for (const [pattern] of PATTERNS) await keeper.ask("PSUBSCRIBE", pattern);

  const arrive = async () => {
    const client = await speaker(machine, random() < 0.5 ? "2" : "3");
    listeners.push({ client, channels: new Set(), patterns: new Set(), expected: [] });
  };
  const change = async (listener: Listener) => {
    const { client, channels, patterns, expected } = listener;
    const [name, set, subscribes] = random() < 0.5
      ? [pick(CHANNELS), channels, "subscribe"]
      : [pick(PATTERNS)[0], patterns, "psubscribe"];
    const ends = random() < 0.4;
    if (ends) set.delete(name);
    else set.add(name);
    const event = ends ? subscribes.replace("sub", "unsub") : subscribes;
    expected.push([event, name, channels.size + patterns.size]);
    client.send(encodeRequest([event, name]));
    if (random() < 0.5) await Promise.resolve();
  };
  const publish = async () => {
    let counts: [MemoryConnection, number][] = [];
    const confirm = async () => {
      for (const [publisher, count] of counts) assertEquals(plain(await publisher.reply()), count);
      counts = [];
    };
    for (const publisher of publishers) {
      const pieces: Uint8Array[] = [];
      for (let count = Math.floor(random() ** 3 * 20); count > 0; count--) {
        const channel = pick(CHANNELS);
        const message = `${counts.length} `.repeat(Math.floor(random() ** 6 * 10_000));
        const kept = PATTERNS.filter(([, matches]) => matches.test(channel)).length;
        counts.push([
          publisher,
          listeners.reduce((sum, listener) => sum + expect(listener, channel, message), kept),
        ]);
        pieces.push(encodeRequest(["PUBLISH", channel, message]));
      }
      const pipeline = joinBytes(pieces);
      publisher.send(pipeline);
      // What the server doesn't read at once comes among the messages of the others.
      if (pipeline.length > FIRST_BUFFER_BYTES) await confirm();
    }
    await confirm();
  };
  const check = async ({ client, expected }: Listener) => {
    client.readAll();
    assertEquals((await heard(client)).map(brief), expected.splice(0).map(brief));
  };

  for (let index = 0; index < 60; index++) await arrive();
  for (let round = 0; round < 60; round++) {
    for (const listener of listeners) {
      // One that doesn't read isn't heard either.
      if (listener.client.open && random() < 0.2) await change(listener);
      if (random() < 0.1) listener.client.open = false;
      if (random() < 0.2) await check(listener);
    }
    await publish();
    if (random() < 0.3) {
      const [gone] = listeners.splice(Math.floor(random() * listeners.length), 1);
      await check(gone);
      gone.client.end();
      await arrive();
    }
  }
  for (const listener of listeners) await check(listener);
  for (const { client } of listeners) client.end();
  keeper.end();
  await publishers[0].ask("PING");
  assertEquals(machine.server.clients.subscriptions.bytes, 0);
});
