/**
 * The longest pause that a client sees while a server grows and shrinks, and what becomes of the memory meanwhile.
 *
 * A table that is rehashed at one go, a collector that walks a heap full of keys, a segment that is cleared on demand or a
 * collection that is freed at once shows here and nowhere else: it is one request in a million.
 *
 * **Keys** are set, most of them deleted, and others set. **A collection** of each type grows element by element, and goes by
 * UNLINK.
 *
 * @module
 */

import type { Bench, Suite } from "../bench_context.ts";
import { alternatingOrder } from "../cells.ts";
import { COLLECTIONS } from "../collection_loads.ts";
import type { RunningServer } from "../contender.ts";
import { deleteNineTenths, drive, fill } from "../loader.ts";
import type { ProbeReport } from "../probe.ts";
import { probeDuring } from "../probe_process.ts";
import {
  formatMebibytes,
  formatNumber,
  formatSpread,
  formatThousands,
  formatWithGoal,
  markdownTable,
  ratioOfMedians,
} from "../report.ts";
import { median } from "../statistics.ts";
import { pause } from "../timing.ts";

const SHAPE = { connections: 16, pipeline: 16 };
const SETTLE_MS = 2_000;
const MOST_ROUNDS = 3;
const KEYS = 5_000_000;
const QUICK_KEYS = 300_000;
const ELEMENTS = 10_000_000;
const QUICK_ELEMENTS = 500_000;
/** Asked for, in ms. */
const LONGEST_PAUSE = { atMost: 10 };
const LOOK_MS = 200;
/** A server that frees at once may have done it all before the first look. */
const FREEING_MS = 2_000;

/** One thing that happens to a server; tells how many commands it took, if their rate is of interest. */
interface Phase {
  readonly name: string;
  run(server: RunningServer): Promise<number | null>;
}

/** Phases that follow each other on one server. */
interface Story {
  readonly name: string;
  readonly phases: readonly Phase[];
  /** What is to be said of the figures, in lines. */
  conclude?(readings: readonly (readonly PhaseReading[])[]): readonly string[];
}

/** What one phase on one server gave. */
interface PhaseReading extends ProbeReport {
  readonly commandsPerSecond: number;
  readonly residentBytes: number | null;
}

/** Keys by the million. */
function keysStory(keys: number): Story {
  const deleted = Math.floor(keys * 9 / 10);
  return {
    name: "keys",
    phases: [
      { name: "fill", run: async ({ port }) => (await fill(port, 0, keys, SHAPE), keys) },
      { name: "delete 90 %", run: ({ port }) => deleteNineTenths(port, keys, SHAPE) },
      {
        name: "fill again",
        // Other names: nothing falls into its old place.
        run: async ({ port }) => (await fill(port, keys, deleted, SHAPE), deleted),
      },
    ],
    conclude: (rounds) => {
      const resident = (phase: number) => rounds.map((phases) => phases[phase].residentBytes);
      return [
        `- miniredis' memory after the second fill is ` +
        `${
          formatNumber(ratioOfMedians(resident(2), resident(0)))
        } of that after the first, after ` +
        `the deletion ${formatNumber(ratioOfMedians(resident(1), resident(0)))}: near 1.0 after ` +
        `the second fill, what was freed is reused.`,
      ];
    },
  };
}

/** One large collection of a type. */
function collectionStory(type: keyof typeof COLLECTIONS, elements: number): Story {
  return {
    name: type,
    phases: [
      {
        name: "grow",
        run: async ({ port }) => {
          await drive(port, COLLECTIONS[type].growing("collection"), elements, SHAPE);
          return elements;
        },
      },
      {
        name: "UNLINK",
        run: async (server) => {
          await server.command("UNLINK", "collection");
          await pause(FREEING_MS);
          while (await server.infoNumber("memory", "lazyfree_pending_objects") > 0) {
            await pause(LOOK_MS);
          }
          return null;
        },
      },
    ],
  };
}

function storiesOf(bench: Bench): readonly Story[] {
  const { quick } = bench.options;
  const elements = quick ? QUICK_ELEMENTS : ELEMENTS;
  const types = ["zset", "hash", "set", "list"] as const;
  return [
    keysStory(quick ? QUICK_KEYS : KEYS),
    ...types.map((type) => collectionStory(type, elements)),
  ];
}

