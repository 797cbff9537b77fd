import { assert, assertEquals } from "@std/assert";
import { SABOTAGES, searchForSabotage } from "./replication_proof.ts";
import { simulateReplication } from "./replication_run.ts";

const SEEDS = 60;
/** Bugs that are looked for here, and within how many seeds they must be found. */
const PROVED = [
  "the second id is kept too long",
  "half of a transaction counts",
  "the old id is kept after a full synchronisation",
];
const SEEDS_OF_PROOF = 100;

Deno.test("whatever happens to servers that replicate each other, in the end they are alike", async () => {
  let answered = 0;
  let partial = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = await simulateReplication(seed);
    if (outcome.fault !== undefined) throw new Error(`seed ${seed}`, { cause: outcome.fault });
    answered += outcome.answered;
    partial += outcome.partial;
  }
  assert(answered > SEEDS * 20, "so few answers say nothing");
  assert(partial > SEEDS, "so few partial synchronisations say nothing");
});

Deno.test("the same seed gives the same replication", async () => {
  const run = async () => {
    const lines: string[] = [];
    await simulateReplication(12, { trace: (line) => lines.push(line) });
    return lines;
  };
  const first = await run();
  assert(first.length > 50);
  assertEquals(await run(), first);
});

for (const name of PROVED) {
  Deno.test(`a simulation of replication finds out if ${name}`, async () => {
    const sabotage = SABOTAGES.find((one) => one.name === name)!;
    const finding = await searchForSabotage(sabotage, 1, SEEDS_OF_PROOF);
    assert(finding.seed !== undefined);
  });
}
