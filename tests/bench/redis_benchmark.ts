/**
 * Runs `redis-benchmark` and reads its figures. It is written in C, costs little, and its figures
 * are what others will compare with, so it drives everything that it can drive.
 *
 * @module
 */

/** What one run asks for; everything else is redis-benchmark's default. */
export interface Workload {
  /** A name that `-t` knows (`set`, `ping_mbulk`), or the words of a command of one's own. */
  readonly test: string | readonly string[];
  /** Connections at a time (`-c`). */
  readonly clients: number;
  /** Commands in flight on each of them (`-P`). */
  readonly pipeline: number;
  /** False for a new connection per request. */
  readonly keepAlive: boolean;
  /** Bytes of the values (`-d`); 64 unless it is said. */
  readonly valueBytes?: number;
  /** Keys are drawn from as many as this (`-r`); {@linkcode KEYSPACE} unless it is said. */
  readonly keyspace?: number;
}

/** What one run says. */
export interface WorkloadFigures {
  /** Requests answered per second, over all clients. */
  readonly requestsPerSecond: number;
  /** Half of the requests were answered within it. */
  readonly p50Ms: number;
  /** All but one in a hundred were answered within it. */
  readonly p99Ms: number;
}

/** Who makes the load of a run. */
export interface LoadGenerator {
  /**
   * One run of `requests` requests against `port`, to its end.
   *
   * @throws {Error} if a reply is an error, or there is no end
   */
  run(port: number, workload: Workload, requests: number): Promise<WorkloadFigures>;
}

/** Keys are drawn from as many as this unless it is said. */
export const KEYSPACE = 1_000_000;

const VALUE_BYTES = 64;
/** A run that is no better by then has come to a standstill. */
export const RUN_LIMIT_MS = 120_000;
/**
 * Of one turn of an endless run, which starts over when it is through: so many that no pause in
 * which the clients connect again falls into a measurement.
 */
const ENDLESS_REQUESTS = 1_000_000_000;

/** The arguments of a run of `requests` requests against `port`. */
export function benchmarkArguments(port: number, workload: Workload, requests: number): string[] {
  const { test, clients, pipeline, keepAlive, valueBytes = VALUE_BYTES, keyspace = KEYSPACE } =
    workload;
  const options: Record<string, string | number> = {
    "-p": port,
    "-c": clients,
    "-P": pipeline,
    "-n": requests,
    "-r": keyspace,
    "-d": valueBytes,
    "-k": keepAlive ? 1 : 0,
  };
  const words = Object.entries(options).flatMap(([name, value]) => [name, String(value)]);
  return [...words, "--csv", ...(typeof test === "string" ? ["-t", test] : test)];
}

/**
 * The figures in redis-benchmark's `--csv` output of a single test.
 *
 * @throws {Error} if there is no line of figures
 */
export function parseBenchmarkCsv(output: string): WorkloadFigures {
  const [heading, figures] = output.trim().split("\n").map((line) =>
    line.split(",").map((field) => field.replaceAll('"', ""))
  );
  const read = (name: string) => Number(figures?.[heading.indexOf(name)]);
  const result = {
    requestsPerSecond: read("rps"),
    p50Ms: read("p50_latency_ms"),
    p99Ms: read("p99_latency_ms"),
  };
  if (Object.values(result).some(Number.isNaN)) {
    throw new Error(`redis-benchmark gave no figures: ${output.trim()}`);
  }
  return result;
}

/** The program, ready to run. */
export class RedisBenchmark implements LoadGenerator {
  readonly #program: string;
  readonly #interruption: AbortSignal;

  /** Runs `program`; what runs when `interruption` fires is ended. */
  constructor(program: string, interruption: AbortSignal) {
    this.#program = program;
    this.#interruption = interruption;
  }

  /**
   * One run to its end.
   *
   * @throws {Error} with what it printed, if it fails; it does so at the first error reply, so a
   * command that isn't there can't pass for a fast one
   */
  async run(port: number, workload: Workload, requests: number): Promise<WorkloadFigures> {
    const args = benchmarkArguments(port, workload, requests);
    // A run whose server vanishes while it connects spins for ever.
    const limit = AbortSignal.timeout(RUN_LIMIT_MS);
    const output = await new Deno.Command(this.#program, {
      args,
      stdin: "null",
      signal: AbortSignal.any([this.#interruption, limit]),
    }).output();
    const decoder = new TextDecoder();
    if (!output.success) {
      const said = limit.aborted
        ? `no end after ${RUN_LIMIT_MS / 1000} s`
        : decoder.decode(output.stderr) + decoder.decode(output.stdout);
      throw new Error(`redis-benchmark ${args.join(" ")} failed: ${said.trim()}`);
    }
    return parseBenchmarkCsv(decoder.decode(output.stdout));
  }

  /** Has a run go on as long as `work` takes. */
  async during<T>(port: number, workload: Workload, work: () => Promise<T>): Promise<T> {
    const load = new Deno.Command(this.#program, {
      args: [...benchmarkArguments(port, workload, ENDLESS_REQUESTS), "-l"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
      signal: this.#interruption,
    }).spawn();
    try {
      return await work();
    } finally {
      load.kill("SIGKILL");
      await load.status;
    }
  }
}
