/**
 * Which replica becomes the new master.
 *
 * **As Sentinel chooses**: of those that are reachable, that have answered lately and weren't cut off from the master for too long, and that may
 * be promoted at all (`replica-priority` isn't 0), the one with the lowest priority number, then the highest offset, then
 * the lowest run id.
 *
 * **Where acknowledged writes count** (`--min-acks N`): an acknowledged write is on at least N of the R known replicas, so that any R - N + 1 of
 * them include one that has it, and the one of these with the highest offset has all of them. So with that many fresh answers (of
 * nodes with the group's history, see history.ts) the one with the highest offset is chosen, and priority only decides between
 * equals. With fewer nothing is promoted: writes wait until a replica, or the old master, is back. Who has restarted has a history of his own; if
 * that is so with all of them, the old master goes on, unless it has come back empty.
 *
 * @module
 */
import { pingPeriodOf } from "./connections.ts";
import type { ControlContext } from "./context.ts";
import type { Node } from "./endpoint.ts";
import type { Group } from "./group.ts";
import { heldBy, judgeRestart, minAcksOf, rankOf, takeCensus } from "./history.ts";

const FRESH_PERIODS = 5;
const INFO_PERIODS = 3;
const LONGEST_CUT_OFF = 10;
/** With a short down-after that is too short for what else takes its time. */
const SHORTEST_CUT_OFF_MS = 10_000;

/** The replica to promote; or why one has to be waited for; or neither, if there is none. */
export type Selection =
  | { readonly node: Node }
  | { readonly wait: string }
  | undefined;

/** How one is chosen. */
export interface SelectionTerms {
  /** From when on answers to INFO count as fresh. */
  readonly since: number;
  /** Whether acknowledged writes count: they don't where an administrator has asked for a failover of a dead master. */
  readonly careful: boolean;
  /** Whether it must be a replica by its own word, as a master can hand over to nobody else. */
  readonly followersOnly: boolean;
}

/** Chooses. */
export function selectReplica(
  context: ControlContext,
  group: Group,
  { since, careful, followersOnly }: SelectionTerms,
): Selection {
  if (!careful || minAcksOf(context, group) === 0) {
    const able = suitable(context, group).filter((node) =>
      !followersOnly || node.roleReported === "slave"
    );
    const node = able.sort(byPriority)[0];
    return node === undefined ? undefined : { node };
  }
  const { holders, needed, complete } = takeCensus(context, group, since);
  if (holders.length < needed) {
    // All there are have answered, the old master too: nobody is left who could know more.
    if (complete && hasAnswered(group, since)) {
      const isBack = group.master.roleReported === "master";
      const givesWay = group.historyLost && judgeRestart(context, group) === "gives way";
      // A master that was restarted from its disk may have everything, and no replica is sure to.
      if (isBack && !givesWay) return { wait: "the old master has answered, and goes on" };
      return suggest(context, group, holders);
    }
    return {
      wait: `${holders.length} of ${group.replicas.size} replicas have said what they have, ` +
        `${needed} are needed so that no acknowledged write is lost`,
    };
  }
  const best = holders[0];
  const equals = holders.filter((node) =>
    heldBy(node) === heldBy(best) && rankOf(group, node) === rankOf(group, best)
  );
  const node = equals.filter((equal) => reachable(equal) && equal.priority > 0).sort(byPriority)[0];
  if (node !== undefined) return { node };
  const name = context.nameOf(best);
  return { wait: `${name} has the newest data and can't be promoted (down, or priority 0)` };
}

/** The best of those who have any of the group's history; if nobody has, there is nothing to lose any more. */
function suggest(
  context: ControlContext,
  group: Group,
  holders: readonly Node[],
): Selection {
  const able = (node: Node) => reachable(node) && node.priority > 0;
  const node = holders.find(able) ?? suitable(context, group).sort(byPriority)[0];
  return node === undefined ? undefined : { node };
}

/** Whether the old master has said since `since` what it is. */
function hasAnswered({ master }: Group, since: number): boolean {
  return master.connected && master.info !== null && master.infoAsOf >= since;
}

/** The replicas that Sentinel would promote. */
function suitable(context: ControlContext, group: Group): Node[] {
  const masterDown = group.master.downSince;
  const cutOff = Math.max(group.settings.downAfterMs * LONGEST_CUT_OFF, SHORTEST_CUT_OFF_MS) +
    (masterDown === null ? 0 : context.now - masterDown);
  const infoAge = masterDown === null
    ? context.periods.infoPeriod * INFO_PERIODS
    : context.periods.pingPeriod * FRESH_PERIODS;
  const answerAge = Math.max(pingPeriodOf(context, group), context.periods.pingPeriod) *
    FRESH_PERIODS;
  return [...group.replicas.values()].filter((node) =>
    reachable(node) && context.now - node.lastAvailable <= answerAge && node.priority !== 0 &&
    node.infoAt !== null && context.now - node.infoAt <= infoAge &&
    node.masterLinkDownMs <= cutOff
  );
}

function reachable(node: Node): boolean {
  return node.downSince === null && !node.disconnected;
}

function byPriority(one: Node, other: Node): number {
  if (one.priority !== other.priority) return one.priority - other.priority;
  if (one.offset !== other.offset) return other.offset - one.offset;
  if (one.runId === "" || other.runId === "") return one.runId === "" ? 1 : -1;
  return one.runId.toLowerCase() < other.runId.toLowerCase() ? -1 : 1;
}
