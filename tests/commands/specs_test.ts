import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  acceptsArgumentCount,
  ALL_SPECS,
  type ArgumentSpec,
  BARE,
  BITMAP_SPECS,
  CLIENT_SPECS,
  CLUSTER_SPECS,
  type CommandSpec,
  CONNECTION_SPECS,
  extractKeys,
  findCalledSpec,
  findSpec,
  GENERIC_SPECS,
  type HandlersFor,
  HYPERLOGLOG_SPECS,
  type KeySpec,
  legacyKeyRange,
  MEMORY_SPECS,
  type NamedSpec,
  OBSERVATION_SPECS,
  PERSISTENCE_SPECS,
  SERVER_SPECS,
  STRING_SPECS,
  takesKeys,
  visitSpecs,
} from "../../src/commands/specs/mod.ts";
import {
  parseReply,
  type ReferenceRedis,
  startReferenceRedis,
} from "../support/reference_redis.ts";
import { readReferenceSpecs } from "../support/reference_specs.ts";

const FAMILIES = [
  BITMAP_SPECS,
  HYPERLOGLOG_SPECS,
  STRING_SPECS,
  GENERIC_SPECS,
  MEMORY_SPECS,
  PERSISTENCE_SPECS,
  CLUSTER_SPECS,
  OBSERVATION_SPECS,
  CONNECTION_SPECS,
  CLIENT_SPECS,
  SERVER_SPECS,
];

/** Every command and subcommand. */
function everySpec(): NamedSpec[] {
  const all: NamedSpec[] = [];
  visitSpecs(ALL_SPECS, (named) => all.push(named));
  return all;
}

/** Every argument of a command, with those inside others. */
function everyArgument(parts: readonly ArgumentSpec[] = []): ArgumentSpec[] {
  return parts.flatMap((part) => [part, ...everyArgument(part.arguments)]);
}

/** Keys of a call as `position:flags`, for short expectations. */
function keysOf(spec: CommandSpec, line: string): string {
  const words = line.split(" ");
  return extractKeys(spec, words.length, (index) => words[index])
    .map(({ position, flags }) => `${words[position]}:${flags.join(",")}`).join(" ");
}

/** A command that is nothing but its keys. */
function specWithKeys(...keys: KeySpec[]): CommandSpec {
  return { ...STRING_SPECS.get, arity: -1, keys };
}

Deno.test("no command stands in two families", () => {
  const names = FAMILIES.flatMap((family) => Object.keys(family));
  assertEquals(Object.keys(ALL_SPECS).sort(), names.sort());
  assertEquals(new Set(names).size, names.length);
});

Deno.test("each specification agrees with itself", () => {
  for (const { fullName, spec } of everySpec()) {
    assertMatch(fullName, /^[a-z_-]+(\|[a-z-]+)?$/);
    assertMatch(spec.summary, /^[A-Z].*\.$/, fullName);
    assertMatch(spec.since, /^\d+\.\d+\.\d+$/, fullName);
    assert(spec.arity !== 0, fullName);
    for (const words of [spec.flags, spec.acl, spec.tips ?? []]) {
      assertEquals(new Set<string>(words).size, words.length, fullName);
    }
    const categories = new Set<string>(spec.acl);
    const flags = new Set<string>(spec.flags);
    assertEquals(categories.has("fast"), flags.has("fast"), fullName);
    assertEquals(categories.has("slow"), !flags.has("fast"), fullName);
    assertEquals(categories.has("read"), flags.has("readonly"), fullName);
    assertEquals(categories.has("write"), flags.has("write"), fullName);
    assert(!flags.has("admin") || categories.has("admin") && categories.has("dangerous"), fullName);
    assertEquals(spec.deprecatedSince !== undefined, spec.replacedBy !== undefined, fullName);
    for (const argument of everyArgument(spec.arguments)) {
      const holds = argument.type === "oneof" || argument.type === "block";
      assertEquals(argument.arguments !== undefined, holds, fullName);
      assertEquals(argument.keySpecIndex !== undefined, argument.type === "key", fullName);
      assert((argument.keySpecIndex ?? -1) < spec.keys.length, fullName);
    }
  }
});

