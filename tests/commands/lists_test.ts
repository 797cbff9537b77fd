import { assertEquals } from "@std/assert";
import { ArenaFullError } from "../../src/memory/arena.ts";
import { type MemoryServer, startMemoryServer } from "../support/memory_server.ts";

const decoder = new TextDecoder();
const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value";

/** Collects what the journal of a server is told, one string a command. */
function listenToJournal({ server }: MemoryServer): string[] {
  const written: string[] = [];
  server.journal.listen((bytes) => {
    const words = decoder.decode(bytes).split("\r\n");
    for (let at = 0; words[at]?.startsWith("*");) {
      const count = Number(words[at].slice(1));
      const command = Array.from({ length: count }, (_, index) => words[at + 2 + index * 2]);
      if (command[0] !== "SELECT") written.push(command.join(" "));
      at += 1 + count * 2;
    }
  });
  return written;
}

Deno.test("lists: who watches keys is told by Redis' names, in its order, and the journal what repeats it", async () => {
  await using machine = await startMemoryServer(21);
  const { server } = machine;
  const connection = await machine.connect();
  const events: string[] = [];
  server.keyspace.listen((_database, key, event) => {
    events.push(`${decoder.decode(key)}:${event}`);
  });
  const written = listenToJournal(machine);
  const check = async (
    command: string,
    expected: readonly string[],
    effect: string = expected.length === 0 ? "" : command,
  ): Promise<void> => {
    await connection.ask(...command.split(" "));
    assertEquals(events.splice(0), expected, command);
    server.journal.endTurn();
    assertEquals(written.splice(0).join("; "), effect, command);
  };
  await check("RPUSH l a b c d", ["l:rpush"]);
  await check("LPUSH l x", ["l:lpush"]);
  await check("LPUSHX l q", ["l:lpush"]);
  await check("LPUSHX none q", []);
  await check("LINSERT l AFTER a zz", ["l:linsert"]);
  await check("LINSERT l AFTER none zz", []);
  await check("LSET l 0 new", ["l:lset"]);
  await check("LREM l 0 a", ["l:lrem"]);
  await check("LREM l 0 none", []);
  await check("LPOP l", ["l:lpop"]);
  await check("RPOP l 2", ["l:rpop"]);
  await check("LPOP l 0", []);
  await check("LTRIM l 0 -1", ["l:ltrim"], "");
  await check("LTRIM l 0 0", ["l:ltrim"]);
  await check("LTRIM l 5 6", ["l:ltrim", "l:del"]);
  await check("RPUSH l 1 2 3 4", ["l:rpush"]);
  await check("LMPOP 2 none l LEFT COUNT 2", ["l:lpop"], "LPOP l 2");
  await check("LMPOP 1 l RIGHT COUNT 9", ["l:rpop", "l:del"], "RPOP l 2");
  await check("RPUSH l 1 2 3", ["l:rpush"]);
  await check("LMOVE l m LEFT RIGHT", ["m:rpush", "l:lpop"]);
  await check("LMOVE l l RIGHT LEFT", ["l:lpush", "l:rpop"]);
  await check("LMOVE l l LEFT LEFT", ["l:lpush", "l:lpop"]);
  await check("RPOPLPUSH l m", ["m:lpush", "l:rpop"]);
  await check("RPOPLPUSH l m", ["m:lpush", "l:rpop", "l:del"]);
  await check("RPOPLPUSH l m", []);
  await check("BLPOP l m 0", ["m:lpop"], "LPOP m");
  await check("BRPOP l m 0", ["m:rpop"], "RPOP m");
  await check("BLMOVE m m left right 0", ["m:rpush", "m:lpop"], "LMOVE m m left right");
  await check("BRPOPLPUSH m m 0", ["m:lpush", "m:rpop"], "RPOPLPUSH m m");
  await check("BLMPOP 0 2 l m LEFT COUNT 5", ["m:lpop", "m:del"], "LPOP m 1");
  await check("RPUSH l x x", ["l:rpush"]);
  await check("LREM l -2 x", ["l:lrem", "l:del"]);
});

