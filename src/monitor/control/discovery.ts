/**
 * A group that was given as a list of nodes: who is the master is asked of them.
 *
 * All named nodes are asked for INFO, and those that they name (a replica its master, a master its replicas). One master, and all
 * others replicas of it or not there: that is the group. Anything else is said plainly, nothing is told to any node, and they are
 * asked again.
 *
 * @module
 */
import { joinAddress } from "../../runtime/addresses.ts";
import type { NodeAddress } from "../routing.ts";
import { openMissing } from "./connections.ts";
import type { ControlContext } from "./context.ts";
import { errorText, isAddress } from "./context.ts";
import { Node } from "./endpoint.ts";
import type { GroupSettings } from "./group.ts";
import { parseInfo } from "./info.ts";
import { learnRefusal } from "./trouble.ts";

const ASK_MS = 250;
/** How long nodes that don't answer are waited for, if the others agree. */
const PATIENCE_MS = 1000;
/** More are not looked for. */
const MOST_NODES = 200;

/** A group whose master isn't known. */
export class Discovery {
  /** All that are asked, by the address that they were named by. */
  readonly nodes: Map<string, Node> = new Map();
  /** Those that the settings name. */
  readonly named: Set<Node> = new Set();
  /** What is wrong, for people; empty while nothing is. */
  trouble = "";
  /** When something is due next. */
  wakeAt = 0;
  /** Since when somebody has answered, or, while nobody has, when it began. */
  waitsSince: number;
  /** Whether somebody has answered. */
  hasAnswer = false;

  /** Begins to look for the master among the named nodes. */
  constructor(context: ControlContext, readonly settings: GroupSettings) {
    this.waitsSince = context.now;
    for (const address of settings.nodes) this.named.add(this.meet(context, address));
  }

  /** Adds a node, if it isn't there. */
  meet(context: ControlContext, address: NodeAddress): Node {
    const ip = context.resolve(address.host);
    for (const node of this.nodes.values()) {
      const same = node.host === address.host || (ip !== null && node.ip === ip);
      if (same && node.port === address.port) return node;
    }
    const node = new Node(this.settings.name, address.host, address.port, "slave", context.now);
    node.stranger = true;
    node.ip = ip;
    this.nodes.set(joinAddress(address.host, address.port), node);
    return node;
  }
}

/** What the nodes have shown: the master, or what is wrong. */
export type Finding = { readonly master: Node } | { readonly trouble: string } | undefined;

/** Asks what is to be asked; the master, when it is known. */
export function tendDiscovery(context: ControlContext, discovery: Discovery): Node | undefined {
  for (const node of discovery.nodes.values()) {
    openMissing(context, node);
    if (node.connected) ask(context, discovery, node);
  }
  const finding = judge(context, discovery);
  if (finding === undefined) return undefined;
  if ("master" in finding) return finding.master;
  if (finding.trouble !== discovery.trouble) {
    discovery.trouble = finding.trouble;
    context.log("warning", `${discovery.settings.name}: ${finding.trouble}`);
  }
  return undefined;
}

function ask(context: ControlContext, discovery: Discovery, node: Node): void {
  if (node.infoPending || !context.reached(node.infoAskedAt + ASK_MS)) return;
  node.infoPending = true;
  node.infoAskedAt = context.now;
  context.send(node, ["INFO"], (reply) => {
    node.infoPending = false;
    if (typeof reply !== "string") return learnRefusal(node, errorText(reply));
    learnRefusal(node, undefined);
    const info = parseInfo(reply);
    node.info = info;
    node.infoText = reply;
    node.infoAt = context.now;
    discovery.wakeAt = context.now;
    const master = { host: info.masterHost, port: info.masterPort };
    for (const address of info.role === "slave" ? [master] : info.replicas) {
      if (discovery.nodes.size < MOST_NODES) discovery.meet(context, address);
    }
  });
}

