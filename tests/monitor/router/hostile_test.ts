import { assertEquals, assertMatch } from "@std/assert";
import { until } from "../../support/waiting.ts";
import {
  PlainClient,
  PlayedNode,
  PlayedRouter,
  roleOfMaster,
  roleOfReplica,
} from "./played_node.ts";
import { RoutedGroup } from "./routed_group.ts";

const soon = (ms = 30) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("Router: a read behind SELECT is of the database that was selected, whatever is under way in another", async () => {
  await using group = await RoutedGroup.start(1);
  using client = await PlainClient.connect(group.router.port);
  assertEquals(await client.ask("select 3\r\nselect 0\r\n", "+OK\r\n+OK\r\n"), "+OK\r\n+OK\r\n");
  for (let round = 0; round < 20; round++) {
    const expected = `+OK\r\n+OK\r\n$-1\r\n+OK\r\n`;
    assertEquals(
      await client.ask(
        `set key:${round} 0\r\nselect 3\r\nget key:${round}\r\nselect 0\r\n`,
        expected,
      ),
      expected,
    );
  }
  const expected = ":1\r\n";
  assertEquals(await client.ask("hset hash field value\r\n", expected), expected);
  await client.send("set key value\r\nhello 3\r\nhgetall hash\r\nping\r\n");
  await until(() => client.text.endsWith("+PONG\r\n"));
  assertMatch(client.text, /%1\r\n\$5\r\nfield\r\n\$5\r\nvalue\r\n\+PONG\r\n$/);
});

Deno.test("Router: a write between WATCH and MULTI isn't carried out once more at the new master", async () => {
  await using group = await RoutedGroup.start(1);
  using client = await PlainClient.connect(group.router.port);
  const before = "+OK\r\n:1\r\n";
  assertEquals(await client.ask("watch key\r\nincr n\r\n", before), before);
  await until(() =>
    group.router.topology.readers[0].offset === group.router.topology.master!.offset
  );
  await group.promote(1);
  const after = "+OK\r\n+QUEUED\r\n*-1\r\n$1\r\n1\r\n";
  assertEquals(await client.ask("multi\r\nincr n\r\nexec\r\nget n\r\n", after), after);
});

Deno.test("Router: what belongs to a transaction that was given up isn't carried out by itself", async () => {
  await using group = await RoutedGroup.start(1, { holdMs: 100 });
  using client = await PlainClient.connect(group.router.port);
  assertEquals(
    await client.ask("multi\r\nset a 1\r\n", "+OK\r\n+QUEUED\r\n"),
    "+OK\r\n+QUEUED\r\n",
  );
  group.route({ master: null, writable: false, reason: "nobody is left" });
  await soon(300);
  await client.send("set b 2\r\n");
  await until(() => client.text.endsWith("\r\n"));
  client.text = "";
  group.route();
  await until(() => group.router.topology.mayWrite);
  await client.send("set c 3\r\nexec\r\nget a\r\nget b\r\nget c\r\nping\r\n");
  await until(() => client.text.endsWith("+PONG\r\n"));
  assertMatch(client.text, /-EXECABORT[^\r]*\r\n\$-1\r\n\$-1\r\n\$-1\r\n\+PONG\r\n$/);
});

Deno.test("Router: a transaction that a silent master was sent, and that was given up, is answered once", async () => {
  using master = new PlayedNode(([name]) => {
    if (name === "INCR" || name === "MULTI" || name === "SET") return "";
    return name === "GET" ? "$5\r\nvalue\r\n" : "+OK\r\n";
  });
  using played = new PlayedRouter({ holdMs: 200 });
  played.route(master);
  using client = await PlainClient.connect(played.router.port);
  await until(() => played.router.topology.mayWrite);
  await client.send("WATCH key\r\nINCR n\r\nMULTI\r\nSET a 1\r\n");
  await until(() => master.commands.includes("INCR n"));
  played.route(master, [], { writable: false, reason: "a failover is under way" });
  await client.send("EXEC\r\nGET key\r\nGET key\r\nPING\r\n");
  await until(() => client.text.endsWith("+PONG\r\n"));
  const lines = client.text.split("\r\n").map((line) => line.split(" ")[0]);
  assertEquals(lines, [
    ...["+OK", "-UNCERTAIN", "-MASTERDOWN", "-MASTERDOWN", "-EXECABORT"],
    ...["$5", "value", "$5", "value", "+PONG", ""],
  ]);
  await until(() => played.router.topology.master!.outstandingCommands === 0);
  assertEquals(played.router.topology.master!.outstandingWrites, 0);
});

