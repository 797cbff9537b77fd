import { assert, assertEquals } from "@std/assert";
import { ArenaFullError } from "../../src/memory/arena.ts";
import { type MemoryConnection, startMemoryServer } from "../support/memory_server.ts";
import { Told } from "../support/told.ts";

const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const SYNTAX = "-ERR syntax error";
const NO_INTEGER = "-ERR value is not an integer or out of range";
const NO_FLOAT = "-ERR value is not a valid float";
const NO_SCORES = "-ERR min or max is not a float";
const NO_NAMES = "-ERR min or max not valid string range item";
const POSITIVE = "-ERR value is out of range, must be positive";
const NO_KEYS = "-ERR numkeys should be greater than 0";

/** Sends a command that is written as a line; `''` is an empty argument. */
function ask(connection: MemoryConnection, command: string): Promise<unknown> {
  return connection.ask(...command.split(" ").map((word) => word === "''" ? "" : word));
}

async function expectReplies(
  connection: MemoryConnection,
  cases: readonly (readonly [string, unknown])[],
): Promise<void> {
  for (const [command, expected] of cases) {
    assertEquals(await ask(connection, command), expected, command);
  }
}

Deno.test("sorted set commands: adding, and the options of ZADD", async () => {
  await using machine = await startMemoryServer(201);
  const connection = await machine.connect();
  await expectReplies(connection, [
    ["ZADD z 1 a 2 b", 2],
    ["ZADD z 1 a 3 b", 0],
    ["ZADD z CH 1 a 4 b 5 c", 2],
    ["ZADD z NX CH 9 a 9 d", 1],
    ["ZADD z XX CH 7 a 9 e", 1],
    ["ZADD z GT CH 1 a 8 b 1 f", 2],
    ["ZADD z LT CH 9 a 7 b", 1],
    ["ZADD z INCR 2.5 a", "9.5"],
    ["ZADD z NX INCR 2.5 a", null],
    ["ZADD z XX INCR 2.5 new", null],
    ["ZADD none XX INCR 2.5 new", null],
    ["ZADD none XX 2.5 new", 0],
    ["ZADD z GT INCR -1 a", null],
    ["ZADD z GT INCR 0 a", null],
    ["ZADD z INCR 0 a", "9.5"],
    ["ZADD z LT INCR -1 new", "-1"],
    ["ZINCRBY z 1e3 new", "999"],
    ["ZRANGE z 0 -1 WITHSCORES", "f 1 c 5 b 7 d 9 a 9.5 new 999".split(" ")],
    ["ZADD z 0x10 hexadecimal 1e-3 small -0 zero +inf most -inf least", 5],
    ["ZMSCORE z hexadecimal small zero most least other", [
      "16",
      "0.001",
      "0",
      "inf",
      "-inf",
      null,
    ]],
    ["ZINCRBY negative -0 zero", "-0"],
    ["ZSCORE negative zero", "0"],
    ["EXISTS none", 0],
    ["ZREM z a a b x", 2],
    ["ZREM none a", 0],
    ["ZCARD z", 9],
    ["ZCARD none", 0],
  ]);
});

