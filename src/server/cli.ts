/**
 * `miniredis server`: reads the options and runs a server until it is told to stop.
 *
 * The server itself runs in a worker (`worker.ts`), for one reason: the event loop of Deno handles
 * many sockets fairly only if `DENO_TOKIO_MAX_IO_EVENTS_PER_TICK` is set, and reads that variable
 * when a thread's loop starts. The main thread's loop has started before any of our code runs; a
 * worker's starts later, so that the variable can still be set here, in a compiled executable too.
 * The main thread is then free to take signals even while the server is busy.
 *
 * @module
 */

import {
  COMMON_OPTIONS,
  formatOptions,
  type Option,
  parseOptions,
  UsageError,
} from "../runtime/arguments.ts";
import { versionLine } from "../runtime/subcommands.ts";
import { REDIS_VERSION } from "../runtime/version.ts";
import type { ServerOptions } from "./server.ts";
import { type Setting, SETTINGS, Settings, SettingsError } from "./settings.ts";
import type { MessageFromWorker, MessageToWorker } from "./worker.ts";

/**
 * How many socket events the event loop takes in one go. With 500 connections the longest wait was
 * 17 to 37 ms, against 53 to 100 ms with the runtime's own 1024; 16 to 128 serve alike.
 */
const IO_EVENTS_PER_TICK = "128";

/** Settings that have another, shorter name on the command line. */
const SHORT_NAMES: ReadonlyMap<string, readonly string[]> = new Map([["dbfilename", ["dbfile"]]]);

/**
 * Runs `miniredis server`.
 *
 * @param args The arguments behind the subcommand's name.
 * @returns The exit code: the server's, or 1 if it could not start.
 * @throws {UsageError} An option is unknown or lacks its value.
 */
export async function runServer(args: readonly string[]): Promise<number> {
  const settingOptions = SETTINGS.map(toOption);
  const { values, switches, rest } = parseOptions(args, [...settingOptions, ...COMMON_OPTIONS]);
  if (switches.has("help")) {
    console.log(helpText(settingOptions));
    return 0;
  }
  if (switches.has("version")) {
    console.log(versionLine("miniredis server"));
    return 0;
  }
  if (rest.length > 0) throw new UsageError(`unexpected argument '${rest[0]}'`);
  const problem = findBadValue(values) ?? await findFolderProblem(values.get("dir"));
  if (problem !== undefined) {
    console.error(problem);
    return 1;
  }
  return await runInWorker(Object.fromEntries(values));
}

/** Starts the worker, passes signals on to it, and waits until it has finished. */
async function runInWorker(options: ServerOptions): Promise<number> {
  const variable = "DENO_TOKIO_MAX_IO_EVENTS_PER_TICK";
  if (Deno.env.get(variable) === undefined) Deno.env.set(variable, IO_EVENTS_PER_TICK);
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const send = (message: MessageToWorker): void => worker.postMessage(message);

  const exitCode = new Promise<number>((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<MessageFromWorker>) => {
      if (data.type === "failed") console.error(data.message);
      resolve(data.type === "failed" ? 1 : data.exitCode);
    };
    worker.onerror = (event) => {
      // The runtime has already printed the error, with its stack.
      event.preventDefault();
      resolve(1);
    };
    listenForSignals((signal, isRepeated) => {
      if (isRepeated) resolve(1);
      else send({ type: "shutdown", reason: `Received ${signal} scheduling shutdown...` });
    });
  });
  send({ type: "start", options });
  return await exitCode;
}

/** Calls back for each signal that asks for the end; a repeated one means that it can't wait. */
function listenForSignals(onSignal: (signal: Deno.Signal, isRepeated: boolean) => void): void {
  let isRepeated = false;
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM"];
  for (const signal of signals) {
    Deno.addSignalListener(signal, () => {
      onSignal(signal, isRepeated);
      isRepeated = true;
    });
  }
  // A server started from a terminal outlives it, as redis-server does.
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGHUP", () => {});
}

/** The first value that its setting can't have, in the words in which Redis complains. */
function findBadValue(values: ReadonlyMap<string, string>): string | undefined {
  for (const [name, value] of values) {
    try {
      new Settings({ [name]: value });
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      return `
*** FATAL CONFIG FILE ERROR (Redis ${REDIS_VERSION}) ***
>>> '${name} "${value}"'
${error.message}`;
    }
  }
  return undefined;
}

/** Tries whether files can be made in the folder, so that it shows now, and not at the first save. */
async function findFolderProblem(folder: string | undefined): Promise<string | undefined> {
  try {
    await Deno.remove(await Deno.makeTempFile({ dir: folder ?? ".", prefix: "miniredis-" }));
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const reason = error.message.replace(/ \(os error .*/s, "");
    const problem = `Can't write to the folder '${folder ?? Deno.cwd()}': ${reason}`;
    if (folder !== undefined) return problem;
    // Nobody asked for this folder, and a server that only holds data in memory needs none.
    console.error(`Warning: ${problem}`);
    return undefined;
  }
}

function toOption(setting: Setting): Option {
  return {
    name: setting.name,
    aliases: [...setting.aliases ?? [], ...SHORT_NAMES.get(setting.name) ?? []],
    placeholder: setting.placeholder,
    takesMany: setting.manyWords,
    summary: setting.default === "" ? setting.summary : `${setting.summary} (${setting.default})`,
  };
}

function helpText(settingOptions: readonly Option[]): string {
  return `Usage: miniredis server [--setting value]...

Runs a server until SHUTDOWN, SIGINT or SIGTERM.

Settings, with the names of Redis, and their defaults:
${formatOptions(settingOptions)}

Options:
${formatOptions(COMMON_OPTIONS)}`;
}
