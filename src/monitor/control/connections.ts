/**
 * Keeps the connections to nodes and peers, and sends on them what is due: PING, INFO and hello messages.
 *
 * A connection that ends is tried again at once, ten times a second for some seconds, and then once in a PING period: what died and is
 * there again is noticed soon, which decides how long a master that was only restarted is missed.
 *
 * @module
 */
import type { ControlContext } from "./context.ts";
import { errorText } from "./context.ts";
import { type Endpoint, Link, Node, Peer } from "./endpoint.ts";
import { formatHello, HELLO_CHANNEL } from "./hello.ts";
import type { Group } from "./group.ts";
import { follows, refreshInfo } from "./refresh.ts";
import { learnRefusal } from "./trouble.ts";

const FIRST_RETRY_MS = 30;
const EARLY_RETRY_MS = 100;
const EARLY_RETRIES = 30;
/** How long INFO of replicas is good while they are watched closely. */
const CLOSE_WATCH_MS = 100;
const NEW_MASTER_MS = 3000;

/** Opens what isn't open, closes what hangs, sends what is due. */
export function tendEndpoint(context: ControlContext, group: Group, endpoint: Endpoint): void {
  openMissing(context, endpoint);
  closeHanging(context, group, endpoint);
  if (!endpoint.connected) return;
  ping(context, group, endpoint);
  if (endpoint instanceof Node) askInfo(context, group, endpoint);
  if (!(endpoint instanceof Node && endpoint.stranger)) greet(context, group, endpoint);
}

/** Closes the connections of somebody and opens them anew, soon. */
export function dropConnections(context: ControlContext, endpoint: Endpoint): void {
  for (const link of [endpoint.command, endpoint.pubsub]) {
    if (link !== null) closeLink(context, link);
  }
  endpoint.commandRetryAt = endpoint.pubsubRetryAt = context.now;
}

/** A connection stands. */
export function linkOpened(context: ControlContext, link: Link, local: string): void {
  link.open = true;
  link.since = context.now;
  link.local = local;
  const endpoint = link.owner;
  introduce(context, link);
  if (link.kind === "nudge") return;
  if (link.kind === "command") {
    sendPing(context, endpoint);
    if (endpoint instanceof Node) endpoint.infoWanted = true;
    if (endpoint instanceof Node) endpoint.infoPending = false;
    return;
  }
  endpoint.pubsubActivity = context.now;
  const subscribe = context.renamed(endpoint.groupName, ["SUBSCRIBE", HELLO_CHANNEL]);
  context.sendOn(link, subscribe, (reply) => {
    // Without its subscription the connection is good for nothing.
    if (errorText(reply) !== undefined) linkLost(context, link, true);
    else endpoint.pubsubFailures = 0;
  });
}

/** A connection has ended, or couldn't be made. */
export function linkLost(context: ControlContext, link: Link, close: boolean): void {
  const endpoint = link.owner;
  const opened = link.open;
  if (close) closeLink(context, link);
  else forgetLink(context, link);
  if (link.kind === "nudge") return;
  if (link.kind === "command") {
    endpoint.commandRetryAt = context.now + retryPause(context, ++endpoint.commandFailures);
  } else endpoint.pubsubRetryAt = context.now + retryPause(context, ++endpoint.pubsubFailures);
  if (!opened) context.refresh(endpoint.host);
}

function retryPause(context: ControlContext, failures: number): number {
  if (failures > EARLY_RETRIES) return context.periods.pingPeriod;
  return Math.min(EARLY_RETRY_MS, FIRST_RETRY_MS * failures);
}

/** Asks all replicas for INFO as soon as can be. */
export function askReplicas(group: Group): void {
  for (const replica of group.replicas.values()) replica.infoWanted = true;
}

/** Publishes a hello at once, everywhere: others are to know of a new configuration. */
export function forceHello(group: Group): void {
  for (const endpoint of [...group.nodes(), ...group.peers.values()]) {
    endpoint.lastPublish = Number.NEGATIVE_INFINITY;
  }
}

/**
 * How often somebody is asked for a sign of life: often enough that one who has just died isn't missed for much less than down-after, which is
 * counted from the last sign.
 */
export function pingPeriodOf(context: ControlContext, group: Group): number {
  return Math.min(context.periods.pingPeriod, group.settings.downAfterMs / 4);
}

