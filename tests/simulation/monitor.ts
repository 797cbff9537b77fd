/**
 * Plays monitors with all that can go wrong, from seeds; see the README beside it.
 *
 * @module
 */
import { type Program, runProgram } from "../support/command_line.ts";
import { MONITOR_SABOTAGES, searchForMonitorSabotage } from "./monitor_proof.ts";
import { type MonitorOutcome, type MonitorSabotage, simulateMonitors } from "./monitor_run.ts";

const USAGE = `deno run -A tests/simulation/monitor.ts [options]

  --seeds N         how many seeds are played (10000)
  --seed N          the first of them (1)
  --trace           shows all that happens; for a single seed: --seed 7 --seeds 1 --trace
  --bug N           puts in bug number N of the list of --prove
  --prove           puts in each bug in turn, until a seed finds out (--seeds: at most, 1000)
`;

const FAULTS_AT_MOST = 20;

interface Options {
  readonly seed: number;
  readonly seeds: number;
  readonly trace: boolean;
  readonly bug: MonitorSabotage | undefined;
  readonly proves: boolean;
}

/** What is counted of all seeds. */
const COUNTED = [
  "lives",
  "monitorLives",
  "failovers",
  "answered",
  "written",
  "refused",
  "unknown",
] as const;

/** Plays seeds; how many found a fault. */
async function play({ bug, seed: first, seeds, trace }: Options): Promise<number> {
  const started = performance.now();
  const total = new Map<string, number>(COUNTED.map((name) => [name, 0]));
  let faults = 0;
  let simulatedMs = 0;
  let longestMs = 0;
  let seed = first;
  for (; seed < first + seeds && faults < FAULTS_AT_MOST; seed++) {
    const outcome: MonitorOutcome = await simulateMonitors(seed, {
      trace: trace ? console.log : undefined,
      sabotage: bug,
    });
    for (const name of COUNTED) total.set(name, total.get(name)! + outcome[name]);
    simulatedMs += outcome.simulatedMs;
    longestMs = Math.max(longestMs, outcome.healingMs);
    const { fault } = outcome;
    if (fault === undefined) continue;
    faults++;
    console.log(`seed ${seed}: ${fault.name === "SimulationFault" ? fault.message : fault.stack}`);
  }
  const seconds = (performance.now() - started) / 1000;
  const played = seed - first;
  const count = (name: typeof COUNTED[number]) => total.get(name);
  console.log(
    `${played} seeds, ${count("lives")} servers, ${count("monitorLives")} monitors, ` +
      `${count("failovers")} new masters, ${count("answered")} answers, ` +
      `${count("written")} writes done, ${count("refused")} refusals, ` +
      `${count("unknown")} unknown outcomes, healed within ${longestMs / 1000} s, ` +
      `${(simulatedMs / 3_600_000).toFixed(1)} hours, ${faults} faults; ` +
      `${seconds.toFixed(1)} s, ${(played / seconds).toFixed(1)} seeds/s`,
  );
  return faults;
}

/** Puts in each bug in turn; how many of them nobody finds. */
async function prove({ seed: first, seeds }: Options): Promise<number> {
  console.log("| N | bug | found after seeds | by seed | which says |");
  console.log("| - | - | - | - | - |");
  let missed = 0;
  for (const [index, sabotage] of MONITOR_SABOTAGES.entries()) {
    const finding = await searchForMonitorSabotage(sabotage, first, seeds);
    if (finding.seed === undefined) missed++;
    const what = finding.fault?.split("\n")[0].slice(0, 120).replaceAll("|", "/") ?? "";
    const found = finding.seed === undefined ? `not after ${seeds}` : finding.seeds;
    const cells = [index + 1, finding.name, found, finding.seed ?? "", what];
    console.log(`| ${cells.join(" | ")} |`);
  }
  return missed;
}

/** The bug of this number in the list. */
function bugOf(number: number | undefined): MonitorSabotage | undefined {
  if (number === undefined) return undefined;
  const bug = MONITOR_SABOTAGES[number - 1];
  if (bug === undefined) throw new Error(`--bug is a number from 1 to ${MONITOR_SABOTAGES.length}`);
  return bug;
}

const PROGRAM: Program<Options> = {
  usage: USAGE,
  texts: ["seed", "seeds", "bug"],
  flags: ["trace", "prove"],
  read: (given) => ({
    seed: given.whole("seed") ?? 1,
    seeds: given.whole("seeds") ?? (given.has("prove") ? 1000 : 10_000),
    trace: given.has("trace"),
    bug: bugOf(given.whole("bug")),
    proves: given.has("prove"),
  }),
  run: async (options) => await (options.proves ? prove : play)(options) > 0 ? 1 : 0,
};

if (import.meta.main) Deno.exit(await runProgram(PROGRAM));
