import { assert, assertEquals } from "@std/assert";
import { ALL_SPECS, type CommandSpec } from "../../src/commands/specs/mod.ts";
import { checkKeyspace } from "../../src/keyspace/checking.ts";
import { moversOf } from "../../src/keyspace/defragmentation.ts";
import { freeDetached } from "../../src/keyspace/flushing.ts";
import { ArenaFullError } from "../../src/memory/arena.ts";
import { StepSource } from "../conformance/recipes/mod.ts";
import { nameOf } from "../conformance/step.ts";
import {
  type MemoryConnection,
  type MemoryServer,
  startMemoryServer,
} from "../support/memory_server.ts";
import { latin1Bytes } from "../support/rdb_bodies.ts";
import { seededRandom, testSeed } from "../support/random.ts";

const STEPS = 6_000;
const LONGEST = String(2 ** 21);
const LONGEST_WORD = 40_000;
/** They end the connection, leave it without replies, or need another one. */
const LEFT_OUT = /^(quit|reset|hello|client|shutdown|wait|.*subscribe|monitor|debug)$/;
/** What gives all memory back finds room for empty tables afterwards. */
const ROOMY = /^(flush.*|exec)$/;
const POLICIES = ["allkeys-lru", "allkeys-random", "volatile-ttl", "allkeys-lfu", "noeviction"];

function isBlocking(name: string): boolean {
  const spec = (ALL_SPECS as Record<string, CommandSpec>)[name];
  return spec?.flags.some((flag) => flag === "blocking") === true;
}

/** Moves some of the blocks, as the defragmentation does between turns. */
function moveBlocks({ server: { keyspace } }: MemoryServer, random: () => number): void {
  const { arena } = keyspace;
  const movers = moversOf(keyspace, () => {});
  const blocks: number[] = [];
  const share = random() * 0.2;
  arena.walk((address) => {
    if (random() < share) blocks.push(address);
  });
  // One block moved may be the reason that another isn't there any more only if it is itself.
  for (const block of blocks) movers[arena.kindOf(block)]?.(block);
}

/** Has the next command find no more room after some blocks. */
function shortOfRoom({ server: { keyspace: { arena } } }: MemoryServer): (blocks: number) => void {
  const allocate = arena.allocate.bind(arena);
  let room = Infinity;
  arena.allocate = (units, kind) => {
    if (--room < 0) throw new ArenaFullError(units);
    return allocate(units, kind);
  };
  return (blocks) => room = blocks;
}

async function trouble(
  machine: MemoryServer,
  client: MemoryConnection,
  random: () => number,
): Promise<void> {
  const kind = random();
  if (kind < 0.3) machine.clock.advance(Math.floor(random() * 1e9));
  else if (kind < 0.5) {
    const policy = POLICIES[Math.floor(random() * POLICIES.length)];
    assertEquals(await client.ask("CONFIG", "SET", "maxmemory-policy", policy), "OK");
    const used = machine.server.usedMemory;
    const limit = random() < 0.5 ? "0" : String(Math.floor(used * (0.6 + random() * 0.6)));
    assertEquals(await client.ask("CONFIG", "SET", "maxmemory", limit), "OK");
  } else if (kind < 0.9) moveBlocks(machine, random);
  else if (kind < 0.95) machine.server.keyspace.freeDying(1 + Math.floor(random() * 20));
  else freeDetached(machine.server.keyspace, 1 + Math.floor(random() * 3));
}

Deno.test("all types at random, while blocks move, keys expire and are evicted, and room is short", async () => {
  const seed = testSeed("all types");
  const random = seededRandom(seed);
  await using machine = await startMemoryServer(seed, { "proto-max-bulk-len": LONGEST });
  const { keyspace } = machine.server;
  const client = await machine.connect();
  const other = await machine.connect();
  const source = new StepSource(random);
  const leaveRoom = shortOfRoom(machine);
  for (let count = 0; count < STEPS; count++) {
    const { words } = source.next();
    const name = nameOf({ words });
    if (LEFT_OUT.test(name) || isBlocking(name)) continue;
    // Errors that quote what is longer are longer than a reply's line may be.
    if (words.some(({ length }) => length > LONGEST_WORD)) continue;
    if (random() < 0.03 && !ROOMY.test(name)) leaveRoom(Math.floor(random() * 12));
    await client.ask(...words.map(latin1Bytes));
    leaveRoom(Infinity);
    if (random() < 0.05) await trouble(machine, other, random);
    if (random() < 0.05) checkKeyspace(keyspace);
  }
  checkKeyspace(keyspace);
  await other.ask("CONFIG", "SET", "maxmemory", "0");
  // Key by key, so that each has to give back all that it has.
  for (const database of keyspace.databases) {
    await other.ask("SELECT", String(database.number));
    for (const key of await other.ask("KEYS", "*") as string[]) await other.ask("DEL", key);
  }
  await other.ask("FLUSHALL");
  while (freeDetached(keyspace, 100));
  while (keyspace.freeDying(100));
  checkKeyspace(keyspace);
  assertEquals(keyspace.roots.count, 0);
  assert(keyspace.arena.usedBytes < 16 * 1024, `${keyspace.arena.usedBytes} bytes are left`);
});
