import { assert, assertEquals } from "@std/assert";
import type { Context } from "../../src/commands/context.ts";
import type { KeyWait } from "../../src/commands/wait.ts";
import { TYPE_STRING } from "../../src/keyspace/types.ts";
import { ArenaFullError } from "../../src/memory/arena.ts";
import { encodeRequest, type RequestArgument } from "../../src/protocol/request_writer.ts";
import {
  type MemoryConnection,
  type MemoryServer,
  plain,
  startMemoryServer,
} from "../support/memory_server.ts";

const decoder = new TextDecoder();

/** Lets everything that is ready happen. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise((resolve) => setTimeout(resolve));
}

async function replyOf(connection: MemoryConnection): Promise<unknown> {
  return plain(await connection.reply());
}

/** Sends a command whose reply is still to come. */
async function send(connection: MemoryConnection, ...words: RequestArgument[]): Promise<void> {
  connection.send(encodeRequest(words));
  await settle();
}

/** Sends lines of words; the reply of the last one. */
async function run(connection: MemoryConnection, ...lines: readonly string[]): Promise<unknown> {
  let reply: unknown;
  for (const line of lines) reply = await connection.ask(...line.split(" "));
  return reply;
}

async function connections(machine: MemoryServer, count: number): Promise<MemoryConnection[]> {
  const opened: MemoryConnection[] = [];
  while (opened.length < count) opened.push(await machine.connect());
  return opened;
}

/** Nobody waits, and nothing is left of those who did. */
function assertQuiet({ server }: MemoryServer): void {
  const { blocking, blockedKeys, deadlines } = server.clients;
  assertEquals([blocking.count, blocking.timed, deadlines.size, blockedKeys.ready.length], [
    0,
    0,
    0,
    0,
  ]);
  assertEquals([server.keyspace.observed.count, server.keyspace.heard], [0, 0]);
}

Deno.test("blocked keys: within a transaction, a key's turn is that of the change that counts", async () => {
  await using machine = await startMemoryServer(1);
  const [waiter, writer] = await connections(machine, 2);
  await send(waiter, "BLMPOP", "0", "2", "b", "c", "LEFT");
  // What c is first is nothing that anybody waits for, so that b is ready before it.
  await run(writer, "MULTI", "HSET c f v", "LPUSH b 1", "DEL c", "LPUSH c 2", "EXEC");
  assertEquals(await replyOf(waiter), ["b", ["1"]]);
  await send(waiter, "BLMPOP", "0", "2", "b", "d", "LEFT");
  await run(writer, "MULTI", "LPUSH d 1", "LPUSH b 2", "EXEC");
  assertEquals(await replyOf(waiter), ["d", ["1"]]);
  await run(writer, "DEL b c");
  assertQuiet(machine);
});

Deno.test("blocked keys: whoever came first is served first, from the key that came first", async () => {
  await using machine = await startMemoryServer(1);
  const [first, second, third, writer] = await connections(machine, 4);
  await send(first, "BLPOP", "a", "b", "0");
  await send(second, "BRPOP", "b", "b", "0");
  await send(third, "BLPOP", "a", "0");
  assertEquals(machine.server.clients.blocking.count, 3);
  assertEquals(await run(writer, "RPUSH c 1", "RPUSH b 1 2 3"), 3);
  assertEquals(await replyOf(first), ["b", "1"]);
  assertEquals(await replyOf(second), ["b", "3"]);
  assertEquals(await run(writer, "LRANGE b 0 -1"), ["2"]);
  assertEquals(await run(writer, "LPUSH a x"), 1);
  assertEquals(await replyOf(third), ["a", "x"]);
  assertEquals(await run(writer, "EXISTS a"), 0);
  assertQuiet(machine);
});

Deno.test("blocked keys: whatever brings a value serves, and only a value of the right type", async () => {
  await using machine = await startMemoryServer(2);
  const [waiter, writer] = await connections(machine, 2);
  await run(writer, "RPUSH kept v", "SELECT 1", "RPUSH k v", "SELECT 0");
  const dump = await writer.askRaw("DUMP", "kept");
  const payload = Uint8Array.from(
    dump.slice(dump.indexOf("\n") + 1, -2),
    (character) => character.charCodeAt(0),
  );
  const ways: readonly RequestArgument[][] = [
    ["COPY", "kept", "k"],
    ["RENAME", "kept", "k"],
    ["RESTORE", "k", "0", payload],
    ["SWAPDB", "0", "1"],
  ];
  for (const words of ways) {
    await send(waiter, "BLPOP", "k", "0");
    await run(writer, "SET k string", "APPEND k s", "DEL k", "SADD k x", "DEL k");
    assertEquals(machine.server.clients.blocking.count, 1);
    await writer.ask(...words);
    assertEquals(await replyOf(waiter), ["k", "v"], String(words[0]));
  }
  await send(waiter, "BLPOP", "k", "0");
  await run(writer, "SELECT 2", "RPUSH k v");
  assertEquals(machine.server.clients.blocking.count, 1, "in another database");
  assertEquals(await run(writer, "MOVE k 0"), 1);
  assertEquals(await replyOf(waiter), ["k", "v"]);
  assertQuiet(machine);
});

