/**
 * What follows from a node's answer to INFO: replicas that come to light, a role that has changed, a promotion that has taken
 * place, a replica that follows the wrong master.
 *
 * @module
 */
import type { ControlContext } from "./context.ts";
import { endpointKey, type Node } from "./endpoint.ts";
import { commitPromotion } from "./failover.ts";
import type { Group } from "./group.ts";
import { keepHandover } from "./handover.ts";
import { historyCounts, loseHistory, noteHistory, rankOf } from "./history.ts";
import { type NodeInfo, parseInfo } from "./info.ts";
import { leaseLeft, leaseWanted } from "./lease.ts";
import { addReplica, findNode, switchMaster, usableHost } from "./membership.ts";
import { replicaOf } from "./replica_of.ts";
import { clearTrouble, learnRefusal } from "./trouble.ts";

/** How old INFO of a master may be that is to be trusted, in INFO periods. */
const SANE_PERIODS = 2;

/** Takes in the answer to INFO. */
export function refreshInfo(context: ControlContext, node: Node, text: string): void {
  const info = parseInfo(text);
  node.info = info;
  node.infoText = text;
  node.infoAt = context.now;
  learnRefusal(node, undefined);
  const group = context.groups.get(node.groupName);
  const member = group !== undefined && [...group.nodes()].includes(node);
  noteRunId(context, node, info, member);
  noteReplication(context, node, info);
  if (group === undefined || !member) return;
  if (node === group.master && info.role === "master") meetReplicas(context, group, info);
  noteRole(context, group, node, info);
  noteHistory(context, group, node, info);
  noteLag(context, group, node);
  if (context.tiltSince !== null) return;
  if (node === group.master) return followUsurper(context, group, info);
  if (info.role === "master") claimsToBeMaster(context, group, node);
  else if (info.role === "slave") {
    followsWrongMaster(context, group, node);
    noteReconfiguration(context, group, node);
  }
}

/** Sees the replicas that a master names. */
export function meetReplicas(context: ControlContext, group: Group, info: NodeInfo): void {
  let found = false;
  for (const address of info.replicas) {
    const node = addReplica(context, group, address);
    if (node === undefined) continue;
    context.event("notice", "+slave", node);
    found = true;
  }
  if (found) context.save();
}

/** Whether a group's master is what it is taken for, as far as is known. */
export function masterLooksSane(context: ControlContext, group: Group): boolean {
  const { master } = group;
  return master.roleReported === "master" && master.downSince === null &&
    group.objectivelyDownSince === null && master.infoAt !== null &&
    context.now - master.infoAt < context.periods.infoPeriod * SANE_PERIODS;
}

function noteRunId(context: ControlContext, node: Node, info: NodeInfo, member: boolean): void {
  if (info.runId === "" || info.runId === node.runId) return;
  if (node.runId !== "" && member) {
    context.event("notice", "+reboot", node);
    node.rebootedAt = context.now;
  }
  node.runId = info.runId;
}

function noteReplication(context: ControlContext, node: Node, info: NodeInfo): void {
  node.masterLinkDownMs = info.linkDownMs;
  node.offset = info.offset;
  node.priority = info.priority;
  node.announced = info.announced;
  node.linkUp = info.role === "slave" && info.linkUp;
  if (info.role !== "slave") return;
  if (info.masterHost !== node.masterHost || info.masterPort !== node.masterPort) {
    node.masterHost = info.masterHost;
    node.masterPort = info.masterPort;
    node.masterSince = context.now;
  }
}

function noteRole(context: ControlContext, group: Group, node: Node, info: NodeInfo): void {
  if (info.role === "" || info.role === node.roleReported) return;
  node.roleReported = info.role;
  node.roleReportedAt = context.now;
  if (info.role === "slave") node.masterSince = context.now;
  const expected = node === group.master ? "master" : "slave";
  const event = info.role === expected ? "+role-change" : "-role-change";
  context.event("verbose", event, node, `new reported role is ${info.role}`);
}

/** Since when a replica has been behind, by the offsets that were told last. */
function noteLag(context: ControlContext, group: Group, node: Node): void {
  const behind = node !== group.master && node.offset < group.master.offset;
  node.behindSince = behind ? node.behindSince ?? context.now : null;
}

/** A replica says that it is a master: the one that was promoted, or one that is to be a replica again. */
function claimsToBeMaster(context: ControlContext, group: Group, node: Node): void {
  if (node.promoted && group.failover?.state === "wait_promotion") {
    commitPromotion(context, group);
    return;
  }
  // Others may have promoted it: their word of it has time to arrive.
  const patience = knowsBest(context, group) ? 0 : context.periods.publishPeriod * 4;
  if (node.promoted || !masterLooksSane(context, group) || mayBeOutdated(context, group)) return;
  if (!upFor(context, node, patience)) return;
  if (context.now - node.roleReportedAt < patience) return;
  if (!isConfirmed(group, node, node.roleReportedAt)) return;
  if (replicaOf(context, node, group.master, true)) {
    context.event("notice", "+convert-to-slave", node);
    node.infoWanted = true;
  }
}

