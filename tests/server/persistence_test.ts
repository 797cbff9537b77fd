import { assertEquals, assertMatch } from "@std/assert";
import { MemoryFiles } from "../support/memory_files.ts";
import { type MemoryConnection, startMemoryServer } from "../support/memory_server.ts";
import { until } from "../support/waiting.ts";

const AOF = { appendonly: "yes", save: "" };
const decoder = new TextDecoder();

async function run(connection: MemoryConnection, ...lines: string[]): Promise<unknown> {
  let reply: unknown;
  for (const line of lines) reply = await connection.ask(...line.split(" "));
  return reply;
}

/** The text of a file of the append-only file. */
function aofText(files: MemoryFiles, name: string): string {
  return decoder.decode(files.read(`/data/appendonlydir/appendonly.aof.${name}`));
}

Deno.test("the append-only file has effects, each database once, and transactions as a whole", async () => {
  const files = new MemoryFiles();
  await using machine = await startMemoryServer(1, AOF, { files });
  const connection = await machine.connect();
  await run(connection, "SET a 1", "GET a", "SELECT 2", "SPOP nothing", "SADD s x", "SPOP s");
  await run(connection, "MULTI", "INCR n", "INCR n", "EXEC", "SET b 2 PX 100");
  const words = aofText(files, "1.incr.aof").split("\r\n").filter((line) => !/^[*$]/.test(line));
  assertEquals(
    words.join(" "),
    "SELECT 0 SET a 1 SELECT 2 SADD s x SREM s x MULTI INCR n INCR n EXEC " +
      `SET b 2 PXAT ${machine.clock.now() + 100} `.trimEnd() + " ",
  );
});

Deno.test("what was written is there after the next start", async () => {
  const files = new MemoryFiles();
  {
    await using machine = await startMemoryServer(1, AOF, { files });
    const connection = await machine.connect();
    await run(connection, "SET a 1", "RPUSH l 1 2 3", "BGREWRITEAOF");
    await until(() => !machine.server.persistence.aof.rewriting);
    await run(connection, "RPUSH l 4", "SELECT 1", "SET b 2");
  }
  await using machine = await startMemoryServer(2, AOF, { files });
  const connection = await machine.connect();
  assertEquals(await run(connection, "LRANGE l 0 -1"), ["1", "2", "3", "4"]);
  assertEquals(await run(connection, "SELECT 1", "GET b"), "2");
  assertEquals(files.paths().filter((path) => path.includes("appendonlydir")), [
    "/data/appendonlydir/appendonly.aof.2.base.rdb",
    "/data/appendonlydir/appendonly.aof.2.incr.aof",
    "/data/appendonlydir/appendonly.aof.manifest",
  ]);
});

Deno.test("turned on while a snapshot is written: what was changed before the first base is there once", async () => {
  const files = new MemoryFiles();
  {
    await using machine = await startMemoryServer(1, { save: "" }, { files });
    const { aof, snapshots } = machine.server.persistence;
    const connection = await machine.connect();
    await run(connection, "SET n 0", "BGSAVE", "CONFIG SET appendonly yes", "INCR n");
    assertEquals([aof.state, aof.scheduled], ["waiting", true]);
    await until(() => snapshots.job === null);
    await run(connection, "INCR n");
    machine.server.persistence.tick();
    await run(connection, "INCR n");
    await until(() => aof.state === "on");
    await run(connection, "INCR n");
  }
  await using machine = await startMemoryServer(2, AOF, { files });
  assertEquals(await (await machine.connect()).ask("GET", "n"), "4");
});

Deno.test("with 'always', nobody hears of a change that isn't on the disk", async () => {
  const files = new MemoryFiles();
  await using machine = await startMemoryServer(
    1,
    { ...AOF, appendfsync: "always", "notify-keyspace-events": "KA" },
    { files },
  );
  const [writer, reader, subscriber, monitor, tracker] = await Promise.all(
    Array.from({ length: 5 }, () => machine.connect()),
  );
  await run(tracker, "HELLO 3", "CLIENT TRACKING on", "GET k");
  await run(subscriber, "PSUBSCRIBE *");
  await run(monitor, "MONITOR");
  files.holdSyncs = true;
  const heard: string[] = [];
  const listen = (name: string, reply: Promise<unknown>): void => {
    reply.then(() => heard.push(name));
  };
  listen("writer", writer.ask("SET", "k", "v"));
  listen("subscriber", subscriber.reply());
  listen("monitor", monitor.reply());
  await until(() => machine.server.gate.count >= 4);
  listen("reader", reader.ask("GET", "k"));
  listen("tracker", tracker.reply());
  await until(() => machine.server.gate.count === 5);
  assertEquals(heard, []);
  files.releaseSyncs();
  await until(() => heard.length === 5);
});

