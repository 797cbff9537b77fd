/**
 * Who belongs to a group: replicas that come, another master, a fresh start.
 *
 * @module
 */
import type { NodeAddress } from "../routing.ts";
import type { ControlContext } from "./context.ts";
import { isAddress } from "./context.ts";
import { dropConnections, forceHello } from "./connections.ts";
import { type Endpoint, endpointKey, Node } from "./endpoint.ts";
import { Group, type GroupSettings } from "./group.ts";
import { endNudging } from "./nudge.ts";
import { clearTrouble, FAILOVER_TROUBLE } from "./trouble.ts";

/** Makes a group with a master, and begins to watch it. */
export function createGroup(
  context: ControlContext,
  settings: GroupSettings,
  master: NodeAddress,
): Group {
  const node = newNode(context, settings.name, master, "master");
  const group = new Group(settings, node);
  group.routed = settings.name === context.settings.routedGroup &&
    context.settings.router.port !== null;
  context.groups.set(group.name, group);
  return group;
}

/** Adds a replica; undefined if it is there already, or if its name can't be understood (yet). */
export function addReplica(
  context: ControlContext,
  group: Group,
  address: NodeAddress,
): Node | undefined {
  const host = usableHost(context, address.host);
  if (host === null || findNode(group, host, address.port) !== undefined) return undefined;
  const node = newNode(context, group.name, address, "slave");
  const stranger = group.strangers.get(node.key);
  if (stranger !== undefined) dropConnectionsForGood(context, stranger);
  group.strangers.delete(node.key);
  group.replicas.set(node.key, node);
  return node;
}

/** The node of a group at an address. */
export function findNode(group: Group, ip: string, port: number): Node | undefined {
  const key = endpointKey(ip, port);
  if (group.master.key === key) return group.master;
  for (const node of group.replicas.values()) if (node.key === key) return node;
  return undefined;
}

/**
 * The address behind a host that somebody has named: itself, or what its name stands for, if names are allowed and this one is
 * known.
 */
export function usableHost(context: ControlContext, host: string): string | null {
  if (!isAddress(host) && !context.settings.resolveHostnames) return null;
  return context.resolve(host);
}

/**
 * Makes another node the master. The old one becomes a replica; what was known of a failover ends. Connections stay.
 */
export function switchMaster(context: ControlContext, group: Group, address: NodeAddress): void {
  const ip = context.resolve(address.host) ?? address.host;
  const old = group.master;
  const next = findNode(group, ip, address.port) ?? newNode(context, group.name, address, "master");
  forgetReplica(group, next);
  group.master = next;
  group.switchedAt = context.now;
  startAfresh(context, group);
  if (old !== next) group.replicas.set(old.key, old);
  for (const node of group.nodes()) {
    node.reconfiguration = "none";
    node.promoted = false;
    node.masterSince = context.now;
    node.roleReportedAt = context.now;
    node.infoWanted = true;
  }
  next.roleReported = "master";
  for (const node of group.replicas.values()) {
    if (node === old) becomeReplica(context, node);
    context.event("notice", "+slave", node);
  }
  forceHello(group);
}

/**
 * Forgets replicas, and peers too, and what was found out of the master, as SENTINEL RESET does.
 */
export function resetGroup(context: ControlContext, group: Group): void {
  for (const endpoint of [...group.replicas.values(), ...group.peers.values()]) {
    dropConnectionsForGood(context, endpoint);
  }
  group.replicas.clear();
  group.peers.clear();
  const { host, port } = group.master;
  dropConnectionsForGood(context, group.master);
  group.master = newNode(context, group.name, { host, port }, "master");
  group.history = "";
  group.historyLost = false;
  group.formerHistories.clear();
  startAfresh(context, group);
  context.event("warning", "+reset-master", group.master);
}

/** Ends the watch over a group. */
export function removeGroup(context: ControlContext, group: Group): void {
  const endpoints = [...group.nodes(), ...group.peers.values(), ...group.strangers.values()];
  for (const endpoint of endpoints) dropConnectionsForGood(context, endpoint);
  context.groups.delete(group.name);
  if (!group.routed) return;
  const reason = "the group isn't watched any more";
  const routing = { epoch: group.configEpoch, master: null, writable: false, reason, replicas: [] };
  context.act({ type: "route", group: group.name, routing });
}

/** Closes the connections of somebody who is forgotten. */
export function dropConnectionsForGood(context: ControlContext, endpoint: Endpoint): void {
  dropConnections(context, endpoint);
  endpoint.commandRetryAt = endpoint.pubsubRetryAt = Number.POSITIVE_INFINITY;
}

/** Makes a node that is to be watched. */
export function newNode(
  context: ControlContext,
  groupName: string,
  address: NodeAddress,
  role: "master" | "slave",
): Node {
  const node = new Node(groupName, address.host, address.port, role, context.now);
  node.ip = context.resolve(address.host);
  return node;
}

/** Takes a node out of the replicas. What its name stands for, and with that its key, may have changed since it was put there. */
function forgetReplica(group: Group, node: Node): void {
  for (const [key, replica] of group.replicas) if (replica === node) group.replicas.delete(key);
}

/** A former master is watched like a replica that was just met: what is wrong with it is told once more. */
function becomeReplica(context: ControlContext, node: Node): void {
  node.roleReported = "slave";
  node.downSince = node.wentDownAt = null;
  node.waitingSince = node.connected ? null : context.now;
  node.lastAvailable = context.now;
}

/** The master is new: no vote, no failover, no judgement of before counts. */
function startAfresh(context: ControlContext, group: Group): void {
  if (group.failover !== null) endNudging(context, group.failover);
  group.failover = null;
  // What we have voted for ourselves for doesn't come about any more.
  if (group.votedFor === context.myId) group.voteEnded = true;
  clearTrouble(group, FAILOVER_TROUBLE);
  group.failoverStartedAt = Number.NEGATIVE_INFINITY;
  group.delayLoggedFor = null;
  group.objectivelyDownSince = null;
  group.leader = null;
  for (const peer of group.peers.values()) {
    peer.masterDown = false;
    peer.leader = null;
    peer.grantedAt = Number.NEGATIVE_INFINITY;
    peer.leaseAskedAt = Number.NEGATIVE_INFINITY;
  }
  group.leaseAskedAt = Number.NEGATIVE_INFINITY;
  group.wakeAt = context.now;
}