Deno.test("names are found in any case of ASCII letters, and only the table's own", () => {
  assertEquals(findSpec(ALL_SPECS, "GeT"), { fullName: "get", spec: STRING_SPECS.get });
  assertEquals(findSpec(ALL_SPECS, "OBJECT|freq")?.fullName, "object|freq");
  const unknown = ["", "|", "gets", "get|x", "object|", "object|x", "object|freq|x", "constructor"];
  // The last one starts with the Kelvin sign, whose small letter is an ordinary k.
  for (const name of [...unknown, "object|toString", "\u212aeys"]) {
    assertEquals(findSpec(ALL_SPECS, name), undefined, name);
  }
});

Deno.test("a call finds its command or subcommand", () => {
  const called = (line: string): string | undefined => {
    const words = line === "" ? [] : line.split(" ");
    return findCalledSpec(ALL_SPECS, words.length, (index) => words[index])?.fullName;
  };
  assertEquals(called("GET a"), "get");
  assertEquals(called("Config Get a"), "config|get");
  assertEquals(called("CONFIG"), "config");
  assertEquals(called("CONFIG NOSUCH"), undefined);
  assertEquals(called("CONFIG|GET a"), undefined);
  assertEquals(called("DEBUG SLEEP 0"), "debug");
  assertEquals(called(""), undefined);
});

Deno.test("arity tells which numbers of arguments are right", () => {
  const accepted = (spec: CommandSpec): number[] =>
    [1, 2, 3, 4].filter((count) => acceptsArgumentCount(spec, count));
  assertEquals(accepted(STRING_SPECS.get), [2]);
  assertEquals(accepted(STRING_SPECS.mget), [2, 3, 4]);
  assertEquals(accepted(CONNECTION_SPECS.ping), [1, 2, 3, 4]);
});

Deno.test("keys are found where the specification says", () => {
  assertEquals(keysOf(STRING_SPECS.get, "get a"), "a:RO,access");
  assertEquals(keysOf(STRING_SPECS.mget, "mget a b"), "a:RO,access b:RO,access");
  assertEquals(keysOf(STRING_SPECS.mset, "mset a 1 b 2"), "a:OW,update b:OW,update");
  assertEquals(keysOf(STRING_SPECS.set, "set a get"), "a:OW,update");
  assertEquals(keysOf(STRING_SPECS.set, "set a b EX 5 Get"), "a:RW,access,update");
  assertEquals(keysOf(STRING_SPECS.set, "set"), "");
  assertEquals(keysOf(GENERIC_SPECS.copy, "copy a b DB 1"), "a:RO,access b:OW,update");
  assertEquals(keysOf(GENERIC_SPECS.copy, "copy a"), "");
  assertEquals(keysOf(GENERIC_SPECS.object.subcommands.freq, "object freq a"), "a:RO");
  assertEquals(keysOf(CONNECTION_SPECS.ping, "ping a"), "");
});

Deno.test("keys are found after a keyword, from the front and from the back", () => {
  const findKeys = { type: "range", lastKey: -1, keyStep: 1, limit: 2 } as const;
  const forward = specWithKeys({
    flags: ["RO"],
    beginSearch: { type: "keyword", keyword: "STREAMS", startFrom: 1 },
    findKeys,
  });
  assertEquals(keysOf(forward, "xread count 1 streams a b 0 0"), "a:RO b:RO");
  assertEquals(keysOf(forward, "xread streams streams 0"), "streams:RO");
  assertEquals(keysOf(forward, "xread count 1"), "");
  assertEquals(keysOf(forward, "xread count streams"), "");
  const backward = specWithKeys({
    flags: ["RW"],
    beginSearch: { type: "keyword", keyword: "KEYS", startFrom: -2 },
    findKeys: { ...findKeys, limit: 0 },
  });
  assertEquals(keysOf(backward, "migrate host port keys a b"), "a:RW b:RW");
  assertEquals(keysOf(backward, "migrate host keys keys b"), "b:RW");
  assertEquals(keysOf(backward, "migrate keys"), "");
});

