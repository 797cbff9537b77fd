/**
 * Has a replica say at once how much it has.
 *
 * Replicas of Redis tell their master once a second which offset they have reached, or when the master asks (`REPLCONF GETACK *` in the stream). But
 * those words are part of the stream themselves, and aren't counted in the answer to them, so that a master that waits until a replica
 * has *everything* (FAILOVER) waits for the next second's report: 500 ms on average, in which nobody can write. A replica takes the
 * same words from any client, though: then its report counts all that it has. There is no reply to them, so they need a
 * connection of their own. (Nodes of miniredis do without, and take no notice.)
 *
 * @module
 */
import type { ControlContext } from "./context.ts";
import { closeLink } from "./connections.ts";
import { Link, type Node } from "./endpoint.ts";
import type { Failover } from "./group.ts";

/** How often the replica is asked. */
const NUDGE_MS = 4;

/** Opens the connection. */
export function beginNudging(context: ControlContext, failover: Failover, node: Node): void {
  const link = new Link(context.nextLinkId(), "nudge", node, context.now);
  failover.nudge = link;
  context.links.set(link.id, link);
  const host = node.ip ?? node.host;
  const timeoutMs = context.periods.pingPeriod;
  context.act({ type: "open", link: link.id, host, port: node.port, timeoutMs });
}

/** Asks, if it is time to. */
export function nudge(context: ControlContext, failover: Failover): void {
  const link = failover.nudge;
  if (link === null || !link.open) return;
  if (context.reached(failover.nudgedAt + NUDGE_MS)) {
    failover.nudgedAt = context.now;
    const command = context.renamed(link.owner.groupName, ["REPLCONF", "GETACK", "*"]);
    context.act({ type: "post", link: link.id, command });
  }
  context.reached(failover.nudgedAt + NUDGE_MS);
}

/** Closes the connection, if there is one. */
export function endNudging(context: ControlContext, failover: Failover): void {
  if (failover.nudge !== null) closeLink(context, failover.nudge);
  failover.nudge = null;
}
