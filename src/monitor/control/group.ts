/**
 * A group of a master and its replicas, with all that the monitor knows and plans about it. All times are monotonic ms.
 *
 * @module
 */
import type { GroupOptions } from "../options.ts";
import type { Routing } from "../routing.ts";
import type { Link, Node, Peer } from "./endpoint.ts";
import type { Grant } from "./lease.ts";

/** The settings of a group, which SENTINEL SET changes. */
export type GroupSettings = { -readonly [Name in keyof GroupOptions]: GroupOptions[Name] };

/** Where a failover stands, in Sentinel's words. */
export type FailoverState =
  | "wait_start"
  | "select_slave"
  | "send_slaveof_noone"
  | "wait_promotion"
  | "reconf_slaves"
  | "update_config";

/** How far the switch of a healthy master has come; see handover.ts. */
export type HandoverPhase = "draining" | "drained" | "asked" | "put off" | "aborting";

/** A failover under way. */
export interface Failover {
  /** Where it stands. */
  state: FailoverState;
  /** The configuration epoch that it will make. */
  readonly epoch: number;
  /** Whether somebody asked for it, */
  readonly forced: boolean;
  /** though the master was down: he knows better than those who wait for replicas that may have more. */
  readonly overrides: boolean;
  /** When it began, and when its state last changed. */
  readonly startedAt: number;
  /** When its state last changed. */
  changedAt: number;
  /** When this monitor had the votes; null while it hasn't. */
  electedAt: number | null;
  /** When all others had voted for it, and given back their leases by that; null while they haven't. */
  surrenderedAt: number | null;
  /** The replica that is to be the master. */
  promoted: Node | null;
  /** Whether it must have the group's history as a master, since it had when it was chosen. */
  needsHistory: boolean;
  /** Which history that was. */
  chosenHistory: string;
  /** How far the master has come with handing over; null if it doesn't. */
  handover: HandoverPhase | null;
  /** Whether the master has agreed to hand over. */
  handoverAccepted: boolean;
  /** Whether the master has refused to hand over: it is done the usual way then. */
  handoverRefused: boolean;
  /** When the promoted node was asked for its role last, and whether the answer is missing. */
  probedAt: number;
  /** Whether that answer is missing. */
  probing: boolean;
  /** The connection by which the promoted node is asked to report to its master. */
  nudge: Link | null;
  /** When it was asked last. */
  nudgedAt: number;
  /** Whether it was said what is waited for. */
  waitLogged: boolean;
}

/** See the head of this file. */
export class Group {
  /** Who is the master. */
  master: Node;
  /** The others, by address. */
  readonly replicas: Map<string, Node> = new Map();
  /** Other sentinels and monitors, by run id. */
  readonly peers: Map<string, Peer> = new Map();
  /** The epoch of the failover that made the master one. */
  configEpoch = 0;
  /** The vote given last: for whom, in which epoch, when; and whether that election is known to be over. */
  leader: string | null = null;
  /** The epoch of that vote. */
  leaderEpoch = 0;
  /** The same as the leader, but it isn't forgotten when a new master is there. */
  votedFor: string | null = null;
  /** When it was given. */
  votedAt: number = Number.NEGATIVE_INFINITY;
  /** Whether its election is known to be over. */
  voteEnded = true;
  /** How many peers the state file named at the start: the vote was given to one of them or to us, which isn't in there. */
  savedPeers: number = Number.POSITIVE_INFINITY;
  /** What is under way. */
  failover: Failover | null = null;
  /** When the last failover began here or a vote for one was given: the next one isn't tried for some time. */
  failoverStartedAt: number = Number.NEGATIVE_INFINITY;
  /** For which attempt it was said that the next one has to wait. */
  delayLoggedFor: number | null = null;
  /** Since when a quorum says that the master is down; null if it doesn't. */
  objectivelyDownSince: number | null = null;
  /** How long after that a failover isn't begun yet: it is another time for each monitor. */
  hesitationMs = 0;
  /** Since when the master was silent when its replicas were asked about that. */
  replicasAskedFor: number = -1;
  /** When the group got its master. */
  switchedAt: number = Number.NEGATIVE_INFINITY;
  /** Whether the router stands in front of it. */
  routed = false;
  /** What the router was told last. */
  routing: Routing | null = null;
  /** What is wrong, by what it is about. */
  readonly troubles: Map<string, string> = new Map();
  /** When something is due next. */
  wakeAt = 0;
  /** Named nodes that nobody has seen in this group yet. */
  readonly strangers: Map<string, Node> = new Map();
  /** The history (replication id) of the master's data, and those before it; see history.ts. */
  history = "";
  /** Those that this one goes on from. */
  readonly formerHistories: Set<string> = new Set();
  /** The run id of the process that has named it. */
  historyRunId = "";
  /** Whether the master's process is another than the one that had the group's history. */
  historyLost = false;
  /** When that was seen. */
  lostAt = 0;
  /** Whether the next history that the master names is the group's, whatever it was before. */
  adoptsHistory = true;
  /** The lease, see lease.ts: as the router was told last; -1 as long as it wasn't. */
  leaseUntil: number = -1;
  /** From when on peers may be asked. */
  leaseAskedAt: number = Number.NEGATIVE_INFINITY;
  /** Grows when the lease is given back: older answers don't count then. */
  leaseGeneration = 0;
  /** Whether it was said that there is no lease. */
  stockPeerLogged = false;
  /** The newest configuration epoch that a lease was asked for, and the last grants, by the run ids of their holders. */
  grantFloor = 0;
  /** Who has given his lease back for the configuration that this monitor has made. */
  surrendered: { readonly epoch: number; readonly runIds: readonly string[] } = {
    epoch: -1,
    runIds: [],
  };
  /** What was granted last, by the run ids of the holders. */
  readonly grants: Map<string, Grant> = new Map();

  /** Makes a group whose replicas are still to be found. */
  constructor(readonly settings: GroupSettings, master: Node) {
    this.master = master;
  }

  /** Its name. */
  get name(): string {
    return this.settings.name;
  }

  /** Whether the new master of the failover under way has said that it is one. */
  get hasSwitched(): boolean {
    const state = this.failover?.state;
    return state === "reconf_slaves" || state === "update_config";
  }

  /** Who is the master by the newest configuration: the promoted node, as soon as it is one. */
  get currentMaster(): Node {
    return this.hasSwitched ? this.failover?.promoted ?? this.master : this.master;
  }

  /** The master and the replicas. */
  *nodes(): Generator<Node> {
    yield this.master;
    yield* this.replicas.values();
  }

  /** Whether nobody else has a say in this group. */
  get alone(): boolean {
    return this.peers.size === 0 && this.settings.quorum <= 1;
  }
}
