import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect } from "../../../src/client/mod.ts";
import type { StateView } from "../../../src/monitor/view.ts";
import { parseMonitorArguments } from "../../../src/monitor/config/command_line.ts";
import { type DemoTerminal, runDemo } from "../../../src/monitor/demo/demo.ts";

/** Somebody who sits in front of a demo. */
class Viewer implements DemoTerminal {
  readonly lines: ReadableStream<string>;
  readonly printed: string[] = [];
  readonly logged: string[] = [];
  interrupt: () => void = () => {};
  isOver = false;
  #typing!: ReadableStreamDefaultController<string>;

  constructor() {
    this.lines = new ReadableStream({ start: (controller) => void (this.#typing = controller) });
  }

  type(line: string): void {
    this.#typing.enqueue(line);
  }

  endInput(): void {
    this.#typing.close();
  }

  print(line: string): void {
    this.printed.push(line);
  }

  log(line: string): void {
    this.logged.push(line);
  }

  onInterrupt(handler: () => void): () => void {
    this.interrupt = handler;
    return () => this.interrupt = () => {};
  }

  /** Waits until a line that was printed has a part, and gives what it finds. */
  async find(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      for (const line of this.printed) {
        const match = line.match(pattern);
        if (match !== null) return match;
      }
      if (this.isOver) throw new Error(`It has ended without ${pattern}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** A demo on ports of the system's choice. */
function start(viewer: Viewer, ...args: string[]): Promise<number> {
  const ports = ["--port", "0", "--sentinel-port", "0", "--http", "0"];
  const ended = runDemo(parseMonitorArguments(["--demo", ...ports, ...args]), viewer);
  return ended.finally(() => viewer.isOver = true);
}

/** Asks for the state until it is as it is waited for. */
async function stateWhen(
  url: string,
  isWanted: (state: StateView) => boolean,
): Promise<StateView> {
  for (;;) {
    const state = await (await fetch(new URL("/api/state", url))).json();
    if (isWanted(state)) return state;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Deno.test("a demo: the master is killed, another takes its place, and the load sees no error", async () => {
  const viewer = new Viewer();
  const ended = start(viewer);
  const [, url] = await viewer.find(/the page +(http:\S+)#token=demo/);
  const first = await stateWhen(
    url,
    ({ groups: [group], router }) =>
      group.nodes.filter(({ linkUp }) => linkUp === true).length === 2 &&
      router!.totals.writes > 20,
  );
  const { master } = first.groups[0];

  viewer.type(`kill ${master.split(":")[1]}`);
  await viewer.find(/was killed\./);
  const second = await stateWhen(
    url,
    ({ groups: [group] }) => group.status === "ok" && group.master !== master,
  );
  assertEquals(second.events.some(({ type }) => type === "+switch-master"), true);
  await stateWhen(url, ({ router }) => router!.totals.writes > second.router!.totals.writes + 20);

  viewer.type(`start ${master}`);
  await stateWhen(url, ({ groups: [group] }) => {
    const old = group.nodes.find(({ address }) => address === master);
    return old?.role === "replica" && old.linkUp === true && old.flags.length === 0;
  });

  viewer.type("kill 7");
  await viewer.find(/There is no server '7'/);
  viewer.type("dance");
  await viewer.find(/'dance' is not known/);
  viewer.type("quit");
  assertEquals(await ended, 0);
  const summary = viewer.printed.at(-1)!;
  assertMatch(summary, /connections lost: 0, stale reads of an own write: 0\.$/);
  // A write that was under way when the master died may have got its one clear error.
  assertMatch(summary, /errors: (none|\d+ [A-Z]+),/);
});

Deno.test("a demo ends when it is interrupted, with or without somebody who types", async () => {
  const viewer = new Viewer();
  viewer.endInput();
  const ended = start(viewer, "--http", "off");
  await viewer.find(/for clients/);
  assertEquals(viewer.printed.some((line) => line.includes("http://")), false);
  viewer.interrupt();
  assertEquals(await ended, 0);
});

Deno.test("a demo ends with its monitor, which SHUTDOWN ends", async () => {
  const viewer = new Viewer();
  const ended = start(viewer, "--http", "off");
  const [, port] = await viewer.find(/client -p (\d+) SENTINEL/);
  using client = await connect({ port: Number(port) });
  client.send("SHUTDOWN").catch(() => {});
  assertEquals(await ended, 0);
});

Deno.test("a demo that can't start says why", async () => {
  const viewer = new Viewer();
  assertEquals(await start(viewer, "--http-bind", "203.0.113.1"), 1);
  assertStringIncludes(viewer.printed.join("\n"), "Could not serve the web page on 203.0.113.1");
});
