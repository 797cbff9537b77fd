/**
 * A folder in which the Tcl suite runs: the suite by links, its own place for temporary files, and
 * the server to be tested where the suite expects `src/redis-server`.
 *
 * @module
 */

const ROOT = new URL("../../../", import.meta.url);

/** Programs of Redis that the suite calls beside the server. */
const TOOLS = ["cli", "benchmark", "check-aof", "check-rdb", "sentinel"] as const;

/** A folder to run the suite in; disposing of it removes it. */
export interface Sandbox extends AsyncDisposable {
  /** Where it is. */
  readonly folder: string;
}

/**
 * Makes a folder for one run.
 *
 * @param suite The unpacked suite, which stays as it is.
 * @param server The program and its first arguments that stand for `redis-server`.
 */
export async function makeSandbox(suite: string, server: readonly string[]): Promise<Sandbox> {
  const folder = await Deno.makeTempDir({ prefix: "conformance-" });
  await link(suite, folder, ["src", "tests"]);
  await Deno.mkdir(`${folder}/src`);
  await Deno.mkdir(`${folder}/tests/tmp`, { recursive: true });
  await link(`${suite}/tests`, `${folder}/tests`, ["tmp"]);
  for (const tool of TOOLS) {
    const program = await findProgram(`redis-${tool}`);
    if (program !== undefined) await Deno.symlink(program, `${folder}/src/redis-${tool}`);
  }
  // The suite compares the process that it started with the one that the server's log names.
  const script = `#!/bin/sh\nexec ${server.map(quote).join(" ")} "$@"\n`;
  await Deno.writeTextFile(`${folder}/src/redis-server`, script, { mode: 0o755 });
  return {
    folder,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** How miniredis is started: the executable in `MINIREDIS`, or from source as in deno.json. */
export async function miniredisWords(): Promise<string[]> {
  const executable = Deno.env.get("MINIREDIS");
  if (executable !== undefined) return [await Deno.realPath(executable), "server"];
  const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const permissions = config.tasks.build.command.split(" ")
    .filter((word: string) => word.startsWith("--allow-"));
  const main = new URL("main.ts", ROOT).pathname;
  return [Deno.execPath(), "run", "--quiet", "--no-prompt", ...permissions, main, "server"];
}

/** Links all that is in a folder, apart from some, into another one. */
async function link(from: string, to: string, except: readonly string[]): Promise<void> {
  for await (const { name } of Deno.readDir(from)) {
    if (!except.includes(name)) await Deno.symlink(`${from}/${name}`, `${to}/${name}`);
  }
}

async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    try {
      if ((await Deno.stat(`${folder}/${name}`)).isFile) return `${folder}/${name}`;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