Deno.test("sorted set commands: errors, in the order in which Redis looks", async () => {
  await using machine = await startMemoryServer(202);
  const connection = await machine.connect();
  await ask(connection, "SET s x");
  await ask(connection, "ZADD z inf a 1 b");
  const together = "-ERR GT, LT, and/or NX options at the same time are not compatible";
  const nan = "-ERR resulting score is not a number (NaN)";
  const limit =
    "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or " +
    "BYLEX";
  const scores = "-ERR syntax error, WITHSCORES not supported in combination with BYLEX";
  const before = await ask(connection, "DEBUG DIGEST");
  await expectReplies(connection, [
    ["ZADD s nan a", NO_FLOAT],
    ["ZADD s 1 a", WRONG_TYPE],
    ["ZADD s XX NX 1 a", "-ERR XX and NX options at the same time are not compatible"],
    ["ZADD z NX GT 1 a", together],
    ["ZADD z GT LT 1 a", together],
    ["ZADD z INCR 1 a 2 b", "-ERR INCR option supports a single increment-element pair"],
    ["ZADD z 1 c x b", NO_FLOAT],
    ["ZADD z 1 a 2", SYNTAX],
    ["ZADD z NX CH", SYNTAX],
    ["ZADD z INCR -inf a", nan],
    ["ZINCRBY z -inf a", nan],
    ["ZINCRBY z NX a", SYNTAX],
    ["ZINCRBY z foo a", NO_FLOAT],
    ["ZPOPMIN z -1", POSITIVE],
    ["ZPOPMIN s foo", POSITIVE],
    ["ZPOPMIN s 0", WRONG_TYPE],
    ["ZPOPMIN none 0", []],
    ["ZPOPMIN z 1 2", SYNTAX],
    ["ZMPOP 0 z MIN", NO_KEYS],
    ["ZMPOP a z MIN", NO_KEYS],
    ["ZMPOP 2 z MIN", SYNTAX],
    ["ZMPOP 1 z MIN COUNT 0", "-ERR count should be greater than 0"],
    ["ZMPOP 1 z MIN COUNT 1 COUNT 1", SYNTAX],
    ["ZMPOP 1 z MIN COUNT", SYNTAX],
    ["ZMPOP 2 none s MIN", WRONG_TYPE],
    ["BZMPOP a 1 s FOO", SYNTAX],
    ["BZMPOP a 1 s MIN", "-ERR timeout is not a float or out of range"],
    ["BZMPOP -1 1 z MIN", "-ERR timeout is negative"],
    ["BZPOPMIN s z 0", WRONG_TYPE],
    ["BZPOPMIN s z a", "-ERR timeout is not a float or out of range"],
    ["ZRANDMEMBER s a", NO_INTEGER],
    ["ZRANDMEMBER s", WRONG_TYPE],
    ["ZRANDMEMBER z 1 FOO", SYNTAX],
    ["ZRANDMEMBER z 4611686018427387904 WITHSCORES", "-ERR value is out of range"],
    ["ZSCAN none a", "-ERR invalid cursor"],
    ["ZSCAN s 0 FOO", WRONG_TYPE],
    ["ZSCAN z 0 TYPE zset", SYNTAX],
    ["ZRANGE s a b", NO_INTEGER],
    ["ZRANGE s 0 1 FOO", SYNTAX],
    ["ZRANGE s 0 1", WRONG_TYPE],
    ["ZRANGE z a 0 LIMIT 0 1", limit],
    ["ZRANGE z 0 1 LIMIT 0 a", NO_INTEGER],
    ["ZRANGE z 0 1 LIMIT 0", SYNTAX],
    ["ZRANGE z 0 1 BYSCORE BYLEX", SYNTAX],
    ["ZRANGE z 0 1 BYLEX WITHSCORES", scores],
    ["ZRANGE none 0 1 BYLEX", NO_NAMES],
    ["ZRANGE none a 1 BYSCORE", NO_SCORES],
    ["ZRANGE z -inf nan BYSCORE", NO_SCORES],
    ["ZRANGE z '' + BYLEX", NO_NAMES],
    ["ZRANGE z [a c BYLEX", NO_NAMES],
    ["ZRANGE z -- + BYLEX", NO_NAMES],
    ["ZREVRANGE z 0 -1 REV", SYNTAX],
    ["ZREVRANGE z 0 -1 LIMIT 0 1", limit],
    ["ZRANGEBYSCORE z -inf inf BYSCORE", SYNTAX],
    ["ZRANGEBYLEX z - + WITHSCORES", scores],
    ["ZRANGESTORE d s 0 1", WRONG_TYPE],
    ["ZRANGESTORE d z 0 1 WITHSCORES", SYNTAX],
    ["ZREMRANGEBYRANK s 0 a", NO_INTEGER],
    ["ZREMRANGEBYSCORE s 0 a", NO_SCORES],
    ["ZREMRANGEBYLEX s 0 a", NO_NAMES],
    ["ZREMRANGEBYLEX s - +", WRONG_TYPE],
    ["ZCOUNT s 0 a", NO_SCORES],
    ["ZLEXCOUNT s - +", WRONG_TYPE],
    ["ZUNIONSTORE d 0 z", "-ERR at least 1 input key is needed for 'zunionstore' command"],
    ["ZUNION -1 z", "-ERR at least 1 input key is needed for 'zunion' command"],
    ["ZUNION a z", NO_INTEGER],
    ["ZINTERSTORE d 3 z y", SYNTAX],
    ["ZINTER 2 z s FOO", WRONG_TYPE],
    ["ZINTER 1 z WEIGHTS", SYNTAX],
    ["ZINTER 1 z WEIGHTS nan", "-ERR weight value is not a float"],
    ["ZINTER 1 z AGGREGATE FOO", SYNTAX],
    ["ZDIFF 1 z WEIGHTS 1", SYNTAX],
    ["ZDIFFSTORE d 1 z WITHSCORES", SYNTAX],
    ["ZINTERCARD 1 z LIMIT -1", "-ERR LIMIT can't be negative"],
    ["ZINTERCARD 1 z LIMIT a", "-ERR LIMIT can't be negative"],
    ["ZINTERCARD 1 z LIMIT", SYNTAX],
    ["ZSCORE s a", WRONG_TYPE],
    ["ZRANK s a", WRONG_TYPE],
    ["ZREM s a", WRONG_TYPE],
  ]);
  assertEquals(await ask(connection, "DEBUG DIGEST"), before, "nothing has changed");
});

