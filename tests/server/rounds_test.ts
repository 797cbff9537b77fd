import { assertEquals } from "@std/assert";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import {
  type MemoryConnection,
  type MemoryServer,
  plain,
  startMemoryServer,
} from "../support/memory_server.ts";

/** Requests as they stand one behind the other. */
function pipeline(...requests: readonly (readonly (string | number)[])[]): Uint8Array {
  return Uint8Array.from(requests.flatMap((words) => [...encodeRequest(words)]));
}

async function connect(memory: MemoryServer, count: number): Promise<MemoryConnection[]> {
  const clients: MemoryConnection[] = [];
  while (clients.length < count) clients.push(await memory.connect());
  return clients;
}

async function next(connection: MemoryConnection): Promise<unknown> {
  return plain(await connection.reply());
}

Deno.test("round: requests that come together are answered in the order in which they came", async () => {
  await using memory = await startMemoryServer(1);
  const clients = await connect(memory, 40);
  for (const client of clients) client.send(pipeline(["INCR", "n"]));
  const replies = await Promise.all(clients.map(next));
  assertEquals(replies, clients.map((_, index) => index + 1));
});

Deno.test("round: pipelines and single requests have their turns in the order in which they came", async () => {
  await using memory = await startMemoryServer(1);
  const clients = await connect(memory, 12);
  for (let round = 0; round < 3; round++) {
    const base = await clients[0].ask("INCR", "n") as number;
    clients.forEach((client, index) => {
      client.send(
        pipeline(...Array.from({ length: 1 + (index + round) % 2 }, () => ["INCR", "n"])),
      );
    });
    let expected = base;
    for (const [index, client] of clients.entries()) {
      for (let request = 0; request <= (index + round) % 2; request++) {
        assertEquals(await next(client), ++expected);
      }
    }
  }
});

Deno.test("round: each client has its database, its pipeline, its half request and its transaction", async () => {
  await using memory = await startMemoryServer(1);
  const clients = await connect(memory, 6);
  const [first, second, third, fourth, fifth, sixth] = clients;
  await second.ask("SELECT", 1);
  await fourth.ask("MULTI");
  const half = pipeline(["SET", "half", "value"]);
  first.send(pipeline(["SET", "a", "first"]));
  second.send(pipeline(["SET", "a", "second"]));
  third.send(pipeline(["GET", "a"], ["GET", "a"], ["APPEND", "a", "!"]));
  fourth.send(pipeline(["GET", "a"]));
  fifth.send(half.subarray(0, 20));
  sixth.send(new TextEncoder().encode('set "b c" plain\r\nget "b c"\r\n'));
  assertEquals(await next(first), "OK");
  assertEquals(await next(second), "OK");
  assertEquals([await next(third), await next(third), await next(third)], ["first", "first", 6]);
  assertEquals(await next(fourth), "QUEUED");
  fifth.send(half.subarray(20));
  fourth.send(pipeline(["EXEC"]));
  assertEquals(await next(fifth), "OK");
  assertEquals(await next(fourth), ["first!"]);
  assertEquals([await next(sixth), await next(sixth)], ["OK", "plain"]);
  assertEquals(await second.ask("GET", "a"), "second");
});

Deno.test("round: whoever is closed by one that comes before has no turn, and nobody else is the worse for it", async () => {
  await using memory = await startMemoryServer(1);
  const clients = await connect(memory, 4);
  const [killer, single, pipelining, last] = clients;
  const ids = await Promise.all(clients.map((client) => client.ask("CLIENT", "ID")));
  killer.send(pipeline(
    ["CLIENT", "KILL", "ID", `${ids[1]}`],
  ));
  single.send(pipeline(["INCR", "n"]));
  pipelining.send(pipeline(["CLIENT", "KILL", "ID", `${ids[0]}`], ["INCR", "n"], ["INCR", "n"]));
  last.send(pipeline(["INCR", "n"]));
  // What the killer was told went with it, as it does in Redis.
  assertEquals([await next(pipelining), await next(pipelining), await next(pipelining)], [1, 1, 2]);
  assertEquals(await next(last), 3);
  assertEquals(single.closed, true);
  assertEquals(killer.closed, true);
  assertEquals(await last.ask("GET", "n"), "3");
});

