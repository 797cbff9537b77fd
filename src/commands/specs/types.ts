/**
 * The words in which a command is described: what `COMMAND INFO` and `COMMAND DOCS` tell of it, and
 * what the dispatcher, the access lists, the monitor and the client ask of it.
 *
 * The names follow Redis' replies, so that a description can be compared with a running server.
 *
 * @module
 */

/** What a command does and when it may run; the names are those of `COMMAND INFO`. */
export type CommandFlag =
  | "write"
  | "readonly"
  | "denyoom"
  | "module"
  | "admin"
  | "pubsub"
  | "noscript"
  | "blocking"
  | "loading"
  | "stale"
  | "skip_monitor"
  | "skip_slowlog"
  | "asking"
  | "fast"
  | "no_auth"
  | "may_replicate"
  | "sentinel"
  | "only_sentinel"
  | "no_mandatory_keys"
  | "protected"
  | "allow_busy"
  | "no_async_loading"
  | "no_multi"
  | "movablekeys";

/** A category that access lists allow or deny as a whole; on the wire it carries a leading `@`. */
export type AclCategory =
  | "keyspace"
  | "read"
  | "write"
  | "set"
  | "sortedset"
  | "list"
  | "hash"
  | "string"
  | "bitmap"
  | "hyperloglog"
  | "geo"
  | "stream"
  | "pubsub"
  | "admin"
  | "fast"
  | "slow"
  | "blocking"
  | "dangerous"
  | "connection"
  | "transaction"
  | "scripting";

/** The family under which documentation files a command. */
export type CommandGroup =
  | "bitmap"
  | "cluster"
  | "connection"
  | "generic"
  | "geo"
  | "hash"
  | "hyperloglog"
  | "list"
  | "pubsub"
  | "scripting"
  | "sentinel"
  | "server"
  | "set"
  | "sorted-set"
  | "stream"
  | "string"
  | "transactions";

/**
 * What a command does with its keys. One of the first four says how the entry at the key is used
 * (`RO` read, `RW` read and changed, `OW` overwritten, `RM` removed); the lower-case four say what
 * happens to the user's data in it; the last three qualify the key specification itself.
 */
export type KeyFlag =
  | "RO"
  | "RW"
  | "OW"
  | "RM"
  | "access"
  | "update"
  | "insert"
  | "delete"
  | "not_key"
  | "incomplete"
  | "variable_flags";

/** Where the search for keys starts. Positions count the command's own name as 0. */
export type BeginSearch =
  | { readonly type: "index"; readonly index: number }
  | {
    readonly type: "keyword";
    readonly keyword: string;
    /** Where to start looking; a negative number counts from the end and searches backwards. */
    readonly startFrom: number;
  }
  | { readonly type: "unknown" };

/** Which arguments are keys, seen from where the search started. */
export type FindKeys =
  | {
    readonly type: "range";
    /** The last key, relative to the first one, or to the end of the arguments when negative. */
    readonly lastKey: number;
    /** How far one key is from the next: 2 when a value follows each. */
    readonly keyStep: number;
    /** When `lastKey` is negative, a number above 1 says which part of the rest holds the keys. */
    readonly limit: number;
  }
  | {
    readonly type: "keynum";
    /** Where the number of keys stands, relative to the start. */
    readonly keyNumIndex: number;
    /** Where the first key stands, relative to the start. */
    readonly firstKey: number;
    /** How far one key is from the next. */
    readonly keyStep: number;
  }
  | { readonly type: "unknown" };

/** One group of keys among a command's arguments. */
export interface KeySpec {
  /** What the command does with these keys. */
  readonly flags: readonly KeyFlag[];
  /** Where the search for them starts. */
  readonly beginSearch: BeginSearch;
  /** Which arguments they are from there. */
  readonly findKeys: FindKeys;
  /** Why the flags are what they are, where that surprises. */
  readonly notes?: string;
}

/** The kind of value an argument holds; `oneof` and `block` hold other arguments. */
export type ArgumentType =
  | "string"
  | "integer"
  | "double"
  | "key"
  | "pattern"
  | "unix-time"
  | "pure-token"
  | "oneof"
  | "block";

