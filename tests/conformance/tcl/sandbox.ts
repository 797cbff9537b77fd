/**
 * A folder in which the Tcl suite runs: the suite by links, its own place for temporary files, and
 * the server to be tested where the suite expects `src/redis-server`.
 *
 * @module
 */

/** Programs of Redis that the suite calls beside the server. */
const TOOLS = ["cli", "benchmark", "check-aof", "check-rdb", "sentinel"] as const;

/** Folder of the sandbox with programs that the suite finds before those of the system. */
export const PROGRAMS = "bin";

/** The file of the suite that starts servers. */
const SERVERS = "server.tcl";

/** What stands for `redis-check-aof`: there, the file has no option in front of it. */
const CHECK_AOF_SCRIPT = `case "$1" in
  --fix) exec SERVER --check-aof "$2" --fix ;;
  --truncate-to-timestamp) exec SERVER --check-aof "$3" "$1" "$2" ;;
  *) exec SERVER --check-aof "$@" ;;
esac
`;

/**
 * What stands for `pgrep` and `kill`. The suite asks for the child of a server, which saves or rewrites, and kills it to see what
 * becomes of that. Here there is no such process; a name stands for it, and who kills that has the work fail.
 */
const PGREP_SCRIPT = `case "$1" in
  -P) echo "child-of-$2" ;;
  *) exec PROGRAM "$@" ;;
esac
`;
const KILL_SCRIPT = `case "$2" in
  child-of-*) ;;
  *) exec PROGRAM "$@" ;;
esac
config=$(tr '\\0' '\\n' <"/proc/\${2#child-of-}/cmdline" | grep -m 1 'redis\\.conf')
port=$(awk '$1 == "port" { print $2 }' "$config")
src/redis-cli -p "$port" DEBUG FAIL-CHILD
`;

/** The suite in the cache, fetched if it isn't there yet. */
export async function fetchSuite(cache: string): Promise<string> {
  const { code, stdout } = await new Deno.Command("sh", {
    args: [new URL("fetch_suite.sh", import.meta.url).pathname, cache],
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error("the suite could not be fetched");
  return new TextDecoder().decode(stdout).trim();
}

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
 * @param isOurs Whether that is miniredis, which stands for `redis-check-aof` too, and has no child processes.
 * @param client The program and its first arguments that stand for `redis-cli`; the real one, if none is given.
 */
export async function makeSandbox(
  suite: string,
  server: readonly string[],
  isOurs: boolean,
  client?: readonly string[],
): Promise<Sandbox> {
  const folder = await Deno.makeTempDir({ prefix: "conformance-" });
  await link(suite, folder, ["src", "tests"]);
  await Deno.mkdir(`${folder}/src`);
  await Deno.mkdir(`${folder}/tests/tmp`, { recursive: true });
  await link(`${suite}/tests`, `${folder}/tests`, ["tmp", "support"]);
  await Deno.mkdir(`${folder}/tests/support`);
  await link(`${suite}/tests/support`, `${folder}/tests/support`, [SERVERS]);
  const servers = await Deno.readTextFile(`${suite}/tests/support/${SERVERS}`);
  await Deno.writeTextFile(`${folder}/tests/support/${SERVERS}`, mended(servers));
  for (const tool of TOOLS) {
    if (isOurs && tool === "check-aof") continue;
    if (client !== undefined && tool === "cli") continue;
    const program = await findProgram(`redis-${tool}`);
    if (program !== undefined) await Deno.symlink(program, `${folder}/src/redis-${tool}`);
  }
  // The suite compares the process that it started with the one that the server's log names.
  const command = server.map(quote).join(" ");
  await writeScript(`${folder}/src/redis-server`, `exec ${command} "$@"\n`);
  if (client !== undefined) {
    await writeScript(`${folder}/src/redis-cli`, `exec ${client.map(quote).join(" ")} "$@"\n`);
  }
  if (isOurs) {
    const script = CHECK_AOF_SCRIPT.replaceAll("SERVER", () => command);
    await writeScript(`${folder}/src/redis-check-aof`, script);
    await Deno.mkdir(`${folder}/${PROGRAMS}`);
    for (const [name, stand] of [["pgrep", PGREP_SCRIPT], ["kill", KILL_SCRIPT]]) {
      const program = await findProgram(name) ?? "false";
      await writeScript(`${folder}/${PROGRAMS}/${name}`, stand.replace("PROGRAM", () => program));
    }
  }
  return {
    folder,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/**
 * The suite's part that starts servers, without two faults of `--durable`, which has the rest of a unit run after an error: if that was in
 * a server within another, both were taken off the stack of servers, and the unit ended at the second one; and if it was in a
 * server that a test had started, the test counted as passed.
 */
function mended(servers: string): string {
  // The place before that is for servers that the suite hasn't started.
  const upToTheLast = /[^]*(?=lappend ::tests_failed \$details)/;
  return servers.replace(
    upToTheLast,
    (text) =>
      `${text}if {$::cur_test ne ""} { error $error $backtrace }
dict unset srv client
lappend ::servers $srv
`,
  );
}

/** Makes a program of commands for the shell. */
export async function writeScript(path: string, commands: string): Promise<void> {
  await Deno.writeTextFile(path, `#!/bin/sh\n${commands}`, { mode: 0o755 });
}

/** Links all that is in a folder, apart from some, into another one. */
export async function link(from: string, to: string, except: readonly string[]): Promise<void> {
  for await (const { name } of Deno.readDir(from)) {
    if (!except.includes(name)) await Deno.symlink(`${from}/${name}`, `${to}/${name}`);
  }
}

/** Where a program is, if it is anywhere. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    try {
      if ((await Deno.stat(`${folder}/${name}`)).isFile) return `${folder}/${name}`;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

/** A word that the shell takes as it is. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
