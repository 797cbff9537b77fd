/**
 * Tests of what isn't there on each machine.
 *
 * @module
 */

import { operatingSystem, WINDOWS } from "../../src/runtime/operating_system.ts";

/** Why no test can ask a process to end on this system, if that is so: it would be ended without being asked. */
export const NO_SIGNALS: string | undefined = operatingSystem === WINDOWS
  ? "no program can send another one a signal"
  : undefined;

/**
 * Registers a test that is left out on some machines, and says why in its name.
 *
 * @param obstacle Why it can't be tried here, if it can't.
 * @param name What it shows.
 * @param test The test.
 */
export function testUnless(
  obstacle: string | undefined,
  name: string,
  test: () => void | Promise<void>,
): void {
  const isLeftOut = obstacle !== undefined;
  Deno.test(isLeftOut ? `${name}: not tried, ${obstacle}` : name, { ignore: isLeftOut }, test);
}
