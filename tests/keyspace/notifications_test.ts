import { assertEquals } from "@std/assert";
import {
  EVENT_MISS,
  eventClassOf,
  notificationMessages,
  notifiedClasses,
  notifyFlagsText,
  parseNotifyFlags,
} from "../../src/keyspace/notifications.ts";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import { ReplyReader } from "../../src/protocol/reply_reader.ts";
import { plain, startMemoryServer } from "../support/memory_server.ts";
import { restorePayload } from "../support/restore_payload.ts";
import { connectSoon, startReferenceRedis } from "../support/reference_redis.ts";

const decoder = new TextDecoder();

/** Keys are written `key`, and `<` and `>` stand for a value that takes a block of its own. */
// deno-fmt-ignore
const COMMANDS = [
  "SET a 1", "SET a 2", "SET a 3 EX 100", "SET a x XX", "SET a x NX", "SET b x NX", "SET c x XX", "SET a v GET",
  "SET none v XX GET", "SET a v KEEPTTL", "SETEX a 100 v", "PSETEX a 100000 v", "SETNX a v", "SETNX d v",
  "GET a", "GET none", "GETEX a", "GETEX none", "GETEX a EX 100", "GETEX a PERSIST", "GETEX a PERSIST",
  "GETEX d PXAT 1", "GETDEL none", "GETDEL a", "GETSET none2 v", "GETSET none2 v", "MSET a 1 b 2 a 3",
  "MSETNX a 1 e 2", "MSETNX e 1 f 2", "MGET a none b", "INCR a", "INCR g", "DECR a", "INCRBY a 5", "DECRBY h 5",
  "INCRBYFLOAT a 1.5", "INCRBYFLOAT i 1.5", "INCR i", "APPEND a x", "APPEND j x", "APPEND j ", "STRLEN none",
  "STRLEN a", "SETRANGE a 0 y", "SETRANGE k 5 y", "SETRANGE none 0 ", "SETRANGE k 0 ", "GETRANGE none 0 1",
  "SUBSTR none 0 1", "LCS a none",
  "SET big <", "APPEND big x", "SETRANGE big 3 x", "RENAME big big2", "GETDEL big2",
  "EXPIRE a 100", "EXPIRE none 100", "EXPIRE a 50 GT", "PEXPIRE a 100000", "EXPIREAT a 4102444800",
  "PEXPIREAT a 4102444800000", "PERSIST a", "PERSIST a", "PERSIST none", "EXPIRE a 0", "EXPIRE b -1", "TTL none",
  "PTTL none", "TTL e", "EXPIRETIME none", "TYPE none", "TYPE e", "EXISTS none e none", "TOUCH none e",
  "OBJECT ENCODING none", "OBJECT ENCODING e", "OBJECT FREQ none", "OBJECT IDLETIME none", "DUMP none", "DUMP e",
  "RENAME e f", "RENAME f l", "RENAME none l", "RENAME l l", "RENAMENX l j", "RENAMENX l m", "RENAMENX m m",
  "COPY m n", "COPY m n", "COPY m n REPLACE", "COPY none n", "COPY m n DB 2", "COPY m n DB 2 REPLACE", "MOVE m 3",
  "SET m v", "MOVE m 3", "MOVE none 3", "DEL none n j", "UNLINK g none", "RANDOMKEY", "KEYS *", "SCAN 0 COUNT 1000",
  "SET p 5", "RESTORE q 0 %", "RESTORE q 0 %", "RESTORE q 0 % REPLACE", "RESTORE r 100000 %",
  "RESTORE r 1 % REPLACE ABSTTL", "RESTORE r 1 % REPLACE ABSTTL", "SWAPDB 0 1", "SWAPDB 0 1", "DBSIZE",
  "SETBIT bit 5 1", "SETBIT bit 5 1", "SETBIT bit 5 0", "GETBIT none 1", "BITCOUNT none", "BITPOS none 0",
  "BITOP AND dest bit none", "BITOP AND dest none none2", "BITOP AND dest none none2", "BITOP NOT dest bit",
  "BITFIELD bit GET u8 0", "BITFIELD bit SET u8 0 5", "BITFIELD bit SET u8 0 5 INCRBY u8 0 1",
  "BITFIELD bit OVERFLOW FAIL INCRBY u8 0 255", "BITFIELD new SET u8 0 5", "BITFIELD none GET u8 0",
  "BITFIELD_RO none GET u8 0", "PFADD hll a b", "PFADD hll a b", "PFADD hll2", "PFADD hll2", "PFCOUNT hll",
  "PFCOUNT hll none", "PFCOUNT none", "PFMERGE hll3 hll none", "PFMERGE hll3 hll", "PFDEBUG TODENSE hll",
  "SELECT 2", "SET db2 x", "DEL db2", "SELECT 0", "FLUSHDB", "SET a v", "FLUSHALL",
];

/** RESTORE's payload for the integer 5. */
const PAYLOAD = restorePayload([0, 0xc0, 5]);

function wordsOf(command: string): (string | Uint8Array)[] {
  return command.split(" ").map((word) =>
    word === "%" ? PAYLOAD : word === "<" ? "b".repeat(70_000) : word
  );
}

