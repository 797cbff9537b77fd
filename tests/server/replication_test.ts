/**
 * Replication among servers in memory, and with peers that the test plays.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { latin1Text } from "../../src/client/quoting.ts";
import { joinBytes } from "../../src/protocol/joined_bytes.ts";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import { MemoryConnection, type MemoryServer, plain } from "../support/memory_server.ts";
import { latin1Bytes } from "../support/rdb_bodies.ts";
import { reachable } from "../support/memory_pipe.ts";
import { pass, settle, startNode, startPair } from "../support/replicated.ts";

/** Starts a server that has nothing, and an id of its own. */
async function start(
  seed: number,
  options: Readonly<Record<string, string>> = {},
): Promise<MemoryServer> {
  const machine = await startNode(seed, options);
  machine.server.replication.history.renew();
  await machine.server.ready;
  return machine;
}

/** A replica that the test plays. */
class PlayedReplica {
  private readonly pieces: Uint8Array[] = [];

  private constructor(readonly connection: MemoryConnection) {
    connection.raw = (bytes) => this.pieces.push(bytes);
  }

  static async connect(machine: MemoryServer, ...request: string[]): Promise<PlayedReplica> {
    const connection = await machine.connect();
    assertEquals(await connection.ask("REPLCONF", "listening-port", "1234"), "OK");
    assertEquals(await connection.ask("REPLCONF", "capa", "eof", "capa", "psync2"), "OK");
    const replica = new PlayedReplica(connection);
    replica.send(...request);
    await settle();
    return replica;
  }

  send(...words: string[]): void {
    this.connection.send(encodeRequest(words));
  }

  /** All that has come, a byte a character. */
  get received(): string {
    return latin1Text(joinBytes(this.pieces));
  }
}

/** A request as it stands in the stream. */
function encoded(...words: string[]): string {
  return latin1Text(encodeRequest(words));
}

Deno.test("a replica is sent a snapshot with a mark behind it, and the stream once it acknowledges", async () => {
  await using master = await start(1);
  const client = await master.connect();
  await client.ask("SET", "before", "1");
  const replica = await PlayedReplica.connect(master, "PSYNC", "?", "-1");
  const { id } = master.server.replication.history;
  await client.ask("SET", "after", "2");
  await settle();
  const [line, head, ...rest] = replica.received.split("\r\n");
  assertEquals(line, `+FULLRESYNC ${id} 0`);
  assertMatch(head, /^\$EOF:[0-9a-z]{40}$/);
  const body = rest.join("\r\n");
  assert(body.startsWith("REDIS0010") && body.includes("before"), body);
  assert(body.endsWith(head.slice(5)), "nothing stands behind the mark");
  assert(body.includes("repl-id"), "it has the id");
  replica.send("REPLCONF", "ACK", "0");
  await settle();
  assertEquals(
    replica.received.slice(line.length + head.length + body.length + 4),
    encoded("SELECT", "0") + encoded("SET", "after", "2"),
  );
});

Deno.test("a replica that comes back is sent what it lacks, if that is kept", async () => {
  await using master = await start(1, { "repl-backlog-size": "16384" });
  const client = await master.connect();
  await PlayedReplica.connect(master, "PSYNC", "?", "-1");
  const { history } = master.server.replication;
  await client.ask("SET", "a", "1");
  const { offset } = history;
  await client.ask("SET", "b", "2");
  const back = await PlayedReplica.connect(master, "PSYNC", history.id, String(offset + 1));
  assertEquals(back.received, `+CONTINUE ${history.id}\r\n` + encoded("SET", "b", "2"));
  const ahead = await PlayedReplica.connect(master, "PSYNC", history.id, "100000");
  assertMatch(ahead.received, /^\+FULLRESYNC /);
  const stranger = await PlayedReplica.connect(master, "PSYNC", "f".repeat(40), "1");
  assertMatch(stranger.received, /^\+FULLRESYNC /);
  for (let count = 0; count < 40; count++) await client.ask("SET", "c", "x".repeat(1000));
  const late = await PlayedReplica.connect(master, "PSYNC", history.id, String(offset + 1));
  // The first replica never took its stream, so that it holds what the backlog alone wouldn't.
  assertMatch(late.received, /^\+CONTINUE /);
  for (const { session } of [...master.server.replication.replicas.all]) session.close();
  const tooLate = await PlayedReplica.connect(master, "PSYNC", history.id, String(offset + 1));
  assertMatch(tooLate.received, /^\+FULLRESYNC /);
  const text = plain((await client.ask("INFO", "stats"), await infoOf(client)));
  assertEquals(field(text, "sync_partial_ok"), "2");
  assertEquals(field(text, "sync_partial_err"), "3");
});

