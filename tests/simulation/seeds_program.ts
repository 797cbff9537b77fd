/**
 * The program of a simulation: plays seeds and counts what they have seen, or puts bugs in on purpose until a seed finds out.
 *
 * @module
 */
import { type Program, runProgram } from "../support/command_line.ts";

const FAULTS_AT_MOST = 20;

/** What a seed has seen, as far as the program has to know. */
interface SeedOutcome {
  readonly fault: Error | undefined;
  readonly simulatedMs: number;
}

/** What a search for a bug that was put in has found. */
interface Finding {
  readonly name: string;
  readonly seeds: number;
  readonly seed?: number;
  readonly fault?: string;
}

/** What is played. */
export interface SeedsGame<Outcome extends SeedOutcome, Bug> {
  /** The file of the program, for its help. */
  readonly file: string;
  /** Bugs that can be put in. */
  readonly bugs: readonly Bug[];
  /** Plays a seed. */
  readonly play: (
    seed: number,
    trace: ((line: string) => void) | undefined,
    bug: Bug | undefined,
  ) => Promise<Outcome>;
  /** Puts a bug in until one of `seeds` seeds finds out. */
  readonly search: (bug: Bug, first: number, seeds: number) => Promise<Finding>;
  /** What all seeds have seen, in words. */
  readonly describe: (outcomes: readonly Outcome[]) => string;
  /** How many characters of what finds a bug are shown. */
  readonly shownCharacters: number;
}

interface Options<Bug> {
  readonly seed: number;
  readonly seeds: number;
  readonly trace: boolean;
  readonly bug: Bug | undefined;
  readonly proves: boolean;
}

/** Sums a figure of all outcomes. */
export function sumOf<Outcome>(
  outcomes: readonly Outcome[],
  figure: (outcome: Outcome) => number,
): number {
  return outcomes.reduce((sum, outcome) => sum + figure(outcome), 0);
}

/** Runs the program; its exit code. */
export function runSeeds<Outcome extends SeedOutcome, Bug>(
  game: SeedsGame<Outcome, Bug>,
): Promise<number> {
  const program: Program<Options<Bug>> = {
    usage: usageOf(game.file),
    texts: ["seed", "seeds", "bug"],
    flags: ["trace", "prove"],
    read: (given) => ({
      seed: given.whole("seed") ?? 1,
      seeds: given.whole("seeds") ?? (given.has("prove") ? 1000 : 10_000),
      trace: given.has("trace"),
      bug: bugOf(game.bugs, given.whole("bug")),
      proves: given.has("prove"),
    }),
    run: async (options) => await (options.proves ? prove : play)(game, options) > 0 ? 1 : 0,
  };
  return runProgram(program);
}

function usageOf(file: string): string {
  return `deno run -A tests/simulation/${file} [options]

  --seeds N         how many seeds are played (10000)
  --seed N          the first of them (1)
  --trace           shows all that happens; for a single seed: --seed 7 --seeds 1 --trace
  --bug N           puts in bug number N of the list of --prove
  --prove           puts in each bug in turn, until a seed finds out (--seeds: at most, 1000)
`;
}

/** Plays seeds; how many found a fault. */
async function play<Outcome extends SeedOutcome, Bug>(
  game: SeedsGame<Outcome, Bug>,
  { bug, seed: first, seeds, trace }: Options<Bug>,
): Promise<number> {
  const started = performance.now();
  const outcomes: Outcome[] = [];
  let faults = 0;
  for (let seed = first; seed < first + seeds && faults < FAULTS_AT_MOST; seed++) {
    const outcome = await game.play(seed, trace ? console.log : undefined, bug);
    outcomes.push(outcome);
    const { fault } = outcome;
    if (fault === undefined) continue;
    faults++;
    console.log(`seed ${seed}: ${fault.name === "SimulationFault" ? fault.message : fault.stack}`);
  }
  const seconds = (performance.now() - started) / 1000;
  const hours = sumOf(outcomes, ({ simulatedMs }) => simulatedMs) / 3_600_000;
  console.log(
    `${outcomes.length} seeds, ${game.describe(outcomes)}, ${hours.toFixed(1)} hours, ` +
      `${faults} faults; ${seconds.toFixed(1)} s, ` +
      `${(outcomes.length / seconds).toFixed(1)} seeds/s`,
  );
  return faults;
}

/** Puts in each bug in turn; how many of them nobody finds. */
async function prove<Outcome extends SeedOutcome, Bug>(
  { bugs, search, shownCharacters }: SeedsGame<Outcome, Bug>,
  { seed: first, seeds }: Options<Bug>,
): Promise<number> {
  console.log("| N | bug | found after seeds | by seed | which says |");
  console.log("| - | - | - | - | - |");
  let missed = 0;
  for (const [index, bug] of bugs.entries()) {
    const finding = await search(bug, first, seeds);
    if (finding.seed === undefined) missed++;
    const what = finding.fault?.split("\n")[0].slice(0, shownCharacters).replaceAll("|", "/") ?? "";
    const found = finding.seed === undefined ? `not after ${seeds}` : finding.seeds;
    const cells = [index + 1, finding.name, found, finding.seed ?? "", what];
    console.log(`| ${cells.join(" | ")} |`);
  }
  return missed;
}

/** The bug of this number in the list. */
function bugOf<Bug>(bugs: readonly Bug[], number: number | undefined): Bug | undefined {
  if (number === undefined) return undefined;
  const bug = bugs[number - 1];
  if (bug === undefined) throw new Error(`--bug is a number from 1 to ${bugs.length}`);
  return bug;
}
