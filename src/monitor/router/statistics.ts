/**
 * What the router counts, and how long commands took in the last second.
 *
 * @module
 */
import type { RouterView } from "../view.ts";
import { Histogram } from "./histogram.ts";

/** What one second brought. */
export interface SecondOfTraffic {
  /** Commands that only read, and were answered. */
  readonly reads: number;
  /** Commands that write, and were answered. */
  readonly writes: number;
  /** How long they took, in ms: half of the reads no longer than this... */
  readonly readP50: number;
  /** ... 99 of 100... */
  readonly readP99: number;
  /** ... and all. */
  readonly readMax: number;
  /** Likewise the writes: half... */
  readonly writeP50: number;
  /** ... 99 of 100... */
  readonly writeP99: number;
  /** ... all. */
  readonly writeMax: number;
}

const NOTHING: SecondOfTraffic = {
  reads: 0,
  writes: 0,
  readP50: 0,
  readP99: 0,
  readMax: 0,
  writeP50: 0,
  writeP99: 0,
  writeMax: 0,
};

/** See the head of this file. */
export class Statistics {
  /** Clients that have come. */
  connections = 0;
  /** Commands that only read, and were answered. */
  reads = 0;
  /** Commands that write, and were answered. */
  writes = 0;
  /** Reads that were sent once more. */
  retriedReads = 0;
  /** Writes of which nobody knows whether they were carried out. */
  unknownOutcomes = 0;
  /** Bytes from clients. */
  bytesIn = 0;
  /** Bytes to clients. */
  bytesOut = 0;
  /** Errors of the router's own, by their first word. */
  readonly errors: Record<string, number> = {};
  /** What the last whole second brought. */
  last: SecondOfTraffic = NOTHING;
  private readonly readTimes = new Histogram();
  private readonly writeTimes = new Histogram();
  private readsBefore = 0;
  private writesBefore = 0;

  /** Commands that were answered after `ms`. */
  answered(reads: number, writes: number, ms: number): void {
    this.reads += reads;
    this.writes += writes;
    if (writes > 0) this.writeTimes.add(ms, writes);
    else this.readTimes.add(ms, reads);
  }

  /** An error of the router's own. */
  error(text: string, count: number): void {
    const code = text.split(" ", 1)[0];
    this.errors[code] = (this.errors[code] ?? 0) + count;
  }

  /** A second is over. */
  endSecond(): void {
    const { readTimes, writeTimes } = this;
    this.last = {
      reads: this.reads - this.readsBefore,
      writes: this.writes - this.writesBefore,
      readP50: readTimes.quantile(0.5),
      readP99: readTimes.quantile(0.99),
      readMax: readTimes.max,
      writeP50: writeTimes.quantile(0.5),
      writeP99: writeTimes.quantile(0.99),
      writeMax: writeTimes.max,
    };
    this.readsBefore = this.reads;
    this.writesBefore = this.writes;
    readTimes.clear();
    writeTimes.clear();
  }

  /** The sums since the start, for {@linkcode RouterView}. */
  get totals(): RouterView["totals"] {
    const { connections, reads, writes, errors, retriedReads, unknownOutcomes } = this;
    const { bytesIn, bytesOut } = this;
    return {
      connections,
      reads,
      writes,
      errors: { ...errors },
      retriedReads,
      unknownOutcomes,
      bytesIn,
      bytesOut,
    };
  }
}
