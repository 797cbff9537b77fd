/**
 * A monitor: the router in front, the control plane behind it, and what shows both.
 *
 * @module
 */
import { joinAddress } from "../runtime/addresses.ts";
import { VERSION } from "../runtime/version.ts";
import { ControlPlane } from "./control_plane.ts";
import type { MonitorEnvironment } from "./environment.ts";
import type { MonitorOptions, SavedState } from "./options.ts";
import { Router } from "./router/router.ts";
import type {
  EventView,
  GroupView,
  MonitorFace,
  NodeView,
  RouterView,
  SampleView,
  StateView,
} from "./view.ts";
import type { DemoControls, Web } from "./web/server.ts";

/** So many events are shown. */
const EVENTS = 200;
/** So many seconds are shown in charts. */
const SAMPLES = 300;
const SAMPLE_MS = 1000;

/** What a monitor is given beside its options. */
export interface MonitorExtras {
  /**
   * Buttons of a demo on the page.
   *
   * @default {undefined}
   */
  readonly demo?: DemoControls;
}

/**
 * Starts a monitor.
 *
 * @param options What it is to do.
 * @param saved What it has known before; null for nothing.
 * @param environment The machine.
 * @param save Puts its state on disk before it returns, and throws if it can't.
 * @throws {Error} A port can't be listened on; the message says which and why.
 */
export async function startMonitor(
  options: MonitorOptions,
  saved: SavedState | null,
  environment: MonitorEnvironment,
  save: (state: SavedState) => void,
  extras: MonitorExtras = {},
): Promise<Monitor> {
  const monitor = new Monitor(options, saved, environment, save);
  try {
    await monitor.start(extras);
  } catch (error) {
    await monitor.stop();
    throw error;
  }
  return monitor;
}

/** See the head of this file. */
export class Monitor implements MonitorFace {
  /** The exit code, once it has ended. */
  readonly ended: Promise<number>;
  /** Sends clients' commands where they belong; null without a port for clients. */
  readonly router: Router | null;
  /** Watches the nodes, and decides who is the master. */
  readonly control: ControlPlane;
  private readonly end: (code: number) => void;
  private web: Web | null = null;
  private events: EventView[] = [];
  private lastEvent = 0;
  private samples: SampleView[] = [];
  private readonly listeners = new Set<(event: EventView) => void>();
  private readonly startedMs: number;
  private timer: ReturnType<typeof setInterval> | undefined;
  /** Commands that were sent to each node until the last second, and in it. */
  private sentBefore = new Map<string, number>();
  private sentLately = new Map<string, number>();
  private exitCode = 0;
  private isStopped = false;

  /** Makes a monitor that does nothing yet; {@linkcode startMonitor} starts one. */
  constructor(
    readonly options: MonitorOptions,
    saved: SavedState | null,
    private readonly environment: MonitorEnvironment,
    save: (state: SavedState) => void,
  ) {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.ended = promise;
    this.end = resolve;
    this.startedMs = environment.clock.monotonic();
    const group = options.groups.find(({ name }) => name === options.routedGroup);
    const login = { user: group?.authUser ?? "", pass: group?.authPass ?? "" };
    this.router = options.router.port === null
      ? null
      : new Router(options.router, login, environment, {
        suspects: (node, reason) => this.control.suspects(node, reason),
      });
    this.control = new ControlPlane(options, saved, environment, {
      steering: this.router,
      save,
      onEvent: (type, text) => this.note(type, text),
      exit: (code) => {
        this.exitCode = code;
        this.stop();
      },
    });
  }

  /**
   * Opens its ports, and begins to watch.
   *
   * @throws {Error} A port can't be listened on.
   */
  async start({ demo }: MonitorExtras): Promise<void> {
    const { options, environment: { logger } } = this;
    this.router?.start();
    await this.control.start();
    if (options.httpPort !== null) {
      const { startWeb } = await import("./web/server.ts");
      this.web = await startWeb(this, {
        hostname: options.httpBind,
        port: options.httpPort,
        token: options.httpToken,
        demo,
      }, logger);
    }
    this.timer = setInterval(() => this.sample(), SAMPLE_MS);
  }

  /** Ends it: clients are disconnected, nodes are left as they are. */
  async stop(): Promise<void> {
    if (this.isStopped) return;
    this.isStopped = true;
    clearInterval(this.timer);
    this.router?.stop();
    await this.control.stop();
    await this.web?.stop();
    this.web = null;
    this.end(this.exitCode);
  }

