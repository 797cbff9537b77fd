/**
 * What the machine tells of itself and of this process.
 *
 * @module
 */
import os from "node:os";
import process from "node:process";
import { type OperatingSystem, operatingSystem } from "./operating_system.ts";

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

/** Name, version and processor of the system: `Linux 6.1.0 x86_64`; the version only if that may be asked. */
export function systemDescription(): string {
  const release = ifAllowed("osRelease", () => Deno.osRelease());
  return [operatingSystem.name, release, Deno.build.arch].filter((part) => part !== undefined).join(
    " ",
  );
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

/**
 * Gives the thread that asks less of a claim to the processor than its process has, where the system can do so for a
 * thread alone and the program may ask for it; else the thread is one among others.
 *
 * @param niceness By how much, from 1 to 19.
 * @param system The system.
 * @param setPriority What changes the priority of the process or thread that asks.
 */
export function lowerThreadPriority(
  niceness: number,
  system: OperatingSystem = operatingSystem,
  setPriority: (priority: number) => void = (priority) => os.setPriority(0, priority),
): void {
  if (!system.hasThreadPriorities) return;
  try {
    setPriority(niceness);
  } catch {
    // It is a courtesy that nothing depends on.
  }
}

function ifAllowed<T>(kind: "osRelease" | "systemMemoryInfo", ask: () => T): T | undefined {
  const { state } = Deno.permissions.querySync({ name: "sys", kind });
  return state === "granted" ? ask() : undefined;
}
