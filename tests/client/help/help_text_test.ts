import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ansiHelpStyle, CommandGuide } from "../../../src/client/help/mod.ts";
import { ALL_SPECS } from "../../../src/commands/specs/mod.ts";

const guide = new CommandGuide(ALL_SPECS);

Deno.test("help: a command", () => {
  const { summary } = ALL_SPECS.getex;
  assertEquals(
    guide.help(["GetEx"]),
    "\r\n  GETEX key [EX seconds|PX milliseconds|EXAT unix-time-seconds|" +
      "PXAT unix-time-milliseconds|PERSIST]\r\n" +
      `  summary: ${summary}\r\n  since: 6.2.0\r\n  group: string\r\n\r\n`,
  );
});

Deno.test("help: in redis-cli's colours", () => {
  assertEquals(
    guide.help(["get"], ansiHelpStyle),
    "\r\n  \x1b[1mGET\x1b[0m \x1b[90mkey\x1b[0m\r\n" +
      `  \x1b[33msummary:\x1b[0m ${ALL_SPECS.get.summary}\r\n` +
      "  \x1b[33msince:\x1b[0m 1.0.0\r\n  \x1b[33mgroup:\x1b[0m string\r\n\r\n",
  );
});

/** The names of the commands that a text is about: what is bold. */
function namesIn(text: string): string[] {
  return text.split("\x1b[1m").slice(1).map((piece) => piece.slice(0, piece.indexOf("\x1b")));
}

Deno.test("help: a container with what it holds, or one of them", () => {
  assertEquals(
    namesIn(guide.help(["config"], ansiHelpStyle)),
    ["CONFIG", "CONFIG GET", "CONFIG HELP", "CONFIG RESETSTAT", "CONFIG REWRITE", "CONFIG SET"],
  );
  assertEquals(namesIn(guide.help(["config", "REWRITE"], ansiHelpStyle)), ["CONFIG REWRITE"]);
});

Deno.test("help: a group", () => {
  const text = guide.help(["@HyperLogLog"], ansiHelpStyle);
  assertEquals(namesIn(text), ["PFADD", "PFCOUNT", "PFDEBUG", "PFMERGE", "PFSELFTEST"]);
  assertEquals(text.includes("group:"), false);
});

Deno.test("help: in general, and on the words of the dialogue", () => {
  const general = guide.help([]);
  for (
    const said of ["help <command>", "help @<group>", "connect <hostname> <port>", ":set hints"]
  ) {
    assertStringIncludes(general, `"${said}"`);
  }
  assertMatch(general, /^miniredis client [0-9][^\r]*\n$/s);
  assertEquals(guide.help(["connect"]), general);
  assertEquals(guide.help([":SET"]), general);
});

Deno.test("help: on what there isn't, it says what was meant", () => {
  const cases: [topic: string[], text: string][] = [
    [["gett"], "unknown command 'gett'; did you mean 'GET'?"],
    [["EXPIER"], "unknown command 'EXPIER'; did you mean 'EXPIRE'?"],
    [["xyzzy", "get"], "unknown command 'xyzzy'"],
    [["config", "gte"], "CONFIG has no subcommand 'gte'; did you mean 'GET'?"],
    [["config", "something"], "CONFIG has no subcommand 'something'"],
    [["get", "key"], "GET has no subcommands"],
    [["@hsah"], "unknown group '@hsah'; did you mean '@hash'?"],
    [["constructor"], "unknown command 'constructor'"],
  ];
  for (const [topic, text] of cases) assertEquals(guide.help(topic), `${text}\r\n`);
  assertMatch(guide.help(["@nosuchgroup"]), /the groups are @bitmap, @c.*, @transactions\r\n$/);
});