async function infoOf(client: MemoryConnection) {
  client.send(encodeRequest(["INFO", "everything"]));
  return await client.reply();
}

function field(text: unknown, name: string): string | undefined {
  return String(text).match(new RegExp(`^${name}:(.*?)\r$`, "m"))?.[1];
}

Deno.test("a replica has what its master has, and hears of changes, messages and transactions", async () => {
  await using pair = await startPair();
  const { master, replica } = pair;
  const [client, reader, subscriber] = [
    await master.connect(),
    await replica.connect(),
    await replica.connect(),
  ];
  await subscriber.ask("SUBSCRIBE", "news");
  await client.ask("SELECT", "3");
  await client.ask("SET", "key", "value");
  await client.ask("MULTI");
  await client.ask("SADD", "set", "only");
  await client.ask("PUBLISH", "news", "message");
  await client.ask("SPOP", "set");
  await client.ask("EXEC");
  await settle();
  await reader.ask("SELECT", "3");
  assertEquals(await reader.ask("GET", "key"), "value");
  assertEquals(await reader.ask("EXISTS", "set"), 0);
  assertEquals(plain(await subscriber.reply()), ["message", "news", "message"]);
  assertEquals(
    replica.server.replication.history.offset,
    master.server.replication.history.offset,
  );
  assertEquals(await reader.ask("DEBUG", "DIGEST"), await client.ask("DEBUG", "DIGEST"));
});

Deno.test("a link that was cut goes on where it was, also in the middle of a transaction", async () => {
  await using pair = await startPair();
  const { master, replica, cut } = pair;
  const [client, reader] = [await master.connect(), await replica.connect()];
  const { stream } = master.server.replication;
  for (let round = 0; round < 20; round++) {
    await client.ask("MULTI");
    await client.ask("INCR", "counter");
    await client.ask("INCR", "counter");
    await client.ask("EXEC");
    cut();
    if (round % 2 === 0) await settle();
  }
  await settle(60);
  await pass(1000, replica);
  assertEquals(await reader.ask("GET", "counter"), "40");
  assertEquals(replica.server.replication.history.offset, stream!.end);
  assertEquals(master.server.replication.replicas.fullSyncs, 1);
});

Deno.test("half of a transaction isn't counted when the link ends", async () => {
  await using replica = await start(2);
  const peer = await playMaster(replica);
  const snapshot = await snapshotOf("key", "old");
  await peer.synchronise(snapshot, "c".repeat(40), 100);
  const before = encoded("SELECT", "0") + encoded("INCR", "counter");
  peer.write(before + encoded("MULTI") + encoded("INCR", "counter"));
  await settle();
  assertEquals(replica.server.replication.history.offset, 100 + before.length);
  peer.connection.end();
  await settle();
  const again = peer.next();
  assertEquals(await again.command(), ["PING"]);
  again.write("+PONG\r\n");
  await again.configure();
  assertEquals(await again.command(), ["PSYNC", "c".repeat(40), String(101 + before.length)]);
  again.write(`+CONTINUE ${"c".repeat(40)}\r\n` + encoded("INCR", "counter"));
  await settle();
  const client = await replica.connect();
  assertEquals(await client.ask("GET", "counter"), "2");
});

/** A master that the test plays: one connection of the server's to it. */
class PlayedMaster {
  constructor(
    readonly connection: MemoryConnection,
    private readonly connections: MemoryConnection[],
  ) {}

  /** The next command that the replica sends. */
  async command(): Promise<unknown> {
    return plain(await this.connection.reply());
  }

