/**
 * How a client wants to be told of keys that change (CLIENT TRACKING).
 *
 * @module
 */
import type { Session } from "./session.ts";

/** What CLIENT TRACKING ON asks for. */
export interface TrackingOptions {
  /** All changes of keys with certain prefixes are told, not those of keys that the client has read. */
  readonly broadcast: boolean;
  /** Only keys read right after CLIENT CACHING YES count. */
  readonly optIn: boolean;
  /** Keys read right after CLIENT CACHING NO don't count. */
  readonly optOut: boolean;
  /** The client's own changes aren't told. */
  readonly noLoop: boolean;
  /** Id of the client that is told, 0 for the client itself. */
  readonly redirect: number;
}

/** What the server knows of a client that tracks keys. */
export interface Tracking extends TrackingOptions {
  /** The prefixes of a broadcast. */
  readonly prefixes: Set<string>;
  /** CLIENT CACHING was called, and no other command since. */
  caching: boolean;
  /** The client that is to be told is gone. */
  redirectBroken: boolean;
}

/** Starts to track for a session, or changes how; the prefixes that it has stay. */
export function startTracking(
  session: Session,
  options: TrackingOptions,
  prefixes: readonly string[],
): void {
  const before = session.tracking?.prefixes ?? new Set<string>();
  if (options.broadcast) {
    for (const prefix of prefixes.length === 0 ? [""] : prefixes) before.add(prefix);
  }
  session.tracking = { ...options, prefixes: before, caching: false, redirectBroken: false };
}
