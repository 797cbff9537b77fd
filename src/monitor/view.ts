/**
 * What a monitor shows of itself: `/api/state` as JSON, and by it the page, `status` and `/metrics`.
 *
 * @module
 */

/** A node of a group. */
export interface NodeView {
  /** `host:port`. */
  readonly address: string;
  /** What it is, by its own word. */
  readonly role: "master" | "replica" | "unknown";
  /** Flags in Sentinel's words: `s_down`, `o_down`, `disconnected`, `reconf_sent`, ... */
  readonly flags: readonly string[];
  /** Its run id; empty while it hasn't said. */
  readonly runId: string;
  /** The replication offset that it said last; null if unknown. */
  readonly offset: number | null;
  /** By how many bytes the master is ahead; null if unknown. */
  readonly lagBytes: number | null;
  /** For how long it has been behind, in ms; 0 if it isn't, null if unknown. */
  readonly lagMs: number | null;
  /** Whether a replica's link to its master is up; null for a master. */
  readonly linkUp: boolean | null;
  /** Its `replica-priority`; null for a master. */
  readonly priority: number | null;
  /** Its share of the reads beside the others. */
  readonly weight: number;
  /** Whether the router sends reads to it. */
  readonly readable: boolean;
  /** Why no reads are sent to it; empty if they are. */
  readonly unreadableReason: string;
  /** Ms since its last good answer to PING; null if there was none. */
  readonly lastOkPingMs: number | null;
  /** Commands per second that the router has sent to it lately. */
  readonly commandsPerSecond: number;
  /** How many of its replies are waited for. */
  readonly outstanding: number;
}

/** Another sentinel or monitor. */
export interface PeerView {
  /** `host:port` of its Sentinel API. */
  readonly address: string;
  /** Its run id. */
  readonly runId: string;
  /** Flags in Sentinel's words. */
  readonly flags: readonly string[];
  /** Whether it is a miniredis monitor that knows leases; null while it hasn't said. */
  readonly knowsLease: boolean | null;
  /** Ms since its last hello message; null if there was none. */
  readonly lastHelloMs: number | null;
}

/** A group of a master and its replicas. */
export interface GroupView {
  /** Its name, `mymaster`. */
  readonly name: string;
  /** How it is. */
  readonly status: "ok" | "master down" | "failover" | "unknown master" | "trouble";
  /** What is wrong, in one sentence for people; empty when nothing is. */
  readonly trouble: string;
  /** The epoch of its configuration, which each failover raises. */
  readonly configEpoch: number;
  /** How many monitors have to agree that the master is down. */
  readonly quorum: number;
  /** After how many ms without a good answer a node counts as down. */
  readonly downAfterMs: number;
  /** The state of the failover in Sentinel's words (`none`, `wait_start`, `select_slave`, ...). */
  readonly failoverState: string;
  /** `host:port`, or empty. */
  readonly master: string;
  /** The master and the replicas that are known. */
  readonly nodes: readonly NodeView[];
  /** The other sentinels and monitors that are known. */
  readonly peers: readonly PeerView[];
  /** The lease: off, or whether it is held and for how many ms still. */
  readonly lease: { readonly mode: "off" | "held" | "missing"; readonly leftMs: number };
  /** Whether the router stands in front of this group. */
  readonly routed: boolean;
  /** Whether the router sends writes to the master now; false if it doesn't stand in front. */
  readonly writable: boolean;
  /** Why they aren't; empty if they are. */
  readonly unwritableReason: string;
}

/** Latency of commands through the router in the last second, in ms. */
export interface LatencyView {
  /** What half of the commands took at most. */
  readonly p50: number;
  /** What 99 of 100 took at most. */
  readonly p99: number;
  /** The longest. */
  readonly max: number;
}

/** The router. */
export interface RouterView {
  /** `host:port` that clients connect to, or empty. */
  readonly listens: string;
  /** Clients that are connected. */
  readonly clients: number;
  /** Those of them whose commands wait for a node that takes them. */
  readonly heldClients: number;
  /** Since the start. */
  readonly totals: {
    readonly connections: number;
    readonly reads: number;
    readonly writes: number;
    /** Replies that were errors of the router's own, by their first word. */
    readonly errors: Readonly<Record<string, number>>;
    /** Reads that were sent once more, elsewhere. */
    readonly retriedReads: number;
    /** Writes whose outcome nobody knows. */
    readonly unknownOutcomes: number;
    readonly bytesIn: number;
    readonly bytesOut: number;
  };
  /** Of the last second. */
  readonly readsPerSecond: number;
  /** Likewise, writes. */
  readonly writesPerSecond: number;
  /** How long reads took. */
  readonly readLatency: LatencyView;
  /** How long writes took. */
  readonly writeLatency: LatencyView;
  /** What a client may count on when it reads, as `--consistency` names it. */
  readonly consistency: string;
  /** From whom reads are taken, as `--read-from` names it. */
  readonly readFrom: string;
  /** How many replicas have to have a write before it is answered. */
  readonly minAcks: number;
}

/** One line of the event log. */
export interface EventView {
  /** A number that grows by one with each. */
  readonly number: number;
  /** Unix time in ms. */
  readonly timeMs: number;
  /** Sentinel's name of it (`+sdown`, `+switch-master`), or our own. */
  readonly type: string;
  /** What it is about, as the Sentinel API publishes it. */
  readonly text: string;
}

/** One second of the charts. */
export interface SampleView {
  /** Unix time in ms. */
  readonly timeMs: number;
  /** Reads of that second. */
  readonly reads: number;
  /** Writes of that second. */
  readonly writes: number;
  /** Latency that half of the reads had at most, in ms. */
  readonly readP50: number;
  /** Latency that 99 of 100 reads had at most, in ms. */
  readonly readP99: number;
  /** Latency that half of the writes had at most, in ms. */
  readonly writeP50: number;
  /** Latency that 99 of 100 writes had at most, in ms. */
  readonly writeP99: number;
  /** By how many bytes each replica was behind, by its address. */
  readonly lagBytes: Readonly<Record<string, number>>;
}

/** All of it: the answer to `/api/state`. */
export interface StateView {
  /** The version of miniredis. */
  readonly version: string;
  /** The monitor's run id. */
  readonly runId: string;
  /** When this was so, unix time in ms. */
  readonly timeMs: number;
  /** Ms since the monitor's start. */
  readonly uptimeMs: number;
  /** The newest epoch that it knows of. */
  readonly currentEpoch: number;
  /** Whether it is in TILT mode, in which it decides nothing. */
  readonly tilt: boolean;
  /** The router; null without one. */
  readonly router: RouterView | null;
  /** The groups that it watches. */
  readonly groups: readonly GroupView[];
  /** The newest last; at most the last 200. */
  readonly events: readonly EventView[];
  /** The last five minutes, a second each, the newest last. */
  readonly samples: readonly SampleView[];
}

/** What the web page and the other shows stand on. */
export interface MonitorFace {
  /** The state now. */
  state(): StateView;
  /**
   * Starts a failover by hand.
   *
   * @returns nothing, or why it can't be (Sentinel's error text: `NOGOODSLAVE No suitable replica to promote`).
   */
  failover(group: string): string | undefined;
  /** Told of each event from now on; call what it returns to end that. */
  onEvent(listener: (event: EventView) => void): () => void;
}