/** Opens the connections that somebody should have. */
export function openMissing(context: ControlContext, endpoint: Endpoint): void {
  const host = context.resolve(endpoint.host);
  if (host === null && endpoint.ip === null) return;
  if (host !== null) endpoint.ip = host;
  if (endpoint.command === null && context.reached(endpoint.commandRetryAt)) {
    endpoint.command = openLink(context, endpoint, "command");
  }
  if (endpoint instanceof Peer || endpoint.pubsub !== null) return;
  if (endpoint instanceof Node && endpoint.stranger) return;
  if (context.reached(endpoint.pubsubRetryAt)) {
    endpoint.pubsub = openLink(context, endpoint, "pubsub");
  }
}

function openLink(
  context: ControlContext,
  endpoint: Endpoint,
  kind: "command" | "pubsub",
): Link {
  const link = new Link(context.nextLinkId(), kind, endpoint, context.now);
  context.links.set(link.id, link);
  context.act({
    type: "open",
    link: link.id,
    host: endpoint.ip ?? endpoint.host,
    port: endpoint.port,
    timeoutMs: Math.max(context.periods.pingPeriod, 500),
  });
  return link;
}

/** Closes a connection and forgets it. */
export function closeLink(context: ControlContext, link: Link): void {
  context.act({ type: "close", link: link.id });
  forgetLink(context, link);
}

function forgetLink(context: ControlContext, link: Link): void {
  context.links.delete(link.id);
  link.open = false;
  link.pending.clear();
  const endpoint = link.owner;
  if (endpoint.command === link) {
    endpoint.command = null;
    if (endpoint instanceof Node) endpoint.infoPending = false;
  }
  if (endpoint.pubsub === link) endpoint.pubsub = null;
}

/** The password, if there is one, and a name by which an administrator knows the connection. */
function introduce(context: ControlContext, link: Link): void {
  const endpoint = link.owner;
  const settings = context.settings;
  const group = context.settingsOf(endpoint.groupName);
  const [user, password] = endpoint instanceof Node
    ? [group?.authUser ?? "", group?.authPass ?? ""]
    : [settings.sentinelUser, settings.sentinelPass || settings.sentinelRequirePass];
  const send = (command: string[], answer: (text: string | undefined) => void) => {
    const known = endpoint instanceof Node ? context.renamed(endpoint.groupName, command) : command;
    context.sendOn(link, known, (reply) => answer(errorText(reply)));
  };
  if (password !== "") {
    const auth = user === "" ? ["AUTH", password] : ["AUTH", user, password];
    send(auth, (error) => learnRefusal(endpoint, error));
  }
  const kind = link.kind === "pubsub" ? "pubsub" : "cmd";
  send(["CLIENT", "SETNAME", `sentinel-${context.myId.slice(0, 8)}-${kind}`], () => {});
}

function closeHanging(context: ControlContext, group: Group, endpoint: Endpoint): void {
  const { command, pubsub, waitingSince } = endpoint;
  const { minLinkReconnectPeriod, publishPeriod } = context.periods;
  // Whoever has no peers to ask tries again early: whether a connection can be made says where the trouble is.
  const patience = group.alone ? 0 : minLinkReconnectPeriod;
  const half = group.settings.downAfterMs / 2;
  if (command !== null && command.open && waitingSince !== null) {
    const due = Math.max(
      command.since + Math.max(patience, half),
      waitingSince + half,
      endpoint.lastPong + half,
    );
    if (context.reached(due)) {
      linkLost(context, command, true);
      endpoint.commandRetryAt = context.now;
      openMissing(context, endpoint);
    }
  }
  if (pubsub !== null && pubsub.open) {
    const due = Math.max(
      pubsub.since + minLinkReconnectPeriod,
      endpoint.pubsubActivity + publishPeriod * 3,
    );
    if (context.reached(due)) linkLost(context, pubsub, true);
  }
}

function ping(context: ControlContext, group: Group, endpoint: Endpoint): void {
  const period = pingPeriodOf(context, group);
  const due = Math.max(endpoint.lastPong + period, endpoint.lastPing + period / 2);
  if (context.reached(due)) {
    sendPing(context, endpoint);
    context.reached(context.now + period / 2);
  }
}

