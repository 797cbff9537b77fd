import { MemoryFiles } from "../support/memory_files.ts";
import { startServer } from "../../src/server/mod.ts";
import { assert, assertEquals } from "@std/assert";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import { plain, startMemoryServer } from "../support/memory_server.ts";
import { seededRandom, testSeed } from "../support/random.ts";
import { joinBytes } from "../../src/protocol/joined_bytes.ts";

/** Text whose bytes tell where they belong. */
function pattern(length: number): string {
  return Array.from(
    { length },
    (_, index) => String.fromCharCode(97 + (index * 7 + (index >>> 8)) % 26),
  ).join("");
}

Deno.test("server: a command with too few arguments, after others used the same memory", async () => {
  await using machine = await startMemoryServer(21);
  const long = await machine.connect();
  assertEquals(await long.ask("SET", "k".repeat(12_000), "v"), "OK");
  const short = await machine.connect();
  for (const name of ["GET", "TTL", "RENAME", "MSET", "COPY"]) {
    const expected = `-ERR wrong number of arguments for '${name.toLowerCase()}' command`;
    assertEquals(await short.ask(name), expected);
  }
});

Deno.test("server: a big value, however it is cut, arrives as it was sent", async () => {
  const random = seededRandom(testSeed("big value"));
  await using machine = await startMemoryServer(22);
  const connection = await machine.connect();
  const value = pattern(200_000);
  for (let round = 0; round < 25; round++) {
    const bytes = encodeRequest(["SET", "key", value]);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const most = random() < 0.3 ? 40 : random() < 0.5 ? 5000 : 300_000;
      const size = 1 + Math.floor(random() * most);
      pieces.push(bytes.slice(at, at + size));
      at += size;
    }
    connection.send(...pieces, encodeRequest(["GET", "key"]));
    assertEquals(plain(await connection.reply()), "OK");
    assert(plain(await connection.reply()) === value);
    await connection.ask("DEL", "key");
  }
  assertEquals(await connection.ask("DEBUG", "CHECK"), "OK");
});

Deno.test("server: a big value that nobody takes leaves nothing behind", async () => {
  await using machine = await startMemoryServer(23);
  const { arena } = machine.server.keyspace;
  const connection = await machine.connect();
  await connection.ask("SET", "key", "v");
  const used = arena.usedBytes;
  const value = pattern(150_000);
  assertEquals(await connection.ask("SETNX", "key", value), 0);
  assertEquals(await connection.ask("SET", "key", value, "NX"), null);
  const invalid = "-ERR invalid expire time in 'set' command";
  assertEquals(await connection.ask("SET", "key", value, "EX", "0"), invalid);
  assertEquals(await connection.ask("SET", "none", value, "XX"), null);
  const noNumber = "-ERR value is not an integer or out of range";
  assertEquals(await connection.ask("SETEX", "key", "x", value), noNumber);
  assertEquals(arena.usedBytes, used);
  // Half of one, and then the client is gone.
  const cut = await machine.connect();
  cut.send(encodeRequest(["SET", "key", value]).slice(0, 90_000));
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  assert(arena.usedBytes > used, "it has a place already");
  cut.end();
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  assertEquals(cut.closed, true);
  assertEquals(arena.usedBytes, used);
  assertEquals(await connection.ask("GET", "key"), "v");
});

Deno.test("server: a big value whose first part came while the client wasn't reading", async () => {
  await using machine = await startMemoryServer(24);
  const connection = await machine.connect();
  await connection.ask("SET", "output", "o".repeat(30_000));
  const value = pattern(100_000);
  const request = encodeRequest(["SET", "key", value]);
  connection.open = false;
  // More replies than may wait, so that the rest of the commands stays in the buffer.
  for (let count = 0; count < 60; count++) connection.send(encodeRequest(["GET", "output"]));
  connection.send(request.slice(0, 5000));
  // The server reads on after a while, so that client and server can't wait for each other.
  while (!connection.awaited) await new Promise((resolve) => setTimeout(resolve, 20));
  connection.readAll();
  for (let count = 0; count < 60; count++) await connection.reply();
  connection.send(request.slice(5000));
  assertEquals(plain(await connection.reply()), "OK");
  assert(await connection.ask("GET", "key") === value);
});

