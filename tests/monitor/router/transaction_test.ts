import { assertEquals, assertMatch } from "@std/assert";
import { until } from "../../support/waiting.ts";
import { PlainClient, PlayedNode, PlayedRouter } from "./played_node.ts";
import { RoutedGroup } from "./routed_group.ts";

const FAILING_OVER = { writable: false, reason: "a failover is under way" };

/** A router in front of one node. */
async function routerBefore(node: PlayedNode, holdMs: number): Promise<PlayedRouter> {
  const played = new PlayedRouter({ holdMs });
  played.route(node);
  await until(() => played.router.topology.mayWrite);
  return played;
}

Deno.test("Router: a write between WATCH and MULTI is confirmed before MULTI, or UNWATCH, is sent", async () => {
  await using group = await RoutedGroup.start(1, { minAcks: 1, ackTimeoutMs: 5000 });
  const expected = new Map([
    ["watch a\r\nset b 1\r\nunwatch\r\n", "+OK\r\n+OK\r\n+OK\r\n"],
    [
      "watch a\r\nset b 1\r\nmulti\r\nset c 1\r\ndiscard\r\n",
      "+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n+OK\r\n",
    ],
    [
      "watch a\r\nset b 1\r\nmulti\r\nset c 1\r\nexec\r\n",
      "+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n",
    ],
  ]);
  for (const [commands, replies] of expected) {
    using client = await PlainClient.connect(group.router.port);
    assertEquals(await client.ask(commands, replies), replies);
  }
  using client = await PlainClient.connect(group.router.port);
  const queued = "+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n";
  assertEquals(await client.ask("watch a\r\nset b 1\r\nmulti\r\nset c 1\r\n", queued), queued);
  assertEquals(
    await client.ask("exec\r\nping\r\n", "*1\r\n+OK\r\n+PONG\r\n"),
    "*1\r\n+OK\r\n+PONG\r\n",
  );
});

Deno.test("Router: a client that sends nothing more gets the replies to a transaction that waits", async () => {
  for (const minAcks of [0, 1]) {
    await using group = await RoutedGroup.start(1, { minAcks, ackTimeoutMs: 5000 });
    const { router } = group;
    using client = await PlainClient.connect(router.port);
    await client.send("watch a\r\nset b 1\r\nmulti\r\nset c 1\r\nexec\r\n");
    await client.endWriting();
    await until(() => client.isClosed);
    assertEquals(client.text, "+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n");
    using other = await PlainClient.connect(router.port);
    await other.send("watch a\r\nmulti\r\nset c 1\r\n");
    await other.endWriting();
    await until(() => other.isClosed);
  }
});

Deno.test("Router: what takes an element between WATCH and MULTI isn't asked for twice", async () => {
  using node = new PlayedNode(([name]) => name === "BLPOP" ? null : "+OK\r\n");
  using played = await routerBefore(node, 1000);
  using client = await PlainClient.connect(played.router.port);
  await client.send("WATCH a\r\nBLPOP q 0\r\n");
  await until(() => client.text.split("\r\n").length === 3);
  assertMatch(client.text, /^\+OK\r\n-UNCERTAIN /);
  assertEquals(node.commands.filter((command) => command.startsWith("BLPOP")), ["BLPOP q 0"]);
});

Deno.test("Router: a write between WATCH and MULTI waits while nobody takes writes, and what is watched counts no more then", async () => {
  using node = new PlayedNode(([name]) => name === "GET" ? "$-1\r\n" : "+OK\r\n");
  using played = await routerBefore(node, 100);
  using client = await PlainClient.connect(played.router.port);
  await client.ask("WATCH a\r\n", "+OK\r\n");
  client.text = "";
  played.route(node, [], FAILING_OVER);
  await client.send("SET b 1\r\n");
  await until(() => client.text.endsWith("\r\n"));
  assertMatch(client.text, /^-MASTERDOWN [^\r]*a failover is under way/);
  assertEquals(node.commands.includes("SET b 1"), false);
  client.text = "";
  played.route(node);
  await until(() => played.router.topology.mayWrite);
  await client.send("MULTI\r\nSET c 1\r\nEXEC\r\n");
  await until(() => client.text.endsWith("*-1\r\n"));
  assertEquals(node.commands.includes("EXEC"), false);
});

Deno.test("Router: a client that has got half of a reply is closed, rather than told of an error in it", async () => {
  using node = new PlayedNode(([name], connection) => {
    if (name !== "GET") return "+OK\r\n";
    const half = `$1000000\r\n${"x".repeat(200_000)}`;
    return connection.write(new TextEncoder().encode(half)).then(() => "");
  });
  using played = await routerBefore(node, 100);
  using client = await PlainClient.connect(played.router.port);
  await client.send("WATCH a\r\nGET b\r\nMULTI\r\nSET c 1\r\n");
  await until(() => client.text.length > 100_000);
  played.route(node, [], FAILING_OVER);
  await client.send("EXEC\r\n");
  await until(() => client.isClosed);
  assertEquals(client.text.includes("MASTERDOWN"), false);
});

Deno.test("Router: a client of which nobody knows the database any more is closed", async () => {
  const databases = new WeakMap<Deno.TcpConn, string>();
  const sets: string[] = [];
  using node = new PlayedNode(([name, argument], connection) => {
    switch (name) {
      case "CLIENT":
        return null;
      case "EXEC":
        return "*1\r\n+OK\r\n";
      case "SELECT":
        databases.set(connection, argument);
        return "+OK\r\n";
      case "SET":
        sets.push(databases.get(connection) ?? "0");
    }
    return "+OK\r\n";
  });
  using played = await routerBefore(node, 100);
  // The connection is lost before the node has said which database is selected.
  using one = await PlainClient.connect(played.router.port);
  await one.send("MULTI\r\nSELECT 7\r\nEXEC\r\nSET a 1\r\n");
  await until(() => one.isClosed);
  // The transaction is given up.
  await until(() => played.router.topology.mayWrite);
  using other = await PlainClient.connect(played.router.port);
  await other.ask("WATCH a\r\nSELECT 7\r\nMULTI\r\n", "+OK\r\n+OK\r\n+OK\r\n");
  played.route(node, [], { master: null, ...FAILING_OVER });
  await other.send("EXEC\r\nSET a 1\r\n");
  await until(() => other.isClosed);
  assertMatch(other.text, /-EXECABORT [^\r]*\r\n$/);
  assertEquals(sets, []);
});
