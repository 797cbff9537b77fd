/**
 * `miniredis monitor status`: asks a monitor for its state, and prints it.
 *
 * @module
 */

import {
  COMMON_OPTIONS,
  formatOptions,
  type Option,
  parseOptions,
  UsageError,
} from "../../runtime/arguments.ts";
import { writeWhole } from "../../runtime/files.ts";
import { versionLine } from "../../runtime/subcommands.ts";
import type { StateView } from "../view.ts";
import { formatStatus } from "./status_text.ts";

/** Where {@linkcode printStatus} writes; a test may put its own in the place. */
export interface StatusOutput {
  /** Whether colours are of use: somebody reads it on a terminal, and hasn't set `NO_COLOR`. */
  readonly isColored: boolean;
  /** Writes text to the standard output. */
  write(text: string): void;
  /** Writes a line to the standard error output. */
  writeError(line: string): void;
}

const DEFAULT_URL = "http://127.0.0.1:8080";
const LONGEST_WAIT_MS = 5000;

const OPTIONS: readonly Option[] = [
  {
    name: "url",
    placeholder: "address",
    summary: `Where the monitor's page is (${DEFAULT_URL})`,
  },
  ...COMMON_OPTIONS,
];

const HELP_TEXT = `Usage: miniredis monitor status [--url address]

Prints the state of a running monitor that has a web page (--http): groups, nodes, other monitors,
the router and the last events.

Options:
${formatOptions(OPTIONS)}`;

/**
 * Runs `miniredis monitor status`.
 *
 * @param args The arguments behind `status`.
 * @param output Where to write.
 * @returns The exit code: 0, or 1 if no monitor answers.
 * @throws {UsageError} The arguments make no sense.
 */
export async function printStatus(
  args: readonly string[],
  output: StatusOutput = systemOutput(),
): Promise<number> {
  const { values, switches, rest } = parseOptions(args, OPTIONS);
  if (rest.length > 0) throw new UsageError(`'status' takes no argument '${rest[0]}'`);
  if (switches.size > 0) {
    output.write(`${switches.has("help") ? HELP_TEXT : versionLine("miniredis monitor")}\n`);
    return 0;
  }
  const url = parseUrl(values.get("url") ?? DEFAULT_URL);
  const state = await askState(url);
  if (typeof state === "string") {
    output.writeError(`miniredis monitor: no answer from a monitor at ${url.origin}: ${state}`);
    return 1;
  }
  output.write(formatStatus(state, output.isColored));
  return 0;
}

/** The address of the page, of which `http://` may be left out. */
function parseUrl(text: string): URL {
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `http://${text}`);
  if (url === null) throw new UsageError(`'${text}' is no address of a web page`);
  return url;
}

/** The state of the monitor that answers there, or why there is none. */
async function askState(url: URL): Promise<StateView | string> {
  try {
    const response = await fetch(new URL("/api/state", url), {
      signal: AbortSignal.timeout(LONGEST_WAIT_MS),
      redirect: "error",
    });
    const answer: unknown = await response.json();
    return isState(answer) ? answer : "that is something else";
  } catch (error) {
    return describeFailure(error);
  }
}

function isState(answer: unknown): answer is StateView {
  return typeof answer === "object" && answer !== null && "groups" in answer &&
    Array.isArray(answer.groups);
}

/** What `fetch` says is in its reason, or in the reason of that, as versions of Deno differ. */
function describeFailure(error: unknown): string {
  if (error instanceof SyntaxError) return "that is something else";
  if (error instanceof DOMException) return `nothing came for ${LONGEST_WAIT_MS / 1000} s`;
  const messages: string[] = [];
  for (let reason = error; reason instanceof Error; reason = reason.cause) {
    messages.push(reason.message);
  }
  const text = messages.join(": ").replaceAll("\n", " ");
  if (/refused/i.test(text)) return "connection refused";
  return /dns|lookup/i.test(text) ? "there is no such name" : text;
}

function systemOutput(): StatusOutput {
  return {
    isColored: Deno.stdout.isTerminal() && !Deno.noColor,
    write: (text) =>
      writeWhole((bytes) => Deno.stdout.writeSync(bytes), new TextEncoder().encode(text)),
    writeError: (line) => console.error(line),
  };
}
