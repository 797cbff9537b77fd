/**
 * The control machine: events in, actions out. It knows no clock, no socket and no file; whoever feeds it the same events at the same moments, and
 * the same random numbers, gets the same actions.
 *
 * After each event, and when {@linkcode ControlMachine.wakeAt} has come, the group in question is run: its connections are tended, what is due is
 * sent, who is down is judged, a failover is begun or advanced, the lease asked for, and the router told what has changed. Each of these steps looks at the
 * state alone, so it doesn't matter what has brought it about.
 *
 * **TILT.** A machine that is run much later than it has asked for was stopped, or starved: then everybody else has seemed silent to it. Like Sentinel, it
 * acts on nothing for a while then, neither in failovers nor in what it tells others.
 *
 * @module
 */
import type { GroupOptions, MonitorOptions, SavedGroup, SavedState } from "../options.ts";
import type { NodeAddress, Routing } from "../routing.ts";
import type { GroupView } from "../view.ts";
import type { ControlAction, ControlEvent, ControlHooks, Moment } from "./actions.ts";
import { linkLost, linkOpened, tendEndpoint } from "./connections.ts";
import { ControlContext } from "./context.ts";
import { Discovery, tendDiscovery } from "./discovery.ts";
import { judgeDown, judgeObjectivelyDown } from "./down.ts";
import { askPeers } from "./election.ts";
import { type Endpoint, type Link, Node } from "./endpoint.ts";
import { abortFailover, advanceFailover, startFailover, startIfNeeded } from "./failover.ts";
import type { Group, GroupSettings } from "./group.ts";
import { drained } from "./handover.ts";
import { tendLease } from "./lease.ts";
import {
  addReplica,
  createGroup,
  dropConnectionsForGood,
  findNode,
  newNode,
} from "./membership.ts";
import { receiveHello, rememberPeer } from "./peers.ts";
import { isMaster, meetReplicas } from "./refresh.ts";
import { applyRouting } from "./routing.ts";
import { selectReplica } from "./selection.ts";
import { tendStrangers } from "./strangers.ts";
import { FAILOVER_TROUBLE, watchRefusals } from "./trouble.ts";
import { discoveryView, groupView } from "./view.ts";

/** Nothing is asked more often than this because somebody else has trouble. */
const SUSPICION_MS = 50;
/** A state that couldn't be saved is tried again after so long. */
const SAVE_AGAIN_MS = 1000;
/** Whether there is any replica that could be promoted, whatever it has. */
const ANY_REPLICA = { since: 0, careful: false, followersOnly: false } as const;

/** See the head of this file. */
export class ControlMachine {
  /** What its parts share: the SENTINEL commands look into it and change it. */
  readonly context: ControlContext;
  #wakeAt = Number.POSITIVE_INFINITY;

  /** Makes a machine that goes on where `saved` has ended. SENTINEL CONFIG SET changes `options`. */
  constructor(options: MonitorOptions, saved: SavedState | null, hooks: ControlHooks) {
    const myId = saved !== null && saved.myId !== "" ? saved.myId : hooks.hex(40);
    this.context = new ControlContext(options, myId, hooks);
    this.context.currentEpoch = saved?.currentEpoch ?? 0;
    this.#saved = saved;
  }

  readonly #saved: SavedState | null;

  /** When it has to be run again, in monotonic ms; Infinity for only after events. */
  get wakeAt(): number {
    return this.#wakeAt;
  }

