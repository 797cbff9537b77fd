/**
 * A real browser: Chromium of the machine, steered by Playwright.
 *
 * @module
 */

import { type Browser, chromium, type Page } from "../support/packages/playwright.ts";

/** Where Linux distributions, macOS and Chrome's own packages put it. */
const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** It runs as root in containers, and asks nobody on the internet for anything. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** How a page is opened. */
export interface PageOptions {
  /** The address. */
  readonly url: string;
  /** Its size; a usual screen's if nothing is said. */
  readonly size?: { readonly width: number; readonly height: number };
  /** What the system prefers. */
  readonly colors?: "light" | "dark";
}

/** An open page, in a browser of its own, which ends with it. */
export interface OpenPage extends AsyncDisposable {
  /** The page. */
  readonly page: Page;
  /** What the page has complained of: errors in the console, and those that nobody caught. */
  readonly problems: string[];
  /** The addresses that the page has asked for. */
  readonly requests: string[];
}

/** The browser's file, or undefined after saying on the console that there is none. */
export function findChromium(): string | undefined {
  const asked = Deno.env.get("CHROMIUM");
  const found = (asked === undefined ? PLACES : [asked]).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
  if (found === undefined) {
    console.log(
      "No Chromium was found (CHROMIUM names another place): the page isn't tested in it.",
    );
  }
  return found;
}

/** Opens a page in a browser without a window, with a profile of its own. */
export async function openPage(executablePath: string, options: PageOptions): Promise<OpenPage> {
  const browser: Browser = await chromium.launch({ executablePath, args: FLAGS });
  const page = await browser.newPage({
    viewport: options.size ?? { width: 1360, height: 900 },
    colorScheme: options.colors ?? "light",
  });
  const problems: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(options.url);
  await page.locator("#link[data-link=live]").waitFor();
  return { page, problems, requests, [Symbol.asyncDispose]: () => browser.close() };
}

/** How a node looks in the picture: `master`, `replica`, `down` or `unknown`. */
export async function lookOf(page: Page, address: string): Promise<string> {
  const box = page.locator(`#topology .node[data-key="${address}"]`);
  return (await box.getAttribute("class"))!.replace("box node ", "");
}

/** Waits until a node looks so in the picture. */
export async function waitForLook(page: Page, address: string, look: string): Promise<void> {
  await page.locator(`#topology .node.${look}[data-key="${address}"]`).waitFor();
}

/** Waits until an element's text has a part. */
export async function waitForText(page: Page, selector: string, text: string): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).first().waitFor();
}
