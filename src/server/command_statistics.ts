/**
 * What is counted of each command: calls, time, and how the times are spread.
 *
 * **The histogram.** Times in ns stand in buckets whose width is 1/128 of their start or less: 128 buckets for
 * each power of two, the first 256 of 1 ns each. So a percentile is right within 1 %, and it is what Redis'
 * histogram says, which has the same buckets. The counts of a power of two are allocated when the first time
 * falls in it: a command that is called takes 1 to 5 KiB.
 *
 * @module
 */

const SUB_BITS = 7;
const SUB_BUCKETS = 1 << SUB_BITS;
/** A time longer than this counts as this. */
const LONGEST_NS = 1_000_000_000;
const GROUPS = 31 - SUB_BITS;
const FIRST_LIMIT_NS = 1024;

/** Where the times of one command fall; see the head of this file. */
export class LatencyHistogram {
  /** How many times were recorded. */
  total = 0;
  private readonly groups: (Float64Array | null)[] = new Array(GROUPS).fill(null);

  /** Records `count` times of `ns` nanoseconds each. */
  record(ns: number, count: number): void {
    const value = ns < 1 ? 1 : ns > LONGEST_NS ? LONGEST_NS : ns | 0;
    const shift = value < SUB_BUCKETS ? 0 : 31 - Math.clz32(value) - SUB_BITS;
    const bucket = value >>> shift;
    const group = value < SUB_BUCKETS ? 0 : shift + 1;
    const counts = this.groups[group] ?? this.startGroup(group);
    counts[bucket & (SUB_BUCKETS - 1)] += count;
    this.total += count;
  }

  /**
   * The time in ns that `percent` of all times don't exceed: the upper end of its bucket, or for 0 the lower
   * end of the first one.
   */
  percentile(percent: number): number {
    const wanted = Math.max(1, Math.floor((Math.min(100, percent) / 100) * this.total + 0.5));
    let seen = 0;
    for (const [end, count] of this.buckets()) {
      seen += count;
      if (seen >= wanted) return percent === 0 ? lowerEnd(end) : end;
    }
    return 0;
  }

  /**
   * How many times were at most so long, for limits that double from about 1 us on; only those limits that
   * more times keep than the one before.
   */
  cumulative(): [microseconds: number, count: number][] {
    const found: [number, number][] = [];
    let seen = 0;
    let reported = 0;
    let limit = FIRST_LIMIT_NS;
    for (const [end, count] of this.buckets()) {
      while (end > upperEnd(limit)) {
        if (seen > reported) found.push([Math.floor(upperEnd(limit) / 1000), seen]);
        reported = seen;
        limit *= 2;
      }
      seen += count;
    }
    // The last limit lies beyond what is recorded, and Redis shows it as it is.
    const last = limit > LONGEST_NS ? limit : upperEnd(limit);
    if (seen > reported) found.push([Math.floor(last / 1000), seen]);
    return found;
  }

  /** Has a power of two counted from now on. */
  private startGroup(group: number): Float64Array {
    return this.groups[group] = new Float64Array(SUB_BUCKETS);
  }

  /** The last time in ns of each bucket in use with its count, shortest first. */
  private *buckets(): Generator<[end: number, count: number]> {
    for (let group = 0; group < GROUPS; group++) {
      const counts = this.groups[group];
      if (counts === null) continue;
      const shift = Math.max(0, group - 1);
      const first = group === 0 ? 0 : SUB_BUCKETS;
      for (let index = 0; index < SUB_BUCKETS; index++) {
        if (counts[index] > 0) yield [((first + index + 1) << shift) - 1, counts[index]];
      }
    }
  }
}

/** The first ns of the bucket that `ns` falls in. */
function lowerEnd(ns: number): number {
  const shift = ns < SUB_BUCKETS ? 0 : 31 - Math.clz32(ns) - SUB_BITS;
  return (ns >>> shift) << shift;
}

/** The last ns of the bucket that `ns` falls in. */
function upperEnd(ns: number): number {
  const shift = ns < SUB_BUCKETS ? 0 : 31 - Math.clz32(ns) - SUB_BITS;
  return lowerEnd(ns) + (1 << shift) - 1;
}

/** What is counted of one command. */
export class CommandStatistics {
  /** How often it was run. */
  calls = 0;
  /** How often it was refused before it ran. */
  rejected = 0;
  /** How often it replied with an error. */
  failed = 0;
  /** Time that it took in all. */
  microseconds = 0;
  /** How its times are spread; null while there are none. */
  histogram: LatencyHistogram | null = null;

  /** Counts `count` calls that took `microseconds` each. */
  record(microseconds: number, count: number, withHistogram: boolean): void {
    this.calls += count;
    this.microseconds += microseconds * count;
    if (!withHistogram) return;
    this.histogram ??= new LatencyHistogram();
    this.histogram.record(microseconds * 1000, count);
  }

  /** Starts again from zero. */
  reset(): void {
    this.calls = 0;
    this.rejected = 0;
    this.failed = 0;
    this.microseconds = 0;
    this.histogram = null;
  }
}
