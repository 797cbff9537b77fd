import { assertEquals } from "@std/assert";
import { type SideBySide, startSideBySide } from "../support/side_by_side.ts";
import { restorePayload } from "../support/restore_payload.ts";

const PAYLOAD = restorePayload([0, 0xc0, 5]);

function wordsOf(line: string): (string | Uint8Array)[] {
  return line.split(" ").map((word) => word === "%" ? PAYLOAD : word);
}

/** Hits, misses, expired keys and changes that both servers have counted. */
async function counts(servers: SideBySide): Promise<[redis: number[], ours: number[]]> {
  const text = await servers.redis.ask("INFO", "stats") +
    await servers.redis.ask("INFO", "persistence");
  const names = ["keyspace_hits", "keyspace_misses", "expired_keys", "rdb_changes_since_last_save"];
  const redis = names.map((name) => Number(new RegExp(`${name}:(\\d+)`).exec(text)![1]));
  const { counters: { hits, misses, expired }, dirty } = servers.machine.server.keyspace;
  return [redis, [hits, misses, expired, dirty]];
}

Deno.test("hits, misses and changes are counted as Redis counts them", async () => {
  await using servers = await startSideBySide(61);
  if (servers === undefined) return;
  // deno-fmt-ignore
  const lines = [
    "SET a 1", "SET a 1 EX 100", "SET a 1 GET", "SET n 1 GET", "SET a 2 XX", "SET a 2 NX", "SETNX a 1", "SETNX b 1",
    "SETEX a 10 v", "PSETEX a 10000 v", "GET a", "GET none", "MGET a none", "GETEX a", "GETEX a EX 100",
    "GETEX a PERSIST", "GETEX a PERSIST", "GETEX none", "GETEX a PXAT 1", "GETDEL none", "GETDEL b", "GETSET c v",
    "GETSET c v", "MSET a 1 b 2 a 3", "MSETNX a 1 z 1", "MSETNX y 1 z 2", "INCR a", "INCR q", "INCRBYFLOAT a 1",
    "APPEND a x", "APPEND w x", "APPEND w ", "STRLEN a", "STRLEN none", "SETRANGE a 0 x", "SETRANGE none 0 ",
    "GETRANGE a 0 1", "GETRANGE none 0 1", "EXISTS a none a", "TOUCH a none", "TTL a", "TTL none", "PTTL a",
    "EXPIRETIME a", "EXPIRETIME none", "TYPE a", "TYPE none", "OBJECT ENCODING a", "OBJECT ENCODING none",
    "OBJECT REFCOUNT a", "OBJECT IDLETIME none", "OBJECT FREQ a", "OBJECT FREQ none", "EXPIRE a 100",
    "EXPIRE none 100", "EXPIRE a 200 NX", "EXPIRE a 0", "PERSIST b", "EXPIRE b 100", "PERSIST b", "PERSIST none",
    "RENAME b bb", "RENAME none x", "RENAME bb bb", "RENAMENX bb w", "RENAMENX bb v", "COPY v u", "COPY v u",
    "COPY v u REPLACE", "COPY none u", "COPY v u DB 5", "MOVE v 3", "MOVE none 3", "MOVE u 5", "DEL u none",
    "UNLINK w none", "RANDOMKEY", "KEYS *", "SCAN 0", "DBSIZE", "DUMP z", "DUMP none", "RESTORE z 0 %",
    "RESTORE z 0 % REPLACE", "RESTORE z 100000 % REPLACE", "RESTORE z 1 % REPLACE ABSTTL",
    "RESTORE z 1 % REPLACE ABSTTL", "SETBIT bit 5 1", "SETBIT bit 5 1", "GETBIT bit 5", "GETBIT none 1",
    "BITCOUNT bit", "BITCOUNT none", "BITPOS bit 1", "BITPOS none 0", "BITOP AND dest bit none",
    "BITOP OR dest none none2", "BITFIELD bit GET u8 0", "BITFIELD bit SET u8 0 5", "BITFIELD none GET u8 0",
    "BITFIELD_RO bit GET u8 0", "BITFIELD_RO none GET u8 0", "PFADD hll a b", "PFADD hll a b", "PFCOUNT hll",
    "PFCOUNT hll", "PFCOUNT none", "PFMERGE h2 hll", "PFMERGE h2 hll", "PFMERGE h3 none", "LCS y c", "LCS y none",
    "SUBSTR y 0 1", "MEMORY USAGE y", "MEMORY USAGE none", "DEBUG OBJECT y", "DEBUG SDSLEN c", "SWAPDB 0 1",
    "SWAPDB 0 1", "SWAPDB 0 0", "FLUSHDB", "FLUSHDB", "FLUSHALL", "FLUSHALL",
  ];
  for (const line of lines) {
    const before = await counts(servers);
    await servers.both(...wordsOf(line));
    const after = await counts(servers);
    const [expected, actual] = [0, 1].map((server) =>
      after[server].map((count, index) => count - before[server][index]).join()
    );
    assertEquals(actual, expected, `${line} (hits, misses, expired, changes)`);
  }
});