/** Asks for a sign of life. */
export function sendPing(context: ControlContext, endpoint: Endpoint): void {
  const sent = context.send(endpoint, ["PING"], (reply) => {
    const error = errorText(reply);
    const text = error ?? String(reply);
    endpoint.lastPong = context.now;
    endpoint.commandFailures = 0;
    learnRefusal(endpoint, error);
    if (text === "PONG" || text.startsWith("LOADING") || text.startsWith("MASTERDOWN")) {
      endpoint.lastAvailable = context.now;
      endpoint.waitingSince = null;
      if (endpoint instanceof Node && text === "PONG") endpoint.rebootedAt = null;
    } else if (text.startsWith("BUSY") && endpoint instanceof Node) endScript(context, endpoint);
  });
  // On a connection with so much unanswered that nothing more may be sent, a sign of life is waited for as well.
  if (sent || endpoint.connected) endpoint.waitingSince ??= context.now;
  if (sent) endpoint.lastPing = context.now;
}

/** A node that counts as down since a script runs too long has the script ended, if it may be. */
function endScript(context: ControlContext, node: Node): void {
  if (node.downSince === null || node.scriptKillSent) return;
  context.send(node, ["SCRIPT", "KILL"]);
  node.scriptKillSent = true;
}

function askInfo(context: ControlContext, group: Group, node: Node): void {
  if (node.infoPending) return;
  const asked = node.infoWanted ? Number.NEGATIVE_INFINITY : node.infoAskedAt;
  if (!context.reached(asked + infoPeriodOf(context, group, node))) return;
  const askedAt = context.now;
  const sent = context.send(node, ["INFO"], (reply) => {
    node.infoPending = false;
    node.infoAsOf = askedAt;
    if (typeof reply === "string") refreshInfo(context, node, reply);
    else learnRefusal(node, errorText(reply));
  });
  if (!sent) return;
  node.infoPending = true;
  node.infoWanted = false;
  node.infoAskedAt = context.now;
}

/** How often a node is asked for INFO. */
function infoPeriodOf(context: ControlContext, group: Group, node: Node): number {
  const period = context.periods.infoPeriod;
  const failover = group.failover;
  if (node.reconfiguration === "sent" || node.reconfiguration === "inprog") return CLOSE_WATCH_MS;
  if (failover?.state === "wait_promotion" && failover.promoted === node) return CLOSE_WATCH_MS;
  // Replicas come to a new master one by one, and are read from as soon as they say so.
  const isNew = context.now - group.switchedAt < NEW_MASTER_MS;
  const isBehind = !node.linkUp || !follows(context, node, group.currentMaster);
  if (isNew && isBehind && node !== group.master && group.routed) return CLOSE_WATCH_MS;
  const troubled = group.master.downSince !== null || failover !== null;
  if (node !== group.master) {
    if (troubled && group.alone) return CLOSE_WATCH_MS;
    if (troubled || node.masterLinkDownMs !== 0) return Math.min(period, 1000);
  }
  return restingInfoPeriod(context, group);
}

/** How often a node is asked for INFO while all is well: the router wants to know who lags, and which replicas there are. */
export function restingInfoPeriod(context: ControlContext, group: Group): number {
  const period = context.periods.infoPeriod;
  return group.routed ? Math.min(period, 1000) : period;
}

function greet(context: ControlContext, group: Group, endpoint: Endpoint): void {
  if (!context.reached(endpoint.lastPublish + context.periods.publishPeriod)) return;
  endpoint.lastPublish = context.now;
  context.reached(context.now + context.periods.publishPeriod);
  const local = endpoint.command?.local ?? "";
  const master = group.currentMaster;
  const hello = formatHello({
    host: context.settings.announceIp || local,
    port: context.settings.announcePort || context.sentinelPort,
    runId: context.myId,
    currentEpoch: context.currentEpoch,
    group: group.name,
    masterHost: context.announced(master),
    masterPort: master.port,
    configEpoch: group.configEpoch,
  });
  // Without a port nobody could answer, and nobody is to count us.
  if (context.sentinelPort === 0 && context.settings.announcePort === 0) return;
  context.send(endpoint, ["PUBLISH", HELLO_CHANNEL, hello]);
}