Deno.test("what can't be written is refused until it can, and reads go on", async () => {
  const files = new MemoryFiles();
  await using machine = await startMemoryServer(1, AOF, { files });
  const connection = await machine.connect();
  await run(connection, "SET a 1");
  files.failWrites = 1;
  await run(connection, "SET b 2");
  const refusal = /^-MISCONF Errors writing to the AOF file: Input\/output error/;
  assertMatch(String(await run(connection, "SET c 3")), refusal);
  assertMatch(String(await run(connection, "PING")), refusal);
  assertEquals(await run(connection, "GET a"), "1");
  machine.clock.advance(1500);
  machine.server.persistence.tick();
  assertEquals(await run(connection, "SET c 3"), "OK");
});

Deno.test("a sync that failed isn't tried again: the data is written anew", async () => {
  const files = new MemoryFiles();
  await using machine = await startMemoryServer(1, AOF, { files });
  const { aof } = machine.server.persistence;
  const connection = await machine.connect();
  await run(connection, "SET a 1");
  files.failSyncs = 1;
  machine.clock.advance(1000);
  machine.server.persistence.tick();
  await until(() => aof.writer.syncError !== null);
  assertMatch(String(await run(connection, "SET b 2")), /^-MISCONF /);
  machine.clock.advance(1000);
  machine.server.persistence.tick();
  await until(() => aof.writer.syncError === null);
  assertEquals([aof.rewrites, await run(connection, "SET b 2")], [1, "OK"]);
});

Deno.test("with 'always', a disk that fails ends the server", async () => {
  for (const fault of ["failWrites", "failSyncs"] as const) {
    const files = new MemoryFiles();
    await using machine = await startMemoryServer(
      1,
      { ...AOF, appendfsync: "always" },
      { files },
    );
    const connection = await machine.connect();
    await run(connection, "SET a 1");
    files[fault] = 1;
    connection.ask("SET", "b", "2").catch(() => {});
    assertEquals(await machine.server.finished, 1);
    assertMatch(machine.log.join("\n"), /AOF fsync policy is 'always'.*Exiting/);
  }
});

Deno.test("however a request is written, the file has it as everybody would write it", async () => {
  const files = new MemoryFiles();
  await using machine = await startMemoryServer(1, AOF, { files });
  const connection = await machine.connect();
  const encoder = new TextEncoder();
  // Six spaces are as long as what stands between two arguments.
  connection.send(encoder.encode("PING *3\r\n$3\r\nSET      a      b\r\n"));
  for (let reply = 0; reply < 3; reply++) await connection.reply();
  const odd = [
    "*3\r\n$3\r\nSET\r\n$1\rXc\r\n$1\rXd\r\n",
    "*3\r\n$3\r\nSETxx$1\r\nexx$1\r\nfxx",
    "SET g h\r\n",
    "*3\r\n$3\r\nSET\r\n$1\r\ni\r\n$1\r\nj\r\n",
  ];
  for (const request of odd) {
    connection.send(encoder.encode(request));
    assertEquals((await connection.reply()).kind, "simple");
  }
  const set = (key: string, value: string): string =>
    `*3\r\n$3\r\nSET\r\n$1\r\n${key}\r\n$1\r\n${value}\r\n`;
  assertEquals(
    aofText(files, "1.incr.aof"),
    "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n" + set("a", "b") + set("c", "d") + set("e", "f") +
      set("g", "h") + set("i", "j"),
  );
});

Deno.test("a SHUTDOWN that can't save leaves everything as it was", async () => {
  const files = new MemoryFiles();
  for (const policy of ["everysec", "always"]) {
    const options = { ...AOF, save: "3600 1", appendfsync: policy };
    {
      await using machine = await startMemoryServer(1, options, { files });
      const connection = await machine.connect();
      await run(connection, "SET a 1");
      files.failOpens = (path) => path.includes("temp-");
      assertMatch(String(await run(connection, "SHUTDOWN")), /^-ERR Errors trying to SHUTDOWN/);
      files.failOpens = 0;
      assertEquals(machine.server.persistence.aof.state, "on");
      assertEquals(await run(connection, `SET after-${policy} 2`), "OK");
    }
    await using machine = await startMemoryServer(2, options, { files });
    assertEquals(await (await machine.connect()).ask("GET", `after-${policy}`), "2");
  }
});
