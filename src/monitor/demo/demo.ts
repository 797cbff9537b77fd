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
import { systemSockets } from "../../runtime/sockets.ts";
import type { MonitorArguments } from "../config/command_line.ts";
import { loadMonitor } from "../config/loading.ts";
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
  ["http", "8080"],
  // No secret: nothing here is worth one, and what other pages could send is refused without it, too.
  ["http-token", "demo"],
];
/** The files that a monitor would leave are of no use: its servers are gone with it. */
const FORCED_DIRECTIVES: readonly Directive[] = [["state", ""]];
const SERVERS = 3;
/** How many ports are tried, from the usual one on, before the system chooses. */
const PORTS_TRIED = 10;

/** All that runs. */
interface Demo {
  readonly servers: DemoServers;
  readonly monitor: Monitor;
  readonly load: DemoLoad;
}

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
  let monitor: Monitor | undefined;
  const servers = new DemoServers(() => monitor?.state().groups[0].master ?? "");
  try {
    for (const port of serverPorts(parsed)) {
      await servers.add(freePort([port]), servers.addresses[0] ?? "");
    }
    const options = optionsOf(parsed, servers.addresses);
    const logger = new Logger((line) => terminal.log(line), systemClock.now);
    logger.level = options.logLevel;
    logger.role = "X";
    monitor = await startMonitor(
      options,
      null,
      {
        sockets: systemSockets,
        clock: systemClock,
        randomness: systemRandomness,
        files: systemFiles,
        logger,
      },
      () => {},
      { demo: servers },
    );
    const load = new DemoLoad(monitor.routerPort!);
    const demo = { servers, monitor, load };
    sayWhereToLook(demo, options, terminal);
    await untilItEnds(demo, terminal);
    await load.stop();
    sayWhatCame(load, terminal);
    return 0;
  } catch (error) {
    terminal.print(error instanceof ConfigError ? error.message : systemReason(error));
    return 1;
  } finally {
    await monitor?.stop();
    await servers.stop();
  }
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
  { servers, monitor }: Demo,
  options: MonitorOptions,
  terminal: DemoTerminal,
) {
  const { addresses } = servers;
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

/** Does what is typed until somebody wants the end. */
async function untilItEnds({ servers, monitor }: Demo, terminal: DemoTerminal): Promise<void> {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const forget = terminal.onInterrupt(ask);
  const reader = terminal.lines.getReader();
  const typed = (async () => {
    for (let line = await reader.read(); !line.done; line = await reader.read()) {
      if (await isQuit(line.value, servers, terminal)) return ask();
    }
    // The end of the input is none of the demo: nobody may be typing.
  })();
  typed.catch(() => {});
  await Promise.race([asked, monitor.ended]);
  forget();
  // Behind a pending read of a terminal, a cancellation would wait for the next line.
  reader.cancel().catch(() => {});
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
    onInterrupt(handler) {
      const signals: Deno.Signal[] = Deno.build.os === "windows"
        ? ["SIGINT", "SIGBREAK"]
        : ["SIGINT", "SIGTERM", "SIGHUP"];
      for (const signal of signals) Deno.addSignalListener(signal, handler);
      return () => {
        for (const signal of signals) Deno.removeSignalListener(signal, handler);
      };
    },
  };
}