/** One argument of a command, or one alternative among several. */
export interface ArgumentSpec {
  /** What documentation calls it. */
  readonly name: string;
  /** The kind of value it holds. */
  readonly type: ArgumentType;
  /**
   * Which of the command's key specifications covers it, for an argument of type `key`, and for a
   * `pattern` that names keys.
   */
  readonly keySpecIndex?: number;
  /** The word that introduces the argument, or that is the argument (`pure-token`). */
  readonly token?: string;
  /** The Redis version that brought it, when that is later than the command. */
  readonly since?: string;
  /** The Redis version since which it should no longer be used. */
  readonly deprecatedSince?: string;
  /** Whether it may be left out or repeated. */
  readonly flags?: readonly ArgumentFlag[];
  /** The parts of a `block`, or the alternatives of a `oneof`. */
  readonly arguments?: readonly ArgumentSpec[];
}

/** Whether an argument may be left out or repeated (`multiple_token`: its token with it). */
export type ArgumentFlag = "optional" | "multiple" | "multiple_token";

/** What documentation says of a command beside its summary. */
export type DocFlag = "deprecated" | "syscmd";

/** One change in a command's life: the version, and what it brought. */
export type HistoryEntry = readonly [version: string, change: string];

/**
 * The commands whose keys the key specifications can't tell in every call: the name picks a rule in
 * `keys.ts`. All commands that count their keys share the rule `counted`.
 */
export type KeyRule =
  | "set"
  | "bitfield"
  | "counted"
  | "streams"
  | "sort"
  | "sort_ro"
  | "migrate";

/** All that is known of one command, or of one subcommand. */
export interface CommandSpec {
  /** What it does, in one sentence. */
  readonly summary: string;
  /** The Redis version that brought it. */
  readonly since: string;
  /** The family it belongs to. */
  readonly group: CommandGroup;
  /** How its cost grows, with what the letters stand for; Redis doesn't say it of all commands. */
  readonly complexity?: string;
  /** The number of arguments, all names included; negative for "at least". */
  readonly arity: number;
  /** What it does and when it may run. */
  readonly flags: readonly CommandFlag[];
  /** All its categories; none follows from the flags. */
  readonly acl: readonly AclCategory[];
  /** Which of its arguments are keys. */
  readonly keys: readonly KeySpec[];
  /** The rule that finds its keys in calls where `keys` alone can't tell them. */
  readonly keyRule?: KeyRule;
  /** Hints for clients and proxies of a cluster. */
  readonly tips?: readonly string[];
  /** What documentation says of it beside the summary. */
  readonly docFlags?: readonly DocFlag[];
  /** The Redis version since which it should no longer be used. */
  readonly deprecatedSince?: string;
  /** What to use instead. */
  readonly replacedBy?: string;
  /** What changed in it, oldest first. */
  readonly history?: readonly HistoryEntry[];
  /** What it takes, without its names. */
  readonly arguments?: readonly ArgumentSpec[];
  /** The commands it holds, when it is a container. */
  readonly subcommands?: SpecTable;
}

/** Commands by their names in lower case. */
export type SpecTable = Readonly<Record<string, CommandSpec>>;

/**
 * Names the handler of a container that is called without a subcommand, beside the handlers of its
 * subcommands. No subcommand can have this name.
 */
export const BARE = "";

/**
 * The handlers that a family of specifications asks for: one `Handler` for each command, and for a
 * command with subcommands a table with one for each of them.
 *
 * A container whose arity is -1 may be called without a subcommand (`COMMAND`), so its table also
 * has a handler under {@linkcode BARE}; one whose arity is -2 (`CONFIG`) may not.
 *
 * Annotate an object literal with this type: a missing handler and one too many are both refused.
 *
 * @example
 * ```ts
 * import type { CommandSpec, HandlersFor } from "./types.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const SPECS = {
 *   ping: {
 *     summary: "Answers.",
 *     since: "1.0.0",
 *     group: "connection",
 *     complexity: "O(1)",
 *     arity: -1,
 *     flags: ["fast"],
 *     acl: ["fast", "connection"],
 *     keys: [],
 *   },
 * } as const satisfies Record<string, CommandSpec>;
 *
 * const handlers: HandlersFor<typeof SPECS, () => string> = { ping: () => "PONG" };
 * assertEquals(handlers.ping(), "PONG");
 * ```
 */
export type HandlersFor<Specs extends SpecTable, Handler> = {
  readonly [Name in keyof Specs]: Specs[Name] extends
    { readonly subcommands: infer Subcommands extends SpecTable } ? {
      readonly [
        Sub in
          | keyof Subcommands
          | (Specs[Name] extends { readonly arity: -1 } ? typeof BARE : never)
      ]: Handler;
    }
    : Handler;
};
