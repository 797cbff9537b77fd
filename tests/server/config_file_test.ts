/** Reading configurations: lines, files, and what is wrong with them. */

import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError, readConfigFile } from "../../src/runtime/config_lines.ts";
import { checkConfig } from "../../src/server/config_file.ts";
import { MemoryFiles } from "../support/memory_files.ts";

Deno.test("config file: comments, capitals, and files that are included where it says so", () => {
  const files = new MemoryFiles({
    "/etc/redis.conf": "# first\n\nPort 1\ninclude /etc/redis.d/*.conf\nhz 12\r\n  # last\n",
    "/etc/redis.d/2.conf": "hz 20\n",
    "/etc/redis.d/1.conf": "hz 10\ninclude /etc/none*.conf",
    "/etc/redis.d/.3.conf": "broken",
    "/etc/redis.d/4.txt": "broken",
    "/etc/redis.d/5xconf": "broken",
  });
  const lines = readConfigFile("/etc/redis.conf", files);
  assertEquals(lines.map(({ words, source, number }) => [words.join(" "), source, number]), [
    ["port 1", "/etc/redis.conf", 3],
    ["hz 10", "/etc/redis.d/1.conf", 1],
    ["hz 20", "/etc/redis.d/2.conf", 1],
    ["hz 12", "/etc/redis.conf", 5],
  ]);
  assertEquals(checkConfig(lines, files).settings.number("hz"), 12);
});

Deno.test("config file: lines of `save` add up, and an empty one takes all back", () => {
  const saved = (text: string) => {
    const files = new MemoryFiles({ a: text });
    return checkConfig(readConfigFile("a", files), files).settings.text("save");
  };
  assertEquals(saved("save 900 1\nsave 300 10"), "900 1 300 10");
  assertEquals(saved("save 900 1\nsave ''\nsave 60 5"), "60 5");
  assertEquals(saved("save 900 1\nsave"), "");
  assertEquals(saved("hz 10"), "3600 1 300 100 60 10000");
});

Deno.test("config file: what is wrong is named with file, line, text and reason", () => {
  for (
    const [text, line, shown, reason] of [
      ["port 1\nport x", 2, "port x", "argument couldn't be parsed into an integer"],
      ["# x\n\n  PORT 70000 ", 3, "PORT 70000", "argument must be between 0 and 65535 inclusive"],
      ["prot 1", 1, "prot 1", "Bad directive or wrong number of arguments"],
      ["hz 1 2", 1, "hz 1 2", "wrong number of arguments"],
      ["hz", 1, "hz", "wrong number of arguments"],
      ['hz "1', 1, 'hz "1', "Unbalanced quotes in configuration line"],
      ["include", 1, "include", "Bad directive or wrong number of arguments"],
      ["rename-command get", 1, "rename-command get", "Bad directive or wrong number of arguments"],
      ["rename-command nope x", 1, "rename-command nope x", "No such command in rename-command"],
      ["rename-command get SET", 1, "rename-command get SET", "Target command name already exists"],
      ["save 1", 1, "save 1", "Invalid save parameters"],
      ["cluster-enabled yes", 1, "cluster-enabled yes", "cluster mode is not there yet"],
      ["sentinel x", 1, "sentinel x", "Unrecognized sentinel configuration statement."],
    ] as const
  ) {
    const files = new MemoryFiles({ "/a/redis.conf": text });
    assertThrows(
      () => checkConfig(readConfigFile("/a/redis.conf", files), files),
      ConfigError,
      `
*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***
Reading the configuration file, at line ${line} of /a/redis.conf
>>> '${shown}'
${reason}`,
    );
  }
});

Deno.test("config file: what is refused may be taken back by a later line", () => {
  const files = new MemoryFiles({ a: "daemonize yes\nhz 20\ndaemonize no" });
  assertEquals(checkConfig(readConfigFile("a", files), files).settings.number("hz"), 20);
});

Deno.test("config file: one that isn't there, one that includes itself", () => {
  const files = new MemoryFiles({ a: "include b", b: "include a", c: "include d" });
  const missing = "Fatal error, can't open config file 'd': No such file or directory";
  assertThrows(() => readConfigFile("c", files), ConfigError, missing);
  assertThrows(
    () => readConfigFile("a", files),
    ConfigError,
    "Files include each other too deeply",
  );
});

Deno.test("config file: commands get other names, or none", () => {
  const files = new MemoryFiles({
    a: "rename-command GET fetch\nrename-command SET get\nrename-command flushall ''\n" +
      "rename-command FETCH again",
  });
  const { renamed } = checkConfig(readConfigFile("a", files), files);
  assertEquals(Object.fromEntries(renamed), { get: "again", set: "get", flushall: "" });
});
