/**
 * A demo with nobody in front of it.
 *
 * @module
 */

import { parseMonitorArguments } from "../../src/monitor/config/command_line.ts";
import { type DemoTerminal, runDemo } from "../../src/monitor/demo/demo.ts";

const ANY_PORTS = ["--port", "0", "--sentinel-port", "0", "--http", "0"];

/** A demo on ports of the system's choice. */
export interface RunningDemo extends AsyncDisposable {
  /** The address of its page, with the token. */
  readonly url: string;
}

/**
 * Starts a demo, and waits until it says where its page is.
 *
 * @param ports Options that say which ports it uses.
 */
export async function runDemoQuietly(ports: readonly string[] = ANY_PORTS): Promise<RunningDemo> {
  const { promise: found, resolve: find } = Promise.withResolvers<string>();
  let interrupt = () => {};
  const terminal: DemoTerminal = {
    lines: new ReadableStream(),
    print: (line) => {
      const match = line.match(/the page +(http:\S+)/);
      if (match !== null) find(match[1]);
    },
    log: () => {},
    onInterrupt: (handler) => {
      interrupt = handler;
      return () => {};
    },
  };
  const ended = runDemo(parseMonitorArguments(["--demo", ...ports]), terminal);
  const url = await Promise.race([
    found,
    ended.then(() => Promise.reject(new Error("The demo has ended before it began"))),
  ]);
  return {
    url,
    async [Symbol.asyncDispose]() {
      interrupt();
      await ended;
    },
  };
}
