/**
 * What a monitor is told to do: the command line, the config file and the defaults as one record.
 *
 * Names of settings are Sentinel's where it has them (https://redis.io/docs/management/sentinel/), in camel case.
 *
 * @module
 */
import type { LogLevel } from "../runtime/logging.ts";
import type { NodeAddress } from "./routing.ts";

/** From whom reads are taken: only replicas, replicas if there are any, all alike, or the master. */
export type ReadFrom = "replicas" | "prefer-replicas" | "any" | "master";

/** What a client may count on when it reads. */
export type Consistency = "eventual" | "read-your-writes" | "strong";

/**
 * Whether writes need the word of a majority of monitors: as soon as all known ones understand it (`auto`), always (`yes`: with a stock
 * sentinel in the group nobody writes), or never.
 */
export type LeaseMode = "auto" | "yes" | "no";

/** How the router treats clients and nodes. */
export interface RouterOptions {
  /** TCP port for clients; 0 has the system choose, null for no router. */
  port: number | null;
  /** Addresses to listen on, `*` for all of IPv4; a dash in front: it may be missing. */
  bind: readonly string[];
  /** Whether clients of other machines are turned away while there is no password. */
  protectedMode: boolean;
  /** Password that clients have to give; empty for none. */
  requirePass: string;
  /** From whom reads are taken. */
  readFrom: ReadFrom;
  /** What a client may count on when it reads. */
  consistency: Consistency;
  /** How far a replica may be behind, in seconds, and still serve reads. */
  maxLagSeconds: number;
  /** Weights of replicas by `host:port`; 1 for those that aren't named. */
  weights: ReadonlyMap<string, number>;
  /** How many replicas have to have a write before it is answered; 0 for none. */
  minAcks: number;
  /** How long that may take; then the reply is an error. */
  ackTimeoutMs: number;
  /** How long a command waits for a node that takes it, in a failover say. */
  holdMs: number;
  /** How many bytes of commands may wait for that, of all clients together. */
  holdBytes: number;
  /** Most clients at once. */
  maxClients: number;
  /** After how many seconds an idle client's connection is closed; 0 for never. */
  timeoutSeconds: number;
  /** Longest command of a client, in bytes. */
  queryBufferLimit: number;
  /** Most bytes of replies that may wait for one client; then it is closed. */
  outputBufferLimit: number;
  /** How long a replica may be silent, in ms; then what was asked of it is asked elsewhere. 0 for any time. */
  nodeTimeoutMs: number;
  /** Connections to a node that clients share, for each database and protocol. */
  sharedConnections: number;
}

/** A group of a master and its replicas. */
export interface GroupOptions {
  /** Its name, by which clients and other sentinels know it. */
  name: string;
  /** Where the master is, as far as is known; null when `nodes` have to be asked. */
  master: NodeAddress | null;
  /** Nodes that were named, of which one may be the master. */
  nodes: readonly NodeAddress[];
  /** How many sentinels have to find the master down. */
  quorum: number;
  /** For how long a node has to be silent before it is taken for down. */
  downAfterMs: number;
  /** How long a failover may take; twice as long passes between two tries. */
  failoverTimeoutMs: number;
  /** How many replicas are re-pointed at once after a failover. */
  parallelSyncs: number;
  /** For how long a master that was started again may load its data; 0: it counts as down at once. */
  masterRebootDownAfterMs: number;
  /** User and */
  authUser: string;
  /** password for the nodes; empty for none. */
  authPass: string;
  /** Names that commands have on the nodes, by the usual name in lower case. */
  renamedCommands: ReadonlyMap<string, string>;
}

/** All of it. */
export interface MonitorOptions {
  /** How the router treats clients and nodes. */
  router: RouterOptions;
  /** Which of the groups the router fronts. */
  routedGroup: string;
  /** The groups that are watched. */
  groups: GroupOptions[];
  /** Port of the Sentinel API; 0 has the system choose, null for none. */
  sentinelPort: number | null;
  /** Addresses for it. */
  sentinelBind: readonly string[];
  /** Whether there, without a password, clients of other machines are turned away. */
  sentinelProtectedMode: boolean;
  /** Address and port that other sentinels are told; empty and 0 for what is seen. */
  announceIp: string;
  /** The port that other sentinels are told; 0 for the one that it listens on. */
  announcePort: number;
  /** Whether nodes may be given by names. */
  resolveHostnames: boolean;
  /** Whether they are told to others by these names. */
  announceHostnames: boolean;
  /** Whether SENTINEL SET may not name scripts (there are none here). */
  denyScriptsReconfig: boolean;
  /** Password of the Sentinel API, also used towards other sentinels unless `sentinelPass` is there; empty for none. */
  sentinelRequirePass: string;
  /** User and */
  sentinelUser: string;
  /** password towards other sentinels; empty for those of this one. */
  sentinelPass: string;
  /** Whether writes need the word of a majority of the monitors. */
  lease: LeaseMode;
  /** Port of the web page; null for none. */
  httpPort: number | null;
  /** The address that it listens on. */
  httpBind: string;
  /** What who starts a failover on the page has to know; empty: nobody can. */
  httpToken: string;
  /** The file that is rewritten with what must survive a restart, in the format of sentinel.conf; empty for none. */
  stateFile: string;
  /** Whether that is the config file that was given. */
  stateFileIsConfig: boolean;
  /** The file of the log; empty for the standard output. */
  logFile: string;
  /** The least important lines that are logged. */
  logLevel: LogLevel;
  /** The folder that other paths are seen from. */
  dir: string;
  /** The file that holds the process' id; empty for none. */
  pidFile: string;
}

/** A group as the state file remembers it. */
export interface SavedGroup {
  /** Its settings, with what SENTINEL SET has changed; `master` is who is the master now. */
  options: GroupOptions;
  /** The epoch of the failover that has made its master one. */
  configEpoch: number;
  /** The epoch of the last vote given in this group. */
  leaderEpoch: number;
  /** The replicas that are known. */
  replicas: NodeAddress[];
  /** The other sentinels that are known. */
  sentinels: { host: string; port: number; runId: string }[];
}

/** What SENTINEL CONFIG SET changes. */
export type ChangeableSettings = Pick<
  MonitorOptions,
  | "announceIp"
  | "announcePort"
  | "resolveHostnames"
  | "announceHostnames"
  | "sentinelUser"
  | "sentinelPass"
>;

/** What has to survive a restart of the monitor. */
export interface SavedState {
  /** 40 hexadecimal digits; empty for a monitor that starts for the first time. */
  myId: string;
  /** The newest epoch that it has heard of. */
  currentEpoch: number;
  /** The groups. */
  groups: SavedGroup[];
  /**
   * The settings that may have changed, as they are now.
   *
   * @default those of the options
   */
  settings?: ChangeableSettings;
}
