/**
 * What has to survive a restart of the monitor, made of what the machine knows.
 *
 * @module
 */
import type { ChangeableSettings, SavedGroup, SavedState } from "../options.ts";
import type { NodeAddress } from "../routing.ts";
import type { ControlContext } from "./context.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Group } from "./group.ts";

/** The state as it is now. */
export function savedState(context: ControlContext): SavedState {
  return {
    myId: context.myId,
    currentEpoch: context.currentEpoch,
    groups: [...context.groups.values()].map((group) => savedGroup(context, group)),
    settings: changeableSettings(context.settings),
  };
}

/** What SENTINEL CONFIG SET may have changed. */
function changeableSettings(settings: ChangeableSettings): ChangeableSettings {
  const { announceIp, announcePort, resolveHostnames, announceHostnames } = settings;
  const { sentinelUser, sentinelPass } = settings;
  return {
    announceIp,
    announcePort,
    resolveHostnames,
    announceHostnames,
    sentinelUser,
    sentinelPass,
  };
}

function savedGroup(context: ControlContext, group: Group): SavedGroup {
  const address = (endpoint: Endpoint): NodeAddress => ({
    host: context.announced(endpoint),
    port: endpoint.port,
  });
  const master = group.currentMaster;
  // While a failover runs whose new master is known, that one is saved, and the old one as its replica.
  const replicas = [...group.nodes()].filter((node) => node !== master);
  return {
    options: { ...group.settings, master: address(master) },
    configEpoch: group.configEpoch,
    leaderEpoch: group.leaderEpoch,
    replicas: replicas.map(address),
    sentinels: [...group.peers.values()].map((peer) => ({ ...address(peer), runId: peer.runId })),
  };
}
