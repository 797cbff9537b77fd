/**
 * Replication: what it costs a master to be followed, how far behind a replica is, and what it
 * takes to attach one. Each contender is a master with replicas of its own kind, all on this
 * machine, so on few cores they compete with each other and with the load, on both sides alike.
 *
 * @module
 */

import type { Bench, Suite } from "../bench_context.ts";
import { type ReplicaSet, withReplicaSets } from "../replica_set.ts";
import { measureFullSync } from "../replication/full_sync.ts";
import { measureLag } from "../replication/lag.ts";
import { measureThroughput } from "../replication/throughput.ts";

const REPLICAS = 2;

/** What is measured on sets that are up; `--only` chooses by these names. */
const ON_SETS: readonly {
  readonly name: string;
  readonly measure: (bench: Bench, sets: readonly ReplicaSet[]) => Promise<string>;
}[] = [
  { name: "throughput", measure: measureThroughput },
  { name: "lag", measure: measureLag },
];

async function measureSets(bench: Bench): Promise<string[]> {
  const chosen = bench.chosen(ON_SETS, ({ name }) => name);
  if (chosen.length === 0) return [];
  return await withReplicaSets(bench, REPLICAS, async (sets) => {
    const tables: string[] = [];
    for (const { measure } of chosen) tables.push(await measure(bench, sets));
    return tables;
  });
}

/** A master with two replicas, the lag of one, and a replica that attaches. */
export const replication: Suite = {
  name: "replication",
  summary: "SET -P 16 with two replicas, p99 of the lag at -P 1, and a full sync of 2 M keys",
  run: async (bench) => {
    bench.requireBenchmark();
    return [...await measureSets(bench), ...await measureFullSync(bench)].join("\n\n");
  },
};
