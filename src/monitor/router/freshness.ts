/**
 * How far the nodes' data has come, and who has to have what.
 *
 * A client may read its own writes from a replica as soon as that has come as far as the master was after them. Replies don't say where
 * that is, so the master is asked (ROLE) after writes were answered: once for all of them that were answered before the question left.
 * They share a {@linkcode Batch}; the client keeps its last one. Replicas are asked too, while a batch is younger than what they
 * have said last.
 *
 * **Another history.** Offsets only compare within one. If the master's goes back, or the connection to it was another one before, it may have been
 * restarted, and what replicas have said means nothing until the master names them as its own: then they are heard anew.
 *
 * @module
 */

/** Writes that were answered before the master was asked how far it is. */
export class Batch {
  /** The master's offset behind them; -1 while that isn't known. */
  offset: number = -1;
}

/** Where the master was at a time. */
interface Sample {
  readonly timeMs: number;
  readonly offset: number;
}

const SAMPLES = 64;
/** Samples are so far apart at least, for each second of lag that matters. */
const SAMPLE_MS_PER_SECOND = 1000 / SAMPLES;
const SHORTEST_SAMPLE_MS = 50;

/** See the head of this file. */
export class Freshness {
  /** The master's offset, as it was last heard; -1 for never. */
  masterOffset: number = -1;
  /** The offset of the youngest batch: somebody wants to hear when replicas have come so far. */
  awaitedOffset: number = -1;
  /** Writes that are answered from now on belong to this. */
  private collecting: Batch | null = null;
  /** Batches for whose offset the master was, or has to be, asked. */
  private unresolved: Batch[] = [];
  private samples: Sample[] = [];
  private readonly sampleMs: number;

  /** Looks back as far as `maxLagSeconds` ask for. */
  constructor(maxLagSeconds: number) {
    this.sampleMs = Math.max(SHORTEST_SAMPLE_MS, maxLagSeconds * SAMPLE_MS_PER_SECOND * 1.5);
  }

  /** A write was answered; the batch that it belongs to. */
  noteWrite(): Batch {
    if (this.collecting === null) this.unresolved.push(this.collecting = new Batch());
    return this.collecting;
  }

  /** Whether the master has to be asked. */
  get needsMaster(): boolean {
    return this.unresolved.length > 0;
  }

  /** The master is asked now; what this gives has to come back with its answer. */
  asks(): Batch[] {
    const asked = this.unresolved;
    this.unresolved = [];
    this.collecting = null;
    return asked;
  }

  /** It has answered. Whether it went back: then offsets of replicas have to be heard anew. */
  answered(asked: readonly Batch[], offset: number, nowMs: number): boolean {
    const isReset = offset < this.masterOffset;
    if (isReset) this.samples = [];
    this.masterOffset = offset;
    for (const batch of asked) batch.offset = offset;
    if (isReset || asked.length > 0) this.awaitedOffset = offset;
    const last = this.samples.at(-1);
    if (last === undefined || nowMs - last.timeMs >= this.sampleMs) {
      this.samples.push({ timeMs: nowMs, offset });
      if (this.samples.length > SAMPLES) this.samples.shift();
    }
    return isReset;
  }

  /** It hasn't answered: the next master will. */
  failed(asked: readonly Batch[]): void {
    this.unresolved.unshift(...asked);
  }

  /** For how long, in ms, somebody with this offset has been behind the master. */
  lagMs(offset: number, nowMs: number): number {
    if (offset >= this.masterOffset) return 0;
    const missed = this.samples.find((sample) => sample.offset > offset);
    return missed === undefined ? 0 : nowMs - missed.timeMs;
  }
}
