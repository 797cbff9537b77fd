import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type Channel,
  Client,
  connect,
  ConnectError,
  ConnectionClosedError,
  type PlainValue,
  plainValue,
  type Reply,
  ReplyError,
  ReplyProtocolError,
} from "../../src/client/mod.ts";
import { ScriptedServer } from "./scripted_server.ts";

/** Answers ECHO, PING and INCR-like things the way servers do. */
function answerPlainly(words: string[]): string {
  switch (words[0].toUpperCase()) {
    case "PING":
      return "+PONG\r\n";
    case "ECHO":
      return `$${words[1].length}\r\n${words[1]}\r\n`;
    default:
      return `-ERR unknown command '${words[0]}'\r\n`;
  }
}

/** Keeps what a client was pushed, as plain values. */
function collectPushes(client: Client): PlainValue[] {
  const pushes: PlainValue[] = [];
  client.onPush = (message) => {
    assert(message.kind === "push" || message.kind === "simple");
    pushes.push(plainValue(message));
  };
  return pushes;
}

function plain(reply: Promise<Reply>): Promise<PlainValue> {
  return reply.then(plainValue);
}

/** A channel without a network, whose writes wait until they are let go. */
class HeldChannel implements Channel {
  readonly written: string[] = [];
  #release: (() => void) | undefined;
  #endOfReading = Promise.withResolvers<null>();

  read(): Promise<null> {
    return this.#endOfReading.promise;
  }

  async write(bytes: Uint8Array): Promise<number> {
    await new Promise<void>((resolve) => this.#release = resolve);
    this.written.push(new TextDecoder().decode(bytes));
    return bytes.length;
  }

  /** Lets the write that is under way finish. */
  async release(): Promise<void> {
    this.#release?.();
    // A macrotask later, everything that follows from it has happened.
    await new Promise((resolve) => setTimeout(resolve));
  }

  close(): void {
    this.#endOfReading.resolve(null);
  }
}

Deno.test("commands are answered in order", async () => {
  await using server = new ScriptedServer(answerPlainly);
  using client = await connect({ port: server.port });
  const replies = Array.from({ length: 3000 }, (_, index) => plain(client.command("ECHO", index)));
  assertEquals(client.pendingCommands, 3000);
  assertEquals(await Promise.all(replies), Array.from({ length: 3000 }, (_, index) => `${index}`));
  assertEquals(client.pendingCommands, 0);
});

Deno.test("an error in reply rejects command, and is a reply to send and pipeline", async () => {
  await using server = new ScriptedServer(answerPlainly);
  using client = await connect({ port: server.port });
  const error = await assertRejects(() => client.command("FOO"), ReplyError);
  assertEquals([error.code, error.message], ["ERR", "ERR unknown command 'FOO'"]);
  assertEquals((await client.send("FOO")).kind, "error");
  const replies = await client.pipeline([["PING"], ["FOO"], ["ECHO", Uint8Array.of(97, 98)]]);
  assertEquals(replies.map((reply) => reply.kind), ["simple", "error", "bulk"]);
  assertEquals(plainValue(replies[2]), "ab");
});

Deno.test("commands of one turn leave with one write, later ones behind it", async () => {
  const channel = new HeldChannel();
  const client = new Client(channel);
  const failed = Promise.allSettled([client.send("A"), client.send("B")]);
  await channel.release();
  const alsoFailed = Promise.allSettled([client.send("C"), client.send("D")]);
  await channel.release();
  await channel.release();
  assertEquals(channel.written, [
    "*1\r\n$1\r\nA\r\n*1\r\n$1\r\nB\r\n",
    "*1\r\n$1\r\nC\r\n*1\r\n$1\r\nD\r\n",
  ]);
  client.close();
  for (const { status } of [...await failed, ...await alsoFailed]) assertEquals(status, "rejected");
});

Deno.test("ready waits until the server takes what was sent", async () => {
  const channel = new HeldChannel();
  const client = new Client(channel, { highWaterBytes: 100 });
  client.post("SET", "key", "x".repeat(40));
  await client.ready();
  client.post("SET", "key", "x".repeat(40));
  assert(client.bufferedBytes > 100);
  let ready = false;
  const waiting = client.ready().then(() => ready = true);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(ready, false);
  await channel.release();
  await waiting;
  assert(client.bufferedBytes < 100);
  client.close();
  await assertRejects(() => client.ready(), ConnectionClosedError);
});

Deno.test("when the server closes, waiting and later commands fail", async () => {
  await using server = new ScriptedServer((words) => words[0] === "DIE" ? "close" : "+OK\r\n");
  using client = await connect({ port: server.port });
  const [first, second, third] = await Promise.allSettled([
    client.command("PING"),
    client.command("DIE"),
    client.command("PING"),
  ]);
  assertEquals(first.status, "fulfilled");
  assert(second.status === "rejected" && second.reason instanceof ConnectionClosedError);
  assert(third.status === "rejected" && third.reason === second.reason);
  assertEquals(client.isOpen, false);
  assertStrictEquals(await client.closed, second.reason);
  await assertRejects(() => client.command("PING"), ConnectionClosedError, "Server closed");
  assertThrows(() => client.post("PING"), ConnectionClosedError);
});

Deno.test("close fails what waits, and may be called twice", async () => {
  await using server = new ScriptedServer(() => "");
  const client = await connect({ port: server.port });
  const reply = client.command("PING");
  client.close();
  client.close();
  await assertRejects(() => reply, ConnectionClosedError, "The connection was closed");
});

Deno.test("why the server closes is told by the error it sends without being asked", async () => {
  await using server = new ScriptedServer(() => "+OK\r\n-ERR max number of clients reached\r\n");
  using client = await connect({ port: server.port });
  await client.command("PING");
  assertEquals((await client.closed).message, "ERR max number of clients reached");
});

Deno.test("what is no reply ends the connection", async () => {
  await using server = new ScriptedServer(() => "HTTP/1.1 400 Bad Request\r\n");
  using client = await connect({ port: server.port });
  await assertRejects(() => client.command("PING"), ReplyProtocolError, 'got "H"');
  assertEquals(client.isOpen, false);
});

Deno.test("limits of replies are the caller's", async () => {
  await using server = new ScriptedServer(answerPlainly);
  using client = await connect({ port: server.port, limits: { maxBulkBytes: 3 } });
  await client.command("ECHO", "abc");
  await assertRejects(() => client.command("ECHO", "abcd"), ReplyProtocolError, "out of range");
});

Deno.test("nobody listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const error = await assertRejects(() => connect({ port }), ConnectError);
  assertEquals(
    error.message,
    `Could not connect to Redis at 127.0.0.1:${port}: Connection refused`,
  );
});

