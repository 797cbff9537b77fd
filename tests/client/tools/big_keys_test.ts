import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FakeTerminal } from "../fake_terminal.ts";
import type { Answer } from "../scripted_server.ts";
import { runTool, scanned, simple } from "./tool_run.ts";

const HEADING = `
# Scanning the entire keyspace to find biggest keys as well as
# average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec
# per 100 SCAN commands (not usually needed).

`;

/** Keys with what the server answers about them: to TYPE, and to the command that measures. */
type Keys = Readonly<Record<string, readonly [type: string, size: string]>>;

/** A server with these keys, a few of them in each batch. */
function serverOf(keys: Keys, batchSize = 2): (words: string[]) => Answer {
  const names = Object.keys(keys);
  return (words) => {
    const name = words[0] === "MEMORY" ? words[2] : words[1];
    switch (words[0]) {
      case "DBSIZE":
        return `:${names.length}\r\n`;
      case "SCAN": {
        const end = Number(name) + batchSize;
        return scanned(end < names.length ? end : 0, names.slice(Number(name), end));
      }
      case "TYPE":
        return keys[name][0];
      default:
        return keys[name][1];
    }
  };
}

const SOME_KEYS: Keys = {
  s1: [simple("string"), ":10\r\n"],
  "l\n1": [simple("list"), ":3\r\n"],
  s2: [simple("string"), ":5\r\n"],
  h1: [simple("hash"), ":1\r\n"],
  s3: [simple("string"), ":300\r\n"],
};

Deno.test("the biggest keys, as they are found and at the end", async () => {
  const result = await runTool(["--bigkeys"], serverOf(SOME_KEYS));
  assertEquals(
    result.output,
    `${HEADING}\
[00.00%] Biggest string found so far '"s1"' with 10 bytes
[00.00%] Biggest list   found so far '"l\\n1"' with 3 items
[40.00%] Biggest hash   found so far '"h1"' with 1 fields
[80.00%] Biggest string found so far '"s3"' with 300 bytes

-------- summary -------

Sampled 5 keys in the keyspace!
Total key length in bytes is 11 (avg len 2.20)

Biggest   list found '"l\\n1"' has 3 items
Biggest   hash found '"h1"' has 1 fields
Biggest string found '"s3"' has 300 bytes

1 lists with 3 items (20.00% of keys, avg size 3.00)
1 hashs with 1 fields (20.00% of keys, avg size 1.00)
3 strings with 315 bytes (60.00% of keys, avg size 105.00)
0 streams with 0 entries (00.00% of keys, avg size 0.00)
0 sets with 0 members (00.00% of keys, avg size 0.00)
0 zsets with 0 members (00.00% of keys, avg size 0.00)
`,
  );
  assertEquals([result.code, result.errors], [0, []]);
});

Deno.test("what is known of a batch, and the keys of the next, are asked for together", async () => {
  const { commands } = await runTool(["--bigkeys"], serverOf(SOME_KEYS));
  assertEquals(commands, [
    "DBSIZE",
    "SCAN 0",
    ...["TYPE s1", "TYPE l\n1", "SCAN 2"],
    ...["STRLEN s1", "LLEN l\n1", "TYPE s2", "TYPE h1", "SCAN 4"],
    ...["STRLEN s2", "HLEN h1", "TYPE s3"],
    ...["STRLEN s3"],
  ]);
});

Deno.test("memory instead of elements, by all or by some of the elements", async () => {
  const module: Keys = { m: [simple("acme-tree"), ":77\r\n"], ...SOME_KEYS };
  const { commands, output } = await runTool(["--memkeys"], serverOf(module));
  assert(commands.includes("MEMORY USAGE m"));
  assertStringIncludes(output, `[00.00%] Biggest acme-tree found so far '"m"' with 77 bytes\n`);
  assertStringIncludes(output, `Biggest acme-tree found '"m"' has 77 bytes\n`);
  assertStringIncludes(output, "1 lists with 3 bytes (16.67% of keys, avg size 3.00)\n");

  const sampled = await runTool(["--memkeys-samples", "3"], serverOf(SOME_KEYS));
  assert(sampled.commands.includes("MEMORY USAGE s1 SAMPLES 3"));
});

Deno.test("the types of modules have no elements", async () => {
  const module: Keys = { m: [simple("acme-tree"), ":77\r\n"], ...SOME_KEYS };
  const { commands, output } = await runTool(["--bigkeys"], serverOf(module));
  assertEquals(commands.filter((command) => command.endsWith(" m")), ["TYPE m"]);
  assert(output.endsWith("1 acme-trees with 0 ? (16.67% of keys, avg size 0.00)\n"), output);
});

