import { assertEquals } from "@std/assert";
import { ArenaFullError } from "../../src/memory/arena.ts";
import { startMemoryServer } from "../support/memory_server.ts";

const decoder = new TextDecoder();

Deno.test("handlers: who watches keys is told of each change, once, by Redis' name for it", async () => {
  await using machine = await startMemoryServer(11);
  const { server, clock } = machine;
  const connection = await machine.connect();
  await connection.ask("DEBUG", "SET-ACTIVE-EXPIRE", 0);
  const events: string[] = [];
  server.keyspace.listen((database, key, event) => {
    events.push(`${database.number}/${decoder.decode(key)}:${event}`);
  });
  const big = "b".repeat(70_000);
  const check = async (command: string, ...expected: string[]): Promise<void> => {
    await connection.ask(...command.split(" "));
    assertEquals(events.splice(0), expected, command.slice(0, 60));
  };
  await check("SET k v", "0/k:set");
  await check(`SET k ${big}`, "0/k:set");
  await check("SET k v NX");
  await check("SET k v GET", "0/k:set");
  await check("SET k v EX 100", "0/k:set", "0/k:expire");
  await check("SETEX k 100 v", "0/k:set", "0/k:expire");
  await check("PSETEX k 100000 v", "0/k:set", "0/k:expire");
  await check("SET k v KEEPTTL", "0/k:set");
  await check("SETNX k v");
  await check("SETNX l v", "0/l:set");
  await check("GET k");
  await check("GETEX k");
  await check("GETEX k PERSIST", "0/k:persist");
  await check("GETEX k PERSIST");
  await check("GETEX k EX 10", "0/k:expire");
  await check("GETEX k PXAT 1", "0/k:del");
  await check("MSET k 1 l 2", "0/k:set", "0/l:set");
  await check("MSETNX k 1 m 2");
  await check("GETSET k 5", "0/k:set");
  await check("INCR k", "0/k:incrby");
  await check("DECRBY k 2", "0/k:incrby");
  await check("INCR no-number-yet", "0/no-number-yet:incrby");
  await check("INCRBYFLOAT k 1.5", "0/k:incrbyfloat");
  await check("INCR k");
  await check("APPEND k x", "0/k:append");
  await check("APPEND new x", "0/new:append");
  await check("SETRANGE k 3 x", "0/k:setrange");
  await check("SETRANGE none 3 ");
  await check("GETDEL k", "0/k:del");
  await check("GETDEL k");
  await check("SETBIT bits 7 0", "0/bits:setbit");
  await check("SETBIT bits 7 0");
  await check("SETBIT bits 7 1", "0/bits:setbit");
  await check("BITFIELD bits GET u8 0");
  await check("BITFIELD bits SET u8 0 1");
  await check("BITFIELD bits SET u8 0 2 INCRBY u8 0 1", "0/bits:setbit");
  await check("BITFIELD bits OVERFLOW FAIL SET u8 80 256");
  await check("BITOP NOT bits bits", "0/bits:set");
  await check("BITOP AND bits none", "0/bits:del");
  await check("BITOP AND bits none");
  await check("PFADD pf", "0/pf:pfadd");
  await check("PFADD pf");
  await check("PFADD pf a", "0/pf:pfadd");
  await check("PFADD pf a");
  // No event, but who watches the key hears of it.
  await check("PFCOUNT pf", "0/pf:");
  await check("PFCOUNT pf");
  await check("PFMERGE pf", "0/pf:pfadd");
  await check("DEL pf", "0/pf:del");
  await check("DEL l none", "0/l:del");
  await check("UNLINK new", "0/new:del");
  await check("MSET k 1 l 2", "0/k:set", "0/l:set");
  await check("EXPIRE k 10", "0/k:expire");
  await check("EXPIRE k 5 GT");
  await check("PERSIST k", "0/k:persist");
  await check("PERSIST k");
  await check("TOUCH k");
  await check("RENAME k l", "0/k:rename_from", "0/l:rename_to");
  await check("RENAMENX l no-number-yet");
  await check("COPY l copied", "0/copied:copy_to");
  await check("COPY l copied DB 3", "3/copied:copy_to");
  await check("MOVE l 4", "0/l:move_from", "4/l:move_to");
  await check("MOVE l 4");
  await check("EXPIRE copied 0", "0/copied:del");
  await check("PSETEX copied 5 v", "0/copied:set", "0/copied:expire");
  clock.advance(6);
  await check("EXISTS copied", "0/copied:expired");
  await check("SET copied v XX");
  await check("SWAPDB 0 4");
  await check("FLUSHALL");
});

Deno.test("handlers: keys count as used only by those who use them", async () => {
  await using machine = await startMemoryServer(12);
  const connection = await machine.connect();
  await connection.ask("SET", "key", "v");
  machine.clock.advance(50_000);
  for (const command of ["EXISTS", "TTL", "TYPE", "OBJECT ENCODING", "OBJECT REFCOUNT"]) {
    await connection.ask(...command.split(" "), "key");
    assertEquals(await connection.ask("OBJECT", "IDLETIME", "key"), 50, command);
  }
  await connection.ask("TOUCH", "key");
  assertEquals(await connection.ask("OBJECT", "IDLETIME", "key"), 0);
});

