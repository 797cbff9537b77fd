/**
 * What all runs have in common: a signal ends them early, their servers have folders, and what is wrong is told.
 *
 * @module
 */

import { CrashFault } from "./crash_fault.ts";

/** One round after the other. */
export interface Run {
  /** Plays all; gives the exit code. */
  play(): Promise<number>;
  /** Ends it after the round that is being played. */
  stop(): void;
}

/** Plays a run to its end, or until it is interrupted: no server is left behind. */
export async function playUntilStopped(run: Run): Promise<number> {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => run.stop());
  }
  return await run.play();
}

/** A new folder in `parent`, or where the system makes temporary ones; under the name that the system knows it by. */
export async function newFolder(parent: string | undefined, prefix: string): Promise<string> {
  if (parent !== undefined) await Deno.mkdir(parent, { recursive: true });
  return await Deno.realPath(await Deno.makeTempDir({ dir: parent, prefix }));
}

/** What is wrong; what isn't a fault of the server's behaviour may be one of ours, or its sudden end. */
export function describeFault(error: unknown): string {
  return error instanceof CrashFault ? error.message : String((error as Error).stack);
}
