/**
 * The figures of a run with a monitor, and what is asked of them.
 *
 * @module
 */

import { markdownTable } from "../../bench/report.ts";
import { median } from "../../bench/statistics.ts";
import { type Failure, isClear, type Watch } from "./watch.ts";

/** A change of the master that has begun. */
export interface Incident {
  /** Whether the master was killed or stopped, or the monitor was told to take another one. */
  readonly kind: "kill" | "stop" | "switch";
  /** When it began, by `performance.now()`. */
  readonly beganMs: number;
}

/** How a change of the master went, in milliseconds. */
export interface Change {
  /** What it was. */
  readonly kind: Incident["kind"];
  /** The longest time in which no write was acknowledged. */
  readonly writesStoodMs: number;
  /** The longest time in which no read was answered. */
  readonly readsStoodMs: number;
  /** Until each client had a write acknowledged that it had sent after the beginning. */
  readonly allWroteMs: number;
  /** How long the old master took to follow the new one: from its return, or from the beginning. */
  readonly returnedMs: number;
}

/**
 * What was sent so long after a kill may still be in flight in it: the monitor hears of the kill when the connection ends.
 */
const KILL_NOTICED_MS = 100;
/** Beyond `down-after-milliseconds`, writes may stand still for so long. */
const LONGEST_KILL_MS = 1000;
/** The same for half of the kills. */
const MEDIAN_KILL_MS = 300;
/** Half of the switches that somebody asked for may last so long. */
const MEDIAN_SWITCH_MS = 200;
/** As many failures as a fault tells of. */
const MOST_TOLD = 5;

/** What was counted. */
export class Tally {
  /** Groups that were begun. */
  groups = 0;
  /** Kills of a master that were begun. */
  kills = 0;
  /** Masters that were stopped for a while. */
  stops = 0;
  /** Switches that were begun. */
  switches = 0;
  /** All of these. */
  get changes(): number {
    return this.kills + this.stops + this.switches;
  }

  /** Looks at all that was acknowledged. */
  checked = 0;
  /** Acknowledged writes that weren't there. */
  lost = 0;
  /** What was wrong. */
  readonly faults: string[] = [];
  readonly #changes: Change[] = [];
  readonly #errors = { kill: 0, stop: 0, switch: 0, none: 0 };
  #reads = 0;
  #writes = 0;
  #dropped = 0;
  #failedReads = 0;
  #wrongAnswers = 0;
  readonly #inFlight = { kill: 0, stop: 0 };

  /** Takes how long a node may be silent before it is taken for dead. */
  constructor(readonly downAfterMs: number) {}

  /**
   * Counts what clients have noticed since the last time.
   *
   * @param incident What went on meanwhile, if something did.
   * @returns what they must not have noticed, or undefined.
   */
  judge(watch: Watch, incident: Incident | undefined): string | undefined {
    this.#reads += watch.reads;
    this.#writes += watch.writes;
    watch.reads = watch.writes = 0;
    const { reads, writes, wrong, dropped } = watch.takeFailures();
    const latestMs = this.#latestInFlightMs(incident);
    const others = writes.filter((failure) => failure.sentMs > latestMs || !isClear(failure));
    const { kind } = incident ?? {};
    if (kind === "kill" || kind === "stop") this.#inFlight[kind] += writes.length - others.length;
    this.#dropped += dropped;
    this.#failedReads += reads.length;
    this.#wrongAnswers += wrong.length;
    this.#errors[kind ?? "none"] += reads.length + others.length + wrong.length;
    const told = [
      ...dropped > 0 ? [`${dropped} connections were dropped`] : [],
      ...describe("reads", reads, incident),
      ...describe("writes", others, incident),
      ...wrong.slice(0, MOST_TOLD),
    ];
    return told.length === 0 ? undefined : told.join("\n");
  }

