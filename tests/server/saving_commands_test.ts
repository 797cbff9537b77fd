import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { MemoryFiles } from "../support/memory_files.ts";
import { startMemoryServer } from "../support/memory_server.ts";
import { until } from "../support/waiting.ts";

const SNAPSHOT = "/data/dump.rdb";

Deno.test("FLUSHALL gives up a snapshot, and leaves an empty one where some are kept", async () => {
  for (const [save, leaves] of [["", false], ["3600 1", true]] as const) {
    const files = new MemoryFiles();
    await using machine = await startMemoryServer(1, { save }, { files });
    const { snapshots } = machine.server.persistence;
    const connection = await machine.connect();
    await connection.ask("SET", "a", "1");
    await connection.ask("BGSAVE");
    assertEquals(snapshots.job !== null, true);
    assertEquals(await connection.ask("FLUSHALL"), "OK");
    assertEquals([snapshots.job, snapshots.changes === 0], [null, leaves]);
    assertEquals(files.paths().includes(SNAPSHOT), leaves);
    if (!leaves) continue;
    await using next = await startMemoryServer(2, { save }, { files });
    assertEquals(await (await next.connect()).ask("DBSIZE"), 0);
  }
});

Deno.test("SHUTDOWN ABORT takes back what a signal has asked for", async () => {
  await using machine = await startMemoryServer(1, { save: "" });
  const { server: { shutdownRequest }, log } = machine;
  const connection = await machine.connect();
  assertEquals(await connection.ask("SHUTDOWN", "ABORT"), "-ERR No shutdown in progress.");
  await connection.ask("DEBUG", "PAUSE-CRON", "1");
  let stays = 0;
  shutdownRequest.ask({}, () => stays++);
  assertEquals(await connection.ask("SHUTDOWN", "ABORT"), "OK");
  assertEquals(stays, 1);
  assertStringIncludes(log.at(-1)!, "Shutdown manually aborted.");
  await connection.ask("DEBUG", "PAUSE-CRON", "0");
  shutdownRequest.ask({}, () => stays++);
  assertEquals(await machine.server.finished, 0);
  assertEquals(stays, 1);
});

Deno.test("a slow loading lets clients ask, and refuses what needs the data", async () => {
  const files = new MemoryFiles();
  {
    await using machine = await startMemoryServer(1, { save: "3600 1" }, { files });
    const connection = await machine.connect();
    for (const key of ["a", "b", "c", "d"]) await connection.ask("SET", key, key);
    await connection.ask("SAVE");
  }
  await using machine = await startMemoryServer(2, { save: "", "key-load-delay": "20000" }, {
    files,
  });
  const connection = await machine.connect();
  const refused = "-LOADING Redis is loading the dataset in memory";
  assertEquals(await connection.ask("GET", "a"), refused);
  assertEquals(await connection.ask("CONFIG", "SET", "appendonly", "yes"), refused);
  assertEquals(await connection.ask("CONFIG", "SET", "loglevel", "debug"), "OK");
  assertMatch(String(await connection.ask("INFO", "persistence")), /loading:1\r\n/);
  await until(() => machine.server.persistence.loading === null);
  assertEquals(await connection.ask("GET", "a"), "a");
});

Deno.test("rewrites that fail again and again wait, and the log hears of it once", async () => {
  await using machine = await startMemoryServer(1, {
    save: "",
    appendonly: "yes",
    "auto-aof-rewrite-min-size": "1",
    "auto-aof-rewrite-percentage": "1",
  });
  const { server: { persistence, persistence: { aof } }, log } = machine;
  const connection = await machine.connect();
  await connection.ask("SET", "a", "1");
  for (let failure = 1; failure <= 3; failure++) {
    await connection.ask("BGREWRITEAOF");
    assertEquals(await connection.ask("DEBUG", "FAIL-CHILD"), "OK");
    await until(() => !aof.rewriting);
    assertEquals(aof.failures, failure);
  }
  const nothing = "-ERR Nothing is being saved or rewritten";
  assertEquals(await connection.ask("DEBUG", "FAIL-CHILD"), nothing);
  for (let tick = 0; tick < 3; tick++) persistence.tick();
  assertEquals(aof.rewriting, false);
  assertEquals(log.filter((line) => line.endsWith("will retry in 1 minutes")).length, 1);
  machine.clock.advance(61_000);
  persistence.tick();
  await until(() => !aof.rewriting);
  assertEquals([aof.failures, aof.rewriteFailed], [0, false]);
  assertEquals(await connection.ask("GET", "a"), "1");
});

