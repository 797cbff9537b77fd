/**
 * From the command line, the config file and the state file to what a monitor does and what it remembers.
 *
 * With a config file everything stands in it, as redis-sentinel has it, and it is the state file, too. Without one the command line
 * names a group; what the monitor learns goes to a state file of the same form, which counts less than the command line.
 *
 * @module
 */
import { joinAddress } from "../../runtime/addresses.ts";
import {
  ConfigError,
  type ConfigLine,
  explain,
  optionLine,
  readConfigFile,
  readConfigText,
} from "../../runtime/config_lines.ts";
import { type Files, pathFrom, systemReason } from "../../runtime/files.ts";
import type { LogLevel } from "../../runtime/logging.ts";
import { SettingsError } from "../../runtime/setting.ts";
import type {
  Consistency,
  GroupOptions,
  LeaseMode,
  MonitorOptions,
  ReadFrom,
  RouterOptions,
  SavedGroup,
  SavedState,
} from "../options.ts";
import type { MonitorArguments } from "./command_line.ts";
import { isIpAddress, parseNodes, parseWeights } from "./readers.ts";
import { isForeign, judgeForeign } from "./redis_settings.ts";
import { type GroupDefaults, keyOfLine, SentinelConfig } from "./sentinel_lines.ts";
import {
  findFileSetting,
  findTypedSetting,
  SettingValues,
  USUAL_SENTINEL_PORT,
} from "./settings.ts";

/** What a monitor starts with. */
export interface LoadedMonitor {
  /** What it does. */
  readonly options: MonitorOptions;
  /** What it remembers; null where it starts for the first time. */
  readonly saved: SavedState | null;
  /** What was ignored or refused, and what is odd: a line each, for the terminal and the log. */
  readonly warnings: readonly string[];
}

const BAD_DIRECTIVE = "Bad directive or wrong number of arguments";
/** A master is missed for this long beyond `down-after-milliseconds` before another one takes writes. */
const FAILOVER_MS = 1000;
/** What is added to `down-after-milliseconds` where nobody says how long commands may wait. */
const SPARE_HOLD_MS = 5000;

/**
 * Reads everything.
 *
 * @throws {ConfigError} with Redis' text for the first thing that's wrong.
 */
export function loadMonitor(parsed: MonitorArguments, files: Files): LoadedMonitor {
  const values = new SettingValues();
  const warnings: string[] = [];
  const typed = parsed.directives.map(optionLine);
  if (parsed.file !== undefined) {
    const lines = readConfigFile(parsed.file, files);
    const sentinel = new SentinelConfig();
    loadSettings(lines, values, warnings);
    loadTyped(typed, values);
    sentinel.load(sentinelLines(lines, parsed.file));
    checkPlaces(values, [...lines, ...typed], files);
    warnings.push(...sentinel.warnings);
    return finish(withFile(values, sentinel, parsed.file, warnings), values, warnings);
  }
  loadTyped(typed, values);
  checkPlaces(values, typed, files);
  return finish(withNodes(values, files, warnings), values, warnings);
}

/** What a monitor does where nothing is said. */
export function defaultOptions(): MonitorOptions {
  const values = new SettingValues();
  return buildOptions(values, new SentinelConfig());
}

/** Takes the settings of a config file. */
function loadSettings(
  lines: readonly ConfigLine[],
  values: SettingValues,
  warnings: string[],
): void {
  const foreign: ConfigLine[] = [];
  for (const line of lines) {
    const [name, ...words] = line.words;
    if (name === "sentinel") continue;
    const setting = findFileSetting(name);
    try {
      if (setting !== undefined) values.set(setting, words);
      else if (isForeign(name) && words.length > 0) foreign.push(line);
      else throw new SettingsError(BAD_DIRECTIVE);
    } catch (error) {
      throw explained(line, error);
    }
  }
  for (const line of foreign) {
    const verdict = judgeForeign(line.words, values.text("sentinel-requirepass") !== "");
    if (verdict === undefined) continue;
    if ("refused" in verdict) throw new ConfigError(explain(line, verdict.refused));
    warnings.push(verdict.warning);
  }
}

/** Takes the settings of the command line. */
function loadTyped(lines: readonly ConfigLine[], values: SettingValues): void {
  for (const line of lines) {
    const [name, ...words] = line.words;
    try {
      values.set(findTypedSetting(name)!, words);
    } catch (error) {
      throw explained(line, error);
    }
  }
}

function explained(line: ConfigLine, error: unknown): unknown {
  return error instanceof SettingsError ? new ConfigError(explain(line, error.message)) : error;
}

/**
 * The `sentinel` lines. Those of the file itself are rewritten, and then stand beside what an included file has said of the same: that
 * counts only as long as the file itself doesn't say it.
 */
function sentinelLines(lines: readonly ConfigLine[], file: string): ConfigLine[] {
  // The word alone is what turns redis-server into a sentinel.
  const found = lines.filter(({ words }) => words[0] === "sentinel" && words.length > 1);
  const own = new Set(
    found.filter(({ source }) => source === file).map(({ words }) => keyOfLine(words)),
  );
  return found.filter(({ words, source }) => source === file || !own.has(keyOfLine(words)));
}

