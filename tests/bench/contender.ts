/**
 * The servers that are measured: how each is started, watched and stopped.
 *
 * @module
 */

import { cpuMicroseconds, processTree, residentBytes } from "./process_facts.ts";
import { pause } from "./timing.ts";
import { WireConnection } from "./wire.ts";

/** A server that could be started. */
export interface Contender {
  /** Its name in the tables. */
  readonly name: string;
  /** Program and arguments; `--dir` and `--port` are added. */
  readonly command: readonly string[];
  /** What is added instead, by a program that has other words for its folder and its port. */
  readonly placed?: (folder: string, port: number) => Promise<readonly string[]>;
  /** Where its files are; one of its own that is new, and goes with it, unless it is said. */
  readonly folder?: string;
  /** Whether what its command says of files counts; else it may neither save nor append. */
  readonly persists?: boolean;
}

/** Settings that all contenders know, by name. */
export type Settings = Readonly<Record<string, string>>;

/** `contender` with further settings; a value of several words is given as several. */
export function configured(contender: Contender, settings: Settings): Contender {
  const words = Object.entries(settings).flatMap(([name, value]) => [
    `--${name}`,
    ...(value === "" ? [value] : value.split(" ")),
  ]);
  return { ...contender, command: [...contender.command, ...words] };
}

/** `contender` with files, and with further settings. */
export function persisting(contender: Contender, settings: Settings, folder?: string): Contender {
  return { ...configured(contender, settings), folder, persists: true };
}

/** Long enough for one that has millions of keys to load on a busy machine. */
const START_LIMIT_MS = 60_000;
/** How long to wait between two looks whether a server is up. */
const START_LOOK_MS = 2;
/** The same as a share of what has passed: one that is loading has better things to do than answer. */
const START_LOOK_SHARE = 0.01;
const STOP_LIMIT_MS = 5_000;
const WANTED_OPEN_FILES = 65_536;

/**
 * Raises the limit of open files as far as it goes (idle connections by the thousand need it),
 * keeps the server's output for the case that it doesn't start, and becomes the server.
 */
const START_SCRIPT =
  `ulimit -n ${WANTED_OPEN_FILES} 2>/dev/null || ulimit -n "$(ulimit -H -n)" 2>/dev/null
log=$1; shift; exec "$@" >"$log" 2>&1`;

/** One server that is up, with the facts that the kernel knows of it. */
export class RunningServer {
  /** Its name in the tables. */
  readonly name: string;
  /** Where it listens, on the loopback address. */
  readonly port: number;
  /** From the start of the process to its first PONG. */
  readonly startMs: number;
  readonly #child: Deno.ChildProcess;
  readonly #ownFolder: string;
  #stopped: Promise<void> | undefined;

  private constructor(
    contender: Contender,
    port: number,
    startMs: number,
    child: Deno.ChildProcess,
    ownFolder: string,
  ) {
    this.name = contender.name;
    this.port = port;
    this.startMs = startMs;
    this.#child = child;
    this.#ownFolder = ownFolder;
  }

