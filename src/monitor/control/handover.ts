/**
 * The switch of a healthy master: nothing is lost, and nobody gets an error.
 *
 * 1. The router holds new writes back (the failover has begun), and those under way are waited for.
 * 2. The master is told `FAILOVER TO` the chosen replica: it stops its own clients' writes, waits until the replica has all of its
 *    data, hands over, and becomes its replica. The replica is made to report at once what it has, which it else does once a second (nudge.ts).
 * 3. As soon as the replica says that it is a master, all goes on as in any failover.
 *
 * A master that knows no FAILOVER (before Redis 6.2) or refuses it is dealt with as if it were dead: a replica is chosen and promoted as it is. One that
 * refuses it for now (the replica isn't online yet) is asked again. If the replica can't catch up in time, the failover is called off, and the old
 * master goes on.
 *
 * @module
 */
import type { ControlContext } from "./context.ts";
import { errorText } from "./context.ts";
import type { Node } from "./endpoint.ts";
import { abortFailover, chooseAgain } from "./failover.ts";
import type { Failover, Group } from "./group.ts";
import { beginNudging, nudge } from "./nudge.ts";

/** How long writes under way are waited for; what isn't answered by then is with the master, which hands it over. */
const DRAIN_MS = 500;
/** How long the old master has to say what it is after the failover was called off. */
const ABORT_MS = 1000;
/** How long to wait before a master that can't hand over yet is asked again. */
const AGAIN_MS = 50;
/** How much longer than the master's own patience the new one is waited for. */
const GRACE_MS = 1000;

/** Refusals that may be over in a moment. */
const NOT_YET = /is not online|requires connected replicas|already in progress/;

/** Whether a replica that says that it is a master is that by the hand of the old one: not, if that hasn't agreed to go. */
export function isHandedOver(group: Group, failover: Failover): boolean {
  return failover.handover === null || failover.handoverAccepted ||
    group.master.roleReported === "slave";
}

/** Whether the master is there to hand over. */
export function canHandOver(_context: ControlContext, group: Group, failover: Failover): boolean {
  const { master } = group;
  return failover.forced && !failover.handoverRefused && !group.historyLost &&
    master.connected && master.downSince === null && master.roleReported === "master";
}

/** Has the router finish what is under way. */
export function beginHandover(context: ControlContext, group: Group, failover: Failover): void {
  failover.handover = group.routed ? "draining" : "drained";
  beginNudging(context, failover, failover.promoted as Node);
  if (group.routed) context.act({ type: "drain", group: group.name, timeoutMs: DRAIN_MS });
}

/** The router has finished. */
export function drained(context: ControlContext, group: Group): void {
  if (group.failover?.handover === "draining") group.failover.handover = "drained";
  group.wakeAt = context.now;
}

/** Does what can be done now. */
export function continueHandover(context: ControlContext, group: Group, failover: Failover): void {
  switch (failover.handover) {
    case "draining":
      // The router answers in any case, but a failover mustn't hang on that.
      if (context.reached(failover.changedAt + DRAIN_MS * 2)) failover.handover = "drained";
      else return;
      break;
    case "asked":
      return watch(context, group, failover);
    case "put off":
      if (context.reached(failover.startedAt + patience(context, group))) {
        return callOff(context, group, failover);
      }
      if (!context.reached(failover.changedAt + AGAIN_MS)) return;
      failover.handover = "drained";
      break;
    case "aborting":
      if (context.reached(failover.changedAt + ABORT_MS)) callOff(context, group, failover);
      return;
  }
  if (failover.handover === "drained") ask(context, group, failover);
}

/** How long the master tries, which is how long writes wait at most. */
function patience(context: ControlContext, group: Group): number {
  const { router } = context.settings;
  const longest = group.routed ? router.holdMs / 2 : 10_000;
  return Math.max(100, Math.round(Math.min(longest, group.settings.failoverTimeoutMs / 2)));
}

function ask(context: ControlContext, group: Group, failover: Failover): void {
  const target = failover.promoted as Node;
  const { master } = group;
  const host = target.ip ?? target.host;
  const timeout = String(patience(context, group));
  const command = ["FAILOVER", "TO", host, String(target.port), "TIMEOUT", timeout];
  const sent = context.send(master, command, (reply) => {
    if (group.failover !== failover || failover.handover !== "asked") return;
    const error = errorText(reply);
    if (error === undefined) {
      failover.handoverAccepted = true;
      return;
    }
    const mayYet = NOT_YET.test(error);
    const next = mayYet ? "it is asked again" : "it is replaced";
    context.log("notice", `${group.name}: the master doesn't hand over (${error}), ${next}`);
    if (mayYet) askAgain(context, failover);
    else chooseAgain(context, group, failover);
    group.wakeAt = context.now;
  });
  if (!sent) return chooseAgain(context, group, failover);
  failover.handover = "asked";
  failover.state = "wait_promotion";
  failover.changedAt = context.now;
  context.event("notice", "+failover-state-wait-promotion", target);
}

/** The master would hand over, but not now. */
function askAgain(context: ControlContext, failover: Failover): void {
  failover.handover = "put off";
  failover.state = "send_slaveof_noone";
  failover.changedAt = context.now;
}

function watch(context: ControlContext, group: Group, failover: Failover): void {
  if (group.master.downSince !== null) return chooseAgain(context, group, failover);
  nudge(context, failover);
  if (!context.reached(failover.changedAt + patience(context, group) + GRACE_MS)) return;
  failover.handover = "aborting";
  failover.changedAt = context.now;
  context.reached(context.now + ABORT_MS);
  context.send(group.master, ["FAILOVER", "ABORT"]);
  context.send(group.master, ["ROLE"], (reply) => {
    if (group.failover !== failover || failover.handover !== "aborting") return;
    // A master that is a replica by now has handed over after all: the new one will say so.
    if (Array.isArray(reply) && reply[0] === "master") callOff(context, group, failover);
  });
}

/** Who has handed over and who has taken over are that after a restart, too: FAILOVER itself leaves their config files as they were. */
export function keepHandover(context: ControlContext, group: Group, promoted: Node): void {
  for (const node of [promoted, group.master]) context.send(node, ["CONFIG", "REWRITE"]);
}

function callOff(context: ControlContext, group: Group, failover: Failover): void {
  if (group.failover !== failover) return;
  context.event("warning", "-failover-abort-slave-timeout", group.master);
  abortFailover(context, group);
}
