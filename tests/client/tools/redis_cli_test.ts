/** The tools beside redis-cli, on the same servers: what programs read is the same, byte for byte. */

import { assertEquals, assertMatch } from "@std/assert";
import { runClient } from "../../../src/client/cli.ts";
import { type Client, connect } from "../../../src/client/mod.ts";
import { latin1Bytes, latin1Text } from "../../../src/client/quoting.ts";
import { startReferenceRedis } from "../../support/reference_redis.ts";
import { FakeTerminal } from "../fake_terminal.ts";
import { withServer } from "../own_server.ts";
import { ScriptedServer } from "../scripted_server.ts";
import { bulk, ImpatientTerminal, scanned, simple } from "./tool_run.ts";

/** What a run left behind. */
interface Outcome {
  code: number;
  output: string;
}

/** Whether there is a redis-cli; says why if there is none. */
async function hasRedisCli(): Promise<boolean> {
  try {
    const { stdout } = await new Deno.Command("redis-cli", { args: ["--version"] }).output();
    const version = new TextDecoder().decode(stdout);
    if (version.includes("redis-cli 7.0.15")) return true;
    console.log(`not compared with redis-cli: it is not 7.0.15 here, but ${version.trim()}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log("not compared with redis-cli: there is none here");
  }
  return false;
}

async function runRedisCli(args: readonly string[]): Promise<Outcome & { errors: string[] }> {
  const { code, stdout, stderr } = await new Deno.Command("redis-cli", {
    args: [...args],
    stdin: "null",
  }).output();
  const errors = latin1Text(stderr).split("\n").filter((line) => line !== "");
  return { code, output: latin1Text(stdout), errors };
}

/** The first bytes that an endless redis-cli prints. */
async function startOfRedisCli(args: readonly string[], size: number): Promise<string> {
  const process = new Deno.Command("redis-cli", {
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let output = "";
  for await (const bytes of process.stdout) {
    output += latin1Text(bytes);
    if (output.length >= size) break;
  }
  process.kill("SIGKILL");
  await process.status;
  return output.slice(0, size);
}

async function runOurs(args: string[]): Promise<Outcome & { errors: string[] }> {
  const terminal = new FakeTerminal();
  const code = await runClient(args, terminal);
  return { code, output: terminal.output, errors: terminal.errors };
}

/** The first bytes that ours prints until somebody has enough. */
async function startOfOurs(args: string[], size: number): Promise<string> {
  const terminal = new ImpatientTerminal(size);
  await runClient(args, terminal);
  return terminal.output.slice(0, size);
}

/** Keys of all types, with all sorts of names; a database with none, with one and with two. */
async function fill(client: Client): Promise<void> {
  for (let index = 0; index < 400; index++) {
    const name = index % 3 === 0 ? `key:${index}` : `${index}:\xff"\n ${"k".repeat(index % 50)}`;
    const key = latin1Bytes(name);
    const elements = Array.from({ length: index * 7 % 31 + 1 }, (_, place) => `e${place}`);
    switch (index % 7) {
      case 0:
        await client.command("RPUSH", key, ...elements);
        break;
      case 1:
        await client.command("SADD", key, ...elements);
        break;
      case 2:
        await client.command("HSET", key, ...elements.flatMap((element) => [element, "value"]));
        break;
      case 3:
        await client.command("ZADD", key, ...elements.flatMap((element) => [index, element]));
        break;
      case 4:
        for (const element of elements) await client.command("XADD", key, "*", element, "value");
        break;
      default:
        await client.command("SET", key, "x".repeat(index * 13 % 97));
    }
  }
  await client.command("SELECT", 3);
  await client.command("SET", "only", "one");
  await client.command("SELECT", 4);
  await client.command("SET", "one", "");
  await client.command("RPUSH", "two", "a", "b");
  await client.command("SELECT", 0);
}

const COMPARED: readonly string[][] = [
  ["--scan"],
  ["--scan", "--no-raw"],
  ["--scan", "--csv"],
  ["--scan", "--json"],
  ["--scan", "-3", "-i", "0.0001"],
  ["--scan", "-n", "4"],
  ["--scan", "--pattern", "*7*"],
  ["--scan", "--pattern", "nothing"],
  ["--scan", "--quoted-pattern", '"*\\xff\\"\\n*"'],
  ["--bigkeys"],
  ["--bigkeys", "-3", "-i", "0.0001"],
  ["--bigkeys", "--pattern", "key:*"],
  ["--bigkeys", "--pattern", "nothing"],
  ["--bigkeys", "-n", "2"],
  ["--bigkeys", "-n", "3"],
  ["--bigkeys", "-n", "4"],
  ["--memkeys"],
  ["--memkeys", "-n", "3"],
  ["--memkeys-samples", "2"],
  ["--memkeys", "--memkeys-samples", "0", "--quoted-pattern", '"key:1*"'],
  ["--hotkeys", "-n", "2"],
];

/** Compares on a server, whose place is given as options. */
async function compare(place: string[], client: Client): Promise<void> {
  await fill(client);
  for (const options of COMPARED) {
    const { code, output } = await runOurs([...place, ...options]);
    const theirs = await runRedisCli([...place, ...options]);
    assertEquals({ code, output }, { code: theirs.code, output: theirs.output }, options.join(" "));
  }
  const refused = await runOurs([...place, "--hotkeys"]);
  assertEquals(refused, await runRedisCli([...place, "--hotkeys"]));
  assertEquals(refused.code, 1);

  await client.command("CONFIG", "SET", "lfu-decay-time", 0);
  await client.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu");
  for (let index = 0; index < 5000; index++) {
    client.send("GET", `key:${Math.floor(Math.random() ** 4 * 40) * 3}`);
  }
  await client.command("PING");
  for (const options of [["--hotkeys"], ["--hotkeys", "--pattern", "key:*"]]) {
    const ours = await runOurs([...place, ...options]);
    assertEquals(ours, await runRedisCli([...place, ...options]), options.join(" "));
    assertMatch(ours.output, /hot key found with counter: \d+\tkeyname: "key:/);
  }
}

Deno.test("what is found in Redis is told as redis-cli tells it", async () => {
  if (!await hasRedisCli()) return;
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  const place = ["-s", redis.path];
  using client = await connect({ path: redis.path });
  await compare(place, client);

  await client.command("ACL", "SETUSER", "sizeless", "on", ">secret", "~*", "+@all", "-strlen");
  await client.command("ACL", "SETUSER", "typeless", "on", ">secret", "~*", "+@all", "-type");
  await client.command("ACL", "SETUSER", "scanless", "on", ">secret", "~*", "+@all", "-scan");
  await client.command("ACL", "SETUSER", "blind", "on", ">secret", "+@all");
  for (const user of ["sizeless", "typeless", "scanless", "blind"]) {
    for (const tool of ["--bigkeys", "--scan"]) {
      const args = [...place, "--user", user, "--pass", "secret", "--no-auth-warning", tool];
      const ours = await runOurs(args);
      const theirs = await runRedisCli(args);
      assertEquals([ours.code, ours.output], [theirs.code, theirs.output], `${user} ${tool}`);
      // Names of keys aren't quoted there, and may go on in a new line.
      const warnings = theirs.errors.filter((line) => line.startsWith("Warning: "));
      const expected = theirs.code === 0 ? warnings.length : 1;
      assertEquals(ours.errors.length, expected, `${user} ${tool}`);
    }
  }
});

Deno.test("what is found in our own server is told as redis-cli tells it", async () => {
  if (!await hasRedisCli()) return;
  await withServer(async (port) => {
    using client = await connect({ port });
    await compare(["-p", `${port}`], client);
  });
});

/** A server whose keys come in two batches, and change while they are looked at. */
function answerChanging(words: string[]): string {
  const key = words.at(-1)!;
  switch (words[0]) {
    case "DBSIZE":
      return ":7\r\n";
    case "SCAN":
      return words[1] === "0"
        ? scanned(9, ["gone", "changed", "fine", "late"])
        : scanned(0, ["empty", "bigger", "nil"]);
    case "TYPE":
      return simple(key === "gone" ? "none" : key === "fine" ? "zset" : "list");
    case "OBJECT":
      return key === "gone" || key === "nil" ? "$-1\r\n" : `:${key.length}\r\n`;
    default:
      if (key === "changed") return "-WRONGTYPE it is a string now\r\n";
      return key === "nil" ? "$-1\r\n" : `:${key === "empty" ? 0 : key.charCodeAt(0)}\r\n`;
  }
}

Deno.test("what is found of keys that change meanwhile is told as redis-cli tells it", async () => {
  if (!await hasRedisCli()) return;
  await using server = new ScriptedServer(answerChanging);
  for (const tool of ["--bigkeys", "--memkeys", "--hotkeys"]) {
    const args = ["-p", `${server.port}`, tool];
    const { code, output, errors } = await runOurs(args);
    const theirs = await runRedisCli(args);
    assertEquals([code, output], [theirs.code, theirs.output], tool);
    assertEquals(errors.length, theirs.errors.length, tool);
  }
});

/** What redis-cli and ours print first, each against a server of its own that answers so. */
async function startsOf(
  options: readonly string[],
  size: number,
  makeAnswer: () => () => string,
): Promise<[ours: string, theirs: string]> {
  await using ourServer = new ScriptedServer(makeAnswer());
  await using theirServer = new ScriptedServer(makeAnswer());
  return await Promise.all([
    startOfOurs(["-p", `${ourServer.port}`, ...options], size),
    startOfRedisCli(["-p", `${theirServer.port}`, ...options], size),
  ]);
}

Deno.test("the lines about a server are redis-cli's", async () => {
  if (!await hasRedisCli()) return;
  const [ours, theirs] = await startsOf(["--stat", "-i", "0.0001"], 4096, () => {
    let number = 1;
    return () => {
      number = number * 5 % 10_007;
      const fields: Record<string, number | string> = {
        connected_clients: number % 1000,
        blocked_clients: number % 7,
        used_memory: number ** 3,
        loading: number % 11 === 0 ? 1 : 0,
        rdb_bgsave_in_progress: number % 11 !== 0 && number % 2 === 0 ? 1 : 0,
        aof_rewrite_in_progress: number % 11 !== 0 && number % 3 === 0 ? 1 : 0,
        total_connections_received: number * 100,
        total_commands_processed: number * 1000,
        db0: `keys=${number},expires=0,avg_ttl=0`,
        db7: `keys=${number * 3},expires=0,avg_ttl=0`,
      };
      return bulk(Object.entries(fields).map(([name, value]) => `${name}:${value}\r\n`).join(""));
    };
  });
  assertEquals(ours, theirs);
});

/** Text with a sign in the place of each number. */
function shapeOf(text: string): string {
  return text.replace(/\d+/g, "N");
}

/** The different parts that a text consists of, without their numbers; the last one may be cut. */
function shapesOf(text: string, separator: string): string[] {
  const parts = text.split(separator).slice(0, -1);
  return [...new Set(parts.map(shapeOf))].toSorted();
}

Deno.test("latencies have the form of redis-cli's", async () => {
  if (!await hasRedisCli()) return;
  await using server = new ScriptedServer(() => simple("PONG"));
  const place = ["-p", `${server.port}`];
  for (const format of ["--raw", "--csv", "--json"]) {
    const args = [...place, "--latency", format, "-i", "0.05"];
    const [ours, theirs] = [await runOurs(args), await runRedisCli(args)];
    assertEquals([ours.code, shapeOf(ours.output)], [theirs.code, shapeOf(theirs.output)], format);
  }

  const clearLine = "\x1b[0G\x1b[2K";
  const endless: [options: string[], size: number, separator: string][] = [
    [["--latency", "--no-raw"], 200, clearLine],
    [["--latency-history", "--no-raw", "-i", "0.03"], 900, clearLine],
    // So much redis-cli gathers before it writes anything to a program.
    [["--latency-history", "--csv", "-i", "0.03"], 4096, "\n"],
    [["--latency-dist", "-i", "0.02"], 4000, "\n"],
    [["--latency-dist", "-i", "0.02", "--mono"], 4000, "\n"],
  ];
  for (const [options, size, separator] of endless) {
    const answer = () => () => simple("PONG");
    const [ours, theirs] = await startsOf(options, size, answer);
    assertEquals(shapesOf(ours, separator), shapesOf(theirs, separator), options.join(" "));
    // What stands in front of the first measurement is always the same.
    const heading = ours.slice(0, ours.indexOf("\x1b[38;5;0m"));
    if (options[0] === "--latency-dist") assertEquals(theirs.slice(0, heading.length), heading);
  }
});

Deno.test("the machine's latency has the form of redis-cli's", async () => {
  if (!await hasRedisCli()) return;
  const args = ["--intrinsic-latency", "1"];
  const [ours, theirs] = [await runOurs(args), await runRedisCli(args)];
  assertEquals(ours.code, theirs.code);
  assertEquals(shapesOf(ours.output, "\n"), shapesOf(theirs.output, "\n"));
});
