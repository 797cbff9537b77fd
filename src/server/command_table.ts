/**
 * The table of commands: specs joined with handlers, found by the bytes of a name.
 *
 * @module
 */
import type { Handler } from "../commands/context.ts";
import { CommandStatistics } from "./command_statistics.ts";
import { POPS_ANY, POPS_HIGHEST, POPS_LOWEST, POPS_NOTHING } from "../keyspace/pops_ahead.ts";
import { BARE, type CommandSpec, legacyKeyRange, type SpecTable } from "../commands/specs/mod.ts";

/** A command that can be run, with what the dispatcher asks about it. */
export class Command {
  /** Name in lower case, `config|get` for a subcommand. */
  readonly name: string;
  /** What it is described as. */
  readonly spec: CommandSpec;
  /** Runs it. */
  readonly handler: Handler;
  /** Number of arguments, name included; negative for at least so many. */
  readonly arity: number;
  /** Whether a client may send it before it has authenticated. */
  readonly beforeAuthentication: boolean;
  /** Whether it is refused when there is no room left (it may need some). */
  readonly needsRoom: boolean;
  /** Whether it changes nothing. */
  readonly readsOnly: boolean;
  /** Whether it writes, or may have an effect on replicas: such commands wait while writes are paused. */
  readonly mayReplicate: boolean;
  /** Whether a client may hold memory with it that belongs in the arena: the index of that argument, or -1. */
  readonly blockArgument: number;
  /** Distance from one key to the next, if the first argument is a key and 1 or 2 fits; else 0. */
  readonly keyStep: number;
  /** The last key; 0 or less counts from the end. */
  readonly lastKey: number;
  /** Distance between the members of the key's value that it names; 0 if it names none that can be found so. */
  readonly memberStep: number;
  /** The first argument that is such a member, if there are no options before it. */
  readonly firstMember: number;
  /** Which member of the key's value it takes that it doesn't name (one of the `POPS_` constants). */
  readonly pops: number;
  /** Subcommands by name, or null. */
  readonly subcommands: ReadonlyMap<string, Command> | null;
  /** What is counted of it. */
  readonly statistics: CommandStatistics = new CommandStatistics();
  /** Whether Redis calls it fast. */
  readonly fast: boolean;
  /** Whether it is measured together with its neighbours, since it takes less than a look at the clock. */
  readonly quick: boolean;
  /** Whether MONITOR shows it. */
  readonly monitored: boolean;
  /** Whether it reads or changes keys, which a monitor may not. */
  readonly touchesKeyspace: boolean;
  /** Whether a subscriber may send it who speaks RESP2. */
  readonly forSubscribers: boolean;
  /** Whether it waits for EXEC after MULTI. */
  readonly queued: boolean;
  /** Whether it is refused after MULTI. */
  readonly alone: boolean;
  /** Whether it is run after MULTI even if there is no room left. */
  readonly endsTransaction: boolean;
  /** The error that it is refused with, if it always is. */
  readonly refusal: string | null;
  /** Whether it gets into the slow log. */
  readonly logged: boolean;
  /** Whether it changes data. */
  readonly writes: boolean;
  /** Whether it comes upon keys that nobody has named, and removes those whose time has come: each by itself, not as a whole. */
  readonly meetsKeys: boolean;
  /** Whether it runs while the data is being loaded. */
  readonly whileLoading: boolean;
  /** Whether it runs while other data is being loaded to take the place of this. */
  readonly whileSwapping: boolean;
  /** Whether a replica runs it that has lost its master and isn't to show old data. */
  readonly whileStale: boolean;
  /** Whether it only works with data (or does nothing at all): it changes nothing about who may do what, who hears of what, or what the server is told to do. */
  readonly plain: boolean;

