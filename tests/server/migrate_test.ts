import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import { latin1Text } from "../../src/client/quoting.ts";
import {
  MemoryConnection,
  type MemoryServer,
  plain,
  startMemoryServer,
} from "../support/memory_server.ts";
import { settle } from "../support/replicated.ts";
import { Told } from "../support/told.ts";
import { until } from "../support/waiting.ts";

const READING = "-IOERR error or timeout reading to target instance";
const WRITING = "-IOERR error or timeout writing to target instance";
const CONNECTING = "-IOERR error or timeout connecting to the client";
const encoder = new TextEncoder();

/** The other servers, of which a test plays each: what was sent to them, what they reply. */
class Peers {
  /** The connections to them, oldest first. */
  readonly connections: MemoryConnection[] = [];
  /** Where they lead to. */
  readonly addresses: string[] = [];

  constructor(machine: MemoryServer) {
    machine.reach = (hostname, port) => {
      this.addresses.push(`${hostname}:${port}`);
      const connection = new MemoryConnection();
      this.connections.push(connection);
      return Promise.resolve(connection);
    };
  }

  /** Connection `index`, once there is one. */
  async peer(index: number): Promise<MemoryConnection> {
    await until(() => this.connections.length > index);
    return this.connections[index];
  }
}

/** The next request to a peer, a byte a character. */
async function requestTo(peer: MemoryConnection): Promise<string[]> {
  const reply = await peer.reply();
  assert(reply.kind === "array");
  return reply.items.map((item) => item.kind === "bulk" ? latin1Text(item.bytes) : item.kind);
}

function say(peer: MemoryConnection, ...lines: string[]): void {
  peer.send(encoder.encode(lines.map((line) => `${line}\r\n`).join("")));
}

/** Sends a command whose reply comes later. */
function ask(client: MemoryConnection, ...words: string[]): Promise<unknown> {
  client.send(encodeRequest(words));
  return client.reply().then(plain);
}

function pass(machine: MemoryServer, ms: number): void {
  machine.clock.advance(ms);
  machine.server.clients.deadlines.run();
}

Deno.test("MIGRATE sends all in one piece, and removes what has arrived", async () => {
  await using machine = await startMemoryServer(1, { "notify-keyspace-events": "KA" });
  const peers = new Peers(machine);
  const client = await machine.connect();
  await client.ask("MSET", "a", "1", "b", "2", "c", "3");
  await client.ask("PEXPIRE", "b", "5000");
  const told = new Told(machine.server);
  machine.clock.advance(300);
  const dumped = await client.askRaw("DUMP", "b");
  const words = "host 7000  9 0 replace auth2 user secret keys a no b".split(" ");
  const reply = ask(client, "MIGRATE", ...words);
  const peer = await peers.peer(0);
  assertEquals(peers.addresses, ["host:7000"]);
  assertEquals(await requestTo(peer), ["AUTH", "user", "secret"]);
  assertEquals(await requestTo(peer), ["SELECT", "9"]);
  assertEquals((await requestTo(peer)).toSpliced(3, 1), ["RESTORE", "a", "0", "REPLACE"]);
  const [restore, key, timeToLive, payload] = await requestTo(peer);
  assertEquals([restore, key, timeToLive], ["RESTORE", "b", "4700"]);
  assertEquals(`$${payload.length}\r\n${payload}\r\n`, dumped);
  assertEquals(peer.received(), undefined);
  say(peer, "+OK", "+OK", "+OK", "+OK");
  assertEquals(await reply, "OK");
  assertEquals(await client.ask("MGET", "a", "b", "c"), [null, null, "3"]);
  assertEquals(told.take(), { events: ["a:del", "b:del"], commands: ["DEL a b"] });
});

Deno.test("with COPY, keys stay", async () => {
  await using machine = await startMemoryServer(2);
  const peers = new Peers(machine);
  const client = await machine.connect();
  await client.ask("SET", "a", "1");
  const told = new Told(machine.server);
  const reply = ask(client, "MIGRATE", "host", "7000", "a", "0", "1000", "COPY");
  say(await peers.peer(0), "+OK", "+OK");
  assertEquals(await reply, "OK");
  assertEquals(await client.ask("GET", "a"), "1");
  assertEquals(told.take(), { events: [], commands: [] });
});

