import { assertEquals } from "@std/assert";
import { CommandGuide } from "../../../src/client/help/mod.ts";
import {
  ArrayReply,
  AttributedReply,
  BulkReply,
  ErrorReply,
  IntegerReply,
  MapReply,
  NullReply,
  type Reply,
  SetReply,
  SimpleReply,
} from "../../../src/client/mod.ts";
import { ALL_SPECS } from "../../../src/commands/specs/mod.ts";
import { seededRandom, testSeed } from "../../support/random.ts";

/** What a reply is made of; a field with several values is an array of them. */
type Content = string | readonly Content[] | Fields | Reply;
type Fields = { readonly [field: string]: Content };

const encoder = new TextEncoder();

function knows(guide: CommandGuide, name: string): boolean {
  return guide.syntax(name) !== undefined;
}

function bulk(text: string): BulkReply {
  return new BulkReply(encoder.encode(text));
}

function isReply(content: Content): content is Reply {
  return typeof content === "object" && "kind" in content && typeof content.kind === "string";
}

/** A reply as a server of either protocol sends it. */
function reply(content: Content, resp: 2 | 3): Reply {
  if (typeof content === "string") return bulk(content);
  if (isReply(content)) return content;
  if (isList(content)) return new ArrayReply(content.map((item) => reply(item, resp)));
  const items = Object.entries(content).flatMap(([field, value]) => [
    bulk(field),
    field === "flags" && isList(value) ? flags(value, resp) : reply(value, resp),
  ]);
  return resp === 3 ? new MapReply(items) : new ArrayReply(items);
}

/** Flags are simple strings, and in RESP3 a set of them. */
function flags(names: readonly Content[], resp: 2 | 3): Reply {
  const items = names.map((name) => new SimpleReply(encoder.encode(String(name))));
  return resp === 3 ? new SetReply(items) : new ArrayReply(items);
}

function isList(content: Content): content is readonly Content[] {
  return Array.isArray(content);
}

/** A guide that learnt from a reply, in each protocol. */
function guidesThatLearnt(content: Content, ...before: ConstructorParameters<typeof CommandGuide>) {
  return ([2, 3] as const).map((resp) => {
    const guide = new CommandGuide(...before);
    guide.learn(reply(content, resp));
    return guide;
  });
}

const KEY = { name: "key", type: "key" };

const DOCS: Fields = {
  "graph.query": {
    summary: "Asks a graph.",
    since: "2.0.0",
    group: "module",
    arguments: [
      KEY,
      { name: "query", type: "string" },
      { name: "timeout", type: "integer", token: "TIMEOUT", flags: ["optional"] },
      {
        name: "mode",
        type: "oneof",
        flags: ["optional", "multiple"],
        arguments: [
          { name: "fast", type: "pure-token", token: "FAST" },
          {
            name: "slow",
            type: "block",
            arguments: [{ name: "how", type: "string", token: "SLOW" }],
          },
        ],
      },
    ],
  },
  "acl": {
    summary: "Holds others.",
    group: "server",
    subcommands: {
      "acl|cat": {
        summary: "Lists.",
        arguments: [
          { name: "category", display_text: "category-name", type: "string", flags: ["optional"] },
        ],
      },
      "acl|whoami": { summary: "Tells." },
    },
  },
};

Deno.test("learning: commands that only the server knows", () => {
  for (const guide of guidesThatLearnt(DOCS)) {
    assertEquals(knows(guide, "GRAPH.QUERY"), true);
    assertEquals(knows(guide, "acl"), true);
    assertEquals(knows(guide, "get"), false);
    assertEquals(
      guide.syntax("graph.query"),
      "key query [TIMEOUT timeout] [FAST|SLOW how [FAST|SLOW how ...]]",
    );
    assertEquals(guide.hint("graph.query g q slow "), "how [FAST|SLOW how ...] [TIMEOUT timeout]");
    assertEquals(guide.complete("graph.query g").key?.prefix, "g");
    assertEquals(guide.hint("acl "), "CAT|WHOAMI");
    assertEquals(guide.hint("acl c"), "at [category-name]");
    assertEquals(guide.complete("help @").candidates, ["@module", "@server"]);
    assertEquals(guide.help(["acl", "whoami"]), "\r\n  ACL WHOAMI \r\n  summary: Tells.\r\n\r\n");
  }
});

