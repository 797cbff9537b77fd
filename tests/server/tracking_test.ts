import { assert, assertEquals } from "@std/assert";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import {
  type MemoryConnection,
  type MemoryServer,
  plain,
  startMemoryServer,
} from "../support/memory_server.ts";

/** A client that speaks RESP3 and tracks keys. */
async function tracker(machine: MemoryServer, ...options: string[]): Promise<MemoryConnection> {
  const client = await machine.connect();
  await client.ask("HELLO", "3");
  assertEquals(await client.ask("CLIENT", "TRACKING", "ON", ...options), "OK");
  return client;
}

/** What the server says to a client before it answers a last question; messages as their keys. */
async function heard(client: MemoryConnection): Promise<unknown[]> {
  client.send(encodeRequest(["ECHO", "end of it"]));
  const all: unknown[] = [];
  for (;;) {
    const reply = await next(client);
    if (reply === "end of it") return all;
    all.push(reply);
  }
}

/** The next reply or message. */
async function next(client: MemoryConnection): Promise<unknown> {
  const reply = plain(await client.reply());
  return Array.isArray(reply) && reply[0] === "invalidate" ? { gone: reply[1] } : reply;
}

/** What redis-server 7.0.15 says to a client that tracks keys; `c:` is another client's command. */
const SCENES: readonly (readonly [options: string, commands: string, heard: unknown[]])[] = [
  ["", "GET k|c:SET k 1|c:SET k 2", [null, { gone: ["k"] }]],
  ["", "MGET k k j|c:MSET k 1 j 2", [[null, null, null], { gone: ["k"] }, { gone: ["j"] }]],
  ["", "EXISTS k|c:SET k 1", [0, { gone: ["k"] }]],
  ["", "SET k 1|c:SET k 2", ["OK"]],
  ["", "GETEX k|c:SET k 1", [null]],
  ["", "GET k|SET k 2|c:SET k 3", [null, "OK", { gone: ["k"] }]],
  ["", "GET k|c:DEL k", [null]],
  ["", "GET k|c:FLUSHALL", [null, { gone: null }]],
  ["", "c:FLUSHDB", [{ gone: null }]],
  ["", "SELECT 1|GET k|c:SET k 1", ["OK", null, { gone: ["k"] }]],
  ["", "GET k|c:SWAPDB 0 1", [null]],
  ["", "GET k|CLIENT TRACKING OFF|c:SET k 1", [null, "OK"]],
  ["", "GET k|GET n|c:SET k 1|c:RENAME k n", [null, null, { gone: ["k"] }, { gone: ["n"] }]],
  ["OPTIN", "GET k|c:SET k 1", [null]],
  [
    "OPTIN",
    "CLIENT CACHING YES|GET k|GET j|c:MSET k 1 j 1",
    ["OK", null, null, { gone: ["k"] }],
  ],
  ["OPTIN", "CLIENT CACHING YES|PING|GET k|c:SET k 1", ["OK", "PONG", null]],
  ["OPTIN", "CLIENT CACHING YES|CLIENT GETNAME|GET k|c:SET k 1", [
    "OK",
    null,
    null,
    { gone: ["k"] },
  ]],
  ["OPTOUT", "CLIENT CACHING NO|GET k|GET j|c:MSET k 1 j 1", ["OK", null, null, { gone: ["j"] }]],
  ["NOLOOP", "GET k|SET k 2|c:SET k 3", [null, "OK"]],
  ["BCAST", "c:SET a 1|c:MSET a 1 b 2", [{ gone: ["a"] }, { gone: ["a", "b"] }]],
  ["BCAST", "SET a 1|c:FLUSHALL", ["OK", { gone: ["a"] }, { gone: null }]],
  ["BCAST NOLOOP", "SET a 1|c:SET b 1", ["OK", { gone: ["b"] }]],
  [
    "BCAST PREFIX a PREFIX b",
    "c:MSET a1 1 b1 1 a2 1 c 1",
    [{ gone: ["a1", "a2"] }, { gone: ["b1"] }],
  ],
];

Deno.test("CLIENT TRACKING: who is told what", async () => {
  for (const [options, commands, expected] of SCENES) {
    await using machine = await startMemoryServer(1);
    const client = await tracker(machine, ...options.split(" ").filter(Boolean));
    const other = await machine.connect();
    const replies: unknown[] = [];
    for (const command of commands.split("|")) {
      if (command.startsWith("c:")) await other.ask(...command.slice(2).split(" "));
      else {
        client.send(encodeRequest(command.split(" ")));
        replies.push(await next(client));
      }
    }
    replies.push(...await heard(client));
    assertEquals(replies, expected, `${options}: ${commands}`);
  }
});

