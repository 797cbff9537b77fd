import { assert, assertEquals } from "@std/assert";
import { ArenaFullError } from "../../src/memory/arena.ts";
import { type MemoryConnection, startMemoryServer } from "../support/memory_server.ts";
import { Told } from "../support/told.ts";

const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value";

/** Sends a command that is written as a line. */
function ask(connection: MemoryConnection, command: string): Promise<unknown> {
  return connection.ask(...command.split(" "));
}

/** The fields of a hash with their values. */
async function fields(connection: MemoryConnection, key: string): Promise<Map<string, string>> {
  const flat = await connection.ask("HGETALL", key) as string[];
  return new Map(
    flat.flatMap((field, index) => index % 2 === 0 ? [[field, flat[index + 1]] as const] : []),
  );
}

Deno.test("hash commands: replies", async () => {
  await using machine = await startMemoryServer(201);
  const connection = await machine.connect();
  const cases: [string, unknown][] = [
    ["HSET h a 1 b two a 3", 2],
    ["HSET h a 4", 0],
    ["HGET h a", "4"],
    ["HGET h none", null],
    ["HGET none a", null],
    ["HMSET h c 5 d 6", "OK"],
    ["HMGET h a none d", ["4", null, "6"]],
    ["HMGET none a b", [null, null]],
    ["HSETNX h a 7", 0],
    ["HSETNX h e 8", 1],
    ["HSETNX other a 1", 1],
    ["HGETALL h", ["a", "4", "b", "two", "c", "5", "d", "6", "e", "8"]],
    ["HGETALL none", []],
    ["HKEYS h", ["a", "b", "c", "d", "e"]],
    ["HVALS h", ["4", "two", "5", "6", "8"]],
    ["HKEYS none", []],
    ["HVALS none", []],
    ["HLEN h", 5],
    ["HLEN none", 0],
    ["HSTRLEN h b", 3],
    ["HSTRLEN h a", 1],
    ["HSTRLEN h none", 0],
    ["HSTRLEN none a", 0],
    ["HEXISTS h a", 1],
    ["HEXISTS h 1", 0],
    ["HEXISTS none a", 0],
    ["HDEL h a none b", 2],
    ["HDEL none a", 0],
    ["HINCRBY h c 10", 15],
    ["HINCRBY h new -3", -3],
    ["HINCRBY fresh f 9223372036854775807", 9223372036854775807n],
    ["HINCRBYFLOAT h c 1.5", "16.5"],
    ["HINCRBYFLOAT h float 3.0e3", "3000"],
    ["HINCRBYFLOAT h float -3000", "0"],
    ["HRANDFIELD none", null],
    ["HRANDFIELD none 5", []],
    ["HRANDFIELD h 0", []],
    ["HRANDFIELD other", "a"],
    ["HRANDFIELD other 5", ["a"]],
    ["HRANDFIELD other 5 WITHVALUES", ["a", "1"]],
    ["HRANDFIELD other -2 WITHVALUES", ["a", "1", "a", "1"]],
    ["HSCAN other 0", ["0", ["a", "1"]]],
    ["HSCAN other 0 MATCH 1", ["0", []]],
    ["HSCAN none 0", ["0", []]],
    ["HDEL other a", 1],
    ["EXISTS other", 0],
  ];
  for (const [command, expected] of cases) {
    const reply = await ask(connection, command);
    if (typeof expected === "bigint") assertEquals(BigInt(reply as bigint), expected, command);
    else assertEquals(reply, expected, command);
  }
});

