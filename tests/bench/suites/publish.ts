/**
 * A thousand subscribers of one channel: how many messages they get in a second, and what one costs the server.
 *
 * The subscribers only count bytes. A run ends when the last of them has the last message. Publishers wait for the reply to
 * what they have published, or to a pipeline of it, before they go on; with most of them, the subscribers may be
 * behind. In the last cell they may not, which tells how long one message takes to reach a thousand of them.
 *
 * @module
 */

import type { Bench, Suite } from "../bench_context.ts";
import { alternatingOrder } from "../cells.ts";
import type { RunningServer } from "../contender.ts";
import {
  formatNumber,
  formatThousands,
  formatWithGoal,
  type Goal,
  markdownTable,
  MISSING,
  ratioOfMedians,
  ratioSpread,
} from "../report.ts";
import { median, summarize } from "../statistics.ts";
import { Subscribers } from "../subscribers_process.ts";
import { encodeRequest } from "../../../src/protocol/request_writer.ts";
import { WireConnection } from "../wire.ts";

const SUBSCRIBERS = 1000;
const QUICK_SUBSCRIBERS = 50;
const CHANNEL = "news";
const MESSAGE = "x".repeat(64);
const MESSAGE_BYTES = encodeRequest(["message", CHANNEL, MESSAGE]).length;
const FIRST_GUESS_PUBLISHES = 160;

/** How messages are published. */
interface Cell {
  readonly label: string;
  /** How many publish at the same time. */
  readonly publishers: number;
  /** How many messages one publishes before it waits. */
  readonly pipeline: number;
  /** Whether it waits until all have heard them, too. */
  readonly waits: boolean;
  readonly goal?: Goal;
}

const GOAL: Goal = { atLeast: 1 };
const CELLS: readonly Cell[] = [
  { label: "1 publisher", publishers: 1, pipeline: 1, waits: false, goal: GOAL },
  { label: "1 publisher, -P 16", publishers: 1, pipeline: 16, waits: false, goal: GOAL },
  { label: "10 publishers", publishers: 10, pipeline: 1, waits: false, goal: GOAL },
  { label: "10 publishers, -P 16", publishers: 10, pipeline: 16, waits: false, goal: GOAL },
  { label: "the next when all have heard", publishers: 1, pipeline: 1, waits: true },
];

/** One run on one server. */
interface Sample {
  /** Messages that subscribers got, in a second. */
  readonly perSecond: number;
  /** Processor time of the server for each of them; null where the system doesn't tell. */
  readonly cpuMicroseconds: number | null;
}

/** A server with its subscribers and connections to publish on. */
interface Stage extends AsyncDisposable {
  readonly server: RunningServer;
  readonly subscribers: Subscribers;
  readonly count: number;
  readonly publishers: readonly WireConnection[];
}

async function setStage(server: RunningServer, count: number): Promise<Stage> {
  const subscribers = await Subscribers.start(server.port, count, CHANNEL);
  const publishers: WireConnection[] = [];
  const most = Math.max(...CELLS.map((cell) => cell.publishers));
  while (publishers.length < most) publishers.push(await WireConnection.open(server.port));
  return {
    server,
    subscribers,
    count,
    publishers,
    async [Symbol.asyncDispose](): Promise<void> {
      for (const publisher of publishers) publisher.close();
      await subscribers[Symbol.asyncDispose]();
    },
  };
}

/** Publishes `publishes` messages, or as many as make whole pipelines of all publishers. */
async function runCell(stage: Stage, cell: Cell, publishes: number): Promise<Sample> {
  const { server, subscribers, count } = stage;
  const rounds = Math.ceil(publishes / cell.publishers / cell.pipeline);
  const messages = rounds * cell.publishers * cell.pipeline * count;
  const request = new Uint8Array(
    Array(cell.pipeline).fill([...encodeRequest(["PUBLISH", CHANNEL, MESSAGE])]).flat(),
  );
  const before = server.cpuMicroseconds();
  const startedAt = performance.now();
  const heard = cell.waits ? null : subscribers.expect(messages * MESSAGE_BYTES);
  await Promise.all(
    stage.publishers.slice(0, cell.publishers).map(async (publisher) => {
      for (let round = 0; round < rounds; round++) {
        await publisher.exchange(request, cell.pipeline);
        if (cell.waits) await subscribers.expect(cell.pipeline * count * MESSAGE_BYTES);
      }
    }),
  );
  await heard;
  const seconds = (performance.now() - startedAt) / 1000;
  const after = server.cpuMicroseconds();
  return {
    perSecond: messages / seconds,
    cpuMicroseconds: before === null || after === null ? null : (after - before) / messages,
  };
}

