/**
 * A transaction: from WATCH or MULTI to EXEC or DISCARD a client has a connection to the master of its own.
 *
 * What it has sent is kept. If the master is lost before EXEC has left, all of it is sent to the new one, whose answers to what was answered
 * already are dropped. What was watched may have changed meanwhile: then EXEC does nothing and is answered with null, as when somebody
 * has changed a watched key.
 *
 * @module
 */
import type { RequestFrame } from "../../protocol/request_parser.ts";
import { encodeRequest } from "../../protocol/request_writer.ts";
import { NOBODY } from "./blocking_command.ts";
import { answerLocally } from "./local_commands.ts";
import type { Router } from "./router.ts";
import {
  DISCARD,
  EXEC,
  LOCAL,
  MULTI,
  REFUSED,
  type Route,
  SUBSCRIBE,
  UNWATCH,
  WATCH,
  WRITE,
} from "./routes.ts";
import { fillWithErrors } from "./rescue.ts";
import { Run } from "./run.ts";
import type { OwnLane, RouterSession } from "./session.ts";
import type { Upstream } from "./upstream.ts";

/** So many bytes of commands are kept; a longer transaction isn't sent once more. */
const KEPT_BYTES = 1 << 20;
const DISCARD_COMMAND = encodeRequest(["DISCARD"]);

/** A command that was sent, and its run. */
interface Sent {
  readonly bytes: Uint8Array;
  run: Run;
}

/** See the head of this file. */
export class TransactionLane implements OwnLane {
  private upstream: Upstream | null = null;
  private log: Sent[] = [];
  private logBytes = 0;
  private isWatching = false;
  private isQueueing = false;
  /** What was watched is on a master that is lost. */
  private isBroken = false;
  /** EXEC, DISCARD or UNWATCH was sent, and ends it when it is answered. */
  private last: Run | null = null;
  /** The database that a SELECT in it leads to. */
  private selected: number | null = null;
  private lostSinceMs = 0;
  /** EXEC, where it must not do anything. */
  private aborted: Run | null = null;

  private constructor(private readonly router: Router, private readonly session: RouterSession) {}

  /** Starts one with MULTI or WATCH; false if the client has to wait before that. */
  static begin(
    router: Router,
    session: RouterSession,
    route: Route,
    bytes: Uint8Array,
    frame: RequestFrame,
  ): boolean {
    if (session.pendingRuns > 0) {
      session.isWaiting = true;
      return false;
    }
    if (!router.topology.mayWrite) {
      const { start, position: end } = frame;
      return router.holding.hold(session, {
        bytes,
        start,
        end,
        count: 1,
        writes: 1,
        toMaster: true,
      });
    }
    session.heldSinceMs = -1;
    const lane = new TransactionLane(router, session);
    session.own = lane;
    lane.open();
    return lane.take(route, bytes, frame);
  }

  /** One command; false if it has to wait. */
  take(route: Route, bytes: Uint8Array, frame: RequestFrame): boolean {
    const { router, session } = this;
    this.leaveOldMaster();
    // The next command is looked at when it is clear whether the transaction has ended.
    if (this.last !== null || this.upstream === null) {
      session.isWaiting = true;
      return false;
    }
    const { kind, name } = route;
    const isWithin = this.isQueueing;
    if (kind === LOCAL && (!isWithin || name === "quit" || name === "reset")) {
      if (name === "select") this.upstream.isTainted = true;
      else {
        if (name === "quit" || name === "reset") {
          if (session.pendingRuns > 0) {
            session.isWaiting = true;
            return false;
          }
          this.end(false);
        }
        return answerLocally(router, session, route, bytes, frame) !== "wait";
      }
    }
    if (kind === SUBSCRIBE || kind === REFUSED) {
      const where = isWithin ? "inside a transaction" : "between WATCH and EXEC";
      router.sayError(session, `ERR ${name.toUpperCase()} ${where} is not sent on by the monitor`);
      return true;
    }
    if (kind === EXEC && isWithin && !router.topology.mayWrite) {
      router.holding.addLane(this);
      session.isWaiting = true;
      return false;
    }
    this.follow(route, bytes, frame);
    return true;
  }

