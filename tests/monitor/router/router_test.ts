import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type Client, plainValue, type Reply, ReplyError } from "../../../src/client/mod.ts";
import type { RequestArgument } from "../../../src/protocol/request_writer.ts";
import { until } from "../../support/waiting.ts";
import { RoutedGroup } from "./routed_group.ts";

/** The reply as plain values, an error as `-` and its text. */
async function ask(client: Client, ...command: [string, ...RequestArgument[]]): Promise<unknown> {
  return plain(await client.send(...command));
}

function plain(reply: Reply): unknown {
  return reply.kind === "error" ? `-${reply.text()}` : plainValue(reply);
}

async function pipeline(client: Client, ...commands: RequestArgument[][]): Promise<unknown[]> {
  return (await client.pipeline(commands)).map(plain);
}

Deno.test("Router: writes go to the master, reads to replicas, and replies come in order", async () => {
  await using group = await RoutedGroup.start(2);
  const client = await group.client();
  assertEquals(await ask(client, "SET", "key", "value"), "OK");
  assertEquals(await ask(client, "GET", "key"), "value");
  const commands: RequestArgument[][] = [];
  const expected: unknown[] = [];
  for (let number = 0; number < 300; number++) {
    commands.push(["RPUSH", "list", number], ["LLEN", "list"], ["GET", "key"], ["PING"]);
    expected.push(number + 1, number + 1, "value", "PONG");
  }
  assertEquals(await pipeline(client, ...commands), expected);
  const { topology } = group.router;
  const [session] = group.router.sessions.values();
  // Until it is known how far the master was behind the last write, only that is read from.
  await until(() => {
    const wanted = session.batch?.offset ?? -1;
    return wanted >= 0 && topology.readers.every(({ offset }) => offset >= wanted);
  });
  const before = topology.readers.map(({ sent }) => sent);
  for (let number = 0; number < 50; number++) await ask(client, "GET", "key");
  const sent = topology.readers.map((node, index) => node.sent - before[index]);
  assertEquals(sent.reduce((sum, count) => sum + count, 0) >= 25, true, `replicas got ${sent}`);
  assertEquals(sent.every((count) => count > 5), true, `replicas got ${sent}`);
});

Deno.test("Router: reads of one turn go to one replica until it has more to do than the others", async () => {
  await using group = await RoutedGroup.start(2);
  const { topology } = group.router;
  await until(() => topology.reader(null) !== topology.master);
  const turn = async (reads: number) => {
    // What the last turn has chosen is forgotten in a microtask.
    await Promise.resolve();
    const chosen = Array.from({ length: reads }, () => {
      const node = topology.reader(null)!;
      node.outstanding(1, 0);
      return topology.readers.indexOf(node);
    });
    for (const index of chosen) topology.readers[index].outstanding(-1, 0);
    return chosen;
  };
  const [first, second] = [await turn(5), await turn(5)];
  assertEquals(first, Array(5).fill(first[0]));
  assertEquals(second, Array(5).fill(1 - first[0]));
  const [one, other] = [first[0], second[0]];
  assertEquals(await turn(26), [...Array(9).fill(one), ...Array(17).fill(other)]);
  topology.readers[one].outstanding(1, 0);
  assertEquals(await turn(3), Array(3).fill(other));
  assertEquals(await turn(3), Array(3).fill(other));
  topology.readers[one].outstanding(-1, 0);
});

Deno.test("Router: a client reads its own writes, alone and in pipelines", async () => {
  await using group = await RoutedGroup.start(2);
  const clients = await Promise.all(Array.from({ length: 8 }, () => group.client()));
  let stale = 0;
  await Promise.all(clients.map(async (client, number) => {
    for (let round = 0; round < 200; round++) {
      const key = `key:${number}:${round % 7}`;
      if (round % 3 === 0) {
        const [, value] = await pipeline(client, ["SET", key, round], ["GET", key]);
        if (value !== String(round)) stale++;
      } else {
        await ask(client, "SET", key, round);
        if (await ask(client, "GET", key) !== String(round)) stale++;
        if (await ask(client, "GET", key) !== String(round)) stale++;
      }
    }
  }));
  assertEquals(stale, 0);
});