Deno.test("commands for keys of any type check their arguments as Redis does", async () => {
  await using servers = await startSideBySide(62);
  if (servers === undefined) return;
  await servers.same("SET", "a", "1");
  // deno-fmt-ignore
  const lines = [
    "SCAN", "SCAN 0 COUNT", "SCAN 0 MATCH", "SCAN 0 TYPE", "SCAN 0 COUNT 0", "SCAN 0 COUNT -1", "SCAN 0 COUNT x",
    "SCAN 0 COUNT 99999999999999999999", "SCAN 0 COUNT 9223372036854775807", "SCAN 0 TYPE string COUNT 100",
    "SCAN 0 TYPE STRING", "SCAN 0 TYPE nosuch", "SCAN 0 TYPE list MATCH *", "SCAN 0 MATCH * MATCH a",
    "SCAN 0 COUNT 1 COUNT 100", "SCAN 0 FOO", "SCAN 0 COUNT 5 FOO 1", "SCAN x", "SCAN 1.5", "SCAN 99999999999999999999",
    "SCAN 0 count 5 match a*", "SCAN 0 TYPE a TYPE string", "KEYS", "KEYS a b", "RANDOMKEY x", "TYPE", "MOVE a",
    "MOVE a x", "MOVE a 0", "MOVE a 99", "MOVE a -1", "MOVE none 0", "MOVE none 99", "MOVE none x", "MOVE a 3.5",
    "COPY a", "COPY a a", "COPY a b DB", "COPY a b DB x", "COPY a b DB 99", "COPY a b DB -1", "COPY a b REPLACE REPLACE",
    "COPY a b FOO", "COPY a a DB 0", "COPY a a DB 0 DB 1", "COPY a a DB 1 DB 0", "COPY none none", "COPY none b DB x",
    "RENAME a", "RENAME none none", "RENAMENX none none", "RENAMENX a a", "RENAME a a", "SWAPDB", "SWAPDB 0",
    "SWAPDB x 0", "SWAPDB 0 x", "SWAPDB 99 0", "SWAPDB 0 99", "SWAPDB -1 0", "SWAPDB 0 0", "OBJECT", "OBJECT FOO",
    "OBJECT ENCODING", "OBJECT ENCODING a b", "OBJECT HELP x", "OBJECT FREQ a", "OBJECT IDLETIME a b",
    "OBJECT REFCOUNT", "EXPIRE a", "EXPIRE a x", "EXPIRE a 10 FOO", "EXPIRE a 10 NX XX", "EXPIRE a 10 NX GT",
    "EXPIRE a 10 GT LT", "EXPIRE a 10 NX NX", "EXPIRE none 10 NX XX", "EXPIRE none x", "EXPIRE none 10 FOO",
    "EXPIRE a 10 GT FOO", "EXPIRE a 9223372036854775807", "EXPIRE a -9223372036854775808",
    "PEXPIRE a 9223372036854775807", "PEXPIREAT a 9223372036854775807", "EXPIREAT a 9223372036854775", "EXPIRETIME a",
    "PEXPIRETIME a", "PERSIST a", "EXPIREAT a 9223372036854776", "EXPIRE a 9223372036854774", "TTL", "TTL a b",
    "PERSIST", "EXISTS", "DEL", "UNLINK", "TOUCH", "DUMP", "DUMP a b", "RESTORE a 0",
  ];
  for (const line of lines) await servers.same(...line.split(" "));
});

Deno.test("a database of nothing but expired keys is empty for who looks", async () => {
  await using servers = await startSideBySide(63);
  if (servers === undefined) return;
  await servers.both("DEBUG", "SET-ACTIVE-EXPIRE", "0");
  const fill = async (): Promise<void> => {
    for (let key = 0; key < 30; key++) await servers.both("SET", `k${key}`, "v", "PXAT", "1");
  };
  for (const line of ["KEYS *", "RANDOMKEY", "SCAN 0 COUNT 1000", "DBSIZE"]) {
    await fill();
    if (line !== "DBSIZE") await servers.same("DBSIZE");
    await servers.same(...line.split(" "));
    await servers.same("RANDOMKEY");
    await servers.same("DBSIZE");
  }
});