Deno.test("keys that vanish or change their type meanwhile", async () => {
  const result = await runTool(
    ["--bigkeys"],
    serverOf({
      gone: [simple("none"), ":0\r\n"],
      changed: [simple("list"), "-WRONGTYPE it is a string\r\n"],
      late: [simple("string"), "$-1\r\n"],
      fine: [simple("set"), ":2\r\n"],
    }),
  );
  assertEquals(result.code, 0);
  assertEquals(result.errors, [
    'Warning: LLEN of "changed" failed: WRONGTYPE it is a string',
    'Warning: STRLEN of "late" failed: it is gone',
  ]);
  assertStringIncludes(result.output, "Sampled 3 keys in the keyspace!\n");
  assertStringIncludes(result.output, "1 lists with 0 items (33.33% of keys, avg size 0.00)\n");
  assertStringIncludes(result.output, "1 sets with 2 members");
});

Deno.test("an empty database", async () => {
  const result = await runTool(["--bigkeys", "--pattern", "no*"], serverOf({}));
  assertEquals(result.commands, ["DBSIZE", "SCAN 0 MATCH no*"]);
  assertStringIncludes(
    result.output,
    `summary -------

Sampled 0 keys in the keyspace!
Total key length in bytes is 0 (avg len 0.00)


0 hashs with`,
  );
});

Deno.test("keys that come while nobody had counted any", async () => {
  const answer = serverOf(SOME_KEYS);
  const { output } = await runTool(
    ["--bigkeys"],
    (words) => words[0] === "DBSIZE" ? ":0\r\n" : answer(words),
  );
  assertStringIncludes(output, "[00.00%] Biggest string found so far '\"s3\"'");
});

Deno.test("what the server refuses is said in a line", async () => {
  const refusing = (command: string, answer: Answer) => (words: string[]): Answer =>
    words[0] === command ? answer : serverOf(SOME_KEYS)(words);
  const cases: [command: string, answer: Answer, error: string][] = [
    ["DBSIZE", "-NOAUTH log in\r\n", "Couldn't determine DBSIZE: NOAUTH log in"],
    ["SCAN", "-NOPERM no\r\n", "SCAN error: NOPERM no"],
    ["DBSIZE", "+5\r\n", "Couldn't determine DBSIZE: the answer is no number"],
    ["TYPE", ":5\r\n", "Couldn't determine the TYPE of a key: the answer is no status"],
    ["TYPE", "-NOPERM no\r\n", "Couldn't determine the TYPE of a key: NOPERM no"],
    ["TYPE", "close", "Error: Server closed the connection"],
    ["STRLEN", "close", "Error: Server closed the connection"],
  ];
  for (const [command, answer, error] of cases) {
    const result = await runTool(["--bigkeys"], refusing(command, answer));
    assertEquals([result.code, result.errors], [1, [error]]);
    assertEquals(result.output, command === "DBSIZE" ? "" : HEADING);
  }
});

Deno.test("Ctrl-C prints the summary of what was found", async () => {
  const terminal = new FakeTerminal();
  const answer = serverOf(SOME_KEYS);
  const result = await runTool(["--bigkeys"], (words) => {
    if (words[0] === "HLEN") assert(terminal.interrupt());
    return answer(words);
  }, terminal);
  assertEquals(result.code, 0);
  assertStringIncludes(result.output, "\n[40.00%] Sampled 4 keys in the keyspace!\n");
});

Deno.test("it rests after a hundred batches, but not when the user has enough", async () => {
  const keys = Array.from({ length: 150 }, (_, index) => [`key${index}`, SOME_KEYS.s1] as const);
  const terminal = new FakeTerminal();
  const answer = serverOf(Object.fromEntries(keys), 1);
  const result = await runTool(["--bigkeys", "-i", "1000000"], (words) => {
    // This leaves with what completes the batch before.
    if (words[1] === "key100" && words[0] === "TYPE") setTimeout(() => terminal.interrupt(), 0);
    return answer(words);
  }, terminal);
  assertStringIncludes(result.output, "\n[66.00%] Sampled 100 keys in the keyspace!\n");
  assertEquals(result.code, 0);
});

Deno.test("on a terminal, the progress makes room for what is found", async () => {
  const terminal = new FakeTerminal();
  terminal.outputIsTerminal = terminal.errorIsTerminal = true;
  const { output } = await runTool(["--bigkeys"], serverOf(SOME_KEYS), terminal);
  assertEquals(output, (await runTool(["--bigkeys"], serverOf(SOME_KEYS))).output);
});
