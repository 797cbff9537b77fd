import { assertEquals, assertMatch } from "@std/assert";
import { until } from "../../support/waiting.ts";
import {
  PlainClient,
  PlayedNode,
  PlayedRouter,
  roleOfMaster,
  roleOfReplica,
} from "./played_node.ts";

const MEBIBYTE = 1 << 20;
const soon = (ms = 30) => new Promise((resolve) => setTimeout(resolve, ms));

/** Commands whose values have a mebibyte. */
function largeSets(count: number): string {
  return `*3\r\n$3\r\nSET\r\n$1\r\na\r\n$${MEBIBYTE}\r\n${"x".repeat(MEBIBYTE)}\r\n`
    .repeat(count);
}

Deno.test("Router: what a client has written while there was no replica isn't read from one that comes", async () => {
  using master = new PlayedNode((words) => words[0] === "GET" ? "+new\r\n" : "+OK\r\n");
  using replica = new PlayedNode(() => "+old\r\n");
  using played = new PlayedRouter();
  master.role = roleOfMaster(100, replica);
  replica.role = roleOfReplica(50, master);
  played.route(master);
  using client = await PlainClient.connect(played.router.port);
  using other = await PlainClient.connect(played.router.port);
  assertEquals(await client.ask("SET a new\r\n", "+OK\r\n"), "+OK\r\n");
  played.route(master, [replica]);
  const { topology } = played.router;
  await until(() => topology.readers.every((node) => topology.whyNot(node) === ""));
  assertEquals(await other.ask("GET a\r\n", "+old\r\n"), "+old\r\n");
  for (let round = 0; round < 20; round++) {
    assertEquals(await client.ask("GET a\r\n", "+new\r\n"), "+new\r\n");
  }
});

Deno.test("Router: a write that follows reads on the same connection has its own word of the replicas", async () => {
  const waits: ((reply: string) => void)[] = [];
  let later = (_: string) => {};
  using master = new PlayedNode((words) => {
    if (words[0] === "WAIT") return new Promise((resolve) => waits.push(resolve));
    if (words[1] === "second") return new Promise((resolve) => later = resolve);
    return words[0] === "GET" ? `+${words[1]}\r\n` : "+OK\r\n";
  });
  using played = new PlayedRouter({ minAcks: 1 });
  played.route(master);
  using client = await PlainClient.connect(played.router.port);
  await client.send("SET a 1\r\n");
  await until(() => waits.length === 1);
  await client.send("*2\r\n$3\r\nGET\r\n$5\r\nfirst\r\n*2\r\n$3\r\nGET\r\n$6\r\nsecond\r\n");
  await soon();
  waits[0](":1\r\n");
  assertEquals(await client.read(13), "+OK\r\n+first\r\n");
  await client.send("*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n1\r\n");
  await soon();
  later("+second\r\n");
  await until(() => waits.length === 2);
  waits[1](":0\r\n");
  assertEquals(await client.read(9), "+second\r\n");
  assertMatch(await client.read(40), /^-UNCERTAIN /);
});

Deno.test("Router: replicas that have confirmed a write are counted, however many have to", async () => {
  using master = new PlayedNode((words) => words[0] === "WAIT" ? ":11\r\n" : "+OK\r\n");
  using many = new PlayedRouter({ minAcks: 12 });
  using few = new PlayedRouter({ minAcks: 11 });
  many.route(master);
  few.route(master);
  using one = await PlainClient.connect(many.router.port);
  using other = await PlainClient.connect(few.router.port);
  await one.send("SET a 1\r\n");
  assertMatch(await one.read(60), /^-UNCERTAIN The master has carried it out, but only 11 of 12/);
  assertEquals(await other.ask("SET a 1\r\n", "+OK\r\n"), "+OK\r\n");
});

