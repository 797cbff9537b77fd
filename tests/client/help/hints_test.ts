import { assertEquals } from "@std/assert";
import { CommandGuide } from "../../../src/client/help/mod.ts";
import { ALL_SPECS } from "../../../src/commands/specs/mod.ts";

/** What is typed, and what then stands behind the cursor. */
type Cases = readonly (readonly [typed: string, hint: string])[];

const guide = new CommandGuide(ALL_SPECS);

const TABLES: Readonly<Record<string, Cases>> = {
  "arguments that were typed are taken away": [
    ["get ", "key"],
    ["get", " key"],
    ["GET one ", ""],
    ["GET one two ", ""],
    ["setrange ", "key offset value"],
    ["setrange k", " offset value"],
    ["setrange k ", "offset value"],
    ["setrange k 7", " value"],
    ["\tsetrange  k\t7 ", "value"],
    ["setrange k 7 v", ""],
    ["ping ", "[message]"],
    ["dbsize", ""],
    ["dbsize ", ""],
    ["", ""],
    ["  ", ""],
  ],
  "options are taken away in any order": [
    ["sinter a ", "[key ...]"],
    ["scan 0 ", "[MATCH pattern] [COUNT count] [TYPE type]"],
    ["scan 0 type hash ", "[MATCH pattern] [COUNT count]"],
    ["scan 0 type hash match * ", "[COUNT count]"],
    ["scan 0 type hash match * count 5 ", ""],
    ["scan 0 type ", "type [MATCH pattern] [COUNT count]"],
    ["getex k px ", "milliseconds"],
    ["getex k persist ", ""],
    ["expire k 5 ", "[NX|XX|GT|LT]"],
    ["expire k 5 gt ", ""],
    ["lpos k e maxlen 5 ", "[RANK rank] [COUNT num-matches]"],
    ["set k v px 5 ", "[NX|XX] [GET]"],
    ["set k v keepttl nx get ", ""],
    ["copy a b replace ", "[DB destination-db]"],
  ],
  "options in front may be left out": [
    ["zadd k ", "[NX|XX] [GT|LT] [CH] [INCR] score member [score member ...]"],
    ["zadd k ch xx ", "[GT|LT] [INCR] score member [score member ...]"],
    ["zadd k -inf ", "member [score member ...]"],
    ["zadd k ch 1.5e3 m ", "[score member ...]"],
    ["xadd k nomkstream minid = ", "threshold [LIMIT count] *|id field value [field value ...]"],
    ["xadd k * ", "field value [field value ...]"],
    ["xadd k 5-1 f ", "value [field value ...]"],
    ["bitpos k 1 0 ", "[end [BYTE|BIT]]"],
    ["bitpos k 1 0 -1 ", "[BYTE|BIT]"],
    ["hello 3 setname n ", "[AUTH username password]"],
  ],
  "what is repeated": [
    ["mset ", "key value [key value ...]"],
    ["mset a ", "value [key value ...]"],
    ["mset a 1 ", "[key value ...]"],
    ["mset a 1 b", " value [key value ...]"],
    [
      "sort k get p ",
      "[GET pattern ...] [BY pattern] [LIMIT offset count] [ASC|DESC] [ALPHA] " +
      "[STORE destination]",
    ],
    ["sort k get p alpha desc store d ", "[GET pattern ...] [BY pattern] [LIMIT offset count]"],
    [
      "sort k get p alpha get ",
      "pattern [GET pattern ...] [BY pattern] [LIMIT offset count] " +
      "[ASC|DESC] [STORE destination]",
    ],
    ["bitfield_ro k get u8 ", "offset [GET encoding offset ...]"],
    ["bitfield_ro k get u8 #1 ", "[GET encoding offset ...]"],
    ["xread streams a ", "[key ...] id [id ...]"],
    ["blpop a ", "[key ...] timeout"],
  ],
  "as many keys as were counted": [
    ["zdiff ", "numkeys key [key ...] [WITHSCORES]"],
    ["zdiff 2 ", "key [key ...] [WITHSCORES]"],
    ["zdiff 2 a ", "key [WITHSCORES]"],
    ["zdiff 2 a b ", "[WITHSCORES]"],
    ["zdiff 1", " key [WITHSCORES]"],
    ["zdiff 2 withscores ", "key [WITHSCORES]"],
    ["zunionstore d 2 a b weights 1 ", "[weight ...] [AGGREGATE SUM|MIN|MAX]"],
    ["lmpop 1 a ", "LEFT|RIGHT [COUNT count]"],
  ],
  "one of several": [
    ["lmove a b ", "LEFT|RIGHT LEFT|RIGHT"],
    ["lmove a b left ", "LEFT|RIGHT"],
    ["lmove a b left right ", ""],
    [
      "geosearch k fromlonlat 1 ",
      "latitude BYRADIUS radius M|KM|FT|MI|BYBOX width height " +
      "M|KM|FT|MI [ASC|DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]",
    ],
    [
      "geosearch k frommember m byradius 5 km count 3 ",
      "[ANY] [ASC|DESC] [WITHCOORD] " +
      "[WITHDIST] [WITHHASH]",
    ],
    ["geosearch k frommember m byradius 5 km count 3 desc ", "[WITHCOORD] [WITHDIST] [WITHHASH]"],
    [
      'migrate h 1 "" ',
      "destination-db timeout [COPY] [REPLACE] " +
      "[[AUTH password]|[AUTH2 username password]] [KEYS key [key ...]]",
    ],
  ],
  "subcommands": [
    ["config", " GET|HELP|RESETSTAT|REWRITE|SET"],
    ["config ", "GET|HELP|RESETSTAT|REWRITE|SET"],
    ["CONFIG RE", " RESETSTAT|REWRITE"],
    ["config set ", "parameter value [parameter value ...]"],
    ["config resetstat ", ""],
    ["config nosuch ", ""],
    ["config nosuch", ""],
    ["command ", "[COUNT|DOCS|GETKEYS|GETKEYSANDFLAGS|HELP|INFO|LIST]"],
    ["xgroup create k g $ ", "[MKSTREAM] [ENTRIESREAD entries_read]"],
  ],
  "a word that can only become one thing is completed": [
    ["pexpireat", " key unix-time-milliseconds [NX|XX|GT|LT]"],
    ["pexpirea", "t key unix-time-milliseconds [NX|XX|GT|LT]"],
    ["PEXPIREA", "T key unix-time-milliseconds [NX|XX|GT|LT]"],
    ["config g", "et parameter [parameter ...]"],
    ["CONFIG resets", "tat"],
    ["set k v ke", "epttl [NX|XX] [GET]"],
    ["SET k v EXA", "T unix-time-seconds [NX|XX] [GET]"],
    [
      "SET k v N",
      "X [GET] [EX seconds|PX milliseconds|EXAT unix-time-seconds|" +
      "PXAT unix-time-milliseconds|KEEPTTL]",
    ],
    ["getr", "ange key start end"],
  ],
  "a word that can become several things": [
    ["get", " key"],
    ["ge", ""],
    ["SET k v E", " EX|EXAT"],
    ["SET k v EX", " seconds [NX|XX] [GET]"],
    ["xadd k m", " MAXLEN|MINID"],
    // A key may be called anything.
    ["mget g", " [key ...]"],
    // A number may be on its way.
    ["zadd k -", " member [score member ...]"],
    ["zadd k n", "x [GT|LT] [CH] [INCR] score member [score member ...]"],
  ],
  "what makes no sense has no hint": [
    ["nosuch", ""],
    ["nosuch ", ""],
    ["set k v nosuch ", ""],
    ["set k v nosuch nx ", ""],
    ["set k v ex soon ", ""],
    ["set k v nx nx ", ""],
    ["zrandmember k some ", ""],
    ['get "a"b ', ""],
    ["constructor ", ""],
    ["config __proto__ ", ""],
    [`get ${"k".repeat(5000)}`, ""],
  ],
  "quotes": [
    [
      'set "a b" ',
      "value [NX|XX] [GET] [EX seconds|PX milliseconds|EXAT unix-time-seconds|" +
      "PXAT unix-time-milliseconds|KEEPTTL]",
    ],
    ['setrange "a b" 1 ', "value"],
    ['setrange "a b', " offset value"],
    ['setrange "a b ', " offset value"],
    ["setrange 'it\\'s ", " offset value"],
    ["'setrange' k ", "offset value"],
    ['setrange "" ', "offset value"],
    ['setrange "a\\', " offset value"],
    ['set k v "e', ""],
  ],
  "a repeat count is passed over": [
    ["5 incr", " key"],
    ["5 incr ", "key"],
    ["+5 config se", "t parameter value [parameter value ...]"],
    ["-1 incr ", "key"],
    ["5 ", ""],
    ["5", ""],
    ["5 6 incr ", ""],
  ],
  "the words of the dialogue": [
    ["connect ", "hostname port"],
    ["connect h ", "port"],
    [":set ", "hints|nohints"],
    [":s", "et hints|nohints"],
    ["help ", "[command|@group]"],
    ["help set ", ""],
    ["? config ", "[GET|HELP|RESETSTAT|REWRITE|SET]"],
    ["help @ha", "sh"],
    ["clear", ""],
    ["5 connect ", ""],
  ],
};

for (const [name, cases] of Object.entries(TABLES)) {
  Deno.test(`hints: ${name}`, () => {
    for (const [typed, hint] of cases) assertEquals(guide.hint(typed), hint, JSON.stringify(typed));
  });
}

Deno.test("hints: a guide that knows nothing has the words of the dialogue", () => {
  const empty = new CommandGuide();
  assertEquals(empty.hint("get "), "");
  assertEquals(empty.hint("connect "), "hostname port");
});
