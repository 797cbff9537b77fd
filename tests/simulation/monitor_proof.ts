/**
 * The proof that the simulation of monitors finds what it is for: bugs that are put in on purpose, each into all monitors of a run, and some
 * seed must find out.
 *
 * @module
 */
import { type MonitorSabotage, simulateMonitors } from "./monitor_run.ts";
import type { SabotageFinding } from "./replication_proof.ts";

/** The bugs. */
export const MONITOR_SABOTAGES: readonly MonitorSabotage[] = [
  {
    name: "the router doesn't look at the lease",
    monitor: ({ router }) => {
      Object.defineProperty(router!.topology, "hasLease", { value: true });
    },
  },
];

/** Plays seeds with a bug until one finds out. */
export async function searchForMonitorSabotage(
  sabotage: MonitorSabotage,
  first: number,
  count: number,
): Promise<SabotageFinding> {
  const { name } = sabotage;
  for (let seed = first; seed < first + count; seed++) {
    const { fault } = await simulateMonitors(seed, { sabotage });
    if (fault === undefined) continue;
    return { name, seeds: seed - first + 1, seed, fault: fault.message };
  }
  return { name, seeds: count, seed: undefined, fault: undefined };
}
