/**
 * Who is down: for us alone (SDOWN), and for a quorum (ODOWN); and whether that is to be believed.
 *
 * **A monitor without peers** has nobody to ask whether the master is really down or only its own network is. It asks the replicas: one
 * of them has to say that it has lost the master, too. That costs no time, since they notice a killed master at once, and
 * their INFO is asked for before the master counts as down. No replica is needed as a witness when the master itself still answers
 * (with errors), or takes connections and is silent: the network is fine then. With peers the quorum decides, as Sentinel's does.
 *
 * @module
 */
import { askReplicas, restingInfoPeriod } from "./connections.ts";
import type { ControlContext } from "./context.ts";
import { type Endpoint, Node } from "./endpoint.ts";
import type { Group } from "./group.ts";
import { mustGiveWay } from "./history.ts";
import { clearTrouble, setTrouble } from "./trouble.ts";

/**
 * All monitors see a master go down in the same moment, by the same rule. If all asked for votes at once, each would have its own, and
 * nobody a majority: so each waits for up to so long, and mostly hears of another's election meanwhile.
 */
const HESITATION_MS = 300;
/** How long before a master counts as down its replicas are asked what they see. */
const WITNESS_LEAD_MS = 150;
/** Redis masters speak to idle replicas every 10 s: one that was silent for longer than this has lost its master. */
const SILENT_SECONDS = 12;
const LONGEST_SILENCE_MS = 1000;
const TROUBLE = "down";

/** Judges whether somebody is down for us. */
export function judgeDown(context: ControlContext, group: Group, endpoint: Endpoint): void {
  const node = endpoint instanceof Node ? endpoint : null;
  const isMaster = node === group.master;
  const down = hasFallenSilent(context, group, endpoint, isMaster) ||
    (isMaster && (pretends(context, group) || mustGiveWay(context, group))) ||
    (node !== null && rebootsTooLong(context, group, node));
  if (down === (endpoint.downSince !== null)) return;
  if (down) {
    endpoint.downSince = endpoint.wentDownAt = context.now;
    if (isMaster) askReplicas(group);
    context.event("warning", "+sdown", endpoint as Node);
  } else {
    endpoint.downSince = null;
    if (node !== null) node.scriptKillSent = false;
    context.event("warning", "-sdown", endpoint as Node);
  }
}

/** Judges whether a quorum sees the master down. */
export function judgeObjectivelyDown(context: ControlContext, group: Group): void {
  let votes = 0;
  if (group.master.downSince !== null) {
    votes = 1 + [...group.peers.values()].filter((peer) => peer.masterDown).length;
  }
  const { quorum } = group.settings;
  const down = votes >= quorum && votes > 0;
  if (down === (group.objectivelyDownSince !== null)) return;
  group.objectivelyDownSince = down ? context.now : null;
  if (down) {
    group.hesitationMs = group.alone ? 0 : context.hooks.random() * HESITATION_MS;
    context.event("warning", "+odown", group.master, `#quorum ${votes}/${quorum}`);
  } else {
    context.event("warning", "-odown", group.master);
    clearTrouble(group, TROUBLE);
  }
}

/** Whether a master that counts as down is so for others, too; see the head of this file. */
export function isBelieved(context: ControlContext, group: Group): boolean {
  if (!group.alone || group.historyLost) return true;
  const { master } = group;
  const answers = context.now - master.lastPong < group.settings.downAfterMs;
  if (
    answers || takesConnections(context, group) ||
    [...group.replicas.values()].some((replica) => hasLostMaster(group, replica))
  ) {
    clearTrouble(group, TROUBLE);
    return true;
  }
  const reachable = [...group.replicas.values()].some((replica) => replica.downSince === null);
  const text = reachable
    ? "the monitor doesn't reach the master, but its replicas do: no failover"
    : "the monitor reaches no node at all: no failover";
  setTrouble(context, group, TROUBLE, text);
  return false;
}

/** Whether a master has taken a connection since it spoke last, and was silent on that for long enough to be sure. */
function takesConnections(context: ControlContext, { master, settings }: Group): boolean {
  const { command } = master;
  if (command === null || !command.open || command.since <= master.lastPong) return false;
  return context.reached(command.since + Math.min(LONGEST_SILENCE_MS, settings.downAfterMs / 4));
}

/** Whether a replica has said since we lost the master that it has lost it as well. */
function hasLostMaster(group: Group, replica: Node): boolean {
  const { info, infoAt } = replica;
  if (info === null || infoAt === null || infoAt < group.master.lastAvailable) return false;
  if (info.role === "master") return true;
  return !info.linkUp || info.lastIoSeconds >= SILENT_SECONDS;
}

function hasFallenSilent(
  context: ControlContext,
  group: Group,
  endpoint: Endpoint,
  isMaster: boolean,
): boolean {
  let since = endpoint.waitingSince;
  if (since === null && endpoint.disconnected) since = endpoint.lastAvailable;
  if (since === null) return false;
  const due = since + group.settings.downAfterMs;
  if (isMaster && endpoint.downSince === null) {
    const early = Math.max(due - WITNESS_LEAD_MS, since + 1);
    if (context.reached(early) && group.replicasAskedFor !== since) {
      group.replicasAskedFor = since;
      askReplicas(group);
    }
  }
  return context.reached(due);
}

/** Whether a master has said for too long that it is a replica. */
function pretends(context: ControlContext, group: Group): boolean {
  const { master, settings } = group;
  if (master.roleReported !== "slave") return false;
  return context.reached(
    master.roleReportedAt + settings.downAfterMs + restingInfoPeriod(context, group) * 2,
  );
}

function rebootsTooLong(context: ControlContext, group: Group, node: Node): boolean {
  const limit = group.settings.masterRebootDownAfterMs;
  return limit > 0 && node.rebootedAt !== null && context.reached(node.rebootedAt + limit);
}
