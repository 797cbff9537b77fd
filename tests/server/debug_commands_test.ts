import { assertEquals, assertMatch } from "@std/assert";
import { startMemoryServer } from "../support/memory_server.ts";
import { startSideBySide } from "../support/side_by_side.ts";

Deno.test("DEBUG: what it answers without looking inside is what Redis answers", async () => {
  await using servers = await startSideBySide(21);
  if (servers === undefined) return;
  // deno-fmt-ignore
  const types = [
    "string", "integer", "double", "bignum", "null", "array", "set", "map", "push", "verbatim", "true",
    "FALSE", "nosuch",
  ];
  for (const version of ["3", "2"]) {
    await servers.both("HELLO", version);
    for (const type of types) {
      // An out-of-band message isn't a reply, so that nobody would wait for it here.
      if (version === "2" || type !== "push") await servers.same("DEBUG", "PROTOCOL", type);
    }
  }
  await servers.same("DEBUG", "PROTOCOL", "attrib");
  for (const text of ["FOO bar", "", "-x", "a\r\nb"]) await servers.same("DEBUG", "ERROR", text);
  await servers.same("DEBUG", "LOG", "something");
  // deno-fmt-ignore
  const wrong = [
    "", "NOSUCH", "JMAP", "SLEEP", "SLEEP 0 0", "OBJECT", "OBJECT none", "OBJECT a b", "SET-ACTIVE-EXPIRE",
    "HELP x", "LOG", "ERROR a b", "DIGEST x", "HTSTATS", "HTSTATS 0 x", "HTSTATS 16", "HTSTATS x", "POPULATE",
    "POPULATE x", "POPULATE -1", "POPULATE 1 p x", "POPULATE 1 p -1", "POPULATE 1 p 1 1", "RELOAD FOO", "PAUSE-CRON",
    "SDSLEN", "SDSLEN none", "STRUCTSIZE x", "HTSTATS-KEY none", "LISTPACK none", "SET-SKIP-CHECKSUM-VALIDATION",
    "MALLCTL", "STRINGMATCH-LEN a b", "DICT-RESIZING 1", "REPLYBUFFER", "PAUSE-CRON x", "PAUSE-CRON 0",
    "SET-SKIP-CHECKSUM-VALIDATION 0", "DIGEST-VALUE", "DIGEST", "DIGEST-VALUE none none",
    "CLIENT-EVICTION", "CLIENT-EVICTION x", "CLUSTERLINK KILL all x", "CLUSTERLINK FOO all x", "CLUSTERLINK KILL",
  ];
  for (const line of wrong) await servers.same("DEBUG", ...line.split(" "));
  for (const line of ["SLEEP 0", "SLEEP x", "SLEEP -1", "SET-ACTIVE-EXPIRE x"]) {
    await servers.same("DEBUG", ...line.split(" "));
  }
});

Deno.test("DEBUG LOG writes a line to the log", async () => {
  await using machine = await startMemoryServer(22);
  const connection = await machine.connect();
  await connection.ask("DEBUG", "LOG", "here I am");
  assertEquals(machine.log.at(-1)!.endsWith("# DEBUG LOG: here I am"), true, machine.log.at(-1));
});

Deno.test("DEBUG DIGEST is the same for the same data in Redis", async () => {
  await using servers = await startSideBySide(23);
  if (servers === undefined) return;
  const keys = ["a", "", "k".repeat(300), "\xff\xfe", "n"];
  // deno-fmt-ignore
  const values = ["", "1", "-5", "9223372036854775807", "x", "x".repeat(100), "y".repeat(70_000), "1.5"];
  for (const database of ["0", "3", "15"]) {
    await servers.same("SELECT", database);
    for (const key of keys) {
      for (const value of values) {
        await servers.same("SET", key, value);
        await servers.same("DEBUG", "DIGEST-VALUE", key, "none", key);
        await servers.same("DEBUG", "DIGEST");
      }
    }
    await servers.same("EXPIRE", "a", "1000");
    await servers.same("DEBUG", "DIGEST-VALUE", "a");
    await servers.same("DEBUG", "POPULATE", "300", "some", "20");
    await servers.same("DEBUG", "POPULATE", "305", "some", "3");
    await servers.same("DEBUG", "POPULATE", "5");
    await servers.same("DBSIZE");
    await servers.same("GET", "some:7");
    await servers.same("DEBUG", "DIGEST");
  }
  await servers.same("SWAPDB", "0", "3");
  await servers.same("DEBUG", "DIGEST");
});

