/**
 * The flags of nodes and peers in Sentinel's words, in its order.
 *
 * @module
 */
import { type Endpoint, Node, Peer } from "./endpoint.ts";
import type { Group } from "./group.ts";

/** All flags of somebody. */
export function flagsOf(group: Group, endpoint: Endpoint): string[] {
  const node = endpoint instanceof Node ? endpoint : null;
  const isMaster = node !== null && node === group.master;
  const { failover } = group;
  const flags: [string, boolean][] = [
    ["s_down", endpoint.downSince !== null],
    ["o_down", isMaster && group.objectivelyDownSince !== null],
    ["master", isMaster],
    ["slave", node !== null && !isMaster],
    ["sentinel", node === null],
    ["disconnected", endpoint.disconnected],
    ["master_down", endpoint instanceof Peer && endpoint.masterDown],
    ["failover_in_progress", isMaster && failover !== null],
    ["promoted", node?.promoted === true],
    ["reconf_sent", node?.reconfiguration === "sent"],
    ["reconf_inprog", node?.reconfiguration === "inprog"],
    ["reconf_done", node?.reconfiguration === "done"],
    ["force_failover", isMaster && failover?.forced === true],
    ["script_kill_sent", node?.scriptKillSent === true],
    ["master_reboot", node !== null && node.rebootedAt !== null],
  ];
  return flags.filter(([, set]) => set).map(([flag]) => flag);
}