Deno.test("CLIENT TRACKING: in a pipeline, a message comes behind the command that it is about", async () => {
  await using machine = await startMemoryServer(2);
  const lines = new TextEncoder().encode("GET k\r\nSET k 1\r\nGET k\r\nINCR k\r\nPING\r\n");
  const client = await tracker(machine);
  client.send(lines);
  const gone = { gone: ["k"] };
  assertEquals(await heard(client), [null, "OK", gone, "1", 2, gone, "PONG"]);
  const broadcast = await tracker(machine, "BCAST");
  broadcast.send(lines);
  assertEquals(await heard(broadcast), ["2", "OK", "1", 2, "PONG", gone]);
});

Deno.test("CLIENT TRACKING: keys that expire are told", async () => {
  await using machine = await startMemoryServer(3);
  const client = await tracker(machine);
  await client.ask("SET", "k", "1", "PX", "10");
  await client.ask("GET", "k");
  machine.clock.advance(20);
  await new Promise((resolve) => setTimeout(resolve, 250));
  assertEquals(await heard(client), [{ gone: ["k"] }]);
});

Deno.test("CLIENT TRACKING: another client can be told, until it goes", async () => {
  await using machine = await startMemoryServer(4);
  const [listener, other] = [await machine.connect(), await machine.connect()];
  await listener.ask("HELLO", "3");
  const id = await listener.ask("CLIENT", "ID") as number;
  const client = await tracker(machine, "REDIRECT", String(id));
  assertEquals(await client.ask("CLIENT", "GETREDIR"), id);
  await client.ask("GET", "k");
  await other.ask("SET", "k", "1");
  assertEquals(await heard(listener), [{ gone: ["k"] }]);
  await client.ask("GET", "k");
  listener.end();
  await new Promise((resolve) => setTimeout(resolve, 1));
  await other.ask("SET", "k", "2");
  assertEquals(await heard(client), [["tracking-redir-broken", id]]);
  const line = String(await client.ask("CLIENT", "INFO"));
  assertEquals([/flags=\S+/.exec(line)![0], /redir=\S+/.exec(line)![0]], [
    "flags=tR",
    `redir=${id}`,
  ]);
});

Deno.test("CLIENT TRACKING: what is remembered is counted, limited and let go", async () => {
  await using machine = await startMemoryServer(5, { "tracking-table-max-keys": "3" });
  const { tracking } = machine.server.clients;
  const [client, second] = [await tracker(machine), await tracker(machine)];
  await client.ask("MGET", "a", "b", "a");
  await second.ask("GET", "a");
  assertEquals([tracking.count, tracking.keys, tracking.items], [2, 2, 3]);
  await client.ask("MGET", "c", "d", "e");
  await new Promise((resolve) => setTimeout(resolve, 150));
  assertEquals([tracking.keys, (await heard(client)).length], [3, 2]);
  second.end();
  assertEquals(await client.ask("RESET"), "RESET");
  const third = await tracker(machine, "BCAST", "PREFIX", "x");
  assertEquals([tracking.count, tracking.prefixes], [1, 1]);
  third.end();
  await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals([tracking.count, tracking.prefixes], [0, 0]);
  assertEquals(machine.server.keyspace.heard, 0);
});

Deno.test("tracking: messages that wait for a client that doesn't read share their buffers", async () => {
  await using machine = await startMemoryServer(1);
  const client = await tracker(machine, "BCAST");
  const id = Number(await client.ask("CLIENT", "ID"));
  client.open = false;
  const other = await machine.connect();
  for (let index = 0; index < 200; index++) await other.ask("SET", `key:${index}`, "1");
  const { pendingChunks } = machine.server.sessions.get(id)!;
  assert(pendingChunks > 0 && pendingChunks < 10);
  client.readAll();
  const messages = await heard(client);
  assertEquals(messages, Array.from({ length: 200 }, (_, index) => ({ gone: [`key:${index}`] })));
});

Deno.test("tracking: what a client that waits is told goes to nobody else", async () => {
  await using machine = await startMemoryServer(11);
  const client = await tracker(machine);
  const other = await machine.connect();
  await other.ask("SET", "k", "1");
  assertEquals(await client.ask("GET", "k"), "1");
  await other.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-random");
  // The key goes to make room for WAIT, which doesn't reply yet.
  client.send(
    encodeRequest(["CONFIG", "SET", "maxmemory", "1"]),
    encodeRequest(["WAIT", "1", "0"]),
  );
  assertEquals(await next(client), "OK");
  await other.ask("PING");
  assertEquals(await heard(other), []);
  assertEquals(await next(client), { gone: ["k"] });
});