Deno.test("sorted set commands: ranges, in both forms of a set", async () => {
  await using machine = await startMemoryServer(203);
  const connection = await machine.connect();
  for (const entries of ["128", "0"]) {
    await ask(connection, "FLUSHALL");
    await ask(connection, `CONFIG SET zset-max-listpack-entries ${entries}`);
    await ask(connection, "ZADD z 1 a 2 b 2 c 3 d");
    await ask(connection, "ZADD names 0 a 0 b 0 ba 0 c");
    await expectReplies(connection, [
      ["OBJECT ENCODING z", entries === "0" ? "skiplist" : "listpack"],
      ["ZRANGE z 1 -2", ["b", "c"]],
      ["ZRANGE z 2 0", []],
      ["ZRANGE z -100 100 REV", ["d", "c", "b", "a"]],
      ["ZRANGE z 0 1 LIMIT 5 -1", ["a", "b"]],
      ["ZREVRANGE z 0 0 WITHSCORES", ["d", "3"]],
      ["ZRANGE z (1 (3 BYSCORE", ["b", "c"]],
      ["ZRANGE z inf -inf BYSCORE REV LIMIT 1 2", ["c", "b"]],
      ["ZRANGE z -inf inf BYSCORE LIMIT -1 1", []],
      ["ZRANGE z -inf inf BYSCORE LIMIT 1 -1", ["b", "c", "d"]],
      ["ZRANGE z 3 1 BYSCORE", []],
      ["ZRANGEBYSCORE z 2 2 WITHSCORES", ["b", "2", "c", "2"]],
      ["ZREVRANGEBYSCORE z 2 1", ["c", "b", "a"]],
      ["ZRANGEBYLEX names [b (c", ["b", "ba"]],
      ["ZREVRANGEBYLEX names + (b LIMIT 1 5", ["ba"]],
      ["ZRANGE names - + BYLEX REV", []],
      ["ZRANGE names + - BYLEX REV", ["c", "ba", "b", "a"]],
      ["ZCOUNT z (1 3", 3],
      ["ZLEXCOUNT names - [b", 2],
      ["ZRANK z c", 2],
      ["ZREVRANK z c", 1],
      ["ZRANK z x", null],
      ["ZRANGESTORE d z 0 1 REV", 2],
      ["ZRANGE d 0 -1 WITHSCORES", ["c", "2", "d", "3"]],
      ["ZRANGESTORE d z 9 10", 0],
      ["EXISTS d", 0],
      ["ZREMRANGEBYRANK z 0 0", 1],
      ["ZREMRANGEBYSCORE z (2 5", 1],
      ["ZREMRANGEBYLEX names (a [b", 1],
      ["ZRANGE z 0 -1", ["b", "c"]],
      ["ZRANGE names 0 -1", ["a", "ba", "c"]],
      ["ZPOPMAX z", ["c", "2"]],
      ["ZPOPMIN names 2", ["a", "0", "ba", "0"]],
      ["ZMPOP 2 none names MAX COUNT 5", ["names", [["c", "0"]]]],
      ["ZMPOP 2 none names MAX", null],
      ["DEBUG CHECK", "OK"],
    ]);
  }
});

