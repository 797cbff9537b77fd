/**
 * The `sentinel` lines of a config file: the groups that are watched, and what their sentinels have to remember.
 *
 * As in redis-sentinel their order doesn't matter: first those about the sentinel itself are read, then the groups, then what is said
 * about each. Numbers are read as there, too: what is none is 0. The lines that name scripts are refused by a warning, since this program
 * may not start others; they stay in the file.
 *
 * @module
 */
import { joinAddress } from "../../runtime/addresses.ts";
import { ConfigError, type ConfigLine, explain } from "../../runtime/config_lines.ts";
import { SettingsError } from "../../runtime/setting.ts";
import type { GroupOptions, SavedGroup } from "../options.ts";
import type { NodeAddress } from "../routing.ts";
import { isIpAddress } from "./readers.ts";

/** What a group has where nobody says otherwise. */
export type GroupDefaults = Pick<GroupOptions, "downAfterMs" | "failoverTimeoutMs">;

/** The defaults of redis-sentinel. */
export const SENTINEL_DEFAULTS: GroupDefaults = { downAfterMs: 30000, failoverTimeoutMs: 180000 };

/** The directives that begin with the name of a group. */
export const GROUP_DIRECTIVES: ReadonlySet<string> = new Set([
  "monitor",
  "down-after-milliseconds",
  "failover-timeout",
  "parallel-syncs",
  "notification-script",
  "client-reconfig-script",
  "auth-pass",
  "auth-user",
  "master-reboot-down-after-period",
  "config-epoch",
  "leader-epoch",
  "known-replica",
  "known-sentinel",
  "rename-command",
]);

/** Other spellings of directives. */
const OTHER_SPELLINGS: ReadonlyMap<string, string> = new Map([["known-slave", "known-replica"]]);

/** What has to be known before the first group is. */
const FIRST_DIRECTIVES: ReadonlySet<string> = new Set([
  "announce-ip",
  "announce-port",
  "deny-scripts-reconfig",
  "sentinel-user",
  "sentinel-pass",
  "current-epoch",
  "myid",
  "resolve-hostnames",
  "announce-hostnames",
]);

const ID_LENGTH = 40;
const UNRECOGNIZED = "Unrecognized sentinel configuration statement.";

/** What the `sentinel` lines say. */
export class SentinelConfig {
  /** The sentinel's own id; empty as long as it has none. */
  myId = "";
  /** The epoch that it has come to. */
  currentEpoch = 0;
  /** Address that others are told; empty for the one that is seen. */
  announceIp = "";
  /** Port that others are told; 0 for the one that it listens on. */
  announcePort = 0;
  /** Whether nodes may have names. */
  resolveHostnames = false;
  /** Whether they are shown by them. */
  announceHostnames = false;
  /** Whether SENTINEL SET refuses scripts. */
  denyScriptsReconfig = true;
  /** User on other sentinels. */
  sentinelUser = "";
  /** Password of other sentinels. */
  sentinelPass = "";
  /** The groups by name. */
  readonly groups: Map<string, SavedGroup> = new Map();
  /** What is ignored, a line each. */
  readonly warnings: string[] = [];

  /** Has nothing yet; groups get `defaults`. */
  constructor(private readonly defaults: GroupDefaults = SENTINEL_DEFAULTS) {}

  /**
   * Takes `sentinel` lines.
   *
   * @throws {ConfigError} with the first that can't be read, and Redis' reason.
   */
  load(lines: readonly ConfigLine[]): void {
    const ranked = lines.map((line) => ({ line, rank: rankOf(line) }));
    for (const rank of [0, 1, 2]) {
      for (const { line } of ranked.filter((entry) => entry.rank === rank)) this.loadLine(line);
    }
  }

  /** Takes one line. */
  private loadLine(line: ConfigLine): void {
    const [, directive = "", ...words] = line.words;
    const name = directiveOf(directive);
    try {
      if (GROUP_DIRECTIVES.has(name) && name !== "monitor") {
        this.loadOfGroup(name, words, line);
      } else if (name === "monitor" && words.length === 4) {
        this.addGroup(words[0], words[1], words[2], words[3]);
      } else if (words.length === 1) {
        this.loadOwn(name, words[0]);
      } else throw new SettingsError(UNRECOGNIZED);
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      throw new ConfigError(explain(line, error.message));
    }
  }

  /** A new group. */
  private addGroup(name: string, host: string, port: string, quorum: string): void {
    if (integerOf(quorum) <= 0) throw new SettingsError("Quorum must be 1 or greater.");
    const master = this.address(host, port);
    if (this.groups.has(name)) throw new SettingsError("Duplicate master name.");
    const options: GroupOptions = {
      name,
      master,
      nodes: [],
      quorum: integerOf(quorum),
      ...this.defaults,
      parallelSyncs: 1,
      masterRebootDownAfterMs: 0,
      authUser: "",
      authPass: "",
      renamedCommands: new Map(),
    };
    this.groups.set(name, {
      options,
      configEpoch: 0,
      leaderEpoch: 0,
      replicas: [],
      sentinels: [],
    });
  }

  /** The address of a node or of another sentinel. */
  private address(host: string, portText: string): NodeAddress {
    const port = integerOf(portText);
    if (port < 0 || port > 65535) throw new SettingsError("Invalid port number.");
    if (!this.resolveHostnames && !isIpAddress(host)) {
      throw new SettingsError("Can't resolve instance hostname.");
    }
    return { host, port };
  }