Deno.test("handlers: hits and misses are those of the commands that read", async () => {
  await using machine = await startMemoryServer(13);
  const connection = await machine.connect();
  const { counters } = machine.server.keyspace;
  await connection.ask("SET", "key", "5");
  const check = async (command: string, hits: number, misses: number): Promise<void> => {
    const before = { ...counters };
    await connection.ask(...command.split(" "));
    const counted = [counters.hits - before.hits, counters.misses - before.misses];
    assertEquals(counted, [hits, misses], command);
  };
  await check("GET key", 1, 0);
  await check("GET none", 0, 1);
  await check("MGET key none key", 2, 1);
  await check("EXISTS key none", 1, 1);
  await check("SET key 5", 0, 0);
  await check("SET key 5 GET", 1, 0);
  await check("GETSET key 5", 1, 0);
  await check("GETSET none 5", 0, 1);
  await check("INCR key", 0, 0);
  await check("APPEND key 1", 0, 0);
  await check("STRLEN key", 1, 0);
  await check("GETRANGE key 0 1", 1, 0);
  await check("COPY key other", 1, 0);
  await check("RENAME other another", 0, 0);
  await check("GETDEL another", 1, 0);
  await check("GETEX key", 1, 0);
});

Deno.test("handlers: options of SET and GETEX exclude each other as in Redis", async () => {
  await using machine = await startMemoryServer(14);
  const connection = await machine.connect();
  const syntax = "-ERR syntax error";
  const cases: [string, unknown][] = [
    ["SET k v EX 10 EX 20", "OK"],
    ["TTL k", 20],
    ["SET k v EX 10 PX 20", syntax],
    ["SET k v EX 10 KEEPTTL", syntax],
    ["SET k v KEEPTTL KEEPTTL", "OK"],
    ["SET k v NX XX", syntax],
    ["SET k v PERSIST", syntax],
    ["SET k v EX", syntax],
    ["SET k v EX 0", "-ERR invalid expire time in 'set' command"],
    ["SET k v EX x", "-ERR value is not an integer or out of range"],
    ["GETEX k PERSIST EX 5", syntax],
    ["GETEX k NX", syntax],
    ["GETEX none EX 0", null],
    ["GETEX k EX -1", "-ERR invalid expire time in 'getex' command"],
    ["SETEX k 9223372036854775807 v", "-ERR invalid expire time in 'setex' command"],
    ["PEXPIREAT k 9223372036854775807", 1],
    ["PEXPIRETIME k", 9223372036854775807n],
    ["EXPIRETIME k", 9223372036854776n],
  ];
  for (const [command, expected] of cases) {
    const reply = await connection.ask(...command.split(" "));
    if (typeof expected === "bigint") assertEquals(BigInt(reply as bigint), expected, command);
    else assertEquals(reply, expected, command);
  }
});

Deno.test("handlers: a cursor is whatever C takes for one", async () => {
  await using machine = await startMemoryServer(15);
  const connection = await machine.connect();
  await connection.ask("SET", "key", "v");
  for (const cursor of ["", "+0", "-0", "00", "18446744073709551615", "-5"]) {
    const reply = await connection.ask("SCAN", cursor);
    assertEquals(Array.isArray(reply), true, cursor);
  }
  for (const cursor of ["x", "1x", " 1", "-", "18446744073709551616", "0x10"]) {
    assertEquals(await connection.ask("SCAN", cursor), "-ERR invalid cursor", cursor);
  }
});

Deno.test("handlers: no room for a change, then nothing of it has happened", async () => {
  await using machine = await startMemoryServer(16);
  const { server } = machine;
  const connection = await machine.connect();
  const big = "b".repeat(70_000);
  const written: string[] = [];
  server.journal.listen((bytes) => written.push(decoder.decode(bytes)));
  const { arena } = server.keyspace;
  const allocate = arena.allocate.bind(arena);
  let full = false;
  arena.allocate = (units, kind) => {
    if (full) throw new ArenaFullError(units);
    return allocate(units, kind);
  };
  const commands = [
    `SET big ${"x".repeat(60_000)}`,
    "SET big small PX 100",
    `GETSET key ${"x".repeat(1000)}`,
    "SET key v EX 10 GET",
    "EXPIRE key 10",
    "GETEX key EX 10",
    `APPEND key ${"x".repeat(1000)}`,
    `APPEND big ${big}`,
    "SETRANGE new 100000 x",
    "SETRANGE new 100 x",
    "RENAME key big-too",
    "RENAME big other",
    "COPY big key REPLACE",
    "MOVE key 3",
    `MSET other ${"x".repeat(1000)}`,
    `MSETNX new ${"x".repeat(1000)}`,
    "INCR new",
    "SETBIT new 9000 1",
    "SETBIT new 900000 1",
    "SETBIT key 9000 1",
    "SETBIT big 900000 1",
    "BITFIELD key SET u8 9000 1 SET u8 0 1",
    "BITFIELD new SET u8 9000 1",
    "BITOP NOT new big",
    "BITOP OR new key",
    "BITOP OR key big",
    "PFADD new a b c",
    "PFMERGE new",
  ];
  const refused = "-OOM command not allowed when used memory > 'maxmemory'.";
  for (const command of commands) {
    await connection.ask("FLUSHALL");
    await connection.ask("MSET", "key", "value", "big", big, "big-too", big);
    await connection.ask("DEBUG", "CHECK");
    const used = arena.usedBytes;
    written.length = 0;
    full = true;
    const reply = await connection.ask(...command.split(" "));
    full = false;
    const name = command.slice(0, 40);
    // Making an entry smaller needs no room, so that it may work.
    if (reply === refused) {
      assertEquals(written, [], name);
      assertEquals(await connection.ask("DBSIZE"), 3, name);
      assertEquals(arena.usedBytes, used, name);
      assertEquals(
        await connection.ask("MGET", "key", "big", "big-too"),
        ["value", big, big],
        name,
      );
    }
    assertEquals(await connection.ask("ECHO", "in step"), "in step", name);
    assertEquals(await connection.ask("DEBUG", "CHECK"), "OK", name);
  }
});
