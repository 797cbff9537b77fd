import { assert, assertEquals } from "@std/assert";
import { ArenaFullError } from "../../src/memory/arena.ts";
import { type MemoryConnection, startMemoryServer } from "../support/memory_server.ts";
import { Told } from "../support/told.ts";

const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const SYNTAX = "-ERR syntax error";

/** Sends a command that is written as a line. */
function ask(connection: MemoryConnection, command: string): Promise<unknown> {
  return connection.ask(...command.split(" "));
}

/** The members of a set, in order. */
async function members(connection: MemoryConnection, key: string): Promise<string[]> {
  return (await connection.ask("SMEMBERS", key) as string[]).sort();
}

Deno.test("set commands: replies", async () => {
  await using machine = await startMemoryServer(101);
  const connection = await machine.connect();
  const cases: [string, unknown][] = [
    ["SADD s a b a", 2],
    ["SADD s a", 0],
    ["SADD n 1 2 3", 3],
    ["SADD n 02", 1],
    ["SADD n 2", 0],
    ["SCARD n", 4],
    ["SCARD none", 0],
    ["SISMEMBER n 02", 1],
    ["SISMEMBER n 2", 1],
    ["SISMEMBER n 4", 0],
    ["SISMEMBER none 4", 0],
    ["SMISMEMBER s a c b", [1, 0, 1]],
    ["SMISMEMBER none a b", [0, 0]],
    ["SREM s b c", 1],
    ["SREM none b", 0],
    ["SMEMBERS s", ["a"]],
    ["SMEMBERS none", []],
    ["SMOVE s other b", 0],
    ["SMOVE s other a", 1],
    ["EXISTS s", 0],
    ["SMEMBERS other", ["a"]],
    ["SMOVE other other a", 1],
    ["SMOVE other other b", 0],
    ["SMOVE none other b", 0],
    ["SSCAN other 0", ["0", ["a"]]],
    ["SSCAN other 0 MATCH b* COUNT 5", ["0", []]],
    ["SSCAN none 0 WHATEVER", ["0", []]],
    ["SPOP none", null],
    ["SPOP none 3", []],
    ["SPOP other 0", []],
    ["SPOP other 3", ["a"]],
    ["EXISTS other", 0],
    ["SRANDMEMBER none", null],
    ["SRANDMEMBER none -3", []],
    ["SINTERCARD 2 n none", 0],
    ["SINTERCARD 2 n n LIMIT 2", 2],
    ["SINTERCARD 2 n n LIMIT 0", 4],
  ];
  for (const [command, expected] of cases) {
    assertEquals(await ask(connection, command), expected, command);
  }
});

Deno.test("set commands: errors, in the order in which Redis looks", async () => {
  await using machine = await startMemoryServer(102);
  const connection = await machine.connect();
  await connection.ask("SET", "string", "v");
  await connection.ask("SADD", "s", "a");
  const positive = "-ERR value is out of range, must be positive";
  const integer = "-ERR value is not an integer or out of range";
  const cases: [string, string][] = [
    ["SADD string a", WRONG_TYPE],
    ["SREM string a", WRONG_TYPE],
    ["SMOVE s string a", WRONG_TYPE],
    ["SMOVE string s a", WRONG_TYPE],
    ["SISMEMBER string a", WRONG_TYPE],
    ["SMISMEMBER string a", WRONG_TYPE],
    ["SCARD string", WRONG_TYPE],
    ["SMEMBERS string", WRONG_TYPE],
    ["SPOP string", WRONG_TYPE],
    ["SPOP string x", positive],
    ["SPOP string -1", positive],
    ["SPOP string 1 2", SYNTAX],
    ["SRANDMEMBER string", WRONG_TYPE],
    ["SRANDMEMBER string x", integer],
    ["SRANDMEMBER string 1 2", SYNTAX],
    [
      "SRANDMEMBER string -9223372036854775808",
      "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
    ],
    ["SRANDMEMBER s -9223372036854775807", "-ERR value is out of range"],
    ["SINTER none string", WRONG_TYPE],
    ["SUNION none string", WRONG_TYPE],
    ["SDIFF none string", WRONG_TYPE],
    ["SINTERSTORE s none string", WRONG_TYPE],
    ["SUNIONSTORE s none string", WRONG_TYPE],
    ["SDIFFSTORE s none string", WRONG_TYPE],
    ["SINTERCARD 0 string", "-ERR numkeys should be greater than 0"],
    ["SINTERCARD x string", "-ERR numkeys should be greater than 0"],
    ["SINTERCARD 2 string", "-ERR Number of keys can't be greater than number of args"],
    ["SINTERCARD 1 string LIMIT -1", "-ERR LIMIT can't be negative"],
    ["SINTERCARD 1 string LIMIT", SYNTAX],
    ["SINTERCARD 1 string LIMITS 1", SYNTAX],
    ["SINTERCARD 1 string LIMIT 1", WRONG_TYPE],
    ["SSCAN string x", "-ERR invalid cursor"],
    ["SSCAN string 0 FOO", WRONG_TYPE],
    ["SSCAN s 0 FOO", SYNTAX],
    ["SSCAN s 0 TYPE set", SYNTAX],
    ["SSCAN s 0 COUNT 0", SYNTAX],
    ["SSCAN s 0 COUNT x", integer],
  ];
  for (const [command, expected] of cases) {
    assertEquals(await ask(connection, command), expected, command);
  }
  assertEquals(await connection.ask("SMEMBERS", "s"), ["a"]);
});