/** A replica follows another master than that of its group. */
function followsWrongMaster(context: ControlContext, group: Group, node: Node): void {
  if (follows(context, node, group.master)) return;
  if (group.failover !== null && node.reconfiguration !== "none") return;
  // Who follows a former master of this group does so by mistake.
  const former = findNode(group, node.masterHost, node.masterPort) !== undefined;
  const patience = former && knowsBest(context, group) ? 0 : group.settings.failoverTimeoutMs;
  if (!masterLooksSane(context, group) || mayBeOutdated(context, group)) return;
  if (!upFor(context, node, patience)) return;
  if (context.now - node.masterSince < patience) return;
  if (!isConfirmed(group, node, node.masterSince)) return;
  if (replicaOf(context, node, group.master, false)) {
    context.event("notice", "+fix-slave-config", node);
    node.infoWanted = true;
  }
}

/** Whether a replica says that its master is `master`. */
export function follows(context: ControlContext, node: Node, master: Node): boolean {
  return node.roleReported === "slave" &&
    isMaster(context, master, node.masterHost, node.masterPort);
}

/** Whether a replica means `master` by its master's address. */
export function isMaster(
  context: ControlContext,
  master: Node,
  host: string,
  port: number,
): boolean {
  if (port !== master.port) return false;
  return host === master.host || host === master.ip || usableHost(context, host) === master.ip;
}

/**
 * Whether the master has said since `since` that it still is one. Whoever has switched masters by hand has done so on both nodes, and
 * one of them was asked first.
 */
function isConfirmed(group: Group, node: Node, since: number): boolean {
  const { master } = group;
  if (master.infoAt !== null && master.infoAt > since) return true;
  master.infoWanted = node.infoWanted = true;
  return false;
}

/**
 * The master follows one of its replicas, or another node that was named, which is a master: somebody has switched them by hand. A monitor that
 * is alone takes that over; several have to agree on a failover, as sentinels have.
 */
function followUsurper(context: ControlContext, group: Group, info: NodeInfo): void {
  if (!group.alone || group.failover !== null || info.role !== "slave") return;
  const old = group.master;
  const ip = usableHost(context, info.masterHost);
  if (ip === null) return;
  const named = group.strangers.get(endpointKey(ip, info.masterPort));
  // It joins as a replica that says that it is a master.
  if (named?.info?.role === "master") {
    clearTrouble(group, named.key);
    addReplica(context, group, { host: named.host, port: named.port });
  }
  const next = findNode(group, ip, info.masterPort);
  if (next === undefined || next === old || next.roleReported !== "master") {
    if (next !== undefined) next.infoWanted = true;
    return;
  }
  // When both have restarted with config files of before a switch, say: that is dealt with as a master that has lost its data.
  if (historyCounts(context, group) && rankOf(group, next) === 0) {
    return loseHistory(context, group, "the master follows a node with a history of its own");
  }
  // Whoever has switched them may not have thought of their config files.
  keepHandover(context, group, next);
  group.configEpoch = ++context.currentEpoch;
  group.adoptsHistory = true;
  group.historyLost = false;
  const from = `${context.announced(old)} ${old.port}`;
  const to = `${context.announced(next)} ${next.port}`;
  context.event("warning", "+new-epoch", null, String(context.currentEpoch));
  context.tell("warning", "+switch-master", `${group.name} ${from} ${to}`);
  switchMaster(context, group, { host: next.host, port: next.port });
  context.save();
}

/**
 * Whether nobody can know a newer configuration: there is nobody else, or the majority has granted a lease for ours just now.
 */
function knowsBest(context: ControlContext, group: Group): boolean {
  return group.alone || (leaseWanted(context, group) && leaseLeft(context, group) > 0);
}

/**
 * Whether there could be a newer configuration that nobody has told us, since no majority has confirmed ours: then nothing is re-pointed. (Sentinel
 * does that after some seconds, and so may one that has come back with an old state, while the others are down, throw away what
 * the newest master has.)
 */
function mayBeOutdated(context: ControlContext, group: Group): boolean {
  return leaseWanted(context, group) && leaseLeft(context, group) <= 0;
}

function upFor(context: ControlContext, node: Node, ms: number): boolean {
  return node.downSince === null &&
    (node.wentDownAt === null || context.now - node.wentDownAt >= ms);
}

/** How far a replica is that was told to follow the new master. */
function noteReconfiguration(context: ControlContext, group: Group, node: Node): void {
  const promoted = group.failover?.promoted;
  if (promoted === null || promoted === undefined) return;
  if (node.reconfiguration === "sent" && follows(context, node, promoted)) {
    node.reconfiguration = "inprog";
    context.event("notice", "+slave-reconf-inprog", node);
  }
  if (node.reconfiguration === "inprog" && node.linkUp) {
    node.reconfiguration = "done";
    context.event("notice", "+slave-reconf-done", node);
  }
}
