/**
 * What can't go on: clients whose next command nobody can take, commands that are to be sent once more, connections of clients' own that
 * need a master. All of it goes on as soon as it can, and ends with an error after `hold-ms`.
 *
 * @module
 */
import { sendBeforeWait } from "./blocking_command.ts";
import { fillWithErrors } from "./rescue.ts";
import type { Router } from "./router.ts";
import type { Run } from "./run.ts";
import type { RouterSession } from "./session.ts";
import type { Group, OwnLane } from "./session_host.ts";
import type { Upstream } from "./upstream.ts";

/** How often is looked at who has waited for too long, in ms. */
const LOOK_MS = 50;
/** After something was heard of a node, those who wait are looked at within so many ms. */
const SOON_MS = 2;

/** See the head of this file. */
export class Holding {
  /** Clients, and how many bytes of commands of each wait. */
  private readonly held = new Map<RouterSession, number>();
  private heldBytes = 0;
  /** Commands that are to be sent once more, in the order in which they were sent before. */
  private retries: Run[] = [];
  /** Clients that wait until a node takes what was sent to it. */
  private stalled = new Set<RouterSession>();
  private readonly lanes = new Set<OwnLane>();
  private lookTimer: ReturnType<typeof setInterval> | undefined;
  private soonTimer: ReturnType<typeof setTimeout> | undefined;
  private pumpIsDue = false;

  /** Nothing waits yet. */
  constructor(private readonly router: Router) {}

  /** How many clients wait. */
  get count(): number {
    return this.held.size;
  }

  /** Nothing goes on any more. */
  stop(): void {
    clearInterval(this.lookTimer);
    clearTimeout(this.soonTimer);
    this.lookTimer = this.soonTimer = undefined;
    this.held.clear();
    this.retries = [];
    this.lanes.clear();
  }

  /** Nobody can take these commands: whether they were answered with errors, since their client has waited for too long. */
  hold(session: RouterSession, group: Group): boolean {
    const { options, nowMs } = this.router;
    if (session.heldSinceMs < 0) session.heldSinceMs = nowMs;
    const isLate = nowMs - session.heldSinceMs >= options.holdMs;
    if (isLate || this.heldBytes > options.holdBytes) {
      const error = this.errorFor(group.toMaster, isLate);
      for (let count = 0; count < group.count; count++) this.router.sayError(session, error);
      return true;
    }
    this.forget(session);
    const bytes = session.waitingBytes;
    this.held.set(session, bytes);
    this.heldBytes += bytes;
    this.startLooking();
    return false;
  }

  /** What a command gets that nobody takes. */
  errorFor(toMaster: boolean, isLate: boolean): string {
    const { topology, options } = this.router;
    const reason = toMaster ? topology.writeTrouble : topology.readTrouble;
    const waited = isLate ? `for ${options.holdMs} ms` : `now, and too many commands wait already`;
    const what = toMaster ? "No master takes commands" : "No node answers reads";
    return `MASTERDOWN ${what} ${waited}: ${reason}. The command was not carried out`;
  }

  /** A client waits until a node takes more. */
  stall(session: RouterSession): boolean {
    session.isWaiting = true;
    this.stalled.add(session);
    return false;
  }

  /** A node takes more. */
  unstall(): void {
    if (this.stalled.size === 0) return;
    const sessions = this.stalled;
    this.stalled = new Set();
    for (const session of sessions) session.process();
    this.router.flushClients();
  }

  /** A client is gone, or goes on. */
  forget(session: RouterSession): void {
    const bytes = this.held.get(session);
    if (bytes === undefined) return;
    this.held.delete(session);
    this.heldBytes -= bytes;
  }

  /** A connection of a client's own needs a master. */
  addLane(lane: OwnLane): void {
    this.lanes.add(lane);
    this.startLooking();
  }

  /** It has one, or needs none any more. */
  removeLane(lane: OwnLane): void {
    this.lanes.delete(lane);
  }

