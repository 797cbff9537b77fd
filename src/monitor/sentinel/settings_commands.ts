/**
 * SENTINEL SET, CONFIG and DEBUG: settings that change while the monitor runs.
 *
 * @module
 */
import { dropConnections } from "../control/connections.ts";
import type { ControlContext, Periods } from "../control/context.ts";
import type { Group } from "../control/group.ts";
import type { MonitorOptions } from "../options.ts";
import { parseInteger, type SentinelCall } from "./call.ts";
import { globMatcher } from "./glob.ts";
import { saved } from "./sentinel_command.ts";

const SCRIPTS_DENIED =
  "Reconfiguration of scripts path is denied for security reasons. Check the deny-scripts-reconfig configuration " +
  "directive in your Sentinel configuration";

/** Sets one option of a group; false if the value is bad, a text for an error of its own. */
type Setter = (
  group: Group,
  values: readonly string[],
  context: ControlContext,
) => boolean | string;

/** The options of SENTINEL SET: how many values each has, and what it does. */
const GROUP_OPTIONS: Readonly<Record<string, { readonly values: number; readonly set: Setter }>> = {
  "down-after-milliseconds": positive((group, value) => group.settings.downAfterMs = value),
  "failover-timeout": positive((group, value) => group.settings.failoverTimeoutMs = value),
  "parallel-syncs": positive((group, value) => group.settings.parallelSyncs = value),
  "quorum": positive((group, value) => group.settings.quorum = value),
  "master-reboot-down-after-period": atLeast(
    0,
    (group, value) => group.settings.masterRebootDownAfterMs = value,
  ),
  "auth-pass": credential("authPass"),
  "auth-user": credential("authUser"),
  "notification-script": script("Notification script seems non existing or non executable"),
  "client-reconfig-script": script(
    "Client reconfiguration script seems non existing or non executable",
  ),
  "rename-command": { values: 2, set: rename },
};

/** Options whose values are nobody else's business. */
const SECRET_OPTIONS: ReadonlySet<string> = new Set(["auth-pass"]);

/** SENTINEL SET master-name option value [option value ...]. */
export function set(call: SentinelCall, context: ControlContext): void {
  const { words } = call;
  const group = call.group(context, words[2]);
  if (group === undefined) return;
  let changes = 0;
  for (let at = 3; at < words.length;) {
    const name = words[at].toLowerCase();
    const option = Object.hasOwn(GROUP_OPTIONS, name) ? GROUP_OPTIONS[name] : undefined;
    const values = words.slice(at + 1, at + 1 + (option?.values ?? 0));
    if (option === undefined || values.length < option.values) {
      if (changes > 0) context.save();
      return call.error(`Unknown option or number of arguments for SENTINEL SET '${words[at]}'`);
    }
    const outcome = option.set(group, values, context);
    if (outcome !== true) {
      if (changes > 0) context.save();
      const bad = `Invalid argument '${values[0]}' for SENTINEL SET '${words[at]}'`;
      return call.error(outcome === false ? bad : outcome);
    }
    changes++;
    const shown = SECRET_OPTIONS.has(name) ? ["(redacted)"] : values;
    context.event("warning", "+set", group.master, [words[at], ...shown].join(" "));
    at += 1 + option.values;
  }
  saved(call, context);
}

function positive(assign: (group: Group, value: number) => void) {
  return atLeast(1, assign);
}

function atLeast(least: number, assign: (group: Group, value: number) => void) {
  const set: Setter = (group, [text]) => {
    const value = parseInteger(text);
    if (value === undefined || value < least) return false;
    assign(group, value);
    return true;
  };
  return { values: 1, set };
}

/** With other credentials all nodes are connected to anew. */
function credential(name: "authPass" | "authUser") {
  const set: Setter = (group, [text], context) => {
    group.settings[name] = text;
    for (const node of group.nodes()) dropConnections(context, node);
    return true;
  };
  return { values: 1, set };
}

/** No scripts are run here, whatever they are: only that there is none can be set. */
function script(missing: string) {
  const set: Setter = (_group, [path], context) => {
    if (context.settings.denyScriptsReconfig) return SCRIPTS_DENIED;
    return path === "" ? true : missing;
  };
  return { values: 1, set };
}

function rename(group: Group, [usual, renamed]: readonly string[]): boolean {
  if (usual === "" || renamed === "") return false;
  const commands = new Map(group.settings.renamedCommands);
  commands.delete(usual.toLowerCase());
  if (usual.toLowerCase() !== renamed.toLowerCase()) commands.set(usual.toLowerCase(), renamed);
  group.settings.renamedCommands = commands;
  return true;
}