Deno.test("Router: requests and replies of any size pass, in any pieces", async () => {
  await using group = await RoutedGroup.start(1);
  const client = await group.client();
  const sizes = [0, 1, 1000, 2048, 16_000, 65_536, 70_000, 1_000_000, 5_000_000];
  for (const size of sizes) {
    const value = new Uint8Array(size).map((_, index) => (index * 7 + size) & 0xff);
    const [, got] = await client.pipeline([["SET", `key:${size}`, value], ["GET", `key:${size}`]]);
    assertEquals(got.kind === "bulk" && got.bytes.length, size);
    assertEquals(
      got.kind === "bulk" && got.bytes.every((byte, index) => byte === value[index]),
      true,
    );
  }
  const socket = await Deno.connect({ hostname: "127.0.0.1", port: group.router.port });
  const request = new TextEncoder().encode(
    "*2\r\n$3\r\nGET\r\n$6\r\nkey:1\x61\r\nset a 'b c'\r\n\r\nget a\r\n",
  );
  for (const byte of request) await socket.write(Uint8Array.of(byte));
  let text = "";
  const room = new Uint8Array(100);
  while (!text.endsWith("b c\r\n")) {
    const count = await socket.read(room);
    text += new TextDecoder().decode(room.subarray(0, count!));
  }
  assertEquals(text, "$-1\r\n+OK\r\n$3\r\nb c\r\n");
  await socket.write(new TextEncoder().encode("*1\r\n!"));
  const count = await socket.read(room);
  assertMatch(
    new TextDecoder().decode(room.subarray(0, count!)),
    /^-ERR Protocol error: expected '\$'/,
  );
  assertEquals(await socket.read(room), null);
  socket.close();
});

Deno.test("Router: what belongs to a client's connection holds wherever its commands go", async () => {
  await using group = await RoutedGroup.start(1);
  const [one, other] = [await group.client(), await group.client({ resp: 3 })];
  assertEquals(await ask(one, "SELECT", 3), "OK");
  assertEquals(await ask(one, "SET", "key", "in 3"), "OK");
  assertEquals(await ask(other, "GET", "key"), null);
  assertEquals(await ask(one, "GET", "key"), "in 3");
  assertEquals(await ask(one, "SELECT", 99), "-ERR DB index is out of range");
  assertEquals(await ask(one, "SELECT", "x"), "-ERR value is not an integer or out of range");
  assertEquals(await ask(one, "CLIENT", "SETNAME", "somebody"), "OK");
  assertEquals(await ask(one, "CLIENT", "GETNAME"), "somebody");
  assertEquals(await ask(other, "CLIENT", "GETNAME"), null);
  assertEquals(await ask(one, "CLIENT", "NO-EVICT", "on"), "OK");
  await ask(other, "HSET", "hash", "field", "value");
  assertEquals(await ask(other, "HGETALL", "hash"), new Map([["field", "value"]]));
  one.post("CLIENT", "REPLY", "OFF");
  one.post("SET", "silent", "1");
  assertEquals(await ask(one, "CLIENT", "REPLY", "ON"), "OK");
  one.post("CLIENT", "REPLY", "SKIP");
  one.post("INCR", "silent");
  assertEquals(await ask(one, "GET", "silent"), "2");
  assertEquals(await ask(one, "RESET"), "RESET");
  assertEquals(await ask(one, "GET", "key"), null);
  assertMatch(String(await ask(one, "REPLICAOF", "no", "one")), /^-ERR REPLICAOF is not sent on/);
  assertEquals(await ask(one, "QUIT"), "OK");
  await one.closed;
});

