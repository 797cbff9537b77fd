/**
 * Which data the group has, so that an acknowledged write outlives what happens to single nodes.
 *
 * With `--min-acks N` a write is acknowledged when N replicas have it. A replica's offset says how much it has, but only within one
 * *history*: the replication id that the master draws when it starts, and hands to its replicas. A promoted replica draws a new
 * one and names the former, and up to where it is the same; so a chain of histories is followed, and a replica that still has
 * a former one has nothing of what came after.
 *
 * **A master that restarts** comes back with a new id: as far as anybody can tell from offsets, it may have lost everything, and its replicas
 * are about to throw away what they have and copy it. Sentinel lets that happen. Where acknowledged writes count, such a master takes
 * no writes until the replicas were asked:
 * - As many replicas as must include one with each acknowledged write still have the old history: the master counts as down,
 *   and the best of them is promoted. If the master had lost nothing, that costs one failover; nothing is lost either way.
 * - All replicas have answered, and none has the old history any more: there is nothing left that could be saved, and the master goes on.
 * - All have answered, and too few have it (more nodes than the setting covers have failed): a master that came back empty, or that
 *   follows a node with another history now, gives way to the best of them; another goes on.
 * - Else replicas are missing that may know more: writes wait. An administrator who knows better says SENTINEL FAILOVER, or
 *   SENTINEL RESET, after which the master counts as it is.
 *
 * @module
 */
import type { ControlContext } from "./context.ts";
import type { Node } from "./endpoint.ts";
import type { Group } from "./group.ts";
import type { NodeInfo } from "./info.ts";
import { askReplicas } from "./connections.ts";
import { findNode, usableHost } from "./membership.ts";
import { clearTrouble, setTrouble } from "./trouble.ts";

const TROUBLE = "history";
const NO_HISTORY = /^0*$/;

/** How many replicas have to have a write before it is acknowledged in this group; 0 for none. */
export function minAcksOf(context: ControlContext, group: Group): number {
  return group.routed ? context.settings.router.minAcks : 0;
}

/** Sees which history the master has. */
export function noteHistory(
  context: ControlContext,
  group: Group,
  node: Node,
  info: NodeInfo,
): void {
  if (node !== group.currentMaster || info.role !== "master" || info.history === "") return;
  if (info.history === group.history) {
    group.historyRunId = info.runId;
    settle(group);
    return;
  }
  // A process draws another one for its first replica as well; one that was somebody's replica meanwhile names a former one.
  if (info.runId === group.historyRunId && NO_HISTORY.test(info.formerHistory)) {
    adopt(group, info.history, true);
    return;
  }
  // A server that has loaded an old snapshot names the history of that as the former one, too: only a process that had it goes on from it.
  const continues = info.formerHistory === group.history && info.runId === group.historyRunId;
  if (continues || group.adoptsHistory || group.history === "" || minAcksOf(context, group) === 0) {
    adopt(group, info.history, continues || group.adoptsHistory);
    group.historyRunId = info.runId;
    return;
  }
  loseHistory(context, group, "the master has restarted with a history of its own");
}

/** The master hasn't the group's history any more, for all that is known: whatever is done next, the replicas are asked before. */
export function loseHistory(context: ControlContext, group: Group, reason: string): void {
  if (group.historyLost) return;
  group.historyLost = true;
  group.lostAt = context.now;
  askReplicas(group);
  const text = `${reason}; it takes no writes until the replicas have said what they have`;
  setTrouble(context, group, TROUBLE, text);
}

/** Whether a master must have the group's history: it is known, and acknowledged writes count. */
export function historyCounts(context: ControlContext, group: Group): boolean {
  return minAcksOf(context, group) > 0 && group.history !== "" && !group.adoptsHistory;
}

/** How the replicas stand to the group's history. */
export interface Census {
  /** Those who have it, or one before it, the best first. */
  readonly holders: readonly Node[];
  /** How many have to be among them, for the best to have all that was acknowledged. */
  readonly needed: number;
  /** Whether all replicas have answered. */
  readonly complete: boolean;
}

/** Counts the replicas that were asked for INFO since `since`, and have answered. */
export function takeCensus(context: ControlContext, group: Group, since: number): Census {
  const replicas = [...group.replicas.values()];
  const answered = replicas.filter((node) => node.info !== null && node.infoAsOf >= since);
  const needed = Math.max(1, replicas.length - minAcksOf(context, group) + 1);
  if (group.adoptsHistory) hearOfMaster(context, group, answered);
  const holdersOf = () => answered.filter((node) => rankOf(group, node) > 0);
  let holders = holdersOf();
  if (holders.length === 0 && answered.length >= needed) {
    learnHistory(group, answered);
    holders = holdersOf();
  }
  holders.sort((one, other) =>
    rankOf(group, other) - rankOf(group, one) || heldBy(other) - heldBy(one)
  );
  return {
    holders,
    needed,
    complete: answered.length === replicas.length,
  };
}

