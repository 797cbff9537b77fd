/**
 * The command line clients that are measured: a run of each, from the start of its process to its end.
 *
 * @module
 */

import { type Bench, Skip } from "./bench_context.ts";
import { alternatingOrder } from "./cells.ts";
import { processTree, residentBytes } from "./process_facts.ts";
import { formatMebibytes, formatSpread, type Goal, MISSING, ratioCells } from "./report.ts";
import { pause } from "./timing.ts";

/** A client that could be run. */
export interface ClientProgram {
  /** Its name in the tables. */
  readonly name: string;
  /** Program and arguments, to which the server's port and what is to be done are added. */
  readonly command: readonly string[];
}

/** What one run took. */
export interface ClientRun {
  /** From the start of the process to its end. */
  readonly seconds: number;
  /** Processor time of all its threads; null where the shell doesn't tell. */
  readonly cpuSeconds: number | null;
  /** The most memory that it was seen to have; null where the system doesn't tell. */
  readonly peakBytes: number | null;
  /** What it printed. */
  readonly output: string;
}

const MEMORY_LOOK_MS = 200;

/** A round takes minutes. */
const MOST_ROUNDS = 5;

/**
 * The shell connects the input, so that nothing but the client works on it, and tells the processor time of what it has run in
 * the last line.
 */
const RUN_SCRIPT = `input=$1; shift; "$@" <"$input"; code=$?; times; exit "$code"`;

/**
 * The clients to measure side by side: ours from source, the executable if there is one, and redis-cli.
 *
 * @throws {Skip} if there is no redis-cli, or no shell
 */
export async function clientPrograms(bench: Bench): Promise<readonly ClientProgram[]> {
  if (Deno.build.os === "windows") throw new Skip("clients are run by a shell");
  const redisCli = bench.options.redis.replace(/redis-server$/, "redis-cli");
  try {
    await new Deno.Command(redisCli, { args: ["--version"], stdin: "null" }).output();
  } catch {
    throw new Skip(`${redisCli} is missing: there is nothing to compare with`);
  }
  const { compiled } = bench.options;
  return [
    { name: "from source", command: [...bench.source.command.slice(0, -1), "client"] },
    ...compiled === null ? [] : [{ name: "compiled", command: [compiled, "client"] }],
    { name: "redis-cli", command: [redisCli] },
  ];
}

/**
 * Runs a client to its end.
 *
 * @param client The client.
 * @param args What it is to do.
 * @param inputPath The file that it reads.
 * @throws {Error} if it fails, with what it said
 */
export async function runClientProgram(
  client: ClientProgram,
  args: readonly string[],
  inputPath = "/dev/null",
): Promise<ClientRun> {
  const startedAt = performance.now();
  const child = new Deno.Command("sh", {
    args: ["-c", RUN_SCRIPT, "sh", inputPath, ...client.command, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let ended = false;
  let peakBytes: number | null = null;
  const watching = (async () => {
    while (!ended) {
      const bytes = residentBytes(processTree(child.pid).slice(1));
      if (bytes !== null && bytes > (peakBytes ?? 0)) peakBytes = bytes;
      await pause(MEMORY_LOOK_MS);
    }
  })();
  const { code, stdout, stderr } = await child.output();
  const seconds = (performance.now() - startedAt) / 1000;
  ended = true;
  await watching;
  const decoder = new TextDecoder();
  const output = decoder.decode(stdout);
  if (code !== 0) throw new Error(`${client.name}: ${output}${decoder.decode(stderr)}`);
  return { seconds, cpuSeconds: cpuSecondsIn(output), peakBytes, output };
}

/**
 * Runs all clients in rounds; the one that goes first changes from round to round.
 *
 * @param bench Says how many rounds, at most {@linkcode MOST_ROUNDS}.
 * @param label What is measured.
 * @param clients The clients.
 * @param runOnce Runs one of them.
 * @returns the runs of each client.
 */
export async function runInRounds<Run extends ClientRun>(
  bench: Bench,
  label: string,
  clients: readonly ClientProgram[],
  runOnce: (client: ClientProgram) => Promise<Run>,
): Promise<Run[][]> {
  const rounds = Math.min(MOST_ROUNDS, bench.options.rounds);
  const runs = clients.map((): Run[] => []);
  for (let round = 0; round < rounds; round++) {
    bench.say(`  ${label}: round ${round + 1} of ${rounds}`);
    for (const index of alternatingOrder(clients.length, round)) {
      runs[index].push(await runOnce(clients[index]));
    }
  }
  return runs;
}

/** What stands above the columns of {@linkcode clientRows} but the first. */
export const CLIENT_HEADINGS: readonly string[] = [
  ...["client", "s", "ratio", "its rounds", "CPU s", "most MiB"],
];

/**
 * Rows of a table: the clients with their times, and the ratios to those of the last one.
 *
 * @param label What stands in the first column of each.
 * @param clients The clients.
 * @param runs The rounds of each of them.
 * @param goal What is asked of the ratios.
 */
export function clientRows(
  label: string,
  clients: readonly ClientProgram[],
  runs: readonly (readonly ClientRun[])[],
  goal: Goal,
): string[][] {
  const secondsOf = (rounds: readonly ClientRun[]) => rounds.map(({ seconds }) => seconds);
  const theirs = secondsOf(runs.at(-1)!);
  return clients.map(({ name }, index) => {
    const ours = secondsOf(runs[index]);
    const isTheirs = index === clients.length - 1;
    return [
      label,
      name,
      formatSpread(ours),
      ...isTheirs ? ["", ""] : ratioCells(ours, theirs, goal),
      formatSpread(runs[index].map(({ cpuSeconds }) => cpuSeconds)),
      peakOf(runs[index]),
    ];
  });
}

function peakOf(runs: readonly ClientRun[]): string {
  const peaks = runs.map(({ peakBytes }) => peakBytes).filter((bytes) => bytes !== null);
  return peaks.length === 0 ? MISSING : formatMebibytes(Math.max(...peaks));
}

/** The last line that `times` has printed: user and system time of the shell's children. */
function cpuSecondsIn(output: string): number | null {
  const match = output.match(/(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/)?.slice(1).map(Number);
  if (match === undefined) return null;
  const [userMinutes, userSeconds, systemMinutes, systemSeconds] = match;
  return 60 * (userMinutes + systemMinutes) + userSeconds + systemSeconds;
}