Deno.test("lists: of two errors the one that Redis finds first", async () => {
  await using machine = await startMemoryServer(22);
  const connection = await machine.connect();
  await connection.ask("SET", "s", "v");
  await connection.ask("RPUSH", "l", "a", "b");
  const check = async (command: string, expected: unknown): Promise<void> => {
    assertEquals(await connection.ask(...command.split(" ")), expected, command);
  };
  const positive = "-ERR value is out of range, must be positive";
  const integer = "-ERR value is not an integer or out of range";
  const float = "-ERR timeout is not a float or out of range";
  await check("LPUSH s x", WRONG_TYPE);
  await check("LPOP s -1", positive);
  await check("LPOP none x", positive);
  await check("LPOP l 1 2", "-ERR wrong number of arguments for 'lpop' command");
  await check("LINDEX s x", WRONG_TYPE);
  await check("LINDEX none x", null);
  await check("LINDEX l x", integer);
  await check("LSET none x y", "-ERR no such key");
  await check("LSET l 2 y", "-ERR index out of range");
  await check("LSET l -3 y", "-ERR index out of range");
  await check("LRANGE s 0 x", integer);
  await check("LTRIM s 0 x", integer);
  await check("LREM s x x", integer);
  await check("LINSERT s between a b", "-ERR syntax error");
  await check("LPOS s a RANK x", integer);
  await check("LPOS s a COUNT -1", "-ERR COUNT can't be negative");
  await check("LPOS s a MAXLEN -1", "-ERR MAXLEN can't be negative");
  await check("LMOVE none s UP RIGHT", "-ERR syntax error");
  await check("LMOVE none s LEFT RIGHT", null);
  await check("LMOVE l s LEFT RIGHT", WRONG_TYPE);
  await check("LMPOP x l LEFT", "-ERR numkeys should be greater than 0");
  await check("LMPOP 5 l LEFT", "-ERR syntax error");
  await check("LMPOP 1 l LEFT COUNT 0", "-ERR count should be greater than 0");
  await check("LMPOP 1 l LEFT COUNT 1 COUNT 1", "-ERR syntax error");
  await check("BLPOP s x", float);
  await check("BLPOP none s -1", "-ERR timeout is negative");
  await check("BLPOP none s 1", WRONG_TYPE);
  await check("BLMOVE none l UP LEFT x", "-ERR syntax error");
  await check("BLMOVE l s LEFT LEFT 1", WRONG_TYPE);
  await check("BLMPOP x 0 l LEFT", "-ERR numkeys should be greater than 0");
  await check("BLMPOP x 1 l LEFT", float);
  await check("LRANGE l 0 -1", ["a", "b"]);
});

Deno.test("lists: those who wait are served in turn, and a chain of moves to its end", async () => {
  await using machine = await startMemoryServer(23);
  const pusher = await machine.connect();
  const written = listenToJournal(machine);
  const waiters = [await machine.connect(), await machine.connect(), await machine.connect()];
  const first = waiters[0].ask("BLMPOP", 0, 2, "other", "l", "RIGHT", "COUNT", 2);
  const second = waiters[1].ask("BLMOVE", "l", "m", "LEFT", "RIGHT", 0);
  const third = waiters[2].ask("BRPOPLPUSH", "m", "n", 0);
  assertEquals(await pusher.ask("RPUSH", "l", 1, 2, 3), 3);
  assertEquals(await first, ["l", ["3", "2"]]);
  assertEquals(await second, "1");
  assertEquals(await third, "1");
  assertEquals(await pusher.ask("LRANGE", "n", 0, -1), ["1"]);
  assertEquals(await pusher.ask("EXISTS", "l", "m"), 0);
  machine.server.journal.endTurn();
  assertEquals(written, ["RPUSH l 1 2 3", "RPOP l 2", "LMOVE l m LEFT RIGHT", "RPOPLPUSH m n"]);
  const fourth = waiters[0].ask("BLMOVE", "l", "s", "LEFT", "RIGHT", 0);
  await pusher.ask("SET", "s", "v");
  await pusher.ask("SADD", "l", "no list");
  await pusher.ask("DEL", "l");
  await pusher.ask("RPUSH", "l", "kept");
  assertEquals(await fourth, WRONG_TYPE);
  assertEquals(await pusher.ask("LRANGE", "l", 0, -1), ["kept"]);
});

Deno.test("lists: without room nothing has changed", async () => {
  await using machine = await startMemoryServer(24);
  const connection = await machine.connect();
  const written = listenToJournal(machine);
  const { arena } = machine.server.keyspace;
  const allocate = arena.allocate.bind(arena);
  let left = Infinity;
  arena.allocate = (units, kind) => {
    if (left-- <= 0) throw new ArenaFullError(units);
    return allocate(units, kind);
  };
  const long = "x".repeat(9000);
  const many = Array.from({ length: 100 }, (_, index) => `element-${index}`);
  const commands = [
    ["LPUSH", "new", ...many],
    ["RPUSH", "small", ...many, long],
    ["LPUSH", "large", ...many, ...many, ...many, ...many, long, long],
    ["LSET", "small", "1", long],
    ["LSET", "large", "100", long],
    ["LINSERT", "small", "BEFORE", "b", long],
    ["LINSERT", "large", "AFTER", "element-50", long],
    ["LMOVE", "small", "new", "LEFT", "RIGHT"],
    ["LMOVE", "long", "small", "LEFT", "RIGHT"],
    ["LMOVE", "long", "large", "LEFT", "LEFT"],
    ["RPOPLPUSH", "long", "new"],
  ];
  const refused = "-OOM command not allowed when used memory > 'maxmemory'.";
  for (const command of commands) {
    for (let allowed = 0;; allowed++) {
      left = Infinity;
      await connection.ask("FLUSHALL");
      await connection.ask("RPUSH", "small", "a", "b", "c");
      for (let times = 0; times < 8; times++) await connection.ask("RPUSH", "large", ...many);
      await connection.ask("RPUSH", "long", long);
      const before = await contents();
      written.length = 0;
      left = allowed;
      const reply = await connection.ask(...command);
      left = Infinity;
      assertEquals(await connection.ask("DEBUG", "CHECK"), "OK");
      if (reply !== refused) break;
      assertEquals(await contents(), before, `${command.slice(0, 3)}, ${allowed} blocks`);
      machine.server.journal.endTurn();
      assertEquals(written, []);
    }
  }

  async function contents(): Promise<unknown[]> {
    const found: unknown[] = [];
    for (const key of ["new", "small", "large", "long"]) {
      found.push(await connection.ask("LRANGE", key, 0, -1));
    }
    return found;
  }
});
