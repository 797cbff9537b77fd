/**
 * Where things stand in the picture of the topology. Numbers in, numbers out: nothing here knows the
 * page.
 *
 * A node keeps its place whatever its role is, so that a failover is seen as roles that change hands.
 * With enough room the nodes stand side by side under the monitors, and replication runs in arcs below
 * them; else they stand one below the other, commands come from the left and replication runs at
 * the right.
 *
 * @module
 */

/** @typedef {{x: number, y: number, width: number, height: number}} Box */
/** @typedef {{key: string, kind: "route" | "replication" | "peer", from: string, to: string,
 *   path: string, labelX: number, labelY: number}} Link */
/** @typedef {{width: number, height: number, isWide: boolean, boxes: Map<string, Box>,
 *   links: Link[]}} Layout */

/** The key of the monitor that is asked. */
export const SELF = "self";

const NODE = { width: 178, height: 94, gap: 28 };
const MONITOR = { width: 236, height: 76 };
const PEER = { width: 156, height: 40, gap: 10, distance: 34 };
const MARGIN = 14;
const ROUTE_HEIGHT = 96;

/**
 * Places the monitors, the nodes and the links between them.
 *
 * @param {number} width what there is
 * @param {readonly string[]} nodes addresses, in the order of their places
 * @param {readonly string[]} peers addresses of the other monitors
 * @param {string} master its address, or empty
 * @returns {Layout}
 */
export function layOut(width, nodes, peers, master) {
  const needed = nodes.length * (NODE.width + NODE.gap) - NODE.gap + 2 * MARGIN;
  const neededByPeers = peers.length === 0
    ? 0
    : MONITOR.width + 2 * (PEER.width + PEER.distance) + 2 * MARGIN;
  const isWide = width >= Math.max(560, needed, neededByPeers);
  return isWide
    ? layOutWide(width, nodes, peers, master)
    : layOutNarrow(width, nodes, peers, master);
}

function layOutWide(width, nodes, peers, master) {
  const boxes = new Map();
  const links = [];
  const perSide = Math.ceil(peers.length / 2);
  const peersHeight = perSide * (PEER.height + PEER.gap) - PEER.gap;
  const topHeight = Math.max(MONITOR.height, peersHeight);
  const middleY = MARGIN + topHeight / 2;
  const self = centred(width / 2, middleY, MONITOR);
  boxes.set(SELF, self);

  peers.forEach((peer, index) => {
    const isLeft = index % 2 === 0;
    const onThisSide = isLeft ? perSide : peers.length - perSide;
    const row = Math.floor(index / 2) - (onThisSide - 1) / 2;
    const x = width / 2 +
      (isLeft ? -1 : 1) * (MONITOR.width / 2 + PEER.distance + PEER.width / 2);
    const box = centred(x, middleY + row * (PEER.height + PEER.gap), PEER);
    boxes.set(peer, box);
    const edge = isLeft ? box.x + box.width : box.x;
    const start = isLeft ? self.x : self.x + self.width;
    links.push(link("peer", SELF, peer, `M${start} ${middleY}L${edge} ${middleOf(box).y}`, 0, 0));
  });

  const nodesY = MARGIN + topHeight + ROUTE_HEIGHT;
  const step = Math.min(
    NODE.width + 3 * NODE.gap,
    (width - 2 * MARGIN) / Math.max(nodes.length, 1),
  );
  nodes.forEach((node, index) => {
    const x = width / 2 + (index - (nodes.length - 1) / 2) * step;
    const box = centred(x, nodesY + NODE.height / 2, NODE);
    boxes.set(node, box);
    // Each leaves the monitor at a place of its own, in the order of the nodes.
    const spread = Math.min(30, (MONITOR.width - 40) / Math.max(nodes.length - 1, 1));
    const startX = width / 2 + (index - (nodes.length - 1) / 2) * spread;
    const startY = self.y + self.height;
    const middle = (startY + nodesY) / 2;
    const path = `M${startX} ${startY}C${startX} ${middle} ${x} ${middle} ${x} ${nodesY}`;
    links.push(link("route", SELF, node, path, (startX + 3 * x) / 4, nodesY - 26));
  });

  let height = nodesY + NODE.height;
  const masterAt = nodes.indexOf(master);
  nodes.forEach((node, index) => {
    if (masterAt < 0 || index === masterAt) return;
    const distance = Math.abs(index - masterAt);
    const from = middleOf(boxes.get(master)).x + Math.sign(index - masterAt) * 26;
    const to = middleOf(boxes.get(node)).x;
    const y = nodesY + NODE.height;
    const depth = 30 + 26 * distance;
    const path = `M${from} ${y}C${from} ${y + depth} ${to} ${y + depth} ${to} ${y}`;
    const labelY = y + depth * 0.75;
    links.push(link("replication", master, node, path, (from + to) / 2, labelY));
    height = Math.max(height, labelY + 12);
  });
  return { width, height: height + MARGIN, isWide: true, boxes, links };
}

function layOutNarrow(width, nodes, peers, master) {
  const boxes = new Map();
  const links = [];
  const left = 26;
  const right = 30;
  const self = { x: 4, y: MARGIN, width: width - 8, height: MONITOR.height };
  boxes.set(SELF, self);
  let y = self.y + self.height + 14;

  peers.forEach((peer) => {
    boxes.set(peer, { x: left, y, width: width - left - right, height: PEER.height });
    y += PEER.height + PEER.gap;
  });
  if (peers.length > 0) y += 6;

  const trunk = 12;
  for (const node of nodes) {
    const box = { x: left, y, width: width - left - right, height: NODE.height };
    boxes.set(node, box);
    const middle = middleOf(box).y;
    const path = `M${trunk} ${self.y + self.height}V${middle - 8}` +
      `Q${trunk} ${middle} ${trunk + 8} ${middle}H${left}`;
    links.push(link("route", SELF, node, path, 0, 0));
    y += NODE.height + 18;
  }
  const masterAt = nodes.indexOf(master);
  nodes.forEach((node, index) => {
    if (masterAt < 0 || index === masterAt) return;
    const edge = width - right;
    const from = middleOf(boxes.get(master)).y + Math.sign(index - masterAt) * 18;
    const to = middleOf(boxes.get(node)).y;
    const depth = Math.min(right + 4, 16 + 10 * Math.abs(index - masterAt));
    const path = `M${edge} ${from}C${edge + depth} ${from} ${edge + depth} ${to} ${edge} ${to}`;
    links.push(link("replication", master, node, path, 0, 0));
  });
  return { width, height: y - 18 + MARGIN, isWide: false, boxes, links };
}

function link(kind, from, to, path, labelX, labelY) {
  return { key: `${kind} ${from} ${to}`, kind, from, to, path, labelX, labelY };
}

function centred(x, y, { width, height }) {
  return { x: x - width / 2, y: y - height / 2, width, height };
}

function middleOf({ x, y, width, height }) {
  return { x: x + width / 2, y: y + height / 2 };
}
