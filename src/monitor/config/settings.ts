/**
 * The one table of a monitor's settings: the command line, config files and `--help` read from it.
 *
 * On the command line the names are a router's: `--port` is the port that clients connect to. In a config file they are Sentinel's, so
 * that a sentinel.conf means what it has always meant: there `port` is the Sentinel API's, and the router's is `router-port`.
 *
 * @module
 */
import {
  choice,
  INT_MAX,
  integer,
  manyWords,
  memory,
  oneWord,
  type Setting,
  SettingsError,
  text,
  yesNo,
} from "../../runtime/setting.ts";
import { OFF, portOrOff, readAddresses, readGroupName, readNodes, readWeights } from "./readers.ts";

/** A setting of a monitor. */
export interface MonitorSetting extends Setting {
  /** Its name in a config file; empty where it stands on the command line alone. */
  readonly fileName: string;
}

/** Port of the web page where only `--http` is said. */
export const USUAL_HTTP_PORT = "8080";
/** Port of the Sentinel API where a config file names none. */
export const USUAL_SENTINEL_PORT = 26379;

const MEBIBYTE = 1024 * 1024;
const COUNT = [0, INT_MAX] as const;
const POSITIVE = [1, INT_MAX] as const;
const PORT = [0, 65535] as const;

function named(setting: Setting, fileName: string = setting.name): MonitorSetting {
  return { ...setting, fileName };
}

function onlyTyped(setting: Setting): MonitorSetting {
  return { ...setting, fileName: "" };
}

const ROUTER_SETTINGS: readonly MonitorSetting[] = [
  named(integer("port", 6379, PORT, "TCP port for clients"), "router-port"),
  named(
    manyWords("bind", "* -::*", "address...", "addresses to listen on", readAddresses),
    "router-bind",
  ),
  named(
    yesNo("protected-mode", "yes", "without a password, serve only clients of this machine"),
    "router-protected-mode",
  ),
  named(text("requirepass", "", "password that clients have to give"), "router-requirepass"),
  named(
    choice(
      "read-from",
      "prefer-replicas",
      ["replicas", "prefer-replicas", "any", "master"],
      "who serves reads",
    ),
  ),
  named(
    choice(
      "consistency",
      "read-your-writes",
      ["eventual", "read-your-writes", "strong"],
      "what a client may count on when it reads",
    ),
  ),
  named(integer("max-lag", 10, POSITIVE, "seconds that a replica may be behind and serve reads")),
  named(
    manyWords(
      "weights",
      "",
      "host:port=n,...",
      "shares of the reads; 1, unless given",
      readWeights,
    ),
  ),
  named(integer("min-acks", 0, COUNT, "replicas that must have a write before it is answered")),
  named(integer("ack-timeout-ms", 1000, POSITIVE, "ms that they may take for it")),
  named(
    integer("hold-ms", 10000, COUNT, "ms that commands wait for a master, in a failover say"),
  ),
  named(memory("hold-bytes", 64 * MEBIBYTE, 0, "most bytes of commands that wait for it")),
  named(
    integer(
      "node-timeout-ms",
      0,
      COUNT,
      "ms after which a silent replica's reads go elsewhere; 0 never",
    ),
  ),
  named(integer("node-connections", 1, [1, 64], "connections to each node that clients share")),
  named(integer("maxclients", 10000, [1, 4294967295], "how many clients may be connected at once")),
  named(integer("timeout", 0, COUNT, "seconds after which an idle client is closed; 0 never")),
  named(
    memory("client-query-buffer-limit", 1024 * MEBIBYTE, MEBIBYTE, "longest command of a client"),
  ),
  named(
    memory(
      "client-reply-limit",
      256 * MEBIBYTE,
      MEBIBYTE,
      "most bytes that wait for a slow client",
    ),
  ),
];

const GROUP_SETTINGS: readonly MonitorSetting[] = [
  onlyTyped(
    manyWords(
      "nodes",
      "127.0.0.1:6380",
      "host:port,...",
      "a master and its replicas; one of them is enough to find the others",
      readNodes,
    ),
  ),
  named(oneWord("name", "mymaster", "text", "name of the group", readGroupName), "router-group"),
  onlyTyped(integer("quorum", 1, POSITIVE, "monitors that have to find a master down")),
  onlyTyped(
    integer("down-after-milliseconds", 5000, POSITIVE, "ms of silence after which a node is down"),
  ),
  onlyTyped(integer("failover-timeout", 10000, POSITIVE, "ms that a failover may take")),
  onlyTyped(integer("parallel-syncs", 1, COUNT, "replicas that are re-pointed at a time")),
  onlyTyped(text("auth-user", "", "user on the nodes")),
  onlyTyped(text("auth-pass", "", "password of the nodes")),
];

