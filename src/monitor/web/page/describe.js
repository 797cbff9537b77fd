/**
 * What a state means, in words for people. Nothing here knows the page.
 *
 * @module
 */

import { formatBytes, formatDuration, formatLatency } from "./format.js";

/** @typedef {import("../../view.ts").StateView} StateView */
/** @typedef {import("../../view.ts").GroupView} GroupView */
/** @typedef {import("../../view.ts").NodeView} NodeView */
/** @typedef {"good" | "warn" | "bad"} Tone */

/** Events that say that something has gone wrong, by their names. */
const BAD_EVENT = /^(\+(sdown|odown|tilt|sentinel-invalid-addr)|-(failover-abort|monitor).*)$/;
/** Events that say that something is well again, or has been done. */
const GOOD_EVENT =
  /^(-(sdown|odown|tilt)|\+(switch-master|failover-end|promoted-slave|slave-reconf-done))$/;

/**
 * Whether somebody was found to be down.
 *
 * @param {{flags: readonly string[]}} somebody
 */
export function isDown({ flags }) {
  return flags.includes("s_down") || flags.includes("o_down");
}

/**
 * The group that a page begins with: the one with a router in front, else the first.
 *
 * @param {readonly GroupView[]} groups
 * @param {string} name the one that was asked for
 * @returns {GroupView | undefined}
 */
export function chooseGroup(groups, name) {
  return groups.find((group) => group.name === name) ?? groups.find(({ routed }) => routed) ??
    groups[0];
}

/**
 * How a node is drawn: as what it is, or as one that is down.
 *
 * @param {NodeView} node
 * @returns {"master" | "replica" | "unknown" | "down"}
 */
export function lookOf(node) {
  return isDown(node) ? "down" : node.role;
}

/**
 * What a node does at the moment, in a few words.
 *
 * @param {GroupView} group
 * @param {NodeView} node
 * @returns {{tone: Tone, text: string}}
 */
export function describeNode(group, node) {
  if (isDown(node)) {
    const since = node.lastOkPingMs === null
      ? "never answered"
      : `no answer for ${formatDuration(node.lastOkPingMs)}`;
    return { tone: "bad", text: since };
  }
  if (node.flags.includes("disconnected")) return { tone: "warn", text: "no connection" };
  if (node.role === "master") {
    if (node.address !== group.master) return { tone: "bad", text: "a second master" };
    return group.writable || !group.routed
      ? { tone: "good", text: "takes writes" }
      : { tone: "warn", text: "writes wait" };
  }
  if (node.role === "unknown") return { tone: "warn", text: "role not known yet" };
  if (node.linkUp === false) return { tone: "warn", text: "link to master is down" };
  if (node.readable || node.unreadableReason === "") {
    return { tone: "good", text: describeLag(node) };
  }
  return { tone: "warn", text: `no reads: ${node.unreadableReason}` };
}

/**
 * By how much a replica is behind.
 *
 * @param {NodeView} node
 */
export function describeLag({ lagBytes, lagMs }) {
  if (lagBytes === null) return "lag unknown";
  if (lagBytes === 0) return "in step";
  const since = lagMs === null || lagMs < 1000 ? "" : `, ${formatDuration(lagMs)}`;
  return `${formatBytes(lagBytes)}${since} behind`;
}

/**
 * How the group is, in a title and a sentence.
 *
 * @param {StateView} state
 * @param {GroupView | undefined} group
 * @returns {{tone: Tone, title: string, text: string}}
 */