Deno.test("hash commands: errors, in the order in which Redis looks, and nothing is changed", async () => {
  await using machine = await startMemoryServer(202);
  const connection = await machine.connect();
  await connection.ask("SET", "string", "v");
  await connection.ask("HSET", "h", "text", "x", "most", "9223372036854775807", "nan", "nan");
  const before = await fields(connection, "h");
  const arity = (name: string) => `-ERR wrong number of arguments for '${name}' command`;
  const notInteger = "-ERR value is not an integer or out of range";
  const notFloat = "-ERR value is not a valid float";
  const cases: [string, string][] = [
    ["HSET string a", arity("hset")],
    ["HSET string a 1 b", arity("hset")],
    ["HMSET string a 1 b", arity("hmset")],
    ["HSET string a 1", WRONG_TYPE],
    ["HMSET string a 1", WRONG_TYPE],
    ["HSETNX string a 1", WRONG_TYPE],
    ["HGET string a", WRONG_TYPE],
    ["HMGET string a", WRONG_TYPE],
    ["HGETALL string", WRONG_TYPE],
    ["HKEYS string", WRONG_TYPE],
    ["HVALS string", WRONG_TYPE],
    ["HLEN string", WRONG_TYPE],
    ["HSTRLEN string a", WRONG_TYPE],
    ["HEXISTS string a", WRONG_TYPE],
    ["HDEL string a", WRONG_TYPE],
    ["HINCRBY string a x", notInteger],
    ["HINCRBY string a 1", WRONG_TYPE],
    ["HINCRBY h text 1", "-ERR hash value is not an integer"],
    ["HINCRBY h most 1", "-ERR increment or decrement would overflow"],
    ["HINCRBYFLOAT string a x", notFloat],
    ["HINCRBYFLOAT string a inf", "-ERR value is NaN or Infinity"],
    ["HINCRBYFLOAT string a nan", notFloat],
    ["HINCRBYFLOAT string a 1", WRONG_TYPE],
    ["HINCRBYFLOAT h text 1", "-ERR hash value is not a float"],
    ["HINCRBYFLOAT h nan 1", "-ERR hash value is not a float"],
    ["HINCRBYFLOAT fresh a inf", "-ERR value is NaN or Infinity"],
    ["HRANDFIELD string", WRONG_TYPE],
    ["HRANDFIELD string x", notInteger],
    ["HRANDFIELD string 1 FOO", "-ERR syntax error"],
    ["HRANDFIELD string 1 WITHVALUES 2", "-ERR syntax error"],
    ["HRANDFIELD h 4611686018427387904 WITHVALUES", "-ERR value is out of range"],
    ["HRANDFIELD h -4611686018427387904 WITHVALUES", "-ERR value is out of range"],
    ["HSCAN string x", "-ERR invalid cursor"],
    ["HSCAN string 0 FOO", WRONG_TYPE],
    ["HSCAN h 0 FOO", "-ERR syntax error"],
  ];
  for (const [command, expected] of cases) {
    assertEquals(await ask(connection, command), expected, command);
  }
  assertEquals(await fields(connection, "h"), before);
  assertEquals(await connection.ask("EXISTS", "fresh"), 0);
  assertEquals(
    await connection.ask("HRANDFIELD", "h", "4611686018427387903", "WITHVALUES"),
    [...before].flat(),
  );
});

Deno.test("hash commands: who watches keys, and who repeats commands, is told what happened", async () => {
  await using machine = await startMemoryServer(203);
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
  await check("HSET h a 1 b 2", ["h:hset"]);
  await check("HSET h a 1", ["h:hset"]);
  await check("HMSET h a 1", ["h:hset"]);
  await check("HSETNX h a 1", []);
  await check("HSETNX h c 1", ["h:hset"]);
  await check("HINCRBY h c 2", ["h:hincrby"]);
  await check("HINCRBY h c x", []);
  await check("HINCRBYFLOAT h c 0.5", ["h:hincrbyfloat"], ["HSET h c 3.5"]);
  await check("HINCRBY h c 2", []);
  await check("HDEL h x", []);
  await check("HDEL h a x", ["h:hdel"]);
  await check("HDEL h b c", ["h:hdel", "h:del"]);
  await check("HGETALL h", []);
});

