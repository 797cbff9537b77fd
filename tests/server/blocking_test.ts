import { assert, assertEquals } from "@std/assert";
import { encodeRequest, type RequestArgument } from "../../src/protocol/request_writer.ts";
import { type MemoryConnection, plain, startMemoryServer } from "../support/memory_server.ts";

/** Lets everything that is ready happen. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise((resolve) => setTimeout(resolve));
}

/** Sends commands in one piece. */
function pipeline(connection: MemoryConnection, ...commands: readonly RequestArgument[][]): void {
  const bytes = commands.map((words) => encodeRequest(words));
  connection.send(new Uint8Array(bytes.flatMap((part) => [...part])));
}

async function replyOf(connection: MemoryConnection): Promise<unknown> {
  return plain(await connection.reply());
}

Deno.test("WAIT waits, and what comes behind it waits with it", async () => {
  await using machine = await startMemoryServer(1);
  const [waiter, other] = [await machine.connect(), await machine.connect()];
  const { blocking } = machine.server.clients;
  pipeline(waiter, ["SET", "k", "1"], ["WAIT", "1", "500"], ["INCR", "k"], ["GET", "k"]);
  assertEquals(await replyOf(waiter), "OK");
  waiter.send(encodeRequest(["INCR", "k"]));
  await settle();
  assertEquals(await other.ask("GET", "k"), "1");
  assertEquals([blocking.count, blocking.timed], [1, 1]);
  machine.clock.advance(499);
  machine.server.clients.deadlines.run();
  assertEquals(blocking.count, 1);
  machine.clock.advance(1);
  machine.server.clients.deadlines.run();
  assertEquals([blocking.count, blocking.timed], [0, 0]);
  for (const expected of [0, 2, "2", 3]) assertEquals(await replyOf(waiter), expected);
});

Deno.test("CLIENT UNBLOCK ends a wait, with a reply or with an error", async () => {
  await using machine = await startMemoryServer(2);
  const [waiter, other] = [await machine.connect(), await machine.connect()];
  const id = await waiter.ask("CLIENT", "ID") as number;
  assertEquals(await other.ask("CLIENT", "UNBLOCK", id), 0);
  for (
    const [word, expected] of [
      ["TIMEOUT", 0],
      ["ERROR", "-UNBLOCKED client unblocked via CLIENT UNBLOCK"],
    ] as const
  ) {
    pipeline(waiter, ["WAIT", "1", "0"], ["PING"]);
    await settle();
    const list = String(await other.ask("CLIENT", "LIST", "ID", id));
    assert(/ flags=b .* qbuf=14 .* argv-mem=6 .* cmd=wait /.test(list), list);
    assertEquals(await other.ask("CLIENT", "UNBLOCK", id, word), 1);
    assertEquals(await replyOf(waiter), expected);
    assertEquals(await replyOf(waiter), "PONG");
    assertEquals(await other.ask("CLIENT", "UNBLOCK", id, word), 0);
  }
});

Deno.test("a client that waits and goes, or is killed, waits no longer", async () => {
  await using machine = await startMemoryServer(3);
  const other = await machine.connect();
  const { blocking, deadlines } = machine.server.clients;
  for (const way of ["end", "kill"]) {
    const waiter = await machine.connect();
    const id = await waiter.ask("CLIENT", "ID") as number;
    waiter.send(encodeRequest(["WAIT", "1", "1000"]));
    await settle();
    assertEquals([blocking.count, deadlines.size], [1, 1]);
    if (way === "end") waiter.end();
    else assertEquals(await other.ask("CLIENT", "KILL", "ID", id), 1);
    await settle();
    assert(waiter.closed);
    assertEquals([blocking.count, blocking.timed, deadlines.size], [0, 0, 0]);
  }
});

Deno.test("a client that waits is still held to the limit of its query buffer", async () => {
  await using machine = await startMemoryServer(4, { "client-query-buffer-limit": "1mb" });
  const waiter = await machine.connect();
  waiter.send(encodeRequest(["WAIT", "1", "0"]), new Uint8Array(1 << 20), new Uint8Array(10));
  for (let round = 0; round < 100 && !waiter.closed; round++) await settle();
  assert(waiter.closed);
  assertEquals(machine.server.clients.blocking.count, 0);
});

Deno.test("CLIENT REPLY decides about the reply of a wait, too", async () => {
  await using machine = await startMemoryServer(5);
  const waiter = await machine.connect();
  for (const word of ["SKIP", "OFF"]) {
    pipeline(waiter, ["CLIENT", "REPLY", word], ["WAIT", "1", "10"], ["CLIENT", "REPLY", "ON"]);
    await settle();
    machine.clock.advance(10);
    machine.server.clients.deadlines.run();
    assertEquals(await replyOf(waiter), "OK", word);
  }
});

