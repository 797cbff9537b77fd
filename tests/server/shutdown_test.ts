/**
 * The end of a server, with and without replicas that lag.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import { PAUSE_ALL, PAUSE_NONE, PAUSE_WRITES } from "../../src/server/pause.ts";
import { type MemoryConnection, type MemoryServer, plain } from "../support/memory_server.ts";
import { settle, startNode } from "../support/replicated.ts";

const FAILED = "-ERR Errors trying to SHUTDOWN. Check logs.";
const WAITING = /shutdown_in_milliseconds:(\d+)/;

/** A replica that acknowledges what the test says. */
async function playReplica(machine: MemoryServer): Promise<MemoryConnection> {
  const replica = await machine.connect();
  await replica.ask("REPLCONF", "listening-port", "1234", "capa", "eof", "capa", "psync2");
  replica.raw = () => {};
  replica.send(encodeRequest(["PSYNC", "?", "-1"]));
  await settle();
  return replica;
}

/** Has a replica acknowledge so many bytes of the stream, or all that there are. */
async function acknowledge(
  machine: MemoryServer,
  replica: MemoryConnection,
  offset = machine.server.replication.history.offset,
): Promise<void> {
  replica.send(encodeRequest(["REPLCONF", "ACK", offset]));
  await settle();
}

/** The lines of the log that match. */
function logged({ log }: MemoryServer, pattern: RegExp): string[] {
  return log.filter((line) => pattern.test(line)).map((line) => line.replace(/^.*? [#*] /, ""));
}

Deno.test("SHUTDOWN waits for replicas that lag; nobody writes meanwhile, and SHUTDOWN ABORT takes it back", async () => {
  await using master = await startNode(1, { save: "" });
  const replica = await playReplica(master);
  const [first, second, other, writer] = [
    await master.connect(),
    await master.connect(),
    await master.connect(),
    await master.connect(),
  ];
  assertEquals(await other.ask("SET", "key", "1"), "OK");
  first.send(encodeRequest(["SHUTDOWN"]));
  await settle();
  // As with Redis, another one takes part in it, whatever it says.
  second.send(encodeRequest(["SHUTDOWN", "NOW"]));
  writer.send(encodeRequest(["INCR", "key"]));
  await settle();
  assertEquals(WAITING.exec(String(await other.ask("INFO", "server")))?.[1], "10000");
  assertEquals(await other.ask("GET", "key"), "1");
  assertMatch(String(await other.ask("INFO", "clients")), /blocked_clients:3/);
  const ids = String(await other.ask("CLIENT", "LIST")).split("\n")
    .filter((line) => line.includes("cmd=shutdown")).map((line) => /id=(\d+)/.exec(line)![1]);
  assertEquals(ids.length, 2);
  assertEquals(await other.ask("CLIENT", "UNBLOCK", ids[0]), 0);
  assertEquals(await other.ask("CLIENT", "UNPAUSE"), "OK");
  assertEquals(writer.received(), undefined);
  assertEquals(await other.ask("SHUTDOWN", "ABORT"), "OK");
  assertEquals(plain(await first.reply()), FAILED);
  assertEquals(plain(await second.reply()), FAILED);
  assertEquals(plain(await writer.reply()), 2);
  assertEquals(WAITING.test(String(await other.ask("INFO", "server"))), false);
  assertEquals(await other.ask("SHUTDOWN", "ABORT"), "-ERR No shutdown in progress.");

  first.send(encodeRequest(["SHUTDOWN"]));
  await settle();
  await acknowledge(master, replica, master.server.replication.history.offset - 1);
  master.server.shutdownRequest.run();
  assertEquals(master.server.isStopping, false);
  await acknowledge(master, replica);
  master.server.shutdownRequest.run();
  assertEquals(await master.server.finished, 0);
  assertEquals(logged(master, /shutdown|shutting|Lagging/i), [
    "User requested shutdown...",
    "Waiting for replicas before shutting down.",
    "Shutdown manually aborted.",
    "User requested shutdown...",
    "Waiting for replicas before shutting down.",
    "1 of 1 replicas are in sync when shutting down.",
  ]);
});

Deno.test("a signal's shutdown waits for shutdown-timeout seconds, and tells the log who lags", async () => {
  await using master = await startNode(1, { save: "", "shutdown-timeout": "2" });
  const replica = await playReplica(master);
  await acknowledge(master, replica, 0);
  const client = await master.connect();
  await client.ask("SET", "key", "1");
  const behind = (): number => master.server.replication.history.offset;
  let stays = 0;
  master.server.shutdownRequest.ask({}, () => stays++);
  await settle();
  const lag = behind();
  master.clock.advance(1999);
  master.server.shutdownRequest.run();
  assertEquals(master.server.isStopping, false);
  master.clock.advance(1);
  master.server.shutdownRequest.run();
  assertEquals(await master.server.finished, 0);
  assertEquals(stays, 0);
  assertEquals(logged(master, /Lagging|in sync/), [
    `Lagging replica 127.0.0.1:1234 reported offset ${lag} behind master, lag=2, state=online.`,
    "0 of 1 replicas are in sync when shutting down.",
  ]);
});

Deno.test("SHUTDOWN NOW, and a timeout of 0, don't wait", async () => {
  for (const [timeout, words] of [["10", ["SHUTDOWN", "NOW"]], ["0", ["SHUTDOWN"]]] as const) {
    await using master = await startNode(1, { save: "", "shutdown-timeout": timeout });
    await playReplica(master);
    const client = await master.connect();
    await client.ask("SET", "key", "1");
    client.send(encodeRequest([...words]));
    assertEquals(await master.server.finished, 0);
    assertEquals(logged(master, /Waiting for replicas/), []);
    assertEquals(logged(master, /in sync/).length, 1);
  }
});

Deno.test("pauses for different reasons don't end each other", async () => {
  await using machine = await startNode(1);
  const { pause } = machine.server.clients;
  const client = await machine.connect();
  pause.hold("failover", PAUSE_WRITES);
  pause.hold("migrate", PAUSE_ALL);
  assertEquals(pause.kind, PAUSE_ALL);
  pause.letGo("migrate");
  assertEquals(pause.kind, PAUSE_WRITES);
  assertEquals(await client.ask("CLIENT", "PAUSE", "1000", "WRITE"), "OK");
  assertEquals(await client.ask("CLIENT", "UNPAUSE"), "OK");
  assertEquals(pause.kind, PAUSE_WRITES);
  pause.letGo("shutdown");
  pause.letGo("failover");
  assertEquals(pause.kind, PAUSE_NONE);
});
