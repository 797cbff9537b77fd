/**
 * Who may carry out a failover: votes by epoch, as among sentinels.
 *
 * Whoever sees the master objectively down begins a new epoch and asks the others for their vote in it (IS-MASTER-DOWN-BY-ADDR with its run
 * id). Each gives one vote an epoch, to the first that asks, and remembers it on disk before it answers. Who has the votes of the
 * majority, and of as many as the quorum asks for, is the leader of that epoch.
 *
 * A vote that can't be put on disk isn't given: after a crash it would be given twice.
 *
 * @module
 */
import type { PlainValue } from "../../protocol/reply.ts";
import type { ControlContext } from "./context.ts";
import type { Peer } from "./endpoint.ts";
import type { Group } from "./group.ts";
import { leaseWanted, surrender } from "./lease.ts";

/** Attempts of several monitors are kept apart by up to so many ms. */
const DESYNCHRONIZE_MS = 1000;
/** For how long after the master went down peers are asked often, and how often. */
const EAGER_MS = 1500;
const EAGER_PAUSE_MS = 100;
/** After so many ask periods without an answer what a peer said of the master is out of date. */
const STALE_PERIODS = 5;

/** A vote, as it is told to others. */
export interface Vote {
  /** The run id of whom it is for; null for nobody. */
  readonly leader: string | null;
  /** The epoch in which it was given. */
  readonly epoch: number;
}

/** Gives the vote of an epoch to whoever asks, unless it is given; the vote that stands. */
export function vote(context: ControlContext, group: Group, epoch: number, runId: string): Vote {
  if (epoch > context.currentEpoch) {
    const before = context.currentEpoch;
    context.currentEpoch = epoch;
    if (!context.save() && !group.alone) context.currentEpoch = before;
    else context.event("warning", "+new-epoch", group.master, String(epoch));
  }
  if (group.leaderEpoch < epoch && context.currentEpoch <= epoch) giveVote(context, group, runId);
  return { leader: group.leader, epoch: group.leaderEpoch };
}

function giveVote(context: ControlContext, group: Group, runId: string): void {
  const { leader, leaderEpoch } = group;
  group.leader = runId;
  group.leaderEpoch = context.currentEpoch;
  if (!context.save() && !group.alone) {
    group.leader = leader;
    group.leaderEpoch = leaderEpoch;
    return;
  }
  group.votedFor = runId;
  group.votedAt = context.now;
  group.voteEnded = false;
  context.event("warning", "+vote-for-leader", null, `${runId} ${group.leaderEpoch}`);
  surrender(context, group);
  if (runId !== context.myId) {
    group.failoverStartedAt = context.now + context.hooks.random() * DESYNCHRONIZE_MS;
  }
}

/** Who leads the failover of an epoch; null if nobody has the votes. Gives our own vote, if it is free. */
export function leaderOf(context: ControlContext, group: Group, epoch: number): string | null {
  const votes = new Map<string, number>();
  const count = (runId: string) => votes.set(runId, (votes.get(runId) ?? 0) + 1);
  for (const peer of group.peers.values()) {
    if (peer.leader !== null && peer.leaderEpoch === context.currentEpoch) count(peer.leader);
  }
  const foremost = () => [...votes].sort((one, other) => other[1] - one[1])[0];
  // Our vote goes to whoever is ahead, so that somebody wins; if nobody is, to ourselves.
  const own = vote(context, group, epoch, foremost()?.[0] ?? context.myId);
  if (own.leader !== null && own.epoch === epoch) count(own.leader);
  const best = foremost();
  if (best === undefined) return null;
  return best[1] >= votesNeeded(group) ? best[0] : null;
}

/** How many have to agree: the majority of all who are known, and no fewer than the quorum. */
export function votesNeeded(group: Group): number {
  const voters = group.peers.size + 1;
  return Math.max(Math.floor(voters / 2) + 1, group.settings.quorum);
}

/** Asks the peers what they think of the master, and for their votes while there is a failover to lead. */
export function askPeers(context: ControlContext, group: Group, atOnce: boolean): void {
  const { askPeriod } = context.periods;
  const { failover, master } = group;
  for (const peer of group.peers.values()) {
    if (context.reached(peer.downAnsweredAt + askPeriod * STALE_PERIODS)) {
      peer.masterDown = false;
      peer.leader = null;
    }
    const wantsVotes = failover !== null && failover.state === "wait_start" &&
      (!failover.forced || leaseWanted(context, group));
    if ((master.downSince === null && !wantsVotes) || !peer.connected) continue;
    const last = Math.max(peer.downAnsweredAt, peer.downAskedAt);
    const pause = askPause(context, group, peer);
    if (!atOnce && !context.reached(last + pause)) continue;
    const candidate = failover === null ? "*" : context.myId;
    const command = [
      "SENTINEL",
      "IS-MASTER-DOWN-BY-ADDR",
      context.announced(master),
      String(master.port),
      String(context.currentEpoch),
      candidate,
    ];
    context.send(peer, command, (reply) => noteOpinion(context, group, peer, reply));
    peer.downAskedAt = context.now;
    context.reached(context.now + pause);
  }
}

/** Others notice a moment later than we do: whoever hasn't yet is asked again soon, for a while. */
function askPause(context: ControlContext, group: Group, peer: Peer): number {
  const { askPeriod } = context.periods;
  const since = group.master.downSince ?? context.now;
  const settled = peer.masterDown && group.failover === null;
  if (settled || context.now - since > EAGER_MS) return askPeriod;
  return Math.min(askPeriod, EAGER_PAUSE_MS);
}

function noteOpinion(context: ControlContext, group: Group, peer: Peer, reply: PlainValue): void {
  if (!Array.isArray(reply) || reply.length < 3) return;
  const [down, leader, epoch] = reply;
  peer.downAnsweredAt = context.now;
  peer.masterDown = down === 1;
  if (typeof leader !== "string" || leader === "*" || typeof epoch !== "number") return;
  if (peer.leaderEpoch !== epoch || peer.leader !== leader) {
    context.log("warning", `${peer.runId} voted for ${leader} ${epoch}`);
  }
  peer.leader = leader;
  peer.leaderEpoch = epoch;
  group.wakeAt = context.now;
}
