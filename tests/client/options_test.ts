import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseClientOptions } from "../../src/client/options.ts";
import { UsageError } from "../../src/runtime/arguments.ts";

const parse = (...args: string[]) =>
  parseClientOptions(args, { password: undefined, forPeople: false });

Deno.test("who says nothing talks to the usual server, raw for programs", () => {
  const settings = parse();
  assertEquals(settings.address, { hostname: undefined, port: undefined, path: undefined });
  assertEquals(settings.words, []);
  assertEquals(settings.database, 0);
  assertEquals(settings.resp, undefined);
  assertEquals(settings.format, "raw");
  assertEquals(settings.showPushes, false);
  assertEquals(settings.repeat, 1);
});

Deno.test("an option has one dash or two, and its value apart or behind an equals sign", () => {
  for (
    const args of [["-p", "6380"], ["--port", "6380"], ["-port", "6380"], ["--port=6380"], [
      "-p=6380",
    ]]
  ) {
    const { address, words } = parse(...args, "get", "-p", "--port");
    assertEquals(address.port, 6380, args.join(" "));
    assertEquals(words, ["get", "-p", "--port"]);
  }
});

Deno.test("the command starts at the first word that is no option's", () => {
  assertEquals(parse("-3", "-h", "::1", "set", "-x", "--raw").words, ["set", "-x", "--raw"]);
  assertEquals(parse("-3", "-h", "::1", "set").address.hostname, "::1");
  assertEquals(parse("").words, [""]);
});

Deno.test("a value may look like an option", () => {
  assertEquals(parse("-a", "--raw", "ping").password, "--raw");
  assertEquals(parse("-r", "-7", "ping").repeat, -1);
});

Deno.test("options that are one letter know its case", () => {
  const settings = parse("-d", ",", "-D", ";", "-X", "tag");
  assertEquals([settings.delimiter, settings.replyDelimiter], [",", ";"]);
  assertEquals(settings.inputArgument, { tag: "tag" });
  assertEquals(parse("-x").inputArgument, "last");
});

Deno.test("passwords: the command line goes first, and is warned about", () => {
  const fromEnvironment = parseClientOptions([], { password: "secret", forPeople: false });
  assertEquals(fromEnvironment.password, "secret");
  assertEquals(fromEnvironment.warnAboutPassword, false);
  const typed = parseClientOptions(["-a", "typed"], { password: "secret", forPeople: false });
  assertEquals(typed.password, "typed");
  assertEquals(typed.warnAboutPassword, true);
  assertEquals(parse("--pass", "x", "--no-auth-warning").warnAboutPassword, false);
  const asked = parseClientOptions(["--askpass", "-a", "typed"], {
    password: "secret",
    forPeople: false,
  });
  assertEquals([asked.askPassword, asked.password], [true, undefined]);
  assertEquals(asked.warnAboutPassword, true);
});

Deno.test("a URI counts as the options for its parts", () => {
  const settings = parse("-u", "redis://us%20er:p%40ss@example.org:6380/3");
  assertEquals(settings.address, { hostname: "example.org", port: 6380, path: undefined });
  assertEquals([settings.username, settings.password], ["us er", "p@ss"]);
  assertEquals(settings.database, 3);
  assertEquals(parse("-u", "redis://secret@h").password, "secret");
  assertEquals(parse("-u", "redis://:secret@h").username, undefined);
  const { address, password } = parse("-u", "redis://u:s@cr@t@h:1/0@x");
  assertEquals([address.hostname, password], ["h", "s@cr@t"]);
  assertEquals(parse("-u", "redis://h/4?x=1").database, 4);
  assertEquals(parse("-u", "REDIS://h").address.hostname, "h");
  assertEquals(parse("-u", "redis://").address.hostname, undefined);
  assert(parse("-u", "rediss://h").tls !== undefined);
  assertEquals(parse("-p", "7000", "-u", "redis://[::1]").address, {
    hostname: "::1",
    port: 7000,
    path: undefined,
  });
  assertThrows(() => parse("-u", "http://localhost"), UsageError, "Invalid URI scheme");
  assertThrows(() => parse("-u", "redis://:x:y"), UsageError, "Invalid URI");
  const mistyped = assertThrows(() => parse("-u", "redis://u:p@ss@host:1x"), UsageError);
  assertEquals(mistyped.message, "Invalid URI 'redis://...@host:1x'");
  assertThrows(() => parse("-u", "redis://a%4@h"), UsageError, "Incomplete URI encoding");
  assertThrows(() => parse("-u", "redis://a%zz@h"), UsageError, "Illegal character");
  assertThrows(() => parse("-u", "redis://a%ff@h"), UsageError, "UTF-8");
});

Deno.test("what a URI says counts as options in its place", () => {
  const settings = parse("-n", "1", "-p", "1", "-u", "redis://:p@h:2/2", "-h", "i", "-n", "3");
  assertEquals(settings.address, { hostname: "i", port: 2, path: undefined });
  assertEquals([settings.database, settings.password], [3, "p"]);
  assertEquals(settings.warnAboutPassword, true);
});

Deno.test("of the formats, the last one counts", () => {
  assertEquals(parse("--raw").format, "raw");
  assertEquals(parse("--no-raw").format, "standard");
  assertEquals(parse("--raw", "--no-raw").format, "standard");
  assertEquals(parse("--show-pushes", "no").showPushes, false);
  assertEquals(parse("--show-pushes", "y").showPushes, true);
  assertEquals([parse("-2").resp, parse("-3").resp], [2, 3]);
});

Deno.test("-h asks for help only where no hostname follows", () => {
  for (const option of ["--help", "-help", "-h"]) assertEquals(parse(option).answer, "help");
  assertEquals(parse("-p", "1", "-h").answer, "help");
  assertEquals(parse("--version").answer, "version");
  assertEquals(parse("-v").answer, "version");
  assertEquals(parse("-h", "host").answer, undefined);
});

Deno.test("what makes no sense is refused, with what may have been meant", () => {
  const cases: [args: string[], message: string][] = [
    [["--foo"], "Unrecognized option or bad number of args for: '--foo'"],
    [["--"], "Unrecognized option or bad number of args for: '--'"],
    [["-"], "Unrecognized option or bad number of args for: '-'"],
    [["-p"], "Unrecognized option or bad number of args for: '-p'"],
    [["--raw=1"], "Unrecognized option or bad number of args for: '--raw=1'"],
    [["--prot", "1"], "did you mean '--port'?"],
    [["--rwa"], "did you mean '--raw'?"],
    [["-p", "abc"], "'abc' is no value for '--port'"],
    [["-p", "70000"], "Invalid server port."],
    [["-r", "x"], "'x' is no value for '-r'"],
    [["-i", "-1"], "'-1' is no value for '-i'"],
    [["-x", "-X", "t"], "Options -x and -X are mutually exclusive."],
    [["-c", "-s", "t"], "Options -c and -s are mutually exclusive."],
    [["-2", "-3"], "Options -2 and -3 are mutually exclusive."],
    [["--rdb", "a", "--functions-rdb", "b"], "--functions-rdb and --rdb are mutually exclusive."],
    [["--cluster"], "--cluster isn't there"],
    [["--cluster", "create"], "--cluster isn't there"],
    [["--eval", "f", "--ldb"], "--ldb isn't there"],
    [["--show-pushes", "maybe"], "Unknown --show-pushes value 'maybe'"],
  ];
  for (const [args, message] of cases) {
    assertThrows(() => parse(...args), UsageError, message, args.join(" "));
  }
});
