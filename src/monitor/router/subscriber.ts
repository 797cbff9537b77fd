/**
 * Clients that are told things they don't ask for: subscribers, MONITOR, client-side caching. A connection to the master of their own
 * carries all that they send and get, as it is, for as long as that is so: RESET ends it, and so does the first other command of a
 * client with RESP2 that has no subscription left.
 *
 * If the master is lost, a subscriber who speaks RESP2 (and so sends nothing but subscriptions) is subscribed again at the
 * new one and notices nothing, but for messages that nobody was there to pass on. Others are closed: a command of theirs may be under
 * way, and what they have cached is out of date.
 *
 * **The end of what was asked.** Of those others nobody counts the commands and replies. Where it has to be known that all replies are
 * there, a PING with a text of its own follows, and its answer ends them. So it is behind each write, with a WAIT before it if replicas
 * have to confirm writes; the replies that come meanwhile are kept until then.
 *
 * @module
 */
import type { RequestFrame } from "../../protocol/request_parser.ts";
import { encodeRequest } from "../../protocol/request_writer.ts";
import { ByteAccumulator } from "../../protocol/byte_accumulator.ts";
import { ReplySkipper } from "../../protocol/reply_skipper.ts";
import { answerLocally } from "./local_commands.ts";
import type { Router } from "./router.ts";
import { BLOCKING, EXEC, REFUSED, type Route, SUBSCRIBE, WRITE } from "./routes.ts";
import { isWord, type RouterSession } from "./session.ts";
import type { OwnLane } from "./session_host.ts";
import { isMessage, Subscriptions } from "./subscriptions.ts";
import type { Upstream } from "./upstream.ts";

/** The text of the PING behind which nothing is under way, and what that is answered with: in RESP2 with subscriptions, and else. */
const MARK = "all replies are there";
const MARK_COMMAND = encodeRequest(["PING", MARK]);
const MARK_REPLIES = ["*2\r\n$4\r\npong\r\n", ""].map((head) =>
  `${head}$${MARK.length}\r\n${MARK}\r\n`
);
const LONGEST_MARK = 64;

/** What is done when all replies are there. */
type AtMark = "leave" | "confirm";

/** See the head of this file. */
export class Subscriber implements OwnLane {
  /** Who is told things is told them until the connection ends. */
  readonly isEnding = false;
  private upstream: Upstream | null = null;
  private readonly subscriptions = new Subscriptions();
  /** It sends other things than subscriptions, or speaks RESP3. */
  private isMixed: boolean;
  /** It is between MULTI and EXEC. */
  private isQueueing = false;
  private hasWritten = false;
  /** All replies to what was sent are awaited, */
  private atMark: AtMark | null = null;
  /** and those that have come, of which the last ones say what to do with them. */
  private kept: Uint8Array[] = [];
  /** A reply that isn't whole, and must be looked at as such; null for one that is passed on in pieces. */
  private part: ByteAccumulator | null = null;
  /** So many replies of a new connection are dropped. */
  private unwanted = 0;
  private skipper = new ReplySkipper();
  /** Since when nobody takes what it sends, by the monotonic clock in ms; -1 if somebody does. */
  private waitsSinceMs = -1;

  private constructor(private readonly router: Router, private readonly session: RouterSession) {
    this.isMixed = session.resp === 3;
  }

  /** Starts with a command; false if the client has to wait before that. */
  static begin(
    router: Router,
    session: RouterSession,
    route: Route,
    bytes: Uint8Array,
    frame: RequestFrame,
  ): boolean {
    const admitted = router.admit(session, bytes, frame, 0);
    if ("isDone" in admitted) return admitted.isDone;
    const lane = new Subscriber(router, session);
    if (route.kind !== SUBSCRIBE) lane.isMixed = true;
    session.own = lane;
    lane.open();
    return lane.take(route, bytes, frame);
  }

  /** One command; false if it has to wait. */
  take(route: Route, bytes: Uint8Array, frame: RequestFrame): boolean {
    const { router, session, upstream } = this;
    if (upstream === null || this.atMark !== null) {
      session.isWaiting = true;
      return false;
    }
    const { name, kind } = route;
    const isCounted = !this.isMixed && (kind === SUBSCRIBE || name === "ping");
    if (!this.isMixed && !isCounted && !this.subscriptions.isAnswered) {
      session.isWaiting = true;
      return false;
    }
    if (name === "quit" || name === "reset") {
      if (this.isMixed && !this.isQueueing) return this.awaitMark("leave");
      this.leave();
      return answerLocally(router, session, route, bytes, frame) !== "wait";
    }
    if (!this.isMixed && !isCounted && this.subscriptions.isEmpty) {
      // It isn't told anything any more: its commands go where those of others go.
      this.leave();
      session.isWaiting = true;
      session.touch();
      return false;
    }
    const isReplyMode = name === "client" && frame.argc > 1 && isWord(bytes, frame, 1, "reply");
    if (kind === REFUSED || isReplyMode) {
      const what = isReplyMode ? "CLIENT REPLY of a subscriber" : name.toUpperCase();
      router.sayError(session, `ERR ${what} is not sent on by the monitor`);
      return true;
    }
    const isWrite = !this.isQueueing && (kind === WRITE || kind === BLOCKING) || kind === EXEC;
    if (isWrite && !router.topology.mayWrite) {
      this.waitForMaster();
      session.isWaiting = true;
      return false;
    }
    const request = bytes.slice(frame.start, frame.position);
    if (isCounted) this.subscriptions.ask(name, topicsOf(bytes, frame), request);
    else this.isMixed = true;
    if (name === "multi") this.isQueueing = true;
    if (name === "exec" || name === "discard") this.isQueueing = false;
    upstream.sendRaw(request, isWrite);
    if (isWrite) {
      this.hasWritten = true;
      this.awaitMark("confirm");
    }
    return true;
  }

