/**
 * The one table of settings: the command line, `--help`, CONFIG GET and CONFIG SET read from it.
 *
 * Names, defaults and error texts are those of Redis 7.0 (redis.conf and CONFIG SET).
 *
 * @module
 */
import { EVICTION_POLICIES } from "../keyspace/eviction.ts";
import { globMatch } from "../keyspace/glob.ts";
import { parseMemorySize } from "../runtime/memory_size.ts";

/** How a setting's text is read. */
export type SettingType = "integer" | "memory" | "yes-no" | "choice" | "text" | "secret";

/** One setting. */
export interface Setting {
  /** Name, as in redis.conf. */
  readonly name: string;
  /** How its text is read. */
  readonly type: SettingType;
  /** Its value when nobody sets it. */
  readonly default: string;
  /** What it is for, in a line. */
  readonly summary: string;
  /** Whether CONFIG SET refuses it. */
  readonly fixed?: boolean;
  /** Smallest number. */
  readonly minimum?: number;
  /** Largest number. */
  readonly maximum?: number;
  /** The words of a choice. */
  readonly choices?: readonly string[];
}

const INTEGER_LIMIT = 2147483647;

/** All settings. */
export const SETTINGS: readonly Setting[] = [
  {
    name: "port",
    type: "integer",
    default: "6379",
    minimum: 0,
    maximum: 65535,
    fixed: true,
    summary: "TCP port to listen on; 0 lets the system choose",
  },
  {
    name: "bind",
    type: "text",
    default: "* -::*",
    fixed: true,
    summary: "addresses to listen on; * is every address of this machine",
  },
  {
    name: "protected-mode",
    type: "yes-no",
    default: "yes",
    summary: "without a password, serve only clients of this machine",
  },
  {
    name: "databases",
    type: "integer",
    default: "16",
    minimum: 1,
    maximum: INTEGER_LIMIT,
    fixed: true,
    summary: "number of databases",
  },
  {
    name: "requirepass",
    type: "secret",
    default: "",
    summary: "password that clients have to give with AUTH",
  },
  {
    name: "maxclients",
    type: "integer",
    default: "10000",
    minimum: 1,
    maximum: 4294967295,
    summary: "how many clients may be connected at once",
  },
  {
    name: "timeout",
    type: "integer",
    default: "0",
    minimum: 0,
    maximum: INTEGER_LIMIT,
    summary: "seconds after which an idle client is closed; 0 never",
  },
  {
    name: "hz",
    type: "integer",
    default: "10",
    minimum: 0,
    maximum: INTEGER_LIMIT,
    summary: "how often a second background work is done",
  },
  {
    name: "proto-max-bulk-len",
    type: "memory",
    default: "536870912",
    minimum: 1024 * 1024,
    maximum: 1024 * 1024 * 1024,
    summary: "longest argument and longest string, in bytes",
  },
  {
    name: "client-query-buffer-limit",
    type: "memory",
    default: "1073741824",
    minimum: 1024 * 1024,
    maximum: INTEGER_LIMIT,
    summary: "most bytes of requests that a client may have waiting",
  },
  {
    name: "maxmemory",
    type: "memory",
    default: "0",
    maximum: 2 ** 64,
    summary: "bytes of memory at which keys are evicted or writes refused; 0 for no limit",
  },
  {
    name: "maxmemory-policy",
    type: "choice",
    default: "noeviction",
    choices: EVICTION_POLICIES,
    summary: "which keys go when maxmemory is reached",
  },
  {
    name: "maxmemory-samples",
    type: "integer",
    default: "5",
    minimum: 1,
    maximum: INTEGER_LIMIT,
    summary: "how many keys are looked at for each that is evicted",
  },
  {
    name: "maxmemory-eviction-tenacity",
    type: "integer",
    default: "10",
    minimum: 0,
    maximum: 100,
    summary: "how long commands wait for evictions: 0 hardly, 100 until there is room",
  },
  {
    name: "lfu-log-factor",
    type: "integer",
    default: "10",
    minimum: 0,
    maximum: INTEGER_LIMIT,
    summary: "how slowly the counters of LFU policies grow",
  },
  {
    name: "lfu-decay-time",
    type: "integer",
    default: "1",
    minimum: 0,
    maximum: INTEGER_LIMIT,
    summary: "minutes without use that take one off the counter of an LFU policy",
  },
  {
    name: "active-expire-effort",
    type: "integer",
    default: "1",
    minimum: 1,
    maximum: 10,
    summary: "how much time is spent on looking for expired keys",
  },
  {
    name: "loglevel",
    type: "choice",
    default: "notice",
    choices: ["debug", "verbose", "notice", "warning"],
    summary: "lines below this level are not logged",
  },
  {
    name: "dir",
    type: "text",
    default: ".",
    fixed: true,
    summary: "folder for the server's files",
  },
  {
    name: "dbfilename",
    type: "text",
    default: "dump.rdb",
    fixed: true,
    summary: "name of the snapshot file (snapshots are not written yet)",
  },
];