  /** Joins a spec with its handler. */
  constructor(
    name: string,
    spec: CommandSpec,
    handler: Handler,
    subcommands: ReadonlyMap<string, Command> | null,
  ) {
    this.name = name;
    this.spec = spec;
    this.handler = handler;
    this.arity = spec.arity;
    this.beforeAuthentication = spec.flags.includes("no_auth");
    this.needsRoom = spec.flags.includes("denyoom");
    this.readsOnly = spec.flags.includes("readonly");
    this.mayReplicate = spec.flags.includes("write") || spec.flags.includes("may_replicate") ||
      REPLICATED_COMMANDS.has(name);
    this.forSubscribers = SUBSCRIBER_COMMANDS.has(name);
    this.blockArgument = BLOCK_ARGUMENTS.get(name) ?? -1;
    const flags: readonly string[] = spec.flags;
    this.fast = flags.includes("fast");
    this.quick = this.fast || QUICK_COMMANDS.has(name);
    this.monitored = !flags.includes("admin") && !flags.includes("skip_monitor");
    this.touchesKeyspace = this.mayReplicate || flags.includes("readonly");
    this.queued = !UNQUEUED_COMMANDS.has(name);
    this.alone = flags.includes("no_multi");
    this.endsTransaction = ENDING_COMMANDS.has(name);
    this.refusal = REFUSED.get(name) ?? null;
    this.logged = !flags.includes("skip_slowlog");
    this.writes = flags.includes("write");
    this.meetsKeys = name === "scan" || name === "randomkey";
    this.whileLoading = flags.includes("loading");
    this.whileSwapping = !flags.includes("no_async_loading");
    this.whileStale = flags.includes("stale");
    this.subcommands = subcommands;
    // MIGRATE has all others wait.
    this.plain = (PLAIN_GROUPS.has(spec.group) || name === "ping") && this.queued && !this.alone &&
      this.refusal === null && subcommands === null && name !== "migrate";
    const range = legacyKeyRange(spec);
    const simple = range.firstKey === 1 && range.keyStep <= 2;
    this.keyStep = simple ? range.keyStep : 0;
    this.lastKey = range.lastKey;
    this.memberStep = MEMBER_STEPS.get(name) ?? 0;
    this.firstMember = SCORED_COMMANDS.has(name) ? 3 : 2;
    this.pops = POPPING_COMMANDS.get(name) ?? POPS_NOTHING;
  }
}

/** Commands that store one argument as it is: a long one is read straight into its place. */
const BLOCK_ARGUMENTS: ReadonlyMap<string, number> = new Map([
  ["set", 2],
  ["setnx", 2],
  ["getset", 2],
  ["setex", 3],
  ["psetex", 3],
  // This one reads it from there, which saves the session a buffer of that size.
  ["restore", 3],
]);

/** Commands that name members of what their key holds: how far it is from one to the next. */
// deno-fmt-ignore
const MEMBER_STEPS: ReadonlyMap<string, number> = new Map([
  ["sadd", 1], ["srem", 1], ["sismember", 1], ["smismember", 1], ["hset", 2], ["hmset", 2], ["hsetnx", 2], ["hget", 1],
  ["hmget", 1], ["hdel", 1], ["hexists", 1], ["hstrlen", 1], ["hincrby", 2], ["hincrbyfloat", 2], ["zscore", 1],
  ["zmscore", 1], ["zrem", 1], ["zrank", 1], ["zrevrank", 1], ["zadd", 2], ["zincrby", 2],
]);

/** Commands that take a member which they don't name. */
const POPPING_COMMANDS: ReadonlyMap<string, number> = new Map([
  ["spop", POPS_ANY],
  ["zpopmin", POPS_LOWEST],
  ["zpopmax", POPS_HIGHEST],
]);

/** Commands that name a score before each member. */
const SCORED_COMMANDS: ReadonlySet<string> = new Set(["zadd", "zincrby"]);

/** Commands that Redis calls slow for the sake of large arguments or values; most calls are as quick as others. */
// deno-fmt-ignore
const QUICK_COMMANDS: ReadonlySet<string> = new Set([
  "set", "setex", "psetex", "getset", "mset", "msetnx", "append", "setrange", "getrange", "substr", "del",
]);

/** Groups of commands that only work with data. */
// deno-fmt-ignore
const PLAIN_GROUPS: ReadonlySet<string> = new Set([
  "string", "list", "set", "hash", "sorted-set", "stream", "bitmap", "hyperloglog", "geo", "generic",
]);

/** Commands that replicas may get, though the flags that COMMAND shows don't say so. */
const REPLICATED_COMMANDS: ReadonlySet<string> = new Set(["publish", "spublish", "pfcount"]);