/** What redis-server tells of each of `commands`, as lines `channel message`. */
async function askRedis(commands: readonly string[]): Promise<string[][] | undefined> {
  await using redis = await startReferenceRedis();
  if (redis === undefined) return undefined;
  using listener = await connectSoon(redis.path);
  const replies = new ReplyReader();
  const buffer = new Uint8Array(1 << 16);
  const next = async (): Promise<unknown[]> => {
    for (;;) {
      const reply = replies.next();
      if (reply !== undefined) return plain(reply) as unknown[];
      replies.push(buffer.slice(0, (await listener.read(buffer))!));
    }
  };
  await listener.write(encodeRequest(["PSUBSCRIBE", "__key*@*__:*", "done"]));
  await next();
  await next();
  await redis.ask("CONFIG", "SET", "notify-keyspace-events", "AKEmn");
  const all: string[][] = [];
  for (const command of commands) {
    await redis.ask(...wordsOf(command));
    await redis.ask("PUBLISH", "done", "");
    const told: string[] = [];
    for (let message = await next(); message[1] !== "done"; message = await next()) {
      told.push(`${message[2]} ${message[3]}`);
    }
    all.push(told);
  }
  return all;
}

Deno.test("events: those of each command are Redis', in Redis' order", async () => {
  await using machine = await startMemoryServer(31);
  const connection = await machine.connect();
  const flags = parseNotifyFlags("AKEmn")!;
  const told: string[] = [];
  machine.server.keyspace.tellEvents({
    notify(_class, event, key, database) {
      for (const { channel, message } of notificationMessages(flags, event, key, database)) {
        told.push(`${decoder.decode(channel)} ${decoder.decode(message)}`);
      }
    },
  }, notifiedClasses(flags));
  const known = [];
  const actual: string[][] = [];
  for (const command of COMMANDS) {
    const reply = String(await connection.ask(...wordsOf(command)));
    const events = told.splice(0);
    if (reply.startsWith("-ERR unknown command")) continue;
    known.push(command);
    actual.push(events);
  }
  const expected = await askRedis(known);
  if (expected === undefined) return;
  assertEquals(expected.flat().length > 150, true);
  known.forEach((command, index) => assertEquals(actual[index], expected[index], command));
});

Deno.test("events: classes are what their names say, and only those asked for are told", async () => {
  await using machine = await startMemoryServer(32);
  const connection = await machine.connect();
  const { server: { keyspace }, clock } = machine;
  await connection.ask("DEBUG", "SET-ACTIVE-EXPIRE", 0);
  const told: string[] = [];
  const sink = {
    notify(eventClass: number, event: string, key: Uint8Array, database: number): void {
      assertEquals(eventClass, eventClassOf(event), event);
      told.push(`${database}/${decoder.decode(key)}:${event}`);
    },
  };
  const cases: [flags: string, expected: string[]][] = [
    ["AKmn", ["0/k:new", "0/k:set", "0/k:expire", "0/k:expired", "0/k:keymiss"]],
    ["AE", ["0/k:set", "0/k:expire", "0/k:expired"]],
    ["Kg", ["0/k:expire"]],
    ["Kx", ["0/k:expired"]],
    ["E$", ["0/k:set"]],
    ["mE", ["0/k:keymiss"]],
    ["A", []],
    ["K", []],
  ];
  for (const [flags, expected] of cases) {
    keyspace.tellEvents(sink, notifiedClasses(parseNotifyFlags(flags)!));
    await connection.ask("PSETEX", "k", 5, "v");
    clock.advance(6);
    await connection.ask("GET", "k");
    assertEquals(told.splice(0), expected, flags);
  }
  keyspace.tellEvents(null, EVENT_MISS);
  await connection.ask("GET", "k");
  assertEquals(told, []);
});

Deno.test("events: the flags as CONFIG GET shows them are Redis'", async () => {
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  // deno-fmt-ignore
  const texts = [
    "", "A", "AKE", "KEA", "KE$g", "g$lshzxetd", "g$lshzxetdKE", "AKEmn", "mnKEA", "nKE", "g$lshzxetdn", "n", "m",
    "K", "E", "KEx", "dtezhs", "ggg", "Kg$lshzxe", "A n", "foo", "Am", "eK", "EKn$", "q", "é",
  ];
  for (const text of texts) {
    const reply = await redis.ask("CONFIG", "SET", "notify-keyspace-events", text);
    const flags = parseNotifyFlags(text);
    assertEquals(flags !== undefined, reply === "+OK\r\n", text);
    if (flags === undefined) continue;
    const shown = await redis.ask("CONFIG", "GET", "notify-keyspace-events");
    const canonical = notifyFlagsText(flags);
    assertEquals(shown.split("\r\n").at(-2), canonical, text);
  }
});

Deno.test("events: keys that are evicted are told of", async () => {
  await using machine = await startMemoryServer(33);
  const connection = await machine.connect();
  const told: string[] = [];
  machine.server.notificationSink = {
    notify: (_class, event, key) => told.push(`${decoder.decode(key)}:${event}`),
  };
  await connection.ask("CONFIG", "SET", "notify-keyspace-events", "Ke");
  await connection.ask("DEBUG", "POPULATE", 50, "key", 10_000);
  await connection.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-random");
  await connection.ask("CONFIG", "SET", "maxmemory", machine.server.usedMemory - 100_000);
  await connection.ask("SET", "a", "b");
  await connection.ask("SET", "a", "b");
  assertEquals(told.length > 5, true, `${told.length}`);
  assertEquals(told.every((line) => /^(key:\d+|a):evicted$/.test(line)), true, told[0]);
});

Deno.test("events: notify-keyspace-events keeps what it doesn't show", async () => {
  await using machine = await startMemoryServer(34);
  const connection = await machine.connect();
  const told: string[] = [];
  machine.server.notificationSink = { notify: (_class, event) => told.push(event) };
  await connection.ask("CONFIG", "SET", "notify-keyspace-events", "nAKE");
  const shown = await connection.ask("CONFIG", "GET", "notify-keyspace-events");
  assertEquals(shown, ["notify-keyspace-events", "AKE"]);
  await connection.ask("SET", "a", "b");
  assertEquals(told, ["new", "set"]);
});
