import { assert, assertEquals } from "@std/assert";
import { EXPIRY_NONE } from "../../src/keyspace/strings.ts";
import { Reclaimer } from "../../src/server/reclaiming.ts";
import { Pair } from "../support/keyspace_model.ts";
import { HandClock, startMemoryServer } from "../support/memory_server.ts";

/** Lets the slices run that are due. */
async function others(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("reclaiming: waste is worked off in slices, and counted", async () => {
  const pair = new Pair(31);
  for (let index = 0; index < 40_000; index++) {
    pair.set(0, `k${index}`, "v".repeat(150), EXPIRY_NONE, null);
  }
  for (let index = 0; index < 40_000; index++) if (index % 12 > 0) pair.remove(0, `k${index}`);
  const clock = new HandClock();
  const reclaimer = new Reclaimer(pair.keyspace, clock);
  reclaimer.tick(0);
  assert(reclaimer.running > 0);
  assertEquals(reclaimer.totalMs, 0);
  for (let tick = 0; reclaimer.running > 0; tick++) {
    assert(tick < 1000, "it comes to an end");
    clock.advance(100);
    reclaimer.tick(0);
    await others();
  }
  pair.check();
  assert(reclaimer.totalMs >= 100);
  assertEquals(reclaimer.currentMs, 0);
  assert(reclaimer.defragmentation.counters.keyHits > 3000);
  assert(reclaimer.defragmentation.wastedBytes < 2.1 * 2 ** 20);
  reclaimer.resetStatistics();
  assertEquals([reclaimer.totalMs, reclaimer.defragmentation.counters.hits], [0, 0]);
  reclaimer.stop();
});

Deno.test("reclaiming: a purge does all of it at once", () => {
  const pair = new Pair(32);
  for (let index = 0; index < 40_000; index++) {
    pair.set(0, `k${index}`, "v".repeat(150), EXPIRY_NONE, null);
  }
  for (let index = 0; index < 40_000; index++) if (index % 12 > 0) pair.remove(0, `k${index}`);
  const reclaimer = new Reclaimer(pair.keyspace, new HandClock());
  reclaimer.purge();
  assert(reclaimer.defragmentation.wastedBytes < 2.1 * 2 ** 20);
  pair.check();
});

Deno.test("reclaiming: what FLUSHDB ASYNC leaves is freed in the background", async () => {
  await using memory = await startMemoryServer(33);
  const client = await memory.connect();
  for (let index = 0; index < 300; index++) await client.ask("SET", `k${index}`, "v");
  await client.ask("SELECT", "1");
  for (let index = 0; index < 300; index++) await client.ask("SET", `k${index}`, "v");
  assertEquals(await client.ask("FLUSHDB", "ASYNC"), "OK");
  assertEquals(await client.ask("DBSIZE"), 0);
  const { keyspace, reclaimer } = memory.server;
  assertEquals(keyspace.detached.length, 1);
  reclaimer.tick(0);
  await others();
  assertEquals(keyspace.detached.length, 0);
  assertEquals(keyspace.lazilyFreed, 300);
  assertEquals(await client.ask("DEBUG", "CHECK"), "OK");
});

Deno.test("reclaiming: lazyfree-lazy-user-flush says what FLUSHDB alone means", async () => {
  await using memory = await startMemoryServer(34);
  const client = await memory.connect();
  for (const [setting, pending] of [["no", 0], ["yes", 1]] as const) {
    await client.ask("CONFIG", "SET", "lazyfree-lazy-user-flush", setting);
    await client.ask("SELECT", "0");
    await client.ask("SET", "stays", "v");
    await client.ask("SELECT", "1");
    await client.ask("SET", "goes", "v");
    await client.ask("FLUSHDB");
    assertEquals(memory.server.keyspace.detached.length, pending, setting);
  }
});

Deno.test("reclaiming: a big argument that is on its way outlives FLUSHALL", async () => {
  await using memory = await startMemoryServer(35);
  const sender = await memory.connect();
  const other = await memory.connect();
  const bytes = 200_000;
  await other.ask("SET", "other", "v");
  sender.send(new TextEncoder().encode(`*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$${bytes}\r\n`));
  sender.send(new Uint8Array(bytes / 2).fill(97));
  while (!sender.awaited) await others();
  assertEquals(await other.ask("FLUSHALL"), "OK");
  assertEquals(await other.ask("DBSIZE"), 0);
  sender.send(new Uint8Array(bytes / 2).fill(98), new TextEncoder().encode("\r\n"));
  assertEquals((await sender.reply()).kind, "simple");
  const value = await other.ask("GET", "big") as string;
  assert(value === "a".repeat(bytes / 2) + "b".repeat(bytes / 2));
  assertEquals(await other.ask("DEBUG", "CHECK"), "OK");
});

Deno.test("reclaiming: nothing is moved while data goes fast", () => {
  const pair = new Pair(34);
  for (let index = 0; index < 40_000; index++) {
    pair.set(0, `k${index}`, "v".repeat(150), EXPIRY_NONE, null);
  }
  const clock = new HandClock();
  const reclaimer = new Reclaimer(pair.keyspace, clock);
  reclaimer.tick(0);
  for (let index = 0; index < 40_000; index++) {
    if (index % 12 > 0) pair.remove(0, `k${index}`);
    if (index % 1000 !== 999) continue;
    clock.advance(100);
    reclaimer.tick(0);
    assertEquals(reclaimer.running, 0);
  }
  clock.advance(100);
  reclaimer.tick(0);
  assert(reclaimer.running > 0);
  reclaimer.stop();
});
