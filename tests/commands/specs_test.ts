import { REPLICATION_SPECS } from "../../src/commands/specs/replication.ts";
import { SAVING_SPECS } from "../../src/commands/specs/saving.ts";
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
  GEO_SPECS,
  type HandlersFor,
  HASH_SPECS,
  HYPERLOGLOG_SPECS,
  type KeySpec,
  legacyKeyRange,
  LIST_SPECS,
  MEMORY_SPECS,
  MIGRATE_SPECS,
  type NamedSpec,
  OBSERVATION_SPECS,
  PERSISTENCE_SPECS,
  PUBSUB_SPECS,
  SERVER_SPECS,
  SET_SPECS,
  SORT_SPECS,
  SORTED_SET_ALGEBRA_SPECS,
  SORTED_SET_RANGE_SPECS,
  SORTED_SET_SPECS,
  type SpecTable,
  STREAM_GROUP_SPECS,
  STREAM_SPECS,
  STRING_SPECS,
  takesKeys,
  TRANSACTION_SPECS,
  visitSpecs,
} from "../../src/commands/specs/mod.ts";
import { seededRandom } from "../support/random.ts";
import {
  parseReply,
  type ReferenceRedis,
  startReferenceRedis,
} from "../support/reference_redis.ts";
import { readReferenceSpecs } from "../support/reference_specs.ts";

const FAMILIES: readonly SpecTable[] = [
  LIST_SPECS,
  HASH_SPECS,
  SET_SPECS,
  SORTED_SET_SPECS,
  SORTED_SET_RANGE_SPECS,
  SORTED_SET_ALGEBRA_SPECS,
  STREAM_SPECS,
  STREAM_GROUP_SPECS,
  GEO_SPECS,
  SORT_SPECS,
  TRANSACTION_SPECS,
  PUBSUB_SPECS,
  BITMAP_SPECS,
  HYPERLOGLOG_SPECS,
  STRING_SPECS,
  GENERIC_SPECS,
  MEMORY_SPECS,
  PERSISTENCE_SPECS,
  MIGRATE_SPECS,
  REPLICATION_SPECS,
  CLUSTER_SPECS,
  OBSERVATION_SPECS,
  CONNECTION_SPECS,
  CLIENT_SPECS,
  SAVING_SPECS,
  SERVER_SPECS,
];

/** All families joined, with those that no server has handlers for yet. */
const DESCRIBED: SpecTable = Object.assign({}, ...FAMILIES);