Deno.test("blocked keys: who is served may serve others", async () => {
  await using machine = await startMemoryServer(3);
  const [first, second, third, writer] = await connections(machine, 4);
  await send(third, "BRPOP", "c", "0");
  await send(second, "BLMOVE", "b", "c", "LEFT", "RIGHT", "0");
  await send(first, "BRPOPLPUSH", "a", "b", "0");
  await run(writer, "RPUSH a x");
  for (const connection of [first, second]) assertEquals(await replyOf(connection), "x");
  assertEquals(await replyOf(third), ["c", "x"]);
  assertEquals(await run(writer, "DBSIZE"), 0);
  await send(first, "BLMOVE", "a", "a", "LEFT", "RIGHT", "0");
  await send(second, "BLMOVE", "a", "s", "LEFT", "RIGHT", "0");
  await run(writer, "SET s string", "RPUSH a y");
  assertEquals(await replyOf(first), "y");
  assert(String(await replyOf(second)).startsWith("-WRONGTYPE"));
  assertEquals(await run(writer, "LRANGE a 0 -1"), ["y"]);
  assertQuiet(machine);
});

Deno.test("blocked keys: a transaction serves when it is over", async () => {
  await using machine = await startMemoryServer(4);
  const [waiter, other, writer] = await connections(machine, 3);
  await send(waiter, "BLPOP", "a", "0");
  await send(other, "BLPOP", "b", "a", "0");
  assertEquals(await run(writer, "MULTI", "RPUSH a x", "DEL a", "EXEC"), [1, 1]);
  assertEquals(machine.server.clients.blocking.count, 2);
  assertEquals(
    await run(writer, "MULTI", "RPUSH b 1", "RPUSH a 1", "RPUSH a 2", "LPOP a", "EXEC"),
    [1, 1, 2, "1"],
  );
  assertEquals(await replyOf(other), ["b", "1"]);
  assertEquals(await replyOf(waiter), ["a", "2"]);
  assertEquals(await run(writer, "MULTI", "BLPOP a 0", "EXEC"), [null]);
  assertQuiet(machine);
});

Deno.test("blocked keys: a value that has expired when the transaction is over serves nobody", async () => {
  await using machine = await startMemoryServer(14);
  const [waiter, writer] = await connections(machine, 2);
  await send(waiter, "BLPOP", "k", "0");
  const slowly = () => machine.clock.advance(60);
  for (const [ttl, left] of [["100", 0], ["1000", 1]] as const) {
    machine.server.keyspace.listen(slowly);
    await run(writer, "MULTI", "RPUSH k v", `PEXPIRE k ${ttl}`, "APPEND s x");
    const waiting = machine.server.clients.blocking.count;
    await run(writer, "EXEC");
    machine.server.keyspace.unlisten(slowly);
    assertEquals(waiting - machine.server.clients.blocking.count, left, ttl);
  }
  assertEquals(await replyOf(waiter), ["k", "v"]);
});

Deno.test("blocked keys: serving changes keys that others watch, waiting doesn't", async () => {
  await using machine = await startMemoryServer(5);
  const [waiter, watcher, writer] = await connections(machine, 3);
  await send(waiter, "BRPOPLPUSH", "a", "b", "0");
  await run(watcher, "WATCH b", "MULTI", "PING");
  await run(writer, "DEL a");
  assertEquals(await run(watcher, "EXEC"), ["PONG"]);
  await run(watcher, "WATCH b", "MULTI", "PING");
  await run(writer, "RPUSH a x");
  assertEquals(await replyOf(waiter), "x");
  assertEquals(await run(watcher, "EXEC"), null);
});

