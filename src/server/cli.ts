/**
 * `miniredis server`: reads the configuration and runs a server until it is told to stop.
 *
 * The server itself runs in a worker (`worker.ts`), for one reason: the event loop of Deno handles
 * many sockets fairly only if it is told to, by environment variables that it reads when a thread's
 * loop starts. The main thread's loop has started before any of our code runs; a worker's starts
 * later, so that the variables can still be set here, in a compiled executable too.
 * The main thread is then free to take signals even while the server is busy.
 *
 * @module
 */

import { COMMON_OPTIONS, formatOptions, type Option } from "../runtime/arguments.ts";
import { systemClock } from "../runtime/clock.ts";
import {
  ConfigError,
  type ConfigLine,
  optionLine,
  readConfigFile,
  readConfigText,
} from "../runtime/config_lines.ts";
import { startSnapshotWorker } from "../persistence/worker_start.ts";
import { removeQuietly, systemFiles, systemReason } from "../runtime/files.ts";
import { consoleSink, Logger } from "../runtime/logging.ts";
import { listenForSignals } from "../runtime/signals.ts";
import { versionLine } from "../runtime/subcommands.ts";
import { parseServerArguments, type ServerArguments } from "./command_line.ts";
import { checkConfig } from "./config_file.ts";
import { asksForFileCheck, CHECK_OPTIONS } from "./file_check_options.ts";
import { type Setting, SETTING_GROUPS } from "./settings.ts";
import type { MessageFromWorker, MessageToWorker, StartMessage } from "./worker.ts";

/** What the event loop is told, unless the user's environment says otherwise. */
const LOOP_VARIABLES: readonly (readonly [name: string, value: string])[] = [
  // How many socket events it takes in one go. With 500 connections the longest wait was 17 to 37 ms,
  // against 53 to 100 ms with the runtime's own 1024; 16 to 128 serve alike.
  ["DENO_TOKIO_MAX_IO_EVENTS_PER_TICK", "128"],
  // After how many rounds it looks at the sockets while there is other work. With the runtime's own
  // 61, a long pipeline that runs in slices of 1 ms kept everybody else waiting for 61 of them.
  ["DENO_TOKIO_EVENT_INTERVAL", "8"],
];

/** Settings that have another, shorter name on the command line. */
const SHORT_NAMES: ReadonlyMap<string, readonly string[]> = new Map([["dbfilename", ["dbfile"]]]);

/**
 * Runs `miniredis server`.
 *
 * @param args The arguments behind the subcommand's name.
 * @returns The exit code: the server's, or 1 if it could not start; or that of a check of files.
 * @throws {UsageError} An option is unknown or lacks its value.
 */