Deno.test("Router: a password is asked for where there is one", async () => {
  await using group = await RoutedGroup.start(0, { requirePass: "secret" });
  const client = await group.client();
  assertEquals(await ask(client, "GET", "key"), "-NOAUTH Authentication required.");
  assertEquals(
    await ask(client, "AUTH", "wrong"),
    "-WRONGPASS invalid username-password pair or user is disabled.",
  );
  assertEquals(await ask(client, "AUTH", "secret"), "OK");
  assertEquals(await ask(client, "GET", "key"), null);
  const other = await group.client({ password: "secret", resp: 3 });
  assertEquals(await ask(other, "SET", "key", "value"), "OK");
});

Deno.test("Router: transactions and watched keys", async () => {
  await using group = await RoutedGroup.start(1);
  const [one, other] = [await group.client(), await group.client()];
  assertEquals(
    await pipeline(one, ["MULTI"], ["INCR", "n"], ["INCR", "n"], ["EXEC"], ["GET", "n"]),
    ["OK", "QUEUED", "QUEUED", [1, 2], "2"],
  );
  assertEquals(await pipeline(one, ["MULTI"], ["INCR", "n"], ["DISCARD"], ["GET", "n"]), [
    "OK",
    "QUEUED",
    "OK",
    "2",
  ]);
  assertEquals(await ask(one, "WATCH", "n"), "OK");
  assertEquals(await ask(other, "INCR", "n"), 3);
  assertEquals(await pipeline(one, ["MULTI"], ["SET", "n", 9], ["EXEC"]), ["OK", "QUEUED", null]);
  assertEquals(await ask(one, "WATCH", "n"), "OK");
  assertEquals(await ask(one, "UNWATCH"), "OK");
  assertEquals(await ask(one, "EXEC"), "-ERR EXEC without MULTI");
  assertMatch(
    String((await pipeline(one, ["MULTI"], ["NOSUCH"], ["EXEC"]))[2]),
    /^-EXECABORT/,
  );
  assertEquals(await ask(one, "GET", "n"), "3");
});

