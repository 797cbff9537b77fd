/**
 * `miniredis monitor --demo`: a master, two replicas, a monitor in front of them, some load, and a way
 * to kill a server, so that one command shows everything.
 *
 * @module
 */

import { linesOf } from "../../client/terminal.ts";
import { joinAddress } from "../../runtime/addresses.ts";
import { systemClock } from "../../runtime/clock.ts";
import { ConfigError, type Directive } from "../../runtime/config_lines.ts";
import { systemFiles, systemReason } from "../../runtime/files.ts";
import { consoleSink, Logger } from "../../runtime/logging.ts";
import { systemRandomness } from "../../runtime/random.ts";
import { listenForSignals } from "../../runtime/signals.ts";
import { systemSockets } from "../../runtime/sockets.ts";
import type { MonitorArguments } from "../config/command_line.ts";
import { loadMonitor } from "../config/loading.ts";
import type { MonitorEnvironment } from "../environment.ts";
import { type Monitor, startMonitor } from "../monitor.ts";
import type { MonitorOptions } from "../options.ts";
import { DemoLoad } from "./load.ts";
import { DemoServers } from "./servers.ts";

/** Who sits in front of the demo; a test may. */
export interface DemoTerminal {
  /** What is typed. */
  readonly lines: ReadableStream<string>;
  /** Prints a line. */
  print(line: string): void;
  /** Takes a line of the monitor's log. */
  log(line: string): void;
  /** Calls back when a signal asks for the end; call what it returns to end that. */
  onInterrupt(handler: () => void): () => void;
}

/** What differs from a monitor's usual settings; what was typed counts more. */
const DEMO_DIRECTIVES: readonly Directive[] = [
  ["bind", "127.0.0.1"],
  ["sentinel-bind", "127.0.0.1"],
  ["down-after-milliseconds", "1000"],
  // So that no write that was answered is lost when the master is killed.
  ["min-acks", "1"],
  ["http", "8080"],
  // No secret: nothing here is worth one, and what other pages could send is refused without it, too.
  ["http-token", "demo"],
];
/** The files that a monitor would leave are of no use: its servers are gone with it. */
const FORCED_DIRECTIVES: readonly Directive[] = [["state", ""]];
const SERVERS = 3;
const SYNC_ATTEMPTS = 100;
const SYNC_ATTEMPT_MS = 100;
/** How many ports are tried, from the usual one on, before the system chooses. */
const PORTS_TRIED = 10;

/**
 * Runs a demo until it is told to stop.
 *
 * @param parsed What stands on the command line.
 * @param terminal Who sits in front of it.
 * @returns The exit code: 0, or 1 if it couldn't start.
 */
export async function runDemo(
  parsed: MonitorArguments,
  terminal: DemoTerminal = systemTerminal(),
): Promise<number> {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const forget = terminal.onInterrupt(ask);
  let monitor: Monitor | undefined;
  let hasEnded = false;
  const servers = new DemoServers(() => monitor?.state().groups[0].master ?? "");
  try {
    for (const port of serverPorts(parsed)) {
      await servers.add(freePort([port]), servers.addresses[0] ?? "");
    }
    const options = optionsOf(parsed, servers.addresses);
    monitor = await start(options, servers, terminal);
    // By SHUTDOWN, which its Sentinel API knows.
    const ended = monitor.ended.then(() => void (hasEnded = true));
    const clients = new DemoLoad(monitor.routerPort!);
    await untilInStep(monitor);
    sayWhereToLook(servers, monitor, options, terminal);
    readCommands(servers, terminal, ask);
    await Promise.race([asked, ended]);
    await clients.stop();
    sayWhatCame(clients, terminal);
    return 0;
  } catch (error) {
    terminal.print(error instanceof ConfigError ? error.message : systemReason(error));
    return 1;
  } finally {
    forget();
    if (!hasEnded) await monitor?.stop();
    await servers.stop();
  }
}

function start(
  options: MonitorOptions,
  servers: DemoServers,
  terminal: DemoTerminal,
): Promise<Monitor> {
  const logger = new Logger((line) => terminal.log(line), systemClock.now);
  logger.level = options.logLevel;
  logger.role = "X";
  const environment: MonitorEnvironment = {
    sockets: systemSockets,
    clock: systemClock,
    randomness: systemRandomness,
    files: systemFiles,
    logger,
  };
  return startMonitor(options, null, environment, () => {}, { demo: servers });
}

/** Those behind the port for clients: 6380 to 6382, usually. */
function serverPorts(parsed: MonitorArguments): number[] {
  const { port } = load(parsed, []).router;
  return Array.from({ length: SERVERS }, (_, index) => port ? port + 1 + index : 0);
}