  /** Until when what was sent may have been in flight when the master was lost. */
  #latestInFlightMs(incident: Incident | undefined): number {
    if (incident === undefined || incident.kind === "switch") return -Infinity;
    // Nobody hears of one that is stopped, so all that is sent until the failover is in flight.
    const noticedMs = incident.kind === "kill" ? KILL_NOTICED_MS : this.#longestStandMs;
    return incident.beganMs + noticedMs;
  }

  get #longestStandMs(): number {
    return this.downAfterMs + LONGEST_KILL_MS;
  }

  /** Counts a change with which nothing was wrong. */
  note(change: Change): void {
    this.#changes.push(change);
  }

  /** The last change of the master, in a line. */
  get lastChange(): string {
    const { kind, writesStoodMs, readsStoodMs, allWroteMs, returnedMs } = this.#changes.at(-1)!;
    const number = { kill: this.kills, stop: this.stops, switch: this.switches }[kind];
    return `${kind} ${number}: no write for ${writesStoodMs.toFixed(0)} ms, no read for ` +
      `${readsStoodMs.toFixed(0)} ms; all clients wrote after ${allWroteMs.toFixed(0)} ms; ` +
      `the old master follows after ${returnedMs.toFixed(0)} ms`;
  }

  /** The figures beside what is asked of them; and how many of those aren't met. */
  report(): { readonly text: string; readonly passed: number; readonly missed: number } {
    const rows: Row[] = [
      ["reads answered", this.#reads],
      ["writes acknowledged", this.#writes],
      ["looks at all that was acknowledged", this.checked],
      ["client connections dropped", this.#dropped, 0],
      ["failed reads", this.#failedReads, 0],
      ["answers older than what the client knew", this.#wrongAnswers, 0],
      ["acknowledged writes lost", this.lost, 0],
      ["errors without a change of the master", this.#errors.none, 0],
      ...this.#lossRows("kill", "kills of the master", this.kills),
      ...this.#lossRows("stop", "masters that were stopped", this.stops),
      ...this.#switchRows(),
    ];
    const isMissed = ([, figure, most = Infinity]: Row) => !(figure <= most);
    const asked = rows.filter(([, , most]) => most !== undefined);
    const missed = asked.filter(isMissed).length;
    const text = markdownTable(
      ["figure", "measured", "at most"],
      rows.map((
        row,
      ) => [row[0], row[1].toFixed(0), `${row[2] ?? ""}${isMissed(row) ? ", missed" : ""}`]),
    );
    return { text, passed: asked.length - missed, missed };
  }

  #lossRows(kind: "kill" | "stop", heading: string, count: number): Row[] {
    if (count === 0) return [];
    const of = this.#of(kind);
    const stood = of(({ writesStoodMs }) => writesStoodMs);
    return [
      [heading, count],
      ["of which clean", stood.length],
      ["writes in flight, with an error", this.#inFlight[kind]],
      ["other errors", this.#errors[kind], 0],
      ["writes stood still, median ms", median(stood), this.downAfterMs + MEDIAN_KILL_MS],
      ["longest ms", Math.max(...stood), this.#longestStandMs],
      ["all clients wrote again, median ms", median(of(({ allWroteMs }) => allWroteMs))],
      ["reads stood still, median ms", median(of(({ readsStoodMs }) => readsStoodMs))],
      ["longest ms", Math.max(...of(({ readsStoodMs }) => readsStoodMs))],
      ["the old master a replica after its return, median ms", median(of((one) => one.returnedMs))],
    ];
  }

  #switchRows(): Row[] {
    if (this.switches === 0) return [];
    const of = this.#of("switch");
    const stood = of(({ writesStoodMs }) => writesStoodMs);
    return [
      ["switches that were asked for", this.switches],
      ["of which clean", stood.length],
      ["errors", this.#errors.switch, 0],
      ["writes stood still, median ms", median(stood), MEDIAN_SWITCH_MS],
      ["longest ms", Math.max(...stood)],
      ["reads stood still, median ms", median(of(({ readsStoodMs }) => readsStoodMs))],
      ["the old master a replica, median ms", median(of(({ returnedMs }) => returnedMs))],
    ];
  }

  #of(wanted: Change["kind"]): (pick: (change: Change) => number) => number[] {
    return (pick) => this.#changes.filter(({ kind }) => kind === wanted).map(pick);
  }
}

/** A figure, and what it may be at most if something is asked of it. */
type Row = readonly [what: string, figure: number, most?: number];

function describe(
  what: string,
  failures: readonly Failure[],
  incident: Incident | undefined,
): string[] {
  if (failures.length === 0) return [];
  const since = (ms: number) =>
    incident === undefined ? "" : ` at ${(ms - incident.beganMs).toFixed(0)} ms`;
  return [
    `${failures.length} ${what} failed:`,
    ...failures.slice(0, MOST_TOLD).map(({ command, text, sentMs, answeredMs }) =>
      `  ${command}, sent${since(sentMs)}, answered${since(answeredMs)}: ${text}`
    ),
  ];
}