  /** Has the node say when it has answered everything; false, since what comes next waits for that. */
  private awaitMark(atMark: AtMark): false {
    const { acks, ackTimeoutMs } = this.router;
    this.atMark = atMark;
    if (atMark === "confirm" && acks > 0) {
      this.upstream!.sendRaw(encodeRequest(["WAIT", acks, ackTimeoutMs]), false);
    }
    this.upstream!.sendRaw(MARK_COMMAND, false);
    this.session.isWaiting = true;
    return false;
  }

  /** It has no runs. */
  refused(): boolean {
    return false;
  }

  /** It has no runs. */
  lost(): boolean {
    return false;
  }

  /** It has no runs. */
  finished(): void {}

  /** The client is gone. */
  leave(): void {
    const { router, session, upstream } = this;
    if (session.own === this) session.own = null;
    if (this.hasWritten) session.batch = router.topology.noteWrite();
    router.holding.removeLane(this);
    this.upstream = null;
    if (upstream === null) return;
    upstream.onLost = null;
    upstream.fail("not needed any more");
  }

  /** There may be a master again. */
  retry(): void {
    const { router, session } = this;
    const { master, mayWrite } = router.topology;
    // With a connection, it is a write that waits.
    const isThere = this.upstream === null ? master?.isMaster : mayWrite;
    if (isThere) {
      router.holding.removeLane(this);
      this.waitsSinceMs = -1;
      if (this.upstream === null) this.open();
      session.process();
    } else if (router.nowMs - this.waitsSinceMs >= router.options.holdMs) {
      session.close();
    }
  }

  /** It goes on when there is a master that takes what it sends. */
  private waitForMaster(): void {
    const { router } = this;
    if (this.waitsSinceMs < 0) this.waitsSinceMs = router.nowMs;
    router.holding.addLane(this);
  }

  /** Has a connection, and on it all subscriptions. */
  private open(): void {
    const { router, session } = this;
    const upstream = router.topology.master!.exclusive(session.resp, session.database);
    this.upstream = upstream;
    this.part = null;
    this.skipper = new ReplySkipper();
    upstream.isTainted = true;
    upstream.onLost = () => this.lostUpstream(upstream);
    upstream.passThrough((bytes) => this.receive(bytes));
    const { requests, known } = this.subscriptions.replay();
    this.unwanted = known;
    for (const request of requests) upstream.sendRaw(request, false);
  }

  /** The connection is lost. */
  private lostUpstream(upstream: Upstream): void {
    const { session } = this;
    if (upstream !== this.upstream) return;
    this.upstream = null;
    const hasBegun = !this.skipper.atBoundary && this.part === null;
    if (this.isMixed || hasBegun) return session.close();
    this.waitForMaster();
  }

  /** Passes on what comes, but for answers that the client has had already. */
  private receive(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.skipper.atBoundary && this.looks) this.part = new ByteAccumulator();
      const next = this.skipper.skip(bytes, at, bytes.length);
      const end = next < 0 ? bytes.length : next;
      if (this.part === null) this.session.passOn(bytes.subarray(at, end));
      else {
        this.part.appendRange(bytes, at, end);
        if (next >= 0) this.look(this.part.take());
        if (next >= 0) this.part = null;
      }
      at = end;
    }
  }

  /** Whether it matters what comes. */
  private get looks(): boolean {
    return this.atMark !== null || this.unwanted > 0 || !this.subscriptions.isAnswered;
  }

  /** Looks at a whole reply, or message. */
  private look(reply: Uint8Array): void {
    const { session, subscriptions } = this;
    const head = latin1(reply.subarray(0, LONGEST_MARK));
    if (isMessage(head)) return session.passOn(reply);
    if (this.unwanted > 0) {
      this.unwanted--;
      return;
    }
    if (this.atMark !== null) {
      if (MARK_REPLIES.includes(head)) this.reachMark();
      else this.kept.push(reply);
      return;
    }
    subscriptions.hear(head);
    session.passOn(reply);
  }

  /** All replies are there. */
  private reachMark(): void {
    const { session, atMark, kept, router: { acks } } = this;
    this.atMark = null;
    this.kept = [];
    if (atMark === "confirm" && acks > 0) this.confirm(kept);
    for (const reply of kept) session.passOn(reply);
    if (atMark === "leave") this.leave();
    session.touch();
  }

  /** Of the replies that were kept, the last one says how many replicas have the write whose reply stands before it. */
  private confirm(kept: Uint8Array[]): void {
    const { router, session } = this;
    const count = Number(/^:(\d+)/.exec(latin1(kept.pop() ?? new Uint8Array()))?.[1] ?? 0);
    const isRefused = latin1(kept.at(-1)?.subarray(0, 1) ?? new Uint8Array()) === "-";
    const trouble = count >= router.acks ? router.confirmTrouble : tooFew(count, router);
    if (trouble !== "" && !isRefused) kept[kept.length - 1] = router.doubt(session, trouble);
  }
}

/** The arguments of a command: bytes, a character each. */
function topicsOf(bytes: Uint8Array, frame: RequestFrame): string[] {
  const topics: string[] = [];
  for (let index = 1; index < frame.argc; index++) {
    const start = frame.starts[index];
    topics.push(latin1(bytes.subarray(start, start + frame.lengths[index])));
  }
  return topics;
}

function tooFew(count: number, { acks, ackTimeoutMs }: Router): string {
  return `only ${count} of ${acks} replicas have confirmed it within ${ackTimeoutMs} ms`;
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