Deno.test("Router: replies that a client doesn't want are dropped in transactions too", async () => {
  await using group = await RoutedGroup.start(0);
  using client = await PlainClient.connect(group.router.port);
  const off = "client reply off\r\nmulti\r\nset a 1\r\nexec\r\nget a\r\nclient reply on\r\n";
  const expected = "+OK\r\n$1\r\n1\r\n";
  assertEquals(await client.ask(`${off}get a\r\n`, expected), expected);
  const skip = "watch a\r\nclient reply skip\r\nget a\r\nget a\r\nunwatch\r\nget a\r\n";
  const skipped = "+OK\r\n$1\r\n1\r\n+OK\r\n$1\r\n1\r\n";
  assertEquals(await client.ask(skip, skipped), skipped);
});

Deno.test("Router: every CLIENT command is answered between WATCH and EXEC", async () => {
  await using group = await RoutedGroup.start(0);
  using client = await PlainClient.connect(group.router.port);
  await client.send("watch a\r\nclient nosuch\r\nclient tracking on\r\nget a\r\nunwatch\r\n");
  await until(() => client.text.endsWith("$-1\r\n+OK\r\n"));
  assertMatch(client.text, /^\+OK\r\n-ERR [^\r]*\r\n-ERR [^\r]*\r\n\$-1\r\n\+OK\r\n$/);
});

Deno.test("Router: the database behind a transaction is the one that the node says", async () => {
  await using group = await RoutedGroup.start(0);
  using client = await PlainClient.connect(group.router.port);
  const all: [sent: string, expected: string][] = [
    ["multi\r\nselect 1\r\ndiscard\r\nset a 0\r\n", "+OK\r\n+QUEUED\r\n+OK\r\n+OK\r\n"],
    ["select 1\r\nget a\r\nselect 0\r\nget a\r\n", "+OK\r\n$-1\r\n+OK\r\n$1\r\n0\r\n"],
    ["multi\r\nselect 1\r\nexec\r\nget a\r\n", "+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n$-1\r\n"],
    [
      "watch a\r\nselect 0\r\nget a\r\nunwatch\r\nget a\r\n",
      "+OK\r\n+OK\r\n$1\r\n0\r\n+OK\r\n$1\r\n0\r\n",
    ],
  ];
  for (const [sent, expected] of all) assertEquals(await client.ask(sent, expected), expected);
  await client.send("watch a\r\nselect 99\r\nunwatch\r\nget a\r\nping\r\n");
  await until(() => client.text.endsWith("+PONG\r\n"));
  assertMatch(client.text, /^\+OK\r\n-ERR [^\r]*\r\n\+OK\r\n\$1\r\n0\r\n\+PONG\r\n$/);
  client.text = "";
  await client.send("multi\r\nselect 99\r\nexec\r\nget a\r\nping\r\n");
  await until(() => client.text.endsWith("+PONG\r\n"));
  assertMatch(client.text, /^\+OK\r\n\+QUEUED\r\n\*1\r\n-ERR [^\r]*\r\n\$1\r\n0\r\n\+PONG\r\n$/);
  client.text = "";
  const long = "x".repeat(1 << 20);
  await client.send(`watch a\r\n*2\r\n$6\r\nselect\r\n$${long.length}\r\n${long}\r\nping\r\n`);
  await until(() => client.text.endsWith("+PONG\r\n"));
  assertEquals(group.suspected, []);
});

Deno.test("Router: a transaction that a former master refuses is carried out by the new one, once", async () => {
  await using group = await RoutedGroup.start(1);
  const expected = "+OK\r\n+QUEUED\r\n*1\r\n:1\r\n:1\r\n";
  using client = await PlainClient.connect(group.router.port);
  await group.direct(1, "REPLICAOF", "NO", "ONE");
  await group.direct(0, "REPLICAOF", "127.0.0.1", group.servers[1].port);
  await client.send("multi\r\nincr a\r\nexec\r\nincr b\r\n");
  await soon();
  await group.promote(1);
  assertEquals(await client.read(expected.length), expected);
  await until(() => group.router.topology.mayWrite);
  await group.direct(1, "CLIENT", "PAUSE", 100_000, "WRITE");
  await client.send("multi\r\nincr c\r\nexec\r\nincr d\r\n");
  await soon();
  assertEquals(await client.read(5), "+OK\r\n");
  await group.promote(0);
  await group.direct(1, "CLIENT", "UNPAUSE");
  const rest = "+QUEUED\r\n*1\r\n:1\r\n:1\r\n";
  assertEquals(await client.read(rest.length), rest);
  assertEquals(group.router.statistics.unknownOutcomes, 0);
});

