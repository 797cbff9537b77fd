/**
 * Clients that are told things they don't ask for: subscribers, MONITOR, client-side caching. A connection to the master of their own
 * carries all that they send and get, as it is, for as long as they stay.
 *
 * If the master is lost, a subscriber who speaks RESP2 (and so sends nothing but subscriptions) is subscribed again at the
 * new one and notices nothing, but for messages that nobody was there to pass on. Others are closed: a command of theirs may be under
 * way, and what they have cached is out of date.
 *
 * @module
 */
import type { RequestFrame } from "../../protocol/request_parser.ts";
import { encodeRequest } from "../../protocol/request_writer.ts";
import { ReplySkipper } from "../../protocol/reply_skipper.ts";
import { answerLocally } from "./local_commands.ts";
import type { Router } from "./router.ts";
import type { Route } from "./routes.ts";
import type { OwnLane, RouterSession } from "./session.ts";
import type { Upstream } from "./upstream.ts";

/** What a client is subscribed to, by the command that does it. Names are bytes, a character each. */
type Subscriptions = ReadonlyMap<string, Set<string>>;

/** See the head of this file. */
export class Subscriber implements OwnLane {
  private upstream: Upstream | null = null;
  private readonly subscriptions: Subscriptions = new Map([
    ["subscribe", new Set<string>()],
    ["psubscribe", new Set<string>()],
    ["ssubscribe", new Set<string>()],
  ]);
  private isMonitoring = false;
  /** It sends other things than subscriptions, or speaks RESP3. */
  private isMixed = false;
  /** So many replies of a new connection are dropped. */
  private unwanted = 0;
  private skipper = new ReplySkipper();
  private lostSinceMs = 0;

  private constructor(private readonly router: Router, private readonly session: RouterSession) {}

  /** Starts with a command; false if the client has to wait before that. */
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
    const { master } = router.topology;
    if (master === null || !master.isMaster) {
      const { start, position: end } = frame;
      return router.holding.hold(session, {
        bytes,
        start,
        end,
        count: 1,
        writes: 0,
        toMaster: true,
      });
    }
    session.heldSinceMs = -1;
    const lane = new Subscriber(router, session);
    session.own = lane;
    lane.open();
    return lane.take(route, bytes, frame);
  }

  /** One command; false if it has to wait. */
  take(route: Route, bytes: Uint8Array, frame: RequestFrame): boolean {
    const { router, session, upstream } = this;
    if (upstream === null) {
      session.isWaiting = true;
      return false;
    }
    const { name } = route;
    if (name === "quit" || name === "reset") {
      this.leave();
      return answerLocally(router, session, route, bytes, frame) !== "wait";
    }
    this.note(name, bytes, frame);
    upstream.sendRaw(bytes.slice(frame.start, frame.position));
    return true;
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
    router.holding.removeLane(this);
    this.upstream = null;
    if (upstream === null) return;
    upstream.onLost = null;
    upstream.fail("not needed any more");
  }

  /** There may be a master again. */
  retry(): void {
    const { router, session } = this;
    const { master } = router.topology;
    if (master?.isMaster) {
      router.holding.removeLane(this);
      this.open();
      session.process();
    } else if (router.nowMs - this.lostSinceMs >= router.options.holdMs) {
      session.close();
    }
  }

  /** Has a connection, and on it all subscriptions. */
  private open(): void {
    const { router, session } = this;
    const upstream = router.topology.master!.exclusive(session.resp, session.database);
    this.upstream = upstream;
    upstream.isTainted = true;
    upstream.onLost = () => this.lostUpstream(upstream);
    upstream.passThrough((bytes) => this.receive(bytes));
    for (const [name, topics] of this.subscriptions) {
      if (topics.size === 0) continue;
      this.unwanted += topics.size;
      const names = [...topics].map((topic) =>
        Uint8Array.from(topic, (character) => character.charCodeAt(0))
      );
      upstream.sendRaw(encodeRequest([name, ...names]));
    }
    if (this.isMonitoring) {
      this.unwanted++;
      upstream.sendRaw(encodeRequest(["MONITOR"]));
    }
  }

  /** The connection is lost. */
  private lostUpstream(upstream: Upstream): void {
    const { router, session } = this;
    if (upstream !== this.upstream) return;
    this.upstream = null;
    this.unwanted = 0;
    if (this.isMixed || !this.skipper.atBoundary) return session.close();
    this.lostSinceMs = router.nowMs;
    router.holding.addLane(this);
  }

  /** Passes on what comes, but for answers that the client has had already. */
  private receive(bytes: Uint8Array): void {
    let from = 0;
    for (let at = 0; at < bytes.length;) {
      const next = this.skipper.skip(bytes, at, bytes.length);
      if (next < 0) break;
      at = next;
      if (this.unwanted > 0) {
        this.unwanted--;
        from = at;
      }
    }
    if (this.unwanted === 0 && from < bytes.length) this.session.passOn(bytes.subarray(from));
  }

  /** What a command means for a new connection. */
  private note(name: string, bytes: Uint8Array, frame: RequestFrame): void {
    const opposite = /^(?<kind>p|s|)unsubscribe$/.exec(name)?.groups;
    const topics = this.subscriptions.get(opposite ? `${opposite.kind}subscribe` : name);
    if (name === "monitor") this.isMonitoring = true;
    else if (topics === undefined && name !== "ping") this.isMixed = true;
    if (this.session.resp === 3) this.isMixed = true;
    if (topics === undefined) return;
    if (opposite && frame.argc === 1) topics.clear();
    for (let index = 1; index < frame.argc; index++) {
      const start = frame.starts[index];
      const topic = latin1(bytes.subarray(start, start + frame.lengths[index]));
      if (opposite) topics.delete(topic);
      else topics.add(topic);
    }
  }
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