/** Tries the folder and the log file, so that it shows now when something is wrong with them. */
function checkPlaces(values: SettingValues, lines: readonly ConfigLine[], files: Files): void {
  const lineOf = (name: string) => lines.findLast(({ words }) => words[0] === name)!;
  if (values.has("dir")) {
    try {
      files.folder(values.text("dir"));
    } catch (error) {
      throw new ConfigError(explain(lineOf("dir"), systemReason(error)));
    }
  }
  const log = values.text("logfile");
  if (log === "") return;
  try {
    files.appendText(pathFrom(values.text("dir"), log), "");
  } catch (error) {
    const reason = `Can't open the log file: ${systemReason(error)}`;
    throw new ConfigError(explain(lineOf("logfile"), reason));
  }
}

/** A monitor that is told everything by a config file. */
function withFile(
  values: SettingValues,
  sentinel: SentinelConfig,
  file: string,
  warnings: string[],
): LoadedMonitor {
  const options = buildOptions(values, sentinel);
  options.groups = [...sentinel.groups.values()].map((group) => group.options);
  // In a sentinel.conf, port 0 is none.
  const port = values.has("sentinel-port") ? values.port("sentinel-port") : USUAL_SENTINEL_PORT;
  options.sentinelPort = port === 0 ? null : port;
  options.stateFile = file;
  options.stateFileIsConfig = true;
  options.router.port = values.has("port") ? values.number("port") : null;
  options.routedGroup = routedGroup(values, options, warnings);
  return { options, saved: savedState(sentinel), warnings };
}

/** Which group the router fronts. */
function routedGroup(values: SettingValues, options: MonitorOptions, warnings: string[]): string {
  const names = options.groups.map(({ name }) => name);
  if (options.router.port === null) return names.length === 1 ? names[0] : "";
  if (!values.has("name") && names.length > 1) {
    throw new ConfigError(
      `There are ${names.length} groups (${
        names.join(", ")
      }): 'router-group', or --name, has to say ` +
        "which one the router stands in front of",
    );
  }
  const name = values.has("name") || names.length === 0 ? values.text("name") : names[0];
  if (!names.includes(name)) {
    warnings.push(`There is no group '${name}' yet: the router has nowhere to send commands to`);
  }
  return name;
}

/** A monitor of the group that the command line names. */
function withNodes(values: SettingValues, files: Files, warnings: string[]): LoadedMonitor {
  const path = stateFile(values, files);
  const nodes = parseNodes(values.text("nodes"));
  const name = values.text("name");
  const defaults: GroupDefaults = {
    downAfterMs: values.number("down-after-milliseconds"),
    failoverTimeoutMs: values.number("failover-timeout"),
  };
  const sentinel = readState(path, defaults, files);
  const known = sentinel?.groups.get(name);
  const isOther = known !== undefined && values.has("nodes") && !hasOneOf(known, nodes);
  if (isOther || (sentinel !== null && sentinel.groups.size > 0 && known === undefined)) {
    warnings.push(
      `The state file '${path}' is of other nodes (${namesOf(sentinel!)}): it is put aside as ` +
        `'${path}.old', and nothing of it is used`,
    );
    files.rename(path, `${path}.old`);
    return withNodes(values, files, warnings);
  }
  const options = buildOptions(values, sentinel ?? new SentinelConfig(defaults));
  options.resolveHostnames ||= nodes.some(({ host }) => !isIpAddress(host));
  if (values.has("announce-ip")) options.announceIp = values.text("announce-ip");
  if (values.has("announce-port")) options.announcePort = values.number("announce-port");
  const others = [...sentinel?.groups.values() ?? []].filter((group) => group !== known);
  const own = groupOf(name, values, nodes, known);
  options.groups = [own, ...others.map((group) => group.options)];
  options.routedGroup = name;
  options.stateFile = path;
  options.sentinelPort = values.port("sentinel-port");
  if (sentinel === null) return { options, saved: null, warnings };
  const groups = known === undefined ? [] : [{ ...known, options: own }, ...others];
  return { options, saved: { ...savedState(sentinel), groups }, warnings };
}

/** The group of the command line, with what is known of it from before. */
function groupOf(
  name: string,
  values: SettingValues,
  nodes: GroupOptions["nodes"],
  known: SavedGroup | undefined,
): GroupOptions {
  const before = known?.options;
  const number = (setting: string, remembered: number | undefined) =>
    values.has(setting) ? values.number(setting) : remembered ?? values.number(setting);
  const text = (setting: string, remembered: string | undefined) =>
    values.has(setting) ? values.text(setting) : remembered ?? values.text(setting);
  // Where nobody says so, the nodes are those from before.
  const named = values.has("nodes") || before?.master == null ? nodes : [before.master];
  return {
    name,
    master: before?.master ?? null,
    nodes: named,
    quorum: number("quorum", before?.quorum),
    downAfterMs: number("down-after-milliseconds", before?.downAfterMs),
    failoverTimeoutMs: number("failover-timeout", before?.failoverTimeoutMs),
    parallelSyncs: number("parallel-syncs", before?.parallelSyncs),
    masterRebootDownAfterMs: before?.masterRebootDownAfterMs ?? 0,
    authUser: text("auth-user", before?.authUser),
    authPass: text("auth-pass", before?.authPass),
    renamedCommands: before?.renamedCommands ?? new Map(),
  };
}

