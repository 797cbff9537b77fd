/**
 * A failover, from the attempt to be its leader to the last replica that follows the new master.
 *
 * ```
 * wait_start         until this monitor has the votes (and, among monitors with leases, until nobody else's router sends writes)
 * select_slave       until the replicas have said afresh what they have, and one of them is chosen
 * send_slaveof_noone until that one is told to be a master (or a healthy master to hand over, see handover.ts)
 * wait_promotion     until it says that it is one
 * reconf_slaves      until the others follow it, some at a time
 * update_config      then it is the group's master
 * ```
 *
 * **Order.** The router is told not to send writes before anything else, since the routing is made of the state (see routing.ts) and told
 * at the end of each step; a master whose replica is being promoted gets no write. At the moment at which the promoted node says that it
 * is a master, the new configuration is saved, then the router gets it, then the others are told. Replicas come
 * back into the routing one by one, as they say that they follow the new master.
 *
 * States, events and times are Sentinel's. The differences: a step begins as soon as the one before has ended; the role of the promoted node
 * is asked for every few ms; and a monitor without peers tries again after a second, not after twice the failover timeout, since
 * that is to keep several from getting in each other's way.
 *
 * @module
 */
import { askReplicas, forceHello } from "./connections.ts";
import type { ControlContext } from "./context.ts";
import { isBelieved } from "./down.ts";
import { leaderOf } from "./election.ts";
import type { Node } from "./endpoint.ts";
import type { Failover, FailoverState, Group } from "./group.ts";
import {
  beginHandover,
  canHandOver,
  continueHandover,
  isHandedOver,
  keepHandover,
} from "./handover.ts";
import { historyCounts, judgeRestart, noteHistory, rankOf } from "./history.ts";
import { leaseWanted, othersAreFenced, rememberSurrender } from "./lease.ts";
import { switchMaster } from "./membership.ts";
import { endNudging } from "./nudge.ts";
import { reconfigureReplicas } from "./reconfigure.ts";
import { replicaOf } from "./replica_of.ts";
import { applyRouting } from "./routing.ts";
import { selectReplica } from "./selection.ts";
import { clearTrouble, FAILOVER_TROUBLE, setTrouble } from "./trouble.ts";

/** How long fresh answers to INFO are waited for before the choice. */
const FRESH_INFO_MS = 500;
/** How often the promoted node is asked for its role. */
const PROBE_MS = 5;
const RETRY_ALONE_MS = 1000;
const DESYNCHRONIZE_MS = 1000;

/** Begins a failover if the master is down, and no attempt was made lately. */
export function startIfNeeded(context: ControlContext, group: Group): void {
  if (group.objectivelyDownSince === null || group.failover !== null) return;
  if (!isBelieved(context, group)) return;
  if (!context.reached(group.objectivelyDownSince + group.hesitationMs)) return;
  const pause = group.alone ? RETRY_ALONE_MS : group.settings.failoverTimeoutMs * 2;
  const due = group.failoverStartedAt + pause;
  if (context.reached(due)) return startFailover(context, group, false);
  if (group.alone || group.delayLoggedFor === group.failoverStartedAt) return;
  group.delayLoggedFor = group.failoverStartedAt;
  const at = new Date(context.unix + (due - context.now)).toUTCString();
  context.log("warning", `Next failover delay: I will not start a failover before ${at}`);
}

/** Begins a failover; `forced`: somebody asked for it. */
export function startFailover(context: ControlContext, group: Group, forced: boolean): void {
  const epoch = ++context.currentEpoch;
  group.failover = {
    state: "wait_start",
    epoch,
    forced,
    overrides: forced && (group.master.downSince !== null || group.historyLost),
    startedAt: context.now,
    changedAt: context.now,
    electedAt: null,
    surrenderedAt: null,
    promoted: null,
    needsHistory: false,
    chosenHistory: "",
    handover: null,
    handoverAccepted: false,
    handoverRefused: false,
    probedAt: Number.NEGATIVE_INFINITY,
    probing: false,
    nudge: null,
    nudgedAt: Number.NEGATIVE_INFINITY,
    waitLogged: false,
  };
  const delay = group.alone ? 0 : context.hooks.random() * DESYNCHRONIZE_MS;
  group.failoverStartedAt = context.now + delay;
  applyRouting(context, group);
  context.event("warning", "+new-epoch", null, String(epoch));
  context.event("warning", "+try-failover", group.master);
  askReplicas(group);
  group.wakeAt = context.now;
}

