import { assert, assertEquals } from "@std/assert";
import { encodeRequest, type RequestArgument } from "../../src/protocol/request_writer.ts";
import {
  type MemoryConnection,
  type MemoryServer,
  plain,
  startMemoryServer,
} from "../support/memory_server.ts";

const NO_ROOM = "OOM command not allowed when used memory > 'maxmemory'.";
const ABORTED = "-EXECABORT Transaction discarded because of previous errors.";

/** Sends commands in one piece. */
function pipeline(connection: MemoryConnection, ...commands: readonly RequestArgument[][]): void {
  const bytes = commands.map((words) => encodeRequest(words));
  connection.send(new Uint8Array(bytes.flatMap((part) => [...part])));
}

async function replies(connection: MemoryConnection, count: number): Promise<unknown[]> {
  const found: unknown[] = [];
  while (found.length < count) found.push(plain(await connection.reply()));
  return found;
}

/** Runs lines of words, one command each, and gives the replies. */
async function run(connection: MemoryConnection, ...lines: readonly string[]): Promise<unknown[]> {
  pipeline(connection, ...lines.map((line) => line.split(" ")));
  return await replies(connection, lines.length);
}

/** What EXEC replies to these lines between MULTI and it. */
async function exec(connection: MemoryConnection, ...lines: readonly string[]): Promise<unknown> {
  return (await run(connection, "MULTI", ...lines, "EXEC")).at(-1);
}

/** What EXEC replies to a client that watches `x` while others do what `lines` say. */
async function watching(
  machine: MemoryServer,
  lines: readonly string[],
  before: readonly string[] = [],
  waitMs = 0,
): Promise<unknown> {
  const [watcher, other] = [await machine.connect(), await machine.connect()];
  await run(other, "SELECT 0", "FLUSHALL", ...before);
  machine.clock.advance(waitMs);
  await run(watcher, "WATCH x y");
  await run(other, ...lines);
  return await exec(watcher, "PING");
}

Deno.test("MULTI: commands wait for EXEC, which runs them as one step", async () => {
  await using machine = await startMemoryServer(1);
  const [client, other] = [await machine.connect(), await machine.connect()];
  assertEquals(await run(client, "MULTI", "SET a 1", "INCR a", "GET a"), [
    "OK",
    "QUEUED",
    "QUEUED",
    "QUEUED",
  ]);
  assertEquals(await other.ask("GET", "a"), null);
  assertEquals(await client.ask("EXEC"), ["OK", 2, "2"]);
  assertEquals(await exec(client), []);
  assertEquals(await run(client, "MULTI", "SET a 9", "DISCARD", "GET a"), [
    "OK",
    "QUEUED",
    "OK",
    "2",
  ]);
  assertEquals(await run(client, "EXEC", "DISCARD", "MULTI", "MULTI", "WATCH a", "EXEC"), [
    "-ERR EXEC without MULTI",
    "-ERR DISCARD without MULTI",
    "OK",
    "-ERR MULTI calls can not be nested",
    "-ERR WATCH inside MULTI is not allowed",
    [],
  ]);
});

Deno.test("MULTI: what is refused when it is queued aborts all; what fails when it runs doesn't", async () => {
  await using machine = await startMemoryServer(2, { requirepass: "secret" });
  const client = await machine.connect();
  assertEquals(await run(client, "MULTI", "EXEC 1"), [
    "-NOAUTH Authentication required.",
    "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command",
  ]);
  await client.ask("AUTH", "secret");
  for (const wrong of ["NOSUCH a", "SET a", "CONFIG NOSUCH", "SHUTDOWN"]) {
    assertEquals(await exec(client, "SET a 1", wrong), ABORTED, wrong);
    assertEquals(await run(client, "EXEC", "EXISTS a"), ["-ERR EXEC without MULTI", 0]);
  }
  const [set, failure, get] = await exec(client, "SET a x", "INCR a", "GET a") as unknown[];
  assertEquals([set, get], ["OK", "x"]);
  assert(failure instanceof Error && /^ERR value is not an integer/.test(failure.message));
});

Deno.test("MULTI: without room nothing is queued, and EXEC runs what needs none", async () => {
  await using machine = await startMemoryServer(3);
  const [client, other] = [await machine.connect(), await machine.connect()];
  await client.ask("SET", "a", "1");
  await run(client, "MULTI", "GET a");
  await other.ask("CONFIG", "SET", "maxmemory", 1);
  assertEquals(await client.ask("EXEC"), ["1"]);
  await other.ask("CONFIG", "SET", "maxmemory", 0);
  await run(client, "MULTI", "SET a 2");
  await other.ask("CONFIG", "SET", "maxmemory", 1);
  assertEquals(
    await client.ask("EXEC"),
    `-EXECABORT Transaction discarded because of: ${NO_ROOM}`,
  );
  assertEquals(await run(client, "GET a", "MULTI", "GET a", "WATCH a", "DISCARD"), [
    "1",
    "OK",
    `-${NO_ROOM}`,
    `-${NO_ROOM}`,
    "OK",
  ]);
  assertEquals(await run(client, "MULTI", "PING", "EXEC", "MULTI", "RESET"), [
    "OK",
    `-${NO_ROOM}`,
    ABORTED,
    "OK",
    "RESET",
  ]);
});

