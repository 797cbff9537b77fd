import { assert, assertEquals } from "@std/assert";
import { ALL_SPECS } from "../../src/commands/specs/mod.ts";
import { seededRandom, testSeed } from "../support/random.ts";
import { compareServers, describeFinding } from "./differential.ts";
import { startPeers, whyNoReference } from "./peers.ts";
import { LEFT_OUT, RECIPES, StepSource } from "./recipes/mod.ts";
import { shrinkSteps } from "./shrink.ts";
import { ReplyMode, type Step } from "./step.ts";
import { runSteps, startAfresh } from "./stream.ts";

const COMMANDS = 20_000;

Deno.test("random commands are answered as redis-server answers them", async () => {
  const redis = "redis-server";
  const absence = await whyNoReference(redis);
  if (absence !== undefined) {
    console.log(`not compared with Redis: ${absence}`);
    return;
  }
  const seed = testSeed("differential");
  const findings = await compareServers({ commands: COMMANDS, seed, redis, failures: 1 });
  assert(findings.length === 0, findings.map((finding) => describeFinding(finding)).join("\n"));
});

Deno.test("SORT in Redis doesn't take other commands' numbers for its own", async () => {
  const absence = await whyNoReference("redis-server");
  if (absence !== undefined) return console.log(`not compared with Redis: ${absence}`);
  await using peers = await startPeers("redis-server");
  await startAfresh(peers);
  const lines = [
    ...["RPUSH l0 1 2", "SET k1 1.5", "SET k2 1", "INCRBYFLOAT k3 1e-400"],
    ...["SORT l0 BY k*", "ZADD z0 1e-400 a", "sort_ro l0 BY k*", "client reply skip"],
    ...["SORT l0 BY k*", "MULTI", "ZADD z0 1e-400 a", "SORT l0 BY k* STORE l1", "EXEC"],
  ];
  const found = await runSteps(peers, lines.map((line) => ({ words: line.split(" ") })));
  assertEquals(found, undefined);
});

Deno.test("every command is compared, or it is said why not", () => {
  const names = Object.entries(ALL_SPECS).flatMap(([name, spec]) => {
    const subcommands = Object.keys((spec as { subcommands?: object }).subcommands ?? {}).map((
      sub,
    ) => `${name}|${sub}`);
    return subcommands.length === 0 ? [name] : subcommands;
  });
  const covered = new Set([...Object.keys(RECIPES), ...Object.keys(LEFT_OUT)]);
  assertEquals(names.filter((name) => !covered.has(name)), []);
});

Deno.test("the same seed makes the same stream", () => {
  const [first, second] = [1, 1].map((seed) => {
    const source = new StepSource(seededRandom(seed));
    return Array.from({ length: 500 }, () => source.next());
  });
  assertEquals(first, second);
});

Deno.test("a failing stream shrinks to the steps that matter", async () => {
  const steps: Step[] = Array.from({ length: 100 }, (_, index) => ({ words: [String(index)] }));
  const isBad = (candidate: readonly Step[]) => {
    const words = candidate.map((step) => step.words[0]);
    return Promise.resolve(words.includes("17") ? words.indexOf("60") + 1 : 0);
  };
  const shortest = await shrinkSteps(steps.slice(0, 61), isBad, 10_000);
  assertEquals(shortest.map((step) => step.words[0]), ["17", "60"]);
});

Deno.test("CLIENT REPLY decides which commands are answered", () => {
  const mode = new ReplyMode();
  const lines = ["PING", "client reply SKIP", "PING", "PING", "CLIENT REPLY off", "PING", "RESET"];
  const answers = lines.map((line) => mode.answers({ words: line.split(" ") }));
  assertEquals(answers, [1, 0, 0, 1, 0, 0, 1]);
});

Deno.test("a subscription is answered for each channel, even where no replies are wanted", () => {
  const mode = new ReplyMode();
  const lines = [
    ...["SUBSCRIBE a b", "client reply off", "PSUBSCRIBE c", "PING", "UNSUBSCRIBE a b x"],
    ...["CLIENT REPLY ON", "SUBSCRIBE", "MULTI", "SUBSCRIBE a b", "EXEC"],
  ];
  const answers = lines.map((line) => mode.answers({ words: line.split(" ") }));
  assertEquals(answers, [2, 0, 1, 0, 3, 1, 1, 1, 1, 1]);
  assertEquals(mode.open, false);
  mode.answers({ words: ["RESET"] });
  assertEquals(mode.open, true);
});