Deno.test("Router: commands that wait have a connection of their own", async () => {
  await using group = await RoutedGroup.start(1);
  const [one, other] = [await group.client(), await group.client()];
  const popped = ask(one, "BLPOP", "queue", 0);
  const after = ask(one, "PING");
  assertEquals(await ask(other, "GET", "key"), null);
  assertEquals(await ask(other, "RPUSH", "queue", "item"), 1);
  assertEquals(await popped, ["queue", "item"]);
  assertEquals(await after, "PONG");
  const read = ask(one, "XREAD", "BLOCK", 0, "STREAMS", "stream", "$");
  await until(() => group.router.topology.master!.outstandingCommands > 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await ask(other, "XADD", "stream", "1-1", "a", "b");
  assertEquals(await read, [["stream", [["1-1", ["a", "b"]]]]]);
  assertEquals(await ask(one, "XREAD", "STREAMS", "stream", "1-1"), null);
  await ask(one, "SET", "key", "value");
  assertEquals(await ask(one, "WAIT", 1, 5000), 1);
});

Deno.test("Router: subscribers hear what others publish, also after the master has changed", async () => {
  await using group = await RoutedGroup.start(1);
  const [subscriber, other] = [await group.client(), await group.client()];
  const heard: unknown[] = [];
  subscriber.onPush = (message) => heard.push(plain(message));
  await subscriber.command("SUBSCRIBE", "news", "weather");
  await subscriber.command("PSUBSCRIBE", "w*");
  heard.length = 0;
  assertEquals(await ask(other, "PUBLISH", "news", "first"), 1);
  await until(() => heard.length === 1);
  assertEquals(heard, [["message", "news", "first"]]);
  await group.promote(1);
  await until(() => group.router.topology.mayWrite);
  for (let tries = 0; tries < 100 && heard.length < 2; tries++) {
    await ask(other, "PUBLISH", "news", "second");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assertEquals(heard[1], ["message", "news", "second"]);
  assertEquals(await ask(other, "PUBLISH", "weather", "fine"), 2);
  await until(() => heard.length >= 4);
  assertEquals(heard.slice(-2), [["message", "weather", "fine"], [
    "pmessage",
    "w*",
    "weather",
    "fine",
  ]]);
});

Deno.test("Router: while nobody takes writes they wait, and reads go on", async () => {
  await using group = await RoutedGroup.start(1);
  const [writer, reader] = [await group.client(), await group.client()];
  await ask(writer, "SET", "key", "old");
  group.route({ writable: false, reason: "a failover is under way" });
  let isDone = false;
  const written = ask(writer, "SET", "key", "new").then((reply) => {
    isDone = true;
    return reply;
  });
  for (let round = 0; round < 20; round++) assertEquals(await ask(reader, "GET", "key"), "old");
  assertEquals(isDone, false);
  assertEquals(group.router.holding.count, 1);
  group.route();
  assertEquals(await written, "OK");
  assertEquals(await ask(writer, "GET", "key"), "new");
});

Deno.test("Router: what waits for too long is answered with the reason", async () => {
  await using group = await RoutedGroup.start(1, { holdMs: 100 });
  const client = await group.client();
  group.route({ writable: false, reason: "two masters were found" });
  assertEquals(
    await pipeline(client, ["SET", "key", "value"], ["PING"]),
    [
      "-MASTERDOWN No master takes commands for 100 ms: two masters were found. " +
      "The command was not carried out",
      "PONG",
    ],
  );
  group.router.lease(-1);
  group.route();
  assertMatch(String(await ask(client, "SET", "key", "value")), /the lease has run out/);
  group.router.lease(Infinity);
  assertEquals(await ask(client, "SET", "key", "value"), "OK");
});

Deno.test("Router: who has waited in vain once waits anew when it happens again", async () => {
  await using group = await RoutedGroup.start(0, { holdMs: 200 });
  const client = await group.client();
  group.route({ writable: false, reason: "a failover is under way" });
  assertMatch(String(await ask(client, "SET", "key", "value")), /^-MASTERDOWN/);
  // Meanwhile somebody takes writes, and the client sends none.
  group.route();
  group.route({ writable: false, reason: "another failover is under way" });
  const written = ask(client, "SET", "key", "value");
  await until(() => group.router.holding.count === 1);
  group.route();
  assertEquals(await written, "OK");
});

Deno.test("Router: reads of a node that ends are asked of another", async () => {
  await using group = await RoutedGroup.start(2);
  const client = await group.client();
  await ask(client, "SET", "key", "value");
  let isOver = false;
  let wrong = 0;
  const reads = Promise.all(Array.from({ length: 5 }, async () => {
    const reader = await group.client();
    while (!isOver) if (await ask(reader, "GET", "key") !== "value") wrong++;
  }));
  await group.end(2);
  for (let round = 0; round < 50; round++) await ask(client, "GET", "key");
  isOver = true;
  await reads;
  assertEquals(wrong, 0);
});

Deno.test("Router: while there is no master, those who don't write go on reading", async () => {
  await using group = await RoutedGroup.start(2, { holdMs: 100 });
  const [writer, reader] = [await group.client(), await group.client()];
  await ask(writer, "SET", "key", "value");
  await group.direct(0, "WAIT", 2, 1000);
  await until(() => group.router.topology.readers.every(({ offset }) => offset >= 0));
  await group.end(0);
  // Longer than the nodes are left alone at rest: each has said that it has no master.
  const endMs = performance.now() + 1500;
  while (performance.now() < endMs) assertEquals(await ask(reader, "GET", "key"), "value");
  assertMatch(String(await ask(writer, "SET", "key", "other")), /^-MASTERDOWN/);
});

Deno.test("Router: a command whose master is lost has an unknown outcome, and the client stays", async () => {
  await using group = await RoutedGroup.start(1, { holdMs: 300 });
  const client = await group.client();
  await ask(client, "SET", "key", "value");
  await group.direct(0, "CLIENT", "PAUSE", 100_000, "WRITE");
  const replies = pipeline(client, ["SET", "key", "other"], ["GET", "key"]);
  await until(() => group.router.topology.master!.outstandingWrites > 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await group.promote(1);
  const [written, read] = await replies;
  assertMatch(String(written), /^-UNCERTAIN The master was lost before it answered/);
  assertEquals(read, "value");
  assertEquals(await ask(client, "SET", "key", "third"), "OK");
  assertEquals(await ask(client, "GET", "key"), "third");
  assertEquals(group.router.statistics.unknownOutcomes, 1);
});

Deno.test("Router: a transaction goes on at the new master; with watched keys it does nothing", async () => {
  await using group = await RoutedGroup.start(1);
  const [plainClient, watching] = [await group.client(), await group.client()];
  assertEquals(await pipeline(plainClient, ["MULTI"], ["INCR", "n"]), ["OK", "QUEUED"]);
  assertEquals(await pipeline(watching, ["WATCH", "n"], ["GET", "n"], ["MULTI"]), [
    "OK",
    null,
    "OK",
  ]);
  const popping = await group.client();
  const popped = ask(popping, "BLPOP", "queue", 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await group.promote(1);
  assertEquals(await pipeline(plainClient, ["INCR", "n"], ["EXEC"]), ["QUEUED", [1, 2]]);
  assertEquals(await pipeline(watching, ["SET", "n", "lost"], ["EXEC"]), ["QUEUED", null]);
  assertEquals(await ask(watching, "GET", "n"), "2");
  assertEquals(await ask(watching, "RPUSH", "queue", "item"), 1);
  assertEquals(await popped, ["queue", "item"]);
});

Deno.test("Router: with confirmations, a write that no replica has is no success", async () => {
  await using group = await RoutedGroup.start(1, { minAcks: 1, ackTimeoutMs: 200 });
  const client = await group.client();
  assertEquals(
    await pipeline(client, ["SET", "key", "value"], ["GET", "key"], ["INCR", "n"]),
    ["OK", "value", 1],
  );
  assertEquals(await pipeline(client, ["MULTI"], ["INCR", "n"], ["EXEC"]), ["OK", "QUEUED", [2]]);
  await group.end(1);
  assertMatch(
    String(await ask(client, "SET", "key", "other")),
    /^-UNCERTAIN The master has carried it out, but only 0 of 1 replicas have confirmed it/,
  );
});

Deno.test("Router: a replica that is too far behind gets no reads, and comes back", async () => {
  await using group = await RoutedGroup.start(1, { maxLagSeconds: 0.05 });
  const { topology } = group.router;
  const client = await group.client();
  const [reader] = topology.readers;
  await group.direct(1, "REPLICAOF", "127.0.0.1", 1);
  for (let round = 0; round < 200 && topology.whyNot(reader) === ""; round++) {
    await ask(client, "INCR", "n");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assertEquals(topology.whyNot(reader), "it is too far behind");
  await group.direct(1, "REPLICAOF", "127.0.0.1", group.servers[0].port);
  for (let round = 0; round < 500 && topology.whyNot(reader) !== ""; round++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assertEquals(topology.whyNot(reader), "");
});

Deno.test("Router: clients are limited in number, and listed", async () => {
  await using group = await RoutedGroup.start(0, { maxClients: 2 });
  const [one, other] = [await group.client(), await group.client()];
  const list = String(await ask(one, "CLIENT", "LIST"));
  assertMatch(list, /^id=1 addr=127\.0\.0\.1:\d+ .*\nid=2 /);
  const refused = await group.client();
  await assertRejects(() => refused.command("PING"));
  const id = await ask(other, "CLIENT", "ID");
  assertEquals(await ask(one, "CLIENT", "KILL", "ID", Number(id)), 1);
  await other.closed;
  await assertRejects(
    () => one.command("CLIENT", "KILL", "1.2.3.4:5"),
    ReplyError,
    "No such client",
  );
});
