import { assert, assertEquals } from "@std/assert";
import { FrozenPages } from "../../src/memory/frozen_pages.ts";
import { frozenData, FrozenSnapshot } from "../../src/persistence/frozen_snapshot.ts";
import type { Server } from "../../src/server/mod.ts";
import { MemoryFiles } from "../support/memory_files.ts";
import { type MemoryConnection, startMemoryServer } from "../support/memory_server.ts";
import { seededRandom } from "../support/random.ts";

const DATABASES = 3;
/** Collections are large early. */
const LARGE = {
  "hash-max-listpack-entries": "4",
  "zset-max-listpack-entries": "3",
  "list-max-listpack-size": "3",
};

/** Random commands that make, change and remove values of all types and forms. */
class Commands {
  private step = 0;

  constructor(private readonly random: () => number) {}

  /** A number from 0 up to `limit`, exclusive. */
  number(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  /** The next command. */
  next(): string[] {
    const number = this.step++;
    const [create, ...words] = KINDS[this.number(KINDS.length)];
    const key = `${create}:${this.number(12)}`;
    return words.map((word) => {
      if (word === "KEY") return key;
      if (word === "N") return String(number);
      if (word === "R") return String(this.number(500));
      if (word === "SHORT") return "s".repeat(this.number(120));
      if (word === "LONG") return `${number}`.repeat(this.number(30_000));
      return word;
    });
  }
}

const KINDS: readonly string[][] = [
  ["string", "SET", "KEY", "SHORT"],
  ["string", "SET", "KEY", "N", "PX", "1000000"],
  ["string", "SET", "KEY", "LONG"],
  ["string", "APPEND", "KEY", "SHORT"],
  ["string", "DEL", "KEY"],
  ["number", "INCRBY", "KEY", "N"],
  ["list", "RPUSH", "KEY", "SHORT", "SHORT", "N", "LONG"],
  ["list", "LPOP", "KEY"],
  ["list", "LINSERT", "KEY", "BEFORE", "N", "R"],
  ["set", "SADD", "KEY", "N", "R"],
  ["set", "SADD", "KEY", "SHORT", "R"],
  ["set", "SREM", "KEY", "R"],
  ["set", "UNLINK", "KEY"],
  ["hash", "HSET", "KEY", "R", "SHORT", "N", "SHORT"],
  ["hash", "HDEL", "KEY", "R"],
  ["zset", "ZADD", "KEY", "N", "R", "R", "N"],
  ["zset", "ZREM", "KEY", "R"],
  ["stream", "XADD", "KEY", "*", "R", "SHORT", "f", "N"],
  ["stream", "XTRIM", "KEY", "MAXLEN", "R"],
  ["stream", "XGROUP", "CREATE", "KEY", "g", "0", "MKSTREAM"],
  ["stream", "XREADGROUP", "GROUP", "g", "c", "COUNT", "3", "STREAMS", "KEY", ">"],
  ["any", "RENAME", "string:1", "string:2"],
  ["any", "COPY", "zset:1", "zset:2", "REPLACE"],
  ["any", "EXPIRE", "list:3", "100000"],
  ["any", "SWAPDB", "0", "1"],
];

async function run(
  connections: readonly MemoryConnection[],
  commands: Commands,
  count: number,
): Promise<void> {
  for (let left = count; left > 0; left--) {
    await connections[commands.number(connections.length)].ask(...commands.next());
  }
}

async function connectAll(
  connect: () => Promise<MemoryConnection>,
): Promise<MemoryConnection[]> {
  const connections: MemoryConnection[] = [];
  for (let database = 0; database < DATABASES; database++) {
    const connection = await connect();
    await connection.ask("SELECT", database);
    connections.push(connection);
  }
  return connections;
}

/** Loads a snapshot elsewhere; the digest of its data. */
async function digestOf(bytes: Uint8Array, aof: boolean): Promise<unknown> {
  const files = new MemoryFiles();
  const name = "appendonly.aof.1.base.aof";
  if (aof) {
    files.write(`/data/appendonlydir/${name}`, bytes);
    const manifest = new TextEncoder().encode(`file ${name} seq 1 type b\n`);
    files.write("/data/appendonlydir/appendonly.aof.manifest", manifest);
  } else files.write("/data/dump.rdb", bytes);
  const options: Record<string, string> = aof ? { appendonly: "yes" } : {};
  await using other = await startMemoryServer(2, options, { files });
  const connection = await other.connect();
  assertEquals(await connection.ask("DEBUG", "CHECK"), "OK");
  return await connection.ask("DEBUG", "DIGEST");
}

interface Snapshot {
  readonly pages: FrozenPages;
  readonly steps: Generator<void, void, void>;
  readonly pieces: Uint8Array[];
}

function freeze({ keyspace, persistence }: Server, asCommands: boolean): Snapshot {
  const pages = new FrozenPages(keyspace.arena);
  const pieces: Uint8Array[] = [];
  const order = {
    asCommands,
    form: persistence.snapshotForm(),
    facts: persistence.snapshotFacts(asCommands),
  };
  const snapshot = new FrozenSnapshot(
    frozenData(keyspace, pages.memory),
    order,
    (bytes) => pieces.push(bytes.slice()),
    { wroteKey: () => {}, step: () => {} },
    // So little that large collections are forgotten in the midst.
    64 * 1024,
  );
  return { pages, steps: snapshot.write(), pieces };
}

async function bytesOf(pieces: readonly Uint8Array[]): Promise<Uint8Array> {
  return new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

for (const asCommands of [false, true]) {
  const form = asCommands ? "commands" : "a snapshot";
  Deno.test(`frozen data as ${form}: it is as it was, whatever has happened since`, async () => {
    for (let seed = 1; seed <= 3; seed++) {
      await using machine = await startMemoryServer(seed, LARGE);
      const random = seededRandom(seed);
      for (let drawn = 0; drawn < 20; drawn++) random();
      const commands = new Commands(random);
      const connections = await connectAll(() => machine.connect());
      await run(connections, commands, 1500);
      for (let round = 0; round < 3; round++) {
        // Part of a flushed database may still be there, which belongs to nobody.
        if (round === 1) await connections[1].ask("FLUSHDB", "ASYNC");
        const digest = await connections[0].ask("DEBUG", "DIGEST");
        const { pages, steps, pieces } = freeze(machine.server, asCommands);
        for (let count = 0; steps.next().done !== true; count++) {
          await run(connections, commands, commands.number(60));
          if (seed % 3 === 0 && count === 5) await connections[0].ask("FLUSHALL");
          if (seed % 3 === 1 && count === 3) await connections[2].ask("FLUSHDB", "SYNC");
        }
        await run(connections, commands, 100);
        pages.end();
        assert(pages.copied > 0, "something changed meanwhile");
        assertEquals(await digestOf(await bytesOf(pieces), asCommands), digest, `seed ${seed}`);
        assertEquals(await connections[0].ask("DEBUG", "CHECK"), "OK");
      }
    }
  });
}

Deno.test("frozen data: without a copy of what changes it would be wrong", async () => {
  await using machine = await startMemoryServer(9, LARGE);
  const random = seededRandom(9);
  const commands = new Commands(random);
  const connections = await connectAll(() => machine.connect());
  await run(connections, commands, 1000);
  const digest = await connections[0].ask("DEBUG", "DIGEST");
  const { pages, steps, pieces } = freeze(machine.server, false);
  machine.server.keyspace.arena.watchPages(null);
  await run(connections, commands, 300);
  let wrong = false;
  try {
    for (const _ of steps);
    wrong = await digestOf(await bytesOf(pieces), false) !== digest;
  } catch {
    // What is read may make no sense at all.
    wrong = true;
  }
  pages.end();
  assert(wrong);
});
