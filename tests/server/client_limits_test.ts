import { assert, assertEquals, assertMatch } from "@std/assert";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import {
  type MemoryConnection,
  type MemoryServer,
  startMemoryServer,
} from "../support/memory_server.ts";

const LIMITS = "client-output-buffer-limit";

/** Waits until the server has done all that is ready, background work included. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Waits for the server's background work. */
async function tick(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 130));
}

/** A client that asks for `count` values of 100 kB and reads none. */
async function deafClient(machine: MemoryServer, count: number): Promise<MemoryConnection> {
  const client = await machine.connect();
  client.open = false;
  for (let sent = 0; sent < count; sent++) client.send(encodeRequest(["GET", "big"]));
  await settle();
  return client;
}

Deno.test("client-output-buffer-limit: more than the hard limit ends a client at once", async () => {
  await using machine = await startMemoryServer(1);
  const other = await machine.connect();
  await other.ask("SET", "big", "x".repeat(100_000));
  assertEquals(await other.ask("CONFIG", "SET", LIMITS, "normal 150000 0 0"), "OK");
  const modest = await deafClient(machine, 1);
  assert(!modest.closed);
  const client = await machine.connect();
  client.open = false;
  const request = encodeRequest(["GET", "big"]);
  client.send(new Uint8Array([...request, ...request]));
  await settle();
  assert(client.closed);
  assertEquals(machine.server.sessions.size, 2);
  assertMatch(
    machine.log.at(-1)!,
    / # Client id=3 .* omem=\d{6} .* cmd=get .* closed for overcoming of output buffer limits\.$/,
  );
  assertEquals(await other.ask("STRLEN", "big"), 100_000);
  assertEquals(await other.ask("DEBUG", "CHECK"), "OK");
});

Deno.test("a client without the password is closed when it doesn't read", async () => {
  await using machine = await startMemoryServer(1);
  const other = await machine.connect();
  const known = await machine.connect();
  assertEquals(await other.ask("CONFIG", "SET", "requirepass", "secret"), "OK");
  const late = await machine.connect();
  for (const client of [known, late]) {
    client.open = false;
    client.send(new TextEncoder().encode("HELLO 2\r\n".repeat(1000)));
    await settle();
  }
  await tick();
  await tick();
  // Those who were there before the password was set needn't give it.
  assert(!known.closed);
  assert(late.closed);
});

Deno.test("client-output-buffer-limit: more than the soft limit may last for so long", async () => {
  await using machine = await startMemoryServer(2);
  const other = await machine.connect();
  await other.ask("SET", "big", "x".repeat(100_000));
  await other.ask("CONFIG", "SET", LIMITS, "normal 0 50000 3");
  const [deaf, slow] = [await deafClient(machine, 2), await deafClient(machine, 2)];
  await tick();
  machine.clock.advance(3000);
  await tick();
  assertEquals([deaf.closed, slow.closed], [false, false]);
  slow.readAll();
  await tick();
  machine.clock.advance(1000);
  await tick();
  assertEquals([deaf.closed, slow.closed], [true, false]);
});

Deno.test("maxmemory-clients: the largest clients go first, but not those that are protected", async () => {
  await using machine = await startMemoryServer(3);
  const other = await machine.connect();
  await other.ask("SET", "big", "x".repeat(100_000));
  const safe = await machine.connect();
  assertEquals(await safe.ask("CLIENT", "NO-EVICT", "ON"), "OK");
  assertMatch(String(await safe.ask("CLIENT", "INFO")), / flags=e /);
  safe.open = false;
  for (let sent = 0; sent < 6; sent++) safe.send(encodeRequest(["GET", "big"]));
  const small = await deafClient(machine, 1);
  const large = await deafClient(machine, 3);
  assertEquals(await other.ask("CONFIG", "SET", "maxmemory-clients", "900000"), "OK");
  // They are read from again only after a while in which their writes hang.
  for (let round = 0; round < 5; round++) await tick();
  assertEquals([safe.closed, small.closed, large.closed], [false, false, true]);
  assertEquals(machine.server.counters.evictedClients, 1);
  assert(machine.log.some((line) => line.includes(" * Evicting client: id=4 ")));
  const { normal } = machine.server.clients.limits.memory();
  assert(normal > 680_000 && normal < 900_000, String(normal));
});