Deno.test("set commands: who watches keys, and who repeats commands, is told what happened", async () => {
  await using machine = await startMemoryServer(103);
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
  await check("SADD s a b", ["s:sadd"]);
  await check("SADD s a b", []);
  await check("SREM s x", []);
  await check("SREM s b", ["s:srem"]);
  await check("SREM s a b", ["s:srem", "s:del"]);
  await check("SADD s a", ["s:sadd"]);
  await check("SMOVE s t a", ["s:srem", "s:del", "t:sadd"]);
  await check("SMOVE t t a", []);
  await check("SADD s a b", ["s:sadd"]);
  await check("SMOVE s t a", ["s:srem"]);
  await check("SPOP s", ["s:spop", "s:del"], ["SREM s b"]);
  await check("SPOP s", []);
  await check("SADD s a b", ["s:sadd"]);
  await check("SPOP s 0", []);
  await check("SPOP s 5", ["s:spop", "s:del"], ["DEL s"]);
  await check("SINTERSTORE to t s", []);
  await check("SUNIONSTORE to t s", ["to:sunionstore"]);
  await check("SDIFFSTORE to t s", ["to:sdiffstore"]);
  await check("SINTERSTORE to t t", ["to:sinterstore"]);
  await check("SDIFFSTORE to t t", ["to:del"]);
  await ask(connection, "SADD s a b c d e");
  told.take();
  const popped = await ask(connection, "SPOP s 3") as string[];
  assertEquals(told.take(), { events: ["s:spop"], commands: [`SREM s ${popped.join(" ")}`] });
});

Deno.test("set commands: many members that are popped are journaled in several commands", async () => {
  await using machine = await startMemoryServer(104);
  const connection = await machine.connect();
  const all = Array.from({ length: 5000 }, (_, index) => `m${index}`);
  await connection.ask("SADD", "s", ...all);
  const told = new Told(machine.server);
  const popped = await connection.ask("SPOP", "s", 4000) as string[];
  assertEquals(new Set(popped).size, 4000);
  const { commands } = told.take();
  assert(commands.length > 1 && commands.every((command) => command.startsWith("SREM s ")));
  const named = commands.flatMap((command) => command.split(" ").slice(2));
  assertEquals(named.sort(), popped.sort());
  const left = await members(connection, "s");
  assertEquals([...left, ...popped].sort(), all.sort());
});

Deno.test("set commands: random members of sets in all forms are there, and different if they should be", async () => {
  await using machine = await startMemoryServer(105);
  const connection = await machine.connect();
  for (const [prefix, count] of [["", 100], ["m", 100], ["m", 3000]] as const) {
    await connection.ask("DEL", "s");
    const all = Array.from({ length: count }, (_, index) => `${prefix}${index}`);
    await connection.ask("SADD", "s", ...all);
    for (const wanted of [1, 7, count - 1, count, count + 10]) {
      const some = await connection.ask("SRANDMEMBER", "s", wanted) as string[];
      assertEquals(some.length, Math.min(wanted, count));
      assertEquals(new Set(some).size, some.length);
      assert(some.every((member) => all.includes(member)));
    }
    const repeated = await connection.ask("SRANDMEMBER", "s", -2 * count) as string[];
    assertEquals(repeated.length, 2 * count);
    assert(repeated.every((member) => all.includes(member)));
    assert(all.includes(await connection.ask("SRANDMEMBER", "s") as string));
  }
});

Deno.test("set commands: RESP3 has a type for sets", async () => {
  await using machine = await startMemoryServer(106);
  const connection = await machine.connect();
  await connection.ask("HELLO", "3");
  await connection.ask("SADD", "s", "a");
  for (const command of ["SMEMBERS s", "SINTER s", "SUNION s", "SDIFF s", "SPOP s 1"]) {
    assertEquals(await connection.askRaw(...command.split(" ")), "~1\r\n$1\r\na\r\n", command);
  }
  assertEquals(await connection.askRaw("SMEMBERS", "s"), "~0\r\n");
  assertEquals(await connection.askRaw("SPOP", "s"), "_\r\n");
  await connection.ask("SADD", "s", "a");
  assertEquals(await connection.askRaw("SRANDMEMBER", "s", "2"), "*1\r\n$1\r\na\r\n");
});

