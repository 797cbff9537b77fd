/**
 * What a client asks for with MIGRATE:
 *
 * ```text
 * MIGRATE host port key|"" database timeout [COPY] [REPLACE] [AUTH password | AUTH2 username password] [KEYS key ...]
 * ```
 *
 * @module
 */
import { type Context, SYNTAX_ERROR } from "../commands/context.ts";

const KEY = 3;
const DATABASE = 4;
const TIMEOUT = 5;
const FIRST_OPTION = 6;
/** How long one step may take if the client doesn't say. */
const USUAL_TIMEOUT_MS = 1000;
const KEY_AND_KEYS =
  "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string";

/** The options of a call, as places among its arguments. */
export interface MigrateOptions {
  /** Whether the keys stay here. */
  copy: boolean;
  /** Whether keys that are there already are replaced. */
  replace: boolean;
  /** Where the name of the user stands; 0 if it isn't given. */
  username: number;
  /** Where the password stands; 0 if it isn't given. */
  password: number;
  /** The first key; the others follow it. */
  firstKey: number;
  /** How many keys there are. */
  keyCount: number;
  /** The arguments that nobody else may see, as far as the options make sense. */
  readonly secrets: number[];
  /** The error that the call is answered with. */
  error: string | null;
}

/** What is asked for, once it is known to make sense. */
export interface MigrateRequest extends MigrateOptions {
  /** How long each step may take, in ms. */
  readonly timeoutMs: number;
  /** The database of the other server, as a number in decimal. */
  readonly database: string;
}

/** Reads the options of the call whose arguments are in `context`, which has at least the five that it needs. */
export function migrateOptions(context: Context): MigrateOptions {
  const options: MigrateOptions = {
    copy: false,
    replace: false,
    username: 0,
    password: 0,
    firstKey: KEY,
    keyCount: 1,
    secrets: [],
    error: null,
  };
  const last = context.argc - 1;
  for (let index = FIRST_OPTION; index <= last; index++) {
    if (context.isWord(index, "COPY")) options.copy = true;
    else if (context.isWord(index, "REPLACE")) options.replace = true;
    else if (context.isWord(index, "AUTH") && index + 1 <= last) {
      options.password = ++index;
      options.secrets.push(index);
    } else if (context.isWord(index, "AUTH2") && index + 2 <= last) {
      options.username = ++index;
      options.password = ++index;
      options.secrets.push(options.username, options.password);
    } else if (context.isWord(index, "KEYS")) {
      if (context.lengths[KEY] > 0) options.error = KEY_AND_KEYS;
      options.firstKey = index + 1;
      options.keyCount = last - index;
      return options;
    } else {
      options.error = SYNTAX_ERROR;
      return options;
    }
  }
  return options;
}

/** What the call whose arguments are in `context` asks for, or undefined after an error. */
export function parseMigrate(context: Context): MigrateRequest | undefined {
  const options = migrateOptions(context);
  if (options.error !== null) {
    context.reply.error(options.error);
    return undefined;
  }
  if (!context.integer(TIMEOUT)) return undefined;
  const timeoutMs = context.value > 0 ? context.value : USUAL_TIMEOUT_MS;
  if (!context.integer(DATABASE)) return undefined;
  return { ...options, timeoutMs, database: String(context.bigValue) };
}

/** The port in argument `index`: the number that it starts with, in 16 bits, as the C library reads it. */
export function portOf(context: Context, index: number): number {
  const digits = /^\s*([+-]?\d+)/.exec(context.quoted(index));
  return digits === null ? 0 : Number(BigInt.asUintN(16, BigInt(digits[1])));
}
