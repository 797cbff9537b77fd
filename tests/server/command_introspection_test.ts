import { assertEquals } from "@std/assert";
import {
  ALL_SPECS,
  findSpec,
  HYPERLOGLOG_SPECS,
  type SpecTable,
  STRING_SPECS,
  visitSpecs,
} from "../../src/commands/specs/mod.ts";
import { BufferPool } from "../../src/protocol/byte_buffer.ts";
import { ReplyWriter } from "../../src/protocol/reply_writer.ts";
import {
  type InnerCall,
  replyCommand,
  replyCommandCount,
  replyCommandDocs,
  replyCommandGetKeys,
  replyCommandGetKeysAndFlags,
  replyCommandHelp,
  replyCommandInfo,
  replyCommandList,
} from "../../src/server/command_introspection.ts";
import { parseReply, type ReplyNode, startReferenceRedis } from "../support/reference_redis.ts";

const VERSIONS = [2, 3] as const;

/** What a function writes, a byte a character. */
function written(resp: 2 | 3, write: (reply: ReplyWriter) => void): string {
  const reply = new ReplyWriter(new BufferPool(1 << 10, 1), new BufferPool(1 << 16, 1));
  reply.resp = resp;
  write(reply);
  const parts = [
    ...reply.chunks.map(({ bytes }) => bytes),
    reply.buffer.bytes.subarray(0, reply.position),
  ];
  return parts.flatMap((bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte))).join("");
}

/** A command line as it stands behind `COMMAND GETKEYS`. */
function innerCall(...words: string[]): InnerCall {
  return {
    argumentCount: words.length,
    textAt: (index) => words[index],
    bytesAt: (index) => new TextEncoder().encode(words[index]),
  };
}

/** Writes the reply of any `COMMAND` call. */
function replyTo(reply: ReplyWriter, subcommand: string, words: readonly string[]): void {
  switch (subcommand) {
    case "INFO":
      return replyCommandInfo(reply, ALL_SPECS, words);
    case "DOCS":
      return replyCommandDocs(reply, ALL_SPECS, words);
    case "LIST":
      return replyCommandList(reply, ALL_SPECS, words);
    case "GETKEYS":
      return replyCommandGetKeys(reply, ALL_SPECS, innerCall(...words));
    case "GETKEYSANDFLAGS":
      return replyCommandGetKeysAndFlags(reply, ALL_SPECS, innerCall(...words));
    default:
      throw new Error(subcommand);
  }
}

Deno.test("COMMAND INFO has ten facts for each name, and null for a name that isn't known", () => {
  const info = (resp: 2 | 3): string =>
    written(resp, (reply) => replyCommandInfo(reply, ALL_SPECS, ["GET", "nosuch"]));
  assertEquals(
    info(2).replaceAll("\r\n", " "),
    "*2 *10 $3 get :2 *2 +readonly +fast :1 :1 :1 *3 +@read +@string +@fast *0 " +
      "*1 *6 $5 flags *2 +RO +access " +
      "$12 begin_search *4 $4 type $5 index $4 spec *2 $5 index :1 " +
      "$9 find_keys *4 $4 type $5 range $4 spec *6 $7 lastkey :0 $7 keystep :1 $5 limit :0 " +
      "*0 $-1 ",
  );
  assertEquals(
    info(3).replaceAll("\r\n", " "),
    "*2 *10 $3 get :2 ~2 +readonly +fast :1 :1 :1 ~3 +@read +@string +@fast ~0 " +
      "~1 %3 $5 flags ~2 +RO +access " +
      "$12 begin_search %2 $4 type $5 index $4 spec %1 $5 index :1 " +
      "$9 find_keys %2 $4 type $5 range $4 spec %3 $7 lastkey :0 $7 keystep :1 $5 limit :0 " +
      "~0 _ ",
  );
});

Deno.test("COMMAND and COMMAND INFO without names describe all commands", () => {
  const all = written(3, (reply) => replyCommand(reply, ALL_SPECS));
  const count = Object.keys(ALL_SPECS).length;
  assertEquals(parseReply(all).items.length, count);
  assertEquals(written(3, (reply) => replyCommandInfo(reply, ALL_SPECS, [])), all);
  assertEquals(written(2, (reply) => replyCommandCount(reply, ALL_SPECS)), `:${count}\r\n`);
});

Deno.test("COMMAND DOCS is a map from names to maps, without the names that aren't known", () => {
  const docs = (resp: 2 | 3): string =>
    written(resp, (reply) => replyCommandDocs(reply, ALL_SPECS, ["nosuch", "substr"]));
  const { summary, complexity, replacedBy } = ALL_SPECS.substr;
  const bulk = (text: string): string => `$${text.length} ${text}`;
  assertEquals(
    docs(3).replaceAll("\r\n", " "),
    `%1 $6 substr %8 $7 summary ${bulk(summary)} $5 since $5 1.0.0 $5 group $6 string ` +
      `$10 complexity ${bulk(complexity)} $9 doc_flags ~1 +deprecated ` +
      `$16 deprecated_since $5 2.0.0 $11 replaced_by ${bulk(replacedBy)} $9 arguments ` +
      "*3 %3 $4 name $3 key $4 type $3 key $14 key_spec_index :0 " +
      "%2 $4 name $5 start $4 type $7 integer %2 $4 name $3 end $4 type $7 integer ",
  );
  assertEquals(
    docs(2),
    docs(3).replaceAll(/[%~](\d)\r\n/g, (marked, size) => {
      return `*${marked[0] === "%" ? 2 * Number(size) : size}\r\n`;
    }),
  );
  const all = written(3, (reply) => replyCommandDocs(reply, ALL_SPECS, []));
  assertEquals(parseReply(all).items.length, 2 * Object.keys(ALL_SPECS).length);
});

