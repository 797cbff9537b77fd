/**
 * The control plane: the control machine (`control/`) with its connections (`links/`), its API (`sentinel/`), a clock and a timer.
 *
 * @module
 */
import type { LogLevel } from "../runtime/logging.ts";
import type { ControlAction, ControlEvent, Moment } from "./control/actions.ts";
import type { ControlContext } from "./control/context.ts";
import { ControlMachine } from "./control/machine.ts";
import type { MonitorEnvironment } from "./environment.ts";
import { Links } from "./links/links.ts";
import type { MonitorOptions, SavedState } from "./options.ts";
import type { NodeAddress, RouterObserver, RouterSteering, Routing } from "./routing.ts";
import { SentinelServer } from "./sentinel/server.ts";
import type { GroupView } from "./view.ts";

/** The longest that the timer sleeps: longer ones overflow. */
const LONGEST_SLEEP_MS = 60_000;
/** The exit code of a failure that was asked for, as Sentinel's. */
const SIMULATED_CRASH = 99;

/** What the control plane is given to have its decisions carried out. */
export interface ControlHooks {
  /** The router of the routed group; null if there is none. */
  readonly steering: RouterSteering | null;
  /** Puts the state on disk before it returns, and says in the log how that went. Throws if it can't. */
  save(state: SavedState): void;
  /** Told of each event, by Sentinel's name of it. */
  onEvent(type: string, text: string, level: LogLevel): void;
  /**
   * Ends the process: SHUTDOWN was sent (code 0), or a simulated failure (99).
   *
   * @default {Deno.exit}
   */
  exit?(code: number): void;
}

/** See the head of this file. */
export class ControlPlane implements RouterObserver {
  readonly #machine: ControlMachine;
  readonly #links: Links;
  readonly #server: SentinelServer | null;
  readonly #environment: MonitorEnvironment;
  readonly #hooks: ControlHooks;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;

  /** Makes a control plane that goes on where `saved` has ended; {@linkcode ControlPlane.start} sets it going. */
  constructor(
    options: MonitorOptions,
    saved: SavedState | null,
    environment: MonitorEnvironment,
    hooks: ControlHooks,
  ) {
    this.#environment = environment;
    this.#hooks = hooks;
    this.#machine = new ControlMachine(options, saved, {
      save: (state) => this.#save(state),
      random: () => environment.randomness.number(),
      hex: (length) => environment.randomness.hex(length),
    });
    this.#links = new Links(environment, (event) => this.#handle(event));
    this.#server = options.sentinelPort === null ? null : new SentinelServer(options, environment, {
      call: (work) => this.#call(work),
      failover: (group) => this.failover(group),
      machine: this.#machine,
      exit: (code) => this.#exit(code),
      resolve: (host) => this.#resolve(host),
    });
  }

  /**
   * Opens the Sentinel port, if there is to be one, and begins to watch.
   *
   * @throws {Error} if nobody can listen on that port.
   */
  start(): Promise<void> {
    this.#server?.listen();
    this.#running = true;
    this.#perform(this.#machine.start(this.#moment(), this.sentinelPort ?? 0));
    return Promise.resolve();
  }

  /** Closes the port and all connections, and watches no more. */
  stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#links.closeAll();
    this.#server?.close();
    return Promise.resolve();
  }

  /** Where the Sentinel API listens; null if it doesn't. */
  get sentinelPort(): number | null {
    return this.#server?.port ?? null;
  }

  /** What decides; a simulation looks into it. */
  get machine(): ControlMachine {
    return this.#machine;
  }

  /** The id of this monitor among sentinels: 40 hexadecimal digits. */
  get runId(): string {
    return this.#machine.context.myId;
  }

  /** The newest epoch that is known. */
  get currentEpoch(): number {
    return this.#machine.context.currentEpoch;
  }

  /** Whether the monitor doesn't trust its own judgement, since it was stopped for a while. */
  get tilt(): boolean {
    return this.#machine.context.tiltSince !== null;
  }

  /**
   * Starts a failover by hand, as SENTINEL FAILOVER does.
   *
   * @returns nothing, or why it can't be.
   */
  failover(group: string): string | undefined {
    const [error, actions] = this.#machine.failover(this.#moment(), group);
    this.#perform(actions);
    return error;
  }

  /** What people are shown of the groups; what only the router knows is 0. */
  groupViews(): GroupView[] {
    return this.#machine.groupViews(this.#moment());
  }

  /** The routing of the routed group, as it was applied last. */
  routing(): Routing {
    return this.#machine.routing();
  }

  /** The router has had trouble with a node. */
  suspects(node: NodeAddress, reason: string): void {
    this.#handle({ type: "suspect", node, reason });
  }

  #moment(): Moment {
    const { clock } = this.#environment;
    return { monotonic: clock.monotonic(), unix: clock.now() };
  }

  #handle(event: ControlEvent): void {
    if (this.#running) this.#perform(this.#machine.handle(this.#moment(), event));
  }

  #call<Result>(work: (context: ControlContext) => Result): Result {
    const [result, actions] = this.#machine.call(this.#moment(), work);
    this.#perform(actions);
    return result;
  }

  #perform(actions: readonly ControlAction[]): void {
    for (const action of actions) {
      this.#act(action);
      // Whoever has crashed does nothing more.
      if (action.type === "crash") return;
    }
    this.#sleep();
  }

  #act(action: ControlAction): void {
    const { steering } = this.#hooks;
    switch (action.type) {
      case "open":
        return this.#links.open(action);
      case "close":
        return this.#links.close(action.link);
      case "send":
        return this.#links.send(action);
      case "post":
        return this.#links.post(action);
      case "resolve":
        return this.#links.resolve(action.host);
      case "log":
        return this.#environment.logger.log(action.level, action.text);
      case "event":
        return this.#tell(action);
      case "route":
        return steering?.apply(action.routing);
      case "lease":
        return steering?.lease(action.untilMs);
      case "drain":
        steering?.drained(action.timeoutMs).then((all) =>
          this.#handle({ type: "drained", group: action.group, all })
        );
        return;
      case "crash":
        this.#running = false;
        return this.#exit(SIMULATED_CRASH);
    }
  }

  #tell({ event, text, level, published }: ControlAction & { type: "event" }): void {
    this.#environment.logger.log(level, `${event} ${text}`);
    if (!published) return;
    this.#server?.publish(event, text);
    this.#hooks.onEvent(event, text, level);
  }

  /** Sleeps until the machine wants to be run again. */
  #sleep(): void {
    clearTimeout(this.#timer);
    if (!this.#running) return;
    const left = this.#machine.wakeAt - this.#environment.clock.monotonic();
    // A timer rounds down, and would wake us in vain.
    const delay = Math.min(LONGEST_SLEEP_MS, Math.max(0, Math.ceil(left)));
    this.#timer = setTimeout(() => this.#handle({ type: "time" }), delay);
  }

  /** The one who saves has said in the log how it went. */
  #save(state: SavedState): boolean {
    try {
      this.#hooks.save(state);
      return true;
    } catch {
      return false;
    }
  }

  /** What a name stands for, for a command that can't go on without it; null if nobody knows. */
  async #resolve(host: string): Promise<string | null> {
    const known = this.#call((context) => context.resolve(host));
    if (known !== null) return known;
    return await this.#links.lookup(host).then((ip) => {
      this.#handle({ type: "resolved", host, ip });
      return ip;
    }, () => null);
  }

  #exit(code: number): void {
    if (this.#hooks.exit !== undefined) this.#hooks.exit(code);
    else Deno.exit(code);
  }
}
