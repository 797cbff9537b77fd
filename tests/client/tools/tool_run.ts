import { runClient } from "../../../src/client/cli.ts";
import { parseClientOptions } from "../../../src/client/options.ts";
import type { Tool } from "../../../src/client/tools/tool.ts";
import type { Clock } from "../../../src/runtime/clock.ts";
import { FakeTerminal } from "../fake_terminal.ts";
import { type Answer, ScriptedServer } from "../scripted_server.ts";

/** What a tool left behind. */
export interface ToolResult {
  code: number;
  output: string;
  errors: string[];
  /** The commands that the server got. */
  commands: string[];
}

/** A terminal at which somebody presses Ctrl-C as soon as there is this much output. */
export class ImpatientTerminal extends FakeTerminal {
  readonly #patienceBytes: number;
  /** Whether anybody was listening. */
  wasHeard = false;

  /** Makes a terminal without input. */
  constructor(patienceBytes: number) {
    super();
    this.#patienceBytes = patienceBytes;
  }

  override write(bytes: Uint8Array): void {
    super.write(bytes);
    if (this.output.length >= this.#patienceBytes && !this.wasHeard) {
      this.wasHeard = this.interrupt();
    }
  }
}

/** Runs the client with these options against a server that answers so. */
export async function runTool(
  options: readonly string[],
  answer: (words: string[]) => Answer,
  terminal: FakeTerminal = new FakeTerminal(),
): Promise<ToolResult> {
  await using server = new ScriptedServer(answer);
  const code = await runClient(["-p", `${server.port}`, ...options], terminal);
  return {
    code,
    output: terminal.output,
    errors: terminal.errors,
    commands: server.commands.map((words) => words.join(" ")),
  };
}

/** Runs a tool that is given something of the test's, such as a clock, likewise. */
export async function runToolItself(
  tool: Tool,
  options: readonly string[],
  answer: (words: string[]) => Answer,
  terminal: FakeTerminal = new FakeTerminal(),
): Promise<ToolResult> {
  await using server = new ScriptedServer(answer);
  const settings = parseClientOptions(["-p", `${server.port}`, ...options], {
    password: undefined,
    forPeople: terminal.outputIsTerminal,
  });
  const code = await tool({ settings, terminal });
  return {
    code,
    output: terminal.output,
    errors: terminal.errors,
    commands: server.commands.map((words) => words.join(" ")),
  };
}

/** A clock on which this much time passes from one look to the next, in milliseconds. */
export function steppingClock(stepMs: number): Clock {
  let nowMs = 0;
  return { now: () => nowMs, monotonic: () => nowMs += stepMs };
}

/** A status. */
export function simple(text: string): string {
  return `+${text}\r\n`;
}

/** A bulk, a character for each byte. */
export function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

/** What SCAN answers. */
export function scanned(cursor: number, keys: readonly string[]): string {
  return `*2\r\n${bulk(`${cursor}`)}*${keys.length}\r\n${keys.map(bulk).join("")}`;
}