  write(text: string | Uint8Array): void {
    const bytes = typeof text === "string" ? latin1Bytes(text) : text;
    this.connection.send(bytes);
  }

  /** Answers all that stands between PING and PSYNC. */
  async configure(): Promise<void> {
    assertEquals(await this.command(), ["REPLCONF", "listening-port", "6379"]);
    assertEquals(await this.command(), ["REPLCONF", "capa", "eof", "capa", "psync2"]);
    this.write("+OK\r\n+OK\r\n");
    await settle();
  }

  /** Sends a snapshot. */
  async synchronise(snapshot: Uint8Array, id: string, offset: number): Promise<void> {
    await this.begin(snapshot.length, snapshot, id, offset);
  }

  /** Sends the start of a snapshot that has `length` bytes. */
  async begin(length: number, start: Uint8Array, id: string, offset: number): Promise<void> {
    assertEquals(await this.command(), ["PING"]);
    this.write("+PONG\r\n");
    await this.configure();
    assertEquals((await this.command() as string[])[0], "PSYNC");
    this.write(`\n+FULLRESYNC ${id} ${offset}\r\n`);
    this.write(`\n\n$${length}\r\n`);
    this.write(start);
    await settle(60);
  }

  /** The connection that the replica has made since. */
  next(): PlayedMaster {
    const connection = this.connections.at(-1)!;
    assert(connection !== this.connection, "there is no new connection");
    return new PlayedMaster(connection, this.connections);
  }
}

/** Has a server follow a master that the test plays. */
async function playMaster(replica: MemoryServer): Promise<PlayedMaster> {
  const connections: MemoryConnection[] = [];
  replica.reach = () => {
    const connection = new MemoryConnection();
    connections.push(connection);
    return Promise.resolve(connection);
  };
  const client = await replica.connect();
  assertEquals(await client.ask("REPLICAOF", "there", "1"), "OK");
  await settle();
  return new PlayedMaster(connections[0], connections);
}

/** A snapshot of a server with one key. */
async function snapshotOf(key: string, value: string): Promise<Uint8Array> {
  await using machine = await start(9);
  const client = await machine.connect();
  await client.ask("SET", key, value);
  const replica = await PlayedReplica.connect(machine, "SYNC");
  const [head, ...body] = replica.received.split("\r\n");
  return latin1Bytes(body.join("\r\n").slice(0, -head.slice(5).length));
}

Deno.test("data stays when the master's snapshot is broken, and another try is made later", async () => {
  await using replica = await start(2);
  const client = await replica.connect();
  await client.ask("SET", "mine", "1");
  const peer = await playMaster(replica);
  const snapshot = await snapshotOf("key", "value");
  snapshot[snapshot.length - 12] ^= 0xff;
  await peer.synchronise(snapshot, "c".repeat(40), 100);
  assertEquals(await client.ask("GET", "mine"), "1");
  assert(
    replica.log.some((line) => line.includes("the snapshot is broken, the old data stays")),
    replica.log.join("\n"),
  );
  await pass(1100, replica);
  const again = peer.next();
  await again.synchronise(await snapshotOf("key", "value"), "c".repeat(40), 100);
  assertEquals(await client.ask("KEYS", "*"), ["key"]);
});

