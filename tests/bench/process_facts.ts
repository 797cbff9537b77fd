/**
 * What the kernel says of a process and its children: processor time and resident memory.
 *
 * Linux alone tells it (through `/proc`); elsewhere the answers are null and the tables show the
 * figure as missing. A server may start itself again as a child (to set the environment that its
 * runtime reads at the start), hence trees and not single processes.
 *
 * @module
 */

/** `/proc/<pid>/stat` counts in ticks of USER_HZ, which is 100 on every Linux that Deno runs on. */
const MICROSECONDS_PER_TICK = 10_000;

interface ProcessTimes {
  readonly parent: number;
  readonly cpuMicroseconds: number;
}

function readProcText(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return null; // not Linux, or the process has just ended
  }
}

function readProcessTimes(pid: number): ProcessTimes | null {
  const text = readProcText(`/proc/${pid}/stat`);
  if (text === null) return null;
  // The second field is the program's name in brackets, and may hold blanks and brackets itself.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { parent: Number(fields[1]), cpuMicroseconds: ticks * MICROSECONDS_PER_TICK };
}

/** `root` and all its descendants; `root` alone where `/proc` doesn't tell. */
export function processTree(root: number): number[] {
  if (Deno.build.os !== "linux") return [root];
  const childrenOf = new Map<number, number[]>();
  for (const entry of Deno.readDirSync("/proc")) {
    const pid = Number(entry.name);
    const parent = Number.isInteger(pid) ? readProcessTimes(pid)?.parent : undefined;
    if (parent === undefined) continue;
    const siblings = childrenOf.get(parent);
    if (siblings) siblings.push(pid);
    else childrenOf.set(parent, [pid]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...childrenOf.get(pid) ?? []); // grows while it is walked
  return tree;
}

/** User and system time that all threads of `pids` have used so far. */
export function cpuMicroseconds(pids: readonly number[]): number | null {
  return sum(pids.map((pid) => readProcessTimes(pid)?.cpuMicroseconds ?? null));
}

/** Resident memory of `pids`, shared pages (a SharedArrayBuffer's too) included. */
export function residentBytes(pids: readonly number[]): number | null {
  return sum(pids.map((pid) => {
    const kibibytes = readProcText(`/proc/${pid}/status`)?.match(/^VmRSS:\s+(\d+) kB$/m)?.[1];
    return kibibytes === undefined ? null : Number(kibibytes) * 1024;
  }));
}

/** Memory of one process that no other has: of a child that was forked, the pages that differ. */
export function privateBytes(pid: number): number | null {
  const text = readProcText(`/proc/${pid}/smaps_rollup`);
  if (text === null) return null;
  return sum(
    [...text.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].map(([, size]) => Number(size) * 1024),
  );
}

function sum(parts: readonly (number | null)[]): number | null {
  const present = parts.filter((part) => part !== null);
  return present.length === 0 ? null : present.reduce((total, part) => total + part, 0);
}
