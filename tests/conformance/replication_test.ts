/**
 * Replicas of a redis-server are ours, and of ours redis-servers, while their links are cut.
 *
 * `CUTS=100` cuts so many times, and tries all forms of snapshots with all chains; `SEED=n` repeats what is sent.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Contender } from "../crash/server_process.ts";
import { RandomSource } from "../fuzz/random_source.ts";
import { SampleData, type Words } from "../support/file_samples.ts";
import { testSeed } from "../support/random.ts";
import { whyNoReference } from "./peers.ts";
import { isToldByRedis, RandomChanges } from "./random_changes.ts";
import { type End, ReplicaChain } from "./replica_chain.ts";

const ABSENT = await whyNoReference("redis-server");
if (ABSENT !== undefined) console.log(`nothing is replicated between Redis and ours: ${ABSENT}`);
const SEED = testSeed("replication");
const ASKED_CUTS = Deno.env.get("CUTS");
const CUTS = Number(ASKED_CUTS ?? 8);
/** All have to be alike after so many cuts. */
const CUTS_BETWEEN_RESTS = 10;
const FEWEST_COMMANDS = 20;
const MOST_COMMANDS = 200;
const ENDS: readonly End[] = ["master", "replica"];

/** How snapshots travel. */
const FORMS = [
  { "repl-diskless-sync": "yes", "repl-diskless-load": "swapdb" },
  { "repl-diskless-sync": "no", "repl-diskless-load": "disabled" },
] as const;

/** In turns, each kind is the other's master with each form of a snapshot. */
const CHAINS: readonly (readonly Contender[])[] = [
  ["redis", "miniredis"],
  ["miniredis", "redis"],
  ["redis", "miniredis", "miniredis", "redis"],
  ["miniredis", "redis", "miniredis"],
];

/** Some commands, of which some are in transactions. */
function batch(random: RandomSource, changes: RandomChanges): Words[] {
  const commands: Words[] = [];
  for (let left = random.between(FEWEST_COMMANDS, MOST_COMMANDS); left > 0; left--) {
    const words = changes.next();
    if (!isToldByRedis(words)) continue;
    if (random.chance(0.1)) commands.push(["MULTI"], words, ["INCR", "transactions"], ["EXEC"]);
    else commands.push(words);
  }
  return commands;
}

/** Cuts links at random places amid random commands; how many times. */
async function cutLinks(chain: ReplicaChain, random: RandomSource): Promise<void> {
  const changes = new RandomChanges(SEED);
  for (let cuts = 0; cuts < CUTS;) {
    const [before, amid] = [batch(random, changes), batch(random, changes)];
    await chain.run(before);
    const running = chain.run(amid);
    const isCut = await chain.cut(random.below(chain.links), random.pick(ENDS));
    await running;
    // A link that is down at the moment doesn't count.
    if (isCut && ++cuts % CUTS_BETWEEN_RESTS === 0) await chain.rest();
  }
  await chain.rest();
}

for (const [number, kinds] of CHAINS.entries()) {
  for (const settings of ASKED_CUTS === undefined ? [FORMS[number % FORMS.length]] : FORMS) {
    const form = Object.entries(settings).map((words) => words.join(" ")).join(", ");
    const name = `links of ${kinds.join(" -> ")} are cut, and all are alike: ${form}`;
    Deno.test({ name, ignore: ABSENT !== undefined }, async () => {
      await using chain = await ReplicaChain.start(kinds, {
        "repl-backlog-size": "64mb",
        ...settings,
      });
      const random = new RandomSource(SEED, number);
      const data = new SampleData(SEED);
      // In the snapshot, and then once more as commands.
      await chain.run(data.everything());
      await chain.link();
      const before = await chain.syncs();
      await chain.run(new SampleData(SEED + 1).everything());
      await chain.run(data.changes());
      await cutLinks(chain, random);
      await chain.requireAlike();
      const after = await chain.syncs();
      for (const [index, { full, refused }] of after.entries()) {
        assertEquals(
          [full, refused],
          [before[index].full, before[index].refused],
          `of node ${index}`,
        );
      }
      const partial = after.reduce(
        (sum, syncs, index) => sum + syncs.partial - before[index].partial,
        0,
      );
      assert(partial > 0);
      console.log(`${kinds.join(" -> ")}: ${CUTS} cuts, ${partial} partial syncs, no full one`);
    });
  }
}
