import { assertEquals, assertMatch } from "@std/assert";
import { startMemoryServer } from "../support/memory_server.ts";

const NO_REPLICAS = "-NOREPLICAS Not enough good replicas to write.";

Deno.test("how many replicas a write needs counts from when it is set", async () => {
  await using machine = await startMemoryServer(1);
  const client = await machine.connect();
  assertEquals(await client.ask("CONFIG", "SET", "min-replicas-to-write", 1), "OK");
  assertEquals(await client.ask("SET", "key", "value"), NO_REPLICAS);
  assertEquals(await client.ask("CONFIG", "SET", "min-replicas-to-write", 0), "OK");
  assertEquals(await client.ask("SET", "key", "value"), "OK");
});

Deno.test("a replica that sends a command is closed, since its reply would be a part of the stream", async () => {
  await using machine = await startMemoryServer(2);
  const replica = await machine.connect();
  assertMatch(String(await replica.ask("PSYNC", "?", -1)), /^FULLRESYNC 0{40} 0$/);
  replica.send(new TextEncoder().encode("*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"));
  while (!replica.closed) await Promise.resolve();
  const lines = machine.log.filter((line) => /CRITICAL|generated a reply/.test(line));
  assertMatch(lines[0], /sending an error to its replica: .*interact with the keyspace.*'get'$/);
  assertMatch(
    lines[1],
    /Replica generated a reply to command 'get', disconnecting it: id=.* flags=S /,
  );
});

Deno.test("PSYNC says no to an offset that is none", async () => {
  await using machine = await startMemoryServer(3);
  const replica = await machine.connect();
  assertEquals(
    await replica.ask("PSYNC", "id", "word"),
    "-ERR value is not an integer or out of range",
  );
  assertMatch(machine.log.at(-1)!, /asks for synchronization but with a wrong offset$/);
});

Deno.test("a writable replica expires the keys of its clients, and no others", async () => {
  await using machine = await startMemoryServer(4, { "replica-read-only": "no" });
  const { clock, server } = machine;
  const client = await machine.connect();
  await client.ask("SET", "masters", "value", "PX", 100);
  assertEquals(await client.ask("REPLICAOF", "127.0.0.1", 1), "OK");
  await client.ask("SET", "own", "value", "PX", 100);
  await client.ask("SET", "kept", "value", "PX", 100);
  await client.ask("PERSIST", "kept");
  assertEquals(server.replication.ownExpiries.count, 2);
  clock.advance(200);
  server.refreshTime();
  server.replication.tick();
  assertEquals(server.replication.ownExpiries.count, 0);
  assertEquals(await client.ask("DBSIZE"), 2);
  assertMatch(String(await client.ask("DEBUG", "OBJECT", "masters")), /^Value at/);
});

Deno.test("CONFIG RESETSTAT forgets synchronisations", async () => {
  await using machine = await startMemoryServer(5);
  const replica = await machine.connect();
  await replica.ask("PSYNC", "?", -1);
  const client = await machine.connect();
  assertMatch(String(await client.ask("INFO", "stats")), /sync_full:1/);
  await client.ask("CONFIG", "RESETSTAT");
  assertMatch(String(await client.ask("INFO", "stats")), /sync_full:0/);
});