Deno.test("DEBUG OBJECT and OBJECT REFCOUNT speak of the value as Redis does", async () => {
  await using servers = await startSideBySide(24);
  if (servers === undefined) return;
  const ends = [0, 9999, 10_000, -1].map(String);
  for (const value of [...ends, "hello", "a".repeat(77), "b".repeat(45), "9223372036854775807"]) {
    await servers.same("SET", "key", value);
    await servers.same("OBJECT", "REFCOUNT", "key");
    const shown = await servers.both("DEBUG", "OBJECT", "key");
    const [expected, actual] = shown.map((text) =>
      text.replace(/0x[0-9a-f]+/, "0x").replace(/ lru:.*/, "")
    );
    assertEquals(actual, expected);
    assertEquals(/ lru:\d+ lru_seconds_idle:\d+\r\n$/.test(shown[1]), true, shown[1]);
  }
  await servers.same("SET", "key", "5");
  for (const policy of ["allkeys-lru", "volatile-lfu", "volatile-ttl", "noeviction"]) {
    await servers.same("CONFIG", "SET", "maxmemory-policy", policy, "maxmemory", "1000000000");
    await servers.same("SET", "key", "5");
    await servers.same("OBJECT", "REFCOUNT", "key");
  }
  await servers.same("CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", "0");
  await servers.same("SET", "key", "5");
  await servers.same("OBJECT", "REFCOUNT", "key");
  for (const subcommand of ["SDSLEN", "HTSTATS-KEY", "LISTPACK"]) {
    await servers.same("DEBUG", subcommand, "key");
  }
});

Deno.test("DEBUG CLIENT-EVICTION counts clients by size, in Redis' lines", async () => {
  await using servers = await startSideBySide(28);
  if (servers === undefined) return;
  await servers.same("CONFIG", "SET", "maxmemory-clients", "100mb");
  const [expected, actual] = (await servers.both("DEBUG", "CLIENT-EVICTION")).map((text) =>
    text.replace(/^\$\d+/, "").replace(/: tot-mem:.*/g, "")
  );
  assertEquals(actual, expected);
  const clients = [
    ...(await servers.both("DEBUG", "CLIENT-EVICTION"))[1].matchAll(/clients: (\d+)/g),
  ];
  assertEquals(clients.reduce((sum, [, count]) => sum + Number(count), 0), 1);
});

Deno.test("DEBUG HTSTATS counts all keys", async () => {
  await using machine = await startMemoryServer(25);
  const connection = await machine.connect();
  const empty = await connection.ask("DEBUG", "HTSTATS", 0);
  assertEquals(String(empty).match(/No stats available/g)?.length, 2);
  await connection.ask("DEBUG", "POPULATE", 1000);
  await connection.ask("EXPIRE", "key:1", 100);
  const text = String(await connection.ask("DEBUG", "HTSTATS", 0));
  assertEquals(/ number of elements: 1000\n/.test(text), true, text);
  const counted = [...text.matchAll(/^ {3}(\d+): (\d+) /gm)];
  const sum = counted.reduce(
    (total, [, length, count]) => total + Number(length) * Number(count),
    0,
  );
  assertEquals(sum, 1000);
});

Deno.test("DEBUG SEGFAULT ends the server with an exit code that says so", async () => {
  await using machine = await startMemoryServer(26);
  const connection = await machine.connect();
  const other = await machine.connect();
  const asked = connection.ask("DEBUG", "SEGFAULT").catch((error: Error) => error.message);
  assertEquals(await machine.server.finished, 139);
  assertEquals(await asked, "the server closed the connection");
  assertEquals(other.closed, true);
});

Deno.test("DEBUG: what can't be done says so, and what can is done", async () => {
  await using machine = await startMemoryServer(27);
  const connection = await machine.connect();
  const { server, clock } = machine;
  for (const subcommand of ["RESTART", "CRASH-AND-RECOVER"]) {
    const reply = String(await connection.ask("DEBUG", subcommand));
    assertEquals(reply.startsWith("-ERR "), true, reply);
    assertEquals(reply.includes("unknown"), false, reply);
  }
  assertEquals(await connection.ask("DEBUG", "PAUSE-CRON", 1), "OK");
  assertEquals(server.cronPaused, true);
  assertEquals(await connection.ask("DEBUG", "PAUSE-CRON", 0), "OK");
  assertEquals(server.cronPaused, false);
  const journal: string[] = [];
  server.journal.listen((bytes) => journal.push(new TextDecoder().decode(bytes)));
  assertEquals(await connection.ask("DEBUG", "REPLICATE", "SET", "k", "v"), "OK");
  assertEquals(await connection.ask("DEBUG", "POPULATE", 3), "OK");
  clock.advance(1);
  assertEquals(
    journal.join(""),
    "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n",
  );
  const broken = "\x00\xc0\x05\x0a\x0012345678";
  const payload = Uint8Array.from(broken, (character) => character.charCodeAt(0));
  assertEquals(
    await connection.ask("RESTORE", "a", 0, payload),
    "-ERR DUMP payload version or checksum are wrong",
  );
  await connection.ask("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 1);
  assertEquals(await connection.ask("RESTORE", "a", 0, payload), "OK");
  assertEquals(await connection.ask("GET", "a"), "5");
});

Deno.test("what no machine has room for is refused, and the server goes on", async () => {
  await using machine = await startMemoryServer(21, { "proto-max-bulk-len": "1000gb" });
  const client = await machine.connect();
  const size = 2 ** 50;
  assertMatch(String(await client.ask("DEBUG", "POPULATE", "1", "key", String(size))), /^-OOM /);
  await client.ask("SETRANGE", "a", "300000", "x");
  await client.ask("SETRANGE", "b", "300000", "x");
  assertEquals(
    await client.ask("LCS", "a", "b"),
    "-ERR Insufficient memory, failed allocating transient memory for LCS",
  );
  assertEquals(await client.ask("DBSIZE"), 2);
});