Deno.test("COMMAND LIST names commands and subcommands, and takes one filter", () => {
  const list = (...filter: string[]): string[] | string => {
    const reply = parseReply(written(2, (reply) => replyCommandList(reply, ALL_SPECS, filter)));
    return reply.text || reply.items.map((item) => item.text ?? "");
  };
  const all: string[] = [];
  visitSpecs(ALL_SPECS, ({ fullName }) => all.push(fullName));
  assertEquals(list(), all);
  const helps = all.filter((name) => name.endsWith("|help"));
  assertEquals(helps.length >= 8, true);
  assertEquals(list("filterby", "pattern", "*|HELP"), helps);
  assertEquals(list("FILTERBY", "AclCat", "HYPERLOGLOG"), Object.keys(HYPERLOGLOG_SPECS));
  assertEquals(list("FILTERBY", "ACLCAT", "@string"), []);
  assertEquals(list("FILTERBY", "ACLCAT", "String"), Object.keys(STRING_SPECS));
  assertEquals(list("FILTERBY", "MODULE", "any"), []);
  const wrong = ["x", "filterby", "filterby pattern", "filterby x y", "filterby pattern a b"];
  for (const filter of wrong) {
    assertEquals(list(...filter.split(" ")), "ERR syntax error", filter);
  }
});

Deno.test("COMMAND GETKEYS returns keys as the bytes they came in", () => {
  const call: InnerCall = {
    argumentCount: 2,
    textAt: () => "get",
    bytesAt: () => Uint8Array.of(0xff, 0, 13, 10),
  };
  assertEquals(
    written(2, (reply) => replyCommandGetKeys(reply, ALL_SPECS, call)),
    "*1\r\n$4\r\n\xff\0\r\n\r\n",
  );
});

Deno.test("COMMAND GETKEYSANDFLAGS says what would happen to each key", () => {
  const call = innerCall("set", "a", "b", "get");
  const flags = (resp: 2 | 3): string =>
    written(resp, (reply) => replyCommandGetKeysAndFlags(reply, ALL_SPECS, call));
  assertEquals(flags(2), "*1\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+update\r\n");
  assertEquals(flags(3), "*1\r\n*2\r\n$1\r\na\r\n~3\r\n+RW\r\n+access\r\n+update\r\n");
});

Deno.test("COMMAND GETKEYS says why a command line has no keys", () => {
  const keys = (...words: string[]): string =>
    written(2, (reply) => replyCommandGetKeys(reply, ALL_SPECS, innerCall(...words)));
  assertEquals(keys("nosuch", "a"), "-ERR Invalid command specified\r\n");
  assertEquals(keys("object", "nosuch", "a"), "-ERR Invalid command specified\r\n");
  assertEquals(keys("config", "get", "a"), "-ERR The command has no key arguments\r\n");
  assertEquals(keys("get", "a", "b"), "-ERR Invalid number of arguments specified for command\r\n");
});

Deno.test("COMMAND GETKEYS takes keys that are left out for an error only where they must be there", () => {
  const spec = {
    ...ALL_SPECS.get,
    arity: -3,
    keys: [{
      flags: ["RO"],
      beginSearch: { type: "index", index: 2 },
      findKeys: { type: "keynum", keyNumIndex: 0, firstKey: 1, keyStep: 1 },
    }],
  } as const;
  const table: SpecTable = { must: spec, may: { ...spec, flags: ["no_mandatory_keys"] } };
  const keys = (...words: string[]): string =>
    written(2, (reply) => replyCommandGetKeys(reply, table, innerCall(...words)));
  assertEquals(keys("may", "script", "0"), "*0\r\n");
  assertEquals(keys("must", "script", "0"), "-ERR Invalid arguments specified for command\r\n");
  assertEquals(keys("must", "script", "1", "a"), "*1\r\n$1\r\na\r\n");
});

Deno.test("COMMAND HELP is an array of status lines that names every subcommand", () => {
  for (const resp of VERSIONS) {
    const { marker, items } = parseReply(written(resp, replyCommandHelp));
    assertEquals(marker, "*");
    assertEquals(new Set(items.map((item) => item.marker)), new Set(["+"]));
    const syntax = items.map((item) => item.text!).filter((line) => /^[A-Z]/.test(line));
    assertEquals(
      syntax.slice(1).map((line) => line.split(" ")[0].toLowerCase()).sort(),
      Object.keys(ALL_SPECS.command.subcommands).sort(),
    );
  }
});