Deno.test("hash commands: RESP3 has a type for maps", async () => {
  await using machine = await startMemoryServer(204);
  const connection = await machine.connect();
  await connection.ask("HELLO", "3");
  await connection.ask("HSET", "h", "a", "1");
  const pair = "$1\r\na\r\n$1\r\n1\r\n";
  assertEquals(await connection.askRaw("HGETALL", "h"), `%1\r\n${pair}`);
  assertEquals(await connection.askRaw("HGETALL", "none"), "%0\r\n");
  assertEquals(await connection.askRaw("HKEYS", "h"), "*1\r\n$1\r\na\r\n");
  assertEquals(
    await connection.askRaw("HRANDFIELD", "h", "2", "WITHVALUES"),
    `*1\r\n*2\r\n${pair}`,
  );
  assertEquals(await connection.askRaw("HRANDFIELD", "h", "2"), "*1\r\n$1\r\na\r\n");
  assertEquals(await connection.askRaw("HSCAN", "h", "0"), `*2\r\n$1\r\n0\r\n*2\r\n${pair}`);
  assertEquals(await connection.askRaw("HGET", "h", "none"), "_\r\n");
});

Deno.test("hash commands: encodings follow the settings, as they were when a field was set", async () => {
  await using machine = await startMemoryServer(205);
  const connection = await machine.connect();
  const encoding = (key: string) => connection.ask("OBJECT", "ENCODING", key);
  const many = Array.from({ length: 512 }, (_, index) => [`f${index}`, "v"]).flat();
  await connection.ask("HSET", "many", ...many);
  assertEquals(await encoding("many"), "listpack");
  await connection.ask("HSET", "many", "another", "v");
  assertEquals(await encoding("many"), "hashtable");
  await connection.ask("HSET", "long", "f", "v".repeat(64));
  assertEquals(await encoding("long"), "listpack");
  await connection.ask("HINCRBYFLOAT", "long", "g", "1e70");
  assertEquals(await encoding("long"), "hashtable");
  await connection.ask("HSET", "twice", "f", "v".repeat(65), "f", "v");
  assertEquals(await encoding("twice"), "hashtable");
  await connection.ask("HSET", "few", "a", "1", "b", "2", "c", "3");
  await connection.ask("CONFIG", "SET", "hash-max-listpack-entries", "2");
  assertEquals(await encoding("few"), "listpack");
  await connection.ask("HSETNX", "few", "a", "2");
  assertEquals(await encoding("few"), "listpack");
  await connection.ask("HSET", "few", "a", "2");
  assertEquals(await encoding("few"), "hashtable");
  assertEquals(await fields(connection, "few"), new Map([["a", "2"], ["b", "2"], ["c", "3"]]));
  assertEquals(await connection.ask("DEBUG", "CHECK"), "OK");
});

Deno.test("hash commands: no room for a field, then those before it are set, and nothing else has changed", async () => {
  await using machine = await startMemoryServer(206);
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
  const pairs = Array.from({ length: 60 }, (_, index) => [`f${index}`, "v".repeat(index * 3)]);
  let failures = 0;
  for (let room = 0; room < 80; room++) {
    await connection.ask("FLUSHALL");
    await connection.ask("HSET", "h", "f0", "first", "number", "1");
    told.take();
    left = room;
    const reply = await connection.ask("HSET", "h", ...pairs.flat());
    left = Infinity;
    const { commands } = told.take();
    const expected = new Map([["f0", "first"], ["number", "1"]]);
    for (const command of commands) {
      const words = command.split(" ").slice(2);
      for (let at = 0; at < words.length; at += 2) expected.set(words[at], words[at + 1]);
    }
    assertEquals(await fields(connection, "h"), expected);
    if (reply === refused) failures++;
    else assertEquals(expected.size, 61);
    for (const command of [`HINCRBYFLOAT h number 1e70`, "HINCRBY fresh f 1", "HSETNX fresh f 1"]) {
      const before = await fields(connection, "h");
      left = room % 6;
      const result = await ask(connection, command);
      left = Infinity;
      if (result !== refused) continue;
      failures++;
      assertEquals(await fields(connection, "h"), before);
      assertEquals(await connection.ask("EXISTS", "fresh"), 0);
      assertEquals(told.take(), { events: [], commands: [] });
    }
    assertEquals(await connection.ask("DEBUG", "CHECK"), "OK");
  }
  assert(failures > 30, `${failures}`);
});