Deno.test("round: a client that waits is served by one that comes behind it in the same round", async () => {
  await using memory = await startMemoryServer(1);
  const clients = await connect(memory, 3);
  const [waiter, pusher, reader] = clients;
  waiter.send(pipeline(["BLPOP", "list", 0]));
  pusher.send(pipeline(["RPUSH", "list", "a", "b"]));
  reader.send(pipeline(["LRANGE", "list", 0, -1]));
  assertEquals(await next(waiter), ["list", "a"]);
  assertEquals(await next(pusher), 2);
  assertEquals(await next(reader), ["b"]);
});

Deno.test("round: commands that share their time are logged and counted each for themselves", async () => {
  await using memory = await startMemoryServer(1, { "slowlog-log-slower-than": "0" });
  const clients = await connect(memory, 3);
  await clients[0].ask("SLOWLOG", "RESET");
  clients.forEach((client, index) => client.send(pipeline(["SET", `key:${index}`, "value"])));
  for (const client of clients) assertEquals(await next(client), "OK");
  const log = await clients[0].ask("SLOWLOG", "GET", "-1") as unknown[][];
  assertEquals(log.map((entry) => entry[3]), [
    ["SET", "key:2", "value"],
    ["SET", "key:1", "value"],
    ["SET", "key:0", "value"],
    ["SLOWLOG", "RESET"],
  ]);
  assertEquals(memory.server.table.byName.get("set")!.statistics.calls, 3);
});

/** A clock of which each look takes so long. */
class SlowClock {
  stepMs = 0;
  private ms = 1_700_000_000_000;

  now(): number {
    return this.ms;
  }

  monotonic(): number {
    return this.ms += this.stepMs;
  }
}

Deno.test("round: what is slow is logged with its own client and arguments, and the next client's command is its own", async () => {
  const clock = new SlowClock();
  await using memory = await startMemoryServer(1, {}, { clock });
  const clients = await connect(memory, 4);
  const [first, second, third, last] = clients;
  for (const [index, client] of clients.entries()) {
    await client.ask("CLIENT", "SETNAME", `client:${index}`);
  }
  await last.ask("RPUSH", "list", "x");
  // A request that is longer than another client's buffer, and comes in one read.
  const key = "k".repeat(3000);
  for (let time = 0; time < 4; time++) await third.ask("ECHO", key.repeat(3));
  for (const others of [[first, second], [first]]) {
    await last.ask("SLOWLOG", "RESET");
    clock.stepMs = 20;
    first.send(pipeline(["DEL", "a"]));
    if (others.length > 1) second.send(pipeline(["GET", "b"]));
    third.send(pipeline(["SUNIONSTORE", key, "none"]));
    last.send(pipeline(["LRANGE", "list", 0, -1]));
    assertEquals(await next(first), 0);
    if (others.length > 1) assertEquals(await next(second), null);
    assertEquals(await next(third), 0);
    assertEquals(await next(last), ["x"]);
    clock.stepMs = 0;
    const log = await last.ask("SLOWLOG", "GET", "-1") as unknown[][];
    const named = log.map((entry) => [(entry[3] as string[])[0], entry[5]]);
    assertEquals(named.filter(([name]) => name !== "SLOWLOG"), [
      ["LRANGE", "client:3"],
      ["SUNIONSTORE", "client:2"],
      ["DEL", "client:0"],
    ]);
    assertEquals((log.at(-1)![3] as string[])[1], "a");
  }
});

Deno.test("round: what comes behind a slow command is later than it", async () => {
  const clock = new SlowClock();
  await using memory = await startMemoryServer(1, {}, { clock });
  const [first, second, third] = await connect(memory, 3);
  await third.ask("SET", "short", "value", "PX", 700);
  await third.ask("RPUSH", "list", "x");
  clock.stepMs = 500;
  first.send(pipeline(["LRANGE", "list", 0, -1]));
  second.send(pipeline(["SET", "lock", "value", "PX", 300]));
  third.send(pipeline(["GET", "short"]));
  assertEquals(await next(first), ["x"]);
  assertEquals(await next(second), "OK");
  clock.stepMs = 0;
  assertEquals(await next(third), null);
});