/** A value that a setting can't have, or a setting that doesn't exist. */
export class SettingsError extends Error {
  /** Makes an error with a text for the user. */
  constructor(message: string) {
    super(message);
    this.name = "SettingsError";
  }
}

const encoder = new TextEncoder();
const UNLIMITED = "argument must be a memory value";

/** The values of all settings of one server. */
export class Settings {
  private readonly values = new Map<string, string>();

  /**
   * Starts from the defaults and `options`.
   *
   * @throws {SettingsError} if an option isn't a setting or can't have its value.
   */
  constructor(options: Readonly<Record<string, string>>) {
    for (const setting of SETTINGS) this.values.set(setting.name, setting.default);
    for (const [name, value] of Object.entries(options)) {
      const setting = findSetting(name);
      if (setting === undefined) {
        throw new SettingsError(`Bad directive or wrong number of arguments: '${name}'`);
      }
      this.values.set(setting.name, normalize(setting, value));
    }
  }

  /** The value of a setting as text. */
  text(name: string): string {
    return this.values.get(name)!;
  }

  /** The value of a setting as a number. */
  number(name: string): number {
    return Number(this.values.get(name));
  }

  /** Whether a setting is `yes`. */
  isOn(name: string): boolean {
    return this.values.get(name) === "yes";
  }

  /**
   * Names and values of the settings whose name matches one of the glob patterns. One that is asked
   * for by its plain name is called as it was asked for, capitals included.
   */
  matching(patterns: readonly string[]): [name: string, value: string][] {
    const found = new Map<string, [name: string, value: string]>();
    for (const pattern of patterns) {
      const plain = !/[[*?]/.test(pattern);
      const glob = encoder.encode(pattern);
      for (const [name, value] of this.values) {
        const matches = plain
          ? name === pattern.toLowerCase()
          : globMatch(glob, encoder.encode(name), true);
        if (matches && !found.has(name)) found.set(name, [plain ? pattern : name, value]);
      }
    }
    return [...found.values()];
  }

  /**
   * Sets several settings, or none of them.
   *
   * @throws {SettingsError} with the text that CONFIG SET replies.
   */
  change(pairs: readonly (readonly [name: string, value: string])[]): void {
    const changed = new Map<string, string>();
    for (const [name, value] of pairs) {
      const setting = findSetting(name);
      if (setting === undefined) {
        throw new SettingsError(
          `Unknown option or number of arguments for CONFIG SET - '${name}'`,
        );
      }
      const failed = `CONFIG SET failed (possibly related to argument '${name}') - `;
      if (setting.fixed) throw new SettingsError(`${failed}can't set immutable config`);
      if (changed.has(setting.name)) throw new SettingsError(`${failed}duplicate parameter`);
      try {
        changed.set(setting.name, normalize(setting, value));
      } catch (error) {
        if (error instanceof SettingsError) throw new SettingsError(failed + error.message);
        throw error;
      }
    }
    for (const [name, value] of changed) this.values.set(name, value);
  }
}

function findSetting(name: string): Setting | undefined {
  const lower = name.toLowerCase();
  return SETTINGS.find((setting) => setting.name === lower);
}

/** The text under which a value is kept. */
function normalize(setting: Setting, value: string): string {
  switch (setting.type) {
    case "yes-no":
      if (/^(yes|no)$/i.test(value)) return value.toLowerCase();
      throw new SettingsError("argument must be 'yes' or 'no'");
    case "choice":
      if (setting.choices!.includes(value.toLowerCase())) return value.toLowerCase();
      throw new SettingsError(
        `argument(s) must be one of the following: ${setting.choices!.join(", ")}`,
      );
    case "integer":
      if (!/^-?[0-9]+$/.test(value)) {
        throw new SettingsError("argument couldn't be parsed into an integer");
      }
      return inRange(setting, Number(value));
    case "memory": {
      const bytes = parseMemorySize(value);
      if (bytes === undefined) throw new SettingsError(UNLIMITED);
      return inRange(setting, Number(bytes));
    }
    default:
      return value;
  }
}

function inRange(setting: Setting, value: number): string {
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = setting;
  if (value < minimum || value > maximum) {
    throw new SettingsError(
      `argument must be between ${minimum} and ${maximum} inclusive`,
    );
  }
  return String(value);
}