Deno.test("WATCH: EXEC does nothing once a watched key has changed", async () => {
  await using machine = await startMemoryServer(4, { databases: "4" });
  const dirty = [
    "SET x 1",
    "MSET z 1 y 1",
    "SETBIT x 1 0",
    "RENAME z x",
    "COPY z x",
  ];
  for (const line of dirty) {
    assertEquals(await watching(machine, [line], ["SET z 1"]), null, line);
  }
  const present = ["DEL x", "EXPIRE x 100", "EXPIRE x -1", "FLUSHALL", "FLUSHDB", "MOVE x 1"];
  for (const line of present) {
    assertEquals(await watching(machine, [line], ["SET x 1"]), null, line);
  }
  const clean = ["SET z 1", "GET x", "DEL x", "FLUSHALL", "SETNX z 1", "EXPIRE x 1"];
  for (const line of clean) assertEquals(await watching(machine, [line]), ["PONG"], line);
  assertEquals(await watching(machine, ["SELECT 1", "SET x 1", "FLUSHDB"]), ["PONG"]);
});

Deno.test("WATCH: keys that expired before are absent; ones that expire since have changed", async () => {
  await using machine = await startMemoryServer(5, { databases: "4" });
  const client = await machine.connect();
  await client.ask("DEBUG", "SET-ACTIVE-EXPIRE", 0);
  const stale = ["SET x 1 PX 10"];
  for (const lines of [[], ["EXISTS x"], ["FLUSHDB"], ["SWAPDB 0 1"], ["DEL x"]]) {
    assertEquals(await watching(machine, lines, stale, 20), ["PONG"], lines.join());
  }
  assertEquals(await watching(machine, ["SET x 2"], stale, 20), null);
  const elsewhere = ["SELECT 1", "SET x 2 PX 10"];
  assertEquals(await watching(machine, ["SWAPDB 0 1"], elsewhere, 20), ["PONG"]);
  assertEquals(await watching(machine, ["SWAPDB 0 1"], [...stale, ...elsewhere], 20), ["PONG"]);
  assertEquals(await watching(machine, ["SWAPDB 0 1"], ["SELECT 1", "SET x 2"]), null);
  assertEquals(await watching(machine, ["SWAPDB 0 1"], ["SET x 2"]), null);
  assertEquals(await watching(machine, ["SWAPDB 0 1"], ["SELECT 1", "SET z 2"]), ["PONG"]);
  await run(client, "FLUSHALL", "SET x 1 PX 10", "WATCH x");
  machine.clock.advance(11);
  assertEquals(await exec(client, "PING"), null);
  assertEquals(machine.server.keyspace.observed.count, 0);
});

Deno.test("WATCH: EXEC, DISCARD, UNWATCH, RESET and the end forget what is watched", async () => {
  await using machine = await startMemoryServer(6);
  const { observed } = machine.server.keyspace;
  const [client, other] = [await machine.connect(), await machine.connect()];
  for (const lines of [["UNWATCH"], ["MULTI", "DISCARD"], ["RESET"], ["MULTI", "EXEC"]]) {
    await client.ask("WATCH", "x", "x", "y");
    assertEquals(observed.count, 2);
    await other.ask("INCR", "x");
    await run(client, ...lines);
    assertEquals([observed.count, machine.server.keyspace.heard], [0, 0], lines.join());
    assertEquals(await exec(client, "PING"), ["PONG"]);
  }
  await client.ask("WATCH", "x");
  await run(client, "SET x 5", "MULTI", "UNWATCH");
  assertEquals(await client.ask("EXEC"), null);
  await client.ask("WATCH", "x");
  client.end();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(observed.count, 0);
});

Deno.test("WATCH: a key is watched in the database where it was, whatever is selected", async () => {
  await using machine = await startMemoryServer(7);
  const client = await machine.connect();
  assertEquals((await run(client, "WATCH x", "SELECT 1", "SET x 1", "MULTI", "EXEC")).at(-1), []);
  assertEquals(
    (await run(client, "WATCH x", "SELECT 0", "SET x 1", "MULTI", "PING", "EXEC")).at(-1),
    ["PONG"],
  );
  assertEquals(
    (await run(client, "WATCH x", "SELECT 1", "SELECT 0", "SET x 1", "MULTI", "EXEC")).at(-1),
    null,
  );
});

