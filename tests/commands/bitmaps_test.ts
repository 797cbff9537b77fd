import { assertEquals } from "@std/assert";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import { plain, startMemoryServer } from "../support/memory_server.ts";

/** Sends each command and compares its reply. */
async function check(
  seed: number,
  cases: readonly (readonly [command: string, expected: unknown])[],
): Promise<void> {
  await using machine = await startMemoryServer(seed);
  const connection = await machine.connect();
  for (const [command, expected] of cases) {
    assertEquals(await connection.ask(...command.split(" ")), expected, command);
  }
  assertEquals(await connection.ask("DEBUG", "CHECK"), "OK");
}

const OFFSET = "-ERR bit offset is not an integer or out of range";
const SYNTAX = "-ERR syntax error";

Deno.test("bitmaps: a bit is set, in strings of every form, and the old one is told", async () => {
  await check(21, [
    ["SETBIT new 9 1", 0],
    ["SETBIT new 9 0", 1],
    ["STRLEN new", 2],
    ["GETBIT new 100", 0],
    ["SET number 5", "OK"],
    ["SETBIT number 2 1", 1],
    ["OBJECT ENCODING number", "raw"],
    ["GET number", "5"],
    ["SETBIT number 1 1", 0],
    ["GET number", "u"],
    ["SETBIT big 800000 1", 0],
    ["STRLEN big", 100_001],
    ["GETBIT big 800000", 1],
    ["BITCOUNT big", 1],
    ["GETBIT big 4294967295", 0],
    ["BITPOS big 1 50000", 800_000],
    ["SETBIT big 4294967296 1", OFFSET],
    ["SETBIT big -1 1", OFFSET],
    ["SETBIT big #1 1", OFFSET],
    ["SETBIT big 1 2", "-ERR bit is not an integer or out of range"],
  ]);
});

Deno.test("bitmaps: counting and finding in parts, by bytes and by bits", async () => {
  await check(22, [
    ["SET key foobar", "OK"],
    ["BITCOUNT key", 26],
    ["BITCOUNT key 1 1", 6],
    ["BITCOUNT key 5 30 BIT", 17],
    ["BITCOUNT key -2 -1", 7],
    ["BITCOUNT key -1 -2", 0],
    ["BITCOUNT key -9223372036854775807 -9223372036854775808", 0],
    ["BITCOUNT key 1", SYNTAX],
    ["BITCOUNT key 1 2 FOO", SYNTAX],
    ["BITCOUNT none 1 2 FOO", 0],
    ["BITPOS key 1", 1],
    ["BITPOS key 0", 0],
    ["BITPOS key 1 2 -1 BIT", 2],
    ["BITPOS key 2", "-ERR The bit argument must be 1 or 0."],
    ["SETBIT ones 7 1", 0],
    ["BITFIELD ones SET u8 0 255", [1]],
    ["BITPOS ones 0", 8],
    ["BITPOS ones 0 0", 8],
    ["BITPOS ones 0 0 -1", -1],
    ["BITPOS ones 0 5", -1],
    ["BITPOS none 0", 0],
    ["BITPOS none 1", -1],
  ]);
});

Deno.test("bitmaps: combining makes a raw string as long as the longest, or none", async () => {
  await check(23, [
    ["MSET a abc b ab c 12", "OK"],
    ["BITOP AND to a b", 3],
    ["GET to", "ab\0"],
    ["BITOP OR to a none", 3],
    ["GET to", "abc"],
    ["OBJECT ENCODING to", "raw"],
    ["BITOP XOR to a a", 3],
    ["GET to", "\0\0\0"],
    ["BITOP XOR to c a c", 3],
    ["GET to", "abc"],
    ["BITOP NOT to to", 3],
    ["BITOP NOT to to", 3],
    ["GET to", "abc"],
    ["EXPIRE to 100", 1],
    ["BITOP OR to a", 3],
    ["TTL to", -1],
    ["BITOP AND to none", 0],
    ["EXISTS to", 0],
    ["BITOP NOT to a b", "-ERR BITOP NOT must be called with a single source key."],
    ["BITOP NAND to a", SYNTAX],
    ["SETBIT long 560000 1", 0],
    ["BITOP OR long long a", 70_001],
    ["BITCOUNT long", 11],
    ["BITOP NOT long long", 70_001],
    ["BITCOUNT long", 559_997],
  ]);
});

