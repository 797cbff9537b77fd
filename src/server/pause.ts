/**
 * CLIENT PAUSE: for a while no commands run, or none that write. And what the server itself holds back while MIGRATE, FAILOVER or a
 * shutdown goes on: those pauses ({@linkcode Pause.hold}) are others, which neither end nor last by what clients say about theirs.
 *
 * What is refused anyway is refused at once; the others wait in their sessions (`blocking.ts`). While
 * a pause lasts the data stays as it is: keys whose time has come are gone for those who ask, but not removed.
 *
 * @module
 */
import type { Deadline } from "./deadlines.ts";

/** No pause. */
export const PAUSE_NONE = 0;
/** Commands that write, or may have an effect on replicas, wait. */
export const PAUSE_WRITES = 1;
/** All commands wait. */
export const PAUSE_ALL = 2;

/** What the server holds commands back for. */
export type PauseHolder = "migrate" | "failover" | "shutdown";

/** What a pause needs of its server. */
export interface PauseHost {
  /** The deadline counts from now on. */
  schedule(deadline: Deadline): void;
  /** The deadline doesn't count any more. */
  unschedule(deadline: Deadline): void;
  /** A pause has begun. */
  paused(): void;
  /** The pause is over. */
  resumed(): void;
}

/** The pause of one server. */
export class Pause implements Deadline {
  /** One of the `PAUSE_` constants: the stronger one of what clients have asked for and of {@linkcode hold}. */
  kind: number = PAUSE_NONE;
  /** What clients have asked for. */
  private asked: number = PAUSE_NONE;
  /** What is held back, for whom. */
  private readonly held = new Map<PauseHolder, number>();
  /** When it ends, in unix ms. */
  dueMs = 0;
  /** Its place among the deadlines. */
  heapIndex: number = -1;

  /** Tells `host` when a pause begins and ends. */
  constructor(private readonly host: PauseHost) {}

  /** Pauses until `untilMs` (unix ms). A pause that lasts already gets neither shorter nor weaker. */
  start(kind: number, untilMs: number): void {
    const wasPaused = this.asked !== PAUSE_NONE;
    this.asked = Math.max(this.asked, kind);
    this.kind = Math.max(this.kind, kind);
    this.host.unschedule(this);
    this.dueMs = wasPaused ? Math.max(this.dueMs, untilMs) : untilMs;
    this.host.schedule(this);
    if (!wasPaused) this.host.paused();
  }

  /** Ends it, if there is one. */
  end(): void {
    if (this.asked === PAUSE_NONE) return;
    this.host.unschedule(this);
    this.due();
  }

  /** It ends. */
  due(): void {
    this.asked = PAUSE_NONE;
    this.weaken();
  }

  /** Holds commands of `kind` back for `holder` until {@linkcode letGo}. */
  hold(holder: PauseHolder, kind: number): void {
    this.held.set(holder, kind);
    this.kind = Math.max(this.kind, kind);
  }

  /** Ends {@linkcode hold}: what others have asked for goes on, and what that doesn't hold back runs. */
  letGo(holder: PauseHolder): void {
    if (this.held.delete(holder)) this.weaken();
  }

  /** One of the pauses is over: what none of the others holds back runs. */
  private weaken(): void {
    const before = this.kind;
    this.kind = Math.max(this.asked, ...this.held.values());
    if (this.kind < before) this.host.resumed();
  }

  /** Whether a command has to wait for the end of the pause that writes, or may have an effect on replicas, or not. */
  holds(mayReplicate: boolean): boolean {
    return this.kind === PAUSE_ALL || (this.kind === PAUSE_WRITES && mayReplicate);
  }
}