Deno.test("EXEC: big values, many arguments and databases are as they were sent", async () => {
  await using machine = await startMemoryServer(8);
  const client = await machine.connect();
  const big = "b".repeat(200_000);
  const words = Array.from({ length: 400 }, (_, index) => [`k${index}`, "v"]).flat();
  pipeline(
    client,
    ...[["MULTI"], ["SET", "big", big], ["SELECT", "2"], ["MSET", ...words], ["STRLEN", "big"]],
    ...[["DBSIZE"], ["SELECT", "0"], ["STRLEN", "big"], ["EXEC"]],
  );
  const [result] = (await replies(client, 9)).slice(-1);
  assertEquals(result, ["OK", "OK", "OK", 0, 400, "OK", big.length]);
  assertEquals(await client.ask("DEBUG", "CHECK"), "OK");
  await client.ask("FLUSHALL");
  for (let round = 0; round < 3; round++) {
    pipeline(client, ["MULTI"], ["SET", "big", big], ["DISCARD"]);
    await replies(client, 3);
  }
  assertEquals(await client.ask("DEBUG", "CHECK"), "OK");
});

Deno.test("EXEC: the protocol and CLIENT REPLY change within", async () => {
  await using machine = await startMemoryServer(9);
  const client = await machine.connect();
  pipeline(client, ["MULTI"], ["HELLO", "3"], ["GET", "no"], ["EXEC"]);
  const reply = (await replies(client, 4)).at(-1) as unknown[];
  assertEquals([reply.length, reply[1]], [2, null]);
  await client.ask("HELLO", 2);
  // Half an array is what Redis sends, too; the next reply is in its place.
  await run(client, "MULTI", "SET a 1", "CLIENT REPLY SKIP", "GET a");
  pipeline(client, ["EXEC"], ["PING"], ["PING"]);
  assertEquals(await replies(client, 1), [["OK", "1", "PONG"]]);
});

Deno.test("CLIENT LIST tells of a transaction, and its memory counts", async () => {
  await using machine = await startMemoryServer(10);
  const [client, other] = [await machine.connect(), await machine.connect()];
  const id = await client.ask("CLIENT", "ID") as number;
  const line = async () => String(await other.ask("CLIENT", "LIST", "ID", id));
  assert(/ flags=N .* multi=-1 .* multi-mem=0 /.test(await line()));
  await run(client, "WATCH a", "MULTI", "SET k v", "SET k w");
  assert(/ flags=x .* multi=2 .* multi-mem=58 .* cmd=set /.test(await line()), await line());
  const before = machine.server.usedMemory;
  await client.ask("SET", "k", "v".repeat(50_000));
  assert(machine.server.usedMemory - before > 50_000);
  await other.ask("SET", "a", 1);
  assert(/ flags=xd .* multi=3 /.test(await line()));
  await client.ask("GET", "a");
  assert(/ flags=xd .* multi=3 /.test(await line()), "what is dirty isn't queued for");
  assertEquals(await client.ask("EXEC"), null);
  assert(/ flags=N .* multi=-1 .* multi-mem=0 /.test(await line()));
});

Deno.test("EXEC: each command is counted, logged and shown; EXEC itself comes behind them", async () => {
  await using machine = await startMemoryServer(11, { "slowlog-log-slower-than": "0" });
  const [client, monitor] = [await machine.connect(), await machine.connect()];
  await monitor.ask("MONITOR");
  await client.ask("CONFIG", "RESETSTAT");
  await client.ask("SLOWLOG", "RESET");
  await exec(client, "SET a x", "INCR a", "GET a");
  const entries = await client.ask("SLOWLOG", "GET") as [number, number, number, string[]][];
  assertEquals(entries.slice(0, 4).map(([, , , args]) => args.join(" ")), [
    "GET a",
    "INCR a",
    "SET a x",
    "MULTI",
  ]);
  const info = String(await client.ask("INFO", "commandstats"));
  for (const [name, failed] of [["set", 0], ["get", 0], ["incr", 1], ["exec", 0], ["multi", 0]]) {
    assert(
      new RegExp(`cmdstat_${name}:calls=1,.*,rejected_calls=0,failed_calls=${failed}\\r`).test(
        info,
      ),
      `${name}: ${info}`,
    );
  }
  const shown = (await replies(monitor, 6)).map((text) =>
    String(text).replace(/^.*?\] /, "").replaceAll('"', "")
  );
  assertEquals(shown, ["MULTI", "SET a x", "INCR a", "GET a", "EXEC", "INFO commandstats"]);
});

Deno.test("EXEC waits for the end of a pause if it writes; a pause begins behind a transaction", async () => {
  await using machine = await startMemoryServer(12);
  const [reader, writer, other] = [
    await machine.connect(),
    await machine.connect(),
    await machine.connect(),
  ];
  await run(writer, "MULTI", "SET a 1");
  await run(other, "MULTI", "SET b 1", "CLIENT PAUSE 1000 WRITE", "SET c 1");
  assertEquals(await other.ask("EXEC"), ["OK", "OK", "OK"]);
  assertEquals(await exec(reader, "GET a", "GET c"), [null, "1"]);
  writer.send(encodeRequest(["EXEC"]));
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(machine.server.clients.blocking.count, 1);
  await other.ask("CLIENT", "UNPAUSE");
  assertEquals(await replies(writer, 1), [["OK"]]);
});
