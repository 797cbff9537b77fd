import { assertEquals, assertThrows } from "@std/assert";
import {
  COMMON_OPTIONS,
  formatOptions,
  nearestWord,
  type Option,
  parseOptions,
  UsageError,
} from "../../src/runtime/arguments.ts";

const OPTIONS: readonly Option[] = [
  { name: "port", placeholder: "number", summary: "Port" },
  { name: "bind", placeholder: "address", takesMany: true, summary: "Addresses" },
  { name: "dbfilename", aliases: ["dbfile"], placeholder: "file", summary: "File" },
  { name: "no-appendfsync-on-rewrite", placeholder: "yes|no", summary: "No fsync" },
  ...COMMON_OPTIONS,
];

function valuesOf(...args: string[]): Record<string, string> {
  return Object.fromEntries(parseOptions(args, OPTIONS).values);
}

function messageOf(...args: string[]): string {
  return assertThrows(() => parseOptions(args, OPTIONS), UsageError).message;
}

Deno.test("an option's value stands behind a blank or an equals sign, after one dash or two", () => {
  for (
    const args of [["--port", "1"], ["--port=1"], ["-port", "1"], ["-port=1"], ["--PORT", "1"]]
  ) {
    assertEquals(valuesOf(...args), { port: "1" });
  }
});

Deno.test("a value is kept as it was written", () => {
  for (const value of ["007", "1e3", "", "-1", "a=b", "a b", "true", "é", "no-x", "-::1"]) {
    assertEquals(valuesOf("--port", value), { port: value });
    assertEquals(valuesOf(`--port=${value}`), { port: value });
  }
  assertEquals(valuesOf("--port=--x"), { port: "--x" });
});

Deno.test("an option may have several values, up to the next option", () => {
  assertEquals(valuesOf("--bind", "127.0.0.1", "-::1", "--port", "1"), {
    bind: "127.0.0.1 -::1",
    port: "1",
  });
  assertEquals(valuesOf("--bind=127.0.0.1", "::1"), { bind: "127.0.0.1 ::1" });
});

Deno.test("the last of several equal options counts", () => {
  assertEquals(valuesOf("--port", "1", "-port=2"), { port: "2" });
});

Deno.test("an alias sets the option that it stands for", () => {
  assertEquals(valuesOf("-dbfile", "a.rdb"), { dbfilename: "a.rdb" });
  assertEquals([...parseOptions(["-h", "-v"], OPTIONS).switches], ["help", "version"]);
});

Deno.test("a name that begins with no- is a name like others", () => {
  for (const args of [["--no-appendfsync-on-rewrite", "yes"], ["-no-appendfsync-on-rewrite=yes"]]) {
    assertEquals(valuesOf(...args), { "no-appendfsync-on-rewrite": "yes" });
  }
});

Deno.test("what belongs to no option is left over", () => {
  assertEquals(parseOptions(["a", "--port", "1", "2", "--help", "b"], OPTIONS).rest, [
    "a",
    "2",
    "b",
  ]);
});

Deno.test("an unknown option is named, with the one that was meant", () => {
  assertEquals(messageOf("--prot", "1"), "unknown option '--prot'; did you mean '--port'?");
  assertEquals(messageOf("-bnid=1"), "unknown option '-bnid'; did you mean '--bind'?");
  assertEquals(messageOf("--zebra"), "unknown option '--zebra'");
  assertEquals(messageOf("--x"), "unknown option '--x'");
});

Deno.test("a value that is missing or too much is an error", () => {
  assertEquals(messageOf("--port"), "option '--port' needs a value");
  assertEquals(messageOf("-port", "--help"), "option '-port' needs a value");
  assertEquals(messageOf("--help=yes"), "option '--help' takes no value");
});

Deno.test("the nearest word is near", () => {
  const words = ["server", "client", "monitor"];
  assertEquals(nearestWord("sever", words), "server");
  assertEquals(nearestWord("CLIENTS", words), "client");
  assertEquals(nearestWord("montior", words), "monitor");
  assertEquals(nearestWord("sentinel", words), undefined);
  assertEquals(nearestWord("", words), undefined);
  assertEquals(nearestWord("server", []), undefined);
});

Deno.test("the help text aligns what options do", () => {
  assertEquals(
    formatOptions([OPTIONS[0], COMMON_OPTIONS[0]]),
    "  --port <number>  Port\n  --help, -h       Print this help and exit",
  );
});