/** Ends a failover that has changed nothing. */
export function abortFailover(context: ControlContext, group: Group): void {
  const failover = group.failover;
  if (failover === null) return;
  endNudging(context, failover);
  if (failover.promoted !== null) failover.promoted.promoted = false;
  group.failover = null;
  // Who has called for a failover in vain doesn't keep one from coming that is needed; but for another's there is time.
  const isOurs = group.votedFor === null || group.votedFor === context.myId;
  if (failover.forced && isOurs) group.failoverStartedAt = Number.NEGATIVE_INFINITY;
  // Nobody waits for our word any more: what we promised to ourselves is over.
  if (group.votedFor === context.myId) group.voteEnded = true;
  clearTrouble(group, FAILOVER_TROUBLE);
  for (const node of group.nodes()) node.infoWanted = true;
}

/** Goes on from the choice, without a handover: who was chosen is lost, or it can't be handed to him, and he needn't have had all there is. */
export function chooseAgain(context: ControlContext, group: Group, failover: Failover): void {
  endNudging(context, failover);
  failover.handover = null;
  failover.handoverRefused = true;
  if (failover.promoted !== null) failover.promoted.promoted = false;
  failover.promoted = null;
  failover.probing = false;
  failover.probedAt = Number.NEGATIVE_INFINITY;
  enter(context, failover, "select_slave");
  askReplicas(group);
}

/** Does what can be done now. */
export function advanceFailover(context: ControlContext, group: Group): void {
  for (let before: FailoverState | null = null;;) {
    const failover = group.failover;
    if (failover === null || failover.state === before) return;
    before = failover.state;
    if (!group.hasSwitched && isTooLate(context, group, failover)) return;
    advance(context, group, failover);
  }
}

/** The promoted node is a master: that is the group's new configuration. */
export function commitPromotion(context: ControlContext, group: Group): void {
  const failover = group.failover;
  const promoted = failover?.promoted ?? null;
  if (failover?.state !== "wait_promotion" || promoted === null) return;
  if (isTooLate(context, group, failover)) return;
  if (!isHandedOver(group, failover)) return;
  if (!checkHistory(context, group, failover, promoted)) return;
  endNudging(context, failover);
  group.configEpoch = failover.epoch;
  group.adoptsHistory = true;
  group.historyLost = false;
  enter(context, failover, "reconf_slaves");
  promoted.roleReported = "master";
  promoted.roleReportedAt = context.now;
  promoted.infoWanted = true;
  if (promoted.info?.role === "master") noteHistory(context, group, promoted, promoted.info);
  rememberSurrender(context, group, failover.epoch);
  context.save();
  applyRouting(context, group);
  if (failover.handover !== null) keepHandover(context, group, promoted);
  context.event("warning", "+promoted-slave", promoted);
  if (context.failures.crashAfterPromotion) return crash(context);
  context.event("warning", "+failover-state-reconf-slaves", group.master);
  forceHello(group);
  group.leaseAskedAt = Number.NEGATIVE_INFINITY;
  group.wakeAt = context.now;
}

/**
 * Looks at the history of the promoted node, which may have come back without its data: then another one is chosen.
 *
 * @returns whether it may be the master.
 */