Deno.test("CLIENT PAUSE ALL holds every command, and lets them go in the order they came", async () => {
  await using machine = await startMemoryServer(6);
  const [first, second, third] = [
    await machine.connect(),
    await machine.connect(),
    await machine.connect(),
  ];
  assertEquals(await first.ask("CLIENT", "PAUSE", "100"), "OK");
  pipeline(second, ["APPEND", "k", "a"], ["APPEND", "k", "b"]);
  third.send(new TextEncoder().encode('APPEND k "c\\x64"\r\nGET k\r\n'));
  first.send(encodeRequest(["CLIENT", "UNPAUSE"]));
  await settle();
  assertEquals(machine.server.clients.blocking.count, 3);
  // What is wrong is said at once.
  assertEquals(
    await (await machine.connect()).ask("APPEND", "k"),
    "-ERR wrong number of arguments for 'append' command",
  );
  machine.clock.advance(100);
  machine.server.clients.deadlines.run();
  assertEquals([await replyOf(second), await replyOf(second)], [1, 2]);
  assertEquals([await replyOf(third), await replyOf(third)], [4, "abcd"]);
  assertEquals(await replyOf(first), "OK");
  assertEquals(machine.server.clients.blocking.count, 0);
});

Deno.test("CLIENT PAUSE WRITE holds writes alone; a longer or stronger pause wins", async () => {
  await using machine = await startMemoryServer(7);
  const [writer, other] = [await machine.connect(), await machine.connect()];
  const { pause } = machine.server.clients;
  assertEquals(await other.ask("CLIENT", "PAUSE", "100", "WRITE"), "OK");
  assertEquals(await other.ask("CLIENT", "PAUSE", "50", "WRITE"), "OK");
  const big = new Uint8Array(100_000).fill(120);
  writer.send(encodeRequest(["SET", "k", big]));
  await settle();
  assertEquals(await other.ask("GET", "k"), null);
  assertEquals(await other.ask("CLIENT", "UNBLOCK", await other.ask("CLIENT", "ID") as number), 0);
  machine.clock.advance(99);
  machine.server.clients.deadlines.run();
  assertEquals(await other.ask("GET", "k"), null);
  assertEquals(await other.ask("CLIENT", "UNPAUSE"), "OK");
  assertEquals(await replyOf(writer), "OK");
  assertEquals(await other.ask("STRLEN", "k"), big.length);
  assertEquals(await other.ask("DEBUG", "CHECK"), "OK");
  await other.ask("CLIENT", "PAUSE", "100", "WRITE");
  await other.ask("CLIENT", "PAUSE", "10", "ALL");
  machine.clock.advance(50);
  machine.server.clients.deadlines.run();
  assertEquals(pause.kind, 2);
  machine.clock.advance(50);
  machine.server.clients.deadlines.run();
  assertEquals(pause.kind, 0);
});

Deno.test("a big value that waits for the end of a pause is freed if its client goes", async () => {
  await using machine = await startMemoryServer(8);
  const [writer, other] = [await machine.connect(), await machine.connect()];
  const before = machine.server.keyspace.arena.usedBytes;
  await other.ask("CLIENT", "PAUSE", "1000", "WRITE");
  writer.send(encodeRequest(["SET", "k", new Uint8Array(1_000_000)]));
  await settle();
  assert(machine.server.keyspace.arena.usedBytes > before + 900_000);
  writer.end();
  await settle();
  assertEquals(machine.server.keyspace.arena.usedBytes, before);
  assertEquals(await other.ask("DEBUG", "CHECK"), "OK");
});

Deno.test("while a pause lasts, expired keys are gone for those who ask, and stay", async () => {
  await using machine = await startMemoryServer(9);
  const connection = await machine.connect();
  await connection.ask("MSET", "a", "1", "b", "2");
  for (const key of ["a", "b"]) await connection.ask("PEXPIRE", key, "10");
  await connection.ask("CLIENT", "PAUSE", "1000", "WRITE");
  machine.clock.advance(100);
  await new Promise((resolve) => setTimeout(resolve, 120));
  assertEquals(await connection.ask("GET", "a"), null);
  assertEquals(await connection.ask("KEYS", "*"), []);
  assert(["a", "b"].includes(await connection.ask("RANDOMKEY") as string));
  assertEquals(await connection.ask("DBSIZE"), 2);
  assertEquals(machine.server.keyspace.counters.expired, 0);
  await connection.ask("CLIENT", "UNPAUSE");
  assertEquals(await connection.ask("GET", "a"), null);
  assertEquals(machine.server.keyspace.counters.expired > 0, true);
});
