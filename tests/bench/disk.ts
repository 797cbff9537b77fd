/**
 * The disk beneath the servers' files.
 *
 * @module
 */

/**
 * Has the system write all that it holds back: else one server's run would pay for what another
 * has left. Where there is no such program, nothing happens.
 */
export async function flushDisk(): Promise<void> {
  try {
    await new Deno.Command("sync", { stdin: "null" }).output();
  } catch {
    // it costs some steadiness
  }
}