export function describeGroup(state, group) {
  if (group === undefined) {
    return { tone: "warn", title: "Nothing is watched", text: "No group is configured." };
  }
  const says = (tone, title, text) => ({
    tone,
    title,
    text: group.trouble === "" ? text : asSentence(group.trouble),
  });
  if (group.status === "failover") {
    return says(
      "warn",
      "Failover under way",
      `Step: ${group.failoverState}. ${describeReads(group)}`,
    );
  }
  if (group.status === "master down") {
    return says(
      "bad",
      "The master is down",
      `${group.master} doesn't answer. ${describeReads(group)}`,
    );
  }
  if (group.status === "unknown master" || group.master === "") {
    return says("bad", "No master is known", "Writes wait until one is found.");
  }
  if (group.lease.mode === "missing") {
    return says("bad", "No lease", "No majority of the monitors was heard from; writes wait.");
  }
  if (group.status === "trouble") return says("bad", "Trouble", "Something is wrong.");
  if (state.tilt) {
    return says("warn", "TILT", "The clock jumped; for a while nothing is decided.");
  }
  return describeServing(group, says);
}

function describeReads({ nodes }) {
  const canRead = nodes.some((node) => node.readable && !isDown(node));
  return canRead ? "Reads go on." : "No node can serve reads.";
}

function describeServing(group, says) {
  if (!group.writable && group.routed) {
    return says("warn", "Writes wait", asSentence(group.unwritableReason));
  }
  const replicas = group.nodes.filter(({ address }) => address !== group.master);
  const serving = replicas.filter((node) => node.readable && !isDown(node));
  const down = replicas.filter(isDown);
  const who = `${group.master} is the master`;
  if (down.length > 0) {
    const names = down.map(({ address }) => address).join(", ");
    return says("warn", "A replica is down", `${who}; ${names} doesn't answer.`);
  }
  const reads = replicas.length === 0
    ? "there is no replica"
    : `${serving.length} of ${replicas.length} replicas serve reads`;
  return says(group.trouble === "" ? "good" : "warn", "All is well", `${who}; ${reads}.`);
}

/**
 * The text of an event, with run ids cut down to what tells one from another.
 *
 * @param {string} text
 */
export function shortenRunIds(text) {
  return text.replace(/\b([0-9a-f]{8})[0-9a-f]{32}\b/g, "$1…");
}

/**
 * How much an event matters.
 *
 * @param {string} type
 * @returns {Tone | "idle"}
 */
export function toneOfEvent(type) {
  if (BAD_EVENT.test(type)) return "bad";
  return GOOD_EVENT.test(type) ? "good" : "idle";
}

/**
 * The numbers of the second, as the tiles show them.
 *
 * @param {StateView} state
 * @param {GroupView | undefined} group
 * @returns {{name: string, value: number | string, note: string, tone?: string}[]}
 */
export function tilesOf({ router, currentEpoch }, group) {
  const tiles = [];
  if (router !== null) {
    const { readLatency, writeLatency } = router;
    tiles.push(
      { name: "Reads", value: router.readsPerSecond, note: "per second", tone: "read" },
      { name: "Writes", value: router.writesPerSecond, note: "per second", tone: "write" },
      {
        name: "Read p99",
        value: formatLatency(readLatency.p99),
        note: `half in ${formatLatency(readLatency.p50)}`,
      },
      {
        name: "Write p99",
        value: formatLatency(writeLatency.p99),
        note: `half in ${formatLatency(writeLatency.p50)}`,
      },
      {
        name: "Clients",
        value: router.clients,
        note: router.heldClients === 0 ? "none waits" : `${router.heldClients} held back`,
        tone: router.heldClients === 0 ? undefined : "warn",
      },
    );
  }
  if (group !== undefined) {
    tiles.push(
      leaseTile(group),
      { name: "Epoch", value: group.configEpoch, note: `current ${currentEpoch}` },
    );
  }
  return tiles;
}

function leaseTile({ lease: { mode, leftMs }, peers }) {
  const notes = {
    off: peers.length === 0 ? "no other monitor" : "as in Sentinel",
    held: Number.isFinite(leftMs) ? `for ${formatDuration(leftMs)} more` : "no other monitor",
    missing: "writes wait",
  };
  return {
    name: "Lease",
    value: mode,
    note: notes[mode],
    tone: mode === "missing" ? "bad" : undefined,
  };
}

function asSentence(text) {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
