/**
 * How long a start takes with files to load: a snapshot, and an append-only file of commands.
 *
 * `redis-server` makes both files once, of the same keys, and both servers load the same files in
 * turn. They lie in the system's memory by then, so this is the server's time and not the disk's.
 * Values are digits at random, so that they can't be compressed: else reading them would be the
 * decompressor's time.
 *
 * Two figures: from the start of the process to the first PONG (before it, PING is answered with
 * LOADING), and what the server itself says in its log.
 *
 * @module
 */

import { type Bench, Skip, type Suite } from "../bench_context.ts";
import { alternatingOrder } from "../cells.ts";
import { type Contender, persisting, type RunningServer } from "../contender.ts";
import { flushDisk } from "../disk.ts";
import { drive, type LoadCommand, NUMBER } from "../loader.ts";
import {
  formatNumber,
  formatSpread,
  markdownTable,
  ratioOfMedians,
  ratioSpread,
} from "../report.ts";

const SHAPE = { connections: 8, pipeline: 200 };
const KEYS = 2_000_000;
const QUICK_KEYS = 100_000;
const MOST_ROUNDS = 5;

/** What makes the append-only file plain commands that nothing rewrites. */
const PLAIN = { "aof-use-rdb-preamble": "no", "auto-aof-rewrite-percentage": "0" };

/** One kind of file. */
interface Kind {
  readonly name: string;
  /** Whether the append-only file is loaded; the snapshot beside it is not, then. */
  readonly appendonly: "yes" | "no";
  /** Where the log tells the seconds. */
  readonly said: RegExp;
}

const KINDS: readonly Kind[] = [
  { name: "RDB", appendonly: "no", said: /DB loaded from disk: ([\d.]+) seconds/ },
  { name: "AOF", appendonly: "yes", said: /DB loaded from append only file: ([\d.]+) seconds/ },
];

/** What one start gave. */
interface Reading {
  readonly startSeconds: number;
  readonly saidSeconds: number;
}

/** SET of a key by its number, to 64 digits that look like chance. */
const SET: LoadCommand = {
  words: ["SET", `key:${NUMBER}`, `0123${NUMBER.repeat(5)}`],
  numberAt: (turn, place) => place === 0 ? turn : digitsOf(turn * 5 + place),
};

/** Twelve digits that have nothing in common with those of the next seed. */
function digitsOf(seed: number): number {
  const high = Math.imul(seed ^ (seed >>> 15), 0x9e3779b1) >>> 0;
  const low = Math.imul(high ^ (high >>> 13), 0x85ebca6b) >>> 0;
  return (high % 1_000_000) * 1_000_000 + low % 1_000_000;
}

function loaderOf(contender: Contender, kind: Kind, folder: string): Contender {
  const settings = { ...PLAIN, save: "", appendonly: kind.appendonly };
  return persisting(contender, settings, folder);
}

/** Has `reference` make both files in `folder`, with `keys` keys each. */
async function makeFiles(
  bench: Bench,
  reference: Contender,
  folder: string,
  keys: number,
): Promise<void> {
  const settings = { ...PLAIN, save: "", appendonly: "yes", appendfsync: "no" };
  await bench.withServers([persisting(reference, settings, folder)], async ([server]) => {
    await drive(server.port, SET, keys, SHAPE);
    await server.command("SAVE");
  });
  await flushDisk();
}

async function read(server: RunningServer, kind: Kind, keys: number): Promise<Reading> {
  const size = await server.command("DBSIZE");
  if (size !== String(keys)) throw new Error(`${server.name} has loaded ${size} of ${keys} keys`);
  const said = (await server.log()).match(kind.said)?.[1];
  return { startSeconds: server.startMs / 1000, saidSeconds: Number(said ?? NaN) };
}

/** Two rows of a table: the contenders, the first with its ratio. */
function rowsOf(bench: Bench, kind: Kind, readings: readonly (readonly Reading[])[]): string[][] {
  const figures = [
    (reading: Reading) => reading.startSeconds,
    (reading: Reading) => reading.saidSeconds,
  ];
  return bench.contenders.map(({ name }, index) => [
    kind.name,
    name,
    ...figures.flatMap((figure) => {
      const [ours, theirs] = readings.map((rounds) => rounds.map(figure));
      return [
        formatSpread([ours, theirs][index]),
        index === 0
          ? `${formatNumber(ratioOfMedians(ours, theirs))}, ${ratioSpread(ours, theirs)}`
          : "",
      ];
    }),
  ]);
}

/** Starts with files of `redis-server`'s to load. */
export const loading: Suite = {
  name: "loading",
  summary: "start to first PONG with 2 M keys to load: from a snapshot, from commands",
  run: async (bench) => {
    const { reference } = bench;
    if (reference === null) throw new Skip(`${bench.options.redis} is missing: it makes the files`);
    const keys = bench.options.quick ? QUICK_KEYS : KEYS;
    const kinds = bench.chosen(KINDS, ({ name }) => name);
    const readings = kinds.map(() => bench.contenders.map((): Reading[] => []));
    const folder = await Deno.makeTempDir({ prefix: "miniredis-bench-files-" });
    try {
      await makeFiles(bench, reference, folder, keys);
      const rounds = Math.min(MOST_ROUNDS, bench.options.rounds);
      for (let round = 0; round < rounds; round++) {
        bench.say(`  round ${round + 1} of ${rounds}`);
        for (const [number, kind] of kinds.entries()) {
          for (const index of alternatingOrder(bench.contenders.length, round)) {
            const contender = loaderOf(bench.contenders[index], kind, folder);
            readings[number][index].push(
              await bench.withServers([contender], ([server]) => read(server, kind, keys)),
            );
          }
        }
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
    const headings = ["file", "server", "to first PONG s", "ratio", "its log says s", "ratio"];
    const rows = kinds.flatMap((kind, number) => rowsOf(bench, kind, readings[number]));
    return `${keys} keys with values of 64 bytes.\n\n${markdownTable(headings, rows, 2)}`;
  },
};