/** The path of the state file, or nothing if there is to be none. */
function stateFile(values: SettingValues, files: Files): string {
  const name = values.has("state")
    ? values.text("state")
    : values.text("state").replace("<port>", values.text("port"));
  return name === "" ? "" : pathFrom(files.folder(values.text("dir")), name);
}

function readState(path: string, defaults: GroupDefaults, files: Files): SentinelConfig | null {
  if (path === "" || !files.exists(path)) return null;
  let text: string;
  try {
    text = files.readText(path);
  } catch (error) {
    throw new ConfigError(`Can't read the state file '${path}': ${systemReason(error)}`);
  }
  if (text.trim() === "") return null;
  const sentinel = new SentinelConfig(defaults);
  sentinel.load(sentinelLines(readConfigText(text, path, files), path));
  return sentinel;
}

function hasOneOf(group: SavedGroup, nodes: GroupOptions["nodes"]): boolean {
  const known = addressesOf(group);
  return nodes.some(({ host, port }) => known.includes(joinAddress(host, port)));
}

function namesOf(sentinel: SentinelConfig): string {
  return [...sentinel.groups.values()]
    .map((group) => `${group.options.name}: ${addressesOf(group).join(", ")}`).join("; ");
}

function addressesOf({ options, replicas }: SavedGroup): string[] {
  return [...options.master === null ? [] : [options.master], ...replicas]
    .map(({ host, port }) => joinAddress(host, port));
}

function savedState(sentinel: SentinelConfig): SavedState {
  const { myId, currentEpoch, groups } = sentinel;
  return { myId, currentEpoch, groups: [...groups.values()] };
}

/** All but what depends on whether there is a config file. */
function buildOptions(values: SettingValues, sentinel: SentinelConfig): MonitorOptions {
  const dir = values.text("dir");
  const place = (name: string) => name === "" ? "" : pathFrom(dir, name);
  return {
    router: routerOptions(values),
    routedGroup: "",
    groups: [],
    sentinelPort: null,
    sentinelBind: values.words("sentinel-bind"),
    sentinelProtectedMode: values.isOn("sentinel-protected-mode"),
    announceIp: sentinel.announceIp,
    announcePort: sentinel.announcePort,
    resolveHostnames: sentinel.resolveHostnames,
    announceHostnames: sentinel.announceHostnames,
    denyScriptsReconfig: sentinel.denyScriptsReconfig,
    sentinelRequirePass: values.text("sentinel-requirepass"),
    sentinelUser: sentinel.sentinelUser,
    sentinelPass: sentinel.sentinelPass,
    lease: values.text("lease") as LeaseMode,
    httpPort: values.port("http"),
    httpBind: values.text("http-bind"),
    httpToken: values.text("http-token"),
    stateFile: "",
    stateFileIsConfig: false,
    logFile: place(values.text("logfile")),
    logLevel: values.text("loglevel") as LogLevel,
    dir,
    pidFile: place(values.text("pidfile")),
  };
}

function routerOptions(values: SettingValues): RouterOptions {
  return {
    port: values.number("port"),
    bind: values.words("bind"),
    protectedMode: values.isOn("protected-mode"),
    requirePass: values.text("requirepass"),
    readFrom: values.text("read-from") as ReadFrom,
    consistency: values.text("consistency") as Consistency,
    maxLagSeconds: values.number("max-lag"),
    weights: parseWeights(values.text("weights")),
    minAcks: values.number("min-acks"),
    ackTimeoutMs: values.number("ack-timeout-ms"),
    holdMs: values.number("hold-ms"),
    holdBytes: values.number("hold-bytes"),
    maxClients: values.number("maxclients"),
    timeoutSeconds: values.number("timeout"),
    queryBufferLimit: values.number("client-query-buffer-limit"),
    outputBufferLimit: values.number("client-reply-limit"),
    nodeTimeoutMs: values.number("node-timeout-ms"),
    sharedConnections: values.number("node-connections"),
  };
}

/** What follows from the group that is routed. */
function finish(
  loaded: LoadedMonitor,
  values: SettingValues,
  warnings: string[],
): LoadedMonitor {
  const { options } = loaded;
  const group = options.groups.find(({ name }) => name === options.routedGroup);
  if (options.router.port === null || group === undefined) return loaded;
  if (!values.has("hold-ms")) {
    options.router.holdMs = Math.max(options.router.holdMs, group.downAfterMs + SPARE_HOLD_MS);
  } else if (options.router.holdMs <= group.downAfterMs + FAILOVER_MS) {
    warnings.push(
      `hold-ms is ${options.router.holdMs}, and down-after-milliseconds ${group.downAfterMs}: what is ` +
        "written while the master is down gets an error before there can be another one",
    );
  }
  return loaded;
}
