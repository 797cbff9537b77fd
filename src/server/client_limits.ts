/**
 * What clients may take: time without a word, output that waits, memory.
 *
 * **Output.** Redis runs what a client sends without regard to whether the client reads, and closes it when more
 * output waits than `client-output-buffer-limit` allows, which for ordinary clients is nothing at all by default: one
 * that doesn't read can take all memory. Here, as long as nothing is limited, a session's commands pause while
 * {@linkcode OUTPUT_PAUSE_BYTES} wait (`session.ts`); nobody sees a difference but the memory. Once a limit is
 * set for ordinary clients, or for the memory of all, people expect that it closes those who exceed it, so the
 * pause ends and the limits alone hold. A client that has not given the password that is asked for is closed when
 * more than {@linkcode STRANGER_OUTPUT_BYTES} wait, whatever the settings say.
 *
 * **Memory.** With `maxmemory-clients` a sum over all clients is kept up to date after each turn, and when it is too
 * much the largest clients go first. Without it nothing is counted between two looks.
 *
 * @module
 */
import { parseMemorySize } from "../runtime/memory_size.ts";
import type { Server } from "./server.ts";
import { CLIENT_CLASSES, REPLICA_CLASS } from "./client_classes.ts";
import { describeClient } from "./client_info.ts";
import { FREE_OUTPUT_BYTES, OUTPUT_PAUSE_BYTES, type Session } from "./session.ts";

/** How much output may wait. */
export interface OutputLimit {
  /** More than so many bytes close the client at once; 0 for no limit. */
  readonly hardBytes: number;
  /** More than so many bytes close it... */
  readonly softBytes: number;
  /** ... if they last longer than so many seconds. */
  readonly softSeconds: number;
}

/** What clients take together. */
export interface ClientMemory {
  /** Bytes of ordinary clients. */
  readonly normal: number;
  /** Bytes of replicas. */
  readonly replicas: number;
  /** The largest query buffer of the last seconds. */
  readonly recentInput: number;
  /** The largest output of the last seconds. */
  readonly recentOutput: number;
}

const NO_LIMIT: OutputLimit = { hardBytes: 0, softBytes: 0, softSeconds: 0 };
/** `maxmemory-clients` below this would keep everybody out. */
const SMALLEST_MEMORY_LIMIT = 128 * 1024;
/** More bytes of output don't wait for a client that lacks the password. */
const STRANGER_OUTPUT_BYTES = 1024;
/** Peaks are kept for so many seconds. */
const PEAK_SECONDS = 8;

/** The limits of the clients of one server. */
export class ClientLimits {
  /** Bytes of output at which a turn ends and no other begins. */
  pauseBytes: number = OUTPUT_PAUSE_BYTES;
  /** Whether a session has to be looked at after each turn. */
  watching = false;
  private outputLimits: readonly OutputLimit[] = CLIENT_CLASSES.map(() => NO_LIMIT);
  private idleMs = 0;
  /** Most bytes for all clients, 0 for no limit. */
  private memoryLimit = 0;
  /** What clients took when they were looked at last. */
  private countedBytes = 0;
  private readonly peaks = Array.from(
    { length: PEAK_SECONDS },
    () => ({ second: 0, input: 0, output: 0 }),
  );

  /** Looks after the clients of `server`. */
  constructor(private readonly server: Server) {}

  /** Takes the settings. */
  configure(): void {
    const { settings } = this.server;
    this.outputLimits = parseOutputLimits(settings.text("client-output-buffer-limit"));
    this.idleMs = settings.number("timeout") * 1000;
    this.memoryLimit = parseMemoryLimit(
      settings.text("maxmemory-clients"),
      settings.number("maxmemory"),
    );
    const { hardBytes, softBytes } = this.outputLimits[0];
    this.watching = hardBytes > 0 || softBytes > 0 || this.memoryLimit > 0;
    // What is too much has to be there before it can be seen.
    this.pauseBytes = hardBytes > 0
      ? hardBytes + FREE_OUTPUT_BYTES + 1
      : this.memoryLimit > 0
      ? this.memoryLimit
      : softBytes > 0
      ? Infinity
      : OUTPUT_PAUSE_BYTES;
    this.recount();
  }

  /** Looks at a session that may have more output or input now; whether it is still there. */
  check(session: Session): boolean {
    if (session.closed) return false;
    if (this.exceedsOutput(session)) return false;
    if (this.memoryLimit > 0) {
      this.countedBytes += session.footprint - session.countedBytes;
      session.countedBytes = session.footprint;
      if (this.countedBytes > this.memoryLimit) this.evict();
    }
    return !session.closed;
  }

  /** Background work, ten times a second. */
  tick(now: number): void {
    const peak = this.peakAt(now);
    for (const session of this.server.sessions.values()) {
      peak.input = Math.max(peak.input, session.buffer.bytes.length);
      peak.output = Math.max(peak.output, session.outputBytes);
      if (this.exceedsOutput(session)) continue;
      const idle = this.idleMs > 0 && session.blocked === null && !session.monitoring &&
        session.topics === null && !isOfReplication(session);
      if (idle && now - session.lastInteraction > this.idleMs) {
        this.server.logger.log("verbose", "Closing idle client");
        session.close();
      }
    }
    if (this.memoryLimit > 0) this.recount();
  }