  /** Begins to watch the groups. The port of our Sentinel API is known by now; 0 for none. */
  start(moment: Moment, sentinelPort: number): ControlAction[] {
    const { context } = this;
    context.setTime(moment);
    context.startedAt = context.now;
    context.sentinelPort = sentinelPort;
    const saved = new Map((this.#saved?.groups ?? []).map((group) => [group.options.name, group]));
    for (const options of context.settings.groups) {
      this.#watch(options, saved.get(options.name));
      saved.delete(options.name);
    }
    // Groups that SENTINEL MONITOR has added before the restart.
    for (const group of saved.values()) this.#watch(group.options, group);
    context.log("warning", `Sentinel ID is ${context.myId}`);
    for (const group of context.groups.values()) this.announce(group);
    context.save();
    return this.#run(null);
  }

  /** Tells that a group is watched. */
  announce(group: Group): void {
    const { quorum } = group.settings;
    this.context.event("warning", "+monitor", group.master, `quorum ${quorum}`);
  }

  /** Takes in an event. */
  handle(moment: Moment, event: ControlEvent): ControlAction[] {
    this.context.setTime(moment);
    this.#judgeTime();
    return this.#run(this.#take(event));
  }

  /** Does something on somebody's behalf, a command say; the result, and what is to be done before it is told. */
  call<Result>(
    moment: Moment,
    work: (context: ControlContext) => Result,
  ): [Result, ControlAction[]] {
    this.context.setTime(moment);
    this.#judgeTime();
    const result = work(this.context);
    for (const group of this.context.groups.values()) group.wakeAt = this.context.now;
    return [result, this.#run(null)];
  }

  /**
   * Begins a failover that somebody has asked for.
   *
   * @returns the error, or undefined.
   */
  failover(moment: Moment, name: string): [string | undefined, ControlAction[]] {
    return this.call(moment, (context) => {
      const group = context.groups.get(name);
      if (group === undefined) return "ERR No such master with that name";
      // One that waits for replicas which may know more is what an administrator who knows better wants to end.
      const waits = group.failover?.forced === false && group.troubles.has(FAILOVER_TROUBLE);
      if (group.failover !== null && !waits) return "INPROG Failover already in progress";
      if (selectReplica(context, group, ANY_REPLICA) === undefined) {
        return "NOGOODSLAVE No suitable replica to promote";
      }
      context.log("warning", `Executing user requested FAILOVER of '${name}'`);
      abortFailover(context, group);
      startFailover(context, group, true);
      return undefined;
    });
  }

  /** What people are shown. */
  groupViews(moment: Moment): GroupView[] {
    this.context.setTime(moment);
    const { groups, discoveries } = this.context;
    return [
      ...[...groups.values()].map((group) => groupView(this.context, group)),
      ...[...discoveries.values()].map((discovery) => discoveryView(this.context, discovery)),
    ];
  }

  /** What the router of the routed group was told last. */
  routing(): Routing {
    const { groups, settings } = this.context;
    return groups.get(settings.routedGroup)?.routing ?? this.#unknown();
  }

  /** The routing while the master isn't known. */
  #unknown(): Routing {
    const { discoveries, settings } = this.context;
    const trouble = discoveries.get(settings.routedGroup)?.trouble;
    return {
      epoch: 0,
      master: null,
      writable: false,
      reason: trouble || "the master isn't known yet",
      replicas: [],
    };
  }

  /** Watches a group as it was saved, or as it was set up. */
  #watch(options: GroupOptions, saved: SavedGroup | undefined): void {
    const { context } = this;
    const settings: GroupSettings = { ...options };
    const master = saved?.options.master ?? options.master;
    if (master === null || master === undefined) {
      context.discoveries.set(options.name, new Discovery(context, settings));
      return;
    }
    const group = createGroup(context, settings, master);
    this.#meetNamed(group, settings.nodes);
    if (saved === undefined) return;
    group.configEpoch = saved.configEpoch;
    group.leaderEpoch = saved.leaderEpoch;
    group.votedAt = context.now;
    group.voteEnded = saved.leaderEpoch <= saved.configEpoch;
    group.savedPeers = saved.sentinels.length;
    for (const replica of saved.replicas) this.#remember(group, replica);
    for (const peer of saved.sentinels) {
      rememberPeer(context, group, peer.host, peer.port, peer.runId);
    }
  }

  /** A replica that was known before: its name is taken as it is, even if nobody knows yet what it stands for. */
  #remember(group: Group, address: NodeAddress): void {
    const node = newNode(this.context, group.name, address, "slave");
    if (node.key !== group.master.key) group.replicas.set(node.key, node);
    group.strangers.delete(node.key);
  }

