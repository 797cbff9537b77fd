/**
 * The state of a monitor as text for a terminal: the same words as on the page, in columns.
 *
 * @module
 */

import type { GroupView, LatencyView, NodeView, PeerView, RouterView, StateView } from "../view.ts";
import { describeGroup, describeLag, isDown, toneOfEvent } from "./page/describe.js";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatLatency,
  formatTime,
} from "./page/format.js";

type Tone = "good" | "warn" | "bad" | "idle" | "strong";

/** A cell of a table: its text, and what colour it has. */
interface Cell {
  readonly text: string;
  readonly tone?: Tone;
  readonly alignsRight?: boolean;
}

/** How many of the newest events are shown. */
const EVENTS_SHOWN = 10;
const ESCAPE = "\x1b[";
const COLORS: Readonly<Record<Tone, string>> = {
  good: "32",
  warn: "33",
  bad: "31",
  idle: "2",
  strong: "1",
};

/**
 * A state as lines of text.
 *
 * @param state The state.
 * @param isColored Whether colours may be used.
 * @returns The text, with the end of its last line.
 */
export function formatStatus(state: StateView, isColored: boolean): string {
  const paint = (text: string, tone: Tone): string =>
    isColored ? `${ESCAPE}${COLORS[tone]}m${text}${ESCAPE}0m` : text;
  const parts = state.groups.map((group) => formatGroup(state, group, paint));
  if (state.groups.length === 0) parts.push(["No group is watched."]);
  if (state.router !== null) parts.push(formatRouter(state.router, paint));
  if (state.events.length > 0) parts.push(formatEvents(state, paint));
  parts.push([paint(
    `miniredis ${state.version}, up for ${formatDuration(state.uptimeMs)}, run id ${state.runId}`,
    "idle",
  )]);
  const text = parts.map((lines) => lines.map((line) => `${line.trimEnd()}\n`).join(""));
  // Not each terminal has the narrow space that the page groups digits with.
  return text.join("\n").replaceAll("\u202f", " ");
}

type Paint = (text: string, tone: Tone) => string;

function formatGroup(state: StateView, group: GroupView, paint: Paint): string[] {
  const { tone, title, text } = describeGroup(state, group);
  return [
    `${paint(group.name, "strong")}: ${paint(title, tone)}. ${text}`,
    `epoch ${group.configEpoch}, quorum ${group.quorum}, lease ${formatLease(group)}, ` +
    `failover ${group.failoverState}`,
    "",
    ...formatTable(
      ["NODE", "ROLE", "STATE", "OFFSET", "BEHIND", "READS", "CMD/S", "WAITING", "LAST PING"],
      group.nodes.map(nodeRow),
      paint,
    ),
    ...group.peers.length === 0 ? [] : [
      "",
      ...formatTable(["MONITOR", "STATE", "KIND", "LAST HELLO"], group.peers.map(peerRow), paint),
    ],
  ];
}

function formatLease({ lease }: GroupView): string {
  // JSON has no Infinity: without other monitors the lease holds for ever, and null is what came.
  const isBounded = lease.mode === "held" && Number.isFinite(lease.leftMs);
  return isBounded ? `held for ${formatDuration(lease.leftMs)} more` : lease.mode;
}

function nodeRow(node: NodeView): Cell[] {
  return [
    { text: node.address },
    { text: node.role, tone: node.role === "master" ? "strong" : undefined },
    stateCell(node),
    { text: node.offset === null ? "-" : formatCount(node.offset), alignsRight: true },
    { text: node.role === "replica" ? describeLag(node) : "-" },
    readsCell(node),
    { text: formatCount(node.commandsPerSecond), alignsRight: true },
    { text: formatCount(node.outstanding), alignsRight: true },
    agoCell(node.lastOkPingMs),
  ];
}

