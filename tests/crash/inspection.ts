/**
 * What a server shows of all writers at once, held against what they sent.
 *
 * @module
 */

import { checkWriter } from "./checker.ts";
import { writerOfKey } from "./commands.ts";
import { CrashFault } from "./crash_fault.ts";
import { describeState, type KeyStates } from "./key_state.ts";
import { type Observation, observe } from "./observation.ts";
import { describeOperation } from "./operation.ts";
import { DATABASES } from "./plan.ts";
import type { ServerProcess } from "./server_process.ts";
import type { Writer } from "./writer.ts";

/** What was found, by the writers' numbers. */
export interface Inspection {
  /** How many of each writer's operations have survived. */
  readonly survived: readonly number[];
  /** Each writer's keys. */
  readonly shown: readonly KeyStates[];
}

/**
 * Reads all that a server holds and checks it.
 *
 * @param floors How many operations of each writer have to be there.
 * @param killedMs When they ended, in milliseconds of the wall clock.
 * @throws {CrashFault} Something is missing, or there that can't be.
 */
export async function inspect(
  server: ServerProcess,
  writers: readonly Writer[],
  floors: readonly number[],
  killedMs: number,
): Promise<Inspection> {
  using client = await server.connect();
  const observation = await observe(client, DATABASES);
  const shown = byWriter(observation, writers);
  const faults: string[] = [];
  const survived = writers.map(({ number, base, operations }) => {
    const evidence = { base, operations, floor: floors[number], killedMs };
    const { readMs } = observation;
    const verdict = checkWriter(evidence, { states: shown[number], readMs });
    if (verdict.fault !== undefined) faults.push(`writer ${number}: ${verdict.fault}`);
    return verdict.survived;
  });
  if (faults.length > 0) throw new CrashFault(faults.join("\n"));
  return { survived, shown };
}

/** Whose each key is; a key of nobody, or in another database than its writer's, is a fault. */
function byWriter({ databases }: Observation, writers: readonly Writer[]): KeyStates[] {
  const shown: KeyStates[] = writers.map(() => new Map());
  for (const [database, states] of databases.entries()) {
    for (const [key, state] of states) {
      const number = writerOfKey(key);
      if (number === undefined || writers[number]?.database !== database) {
        throw new CrashFault(`nobody writes ${key} in database ${database}`);
      }
      shown[number].set(key, state);
    }
  }
  return shown;
}

/** What all writers sent, in lines for people; times count from the kill. */
export function describeWriters(
  writers: readonly Writer[],
  floors: readonly number[],
  killedMs: number,
): string[] {
  return writers.flatMap(({ number, database, base, operations }) => [
    "",
    `writer ${number} in database ${database}, before:`,
    ...[...base].map(([key, state]) => `  ${key}: ${describeState(state)}`),
    `sent, the first ${floors[number]} of these have to be there:`,
    ...operations.map((operation) => {
      const { sentMs, acknowledgedMs } = operation;
      const times = `${sentMs - killedMs} ${(acknowledgedMs ?? NaN) - killedMs}`;
      return `  ${times} ${describeOperation(operation)}`;
    }),
  ]);
}