Deno.test("learning: what the server says of a command is what is shown of it", () => {
  const newer: Fields = {
    command: { subcommands: { "command|newest": {} } },
    get: { summary: "Is newer.", arguments: [KEY, { name: "how", type: "string" }] },
  };
  for (const guide of guidesThatLearnt(newer, ALL_SPECS)) {
    assertEquals(guide.syntax("get"), "key how");
    assertEquals(guide.hint("command "), "[NEWEST]");
    assertEquals(guide.hint("set k "), new CommandGuide(ALL_SPECS).hint("set k "));
  }
});

Deno.test("learning: a word that fits in two ways is followed in both", () => {
  const ways = ["one", "two"].map((name): Fields => ({
    name,
    type: "block",
    arguments: [
      { name, type: "string" },
      { name, type: "pure-token", token: name.toUpperCase() },
    ],
  }));
  const docs = { show: { arguments: [{ name: "way", type: "oneof", arguments: ways }] } };
  for (const guide of guidesThatLearnt(docs)) {
    assertEquals(guide.hint("show "), "one ONE|two TWO");
    assertEquals(guide.hint("show x "), "ONE");
    assertEquals(guide.complete("show x ").candidates, ["one", "two"]);
    assertEquals(guide.hint("show x t"), "wo");
  }
});

Deno.test("learning: where a key may stand, a beginning of an option is taken for one", () => {
  const glob: Fields = { name: "glob", type: "pure-token", token: "GLOB", flags: ["optional"] };
  const docs = { show: { arguments: [{ ...KEY, flags: ["multiple"] }, glob] } };
  for (const guide of guidesThatLearnt(docs)) {
    assertEquals(guide.hint("show a g"), " [key ...] [GLOB]");
    assertEquals(guide.hint("show a glob"), "");
    const { candidates, key } = guide.complete("show a g");
    assertEquals([candidates, key?.prefix], [["glob"], "g"]);
  }
});

Deno.test("learning: types that nobody knows yet are words that the user chooses", () => {
  const argument = { name: "thing", type: "hologram", flags: ["optional", "shiny"] };
  for (const guide of guidesThatLearnt({ show: { arguments: [argument] } })) {
    assertEquals(guide.hint("show "), "[thing]");
  }
});

Deno.test("learning: facts around a reply don't hide it", () => {
  const guide = new CommandGuide();
  const name = new AttributedReply(new MapReply([bulk("ttl"), new IntegerReply(1)]), bulk("show"));
  guide.learn(new MapReply([name, reply({ summary: "Shows." }, 3)]));
  assertEquals(guide.help(["show"]), "\r\n  SHOW \r\n  summary: Shows.\r\n\r\n");
});

Deno.test("learning: nothing that a terminal would obey gets through", () => {
  const docs = {
    show: {
      summary: "Shows\x1b[2J all\r\nof\x07 it\u009b1m.",
      arguments: [{ name: "a\x1b[1m", type: "string", token: "T\x1bX" }],
    },
    "ev\x1bil": { summary: "Isn't." },
    "two words": { summary: "Aren't one." },
    'quo"ted': { summary: "Can't be typed." },
    "": { summary: "Has no name." },
  };
  for (const guide of guidesThatLearnt(docs)) {
    assertEquals(
      guide.help(["show"]),
      "\r\n  SHOW T X a [1m\r\n  summary: Shows [2J all of  it 1m.\r\n\r\n",
    );
    const learnt = guide.complete("5 ").candidates;
    assertEquals(learnt, ["SHOW"]);
  }
});