Deno.test("Router: EXEC waits no longer than other commands for somebody who takes writes", async () => {
  await using group = await RoutedGroup.start(1, { holdMs: 100 });
  using client = await PlainClient.connect(group.router.port);
  assertEquals(
    await client.ask("multi\r\nset a 1\r\n", "+OK\r\n+QUEUED\r\n"),
    "+OK\r\n+QUEUED\r\n",
  );
  group.route({ writable: false, reason: "a failover is under way" });
  await client.send("exec\r\nget a\r\n");
  await until(() => client.text.endsWith("$-1\r\n"));
  assertMatch(client.text, /^-EXECABORT [^\r]*a failover is under way[^\r]*\r\n\$-1\r\n$/);
});

Deno.test("Router: what a former master still carries out for a client that waits is no success", async () => {
  const answers: (() => void)[] = [];
  using old = new PlayedNode((words, connection) => {
    if (words[0] !== "BLPOP" && words[0] !== "EXEC") {
      return words[0] === "MULTI" ? "+OK\r\n" : "+QUEUED\r\n";
    }
    const reply = new TextEncoder().encode(
      words[0] === "EXEC" ? "*1\r\n+OK\r\n" : "*2\r\n$1\r\nq\r\n$1\r\nx\r\n",
    );
    answers.push(() => connection.write(reply));
    return "";
  });
  using next = new PlayedNode(() => "+OK\r\n");
  using played = new PlayedRouter();
  played.route(old);
  using popping = await PlainClient.connect(played.router.port);
  using writing = await PlainClient.connect(played.router.port);
  await until(() => played.router.topology.mayWrite);
  await popping.send("BLPOP q 0\r\n");
  await writing.send("MULTI\r\nSET a 1\r\nEXEC\r\n");
  await until(() => answers.length === 2);
  assertEquals(await writing.read(14), "+OK\r\n+QUEUED\r\n");
  played.route(next);
  for (const answer of answers) answer();
  assertMatch(await popping.read(40), /^-UNCERTAIN /);
  assertMatch(await writing.read(40), /^-UNCERTAIN /);
});

Deno.test("Router: a node that sends what is no reply harms nobody but those who have asked it", async () => {
  using node = new PlayedNode((words) =>
    words[0] === "GET" ? "+value\r\n" : "this is no reply\r\n"
  );
  using played = new PlayedRouter();
  played.route(node);
  using client = await PlainClient.connect(played.router.port);
  using subscriber = await PlainClient.connect(played.router.port);
  using monitor = await PlainClient.connect(played.router.port);
  await until(() => played.router.topology.mayWrite);
  await subscriber.send("SUBSCRIBE a\r\n");
  await monitor.send("MONITOR\r\n");
  await until(() => node.commands.includes("MONITOR"));
  await client.send("SET a 1\r\n");
  assertMatch(await client.read(10), /^-UNCERTAIN/);
  await until(() => client.text.endsWith("\r\n"));
  client.text = "";
  assertEquals(await client.ask("GET a\r\n", "+value\r\n"), "+value\r\n");
});

Deno.test("Router: what is sent once more goes to the database in which it was meant", async () => {
  const databases = new WeakMap<Deno.TcpConn, string>();
  let isFirst = true;
  using node = new PlayedNode(([name, number], connection) => {
    if (name === "SELECT") databases.set(connection, number);
    if (name !== "GET") return "+OK\r\n";
    if (!isFirst) return `+${databases.get(connection) ?? 0}\r\n`;
    isFirst = false;
    return new Promise((resolve) => setTimeout(() => resolve(null), 50));
  });
  using played = new PlayedRouter();
  played.route(node);
  using client = await PlainClient.connect(played.router.port);
  await until(() => played.router.topology.mayWrite);
  const selected = "+OK\r\n+OK\r\n";
  assertEquals(await client.ask("select 1\r\nselect 0\r\n", selected), selected);
  const expected = "+0\r\n+OK\r\n+1\r\n";
  assertEquals(await client.ask("GET a\r\nSELECT 1\r\nGET a\r\n", expected), expected);
});

Deno.test("Router: a transaction with watched keys is answered to its end, even if another master refuses a part of it", async () => {
  using old = new PlayedNode(() => "+OK\r\n");
  let refusals = 1;
  using next = new PlayedNode(([name]) => {
    if (name !== "INCR") return "+OK\r\n";
    return refusals-- > 0
      ? "-READONLY You can't write against a read only replica.\r\n"
      : "+QUEUED\r\n";
  });
  using played = new PlayedRouter();
  played.route(old);
  await until(() => played.router.topology.mayWrite);
  using client = await PlainClient.connect(played.router.port);
  const begun = "+OK\r\n+OK\r\n";
  assertEquals(await client.ask("WATCH a\r\nMULTI\r\n", begun), begun);
  played.route(next);
  await until(() => played.router.topology.mayWrite);
  const expected = "+QUEUED\r\n*-1\r\n+PONG\r\n";
  assertEquals(await client.ask("INCR a\r\nEXEC\r\nPING\r\n", expected), expected);
});

