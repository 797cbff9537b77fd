import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ConnectionClosedError,
  type ConnectionEvent,
  type PlainValue,
  plainValue,
  ReconnectingClient,
  type ReconnectOptions,
  ReplyError,
} from "../../src/client/mod.ts";
import { retryDelayMs } from "../../src/client/reconnecting.ts";
import { freePort } from "../support/ports.ts";
import { seededRandom, testSeed } from "../support/random.ts";
import { eventually } from "../support/waiting.ts";
import { type Answer, ScriptedServer } from "./scripted_server.ts";

/** Answers PING and ECHO, closes on DIE, and refuses the rest. */
function answer(words: string[]): Answer {
  switch (words[0]) {
    case "PING":
      return "+PONG\r\n";
    case "ECHO":
      return `$${words[1].length}\r\n${words[1]}\r\n`;
    case "DIE":
      return "close";
    default:
      return "-ERR unknown command\r\n";
  }
}

/** A client that doesn't wait long, and what happened to its connections. */
function clientOf(port: number, options: ReconnectOptions = {}) {
  const events: string[] = [];
  const onEvent = (event: ConnectionEvent) => {
    events.push(event.type === "connected" ? event.type : `${event.type}: ${event.reason.message}`);
  };
  const client = new ReconnectingClient({
    port,
    firstRetryMs: 1,
    lastRetryMs: 5,
    onEvent,
    ...options,
  });
  return { client, events };
}

function echo(client: ReconnectingClient, text: string): Promise<PlainValue> {
  return client.command("ECHO", text).then(plainValue);
}

Deno.test("what comes before the connection waits for it, in order", async () => {
  await using server = new ScriptedServer(answer);
  const { client, events } = clientOf(server.port);
  using _closing = client;
  assertEquals(client.isConnected, false);
  const replies = [echo(client, "a"), echo(client, "b")];
  assertEquals(await Promise.all(replies), ["a", "b"]);
  assertEquals([client.isConnected, client.connections], [true, 1]);
  await assertRejects(() => client.command("FOO"), ReplyError);
  assertEquals((await client.send("FOO")).kind, "error");
  const kinds = (await client.pipeline([["PING"], ["FOO"]])).map((reply) => reply.kind);
  assertEquals(kinds, ["simple", "error"]);
  assertEquals(events, ["connected"]);
});

Deno.test("what was under way fails, what comes later is sent", async () => {
  await using server = new ScriptedServer(answer);
  const { client, events } = clientOf(server.port);
  using _closing = client;
  await client.command("PING");
  const results = await Promise.allSettled([
    echo(client, "a"),
    client.command("DIE"),
    echo(client, "b"),
  ]);
  assertEquals(results.map(({ status }) => status), ["fulfilled", "rejected", "rejected"]);
  assert(results[1].status === "rejected" && results[1].reason instanceof ConnectionClosedError);
  assertEquals(await echo(client, "c"), "c");
  assertEquals(client.connections, 2);
  assertEquals(events, ["connected", "lost: Server closed the connection", "connected"]);
  assertEquals(server.commands.filter(([name]) => name === "ECHO").map(([, text]) => text), [
    "a",
    "c",
  ]);
});

Deno.test("what may be repeated is sent again, before what came later", async () => {
  let refusals = 0;
  await using server = new ScriptedServer((words) =>
    words[1] === "b" && refusals++ === 0 ? "close" : answer(words)
  );
  const { client } = clientOf(server.port, { mayRepeat: ([name]) => name === "ECHO" });
  using _closing = client;
  await client.command("PING");
  const before = ["a", "b", "c"].map((text) => echo(client, text));
  // A batch is repeated as a whole or not at all.
  const mixed = client.pipeline([["ECHO", "d"], ["DIE"]]);
  const failed = assertRejects(() => mixed, ConnectionClosedError);
  assertEquals(await before[0], "a");
  await failed;
  const after = echo(client, "e");
  assertEquals(await Promise.all([...before, after]), ["a", "b", "c", "e"]);
  const echoed = server.commands.filter(([name]) => name === "ECHO").map(([, text]) => text);
  assertEquals(echoed, ["a", "b", "b", "c", "e"]);
});

Deno.test("more than the limit doesn't wait", async () => {
  const { client } = clientOf(freePort(), { maxWaitingCommands: 3 });
  const waiting = client.pipeline([["PING"], ["PING"]]);
  const tooMany = client.pipeline([["PING"], ["PING"]]);
  await assertRejects(() => tooMany, ConnectionClosedError, "Too many commands wait");
  const alsoWaiting = client.send("PING");
  client.close();
  await assertRejects(() => waiting, ConnectionClosedError, "The connection was closed");
  await assertRejects(() => alsoWaiting, ConnectionClosedError, "The connection was closed");
  await assertRejects(() => client.send("PING"), ConnectionClosedError);
  assertEquals((await client.ended).message, "The connection was closed");
});

Deno.test("what has waited leaves room for others", async () => {
  await using server = new ScriptedServer(answer);
  const { client } = clientOf(server.port, { maxWaitingCommands: 2 });
  using _closing = client;
  for (let loss = 0; loss < 3; loss++) {
    assertEquals(await Promise.all([echo(client, "a"), echo(client, "b")]), ["a", "b"]);
    await assertRejects(() => client.command("DIE"), ConnectionClosedError);
    assertEquals(client.isConnected, false);
  }
});

