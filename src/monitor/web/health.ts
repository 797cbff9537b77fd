/**
 * Whether a monitor does what it is there for: there is a master, and writes get to it.
 *
 * @module
 */

import type { GroupView, StateView } from "../view.ts";

/**
 * Looks for what keeps writes from their master, in the group that the router stands in front of, or
 * in all groups where there is no router.
 *
 * @returns What is wrong, a line for each group in trouble; empty when all is well.
 */
export function findProblems(state: StateView): string[] {
  const routed = state.groups.filter((group) => group.routed);
  const watched = routed.length > 0 ? routed : state.groups;
  if (watched.length === 0) return ["no group is watched"];
  return watched.flatMap((group) => {
    const problem = problemOf(group);
    return problem === undefined ? [] : [`${group.name}: ${problem}`];
  });
}

function problemOf(group: GroupView): string | undefined {
  const because = group.trouble === "" ? "" : `: ${group.trouble}`;
  if (group.master === "") return `no master is known${because}`;
  if (group.status === "master down") return `the master ${group.master} is down${because}`;
  if (group.status === "failover") return `a failover is under way${because}`;
  if (group.status === "unknown master") return `no master is known${because}`;
  if (group.lease.mode === "missing") {
    return "the lease is missing: no majority of the monitors was heard from lately";
  }
  if (group.routed && !group.writable) {
    return `writes are not sent to the master: ${group.unwritableReason}`;
  }
  return undefined;
}
