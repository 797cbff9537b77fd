/**
 * Masters, replicas and sentinels as SENTINEL MASTER and its like show them: names and values, in Sentinel's order.
 *
 * @module
 */
import type { ControlContext } from "../control/context.ts";
import type { Endpoint, Node, Peer } from "../control/endpoint.ts";
import { flagsOf } from "../control/flags.ts";
import type { Group } from "../control/group.ts";

/** Names and values. */
export type Fields = (readonly [string, string])[];

/** A group's master. */
export function masterFields(context: ControlContext, group: Group): Fields {
  const { master, settings } = group;
  return [
    ["name", group.name],
    ...common(context, group, master, master.runId),
    ...reports(context, master),
    ["config-epoch", String(group.configEpoch)],
    ["num-slaves", String(group.replicas.size)],
    ["num-other-sentinels", String(group.peers.size)],
    ["quorum", String(settings.quorum)],
    ["failover-timeout", String(settings.failoverTimeoutMs)],
    ["parallel-syncs", String(settings.parallelSyncs)],
  ];
}

/** A replica. */
export function replicaFields(context: ControlContext, group: Group, node: Node): Fields {
  return [
    ["name", context.nameOf(node)],
    ...common(context, group, node, node.runId),
    ...reports(context, node),
    ["master-link-down-time", String(node.masterLinkDownMs)],
    ["master-link-status", node.linkUp ? "ok" : "err"],
    ["master-host", node.masterHost || "?"],
    ["master-port", String(node.masterPort)],
    ["slave-priority", String(node.priority)],
    ["slave-repl-offset", String(node.offset)],
    ["replica-announced", node.announced ? "1" : "0"],
  ];
}

/** Another sentinel. */
export function peerFields(context: ControlContext, group: Group, peer: Peer): Fields {
  return [
    ["name", peer.runId],
    ...common(context, group, peer, peer.runId),
    ["last-hello-message", since(context, peer.lastHello)],
    ["voted-leader", peer.leader ?? "?"],
    ["voted-leader-epoch", String(peer.leaderEpoch)],
  ];
}

function common(context: ControlContext, group: Group, endpoint: Endpoint, runId: string): Fields {
  const failover = endpoint === group.master ? group.failover : null;
  const objective = endpoint === group.master ? group.objectivelyDownSince : null;
  const waiting = endpoint.waitingSince;
  return [
    ["ip", context.announced(endpoint)],
    ["port", String(endpoint.port)],
    ["runid", runId],
    ["flags", flagsOf(group, endpoint).join(",")],
    ["link-pending-commands", String(endpoint.pendingCommands)],
    ["link-refcount", "1"],
    ...(failover === null ? [] : [["failover-state", failover.state] as const]),
    ["last-ping-sent", waiting === null ? "0" : since(context, waiting)],
    ["last-ok-ping-reply", since(context, endpoint.lastAvailable)],
    ["last-ping-reply", since(context, endpoint.lastPong)],
    ...(endpoint.downSince === null
      ? []
      : [["s-down-time", since(context, endpoint.downSince)] as const]),
    ...(objective === null ? [] : [["o-down-time", since(context, objective)] as const]),
    ["down-after-milliseconds", String(group.settings.downAfterMs)],
  ];
}

function reports(context: ControlContext, node: Node): Fields {
  return [
    // Sentinel counts from the year 1970 while there was none.
    ["info-refresh", node.infoAt === null ? String(context.unix) : since(context, node.infoAt)],
    ["role-reported", node.roleReported],
    ["role-reported-time", since(context, node.roleReportedAt)],
  ];
}

function since(context: ControlContext, moment: number): string {
  return String(Math.max(0, Math.round(context.now - moment)));
}
