import { assert, assertEquals } from "@std/assert";
import { CommandGuide } from "../../../src/client/help/mod.ts";
import { ALL_SPECS } from "../../../src/commands/specs/mod.ts";

/** What is typed, and what its last word can become. */
type Cases = readonly (readonly [typed: string, candidates: readonly string[]])[];

const guide = new CommandGuide(ALL_SPECS);

const TABLES: Readonly<Record<string, Cases>> = {
  "commands": [
    ["pexp", ["pexpire", "pexpireat", "pexpiretime"]],
    ["PEXPIRET", ["PEXPIRETIME"]],
    ["Pexpiret", ["Pexpiretime"]],
    ["pEXPIRET", ["pEXPIRETIME"]],
    ["  getd", ["getdel"]],
    ["nosuch", []],
    ['"ge', []],
    ["'get'", []],
  ],
  "subcommands": [
    ["config ", ["get", "help", "resetstat", "rewrite", "set"]],
    ["CONFIG ", ["GET", "HELP", "RESETSTAT", "REWRITE", "SET"]],
    ["CONFIG re", ["resetstat", "rewrite"]],
    ["config x", []],
    ["nosuch g", []],
  ],
  "options": [
    ["set k v ", ["nx", "xx", "get", "ex", "px", "exat", "pxat", "keepttl"]],
    ["SET k v E", ["EX", "EXAT"]],
    ["set k v ex", ["ex", "exat"]],
    ["set k v ex 10 ", ["nx", "xx", "get"]],
    ["set k v ex 10 GET ", ["nx", "xx"]],
    ["set k v ex ", []],
    ["set k ", []],
    ["set k v nosuch ", []],
    ["lmove a b ", ["left", "right"]],
    ["zadd k ", ["nx", "xx", "gt", "lt", "ch", "incr"]],
    ["xadd k maxlen ", ["=", "~"]],
    ["migrate h 1 ", []],
    ["client kill t", ["type"]],
    ["zdiff 2 a b ", ["withscores"]],
    ["zdiff 2 a ", []],
  ],
  "a repeat count": [
    ["5 pexpiret", ["pexpiretime"]],
    ["5 conn", []],
    ["5 set k v k", ["keepttl"]],
  ],
  "the words of the dialogue": [
    ["conn", ["connect"]],
    ["qu", ["quit"]],
    [":", [":set"]],
    [":set ", ["hints", "nohints"]],
    [":set n", ["nohints"]],
    ["clea", ["clear"]],
    ["hel", ["hello", "help"]],
  ],
  "topics of help": [
    ["help pexp", ["pexpire", "pexpireat", "pexpiretime"]],
    ["HELP PEXPIRET", ["PEXPIRETIME"]],
    ["help @s", ["@server", "@set", "@sorted-set", "@stream", "@string"]],
    ["? @hy", ["@hyperloglog"]],
    ["help config re", ["resetstat", "rewrite"]],
    ["help get ", []],
    ["help conn", []],
  ],
};

for (const [name, cases] of Object.entries(TABLES)) {
  Deno.test(`completion: ${name}`, () => {
    for (const [typed, expected] of cases) {
      const { start, candidates } = guide.complete(typed);
      assertEquals(candidates, expected, JSON.stringify(typed));
      const lastWord = /[^ ]*$/.exec(typed)!;
      assertEquals(start, lastWord.index, JSON.stringify(typed));
    }
  });
}

Deno.test("completion: where nothing was typed, all commands and the words of the dialogue", () => {
  const { start, candidates } = guide.complete("");
  assertEquals(start, 0);
  for (const word of ["APPEND", "CONFIG", "ZUNIONSTORE", "QUIT", "connect", "help", ":set"]) {
    assert(candidates.includes(word), word);
  }
  assert(!candidates.includes("quit"));
  assertEquals(new Set(candidates).size, candidates.length);
  assertEquals(guide.complete("5 ").candidates, candidates.filter((word) => /^[A-Z]/.test(word)));
});

Deno.test("completion: keys", () => {
  const cases: [typed: string, start: number, prefix: string | undefined][] = [
    ["get ", 4, ""],
    ["get us", 4, "us"],
    ["get us ", 7, undefined],
    ["config get ma", 11, undefined],
    ["mset a 1 b", 9, "b"],
    ["mset a 1", 7, undefined],
    ['get "my k', 4, "my k"],
    ["get 'it\\'s", 4, "it's"],
    ['get "a"', 4, "a"],
    ['get "a"b', 8, undefined],
    ["5 incr c", 7, "c"],
    ["zdiff 2 a ", 10, ""],
    ["zdiff 1 a ", 10, undefined],
    ["sort k store d", 13, "d"],
    ["xread count 2 streams s", 22, "s"],
    ["object freq o", 12, "o"],
    ["migrate h 1 k", 12, "k"],
    ["help ge", 5, undefined],
    ["nosuch k", 7, undefined],
  ];
  for (const [typed, start, prefix] of cases) {
    const completion = guide.complete(typed);
    assertEquals([completion.start, completion.key?.prefix], [start, prefix], typed);
  }
});

Deno.test("completion: a key is looked for by its letters, whatever they mean in patterns", () => {
  assertEquals(guide.complete("get user:").key?.pattern, "user:*");
  assertEquals(guide.complete("get a*b?[c]\\").key?.pattern, "a\\*b\\?\\[c\\]\\\\*");
  assertEquals(guide.complete("get ").key?.pattern, "*");
});