Deno.test("sorted set commands: combining sets and sorted sets", async () => {
  await using machine = await startMemoryServer(204);
  const connection = await machine.connect();
  await ask(connection, "ZADD z 1 a 2 b 3 c");
  await ask(connection, "ZADD y 1 a 2 b 3 d");
  await ask(connection, "ZADD infinite inf a -inf b");
  await ask(connection, "SADD set a c");
  await ask(connection, "SADD numbers 1 2");
  await ask(connection, "ZADD counted 5 1 6 3");
  await expectReplies(connection, [
    ["ZUNION 2 z y WITHSCORES", ["a", "2", "c", "3", "d", "3", "b", "4"]],
    ["ZINTER 2 z y WEIGHTS 1 2 WEIGHTS 2 3 WITHSCORES", ["a", "5", "b", "10"]],
    ["ZINTER 2 z y AGGREGATE MAX WITHSCORES", ["a", "1", "b", "2"]],
    ["ZDIFF 2 z y WITHSCORES", ["c", "3"]],
    ["ZUNION 3 z set none WITHSCORES", ["a", "2", "b", "2", "c", "4"]],
    ["ZINTER 2 numbers counted WITHSCORES", ["1", "6"]],
    ["ZUNION 2 infinite z WEIGHTS 0 1 WITHSCORES", ["a", "1", "b", "2", "c", "3"]],
    ["ZUNION 2 infinite infinite WEIGHTS 1 -1 WITHSCORES", ["a", "0", "b", "0"]],
    ["ZINTERCARD 2 z y LIMIT 1", 1],
    ["ZINTERCARD 2 z y", 2],
    ["ZINTERCARD 2 z none", 0],
    ["ZUNIONSTORE z 2 z y", 4],
    ["ZINTERSTORE y 1 none", 0],
    ["EXISTS y", 0],
    ["ZDIFFSTORE set 2 z set", 2],
    ["ZRANGE set 0 -1 WITHSCORES", ["d", "3", "b", "4"]],
    ["DEBUG CHECK", "OK"],
  ]);
  assertEquals(machine.server.keyspace.roots.count, 0, "what was put together is gone");
});

Deno.test("sorted set commands: RESP3 has doubles, and pairs where Redis has them", async () => {
  await using machine = await startMemoryServer(205);
  const connection = await machine.connect();
  await connection.ask("HELLO", "3");
  const cases: [string, string][] = [
    ["ZADD z 1 a 2.5 b 3 c 4 d 5 e 6 f", ":6"],
    ["ZADD z INCR 0 b", ",2.5"],
    ["ZSCORE z b", ",2.5"],
    ["ZMSCORE z b x", "*2 ,2.5 _"],
    ["ZRANGE z 0 0 WITHSCORES", "*1 *2 $1 a ,1"],
    ["ZRANGE z 0 0", "*1 $1 a"],
    ["ZPOPMIN z", "*2 $1 a ,1"],
    ["ZPOPMIN z 1", "*1 *2 $1 b ,2.5"],
    ["ZMPOP 1 z MAX", "*2 $1 z *1 *2 $1 f ,6"],
    ["BZPOPMIN z 0", "*3 $1 z $1 c ,3"],
    ["ZRANDMEMBER z -1", /^\*1 \$1 [de]$/.source],
    ["ZRANDMEMBER z -1 WITHSCORES", /^\*1 \*2 \$1 [de] ,[45]$/.source],
    ["ZUNION 1 z WITHSCORES", "*2 *2 $1 d ,4 *2 $1 e ,5"],
    ["ZSCAN z 0", "*2 $1 0 *4 $1 d $1 4 $1 e $1 5"],
    ["ZMPOP 1 none MAX", "_"],
    ["ZRANK z x", "_"],
  ];
  for (const [command, expected] of cases) {
    const reply = (await connection.askRaw(...command.split(" "))).trim().replaceAll("\r\n", " ");
    if (expected.startsWith("^")) assert(new RegExp(expected).test(reply), `${command}: ${reply}`);
    else assertEquals(reply, expected, command);
  }
});