Deno.test("set commands: algebra, whichever way is the cheaper", async () => {
  await using machine = await startMemoryServer(107);
  const connection = await machine.connect();
  const numbers = (count: number, step: number) =>
    Array.from({ length: count }, (_, index) => String(index * step));
  await connection.ask("SADD", "large", ...numbers(3000, 1));
  await connection.ask("SADD", "even", ...numbers(1500, 2));
  await connection.ask("SADD", "third", ...numbers(100, 3));
  await connection.ask("SADD", "words", "3", "6", "x");
  for (let index = 0; index < 12; index++) await connection.ask("SADD", `few${index}`, index, "y");
  const check = async (command: string, expected: readonly string[]): Promise<void> => {
    const reply = await ask(connection, command) as string[];
    assertEquals(reply.sort(), [...expected].sort(), command);
    const [name, ...keys] = command.split(" ");
    const stored = await connection.ask(`${name}STORE`, "to", ...keys);
    assertEquals(stored, expected.length, command);
    assertEquals(await members(connection, "to"), [...expected].sort(), command);
  };
  await check("SINTER large even third", numbers(50, 6));
  await check("SINTER words even third", ["6"]);
  await check("SINTER large none", []);
  await check("SUNION third words", [...numbers(100, 3), "x"]);
  await check("SUNION large even", numbers(3000, 1));
  await check("SDIFF large even", numbers(3000, 1).filter((_, index) => index % 2 === 1));
  await check("SDIFF words third", ["x"]);
  await check("SDIFF none large", []);
  await check("SDIFF large large", []);
  const few = Array.from({ length: 12 }, (_, index) => `few${index}`);
  await check(`SDIFF large ${few.join(" ")}`, numbers(3000, 1).slice(12));
  assertEquals(await connection.ask("OBJECT", "ENCODING", "to"), "hashtable");
  await ask(connection, "SINTERSTORE to third third");
  assertEquals(await connection.ask("OBJECT", "ENCODING", "to"), "intset");
  assertEquals(await connection.ask("DEBUG", "CHECK"), "OK");
});

Deno.test("set commands: a whole scan meets each member of a set that changes meanwhile", async () => {
  await using machine = await startMemoryServer(108);
  const connection = await machine.connect();
  const stay = Array.from({ length: 600 }, (_, index) => `stay${index}`);
  await connection.ask("SADD", "s", ...stay);
  const seen = new Set<string>();
  let cursor = "0";
  let calls = 0;
  do {
    const [next, found] = await connection.ask("SSCAN", "s", cursor, "COUNT", 20) as [
      string,
      string[],
    ];
    for (const member of found) seen.add(member);
    cursor = next;
    const others = Array.from({ length: 100 }, (_, index) => `other${calls}-${index}`);
    await connection.ask("SADD", "s", ...others);
    if (calls % 3 === 2) await connection.ask("SREM", "s", ...others);
    assert(calls++ < 1000, "it comes to an end");
  } while (cursor !== "0");
  assertEquals(stay.filter((member) => !seen.has(member)), []);
  assert(calls > 5);
});

Deno.test("set commands: no room for a member, then those before it are in, and nothing else has changed", async () => {
  await using machine = await startMemoryServer(109);
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
  const many = Array.from({ length: 300 }, (_, index) => `${index}-${"x".repeat(20)}`);
  let failures = 0;
  for (let room = 0; room < 60; room++) {
    await connection.ask("FLUSHALL");
    await connection.ask("SADD", "s", "1", "2");
    await connection.ask("SADD", "t", ...many.slice(0, 200));
    told.take();
    left = room;
    const reply = await connection.ask("SADD", "s", ...many);
    left = Infinity;
    const after = await members(connection, "s");
    const { commands } = told.take();
    assertEquals(
      after,
      ["1", "2", ...commands.flatMap((command) => command.split(" ").slice(2))].sort(),
    );
    if (reply === refused) failures++;
    else assertEquals(after.length, 302);
    for (const command of ["SUNIONSTORE s s t", "SINTERSTORE s t t", "SMOVE t s " + many[0]]) {
      const before = [await members(connection, "s"), await members(connection, "t")];
      told.take();
      left = room;
      const result = await ask(connection, command);
      left = Infinity;
      if (result !== refused) continue;
      failures++;
      assertEquals([await members(connection, "s"), await members(connection, "t")], before);
      assertEquals(told.take(), { events: [], commands: [] });
    }
    assertEquals(await connection.ask("DEBUG", "CHECK"), "OK");
  }
  assert(failures > 30, `${failures}`);
});