Deno.test("peers that aren't masters are left alone: the log says why, and tries become rare", async () => {
  const answers: readonly (readonly [string, RegExp])[] = [
    ["HTTP/1.1 400 Bad Request\r\n", /Error reply to PING from master: 'HTTP/],
    ["-ERR max number of clients reached\r\n", /Error reply to PING from master: '-ERR max/],
    ["\0".repeat(2000), /it sends what is no line of this protocol/],
  ];
  for (const [answer, line] of answers) {
    await using replica = await start(2);
    const peer = await playMaster(replica);
    await peer.command();
    peer.write(answer);
    await settle();
    assert(replica.log.some((logged) => line.test(logged)), replica.log.join("\n"));
    await pass(1100, replica);
    const second = peer.next();
    await second.command();
    second.write(answer);
    await settle();
    await pass(1100, replica);
    assertEquals(replica.server.replication.link?.state, "connect");
    await pass(1000, replica);
    assert(peer.next() !== second);
  }
});

Deno.test("a wrong password is told, and the data stays", async () => {
  await using replica = await start(2, { masterauth: "wrong" });
  const client = await replica.connect();
  await client.ask("SET", "mine", "1");
  const peer = await playMaster(replica);
  await peer.command();
  peer.write("-NOAUTH Authentication required.\r\n");
  assertEquals(await peer.command(), ["AUTH", "wrong"]);
  peer.write("-WRONGPASS invalid username-password pair or user is disabled.\r\n");
  await settle();
  assert(replica.log.some((line) => line.includes("Unable to AUTH to MASTER: -WRONGPASS")));
  assertEquals(await client.ask("GET", "mine"), "1");
});

Deno.test("a replica is written to by its master alone", async () => {
  await using pair = await startPair();
  const { master, replica } = pair;
  const client = await replica.connect();
  const refusal = "-READONLY You can't write against a read only replica.";
  assertEquals(await client.ask("SET", "key", "value"), refusal);
  await client.ask("MULTI");
  assertEquals(await client.ask("SET", "key", "value"), refusal);
  assertMatch(String(await client.ask("EXEC")), /^-EXECABORT/);
  assertMatch(String(await client.ask("WAIT", "1", "0")), /^-ERR WAIT cannot be used/);
  await client.ask("CONFIG", "SET", "replica-read-only", "no");
  assertEquals(await client.ask("SET", "key", "value"), "OK");
  await settle();
  assertEquals(await (await master.connect()).ask("EXISTS", "key"), 0);
});

Deno.test("keys expire on a replica when its master says so, and aren't seen meanwhile", async () => {
  await using pair = await startPair();
  const { master, replica } = pair;
  const [client, reader] = [await master.connect(), await replica.connect()];
  await client.ask("SET", "key", "value", "PX", "100");
  await settle();
  replica.clock.advance(200);
  assertEquals(await reader.ask("GET", "key"), null);
  assertEquals(await reader.ask("DBSIZE"), 1);
  master.clock.advance(200);
  assertEquals(await client.ask("GET", "key"), null);
  await settle();
  assertEquals(await reader.ask("DBSIZE"), 0);
});

Deno.test("WAIT ends when replicas have acknowledged, or at its time", async () => {
  await using pair = await startPair();
  const { master } = pair;
  const client = await master.connect();
  await client.ask("SET", "key", "value");
  assertEquals(await client.ask("WAIT", "1", "0"), 1);
  assertEquals(await client.ask("WAIT", "0", "0"), 1);
  client.send(encodeRequest(["WAIT", "2", "50"]));
  await settle();
  assertEquals(client.received(), undefined);
  master.clock.advance(51);
  master.server.clients.deadlines.run();
  await settle();
  assertEquals(plain(await client.reply()), 1);
});

Deno.test("a replica that is promoted keeps the other ones of its master", async () => {
  await using master = await start(1);
  await using first = await start(2);
  await using second = await start(3);
  const [cutFirst, cutSecond] = [reachable(first, master), reachable(second, master)];
  const [client, one, other] = [
    await master.connect(),
    await first.connect(),
    await second.connect(),
  ];
  for (const each of [one, other]) await each.ask("REPLICAOF", "master", "6379");
  await settle(60);
  await client.ask("SET", "key", "value");
  await settle();
  const { id } = master.server.replication.history;
  cutFirst();
  cutSecond();
  assertEquals(await one.ask("REPLICAOF", "NO", "ONE"), "OK");
  const { history } = first.server.replication;
  assertEquals(history.secondId, id);
  assert(history.id !== id);
  reachable(second, first);
  await other.ask("REPLICAOF", "first", "6379");
  await settle();
  await one.ask("SET", "key", "changed");
  await settle();
  assertEquals(await other.ask("GET", "key"), "changed");
  assertEquals(first.server.replication.replicas.fullSyncs, 0);
  assertEquals(first.server.replication.replicas.partialSyncs, 1);
  // The old master comes back with a change that nobody else has had: its history is another one.
  await client.ask("SET", "lost", "1");
  reachable(master, first);
  await client.ask("REPLICAOF", "first", "6379");
  await settle(60);
  assertEquals(await client.ask("KEYS", "*"), ["key"]);
  assertEquals(first.server.replication.replicas.fullSyncs, 1);
});

Deno.test("FAILOVER: master and replica change places without a full synchronisation", async () => {
  await using pair = await startPair();
  const { master, replica } = pair;
  const [client, other] = [await master.connect(), await replica.connect()];
  await client.ask("SET", "key", "value");
  reachable(master, replica);
  assertEquals(await client.ask("FAILOVER"), "OK");
  client.send(encodeRequest(["SET", "while", "paused"]));
  await pass(100, master);
  await pass(1100, master, replica);
  await settle(60);
  assertEquals((await other.ask("ROLE") as unknown[])[0], "master");
  assertEquals(
    plain(await client.reply()),
    "-READONLY You can't write against a read only replica.",
  );
  assertEquals(await other.ask("SET", "key", "new"), "OK");
  await settle();
  assertEquals(await client.ask("GET", "key"), "new");
  assertEquals(replica.server.replication.replicas.fullSyncs, 0);
});

Deno.test("min-replicas-to-write refuses changes while there are too few", async () => {
  await using pair = await startPair();
  const { master, replica, cut } = pair;
  const client = await master.connect();
  await client.ask("CONFIG", "SET", "min-replicas-to-write", "1");
  await pass(1000, master, replica);
  assertEquals(await client.ask("SET", "key", "value"), "OK");
  replica.reach = () => Promise.reject(new Error("Connection refused"));
  cut();
  await settle();
  assertEquals(
    await client.ask("SET", "key", "value"),
    "-NOREPLICAS Not enough good replicas to write.",
  );
  assertEquals(await client.ask("GET", "key"), "value");
});

Deno.test("with replica-serve-stale-data no, a replica without its master shows nothing", async () => {
  await using pair = await startPair({ "replica-serve-stale-data": "no" });
  const { replica, cut } = pair;
  const client = await replica.connect();
  assertEquals(await client.ask("GET", "key"), null);
  replica.reach = () => Promise.reject(new Error("Connection refused"));
  cut();
  await settle();
  assertMatch(String(await client.ask("GET", "key")), /^-MASTERDOWN /);
  assertMatch(String(await client.ask("INFO", "replication")), /master_link_status:down/);
});

Deno.test("servers that follow each other wait for one another, and keep their data", async () => {
  await using first = await start(1);
  await using second = await start(2);
  reachable(first, second);
  reachable(second, first);
  const [one, other] = [await first.connect(), await second.connect()];
  await one.ask("SET", "key", "one");
  await one.ask("REPLICAOF", "second", "1");
  await other.ask("REPLICAOF", "first", "1");
  await settle(60);
  for (let second_ = 0; second_ < 5; second_++) await pass(1000, first, second);
  const told = [...first.log, ...second.log].join("\n");
  assert(told.includes("-NOMASTERLINK Can't SYNC while not connected with my master"), told);
  assertEquals(await one.ask("GET", "key"), "one");
});

Deno.test("swapdb: old data of the same history is served until the new data is whole", async () => {
  await using replica = await start(2, { "repl-diskless-load": "swapdb" });
  const client = await replica.connect();
  const peer = await playMaster(replica);
  const id = "c".repeat(40);
  await peer.synchronise(await snapshotOf("key", "old"), id, 100);
  assertEquals(await client.ask("GET", "key"), "old");
  peer.connection.end();
  await settle();
  const again = peer.next();
  const snapshot = await snapshotOf("key", "new");
  const half = snapshot.subarray(0, snapshot.length - 20);
  await again.begin(snapshot.length, half, id, 200);
  const during = await infoOf(client);
  assertEquals(field(plain(during), "async_loading"), "1");
  assertEquals(field(plain(during), "loading"), "0");
  assertEquals(await client.ask("GET", "key"), "old");
  assertMatch(String(await client.ask("REPLICAOF", "NO", "ONE")), /^-LOADING/);
  again.write(snapshot.subarray(half.length));
  await settle();
  assertEquals(await client.ask("GET", "key"), "new");
  assertEquals(replica.server.replication.history.offset, 200);
  assertEquals(await client.ask("DEBUG", "CHECK"), "OK");
});

Deno.test("swapdb: data of another history waits for the new data, and comes back if that doesn't come", async () => {
  await using replica = await start(2, { "repl-diskless-load": "swapdb" });
  const client = await replica.connect();
  await client.ask("SET", "mine", "1");
  const peer = await playMaster(replica);
  const snapshot = await snapshotOf("key", "value");
  await peer.begin(snapshot.length, snapshot.subarray(0, snapshot.length - 1), "c".repeat(40), 5);
  assertEquals(field(plain(await infoOf(client)), "loading"), "1");
  assertMatch(String(await client.ask("GET", "mine")), /^-LOADING/);
  peer.connection.end();
  await settle();
  assertEquals(await client.ask("GET", "mine"), "1");
  assertEquals(await client.ask("KEYS", "*"), ["mine"]);
  assertEquals(await client.ask("DEBUG", "CHECK"), "OK");
  await pass(1100, replica);
  const again = peer.next();
  await again.synchronise(snapshot, "c".repeat(40), 100);
  assertEquals(await client.ask("KEYS", "*"), ["key"]);
});

Deno.test("on-empty-db: what comes is loaded as it comes, and nothing stays of what doesn't come to its end", async () => {
  await using replica = await start(2, { "repl-diskless-load": "on-empty-db" });
  const client = await replica.connect();
  const peer = await playMaster(replica);
  const snapshot = await snapshotOf("key", "value");
  const most = snapshot.subarray(0, snapshot.length - 1);
  await peer.begin(snapshot.length, most, "c".repeat(40), 5);
  assertMatch(String(await client.ask("GET", "key")), /^-LOADING/);
  peer.connection.end();
  await settle();
  assertEquals(await client.ask("DBSIZE"), 0);
  await pass(1100, replica);
  const again = peer.next();
  await again.synchronise(snapshot, "c".repeat(40), 100);
  assertEquals(await client.ask("KEYS", "*"), ["key"]);
});

Deno.test("who asks for libraries of functions alone is sent no keys", async () => {
  await using master = await start(1);
  const client = await master.connect();
  await client.ask("SET", "key", "value");
  const connection = await master.connect();
  assertEquals(await connection.ask("REPLCONF", "rdb-only", "1"), "OK");
  assertEquals(await connection.ask("REPLCONF", "rdb-filter-only", "functions"), "OK");
  assertEquals(
    await connection.ask("REPLCONF", "rdb-filter-only", "keys"),
    "-ERR Unsupported rdb-filter-only option: keys",
  );
  const pieces: Uint8Array[] = [];
  connection.raw = (bytes) => pieces.push(bytes);
  connection.send(encodeRequest(["SYNC"]));
  await settle();
  const text = latin1Text(joinBytes(pieces));
  const [head, ...body] = text.split("\r\n");
  assertEquals(Number(head.slice(1)), body.join("\r\n").length);
  assert(text.includes("REDIS0010") && !text.includes("value"), text);
});

Deno.test("who asks for no keys, and for more than a snapshot, is sent the stream behind it", async () => {
  for (const command of [["SYNC"], ["PSYNC", "?", "-1"]]) {
    await using master = await start(1);
    const client = await master.connect();
    await client.ask("SET", "key", "value");
    const connection = await master.connect();
    assertEquals(await connection.ask("REPLCONF", "capa", "eof"), "OK");
    assertEquals(await connection.ask("REPLCONF", "rdb-filter-only", ""), "OK");
    let text = "";
    connection.raw = (bytes) => text += latin1Text(bytes);
    connection.send(encodeRequest(command));
    await settle();
    assertMatch(String(await client.ask("INFO", "replication")), /slave0:.*state=online/);
    assertEquals(await client.ask("SET", "later", "x"), "OK");
    await settle();
    const head = text.indexOf("$");
    assertMatch(text.slice(0, head), command[0] === "SYNC" ? /^$/ : /^\+FULLRESYNC \w{40} 0\r\n$/);
    const bodyStart = text.indexOf("\r\n", head) + 2;
    const stream = text.slice(bodyStart + Number(text.slice(head + 1, bodyStart - 2)));
    assert(!text.includes("value"), text);
    const commands = [["SELECT", "0"], ["SET", "later", "x"]];
    assertEquals(stream, commands.map((words) => latin1Text(encodeRequest(words))).join(""));
  }
});

Deno.test("a replica that goes over to another master keeps its own replicas, if its data stays", async () => {
  await using master = await start(1);
  await using middle = await start(2);
  await using last = await start(3);
  reachable(middle, master);
  reachable(last, middle);
  const [client, between, end] = [
    await master.connect(),
    await middle.connect(),
    await last.connect(),
  ];
  await between.ask("REPLICAOF", "master", "6379");
  await settle(60);
  await end.ask("REPLICAOF", "middle", "6379");
  await settle(60);
  await between.ask("REPLICAOF", "the same", "6379");
  await settle(60);
  await client.ask("SET", "key", "value");
  await settle();
  assertEquals(await end.ask("GET", "key"), "value");
  const { fullSyncs, partialSyncs } = middle.server.replication.replicas;
  assertEquals([fullSyncs, partialSyncs], [1, 0]);
  assert(!last.log.some((line) => line.includes("Connection with master lost")));
  assertEquals(master.server.replication.replicas.partialSyncs, 1);
});

Deno.test("a replica that is ahead of its new master waits for it, instead of taking all", async () => {
  await using master = await start(1);
  await using middle = await start(2, { "repl-diskless-sync-delay": "5" });
  reachable(middle, master);
  const client = await master.connect();
  const between = await middle.connect();
  await between.ask("REPLICAOF", "master", "6379");
  await settle(60);
  await client.ask("SET", "key", "1");
  await settle();
  const { history } = middle.server.replication;
  // It has one more change of the same size.
  const before = history.offset;
  await client.ask("SET", "key", "2");
  await settle();
  const size = history.offset - before;
  const ahead = String(history.offset + size + 1);
  const replica = await PlayedReplica.connect(middle, "PSYNC", history.id, ahead);
  assertEquals(replica.received, "");
  await client.ask("SET", "key", "3");
  await pass(6000, middle);
  assertMatch(replica.received, /^\n*\+CONTINUE /);
  const { fullSyncs, partialSyncs } = middle.server.replication.replicas;
  assertEquals([fullSyncs, partialSyncs], [0, 1]);
});

Deno.test("FLUSHALL ends a snapshot on its way to replicas: it is of data that has gone", async () => {
  await using master = await start(1, { rdbcompression: "no" });
  const client = await master.connect();
  await client.ask("DEBUG", "POPULATE", "200", "key", "100000");
  const replica = await master.connect();
  await replica.ask("REPLCONF", "capa", "eof");
  replica.open = false;
  replica.send(encodeRequest(["PSYNC", "?", "-1"]));
  await settle();
  assert(master.server.persistence.saving);
  await client.ask("FLUSHALL");
  assert(!master.server.persistence.saving);
  assert(replica.closed, master.log.join("\n"));
  assert(master.log.some((line) => line.includes("Background transfer error: its data is gone")));
});

Deno.test("a replica that takes nothing of a snapshot is closed, one that waits for more of it isn't", async () => {
  await using master = await start(1, { rdbcompression: "no", "repl-timeout": "10" });
  const client = await master.connect();
  await client.ask("DEBUG", "POPULATE", "200", "key", "100000");
  const replicas = [await master.connect(), await master.connect()];
  for (const replica of replicas) await replica.ask("REPLCONF", "capa", "eof");
  const [slow, fast] = replicas;
  slow.open = false;
  await client.ask("CONFIG", "SET", "repl-diskless-sync-delay", "1");
  for (const replica of replicas) replica.send(encodeRequest(["PSYNC", "?", "-1"]));
  await settle();
  await pass(2000, master);
  await pass(9000, master);
  assert(!slow.closed && !fast.closed);
  await pass(2000, master);
  await settle(400);
  assert(slow.closed && !fast.closed);
  assert(master.log.some((line) => line.includes("Disconnecting timedout replica (full sync)")));
  assert(master.log.some((line) => line.includes("1 replicas still up")));
});
