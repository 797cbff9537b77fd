/**
 * A run of a part of Redis' Tcl suites, within a limit of time, that leaves no process behind.
 *
 * @module
 */

/** How the suite is run. */
export interface SuiteProcessOptions {
  /** The folder that it runs in. */
  readonly folder: string;
  /** Folder with programs that come before those of the system. */
  readonly programs?: string;
  /** After so long it is stopped, whatever it does. */
  readonly limitSeconds: number;
  /** Told of what it prints as it comes, on both outputs. */
  readonly onText?: (text: string) => void;
}

/** What a run left behind. */
export interface SuiteProcessOutcome {
  /** The standard output. */
  readonly stdout: string;
  /** The standard error. */
  readonly stderr: string;
  /** Whether it was stopped. */
  readonly isLate: boolean;
}

/** Runs a command in a process group of its own, and ends all that is left of it. */
export async function runSuite(
  command: readonly string[],
  options: SuiteProcessOptions,
): Promise<SuiteProcessOutcome> {
  const path = Deno.env.get("PATH") ?? "";
  const process = new Deno.Command("setsid", {
    args: ["--wait", "sh", "-c", 'echo "$$" >group; exec "$@"', "sh", ...command],
    cwd: options.folder,
    env: {
      TERM: "dumb",
      PATH: options.programs === undefined ? path : `${options.programs}:${path}`,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    killGroup(options.folder);
  }, options.limitSeconds * 1000);
  const [stdout, stderr] = await Promise.all([
    collect(process.stdout, options.onText),
    collect(process.stderr, options.onText),
  ]);
  await process.status;
  clearTimeout(timer);
  killGroup(options.folder);
  return { stdout, stderr, isLate };
}

/** Ends all processes of the last run in a folder that are still there. */
export function killGroup(folder: string): void {
  const group = Deno.readTextFileSync(`${folder}/group`).trim();
  new Deno.Command("kill", { args: ["-KILL", "--", `-${group}`], stderr: "null" }).outputSync();
}

async function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onText: (text: string) => void = () => {},
): Promise<string> {
  let text = "";
  // Names of tests are in UTF-8; what a failing test prints needn't be.
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    text += part;
    onText(part);
  }
  return text;
}
