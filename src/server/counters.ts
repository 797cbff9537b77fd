/**
 * What a server counts beside its commands: connections, traffic, errors.
 *
 * @module
 */

/** An error without a code of at most so many characters counts as `ERR`. */
const LONGEST_CODE = 32;
/** Most codes of errors that are counted by name; scripts can invent as many as they like. */
const CODES_LIMIT = 1000;
/** A rate is the mean of the last so many samples. */
const SAMPLES = 16;
const BYTES_PER_KILOBYTE = 1024;

/** What the server has counted since its start, or since CONFIG RESETSTAT. */
export class ServerCounters {
  /** Connections that came in. */
  connections = 0;
  /** Connections that were refused because there were too many. */
  refused = 0;
  /** Clients that were closed for the memory they took. */
  evictedClients = 0;
  /** Snapshots and rewrites that were begun beside the server; Redis has a process for each. */
  forks = 0;
  /** Commands run. */
  commands = 0;
  /** Error replies. */
  errors = 0;
  /** Bytes read from clients. */
  inputBytes = 0;
  /** Bytes written to clients. */
  outputBytes = 0;
  /** Reads that brought something. */
  reads = 0;
  /** Writes. */
  writes = 0;
  /** Error replies by their code. */
  readonly errorsByCode: Map<string, number> = new Map();
  /** Commands run in a second. */
  readonly commandRate: Rate = new Rate();
  /** Bytes read in a second. */
  readonly inputRate: Rate = new Rate();
  /** Bytes written in a second. */
  readonly outputRate: Rate = new Rate();

  /** Counts an error reply of `text`, which starts with its code. */
  countError(text: string): void {
    this.errors++;
    const space = text.indexOf(" ");
    const code = space < 0 || space >= LONGEST_CODE ? "ERR" : text.slice(0, space);
    const count = this.errorsByCode.get(code);
    if (count !== undefined || this.errorsByCode.size < CODES_LIMIT) {
      this.errorsByCode.set(code, (count ?? 0) + 1);
    }
  }

  /** Takes the samples of the rates at `now`, in monotonic ms. */
  sample(now: number): void {
    this.commandRate.sample(now, this.commands);
    this.inputRate.sample(now, this.inputBytes / BYTES_PER_KILOBYTE);
    this.outputRate.sample(now, this.outputBytes / BYTES_PER_KILOBYTE);
  }

  /** Starts again from zero. */
  reset(): void {
    this.connections = 0;
    this.refused = 0;
    this.evictedClients = 0;
    this.forks = 0;
    this.commands = 0;
    this.errors = 0;
    this.inputBytes = 0;
    this.outputBytes = 0;
    this.reads = 0;
    this.writes = 0;
    this.errorsByCode.clear();
    for (const rate of [this.commandRate, this.inputRate, this.outputRate]) rate.reset();
  }
}

/** How fast a count grows: the mean of the last 16 samples. */
export class Rate {
  private readonly samples = new Float64Array(SAMPLES);
  private next = 0;
  private lastCount = 0;
  private lastTime = 0;

  /** Takes a sample: at `now`, in ms, the count was `count`. */
  sample(now: number, count: number): void {
    const elapsed = now - this.lastTime;
    if (this.lastTime > 0 && elapsed > 0) {
      this.samples[this.next] = (count - this.lastCount) * 1000 / elapsed;
      this.next = (this.next + 1) % SAMPLES;
    }
    this.lastTime = now;
    this.lastCount = count;
  }

  /** Growth in a second. */
  get perSecond(): number {
    return this.samples.reduce((sum, sample) => sum + sample, 0) / SAMPLES;
  }

  /** Forgets the samples; the count has started again from zero. */
  reset(): void {
    this.samples.fill(0);
    this.next = 0;
    this.lastCount = 0;
    this.lastTime = 0;
  }
}