Deno.test("learning: a command that is described badly is left out, the others aren't", () => {
  const wrong: Readonly<Record<string, Content>> = {
    "no fields": "text",
    "half a field": new ArrayReply([bulk("summary")]),
    "a field without a name": new ArrayReply([new NullReply(), bulk("text")]),
    "a summary that is a list": { summary: ["a"] },
    "a summary that is an error": { summary: new ErrorReply(encoder.encode("ERR no")) },
    "arguments that are text": { arguments: "key" },
    "an argument that is text": { arguments: ["key"] },
    "an argument without a name": { arguments: [{ type: "key" }] },
    "an argument without a type": { arguments: [{ name: "key" }] },
    "a name that is a number's list": { arguments: [{ name: ["key"], type: "key" }] },
    "flags that are text": { arguments: [{ name: "key", type: "key", flags: "optional" }] },
    "a bad argument in a good one": { arguments: [{ name: "a", type: "block", arguments: ["b"] }] },
  };
  for (const [what, content] of Object.entries(wrong)) {
    for (const guide of guidesThatLearnt({ bad: content, get: DOCS["graph.query"] })) {
      assertEquals([knows(guide, "bad"), knows(guide, "get")], [false, true], what);
    }
  }
});

Deno.test("learning: subcommands that don't bear their container's name are left out", () => {
  const docs = { acl: { subcommands: { "acl|cat": {}, "cat": {}, "set|cat": {}, "acl|": {} } } };
  for (const guide of guidesThatLearnt(docs)) assertEquals(guide.hint("acl "), "CAT");
});

Deno.test("learning: arguments within arguments without end are left out", () => {
  const guide = new CommandGuide();
  guide.learn(new MapReply([bulk("deep"), nested(5_000), bulk("deeper"), nested(7)]));
  assertEquals([knows(guide, "deep"), knows(guide, "deeper")], [false, true]);
  const many = Array.from({ length: 1_000 }, () => KEY);
  for (const learnt of guidesThatLearnt({ wide: { arguments: many } })) {
    assertEquals(knows(learnt, "wide"), false);
  }
});

/** A description whose arguments hold one another this often. */
function nested(depth: number): Reply {
  let inner: Reply = new ArrayReply([]);
  for (let level = 0; level < depth; level++) {
    const facts = [bulk("name"), bulk("a"), bulk("type"), bulk("block"), bulk("arguments")];
    inner = new ArrayReply([new MapReply([...facts, inner])]);
  }
  return new MapReply([bulk("arguments"), inner]);
}

Deno.test("learning: a reply that is something else teaches nothing", () => {
  const others = [
    new ErrorReply(encoder.encode("ERR unknown subcommand 'DOCS'")),
    new NullReply(),
    new IntegerReply(1),
    bulk("text"),
    new ArrayReply([]),
    new ArrayReply([bulk("get")]),
    new SetReply([new NullReply(), new NullReply()]),
  ];
  for (const other of others) {
    const guide = new CommandGuide(ALL_SPECS);
    guide.learn(other);
    assertEquals(guide.hint("get "), "key");
  }
});

Deno.test("learning: whatever a server replies, the guide still answers", () => {
  const random = seededRandom(testSeed("strange descriptions"));
  const below = (limit: number) => Math.floor(random() * limit);
  const words = [
    ...["name", "type", "token", "flags", "arguments", "subcommands", "summary", "group", "since"],
    ...["key", "block", "oneof", "pure-token", "integer", "optional", "multiple", "multiple_token"],
    ...["numkeys", "cmd", "cmd|sub", "display_text", "", "\x1b", "é"],
  ];
  const make = (depth: number): Reply => {
    const size = below(5) * 2;
    const items = () =>
      Array.from(
        { length: size },
        (_, index) => index % 2 === 0 ? bulk(words[below(words.length)]) : make(depth - 1),
      );
    switch (depth <= 0 ? below(3) : below(8)) {
      case 0:
        return new NullReply();
      case 1:
        return new IntegerReply(below(9));
      case 2:
        return bulk(words[below(words.length)]);
      case 3:
        return new SetReply(items());
      case 4:
        return new MapReply(items());
      default:
        return new ArrayReply(Array.from({ length: size }, () => make(depth - 1)));
    }
  };
  for (let round = 0; round < 3_000; round++) {
    const guide = new CommandGuide();
    guide.learn(new MapReply([bulk("cmd"), new MapReply([bulk("arguments"), make(6)])]));
    for (const line of ["cmd", "cmd ", "cmd 2 ", "cmd key block ", "cmd numkeys 2 k"]) {
      assertEquals(typeof guide.hint(line), "string");
      guide.complete(line);
    }
    guide.help(["cmd"]);
  }
});