function checkHistory(
  context: ControlContext,
  group: Group,
  failover: Failover,
  promoted: Node,
): boolean {
  if (!failover.needsHistory) return true;
  const { info } = promoted;
  const isTold = info?.role === "master";
  // It may have had a former history of the group's, and goes on from that.
  const goesOn = failover.chosenHistory !== "" &&
    [info?.history, info?.formerHistory].includes(failover.chosenHistory);
  if (isTold && (goesOn || rankOf(group, promoted) > 0)) return true;
  if (isTold) {
    context.event("warning", "-failover-abort-no-good-slave", group.master);
    abortFailover(context, group);
  } else {
    // What it has said is of before; ROLE, by which it may be known that it is a master, says nothing of its history.
    promoted.infoWanted = true;
    group.wakeAt = context.now;
  }
  return false;
}

function advance(context: ControlContext, group: Group, failover: Failover): void {
  switch (failover.state) {
    case "wait_start":
      return waitStart(context, group, failover);
    case "select_slave":
      return select(context, group, failover);
    case "send_slaveof_noone":
      return failover.handover === null
        ? promote(context, group, failover)
        : continueHandover(context, group, failover);
    case "wait_promotion":
      return waitPromotion(context, group, failover);
    case "reconf_slaves":
      if (reconfigureReplicas(context, group, failover)) enter(context, failover, "update_config");
      return;
    case "update_config":
      return finish(context, group, failover);
  }
}

/**
 * Among monitors with leases, those who voted for us keep their promise for the failover timeout (and some more): what isn't done by
 * then must not be done any more.
 */
function isTooLate(context: ControlContext, group: Group, failover: Failover): boolean {
  if (!leaseWanted(context, group)) return false;
  if (!context.reached(failover.startedAt + group.settings.failoverTimeoutMs)) return false;
  const event = failover.electedAt === null
    ? "-failover-abort-not-elected"
    : failover.promoted === null
    ? "-failover-abort-no-good-slave"
    : "-failover-abort-slave-timeout";
  context.event("warning", event, group.master);
  abortFailover(context, group);
  return true;
}

function waitStart(context: ControlContext, group: Group, failover: Failover): void {
  const leader = leaderOf(context, group, failover.epoch);
  const appointed = failover.forced && !leaseWanted(context, group);
  if (leader !== context.myId && !appointed) {
    const { electionTimeout } = context.periods;
    const patience = Math.min(electionTimeout, group.settings.failoverTimeoutMs);
    if (!context.reached(group.failoverStartedAt + patience)) return;
    context.event("warning", "-failover-abort-not-elected", group.master);
    abortFailover(context, group);
    return;
  }
  failover.electedAt ??= context.now;
  if (!othersAreFenced(context, group, failover)) return;
  context.event("warning", "+elected-leader", group.master);
  if (context.failures.crashAfterElection) return crash(context);
  enter(context, failover, "select_slave");
  context.event("warning", "+failover-state-select-slave", group.master);
  askReplicas(group);
}

function select(context: ControlContext, group: Group, failover: Failover): void {
  if (!answersAreFresh(context, group, failover)) return;
  // A master that hands over gives all that it has to whoever is chosen.
  const handsOver = canHandOver(context, group, failover);
  const choice = selectReplica(context, group, {
    since: failover.changedAt,
    careful: !failover.overrides && !handsOver,
    followersOnly: handsOver,
  });
  if (choice === undefined) {
    context.event("warning", "-failover-abort-no-good-slave", group.master);
    abortFailover(context, group);
    return;
  }
  if ("wait" in choice) return waitForReplica(context, group, choice.wait);
  clearTrouble(group, FAILOVER_TROUBLE);
  failover.promoted = choice.node;
  failover.needsHistory = !failover.overrides && historyCounts(context, group) &&
    rankOf(group, choice.node) > 0;
  failover.chosenHistory = choice.node.info?.history ?? "";
  choice.node.promoted = true;
  enter(context, failover, "send_slaveof_noone");
  context.event("warning", "+selected-slave", choice.node);
  context.event("notice", "+failover-state-send-slaveof-noone", choice.node);
  if (canHandOver(context, group, failover)) beginHandover(context, group, failover);
}