Deno.test("a keyword that nothing follows takes no other keys away", () => {
  const range = { type: "range", lastKey: 0, keyStep: 1, limit: 0 } as const;
  const spec = specWithKeys(
    { flags: ["RO"], beginSearch: { type: "index", index: 1 }, findKeys: range },
    {
      flags: ["OW"],
      beginSearch: { type: "keyword", keyword: "STORE", startFrom: 2 },
      findKeys: range,
    },
  );
  assertEquals(keysOf(spec, "georadius a 1 store b"), "a:RO b:OW");
  assertEquals(keysOf(spec, "georadius a 1 store"), "a:RO");
});

Deno.test("keys are found by their number, which may be anything", () => {
  const counted = specWithKeys({
    flags: ["RO"],
    beginSearch: { type: "index", index: 2 },
    findKeys: { type: "keynum", keyNumIndex: 0, firstKey: 1, keyStep: 1 },
  });
  assertEquals(keysOf(counted, "eval script 2 a b c"), "a:RO b:RO");
  for (const count of ["0", "4", "-1", "01", "1.0", "x", "", "1e1", "99999999999999999999"]) {
    assertEquals(keysOf(counted, `eval script ${count} a b c`), "", count);
  }
  assertEquals(keysOf(counted, "eval script"), "");
});

Deno.test("keys that can't be known, and channels, are not told", () => {
  const range = { type: "range", lastKey: 0, keyStep: 1, limit: 0 } as const;
  const index = { type: "index", index: 1 } as const;
  const channel = specWithKeys({ flags: ["not_key"], beginSearch: index, findKeys: range });
  assertEquals(keysOf(channel, "spublish a b"), "");
  assertEquals(takesKeys(channel), false);
  for (
    const spec of [
      specWithKeys({ flags: ["RO", "incomplete"], beginSearch: index, findKeys: range }),
      specWithKeys({ flags: ["RO"], beginSearch: { type: "unknown" }, findKeys: range }),
      specWithKeys({ flags: ["RO"], beginSearch: index, findKeys: { type: "unknown" } }),
    ]
  ) {
    assertEquals(keysOf(spec, "sort a b"), "");
    assertEquals(takesKeys(spec), true);
  }
});

Deno.test("a handler for each specification, and a specification for each handler", () => {
  const specs = {
    get: STRING_SPECS.get,
    config: { ...SERVER_SPECS.config, subcommands: { get: SERVER_SPECS.config.subcommands.get } },
    command: {
      ...SERVER_SPECS.command,
      subcommands: { count: SERVER_SPECS.command.subcommands.count },
    },
  } as const;
  type Handlers = HandlersFor<typeof specs, () => number>;
  const handler = (): number => 1;
  const get = handler;
  const config = { get: handler };
  const command = { [BARE]: handler, count: handler };

  const complete: Handlers = { get, config, command };
  assertEquals([complete.get(), complete.config.get(), complete.command[BARE]()], [1, 1, 1]);

  const faulty: Handlers[] = [
    // @ts-expect-error: GET has no handler
    { config, command },
    // @ts-expect-error: CONFIG GET has no handler
    { get, config: {}, command },
    // @ts-expect-error: COMMAND without a subcommand has no handler
    { get, config, command: { count: handler } },
    // @ts-expect-error: a command with subcommands is not one handler
    { get, config: handler, command },
    // @ts-expect-error: GOT has no specification
    { get, config, command, got: handler },
    // @ts-expect-error: CONFIG SET has no specification here
    { get, config: { get: handler, set: handler }, command },
    // @ts-expect-error: CONFIG can't be called without a subcommand
    { get, config: { get: handler, [BARE]: handler }, command },
    // @ts-expect-error: GET is not a handler of the right type
    { get: () => "1", config, command },
  ];
  assertEquals(faulty.length, 8);

  // The real table keeps its names for the compiler, too.
  const name: keyof HandlersFor<typeof ALL_SPECS, () => void> = "shutdown";
  assert(name in ALL_SPECS);
  // @ts-expect-error: no such command
  const noName: keyof HandlersFor<typeof ALL_SPECS, () => void> = "nosuch";
  assert(!(noName in ALL_SPECS));
});

