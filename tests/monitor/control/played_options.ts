/**
 * Options of a monitor for tests.
 *
 * @module
 */
import type { GroupOptions, MonitorOptions, RouterOptions } from "../../../src/monitor/options.ts";
import type { NodeAddress } from "../../../src/monitor/routing.ts";

/** What tests want to have otherwise. */
export interface OptionChanges {
  readonly router?: Partial<RouterOptions>;
  readonly group?: Partial<GroupOptions>;
  readonly monitor?: Partial<MonitorOptions>;
}

/** An address as text, `host:port`, taken apart. */
export function at(text: string): NodeAddress {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

/** Options with one routed group, `mymaster`, whose master is at `master`. */
export function playedOptions(
  master: NodeAddress | null,
  changes: OptionChanges = {},
): MonitorOptions {
  const router: RouterOptions = {
    port: 0,
    bind: ["127.0.0.1"],
    protectedMode: false,
    requirePass: "",
    readFrom: "replicas",
    consistency: "read-your-writes",
    maxLagSeconds: 10,
    weights: new Map(),
    minAcks: 0,
    ackTimeoutMs: 1000,
    holdMs: 10_000,
    holdBytes: 1 << 20,
    maxClients: 100,
    timeoutSeconds: 0,
    queryBufferLimit: 1 << 20,
    outputBufferLimit: 1 << 20,
    nodeTimeoutMs: 0,
    sharedConnections: 1,
    ...changes.router,
  };
  const group: GroupOptions = {
    name: "mymaster",
    master,
    nodes: [],
    quorum: 1,
    downAfterMs: 1000,
    failoverTimeoutMs: 10_000,
    parallelSyncs: 1,
    masterRebootDownAfterMs: 0,
    authUser: "",
    authPass: "",
    renamedCommands: new Map(),
    ...changes.group,
  };
  return {
    router,
    routedGroup: "mymaster",
    groups: [group],
    sentinelPort: 26379,
    sentinelBind: ["127.0.0.1"],
    sentinelProtectedMode: false,
    announceIp: "",
    announcePort: 0,
    resolveHostnames: false,
    announceHostnames: false,
    denyScriptsReconfig: true,
    sentinelRequirePass: "",
    sentinelUser: "",
    sentinelPass: "",
    lease: "auto",
    httpPort: null,
    httpBind: "127.0.0.1",
    httpToken: "",
    stateFile: "",
    stateFileIsConfig: false,
    logFile: "",
    logLevel: "notice",
    dir: ".",
    pidFile: "",
    ...changes.monitor,
  };
}