  /** A session is gone. */
  forget(session: Session): void {
    this.countedBytes -= session.countedBytes;
    session.countedBytes = 0;
  }

  /** What clients take. */
  memory(): ClientMemory {
    const now = this.server.clock.now();
    const recent = this.peaks.filter(({ second }) => now / 1000 - second < PEAK_SECONDS);
    let normal = 0;
    let replicas = 0;
    for (const session of this.server.sessions.values()) {
      if (session.clientClass === REPLICA_CLASS) replicas += session.footprint;
      else normal += session.footprint;
    }
    return {
      normal,
      replicas,
      recentInput: Math.max(0, ...recent.map(({ input }) => input)),
      recentOutput: Math.max(0, ...recent.map(({ output }) => output)),
    };
  }

  /** Closes a session if more output waits than may, or has for too long; whether it did. */
  private exceedsOutput(session: Session): boolean {
    const { softBytes, softSeconds } = this.outputLimits[session.clientClass];
    const hardBytes = this.hardBytesOf(session);
    const bytes = session.outputBytes;
    const second = Math.floor(this.server.clock.now() / 1000);
    if (softBytes === 0 || bytes <= softBytes) session.softSince = 0;
    else if (session.softSince === 0) session.softSince = second;
    const hard = (hardBytes > 0 && bytes > hardBytes) ||
      (!session.authenticated && bytes > STRANGER_OUTPUT_BYTES);
    const soft = session.softSince > 0 && second - session.softSince > softSeconds;
    if (!hard && !soft) return false;
    this.logExceeded(session);
    session.close();
    return true;
  }

  /**
   * Most bytes that may wait for a session. A replica may have all of the backlog before it: if it went for less, it would come back, be
   * sent just that, and go again; and the memory is taken anyway.
   */
  private hardBytesOf({ clientClass }: Session): number {
    const { hardBytes } = this.outputLimits[clientClass];
    if (clientClass !== REPLICA_CLASS || hardBytes === 0) return hardBytes;
    return Math.max(hardBytes, this.server.settings.number("repl-backlog-size"));
  }

  /**
   * Whether a reply of so many bytes to the session whose turn it is would be more than may wait at any time; then that
   * session is closed after its turn.
   */
  refuses(session: Session, bytes: number): boolean {
    const { hardBytes } = this.outputLimits[session.clientClass];
    if (hardBytes === 0 || bytes <= hardBytes) return false;
    this.logExceeded(session);
    session.closing = true;
    return true;
  }

  /** Logs that a client is closed for what waits for it. */
  private logExceeded(session: Session): void {
    this.server.logger.log(
      "warning",
      `Client ${
        describeClient(this.server, session)
      } closed for overcoming of output buffer limits.`,
    );
  }

  /** Counts anew what all clients take. */
  private recount(): void {
    this.countedBytes = 0;
    for (const session of this.server.sessions.values()) {
      session.countedBytes = this.memoryLimit > 0 ? session.footprint : 0;
      this.countedBytes += session.countedBytes;
    }
    if (this.memoryLimit > 0 && this.countedBytes > this.memoryLimit) this.evict();
  }

  /** Closes clients, the largest first, until the others take no more than they may. */
  private evict(): void {
    // The one whose command is running has its turn when that is done.
    const { running } = this.server.clients;
    const candidates = [...this.server.sessions.values()]
      .filter((session) =>
        !session.protectedFromEviction && session !== running && !isOfReplication(session)
      )
      .sort((left, right) => right.countedBytes - left.countedBytes);
    for (const session of candidates) {
      if (this.countedBytes <= this.memoryLimit) return;
      this.server.logger.log(
        "notice",
        `Evicting client: ${describeClient(this.server, session)}`,
      );
      this.server.counters.evictedClients++;
      session.close();
    }
  }

  /** The peaks of the present second. */
  private peakAt(now: number): { input: number; output: number } {
    const second = Math.floor(now / 1000);
    const peak = this.peaks[second % PEAK_SECONDS];
    if (peak.second !== second) Object.assign(peak, { second, input: 0, output: 0 });
    return peak;
  }
}

/** Whether a session is a replica or the master: these have limits of their own. */
function isOfReplication({ clientClass, isMaster }: Session): boolean {
  return clientClass === REPLICA_CLASS || isMaster;
}

/** The limits in a text such as `normal 0 0 0 slave 268435456 67108864 60`. */
function parseOutputLimits(text: string): OutputLimit[] {
  const words = text.split(" ");
  return CLIENT_CLASSES.map((name) => {
    const at = words.indexOf(name);
    if (at < 0) return NO_LIMIT;
    const [hard, soft, seconds] = words.slice(at + 1, at + 4);
    return {
      hardBytes: parseMemorySize(hard) ?? 0,
      softBytes: parseMemorySize(soft) ?? 0,
      softSeconds: Number(seconds),
    };
  });
}

/** The bytes that `maxmemory-clients` means: a number of them, or a share of `maxmemory`. */
function parseMemoryLimit(text: string, maximumMemory: number): number {
  const bytes = text.endsWith("%")
    ? Math.floor(maximumMemory * Number(text.slice(0, -1)) / 100)
    : parseMemorySize(text) ?? 0;
  return bytes === 0 ? 0 : Math.max(SMALLEST_MEMORY_LIMIT, bytes);
}