Deno.test("sorted set commands: who watches keys, and who repeats commands, is told what happened", async () => {
  await using machine = await startMemoryServer(206);
  const connection = await machine.connect();
  const told = new Told(machine.server);
  const check = async (
    command: string,
    events: string[],
    commands: string[] = events.length > 0 ? [command] : [],
  ): Promise<void> => {
    await ask(connection, command);
    assertEquals(told.take(), { events, commands }, command);
  };
  await check("ZADD z 1 a 2 b", ["z:zadd"]);
  await check("ZADD z 1 a", []);
  await check("ZADD z XX 1 new", []);
  await check("ZADD none XX 1 new", []);
  await check("ZINCRBY z 1 a", ["z:zincr"]);
  await check("ZADD z INCR 0 a", []);
  await check("ZREM z x", []);
  await check("ZREM z a", ["z:zrem"]);
  await check("ZREM z b", ["z:zrem", "z:del"]);
  await check("ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g 8 h", ["z:zadd"]);
  await check("ZPOPMIN z", ["z:zpopmin"]);
  await check("ZPOPMAX z 2", ["z:zpopmax"]);
  await check("ZMPOP 2 none z MIN COUNT 2", ["z:zpopmin"], ["ZPOPMIN z 2"]);
  await check("BZPOPMAX z 0", ["z:zpopmax"], ["ZPOPMAX z"]);
  await check("BZMPOP 0 1 z MAX COUNT 9", ["z:zpopmax", "z:del"], ["ZPOPMAX z 2"]);
  await check("ZPOPMIN z 5", []);
  await check("ZADD z 1 a 2 b 3 c 4 d", ["z:zadd"]);
  await check("ZREMRANGEBYRANK z 0 0", ["z:zremrangebyrank"]);
  await check("ZREMRANGEBYSCORE z 2 2", ["z:zremrangebyscore"]);
  await check("ZREMRANGEBYLEX z (d +", []);
  await check("ZRANGESTORE to z 0 -1", ["to:zrangestore"]);
  await check("ZUNIONSTORE to 1 z", ["to:zunionstore"]);
  await check("ZINTERSTORE to 2 to z", ["to:zinterstore"]);
  await check("ZDIFFSTORE to 2 z none", ["to:zdiffstore"]);
  await check("ZDIFFSTORE to 2 z z", ["to:del"]);
  await check("ZDIFFSTORE to 2 z z", []);
  await check("ZREMRANGEBYLEX z - +", ["z:zremrangebylex", "z:del"]);
  await check("GEOADD g 13.361389 38.115556 Palermo", ["g:zadd"], [
    "ZADD g 3479099956230698 Palermo",
  ]);
  await check("GEOADD g XX CH 13.361389 38.115556 Palermo", []);
  await check("GEORADIUS g 15 37 200 km STORE to", ["to:georadiusstore"]);
  await check("GEOSEARCHSTORE to g FROMLONLAT 15 37 BYRADIUS 200 km", ["to:geosearchstore"]);
  await check("GEOSEARCHSTORE to g FROMLONLAT 0 0 BYRADIUS 2 km", ["to:del"]);
  await check("GEORADIUS g 15 37 200 km", []);
});

