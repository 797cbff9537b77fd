/**
 * The lease: the right of a router to send writes for a short time, given by a majority of monitors.
 *
 * Without it, a router that is cut off from the others (with the old master on its side of the cut) goes on writing to that master
 * while the others have long promoted a replica. Sentinel's answer is to let that happen and lose those writes. Among miniredis monitors:
 *
 * - Each monitor asks all others, several times in L: `SENTINEL LEASE name host port config-epoch ended-epoch run-id
 *   lease-ms surrendered`. L is a third of down-after, at most 2 s.
 * - Its router sends writes only until `L` after the moment at which the request was *sent* that, counted from the newest, the
 *   needed number of monitors (itself included) has granted. Needed are the majority of all known, and no fewer than the quorum.
 *
 * A monitor grants a request for the configuration of epoch E unless
 * 1. it knows a newer configuration, or was asked for one;
 * 2. it has given its vote in an election of a later epoch than E, which may still be under way (see below);
 * 3. it has granted for an older configuration, less than L ago, to somebody who may still use that;
 * 4. it was started less than L ago: it doesn't remember whom it has granted what.
 *
 * **Why no two routers send writes to two masters.** Two masters belong to two configurations, of epochs E < F. Each of the two leases was granted by
 * a majority, so there is a monitor Q that has granted both. Not F first: by 1. it wouldn't have granted E then. So E came first, and by 3. Q has
 * granted F only when its grant for E had run out, or when its holder had given it back. The lease for E ended no later than L
 * after a request that Q has granted. (Configurations of the same epoch have the same master: only the one leader of that
 * epoch has made it; for the first, which nobody has made, the master's address in the request has to be the same.)
 *
 * **Giving back.** Waiting for L at each failover would be a pity. Whoever votes in an election gives his lease back in the same moment: his router
 * stops, and answers to requests that he sent before don't count any more. (With `--min-acks` it passes on for LAST_WORD_MS what the master says of
 * writes that were under way, and the leader waits that out before it looks at what replicas have.) The leader names in its requests all those whose votes
 * it has (`surrendered`); to whom of them Q had granted before Q itself voted, those grants don't count for 3.
 *
 * **Why acknowledged writes aren't lost.** The leader chooses its replica only after all known monitors have voted for it, or L (and a margin)
 * after it had the votes: by then no router sends writes to the old master, or tells anybody that replicas have one that was sent
 * before, so what the replicas say then is all there is. By 2. that
 * stays so until the promotion: voters grant nothing for E any more until they know F, or the leader says that it has given up
 * (`ended-epoch` in its own requests for E), or the failover timeout (and a margin) is over, before which the leader has either
 * promoted or given up by its own clock. A vote is on disk before it is given, but not for whom: after a restart that time begins anew, unless
 * all peers say that their elections are over.
 *
 * **What it stands on.** Monotonic clocks that run equally fast within a tenth; a host that sleeps stops this clock, so a monitor in a virtual machine that is
 * frozen and thawed may send what it has just checked (as may any write that the network delays). The same down-after and failover timeout on all
 * monitors, and a quorum that is a majority of all there are: without one, monitors that don't know of each other yet are
 * majorities of their own. And no stock sentinel in the group, which knows none of this: with one, `auto` turns the lease off,
 * and the guarantee is Sentinel's.
 *
 * @module
 */
import type { PlainValue } from "../../protocol/reply.ts";
import type { ControlContext } from "./context.ts";
import { votesNeeded } from "./election.ts";
import type { Peer } from "./endpoint.ts";
import type { Failover, Group } from "./group.ts";
import { LAST_WORD_MS } from "../routing.ts";
import { minAcksOf } from "./history.ts";
import { setTrouble } from "./trouble.ts";

const LONGEST_LEASE_MS = 2000;
/** Clocks run differently, and messages travel. */
const DRIFT = 1.1;
const MARGIN_MS = 20;
/** How much longer than the failover timeout a vote binds. */
const VOTE_MARGIN_MS = 1000;
/** How often a stock sentinel is asked whether it is one still. */
const ASK_STOCK_PEERS_MS = 10_000;

/** A request for a lease. */
export interface LeaseRequest {
  /** Who asks, for which master of which configuration. */
  readonly runId: string;
  /** Where the master is. */
  readonly host: string;
  /** The master's port. */
  readonly port: number;
  /** The epoch of the configuration. */
  readonly configEpoch: number;
  /** All elections up to this epoch that it was the leader of are over. */
  readonly endedEpoch: number;
  /** For how long. */
  readonly leaseMs: number;
  /** Run ids of those who have voted for it in the epoch of its configuration. */
  readonly surrendered: readonly string[];
}

/** A lease that was granted, as the one who did it remembers it. */
export interface Grant {
  /** For the configuration of which epoch. */
  readonly epoch: number;
  /** When, by the monotonic clock. */
  readonly at: number;
  /** For how long. */
  readonly leaseMs: number;
}

