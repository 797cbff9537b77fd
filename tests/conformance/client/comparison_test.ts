/**
 * redis-cli and ours, with the same command lines, against the same servers.
 *
 * `PROCESSES=1` has all of ours run as processes, too, which takes some minutes.
 */

import { assert } from "@std/assert";
import { type ReferenceRedis, startReferenceRedis } from "../../support/reference_redis.ts";
import { seededRandom, testSeed } from "../../support/random.ts";
import { referenceTool } from "../../support/reference_tool.ts";
import { type Answer, ScriptedServer } from "../../client/scripted_server.ts";
import {
  type CommandLine,
  describeDifference,
  type RunCommandLine,
  runOurProgram,
  runOurs,
  runRedisCli,
  type Traces,
} from "./command_line.ts";
import { commandLines, DATA } from "./command_lines.ts";
import { randomLine, randomOptions, randomReply } from "./random_input.ts";
import { FORMATS, REPLIES } from "./replies.ts";

/** Some of the command lines are tried with a process of ours. */
const LINES_PER_PROCESS = 45;

const RANDOM_REPLIES = 500;

const RANDOM_LINES = 2000;

const RANDOM_OPTIONS = 200;

/** No command line takes so long. */
const LIMIT_SECONDS = 10;

/** A difference that many lines have is shown a few times only. */
const SHOWN_DIFFERENCES = 12;

/** Whether there is a redis-cli to compare with; says why not. */
async function hasRedisCli(): Promise<boolean> {
  if (Deno.build.os === "windows") {
    console.log("not compared with redis-cli: there is none on Windows");
    return false;
  }
  return (await referenceTool("redis-cli", ["--version"]))?.code === 0;
}

/** Compares what both do with each line; each is run where `prepare` has made things ready. */
async function compare(
  lines: readonly CommandLine[],
  ours: RunCommandLine,
  prepare: (line: CommandLine) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const differences: string[] = [];
  for (const line of lines) {
    await prepare(line);
    const theirs = await within(runRedisCli, line);
    await prepare(line);
    const difference = describeDifference(line, theirs, await within(ours, line));
    if (difference !== undefined) differences.push(difference);
  }
  assert(
    differences.length === 0,
    `${differences.length} of ${lines.length} command lines differ:\n` +
      differences.slice(0, SHOWN_DIFFERENCES).join("\n"),
  );
}