/** A setting of the whole monitor: its text, and how a text is taken; false if that is bad. */
interface GlobalSetting {
  get(settings: MonitorOptions): string;
  set(settings: MonitorOptions, text: string): boolean;
  /** Whether peers are connected to anew. */
  readonly reconnects?: boolean;
}

const GLOBAL_SETTINGS: Readonly<Record<string, GlobalSetting>> = {
  "resolve-hostnames": flag("resolveHostnames"),
  "announce-hostnames": flag("announceHostnames"),
  "announce-ip": text("announceIp", false),
  "announce-port": {
    get: (settings) => String(settings.announcePort),
    set: (settings, value) => {
      const port = parseInteger(value);
      if (port === undefined || port < 0 || port > 65535) return false;
      settings.announcePort = port;
      return true;
    },
  },
  "sentinel-user": text("sentinelUser", true),
  "sentinel-pass": text("sentinelPass", true),
};

/** SENTINEL CONFIG GET pattern, and SET name value. */
export function config(call: SentinelCall, context: ControlContext): void {
  const { words } = call;
  const verb = words[2].toLowerCase();
  if (verb === "get" && words.length === 4) return getConfig(call, context);
  if (verb === "set" && words.length === 5) return setConfig(call, context);
  call.error("Only SENTINEL CONFIG GET <option> / SET <option> <value> are supported.");
}

function getConfig(call: SentinelCall, context: ControlContext): void {
  const matches = globMatcher(call.words[3], true);
  const found = Object.entries(GLOBAL_SETTINGS).filter(([name]) => matches(name));
  call.table(found.map(([name, { get }]) => [name, get(context.settings)]));
}

function setConfig(call: SentinelCall, context: ControlContext): void {
  const [, , , name, value] = call.words;
  const key = name.toLowerCase();
  const setting = Object.hasOwn(GLOBAL_SETTINGS, key) ? GLOBAL_SETTINGS[key] : undefined;
  if (setting === undefined) return call.error(`Invalid argument '${name}' to SENTINEL CONFIG SET`);
  if (!setting.set(context.settings, value)) {
    return call.error(`Invalid value '${value}' to SENTINEL CONFIG SET '${name}'`);
  }
  if (setting.reconnects === true) {
    for (const group of context.groups.values()) {
      for (const peer of group.peers.values()) dropConnections(context, peer);
    }
  }
  saved(call, context);
}

function flag(name: "resolveHostnames" | "announceHostnames"): GlobalSetting {
  return {
    get: (settings) => settings[name] ? "yes" : "no",
    set: (settings, value) => {
      const word = value.toLowerCase();
      if (word !== "yes" && word !== "no") return false;
      settings[name] = word === "yes";
      return true;
    },
  };
}

function text(
  name: "announceIp" | "sentinelUser" | "sentinelPass",
  reconnects: boolean,
): GlobalSetting {
  return {
    reconnects,
    get: (settings) => settings[name],
    set: (settings, value) => {
      settings[name] = value;
      return true;
    },
  };
}

const PERIODS: Readonly<Record<string, keyof Periods>> = {
  "info-period": "infoPeriod",
  "ping-period": "pingPeriod",
  "ask-period": "askPeriod",
  "publish-period": "publishPeriod",
  "default-down-after": "defaultDownAfter",
  "default-failover-timeout": "defaultFailoverTimeout",
  "tilt-trigger": "tiltTrigger",
  "tilt-period": "tiltPeriod",
  "slave-reconf-timeout": "slaveReconfTimeout",
  "min-link-reconnect-period": "minLinkReconnectPeriod",
  "election-timeout": "electionTimeout",
  "script-max-runtime": "scriptMaxRuntime",
  "script-retry-delay": "scriptRetryDelay",
};

/** SENTINEL DEBUG [name ms ...]: shows the periods, or changes them. */
export function debug(call: SentinelCall, { periods }: ControlContext): void {
  const { words } = call;
  if (words.length === 2) {
    return call.table(
      Object.entries(PERIODS).map(([name, key]) => [name.toUpperCase(), String(periods[key])]),
    );
  }
  for (let at = 2; at < words.length; at += 2) {
    const name = words[at].toLowerCase();
    const key = Object.hasOwn(PERIODS, name) ? PERIODS[name] : undefined;
    if (key === undefined || at + 1 >= words.length) {
      return call.error(`Unknown option or number of arguments for SENTINEL DEBUG '${words[at]}'`);
    }
    const value = parseInteger(words[at + 1]);
    if (value === undefined || value <= 0) {
      return call.error(`Invalid argument '${words[at + 1]}' for SENTINEL DEBUG '${words[at]}'`);
    }
    periods[key] = value;
  }
  call.ok();
}