/** Whether all reachable replicas have answered INFO since the choice began, or have had the time for it. */
function answersAreFresh(context: ControlContext, group: Group, failover: Failover): boolean {
  const missing = [...group.replicas.values()].some((node) =>
    node.connected && node.downSince === null && node.infoAsOf < failover.changedAt
  );
  return !missing || context.reached(failover.changedAt + FRESH_INFO_MS);
}

function waitForReplica(context: ControlContext, group: Group, why: string): void {
  setTrouble(context, group, FAILOVER_TROUBLE, `the failover waits: ${why}`);
  askReplicas(group);
  group.master.infoWanted = true;
  const goesOn = group.historyLost
    ? judgeRestart(context, group) === "goes on"
    : group.master.downSince === null;
  if (!goesOn) return;
  context.log("warning", `${group.name}: the master is back, the failover isn't needed any more`);
  context.event("warning", "-failover-abort-no-good-slave", group.master);
  abortFailover(context, group);
}

function promote(context: ControlContext, group: Group, failover: Failover): void {
  const node = failover.promoted as Node;
  const probe = () => {
    failover.probedAt = Number.NEGATIVE_INFINITY;
    group.wakeAt = context.now;
  };
  // Clients that came through the router needn't ask anew who is the master.
  if (node.disconnected || !replicaOf(context, node, null, !group.routed, probe)) {
    if (context.reached(failover.changedAt + group.settings.failoverTimeoutMs)) {
      timeOut(context, group);
    }
    return;
  }
  context.event("notice", "+failover-state-wait-promotion", node);
  enter(context, failover, "wait_promotion");
}

function waitPromotion(context: ControlContext, group: Group, failover: Failover): void {
  if (context.reached(failover.changedAt + group.settings.failoverTimeoutMs)) {
    return timeOut(context, group);
  }
  if (failover.handover !== null) continueHandover(context, group, failover);
  else if (failover.promoted?.downSince !== null) return chooseAgain(context, group, failover);
  if (group.failover === failover && failover.state === "wait_promotion") {
    probeRole(context, group, failover);
  }
}

/** Asks the promoted node again and again what it is. */
function probeRole(context: ControlContext, group: Group, failover: Failover): void {
  const node = failover.promoted as Node;
  if (failover.probing && node.command?.pending.size === 0) failover.probing = false;
  if (failover.probing || !context.reached(failover.probedAt + PROBE_MS)) return;
  failover.probing = context.send(node, ["ROLE"], (reply) => {
    // Another one may have been chosen meanwhile.
    if (group.failover !== failover || failover.promoted !== node) return;
    failover.probing = false;
    if (!Array.isArray(reply)) return;
    if (reply[0] === "master") return commitPromotion(context, group);
    // One that was restarted since it was told to be a master has forgotten that.
    const isForgotten = reply[0] === "slave" && (node.command?.since ?? 0) >= failover.changedAt;
    const waits = failover.state === "wait_promotion" && failover.handover === null;
    if (isForgotten && waits) chooseAgain(context, group, failover);
  });
  failover.probedAt = context.now;
  context.reached(context.now + PROBE_MS);
}

function timeOut(context: ControlContext, group: Group): void {
  context.event("warning", "-failover-abort-slave-timeout", group.master);
  abortFailover(context, group);
}

/** The promoted node is the group's master, and the old one a replica of it. */
function finish(context: ControlContext, group: Group, failover: Failover): void {
  const old = group.master;
  const next = failover.promoted as Node;
  const from = `${context.announced(old)} ${old.port}`;
  const to = `${context.announced(next)} ${next.port}`;
  context.tell("warning", "+switch-master", `${group.name} ${from} ${to}`);
  switchMaster(context, group, { host: next.host, port: next.port });
  context.save();
}

function crash(context: ControlContext): void {
  context.log("warning", "Sentinel CRASH because of SENTINEL simulate-failure");
  context.act({ type: "crash" });
}

function enter(context: ControlContext, failover: Failover, state: FailoverState): void {
  failover.state = state;
  failover.changedAt = context.now;
}
