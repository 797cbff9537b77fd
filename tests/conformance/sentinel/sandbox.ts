/**
 * A folder in which Redis' Sentinel suite runs: the suite by links, its own place for temporary files, and the programs to be tested
 * where the suite expects `src/redis-server` and `src/redis-sentinel`.
 *
 * @module
 */
import { findProgram, link, quote, type Sandbox, writeScript } from "../tcl/sandbox.ts";

/** The file of the suite that starts instances and runs tests. */
const INSTANCES = "instances.tcl";

/** What is tested: each a program and its first arguments. */
export interface Contenders {
  /** What stands for `redis-server`. */
  readonly server: readonly string[];
  /** What stands for `redis-sentinel`. */
  readonly sentinel: readonly string[];
}

/**
 * Makes a folder for one run.
 *
 * @param suite The unpacked suite, which stays as it is.
 * @param contenders What is tested.
 * @param skipped Names of tests to leave out.
 * @param keeps Whether the folder stays when it is disposed of.
 */
export async function makeSentinelSandbox(
  suite: string,
  contenders: Contenders,
  skipped: readonly string[],
  keeps: boolean,
): Promise<Sandbox> {
  const folder = await Deno.makeTempDir({ prefix: "conformance-sentinel-" });
  await link(suite, folder, ["src", "tests"]);
  await Deno.mkdir(`${folder}/src`);
  await Deno.mkdir(`${folder}/tests/sentinel/tmp`, { recursive: true });
  await link(`${suite}/tests`, `${folder}/tests`, ["sentinel", INSTANCES]);
  await link(`${suite}/tests/sentinel`, `${folder}/tests/sentinel`, ["tmp"]);
  const instances = await Deno.readTextFile(`${suite}/tests/${INSTANCES}`);
  await Deno.writeTextFile(`${folder}/tests/${INSTANCES}`, adapted(instances, skipped));
  const client = await findProgram("redis-cli");
  if (client !== undefined) await Deno.symlink(client, `${folder}/src/redis-cli`);
  // The suite signals the process that it has started, so it has to be the program itself.
  for (const [name, words] of Object.entries(contenders)) {
    const command = (words as readonly string[]).map(quote).join(" ");
    await writeScript(`${folder}/src/redis-${name}`, `exec ${command} "$@"\n`);
  }
  return {
    folder,
    async [Symbol.asyncDispose](): Promise<void> {
      if (!keeps) await Deno.remove(folder, { recursive: true });
    },
  };
}

/**
 * The part of the suite that starts instances, changed in two places: some tests are left out; and the sentinels are told of no scripts.
 * (The suite has them start one at each event, to see whether that inherits open files; a monitor starts none.)
 */
export function adapted(instances: string, skipped: readonly string[]): string {
  const names = skipped.map((name) => `{${name}}`).join(" ");
  return replaceOnce(
    replaceOnce(
      instances,
      /^set ::leaked_fds_file .*$/m,
      'set ::leaked_fds_file ""',
    ),
    /^proc test \{descr code\} \{$/m,
    `proc test {descr code} {
    if {$descr in {${names}}} {
        puts "[clock format [clock seconds] -format %H:%M:%S]> $descr: LEFT OUT"
        return
    }`,
  );
}

function replaceOnce(text: string, place: RegExp, by: string): string {
  if (!place.test(text)) throw new Error(`the suite has no place like ${place}`);
  return text.replace(place, () => by);
}
