import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { startQuietServer } from "../integration/support.ts";
import { fill } from "./loader.ts";
import { MixedLoad } from "./mixed_load.ts";
import { WireConnection } from "./wire.ts";

const WORKLOAD = {
  test: "mix",
  clients: 5,
  pipeline: 16,
  keepAlive: true,
  valueBytes: 10,
  keyspace: 100,
};
const REQUESTS = 8000;

async function calls(port: number, command: string): Promise<number> {
  const connection = await WireConnection.open(port);
  const info = await connection.command("INFO", "commandstats");
  connection.close();
  return Number(info?.match(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, "m"))?.[1] ?? 0);
}

Deno.test("of the commands of a mixed load about a tenth are writes", async () => {
  await using server = await startQuietServer();
  await fill(server.port, 0, WORKLOAD.keyspace, { connections: 1, pipeline: 10 }, 10);
  const load = new MixedLoad(new AbortController().signal);
  const figures = await load.run(server.port, WORKLOAD, REQUESTS);
  assertEquals(figures.requestsPerSecond > 0, true);
  assertEquals(figures.p50Ms <= figures.p99Ms, true);
  const [reads, writes] = [await calls(server.port, "get"), await calls(server.port, "set")];
  assertEquals(reads + writes - WORKLOAD.keyspace, REQUESTS);
  assertAlmostEquals((writes - WORKLOAD.keyspace) / REQUESTS, 0.1, 0.05);
});

Deno.test("a mixed load that finds a key missing fails", async () => {
  await using server = await startQuietServer();
  const load = new MixedLoad(new AbortController().signal);
  await assertRejects(() => load.run(server.port, WORKLOAD, REQUESTS), Error, "a reply is $-1");
});