  /** The port for clients; null where there is no router. */
  get routerPort(): number | null {
    return this.router?.port ?? null;
  }

  /** The port of the Sentinel API, or null. */
  get sentinelPort(): number | null {
    return this.control.sentinelPort;
  }

  /** The port of the web page, or null. */
  get httpPort(): number | null {
    return this.web?.port ?? null;
  }

  /** Starts a failover by hand; nothing, or why it can't be. */
  failover(group: string): string | undefined {
    return this.control.failover(group);
  }

  /** Told of each event from now on; call what it returns to end that. */
  onEvent(listener: (event: EventView) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The state now. */
  state(): StateView {
    const { control, environment: { clock } } = this;
    return {
      version: VERSION,
      runId: control.runId,
      timeMs: clock.now(),
      uptimeMs: Math.round(clock.monotonic() - this.startedMs),
      currentEpoch: control.currentEpoch,
      tilt: control.tilt,
      router: this.routerView(),
      groups: this.groups(),
      events: this.events,
      samples: this.samples,
    };
  }

  /** Keeps an event, and tells those who listen. */
  private note(type: string, text: string): void {
    const event: EventView = {
      number: ++this.lastEvent,
      timeMs: this.environment.clock.now(),
      type,
      text,
    };
    this.events = [...this.events.slice(1 - EVENTS), event];
    for (const listener of this.listeners) listener(event);
  }

  /** The groups, with what the router knows of the nodes of its own. */
  private groups(): GroupView[] {
    const groups = this.control.groupViews();
    if (this.router === null) return groups;
    return groups.map((group) =>
      group.routed ? { ...group, nodes: group.nodes.map((node) => this.withTraffic(node)) } : group
    );
  }

  /** A node, with what the router knows of it. */
  private withTraffic(view: NodeView): NodeView {
    const node = this.router!.topology.byName(view.address);
    if (node === undefined) return view;
    const { topology } = this.router!;
    const reason = view.unreadableReason || topology.whyNot(node);
    const isMaster = node === topology.master;
    return {
      ...view,
      offset: node.offset < 0 ? view.offset : node.offset,
      lagBytes: isMaster || node.offset < 0
        ? view.lagBytes
        : Math.max(0, topology.freshness.masterOffset - node.offset),
      lagMs: isMaster ? view.lagMs : topology.lagMs(node) ?? view.lagMs,
      readable: view.readable && reason === "",
      unreadableReason: reason,
      commandsPerSecond: this.sentLately.get(view.address) ?? 0,
      outstanding: node.outstandingCommands,
    };
  }

  /** The router, as it is shown. */
  private routerView(): RouterView | null {
    const { router } = this;
    if (router === null) return null;
    const { last } = router.statistics;
    const { consistency, readFrom, minAcks, bind } = router.options;
    return {
      listens: joinAddress(bind[0]?.replace(/^-/, "") ?? "*", router.port),
      clients: router.sessions.size,
      heldClients: router.holding.count,
      totals: router.statistics.totals,
      readsPerSecond: last.reads,
      writesPerSecond: last.writes,
      readLatency: { p50: last.readP50, p99: last.readP99, max: last.readMax },
      writeLatency: { p50: last.writeP50, p99: last.writeP99, max: last.writeMax },
      consistency,
      readFrom,
      minAcks,
    };
  }

  /** A second is over: notes it for the charts. */
  private sample(): void {
    const { router } = this;
    if (router === null) return;
    const lagBytes: Record<string, number> = {};
    for (const node of router.topology.all) {
      this.sentLately.set(node.name, node.sent - (this.sentBefore.get(node.name) ?? 0));
      this.sentBefore.set(node.name, node.sent);
      if (node === router.topology.master || node.offset < 0) continue;
      lagBytes[node.name] = Math.max(0, router.topology.freshness.masterOffset - node.offset);
    }
    const { reads, writes, readP50, readP99, writeP50, writeP99 } = router.statistics.last;
    const timeMs = this.environment.clock.now();
    const sample = { timeMs, reads, writes, readP50, readP99, writeP50, writeP99, lagBytes };
    this.samples = [...this.samples.slice(1 - SAMPLES), sample];
  }
}
