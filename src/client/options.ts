/**
 * Reads the command line of `miniredis client`.
 *
 * Options end at the first word that is none: from there on it is the command, whose words may have
 * dashes.
 *
 * @module
 */

import { nearestWord, type Option, UsageError } from "../runtime/arguments.ts";
import type { ServerAddress } from "./connect.ts";
import { CLIENT_OPTIONS } from "./option_table.ts";
import { unquote } from "./quoting.ts";
import { parseUri } from "./uri.ts";

/** What replies are printed as. */
export type OutputFormat = "raw" | "standard" | "csv" | "json" | "quoted-json";

/** What the program does instead of running a command; the first that is given counts. */
export const TOOL_NAMES = [
  "latency",
  "latency-history",
  "latency-dist",
  "replica",
  "rdb",
  "functions-rdb",
  "pipe",
  "bigkeys",
  "memkeys",
  "hotkeys",
  "stat",
  "scan",
  "lru-test",
  "intrinsic-latency",
] as const;

/** Options that can't be given together, and what is said of it. */
const EXCLUSIVE_OPTIONS: readonly (readonly [readonly string[], string])[] = [
  [["c", "socket"], "Options -c and -s are mutually exclusive."],
  [["2", "3"], "Options -2 and -3 are mutually exclusive."],
  [["rdb", "functions-rdb"], "Option --functions-rdb and --rdb are mutually exclusive."],
  [["x", "X"], "Options -x and -X are mutually exclusive."],
];

/** Options of redis-cli that aren't there, and what is said of it. */
const REFUSED_OPTIONS: ReadonlyMap<string, string> = new Map([
  ["cluster", "--cluster isn't there: miniredis has no cluster mode"],
  ["ldb", "--ldb isn't there: scripts can't be debugged"],
  ["ldb-sync-mode", "--ldb-sync-mode isn't there: scripts can't be debugged"],
]);

/** The name of a tool, which is that of its option. */
export type ToolName = typeof TOOL_NAMES[number];

/** What the options say of TLS. */
export interface TlsSettings {
  /** The server's name, if it isn't the one that it is reached by. */
  readonly serverName: string | undefined;
  /** The file of the authorities to trust. */
  readonly authoritiesFile: string | undefined;
  /** A folder of such files. */
  readonly authoritiesFolder: string | undefined;
  /** Whether the server's certificate isn't checked. */
  readonly insecure: boolean;
  /** The file of our certificate. */
  readonly certificateFile: string | undefined;
  /** The file of its key. */
  readonly keyFile: string | undefined;
  /** Ciphers of TLS 1.2. */
  readonly ciphers: string | undefined;
  /** Cipher suites of TLS 1.3. */
  readonly cipherSuites: string | undefined;
}

/** What the user asked for. */
export interface ClientSettings {
  /** Where the server is. */
  readonly address: ServerAddress;
  /** The user, if it isn't the default one. */
  readonly username: string | undefined;
  /** The password. */
  readonly password: string | undefined;
  /** Whether the password is to be asked for. */
  readonly askPassword: boolean;
  /** Whether the password stood on the command line, where others can see it. */
  readonly warnAboutPassword: boolean;
  /** The database. */
  readonly database: number;
  /** The protocol to switch to, if it was asked for. */
  readonly resp: 2 | 3 | undefined;
  /** How replies are printed. */
  readonly format: OutputFormat;
  /** Between elements, in raw format. */
  readonly delimiter: string;
  /** Between replies, in raw format. */
  readonly replyDelimiter: string;
  /** Whether push messages are printed. */
  readonly showPushes: boolean;
  /** How often the command runs; -1 for no end. */
  readonly repeat: number;
  /** How long to wait between two of them. */
  readonly intervalSeconds: number;
  /** Whether a failed command ends the program with 1. */
  readonly failOnError: boolean;
  /** Whether the words of the command are quoted strings. */
  readonly quotedInput: boolean;
  /** Which argument comes from the standard input, if any: the last one, or each that is `tag`. */
  readonly inputArgument: "last" | { readonly tag: string } | undefined;
  /** TLS, if it was asked for. */
  readonly tls: TlsSettings | undefined;
  /** Whether redirections of a cluster are followed. */
  readonly followsRedirections: boolean;
  /** What to do instead of running a command. */
  readonly tool: ToolName | undefined;
  /** The value of the tool's option; empty if it has none. */
  readonly toolValue: string;
  /** The keys that tools look at, as a glob-style pattern. */
  readonly pattern: Uint8Array | undefined;
  /** How long `--pipe` waits for the last reply; 0 for ever. */
  readonly pipeTimeoutSeconds: number;
  /** How many elements of a key `--memkeys` looks at; 0: the server's default. */
  readonly memorySamples: number;
  /** Whether `--latency-dist` does without colours. */
  readonly monochrome: boolean;
  /** The file of a script to run, whose keys and arguments are the words. */
  readonly scriptFile: string | undefined;
  /** Instead of all this, print the help text or the version. */
  readonly answer: "help" | "version" | undefined;
  /** The command's words; none for a dialogue. */
  readonly words: readonly string[];
}

