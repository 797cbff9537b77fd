/**
 * A command line as redis-cli and as ours carry it out, and when that is the same.
 *
 * @module
 */

import { runClient } from "../../../src/client/cli.ts";
import { FakeTerminal } from "../../client/fake_terminal.ts";
import { programWords } from "../../support/program.ts";

/** How much of what is the same is shown in front of a difference. */
const SHOWN_BEFORE = 200;

/** How much is shown behind it. */
const SHOWN_BEHIND = 300;

/** What a user types, and what is around it. */
export interface CommandLine {
  /** The options, and the command's words. */
  readonly args: readonly string[];
  /**
   * The standard input, a character for each byte.
   *
   * @default {""}
   */
  readonly input?: string;
  /**
   * Variables of the environment.
   *
   * @default {{}}
   */
  readonly variables?: Readonly<Record<string, string>>;
  /**
   * Whether it changes the data, so that each client must find it fresh.
   *
   * @default {false}
   */
  readonly changes?: boolean;
  /**
   * Whether there are numbers in the reply that differ from one second to the next.
   *
   * @default {false}
   */
  readonly counts?: boolean;
}

/** What a client left behind. */
export interface Traces {
  /** The exit code. */
  readonly code: number;
  /** The standard output, a character for each byte. */
  readonly output: string;
  /** The standard error output. */
  readonly errors: string;
}

/** Carries out a command line. */
export type RunCommandLine = (line: CommandLine) => Promise<Traces>;

/** redis-cli as a process. */
export const runRedisCli: RunCommandLine = (line) => runProcess(["redis-cli"], line);

/** Ours as a process, which is how its users start it. */
export const runOurProgram: RunCommandLine = async (line) =>
  runProcess([...await programWords(), "client"], line);

/** Ours within this process, which takes a hundredth of the time of one of its own. */
export async function runOurs({ args, input, variables }: CommandLine): Promise<Traces> {
  const terminal = new FakeTerminal(input);
  Object.assign(terminal.variables, variables);
  const code = await runClient([...args], terminal);
  return {
    code,
    output: terminal.output,
    errors: terminal.errors.map((line) => line + "\n").join(""),
  };
}

/** The differences between what redis-cli and ours left behind, if there are any. */
export function describeDifference(
  line: CommandLine,
  theirs: Traces,
  ours: Traces,
): string | undefined {
  const shown = [comparable(theirs, line), comparable(ours, line)];
  if (shown[0] === shown[1]) return undefined;
  const input = line.input === undefined ? "" : ` <<< ${JSON.stringify(line.input.slice(0, 200))}`;
  const [theirShown, ourShown] = shown.map((text) => fromDifference(text, shown));
  return `${line.args.map((word) => JSON.stringify(word)).join(" ")}${input}\n` +
    `  redis-cli: ${theirShown}\n  ours:      ${ourShown}`;
}

/** The part of a text in which two differ. */
function fromDifference(text: string, [first, second]: readonly string[]): string {
  let at = 0;
  while (first[at] === second[at]) at++;
  const start = Math.max(0, at - SHOWN_BEFORE);
  return (start > 0 ? "..." : "") + text.slice(start, at + SHOWN_BEHIND);
}

async function runProcess(program: readonly string[], line: CommandLine): Promise<Traces> {
  const { args, input, variables } = line;
  const process = new Deno.Command(program[0], {
    args: [...program.slice(1), ...args],
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    env: { LC_ALL: "C", ...variables },
  }).spawn();
  if (input !== undefined) {
    const writer = process.stdin.getWriter();
    // Who ends without reading all of it breaks the pipe.
    await writer.write(Uint8Array.from(input, byteOf)).catch(() => {});
    await writer.close().catch(() => {});
  }
  const { code, stdout, stderr } = await process.output();
  return { code, output: characters(stdout), errors: new TextDecoder().decode(stderr) };
}

function comparable({ code, output, errors }: Traces, { counts }: CommandLine): string {
  // We say in addition which byte of the stream made no sense.
  const told = errors.replace(/, at byte \d+$/m, "");
  const text = JSON.stringify({ code, output, errors: told });
  return counts ? text.replace(/[0-9]+(\.[0-9]+)?/g, "0") : text;
}

function byteOf(character: string): number {
  return character.charCodeAt(0);
}

function characters(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