Deno.test("maxmemory-clients: what a client sends counts, also a big argument", async () => {
  await using machine = await startMemoryServer(4, { "maxmemory-clients": "1mb" });
  const other = await machine.connect();
  for (const words of [["ECHO"], ["SET", "k"]]) {
    const client = await machine.connect();
    const request = encodeRequest([...words, new Uint8Array(4_000_000)]);
    client.send(request.subarray(0, 3_000_000));
    for (let round = 0; round < 100 && !client.closed; round++) await settle();
    assert(client.closed, words[0]);
    assertEquals(await other.ask("PING"), "PONG");
  }
  assertEquals(await other.ask("DEBUG", "CHECK"), "OK");
});

Deno.test("timeout: a client that says nothing is closed, one that waits is not", async () => {
  await using machine = await startMemoryServer(5, { timeout: "10", loglevel: "verbose" });
  const [idle, waiting, busy] = [
    await machine.connect(),
    await machine.connect(),
    await machine.connect(),
  ];
  waiting.send(encodeRequest(["WAIT", "1", "0"]));
  await settle();
  machine.clock.advance(9_000);
  assertEquals(await busy.ask("PING"), "PONG");
  machine.clock.advance(2_000);
  await tick();
  assertEquals([idle.closed, waiting.closed, busy.closed], [true, false, false]);
  assert(machine.log.some((line) => line.endsWith(" - Closing idle client")));
});

Deno.test("the largest buffers of the last seconds are told", async () => {
  await using machine = await startMemoryServer(6);
  const client = await machine.connect();
  await client.ask("SET", "big", "x".repeat(60_000));
  await tick();
  const { limits } = machine.server.clients;
  assert(limits.memory().recentInput > 60_000);
  client.end();
  await tick();
  machine.clock.advance(8_000);
  assertEquals(limits.memory(), { normal: 0, replicas: 0, recentInput: 0, recentOutput: 0 });
});

Deno.test("a protocol error is logged with what the client had sent", async () => {
  await using machine = await startMemoryServer(7, { loglevel: "verbose" });
  const texts = [
    ["PING\r\n*x\r\n", "(invalid mbulk count)", "'*x..'"],
    ["*2\r\n$3\r\nGET\r\nfoo\r\n", "(expected $ but got something else)", "'foo..'"],
    ["*1\r\n$-1\r\nabc", "(invalid bulk length)", "'$-1..abc'"],
    [
      "x".repeat(70_000),
      "(too big inline request)",
      `'${"x".repeat(64)}' (... more 69872 bytes ...) '${"x".repeat(64)}'`,
    ],
  ];
  for (const [sent, about, shown] of texts) {
    const client = await machine.connect();
    client.send(new TextEncoder().encode(sent));
    for (let round = 0; round < 100 && !client.closed; round++) await settle();
    const line = machine.log.findLast((text) => text.includes("Protocol error"))!;
    assert(line.includes(` - Protocol error ${about} from client: id=`), line);
    assert(line.endsWith(`. Query buffer during protocol error: ${shown}`), line);
  }
});

Deno.test("maxmemory-clients: a client isn't closed while its command runs", async () => {
  await using machine = await startMemoryServer(6, { "maxmemory-policy": "allkeys-random" });
  const [tracker, writer] = [await machine.connect(), await machine.connect()];
  await tracker.ask("HELLO", "3");
  await tracker.ask("CLIENT", "TRACKING", "ON");
  await tracker.ask("SET", "small", "x".repeat(4_000));
  await tracker.ask("GET", "small");
  const length = 120_000;
  const { server } = machine;
  const { arena } = server.keyspace;
  const before = arena.usedBytes;
  const request = encodeRequest(["SET", "big", "x".repeat(length)]);
  writer.send(request.subarray(0, 60_000));
  await settle();
  assert(arena.usedBytes - before > length);
  // From here on all that is told to the tracker is too much, and one key has to go for the next.
  const taken = server.clients.limits.memory().normal;
  await tracker.ask("CONFIG", "SET", "maxmemory-clients", String(Math.max(131_072, taken + 16)));
  server.eviction.limit = server.usedMemory - 2_000;
  writer.send(request.subarray(60_000));
  await settle();
  server.eviction.limit = 0;
  assertEquals(server.keyspace.counters.evicted, 1);
  const other = await machine.connect();
  assertEquals(await other.ask("STRLEN", "big"), length);
});