  /** A node refuses a command of a run: it is sent elsewhere, and so is EXEC, which wasn't carried out without it. */
  refused(run: Run, error: string): boolean {
    if (run.upstream !== this.upstream || this.upstream === null) return false;
    const { upstream } = this;
    if (run === this.last && run.writes > 0 && !error.startsWith("EXECABORT")) return false;
    // The same command, to be sent once more; what is left of the run is nothing.
    const again = this.copyOf(run);
    this.session.replace(run, [again], false);
    run.count = run.answered;
    this.session.voidRunsOn(upstream);
    queueMicrotask(() => upstream.fail("the node can't serve now"));
    return true;
  }

  /** A run has lost its connection: what can be is sent elsewhere, the rest is answered with an error. */
  lost(run: Run, _reason: string): boolean {
    if (!this.log.some((sent) => sent.run === run)) return false;
    const { last } = this;
    // EXEC may have been carried out, and so may a write between WATCH and MULTI.
    if (last !== null && last.writes > 0 && run.upstream!.mayHaveLeft(last, 0)) {
      if (run === last) this.giveUpUnsent();
      return false;
    }
    if (run.writes > 0 && run.upstream!.mayHaveLeft(run, 0)) return false;
    this.session.replace(run, [this.copyOf(run)], false);
    return true;
  }

  /** All replies of a run are there. */
  finished(run: Run): void {
    if (run !== this.last) return;
    this.last = null;
    if (this.selected !== null) this.session.database = this.selected;
    this.end(true);
  }

  /** The client is gone. */
  leave(): void {
    this.end(false);
  }

  /** There may be a master again. */
  retry(): void {
    const { router, session } = this;
    if (router.topology.mayWrite) {
      this.leaveOldMaster();
      router.holding.removeLane(this);
      if (this.upstream === null) this.open();
      session.touch();
      session.process();
    } else if (router.nowMs - this.lostSinceMs >= router.options.holdMs && this.lostSinceMs > 0) {
      this.giveUp();
    }
  }

  /** Has a connection, and on it all that was sent before. */
  private open(): void {
    const { router, session } = this;
    const { database, resp } = session;
    const upstream = router.topology.master!.exclusive(resp, database);
    this.upstream = upstream;
    this.lostSinceMs = 0;
    upstream.onLost = () => this.lostUpstream(upstream);
    for (const { bytes, run } of this.log) {
      const isAnswered = run.isDone;
      const sent = isAnswered ? new Run(NOBODY, 1) : run;
      upstream.send(sent, bytes, 0, bytes.length);
    }
    if (this.aborted !== null) this.abort(this.aborted);
  }

  /** A connection to somebody who isn't the master any more is of no use, unless it owes the answer to EXEC. */
  private leaveOldMaster(): void {
    const { last, router: { topology: { master } }, upstream } = this;
    if (upstream === null || last !== null || master === null || master.owns(upstream)) return;
    upstream.fail("another node is the master now");
  }

  /** The connection is lost; its runs have been told. */
  private lostUpstream(upstream: Upstream): void {
    if (upstream !== this.upstream) return;
    this.upstream = null;
    this.lostSinceMs = this.router.nowMs;
    if (this.isWatching) this.breakWatch();
    if (this.logBytes > KEPT_BYTES) return this.giveUp();
    this.router.holding.addLane(this);
  }

  /** What was watched is on the lost master: EXEC, if it wasn't carried out there, isn't any more. */
  private breakWatch(): void {
    this.isBroken = true;
    const { last } = this;
    if (last === null || last.writes === 0) return;
    this.aborted = last;
    this.log = this.log.filter(({ run }) => run !== last);
  }