/** For how long a lease is asked for. */
export function leaseMsOf(group: Group): number {
  return Math.min(LONGEST_LEASE_MS, Math.max(30, Math.floor(group.settings.downAfterMs / 3)));
}

/** Whether writes need a lease in this group. */
export function leaseWanted(context: ControlContext, group: Group): boolean {
  if (context.settings.lease === "no" || group.alone) return false;
  if (context.settings.lease === "yes") return true;
  return ![...group.peers.values()].some((peer) => peer.knowsLease === false);
}

/** Gives the lease back: our vote is for somebody who wants to promote another master. */
export function surrender(context: ControlContext, group: Group): void {
  if (!leaseWanted(context, group)) return;
  group.leaseGeneration++;
  for (const peer of group.peers.values()) peer.grantedAt = Number.NEGATIVE_INFINITY;
  setLease(context, group, 0);
}

/** Whether no other router may send writes to the old master any more: then the leader may choose a new one. */
export function othersAreFenced(
  context: ControlContext,
  group: Group,
  failover: Failover,
): boolean {
  if (!leaseWanted(context, group)) return true;
  const open = [...group.peers.values()].some((peer) =>
    peer.leader !== context.myId || peer.leaderEpoch !== failover.epoch
  );
  const electedAt = failover.electedAt ?? context.now;
  if (context.reached(electedAt + leaseMsOf(group) * DRIFT + MARGIN_MS)) return true;
  if (open) return false;
  failover.surrenderedAt ??= context.now;
  return minAcksOf(context, group) === 0 ||
    context.reached(failover.surrenderedAt + LAST_WORD_MS * DRIFT + MARGIN_MS);
}

/** Asks for what is due, and tells the router what it has. */
export function tendLease(context: ControlContext, group: Group): void {
  if (!leaseWanted(context, group)) {
    if (context.settings.lease === "auto" && !group.alone) sayOff(context, group);
    setLease(context, group, Number.POSITIVE_INFINITY);
    askStockPeers(context, group);
    return;
  }
  // A router that was told nothing yet would need none.
  if (group.leaseUntil === Number.POSITIVE_INFINITY || group.leaseUntil < 0) {
    setLease(context, group, 0);
  }
  const period = leaseMsOf(group) / 4;
  for (const peer of group.peers.values()) {
    // Who has no router asks, too: only with a lease he knows that his configuration is the newest.
    if (!peer.connected) continue;
    const due = Math.max(peer.leaseAskedAt + period, group.leaseAskedAt);
    if (context.reached(due)) ask(context, group, peer);
    context.reached(peer.leaseAskedAt + period);
  }
  if (group.leaseUntil > 0) context.reached(group.leaseUntil);
}

/** In the place of a stock sentinel there may be one of us by now, which has taken over its file. */
function askStockPeers(context: ControlContext, group: Group): void {
  if (context.settings.lease !== "auto") return;
  for (const peer of group.peers.values()) {
    if (peer.knowsLease !== false || !peer.connected) continue;
    if (context.reached(peer.leaseAskedAt + ASK_STOCK_PEERS_MS)) ask(context, group, peer);
    context.reached(peer.leaseAskedAt + ASK_STOCK_PEERS_MS);
  }
}

/** Grants a lease, or doesn't; see the head of this file. */
export function grantLease(
  context: ControlContext,
  group: Group,
  request: LeaseRequest,
): boolean {
  const { configEpoch, runId } = request;
  noteEnded(group, runId, request.endedEpoch);
  if (configEpoch < group.configEpoch || configEpoch < group.grantFloor) return false;
  const { currentMaster } = group;
  const sameMaster = context.resolve(request.host) === currentMaster.ip &&
    request.port === currentMaster.port;
  if (configEpoch === group.configEpoch && !sameMaster) return false;
  // Nobody gets one for what was before this, whether this is granted or not.
  group.grantFloor = Math.max(group.grantFloor, configEpoch);
  if (isBoundByVote(context, group, configEpoch)) return false;
  if (context.now < context.startedAt + leaseMsOf(group) * DRIFT) return false;
  const older = [...group.grants].filter(([, grant]) => grant.epoch < configEpoch);
  for (const [holder, grant] of older) {
    if (holder === runId) continue;
    const over = context.now >= grant.at + grant.leaseMs * DRIFT;
    const givenBack = request.surrendered.includes(holder) && group.votedFor === runId &&
      group.leaderEpoch === configEpoch && grant.at <= group.votedAt;
    if (!over && !givenBack) return false;
  }
  // They are over for good.
  for (const [holder] of older) group.grants.delete(holder);
  group.grants.set(runId, { epoch: configEpoch, at: context.now, leaseMs: request.leaseMs });
  return true;
}

