/** The command line of `miniredis server`. */

import { assertEquals } from "@std/assert";
import { parseServerArguments } from "../../src/server/command_line.ts";

const isFile = (path: string): boolean => path.endsWith(".conf");

Deno.test("command line: options in every spelling", () => {
  for (
    const [args, options] of [
      [["--port", "1"], [["port", "1"]]],
      [["-port", "1"], [["port", "1"]]],
      [["--PORT=1", "--requirepass="], [["port", "1"], ["requirepass", ""]]],
      [["--slowlog-log-slower-than", "-1"], [["slowlog-log-slower-than", "-1"]]],
      [["--requirepass", "--secret"], [["requirepass", "--secret"]]],
      [["--bind", "127.0.0.1", "-::1", "--port", "1"], [["bind", "127.0.0.1", "-::1"], [
        "port",
        "1",
      ]]],
      [["--save", "900", "1", "--save", "300 10", "--hz", "5"], [
        ["save", "900", "1"],
        ["save", "300", "10"],
        ["hz", "5"],
      ]],
      [["--save", "", "--hz", "5"], [["save", ""], ["hz", "5"]]],
      [["--save", "--hz", "5"], [["save"], ["hz", "5"]]],
      [["--port 1", '--requirepass "a b"'], [["port", "1"], ["requirepass", "a b"]]],
      [["--port", "1", "2"], [["port", "1", "2"]]],
      [["--port", "--loglevel", "x"], [["port", "--loglevel", "x"]]],
      [["--replicaof", "--host", "1"], [["replicaof", "--host", "1"]]],
      [["--proc-title-template", "--save", "--save"], [["proc-title-template", "--save"], [
        "save",
      ]]],
      [["--rename-command", "get", "", "-dbfile", "x"], [["rename-command", "get", ""], [
        "dbfilename",
        "x",
      ]]],
    ] as const
  ) {
    assertEquals<unknown>(parseServerArguments(args, isFile).options, options, args.join(" "));
  }
});

Deno.test("command line: a config file, and the standard input", () => {
  const parse = (...args: string[]) => {
    const { file, readsInput, options } = parseServerArguments(args, isFile);
    return [file, readsInput, options.length];
  };
  assertEquals(parse("redis.conf", "--port", "1", "--save", "1", "1"), ["redis.conf", false, 2]);
  assertEquals(parse("--port", "1", "redis.conf"), ["redis.conf", false, 1]);
  assertEquals(parse("redis.conf", "hz", "5", "--port", "1"), ["redis.conf", false, 2]);
  assertEquals(parse("redis.conf", "-"), ["redis.conf", true, 0]);
  assertEquals(parse("-", "--port", "1"), [undefined, true, 1]);
  assertEquals(parse("--save", "1", "1", "-"), [undefined, true, 1]);
});

Deno.test("command line: what makes no sense", () => {
  for (
    const [args, message] of [
      [["--prot", "1"], "unknown option '--prot'; did you mean '--port'?"],
      [["--port"], "option '--port' needs a value ('port': wrong number of arguments)"],
      [['--port "1'], "unbalanced quotes in '--port \"1'"],
    ] as const
  ) assertEquals(parseServerArguments(args, isFile).problem?.message, message);
});
