/**
 * Plays replication with all that can go wrong, from seeds; see the README beside it.
 *
 * @module
 */
import { type Sabotage, SABOTAGES, searchForSabotage } from "./replication_proof.ts";
import { type ReplicationOutcome, simulateReplication } from "./replication_run.ts";
import { runSeeds, type SeedsGame, sumOf } from "./seeds_program.ts";

const GAME: SeedsGame<ReplicationOutcome, Sabotage> = {
  file: "replication.ts",
  bugs: SABOTAGES,
  play: (seed, trace, bug) => simulateReplication(seed, { trace, sabotage: bug?.apply }),
  search: searchForSabotage,
  shownCharacters: 90,
  describe(outcomes) {
    const sum = (figure: (outcome: ReplicationOutcome) => number) => sumOf(outcomes, figure);
    return `${sum(({ lives }) => lives)} servers, ${sum(({ cuts }) => cuts)} cuts, ` +
      `${sum(({ full }) => full)} full and ` +
      `${sum(({ partial }) => partial)} partial synchronisations, ` +
      `${sum(({ answered }) => answered)} answers, ` +
      `${sum(({ confirmed }) => confirmed)} confirmed by replicas, ` +
      `${sum(({ compared }) => compared)} comparisons`;
  },
};

if (import.meta.main) Deno.exit(await runSeeds(GAME));