Deno.test("KEYS finds what Redis finds, however odd the pattern, and in no time", async () => {
  await using servers = await startSideBySide(64);
  if (servers === undefined) return;
  // deno-fmt-ignore
  const keys = [
    "a", "ab", "abc", "a".repeat(40), "[", "]", "a]", "a-b", "\\", "a\\b", "*", "?", "^", "h[a]", "hello", "hallo",
    "hxllo", "hllo", "heeeello", "a\u0001b", "", ":", "user:1:name", "-", "z", "A", "Z", "\u00e9",
  ];
  for (const key of keys) await servers.same("SET", key, "1");
  // deno-fmt-ignore
  const patterns = [
    "*", "?", "??", "a*", "*a", "*a*", "[a]", "[^a]", "[a-z]", "[z-a]", "[a-", "[a", "[", "[]", "[]a]", "[^]", "[^]a]",
    "[\\]]", "[a\\-z]", "\\", "\\\\", "\\*", "\\?", "\\[", "a\\", "h[^e]llo", "h[a-b]llo", "h[b-a]llo", "h?llo",
    "h*llo", "h**llo", "h***o", "**", "*?*", "?*?", "*[a]", "*[]*", "[a-]", "[-a]", "[--a]", "[a-a-z]", "[A-z]", "*\\",
    "[\\", "[\\a", "[^\\", "[a^]", "a]", "]", "[[]", "[[]*", "[[a]*", "[^a-z]", "[^^]", "[!a]", "{a,b}", "*:*:*",
    "a\\\\b", "[\\\\]", "\u00e9", "?\u00e9", "[\u00e9]", "\u0001", "a?b", "a*".repeat(40) + "b", "*a".repeat(15) + "*b",
    "?*".repeat(20) + "b", "[a-z]*".repeat(20) + "1", "*".repeat(1000) + "b",
  ];
  for (const pattern of patterns) {
    const [expected, actual] = (await servers.both("KEYS", pattern))
      .map((reply) => reply.split("\r\n").sort().join("\n"));
    assertEquals(actual, expected, pattern);
  }
});

Deno.test("keys count as used by the commands that use them in Redis", async () => {
  await using servers = await startSideBySide(65);
  if (servers === undefined) return;
  // deno-fmt-ignore
  const lines = [
    "GET k", "EXISTS k", "TTL k", "TYPE k", "TOUCH k", "OBJECT ENCODING k", "DUMP k", "STRLEN k", "GETRANGE k 0 0",
    "COPY k k2 REPLACE", "APPEND k x", "SETRANGE k 0 y", "EXPIRE k 1000", "PERSIST k", "GETEX k", "SCAN 0", "KEYS *",
    "RANDOMKEY", "MGET k", "MEMORY USAGE k", "DEBUG OBJECT k", "GETBIT k 0", "SETBIT k 0 1", "BITCOUNT k", "SET k v",
    "GETSET k v", "RENAME k k3", "MOVE k 4", "INCR n", "SETNX k v", "SET k v NX", "SET k v XX", "MSETNX k v k2 v",
    "EXPIRETIME k", "UNLINK k", "OBJECT REFCOUNT k", "LCS k k", "RENAMENX k n", "COPY k n",
  ];
  for (const policy of ["noeviction", "allkeys-lfu"]) {
    await servers.same("CONFIG", "SET", "maxmemory-policy", policy, "lfu-log-factor", "0");
    for (const line of lines) {
      await servers.same("FLUSHALL");
      for (const [key, body] of [["k", [0, 1, 118]], ["n", [0, 0xc0, 5]]] as const) {
        const use = policy === "noeviction" ? ["IDLETIME", "500"] : ["FREQ", "50"];
        await servers.same("RESTORE", key, "0", restorePayload(body), ...use);
      }
      await servers.both(...line.split(" "));
      for (const database of ["0", "4"]) {
        await servers.same("SELECT", database);
        for (const key of ["k", "n", "k2", "k3"]) {
          const subcommand = policy === "noeviction" ? "IDLETIME" : "FREQ";
          const [expected, actual] = await servers.both("OBJECT", subcommand, key);
          // How long ago or how often may differ a little: the clocks, and GETSET uses its key twice.
          const shown = [expected, actual].map((text) => {
            const number = Number(/^:(\d+)/.exec(text)?.[1] ?? NaN);
            if (Number.isNaN(number)) return text;
            if (policy === "noeviction") return number > 400 ? "not used" : "used";
            return number > 50 ? "used" : number === 50 ? "not used" : "new";
          });
          assertEquals(shown[1], shown[0], `${policy} ${line}: ${database} ${key}`);
        }
      }
      await servers.same("SELECT", "0");
    }
  }
});
