/**
 * What the stream says, command by command.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { latin1Text } from "../../src/client/quoting.ts";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import {
  type MemoryConnection,
  type MemoryServer,
  startMemoryServer,
} from "../support/memory_server.ts";
import { settle, startPair } from "../support/replicated.ts";

/** Each turn's commands, a line each. */
function listen({ server: { journal } }: MemoryServer): string[][] {
  const turns: string[][] = [];
  journal.listen((bytes) => {
    const words = latin1Text(bytes).split(/\r\n(?:\$\d+\r\n)?/).slice(0, -1);
    turns.push(words.join(" ").split(/ ?\*\d+ /).slice(1));
  }, "all");
  return turns;
}

/** Runs commands, each a line of words. */
async function run(connection: MemoryConnection, ...commands: string[]): Promise<unknown> {
  let reply: unknown;
  for (const command of commands) reply = await connection.ask(...command.split(" "));
  return reply;
}

/** Keys whose time has come, and that are there still. */
async function expiredKeys(
  machine: MemoryServer,
  connection: MemoryConnection,
  ...keys: string[]
): Promise<void> {
  await run(connection, "DEBUG SET-ACTIVE-EXPIRE 0");
  for (const key of keys) await run(connection, `SET ${key} value PX 10`);
  machine.clock.advance(20);
}

Deno.test("SCAN and RANDOMKEY tell of each expired key by itself, other commands of all as a whole", async () => {
  await using machine = await startMemoryServer(1);
  const connection = await machine.connect();
  for (const command of ["SCAN 0", "RANDOMKEY", "MGET a b"]) {
    await expiredKeys(machine, connection, "a", "b");
    const turns = listen(machine);
    await run(connection, command);
    const commands = turns.flat().slice(1);
    const whole = commands[0] === "MULTI";
    assertEquals(whole, command === "MGET a b", command);
    assertEquals(commands.filter((line) => line.startsWith("DEL ")).sort(), ["DEL a", "DEL b"]);
  }
});

Deno.test("a key that SWAPDB brings to somebody who waits, too late, goes behind SWAPDB", async () => {
  await using machine = await startMemoryServer(1);
  const [waiting, connection] = [await machine.connect(), await machine.connect()];
  waiting.send(encodeRequest(["BLPOP", "key", "0"]));
  await run(connection, "DEBUG SET-ACTIVE-EXPIRE 0", "SELECT 1", "RPUSH key 1", "PEXPIRE key 10");
  machine.clock.advance(20);
  const turns = listen(machine);
  await run(connection, "SWAPDB 0 1");
  assertEquals(turns.flat(), ["SELECT 1", "SWAPDB 0 1", "SELECT 0", "DEL key"]);
});

Deno.test("a transaction stays whole, whatever it asks in its midst", async () => {
  await using machine = await startMemoryServer(1, { save: "3600 1" });
  const connection = await machine.connect();
  for (const command of ["INFO replication", "ROLE", "FLUSHALL", "FAILOVER ABORT"]) {
    const turns = listen(machine);
    await run(connection, "MULTI", "SET a 1", command, "SET b 2", "EXEC");
    const middle = command === "FLUSHALL" ? ["FLUSHALL"] : [];
    assertEquals(turns, [["SELECT 0", "MULTI", "SET a 1", ...middle, "SET b 2", "EXEC"]], command);
  }
});

Deno.test("replicas hear what is published, to shards as well", async () => {
  await using machine = await startMemoryServer(1);
  const connection = await machine.connect();
  const turns = listen(machine);
  await run(connection, "PUBLISH channel 1", "SPUBLISH channel 2");
  assertEquals(turns.flat(), ["SELECT 0", "PUBLISH channel 1", "SPUBLISH channel 2"]);
});

Deno.test("CLIENT PAUSE on a replica has its master's changes wait", async () => {
  await using pair = await startPair();
  const { master, replica } = pair;
  const [writer, reader] = [await master.connect(), await replica.connect()];
  const before = replica.server.replication.history.offset;
  await run(reader, "CLIENT PAUSE 1000 WRITE");
  await run(writer, "SET key 1", "MULTI", "SET key 2", "SET other 2", "EXEC");
  await settle();
  const { history, link } = replica.server.replication;
  assertEquals(await run(reader, "GET key"), null);
  assertEquals(history.offset - before, "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n".length);
  assertEquals(link!.readOffset, master.server.replication.history.offset);
  await run(reader, "CLIENT UNPAUSE");
  await settle();
  assertEquals(await run(reader, "GET key"), "2");
  assertEquals(history.offset, master.server.replication.history.offset);
});
