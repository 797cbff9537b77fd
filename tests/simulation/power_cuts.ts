/**
 * Plays power cuts from seeds and looks what servers have kept; see the README beside it.
 *
 * @module
 */
import { type Program, runProgram } from "../support/command_line.ts";
import { type Finding, searchFor, SeedCalls, without } from "./proof.ts";
import { simulateFaults } from "./disk_faults.ts";
import { simulate } from "./simulation.ts";

const USAGE = `deno run -A tests/simulation/power_cuts.ts [options]

  --seeds N         how many seeds are played (10000)
  --seed N          the first of them (1)
  --trace           shows all that happens; for a single seed: --seed 7 --seeds 1 --trace
  --faults          disks that refuse to work for a while, instead of power cuts at any moment
  --without SITE    takes a sync out: its number or its name in the list of --prove
  --list            lists the syncs that the first seeds come by
  --prove           takes each sync out in turn, until a seed finds out (--seeds: at most, 3000)
`;

const FAULTS_AT_MOST = 20;
/** Enough to come by every site. */
const SEEDS_FOR_LIST = 300;

interface Options {
  readonly seed: number;
  readonly seeds: number;
  readonly trace: boolean;
  readonly faults: boolean;
  readonly lists: boolean;
  readonly proves: boolean;
  readonly without: string | undefined;
}

/** Plays seeds; how many found a fault. */
async function play(
  { seed: first, seeds, trace, faults }: Options,
  ignoreSyncs?: (kind: "file" | "folder", path: string) => boolean,
): Promise<number> {
  const started = performance.now();
  const total = { lives: 0, operations: 0, answered: 0, faults: 0 };
  let seed = first;
  for (; seed < first + seeds && total.faults < FAULTS_AT_MOST; seed++) {
    const outcome = await (faults ? simulateFaults : simulate)(seed, {
      ignoreSyncs,
      trace: trace ? console.log : undefined,
    });
    total.lives += outcome.lives;
    total.operations += outcome.operations;
    total.answered += outcome.answered;
    if (outcome.fault === undefined) continue;
    total.faults++;
    const { fault } = outcome;
    console.log(`seed ${seed}: ${fault.name === "SimulationFault" ? fault.message : fault.stack}`);
  }
  const seconds = (performance.now() - started) / 1000;
  const played = seed - first;
  console.log(
    `${played} seeds, ${total.lives} servers, ${total.operations} operations of the disk, ` +
      `${total.answered} answers, ${total.faults} faults; ${seconds.toFixed(1)} s, ` +
      `${(played / seconds).toFixed(0)} seeds/s`,
  );
  return total.faults;
}

/** The sites that some seeds come by. */
async function listSites(first: number): Promise<SeedCalls> {
  const calls = new SeedCalls();
  for (let seed = first; seed < first + SEEDS_FOR_LIST; seed++) await calls.of(seed);
  return calls;
}

/** Takes each sync out in turn; how many of them nobody misses. */
async function prove({ seed: first, seeds: count }: Options): Promise<number> {
  const calls = await listSites(first);
  console.log("| N | sync | place | calls | found after seeds | by seed | which says |");
  console.log("| - | - | - | - | - | - | - |");
  let missed = 0;
  for (const [index, one] of calls.sites.list().entries()) {
    const finding = await searchFor(one, { first, count }, calls);
    if (finding.seed === undefined) missed++;
    console.log(row(index + 1, finding));
  }
  for (const place of calls.sites.unmet()) console.log(`${place} is never called`);
  return missed;
}

function row(number: number, { site, calls, seeds, seed, fault }: Finding): string {
  const what = fault?.split("\n")[0].slice(0, 90) ?? "";
  const found = seed === undefined ? `not after ${seeds}` : seeds;
  const cells = [number, site.name, site.place.replace("src/", ""), calls, found, seed ?? "", what];
  return `| ${cells.map((cell) => String(cell).replaceAll("|", "/")).join(" | ")} |`;
}

async function keyOfSite(wanted: string, first: number): Promise<string> {
  const list = (await listSites(first)).sites.list();
  const found = /^\d+$/.test(wanted)
    ? list[Number(wanted) - 1]
    : list.find(({ site }) => site.name === wanted);
  if (found === undefined) throw new Error(`there is no sync ${wanted}; see --list`);
  return found.key;
}

/** Does what is asked for; how many seeds found a fault, or syncs nobody missed. */
async function run(options: Options): Promise<number> {
  if (options.proves) return await prove(options);
  if (options.lists) {
    const { sites } = await listSites(options.seed);
    for (const [index, { site, calls }] of sites.list().entries()) {
      console.log(`${index + 1}  ${site.name}  (${site.place}, ${calls} calls)`);
    }
    return 0;
  }
  if (options.without === undefined) return await play(options);
  return await play(options, without(await keyOfSite(options.without, 1)));
}

const PROGRAM: Program<Options> = {
  usage: USAGE,
  texts: ["seed", "seeds", "without"],
  flags: ["trace", "faults", "list", "prove"],
  read: (given) => ({
    seed: given.whole("seed") ?? 1,
    seeds: given.whole("seeds") ?? (given.has("prove") ? 3000 : 10_000),
    trace: given.has("trace"),
    faults: given.has("faults"),
    lists: given.has("list"),
    proves: given.has("prove"),
    without: given.text("without"),
  }),
  run: async (options) => await run(options) > 0 ? 1 : 0,
};

if (import.meta.main) Deno.exit(await runProgram(PROGRAM));
