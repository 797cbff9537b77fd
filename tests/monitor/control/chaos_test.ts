import { assert } from "@std/assert";
import { playChaos } from "./chaos.ts";

const SEEDS = Number(Deno.env.get("CHAOS_SEEDS") ?? 12);
const FIRST = Number(Deno.env.get("CHAOS_FIRST") ?? 1);

for (
  const [name, monitors, nodes, minAcks, forgetful] of [
    ["one monitor", 1, 3, 0, false],
    ["one monitor, with acknowledgements", 1, 3, 1, false],
    ["one monitor, with acknowledgements, nodes that keep nothing", 1, 3, 1, true],
    ["three monitors, with acknowledgements", 3, 3, 1, false],
    ["three monitors and five nodes, with acknowledgements", 3, 5, 2, false],
    ["three monitors, with acknowledgements, nodes that keep nothing", 3, 3, 1, true],
  ] as const
) {
  Deno.test(`faults of all kinds: ${name}`, () => {
    let failovers = 0;
    let acknowledged = 0;
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      try {
        const outcome = playChaos({ seed, monitors, nodes, minAcks, forgetful, seconds: 60 });
        failovers += outcome.failovers;
        acknowledged += outcome.acknowledged;
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
    assert(failovers > 0);
    assert(minAcks === 0 || acknowledged > 0);
  });
}