/**
 * A new master that has died before it could say which history it has drawn: its replicas say so, whose history goes on from the one before. Who
 * only has that, and more of it (the old master, which is back, say), has less.
 */
function hearOfMaster(context: ControlContext, group: Group, answered: readonly Node[]): void {
  for (const { info } of answered) {
    if (info === null || info.role !== "slave" || info.loading) continue;
    if (group.history === "" || info.formerHistory !== group.history) continue;
    const host = usableHost(context, info.masterHost) ?? info.masterHost;
    if (findNode(group, host, info.masterPort) !== group.master) continue;
    return adopt(group, info.history, true);
  }
}

/**
 * A monitor that was started while the master was down hasn't heard which history the group has; nor has one of a history that the master
 * had for a moment only (it draws a new one for its first replica, too). So many replicas that one of them has each acknowledged write
 * know it, if all of them have the same, or the one that it goes on from: whoever had another one has left it for this.
 */
function learnHistory(group: Group, answered: readonly Node[]): void {
  const infos = answered.flatMap(({ info }) => info === null || info.loading ? [] : [info]);
  if (infos.length < answered.length) return;
  const replicas = infos.filter(({ role }) => role === "slave");
  const newest = replicas.find(({ history, formerHistory }) =>
    replicas.every((other) => other.history === history || other.history === formerHistory)
  );
  if (newest === undefined || newest.history === "") return;
  // One that was promoted, of which nobody has heard, goes on from it.
  const { history, formerHistory } = newest;
  const goesOn = (one: NodeInfo) => one.history === history || one.formerHistory === history;
  if (infos.some((one) => one.role !== "slave" && !goesOn(one))) return;
  adopt(group, history, false);
  if (formerHistory !== "") group.formerHistories.add(formerHistory);
}

/** How much of its history a node has. */
export function heldBy(node: Node): number {
  return node.info?.held ?? 0;
}

/** 2 for a node with the group's history, 1 with a former one, 0 with another. */
export function rankOf(group: Group, node: Node): number {
  const info = node.info;
  // Whoever loads what was copied has thrown away what was there before.
  if (info === null || info.loading) return 0;
  if (info.history === group.history) return 2;
  // Promoted by somebody, or following one that was: it has the old history up to there.
  if (info.formerHistory === group.history && info.formerHistory !== "") return 2;
  // A former master that nobody could tell so has gone on for itself: how much of what it has is the group's can't be known.
  return info.role === "slave" && group.formerHistories.has(info.history) ? 1 : 0;
}

/** Whether the master, which has lost its history, has to give way. Decides, too, that it may go on. */
export function mustGiveWay(context: ControlContext, group: Group): boolean {
  if (!group.historyLost || group.failover !== null) return group.historyLost;
  const verdict = judgeRestart(context, group);
  if (verdict === "wait") askReplicas(group);
  if (verdict === "goes on") {
    adopt(group, group.master.info?.history ?? "", false);
    group.historyRunId = group.master.info?.runId ?? "";
    context.log(
      "warning",
      `${group.name}: no replica has more than the restarted master: it goes on`,
    );
  }
  return verdict === "gives way";
}

/** What becomes of a master that has lost its history, by what the replicas say now; see the head of this file. */
export function judgeRestart(
  context: ControlContext,
  group: Group,
): "gives way" | "goes on" | "wait" {
  const census = takeCensus(context, group, group.lostAt);
  if (census.holders.length >= census.needed) return "gives way";
  if (!census.complete) return "wait";
  // Whoever follows a stranger has only what that has.
  if (group.master.roleReported === "slave") {
    return census.holders.length > 0 ? "gives way" : "goes on";
  }
  const isEmpty = group.master.info?.empty === true;
  return isEmpty && census.holders[0]?.info?.empty === false ? "gives way" : "goes on";
}

function adopt(group: Group, history: string, continues: boolean): void {
  if (continues && group.history !== "") group.formerHistories.add(group.history);
  else group.formerHistories.clear();
  group.history = history;
  group.adoptsHistory = false;
  settle(group);
}

function settle(group: Group): void {
  group.historyLost = false;
  clearTrouble(group, TROUBLE);
}