  /** Commands of a client are to be sent once more; it waits until they are. */
  repeat(session: RouterSession, runs: readonly Run[]): void {
    if (runs.length === 0) return;
    session.retrying += runs.length;
    for (const run of runs) {
      // A command that waits at a node for something to happen hasn't waited for a node meanwhile.
      if (run.isExclusive) run.startedMs += this.router.nowMs - run.sentMs;
    }
    this.retries.push(...runs);
    this.startLooking();
    if (this.pumpIsDue) return;
    this.pumpIsDue = true;
    queueMicrotask(() => {
      this.pumpIsDue = false;
      this.sendAgain();
      this.router.flushClients();
    });
  }

  /** Something may have become better: all try again. */
  wake(): void {
    if (this.retries.length > 0) this.sendAgain();
    for (const lane of [...this.lanes]) lane.retry();
    if (this.held.size > 0) {
      const sessions = [...this.held.keys()];
      this.held.clear();
      this.heldBytes = 0;
      for (const session of sessions) session.process();
    }
    this.router.flushClients();
  }

  /** Likewise, but not many times in a row. */
  wakeSoon(): void {
    if (this.soonTimer !== undefined || this.isEmpty) return;
    this.soonTimer = setTimeout(() => {
      this.soonTimer = undefined;
      this.router.tick();
      this.wake();
    }, SOON_MS);
  }

  /** Whether nothing waits. */
  private get isEmpty(): boolean {
    return this.held.size === 0 && this.retries.length === 0 && this.lanes.size === 0;
  }

  /** Looks again and again at who has waited for too long, as long as anybody waits. */
  private startLooking(): void {
    this.lookTimer ??= setInterval(() => {
      if (this.isEmpty) {
        clearInterval(this.lookTimer);
        this.lookTimer = undefined;
        return;
      }
      this.router.tick();
      this.wake();
    }, LOOK_MS);
  }

  /** Sends commands once more. None overtakes another one of its client. */
  private sendAgain(): void {
    const { router, router: { nowMs, options: { holdMs } } } = this;
    const { retries } = this;
    this.retries = [];
    const stuck = new Set<RouterSession>();
    for (const run of retries) {
      const session = run.owner as RouterSession;
      if (session.isClosed) continue;
      const upstream = stuck.has(session) ? null : this.upstreamFor(session, run);
      if (upstream !== null) {
        if (run.writes === 0) router.statistics.retriedReads += run.count;
        if (run.isWait) sendBeforeWait(upstream);
        run.sentMs = nowMs;
        upstream.send(run, run.copy!, 0, run.copy!.length);
      } else if (nowMs - run.startedMs >= holdMs) {
        fillWithErrors(run, this.errorFor(run.toMaster, true));
        session.advance();
      } else {
        stuck.add(session);
        this.retries.push(run);
        continue;
      }
      if (--session.retrying === 0) session.touch();
    }
  }

  /** The connection for commands that are sent once more; null while there is none, or others of the same client have to be done first. */
  private upstreamFor(session: RouterSession, run: Run): Upstream | null {
    const { router, router: { topology, topology: { master } } } = this;
    const isOrdered = router.options.consistency !== "eventual";
    const origin = run.origin ?? session;
    const { resp, database } = origin;
    if (run.toMaster || run.isExclusive) {
      const isThere = run.writes > 0 ? topology.mayWrite : master !== null && master.isMaster;
      if (!isThere) return null;
      if (run.isExclusive) return master!.exclusive(resp, database);
      const upstream = router.masterLane(master!, session, origin, run.writes > 0);
      return isOrdered && session.line.hasRunsElsewhereBefore(run, upstream) ? null : upstream;
    }
    const writing = isOrdered ? session.line.writingUpstreamBefore(run) : null;
    if (writing !== null && !writing.isClosed) {
      const { shape } = writing;
      return shape.resp === resp && shape.database === database ? writing : null;
    }
    const node = topology.reader(session.batch);
    if (node === null) return null;
    return node === master
      ? router.masterLane(node, session, origin, false)
      : node.lane(resp, database, false, 0);
  }
}
