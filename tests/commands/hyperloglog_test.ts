import { assert, assertEquals } from "@std/assert";
import { latin1Text } from "../../src/client/quoting.ts";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import { plain, startMemoryServer } from "../support/memory_server.ts";
import { parseReply, startReferenceRedis } from "../support/reference_redis.ts";
import { seededRandom, testSeed } from "../support/random.ts";

Deno.test("hyperloglog: what changes, what is told, and what is refused", async () => {
  await using machine = await startMemoryServer(31);
  const connection = await machine.connect();
  const cases: [command: string, expected: unknown][] = [
    ["PFCOUNT h", 0],
    ["PFADD h", 1],
    ["PFADD h", 0],
    ["PFCOUNT h", 0],
    ["STRLEN h", 18],
    ["PFADD h a b a", 1],
    ["PFADD h b", 0],
    ["PFCOUNT h", 2],
    ["GETRANGE h 15 15", "\0"],
    ["PFDEBUG DECODE h", "Z:12711 v:2,1 Z:3068 v:1,1 Z:603"],
    ["PFMERGE both h none", "OK"],
    ["PFADD other b c", 1],
    ["PFCOUNT h other none", 3],
    ["PFDEBUG ENCODING both", "sparse"],
    ["PFDEBUG TODENSE both", 1],
    ["PFDEBUG TODENSE both", 0],
    ["STRLEN both", 12_304],
    ["PFDEBUG DECODE both", "-ERR HLL encoding is not sparse"],
    ["PFMERGE h both other", "OK"],
    ["PFDEBUG ENCODING h", "dense"],
    ["PFCOUNT h", 3],
    ["OBJECT ENCODING h", "raw"],
    ["PFDEBUG FOO h", "-ERR Unknown PFDEBUG subcommand 'FOO'"],
    ["PFDEBUG GETREG none", "-ERR The specified key does not exist"],
    ["SET text x", "OK"],
    ["PFADD text a", "-WRONGTYPE Key is not a valid HyperLogLog string value."],
    ["PFCOUNT h text", "-WRONGTYPE Key is not a valid HyperLogLog string value."],
    ["APPEND other x", 25],
    ["PFCOUNT other", "-INVALIDOBJ Corrupted HLL object detected"],
    ["PFMERGE h other", "-INVALIDOBJ Corrupted HLL object detected"],
    ["PFDEBUG GETREG other", "-INVALIDOBJ Corrupted HLL object detected"],
    ["CONFIG SET hll-sparse-max-bytes 0", "OK"],
    ["PFADD fresh a", 1],
    ["PFDEBUG ENCODING fresh", "dense"],
    ["PFSELFTEST", "OK"],
    ["DEBUG CHECK", "OK"],
  ];
  for (const [command, expected] of cases) {
    assertEquals(await connection.ask(...command.split(" ")), expected, command);
  }
  const registers = await connection.ask("PFDEBUG", "GETREG", "fresh") as number[];
  assertEquals(registers.length, 16_384);
  assertEquals(registers.reduce((sum, register) => sum + register), 2);
});

Deno.test("hyperloglog: the value is byte for byte that of Redis, from a few elements to many", async () => {
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  await using machine = await startMemoryServer(32);
  const connection = await machine.connect();
  const random = seededRandom(testSeed("hyperloglog stream"));
  const both = async (...words: string[]): Promise<void> => {
    const theirs = parseReply(await redis.ask(...words)).text;
    connection.send(encodeRequest(words));
    const reply = await connection.reply();
    const ours = reply.kind === "bulk" ? latin1Text(reply.bytes) : String(plain(reply));
    assert(theirs === ours, `${words.slice(0, 3).join(" ")}: ${theirs}, not ${ours}`);
  };
  for (let step = 0; step < 400; step++) {
    const key = `h${Math.floor(random() * 4)}`;
    const elements = Array.from(
      { length: Math.floor(random() * (step < 200 ? 4 : 60)) },
      () => String(Math.floor(random() * 1e6)),
    );
    await both("PFADD", key, ...elements);
    if ((await connection.ask("EXISTS", key)) === 1) await both("GET", key);
    if (step % 5 === 0) await both("PFCOUNT", key);
    if (step % 9 === 0) await both("PFCOUNT", "h0", "h1", "h2");
    if (step % 50 === 0) await both("PFMERGE", key, "h0", "h3");
  }
});
