/**
 * The subcommands of CLIENT with which a client chooses how it is told of keys that change.
 *
 * @module
 */
import { SYNTAX_ERROR } from "../commands/context.ts";
import type { ServerContext } from "./server_context.ts";
import { keyBytes, keyText, type TrackingOptions } from "./tracking.ts";

/** CLIENT TRACKING (ON|OFF) [REDIRECT id] [BCAST] [PREFIX prefix ...] [OPTIN] [OPTOUT] [NOLOOP] */
export function clientTracking(context: ServerContext): void {
  const { reply, client, server } = context;
  const prefixes: string[] = [];
  let [broadcast, optIn, optOut, noLoop] = [false, false, false, false];
  let redirect = 0;
  for (let index = 3; index < context.argc; index++) {
    const more = index + 1 < context.argc;
    if (context.isWord(index, "REDIRECT") && more) {
      if (redirect !== 0) {
        return reply.error("ERR A client can only redirect to a single other client");
      }
      if (!context.integer(++index)) return;
      redirect = context.value;
      if (!server.sessions.has(redirect)) {
        return reply.error("ERR The client ID you want redirect to does not exist");
      }
    } else if (context.isWord(index, "BCAST")) broadcast = true;
    else if (context.isWord(index, "OPTIN")) optIn = true;
    else if (context.isWord(index, "OPTOUT")) optOut = true;
    else if (context.isWord(index, "NOLOOP")) noLoop = true;
    else if (context.isWord(index, "PREFIX") && more) {
      prefixes.push(keyText(context.argument(++index)));
    } else return reply.error(SYNTAX_ERROR);
  }
  if (context.isWord(2, "ON")) {
    const options = { broadcast, optIn, optOut, noLoop, redirect };
    const conflict = findConflict(context, options, prefixes);
    if (conflict !== undefined) return reply.error(conflict);
    server.clients.tracking.start(client, options, prefixes);
  } else if (context.isWord(2, "OFF")) server.clients.tracking.stop(client);
  else return reply.error(SYNTAX_ERROR);
  reply.simple("OK");
}

/** The error to options that don't fit with each other, or with those that the client has already. */
function findConflict(
  context: ServerContext,
  options: TrackingOptions,
  prefixes: readonly string[],
): string | undefined {
  const before = context.client.tracking;
  const { broadcast, optIn, optOut } = options;
  if (!broadcast && prefixes.length > 0) {
    return "ERR PREFIX option requires BCAST mode to be enabled";
  }
  if (before !== null && before.broadcast !== broadcast) {
    return "ERR You can't switch BCAST mode on/off before disabling tracking for this client, " +
      "and then re-enabling it with a different mode.";
  }
  if (broadcast && (optIn || optOut)) {
    return "ERR OPTIN and OPTOUT are not compatible with BCAST";
  }
  if (optIn && optOut) return "ERR You can't specify both OPTIN mode and OPTOUT mode";
  if (before !== null && ((optIn && before.optOut) || (optOut && before.optIn))) {
    return "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, " +
      "and then re-enabling it with a different mode.";
  }
  return findOverlap([...before?.prefixes ?? []], prefixes);
}

/** The error to prefixes of which one is the start of another. */
function findOverlap(before: readonly string[], prefixes: readonly string[]): string | undefined {
  const overlaps = (one: string, other: string) => one.startsWith(other) || other.startsWith(one);
  const ending = "Prefixes for a single client must not overlap.";
  for (const [index, prefix] of prefixes.entries()) {
    const old = before.find((candidate) => overlaps(candidate, prefix));
    if (old !== undefined) {
      return `ERR Prefix '${prefix}' overlaps with an existing prefix '${old}'. ${ending}`;
    }
    const other = prefixes.slice(index + 1).find((candidate) => overlaps(candidate, prefix));
    if (other !== undefined) {
      return `ERR Prefix '${prefix}' overlaps with another provided prefix '${other}'. ${ending}`;
    }
  }
  return undefined;
}

/** CLIENT CACHING (YES|NO) */
export function clientCaching(context: ServerContext): void {
  const { reply, client: { tracking } } = context;
  if (tracking === null) {
    return reply.error(
      "ERR CLIENT CACHING can be called only when the client is in tracking mode " +
        "with OPTIN or OPTOUT mode enabled",
    );
  }
  if (context.isWord(2, "YES")) {
    if (!tracking.optIn) {
      return reply.error(
        "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
      );
    }
  } else if (context.isWord(2, "NO")) {
    if (!tracking.optOut) {
      return reply.error(
        "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
      );
    }
  } else return reply.error(SYNTAX_ERROR);
  tracking.caching = true;
  reply.simple("OK");
}

/** CLIENT GETREDIR */
export function clientGetRedirection(context: ServerContext): void {
  context.reply.integer(context.client.tracking?.redirect ?? -1);
}

/** CLIENT TRACKINGINFO */
export function clientTrackingInfo(context: ServerContext): void {
  const { reply, client: { tracking } } = context;
  const flags: string[] = [];
  if (tracking === null) flags.push("off");
  else {
    flags.push("on");
    if (tracking.broadcast) flags.push("bcast");
    if (tracking.optIn) flags.push("optin", ...(tracking.caching ? ["caching-yes"] : []));
    if (tracking.optOut) flags.push("optout", ...(tracking.caching ? ["caching-no"] : []));
    if (tracking.noLoop) flags.push("noloop");
    if (tracking.redirectBroken) flags.push("broken_redirect");
  }
  reply.map(3);
  reply.bulk("flags");
  reply.set(flags.length);
  for (const flag of flags) reply.bulk(flag);
  reply.bulk("redirect");
  reply.integer(tracking?.redirect ?? -1);
  reply.bulk("prefixes");
  const prefixes = [...tracking?.prefixes ?? []].sort();
  reply.array(prefixes.length);
  for (const prefix of prefixes) reply.bulkBytes(keyBytes(prefix));
}