/** Runs a line; one that doesn't come to its end is named. */
async function within(run: RunCommandLine, line: CommandLine): Promise<Traces> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`it hangs: ${JSON.stringify(line)}`)),
    LIMIT_SECONDS * 1000,
  );
  try {
    return await Promise.race([run(line), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function some(lines: readonly CommandLine[]): CommandLine[] {
  return lines.filter((_, index) => Deno.env.has("PROCESSES") || index % LINES_PER_PROCESS === 0);
}

/** Puts the server's data in order, if the line before may have changed them. */
function keeperOf(redis: ReferenceRedis): (line: CommandLine) => Promise<void> {
  let isFresh = false;
  return async (line) => {
    if (!isFresh) { for (const command of DATA) await redis.ask(...command); }
    isFresh = line.changes !== true;
  };
}

Deno.test("commands, options and input against a real server", async () => {
  if (!await hasRedisCli()) return;
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  const scriptFile = await Deno.makeTempFile({ suffix: ".lua" });
  try {
    await Deno.writeTextFile(scriptFile, "return {KEYS, ARGV, #KEYS, 'é'}");
    const lines = commandLines(scriptFile)
      .map((line) => ({ ...line, args: ["-s", redis.path, ...line.args] }))
      // A socket has no cluster around it, which is said if both are named.
      .filter(({ args }) => !args.includes("-u"));
    assert(lines.length >= 400);
    await compare(lines, runOurs, keeperOf(redis));
    await compare(some(lines), runOurProgram, keeperOf(redis));
    console.log(`${lines.length} command lines compared`);
  } finally {
    await Deno.remove(scriptFile);
  }
});

Deno.test("replies of every shape in every format", async () => {
  if (!await hasRedisCli()) return;
  await using server = new ScriptedServer(([command, name]) =>
    command === "reply" ? REPLIES.get(name)! : "+OK\r\n"
  );
  const lines = [...REPLIES.keys()].flatMap((name) =>
    FORMATS.map((format) => ({ args: ["-p", `${server.port}`, format, "reply", name] }))
  );
  await compare(lines, runOurs);
  await compare(some(lines), runOurProgram);
  console.log(`${lines.length} command lines compared`);
});

Deno.test("random replies in every format", async () => {
  if (!await hasRedisCli()) return;
  const random = seededRandom(testSeed("random replies"));
  const replies = Array.from({ length: RANDOM_REPLIES }, () => randomReply(random));
  await using server = new ScriptedServer(([command, index]) =>
    command === "reply" ? replies[Number(index)] : "+OK\r\n"
  );
  // One line of input for each of them: a process for each would take a minute.
  const input = replies.map((_, index) => `reply ${index}\n`).join("");
  const lines: CommandLine[] = FORMATS.map((format) => ({
    args: ["-p", `${server.port}`, format, "-D", "\n--\n"],
    input,
  }));
  await compare(lines, runOurs);
});

Deno.test("random lines are taken apart alike", async () => {
  if (!await hasRedisCli()) return;
  const random = seededRandom(testSeed("random lines"));
  await using server = new ScriptedServer((words) => {
    const text = JSON.stringify(words);
    return `$${text.length}\r\n${text}\r\n`;
  });
  const input = Array.from({ length: RANDOM_LINES }, () => randomLine(random) + "\n").join("");
  await compare([{ args: ["-p", `${server.port}`], input }], runOurs);
});

Deno.test("random options", async () => {
  if (!await hasRedisCli()) return;
  const random = seededRandom(testSeed("random options"));
  // The reply tells all that has been asked: passwords, databases, protocols.
  await using server: ScriptedServer = new ScriptedServer(([command, ...args]): Answer => {
    const isRefused = command === "fail" || args.some((word) => word === "wrong" || word === "99");
    if (isRefused) return "-ERR no\r\n";
    if (/^(auth|select|hello)$/i.test(command)) return "+OK\r\n";
    const words = server.commands.map((command) => `+${command.join(" ")}\r\n`);
    return `*${words.length}\r\n${words.join("")}`;
  });
  const lines = Array.from({ length: RANDOM_OPTIONS }, (): CommandLine => ({
    args: randomOptions(random, server.port),
    input: "from input",
  }));
  await compare(lines, runOurs, () => {
    server.commands.length = 0;
    return Promise.resolve();
  });
});

/** A server that does what no Redis does when asked. */
function misbehave([command, ...args]: string[]): Answer {
  switch (command.toLowerCase()) {
    case "close":
      return "close";
    case "half":
      return { lastWords: "$10\r\nabc" };
    case "push":
      return ">2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n+OK\r\n";
    case "flushed":
      return ">2\r\n$10\r\ninvalidate\r\n_\r\n>2\r\n+other\r\n:1\r\n+OK\r\n";
    case "subscribe":
      return {
        lastWords: `*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n` +
          `*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nh\n\r\n`,
      };
    case "ssubscribe":
      return {
        lastWords: `>3\r\n$10\r\nssubscribe\r\n$1\r\nc\r\n:1\r\n` +
          `>3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n`,
      };
    case "psubscribe":
      return "-ERR no patterns\r\n";
    case "monitor":
      return { lastWords: `+OK\r\n+1.5 [0 1.2.3.4:5] "get" "a"\r\n` };
    case "shutdown":
      return args.length > 0 ? "-ERR can't\r\n" : "close";
    case "hello":
      return "-ERR unknown command 'HELLO'\r\n";
    case "auth":
      return args.includes("right") ? "+OK\r\n" : "-WRONGPASS no\r\n";
    case "select":
      return args[0] === "1" ? "-NOAUTH first\r\n" : "+OK\r\n";
  }
  return `$${args.join(" ").length}\r\n${args.join(" ")}\r\n`;
}

Deno.test("servers that close, push, refuse and send on", async () => {
  if (!await hasRedisCli()) return;
  await using server = new ScriptedServer(misbehave);
  await using owner = new ScriptedServer(([command]) =>
    command === "NOWHERE" ? "-MOVED 1 127.0.0.1:1\r\n" : `+${command} from the owner\r\n`
  );
  await using node = new ScriptedServer(([command, kind]) =>
    kind === undefined ? `+${command} from the node\r\n` : `-${kind} 7 127.0.0.1:${owner.port}\r\n`
  );
  const [at, atNode] = [server, node].map(({ port }) => ["-p", `${port}`]);
  const uri = (text: string) => text.replace("PORT", `${server.port}`);
  const lines: CommandLine[] = [
    ...[["close"], ["half"], ["shutdown"], ["shutdown", "x"], ["monitor"], ["subscribe", "c"]],
    ...[["psubscribe", "c"], ["push"], ["flushed"], ["-3", "x", "y"], ["--json", "x", "y"]],
    ...[["--show-pushes", "yes", "push"], ["--show-pushes", "yes", "flushed"]],
    ...[["--show-pushes", "y", "--no-raw", "push"], ["--show-pushes", "y", "--csv", "flushed"]],
    ...[["--no-raw", "monitor"], ["--csv", "monitor"], ["--no-raw", "subscribe", "c"]],
    ...[["--csv", "subscribe", "c"], ["--json", "subscribe", "c"], ["ssubscribe", "c"]],
    ...[["--no-raw", "ssubscribe", "c"], ["--csv", "ssubscribe", "c"], ["-e", "psubscribe", "c"]],
    ...[["-a", "right", "-n", "1", "x", "y"], ["-a", "wrong", "-n", "1", "-3", "x", "y"]],
    ...[["--user", "u", "-a", "right", "x", "y"], ["-r", "3", "half"]],
  ].map((args) => ({ args: [...at, ...args] }));
  for (
    const text of [
      "redis://127.0.0.1:PORT",
      "redis://right@127.0.0.1:PORT/2",
      "redis://u:ri%67ht@127.0.0.1:PORT",
      "redis://u:wrong@127.0.0.1:PORT/1",
      "REDIS://127.0.0.1:PORT/2?x=y",
    ]
  ) {
    lines.push({ args: ["-u", uri(text), "x", "y"] });
    lines.push({ args: ["-n", "1", "-u", uri(text), "x", "y"] });
    lines.push({ args: ["-u", uri(text), "-n", "1", "-p", `${server.port}`, "x", "y"] });
  }
  for (
    const input of [
      "close\nx y\n",
      "shutdown\nx y\n",
      "push\nflushed\nx y\n",
      "monitor\n",
      "psubscribe c\nx y\n",
      "auth right\nauth wrong\nx y\n",
    ]
  ) {
    for (const args of [[], ["--no-raw"], ["--show-pushes", "yes"], ["-n", "1"]]) {
      // Here redis-cli says "Error: " in addition, and nothing behind it.
      if (args[0] === "-n" && /close|shutdown/.test(input)) continue;
      lines.push({ args: [...at, ...args], input });
    }
  }
  for (const kind of ["MOVED", "ASK", "MOVEDX", "ASKING"]) {
    for (const options of [[], ["-c"], ["-c", "-e"], ["-c", "--csv"], ["-c", "-r", "2"], ["-e"]]) {
      lines.push({ args: [...atNode, ...options, "GET", kind] });
    }
    lines.push({ args: [...atNode, "-c"], input: `GET ${kind}\nGET\n` });
  }
  lines.push({ args: [...atNode, "-c", "NOWHERE", "MOVED"] });
  lines.push({ args: ["-p", "1", "PING"] }, { args: ["-p", "1"], input: "PING\nPING\n" });
  lines.push({ args: ["-s", "/no/such/socket", "PING"] }, { args: ["-c", "-s", "x", "PING"] });
  await compare(lines, runOurs);
  await compare(some(lines), runOurProgram);
  console.log(`${lines.length} command lines compared`);
});
