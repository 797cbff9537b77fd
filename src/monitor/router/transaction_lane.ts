/**
 * A transaction: from WATCH or MULTI to EXEC or DISCARD a client has a connection to the master of its own.
 *
 * What it has sent is kept. If the master is lost before EXEC has left, all of it is sent to the new one, whose answers to what was answered
 * already are dropped. What was watched may have changed meanwhile: then EXEC does nothing and is answered with null, as when somebody
 * has changed a watched key. What stands between WATCH and MULTI is carried out at once, so nothing of it is sent once more after it was answered.
 *
 * **In vain.** If nobody takes it for `hold-ms`, the client may still be on its way to EXEC. What it sends until then isn't carried out by itself:
 * it is answered with an error, and EXEC with EXECABORT.
 *
 * @module
 */
import type { RequestFrame } from "../../protocol/request_parser.ts";
import { encodeRequest } from "../../protocol/request_writer.ts";
import { NOBODY } from "./blocking_command.ts";
import { answerLocally } from "./local_commands.ts";
import type { Router } from "./router.ts";
import {
  BLOCKING,
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
import { errorRun, fillWithErrors } from "./rescue.ts";
import { Run } from "./run.ts";
import type { RouterSession } from "./session.ts";
import { type OwnLane, REPLY_ON } from "./session_host.ts";
import type { Upstream } from "./upstream.ts";

/** So many bytes of commands are kept; a longer transaction isn't sent once more. */
const KEPT_BYTES = 1 << 20;
const DISCARD_COMMAND = encodeRequest(["DISCARD"]);
const CLIENT_INFO = encodeRequest(["CLIENT", "INFO"]);

/** A command that was sent, and its run. */
interface Sent {
  readonly bytes: Uint8Array;
  /** Whether a new connection needs it though it was answered: what stands between WATCH and MULTI is done with then. */
  readonly isLasting: boolean;
  run: Run;
}

/** See the head of this file. */
export class TransactionLane implements OwnLane {
  private upstream: Upstream | null = null;
  private readonly log = new Set<Sent>();
  private readonly sentOf = new Map<Run, Sent>();
  private logBytes = 0;
  private isWatching = false;
  private isQueueing = false;
  /** What was watched is on a master that is lost. */
  private isBroken = false;
  /** EXEC, DISCARD or UNWATCH was sent, and ends it when it is answered. */
  private last: Run | null = null;
  /** The database in which it has begun. */
  private readonly database: number;
  /** A SELECT in it may have led to another one. */
  private hasSelected = false;
  /** Since when nobody takes what the client sends, by the monotonic clock in ms; -1 if somebody does. */
  private waitsSinceMs = -1;
  /** Nobody has taken it for too long: commands don't wait any more. */
  private isGivenUp = false;
  /** Why EXEC won't do anything, though the client is still sending what it is to do; empty if it will. */
  private doom = "";
  /** EXEC, where it must not do anything. */
  private aborted: Run | null = null;

  private constructor(private readonly router: Router, private readonly session: RouterSession) {
    this.database = session.database;
  }

  /** Starts one with MULTI or WATCH; false if the client has to wait before that. */
  static begin(
    router: Router,
    session: RouterSession,
    route: Route,
    bytes: Uint8Array,
    frame: RequestFrame,
  ): boolean {
    const admitted = router.admit(session, bytes, frame, 1);
    if ("isDone" in admitted) return admitted.isDone;
    const lane = new TransactionLane(router, session);
    session.own = lane;
    lane.open();
    return lane.take(route, bytes, frame);
  }

  /** EXEC, or another command that ends it, was sent. */
  get isEnding(): boolean {
    return this.last !== null;
  }

  /** One command; false if it has to wait. */
  take(route: Route, bytes: Uint8Array, frame: RequestFrame): boolean {
    const { router, session } = this;
    this.leaveOldMaster();
    if (this.doom !== "") return this.takeInVain(route, bytes, frame);
    if (this.upstream === null && this.isGivenUp) {
      if (!router.topology.mayWrite) {
        router.sayError(session, router.holding.errorFor(true, true));
        return true;
      }
      this.open();
    }
    // The next command is looked at when it is clear whether the transaction has ended.
    if (this.last !== null || this.upstream === null) {
      session.isWaiting = true;
      return false;
    }
    const { kind, name } = route;
    const isWithin = this.isQueueing;
    if (kind === LOCAL) {
      const ends = name === "quit" || name === "reset";
      if ((!isWithin && name !== "select") || ends) {
        const isDone = this.takeLocal(route, bytes, frame, ends);
        if (isDone !== undefined) return isDone;
      }
      // What it sets must not hold for the next client.
      if (name !== "ping") this.upstream.isTainted = true;
    }
    if (kind === SUBSCRIBE || kind === REFUSED) {
      const where = isWithin ? "inside a transaction" : "between WATCH and EXEC";
      router.sayError(session, `ERR ${name.toUpperCase()} ${where} is not sent on by the monitor`);
      return true;
    }
    const isHeld = writesNow(kind, isWithin) && !router.topology.mayWrite;
    if (isHeld) this.waitForMaster();
    // The WAIT behind a write must not be queued as a part of the transaction, nor be owed on a connection that is given back.
    const isEarly = !isWithin && (kind === MULTI || kind === UNWATCH) && router.acks > 0 &&
      session.line.writingUpstream !== null;
    if (isHeld || isEarly) {
      session.isWaiting = true;
      return false;
    }
    this.follow(route, bytes, frame);
    return true;
  }

  /** A command that the router answers itself: false if it has to wait, undefined if the node has to answer it. */
  private takeLocal(
    route: Route,
    bytes: Uint8Array,
    frame: RequestFrame,
    ends: boolean,
  ): boolean | undefined {
    const { router, session, session: { resp } } = this;
    if (ends) {
      if (session.pendingRuns > 0) {
        session.isWaiting = true;
        return false;
      }
      this.end(false);
    }
    const answer = answerLocally(router, session, route, bytes, frame);
    if (session.resp !== resp && this.upstream !== null) {
      const hello = encodeRequest(["HELLO", session.resp]);
      this.upstream.isTainted = true;
      this.upstream.send(new Run(NOBODY, 1), hello, 0, hello.length);
    }
    return answer === "send" ? undefined : answer === "done";
  }

  /** A command of a transaction of which nothing will be carried out. */
  private takeInVain(route: Route, bytes: Uint8Array, frame: RequestFrame): boolean {
    const { router, session, doom } = this;
    switch (route.name) {
      case "quit":
      case "reset":
        this.end(false);
        return answerLocally(router, session, route, bytes, frame) !== "wait";
      case "exec":
        this.endInVain();
        router.sayError(session, `EXECABORT Transaction discarded because of: ${doom}`);
        return true;
      case "discard":
        this.endInVain();
        session.reply("+OK\r\n");
        return true;
    }
    router.sayError(session, doom);
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
    this.session.line.voidRunsOn(upstream);
    queueMicrotask(() => upstream.fail("the node can't serve now"));
    return true;
  }

  /** A run has lost its connection: what can be is sent elsewhere, the rest is answered with an error. */
  lost(run: Run, _reason: string): boolean {
    const sent = this.sentOf.get(run);
    if (sent === undefined) return false;
    const { last } = this;
    // EXEC may have been carried out, and so may a write between WATCH and MULTI.
    if (last !== null && last.writes > 0 && run.upstream!.mayHaveLeft(last, 0)) {
      if (run === last) this.giveUpUnsent();
      return false;
    }
    if (run.writes > 0 && run.upstream!.mayHaveLeft(run, 0)) {
      this.forget(sent);
      return false;
    }
    this.session.replace(run, [this.copyOf(run)], false);
    return true;
  }

  /** All replies of a run are there. */
  finished(run: Run): void {
    if (run === this.last) {
      this.last = null;
      if (this.hasUnsent) {
        this.giveUpUnsent();
        this.session.advance();
      } else if (this.hasSelected && this.upstream !== null) this.learnDatabase(this.upstream);
      else this.end(true);
      return;
    }
    const sent = this.sentOf.get(run);
    if (sent?.isLasting === false) this.forget(sent);
  }

  /** The node knows which database is selected in the end: EXEC may have failed, and so may SELECT. */
  private learnDatabase(upstream: Upstream): void {
    const { router, session } = this;
    const done = () => {
      session.isAsking = false;
      this.end(true);
      session.touch();
    };
    session.isAsking = true;
    upstream.onLost = null;
    const asked = new Run({
      ...NOBODY,
      deliver: (run, bytes, start, end) => {
        run.answered = 1;
        const database = / db=(\d+) /.exec(new TextDecoder().decode(bytes.subarray(start, end)));
        if (database !== null) {
          session.database = Number(database[1]);
          router.databases.add(session.database);
        }
        done();
      },
      lost: () => session.close(),
    }, 1);
    upstream.send(asked, CLIENT_INFO, 0, CLIENT_INFO.length);
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
      this.waitsSinceMs = -1;
      router.holding.removeLane(this);
      if (this.upstream === null) this.open();
      session.touch();
      session.process();
    } else if (router.nowMs - this.waitsSinceMs >= router.options.holdMs) {
      this.giveUp(router.holding.errorFor(true, true));
    }
  }

  /** Has a connection, and on it all that was sent before. */
  private open(): void {
    const { router, session, database } = this;
    const upstream = router.topology.master!.exclusive(session.resp, database);
    this.upstream = upstream;
    upstream.countsWrites = true;
    this.waitsSinceMs = -1;
    this.isGivenUp = false;
    if (this.hasSelected) upstream.isTainted = true;
    upstream.onLost = () => this.lostUpstream(upstream);
    for (const { bytes, run } of this.log) {
      upstream.send(run.isDone ? new Run(NOBODY, 1) : run, bytes, 0, bytes.length);
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
    if (this.isWatching) this.breakWatch();
    if (this.logBytes > KEPT_BYTES) {
      return this.giveUp(
        "MASTERDOWN The master was lost, and the transaction is too long to be sent once more. " +
          "The command was not carried out",
      );
    }
    this.waitForMaster();
  }

  /** It goes on when there is a master that takes writes. */
  private waitForMaster(): void {
    const { router } = this;
    if (this.waitsSinceMs < 0) this.waitsSinceMs = router.nowMs;
    router.holding.addLane(this);
  }

  /** What was watched is on the lost master: EXEC, if it wasn't carried out there, isn't any more. */
  private breakWatch(): void {
    this.isBroken = true;
    const { last } = this;
    if (last === null || last.writes === 0) return;
    this.aborted = last;
    const sent = this.sentOf.get(last);
    if (sent !== undefined) this.forget(sent);
  }

  /** Sends a command, and notes what it means. */
  private follow(route: Route, bytes: Uint8Array, frame: RequestFrame): void {
    const { router, session } = this;
    const { kind, name } = route;
    const isWithin = this.isQueueing;
    const request = bytes.slice(frame.start, frame.position);
    const run = router.newRun(session, 1, writesNow(kind, isWithin) ? 1 : 0, true);
    run.isBound = true;
    run.isSilent = session.replyMode !== REPLY_ON;
    session.line.push(run);
    if (kind === WATCH && !isWithin) this.isWatching = true;
    if (kind === MULTI) this.isQueueing = true;
    if (name === "select") this.hasSelected = true;
    const ends = (kind === EXEC || kind === DISCARD) ? isWithin : kind === UNWATCH && !isWithin;
    if (ends) this.last = run;
    if (kind === EXEC && isWithin && this.isBroken) return this.abort(run);
    const isLasting = this.isQueueing || kind === WATCH || name === "select";
    const sent = { bytes: request, isLasting, run };
    this.log.add(sent);
    this.sentOf.set(run, sent);
    this.logBytes += request.length;
    this.upstream!.send(run, request, 0, request.length);
  }

  /** A command needn't be sent once more. */
  private forget(sent: Sent): void {
    this.log.delete(sent);
    this.sentOf.delete(sent.run);
    this.logBytes -= sent.bytes.length;
  }

  /** What was watched can't be told to be unchanged: EXEC is answered as if it had changed, behind all that came before it. */
  private abort(run: Run): void {
    this.aborted = run;
    const nothing = new TextEncoder().encode(this.session.resp === 3 ? "_\r\n" : "*-1\r\n");
    const discard = new Run({
      ...NOBODY,
      deliver: (discarded) => {
        discarded.answered = 1;
        // A command before it was refused: the connection ends, and all of it is sent to another one.
        if (this.hasUnsent) return;
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
    again.isSilent = run.isSilent;
    const sent = this.sentOf.get(run);
    if (sent !== undefined) {
      sent.run = again;
      this.sentOf.delete(run);
      this.sentOf.set(again, sent);
    }
    if (this.last === run) this.last = again;
    return again;
  }

  /** Whether something was refused that hasn't been sent once more yet. */
  private get hasUnsent(): boolean {
    for (const { run } of this.log) if (!run.isDone && run.block === null) return true;
    return false;
  }

  /** What was refused was to be sent once more, and EXEC wouldn't have been carried out without it: it is over. */
  private giveUpUnsent(): void {
    const sent = [...this.log];
    this.endInVain();
    for (const { run } of sent) {
      if (run.isDone || run.block !== null) continue;
      fillWithErrors(run, "EXECABORT The master was lost before the command was queued");
    }
  }

  /**
   * Nobody takes it: what has no answer gets an error. The client may go on with the transaction, of which nothing is carried out then.
   */
  private giveUp(error: string): void {
    const { router, session, last, aborted } = this;
    const runs = [...this.sentOf.keys()];
    if (aborted !== null) runs.push(aborted);
    router.holding.removeLane(this);
    // An error in the middle of a reply would be taken for a part of it.
    if (runs.some(({ hasBegun, isDone }) => hasBegun && !isDone)) return session.close();
    for (const run of runs) if (!run.isDone) this.answerFor(run, error);
    this.isGivenUp = true;
    if (last !== null) this.endInVain();
    else {
      if (this.isQueueing) this.doom = error;
      if (this.isWatching) this.breakWatch();
      this.leaveUpstream(false);
    }
    session.advance();
    session.touch();
  }

  /** A run gets an error in the place of its answer, which doesn't count any more if it still comes. */
  private answerFor(run: Run, error: string): void {
    const { router, session } = this;
    // What stands between WATCH and MULTI is carried out at once.
    if (run.writes > 0 && run.upstream?.mayHaveLeft(run, 0)) {
      router.lost(session, run, "it is silent");
    } else {
      session.replace(run, [errorRun(run, run.count, error)], false);
      router.statistics.error(error, 1);
      const sent = this.sentOf.get(run);
      if (sent !== undefined) this.forget(sent);
    }
    run.owner = NOBODY;
  }

  /** It is over without the node's word: where the client has selected another database, nobody knows which is selected now. */
  private endInVain(): void {
    this.end(false);
    if (this.hasSelected) this.session.isClosing = true;
  }

  /** It is over: complete, if it was answered to its end. */
  private end(isComplete: boolean): void {
    const { router, session } = this;
    this.last = null;
    if (session.own === this) session.own = null;
    router.holding.removeLane(this);
    this.leaveUpstream(isComplete);
    this.log.clear();
    this.sentOf.clear();
  }

  /** Needs its connection no more. */
  private leaveUpstream(isComplete: boolean): void {
    const { router, upstream } = this;
    this.upstream = null;
    if (upstream === null) return;
    upstream.onLost = null;
    // Within a transaction, or with keys watched, it is of no use to others.
    if (!isComplete) upstream.isTainted = true;
    router.giveBack(upstream);
  }
}

/** Whether a command changes data as soon as the node has it, and not only with EXEC. */
function writesNow(kind: number, isWithin: boolean): boolean {
  return isWithin ? kind === EXEC : kind === WRITE || kind === BLOCKING;
}