Deno.test("sorted set commands: a change is counted once for each member", async () => {
  await using machine = await startMemoryServer(207);
  const connection = await machine.connect();
  const { keyspace } = machine.server;
  const changes = async (command: string): Promise<number> => {
    const before = keyspace.dirty;
    await ask(connection, command);
    return keyspace.dirty - before;
  };
  assertEquals(await changes("ZADD z 1 a 2 b 3 c 4 d 5 e"), 5);
  assertEquals(await changes("ZADD z 1 a 3 b 4 c"), 2);
  assertEquals(await changes("ZREM z a x b"), 2);
  assertEquals(await changes("ZPOPMIN z 2"), 2);
  assertEquals(await changes("ZREMRANGEBYRANK z 0 -1"), 1);
});

Deno.test("sorted set commands: clients wait for a sorted set, and are served in their order", async () => {
  await using machine = await startMemoryServer(208);
  const connection = await machine.connect();
  const told = new Told(machine.server);
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => machine.connect()));
  const replies = [
    ask(first, "BZPOPMIN z y 0"),
    ask(second, "BZPOPMAX y z 0"),
    ask(third, "BZMPOP 0 2 other z MIN COUNT 2"),
  ];
  await ask(connection, "PING");
  await ask(connection, "SET z text");
  await ask(connection, "DEL z");
  told.take();
  await ask(connection, "ZADD z 1 a 2 b 3 c 4 d");
  assertEquals(await Promise.all(replies), [
    ["z", "a", "1"],
    ["z", "d", "4"],
    ["z", [["b", "2"], ["c", "3"]]],
  ]);
  assertEquals(told.take(), {
    events: ["z:zadd", "z:zpopmin", "z:zpopmax", "z:zpopmin", "z:del"],
    commands: ["ZADD z 1 a 2 b 3 c 4 d", "ZPOPMIN z", "ZPOPMAX z", "ZPOPMIN z 2"],
  });
  const late = ask(first, "BZPOPMIN z 0.05");
  await ask(connection, "PING");
  await ask(connection, "GEOADD z 13.361389 38.115556 Palermo");
  assertEquals(await late, ["z", "Palermo", "3479099956230698"]);
});

Deno.test("sorted set commands: random members are there, and different if they should be", async () => {
  await using machine = await startMemoryServer(209);
  const connection = await machine.connect();
  for (const count of [100, 1000]) {
    await ask(connection, "DEL z");
    const all = Array.from({ length: count }, (_, index) => [String(index), `m${index}`]);
    await connection.ask("ZADD", "z", ...all.flat());
    for (const wanted of [1, 7, count - 1, count + 10]) {
      const some = await connection.ask("ZRANDMEMBER", "z", wanted, "WITHSCORES") as string[];
      const members = some.filter((_, index) => index % 2 === 0);
      assertEquals(members.length, Math.min(wanted, count));
      assertEquals(new Set(members).size, members.length);
      assert(members.every((member, index) => member === `m${some[index * 2 + 1]}`));
    }
    const repeated = await connection.ask("ZRANDMEMBER", "z", -2 * count) as string[];
    assertEquals(repeated.length, 2 * count);
    assert(/^m\d+$/.test(await ask(connection, "ZRANDMEMBER z") as string));
  }
  assertEquals(await ask(connection, "ZRANDMEMBER none"), null);
  assertEquals(await ask(connection, "ZRANDMEMBER none -5"), []);
});

Deno.test("sorted set commands: a whole scan meets each member with its score", async () => {
  await using machine = await startMemoryServer(210);
  const connection = await machine.connect();
  const all = Array.from({ length: 600 }, (_, index) => [String(index / 8), `m${index}`]);
  await connection.ask("ZADD", "z", ...all.flat());
  const seen = new Map<string, string>();
  let cursor = "0";
  do {
    const [next, found] = await connection.ask("ZSCAN", "z", cursor, "COUNT", 20) as [
      string,
      string[],
    ];
    for (let index = 0; index < found.length; index += 2) seen.set(found[index], found[index + 1]);
    cursor = next;
  } while (cursor !== "0");
  assertEquals(seen, new Map(all.map(([score, member]) => [member, score])));
  // A listpack's scores are told as they are stored, others as doubles.
  await ask(connection, "ZADD small 1e17 a 0.1 b");
  assertEquals(await ask(connection, "ZSCAN small 0"), ["0", [
    "b",
    "0.10000000000000001",
    "a",
    "100000000000000000",
  ]]);
});

