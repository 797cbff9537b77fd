/**
 * Redis' tools beside the tests, to ask what they say of a file.
 *
 * @module
 */

/** The version whose answers are the measure. */
const REFERENCE_VERSION = "7.0.15";

let presence: boolean | undefined;

/**
 * Runs a tool until it ends; undefined, after saying why on the console, if it isn't here.
 *
 * @param input What it reads from its standard input.
 */
export async function referenceTool(
  name: string,
  args: readonly string[],
  input = "",
): Promise<{ readonly code: number; readonly output: string } | undefined> {
  presence ??= await isPresent();
  if (!presence) return undefined;
  const process = new Deno.Command(name, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    env: { LC_ALL: "C" },
  }).spawn();
  const writer = process.stdin.getWriter();
  // A tool that ends without reading its input breaks the pipe, which is its good right.
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout } = await process.output();
  return { code, output: new TextDecoder().decode(stdout) };
}

/** Whether the tools are here; all of them come with the same package. */
async function isPresent(): Promise<boolean> {
  try {
    const { stdout } = await new Deno.Command("redis-check-rdb", { args: ["--version"] }).output();
    const version = new TextDecoder().decode(stdout).trim();
    if (version.endsWith(` ${REFERENCE_VERSION}`)) return true;
    console.log(`not compared with Redis: its tools here are not ${REFERENCE_VERSION}: ${version}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log("not compared with Redis: its tools are not here");
  }
  return false;
}
