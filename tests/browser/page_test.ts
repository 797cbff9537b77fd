import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import type { Page } from "../support/packages/playwright.ts";
import { FakeMonitor } from "../monitor/web/fake_monitor.ts";
import { type RunningWeb, runWeb } from "../monitor/web/running_web.ts";
import {
  findChromium,
  lookOf,
  openPage,
  type PageOptions,
  waitForLook,
  waitForText,
} from "./chromium.ts";
import { drawnDots, focused, groundColor, overflow, pictureFits } from "./in_page.js";

const CHROMIUM = findChromium();
const [FIRST, SECOND, THIRD] = ["127.0.0.1:6380", "127.0.0.1:6381", "127.0.0.1:6382"];
/** What the browser itself writes into the console for an answer that is a refusal. */
const REFUSED_ANSWER = /status of 40[39]/;
/** Likewise, while nobody listens. */
const NO_CONNECTION = /ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE)/;

/** A test of the page in front of a monitor that only plays one. */
function test(
  name: string,
  run: (page: Page, site: RunningWeb, problems: string[]) => Promise<void>,
  options: Partial<PageOptions> & Parameters<typeof runWeb>[0] = {},
): void {
  Deno.test({
    name,
    ignore: CHROMIUM === undefined,
    async fn() {
      await using site = await runWeb(options);
      site.monitor.tick(120);
      await using opened = await openPage(CHROMIUM!, { url: site.web.url, ...options });
      await run(opened.page, site, opened.problems);
      assertEquals(opened.problems, []);
      const { origin } = new URL(site.web.url);
      assertEquals(opened.requests.filter((url) => !url.startsWith(`${origin}/`)), []);
    },
  });
}

/** Takes out the complaints that were expected; there has to be one. */
function expect(problems: string[], pattern: RegExp): void {
  assertEquals(problems.length > 0, true);
  for (const problem of problems.splice(0)) assertMatch(problem, pattern);
}

test("a failover is seen happening", async (page, { monitor }) => {
  await waitForText(page, "#banner", "All is well");
  assertEquals(await lookOf(page, FIRST), "master");
  assertEquals(await lookOf(page, SECOND), "replica");
  const second = page.locator(`#topology .node[data-key="${SECOND}"]`);
  const place = await second.getAttribute("transform");

  monitor.loseMaster();
  await waitForText(page, "#banner", "Failover under way");
  await waitForLook(page, FIRST, "down");
  assertStringIncludes(await page.locator("#log li").first().innerText(), "+try-failover");
  assertEquals(await page.locator("#failover").isDisabled(), true);

  monitor.switchMaster(SECOND);
  await waitForLook(page, SECOND, "master");
  await waitForText(page, "#banner", `${SECOND} is the master; ${FIRST} doesn't answer`);
  assertEquals([await lookOf(page, FIRST), await lookOf(page, THIRD)], ["down", "replica"]);
  assertStringIncludes(await page.locator("#log li").first().innerText(), "+switch-master");
  assertEquals(await second.getAttribute("transform"), place);
  assertStringIncludes(
    await page.locator("#topology svg").first().getAttribute("aria-label") ?? "",
    `${SECOND}: master, takes writes`,
  );
  assertEquals(await page.locator("#nodes td.role.master").count(), 1);

  monitor.changeNode(FIRST, { flags: [], linkUp: true, readable: true });
  await waitForLook(page, FIRST, "replica");
  await waitForText(page, "#banner", "All is well");
});

test("the charts are drawn, and their legends say the numbers", async (page, { monitor }) => {
  await page.locator("#chart-lag canvas").waitFor();
  const dots = await page.evaluate(drawnDots);
  assertEquals(dots.length, 3);
  for (const count of dots) assertEquals(count > 500, true);
  const { reads } = monitor.state().samples.at(-1)!;
  await waitForText(page, "#chart-throughput .legend", `reads ${(reads / 1000).toFixed(1)}k`);
  assertEquals(await page.locator("#chart-lag .legend li").count(), 2);

  await page.getByRole("button", { name: "5 min" }).click();
  assertEquals(await page.locator("[data-seconds='300']").getAttribute("aria-pressed"), "true");
  assertNotEquals(await page.evaluate(drawnDots), dots);
});

test("a failover by hand asks for the token", async (page, { monitor }, problems) => {
  await page.getByRole("button", { name: "Fail over …" }).click();
  await waitForText(page, "#failover-dialog", `takes the place of ${FIRST}`);
  await page.getByLabel("Token").fill("wrong");
  await page.getByRole("button", { name: "Fail over now" }).click();
  await waitForText(page, "#failover-error", "That is not the token.");
  assertEquals(monitor.failovers, []);
  expect(problems, REFUSED_ANSWER);

  await page.getByLabel("Token").fill("secret");
  await page.getByRole("button", { name: "Fail over now" }).click();
  await waitForText(page, "#toast", "The failover has begun.");
  assertEquals(monitor.failovers, ["mymaster"]);
  await waitForLook(page, SECOND, "master");
  assertEquals(await page.locator("#failover-dialog").isVisible(), false);

  monitor.failoverProblem = "NOGOODSLAVE No suitable replica to promote";
  await page.getByRole("button", { name: "Fail over …" }).click();
  await page.getByRole("button", { name: "Fail over now" }).click();
  await waitForText(page, "#failover-error", "NOGOODSLAVE");
  expect(problems, REFUSED_ANSWER);
});

test("without a token the button is off, and the page says why", async (page) => {
  assertEquals(await page.locator("#failover").isDisabled(), true);
  await waitForText(page, "#failover-note", "no --http-token is set");
}, { token: "" });