export async function runServer(args: readonly string[]): Promise<number> {
  // A server starts sooner without what only the checks need.
  if (asksForFileCheck(args)) return (await import("./file_checks.ts")).runFileCheck(args);
  const parsed = parseServerArguments(args, isFile);
  if (parsed.answer !== undefined) {
    console.log(parsed.answer === "help" ? helpText() : versionLine("miniredis server"));
    return 0;
  }
  let start: StartMessage;
  try {
    start = await readConfiguration(parsed);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    return 1;
  }
  if (parsed.problem !== undefined) throw parsed.problem;
  return await runInWorker(start);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Reads all parts of the configuration, in the order in which they count. */
async function readConfiguration(parsed: ServerArguments): Promise<StartMessage> {
  const lines: ConfigLine[] = [];
  if (parsed.file !== undefined) lines.push(...readConfigFile(parsed.file, systemFiles));
  if (parsed.readsInput) {
    const text = await new Response(Deno.stdin.readable).text();
    lines.push(...readConfigText(text, "the standard input", systemFiles));
  }
  for (const option of parsed.options) {
    lines.push(
      ...option[0] === "include" && option.length === 2
        ? readConfigFile(option[1], systemFiles)
        : [optionLine(option)],
    );
  }
  const { settings } = checkConfig(lines, systemFiles);
  const isGiven = lines.some(({ words }) => words[0] === "dir");
  const problem = findFolderProblem(settings.text("dir"));
  // Where nobody asked for the folder, a server that only holds data in memory needs none.
  if (problem !== undefined && isGiven) throw new ConfigError(problem);
  if (problem !== undefined) console.error(`Warning: ${problem}`);
  return {
    type: "start",
    directives: lines.map(({ words }) => words),
    configFile: parsed.file === undefined ? undefined : Deno.realPathSync(parsed.file),
    watched: Deno.stdout.isTerminal(),
  };
}

/** Tries whether files can be made in the folder, so that it shows now, and not at the first save. */
function findFolderProblem(folder: string): string | undefined {
  try {
    Deno.removeSync(Deno.makeTempFileSync({ dir: folder, prefix: "miniredis-" }));
    return undefined;
  } catch (error) {
    const shown = folder === "." ? Deno.cwd() : folder;
    return `Can't write to the folder '${shown}': ${systemReason(error)}`;
  }
}

/** Starts the worker, passes signals on to it, and waits until it has finished. */
async function runInWorker(start: StartMessage): Promise<number> {
  for (const [variable, value] of LOOP_VARIABLES) {
    if (Deno.env.get(variable) === undefined) Deno.env.set(variable, value);
  }
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const send = (message: MessageToWorker): void => worker.postMessage(message);

  const exitCode = new Promise<number>((resolve) => {
    let endSnapshots: (() => void) | undefined;
    // Whether a signal has asked for the end, and the file by way of which it may be saving.
    let isAsked = false;
    let endingBy: string | null = null;
    worker.onmessage = ({ data }: MessageEvent<MessageFromWorker>) => {
      if ("exitCode" in data) return resolve(data.exitCode);
      if ("endingBy" in data) {
        endingBy = data.endingBy;
        isAsked = endingBy !== null;
        return;
      }
      endSnapshots?.();
      endSnapshots = data.snapshotPort === null ? undefined : startSnapshotWorker(
        data.snapshotPort,
        (reason) => send({ type: "snapshotWorkerFailed", reason }),
      );
    };
    worker.onerror = (event) => {
      // The runtime has already printed the error, with its stack.
      event.preventDefault();
      resolve(1);
    };
    const onEnd = (signal: Deno.Signal): void => {
      if (signal !== "SIGINT" || !isAsked) {
        isAsked = true;
        return send({ type: "signal", signal });
      }
      new Logger(consoleSink, systemClock.now).signal("You insist... exiting now.");
      if (endingBy !== null) removeQuietly(systemFiles, endingBy);
      resolve(1);
    };
    // A server started from a terminal outlives it, as redis-server does.
    listenForSignals({ onEnd, alsoEnding: ["SIGABRT"], outlivesTerminal: true });
  });
  send(start);
  return await exitCode;
}

function toOption(setting: Setting): Option {
  const effect = setting.noEffect === undefined ? "" : "; no effect here";
  const preset = setting.default === "" ? "" : ` (${setting.default})`;
  return {
    name: setting.name,
    aliases: [...setting.aliases ?? [], ...SHORT_NAMES.get(setting.name) ?? []],
    placeholder: setting.placeholder,
    summary: setting.summary + preset + effect,
  };
}

function helpText(): string {
  const groups = Object.entries(SETTING_GROUPS)
    .map(([name, settings]) => `${name}:\n${formatOptions(settings.map(toOption))}`);
  return `Usage: miniredis server [config-file] [--setting value...]... [-]

Runs a server until SHUTDOWN, SIGINT or SIGTERM. The config file is a redis.conf; with '-', more of it
is read from the standard input; options count more than both. Beside the settings there are
'include file', 'rename-command command name', with an empty name for a command that nobody may use.

Settings, with the names of Redis, and their defaults:

${groups.join("\n\n")}

Instead of running a server:
${formatOptions(CHECK_OPTIONS)}

Options:
${formatOptions(COMMON_OPTIONS)}`;
}
