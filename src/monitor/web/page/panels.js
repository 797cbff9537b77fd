/**
 * All of the page that is text: the banner, the tiles, the event log and the tables.
 *
 * @module
 */

import {
  describeGroup,
  describeLag,
  describeNode,
  isDown,
  lookOf,
  shortenRunIds,
  tilesOf,
  toneOfEvent,
} from "./describe.js";
import { byId, html, keepChildren, setAttributes, setText } from "./dom.js";
import { formatBytes, formatCount, formatDuration, formatTime } from "./format.js";

/** @typedef {import("../../view.ts").StateView} StateView */
/** @typedef {import("../../view.ts").GroupView} GroupView */

const NODE_COLUMNS = [
  "Node",
  "State",
  "Offset",
  "Behind",
  "Reads",
  "Commands/s",
  "Waiting",
  "Last PING",
];
const PEER_COLUMNS = ["Monitor", "State", "Kind", "Last hello"];

/**
 * Shows a state.
 *
 * @param {StateView} state
 * @param {GroupView | undefined} group
 */
export function showPanels(state, group) {
  const { tone, title, text } = describeGroup(state, group);
  showBanner(tone, title, text);
  showTiles(tilesOf(state, group));
  showLog(state.events);
  showTable(byId("nodes"), NODE_COLUMNS, (group?.nodes ?? []).map((node) => nodeRow(group, node)));
  byId("peers-card").hidden = (group?.peers.length ?? 0) === 0;
  showTable(byId("peers"), PEER_COLUMNS, (group?.peers ?? []).map(peerRow));
  byId("router-card").hidden = state.router === null;
  if (state.router !== null) showRouter(state.router);
  setText(
    byId("about"),
    `miniredis ${state.version}, up for ${formatDuration(state.uptimeMs)}, run id ` +
      state.runId.slice(0, 12),
  );
}

/**
 * Shows the line at the top.
 *
 * @param {"good" | "warn" | "bad" | "idle"} tone
 * @param {string} title
 * @param {string} text
 */
export function showBanner(tone, title, text) {
  byId("banner").dataset.tone = tone;
  setText(byId("banner-title"), title);
  setText(byId("banner-text"), text);
}

function showTiles(tiles) {
  keepChildren(
    byId("tiles"),
    tiles,
    ({ name }) => name,
    () => html("div", { class: "tile" }, html("h2"), html("p", { class: "value" }), html("p")),
    (tile, { name, value, note, tone }) => {
      const [title, number, remark] = tile.children;
      setAttributes(tile, { "data-tone": tone ?? null });
      setText(title, name);
      setText(number, typeof value === "number" ? formatCount(value) : value);
      setText(remark, note);
    },
  );
}

function showLog(events) {
  keepChildren(
    byId("log"),
    [...events].reverse(),
    ({ number, timeMs }) => `${number} ${timeMs}`,
    ({ timeMs, type, text }) =>
      html(
        "li",
        { "data-tone": toneOfEvent(type) },
        html("time", { datetime: new Date(timeMs).toISOString() }, formatTime(timeMs)),
        html("code", {}, type),
        html("span", { title: text }, shortenRunIds(text)),
      ),
    () => {},
  );
}

function nodeRow(group, node) {
  const { tone, text } = describeNode(group, node);
  const look = lookOf(node);
  return {
    key: node.address,
    cells: [
      { text: node.address, kind: "name" },
      { text: look === "down" ? `${node.role}, down` : node.role, kind: `role ${look}` },
      { text: node.offset === null ? "–" : formatCount(node.offset), kind: "number" },
      { text: node.role === "replica" ? describeLag(node) : "–" },
      { text: readsOf(node, text), tone: node.readable ? "good" : tone },
      { text: formatCount(node.commandsPerSecond), kind: "number" },
      { text: formatCount(node.outstanding), kind: "number" },
      { text: agoOf(node.lastOkPingMs), kind: "number" },
    ],
  };
}

function readsOf(node, status) {
  if (node.readable) return node.weight === 1 ? "yes" : `yes, weight ${node.weight}`;
  return isDown(node) ? status : node.unreadableReason === "" ? "no" : node.unreadableReason;
}

function peerRow(peer) {
  const kinds = new Map([[true, "monitor, knows leases"], [false, "sentinel, no lease"]]);
  return {
    key: peer.address,
    cells: [
      { text: peer.address, kind: "name" },
      { text: isDown(peer) ? "down" : "up", tone: isDown(peer) ? "bad" : "good" },
      { text: kinds.get(peer.knowsLease) ?? "not known yet" },
      { text: agoOf(peer.lastHelloMs), kind: "number" },
    ],
  };
}

function agoOf(ms) {
  return ms === null ? "never" : `${formatDuration(ms)} ago`;
}

function showTable(table, columns, rows) {
  if (table.tHead === null) {
    const heads = columns.map((column) => html("th", { scope: "col" }, column));
    table.append(html("thead", {}, html("tr", {}, ...heads)), html("tbody"));
  }
  keepChildren(
    table.tBodies[0],
    rows,
    ({ key }) => key,
    ({ cells }) => html("tr", {}, ...cells.map(() => html("td", {}, html("span")))),
    (row, { cells }) =>
      cells.forEach(({ text, kind, tone }, index) => {
        const cell = row.children[index];
        setAttributes(cell, { class: kind ?? null, "data-tone": tone ?? null });
        setText(cell.firstElementChild, text);
      }),
  );
}

function showRouter(router) {
  const { totals } = router;
  const errors = Object.entries(totals.errors)
    .map(([code, count]) => `${code} ${formatCount(count)}`);
  const facts = [
    ["Listens on", router.listens],
    ["Consistency", router.consistency],
    ["Reads from", router.readFrom],
    ["Acknowledgements per write", String(router.minAcks)],
    ["Reads", formatCount(totals.reads)],
    ["Writes", formatCount(totals.writes)],
    ["Connections", formatCount(totals.connections)],
    ["Bytes in", formatBytes(totals.bytesIn)],
    ["Bytes out", formatBytes(totals.bytesOut)],
    ["Reads sent again", formatCount(totals.retriedReads)],
    ["Outcomes unknown", formatCount(totals.unknownOutcomes)],
    ["Errors", errors.length === 0 ? "none" : errors.join(", ")],
  ];
  keepChildren(
    byId("router"),
    facts,
    ([name]) => name,
    ([name]) => html("div", {}, html("dt", {}, name), html("dd")),
    (fact, [, value]) => setText(fact.lastElementChild, value),
  );
}