Deno.test("without keys there is nothing to do, and what makes no sense is refused before", async () => {
  await using machine = await startMemoryServer(3);
  const peers = new Peers(machine);
  const client = await machine.connect();
  const refused = async (line: string) => await client.ask(...`MIGRATE ${line}`.split(" "));
  await client.ask("SET", "gone", "1", "PX", "1");
  machine.clock.advance(2);
  assertEquals(await refused("host 1 gone 0 1"), "NOKEY");
  assertEquals(await refused("host 1  0 1 keys"), "NOKEY");
  assertEquals(await refused("host 1 k 0 1 auth"), "-ERR syntax error");
  assertEquals(await refused("host 1 k 0 1 auth2 user"), "-ERR syntax error");
  assertEquals(await refused("host 1 k 0 1 copies"), "-ERR syntax error");
  const number = "-ERR value is not an integer or out of range";
  assertEquals(await refused("host 1 k x 1"), number);
  assertEquals(await refused("host 1 k 0 x"), number);
  assertEquals(
    await refused("host 1 k 0 1 keys a"),
    "-ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
  );
  assertEquals(peers.addresses, []);
});

Deno.test("what the other side refuses stays, and its first error is the reply", async () => {
  await using machine = await startMemoryServer(4);
  const peers = new Peers(machine);
  const client = await machine.connect();
  await client.ask("MSET", "a", "1", "b", "2", "c", "3");
  const told = new Told(machine.server);
  const first = ask(client, ..."MIGRATE host 1  0 1000 KEYS a b c".split(" "));
  const peer = await peers.peer(0);
  say(peer, "+OK", "-BUSYKEY Target key name already exists.", "+OK", "-ERR other");
  assertEquals(
    await first,
    "-ERR Target instance replied with error: BUSYKEY Target key name already exists.",
  );
  assertEquals(await client.ask("MGET", "a", "b", "c"), ["1", null, "3"]);
  assertEquals(told.take().commands, ["DEL b"]);
  // Which database is selected there is asked anew, and where that fails nothing has arrived.
  const second = ask(client, ..."MIGRATE host 1 a 0 1000 AUTH secret".split(" "));
  say(peer, "-ERR no password", "-ERR no such database", "+OK");
  assertEquals(await second, "-ERR Target instance replied with error: ERR no password");
  const third = ask(client, ..."MIGRATE host 1 a 77 1000".split(" "));
  say(peer, "-ERR no such database", "+OK");
  assertEquals(await third, "-ERR Target instance replied with error: ERR no such database");
  assertEquals(await client.ask("GET", "a"), "1");
  assertEquals(peers.addresses.length, 1);
});

Deno.test("a connection is kept for ten seconds, with its database", async () => {
  await using machine = await startMemoryServer(5);
  const peers = new Peers(machine);
  const client = await machine.connect();
  await client.ask("MSET", "a", "1", "b", "2", "c", "3", "d", "4");
  const first = ask(client, ..."MIGRATE host 1 a 3 1000".split(" "));
  const peer = await peers.peer(0);
  say(peer, "+OK", "+OK");
  assertEquals(await first, "OK");
  assertEquals((await requestTo(peer))[0], "SELECT");
  assertEquals((await requestTo(peer))[0], "RESTORE");
  pass(machine, 9_999);
  const second = ask(client, ..."MIGRATE host 1 b 3 1000".split(" "));
  say(peer, "+OK");
  assertEquals(await second, "OK");
  assertEquals((await requestTo(peer))[0], "RESTORE");
  assertStringIncludes(String(await client.ask("INFO", "stats")), "migrate_cached_sockets:1\r\n");
  pass(machine, 9_999);
  assertEquals(peer.closed, false);
  pass(machine, 1);
  assertEquals(peer.closed, true);
  assertStringIncludes(String(await client.ask("INFO", "stats")), "migrate_cached_sockets:0\r\n");
  const third = ask(client, ..."MIGRATE host 1 c 3 1000".split(" "));
  say(await peers.peer(1), "+OK", "+OK");
  assertEquals(await third, "OK");
});

