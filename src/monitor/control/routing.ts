/**
 * Where the router sends what, made of the state of a group alone: whoever changes the state needn't think of the router.
 *
 * Writes go to the master as long as all is well: it is what it is taken for, it isn't down, and no failover has begun that hasn't
 * ended. Reads go to replicas that say that they follow this master and that their link to it is up; while the master is
 * down, to those that did before. So a returning old master is read from only once it is a replica.
 *
 * @module
 */
import type { RoutedReplica, Routing } from "../routing.ts";
import type { ControlContext } from "./context.ts";
import type { Node } from "./endpoint.ts";
import type { Group } from "./group.ts";
import { canHandOver } from "./handover.ts";
import { minAcksOf } from "./history.ts";
import { follows } from "./refresh.ts";

/** Tells the router if anything is different from what it was told last. */
export function applyRouting(context: ControlContext, group: Group): void {
  const routing = routingOf(context, group);
  if (group.routing !== null && JSON.stringify(group.routing) === JSON.stringify(routing)) return;
  group.routing = routing;
  if (group.routed) context.act({ type: "route", group: group.name, routing });
}

/** Why a replica isn't read from; empty if it is. */
export function unreadableReason(context: ControlContext, group: Group, node: Node): string {
  const master = group.currentMaster;
  if (node === master) return "";
  if (node.downSince !== null) return "it is down";
  if (!node.connected) return "there is no connection to it";
  // What it has said before it went away may not be so any more.
  const since = node.command?.since ?? 0;
  if (node.infoAt === null || node.infoAt < since) return "it hasn't said yet what it is";
  if (node.roleReported !== "slave") return "it says that it is a master";
  if (!follows(context, node, master)) return "it follows another master";
  if (node.info?.loading === true) return "it is loading its data";
  if (!node.linkUp && !mayBeCutOff(context, group, node)) return "its link to the master is down";
  return "";
}

function routingOf(context: ControlContext, group: Group): Routing {
  const reason = unwritableReason(context, group);
  const replicas: RoutedReplica[] = [];
  for (const node of group.nodes()) {
    if (node === group.currentMaster || unreadableReason(context, group, node) !== "") continue;
    const address = context.addressOf(node);
    replicas.push({ ...address, weight: weightOf(context, node) });
  }
  return {
    epoch: group.configEpoch,
    master: context.addressOf(group.currentMaster),
    writable: reason === "",
    reason,
    fenced: isFenced(context, group),
    replicas,
  };
}

/** The share of the reads that was set for a node. */
export function weightOf(context: ControlContext, node: Node): number {
  const { weights } = context.settings.router;
  return weights.get(`${node.host}:${node.port}`) ?? weights.get(node.key) ?? 1;
}

/** Whether a successor is chosen, or was, by what replicas have: the master itself hands nothing over. */
function isFenced(context: ControlContext, group: Group): boolean {
  const { failover } = group;
  if (failover === null || failover.state === "wait_start" || group.hasSwitched) return false;
  if (failover.handover !== null) return false;
  return failover.state !== "select_slave" || !canHandOver(context, group, failover);
}

/** Why no writes are sent; empty if they are. */
function unwritableReason(context: ControlContext, group: Group): string {
  const master = group.currentMaster;
  if (group.failover !== null && !group.hasSwitched) return "a failover is under way";
  if (group.hasSwitched) return "";
  if (master.downSince !== null) return "the master is down";
  if (master.infoAt === null) return master.refusal || "the master hasn't answered yet";
  if (master.roleReported !== "master") return "the master says that it is a replica";
  if (group.historyLost) return "the master has restarted, its replicas are being asked";
  // Whoever has restarted unseen may have lost what was acknowledged.
  const since = master.command?.since ?? Number.POSITIVE_INFINITY;
  const unseen = !master.connected || master.infoAt < since;
  if (unseen && minAcksOf(context, group) > 0) return "the connection to the master was lost";
  return "";
}

/** Whether a replica may be read from though its master doesn't feed it: that is what is to be expected just now. */
function mayBeCutOff(context: ControlContext, group: Group, node: Node): boolean {
  const { host, port } = context.addressOf(node);
  const wasRead = group.routing?.replicas.some((one) => one.host === host && one.port === port);
  if (wasRead !== true) return false;
  return !group.hasSwitched && (group.failover !== null || group.master.downSince !== null ||
    !group.master.connected || group.master.waitingSince !== null);
}
