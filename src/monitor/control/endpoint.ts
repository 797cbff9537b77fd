/**
 * Whom the monitor talks to: nodes (masters and replicas) and peers (other sentinels and monitors), with what is known of each.
 *
 * All times are monotonic ms.
 *
 * @module
 */
import type { PlainValue } from "../../protocol/reply.ts";
import type { NodeInfo } from "./info.ts";

/** Takes the answer to a command. */
export type Answer = (reply: PlainValue) => void;

/** A connection, from the attempt to make it to its end. */
export class Link {
  /** Whether it stands. */
  open = false;
  /** When it stood, or while it doesn't, when it was tried. */
  since: number;
  /** Our own address on it. */
  local = "";
  /** Commands without an answer, by tag. */
  readonly pending: Map<number, Answer> = new Map();

  /** Makes one that is being tried. */
  constructor(
    readonly id: number,
    /** What it is for; see nudge.ts for the last. */
    readonly kind: "command" | "pubsub" | "nudge",
    readonly owner: Endpoint,
    now: number,
  ) {
    this.since = now;
  }
}

/** What nodes and peers have in common: an address, connections, and whether they answer. */
export abstract class Endpoint {
  /** The address of the host; null while its name isn't resolved. */
  ip: string | null = null;
  /** For commands. */
  command: Link | null = null;
  /** For hello messages, of nodes alone. */
  pubsub: Link | null = null;
  /** When the next attempt to connect may be made, and how many have failed one after the other. */
  commandRetryAt = 0;
  /** The same of the subscription. */
  pubsubRetryAt = 0;
  /** Attempts that have failed since one has succeeded. */
  commandFailures = 0;
  /** Attempts to subscribe that have failed since one has succeeded. */
  pubsubFailures = 0;
  /** When a PING was last answered well, and at all. */
  lastAvailable: number;
  /** When a PING was last answered at all. */
  lastPong: number;
  /** When a PING was last sent; and the first one since the last good answer, null if there is none. */
  lastPing = 0;
  /** Since when a PING waits for a good answer. */
  waitingSince: number | null;
  /** When something came over the channel. */
  pubsubActivity = 0;
  /** When a hello message was last sent to it. */
  lastPublish: number;
  /** Since when it counts as down for us alone; null if it doesn't. */
  downSince: number | null = null;
  /** When it last began to count as down; null if it never did. */
  wentDownAt: number | null = null;
  /** What it said when it refused us; empty if it doesn't. */
  refusal = "";

  /** Makes one that nothing is known of. */
  constructor(readonly groupName: string, public host: string, public port: number, now: number) {
    this.lastAvailable = now;
    this.lastPong = now;
    this.waitingSince = now;
    this.lastPublish = now;
  }

  /** What tells it from others: where it is. */
  get key(): string {
    return endpointKey(this.ip ?? this.host, this.port);
  }

  /** Whether commands can be sent. */
  get connected(): boolean {
    return this.command !== null && this.command.open;
  }

  /** Whether not all connections stand that there should be. */
  abstract get disconnected(): boolean;

  /** How many commands wait for answers. */
  get pendingCommands(): number {
    return (this.command?.pending.size ?? 0) + (this.pubsub?.pending.size ?? 0);
  }
}

/** What tells an address from others. */
export function endpointKey(host: string, port: number): string {
  return `${host}:${port}`;
}

/** How far a replica has been brought to its new master. */
export type ReconfigurationState = "none" | "sent" | "inprog" | "done";

/** A master or a replica. */
export class Node extends Endpoint {
  /** The id of its process. */
  runId = "";
  /** The answer to INFO, when it came, and what of it matters. */
  infoText = "";
  /** When it came. */
  infoAt: number | null = null;
  /** When it was asked for what it has answered last: what came after that, the answer doesn't tell. */
  infoAsOf: number = Number.NEGATIVE_INFINITY;
  /** What of it matters. */
  info: NodeInfo | null = null;
  /** When INFO was asked for; whether the answer is missing; whether the next one is wanted at once. */
  infoAskedAt: number = Number.NEGATIVE_INFINITY;
  /** Whether its answer is missing. */
  infoPending = false;
  /** Whether it is wanted at once. */
  infoWanted = true;
  /** The role that it said last, and since when. */
  roleReported: "master" | "slave";
  /** Since when. */
  roleReportedAt: number;
  /** The master that a replica said last, and since when. */
  masterHost = "";
  /** Its port. */
  masterPort = 0;
  /** Since when it is that one. */
  masterSince: number;
  /** Whether its link to that is up. */
  linkUp = false;
  /** For how long it has been down, by its own words. */
  masterLinkDownMs = 0;
  /** `replica-priority`: the lowest is promoted first, 0 never. */
  priority = 100;
  /** The replication offset that it said last. */
  offset = 0;
  /** Whether it wants to be shown. */
  announced = true;
  /** Since when it has been behind its master, for people. */
  behindSince: number | null = null;
  /** How far it has been brought to the new master, and when it was told. */
  reconfiguration: ReconfigurationState = "none";
  /** See before. */
  reconfigurationSentAt = 0;
  /** Whether it is the one that is being made a master. */
  promoted = false;
  /** Whether it was only named: nobody knows yet whether it belongs to the group. */
  stranger = false;
  /** Whether it was asked to end a script that runs too long. */
  scriptKillSent = false;
  /** When it was found to be another process than before; null once it answers PONG. */
  rebootedAt: number | null = null;

  /** Makes a node that nothing is known of, but the role that it is taken for. */
  constructor(
    groupName: string,
    host: string,
    port: number,
    readonly startsAs: "master" | "slave",
    now: number,
  ) {
    super(groupName, host, port, now);
    this.roleReported = startsAs;
    this.roleReportedAt = now;
    this.masterSince = now;
  }

  /** Whether a connection is missing. */
  override get disconnected(): boolean {
    return !this.connected || this.pubsub === null || !this.pubsub.open;
  }
}

/** Another sentinel or monitor. */
export class Peer extends Endpoint {
  /** The node epoch that it named in its last hello, and when that came. */
  lastHello: number;
  /** Whether it says that the master is down, and when it was asked and has answered that last. */
  masterDown = false;
  /** When it was asked. */
  downAskedAt: number = Number.NEGATIVE_INFINITY;
  /** When it has answered. */
  downAnsweredAt: number = Number.NEGATIVE_INFINITY;
  /** Its vote. */
  leader: string | null = null;
  /** The epoch of that. */
  leaderEpoch = 0;
  /** Whether it knows leases; null while it hasn't said. */
  knowsLease: boolean | null = null;
  /** When the newest request that it has granted was sent. */
  grantedAt: number = Number.NEGATIVE_INFINITY;
  /** When it was asked for one. */
  leaseAskedAt: number = Number.NEGATIVE_INFINITY;
  /** All elections up to this epoch that it was the leader of are over. */
  endedEpoch = 0;

  /** Makes a peer that has just said hello. */
  constructor(
    groupName: string,
    host: string,
    port: number,
    readonly runId: string,
    now: number,
  ) {
    super(groupName, host, port, now);
    this.lastHello = now;
  }

  /** Whether a connection is missing. */
  override get disconnected(): boolean {
    return !this.connected;
  }
}