Deno.test("no more than 64 connections are kept", async () => {
  await using machine = await startMemoryServer(6);
  const peers = new Peers(machine);
  const client = await machine.connect();
  for (let port = 1; port <= 65; port++) {
    await client.ask("SET", "k", "1");
    const reply = ask(client, "MIGRATE", "host", String(port), "k", "0", "1000");
    say(await peers.peer(port - 1), "+OK", "+OK");
    assertEquals(await reply, "OK");
  }
  assertEquals(peers.connections.map(({ closed }) => closed).lastIndexOf(true), 0);
  assertEquals(machine.server.clients.migrations.targets.count, 64);
});

Deno.test("a connection that the other side has closed is tried anew, once", async () => {
  await using machine = await startMemoryServer(7);
  const peers = new Peers(machine);
  const client = await machine.connect();
  await client.ask("SET", "a", "1");
  const reply = ask(client, ..."MIGRATE host 1 a 0 1000".split(" "));
  (await peers.peer(0)).end();
  await until(() => peers.connections.length === 2);
  assertEquals(peers.connections[0].closed, true);
  say(peers.connections[1], "+OK", "+OK");
  assertEquals(await reply, "OK");
  await client.ask("SET", "a", "1");
  const failing = ask(client, ..."MIGRATE host 1 a 0 1000".split(" "));
  await settle();
  peers.connections[1].end();
  (await peers.peer(2)).end();
  assertEquals(await failing, READING);
  assertEquals(peers.connections.length, 3);
  assertEquals(await client.ask("GET", "a"), "1");
});

Deno.test("what has arrived before a fault is gone here, and nothing is sent twice", async () => {
  await using machine = await startMemoryServer(8);
  const peers = new Peers(machine);
  const client = await machine.connect();
  await client.ask("MSET", "a", "1", "b", "2");
  const told = new Told(machine.server);
  const reply = ask(client, ..."MIGRATE host 1  0 1000 KEYS a b".split(" "));
  const peer = await peers.peer(0);
  say(peer, "+OK", "+OK");
  await settle();
  assertEquals(machine.server.keyspace.databases[0].size, 2, "it isn't over");
  peer.end();
  assertEquals(await reply, READING);
  assertEquals(await client.ask("MGET", "a", "b"), [null, "2"]);
  assertEquals(told.take().commands, ["DEL a"]);
  assertEquals([peers.connections.length, peer.closed], [1, true]);
});

Deno.test("what isn't RESP is as good as nothing", async () => {
  await using machine = await startMemoryServer(9);
  const peers = new Peers(machine);
  const client = await machine.connect();
  await client.ask("SET", "a", "1");
  const reply = ask(client, ..."MIGRATE host 1 a 0 1000".split(" "));
  for (let index = 0; index < 2; index++) say(await peers.peer(index), "HTTP/1.1 400", "Bad");
  assertEquals(await reply, READING);
  assertEquals(await client.ask("GET", "a"), "1");
});

Deno.test("each step has its time, and one that takes longer ends it without another try", async () => {
  await using machine = await startMemoryServer(10);
  const peers = new Peers(machine);
  const client = await machine.connect();
  await client.ask("SET", "a", "1");
  const reading = ask(client, ..."MIGRATE host 1 a 0 -5".split(" "));
  const peer = await peers.peer(0);
  await until(() => peer.awaited);
  pass(machine, 999);
  say(peer, "+OK");
  await settle();
  pass(machine, 999);
  await settle();
  assertEquals(client.received(), undefined);
  pass(machine, 1);
  assertEquals(await reading, READING);
  assertEquals([peers.connections.length, peer.closed], [1, true]);

  machine.reach = () => new Promise(() => {});
  const connecting = ask(client, ..."MIGRATE host 1 a 0 200".split(" "));
  await settle();
  pass(machine, 200);
  assertEquals(await connecting, CONNECTING);

  const deaf = new MemoryConnection();
  deaf.open = false;
  machine.reach = () => Promise.resolve(deaf);
  const writing = ask(client, ..."MIGRATE host 1 a 0 200".split(" "));
  await settle();
  pass(machine, 200);
  assertEquals(await writing, WRITING);
  assertEquals(deaf.closed, true);
  assertEquals(await client.ask("GET", "a"), "1");
  assertEquals(machine.server.clients.deadlines.size, 0);
});

