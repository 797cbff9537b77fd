import { assert, assertEquals, assertMatch } from "@std/assert";
import { plain, startMemoryServer } from "../support/memory_server.ts";
import { parseReply, startReferenceRedis } from "../support/reference_redis.ts";

/** What Redis tells of its compiler, and nothing here stands behind. */
const LEFT_OUT = ["atomicvar_api", "gcc_version"];
/** What only this server tells. */
const OWN = ["miniredis_version", "deno_version"];
/** Texts that differ from server to server. */
const OWN_TEXTS = new Set([
  ...["monotonic_clock", "multiplexing_api", "os", "executable", "config_file", "mem_allocator"],
  ...["redis_build_id"],
]);

interface Section {
  readonly title: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** The text of INFO taken apart. */
function parseInfo(text: string): Section[] {
  return text.split(/^# /m).slice(1).map((part) => {
    const [title, ...lines] = part.split("\r\n").filter((line) => line !== "");
    return {
      title,
      fields: lines.map((line) => [line.slice(0, line.indexOf(":")), line.replace(/^.*?:/, "")]),
    };
  });
}

function names(sections: readonly Section[]): string[] {
  return sections.flatMap(({ title, fields }) => [title, ...fields.map(([name]) => name)]);
}

/** What a value looks like: digits behind the point stay as many. */
function shape(value: string): string {
  return value.replace(/-?\d+(?=\.|$|[%,])/g, "0")
    .replace(/\.\d+/g, (digits) => `.${"0".repeat(digits.length - 1)}`);
}

Deno.test("INFO: sections, fields, their order and formats are those of Redis", async () => {
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  await using machine = await startMemoryServer(41);
  const client = await machine.connect();
  const words = ["SET k v", "SET e v EX 100", "GET", "CONFIG GET hz"].map((line) =>
    line.split(" ")
  );
  for (const line of words) {
    await client.ask(...line);
    await redis.ask(...line);
  }
  await redis.ask("CONFIG", "RESETSTAT");
  await client.ask("CONFIG", "RESETSTAT");
  const ours = parseInfo(String(await client.ask("INFO", "everything")));
  const theirs = parseInfo(parseReply(await redis.ask("INFO", "everything")).text!);
  assertEquals(
    names(ours).filter((name) => !OWN.includes(name)),
    names(theirs).filter((name) => !LEFT_OUT.includes(name)),
  );
  const values = new Map(ours.flatMap(({ fields }) => fields));
  for (const [name, value] of theirs.flatMap(({ fields }) => fields)) {
    const own = values.get(name);
    if (own === undefined || OWN_TEXTS.has(name) || /id2?$/.test(name)) continue;
    if (name.endsWith("_human")) assertMatch(own, /^\d+(B|\.\d\d[KMGTP])$/, name);
    else assertEquals(shape(own), shape(value), `${name}: ${own} and ${value}`);
  }
});

Deno.test("INFO: which sections are shown for which names", async () => {
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  await using machine = await startMemoryServer(42);
  const client = await machine.connect();
  const calls = [
    "",
    "default",
    "ALL",
    "everything",
    "cpu",
    "keyspace Memory nosuch memory",
    "commandstats default",
    "nosuch",
    "modules",
    "sentinel",
    "latencystats",
  ];
  for (const call of calls) {
    const sections = call.split(" ").filter((word) => word !== "");
    const ours = parseInfo(String(await client.ask("INFO", ...sections)));
    const theirs = parseInfo(parseReply(await redis.ask("INFO", ...sections)).text!);
    const titles = (found: Section[]) => found.map(({ title }) => title);
    assertEquals(titles(ours), titles(theirs), `INFO ${call}`);
  }
});

Deno.test("INFO: counts what has happened", async () => {
  await using machine = await startMemoryServer(43);
  const client = await machine.connect();
  const field = async (name: string): Promise<string | undefined> => {
    const sections = parseInfo(String(await client.ask("INFO", "everything")));
    return new Map(sections.flatMap(({ fields }) => fields)).get(name);
  };
  await client.ask("SET", "k", "v");
  await client.ask("GET", "k");
  await client.ask("GET");
  await client.ask("INCR", "k");
  await client.ask("NOSUCH");
  await client.ask("CLIENT", "NOSUCH");
  assertMatch((await field("cmdstat_get"))!, /^calls=1,usec=0,.*rejected_calls=1,failed_calls=0$/);
  assertMatch((await field("cmdstat_incr"))!, /^calls=1,.*rejected_calls=0,failed_calls=1$/);
  assertEquals(await field("errorstat_ERR"), "count=4");
  assertEquals(await field("total_error_replies"), "4");
  assertEquals(await field("latency_percentiles_usec_set"), "p50=0.001,p99=0.001,p99.9=0.001");
  assertEquals(await field("rdb_changes_since_last_save"), "1");
  const commands = Number(await field("total_commands_processed"));
  assertEquals(Number(await field("total_commands_processed")), commands + 1);
  const input = Number(await field("total_net_input_bytes"));
  await client.ask("PING");
  const info = "*2\r\n$4\r\nINFO\r\n$10\r\neverything\r\n".length;
  assertEquals(
    Number(await field("total_net_input_bytes")),
    input + "*1\r\n$4\r\nPING\r\n".length + info,
  );
  assert(Number(await field("used_memory_peak")) >= Number(await field("used_memory")));
  await client.ask("SET", "large", "x".repeat(1_000_000));
  await field("used_memory");
  await client.ask("DEL", "large");
  assert(Number(await field("used_memory_peak")) > Number(await field("used_memory")) + 900_000);
  await client.ask("CONFIG", "RESETSTAT");
  assertEquals(await field("errorstat_ERR"), undefined);
  assertEquals(await field("cmdstat_get"), undefined);
  assertEquals(await field("total_error_replies"), "0");
});

Deno.test("INFO: rates are the mean of the last samples", async () => {
  await using machine = await startMemoryServer(44);
  const { counters } = machine.server;
  for (let sample = 0; sample <= 16; sample++) {
    counters.sample(1000 + sample * 100);
    counters.commands += 50;
    counters.inputBytes += 1024;
  }
  const client = await machine.connect();
  const text = String(await client.ask("INFO", "stats"));
  assertMatch(text, /instantaneous_ops_per_sec:500\r\n/);
  assertMatch(text, /instantaneous_input_kbps:10\.00\r\n/);
});

Deno.test("INFO: a monitor is known as one", async () => {
  await using machine = await startMemoryServer(45);
  const monitor = await machine.connect();
  await monitor.ask("MONITOR");
  assertMatch(String(await monitor.ask("CLIENT", "INFO")), / flags=O /);
  assertMatch(String(plain(await monitor.reply())), /"CLIENT" "INFO"$/);
});
