/**
 * What differs from one operating system to the next, as one table of facts. Whatever depends on the system reads it
 * from here, so that a test on one system can see what happens on the others, and nothing else asks where it runs.
 *
 * @module
 */

/** An operating system, as far as it matters to this program. */
export interface OperatingSystem {
  /** What it calls itself, as `uname -s` shows it and `INFO` tells it. */
  readonly name: string;
  /** The signals by which somebody asks a program to end: Ctrl-C first, then what the system adds to it. */
  readonly endingSignals: readonly Deno.Signal[];
  /** Other signals that a program may listen to. */
  readonly otherSignals: ReadonlySet<Deno.Signal>;
  /** Whether keys send signals: Ctrl-Z stops a program, which may go on later. */
  readonly hasJobControl: boolean;
  /** Whether a program can go on when its terminal is closed. */
  readonly letsOutliveTerminal: boolean;
  /** Whether a folder can be opened and synced, and has to be for the names in it to last. */
  readonly syncsFolders: boolean;
  /** Whether files say who may read, write and run them. */
  readonly hasPermissions: boolean;
  /** Whether other programs may keep a file from being renamed or removed while they have it open. */
  readonly holdsOpenFiles: boolean;
  /** Whether the runtime opens Unix sockets. */
  readonly hasUnixSockets: boolean;
  /** Whether a thread can have less of a claim to the processor than the rest of its process. */
  readonly hasThreadPriorities: boolean;
  /** What stands between the parts of a path. */
  readonly pathSeparator: RegExp;
  /** What a path begins with that stands for itself, wherever one is. */
  readonly pathRoot: RegExp;
}

/** What Linux and macOS share. */
const UNIX = {
  endingSignals: ["SIGINT", "SIGTERM"],
  otherSignals: new Set(["SIGABRT", "SIGHUP"]),
  hasJobControl: true,
  letsOutliveTerminal: true,
  syncsFolders: true,
  hasPermissions: true,
  holdsOpenFiles: false,
  hasUnixSockets: true,
  pathSeparator: /\//,
  pathRoot: /^\//,
} as const satisfies Partial<OperatingSystem>;

/** Linux, where `setpriority` speaks of threads. */
export const LINUX: OperatingSystem = { ...UNIX, name: "Linux", hasThreadPriorities: true };

/** macOS, where it speaks of the process: a worker would slow down the whole server. */
export const MACOS: OperatingSystem = { ...UNIX, name: "Darwin", hasThreadPriorities: false };

/**
 * Windows. When a console window is closed, each program in it is ended some seconds later, whatever it does, so
 * SIGHUP asks for the end there. The runtime tells of it from a later version on than the oldest that we run with.
 */
export const WINDOWS: OperatingSystem = {
  name: "Windows",
  endingSignals: ["SIGINT", "SIGBREAK"],
  otherSignals: new Set(["SIGHUP"]),
  hasJobControl: false,
  letsOutliveTerminal: false,
  syncsFolders: false,
  hasPermissions: false,
  holdsOpenFiles: true,
  hasUnixSockets: false,
  hasThreadPriorities: false,
  pathSeparator: /[/\\]/,
  pathRoot: /^([/\\]|[A-Za-z]:[/\\])/,
};

/** The operating system that this runs on; one that nobody has tried is taken for a Unix with the least. */
export const operatingSystem: OperatingSystem =
  { linux: LINUX, darwin: MACOS, windows: WINDOWS }[Deno.build.os as string] ??
    { ...UNIX, name: Deno.build.os, hasThreadPriorities: false };