Deno.test("a connection that comes too late is closed", async () => {
  await using machine = await startMemoryServer(11);
  const client = await machine.connect();
  await client.ask("SET", "a", "1");
  const { promise, resolve } = Promise.withResolvers<MemoryConnection>();
  machine.reach = () => promise;
  const reply = ask(client, ..."MIGRATE host 1 a 0 200".split(" "));
  await settle();
  pass(machine, 200);
  assertEquals(await reply, CONNECTING);
  const late = new MemoryConnection();
  resolve(late);
  await until(() => late.closed);
  assertEquals(machine.server.clients.migrations.targets.count, 0);
});

Deno.test("a key whose time comes before it is sent isn't sent", async () => {
  await using machine = await startMemoryServer(23);
  const client = await machine.connect();
  await client.ask("SET", "short", "1", "PX", "100");
  await client.ask("SET", "just", "1", "PX", "150");
  const { promise, resolve } = Promise.withResolvers<MemoryConnection>();
  machine.reach = () => promise;
  const reply = ask(client, ..."MIGRATE host 1  0 1000 KEYS short just".split(" "));
  await settle();
  machine.clock.advance(150);
  const peer = new MemoryConnection();
  resolve(peer);
  assertEquals(await requestTo(peer), ["SELECT", "0"]);
  assertEquals((await requestTo(peer)).slice(0, 3), ["RESTORE", "just", "1"]);
  assertEquals(peer.received(), undefined);
  say(peer, "+OK", "+OK");
  assertEquals(await reply, "OK");
  assertEquals(await client.ask("EXISTS", "short", "just"), 0);
});

Deno.test("where nobody listens, or nobody is", async () => {
  await using machine = await startMemoryServer(12);
  const client = await machine.connect();
  await client.ask("SET", "a", "1");
  let tries = 0;
  const failing = async (error: Error, port = "1") => {
    tries = 0;
    machine.reach = () => {
      tries++;
      return Promise.reject(error);
    };
    return [await client.ask("MIGRATE", "host", port, "a", "0", "100"), tries];
  };
  assertEquals(await failing(new Deno.errors.ConnectionRefused("refused")), [WRITING, 2]);
  assertEquals(await failing(new RangeError("port"), "x"), [WRITING, 2]);
  assertEquals(await failing(new Error("failed to lookup address")), [CONNECTING, 1]);
});

Deno.test("while keys move, nobody else's commands run", async () => {
  await using machine = await startMemoryServer(13, { maxmemory: "0" });
  const peers = new Peers(machine);
  const [client, other, third] = [
    await machine.connect(),
    await machine.connect(),
    await machine.connect(),
  ];
  await client.ask("MSET", "a", "1", "b", "2");
  await client.ask("SET", "short", "1", "PX", "50");
  client.send(encodeRequest(["MIGRATE", "host", "1", "a", "0", "10000"]));
  client.send(encodeRequest(["INCR", "behind"]));
  const peer = await peers.peer(0);
  const waiting = [
    ask(other, "GET", "a"),
    ask(third, "CLIENT", "UNPAUSE"),
    ask(await machine.connect(), "MIGRATE", "other", "2", "b", "0", "10000"),
    ask(await machine.connect(), "SET", "b", "3"),
    ask(await machine.connect(), "PING"),
  ];
  let answered = 0;
  for (const reply of waiting) reply.then(() => answered++);
  await settle();
  machine.clock.advance(100);
  machine.server.expiry.startCycle();
  await settle();
  assertEquals([answered, peers.addresses], [0, ["host:1"]]);
  assertEquals(machine.server.keyspace.databases[0].size, 3, "nothing expires meanwhile");
  say(peer, "+OK", "+OK");
  assertEquals(plain(await client.reply()), "OK");
  // The next MIGRATE has come before the SET, and goes before it; what came before it has run.
  say(await peers.peer(1), "+OK");
  assertEquals(await waiting[0], null);
  assertEquals(await waiting[1], "OK");
  await settle();
  assertEquals(answered, 2);
  say(peers.connections[1], "+OK");
  assertEquals(await Promise.all(waiting.slice(2)), ["OK", "OK", "PONG"]);
  assertEquals(plain(await client.reply()), 1);
  assertEquals(await other.ask("GET", "b"), "3");
  assertEquals(machine.server.clients.blocking.count, 0);
});