Deno.test("bit fields: any width, any place, and three ways to overflow", async () => {
  const huge = "9223372036854775807";
  await check(24, [
    ["BITFIELD key SET u8 0 255 GET u8 0 GET i8 0 GET u4 2 GET u8 4", [0, 255, -1, 15, 240]],
    ["BITFIELD key INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1", [1, 1]],
    ["BITFIELD key INCRBY u2 100 3 OVERFLOW SAT INCRBY u2 102 3", [0, 3]],
    ["BITFIELD key OVERFLOW FAIL INCRBY u2 102 1", [null]],
    [`BITFIELD key SET i64 #2 ${huge} GET i64 #2 GET u63 129`, [0, BigInt(huge), BigInt(huge)]],
    ["BITFIELD key INCRBY i64 #2 1", [-9223372036854775808n]],
    ["BITFIELD key OVERFLOW SAT INCRBY i64 #2 -1", [-9223372036854775808n]],
    ["BITFIELD key OVERFLOW FAIL INCRBY i64 #2 -1 INCRBY i64 #2 1", [
      null,
      -9223372036854775807n,
    ]],
    ["BITFIELD s SET i5 3 -17 GET i5 3", [0, 15]],
    ["BITFIELD s OVERFLOW SAT SET i5 3 -17 GET i5 3", [15, -16]],
    ["BITFIELD s OVERFLOW SAT SET i5 3 -9223372036854775808 GET i5 3", [-16, 15]],
    ["BITFIELD s OVERFLOW SAT SET u63 0 -1 GET u63 0", [540431955284459520n, BigInt(huge)]],
    ["BITFIELD s OVERFLOW SAT INCRBY u63 0 1 INCRBY u63 0 -9223372036854775808", [
      BigInt(huge),
      0,
    ]],
    ["BITFIELD key", []],
    ["EXISTS none", 0],
    ["BITFIELD none GET u8 0", [0]],
    ["EXISTS none", 0],
    ["BITFIELD_RO key GET u8 0", [255]],
    ["BITFIELD_RO key SET u8 0 1", "-ERR BITFIELD_RO only supports the GET subcommand"],
    [
      "BITFIELD key SET u8 0 1 GET u64 0",
      "-ERR Invalid bitfield type. Use something like i16 " +
      "u8. Note that u64 is not supported but i64 is.",
    ],
    ["BITFIELD key SET u8 0 1 OVERFLOW MAYBE", "-ERR Invalid OVERFLOW type specified"],
    ["BITFIELD key SET u8 0 1 INCRBY u8 0", SYNTAX],
    ["BITFIELD key SET u8 0 1 SET u8 x 1", OFFSET],
    ["BITFIELD key GET u8 0", [255]],
  ]);
});

Deno.test("lcs: the subsequence, its length, and where it is", async () => {
  const matches = [[[4, 7], [5, 8]], [[2, 3], [0, 1]]];
  await check(25, [
    ["MSET a ohmytext b mynewtext", "OK"],
    ["LCS a b", "mytext"],
    ["LCS a b LEN", 6],
    ["LCS a b IDX", ["matches", matches, "len", 6]],
    ["LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN", ["matches", [[[4, 7], [5, 8], 4]], "len", 6]],
    ["LCS a none", ""],
    ["LCS a b LEN IDX", "-ERR If you want both the length and indexes, please just use IDX."],
    ["LCS a b FOO", SYNTAX],
    ["SETRANGE long 20000 x", 20_001],
    [
      "LCS long long LEN",
      "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
    ],
  ]);
});

Deno.test("bitmaps: a value that is being sent arrives as it was", async () => {
  await using machine = await startMemoryServer(26);
  const [reader, writer] = [await machine.connect(), await machine.connect()];
  const big = "a".repeat(100_000);
  await writer.ask("SET", "key", big);
  reader.open = false;
  reader.send(encodeRequest(["GET", "key"]));
  // The reader's turn comes before that of a command that is sent after it.
  await writer.ask("PING");
  for (const command of ["SETBIT key 6 1", "BITFIELD key SET u8 #1 98", "BITOP NOT key key"]) {
    await writer.ask(...command.split(" "));
  }
  await writer.ask("BITOP", "NOT", "key", "key");
  reader.readAll();
  assertEquals(plain(await reader.reply()), big);
  assertEquals(await writer.ask("GET", "key"), `cb${big.slice(2)}`);
  assertEquals(await writer.ask("DEBUG", "CHECK"), "OK");
});
