/**
 * The one table of settings: the config file, the command line, `--help` and CONFIG read from it.
 *
 * Names, defaults and limits are those of Redis 7.0.
 *
 * @module
 */
import {
  CLUSTER_SETTINGS,
  ENCODING_SETTINGS,
  FILE_SETTINGS,
  HIDDEN_SETTINGS,
  MEMORY_SETTINGS,
  REPLICATION_SETTINGS,
} from "./data.ts";
import {
  NETWORK_SETTINGS,
  OBSERVATION_SETTINGS,
  PROCESS_SETTINGS,
  SECURITY_SETTINGS,
  TLS_SETTINGS,
} from "./general.ts";
import type { Setting } from "../../runtime/setting.ts";

/** The settings by what they are about. */
export const SETTING_GROUPS: Readonly<Record<string, readonly Setting[]>> = {
  "Network and clients": NETWORK_SETTINGS,
  "Access": SECURITY_SETTINGS,
  "Process and log": PROCESS_SETTINGS,
  "Memory": MEMORY_SETTINGS,
  "Observation and events": OBSERVATION_SETTINGS,
  "Small forms of values": ENCODING_SETTINGS,
  "Files": FILE_SETTINGS,
  "Replication": REPLICATION_SETTINGS,
  "Cluster": CLUSTER_SETTINGS,
  "TLS": TLS_SETTINGS,
};

/** All settings. */
export const SETTINGS: readonly Setting[] = [
  ...Object.values(SETTING_GROUPS).flat(),
  ...HIDDEN_SETTINGS,
];

const BY_NAME: ReadonlyMap<string, Setting> = new Map(
  SETTINGS.flatMap((setting) =>
    [setting.name, ...setting.aliases ?? []].map((name) => [name, setting] as const)
  ),
);

/** The setting of a name, an older name included, in either case. */
export function findSetting(name: string): Setting | undefined {
  return BY_NAME.get(name.toLowerCase());
}