async function measurePhases(
  [server, control]: readonly RunningServer[],
  phases: readonly Phase[],
): Promise<PhaseReading[]> {
  const ports = control ? [server.port, control.port] : [server.port];
  const readings: PhaseReading[] = [];
  for (const phase of phases) {
    let commandsPerSecond = NaN;
    const report = await probeDuring(ports, async () => {
      const startedAt = performance.now();
      const commands = await phase.run(server);
      if (commands === null) return;
      commandsPerSecond = commands / (performance.now() - startedAt) * 1000;
    });
    await pause(SETTLE_MS);
    readings.push({ ...report, commandsPerSecond, residentBytes: server.residentBytes() });
  }
  return readings;
}

/** The readings of one story: by contender, round and phase. */
async function measureStory(bench: Bench, { name, phases }: Story): Promise<PhaseReading[][][]> {
  const readings = bench.contenders.map((): PhaseReading[][] => []);
  const rounds = Math.min(MOST_ROUNDS, bench.options.rounds);
  for (let round = 0; round < rounds; round++) {
    for (const index of alternatingOrder(bench.contenders.length, round)) {
      const contender = bench.contenders[index];
      bench.say(`  ${name}, round ${round + 1} of ${rounds}: ${contender.name}`);
      const control = bench.reference ? [{ ...bench.reference, name: "control" }] : [];
      const servers = [contender, ...control];
      readings[index].push(await bench.withServers(servers, (all) => measurePhases(all, phases)));
    }
  }
  return readings;
}

/** The rows of one phase of a story. */
function phaseRows(
  bench: Bench,
  story: Story,
  phase: number,
  readings: readonly (readonly (readonly PhaseReading[])[])[],
): string[][] {
  return bench.contenders.map(({ name }, index) => {
    const rounds = readings[index].map((phases) => phases[phase]);
    const rate = median(rounds.map((reading) => reading.commandsPerSecond));
    return [
      `${story.name}: ${story.phases[phase].name}`,
      name,
      formatSpread(rounds.map((reading) => reading.server.longestMs)),
      formatNumber(median(rounds.map((reading) => reading.server.p999Ms))),
      formatSpread(rounds.map((reading) => reading.server.overTenMs), String),
      formatSpread(rounds.map((reading) => reading.control?.longestMs ?? null)),
      formatThousands(rate),
      formatSpread(rounds.map((reading) => reading.residentBytes), formatMebibytes),
    ];
  });
}

/** What was asked for of one phase, as a line. */
function conclusion(
  { name, phases }: Story,
  phase: number,
  readings: readonly (readonly (readonly PhaseReading[])[])[],
): string {
  const longest = (index: number) =>
    (readings[index] ?? []).map((ofRound) => ofRound[phase].server.longestMs);
  const ours = formatWithGoal(median(longest(0)), LONGEST_PAUSE);
  const ratio = formatNumber(ratioOfMedians(longest(0), longest(1)));
  return `- Longest pause, ${name}: ${phases[phase].name}: ${ours} ms, ratio to redis' ${ratio}.`;
}

const HEADINGS = [
  "phase",
  "server",
  "longest ms",
  "p99.9 ms",
  "over 10 ms",
  "idle control ms",
  "commands/s",
  "RSS MiB after",
];

/** From nothing to millions of keys, down to a tenth, and up again; and collections that come and go, under a probe. */
export const pauses: Suite = {
  name: "pauses",
  summary: "longest round trip while 5 M keys, or 10 M elements of each type, come and go",
  run: async (bench) => {
    const rows: string[][] = [];
    const conclusions: string[] = [];
    for (const story of bench.chosen(storiesOf(bench), ({ name }) => name)) {
      const readings = await measureStory(bench, story);
      story.phases.forEach((_, phase) => {
        rows.push(...phaseRows(bench, story, phase, readings));
        conclusions.push(conclusion(story, phase, readings));
      });
      conclusions.push(...story.conclude?.(readings[0]) ?? []);
    }
    return `${markdownTable(HEADINGS, rows, 2)}\n\n${conclusions.join("\n")}`;
  },
};