Deno.test("Router: what was answered before a connection is lost is read by what comes after it", async () => {
  let isFirst = true;
  using replica = new PlayedNode(([name]) => name === "GET" ? "$3\r\nold\r\n" : "+OK\r\n");
  using master = new PlayedNode(([name]) => {
    if (name !== "GET") return "+OK\r\n";
    if (!isFirst) return "$3\r\nnew\r\n";
    isFirst = false;
    return soon(50).then(() => null);
  });
  master.role = roleOfMaster(200, replica);
  replica.role = roleOfReplica(100, master);
  using played = new PlayedRouter();
  const { router: { topology } } = played;
  played.route(master, [replica]);
  await until(() => topology.mayWrite && topology.reader(null) === topology.readers[0]);
  using client = await PlainClient.connect(played.router.port);
  // In one packet, as what programs send: a line that was typed is a group of its own.
  const get = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
  const expected = "+OK\r\n$3\r\nnew\r\n";
  assertEquals(
    await client.ask(`*3\r\n$3\r\nSET\r\n$1\r\na\r\n$3\r\nnew\r\n${get}`, expected),
    expected,
  );
  assertEquals(await client.ask(get, "$3\r\nnew\r\n"), "$3\r\nnew\r\n");
  assertEquals(replica.commands.includes("GET a"), false);
});

Deno.test("Router: a command that has waited for long at a master that hands over goes on waiting at the next one", async () => {
  let unblock = () => {};
  using old = new PlayedNode(([name]) => {
    if (name !== "BLPOP") return "+OK\r\n";
    return new Promise((resolve) => {
      unblock = () =>
        resolve("-UNBLOCKED force unblock from blocking operation, instance state changed\r\n");
    });
  });
  using next = new PlayedNode(([name]) =>
    name === "BLPOP" ? "*2\r\n$1\r\nq\r\n$1\r\nx\r\n" : "+OK\r\n"
  );
  using played = new PlayedRouter({ holdMs: 200 });
  played.route(old);
  await until(() => played.router.topology.mayWrite);
  using client = await PlainClient.connect(played.router.port);
  await client.send("BLPOP q 0\r\n");
  await until(() => old.commands.includes("BLPOP q 0"));
  await soon(400);
  played.route(old, [], { writable: false, reason: "a failover is under way" });
  unblock();
  await soon(50);
  played.route(next);
  const expected = "*2\r\n$1\r\nq\r\n$1\r\nx\r\n";
  assertEquals(await client.read(expected.length), expected);
});

Deno.test("Router: a reply of the router's own behind a long one leaves by itself", async () => {
  const value = "x".repeat(12 << 20);
  using node = new PlayedNode(() => `$${value.length}\r\n${value}\r\n`);
  using played = new PlayedRouter();
  played.route(node);
  await until(() => played.router.topology.mayWrite);
  using socket = await Deno.connect({ hostname: "127.0.0.1", port: played.router.port });
  const send = (text: string) => socket.write(new TextEncoder().encode(text));
  await send("*2\r\n$3\r\nGET\r\n$1\r\na\r\n");
  const [session] = played.router.sessions.values();
  await until(() => session.pendingBytes > 1 << 20);
  await send("*1\r\n$4\r\nPING\r\n");
  await until(() => session.waitingBytes > 0);
  const room = new Uint8Array(1 << 20);
  let tail = "";
  const read = async () => {
    for (let count; (count = await socket.read(room)) !== null;) {
      tail = (tail + new TextDecoder().decode(room.subarray(0, count))).slice(-20);
    }
  };
  // Closing the socket ends it.
  read().catch(() => {});
  await until(() => tail.endsWith("+PONG\r\n"));
});

Deno.test("Router: a routing that comes because a node refuses something answers nothing twice", async () => {
  const answer = (mark: string) => (words: string[]) =>
    words[0] === "SET" ? "+OK\r\n" : `$2\r\n${mark}${words[1]}\r\n`;
  using next = new PlayedNode(answer("N"));
  const serve = answer("O");
  let refusals = 1;
  using old = new PlayedNode((words) =>
    words[0] === "SET" && refusals-- > 0
      ? "-READONLY You can't write against a read only replica.\r\n"
      : serve(words)
  );
  using played = new PlayedRouter({}, () => played.route(next));
  played.route(old);
  await until(() => played.router.topology.mayWrite);
  using client = await PlainClient.connect(played.router.port);
  const packet = [["SET", "a", "1"], ["GET", "b"], ["GET", "c"], ["GET", "d"], ["PING"]];
  await client.send(
    packet.map((words) =>
      `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`
    ).join(""),
  );
  await until(() => client.text.endsWith("+PONG\r\n"));
  await soon(100);
  assertMatch(client.text, /^\+OK\r\n(\$2\r\n[ON][bcd]\r\n){3}\+PONG\r\n$/);
});