Deno.test("blocked keys: timeouts are read as Redis reads them, and reply nothing", async () => {
  await using machine = await startMemoryServer(6);
  const [waiter, other] = await connections(machine, 2);
  const wrong = "-ERR timeout is not a float or out of range";
  const negative = "-ERR timeout is negative";
  for (
    const [text, expected] of [
      ["abc", wrong],
      ["", wrong],
      [" 1", wrong],
      ["nan", wrong],
      ["-1", negative],
      ["-0.002", negative],
      ["inf", negative],
      ["1e30", negative],
    ]
  ) assertEquals(await waiter.ask("BLPOP", "a", text), expected, text);
  const { clock, server: { clients } } = machine;
  for (
    const [text, ms] of [["0.07", 70], ["0.0001", 1], ["1e-2", 10], ["2", 2000], ["0x1p-1", 500]]
  ) {
    await send(waiter, "BLPOP", "a", text);
    clock.advance(Number(ms) - 1);
    clients.deadlines.run();
    assertEquals(clients.blocking.count, 1, String(text));
    clock.advance(1);
    clients.deadlines.run();
    assertEquals(await replyOf(waiter), null, String(text));
  }
  for (const text of ["0", "-0.0005", "0x0"]) {
    await send(waiter, "BLMOVE", "a", "b", "LEFT", "LEFT", text);
    clock.advance(1e9);
    clients.deadlines.run();
    assertEquals(await run(other, "RPUSH a x", "DEL b"), 1);
    assertEquals(await replyOf(waiter), "x", text);
  }
  assertQuiet(machine);
});

Deno.test("blocked keys: CLIENT UNBLOCK, CLIENT KILL and the end of a connection take a waiter out", async () => {
  await using machine = await startMemoryServer(7);
  const [waiter, other] = await connections(machine, 2);
  const id = await waiter.ask("CLIENT", "ID") as number;
  for (
    const [word, expected] of [["TIMEOUT", null], [
      "ERROR",
      "-UNBLOCKED client unblocked via CLIENT UNBLOCK",
    ]]
  ) {
    await send(waiter, "BLPOP", "a", "b", "0");
    assert(/ flags=b /.test(String(await other.ask("CLIENT", "LIST", "ID", id))));
    assert(/\nblocked_clients:1\r/.test(String(await other.ask("INFO", "clients"))));
    assertEquals(await other.ask("CLIENT", "UNBLOCK", id, String(word)), 1);
    assertEquals(await replyOf(waiter), expected);
    assertQuiet(machine);
  }
  const counts = String(await other.ask("INFO", "commandstats"));
  assert(/cmdstat_blpop:calls=2,.*failed_calls=2\r/.test(counts), counts);
  await send(waiter, "BLPOP", "a", "0");
  const second = await machine.connect();
  await send(second, "BLPOP", "a", "10");
  assertEquals(await other.ask("CLIENT", "KILL", "ID", id), 1);
  second.end();
  await settle();
  assertQuiet(machine);
  assertEquals(await run(other, "RPUSH a x", "LLEN a"), 1);
});

Deno.test("blocked keys: a reply comes in the client's protocol, if it wants one, and what is behind it follows", async () => {
  await using machine = await startMemoryServer(8);
  const [waiter, writer] = await connections(machine, 2);
  await waiter.ask("HELLO", 3);
  await send(waiter, "BLMPOP", "0", "1", "a", "LEFT");
  waiter.send(encodeRequest(["INCR", "n"]), encodeRequest(["GET", "no"]));
  await settle();
  assertEquals(await run(writer, "GET n"), null);
  await run(writer, "RPUSH a x");
  assertEquals(await replyOf(waiter), ["a", ["x"]]);
  assertEquals([await replyOf(waiter), await replyOf(waiter)], [1, null]);
  assertEquals(await waiter.askRaw("GET", "no"), "_\r\n");
  await send(waiter, "CLIENT", "REPLY", "SKIP");
  await send(waiter, "BLPOP", "a", "0");
  await run(writer, "RPUSH a x");
  assertEquals(await waiter.ask("PING"), "PONG");
  await send(waiter, "CLIENT", "REPLY", "OFF");
  await send(waiter, "BLPOP", "a", "0");
  await run(writer, "RPUSH a x");
  assertEquals(await waiter.ask("CLIENT", "REPLY", "ON"), "OK");
  assertEquals(await run(writer, "EXISTS a"), 0);
  assertQuiet(machine);
});

