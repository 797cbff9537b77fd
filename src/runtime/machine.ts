/**
 * What the machine tells of itself and of this process.
 *
 * @module
 */
import process from "node:process";

/** Processor time in seconds. */
export interface ProcessorTime {
  /** Spent in the kernel. */
  readonly system: number;
  /** Spent outside of it. */
  readonly user: number;
}

/** Node's newer way to ask for one thread, which older versions of Deno don't have; looked up at each call, as a simulation has its own. */
const node = process as unknown as {
  threadCpuUsage?: () => { readonly system: number; readonly user: number };
};

const MICROSECONDS = 1_000_000;
const SYSTEM_NAMES: Readonly<Record<string, string>> = {
  linux: "Linux",
  darwin: "Darwin",
  windows: "Windows",
};

/** Name, version and processor of the system: `Linux 6.1.0 x86_64`; the version only if that may be asked. */
export function systemDescription(): string {
  const name = SYSTEM_NAMES[Deno.build.os] ?? Deno.build.os;
  const release = ifAllowed("osRelease", () => Deno.osRelease());
  return [name, release, Deno.build.arch].filter((part) => part !== undefined).join(" ");
}

/** Bytes of memory that the machine has, or 0 if that may not be asked. */
export function machineMemory(): number {
  return ifAllowed("systemMemoryInfo", () => Deno.systemMemoryInfo().total) ?? 0;
}

/** Bytes of memory of this process that are in the machine's memory. */
export function residentMemory(): number {
  return Deno.memoryUsage().rss;
}

/** Path of the program that runs, or nothing if that may not be asked. */
export function programPath(): string {
  try {
    return Deno.execPath();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return "";
    throw error;
  }
}

/** What this process has used so far. */
export function processTime(): ProcessorTime {
  const { system, user } = process.cpuUsage();
  return { system: system / MICROSECONDS, user: user / MICROSECONDS };
}

/** What the thread that asks has used so far, where the runtime tells. */
export function threadTime(): ProcessorTime | undefined {
  const usage = node.threadCpuUsage?.();
  return usage && { system: usage.system / MICROSECONDS, user: usage.user / MICROSECONDS };
}

function ifAllowed<T>(kind: "osRelease" | "systemMemoryInfo", ask: () => T): T | undefined {
  const { state } = Deno.permissions.querySync({ name: "sys", kind });
  return state === "granted" ? ask() : undefined;
}
