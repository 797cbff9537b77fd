/**
 * Plays one seed: a disk and the servers that live on it, one after the other.
 *
 * @module
 */
import { Life } from "./life.ts";
import { type SimulationOptions, World } from "./world.ts";

/** What a seed has seen. */
export interface Outcome {
  /** Servers that were started. */
  readonly lives: number;
  /** Operations of the disk. */
  readonly operations: number;
  /** Operations of writers that were answered. */
  readonly answered: number;
  /** What went wrong, or undefined. */
  readonly fault: Error | undefined;
}

/** Plays a seed. */
export async function simulate(seed: number, options: SimulationOptions = {}): Promise<Outcome> {
  using world = new World(seed, options);
  let lives = 0;
  let operations = 0;
  let answered = 0;
  let fault: Error | undefined;
  // The last server is only looked at.
  for (const plan of [...world.plan.lives, null]) {
    const life = new Life(world, plan);
    lives++;
    try {
      await life.play();
    } catch (error) {
      fault = error as Error;
    }
    operations += life.operations;
    answered += world.writers.reduce((sum, writer) => sum + writer.acknowledged, 0);
    if (fault !== undefined) break;
  }
  return { lives, operations, answered, fault };
}