Deno.test("blocked keys: who was served is told of no change of its own if it doesn't want to hear", async () => {
  await using machine = await startMemoryServer(9);
  const [waiter, reader, writer] = await connections(machine, 3);
  await waiter.ask("HELLO", 3);
  await reader.ask("HELLO", 3);
  await run(waiter, "CLIENT TRACKING ON NOLOOP", "LLEN b");
  await run(reader, "CLIENT TRACKING ON", "LLEN b");
  await send(waiter, "BLMOVE", "a", "b", "LEFT", "LEFT", "0");
  await run(writer, "RPUSH a x");
  assertEquals([await replyOf(waiter), await waiter.ask("PING")], ["x", "PONG"]);
  assertEquals(await replyOf(reader), ["invalidate", ["b"]]);
});

Deno.test("blocked keys: what is served is written behind what made it possible, as units", async () => {
  await using machine = await startMemoryServer(10);
  const [first, second, writer] = await connections(machine, 3);
  const written: string[] = [];
  machine.server.journal.listen((bytes) => {
    const words = decoder.decode(bytes).split("\r\n").filter((word) => !/^[*$]/.test(word));
    written.push(words.join(" ").trim());
  });
  await send(first, "BLMOVE", "a", "b", "LEFT", "RIGHT", "0");
  await send(second, "BLPOP", "b", "0");
  await run(writer, "RPUSH a 1 2");
  await run(writer, "MULTI", "RPUSH b 3", "RPUSH b 4", "EXEC");
  assertEquals(written, [
    "SELECT 0 RPUSH a 1 2 LMOVE a b LEFT RIGHT LPOP b",
    "MULTI RPUSH b 3 RPUSH b 4 EXEC",
  ]);
});

/** What a command of {@linkcode startWaiting} says of its key, argument 1. */
type Saying = Pick<KeyWait, "attempt" | "whenGone">;

/** A server whose SUBSTR waits for a string at its key, and does then what `saying` says. */
async function startWaiting(seed: number, saying: Saying): Promise<MemoryServer> {
  const machine = await startMemoryServer(seed);
  Object.assign(machine.server.table.byName.get("substr")!, {
    handler: (context: Context) =>
      context.waitForKeys({
        firstKey: 1,
        keyCount: 1,
        timeoutMs: 0,
        types: 1 << TYPE_STRING,
        timeOut: (reply) => reply.nullBulk(),
        ...saying,
      }),
  });
  return machine;
}

Deno.test("blocked keys: who asks for it is told that a key is gone, or another thing", async () => {
  await using machine = await startWaiting(11, {
    whenGone: true,
    attempt(context, index) {
      const entry = context.find(index);
      context.reply.bulk(entry === 0 ? "gone" : "there");
      return true;
    },
  });
  const [waiter, writer] = await connections(machine, 2);
  const ways = [
    ["DEL k", "gone"],
    ["FLUSHDB", "gone"],
    ["FLUSHALL", "gone"],
    ["RENAME k l", "gone"],
    ["SWAPDB 0 1", "gone"],
    ["EXPIRE k -1", "gone"],
    ["RENAME list k", "there"],
    ["SET k x", "there"],
  ];
  for (const [line, expected] of ways) {
    await run(writer, "FLUSHALL", "SET k v", "RPUSH list v");
    await send(waiter, "SUBSTR", "k", "0", "0");
    await run(writer, line);
    assertEquals(await replyOf(waiter), expected, line);
  }
  await run(writer, "SET k v PX 10");
  await send(waiter, "SUBSTR", "k", "0", "0");
  machine.clock.advance(11);
  await run(writer, "EXISTS k");
  assertEquals(await replyOf(waiter), "gone");
  await run(writer, "SET k v PX 10");
  await send(waiter, "SUBSTR", "k", "0", "0");
  machine.clock.advance(11);
  assertEquals(await replyOf(waiter), "gone", "active expiry");
  assertQuiet(machine);
});

Deno.test("blocked keys: who isn't content waits on; a lack of room is an answer", async () => {
  const answers: (boolean | Error)[] = [];
  await using machine = await startWaiting(12, {
    attempt(context) {
      const answer = answers.shift()!;
      if (answer === false) return false;
      context.reply.bulk("enough");
      if (answer instanceof Error) throw answer;
      return true;
    },
  });
  const [first, second, writer] = await connections(machine, 3);
  for (const waiter of [first, second]) await send(waiter, "SUBSTR", "k", "0", "0");
  answers.push(false, false);
  await run(writer, "SET k 1");
  answers.push(false, true);
  await run(writer, "SET k 2");
  assertEquals(await replyOf(second), "enough");
  answers.push(new ArenaFullError(1));
  await run(writer, "INCR k");
  assertEquals(
    await replyOf(first),
    "-OOM command not allowed when used memory > 'maxmemory'.",
  );
  assertQuiet(machine);
});
