/**
 * Readers of the settings whose values have several words or a grammar of their own. Each gives the
 * spelling that CONFIG GET shows, or Redis' error text.
 *
 * @module
 */
import {
  EVENT_NEW,
  NOTIFY_FLAGS_ERROR,
  notifyFlagsText,
  parseNotifyFlags,
} from "../../keyspace/notifications.ts";
import { parseMemoryBytes } from "../../runtime/memory_size.ts";
import { readChoice, SettingsError } from "../../runtime/setting.ts";

/** `save`: pairs of seconds and changes; an empty word is no pair at all. */
export function readSave(words: readonly string[]): string {
  if (words.length === 0 || (words.length === 1 && words[0] === "")) return "";
  const numbers = words.map((word) => /^\+?[0-9]{1,15}$/.test(word) ? Number(word) : NaN);
  const isGood = numbers.length % 2 === 0 &&
    numbers.every((value, index) => value >= (index % 2 === 0 ? 1 : 0));
  if (!isGood) throw new SettingsError("Invalid save parameters");
  return numbers.join(" ");
}

/** The classes of clients whose output is limited, in Redis' order. */
const CLASSES: readonly string[] = ["normal", "slave", "pubsub"];

/** `client-output-buffer-limit`: changes the classes that are named, and keeps the others. */
export function readOutputLimits(words: readonly string[], current: string): string {
  if (words.length === 1 && words[0] === "") return current;
  if (words.length % 4 !== 0) {
    throw new SettingsError("Wrong number of arguments in buffer limit configuration.");
  }
  const limits = current.split(" ");
  for (let index = 0; index < words.length; index += 4) {
    const [name, hard, soft, seconds] = words.slice(index, index + 4);
    const lower = name.toLowerCase();
    const place = CLASSES.indexOf(lower === "replica" ? "slave" : lower);
    if (place < 0) {
      throw new SettingsError("Invalid client class specified in buffer limit configuration.");
    }
    const values = [parseMemoryBytes(hard), parseMemoryBytes(soft), readSeconds(seconds)];
    if (values.includes(undefined)) {
      throw new SettingsError(
        "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
      );
    }
    limits.splice(place * 4 + 1, 3, ...values.map(String));
  }
  return limits.join(" ");
}

function readSeconds(word: string): bigint | undefined {
  return /^\+?[0-9]{1,15}$/.test(word) ? BigInt(word.replace("+", "")) : undefined;
}

/** `oom-score-adj-values`: three numbers. */
export function readOomScores(words: readonly string[]): string {
  if (words.length !== 3) throw new SettingsError("wrong number of arguments");
  const values = words.map((word) => /^[+-]?[0-9]+$/.test(word) ? Number(word) : NaN);
  if (!values.every((value) => value >= -2000 && value <= 2000)) {
    throw new SettingsError(
      "Invalid oom-score-adj-values, elements must be between -2000 and 2000.",
    );
  }
  return values.join(" ");
}

/** `latency-tracking-info-percentiles`: numbers of 0 to 100. */
export function readPercentiles(words: readonly string[]): string {
  if (words.length === 1 && words[0] === "") return "";
  const name = "latency-tracking-info-percentiles";
  return words.map((word) => {
    const value = /^[+-]?inf(inity)?$/i.test(word) ? Infinity : /\s|^$/.test(word) ? NaN : +word;
    if (Number.isNaN(value)) throw new SettingsError(`Invalid ${name} parameters`);
    if (value < 0 || value > 100) {
      throw new SettingsError(`${name} parameters should sit between [0.0,100.0]`);
    }
    return (Object.is(value, -0) ? "-0.0" : value.toFixed(6)).replace(/\.?0+$/, "");
  }).join(" ");
}

/** What a shutdown by a signal may be told. */
export const SHUTDOWN_WORDS: readonly string[] = ["default", "save", "nosave", "now", "force"];

