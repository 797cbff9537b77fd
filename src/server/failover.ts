/**
 * FAILOVER: a master and one of its replicas change places, without losing anything (https://redis.io/commands/failover/).
 *
 * Writes pause until a replica has all there is. Then this server follows it, and asks it with the same breath (`PSYNC ... FAILOVER`) to
 * be a master. If it won't, all is as it was.
 *
 * @module
 */
import { PAUSE_WRITES } from "./pause.ts";
import type { Replica } from "./replicas.ts";
import type { Replication } from "./replication.ts";
import type { Server } from "./server.ts";

/** How far it is, in the words of INFO. */
export type FailoverState = "no-failover" | "waiting-for-sync" | "failover-in-progress";

/** Where a server is. */
export interface FailoverTarget {
  /** Its host. */
  readonly host: string;
  /** Its port. */
  readonly port: number;
}

/** What FAILOVER asks for. */
export interface FailoverRequest {
  /** Which replica is to be the master; null for the first one that can. */
  readonly target: FailoverTarget | null;
  /** After so many ms it is given up; 0 for never. */
  readonly timeoutMs: number;
  /** Instead of being given up it is done anyway. */
  readonly force: boolean;
}

/** The failover of one server; see the head of this file. */
export class Failover {
  /** How far it is. */
  state: FailoverState = "no-failover";
  private request: FailoverRequest = { target: null, timeoutMs: 0, force: false };
  private dueMs = 0;
  /** Where the stream was when replicas were asked last. */
  private askedOffset: number = -1;

  /** For `server`. */
  constructor(private readonly server: Server, private readonly replication: Replication) {}

  /** Whether one has been begun; nothing may come behind what replicas have then, not even a PING. */
  get isUnderway(): boolean {
    return this.state !== "no-failover";
  }

  /** Whether this server follows the target, which is to be a master. */
  get isHandingOver(): boolean {
    return this.state === "failover-in-progress";
  }

  /** Begins one; whether it can be is known already. */
  start(request: FailoverRequest): void {
    const { server, server: { clients, clock, logger } } = this;
    const { target, timeoutMs } = request;
    this.request = request;
    this.state = "waiting-for-sync";
    this.askedOffset = -1;
    this.dueMs = timeoutMs === 0 ? Infinity : clock.now() + timeoutMs;
    logger.log(
      "notice",
      target === null
        ? "FAILOVER requested."
        : `FAILOVER requested to ${target.host}:${target.port}.`,
    );
    clients.pause.hold("failover", PAUSE_WRITES);
    server.journal.endTurn();
  }

  /** Gives it up; whether there was one. */
  abort(reason: string): boolean {
    if (!this.isUnderway) return false;
    const { logger } = this.server;
    const { target } = this.request;
    logger.log(
      "notice",
      target === null
        ? `Aborting failover. ${reason}`
        : `Aborting failover to ${target.host}:${target.port}. ${reason}`,
    );
    if (this.isHandingOver) this.replication.lead();
    this.end();
    return true;
  }

  /** The target won't be a master. */
  rejected(): void {
    this.abort("Failover target rejected psync request");
  }

  /** The target is the master now. */
  succeeded(): void {
    if (this.isHandingOver) this.end();
  }

  /** It is over: what was held back goes on. */
  private end(): void {
    this.state = "no-failover";
    this.server.clients.pause.letGo("failover");
  }

  /** Ten times a second: goes on if a replica has all, or gives it up. */
  tick(): void {
    if (this.state !== "waiting-for-sync") return;
    const { replication, server: { clock, logger } } = this;
    const { force, target } = this.request;
    if (clock.now() >= this.dueMs) {
      if (!force || target === null) {
        this.abort("Replica never caught up before timeout");
        return;
      }
      logger.log(
        "notice",
        `Failover to ${target.host}:${target.port} time out exceeded, failing over.`,
      );
      return this.follow(target);
    }
    const ready = [...replication.replicas.all].find((replica) => this.isReady(replica));
    if (ready === undefined) return this.askForAcks();
    const { host, port } = ready;
    logger.log("notice", `Failover target is synced, failing over to ${host}:${port}.`);
    this.follow({ host, port });
  }

  /** Has replicas say how far they have come, once for all that there is: the question itself makes the stream longer. */
  private askForAcks(): void {
    const { history, replicas } = this.replication;
    if (history.offset === this.askedOffset) return;
    replicas.askForAcks();
    this.askedOffset = history.offset;
  }

  /** Whether a replica may be the master, and has all there is. */
  private isReady(replica: Replica): boolean {
    const { target } = this.request;
    return (target === null || replica.isAt(target)) && replica.state === "online" &&
      replica.acknowledged === this.replication.history.offset;
  }

  /** Follows the new master. */
  private follow({ host, port }: FailoverTarget): void {
    this.state = "failover-in-progress";
    this.request = { ...this.request, target: { host, port } };
    this.replication.follow(host, port);
  }
}