/** Every command and subcommand. */
function everySpec(): NamedSpec[] {
  const all: NamedSpec[] = [];
  visitSpecs(DESCRIBED, (named) => all.push(named));
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

Deno.test("no command stands in two families, and each family is served as a whole", () => {
  const names = FAMILIES.flatMap((family) => Object.keys(family));
  assertEquals(new Set(names).size, names.length);
  const served = FAMILIES.flatMap((family) => {
    const known = Object.keys(family);
    return known.some((name) => Object.hasOwn(ALL_SPECS, name)) ? known : [];
  });
  assertEquals(Object.keys(ALL_SPECS).sort(), served.sort());
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
      const isKey = argument.type === "key";
      const namesKeys = argument.type === "pattern" && argument.keySpecIndex !== undefined;
      assertEquals(argument.keySpecIndex !== undefined, isKey || namesKeys, fullName);
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

Deno.test("a number of keys is looked at once more when it isn't written as a number", () => {
  const { zunionstore } = SORTED_SET_ALGEBRA_SPECS;
  assertEquals(
    keysOf(zunionstore, "zunionstore d 2 a b"),
    "d:OW,update a:RO,access b:RO,access",
  );
  // The second look knows nothing of what happens to the keys, and takes the destination last.
  for (const count of ["02", "+2", "2x", "\t2", "2.5", "-4294967294"]) {
    assertEquals(keysOf(zunionstore, `zunionstore d ${count} a b`), "a: b: d:", count);
  }
  for (const count of ["0", "3", "03", "-2", "x", "", "+-2", "99999999999999999999"]) {
    assertEquals(keysOf(zunionstore, `zunionstore d ${count} a b`), "", count);
  }
  assertEquals(keysOf(LIST_SPECS.lmpop, "lmpop 4294967297 a b"), "a:RW,access,delete");
  assertEquals(keysOf(LIST_SPECS.lmpop, "lmpop"), "");
});

Deno.test("SORT overwrites what follows its last STORE", () => {
  const { sort, sort_ro } = SORT_SPECS;
  assertEquals(keysOf(sort, "sort a"), "a:RO,access");
  assertEquals(keysOf(sort, "sort a alpha Store b desc"), "a:RO,access b:OW,update");
  assertEquals(keysOf(sort, "sort a store b store c"), "a:RO,access c:OW,update");
  assertEquals(keysOf(sort, "sort a by store b"), "a:RO,access");
  assertEquals(keysOf(sort, "sort a limit 0 store b"), "a:RO,access");
  assertEquals(keysOf(sort, "sort a limit 0 1 store b"), "a:RO,access b:OW,update");
  assertEquals(keysOf(sort, "sort a store"), "a:RO,access");
  assertEquals(keysOf(sort, "sort"), "");
  assertEquals(keysOf(sort_ro, "sort_ro a store b"), "a:RO,access");
  assertEquals(takesKeys(sort_ro), true);
});

Deno.test("MIGRATE takes its key, or those behind KEYS", () => {
  const { migrate } = MIGRATE_SPECS;
  const flags = "RW,access,delete";
  assertEquals(keysOf(migrate, "migrate host port a 0 1"), `a:${flags}`);
  assertEquals(keysOf(migrate, "migrate host port a 0 1 copy keys"), `a:${flags}`);
  assertEquals(keysOf(migrate, "migrate host port  0 1 Keys b keys"), `b:${flags} keys:${flags}`);
  assertEquals(keysOf(migrate, "migrate host port  0 1 auth2 keys b keys c"), `c:${flags}`);
  assertEquals(keysOf(migrate, "migrate host port  0 1 auth keys c"), `:${flags}`);
  assertEquals(keysOf(migrate, "migrate host port a 0 1 keys b"), "");
  assertEquals(keysOf(migrate, "migrate host port"), "");
});

Deno.test("XREADGROUP finds STREAMS among options in any order", () => {
  const { xreadgroup } = STREAM_GROUP_SPECS;
  assertEquals(
    keysOf(xreadgroup, "xreadgroup group g c streams a b 0 0"),
    "a:RO,access b:RO,access",
  );
  assertEquals(keysOf(xreadgroup, "xreadgroup count 1 block 0 streams a 0"), "a:RO,access");
  assertEquals(keysOf(xreadgroup, "xreadgroup noack streams a b streams c"), "a: b:");
  assertEquals(keysOf(xreadgroup, "xreadgroup noack streams a b c streams c"), "");
  assertEquals(keysOf(xreadgroup, "xreadgroup x streams a b streams c"), "");
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

Deno.test("all commands of the groups that are served are described", async () => {
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  const groups = "bitmap geo hash hyperloglog list pubsub set sorted-set stream string transactions"
    .split(" ");
  for (const [name, { group }] of await readReferenceSpecs(redis)) {
    if (groups.includes(group)) assert(findSpec(DESCRIBED, name) !== undefined, name);
  }
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
    const spec = findSpec(DESCRIBED, name)?.spec ?? theirs;
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

Deno.test("keys are found as in Redis, in calls with options where nobody would put them", async () => {
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  const random = seededRandom(4);
  for (const { fullName, spec } of everySpec()) {
    if (!takesKeys(spec)) continue;
    for (let round = 0; round < 60; round++) {
      const call = strangeCall(fullName, spec, random);
      const ours = extractKeys(spec, call.length, (index) => call[index])
        .map(({ position, flags }) => [call[position], [...flags]]);
      assertEquals(ours, await keysInRedis(redis, call), JSON.stringify(call));
    }
  }
});

/** Words that mean something to the search for keys in one command or another. */
const MEANT_WORDS =
  "keys auth AUTH2 copy store STORE storedist by get limit streams Streams count block group noack 0 1 2 3 -1 +2 02 2x 2.5 4294967298 -4294967294 99999999999999999999 overflow set"
    .split(" ");

/** A call with a number of arguments that is right, in which any word may stand anywhere. */
function strangeCall(name: string, spec: CommandSpec, random: () => number): string[] {
  const pick = (limit: number): number => Math.floor(random() * limit);
  const call = name.split("|");
  const count = spec.arity < 0 ? pick(8) - spec.arity : spec.arity;
  while (call.length < count) {
    call.push(pick(3) === 0 ? `argument${call.length}` : MEANT_WORDS[pick(MEANT_WORDS.length)]);
    // An empty key sends MIGRATE looking for others.
    if (name === "migrate" && call.length === 4 && pick(2) === 0) call[3] = "";
  }
  return call;
}

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
