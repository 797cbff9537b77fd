import { assert, assertEquals } from "@std/assert";
import { ansiHelpStyle, CommandGuide } from "../../../src/client/help/mod.ts";
import { readCommandDocs } from "../../../src/client/help/learning.ts";
import { connect } from "../../../src/client/mod.ts";
import { ALL_SPECS, visitSpecs } from "../../../src/commands/specs/mod.ts";
import { seededRandom, testSeed } from "../../support/random.ts";
import { type ReferenceRedis, startReferenceRedis } from "../../support/reference_redis.ts";
import { referenceTool } from "../../support/reference_tool.ts";
import { assertIsExpected, LineGenerator } from "./generated_lines.ts";

/** What redis-cli prints; undefined, after saying why on the console, if it isn't here. */
async function askReferenceHelp(
  redis: ReferenceRedis,
  ...topic: readonly string[]
): Promise<string | undefined> {
  return (await referenceTool("redis-cli", ["-s", redis.path, "help", ...topic]))?.output;
}

/** A guide that knows only what a server tells, in one protocol or the other. */
async function learnFrom(redis: ReferenceRedis, resp: 2 | 3): Promise<CommandGuide> {
  using client = await connect({ path: redis.path, resp });
  const guide = new CommandGuide();
  guide.learn(await client.command("COMMAND", "DOCS"));
  return guide;
}

const GROUPS = [
  ...["bitmap", "cluster", "connection", "generic", "geo", "hash", "hyperloglog", "list"],
  ...["pubsub", "scripting", "server", "set", "sorted-set", "stream", "string"],
  "transactions",
];

Deno.test("what each command takes is written as redis-cli writes it", async () => {
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  const expected = new Map<string, string>();
  for (const group of GROUPS) {
    const text = await askReferenceHelp(redis, `@${group}`);
    if (text === undefined) return;
    // deno-lint-ignore no-control-regex
    const heads = text.matchAll(/\x1b\[1m(.*)\x1b\[0m \x1b\[90m(.*)\x1b\[0m\r\n/g);
    for (const [, name, syntax] of heads) expected.set(name, syntax);
  }
  const guide = new CommandGuide(ALL_SPECS);
  const learnt = await learnFrom(redis, 3);
  let compared = 0;
  visitSpecs(ALL_SPECS, ({ fullName }) => {
    const words = fullName.split("|");
    assertEquals(guide.syntax(...words), expected.get(words.join(" ").toUpperCase()), fullName);
    compared++;
  });
  assert(compared >= 280, `only ${compared} commands`);
  for (const [name, syntax] of expected) assertEquals(learnt.syntax(...name.split(" ")), syntax);
  assert(expected.size > compared);
});

Deno.test("help on what a server told is redis-cli's, byte for byte", async () => {
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  const topics = [
    ...GROUPS.map((group) => [`@${group}`]),
    ...[["set"], ["Config"], ["CONFIG", "get"], ["acl"], ["xinfo", "stream"], ["@STRING"]],
  ];
  const guides = [await learnFrom(redis, 2), await learnFrom(redis, 3)];
  for (const topic of topics) {
    const expected = await askReferenceHelp(redis, ...topic);
    if (expected === undefined) return;
    for (const guide of guides) {
      assertEquals(guide.help(topic, ansiHelpStyle), expected, topic.join(" "));
    }
  }
});

Deno.test("calls of commands that only a server told of are expected word by word", async () => {
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  using client = await connect({ path: redis.path });
  const reply = await client.command("COMMAND", "DOCS");
  const guide = new CommandGuide();
  guide.learn(reply);
  const generator = new LineGenerator(seededRandom(testSeed("learnt calls")));
  const descriptions = [...readCommandDocs(reply).values()]
    .flatMap((command) => [command, ...command.subcommands.values()])
    .filter(({ subcommands }) => subcommands.size === 0);
  assert(descriptions.some(({ name }) => name === "ACL SETUSER"));
  for (const { name, facts } of descriptions) {
    for (let round = 0; round < 5; round++) {
      assertIsExpected(guide, name.split(" "), generator.words(facts.arguments ?? []));
    }
  }
});