/** Judges what has been said so far. */
function judge(context: ControlContext, discovery: Discovery): Finding {
  const nodes = [...discovery.nodes.values()];
  const refusing = nodes.find((node) => node.refusal !== "");
  if (refusing !== undefined) {
    return { trouble: `${nameOf(refusing)} refuses the monitor: ${refusing.refusal}` };
  }
  const answered = nodes.filter((node) => isFresh(context, node));
  // Nodes that are started together don't answer at the same time.
  if (answered.length > 0 && !discovery.hasAnswer) discovery.waitsSince = context.now;
  discovery.hasAnswer = answered.length > 0;
  const waits = !context.reached(discovery.waitsSince + PATIENCE_MS);
  if (answered.length < nodes.length && waits) return undefined;
  if (answered.length === 0) {
    return { trouble: `no node can be reached: ${nodes.map(nameOf).join(", ")}` };
  }
  const masters = answered.filter((node) => node.info?.role === "master");
  // One process under two addresses is one master.
  const distinct = new Map(masters.map((node) => [node.info?.runId ?? "", node]));
  if (distinct.size > 1) {
    const names = [...distinct.values()].map(nameOf).join(" and ");
    return { trouble: `there is more than one master: ${names}; nothing is changed` };
  }
  return distinct.size === 1
    ? withMaster(context, discovery, masters, answered)
    : withoutMaster(context, discovery, answered);
}

/** One says that it is the master: do the others follow it? */
function withMaster(
  context: ControlContext,
  discovery: Discovery,
  masters: readonly Node[],
  answered: readonly Node[],
): Finding {
  const known = [...discovery.nodes.values()];
  for (const node of answered) {
    if (masters.includes(node)) continue;
    const master = masterOf(context, node, known);
    const chained = master !== undefined && master.info?.role === "slave" &&
      answered.includes(master);
    const listed = masters.some((one) => lists(context, one, node));
    if (listed || chained || (master !== undefined && masters.includes(master))) continue;
    const whose = joinAddress(node.info?.masterHost ?? "", node.info?.masterPort ?? 0);
    return {
      trouble: `${nameOf(node)} is a replica of ${whose}, not of ${
        nameOf(masters[0])
      }; nothing is changed`,
    };
  }
  const named = masters.find((node) => discovery.named.has(node));
  return { master: named ?? masters[0] };
}

/** All are replicas: of the same master, which isn't there? */
function withoutMaster(
  context: ControlContext,
  discovery: Discovery,
  answered: readonly Node[],
): Finding {
  const known = [...discovery.nodes.values()];
  const masters = new Set(answered.map((node) => masterOf(context, node, known)));
  const [master] = masters;
  if (masters.size !== 1 || master === undefined || answered.includes(master)) {
    const names = answered.map((node) =>
      `${nameOf(node)} of ${joinAddress(node.info?.masterHost ?? "", node.info?.masterPort ?? 0)}`
    );
    return { trouble: `no master, and replicas of different ones: ${names.join(", ")}` };
  }
  return { master };
}

function masterOf(
  context: ControlContext,
  node: Node,
  known: readonly Node[],
): Node | undefined {
  const host = node.info?.masterHost ?? "";
  const ip = isAddress(host) ? host : context.resolve(host);
  return known.find((one) =>
    one.port === node.info?.masterPort && (one.host === host || (ip !== null && one.ip === ip))
  );
}

/** Whether a master names a node among its replicas. */
function lists(context: ControlContext, master: Node, node: Node): boolean {
  return master.info?.replicas.some((one) =>
    one.port === node.port &&
    (one.host === node.host || (node.ip !== null && context.resolve(one.host) === node.ip))
  ) ?? false;
}

function isFresh(context: ControlContext, node: Node): boolean {
  return node.connected && node.infoAt !== null && context.now - node.infoAt < PATIENCE_MS;
}

function nameOf(node: Node): string {
  return joinAddress(node.host, node.port);
}
