/**
 * What people are shown of a group.
 *
 * @module
 */
import { joinAddress } from "../../runtime/addresses.ts";
import type { GroupView, NodeView, PeerView } from "../view.ts";
import type { ControlContext } from "./context.ts";
import type { Discovery } from "./discovery.ts";
import type { Endpoint, Node, Peer } from "./endpoint.ts";
import { flagsOf } from "./flags.ts";
import type { Group } from "./group.ts";
import { leaseLeft, leaseWanted } from "./lease.ts";
import { unreadableReason, weightOf } from "./routing.ts";

/** A group; what only the router knows is 0. */
export function groupView(context: ControlContext, group: Group): GroupView {
  const { failover, settings } = group;
  const trouble = [...group.troubles.values()].join("; ") || unsaved(context);
  const left = leaseLeft(context, group);
  return {
    name: group.name,
    status: failover !== null
      ? "failover"
      : group.master.downSince !== null
      ? "master down"
      : trouble !== ""
      ? "trouble"
      : "ok",
    trouble,
    configEpoch: group.configEpoch,
    quorum: settings.quorum,
    downAfterMs: settings.downAfterMs,
    failoverState: failover?.state ?? "none",
    master: addressOf(group.currentMaster),
    nodes: [...group.nodes()].map((node) => nodeView(context, group, node)),
    peers: [...group.peers.values()].map((peer) => peerView(context, group, peer)),
    lease: leaseWanted(context, group)
      ? { mode: left > 0 ? "held" : "missing", leftMs: Math.round(left) }
      : { mode: "off", leftMs: 0 },
    routed: group.routed,
    writable: group.routing?.writable ?? false,
    unwritableReason: group.routing?.reason ?? "",
  };
}

/** A group whose master isn't known. */
export function discoveryView(context: ControlContext, discovery: Discovery): GroupView {
  const { settings } = discovery;
  return {
    name: settings.name,
    status: "unknown master",
    trouble: discovery.trouble,
    configEpoch: 0,
    quorum: settings.quorum,
    downAfterMs: settings.downAfterMs,
    failoverState: "none",
    master: "",
    nodes: [...discovery.nodes.values()].map((node) => ({
      ...unknownNode(context, node),
      role: node.info?.role === "master"
        ? "master"
        : node.info?.role === "slave"
        ? "replica"
        : "unknown",
      flags: node.connected ? [] : ["disconnected"],
    })),
    peers: [],
    lease: { mode: "off", leftMs: 0 },
    routed: settings.name === context.settings.routedGroup,
    writable: false,
    unwritableReason: discovery.trouble || "the master isn't known yet",
  };
}

function nodeView(context: ControlContext, group: Group, node: Node): NodeView {
  const isMaster = node === group.currentMaster;
  const known = node.infoAt !== null;
  const reason = unreadableReason(context, group, node);
  const lag = Math.max(0, group.currentMaster.offset - node.offset);
  return {
    ...unknownNode(context, node),
    role: isMaster ? "master" : "replica",
    flags: flagsOf(group, node).filter((flag) => flag !== "master" && flag !== "slave"),
    offset: known ? node.offset : null,
    lagBytes: isMaster || !known || group.currentMaster.infoAt === null ? null : lag,
    lagMs: isMaster || !known
      ? null
      : node.behindSince === null
      ? 0
      : Math.round(context.now - node.behindSince),
    linkUp: isMaster || !known ? null : node.linkUp,
    priority: known ? node.priority : null,
    readable: reason === "",
    unreadableReason: reason,
  };
}

function unknownNode(context: ControlContext, node: Node): NodeView {
  return {
    address: addressOf(node),
    role: "unknown",
    flags: [],
    runId: node.info?.runId ?? node.runId,
    offset: null,
    lagBytes: null,
    lagMs: null,
    linkUp: null,
    priority: null,
    weight: weightOf(context, node),
    readable: false,
    unreadableReason: "the master isn't known yet",
    lastOkPingMs: node.connected || node.infoAt !== null
      ? Math.round(context.now - node.lastAvailable)
      : null,
    commandsPerSecond: 0,
    outstanding: 0,
  };
}

function peerView(context: ControlContext, group: Group, peer: Peer): PeerView {
  return {
    address: addressOf(peer),
    runId: peer.runId,
    flags: flagsOf(group, peer).filter((flag) => flag !== "sentinel"),
    knowsLease: peer.knowsLease,
    lastHelloMs: Math.round(context.now - peer.lastHello),
  };
}

function addressOf(endpoint: Endpoint): string {
  return joinAddress(endpoint.host, endpoint.port);
}

function unsaved(context: ControlContext): string {
  return context.saveFailed ? "the state can't be saved on disk" : "";
}