/** How many messages make a run of the length asked for, at the mean of the servers' rates. */
async function choosePublishes(
  stages: readonly Stage[],
  cell: Cell,
  seconds: number,
): Promise<number> {
  let publishes = FIRST_GUESS_PUBLISHES;
  for (const share of [0.5, 1]) {
    let rates = 0;
    for (const stage of stages) {
      rates += (await runCell(stage, cell, publishes)).perSecond / stage.count;
    }
    publishes = Math.ceil(rates / stages.length * seconds * share);
  }
  return publishes;
}

/** The samples of each cell, by server. */
async function measure(bench: Bench, stages: readonly Stage[]): Promise<Sample[][][]> {
  const { rounds, secondsPerCell } = bench.options;
  const publishes: number[] = [];
  for (const cell of CELLS) publishes.push(await choosePublishes(stages, cell, secondsPerCell));
  const samples = CELLS.map(() => stages.map((): Sample[] => []));
  for (let round = 0; round < rounds; round++) {
    bench.say(`  round ${round + 1} of ${rounds}`);
    for (const [index, cell] of CELLS.entries()) {
      for (const place of alternatingOrder(stages.length, round)) {
        samples[index][place].push(await runCell(stages[place], cell, publishes[index]));
      }
    }
  }
  return samples;
}

function ratioTable(samples: readonly Sample[][][]): string {
  const rows = CELLS.map(({ label, goal }, index) => {
    const [ours, theirs = []] = samples[index];
    const rates = [ours, theirs].map((list) => list.map(({ perSecond }) => perSecond));
    const cpu = [ours, theirs].map((list) => list.map(({ cpuMicroseconds }) => cpuMicroseconds));
    return [
      label,
      formatWithGoal(ratioOfMedians(rates[0], rates[1]), goal),
      ratioSpread(rates[0], rates[1]),
      formatNumber(ratioOfMedians(cpu[0], cpu[1])),
    ];
  });
  return markdownTable(["ratio", "messages/s", "its rounds", "CPU"], rows);
}

function sampleTable(stages: readonly Stage[], samples: readonly Sample[][][]): string {
  const rows = CELLS.flatMap(({ label }, index) =>
    stages.map(({ server }, place) => {
      const rate = summarize(samples[index][place].map(({ perSecond }) => perSecond));
      const cpu = samples[index][place].map(({ cpuMicroseconds }) => cpuMicroseconds)
        .filter((value) => value !== null);
      return [
        label,
        server.name,
        formatThousands(rate.median),
        `${formatThousands(rate.min)}..${formatThousands(rate.max)}`,
        cpu.length === 0 ? MISSING : formatNumber(median(cpu)),
      ];
    })
  );
  return markdownTable(["test", "server", "messages/s", "min..max", "CPU us each"], rows, 2);
}

/** A thousand subscribers of one channel. */
export const publish: Suite = {
  name: "publish",
  summary: "messages that a thousand subscribers of one channel get in a second",
  run: (bench) =>
    bench.withServers(bench.contenders, async (servers) => {
      await using stack = new AsyncDisposableStack();
      const count = bench.options.quick ? QUICK_SUBSCRIBERS : SUBSCRIBERS;
      const stages: Stage[] = [];
      for (const server of servers) stages.push(stack.use(await setStage(server, count)));
      const samples = await measure(bench, stages);
      return `${ratioTable(samples)}\n\n${sampleTable(stages, samples)}`;
    }),
};
