/**
 * The picture of the topology: monitors, nodes, and the links between them. Elements are kept from one
 * update to the next, so that a change of roles is a change of colours that the eye can follow.
 *
 * @module
 */

import { describeLag, describeNode, isDown, lookOf } from "./describe.js";
import { keepChildren, setAttributes, setText, svg } from "./dom.js";
import { formatCount, formatShort, shorten } from "./format.js";
import { layOut, SELF } from "./layout.js";

/** @typedef {import("../../view.ts").StateView} StateView */
/** @typedef {import("../../view.ts").GroupView} GroupView */

/** From how many commands per second on a link flows faster. */
const FLOW_STEPS = [0.5, 200, 2000];
/** A replica under load is always a few bytes behind; this long is worth a colour. */
const BEHIND_MS = 1000;

/**
 * Draws into an element; call what it returns with each new state.
 *
 * @param {Element} parent
 * @returns {(state: StateView, group: GroupView | undefined) => void}
 */
export function drawTopology(parent) {
  const links = svg("g", { class: "links" });
  const boxes = svg("g");
  const labels = svg("g", { class: "labels" });
  const picture = svg("svg", { role: "img" }, links, labels, boxes);
  parent.append(picture);
  const places = [];
  let latest = null;

  const draw = () => {
    if (latest === null) return;
    const { state, group } = latest;
    const width = Math.floor(parent.clientWidth);
    if (width === 0 || group === undefined) return;
    keepPlaces(places, group.nodes.map(({ address }) => address));
    const peers = group.peers.map(({ address }) => address);
    const layout = layOut(width, places, peers, group.master);
    setAttributes(picture, {
      width,
      height: layout.height,
      viewBox: `0 0 ${width} ${layout.height}`,
      "aria-label": describePicture(group),
    });
    drawLinks(links, labels, layout, group);
    drawBoxes(boxes, layout, state, group);
  };
  new ResizeObserver(draw).observe(parent);
  return (state, group) => {
    if (latest?.group?.name !== group?.name) places.length = 0;
    latest = { state, group };
    draw();
  };
}

/** Keeps each node where it was; new ones come behind, in the order of their addresses at first. */
function keepPlaces(places, addresses) {
  const gone = places.filter((place) => !addresses.includes(place));
  for (const place of gone) places.splice(places.indexOf(place), 1);
  const added = addresses.filter((address) => !places.includes(address));
  places.push(...added.sort((left, right) => left.localeCompare(right, "en", { numeric: true })));
}

function describePicture(group) {
  const nodes = group.nodes.map((node) =>
    `${node.address}: ${lookOf(node)}, ${describeNode(group, node).text}`
  );
  return `Topology of ${group.name}. ${nodes.join(". ")}.`;
}

function drawLinks(links, labels, layout, group) {
  const nodes = new Map(group.nodes.map((node) => [node.address, node]));
  const peers = new Map(group.peers.map((peer) => [peer.address, peer]));
  const shown = layout.links.map((link) => ({ ...link, ...lookOfLink(link, group, nodes, peers) }));
  keepChildren(
    links,
    shown,
    ({ key }) => key,
    () => svg("g", {}, svg("path", { class: "line" }), svg("path", { class: "flow" })),
    (element, { kind, look, flow, path }) => {
      setAttributes(element, { class: `link ${kind} ${look}`, "data-flow": flow });
      for (const line of element.children) setAttributes(line, { d: path });
    },
  );
  keepChildren(
    labels,
    layout.isWide ? shown.filter(({ label }) => label !== "") : [],
    ({ key }) => key,
    () =>
      svg("g", {}, svg("rect", { rx: 9, height: 18 }), svg("text", { "text-anchor": "middle" })),
    (element, { kind, look, label, labelX, labelY }) => {
      setAttributes(element, { class: `label ${kind} ${look}` });
      setText(element.children[1], label);
      const width = element.children[1].getComputedTextLength() + 16;
      setAttributes(element.children[0], { x: labelX - width / 2, y: labelY - 9, width });
      setAttributes(element.children[1], { x: labelX, y: labelY + 4 });
    },
  );
}

