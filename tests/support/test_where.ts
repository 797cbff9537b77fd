/**
 * Tests of what isn't there on each machine.
 *
 * @module
 */

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