/** `shutdown-on-sigint` and `shutdown-on-sigterm`: words in Redis' order, each once. */
export function readShutdown(words: readonly string[]): string {
  if (words.length === 0) readChoice("", SHUTDOWN_WORDS);
  const chosen = new Set(words.map((word) => readChoice(word, SHUTDOWN_WORDS)));
  if (chosen.has("save") && chosen.has("nosave")) {
    throw new SettingsError("shutdown options SAVE and NOSAVE can't be used simultaneously");
  }
  const named = SHUTDOWN_WORDS.filter((word) => word !== "default" && chosen.has(word));
  return named.length === 0 ? "default" : named.join(" ");
}

/** `notify-keyspace-events`: letters of classes of events, in the order of Redis, none left out. */
export function readEvents([word]: readonly string[]): string {
  const flags = parseNotifyFlags(word);
  if (flags === undefined) throw new SettingsError(NOTIFY_FLAGS_ERROR);
  const shown = notifyFlagsText(flags);
  return (flags & EVENT_NEW) !== 0 && !shown.includes("n") ? `${shown}n` : shown;
}

/** What CONFIG GET shows of it: as in Redis, `n` isn't there beside `A`. */
export function showEvents(value: string): string {
  return notifyFlagsText(parseNotifyFlags(value) ?? 0);
}

/** `unixsocketperm`: permissions in octal digits. */
export function readPermissions([word]: readonly string[]): string {
  if (!/^[0-7]+$/.test(word)) {
    throw new SettingsError("argument couldn't be parsed as an octal number");
  }
  const value = parseInt(word, 8);
  if (value > 0o777) {
    throw new SettingsError("argument must be between 0 and 777 inclusive");
  }
  return value.toString(8);
}

/** `bind`: addresses; an empty word is no address at all. */
export function readAddresses(words: readonly string[]): string {
  if (words.length > 16) throw new SettingsError("Too many bind addresses specified.");
  return words.length === 1 && words[0] === "" ? "" : words.join(" ");
}

/** `replicaof`: a host and a port, or `no one`. */
export function readMaster(words: readonly string[]): string {
  if (words.length !== 2) throw new SettingsError("wrong number of arguments");
  const [host, port] = words;
  if (host.toLowerCase() === "no" && port.toLowerCase() === "one") return "";
  if (!/^[0-9]+$/.test(port) || Number(port) > 65535) {
    throw new SettingsError("Invalid master port");
  }
  return `${host} ${Number(port)}`;
}

/** The name of a file without a folder, of the setting `name`. */
export function checkFileName(
  name: string,
  what = "filename",
  mayBeEmpty = false,
): (value: string) => void {
  return (value) => {
    if (value === "" && !mayBeEmpty) throw new SettingsError(`${name} can't be empty`);
    if (/[/\\]/.test(value)) throw new SettingsError(`${name} can't be a path, just a ${what}`);
  };
}

/** `cluster-announce-hostname`. */
export function checkHostname(value: string): void {
  if (value.length >= 256) {
    throw new SettingsError("Hostnames must be less than 256 characters");
  }
  if (!/^[A-Za-z0-9.-]*$/.test(value)) {
    throw new SettingsError("Hostnames may only contain alphanumeric characters, hyphens or dots");
  }
}

/** Names in braces that `proc-title-template` may have. */
const TITLE_VARIABLES: ReadonlySet<string> = new Set(
  ["title", "listen-addr", "server-mode", "port", "tls-port", "unixsocket", "config-file"],
);

/** `proc-title-template`: text with variables in braces. */
export function checkTitleTemplate(value: string): void {
  const rest = value.replace(
    /\{([^{}]*)\}/g,
    (whole, name) => TITLE_VARIABLES.has(name) ? "" : whole,
  );
  if (value.trim() === "" || rest.includes("{")) {
    throw new SettingsError("template format is invalid or contains unknown variables");
  }
}
