/** The command line of `miniredis monitor`. */

import { assertEquals, assertThrows } from "@std/assert";
import { parseMonitorArguments } from "../../../src/monitor/config/command_line.ts";
import { UsageError } from "../../../src/runtime/arguments.ts";

const directives = (...args: readonly string[]) =>
  parseMonitorArguments(args).directives.map((words) => words.join(" "));

Deno.test("monitor's command line: a config file, and settings in any spelling", () => {
  const parsed = parseMonitorArguments(["a.conf", "--port", "7000", "-read-from=any"]);
  assertEquals(parsed.file, "a.conf");
  assertEquals(parsed.directives, [["port", "7000"], ["read-from", "any"]]);
  assertEquals(directives("--bind", "127.0.0.1", "::1", "--port=1"), [
    "port 1",
    "bind 127.0.0.1 ::1",
  ]);
  assertEquals(directives("--nodes", "a:1,b:2", "c:3"), ["nodes a:1,b:2 c:3"]);
  assertEquals(parseMonitorArguments(["--port", "1", "a.conf"]).file, "a.conf");
  assertEquals(parseMonitorArguments([]), { file: undefined, isDemo: false, directives: [] });
});

Deno.test("monitor's command line: --http alone means the usual port", () => {
  assertEquals(directives("--http"), ["http 8080"]);
  assertEquals(directives("-http", "--port", "1"), ["port 1", "http 8080"]);
  assertEquals(directives("--http", "9000"), ["http 9000"]);
  assertEquals(directives("--http=9000"), ["http 9000"]);
});

Deno.test("monitor's command line: help, version, and the demonstration", () => {
  assertEquals(parseMonitorArguments(["--help"]).answer, "help");
  assertEquals(parseMonitorArguments(["-v"]).answer, "version");
  assertEquals(parseMonitorArguments(["--demo", "--http"]).isDemo, true);
});

Deno.test("monitor's command line: what makes no sense is said", () => {
  for (
    const [args, message] of [
      [["--prot", "1"], "unknown option '--prot'; did you mean '--port'?"],
      [["--nodse=a:1"], "unknown option '--nodse'; did you mean '--nodes'?"],
      [["--port"], "option '--port' needs a value"],
      [["--demo=yes"], "option '--demo' takes no value"],
      [["a", "b"], "'b' is one config file too many"],
      [["a", "--nodes", "b:1"], "option '--nodes' can't stand beside a config file"],
      [["a", "--quorum", "2"], "option '--quorum' can't stand beside a config file"],
      [["a", "--state", "b"], "option '--state' can't stand beside a config file"],
      [["a", "--demo"], "option '--demo' has nodes of its own"],
      [["--nodes", "b:1", "--demo"], "option '--demo' has nodes of its own"],
    ] as const
  ) assertThrows(() => parseMonitorArguments(args), UsageError, message);
});