Deno.test("server: a value that is being sent may be changed meanwhile", async () => {
  await using machine = await startMemoryServer(25);
  const reader = await machine.connect();
  const writer = await machine.connect();
  const { arena } = machine.server.keyspace;
  const value = pattern(100_000);
  const used = arena.usedBytes;
  for (
    const change of [["SET", "key", "x"], ["APPEND", "key", "x"], ["DEL", "key"], ["FLUSHALL"]]
  ) {
    await writer.ask("SET", "key", value);
    reader.open = false;
    reader.send(encodeRequest(["GET", "key"]));
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    await writer.ask(...change);
    await writer.ask("SET", "other", "z".repeat(100_000));
    reader.readAll();
    assert(plain(await reader.reply()) === value, change[0]);
    await writer.ask("FLUSHALL");
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    assert(arena.usedBytes - used < 1000, change[0]);
  }
});

Deno.test("server: two servers in one process know nothing of each other", async () => {
  await using first = await startMemoryServer(26);
  await using second = await startMemoryServer(27, { databases: "4" });
  const one = await first.connect();
  const two = await second.connect();
  await one.ask("SET", "key", "first");
  await two.ask("SET", "key", "second");
  assertEquals(await one.ask("GET", "key"), "first");
  assertEquals(await two.ask("GET", "key"), "second");
  assertEquals(await two.ask("SELECT", 5), "-ERR DB index is out of range");
  assertEquals(await one.ask("SELECT", 5), "OK");
});

Deno.test("server: a pipeline is answered as its commands are one by one", async () => {
  const random = seededRandom(testSeed("pipeline"));
  await using together = await startMemoryServer(28);
  await using apart = await startMemoryServer(28);
  const pipeline = await together.connect();
  const single = await apart.connect();
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)];
  const name = () => `k${Math.floor(random() * 12)}`;
  for (let round = 0; round < 150; round++) {
    const commands: (string | number)[][] = [];
    for (let count = 1 + Math.floor(random() * 40); count > 0; count--) {
      const value = random() < 0.5 ? count : "v".repeat(Math.floor(random() * 90));
      commands.push(pick([
        ["SET", name(), value],
        ["SET", name(), value, "PX", 5],
        ["GET", name()],
        ["INCR", name()],
        ["APPEND", name(), value],
        ["MSET", name(), value, name(), count],
        ["MGET", name(), name()],
        ["DEL", name()],
        ["GET"],
        ["RENAME", name(), name()],
        ["COPY", name(), name()],
        ["EXPIRE", name(), 100],
        ["SELECT", Math.floor(random() * 2)],
        ["SWAPDB", 0, 1],
        ["MOVE", name(), 1],
        random() < 0.2 ? ["FLUSHDB"] : ["PTTL", name()],
      ]));
    }
    const request = commands.map((command) => encodeRequest(command));
    pipeline.send(joinBytes(request));
    for (const command of commands) {
      const expected = await single.ask(...command);
      assertEquals(plain(await pipeline.reply()), expected, command.join(" "));
    }
    together.clock.advance(3);
    apart.clock.advance(3);
  }
  assertEquals(await pipeline.ask("DEBUG", "CHECK"), "OK");
});

Deno.test("server: once shutdown has resolved, its port is free", async () => {
  const first = await startServer({ port: "0", bind: "127.0.0.1" }, {
    log: () => {},
    files: new MemoryFiles(),
  });
  const port = String(first.port);
  await first.shutdown();
  const second = await startServer({ port, bind: "127.0.0.1" }, {
    log: () => {},
    files: new MemoryFiles(),
  });
  await second.shutdown();
});