/** Commands that a subscriber may send who speaks RESP2. */
// deno-fmt-ignore
const SUBSCRIBER_COMMANDS: ReadonlySet<string> = new Set([
  "subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe", "ping", "quit", "reset",
]);

/** Commands with which a transaction ends. */
const ENDING_COMMANDS: ReadonlySet<string> = new Set(["exec", "discard", "reset", "quit"]);

/** Commands that don't wait for EXEC. */
const UNQUEUED_COMMANDS: ReadonlySet<string> = new Set([...ENDING_COMMANDS, "multi", "watch"]);

const NO_MODULES =
  'ERR MODULE command not allowed. If the enable-module-command option is set to "local", ' +
  "you can run it from a local connection, otherwise you need to set this option in the " +
  "configuration file, and then restart the server.";

/** Commands that this server always refuses, in the words of a Redis that is set to refuse them. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ["module|load", NO_MODULES],
  ["module|loadex", NO_MODULES],
  ["module|unload", NO_MODULES],
]);

/** Handlers of a family: one each, or a table of them for a command with subcommands. */
export type HandlerTable = Readonly<Record<string, Handler | Readonly<Record<string, Handler>>>>;

const SLOTS = 1024;
/** Bytes compared without regard to case have this bit set. */
const CASE_BIT = 0x20;

/** All commands of one server. */
export class CommandTable {
  /** The commands in the order of their families. */
  readonly commands: readonly Command[];
  /** The commands and subcommands by name, `config|get`. */
  readonly byName: ReadonlyMap<string, Command>;
  private readonly slots: (Command | null)[] = new Array(SLOTS).fill(null);
  private readonly names: Uint8Array[] = new Array(SLOTS);

  /**
   * Joins specs and handlers, which have the same names.
   *
   * @param renamed New names by those of the specs; an empty one takes the command away.
   */
  constructor(
    specs: SpecTable,
    handlers: HandlerTable,
    renamed: ReadonlyMap<string, string> = new Map(),
  ) {
    this.commands = Object.entries(specs).map(([name, spec]) => join(name, spec, handlers[name]));
    this.byName = new Map(
      this.commands.flatMap((command) => [command, ...(command.subcommands?.values() ?? [])])
        .map((command) => [command.name, command]),
    );
    for (const command of this.commands) {
      const name = new TextEncoder().encode(renamed.get(command.name) ?? command.name);
      if (name.length === 0) continue;
      let slot = slotOf(name, 0, name.length);
      while (this.slots[slot] !== null) slot = (slot + 1) % SLOTS;
      this.slots[slot] = command;
      this.names[slot] = name;
    }
  }

  /** The command whose name is the `length` bytes from `start`, in any case, or null. */
  find(bytes: Uint8Array, start: number, length: number): Command | null {
    if (length === 0) return null;
    let slot = slotOf(bytes, start, length);
    for (;;) {
      const command = this.slots[slot];
      if (command === null) return null;
      if (sameName(this.names[slot], bytes, start, length)) return command;
      slot = (slot + 1) % SLOTS;
    }
  }
}

function slotOf(bytes: Uint8Array, start: number, length: number): number {
  const first = bytes[start] | CASE_BIT;
  const last = bytes[start + length - 1] | CASE_BIT;
  const middle = bytes[start + (length >>> 1)] | CASE_BIT;
  return (first * 31 + last * 7 + middle * 131 + length * 17) & (SLOTS - 1);
}

function sameName(name: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (name.length !== length) return false;
  for (let index = 0; index < length; index++) {
    const byte = bytes[start + index];
    const lower = byte >= 65 && byte <= 90 ? byte | CASE_BIT : byte;
    if (lower !== name[index]) return false;
  }
  return true;
}

function join(
  name: string,
  spec: CommandSpec,
  handler: Handler | Readonly<Record<string, Handler>>,
): Command {
  if (typeof handler === "function") return new Command(name, spec, handler, null);
  const subcommands = new Map<string, Command>();
  for (const [sub, subSpec] of Object.entries(spec.subcommands ?? {})) {
    subcommands.set(sub, new Command(`${name}|${sub}`, subSpec, handler[sub], null));
  }
  // A container that needs a subcommand is never run bare: its arity is checked before.
  return new Command(name, spec, handler[BARE] ?? (() => {}), subcommands);
}