/** How a link is drawn, how fast it flows (0 to 3), and what stands on it. */
function lookOfLink({ kind, to }, group, nodes, peers) {
  if (kind === "peer") return { look: isDown(peers.get(to)) ? "dead" : "ok", flow: 0, label: "" };
  const node = nodes.get(to);
  if (isDown(node)) return { look: "dead", flow: 0, label: kind === "route" ? "" : "cut" };
  if (kind === "replication") {
    if (node.linkUp === false) return { look: "dead", flow: 0, label: "link down" };
    const isBehind = node.lagBytes === null || node.lagMs === null || node.lagMs >= BEHIND_MS;
    return { look: isBehind ? "behind" : "ok", flow: 0, label: describeLag(node) };
  }
  if (!group.routed) return { look: "ok", flow: 0, label: "" };
  const rate = node.commandsPerSecond;
  const flow = FLOW_STEPS.filter((step) => rate >= step).length;
  if (node.address === group.master) {
    return group.writable
      ? { look: "to-master", flow, label: `${formatShort(rate)}/s` }
      : { look: "held", flow: 0, label: "writes wait" };
  }
  if (!node.readable) return { look: "idle", flow: 0, label: "no reads" };
  return { look: "to-replica", flow, label: `${formatShort(rate)}/s` };
}

function drawBoxes(parent, layout, state, group) {
  const self = { key: SELF, ...describeSelf(state, group) };
  const peers = group.peers.map((peer) => ({
    key: peer.address,
    look: `peer ${isDown(peer) ? "down" : "up"}`,
    tag: "",
    name: peer.address,
    corner: "",
    note: isDown(peer) ? "down" : peer.knowsLease === false ? "sentinel" : "monitor",
    tone: isDown(peer) ? "bad" : "good",
  }));
  const nodes = group.nodes.map((node) => {
    const { tone, text } = describeNode(group, node);
    const look = lookOf(node);
    return {
      key: node.address,
      look: `node ${look}`,
      tag: look === "down" ? `${node.role} down` : node.role,
      name: node.address,
      corner: look === "down" || !group.routed ? "" : `${formatShort(node.commandsPerSecond)}/s`,
      note: text,
      tone,
    };
  });
  const shown = [self, ...peers, ...nodes].filter(({ key }) => layout.boxes.has(key));
  keepChildren(parent, shown, ({ key }) => key, makeBox, (element, item) => {
    updateBox(element, item, layout.boxes.get(item.key), layout.isWide);
  });
}

function describeSelf({ router }, group) {
  const routes = router !== null && router.listens !== "" && group.routed;
  return {
    look: "self",
    tag: "this monitor",
    name: routes ? router.listens : group.name,
    corner: routes ? `${formatCount(router.clients)} clients` : "",
    note: routes
      ? `${formatShort(router.readsPerSecond)} reads/s, ${
        formatShort(router.writesPerSecond)
      } writes/s`
      : "watches, without a router",
    tone: "good",
  };
}

function makeBox() {
  return svg(
    "g",
    {},
    svg("rect", { class: "frame", rx: 12 }),
    svg("rect", { class: "tag", rx: 8, height: 18 }),
    svg("text", { class: "tag-text" }),
    svg("text", { class: "corner", "text-anchor": "end" }),
    svg("text", { class: "name" }),
    svg("circle", { class: "dot", r: 4 }),
    svg("text", { class: "note" }),
  );
}

function updateBox(element, item, box, isWide) {
  const [frame, tag, tagText, corner, name, dot, note] = element.children;
  const isPeer = item.tag === "";
  const isTall = box.height > 80;
  const nameY = isPeer ? 17 : isTall ? 53 : 46;
  const noteY = isPeer ? 32 : isTall ? 77 : 65;
  const letters = Math.floor((box.width - 28) / (isPeer ? 7 : 8.4));
  setAttributes(element, {
    class: `box ${item.look}`,
    "data-tone": item.tone,
    transform: `translate(${box.x} ${box.y})`,
  });
  setText(tagText, item.tag);
  setAttributes(frame, { width: box.width, height: box.height });
  setAttributes(tag, {
    x: 12,
    y: isTall ? 13 : 8,
    width: tagText.getComputedTextLength() + 16,
    visibility: isPeer ? "hidden" : null,
  });
  setAttributes(tagText, { x: 20, y: isTall ? 26 : 21 });
  setAttributes(corner, { x: box.width - 12, y: isTall ? 26 : 21 });
  setAttributes(name, { x: 14, y: nameY });
  setAttributes(dot, { cx: 18, cy: noteY - 4 });
  setAttributes(note, { x: 28, y: noteY });
  setText(corner, isPeer || (isWide && isTall) ? "" : item.corner);
  setText(name, shorten(item.name, letters));
  setText(note, shorten(item.note, Math.floor((box.width - 36) / 6.4)));
}