Deno.test("Router: clients that wait for room go on when their node is replaced", async () => {
  using stuck = new PlayedNode(() => new Promise(() => {}));
  using next = new PlayedNode(() => "+OK\r\n");
  using played = new PlayedRouter();
  played.route(stuck);
  await until(() => played.router.topology.mayWrite);
  using flooding = await PlainClient.connect(played.router.port);
  flooding.send(largeSets(40)).catch(() => {});
  await soon(500);
  using client = await PlainClient.connect(played.router.port);
  await client.send("*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n1\r\n");
  await soon(50);
  using other = await PlainClient.connect(played.router.port);
  assertEquals(await other.ask("client kill id 1\r\n", ":1\r\n"), ":1\r\n");
  played.route(next);
  assertEquals(await client.read(5), "+OK\r\n");
});

Deno.test("Router: a client that wants no replies is held back when its node takes nothing", async () => {
  using stuck = new PlayedNode(() => new Promise(() => {}));
  using played = new PlayedRouter();
  played.route(stuck);
  using client = await PlainClient.connect(played.router.port);
  await until(() => played.router.topology.mayWrite);
  await client.send("client reply off\r\n");
  client.send(largeSets(64)).catch(() => {});
  await soon(1000);
  const { bytesIn } = played.router.statistics;
  assertEquals(bytesIn < 40 * MEBIBYTE, true, `${bytesIn} bytes were taken`);
});

Deno.test("Router: replies that wait for one that doesn't come are limited", async () => {
  let isFirst = true;
  const answer = () => {
    const reply = isFirst ? "" : `$${MEBIBYTE}\r\n${"x".repeat(MEBIBYTE)}\r\n`;
    isFirst = false;
    return reply;
  };
  using master = new PlayedNode(answer);
  using replica = new PlayedNode(answer);
  using played = new PlayedRouter({ readFrom: "any" });
  master.role = roleOfMaster(100, replica);
  replica.role = roleOfReplica(100, master);
  played.route(master, [replica]);
  const { topology } = played.router;
  await until(() => topology.readers.every((node) => topology.whyNot(node) === ""));
  using client = await PlainClient.connect(played.router.port);
  for (let round = 0; round < 30; round++) {
    await client.send("*2\r\n$3\r\nGET\r\n$1\r\na\r\n");
    await soon(20);
  }
  const sent = master.commands.length + replica.commands.length;
  assertEquals(sent > 1 && sent < 10, true, `${sent} were sent`);
  const next = master.commands.length === 1 ? replica : master;
  next.role = roleOfMaster(100, replica);
  played.route(next);
  assertEquals((await client.read(20 * MEBIBYTE)).length, 20 * MEBIBYTE);
});

Deno.test("Router: whether there is a database is asked again if the node goes away meanwhile", async () => {
  let asked = 0;
  using master = new PlayedNode((words) => {
    if (words[0] !== "SELECT") return "+OK\r\n";
    if (words[1] === "9") return "-ERR DB index is out of range\r\n";
    return asked++ < 2 ? null : "+OK\r\n";
  });
  using played = new PlayedRouter();
  played.route(master);
  using client = await PlainClient.connect(played.router.port);
  await until(() => played.router.topology.mayWrite);
  assertEquals(await client.ask("select 5\r\nping\r\n", "+OK\r\n+PONG\r\n"), "+OK\r\n+PONG\r\n");
  const error = "-ERR DB index is out of range\r\n+PONG\r\n";
  assertEquals(await client.ask("select 9\r\nping\r\n", error), error);
  assertEquals(await client.ask("select 10\r\nping\r\n", error), error);
  assertEquals(await client.ask("select -1\r\nping\r\n", error), error);
  await client.send("client reply skip\r\nselect 6\r\nping\r\n");
  assertEquals(await client.read(7), "+PONG\r\n");
});

Deno.test("Router: whatever a client leaves behind, its connection to a node is closed", async () => {
  using master = new PlayedNode(([name]) => name === "MULTI" ? "+OK\r\n" : "");
  using played = new PlayedRouter();
  played.route(master);
  await until(() => played.router.topology.mayWrite);
  for (
    const commands of [
      "MULTI\r\n",
      "WATCH a\r\n",
      "BLPOP a 0\r\n",
      "SUBSCRIBE a\r\n",
      "MONITOR\r\n",
    ]
  ) {
    using client = await PlainClient.connect(played.router.port);
    await client.send(commands);
    await until(() => master.connections.size === 2);
    await soon(10);
    client[Symbol.dispose]();
    await until(() => master.connections.size === 1);
    assertEquals(played.router.sessions.size, 0);
  }
});