  /** Named nodes that aren't known to be in the group are watched until they are. */
  #meetNamed(group: Group, nodes: readonly NodeAddress[]): void {
    for (const address of nodes) {
      const node = newNode(this.context, group.name, address, "slave");
      node.stranger = true;
      if (findNode(group, node.ip ?? node.host, node.port) === undefined) {
        group.strangers.set(node.key, node);
      }
    }
  }

  /** A group's master has been found. */
  #found(discovery: Discovery, master: Node): void {
    const { context } = this;
    const { settings } = discovery;
    context.discoveries.delete(settings.name);
    for (const node of discovery.nodes.values()) dropConnectionsForGood(context, node);
    const group = createGroup(context, settings, { host: master.host, port: master.port });
    group.settings.master = { host: master.host, port: master.port };
    this.announce(group);
    if (master.info?.role === "master") meetReplicas(context, group, master.info);
    // Those that say so themselves, too: a master that isn't there names nobody.
    for (const node of discovery.nodes.values()) {
      const { info } = node;
      if (node === master || info?.role !== "slave") continue;
      if (!isMaster(context, group.master, info.masterHost, info.masterPort)) continue;
      const replica = addReplica(context, group, { host: node.host, port: node.port });
      if (replica !== undefined) context.event("notice", "+slave", replica);
    }
    this.#meetNamed(group, settings.nodes);
    context.save();
  }

  /** Takes in an event; whose it is: null for nobody's in particular. */
  #take(event: ControlEvent): Endpoint | Group | null {
    const { context } = this;
    switch (event.type) {
      case "time":
        return null;
      case "opened":
      case "closed":
      case "reply":
      case "message": {
        const link = context.links.get(event.link);
        if (link === undefined) return null;
        this.#takeFromLink(link, event);
        return link.owner;
      }
      case "resolved":
        context.resolved(event.host, event.ip);
        this.#nameIsKnown();
        return null;
      case "drained": {
        const group = context.groups.get(event.group);
        if (group !== undefined) drained(context, group);
        return group ?? null;
      }
      case "suspect":
        return this.#suspect(event.node);
    }
  }

  #takeFromLink(
    link: Link,
    event: ControlEvent & { type: "opened" | "closed" | "reply" | "message" },
  ): void {
    const { context } = this;
    switch (event.type) {
      case "opened":
        return linkOpened(context, link, event.local);
      case "closed":
        if (link.kind !== "nudge") {
          const kind = link.kind === "command" ? "cmd" : "pubsub";
          context.event(
            "debug",
            `-${kind}-link-reconnection`,
            link.owner as Node,
            `#${event.reason}`,
          );
        }
        return linkLost(context, link, false);
      case "message":
        link.owner.pubsubActivity = context.now;
        return receiveHello(context, event.text);
      case "reply": {
        const answer = link.pending.get(event.tag);
        link.pending.delete(event.tag);
        answer?.(event.reply);
      }
    }
  }

  /** Somebody waits for what a name stands for. */
  #nameIsKnown(): void {
    for (const group of this.context.groups.values()) {
      const { info } = group.master;
      if (info?.role === "master") meetReplicas(this.context, group, info);
      group.wakeAt = this.context.now;
    }
    for (const discovery of this.context.discoveries.values()) discovery.wakeAt = this.context.now;
  }

  /** The router has had trouble with a node: it is asked at once. */
  #suspect(address: NodeAddress): Group | null {
    const { context } = this;
    const group = context.groups.get(context.settings.routedGroup);
    const node = group === undefined ? undefined : findNode(group, address.host, address.port);
    if (group === undefined || node === undefined) return null;
    if (context.now - node.infoAskedAt >= SUSPICION_MS) node.infoWanted = true;
    return group;
  }

  /** Whether the machine was run when it should have been. */
  #judgeTime(): void {
    const { context } = this;
    const { tiltTrigger, tiltPeriod } = context.periods;
    if (context.now - this.#wakeAt > tiltTrigger) {
      context.tiltSince = context.now;
      context.event("warning", "+tilt", null, "#tilt mode entered");
    }
    if (context.tiltSince !== null && context.now - context.tiltSince >= tiltPeriod) {
      context.tiltSince = null;
      context.event("warning", "-tilt", null, "#tilt mode exited");
    }
  }

  /** Runs what is due, and the group of whoever an event was about. */
  #run(about: Endpoint | Group | null): ControlAction[] {
    const { context } = this;
    const name = about === null ? "" : "groupName" in about ? about.groupName : about.name;
    for (const discovery of [...context.discoveries.values()]) {
      if (discovery.settings.name !== name && context.now < discovery.wakeAt) continue;
      context.wake = Number.POSITIVE_INFINITY;
      const trouble = discovery.trouble;
      const master = tendDiscovery(context, discovery);
      discovery.wakeAt = context.wake;
      if (master !== undefined) this.#found(discovery, master);
      else if (discovery.trouble !== trouble) this.#routeNowhere(discovery);
    }
    // What a group does may be due in another one, or at once in itself, for which once more is enough.
    for (let round = 0; round < 3; round++) {
      for (const group of [...context.groups.values()]) {
        if ((round > 0 || group.name !== name) && context.now < group.wakeAt) continue;
        this.#runGroup(group);
      }
    }
    if (context.saveFailed && context.now >= context.saveTriedAt + SAVE_AGAIN_MS) context.save();
    this.#wakeAt = this.#nextWake();
    return context.takeActions();
  }

  #nextWake(): number {
    const { context } = this;
    let next = Number.POSITIVE_INFINITY;
    for (const { wakeAt } of context.groups.values()) next = Math.min(next, wakeAt);
    for (const { wakeAt } of context.discoveries.values()) next = Math.min(next, wakeAt);
    if (context.tiltSince !== null) {
      next = Math.min(next, context.tiltSince + context.periods.tiltPeriod);
    }
    if (context.saveFailed) next = Math.min(next, context.saveTriedAt + SAVE_AGAIN_MS);
    return next;
  }

  #routeNowhere(discovery: Discovery): void {
    const { name } = discovery.settings;
    if (name !== this.context.settings.routedGroup) return;
    this.context.act({ type: "route", group: name, routing: this.#unknown() });
  }

  #runGroup(group: Group): void {
    const { context } = this;
    context.wake = Number.POSITIVE_INFINITY;
    group.wakeAt = Number.POSITIVE_INFINITY;
    for (const node of group.nodes()) tendEndpoint(context, group, node);
    for (const peer of group.peers.values()) tendEndpoint(context, group, peer);
    tendStrangers(context, group);
    watchRefusals(context, group);
    if (context.tiltSince === null) {
      for (const node of group.nodes()) judgeDown(context, group, node);
      for (const peer of group.peers.values()) judgeDown(context, group, peer);
      judgeObjectivelyDown(context, group);
      const before = group.failover;
      startIfNeeded(context, group);
      const started = group.failover !== before;
      askPeers(context, group, started);
      advanceFailover(context, group);
    }
    tendLease(context, group);
    applyRouting(context, group);
    group.wakeAt = Math.min(group.wakeAt, context.wake);
  }
}