Deno.test("sorted set commands: several members are added together or not at all when there is no room", async () => {
  await using machine = await startMemoryServer(211);
  const { server } = machine;
  const connection = await machine.connect();
  const { arena } = server.keyspace;
  const allocate = arena.allocate.bind(arena);
  let left = Infinity;
  arena.allocate = (units, kind) => {
    if (--left < 0) throw new ArenaFullError(units);
    return allocate(units, kind);
  };
  const told = new Told(server);
  const refused = "-OOM command not allowed when used memory > 'maxmemory'.";
  const many = Array.from(
    { length: 200 },
    (_, index) => [String(index), `${index}-${"x".repeat(20)}`],
  );
  let failures = 0;
  for (let room = 0; room < 40; room++) {
    await ask(connection, "FLUSHALL");
    await ask(connection, "ZADD z 1 a 2 b");
    await connection.ask("ZADD", "t", ...many.flat());
    const before = await ask(connection, "ZRANGE z 0 -1 WITHSCORES");
    for (const command of ["ZUNIONSTORE z 2 z t", "ZRANGESTORE z t 0 -1", "ZADD new 1 a 2 b"]) {
      told.take();
      left = room;
      const result = await ask(connection, command);
      left = Infinity;
      if (result !== refused) {
        await ask(connection, "DEL z new");
        await ask(connection, "ZADD z 1 a 2 b");
        continue;
      }
      failures++;
      if (command.startsWith("ZADD")) {
        // Blocks are counted here, and not their room: what was added before is told.
        const kept = await ask(connection, "ZRANGE new 0 -1") as string[];
        const { commands } = told.take();
        assertEquals(kept.length === 0 ? [] : [`ZADD new 1 a`], commands.slice(0, 1));
        await ask(connection, "DEL new");
      } else {
        assertEquals(await ask(connection, "ZRANGE z 0 -1 WITHSCORES"), before);
        assertEquals(told.take(), { events: [], commands: [] });
      }
    }
    assertEquals(await ask(connection, "DEBUG CHECK"), "OK");
  }
  assert(failures > 20, `${failures}`);
});

Deno.test("sorted set commands: forms follow the settings as in Redis", async () => {
  await using machine = await startMemoryServer(212);
  const connection = await machine.connect();
  await ask(connection, "CONFIG SET zset-max-listpack-entries 3 zset-max-listpack-value 4");
  await ask(connection, "ZADD z 1 a 2 b 3 c");
  const encoding = (key: string) => ask(connection, `OBJECT ENCODING ${key}`);
  assertEquals(await encoding("z"), "listpack");
  await ask(connection, "ZADD z 9 c");
  assertEquals(await encoding("z"), "listpack");
  await ask(connection, "ZADD z 4 d");
  assertEquals(await encoding("z"), "skiplist");
  await ask(connection, "ZREM z d c");
  assertEquals(await encoding("z"), "skiplist");
  for (
    const command of [
      "ZUNIONSTORE to 1 z",
      "ZINTERSTORE to 1 z",
      "ZDIFFSTORE to 1 z",
      "ZRANGESTORE to z 0 -1",
    ]
  ) {
    await ask(connection, command);
    assertEquals(await encoding("to"), "listpack", command);
  }
  await ask(connection, "COPY z copied");
  assertEquals(await encoding("copied"), "skiplist");
  await ask(connection, "ZADD first 1 12345");
  assertEquals(await encoding("first"), "skiplist");
  await ask(connection, "ZADD second 1 1234 2 12345");
  assertEquals(await encoding("second"), "skiplist");
  await ask(connection, "ZUNIONSTORE to 2 z second");
  assertEquals(await encoding("to"), "skiplist");
});
