/**
 * Commands that may wait (BLPOP, XREAD with BLOCK, WAIT, ...): each has a connection to the master of its own meanwhile.
 *
 * If the master becomes a replica while one waits, the node says so (UNBLOCKED), and the command waits on at the new master.
 *
 * @module
 */
import type { RequestFrame } from "../../protocol/request_parser.ts";
import { encodeRequest } from "../../protocol/request_writer.ts";
import type { Router } from "./router.ts";
import { READ, type Route, WAIT } from "./routes.ts";
import { Run, type RunOwner } from "./run.ts";
import type { RouterSession } from "./session.ts";
import { REPLY_ON } from "./session_host.ts";
import type { Upstream } from "./upstream.ts";

/** Replies that nobody wants. */
export const NOBODY: RunOwner = {
  deliver: (run, _bytes, _start, _end, count) => {
    run.answered += count;
  },
  deliverPart: () => {},
  refused: () => false,
  confirmed: () => {},
  lost: () => {},
};

/** See the head of this file. */
export const BlockingCommand = {
  /** Starts one; false if the client has to wait before that. */
  begin(
    router: Router,
    session: RouterSession,
    route: Route,
    bytes: Uint8Array,
    frame: RequestFrame,
  ): boolean {
    const writes = route.kind === READ || route.kind === WAIT ? 0 : 1;
    const admitted = router.admit(session, bytes, frame, writes);
    if ("isDone" in admitted) return admitted.isDone;
    const upstream = admitted.master.exclusive(session.resp, session.database);
    const run = router.newRun(session, 1, writes, true);
    run.isWait = route.kind === WAIT;
    if (run.isWait) sendBeforeWait(upstream);
    run.isExclusive = true;
    run.isSilent = session.replyMode !== REPLY_ON;
    session.line.push(run);
    upstream.send(run, bytes, frame.start, frame.position);
    return true;
  },
} as const;

const PING = encodeRequest(["PING"]);

/** WAIT is about what its own connection has seen done: a new one has to see where the data is now. */
export function sendBeforeWait(upstream: Upstream): void {
  upstream.send(new Run(NOBODY, 1), PING, 0, PING.length);
}