Deno.test("what should be encrypted isn't sent over a Unix socket", async () => {
  const error = await assertRejects(
    () => connect({ path: "/tmp/none.sock", tls: {} }),
    ConnectError,
  );
  assertEquals(error.reason, "no TLS over Unix sockets");
});

Deno.test("connecting logs in and selects", async () => {
  await using server = new ScriptedServer(() => "+OK\r\n");
  const { port } = server;
  (await connect({ port })).close();
  (await connect({ port, password: "p", database: 2, clientName: "me" })).close();
  (await connect({ port, username: "u", password: "p" })).close();
  (await connect({ port, resp: 3, password: "p", clientName: "me", database: 1 })).close();
  (await connect({ port, resp: 3, username: "u" })).close();
  assertEquals(server.commands, [
    ["AUTH", "p"],
    ["CLIENT", "SETNAME", "me"],
    ["SELECT", "2"],
    ["AUTH", "u", "p"],
    ["HELLO", "3", "AUTH", "default", "p", "SETNAME", "me"],
    ["SELECT", "1"],
    ["HELLO", "3", "AUTH", "u", ""],
  ]);
});

Deno.test("connecting fails if the server refuses", async () => {
  await using server = new ScriptedServer((words) =>
    words[0] === "AUTH" ? "-WRONGPASS invalid username-password pair\r\n" : "+OK\r\n"
  );
  const options = { port: server.port, password: "x", database: 1 };
  assertEquals((await assertRejects(() => connect(options), ReplyError)).code, "WRONGPASS");
});

Deno.test("pushes of RESP3 answer nothing", async () => {
  await using server = new ScriptedServer(() =>
    ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n+OK\r\n>1\r\n$1\r\nx\r\n"
  );
  using client = await connect({ port: server.port });
  const pushes = collectPushes(client);
  assertEquals(await plain(client.command("GET", "k")), "OK");
  assertEquals(await plain(client.command("GET", "k")), "OK");
  assertEquals(pushes.slice(0, 3), [["invalidate", ["k"]], ["x"], ["invalidate", ["k"]]]);
});