Deno.test("a server that isn't there yet", async () => {
  const port = freePort();
  const tried = Promise.withResolvers<void>();
  const { client } = clientOf(port, {
    onEvent: (event) => {
      if (event.type === "failed") tried.resolve();
    },
  });
  using _closing = client;
  const reply = client.command("PING");
  await tried.promise;
  await using _server = new ScriptedServer(answer, port);
  assertEquals(plainValue(await reply), "PONG");
});

Deno.test("after some attempts, it may give up", async () => {
  const port = freePort();
  const { client, events } = clientOf(port, { maxAttempts: 3 });
  const refused = `Could not connect to Redis at 127.0.0.1:${port}: Connection refused`;
  await assertRejects(() => client.command("PING"), ConnectionClosedError, refused);
  assertEquals((await client.ended).message, refused);
  assertEquals(events, [1, 2, 3].map(() => `failed: ${refused}`));
  await assertRejects(() => client.command("PING"), ConnectionClosedError, refused);
});

Deno.test("a server that has no room counts as none", async () => {
  await using server = new ScriptedServer(() => "-ERR max number of clients reached\r\n");
  server.greeting = "-ERR max number of clients reached\r\n";
  const { client, events } = clientOf(server.port, { maxAttempts: 2 });
  await assertRejects(() => client.command("ECHO", "a"), ConnectionClosedError, "max number");
  assertEquals(events, [1, 2].map(() => "failed: ERR max number of clients reached"));
});

Deno.test("a password that is refused fails the attempt", async () => {
  await using server = new ScriptedServer((words) =>
    words[0] === "AUTH" ? "-WRONGPASS invalid\r\n" : "+OK\r\n"
  );
  const { client } = clientOf(server.port, { password: "x", maxAttempts: 2 });
  await assertRejects(() => client.command("PING"), ConnectionClosedError, "WRONGPASS");
  assertEquals((await client.ended).cause instanceof ReplyError, true);
});

Deno.test("subscriptions are made again before anything else", async () => {
  const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
  let count = 0;
  await using server = new ScriptedServer((words) => {
    const name = words[0].toLowerCase();
    if (!name.endsWith("subscribe")) return answer(words);
    return words.slice(1).map((channel) => `>3\r\n${bulk(name)}${bulk(channel)}:${++count}\r\n`)
      .join("");
  });
  const messages: PlainValue[] = [];
  const { client } = clientOf(server.port, {
    onPush: (message) => messages.push(plainValue(message)),
  });
  using _closing = client;
  await client.command("SUBSCRIBE", "a", "b");
  await client.command("PSUBSCRIBE", "p*");
  await client.command("UNSUBSCRIBE", "a");
  await assertRejects(() => client.command("DIE"), ConnectionClosedError);
  server.commands.length = 0;
  await client.command("PING");
  assertEquals(server.commands, [["PING"], ["SUBSCRIBE", "b"], ["PSUBSCRIBE", "p*"], ["PING"]]);
  messages.length = 0;
  await server.broadcast(`>3\r\n${bulk("message")}${bulk("b")}${bulk("hi")}`);
  await client.command("PING");
  assertEquals(messages, [["message", "b", "hi"]]);
});

Deno.test("closing while it connects, while it gets ready, and between attempts", async () => {
  await using server = new ScriptedServer(() => "");
  const connecting = clientOf(server.port);
  connecting.client.close();
  await eventually(() => server.acceptedConnections === 1 && server.openConnections === 0);

  const preparing = clientOf(server.port);
  await eventually(() => server.commands.length > 0);
  preparing.client.close();
  await eventually(() => server.openConnections === 0);
  assertEquals([connecting.events, preparing.events], [[], []]);

  const pausing = clientOf(freePort(), { firstRetryMs: 3_600_000, lastRetryMs: 3_600_000 });
  await eventually(() => pausing.events.length > 0);
  pausing.client.close();
});

Deno.test("nothing is carried out twice that may not be, and nothing lost that may", async () => {
  const random = seededRandom(testSeed("lost connections"));
  await using server = new ScriptedServer((words) => {
    const reply = answer(words);
    if (random() >= 0.1) return reply;
    // With or without its reply, which the connection takes along.
    return random() < 0.5 ? "close" : { lastWords: reply as string };
  });
  const { client } = clientOf(server.port, {
    lastRetryMs: 1,
    mayRepeat: ([, text]) => String(text).startsWith("again"),
  });
  using _closing = client;
  const texts = Array.from(
    { length: 300 },
    (_, index) => `${random() < 0.5 ? "again" : "once"}${index}`,
  );
  const results: Promise<string | undefined>[] = [];
  for (const text of texts) {
    results.push(
      echo(client, text).then(String, (error) => {
        assert(error instanceof ConnectionClosedError);
        return undefined;
      }),
    );
    // Some leave together, some later, some while there is no connection.
    if (random() < 0.3) await new Promise((resolve) => setTimeout(resolve));
  }
  const replies = await Promise.all(results);
  const carriedOut = new Map<string, number>();
  for (const [, text] of server.commands) carriedOut.set(text, (carriedOut.get(text) ?? 0) + 1);
  texts.forEach((text, index) => {
    const reply = replies[index];
    const count = carriedOut.get(text) ?? 0;
    if (text.startsWith("again")) assert(reply === text && count >= 1, text);
    else assert(count <= 1 && (reply === undefined || (reply === text && count === 1)), text);
  });
});

Deno.test("attempts come at longer intervals, up to a limit, with a part left to chance", () => {
  const delays = [0, 1, 2, 3, 60].map((failures) => retryDelayMs(failures, 50, 300, 1));
  assertEquals(delays, [50, 100, 200, 300, 300]);
  assertEquals(retryDelayMs(3, 50, 300, 0), 150);
});