test("all can be done with the keyboard", async (page, { monitor }) => {
  const tabTo = async (id: string) => {
    for (let step = 0; step < 20 && await page.evaluate(focused) !== id; step++) {
      await page.keyboard.press("Tab");
    }
    assertEquals(await page.evaluate(focused), id);
  };
  await tabTo("theme");
  await page.keyboard.press("Enter");
  await tabTo("failover");
  await page.keyboard.press("Enter");
  assertEquals(await page.evaluate(focused), "token");
  await page.keyboard.press("Escape");
  assertEquals(await page.locator("#failover-dialog").isVisible(), false);
  assertEquals(await page.evaluate(focused), "failover");
  await page.keyboard.press("Enter");
  await page.keyboard.type("secret");
  await page.keyboard.press("Enter");
  await waitForText(page, "#toast", "The failover has begun.");
  assertEquals(monitor.failovers, ["mymaster"]);
});

test("a token behind the # of the address is taken from there", async (page, site) => {
  await page.goto(`${site.web.url}#token=secret`);
  await page.reload();
  await page.locator("#failover:enabled").click();
  assertEquals(new URL(page.url()).hash, "");
  await page.getByRole("button", { name: "Fail over now" }).click();
  await waitForText(page, "#toast", "The failover has begun.");
});

test("light and dark are the system's, until one is chosen", async (page) => {
  const ground = () => page.evaluate(groundColor);
  const dark = await ground();
  await page.emulateMedia({ colorScheme: "light" });
  const light = await ground();
  assertNotEquals(light, dark);

  const button = page.locator("#theme");
  await button.click();
  await page.emulateMedia({ colorScheme: "dark" });
  assertEquals([await button.innerText(), await ground()], ["light", light]);
  await button.click();
  await page.emulateMedia({ colorScheme: "light" });
  assertEquals([await button.innerText(), await ground()], ["dark", dark]);
  await page.reload();
  assertEquals([await button.innerText(), await ground()], ["dark", dark]);
  await button.click();
  assertEquals([await button.innerText(), await ground()], ["auto", light]);
}, { colors: "dark" });

test("a phone shows all of it without scrolling sideways", async (page, { monitor }) => {
  assertEquals(await page.evaluate(overflow), 0);
  monitor.loseMaster();
  await waitForLook(page, FIRST, "down");
  assertEquals(await page.evaluate(overflow), 0);

  const long = "a-very-long-name-of-a-machine.in-a-very-long-domain.example:6380";
  monitor.change({
    master: long,
    trouble: `two masters were found: ${long} and ${SECOND}`,
    nodes: [
      { ...monitor.group.nodes[0], address: long, flags: [] },
      ...Array.from({ length: 6 }, (_, index) => ({
        ...monitor.group.nodes[1],
        address: `10.0.0.${index}:6380`,
      })),
    ],
  });
  monitor.emit("+sdown", `master mymaster ${long}`);
  await waitForLook(page, long, "master");
  assertEquals(await page.evaluate(overflow), 0);
  const width = await page.locator("#topology svg").first().getAttribute("width");
  assertEquals(Number(width) <= 360, true);
}, { size: { width: 360, height: 740 } });

test("a picture follows the width of the window", async (page) => {
  for (const width of [1360, 900, 500, 360, 1000]) {
    await page.setViewportSize({ width, height: 800 });
    await page.waitForFunction(pictureFits);
    assertEquals([width, await page.evaluate(overflow)], [width, 0]);
  }
});

test("the buttons of a demo kill and start its servers", async (page) => {
  await page.getByRole("button", { name: `Kill ${SECOND}` }).click();
  await page.getByRole("button", { name: `Start ${SECOND}` }).click();
  await page.getByRole("button", { name: `Kill ${SECOND}` }).waitFor();
}, { demo: playedDemo() });

test("without a demo there are no such buttons", async (page) => {
  assertEquals(await page.locator("#demo").isVisible(), false);
});

test("several groups can be chosen from", async (page, { monitor }) => {
  assertEquals(await page.locator("#group").isVisible(), false);
  const other = { ...monitor.group, name: "other", master: THIRD, routed: false };
  const state = monitor.state.bind(monitor);
  monitor.state = () => ({ ...state(), groups: [other, monitor.group] });
  await page.locator("#group").selectOption("other");
  await waitForText(page, "#banner", `${THIRD} is the master`);
  monitor.emit("+new-epoch", "7");
  await waitForText(page, "#log", "+new-epoch");
  await waitForText(page, "#banner", `${THIRD} is the master`);
});

Deno.test({
  name: "a monitor that was started anew is found again",
  ignore: CHROMIUM === undefined,
  async fn() {
    const first = await runWeb();
    first.monitor.emit("+sdown", "from before");
    const { port } = first.web;
    await using opened = await openPage(CHROMIUM!, { url: first.web.url });
    const { page, problems } = opened;
    await waitForText(page, "#log", "from before");
    await first.web.stop();
    await waitForText(page, "#banner", "No connection to the monitor");
    assertEquals(await page.locator("#failover").isDisabled(), true);

    const monitor = new FakeMonitor();
    monitor.switchMaster(THIRD);
    await using _second = await runWeb({ port, monitor });
    await waitForText(page, "#link", "live");
    await waitForLook(page, THIRD, "master");
    assertEquals(await page.locator("#log li").count(), 1);
    assertEquals(problems.filter((problem) => !NO_CONNECTION.test(problem)), []);
  },
});

/** A demo whose servers are words. */
function playedDemo() {
  const stopped = new Set<string>();
  return {
    nodes: () => [FIRST, SECOND].map((address) => ({ address, running: !stopped.has(address) })),
    kill: (node: string) => void stopped.add(node),
    start: (node: string) => Promise.resolve(void stopped.delete(node)),
  };
}
