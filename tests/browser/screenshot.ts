/**
 * Takes the picture of the page for the README: a demo whose master has just been killed.
 *
 * `deno run --allow-all tests/browser/screenshot.ts FILE [--dark] [--port 6379 ...]`
 *
 * @module
 */

import { findChromium, openPage, waitForText } from "./chromium.ts";
import { runDemoQuietly } from "./running_demo.ts";

const LOAD_MS = 45_000;
const AFTERWARDS_MS = 9_000;
const SIZE = { width: 1240, height: 1130 };

const [file = "page.png", ...options] = Deno.args;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const chromium = findChromium();
if (chromium === undefined) Deno.exit(1);

await using demo = await runDemoQuietly(options.filter((option) => option !== "--dark"));
const colors = options.includes("--dark") ? "dark" : "light";
await using opened = await openPage(chromium, { url: demo.url, size: SIZE, colors });
const { page } = opened;
await pause(LOAD_MS);
await page.getByRole("button", { name: /^Kill / }).first().click();
await waitForText(page, "#log", "+switch-master");
await pause(AFTERWARDS_MS);
await page.mouse.move(0, 0);
await page.screenshot({ path: file });
console.log(`${file}: ${Deno.statSync(file).size} bytes`);
