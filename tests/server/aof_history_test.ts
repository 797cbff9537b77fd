/**
 * With the append-only file, a server that has ended in good order goes on in the history that its data has.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { readReplicationNote, replicationNote } from "../../src/persistence/aof_note.ts";
import { latin1Text } from "../../src/client/quoting.ts";
import { MemoryFiles } from "../support/memory_files.ts";
import { reachable } from "../support/memory_pipe.ts";
import type { MemoryServer } from "../support/memory_server.ts";
import { follow, pass, settle, startNode } from "../support/replicated.ts";

const AOF = { appendonly: "yes", save: "" };
const INCREMENT = "/data/appendonlydir/appendonly.aof.1.incr.aof";

/** A master with an append-only file in `files`, and a replica of it that has all it has. */
async function startBoth(
  files: MemoryFiles,
  replicaFiles: MemoryFiles,
): Promise<[MemoryServer, MemoryServer]> {
  const master = await startNode(1, AOF, { files });
  const replica = await startNode(2, AOF, { files: replicaFiles });
  await Promise.all([master.server.ready, replica.server.ready]);
  reachable(replica, master);
  await follow(replica);
  const client = await master.connect();
  await client.ask("SELECT", "3");
  await client.ask("SET", "key", "1");
  await settle();
  // When this one has ended, there is nobody until another one has started.
  replica.reach = () => Promise.reject(new Error("Connection refused"));
  return [master, replica];
}

/** The master's next life, which the replica finds. */
async function restart(files: MemoryFiles, replica: MemoryServer, seed = 3): Promise<MemoryServer> {
  const master = await startNode(seed, AOF, { files });
  await master.server.ready;
  reachable(replica, master);
  await pass(2000, master, replica);
  assertEquals(replica.server.replication.link?.state, "connected", replica.log.join("\n"));
  return master;
}

/** How many partial and full synchronisations a master has made. */
function syncs({ server: { replication: { replicas } } }: MemoryServer): [number, number] {
  return [replicas.partialSyncs, replicas.fullSyncs];
}

Deno.test("a master that was shut down goes on with its replicas", async () => {
  const files = new MemoryFiles();
  const [master, replica] = await startBoth(files, new MemoryFiles());
  await using _replica = replica;
  const { id, offset } = master.server.replication.history;
  assert(await master.server.shutdown());
  assertMatch(latin1Text(files.read(INCREMENT)), new RegExp(`#REPL:${id}:${offset}:3\r\n$`));
  await using next = await restart(files, replica);
  assertEquals(syncs(next), [1, 0]);
  const client = await next.connect();
  await client.ask("SET", "key", "2");
  await settle();
  const reader = await replica.connect();
  assertEquals(await reader.ask("GET", "key"), "2");
  assertEquals(replica.server.replication.history.offset, next.server.replication.history.offset);
});

Deno.test("a replica that was shut down goes on with its master", async () => {
  const replicaFiles = new MemoryFiles();
  const [master, replica] = await startBoth(new MemoryFiles(), replicaFiles);
  await using _master = master;
  // Its own append-only file begins anew with what it has been sent.
  for (let round = 0; replica.server.persistence.aof.state !== "on" && round < 100; round++) {
    await settle(1);
  }
  assertEquals(replica.server.persistence.aof.state, "on");
  assert(await replica.server.shutdown());
  const client = await master.connect();
  await client.ask("SELECT", "3");
  await client.ask("INCR", "key");
  const options = { ...AOF, replicaof: "master 6379" };
  await using next = await startNode(4, options, { files: replicaFiles });
  reachable(next, master);
  await next.server.ready;
  await pass(2000, next);
  assertEquals(syncs(master), [1, 1]);
  const reader = await next.connect();
  await reader.ask("SELECT", "3");
  assertEquals(await reader.ask("GET", "key"), "2");
});

Deno.test("after a crash, nothing is said of history", async () => {
  const files = new MemoryFiles();
  const [master, replica] = await startBoth(files, new MemoryFiles());
  await using _replica = replica;
  master.server.end(1);
  await using next = await restart(files, replica);
  assertEquals(syncs(next), [0, 1]);
});

Deno.test("a note that commands stand behind, or whose end is missing, isn't believed", async () => {
  for (const spoil of ["write", "cut"]) {
    const files = new MemoryFiles();
    const [master, replica] = await startBoth(files, new MemoryFiles());
    await using _replica = replica;
    assert(await master.server.shutdown());
    if (spoil === "cut") {
      const file = files.openToAppend(INCREMENT);
      file.truncate(file.size - 1);
      file.close();
    } else {
      await using between = await startNode(5, AOF, { files });
      await between.server.ready;
      const client = await between.connect();
      await client.ask("SET", "other", "1");
      between.server.end(1);
    }
    await using next = await restart(files, replica, 6);
    assertEquals(syncs(next), [0, 1], spoil);
    const reader = await replica.connect();
    assertEquals(await reader.ask("GET", "other"), spoil === "write" ? "1" : null);
  }
});

Deno.test("a shutdown that can't be done leaves a note that the next change makes void", async () => {
  const files = new MemoryFiles();
  const [master, replica] = await startBoth(files, new MemoryFiles());
  await using _replica = replica;
  const client = await master.connect();
  master.server.settings.replace("dbfilename", "missing/dump.rdb");
  master.server.applySettings();
  assertEquals(await master.server.shutdown({ save: true }), false);
  assertMatch(latin1Text(files.read(INCREMENT)), /#REPL:[^\n]*\n$/);
  await client.ask("SET", "key", "2");
  master.server.end(1);
  await using next = await restart(files, replica);
  assertEquals(syncs(next), [0, 1]);
});

Deno.test("notes are read as they are written, and others aren't", () => {
  const facts = { id: "0123456789abcdef".repeat(2) + "01234567", offset: 123, database: 4 };
  assertEquals(readReplicationNote(replicationNote(facts)), facts);
  for (const line of ["#REPL:x:1:0\r\n", `#REPL:${facts.id}:1:0\n`, `#REPL:${facts.id}:-1:0\r\n`]) {
    assertEquals(readReplicationNote(line), null);
  }
  assertEquals(readReplicationNote(`#REPL:${facts.id}:9999999999999999:0\r\n`), null);
});
