/**
 * The page in front of a real monitor, three real servers and some load.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { findChromium, openPage, waitForLook, waitForText } from "./chromium.ts";
import { runDemoQuietly } from "./running_demo.ts";

const CHROMIUM = findChromium();

Deno.test({
  name: "a master is killed, and the page shows how another takes its place",
  ignore: CHROMIUM === undefined,
  async fn() {
    await using demo = await runDemoQuietly();
    await using opened = await openPage(CHROMIUM!, { url: demo.url });
    const { page, problems } = opened;
    const keyOf = async (look: string) =>
      (await page.locator(`#topology .node.${look}`).first().getAttribute("data-key"))!;

    await waitForText(page, "#banner", "2 of 2 replicas serve reads");
    // To a node right below, the line has no width, and doesn't count as visible.
    const flow = page.locator("#topology .link.to-master:not([data-flow='0'])");
    await flow.waitFor({ state: "attached" });
    const first = await keyOf("master");
    await page.getByRole("button", { name: `Kill ${first}` }).click();
    await waitForLook(page, first, "down");
    await waitForText(page, "#log", "+switch-master");
    await waitForText(page, "#banner", `${first} doesn't answer`);
    const second = await keyOf("master");
    assertEquals(second === first, false);
    assertStringIncludes(await page.locator("#nodes").innerText(), "replica, down");

    await page.getByRole("button", { name: `Start ${first}` }).click();
    await waitForLook(page, first, "replica");
    await waitForText(page, "#banner", "2 of 2 replicas serve reads");

    // Now by hand, with the token from the address.
    await page.locator("#failover:enabled").click();
    await page.getByRole("button", { name: "Fail over now" }).click();
    await waitForText(page, "#toast", "The failover has begun.");
    await waitForLook(page, second, "replica");
    await waitForText(page, "#banner", "2 of 2 replicas serve reads");
    assertEquals(await keyOf("master") === second, false);
    assertEquals(problems, []);
  },
});