Deno.test("replies to calls without prose are those of Redis, byte by byte", async () => {
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  const calls = [
    "INFO get mget nosuch copy CONFIG|GET object|Freq get|x config|nosuch config|get|x ping",
    "INFO swapdb info flushall time debug shutdown hello client|kill client|info randomkey",
    "DOCS nosuch get|x config|get|x",
    "LIST FILTERBY PATTERN nosuch*",
    "LIST FILTERBY PATTERN getex",
    "LIST FILTERBY PATTERN CONFIG|G*",
    "LIST FILTERBY ACLCAT nosuch",
    "LIST FILTERBY MODULE nosuch",
    "LIST FILTERBY PATTERN",
    "LIST FILTERBY PATTERN a b",
    "LIST FILTERBY nosuch a",
    "LIST nosuch",
    "GETKEYS get a",
    "GETKEYS GeT a",
    "GETKEYS mset a 1 b 2",
    "GETKEYS mset a 1 b",
    "GETKEYS mset a",
    "GETKEYS nosuch a",
    "GETKEYS object encoding a",
    "GETKEYS object nosuch a",
    "GETKEYS object encoding",
    "GETKEYS object|encoding a",
    "GETKEYS object help",
    "GETKEYS config get a",
    "GETKEYS config get",
    "GETKEYS debug object a",
    "GETKEYS command info a",
    "GETKEYS get a b",
    "GETKEYS copy a",
    "GETKEYS scan 0",
    "GETKEYSANDFLAGS set a b",
    "GETKEYSANDFLAGS set a get",
    "GETKEYSANDFLAGS set a b ex 10 GeT",
    "GETKEYSANDFLAGS copy a b",
    "GETKEYSANDFLAGS rename a b",
    "GETKEYSANDFLAGS del a b c",
    "GETKEYSANDFLAGS msetnx a 1 b 2",
    "GETKEYSANDFLAGS config get a",
    "GETKEYSANDFLAGS strlen a",
  ];
  for (const resp of VERSIONS) {
    await redis.ask("HELLO", String(resp));
    for (const call of calls) {
      const [subcommand, ...words] = call.split(" ");
      assertEquals(
        written(resp, (reply) => replyTo(reply, subcommand, words)),
        await redis.ask("COMMAND", ...call.split(" ")),
        `RESP${resp} COMMAND ${call}`,
      );
    }
  }
});

Deno.test("descriptions and documentation of all commands are those of Redis but for the prose", async () => {
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  const names: string[] = [];
  visitSpecs(ALL_SPECS, ({ fullName }) => names.push(fullName));
  for (const resp of VERSIONS) {
    await redis.ask("HELLO", String(resp));
    for (const subcommand of ["INFO", "DOCS"]) {
      for (const name of names) {
        const ours = written(resp, (reply) => replyTo(reply, subcommand, [name]));
        const theirs = await redis.ask("COMMAND", subcommand, name);
        assertEquals(
          withoutProse(parseReply(ours)),
          withoutProse(parseReply(theirs)),
          `RESP${resp} COMMAND ${subcommand} ${name}`,
        );
      }
    }
  }
});

/** The words before a text that every server may put in its own way. */
const PROSE_FIELDS = new Set(["summary", "complexity", "notes", "replaced_by"]);

/**
 * A reply with its prose blanked, without the subcommands that miniredis doesn't have, and with the
 * rest of the subcommands in the order of their names.
 */
function withoutProse(node: ReplyNode): ReplyNode {
  const items = node.items.map((item, index) => {
    const before = node.items[index - 1]?.text ?? "";
    if (PROSE_FIELDS.has(before)) return BLANK;
    return before === "history" ? withoutChanges(item) : withoutProse(item);
  });
  // Subcommands are an array of descriptions that start with a name, or a map from names.
  if (isSubcommand(items[0]?.items[0])) {
    return { ...node, items: knownInOrder(items.map((item) => [item.items[0], item])) };
  }
  if (isSubcommand(items[0]) && items.length % 2 === 0 && items[1].items.length > 0) {
    const pairs = items.flatMap((item, at) => at % 2 === 0 ? [[item, item, items[at + 1]]] : []);
    return { ...node, items: knownInOrder(pairs) };
  }
  return { ...node, items };
}

/** What stands for prose. */
const BLANK: ReplyNode = { marker: "$", text: "prose", items: [] };

/** A command's history with its versions alone. */
function withoutChanges(history: ReplyNode): ReplyNode {
  const items = history.items.map((entry) => ({ ...entry, items: [entry.items[0], BLANK] }));
  return { ...history, items };
}

function isSubcommand(node: ReplyNode | undefined): boolean {
  return node?.text?.includes("|") ?? false;
}

/** Of groups that start with a name, those with a name that we know, sorted, without the names. */
function knownInOrder(groups: readonly (readonly ReplyNode[])[]): ReplyNode[] {
  return groups.filter(([name]) => findSpec(ALL_SPECS, name.text!) !== undefined)
    .sort(([one], [other]) => one.text! < other.text! ? -1 : 1)
    .flatMap(([, ...rest]) => rest);
}
