import { assertEquals, assertMatch } from "@std/assert";
import { until } from "../../support/waiting.ts";
import { PlainClient, PlayedNode, PlayedRouter } from "./played_node.ts";
import { RoutedGroup } from "./routed_group.ts";

const SUBSCRIBED = "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n";
const UNSUBSCRIBED = "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n";
const HELLO = "hello 3\r\n";

/** A client with RESP3 that has subscribed. */
async function subscribed3(port: number): Promise<PlainClient> {
  const client = await PlainClient.connect(port);
  await client.send(`${HELLO}subscribe a\r\n`);
  await until(() => client.text.endsWith(":1\r\n"));
  client.text = "";
  return client;
}

Deno.test("Router: a subscriber gets all replies to what it has sent before QUIT or RESET", async () => {
  await using group = await RoutedGroup.start(0);
  using client = await PlainClient.connect(group.router.port);
  const expected = `${SUBSCRIBED}+RESET\r\n+PONG\r\n`;
  assertEquals(await client.ask("subscribe a\r\nreset\r\nping\r\n", expected), expected);
  const last = `${SUBSCRIBED}${UNSUBSCRIBED}+OK\r\n`;
  assertEquals(await client.ask("subscribe a\r\nunsubscribe a\r\nquit\r\n", last), last);
  await until(() => client.isClosed);
  assertEquals(client.text, "");
});

Deno.test("Router: a client that has no subscription left is one like any other", async () => {
  await using group = await RoutedGroup.start(1, { minAcks: 1, ackTimeoutMs: 200 });
  using client = await PlainClient.connect(group.router.port);
  const expected = `${SUBSCRIBED}${UNSUBSCRIBED}+OK\r\n$1\r\n1\r\n`;
  const commands = "subscribe a\r\nunsubscribe a\r\nset a 1\r\nget a\r\n";
  assertEquals(await client.ask(commands, expected), expected);
  assertEquals([...group.router.sessions.values()][0].own, null);
  await group.end(1);
  await client.send("set a 2\r\n");
  await until(() => client.text.endsWith("\r\n"));
  assertMatch(client.text, /^-UNCERTAIN /);
});

Deno.test("Router: writes of a subscriber with RESP3 wait until somebody takes writes, as others do", async () => {
  await using group = await RoutedGroup.start(0);
  using client = await subscribed3(group.router.port);
  using other = await PlainClient.connect(group.router.port);
  assertEquals(await client.ask("set a 1\r\n", "+OK\r\n"), "+OK\r\n");
  group.route({ writable: false, reason: "a failover is under way" });
  await client.send("set a 2\r\nget a\r\n");
  await new Promise((resolve) => setTimeout(resolve, 30));
  assertEquals(await other.ask("get a\r\n", "$1\r\n1\r\n"), "$1\r\n1\r\n");
  group.route();
  assertEquals(await client.read(12), "+OK\r\n$1\r\n2\r\n");
  group.router.lease(-1);
  await client.send("multi\r\nset a 3\r\nexec\r\n");
  assertEquals(await client.read(14), "+OK\r\n+QUEUED\r\n");
  await new Promise((resolve) => setTimeout(resolve, 30));
  assertEquals(await other.ask("get a\r\n", "$1\r\n2\r\n"), "$1\r\n2\r\n");
  group.router.lease(Infinity);
  assertEquals(await client.read(9), "*1\r\n+OK\r\n");
});

Deno.test("Router: writes of a subscriber with RESP3 are confirmed, as others are", async () => {
  await using group = await RoutedGroup.start(1, { minAcks: 1, ackTimeoutMs: 200 });
  using client = await subscribed3(group.router.port);
  using other = await PlainClient.connect(group.router.port);
  const expected = "+OK\r\n$1\r\n1\r\n*1\r\n:2\r\n";
  await client.send("set a 1\r\nget a\r\nmulti\r\nincr a\r\nexec\r\n");
  assertEquals(
    await client.read(expected.length + 14),
    expected.replace("*1", "+OK\r\n+QUEUED\r\n*1"),
  );
  const message = ">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n";
  await other.send("publish a x\r\n");
  assertEquals(await client.read(message.length), message);
  const wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
  await group.end(1);
  assertEquals(await client.ask("lpush a 1\r\n", wrong), wrong);
  await client.send("incr a\r\n");
  await until(() => client.text.endsWith("\r\n"));
  assertMatch(client.text, /^-UNCERTAIN The master has carried it out, but only 0 of 1 replicas/);
});

Deno.test("Router: a subscriber with RESP3 has no way to what isn't sent on", async () => {
  await using group = await RoutedGroup.start(0);
  using client = await subscribed3(group.router.port);
  await client.send("replicaof 127.0.0.1 1\r\nclient reply off\r\nset a 1\r\n");
  await until(() => client.text.endsWith("+OK\r\n"));
  assertMatch(
    client.text,
    /^-ERR REPLICAOF is not sent on[^\r]*\r\n-ERR CLIENT REPLY [^\r]*\r\n\+OK\r\n$/,
  );
});

Deno.test("Router: a subscriber whose connection is lost gets each confirmation once", async () => {
  const confirm = (name: string, topic: string, count: number) =>
    `*3\r\n$${name.length}\r\n${name}\r\n$1\r\n${topic}\r\n:${count}\r\n`;
  const b = confirm("subscribe", "b", 2);
  let isFirst = true;
  using node = new PlayedNode(([name, ...topics], connection) => {
    if (name === "PING") return "*2\r\n$4\r\npong\r\n$0\r\n\r\n";
    if (name === "UNSUBSCRIBE") {
      return confirm("unsubscribe", "a", 1) + confirm("unsubscribe", "b", 0);
    }
    const message = "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n";
    if (!isFirst) {
      return topics.map((topic, at) => confirm(name.toLowerCase(), topic, at + 1) + message).join(
        "",
      );
    }
    isFirst = false;
    const part = new TextEncoder().encode(confirm("subscribe", "a", 1) + b.slice(0, 20));
    connection.write(part).then(() => setTimeout(() => connection.closeWrite(), 20));
    return new Promise(() => {});
  });
  using played = new PlayedRouter();
  played.route(node);
  await until(() => played.router.topology.mayWrite);
  using client = await PlainClient.connect(played.router.port);
  await client.send("SUBSCRIBE a b\r\nPING\r\nUNSUBSCRIBE\r\nQUIT\r\n");
  await until(() => client.isClosed);
  const message = "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n";
  const all = client.text.replaceAll(message, "");
  assertEquals(
    all,
    confirm("subscribe", "a", 1) + b + "*2\r\n$4\r\npong\r\n$0\r\n\r\n" +
      confirm("unsubscribe", "a", 1) + confirm("unsubscribe", "b", 0) + "+OK\r\n",
  );
});
