/**
 * Plays monitors with all that can go wrong, from seeds; see the README beside it.
 *
 * @module
 */
import { MONITOR_SABOTAGES, searchForMonitorSabotage } from "./monitor_proof.ts";
import { type MonitorOutcome, type MonitorSabotage, simulateMonitors } from "./monitor_run.ts";
import { runSeeds, type SeedsGame, sumOf } from "./seeds_program.ts";

const GAME: SeedsGame<MonitorOutcome, MonitorSabotage> = {
  file: "monitor.ts",
  bugs: MONITOR_SABOTAGES,
  play: (seed, trace, sabotage) => simulateMonitors(seed, { trace, sabotage }),
  search: searchForMonitorSabotage,
  shownCharacters: 120,
  describe(outcomes) {
    const sum = (figure: (outcome: MonitorOutcome) => number) => sumOf(outcomes, figure);
    const healingMs = outcomes.reduce((most, one) => Math.max(most, one.healingMs), 0);
    return `${sum(({ lives }) => lives)} servers, ` +
      `${sum(({ monitorLives }) => monitorLives)} monitors, ` +
      `${sum(({ failovers }) => failovers)} new masters, ` +
      `${sum(({ answered }) => answered)} answers, ` +
      `${sum(({ written }) => written)} writes done, ` +
      `${sum(({ refused }) => refused)} refusals, ` +
      `${sum(({ unknown }) => unknown)} unknown outcomes, healed within ${healingMs / 1000} s`;
  },
};

if (import.meta.main) Deno.exit(await runSeeds(GAME));
