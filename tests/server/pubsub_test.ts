import { assert, assertEquals } from "@std/assert";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import { heard, speaker, talk } from "../support/listeners.ts";
import { plain, startMemoryServer } from "../support/memory_server.ts";

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

Deno.test("what a transaction tells its own client stands behind its replies", async () => {
  for (const version of ["2", "3"]) {
    await using machine = await startMemoryServer(17, { "notify-keyspace-events": "E$" });
    const client = await speaker(machine, version);
    const commands = [
      ...["MULTI", "SUBSCRIBE a", "PSUBSCRIBE *:set", "PUBLISH a m", "SET k v", "PING"],
      ...["UNSUBSCRIBE a", "PUNSUBSCRIBE", "EXEC"],
    ];
    assertEquals(await talk(client, ...commands), [
      "OK",
      ...Array(7).fill("QUEUED"),
      [
        ["subscribe", "a", 1],
        ["psubscribe", "*:set", 2],
        1,
        "OK",
        version === "2" ? ["pong", ""] : "PONG",
        ["unsubscribe", "a", 1],
        ["punsubscribe", "*:set", 0],
      ],
      ["message", "a", "m"],
      ["pmessage", "*:set", "__keyevent@0__:set", "k"],
    ]);
  }
});

Deno.test("a subscriber who waits for a key hears messages before the reply", async () => {
  await using machine = await startMemoryServer(18);
  const [client, other] = [await speaker(machine, "3"), await machine.connect()];
  await client.ask("SUBSCRIBE", "a");
  client.send(encodeRequest(["WAIT", "1", "100"]));
  await other.ask("PUBLISH", "a", "m");
  assertEquals(plain(await client.reply()), ["message", "a", "m"]);
  machine.clock.advance(200);
  machine.server.clients.deadlines.run();
  assertEquals(await heard(client), [0]);
});

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