Deno.test("CLIENT PAUSE and MIGRATE don't end each other", async () => {
  await using machine = await startMemoryServer(14);
  const peers = new Peers(machine);
  const [client, other] = [await machine.connect(), await machine.connect()];
  const { pause } = machine.server.clients;
  await client.ask("SET", "a", "1");
  await other.ask("CLIENT", "PAUSE", "1000", "WRITE");
  const reply = ask(client, ..."MIGRATE host 1 a 0 10000".split(" "));
  await settle();
  assertEquals(peers.addresses, []);
  pass(machine, 1000);
  const peer = await peers.peer(0);
  // Somebody who isn't a client may pause meanwhile.
  pause.start(1, machine.clock.now() + 500);
  pass(machine, 500);
  const read = ask(other, "GET", "a");
  await settle();
  assertEquals(other.received(), undefined);
  pause.start(1, machine.clock.now() + 500);
  say(peer, "+OK", "+OK");
  assertEquals([await reply, await read], ["OK", null]);
  const write = ask(client, "SET", "a", "2");
  await settle();
  assertEquals(await other.ask("GET", "a"), null);
  pass(machine, 500);
  assertEquals(await write, "OK");
});

Deno.test("a client that goes ends its MIGRATE, whatever way it goes", async () => {
  for (const [seed, way] of [[15, "end"], [16, "kill"]] as const) {
    await using machine = await startMemoryServer(seed);
    const peers = new Peers(machine);
    const [client, other] = [await machine.connect(), await machine.connect()];
    await other.ask("MSET", "a", "1", "b", "2");
    const told = new Told(machine.server);
    client.send(encodeRequest("MIGRATE host 1  0 999999999 KEYS a b".split(" ")));
    const peer = await peers.peer(0);
    say(peer, "+OK", "+OK");
    const read = ask(other, "MGET", "a", "b");
    await settle();
    if (way === "end") client.end();
    // Nobody can send CLIENT KILL now, but limits close clients, too.
    else {
      [...machine.server.sessions.values()][0].close();
      assertEquals(machine.server.keyspace.databases[0].size, 1, "before anything else happens");
    }
    assertEquals(await read, [null, "2"]);
    await until(() => peer.closed);
    assertEquals(told.take().commands, ["DEL a"]);
    const { blocking, deadlines, migrations } = machine.server.clients;
    assertEquals([blocking.count, deadlines.size, migrations.targets.count], [0, 0, 0]);
    assertEquals(await other.ask("SET", "a", "3"), "OK");
  }
});

Deno.test("a shutdown ends it, and saves what is left", async () => {
  await using machine = await startMemoryServer(17);
  const peers = new Peers(machine);
  const client = await machine.connect();
  await client.ask("MSET", "a", "1", "b", "2");
  const told = new Told(machine.server);
  client.send(encodeRequest("MIGRATE host 1  0 999999999 KEYS a b".split(" ")));
  const peer = await peers.peer(0);
  say(peer, "+OK", "+OK");
  await settle();
  assertEquals(machine.server.canShutDown({ save: true }), true);
  assertEquals(told.take().commands, ["DEL a"]);
  assertEquals(machine.server.keyspace.databases[0].size, 1);
  assertEquals(plain(await client.reply()), READING);
  await until(() => peer.closed);
});

Deno.test("a server that stops closes its connections to others", async () => {
  for (const way of ["kept", "used"]) {
    const machine = await startMemoryServer(22);
    const peers = new Peers(machine);
    const client = await machine.connect();
    await client.ask("SET", "a", "1");
    const reply = ask(client, ..."MIGRATE host 1 a 0 999999999".split(" "));
    reply.catch(() => {});
    const peer = await peers.peer(0);
    if (way === "kept") {
      say(peer, "+OK", "+OK");
      assertEquals(await reply, "OK");
    }
    await machine.server.shutDownNow();
    assertEquals([peer.closed, client.closed], [true, true]);
    assertEquals(machine.server.clients.deadlines.size, 0);
  }
});