Deno.test("the facts are those of Redis", async () => {
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  const reference = await readReferenceSpecs(redis);
  for (const { fullName, spec } of everySpec()) {
    const theirs = reference.get(fullName);
    assert(theirs !== undefined, fullName);
    assertEquals(factsOf(spec), factsOf(theirs), fullName);
    // Only CONFIG has fewer subcommands than Redis', so far.
    const missing = Object.keys(theirs.subcommands ?? {})
      .filter((name) => !Object.hasOwn(spec.subcommands ?? {}, name));
    assert(missing.length === 0 || fullName === "config", fullName);
  }
});

Deno.test("first key, last key and step are derived as in Redis, for all of its commands", async () => {
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  for (const [name, spec] of await readReferenceSpecs(redis)) {
    const { firstKey, lastKey, keyStep } = legacyKeyRange(spec);
    assertEquals([firstKey, lastKey, keyStep], spec.legacyKeyRange, name);
  }
});

Deno.test("keys are found as in Redis, in calls of all of its commands", async () => {
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  let found = 0;
  for (const [name, theirs] of await readReferenceSpecs(redis)) {
    // These have rules of their own in Redis, for what their specifications leave open.
    if (/^(georadius|georadiusbymember|migrate|sort|sort_ro)$/.test(name)) continue;
    const spec = findSpec(ALL_SPECS, name)?.spec ?? theirs;
    if (!takesKeys(spec) || spec.subcommands !== undefined) continue;
    for (const call of callsOf(name, spec)) {
      const ours = extractKeys(spec, call.length, (index) => call[index])
        .map(({ position, flags }) => [call[position], [...flags]]);
      const context = call.join(" ");
      assertEquals(ours, await keysInRedis(redis, call), context);
      found += ours.length;
    }
  }
  assert(found > 500, String(found));
});

/** What a specification says, without the prose; of the complexity, its class. */
function factsOf(spec: CommandSpec): unknown {
  return {
    since: spec.since,
    group: spec.group,
    complexity: spec.complexity?.match(/O\([^)]*\)/)?.[0],
    arity: spec.arity,
    flags: spec.flags,
    acl: spec.acl,
    keys: spec.keys.map((key) => ({ ...key, notes: key.notes !== undefined })),
    tips: spec.tips,
    docFlags: spec.docFlags,
    deprecatedSince: spec.deprecatedSince,
    replaced: spec.replacedBy !== undefined,
    history: spec.history?.map(([version]) => version),
    arguments: spec.arguments,
    container: spec.subcommands !== undefined,
  };
}

/** Calls with few and many arguments, with the keyword or the count that the command looks for. */
function callsOf(name: string, spec: CommandSpec): string[][] {
  const names = name.split("|");
  const fewest = Math.abs(spec.arity);
  const most = spec.arity < 0 ? fewest + 5 : fewest;
  const calls: string[][] = [];
  for (let count = fewest; count <= most; count++) {
    const plain = [...names];
    while (plain.length < count) plain.push(`argument${plain.length}`);
    calls.push(plain);
    for (const { beginSearch, findKeys } of spec.keys) {
      if (beginSearch.type === "keyword") {
        for (let at = names.length; at < count; at++) {
          calls.push(plain.with(at, beginSearch.keyword.toLowerCase()));
        }
      }
      if (beginSearch.type === "index" && findKeys.type === "keynum") {
        const at = beginSearch.index + findKeys.keyNumIndex;
        if (at >= count) continue;
        for (const keys of ["0", "1", "2", "3", "-1"]) calls.push(plain.with(at, keys));
      }
    }
  }
  return calls;
}

/** The keys that Redis finds in a call, with their flags; none when it finds no sense in it. */
async function keysInRedis(redis: ReferenceRedis, call: readonly string[]): Promise<unknown[]> {
  const reply = parseReply(await redis.ask("COMMAND", "GETKEYSANDFLAGS", ...call));
  if (reply.marker === "-") {
    assertEquals(reply.text, "ERR Invalid arguments specified for command", call.join(" "));
  }
  return reply.items.map(({ items: [key, flags] }) => [
    key.text,
    flags.items.map((flag) => flag.text),
  ]);
}
