/**
 * The options of `miniredis client`: those of redis-cli, and longer names for them.
 *
 * Options end at the first word that is none: from there on it is the command, whose words may have
 * dashes.
 *
 * @module
 */

import { COMMON_OPTIONS, nearestWord, type Option, UsageError } from "../runtime/arguments.ts";
import type { ServerAddress } from "./connect.ts";

/** The options that there are. */
export const CLIENT_OPTIONS: readonly Option[] = [
  {
    name: "host",
    aliases: ["h", "hostname"],
    placeholder: "hostname",
    summary: "Server hostname (default: 127.0.0.1)",
  },
  { name: "port", aliases: ["p"], placeholder: "port", summary: "Server port (default: 6379)" },
  {
    name: "socket",
    aliases: ["s"],
    placeholder: "path",
    summary: "Server socket (overrides hostname and port)",
  },
  {
    name: "pass",
    aliases: ["a", "password"],
    placeholder: "password",
    summary: "Password; the environment variable REDISCLI_AUTH passes it more safely",
  },
  {
    name: "user",
    aliases: ["username"],
    placeholder: "username",
    summary: "User that the password is for",
  },
  { name: "askpass", summary: "Ask for the password instead" },
  {
    name: "uri",
    aliases: ["u"],
    placeholder: "uri",
    summary: "Server as redis://user:password@host:port/database",
  },
  { name: "db", aliases: ["n"], placeholder: "number", summary: "Database number" },
  { name: "2", summary: "Start in RESP2 protocol mode" },
  { name: "3", summary: "Start in RESP3 protocol mode" },
  { name: "r", placeholder: "count", summary: "Execute the command this many times; -1: for ever" },
  { name: "i", placeholder: "seconds", summary: "Wait this long between two of them" },
  { name: "x", summary: "Read the last argument from standard input" },
  { name: "X", placeholder: "tag", summary: "Read the argument that is this tag from there" },
  {
    name: "d",
    placeholder: "delimiter",
    summary: "Stands between elements in raw format (default: \\n)",
  },
  {
    name: "D",
    placeholder: "delimiter",
    summary: "Stands between replies in raw format (default: \\n)",
  },
  { name: "e", summary: "Exit with 1 if the command fails" },
  { name: "raw", summary: "Raw format (default if the output isn't a terminal)" },
  { name: "no-raw", summary: "Formatted output even if it isn't a terminal" },
  { name: "quoted-input", summary: "Read the command's words as quoted strings" },
  {
    name: "show-pushes",
    placeholder: "yes|no",
    summary: "Print push messages of RESP3 (default: yes on a terminal)",
  },
  { name: "no-auth-warning", summary: "Don't warn about a password on the command line" },
  ...COMMON_OPTIONS.map((option) => ({
    ...option,
    aliases: option.aliases?.filter((alias) => alias !== "h"),
  })),
];

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
  /** Raw or formatted replies; by the output if it wasn't said. */
  readonly format: "raw" | "standard" | undefined;
  /** Between elements, in raw format. */
  readonly delimiter: string;
  /** Between replies, in raw format. */
  readonly replyDelimiter: string;
  /** Whether push messages are printed; by the output if it wasn't said. */
  readonly showPushes: boolean | undefined;
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
  /** Instead of all this, print the help text or the version. */
  readonly answer: "help" | "version" | undefined;
  /** The command's words; none for a dialogue. */
  readonly words: readonly string[];
}

/**
 * Reads the command line.
 *
 * @param args The words behind the subcommand's name.
 * @param password The password that the environment gives.
 * @throws {UsageError} if an option is unknown, or its value is missing or makes no sense.
 */
export function parseClientOptions(
  args: readonly string[],
  password: string | undefined,
): ClientSettings {
  const { values, words } = readOptions(args);
  const uri = values.has("uri") ? parseUri(values.get("uri")!) : undefined;
  const askPassword = values.has("askpass");
  const typedPassword = askPassword ? undefined : values.get("pass") ?? uri?.password;
  if (values.has("x") && values.has("X")) {
    throw new UsageError("Options -x and -X are mutually exclusive.");
  }
  return {
    address: {
      hostname: uri?.hostname ?? values.get("host"),
      port: uri?.port ?? readPort(values),
      path: values.get("socket"),
    },
    username: values.get("user") ?? uri?.username,
    password: askPassword ? undefined : typedPassword ?? password,
    askPassword,
    warnAboutPassword: typedPassword !== undefined && !values.has("no-auth-warning"),
    database: uri?.database ?? readNumber(values, "db", 0, /^\d+$/),
    resp: values.has("3") ? 3 : values.has("2") ? 2 : undefined,
    format: values.has("no-raw") ? "standard" : values.has("raw") ? "raw" : undefined,
    delimiter: values.get("d") ?? "\n",
    replyDelimiter: values.get("D") ?? "\n",
    showPushes: readShowPushes(values.get("show-pushes")),
    repeat: readNumber(values, "r", 1, /^(-1|\d+)$/),
    intervalSeconds: readNumber(values, "i", 0, /^(\d+\.?\d*|\.\d+)$/),
    failOnError: values.has("e"),
    quotedInput: values.has("quoted-input"),
    inputArgument: values.has("x")
      ? "last"
      : values.has("X")
      ? { tag: values.get("X")! }
      : undefined,
    answer: values.has("help") ? "help" : values.has("version") ? "version" : undefined,
    words,
  };
}

/** Splits the command line into options, by their full names, and the command. */
function readOptions(args: readonly string[]): { values: Map<string, string>; words: string[] } {
  const byName = new Map<string, Option>();
  for (const option of CLIENT_OPTIONS) {
    for (const name of [option.name, ...option.aliases ?? []]) byName.set(name, option);
  }
  const values = new Map<string, string>();
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
    else if (option.placeholder === undefined) {
      if (equals >= 0) throw badOption(typed);
      values.set(option.name, "");
    } else if (equals >= 0) values.set(option.name, typed.slice(equals + 1));
    else if (index + 1 < args.length) values.set(option.name, args[++index]);
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

/** What a URI may say of a server. */
interface UriParts {
  hostname: string | undefined;
  port: number | undefined;
  username: string | undefined;
  password: string | undefined;
  database: number | undefined;
}

function parseUri(text: string): UriParts {
  if (!text.startsWith("redis://")) throw new UsageError("Invalid URI scheme");
  const uri = URL.parse(text);
  if (uri === null) throw new UsageError(`Invalid URI '${text}'`);
  const database = /^\/(\d+)$/.exec(uri.pathname)?.[1];
  return {
    hostname: uri.hostname.replace(/^\[(.*)\]$/, "$1") || undefined,
    port: uri.port === "" ? undefined : Number(uri.port),
    username: decodeURIComponent(uri.username) || undefined,
    password: decodeURIComponent(uri.password) || undefined,
    database: database === undefined ? undefined : Number(database),
  };
}
