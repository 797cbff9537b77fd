import { assertEquals, assertMatch } from "@std/assert";
import { metricsOf } from "../../../src/monitor/web/metrics.ts";
import { FakeMonitor } from "./fake_monitor.ts";

const SAMPLE = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;

/** Reads the format as strictly as Prometheus does: families together, each with HELP and TYPE. */
function readMetrics(text: string): Map<string, number> {
  assertEquals(text.at(-1), "\n");
  const values = new Map<string, number>();
  const seen = new Set<string>();
  let family = "";
  let state = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const comment = line.match(/^# (HELP|TYPE) ([a-z_]+) (.+)$/);
    if (comment?.[1] === "HELP") {
      [, , family] = comment;
      assertEquals(seen.has(family), false, family);
      seen.add(family);
      state = "HELP";
    } else if (comment !== null) {
      assertEquals([state, comment[2]], ["HELP", family]);
      assertMatch(comment[3], /^(gauge|counter)$/);
      assertEquals(family.endsWith("_total"), comment[3] === "counter", family);
      state = "TYPE";
    } else {
      const [, name, labels = "", value] = line.match(SAMPLE)!;
      assertEquals([name, state], [family, "TYPE"]);
      assertEquals(readLabels(labels), true, labels);
      assertMatch(value, /^(-?\d+(\.\d+)?(e[+-]\d+)?|[+-]Inf|NaN)$/);
      assertEquals(values.has(`${name}{${labels}}`), false);
      values.set(`${name}{${labels}}`, Number(value.replace("Inf", "Infinity")));
    }
  }
  return values;
}

/** Whether the text is labels and nothing else. */
function readLabels(text: string): boolean {
  let end = 0;
  LABEL.lastIndex = 0;
  while (LABEL.test(text)) end = LABEL.lastIndex;
  return end === text.length;
}

Deno.test("the metrics of a monitor", () => {
  const monitor = new FakeMonitor();
  const { router } = monitor;
  monitor.router = { ...router!, totals: { ...router!.totals, errors: { READONLY: 3, ERR: 1 } } };
  monitor.changeNode("127.0.0.1:6382", { flags: ["s_down"], lagBytes: null, lagMs: 1500 });
  const metrics = readMetrics(metricsOf(monitor.state()));
  const value = (name: string) => metrics.get(`miniredis_monitor_${name}`);

  assertEquals(value('group_nodes{group="mymaster"}'), 3);
  assertEquals(value('group_nodes_up{group="mymaster"}'), 2);
  assertEquals(value('group_status{group="mymaster",status="ok"}'), 1);
  assertEquals(value('group_status{group="mymaster",status="failover"}'), 0);
  assertEquals(value('group_lease_left_seconds{group="mymaster"}'), 1.8);
  assertEquals(value('node_up{group="mymaster",node="127.0.0.1:6382"}'), 0);
  assertEquals(value('node_role{group="mymaster",node="127.0.0.1:6380",role="master"}'), 1);
  assertEquals(value('node_lag_bytes{group="mymaster",node="127.0.0.1:6382"}'), undefined);
  assertEquals(value('node_lag_seconds{group="mymaster",node="127.0.0.1:6382"}'), 1.5);
  assertEquals(value('router_errors_total{code="READONLY"}'), 3);
  assertEquals(value('router_commands_total{kind="write"}'), 2_004_301);
  assertEquals(value('router_latency_seconds{kind="read",quantile="0.99"}'), 0.00124);
});

Deno.test("labels are escaped; what isn't known is left out", () => {
  const monitor = new FakeMonitor();
  monitor.router = null;
  monitor.change({ name: 'a"b\\c\nd', lease: { mode: "held", leftMs: Infinity }, peers: [] });
  const metrics = readMetrics(metricsOf(monitor.state()));
  const group = 'group="a\\"b\\\\c\\nd"';
  assertEquals(metrics.get(`miniredis_monitor_group_lease_left_seconds{${group}}`), Infinity);
  assertEquals([...metrics.keys()].filter((name) => name.includes("router")), []);
});
