import { assert, assertEquals, assertMatch } from "@std/assert";
import { startMemoryServer } from "../support/memory_server.ts";
import { startSideBySide } from "../support/side_by_side.ts";

Deno.test("maxmemory: refusals and errors are those of Redis", async () => {
  await using pair = await startSideBySide(1);
  if (pair === undefined) return;
  await pair.same("SET", "there", "value");
  await pair.same("CONFIG", "SET", "maxmemory", "1");
  for (
    const command of [
      "SET new value",
      "SET new",
      "GET there",
      "APPEND there x",
      "INCR n",
      "DEL nothing",
      "EXPIRE there 100",
      "PERSIST there",
      "RENAME there here",
      "RENAME here there",
      "COPY there copy",
      "SETRANGE there 0 x",
      "SETBIT there 0 1",
      "PFADD h a",
      "MSET a 1 b 2",
      "GETDEL nothing",
      "GETSET there x",
      "NOSUCH command",
      "CONFIG SET maxmemory-policy volatile-lru",
      "SET new value",
      "CONFIG SET maxmemory-policy nosuch",
      "CONFIG SET maxmemory-samples 0",
      "CONFIG SET maxmemory-eviction-tenacity 101",
      "CONFIG SET maxmemory abc",
      "CONFIG SET lfu-decay-time -1",
      "CONFIG SET maxmemory 0",
      "SET new value",
      "CONFIG GET maxmemory",
      "CONFIG GET maxmemory-policy",
      "CONFIG GET lfu-decay-time",
    ]
  ) await pair.same(...command.split(" "));
});

Deno.test("maxmemory: what OBJECT tells of uses depends on the policy, as in Redis", async () => {
  await using pair = await startSideBySide(2);
  if (pair === undefined) return;
  for (const policy of ["allkeys-lru", "volatile-ttl", "volatile-lfu", "allkeys-lfu"]) {
    await pair.same("CONFIG", "SET", "maxmemory-policy", policy);
    await pair.same("DEL", "key", "other", "copy");
    await pair.same("SET", "key", "value");
    await pair.same("OBJECT", "FREQ", "key");
    await pair.same("OBJECT", "IDLETIME", "key");
    await pair.same("OBJECT", "FREQ", "missing");
    await pair.same("OBJECT", "IDLETIME", "missing");
    // The first use always counts, so that what follows is no chance.
    await pair.same("GET", "key");
    await pair.same("OBJECT", "FREQ", "key");
    await pair.same("EXISTS", "key");
    await pair.same("TTL", "key");
    await pair.same("TYPE", "key");
    await pair.same("OBJECT", "FREQ", "key");
    await pair.same("COPY", "key", "copy");
    await pair.same("OBJECT", "FREQ", "copy");
    for (
      const command of [
        "SET other x",
        "APPEND other y",
        "EXPIRE other 100",
        "PERSIST other",
        "TOUCH other",
        "INCR other",
        "GETRANGE other 0 1",
        "SETRANGE other 0 z",
        "GETEX other",
        "RENAME other renamed",
      ]
    ) {
      const name = command.startsWith("RENAME") ? "renamed" : "other";
      await pair.same("DEL", "other", "renamed");
      await pair.same("SET", "other", "text");
      await pair.same(...command.split(" "));
      await pair.same("OBJECT", "FREQ", name);
    }
  }
});

Deno.test("maxmemory: a lower limit evicts at once, and says so", async () => {
  await using machine = await startMemoryServer(3, { "maxmemory-policy": "allkeys-lru" });
  const connection = await machine.connect();
  for (let index = 0; index < 2000; index++) {
    await connection.ask("SET", `key${index}`, "x".repeat(100));
  }
  const { server } = machine;
  const limit = server.countedMemory - 100_000;
  await connection.ask("CONFIG", "SET", "maxmemory", limit);
  assertMatch(
    machine.log.join("\n"),
    /WARNING: the new maxmemory value set via CONFIG SET \(\d+\) is smaller than the current memory usage \(\d+\)\./,
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert(server.countedMemory <= limit);
  const evicted = server.keyspace.counters.evicted;
  assert(evicted > 300 && evicted < 1500, `${evicted} have gone`);
  assertEquals(await connection.ask("DBSIZE"), 2000 - evicted);
  assertEquals(await connection.ask("DEBUG", "CHECK"), "OK");
});

Deno.test("maxmemory: an evicted key is journaled as removed before the command that needed room", async () => {
  await using machine = await startMemoryServer(4, { "maxmemory-policy": "allkeys-random" });
  const connection = await machine.connect();
  for (let index = 0; index < 100; index++) await connection.ask("SET", `key${index}`, "value");
  const written: string[] = [];
  const decoder = new TextDecoder();
  machine.server.journal.listen((bytes) => written.push(decoder.decode(bytes)));
  await connection.ask("CONFIG", "SET", "maxmemory", machine.server.countedMemory);
  await connection.ask("SET", "one", "x".repeat(2000));
  await connection.ask("SET", "two", "value");
  const text = written.join("");
  const removed = text.indexOf("DEL\r\n");
  assert(removed > text.indexOf("one\r\n") && removed < text.indexOf("two\r\n"), text);
  assert(machine.server.keyspace.counters.evicted > 0);
});

Deno.test("maxmemory: a limit that is too small to be meant is doubted at the start", async () => {
  await using machine = await startMemoryServer(5, { maxmemory: "1000" });
  const doubts = machine.log.filter((line) => line.includes("WARNING"));
  assertEquals(doubts.length, 1);
  assertMatch(
    doubts[0],
    /WARNING: You specified a maxmemory value that is less than 1MB \(current value is 1000 bytes\)\. Are you sure this is what you really want\?/,
  );
  await using other = await startMemoryServer(5, { maxmemory: "1mb" });
  assertEquals(other.log.filter((line) => line.includes("WARNING")), []);
});
