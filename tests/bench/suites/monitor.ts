/**
 * The monitor as a proxy: what its clients get through it, and what each command costs there.
 *
 * Load, proxy and servers share the machine: on few cores a proxy that needs less processor time
 * also leaves more to the others.
 *
 * @module
 */

import { Skip, type Suite } from "../bench_context.ts";
import { measureBesideNutcracker } from "../monitor/one_server.ts";
import { measureOverReplicas } from "../monitor/replicas.ts";

/** Beside another proxy, and over replicas beside one server. */
export const monitor: Suite = {
  name: "monitor",
  summary: "GET, SET and a mix through the monitor and nutcracker; reads over two replicas",
  run: async (bench) => {
    bench.requireBenchmark();
    const redis = bench.reference;
    if (redis === null) throw new Skip("there is no redis-server");
    const tables = [await measureBesideNutcracker(bench, redis)];
    for (const kind of [redis, bench.subject]) tables.push(await measureOverReplicas(bench, kind));
    return tables.filter((table) => table !== "").join("\n\n");
  },
};
