import { assert, assertEquals } from "@std/assert";
import { FIRST_BUFFER_BYTES } from "../../src/server/session.ts";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import {
  type MemoryConnection,
  type MemoryServer,
  plain,
  startMemoryServer,
} from "../support/memory_server.ts";
import { seededRandom, testSeed } from "../support/random.ts";

const END = "that is all";

/** All that a client has been sent, up to the answer to a last question. */
async function heard(client: MemoryConnection): Promise<unknown[]> {
  client.send(encodeRequest(["PING", END]));
  const all: unknown[] = [];
  for (;;) {
    const reply = plain(await client.reply());
    // A subscriber who speaks RESP2 is answered in its own way.
    if (reply === END || (Array.isArray(reply) && reply[0] === "pong" && reply[1] === END)) {
      return all;
    }
    all.push(reply);
  }
}

/** Sends commands in one piece; what the client hears. */
function talk(client: MemoryConnection, ...commands: string[]): Promise<unknown[]> {
  client.send(...commands.map((command) => encodeRequest(command.split(" "))));
  return heard(client);
}

async function speaker(machine: MemoryServer, version: string): Promise<MemoryConnection> {
  const client = await machine.connect();
  await client.ask("HELLO", version);
  return client;
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

const NOT_ALLOWED = (name: string) =>
  `-ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET ` +
  "are allowed in this context";

/** What redis-server 7.0.15 answers. */
const SCENES: readonly (readonly [version: string, commands: string, heard: unknown[]])[] = [
  ["2", "SUBSCRIBE a b a", [["subscribe", "a", 1], ["subscribe", "b", 2], ["subscribe", "a", 2]]],
  ["2", "SUBSCRIBE a|PSUBSCRIBE a* *|SSUBSCRIBE a", [
    ["subscribe", "a", 1],
    ["psubscribe", "a*", 2],
    ["psubscribe", "*", 3],
    ["ssubscribe", "a", 1],
  ]],
  ["2", "UNSUBSCRIBE|PUNSUBSCRIBE|SUNSUBSCRIBE", [
    ["unsubscribe", null, 0],
    ["punsubscribe", null, 0],
    ["sunsubscribe", null, 0],
  ]],
  ["2", "SUBSCRIBE a|UNSUBSCRIBE x a|UNSUBSCRIBE x|GET k", [
    ["subscribe", "a", 1],
    ["unsubscribe", "x", 1],
    ["unsubscribe", "a", 0],
    ["unsubscribe", "x", 0],
    null,
  ]],
  ["2", "SUBSCRIBE a|PSUBSCRIBE p|UNSUBSCRIBE|PUNSUBSCRIBE", [
    ["subscribe", "a", 1],
    ["psubscribe", "p", 2],
    ["unsubscribe", "a", 1],
    ["punsubscribe", "p", 0],
  ]],
  ["2", "SUBSCRIBE a|PING|PING x|PING a b|UNSUBSCRIBE|PING", [
    ["subscribe", "a", 1],
    ["pong", ""],
    ["pong", "x"],
    "-ERR wrong number of arguments for 'ping' command",
    ["unsubscribe", "a", 0],
    "PONG",
  ]],
  ["2", "SSUBSCRIBE a|GET k|PUBLISH a m|CLIENT ID|SELECT 1|PUBSUB NUMPAT|FOO|GET|SUBSCRIBE", [
    ["ssubscribe", "a", 1],
    NOT_ALLOWED("get"),
    NOT_ALLOWED("publish"),
    NOT_ALLOWED("client|id"),
    NOT_ALLOWED("select"),
    NOT_ALLOWED("pubsub|numpat"),
    "-ERR unknown command 'FOO', with args beginning with: ",
    "-ERR wrong number of arguments for 'get' command",
    "-ERR wrong number of arguments for 'subscribe' command",
  ]],
  ["2", "SUBSCRIBE a|RESET|PING|PUBSUB CHANNELS", [["subscribe", "a", 1], "RESET", "PONG", []]],
  ["3", "SUBSCRIBE a|GET k|PING", [["subscribe", "a", 1], null, "PONG"]],
  ["3", "UNSUBSCRIBE", [["unsubscribe", null, 0]]],
  ["3", "SUBSCRIBE a|PSUBSCRIBE * a|PUBLISH a m|PUBLISH b m", [
    ["subscribe", "a", 1],
    ["psubscribe", "*", 2],
    ["psubscribe", "a", 3],
    ["message", "a", "m"],
    ["pmessage", "*", "a", "m"],
    ["pmessage", "a", "a", "m"],
    3,
    ["pmessage", "*", "b", "m"],
    1,
  ]],
  ["3", "SUBSCRIBE a|SSUBSCRIBE a|SPUBLISH a m|PUBLISH a m", [
    ["subscribe", "a", 1],
    ["ssubscribe", "a", 1],
    ["smessage", "a", "m"],
    1,
    ["message", "a", "m"],
    1,
  ]],
  ["3", "CLIENT REPLY OFF|SUBSCRIBE a|PUBLISH a m|SET k v|UNSUBSCRIBE a x|CLIENT REPLY ON", [
    ["subscribe", "a", 1],
    ["message", "a", "m"],
    ["unsubscribe", "a", 0],
    ["unsubscribe", "x", 0],
    "OK",
  ]],
  ["3", "CLIENT REPLY SKIP|SUBSCRIBE a|PING|CLIENT REPLY SKIP|PUBLISH a m|PING x", [
    ["subscribe", "a", 1],
    "PONG",
    ["message", "a", "m"],
    "x",
  ]],
  ["2", "CLIENT REPLY OFF|SUBSCRIBE a|UNSUBSCRIBE a|CLIENT REPLY ON", [
    ["subscribe", "a", 1],
    ["unsubscribe", "a", 0],
    "OK",
  ]],
  ["3", "PUBSUB NUMSUB|PUBSUB NUMSUB a b|PUBSUB SHARDNUMSUB a|PUBSUB NUMPAT|PUBSUB CHANNELS", [
    [],
    ["a", 0, "b", 0],
    ["a", 0],
    0,
    [],
  ]],
  ["3", "SUBSCRIBE a ab|SSUBSCRIBE s|PUBSUB CHANNELS a?|PUBSUB SHARDCHANNELS|PUBSUB NUMSUB a s", [
    ["subscribe", "a", 1],
    ["subscribe", "ab", 2],
    ["ssubscribe", "s", 1],
    ["ab"],
    ["s"],
    ["a", 1, "s", 0],
  ]],
  ["3", "PUBSUB CHANNELS x y|PUBSUB|PUBSUB FOO|PUBSUB NUMPAT x", [
    "-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP.",
    "-ERR wrong number of arguments for 'pubsub' command",
    "-ERR unknown subcommand 'FOO'. Try PUBSUB HELP.",
    "-ERR wrong number of arguments for 'pubsub|numpat' command",
  ]],
  ["2", "MONITOR|PUBLISH a m|SPUBLISH a m", [
    "OK",
    "-ERR Replica can't interact with the keyspace",
    "-ERR Replica can't interact with the keyspace",
  ]],
];

for (const [version, commands, expected] of SCENES) {
  Deno.test(`subscribing as Redis does, RESP${version}: ${commands}`, async () => {
    await using machine = await startMemoryServer(1);
    const client = await speaker(machine, version);
    assertEquals(await talk(client, ...commands.split("|")), expected);
  });
}

Deno.test("messages come as pushes in RESP3 and as arrays in RESP2", async () => {
  await using machine = await startMemoryServer(2);
  const publisher = await machine.connect();
  for (const [version, type] of [["2", "*"], ["3", ">"]]) {
    const client = await speaker(machine, version);
    assertEquals(
      await client.askRaw("SUBSCRIBE", "a"),
      `${type}3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n`,
    );
    await publisher.ask("PUBLISH", "a", "m");
    assertEquals((await client.reply()).kind, version === "3" ? "push" : "array");
    client.end();
  }
});

Deno.test("a pattern doesn't match an empty channel, unless it is empty", async () => {
  await using machine = await startMemoryServer(3);
  const client = await speaker(machine, "3");
  for (const pattern of ["*", "", "?"]) await client.ask("PSUBSCRIBE", pattern);
  client.send(encodeRequest(["PUBLISH", "", "m"]));
  assertEquals(await heard(client), [["pmessage", "", "", "m"], 1]);
});

Deno.test("names and messages are bytes", async () => {
  await using machine = await startMemoryServer(4);
  const [client, publisher] = [await machine.connect(), await machine.connect()];
  const name = Uint8Array.of(0, 255, 13, 10, 128);
  const message = Uint8Array.from({ length: 100_000 }, (_, index) => index & 255);
  await client.ask("SUBSCRIBE", name);
  assertEquals(await publisher.ask("PUBLISH", name, message), 1);
  assertEquals(await publisher.ask("PUBLISH", Uint8Array.of(0, 255, 13, 10, 129), message), 0);
  const reply = await client.reply();
  assert(reply.kind === "array");
  const parts = reply.items!.map((item) => item.kind === "bulk" ? item.bytes : null);
  assertEquals(parts.slice(1), [name, message]);
});

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
  publisher.send(concatenate(pipeline));
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

Deno.test("what was published before a client's command stands before its reply", async () => {
  await using machine = await startMemoryServer(6);
  const [publisher, client] = [await machine.connect(), await speaker(machine, "3")];
  await client.ask("SUBSCRIBE", "a");
  publisher.send(encodeRequest(["PUBLISH", "a", "1"]));
  client.send(encodeRequest(["ECHO", "e"]));
  publisher.send(encodeRequest(["PUBLISH", "a", "2"]));
  assertEquals(await heard(client), [["message", "a", "1"], "e", ["message", "a", "2"]]);
});

Deno.test("subscriptions end with their client, and take memory until then", async () => {
  await using machine = await startMemoryServer(7);
  const { server } = machine;
  const client = await machine.connect();
  await client.ask("PING");
  const before = server.usedMemory;
  await client.ask("SUBSCRIBE", "a".repeat(1000));
  await client.ask("PSUBSCRIBE", "b*");
  await client.ask("SSUBSCRIBE", "s");
  const { subscriptions } = server.clients;
  assert(server.usedMemory > before + 1000);
  client.end();
  const watcher = await machine.connect();
  assertEquals(await watcher.ask("PUBSUB", "CHANNELS"), []);
  assertEquals([subscriptions.bytes, server.usedMemory], [0, before]);
});

Deno.test("CLIENT LIST and INFO tell of subscriptions; CLIENT KILL finds subscribers", async () => {
  await using machine = await startMemoryServer(8);
  const [client, watcher] = [await speaker(machine, "3"), await machine.connect()];
  await client.ask("SUBSCRIBE", "a");
  await client.ask("PSUBSCRIBE", "p1");
  await client.ask("PSUBSCRIBE", "p2");
  await client.ask("SSUBSCRIBE", "s");
  const list = await watcher.ask("CLIENT", "LIST", "TYPE", "pubsub") as string;
  assertEquals(/flags=(\w+).* sub=1 psub=2 ssub=1 /.exec(list)?.[1], "P");
  assertEquals(list.trim().split("\n").length, 1);
  const normal = await watcher.ask("CLIENT", "LIST", "TYPE", "normal") as string;
  assert(normal.includes("cmd=client|list") && !normal.includes("psub=2"));
  assertEquals(await watcher.ask("CLIENT", "LIST", "TYPE", "replica"), "");
  const info = await watcher.ask("INFO", "stats") as string;
  assert(
    info.includes("pubsub_channels:1\r\npubsub_patterns:2\r\npubsubshard_channels:1\r\n"),
    info,
  );
  assertEquals(await watcher.ask("CLIENT", "KILL", "TYPE", "pubsub"), 1);
  assert(client.closed);
  assertEquals(await watcher.ask("PUBSUB", "NUMPAT"), 0);
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

Deno.test("while writes are paused nothing is published", async () => {
  await using machine = await startMemoryServer(13);
  const [client, publisher] = [await machine.connect(), await machine.connect()];
  await publisher.ask("CLIENT", "PAUSE", "1000", "WRITE");
  publisher.send(encodeRequest(["PUBLISH", "a", "m"]));
  await client.ask("SUBSCRIBE", "a");
  assertEquals(await heard(client), []);
  machine.server.clients.pause.end();
  assertEquals(plain(await publisher.reply()), 1);
  assertEquals(await heard(client), [["message", "a", "m"]]);
});

Deno.test("events of keys are published, to who caused them before the reply", async () => {
  await using machine = await startMemoryServer(14, { "notify-keyspace-events": "KEA" });
  const client = await speaker(machine, "3");
  await client.ask("PSUBSCRIBE", "__key*__:*");
  const event = (name: string, key: string, database = 0) => [
    ["pmessage", "__key*__:*", `__keyspace@${database}__:${key}`, name],
    ["pmessage", "__key*__:*", `__keyevent@${database}__:${name}`, key],
  ];
  assertEquals(await talk(client, "SET k v", "MSET k 1 n 2", "RENAME k n", "DEL n", "GET n"), [
    ...event("set", "k"),
    "OK",
    ...event("set", "k"),
    ...event("set", "n"),
    "OK",
    ...event("rename_from", "k"),
    ...event("rename_to", "n"),
    "OK",
    ...event("del", "n"),
    1,
    null,
  ]);
  const other = await machine.connect();
  await other.ask("SELECT", "3");
  await other.ask("SET", "k", "v", "PX", "50");
  machine.clock.advance(100);
  await other.ask("GET", "k");
  assertEquals(await heard(client), [
    ...event("set", "k", 3),
    ...event("expire", "k", 3),
    ...event("expired", "k", 3),
  ]);
  await other.ask("CONFIG", "SET", "notify-keyspace-events", "");
  await other.ask("SET", "k", "v");
  assertEquals(await heard(client), []);
});

Deno.test("a client that tracks keys has a subscriber who speaks RESP2 told of them", async () => {
  await using machine = await startMemoryServer(15);
  const [listener, reader] = [await machine.connect(), await machine.connect()];
  const writer = await machine.connect();
  const id = String(await listener.ask("CLIENT", "ID"));
  await reader.ask("CLIENT", "TRACKING", "ON", "REDIRECT", id);
  await reader.ask("GET", "k");
  await writer.ask("SET", "k", "1");
  assertEquals(await heard(listener), []);
  await listener.ask("SUBSCRIBE", "__redis__:invalidate");
  await reader.ask("GET", "k");
  await writer.ask("SET", "k", "2");
  const told = (keys: string[] | null) => ["message", "__redis__:invalidate", keys];
  assertEquals(await heard(listener), [told(["k"])]);
  await writer.ask("FLUSHALL");
  assertEquals(await heard(listener), [told(null)]);
  assertEquals(await writer.ask("PUBLISH", "__redis__:invalidate", "m"), 1);
  assertEquals(await heard(listener), [["message", "__redis__:invalidate", "m"]]);
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
      const pipeline = concatenate(pieces);
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