/** Somebody says that his elections up to an epoch are over. */
function noteEnded(group: Group, runId: string, epoch: number): void {
  const peer = group.peers.get(runId);
  if (peer !== undefined) peer.endedEpoch = Math.max(peer.endedEpoch, epoch);
  if (group.votedFor !== null) {
    if (runId === group.votedFor && epoch >= group.leaderEpoch) group.voteEnded = true;
    return;
  }
  // The vote was given before a restart: to us, and then it is over, or to one of those.
  const peers = [...group.peers.values()];
  if (peers.length < group.savedPeers) return;
  if (peers.every(({ endedEpoch }) => endedEpoch >= group.leaderEpoch)) group.voteEnded = true;
}

/** For how many ms writes may still be sent; Infinity without a lease. */
export function leaseLeft(context: ControlContext, group: Group): number {
  return Math.max(0, group.leaseUntil - context.now);
}

/** Whether a vote of ours forbids anything in favour of a configuration. */
function isBoundByVote(context: ControlContext, group: Group, configEpoch: number): boolean {
  if (group.leaderEpoch <= configEpoch || group.voteEnded) return false;
  const until = group.votedAt + group.settings.failoverTimeoutMs * DRIFT + VOTE_MARGIN_MS;
  return context.now < until;
}

function ask(context: ControlContext, group: Group, peer: Peer): void {
  const sentAt = context.now;
  const epoch = group.configEpoch;
  const generation = group.leaseGeneration;
  const master = group.currentMaster;
  // An election that is under way isn't over.
  const running = group.failover !== null && !group.hasSwitched;
  const command = [
    "SENTINEL",
    "LEASE",
    group.name,
    context.announced(master),
    String(master.port),
    String(epoch),
    String(running ? 0 : context.currentEpoch),
    context.myId,
    String(leaseMsOf(group)),
    surrenderedFor(group, epoch).join(",") || "-",
  ];
  peer.leaseAskedAt = sentAt;
  context.send(peer, command, (reply) => {
    learnKnowledge(context, group, peer, reply);
    const valid = generation === group.leaseGeneration && epoch === group.configEpoch;
    if (valid && Array.isArray(reply) && reply[0] === 1) {
      peer.grantedAt = Math.max(peer.grantedAt, sentAt);
      extend(context, group, sentAt);
    }
    group.wakeAt = context.now;
  });
}

/** Whether a peer is one of us, by its answer. */
function learnKnowledge(
  context: ControlContext,
  group: Group,
  peer: Peer,
  reply: PlainValue,
): void {
  if (!(reply instanceof Error)) peer.knowsLease = true;
  else if (/unknown (subcommand|command)/i.test(reply.message)) {
    peer.knowsLease = false;
    if (context.settings.lease !== "yes") return;
    const text = `${peer.host}:${peer.port} is a stock sentinel, which grants no lease`;
    setTrouble(context, group, "lease", `${text}: no writes (lease yes)`);
  }
}

/** Says once in the log that the guarantee is a lesser one. */
function sayOff(context: ControlContext, group: Group): void {
  if (group.stockPeerLogged) return;
  group.stockPeerLogged = true;
  context.log(
    "warning",
    `${group.name}: there are stock sentinels in this group, which know no lease: if the network is cut, a router on the ` +
      `side of the old master goes on writing to it, as with Sentinel (lease auto)`,
  );
}

/** Lets the router write until L after the needed number of grants. */
function extend(context: ControlContext, group: Group, sentAt: number): void {
  const epoch = group.configEpoch;
  const own = grantLease(context, group, {
    runId: context.myId,
    host: context.announced(group.currentMaster),
    port: group.currentMaster.port,
    configEpoch: epoch,
    endedEpoch: 0,
    leaseMs: leaseMsOf(group),
    surrendered: surrenderedFor(group, epoch),
  });
  // Whoever has voted for a change waits for it.
  if (isBoundByVote(context, group, epoch)) return;
  const times = [...group.peers.values()].map((peer) => peer.grantedAt);
  times.push(own ? sentAt : Number.NEGATIVE_INFINITY);
  times.sort((one, other) => other - one);
  const needed = times[votesNeeded(group) - 1];
  if (needed === undefined || needed === Number.NEGATIVE_INFINITY) return;
  const until = needed + leaseMsOf(group);
  if (until > group.leaseUntil) setLease(context, group, until);
}

/** Who is known to have given his lease back for the configuration of an epoch. */
function surrenderedFor(group: Group, epoch: number): readonly string[] {
  return group.surrendered.epoch === epoch ? group.surrendered.runIds : [];
}

/** Remembers whose votes made a configuration. */
export function rememberSurrender(context: ControlContext, group: Group, epoch: number): void {
  const runIds = [...group.peers.values()]
    .filter((peer) => peer.leader === context.myId && peer.leaderEpoch === epoch)
    .map((peer) => peer.runId);
  group.surrendered = { epoch, runIds: [...runIds, context.myId] };
}

function setLease(context: ControlContext, group: Group, untilMs: number): void {
  if (group.leaseUntil === untilMs) return;
  group.leaseUntil = untilMs;
  if (group.routed) context.act({ type: "lease", group: group.name, untilMs });
}