Deno.test("with aof-timestamp-enabled, a base of commands begins with the time", async () => {
  const files = new MemoryFiles();
  await using machine = await startMemoryServer(1, {
    save: "",
    appendonly: "yes",
    "aof-use-rdb-preamble": "no",
    "aof-timestamp-enabled": "yes",
  }, { files });
  const base = files.read("/data/appendonlydir/appendonly.aof.1.base.aof");
  const seconds = Math.floor(machine.clock.now() / 1000);
  assertEquals(new TextDecoder().decode(base), `#TS:${seconds}\r\n`);
});

Deno.test("aof-disable-auto-gc: what it has kept is removed when it is off again", async () => {
  const files = new MemoryFiles();
  const options = { save: "", appendonly: "yes", "aof-disable-auto-gc": "yes" };
  await using machine = await startMemoryServer(1, options, { files });
  const connection = await machine.connect();
  await connection.ask("BGREWRITEAOF");
  await until(() => !machine.server.persistence.aof.rewriting);
  const names = (): string[] =>
    files.paths().filter((path) => path.includes("appendonlydir"))
      .map((path) => path.replace(/^.*appendonly\.aof\./, ""));
  assertEquals(names(), ["1.base.rdb", "1.incr.aof", "2.base.rdb", "2.incr.aof", "manifest"]);
  await connection.ask("CONFIG", "SET", "aof-disable-auto-gc", "no");
  assertEquals(names(), ["2.base.rdb", "2.incr.aof", "manifest"]);
  const manifest = files.readText("/data/appendonlydir/appendonly.aof.manifest");
  assertEquals(manifest.includes(" type h"), false);
});

Deno.test("in a transaction, the append-only file is only to be turned on", async () => {
  const files = new MemoryFiles();
  {
    await using machine = await startMemoryServer(1, { save: "" }, { files });
    const { persistence, persistence: { aof } } = machine.server;
    const connection = await machine.connect();
    for (
      const words of [["MULTI"], ["INCR", "n"], ["CONFIG", "SET", "appendonly", "yes"], [
        "INCR",
        "n",
      ]]
    ) {
      await connection.ask(...words);
    }
    await connection.ask("EXEC");
    assertEquals([aof.state, aof.scheduled, aof.rewriting], ["waiting", true, false]);
    persistence.tick();
    await until(() => aof.state === "on");
  }
  await using machine = await startMemoryServer(2, { save: "", appendonly: "yes" }, { files });
  assertEquals(await (await machine.connect()).ask("GET", "n"), "2");
});

Deno.test("a broken snapshot ends the start; the log says where, and its last line that it ends", async () => {
  const files = new MemoryFiles();
  {
    await using machine = await startMemoryServer(1, { save: "" }, { files });
    const connection = await machine.connect();
    await connection.ask("SET", "key", "value of some length");
    await connection.ask("SAVE");
  }
  const bytes = files.read(SNAPSHOT);
  const file = files.create(SNAPSHOT);
  bytes[bytes.length - 1] ^= 1;
  file.write(bytes);
  file.close();
  await using machine = await startMemoryServer(2, { save: "" }, { files });
  assertEquals(await machine.server.finished, 1);
  const text = machine.log.join("\n");
  assertMatch(text, /Internal error in RDB reading offset \d+ of .* -> RDB CRC error/);
  assertStringIncludes(text, `[offset 0] Checking RDB file ${SNAPSHOT}`);
  assertStringIncludes(machine.log.at(-1)!, "Fatal error loading the DB, check server logs.");
});
