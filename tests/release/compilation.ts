/**
 * Compiles the program for a target, in the way of the task `build`.
 *
 * @module
 */
import config from "../../deno.json" with { type: "json" };
import { type Target, targetOfFile } from "./targets.ts";

/** The folder of the project. */
export const ROOT = new URL("../../", import.meta.url);

/** The runtime that executables are built upon, if it isn't to be downloaded; Deno's own variable. */
const RUNTIME_VARIABLE = "DENORT_BIN";

/** The folder of Deno's downloads; Deno's own variable. */
const CACHE_VARIABLE = "DENO_DIR";

/** What has it fetch all that the sources need, but for types, which `deno cache` would add to the executable. */
const FETCH_ARGUMENTS = [
  "run",
  "--no-check",
  "--no-prompt",
  "--lock=src/deno.lock",
  "main.ts",
  "-v",
];

/** Where the task says what the executable is to be called. */
const OUTPUT_OPTION = "--output";

/** An executable that could not be made, and why, in one line. */
export class CompilationError extends Error {}

/**
 * The command that compiles for a target: that of the task `build`, so that downloads have the
 * permissions and flags of what `make build` makes.
 *
 * @param task The command of the task.
 * @param target The name of the target.
 * @param output Where the executable goes.
 * @returns The arguments for the Deno executable.
 * @throws {Error} The task isn't such a command.
 */
export function compilationArguments(task: string, target: string, output: string): string[] {
  const [program, verb, ...options] = task.split(" ");
  const at = options.indexOf(OUTPUT_OPTION);
  if (program !== "deno" || verb !== "compile" || at < 0 || /['"$\\]/.test(task)) {
    throw new Error(`The task 'build' is no plain call of 'deno compile' with ${OUTPUT_OPTION}`);
  }
  options[at + 1] = output;
  return [verb, "--target", target, ...options];
}

/** How the compiler is called. */
export interface Call {
  /** The arguments for the Deno executable. */
  readonly args: readonly string[];
  /** The folder with the sources. */
  readonly sources: string;
  /** The environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** After so long it is given up: a download may hang. */
  readonly limitSeconds: number;
}

/**
 * Has the compiler do something.
 *
 * @param call What it is to do.
 * @throws {CompilationError} with the reason, if it can't.
 */
export async function callCompiler(call: Call): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...call.args],
    cwd: call.sources,
    clearEnv: true,
    env: { ...call.environment },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, call.limitSeconds * 1000);
  const { success, stderr } = await child.output();
  clearTimeout(timer);
  if (isLate) throw new CompilationError(`not done within ${call.limitSeconds} s`);
  if (!success) throw new CompilationError(reasonIn(new TextDecoder().decode(stderr)));
}

/**
 * Fetches the packages that the program is made with.
 *
 * @param sources The folder with the sources.
 * @param cache The folder that they go to.
 * @param limitSeconds After so long it is given up.
 * @throws {CompilationError} with the reason, if they can't be had.
 */
export async function fetchPackages(
  sources: string,
  cache: string,
  limitSeconds: number,
): Promise<void> {
  const environment = { ...Deno.env.toObject(), [CACHE_VARIABLE]: cache };
  await callCompiler({ args: FETCH_ARGUMENTS, sources, environment, limitSeconds });
}

/**
 * Compiles the program for a target.
 *
 * @param target The target.
 * @param output Where the executable goes.
 * @param workshop Where it is compiled.
 * @param limitSeconds After so long it is given up.
 * @throws {CompilationError} with the reason, if it can't be made.
 */
export async function compileFor(
  target: Target,
  output: string,
  workshop: { readonly sources: string; readonly cache: string },
  limitSeconds: number,
): Promise<void> {
  const args = compilationArguments(config.tasks.build.command, target.name, output);
  const environment = environmentFor(target, Deno.env.toObject());
  environment[CACHE_VARIABLE] = workshop.cache;
  await callCompiler({ args, sources: workshop.sources, environment, limitSeconds });
  const made = targetOfFile(output);
  if (made !== target.name) {
    throw new CompilationError(`what was made is for ${made ?? "no system that is known"}`);
  }
}

/**
 * The environment to compile for a target in: a runtime that was put in place by hand counts for its
 * own system only, where `deno compile` would take it for all.
 *
 * @param target The target.
 * @param variables The environment that there is.
 */
export function environmentFor(
  target: Target,
  variables: Readonly<Record<string, string>>,
): Record<string, string> {
  const { [RUNTIME_VARIABLE]: runtime, ...others } = variables;
  const fits = runtime !== undefined && isFor(target, runtime);
  return fits ? { ...others, [RUNTIME_VARIABLE]: runtime } : others;
}

function isFor(target: Target, path: string): boolean {
  try {
    return targetOfFile(path) === target.name;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * What a compiler that failed says, in one line: its error, and the last of the causes that it lists.
 *
 * @param output What it wrote to the standard error output.
 */
export function reasonIn(output: string): string {
  const [message] = output.split("Stack backtrace:");
  const lines = message.split("\n").map((line) => line.trim());
  const causes = lines.filter((line) => /^\d+: /.test(line)).map((line) =>
    line.replace(/^\d+: /, "")
  );
  const error = lines.find((line) => line.startsWith("error: "))?.slice("error: ".length);
  const text = causes.some((cause) => cause.includes("/denort-"))
    ? "the runtime for it can't be downloaded"
    : error ?? "the compiler failed and said nothing";
  return [text, ...causes.slice(-1)].join(": ");
}
