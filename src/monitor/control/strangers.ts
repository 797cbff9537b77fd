/**
 * Nodes that were named, but that weren't seen in the group when its master was found. They are watched, and told nothing: one that
 * comes as a replica of the master joins; one that comes as a master of its own has data that isn't to be thrown away.
 *
 * @module
 */
import { joinAddress } from "../../runtime/addresses.ts";
import { tendEndpoint } from "./connections.ts";
import type { ControlContext } from "./context.ts";
import type { Node } from "./endpoint.ts";
import type { Group } from "./group.ts";
import { addReplica, findNode } from "./membership.ts";
import type { NodeInfo } from "./info.ts";
import { isMaster } from "./refresh.ts";
import { clearTrouble, setTrouble } from "./trouble.ts";

/** How long one that isn't there is no trouble. */
const PATIENCE_MS = 2000;

/** Looks at them. */
export function tendStrangers(context: ControlContext, group: Group): void {
  for (const [key, node] of group.strangers) {
    if (node.ip !== null && findNode(group, node.ip, node.port) !== undefined) {
      group.strangers.delete(key);
      clearTrouble(group, key);
      continue;
    }
    tendEndpoint(context, group, node);
    const name = joinAddress(node.host, node.port);
    if (node.refusal !== "") {
      setTrouble(context, group, key, `${name} refuses the monitor: ${node.refusal}`);
    } else if (!node.connected || node.info === null) {
      if (!context.reached(node.lastAvailable + PATIENCE_MS)) continue;
      setTrouble(context, group, key, `${name} can't be reached, and nobody knows it`);
    } else judge(context, group, node, node.info);
  }
}

/** A stranger has said what it is. */
function judge(context: ControlContext, group: Group, node: Node, info: NodeInfo): void {
  const name = joinAddress(node.host, node.port);
  if (info.role === "master") {
    setTrouble(context, group, node.key, `${name} is a master, too; it is left alone`);
  } else if (isMaster(context, group.currentMaster, info.masterHost, info.masterPort)) {
    clearTrouble(group, node.key);
    const joined = addReplica(context, group, { host: node.host, port: node.port });
    if (joined !== undefined) context.event("notice", "+slave", joined);
  } else {
    const whose = joinAddress(info.masterHost, info.masterPort);
    setTrouble(context, group, node.key, `${name} is a replica of ${whose}; it is left alone`);
  }
}
