/**
 * What every suite works with: the contenders, the tools that were found, and the servers that
 * are up.
 *
 * @module
 */

import configuration from "../../deno.json" with { type: "json" };
import { fileURLToPath } from "node:url";
import { type Contender, RunningServer } from "./contender.ts";
import { MixedLoad } from "./mixed_load.ts";
import type { BenchOptions } from "./options.ts";
import { RedisBenchmark } from "./redis_benchmark.ts";

/** A suite can't run here; the message says what is missing. */
export class Skip extends Error {}

/** One suite: a group of figures with its own block in the README. */
export interface Suite {
  /** Its name on the command line and in the README's markers. */
  readonly name: string;
  /** What it measures, in a line. */
  readonly summary: string;
  /**
   * Measures, and gives the tables as markdown.
   *
   * @throws {Skip} if something that it needs is missing
   */
  run(bench: Bench): Promise<string>;
}

/** The version that `program --version` prints, or null if it can't be run. */
async function versionOf(program: string): Promise<string | null> {
  try {
    const output = await new Deno.Command(program, { args: ["--version"], stdin: "null" }).output();
    return new TextDecoder().decode(output.stdout).match(/\d+\.\d+\.\d+/)?.[0] ?? "unknown";
  } catch {
    return null;
  }
}

/** The benchmark as a suite sees it. */
export class Bench {
  /** What the command line asks for. */
  readonly options: BenchOptions;
  /** The server under test. */
  readonly subject: Contender;
  /** The server under test run from source, by the Deno that compiles it if that is known. */
  readonly source: Contender;
  /** The server to compare with; null if it is missing. */
  readonly reference: Contender | null;
  /** Versions and machine, for the line below each table. */
  readonly facts: string;
  readonly #hasBenchmark: boolean;
  readonly #interruption = new AbortController();
  readonly #running = new Set<Promise<RunningServer>>();

  private constructor(
    options: BenchOptions,
    redisVersion: string | null,
    denoVersion: string,
    hasBenchmark: boolean,
  ) {
    this.options = options;
    this.#hasBenchmark = hasBenchmark;
    this.source = { name: "miniredis", command: sourceCommand(sourceDeno()) };
    const compiled = options.compiled;
    this.subject = {
      name: "miniredis",
      command: options.miniredis ?? (compiled ? [compiled, "server"] : this.source.command),
    };
    this.reference = redisVersion === null ? null : {
      name: "redis",
      command: [options.redis, "--save", "", "--appendonly", "no"],
    };
    const subjectFact = options.miniredis
      ? `\`${options.miniredis.map((word) => word || '""').join(" ")}\``
      : `miniredis ${compiled ? "compiled with" : "from source with"} Deno ${denoVersion}`;
    this.facts = [
      `${navigator.hardwareConcurrency} cores`,
      `${Deno.build.os} ${Deno.osRelease().match(/^\d+\.\d+/)?.[0] ?? ""}`.trim(),
      subjectFact,
      redisVersion === null ? "no redis-server" : `redis-server ${redisVersion}`,
    ].join(", ");
  }

  /** Looks for the tools, and says which are missing. */
  static async prepare(options: BenchOptions): Promise<Bench> {
    const redisVersion = await versionOf(options.redis);
    const benchmarkVersion = await versionOf(options.redisBenchmark);
    const denoVersion = await versionOf(sourceDeno()) ?? "unknown";
    const bench = new Bench(options, redisVersion, denoVersion, benchmarkVersion !== null);
    if (redisVersion === null) {
      bench.say(`${options.redis} is missing: there is nothing to compare with`);
    }
    if (benchmarkVersion === null) {
      bench.say(`${options.redisBenchmark} is missing: what it drives is skipped`);
    }
    return bench;
  }

  /** The servers to measure side by side: the one under test first. */
  get contenders(): readonly Contender[] {
    return this.reference === null ? [this.subject] : [this.subject, this.reference];
  }

  /**
   * The load generator.
   *
   * @throws {Skip} if it is missing
   */
  requireBenchmark(): RedisBenchmark {
    if (!this.#hasBenchmark) throw new Skip(`${this.options.redisBenchmark} is missing`);
    return new RedisBenchmark(this.options.redisBenchmark, this.#interruption.signal);
  }

  /** What makes loads of reads and writes. */
  mixedLoad(): MixedLoad {
    return new MixedLoad(this.#interruption.signal);
  }

  /** Those of `rows` whose names were asked for: all, unless `--only` says which. */
  chosen<T>(rows: readonly T[], nameOf: (row: T) => string): readonly T[] {
    const { only } = this.options;
    return only === null ? rows : rows.filter((row) => only.test(nameOf(row)));
  }

  /** Prints a line of progress; the figures alone go to standard output. */
  say(line: string): void {
    console.error(line);
  }

  /** Where {@linkcode withServers} starts the server of this place in its list. */
  portOf(place: number): number {
    return this.options.port + place;
  }

  /** Starts `contenders` side by side, hands them to `use`, and stops them whatever happens. */
  async withServers<T>(
    contenders: readonly Contender[],
    use: (servers: readonly RunningServer[]) => Promise<T>,
  ): Promise<T> {
    const starts: Promise<RunningServer>[] = [];
    try {
      for (const [index, contender] of contenders.entries()) {
        const start = RunningServer.start(contender, this.portOf(index));
        this.#running.add(start);
        starts.push(start);
        await start;
      }
      return await use(await Promise.all(starts));
    } finally {
      await this.#stop(starts);
    }
  }

  /** Stops everything that is up, when the benchmark is interrupted. */
  async stopAll(): Promise<void> {
    this.#interruption.abort();
    await this.#stop([...this.#running]);
  }

  async #stop(starts: readonly Promise<RunningServer>[]): Promise<void> {
    for (const start of await Promise.allSettled(starts)) {
      if (start.status === "fulfilled") await start.value.stop();
    }
    for (const start of starts) this.#running.delete(start);
  }
}

/** The Deno that compiles, if it is named, so that the sources run on the same version. */
function sourceDeno(): string {
  return Deno.env.get("DENO_COMPILE") ?? Deno.execPath();
}

/** Runs from source as `make run` does, with the same flags for the engine. */
function sourceCommand(deno: string): string[] {
  const flags = configuration.tasks.run.command.match(/--v8-flags=\S+/) ?? [];
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  return [deno, "run", ...flags, "-A", main, "server"];
}