  /** Sends a command, and notes what it means. */
  private follow(route: Route, bytes: Uint8Array, frame: RequestFrame): void {
    const { router, session } = this;
    const { kind, name } = route;
    const isWithin = this.isQueueing;
    const request = bytes.slice(frame.start, frame.position);
    const writes = kind === EXEC ? Number(isWithin) : Number(kind === WRITE && !isWithin);
    const run = router.newRun(session, 1, writes, true);
    run.isBound = true;
    session.enqueue(run);
    if (kind === WATCH && !isWithin) this.isWatching = true;
    if (kind === MULTI) this.isQueueing = true;
    if (name === "select") this.noteSelect(bytes, frame);
    const ends = (kind === EXEC || kind === DISCARD) ? isWithin : kind === UNWATCH && !isWithin;
    if (ends) this.last = run;
    if (kind === EXEC && isWithin && this.isBroken) return this.abort(run);
    this.log.push({ bytes: request, run });
    this.logBytes += request.length;
    this.upstream!.send(run, request, 0, request.length);
  }

  /** Remembers the database that a SELECT leads to. */
  private noteSelect(bytes: Uint8Array, frame: RequestFrame): void {
    if (frame.argc !== 2) return;
    const start = frame.starts[1];
    const text = String.fromCharCode(...bytes.subarray(start, start + frame.lengths[1]));
    if (!/^\d{1,9}$/.test(text)) return;
    this.upstream!.isTainted = true;
    if (this.isQueueing) this.selected = Number(text);
    else this.session.database = Number(text);
  }

  /** What was watched can't be told to be unchanged: EXEC is answered as if it had changed, behind all that came before it. */
  private abort(run: Run): void {
    this.aborted = run;
    const nothing = new TextEncoder().encode(this.session.resp === 3 ? "_\r\n" : "*-1\r\n");
    const discard = new Run({
      ...NOBODY,
      deliver: (discarded) => {
        discarded.answered = 1;
        run.hold(nothing, 0, nothing.length);
        run.answered = 1;
        this.session.finish(run);
        this.finished(run);
      },
    }, 1);
    this.upstream!.send(discard, DISCARD_COMMAND, 0, DISCARD_COMMAND.length);
  }

  /** A run of the same command that stands in its place in the log. */
  private copyOf(run: Run): Run {
    const again = new Run(this.session, 1);
    again.writes = run.writes;
    again.toMaster = again.isBound = true;
    again.startedMs = run.startedMs;
    for (const sent of this.log) if (sent.run === run) sent.run = again;
    if (this.last === run) this.last = again;
    return again;
  }

  /** What was refused was to be sent once more, and EXEC wouldn't have been carried out without it: it is over. */
  private giveUpUnsent(): void {
    const { log } = this;
    this.end(false);
    for (const { run } of log) {
      if (run.isDone || run.block !== null) continue;
      fillWithErrors(run, "EXECABORT The master was lost before the command was queued");
    }
  }

  /** Nobody takes it: what has no answer gets an error, and it is over. */
  private giveUp(): void {
    const { router, session, log } = this;
    const error = router.holding.errorFor(true, true);
    this.end(false);
    const runs = log.map(({ run }) => run);
    if (this.aborted !== null) runs.push(this.aborted);
    for (const run of runs) {
      if (run.isDone) continue;
      fillWithErrors(run, error);
      router.statistics.error(error, 1);
    }
    session.advance();
    session.touch();
  }

  /** It is over: complete, if it was answered to its end. */
  private end(isComplete: boolean): void {
    const { router, session, upstream } = this;
    this.last = null;
    if (session.own === this) session.own = null;
    router.holding.removeLane(this);
    this.upstream = null;
    if (upstream !== null) {
      upstream.onLost = null;
      // Within a transaction, or with keys watched, it is of no use to others.
      if (!isComplete) upstream.isTainted = true;
      router.giveBack(upstream);
    }
    this.log = [];
  }
}
