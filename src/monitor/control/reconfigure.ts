/**
 * Brings the replicas of a group to the new master, `parallel-syncs` at a time: who copies the data serves no reads meanwhile.
 *
 * @module
 */
import type { ControlContext } from "./context.ts";
import type { Node } from "./endpoint.ts";
import type { Failover, Group } from "./group.ts";
import { replicaOf } from "./replica_of.ts";

/** Does what can be done now; whether that was all. */
export function reconfigureReplicas(
  context: ControlContext,
  group: Group,
  failover: Failover,
): boolean {
  const promoted = failover.promoted as Node;
  const others = [...group.replicas.values()].filter((node) => node !== promoted);
  // It is the new master that is in trouble now, and has to be dealt with as one. (Stock Sentinel waits until it is back.)
  if (promoted.downSince !== null || promoted.roleReported !== "master" || group.historyLost) {
    context.event("warning", "+failover-end", group.master);
    return true;
  }
  tellNext(context, group, others, promoted);
  const missing = others.filter((node) =>
    node.reconfiguration !== "done" && node.downSince === null
  );
  if (missing.length > 0) {
    if (!context.reached(failover.changedAt + group.settings.failoverTimeoutMs)) return false;
    context.event("warning", "+failover-end-for-timeout", group.master);
    tellRest(context, group, missing, promoted);
  }
  context.event("warning", "+failover-end", group.master);
  return true;
}

function tellNext(
  context: ControlContext,
  group: Group,
  others: readonly Node[],
  promoted: Node,
): void {
  let busy = others.filter(isBusy).length;
  for (const node of others) {
    if (node.reconfiguration === "sent") {
      // It got the command and doesn't say so: it counts as done, and will be seen to later.
      const due = node.reconfigurationSentAt + context.periods.slaveReconfTimeout;
      if (context.reached(due)) {
        context.event("notice", "-slave-reconf-sent-timeout", node);
        node.reconfiguration = "done";
        busy--;
      }
    }
    if (busy >= group.settings.parallelSyncs) continue;
    if (node.reconfiguration !== "none" || node.disconnected) continue;
    if (!tell(context, node, promoted, group)) continue;
    context.event("notice", "+slave-reconf-sent", node);
    busy++;
  }
}

/** The time is up: all that are left are told at once, as well as can be. */
function tellRest(
  context: ControlContext,
  group: Group,
  missing: readonly Node[],
  promoted: Node,
): void {
  for (const node of missing) {
    if (node.reconfiguration !== "none" || node.disconnected) continue;
    if (tell(context, node, promoted, group)) {
      context.event("notice", "+slave-reconf-sent-be", node);
    }
  }
}

function tell(context: ControlContext, node: Node, promoted: Node, group: Group): boolean {
  const answer = () => {
    node.infoWanted = true;
    group.wakeAt = context.now;
  };
  if (!replicaOf(context, node, promoted, !group.routed, answer)) return false;
  node.reconfiguration = "sent";
  node.reconfigurationSentAt = context.now;
  node.infoWanted = true;
  return true;
}

function isBusy(node: Node): boolean {
  return node.reconfiguration === "sent" || node.reconfiguration === "inprog";
}
