/**
 * The servers that are measured: how each is started, watched and stopped.
 *
 * @module
 */

import { cpuMicroseconds, processTree, residentBytes } from "./process_facts.ts";
import { WireConnection } from "./wire.ts";

/** A server that could be started. */
export interface Contender {
  /** Its name in the tables. */
  readonly name: string;
  /** Program and arguments; `--port` and the port are added. */
  readonly command: readonly string[];
}

const START_LIMIT_MS = 20_000;
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
  readonly #logPath: string;
  #stopped: Promise<void> | undefined;

  private constructor(
    contender: Contender,
    port: number,
    startMs: number,
    child: Deno.ChildProcess,
    logPath: string,
  ) {
    this.name = contender.name;
    this.port = port;
    this.startMs = startMs;
    this.#child = child;
    this.#logPath = logPath;
  }

  /**
   * Starts `contender` on `port` and waits for its first PONG.
   *
   * @throws {Error} if the port is taken, the program can't be run, or it ends or keeps silent
   */
  static async start(contender: Contender, port: number): Promise<RunningServer> {
    // Without this look a foreign server on the port would be measured in the contender's place.
    if (await answersPing(port)) throw new Error(`port ${port} is in use`);
    const logPath = await Deno.makeTempFile({ prefix: "miniredis-bench-", suffix: ".log" });
    const command = [...contender.command, "--port", String(port)];
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
        await Deno.remove(logPath);
        throw new Error(
          `${contender.name} did not start (${command.join(" ")}):\n${lastLines.join("\n")}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const startMs = performance.now() - startedAt;
    const server = new RunningServer(contender, port, startMs, child, logPath);
    await server.#configure();
    return server;
  }

  /** Processor time of the server's processes so far, all threads. */
  cpuMicroseconds(): number | null {
    return cpuMicroseconds(processTree(this.#child.pid));
  }

  /** Resident memory of the server's processes. */
  residentBytes(): number | null {
    return residentBytes(processTree(this.#child.pid));
  }

  /** A number that INFO answers. */
  async infoNumber(section: string, field: string): Promise<number> {
    const text = await this.command("INFO", section);
    const line = text?.split("\r\n").find((candidate) => candidate.startsWith(`${field}:`));
    return Number(line?.slice(field.length + 1) ?? NaN);
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
    this.#stopped ??= endProcesses(this.#child).then(() => Deno.remove(this.#logPath));
    return this.#stopped;
  }

  /**
   * Nothing may be saved in the midst of a measurement, and no limit may stand below what a suite
   * opens. A server that doesn't know a setting has nothing to switch off.
   */
  async #configure(): Promise<void> {
    for (const [name, value] of [["save", ""], ["appendonly", "no"], ["maxclients", "15000"]]) {
      try {
        await this.command("CONFIG", "SET", name, value);
      } catch {
        continue;
      }
    }
  }
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