function load(parsed: MonitorArguments, more: readonly Directive[]): MonitorOptions {
  const directives = [...DEMO_DIRECTIVES, ...parsed.directives, ...FORCED_DIRECTIVES, ...more];
  return loadMonitor({ isDemo: true, directives }, systemFiles).options;
}

/** What the monitor is told; each port that somebody has is replaced by one near it. */
function optionsOf(parsed: MonitorArguments, addresses: readonly string[]): MonitorOptions {
  const options = load(parsed, [["nodes", addresses.join(",")]]);
  const near = (port: number | null) => port === null ? null : freePort(portsFrom(port));
  return {
    ...options,
    router: { ...options.router, port: near(options.router.port ?? 0) },
    sentinelPort: near(options.sentinelPort),
    httpPort: near(options.httpPort),
  };
}

function portsFrom(port: number): number[] {
  return port === 0 ? [] : Array.from({ length: PORTS_TRIED }, (_, index) => port + index);
}

/** The first port that nobody listens on, or 0, for which the system chooses one. */
function freePort(candidates: readonly number[]): number {
  const found = candidates.find((port) => {
    try {
      Deno.listen({ hostname: "0.0.0.0", port }).close();
      return true;
    } catch {
      return false;
    }
  });
  return found ?? 0;
}

function sayWhereToLook(
  { addresses }: DemoServers,
  monitor: Monitor,
  options: MonitorOptions,
  terminal: DemoTerminal,
): void {
  const page = monitor.httpPort === null
    ? undefined
    : `http://${joinAddress(options.httpBind, monitor.httpPort)}/`;
  const one = addresses[0].split(":")[1];
  const lines = [
    "",
    `A master (${addresses[0]}) and two replicas (${addresses.slice(1).join(", ")}) run, with a ` +
    "monitor in front.",
    "",
    ...page === undefined ? [] : [
      `  the page        ${page}#token=${options.httpToken}`,
      `  as text         miniredis monitor status --url ${page}`,
    ],
    `  for clients     miniredis client -p ${monitor.routerPort}`,
    ...monitor.sentinelPort === null
      ? []
      : [`  Sentinel's API  miniredis client -p ${monitor.sentinelPort} SENTINEL MASTERS`],
    "",
    `Type 'kill ${one}' and see how another one becomes the master; 'start ${one}' brings it back, ` +
    "'quit' ends all.",
    "",
  ];
  for (const line of lines) terminal.print(line);
}

/** Waits until the replicas have what the master has: before that, none could take its place. */
async function untilInStep(monitor: Monitor): Promise<void> {
  for (let attempt = 0; attempt < SYNC_ATTEMPTS; attempt++) {
    const { nodes } = monitor.state().groups[0];
    const replicas = nodes.filter(({ role, linkUp }) => role === "replica" && linkUp === true);
    if (replicas.length === SERVERS - 1) return;
    await new Promise((resolve) => setTimeout(resolve, SYNC_ATTEMPT_MS));
  }
}

/** Does what is typed, until that is the end of the demo. */
async function readCommands(
  servers: DemoServers,
  terminal: DemoTerminal,
  end: () => void,
): Promise<void> {
  try {
    for await (const line of terminal.lines) {
      if (await isQuit(line, servers, terminal)) return end();
    }
    // The end of the input is none of the demo: nobody may be typing.
  } catch (error) {
    terminal.print(`Can't read what is typed: ${systemReason(error)}`);
  }
}

/** Does what a line says; whether it asks for the end. */
async function isQuit(
  line: string,
  servers: DemoServers,
  terminal: DemoTerminal,
): Promise<boolean> {
  const [verb = "", name = ""] = line.trim().split(/\s+/);
  switch (verb.toLowerCase()) {
    case "":
      return false;
    case "quit":
    case "exit":
      return true;
    case "kill":
      terminal.print(servers.kill(name) ?? `${name} was killed.`);
      return false;
    case "start":
      terminal.print(await servers.start(name) ?? `${name} was started.`);
      return false;
    default:
      terminal.print(`'${verb}' is not known; there are kill, start and quit.`);
      return false;
  }
}

function sayWhatCame({ totals }: DemoLoad, terminal: DemoTerminal): void {
  const errors = Object.entries(totals.errors).map(([code, count]) => `${count} ${code}`);
  terminal.print(
    `The load: ${totals.answered} commands answered, errors: ${errors.join(", ") || "none"}, ` +
      `connections lost: ${totals.lostConnections}, stale reads of an own write: ${totals.stale}.`,
  );
}

function systemTerminal(): DemoTerminal {
  return {
    lines: linesOf(Deno.stdin.readable),
    print: consoleSink,
    log: consoleSink,
    onInterrupt: (handler) => listenForSignals({ onEnd: handler, outlivesTerminal: false }),
  };
}