  /** A directive about the sentinel itself. */
  private loadOwn(name: string, value: string): void {
    if (name === "myid") {
      if (value.length !== ID_LENGTH) {
        throw new SettingsError("Malformed Sentinel id in myid option.");
      }
      this.myId = value;
    } else if (name === "current-epoch") {
      this.currentEpoch = Math.max(this.currentEpoch, integerOf(value));
    } else if (name === "announce-ip") this.announceIp = value;
    else if (name === "announce-port") this.announcePort = integerOf(value);
    else if (name === "sentinel-user") this.sentinelUser = value;
    else if (name === "sentinel-pass") this.sentinelPass = value;
    else if (name === "deny-scripts-reconfig") {
      this.denyScriptsReconfig = yesOrNo(name, "options", value);
    } else if (name === "resolve-hostnames") this.resolveHostnames = yesOrNo(name, "option", value);
    else if (name === "announce-hostnames") this.announceHostnames = yesOrNo(name, "option", value);
    else throw new SettingsError(UNRECOGNIZED);
  }

  /** A directive about a group. */
  private loadOfGroup(name: string, words: readonly string[], line: ConfigLine): void {
    const [least, most] = name === "known-sentinel"
      ? [3, 4]
      : ["known-replica", "rename-command"].includes(name)
      ? [3, 3]
      : [2, 2];
    if (words.length < least || words.length > most) throw new SettingsError(UNRECOGNIZED);
    const group = this.groups.get(words[0]);
    if (group === undefined) throw new SettingsError("No such master with specified name.");
    if (name.endsWith("-script")) {
      this.warnings.push(
        `'${line.text}' is refused: this program may not start others. Its place take the events on ` +
          "the Sentinel API's channels, and the router, whose clients need no script",
      );
    } else if (name === "known-replica") this.addReplica(group, words);
    else if (name === "known-sentinel") this.addSentinel(group, words);
    else if (name === "rename-command") rename(group, words);
    else if (name === "auth-pass") group.options.authPass = words[1];
    else if (name === "auth-user") group.options.authUser = words[1];
    else this.setNumber(group, name, integerOf(words[1]));
  }

  /** A number that is said about a group. */
  private setNumber(group: SavedGroup, name: string, value: number): void {
    const { options } = group;
    if (name === "down-after-milliseconds" || name === "failover-timeout") {
      if (value <= 0) throw new SettingsError("negative or zero time parameter.");
      options[name === "failover-timeout" ? "failoverTimeoutMs" : "downAfterMs"] = value;
    } else if (name === "master-reboot-down-after-period") {
      if (value < 0) throw new SettingsError("negative time parameter.");
      options.masterRebootDownAfterMs = value;
    } else if (name === "parallel-syncs") options.parallelSyncs = value;
    else if (name === "leader-epoch") group.leaderEpoch = value;
    else {
      group.configEpoch = value;
      this.currentEpoch = Math.max(this.currentEpoch, value);
    }
  }

  /** A replica that was known. */
  private addReplica(group: SavedGroup, [, host, port]: readonly string[]): void {
    const address = this.address(host, port);
    if (group.replicas.some((known) => isSame(known, address))) {
      throw new SettingsError("Duplicate hostname and port for replica.");
    }
    group.replicas.push(address);
  }

  /** Another sentinel that was known. */
  private addSentinel(group: SavedGroup, [, host, port, runId]: readonly string[]): void {
    // An older form had none; Redis passes over it, too.
    if (runId === undefined) return;
    const address = this.address(host, port);
    if (group.sentinels.some((known) => known.runId === runId)) {
      throw new SettingsError("Duplicate runid for sentinel.");
    }
    group.sentinels.push({ ...address, runId });
  }
}

function rename(group: SavedGroup, [, command, name]: readonly string[]): void {
  const own = command.toLowerCase();
  if (group.options.renamedCommands.has(own)) {
    throw new SettingsError("Same command renamed multiple times with rename-command.");
  }
  group.options.renamedCommands = new Map(group.options.renamedCommands).set(own, name);
}

/** What lines that stand for the same have in common: their directive, and the group that they are about. */
export function keyOfLine(words: readonly string[]): string {
  const name = directiveOf(words[1] ?? "");
  return GROUP_DIRECTIVES.has(name) ? `${name} ${words[2] ?? ""}` : name;
}

function directiveOf(word: string): string {
  const name = word.toLowerCase();
  return OTHER_SPELLINGS.get(name) ?? name;
}

function rankOf({ words }: ConfigLine): number {
  const name = directiveOf(words[1] ?? "");
  return FIRST_DIRECTIVES.has(name) ? 0 : name === "monitor" ? 1 : 2;
}

function yesOrNo(name: string, what: string, value: string): boolean {
  const lower = value.toLowerCase();
  if (lower === "yes" || lower === "no") return lower === "yes";
  throw new SettingsError(`Please specify yes or no for the ${name} ${what}.`);
}

/** The whole number that a text begins with, or 0. */
function integerOf(text: string): number {
  const number = Number(/^\s*[+-]?[0-9]+/.exec(text)?.[0] ?? 0);
  return Number.isSafeInteger(number) ? number : 0;
}

function isSame(one: NodeAddress, other: NodeAddress): boolean {
  return joinAddress(one.host, one.port) === joinAddress(other.host, other.port);
}
