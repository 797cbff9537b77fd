/**
 * `miniredis monitor`: reads what it is told, and runs a monitor until it is told to stop.
 *
 * @module
 */

import { joinAddress } from "../runtime/addresses.ts";
import { COMMON_OPTIONS, formatOptions } from "../runtime/arguments.ts";
import { systemClock } from "../runtime/clock.ts";
import { ConfigError } from "../runtime/config_lines.ts";
import { systemFiles, systemReason } from "../runtime/files.ts";
import { consoleSink, fileSink, Logger } from "../runtime/logging.ts";
import { PidFile } from "../runtime/pid_file.ts";
import { systemRandomness } from "../runtime/random.ts";
import { listenForSignals } from "../runtime/signals.ts";
import { systemSockets } from "../runtime/sockets.ts";
import { versionLine } from "../runtime/subcommands.ts";
import { VERSION } from "../runtime/version.ts";
import {
  DEMO_OPTION,
  type MonitorArguments,
  OPTION_GROUPS,
  parseMonitorArguments,
} from "./config/command_line.ts";
import { type LoadedMonitor, loadMonitor } from "./config/loading.ts";
import { checkStateFile, stateSaver } from "./config/state_file.ts";
import type { MonitorEnvironment } from "./environment.ts";
import type { MonitorOptions, SavedState } from "./options.ts";

/** A monitor that runs. */
export interface RunningMonitor {
  /** The port for clients; null where there is no router. */
  readonly routerPort: number | null;
  /** The port of the Sentinel API, or null. */
  readonly sentinelPort: number | null;
  /** The port of the web page, or null. */
  readonly httpPort: number | null;
  /** The exit code, once it has ended. */
  readonly ended: Promise<number>;
  /** Ends it. */
  stop(): Promise<void>;
}

/** What runs behind the command line; a test puts its own in their place. */
export interface MonitorPrograms {
  /**
   * Starts a monitor.
   *
   * @throws {Error} It can't: the message is the one line for the terminal.
   */
  start(
    options: MonitorOptions,
    saved: SavedState | null,
    environment: MonitorEnvironment,
    save: (state: SavedState) => void,
  ): Promise<RunningMonitor>;
  /** `miniredis monitor status`: shows a monitor that runs, and gives the exit code. */
  status(args: readonly string[]): Promise<number>;
  /** `miniredis monitor --demo`: runs everything, and gives the exit code. */
  demo(parsed: MonitorArguments): Promise<number>;
}

/** Each is loaded when it is needed. */
const PROGRAMS: MonitorPrograms = {
  start: async (...args) => (await import("./monitor.ts")).startMonitor(...args),
  status: async (args) => (await import("./web/status.ts")).printStatus(args),
  demo: async (parsed) => (await import("./demo/demo.ts")).runDemo(parsed),
};

/**
 * Runs `miniredis monitor`.
 *
 * @param args The arguments behind the subcommand's name.
 * @returns The exit code: the monitor's, or 1 if it could not start.
 * @throws {UsageError} An option is unknown, lacks its value, or has no place where it stands.
 */
export async function runMonitor(
  args: readonly string[],
  programs: MonitorPrograms = PROGRAMS,
): Promise<number> {
  if (args[0] === "status") return await programs.status(args.slice(1));
  const parsed = parseMonitorArguments(args);
  if (parsed.answer !== undefined) {
    console.log(parsed.answer === "help" ? helpText() : versionLine("miniredis monitor"));
    return 0;
  }
  if (parsed.isDemo) return await programs.demo(parsed);
  let loaded: LoadedMonitor;
  try {
    loaded = loadMonitor({ ...parsed, file: wholePath(parsed.file) }, systemFiles);
    checkStateFile(loaded.options, systemFiles);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    return 1;
  }
  return await run(loaded, programs);
}

/** The path under which a config file is replaced: where a link leads to, say. */
function wholePath(file: string | undefined): string | undefined {
  try {
    return file === undefined ? undefined : Deno.realPathSync(file);
  } catch {
    // Who reads it says what is wrong.
    return file;
  }
}

