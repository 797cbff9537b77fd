import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { reachable } from "../support/memory_pipe.ts";
import { pass, settle, startNode, startPair } from "../support/replicated.ts";

Deno.test("a replica that couldn't load its master's snapshot doesn't go on with what is left", async () => {
  await using pair = await startPair();
  const { master, replica } = pair;
  const client = await master.connect();
  await client.ask("SET", "key", "value");
  await settle();
  const { persistence, replication } = replica.server;
  const { id } = replication.history;
  // Another master's data takes more memory than there is.
  await using other = await startNode(3);
  reachable(replica, other);
  const { load } = persistence;
  persistence.load = () => Promise.reject(new Error("Out of memory"));
  const reader = await replica.connect();
  await reader.ask("REPLICAOF", "other", "6379");
  await settle();
  assertStringIncludes(replica.log.join("\n"), "Out of memory");
  assertNotEquals(replication.history.id, id);
  assertEquals(replication.history.offset, 0);
  persistence.load = load;
  // Its first master would have sent it what it lacks, had it asked for that.
  reachable(replica, master);
  await reader.ask("REPLICAOF", "master", "6379");
  await settle();
  await pass(1000, replica);
  assertEquals(await reader.ask("GET", "key"), "value");
  assertEquals(master.server.replication.replicas.partialSyncs, 0);
});
