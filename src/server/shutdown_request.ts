/**
 * The way to a server's end: a shutdown that SHUTDOWN or a signal has asked for.
 *
 * What a signal asks for is done between two turns, at once or, while `DEBUG PAUSE-CRON` stops background work, after that.
 *
 * **Replicas that lag.** The end of a master would take with it what they haven't got yet. So writes pause, and the server waits until all
 * of them have acknowledged all there is, or `shutdown-timeout` seconds are over. Clients that have sent SHUTDOWN wait with it.
 * Until the end `SHUTDOWN ABORT` takes all of it back; they, and those whose SHUTDOWN can't be done since the data can't
 * be saved, hear of an error.
 *
 * @module
 */
import type { Blocked, Wait } from "../commands/wait.ts";
import { PAUSE_WRITES } from "./pause.ts";
import type { Server, ShutdownManner } from "./server.ts";
import type { ServerContext } from "./server_context.ts";

const FAILED = "ERR Errors trying to SHUTDOWN. Check logs.";

/** What a signal has asked for. */
interface Request {
  readonly manner: ShutdownManner;
  readonly stays: () => void;
}

/** A shutdown that waits for replicas. */
interface Pending {
  readonly manner: ShutdownManner;
  /** When it waits no longer, in unix ms. */
  readonly dueMs: number;
}

/** The shutdown that a server has been asked for, if any; see the head of this file. */
export class ShutdownRequest {
  /** What hasn't begun yet. */
  private request: Request | null = null;
  private pending: Pending | null = null;
  /** Clients whose SHUTDOWN waits. */
  private readonly waiting = new Set<Blocked>();
  /** Whom to tell if the server goes on after all. */
  private readonly staying: (() => void)[] = [];

  /** For `server`. */
  constructor(private readonly server: Server) {}

  /** How many ms are left of the time to wait for replicas; null if nothing is waited for. */
  get leftMs(): number | null {
    return this.pending === null ? null : Math.max(0, this.pending.dueMs - this.server.now());
  }

  /** A signal asks for it; `stays` is called if the server goes on nevertheless. */
  ask(manner: ShutdownManner, stays: () => void): void {
    if (this.pending !== null) {
      this.staying.push(stays);
      return;
    }
    this.request = { manner, stays };
    if (!this.server.cronPaused) this.run();
  }

  /** SHUTDOWN asks for it, in `context`; if it isn't the end at once, the client waits or hears of the error. */
  askBy(context: ServerContext, manner: ShutdownManner): void {
    const { pending, server } = this;
    if (!context.mayBlock) return context.reply.error(FAILED);
    // As with Redis, whatever else the second one asks for.
    if (pending !== null || this.begin(manner)) return this.wait(context);
    if (server.isStopping) return;
    context.reply.error(FAILED);
  }

  /** Ten times a second: does what was asked for, if it is time. */
  run(): void {
    const { pending, request, server } = this;
    if (pending !== null) {
      if (server.now() >= pending.dueMs || !this.replicasLag) this.finish(pending.manner);
      return;
    }
    if (request === null) return;
    this.request = null;
    this.staying.push(request.stays);
    this.begin(request.manner);
  }

  /** Takes back what was asked for; whether anything was. */
  abort(): boolean {
    const { pending, request, server } = this;
    if (pending === null && request === null) return false;
    if (request !== null) this.staying.push(request.stays);
    this.goOn();
    server.logger.log("notice", "Shutdown manually aborted.");
    return true;
  }

  /** Begins one, which is its end too unless replicas lag; whether it waits for them. */
  private begin(manner: ShutdownManner): boolean {
    const { server, server: { clients, journal, logger, replication, settings } } = this;
    if (server.isStopping) return false;
    logger.log("warning", "User requested shutdown...");
    const timeoutMs = settings.number("shutdown-timeout") * 1000;
    journal.endTurn();
    if (manner.now || timeoutMs === 0 || !this.replicasLag) {
      this.finish(manner);
      return false;
    }
    logger.log("notice", "Waiting for replicas before shutting down.");
    this.pending = { manner, dueMs: server.now() + timeoutMs };
    clients.pause.hold("shutdown", PAUSE_WRITES);
    // They would say so by themselves, but only once a second.
    replication.replicas.askForAcks();
    return true;
  }

  /** Has the client of a SHUTDOWN wait for the end, or for the error. */
  private wait(context: ServerContext): void {
    const wait: Wait = {
      endures: true,
      timeOut: (reply) => reply.error(FAILED),
      ended: () => this.waiting.delete(blocked),
    };
    const blocked = context.waitFor(wait, 0);
    this.waiting.add(blocked);
  }

  /** Whether there are replicas that haven't got all there is. */
  private get replicasLag(): boolean {
    const { history, replicas } = this.server.replication;
    return replicas.countLagging(history.offset) > 0;
  }

  /** Saves what is to be saved, and ends the server; or says that it goes on. */
  private finish(manner: ShutdownManner): void {
    const { server, server: { logger } } = this;
    server.journal.endTurn();
    this.logReplicas();
    if (server.canShutDown(manner)) {
      server.shutDownNow();
      return;
    }
    logger.log(
      "warning",
      "Errors trying to shut down the server. Check the logs for more information.",
    );
    this.goOn();
  }

  /** Tells the log which replicas lag, and how many don't. */
  private logReplicas(): void {
    const { clock, logger, replication: { history: { offset }, replicas } } = this.server;
    const { size } = replicas.all;
    if (size === 0) return;
    for (const replica of replicas.all) {
      if (replica.acknowledged === offset) continue;
      const behind = offset - Math.max(0, replica.acknowledged);
      logger.log(
        "warning",
        `Lagging replica ${replica.address} reported offset ${behind} behind master, ` +
          `lag=${replica.silentSeconds(clock.now())}, state=${replica.shownState}.`,
      );
    }
    const lagging = replicas.countLagging(offset);
    logger.log(
      "notice",
      `${size - lagging} of ${size} replicas are in sync when shutting down.`,
    );
  }

  /** The server goes on. */
  private goOn(): void {
    const { clients } = this.server;
    this.request = null;
    this.pending = null;
    for (const blocked of [...this.waiting]) blocked.finish((reply) => reply.error(FAILED));
    for (const stays of this.staying.splice(0)) stays();
    clients.pause.letGo("shutdown");
  }
}