/** What holds where the command line says nothing else. */
export interface ClientDefaults {
  /** The password that the environment gives. */
  readonly password: string | undefined;
  /** Whether somebody reads what is printed, rather than a program. */
  readonly forPeople: boolean;
}

/**
 * Reads the command line.
 *
 * @param args The words behind the subcommand's name.
 * @param defaults What holds where these say nothing else.
 * @throws {UsageError} if an option is unknown, or its value is missing or makes no sense.
 */
export function parseClientOptions(
  args: readonly string[],
  defaults: ClientDefaults,
): ClientSettings {
  const { values, words } = readOptions(args);
  for (const [pair, message] of EXCLUSIVE_OPTIONS) {
    if (pair.every((name) => values.has(name))) throw new UsageError(message);
  }
  const askPassword = values.has("askpass");
  const tool = values.has("memkeys-samples")
    ? firstTool(new Set([...values.keys(), "memkeys"]))
    : firstTool(values);
  return {
    address: {
      hostname: values.get("host"),
      port: readPort(values),
      path: values.get("socket"),
    },
    username: values.get("user"),
    password: askPassword ? undefined : values.get("pass") ?? defaults.password,
    askPassword,
    warnAboutPassword: values.has("pass") && !values.has("no-auth-warning"),
    database: readNumber(values, "db", 0, /^-?\d+$/),
    resp: readProtocol(values),
    format: readFormat(values) ?? (defaults.forPeople ? "standard" : "raw"),
    delimiter: values.get("d") ?? "\n",
    replyDelimiter: values.get("D") ?? "\n",
    showPushes: readShowPushes(values.get("show-pushes")) ?? defaults.forPeople,
    // Any number below zero means no end.
    repeat: Math.max(-1, readNumber(values, "r", 1, /^-?\d+$/)),
    intervalSeconds: readNumber(values, "i", 0, /^(\d+\.?\d*|\.\d+)$/),
    failOnError: values.has("e"),
    quotedInput: values.has("quoted-input"),
    inputArgument: values.has("x")
      ? "last"
      : values.has("X")
      ? { tag: values.get("X")! }
      : undefined,
    tls: values.has("tls") ? readTls(values) : undefined,
    followsRedirections: values.has("c"),
    tool,
    toolValue: tool === undefined ? "" : values.get(tool) ?? "",
    pattern: readPattern(values),
    pipeTimeoutSeconds: readNumber(values, "pipe-timeout", 30, /^\d+$/),
    memorySamples: readNumber(values, "memkeys-samples", 0, /^\d+$/),
    monochrome: values.has("mono"),
    scriptFile: values.get("eval"),
    answer: values.has("help") ? "help" : values.has("version") ? "version" : undefined,
    words,
  };
}

function firstTool(given: { has(name: string): boolean }): ToolName | undefined {
  // History is a way to measure latency.
  if (given.has("latency-history")) return "latency-history";
  return TOOL_NAMES.find((name) => given.has(name));
}

function readFormat(values: ReadonlyMap<string, string>): OutputFormat | undefined {
  // The one that was given last counts.
  const formats = new Map<string, OutputFormat>([
    ["raw", "raw"],
    ["no-raw", "standard"],
    ["csv", "csv"],
    ["json", "json"],
    ["quoted-json", "quoted-json"],
  ]);
  const last = [...values.keys()].findLast((name) => formats.has(name));
  return last === undefined ? undefined : formats.get(last);
}

