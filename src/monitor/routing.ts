/**
 * What the control plane and the router tell each other: the one decides who is the master, the other sends
 * commands by it. Neither knows more of the other than this.
 *
 * @module
 */

/** Where a server listens. */
export interface NodeAddress {
  /** Its name or address, as it was given or announced. */
  readonly host: string;
  /** Its TCP port. */
  readonly port: number;
}

/** A replica that may serve reads. */
export interface RoutedReplica extends NodeAddress {
  /** Share of the reads that it gets beside the others; 0 for none. */
  readonly weight: number;
}

/**
 * Where commands go from now on. Each is whole: the router forgets the one before.
 */
export interface Routing {
  /** The configuration epoch that it belongs to. */
  readonly epoch: number;
  /** Who takes writes; null while nobody is known. */
  readonly master: NodeAddress | null;
  /**
   * Whether writes are sent to the master. While they aren't (a failover runs, two masters were found, the lease is
   * missing), the router holds new ones back for `hold-ms`, and then answers them with an error that says why.
   */
  readonly writable: boolean;
  /** Why writes are not sent, for the error; empty when they are. */
  readonly reason: string;
  /**
   * Whether the master's word on writes counts no more, since a successor is being chosen by what replicas have now: what it says from now on
   * to writes that wait for replicas (`min-acks`) is told to nobody as done.
   *
   * @default {false}
   */
  readonly fenced?: boolean;
  /** Who serves reads beside the master. */
  readonly replicas: readonly RoutedReplica[];
}

/**
 * For so many ms a router that gives its lease back goes on passing on what the master says of writes that were under way; whoever has
 * its vote waits that out.
 */
export const LAST_WORD_MS = 50;

/** How the control plane steers the router of a group. */
export interface RouterSteering {
  /**
   * Takes effect before it returns. Where the master is another one than before, connections to the old one are closed: writes that it
   * hasn't answered get the error that their outcome is unknown; reads are sent elsewhere.
   */
  apply(routing: Routing): void;
  /**
   * Until when (by the monotonic clock, in ms) writes may be sent; Infinity without a lease. It only grows while all is well. The router
   * looks at it right before it sends any, and when it passes on that enough replicas have one: for that, a lease that was given back lasts
   * {@linkcode LAST_WORD_MS} longer.
   */
  lease(untilMs: number): void;
  /**
   * Resolves when no write that was sent to the master is without its reply (commands that block don't count), or after `timeoutMs`:
   * whether all were answered. For after writes were stopped by {@linkcode apply}.
   */
  drained(timeoutMs: number): Promise<boolean>;
}

/** What the router tells the control plane. */
export interface RouterObserver {
  /** A node has refused or lost a connection, or has said that it isn't what it is taken for (a master that is a replica, say). */
  suspects(node: NodeAddress, reason: string): void;
}