/** Runs a monitor to its end. */
async function run(loaded: LoadedMonitor, programs: MonitorPrograms): Promise<number> {
  const { options } = loaded;
  const sink = options.logFile === "" ? consoleSink : fileSink(options.logFile, systemFiles);
  const logger = new Logger(sink, systemClock.now);
  logger.level = options.logLevel;
  logger.role = "X";
  logStart(loaded, logger);
  const pidFile = new PidFile(systemFiles, logger);
  pidFile.write(options.pidFile);
  let exitCode = 1;
  try {
    const monitor = await programs.start(
      options,
      loaded.saved,
      {
        sockets: systemSockets,
        clock: systemClock,
        randomness: systemRandomness,
        files: systemFiles,
        logger,
      },
      stateSaver(options, systemFiles),
    );
    logReady(monitor, options, logger);
    exitCode = await untilItEnds(monitor, logger);
    logger.log("warning", "Sentinel is now ready to exit, bye bye...");
  } catch (error) {
    tell(systemReason(error), options, logger);
  }
  pidFile.remove();
  return exitCode;
}

/** Says who starts, and what of its configuration isn't taken. */
function logStart({ options, warnings }: LoadedMonitor, logger: Logger): void {
  logger.log("warning", "oO0OoO0OoO0Oo miniredis is starting oO0OoO0OoO0Oo");
  logger.log(
    "warning",
    `miniredis version=${VERSION}, bits=64, commit=00000000, modified=0, pid=${Deno.pid}, ` +
      "just started",
  );
  logger.log("warning", "Configuration loaded");
  for (const warning of warnings) tell(warning, options, logger);
}

/** Says something in the log, and on the terminal if the log is elsewhere. */
function tell(line: string, options: MonitorOptions, logger: Logger): void {
  logger.log("warning", line);
  if (options.logFile !== "") console.error(line);
}

/** Says where it listens. (Tools wait for the line with `mode`.) */
function logReady(monitor: RunningMonitor, options: MonitorOptions, logger: Logger): void {
  const { routerPort, sentinelPort, httpPort } = monitor;
  if (sentinelPort !== null) {
    logger.log("notice", `Running mode=sentinel, port=${sentinelPort}.`);
  }
  if (routerPort !== null) {
    logger.log(
      "notice",
      `Running mode=router, port=${routerPort}: ready to accept connections for group ` +
        `'${options.routedGroup}'`,
    );
  }
  if (httpPort !== null) {
    const host = ["*", "0.0.0.0", "::"].includes(options.httpBind) ? "127.0.0.1" : options.httpBind;
    logger.log("notice", `The web page is at http://${joinAddress(host, httpPort)}/`);
  }
}

/** Waits for the end, which a signal may ask for; one more doesn't wait any longer. */
async function untilItEnds(monitor: RunningMonitor, logger: Logger): Promise<number> {
  const { promise: insisted, resolve: insist } = Promise.withResolvers<number>();
  let isAsked = false;
  const onEnd = (signal: Deno.Signal): void => {
    if (isAsked) {
      if (signal !== "SIGINT") return;
      logger.signal("You insist... exiting now.");
      return insist(1);
    }
    isAsked = true;
    logger.signal(`Received ${signal} scheduling shutdown...`);
    logger.log("warning", "User requested shutdown...");
    monitor.stop().catch((error) => {
      logger.log("warning", `The end didn't go well: ${systemReason(error)}`);
      insist(1);
    });
  };
  // A monitor that was started from a terminal outlives it, as redis-sentinel does.
  const forget = listenForSignals({ onEnd, outlivesTerminal: true });
  try {
    return await Promise.race([monitor.ended, insisted]);
  } finally {
    forget();
  }
}

function helpText(): string {
  const groups = OPTION_GROUPS.map(([name, options]) => `${name}:\n${formatOptions(options)}`);
  return `Usage: miniredis monitor [config-file] [--option value]...
       miniredis monitor status [--url http://127.0.0.1:8080]

Puts one address in front of a master and its replicas: writes go to the master, reads are spread over the
replicas, and when the master dies another one takes its place. The config file is a sentinel.conf, which is
rewritten with what has to survive a restart; there the names are Sentinel's: 'port' is the Sentinel API's,
and the router only opens if 'router-port' or --port asks for it. Options count more than the file.

${groups.join("\n\n")}

Other options:
${formatOptions([DEMO_OPTION, ...COMMON_OPTIONS])}

'status' prints what the web page of a monitor that runs shows.`;
}