/** A server of SUBSCRIBE and its like, for RESP2 (`*`) or RESP3 (`>`). */
function answerSubscriptions(sign: "*" | ">"): (words: string[]) => string {
  const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
  const names = new Set<string>();
  return (words) => {
    const command = words[0].toLowerCase();
    if (command === "ping") {
      return sign === "*" && names.size > 0 ? "*2\r\n$4\r\npong\r\n$0\r\n\r\n" : "+PONG\r\n";
    }
    if (command === "lrange") return `*3\r\n${bulk("message")}${bulk("a")}${bulk("b")}`;
    const subscribes = !command.includes("unsub");
    const given = words.length > 1 ? words.slice(1) : subscribes ? [] : [...names];
    if (subscribes && given.length === 0) return "-ERR wrong number of arguments\r\n";
    if (given.length === 0) return `${sign}3\r\n${bulk(command)}$-1\r\n:0\r\n`;
    return given.map((name) => {
      if (subscribes) names.add(name);
      else names.delete(name);
      return `${sign}3\r\n${bulk(command)}${bulk(name)}:${names.size}\r\n`;
    }).join("");
  };
}

for (const sign of ["*", ">"] as const) {
  Deno.test(`subscriptions, in RESP${sign === "*" ? 2 : 3}`, async () => {
    await using server = new ScriptedServer(answerSubscriptions(sign));
    using client = await connect({ port: server.port });
    const pushes = collectPushes(client);

    // Before there are subscriptions, an array that looks like a message is a reply.
    assertEquals(await plain(client.command("LRANGE", "l", 0, -1)), ["message", "a", "b"]);
    const replies = await Promise.all([
      plain(client.command("SUBSCRIBE", "a", "b")),
      plain(client.command("PING")),
      plain(client.command(new TextEncoder().encode("Subscribe"), "c")),
    ]);
    assertEquals(replies[0], ["subscribe", "b", 2]);
    assertEquals(replies[1], sign === "*" ? ["pong", ""] : "PONG");
    assertEquals(replies[2], ["subscribe", "c", 3]);
    assertEquals(client.isStreaming, true);
    assertEquals(pushes.splice(0), [["subscribe", "a", 1], ["subscribe", "b", 2], [
      "subscribe",
      "c",
      3,
    ]]);

    await server.broadcast(`${sign}3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n`);
    const [unsubscribed, pong] = await Promise.all([
      plain(client.command("UNSUBSCRIBE")),
      plain(client.command("PING")),
    ]);
    assertEquals(unsubscribed, ["unsubscribe", "c", 0]);
    assertEquals(pong, "PONG");
    assertEquals(pushes[0], ["message", "a", "hi"]);
    assertEquals(pushes.length, 4);
    assertEquals(client.isStreaming, false);

    // Without any subscription there is one confirmation, without a name.
    assertEquals(await plain(client.command("UNSUBSCRIBE")), ["unsubscribe", null, 0]);
    await assertRejects(() => client.command("SUBSCRIBE"), ReplyError);
    assertEquals(await plain(client.command("PING")), "PONG");
  });
}

Deno.test("lines of MONITOR answer nothing, until RESET", async () => {
  await using server = new ScriptedServer((words) =>
    words[0] === "RESET"
      ? "+RESET\r\n"
      : words[0] === "MONITOR"
      ? '+OK\r\n+1700000000.123456 [0 127.0.0.1:5] "PING"\r\n'
      : "+PONG\r\n"
  );
  using client = await connect({ port: server.port });
  const pushes = collectPushes(client);
  assertEquals(await plain(client.command("MONITOR")), "OK");
  await server.broadcast('+1700000000.123457 [0 lua] "GET" "a"\r\n');
  assertEquals(await plain(client.command("PING")), "PONG");
  assertEquals(pushes, [
    '1700000000.123456 [0 127.0.0.1:5] "PING"',
    '1700000000.123457 [0 lua] "GET" "a"',
  ]);
  assert(client.isStreaming);
  assertEquals(await plain(client.command("RESET")), "RESET");
  assert(!client.isStreaming);
});

Deno.test("post expects no reply", async () => {
  let skip = false;
  await using server = new ScriptedServer((words) => {
    const skipped = skip;
    skip = words[0] === "CLIENT";
    return skip || skipped ? "" : "+PONG\r\n";
  });
  using client = await connect({ port: server.port });
  client.post("CLIENT", "REPLY", "SKIP");
  client.post("SET", "a", 1);
  assertEquals(await plain(client.command("PING")), "PONG");
  assertEquals(server.commands.length, 3);
});