function stateCell(somebody: { readonly flags: readonly string[] }): Cell {
  if (isDown(somebody)) return { text: somebody.flags.join(","), tone: "bad" };
  if (somebody.flags.length > 0) return { text: somebody.flags.join(","), tone: "warn" };
  return { text: "up", tone: "good" };
}

function readsCell(node: NodeView): Cell {
  if (node.readable) return { text: node.weight === 1 ? "yes" : `weight ${node.weight}` };
  return { text: node.unreadableReason === "" ? "no" : `no: ${node.unreadableReason}` };
}

function peerRow(peer: PeerView): Cell[] {
  const kind = peer.knowsLease === null
    ? "not known yet"
    : peer.knowsLease
    ? "monitor"
    : "sentinel, no lease";
  return [{ text: peer.address }, stateCell(peer), { text: kind }, agoCell(peer.lastHelloMs)];
}

function agoCell(ms: number | null): Cell {
  return { text: ms === null ? "never" : `${formatDuration(ms)} ago`, alignsRight: true };
}

function formatRouter(router: RouterView, paint: Paint): string[] {
  const { totals } = router;
  const errors = Object.entries(totals.errors).map(([code, count]) => `${code} ${count}`);
  return [
    `${paint(`Router ${router.listens}`, "strong")}: ${formatCount(router.clients)} clients, ` +
    `${formatCount(router.heldClients)} held back; ${router.consistency}, reads from ` +
    `${router.readFrom}, min-acks ${router.minAcks}`,
    "",
    ...formatTable(["", "PER SECOND", "P50", "P99", "LONGEST", "SINCE THE START"], [
      loadRow("reads", router.readsPerSecond, router.readLatency, totals.reads),
      loadRow("writes", router.writesPerSecond, router.writeLatency, totals.writes),
    ], paint),
    "",
    `${formatBytes(totals.bytesIn)} in, ${formatBytes(totals.bytesOut)} out; ` +
    `${formatCount(totals.retriedReads)} reads sent again, ` +
    `${formatCount(totals.unknownOutcomes)} outcomes unknown; ` +
    `errors: ${errors.length === 0 ? "none" : errors.join(", ")}`,
  ];
}

function loadRow(
  name: string,
  rate: number,
  { p50, p99, max }: LatencyView,
  total: number,
): Cell[] {
  const numbers = [
    formatCount(rate),
    ...[p50, p99, max].map(formatLatency),
    formatCount(total),
  ];
  return [{ text: name }, ...numbers.map((text) => ({ text, alignsRight: true }))];
}

function formatEvents({ events }: StateView, paint: Paint): string[] {
  return [
    paint("Last events", "strong"),
    ...formatTable(
      [],
      events.slice(-EVENTS_SHOWN).map(({ timeMs, type, text }) => [
        { text: formatTime(timeMs), tone: "idle" },
        { text: type, tone: toneOfEvent(type) },
        { text },
      ]),
      paint,
    ),
  ];
}

/** Lines of cells in columns, two spaces apart. Escapes take no room, so they come last. */
function formatTable(heads: readonly string[], rows: readonly Cell[][], paint: Paint): string[] {
  const count = Math.max(heads.length, ...rows.map((row) => row.length));
  const widths = Array.from(
    { length: count },
    (_, column) =>
      Math.max(
        heads[column]?.length ?? 0,
        ...rows.map((row) => row[column]?.text.length ?? 0),
      ),
  );
  const pad = ({ text, alignsRight }: Cell, column: number): string =>
    alignsRight ? text.padStart(widths[column]) : text.padEnd(widths[column]);
  const first = rows[0] ?? [];
  const head = heads.map((text, column) =>
    pad({ text, alignsRight: first[column]?.alignsRight }, column)
  ).join("  ");
  return [
    ...heads.length === 0 ? [] : [paint(head.trimEnd(), "idle")],
    ...rows.map((row) =>
      row.map((cell, column) => {
        const text = pad(cell, column);
        return cell.tone === undefined ? text : paint(text, cell.tone);
      }).join("  ")
    ),
  ];
}