function readProtocol(values: ReadonlyMap<string, string>): 2 | 3 | undefined {
  if (values.has("2")) return 2;
  // JSON can tell more types apart.
  return values.has("3") || values.has("json") || values.has("quoted-json") ? 3 : undefined;
}

function readTls(values: ReadonlyMap<string, string>): TlsSettings {
  return {
    serverName: values.get("sni"),
    authoritiesFile: values.get("cacert"),
    authoritiesFolder: values.get("cacertdir"),
    insecure: values.has("insecure"),
    certificateFile: values.get("cert"),
    keyFile: values.get("key"),
    ciphers: values.get("tls-ciphers"),
    cipherSuites: values.get("tls-ciphersuites"),
  };
}

function readPattern(values: ReadonlyMap<string, string>): Uint8Array | undefined {
  const last = [...values.keys()].findLast((name) => /^(quoted-)?pattern$/.test(name));
  if (last === undefined) return undefined;
  const bytes = new TextEncoder().encode(values.get(last));
  if (last === "pattern") return bytes;
  const unquoted = unquote(bytes);
  if (unquoted === undefined) {
    throw new UsageError("Invalid quoted string specified for --quoted-pattern.");
  }
  return unquoted;
}

/** Splits the command line into options, by their full names, and the command. */
function readOptions(args: readonly string[]): { values: Map<string, string>; words: string[] } {
  const byName = new Map<string, Option>();
  for (const option of CLIENT_OPTIONS) {
    for (const name of [option.name, ...option.aliases ?? []]) byName.set(name, option);
  }
  const values = new Map<string, string>();
  // In the order in which they were given last.
  const set = (name: string, value: string) => {
    values.delete(name);
    values.set(name, value);
  };
  // A URI counts as the options for its parts; the last one that says something wins.
  const give = (name: string, value: string) => {
    if (name !== "uri") return set(name, value);
    const { tls, ...parts } = parseUri(value);
    for (const [part, text] of Object.entries(parts)) if (text !== undefined) set(part, text);
    if (tls) set("tls", "");
  };
  let index = 0;
  for (; index < args.length && args[index].startsWith("-"); index++) {
    const typed = args[index];
    const equals = typed.startsWith("-=") ? -1 : typed.indexOf("=");
    const name = typed.slice(0, equals < 0 ? undefined : equals).replace(/^--?/, "");
    const option = byName.get(name);
    // Many programs have -h for help; here it is so only where no hostname follows.
    const asksForHelp = name === "h" && index + 1 === args.length;
    if (asksForHelp) values.set("help", "");
    else if (option === undefined) throw badOption(typed, name, byName.keys());
    else if (REFUSED_OPTIONS.has(option.name)) {
      throw new UsageError(REFUSED_OPTIONS.get(option.name)!);
    } else if (option.placeholder === undefined) {
      if (equals >= 0) throw badOption(typed);
      set(option.name, "");
    } else if (equals >= 0) give(option.name, typed.slice(equals + 1));
    else if (index + 1 < args.length) give(option.name, args[++index]);
    else throw badOption(typed);
  }
  return { values, words: args.slice(index) };
}

function badOption(typed: string, name?: string, known?: Iterable<string>): UsageError {
  const message = `Unrecognized option or bad number of args for: '${typed}'`;
  const nearest = name !== undefined && known !== undefined && name.length > 1
    ? nearestWord(name, [...known].filter((candidate) => candidate.length > 1))
    : undefined;
  return new UsageError(
    nearest === undefined ? message : `${message}; did you mean '--${nearest}'?`,
  );
}

function readPort(values: ReadonlyMap<string, string>): number | undefined {
  if (!values.has("port")) return undefined;
  const port = readNumber(values, "port", 0, /^\d+$/);
  if (port > 65535) throw new UsageError("Invalid server port.");
  return port;
}

function readNumber(
  values: ReadonlyMap<string, string>,
  name: string,
  otherwise: number,
  pattern: RegExp,
): number {
  const text = values.get(name);
  if (text === undefined) return otherwise;
  if (!pattern.test(text)) {
    throw new UsageError(`'${text}' is no value for '${name.length === 1 ? "-" : "--"}${name}'`);
  }
  return Number(text);
}

function readShowPushes(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (/^y/i.test(text)) return true;
  if (/^n/i.test(text)) return false;
  throw new UsageError(`Unknown --show-pushes value '${text}' (valid: '[y]es', '[n]o')`);
}