Deno.test("Router: no client can put lines of its own into an error", async () => {
  using played = new PlayedRouter();
  using client = await PlainClient.connect(played.router.port);
  const expected = "-ERR Unknown client type 'a  +b'\r\n+PONG\r\n";
  assertEquals(await client.ask('client list type "a\\r\\n+b"\r\nping\r\n', expected), expected);
});

Deno.test("Router: a client isn't idle while its command waits", async () => {
  using master = new PlayedNode(() => "+OK\r\n");
  using played = new PlayedRouter({ timeoutSeconds: 1 });
  played.route(master, [], { writable: false, reason: "a failover is under way" });
  using client = await PlainClient.connect(played.router.port);
  await client.send("set a 1\r\n");
  await soon(2500);
  played.route(master);
  assertEquals(await client.read(5), "+OK\r\n");
});

Deno.test("Router: a long pipeline that is refused as a whole is answered in its order by another node", async () => {
  using master = new PlayedNode(([, key]) => `+${key}\r\n`);
  using replica = new PlayedNode(() => "-LOADING Redis is loading the dataset in memory\r\n");
  using played = new PlayedRouter();
  master.role = roleOfMaster(100, replica);
  replica.role = roleOfReplica(100, master);
  played.route(master, [replica]);
  const { topology } = played.router;
  await until(() => topology.readers.every((node) => topology.whyNot(node) === ""));
  using client = await PlainClient.connect(played.router.port);
  let sent = "";
  let expected = "";
  for (let number = 1000; number < 5000; number++) {
    sent += `*2\r\n$3\r\nGET\r\n$4\r\n${number}\r\n`;
    expected += `+${number}\r\n`;
  }
  await client.send(sent);
  assertEquals(await client.read(expected.length), expected);
  assertEquals(played.router.statistics.retriedReads > 0, true);
});

Deno.test("Router: a client that sends nothing more gets the replies to what it has sent, and then the end", async () => {
  let answerRead = (_: string) => {};
  using master = new PlayedNode((words) => {
    if (words[0] === "GET") return new Promise((resolve) => answerRead = resolve);
    if (words[0] === "EXEC") return "*1\r\n+OK\r\n";
    return words[1] === "queued" ? "+QUEUED\r\n" : "+OK\r\n";
  });
  using played = new PlayedRouter();
  played.route(master);
  const rest = async (request: string) => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: played.router.port });
    await connection.write(new TextEncoder().encode(request));
    await connection.closeWrite();
    return new Response(connection.readable).text();
  };
  const read = rest("GET a\r\nSET a 1\r\n");
  await until(() => played.router.sessions.size === 1);
  await soon();
  answerRead("+old\r\n");
  assertEquals(await read, "+old\r\n+OK\r\n");
  assertEquals(
    await rest("MULTI\r\nSET queued 1\r\nEXEC\r\n"),
    "+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n",
  );
  // Nobody is there any more who could end the transaction, or take what is pushed.
  await rest("MULTI\r\nSET queued 1\r\n");
  await rest("BLPOP list 0\r\n");
  await until(() => played.router.sessions.size === 0);
});

Deno.test("Router: what was connected to a node before it was connected to anew, and isn't in use, is given up", async () => {
  using master = new PlayedNode((words) => words[0] === "GET" ? "+read\r\n" : "+OK\r\n");
  using played = new PlayedRouter();
  played.route(master);
  using client = await PlainClient.connect(played.router.port);
  assertEquals(await client.ask("GET a\r\n", "+read\r\n"), "+read\r\n");
  // The first connection watches the node. Of the other one, nobody would say that it leads nowhere.
  const [watching, lane] = [...master.connections];
  await watching.closeWrite();
  await until(() => !master.connections.has(lane));
  assertEquals(await client.ask("GET a\r\n", "+read\r\n"), "+read\r\n");
});