Deno.test("in a transaction it can't wait, and says so", async () => {
  await using machine = await startMemoryServer(18);
  const peers = new Peers(machine);
  const client = await machine.connect();
  await client.ask("SET", "a", "1");
  await client.ask("MULTI");
  await client.ask("MIGRATE", "host", "1", "a", "0", "100");
  await client.ask("MIGRATE", "host", "1", "none", "0", "100");
  const [refused, none] = await client.ask("EXEC") as [Error, string];
  assertStringIncludes(refused.message, "ERR MIGRATE has to wait for the target instance");
  assertEquals(none, "NOKEY");
  assertEquals([await client.ask("GET", "a"), peers.addresses], ["1", []]);
});

Deno.test("clients that watch, wait for or have read a key that moves are told", async () => {
  await using machine = await startMemoryServer(19);
  const peers = new Peers(machine);
  const [client, watcher, reader, tracker] = [
    await machine.connect(),
    await machine.connect(),
    await machine.connect(),
    await machine.connect(),
  ];
  await client.ask("SET", "a", "1");
  await client.ask("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM");
  await watcher.ask("WATCH", "a");
  await tracker.ask("HELLO", "3");
  // What is broadcast is told when the turn is over.
  await tracker.ask("CLIENT", "TRACKING", "ON", "BCAST");
  const read = ask(reader, ..."XREADGROUP GROUP g c BLOCK 0 STREAMS s >".split(" "));
  await settle();
  const reply = ask(client, ..."MIGRATE host 1  0 1000 KEYS a s".split(" "));
  say(await peers.peer(0), "+OK", "+OK", "+OK");
  assertEquals(await reply, "OK");
  assertEquals(tracker.received()?.kind, "push", "nothing else has to happen before");
  assertEquals(await read, "-UNBLOCKED the stream key no longer exists");
  await watcher.ask("MULTI");
  await watcher.ask("PING");
  assertEquals(await watcher.ask("EXEC"), null);
});

Deno.test("passwords are shown to nobody, keys are", async () => {
  await using machine = await startMemoryServer(20, { "slowlog-log-slower-than": "5000" });
  const peers = new Peers(machine);
  const [client, monitor] = [await machine.connect(), await machine.connect()];
  await client.ask("SET", "a", "1");
  await monitor.ask("MONITOR");
  const words = "host 1  0 1000 auth2 user pass auth secret keys a auth2 k".split(" ");
  const reply = ask(client, "MIGRATE", ...words);
  const peer = await peers.peer(0);
  machine.clock.advance(7);
  say(peer, "+OK", "+OK", "+OK");
  assertEquals(await reply, "OK");
  assertEquals(await requestTo(peer), ["AUTH", "user", "secret"]);
  const redacted = ["auth2", "(redacted)", "(redacted)", "auth", "(redacted)"];
  const shown = ["MIGRATE", "host", "1", "", "0", "1000", ...redacted, "keys", "a", "auth2", "k"];
  const line = String(plain(await monitor.reply()));
  assertStringIncludes(line, shown.map((word) => `"${word}"`).join(" "));
  const log = await client.ask("SLOWLOG", "GET", "1") as unknown[][];
  assertEquals([log[0][2], log[0][3]], [7000, shown]);
  const statistics = String(await client.ask("INFO", "commandstats"));
  assertStringIncludes(statistics, "cmdstat_migrate:calls=1,usec=7000,");
  assertStringIncludes(statistics, "rejected_calls=0,failed_calls=0");
});

Deno.test("more than is sent at once arrives whole", async () => {
  await using machine = await startMemoryServer(21);
  const peers = new Peers(machine);
  const client = await machine.connect();
  const value = "0123456789abcdef".repeat(50_000);
  await client.ask("CONFIG", "SET", "rdbcompression", "no");
  const keys = Array.from({ length: 5 }, (_, index) => `k${index}`);
  for (const key of keys) await client.ask("SET", key, value + key);
  const reply = ask(client, ..."MIGRATE host 1  0 1000 KEYS".split(" "), ...keys);
  const peer = await peers.peer(0);
  await requestTo(peer);
  for (const key of keys) {
    const [, name, , payload] = await requestTo(peer);
    assertEquals([name, payload.includes(value + key)], [key, true]);
  }
  say(peer, ..."+OK ".repeat(6).trim().split(" "));
  assertEquals(await reply, "OK");
  assertEquals(await client.ask("DBSIZE"), 0);
});
