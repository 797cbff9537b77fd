import { assertEquals, assertMatch } from "@std/assert";
import { mergeState } from "../../../src/monitor/web/page/connection.js";
import {
  chooseGroup,
  describeGroup,
  describeNode,
  lookOf,
  shortenRunIds,
  toneOfEvent,
} from "../../../src/monitor/web/page/describe.js";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatLatency,
  formatShort,
  shorten,
} from "../../../src/monitor/web/page/format.js";
import { layOut, SELF } from "../../../src/monitor/web/page/layout.js";
import { FakeMonitor } from "./fake_monitor.ts";

/** A number with its narrow spaces as usual ones. */
const plain = (text: string) => text.replaceAll("\u202f", " ");

/** Whether two boxes have a point in common. */
function overlap(left: Box, right: Box): boolean {
  return left.x < right.x + right.width && right.x < left.x + left.width &&
    left.y < right.y + right.height && right.y < left.y + left.height;
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

Deno.test("numbers for people", () => {
  assertEquals([0, 999, 1000, 1234567].map(formatCount).map(plain), [
    "0",
    "999",
    "1 000",
    "1 234 567",
  ]);
  assertEquals([0, 950, 1000, 12345, 99999, 999_999, 4_500_000].map(formatShort), [
    "0",
    "950",
    "1.0k",
    "12.3k",
    "100k",
    "1.0M",
    "4.5M",
  ]);
  assertEquals([0, 1023, 1024, 20 * 2 ** 20, 2 ** 60].map(formatBytes).map(plain), [
    "0 B",
    "1023 B",
    "1.0 KB",
    "20.0 MB",
    "1048576 TB",
  ]);
  assertEquals([0, 0.354, 12.34, 250, 1200].map(formatLatency).map(plain), [
    "0 ms",
    "0.35 ms",
    "12.3 ms",
    "250 ms",
    "1.2 s",
  ]);
  assertEquals([300, 3000, 125_000, 7_500_000, 200_000_000].map(formatDuration), [
    "0.3 s",
    "3 s",
    "2 min",
    "2 h 5 min",
    "2 d 7 h",
  ]);
  assertEquals([shorten("127.0.0.1:6380", 14), shorten("a-very-long-name:6380", 11)], [
    "127.0.0.1:6380",
    "a-ver…:6380",
  ]);
});

Deno.test("what is new is added to what is there, and what is old leaves", () => {
  const monitor = new FakeMonitor();
  monitor.tick(299);
  for (let event = 0; event < 199; event++) monitor.emit("+sdown", String(event));
  const before = monitor.state();
  monitor.tick(2);
  monitor.emit("-sdown", "new");
  monitor.emit("-sdown", "newer");
  const whole = monitor.state();
  const news = {
    ...whole,
    events: whole.events.slice(-2),
    samples: whole.samples.slice(-2),
  };
  const merged = mergeState(before, news);
  assertEquals(merged.samples, whole.samples);
  assertEquals(merged.events, whole.events.slice(-200));
});

Deno.test("how a group is, in words", () => {
  const monitor = new FakeMonitor();
  const words = () => {
    const { tone, title, text } = describeGroup(monitor.state(), monitor.group);
    return `${tone}: ${title}. ${text}`;
  };
  assertEquals(
    words(),
    "good: All is well. 127.0.0.1:6380 is the master; 2 of 2 replicas serve reads.",
  );
  monitor.loseMaster();
  assertEquals(words(), "warn: Failover under way. Step: select_slave. Reads go on.");
  for (const { address } of monitor.group.nodes) monitor.changeNode(address, { readable: false });
  assertEquals(
    words(),
    "warn: Failover under way. Step: select_slave. No node can serve reads.",
  );
  monitor.switchMaster("127.0.0.1:6381");
  assertEquals(
    words(),
    "warn: A replica is down. 127.0.0.1:6381 is the master; 127.0.0.1:6380 doesn't answer.",
  );
  monitor.change({ status: "trouble", trouble: "two masters were found: a and b" });
  assertEquals(words(), "bad: Trouble. Two masters were found: a and b.");
  monitor.change({ status: "ok", trouble: "", lease: { mode: "missing", leftMs: 0 } });
  assertMatch(words(), /^bad: No lease/);
  assertEquals(describeGroup(monitor.state(), undefined).title, "Nothing is watched");
});

Deno.test("how a node is, in words", () => {
  const monitor = new FakeMonitor();
  const words = (index: number) =>
    plain(describeNode(monitor.group, monitor.group.nodes[index]).text);
  assertEquals([words(0), words(1)], ["takes writes", "in step"]);
  monitor.changeNode("127.0.0.1:6381", { lagBytes: 2048, lagMs: 3000 });
  assertEquals(words(1), "2.0 KB, 3 s behind");
  monitor.changeNode("127.0.0.1:6381", { readable: false, unreadableReason: "it lags" });
  assertEquals(words(1), "no reads: it lags");
  monitor.changeNode("127.0.0.1:6381", { role: "master" });
  assertEquals(words(1), "a second master");
  monitor.loseMaster();
  assertEquals([words(0), lookOf(monitor.group.nodes[0])], ["no answer for 5 s", "down"]);
});

Deno.test("the page begins with the group that has a router", () => {
  const { group } = new FakeMonitor();
  const other = { ...group, name: "other", routed: false };
  assertEquals(chooseGroup([other, group], "")?.name, "mymaster");
  assertEquals(chooseGroup([other, group], "other")?.name, "other");
  assertEquals(chooseGroup([other], "gone")?.name, "other");
  assertEquals(chooseGroup([], ""), undefined);
});

Deno.test("a run id in an event is cut down", () => {
  const id = "8c1f0e5d7b3a49260f1e2d3c4b5a69788796a5b4";
  assertEquals(
    shortenRunIds(`sentinel ${id} 127.0.0.1 26380`),
    "sentinel 8c1f0e5d… 127.0.0.1 26380",
  );
});

Deno.test("events have the colour of what they mean", () => {
  assertEquals(
    ["+sdown", "-sdown", "+switch-master", "-failover-abort-no-good-slave", "+new-epoch"]
      .map(toneOfEvent),
    ["bad", "good", "good", "bad", "idle"],
  );
});

Deno.test("nothing in the picture overlaps or leaves it, whatever its width", () => {
  for (const width of [280, 320, 360, 600, 700, 900, 1200, 2000]) {
    for (let nodeCount = 0; nodeCount <= 9; nodeCount++) {
      for (let peerCount = 0; peerCount <= 6; peerCount++) {
        const nodes = Array.from({ length: nodeCount }, (_, index) => `node:${index}`);
        const peers = Array.from({ length: peerCount }, (_, index) => `peer:${index}`);
        const layout = layOut(width, nodes, peers, nodes[1] ?? "");
        const what = `${nodeCount} nodes and ${peerCount} peers in ${width}`;
        const boxes = [...layout.boxes.values()];
        assertEquals(boxes.length, nodeCount + peerCount + 1, what);
        for (const [index, box] of boxes.entries()) {
          assertEquals(box.x >= 0 && box.x + box.width <= width, true, what);
          assertEquals(box.y >= 0 && box.y + box.height <= layout.height, true, what);
          assertEquals(boxes.slice(index + 1).some((other) => overlap(box, other)), false, what);
        }
        const kinds = layout.links.map(({ kind }) => kind);
        assertEquals(kinds.filter((kind) => kind === "route").length, nodeCount, what);
        const replicas = nodeCount > 1 ? nodeCount - 1 : 0;
        assertEquals(kinds.filter((kind) => kind === "replication").length, replicas, what);
      }
    }
  }
});

Deno.test("a node keeps its place whoever is the master", () => {
  const nodes = ["a:1", "b:1", "c:1"];
  for (const width of [360, 1000]) {
    const before = layOut(width, nodes, [], "a:1");
    const after = layOut(width, nodes, [], "c:1");
    for (const key of [SELF, ...nodes]) assertEquals(after.boxes.get(key), before.boxes.get(key));
  }
});
