import { assertEquals } from "@std/assert";
import type { Context } from "../../src/commands/context.ts";
import { parseTimeout } from "../../src/commands/timeouts.ts";
import { removeEntry } from "../../src/keyspace/keyspace.ts";
import { TYPE_STRING } from "../../src/keyspace/types.ts";
import { encodeRequest, type RequestArgument } from "../../src/protocol/request_writer.ts";
import {
  type MemoryConnection,
  type MemoryServer,
  plain,
  startMemoryServer,
} from "../support/memory_server.ts";

/** Lets everything that is ready happen. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise((resolve) => setTimeout(resolve));
}

async function replyOf(connection: MemoryConnection): Promise<unknown> {
  return plain(await connection.reply());
}

/** `name key other timeout`: takes the string at one of two keys, and waits for one if need be. */
function take(context: Context): void {
  const timeoutMs = parseTimeout(context, 3);
  if (timeoutMs === undefined) return;
  const attempt = (context: Context, index: number): boolean => {
    const entry = context.find(index);
    if (entry === 0) return false;
    removeEntry(context.database, context.keyspace.hash, entry);
    context.effect(() => ["DEL", context.argument(index)]);
    context.changed(index, "del");
    context.reply.bulkBytes(context.argument(index));
    return true;
  };
  if (attempt(context, 1) || attempt(context, 2)) return;
  if (!context.mayBlock) return context.reply.nullArray();
  context.waitForKeys({
    firstKey: 1,
    keyCount: 2,
    timeoutMs,
    types: 1 << TYPE_STRING,
    attempt,
    timeOut: (reply) => reply.nullArray(),
  });
}

/** A server whose SUBSTR is {@linkcode take}. */
async function startTaking(seed: number): Promise<MemoryServer> {
  const machine = await startMemoryServer(seed);
  Object.assign(machine.server.table.byName.get("substr")!, { handler: take });
  return machine;
}

async function send(connection: MemoryConnection, ...words: RequestArgument[]): Promise<void> {
  connection.send(encodeRequest(words));
  await settle();
}

Deno.test("blocked keys: whoever came first is served first, once a key has a value", async () => {
  await using machine = await startTaking(1);
  const { blocking, blockedKeys } = machine.server.clients;
  const [first, second, writer] = [
    await machine.connect(),
    await machine.connect(),
    await machine.connect(),
  ];
  await send(first, "SUBSTR", "a", "b", "0");
  await send(second, "SUBSTR", "b", "b", "0");
  assertEquals([blocking.count, machine.server.keyspace.observed.count], [2, 2]);
  assertEquals(await writer.ask("SET", "c", "1"), "OK");
  assertEquals(await writer.ask("SET", "b", "1"), "OK");
  assertEquals(await replyOf(first), "b");
  assertEquals(await writer.ask("EXISTS", "b"), 0);
  assertEquals(await writer.ask("RENAME", "c", "b"), "OK");
  assertEquals(await replyOf(second), "b");
  assertEquals([blocking.count, machine.server.keyspace.observed.count], [0, 0]);
  assertEquals([blockedKeys.ready.length, machine.server.keyspace.heard], [0, 0]);
});