  /**
   * Starts `contender` on `port` and waits for its first PONG.
   *
   * @throws {Error} if the port is taken, the program can't be run, or it ends or keeps silent
   */
  static async start(contender: Contender, port: number): Promise<RunningServer> {
    // Without this look a foreign server on the port would be measured in the contender's place.
    if (await answersPing(port)) throw new Error(`port ${port} is in use`);
    // Not the current folder: whatever lies there would be loaded.
    const ownFolder = await Deno.makeTempDir({ prefix: "miniredis-bench-" });
    const logPath = logIn(ownFolder);
    await Deno.writeTextFile(logPath, ""); // where no shell keeps the output, there is none
    const folder = contender.folder ?? ownFolder;
    const place = await contender.placed?.(folder, port) ??
      ["--dir", folder, "--port", String(port)];
    const command = [...contender.command, ...place];
    const [program, ...args] = Deno.build.os === "windows"
      ? command
      : ["sh", "-c", START_SCRIPT, "sh", logPath, ...command];
    const startedAt = performance.now();
    const child = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    let ended = false;
    child.status.then(() => ended = true);
    while (!await answersPing(port)) {
      if (ended || performance.now() - startedAt > START_LIMIT_MS) {
        if (!ended) await endProcesses(child);
        const lastLines = (await Deno.readTextFile(logPath)).trimEnd().split("\n").slice(-5);
        await Deno.remove(ownFolder, { recursive: true });
        throw new Error(
          `${contender.name} did not start (${command.join(" ")}):\n${lastLines.join("\n")}`,
        );
      }
      await pause(Math.max(START_LOOK_MS, START_LOOK_SHARE * (performance.now() - startedAt)));
    }
    const startMs = performance.now() - startedAt;
    const server = new RunningServer(contender, port, startMs, child, ownFolder);
    await server.#configure(contender.persists === true);
    return server;
  }

  /** Processor time of the server's processes so far, all threads. */
  cpuMicroseconds(): number | null {
    return cpuMicroseconds(this.pids());
  }

  /** Resident memory of the server's processes. */
  residentBytes(): number | null {
    return residentBytes(this.pids());
  }

  /** The server's processes; the first is the one that was started. */
  pids(): number[] {
    return processTree(this.#child.pid);
  }

  /** What it has printed so far. */
  log(): Promise<string> {
    return Deno.readTextFile(logIn(this.#ownFolder));
  }

  /** A number that INFO answers. */
  async infoNumber(section: string, field: string): Promise<number> {
    return numberInInfo(await this.command("INFO", section), field);
  }

  /** One command on a connection of its own. */
  async command(...words: string[]): Promise<string | null> {
    const connection = await WireConnection.open(this.port);
    try {
      return await connection.command(...words);
    } finally {
      connection.close();
    }
  }

  /** Ends the server and its children; a second call waits for the first. */
  stop(): Promise<void> {
    this.#stopped ??= endProcesses(this.#child)
      .then(() => Deno.remove(this.#ownFolder, { recursive: true }));
    return this.#stopped;
  }

  /**
   * Nothing may be saved in the midst of a measurement of other things, and no limit may stand
   * below what a suite opens. A server that doesn't know a setting has nothing to switch off.
   */
  async #configure(persists: boolean): Promise<void> {
    const filesOff = persists ? [] : [["save", ""], ["appendonly", "no"]];
    for (const [name, value] of [...filesOff, ["maxclients", "15000"]]) {
      try {
        await this.command("CONFIG", "SET", name, value);
      } catch {
        continue;
      }
    }
  }
}

/** A number in what INFO answered; NaN if it isn't there. */
export function numberInInfo(text: string | null, field: string): number {
  return Number(wordInInfo(text, field) ?? NaN);
}

/** What INFO answered says of a field; undefined if it isn't there. */
export function wordInInfo(text: string | null, field: string): string | undefined {
  const line = text?.split("\r\n").find((candidate) => candidate.startsWith(`${field}:`));
  return line?.slice(field.length + 1);
}

function logIn(folder: string): string {
  return `${folder}/server.log`;
}

async function answersPing(port: number): Promise<boolean> {
  let connection: WireConnection;
  try {
    connection = await WireConnection.open(port);
  } catch {
    return false;
  }
  try {
    return await connection.command("PING") === "PONG";
  } catch {
    return false; // listening, but still loading or about to close
  } finally {
    connection.close();
  }
}

async function endProcesses(root: Deno.ChildProcess): Promise<void> {
  const descendants = processTree(root.pid).slice(1);
  signal(root.pid, "SIGTERM");
  const patience = setTimeout(() => signal(root.pid, "SIGKILL"), STOP_LIMIT_MS);
  await root.status;
  clearTimeout(patience);
  for (const pid of descendants) signal(pid, "SIGKILL"); // those that didn't follow their root
}

function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch {
    // it has ended
  }
}