const SENTINEL_SETTINGS: readonly MonitorSetting[] = [
  named(portOrOff("sentinel-port", "TCP port of the Sentinel API"), "port"),
  named(
    manyWords("sentinel-bind", "* -::*", "address...", "addresses for it", readAddresses),
    "bind",
  ),
  named(
    yesNo("sentinel-protected-mode", "no", "without a password, only for this machine"),
    "protected-mode",
  ),
  named(text("sentinel-requirepass", "", "password of the Sentinel API"), "requirepass"),
  onlyTyped(text("announce-ip", "", "address that other monitors are told")),
  onlyTyped(integer("announce-port", 0, PORT, "port that other monitors are told")),
  named(
    choice(
      "lease",
      "auto",
      ["auto", "yes", "no"],
      "whether writes need the word of a majority of monitors; auto: if all know such leases. With " +
        "a stock sentinel in the group, 'yes' stops all writes, and 'auto' leaves Sentinel's guarantee: " +
        "for a moment two masters may take writes",
    ),
  ),
];

const WEB_SETTINGS: readonly MonitorSetting[] = [
  named(
    portOrOff("http", `port of the web page; ${USUAL_HTTP_PORT} where none is said`),
    "http-port",
  ),
  named(text("http-bind", "127.0.0.1", "address for it")),
  named(text("http-token", "", "what it takes to start a failover on the page; empty: nobody can")),
];

const PROCESS_SETTINGS: readonly MonitorSetting[] = [
  named(text("dir", ".", "folder that files are in")),
  onlyTyped(
    text("state", "miniredis-monitor-<port>.conf", "file for what survives a restart; '' for none"),
  ),
  named(text("logfile", "", "file for the log instead of the standard output")),
  named(
    choice(
      "loglevel",
      "notice",
      ["debug", "verbose", "notice", "warning"],
      "lines below this level are not logged",
    ),
  ),
  named(text("pidfile", "", "file for the number of the process")),
];

/** The settings by what they are about. */
export const SETTING_GROUPS: Readonly<Record<string, readonly MonitorSetting[]>> = {
  "The group, without a config file": GROUP_SETTINGS,
  "The router, which clients connect to": ROUTER_SETTINGS,
  "The Sentinel API": SENTINEL_SETTINGS,
  "The web page": WEB_SETTINGS,
  "Files and log": PROCESS_SETTINGS,
};

/** All settings. */
export const SETTINGS: readonly MonitorSetting[] = Object.values(SETTING_GROUPS).flat();

/** Those that only say what a config file would say in its `sentinel` lines. */
export const NOT_BESIDE_A_FILE: readonly string[] = [
  ...GROUP_SETTINGS.filter(({ fileName }) => fileName === ""),
  ...SENTINEL_SETTINGS.filter(({ fileName }) => fileName === ""),
].map(({ name }) => name).concat("state");

const BY_NAME: ReadonlyMap<string, MonitorSetting> = new Map(
  SETTINGS.map((setting) => [setting.name, setting]),
);
const BY_FILE_NAME: ReadonlyMap<string, MonitorSetting> = new Map(
  SETTINGS.filter(({ fileName }) => fileName !== "").map((setting) => [setting.fileName, setting]),
);

/** The setting of a name as it is typed on the command line. */
export function findTypedSetting(name: string): MonitorSetting | undefined {
  return BY_NAME.get(name);
}

/** The setting of a name as it stands in a config file. */
export function findFileSetting(name: string): MonitorSetting | undefined {
  return BY_FILE_NAME.get(name);
}

/** The values of all settings of one monitor, by the name on the command line. */
export class SettingValues {
  private readonly values = new Map<string, string>();

  /**
   * Sets one.
   *
   * @throws {SettingsError} with the reason that Redis would give.
   */
  set(setting: MonitorSetting, words: readonly string[]): void {
    if (!setting.manyWords && words.length !== 1) {
      throw new SettingsError("wrong number of arguments");
    }
    this.values.set(setting.name, setting.read(words, this.text(setting.name)));
  }

  /** Whether somebody has set it. */
  has(name: string): boolean {
    return this.values.has(name);
  }

  /** A value as text. */
  text(name: string): string {
    return this.values.get(name) ?? BY_NAME.get(name)!.default;
  }

  /** A value as a number. */
  number(name: string): number {
    return Number(this.text(name));
  }

  /** A value of yes or no. */
  isOn(name: string): boolean {
    return this.text(name) === "yes";
  }

  /** The words of a value that has several. */
  words(name: string): string[] {
    return this.text(name).split(" ").filter((word) => word !== "");
  }

  /** A port, or null for none. */
  port(name: string): number | null {
    const value = this.text(name);
    return value === OFF ? null : Number(value);
  }
}
