import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type MemoryConnection, startMemoryServer } from "../support/memory_server.ts";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import { plain } from "../support/memory_server.ts";

/** Lets what is under way in memory arrive. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

/** The next `count` replies. */
async function replies(connection: MemoryConnection, count: number): Promise<unknown[]> {
  const found: unknown[] = [];
  while (found.length < count) found.push(plain(await connection.reply()));
  return found;
}

Deno.test("MONITOR: shows what other clients run, and hides secrets", async () => {
  await using machine = await startMemoryServer(31);
  const monitor = await machine.connect();
  const client = await machine.connect();
  assertEquals(await monitor.ask("MONITOR"), "OK");
  await client.ask("SELECT", "3");
  await client.ask("set", "k\n", new Uint8Array([0, 255, 34, 92, 65]));
  await client.ask("GET");
  await client.ask("NOSUCH");
  await client.ask("CONFIG", "GET", "hz");
  await client.ask("HELLO", "2", "AUTH", "default", "secret", "SETNAME", "me");
  await client.ask("AUTH", "secret");
  await client.ask("PING");
  const time = "1700000000.000000";
  const from = `[3 127.0.0.1:40000]`;
  assertEquals(await replies(monitor, 5), [
    `${time} ${from} "SELECT" "3"`,
    `${time} ${from} "set" "k\\n" "\\x00\\xff\\"\\\\A"`,
    `${time} ${from} "HELLO" "2" "AUTH" "(redacted)" "(redacted)" "SETNAME" "me"`,
    `${time} ${from} "AUTH" "(redacted)"`,
    `${time} ${from} "PING"`,
  ]);
});

Deno.test("MONITOR: a monitor's own commands, behind their replies", async () => {
  await using machine = await startMemoryServer(32);
  const monitor = await machine.connect();
  assertEquals(await monitor.ask("MONITOR"), "OK");
  assertEquals(await monitor.ask("GET", "k"), "-ERR Replica can't interact with the keyspace");
  assertEquals(await monitor.ask("ECHO", "a"), "a");
  assertStringIncludes(String(plain(await monitor.reply())), '"ECHO" "a"');
  assertEquals(await monitor.ask("RESET"), "RESET");
  assertEquals(await monitor.ask("GET", "k"), null);
  assertEquals(machine.server.monitors.active, false);
  assertEquals(await monitor.ask("MONITOR"), "OK");
  monitor.end();
  await settle();
  assertEquals(machine.server.monitors.active, false, "one that is gone is no monitor any more");
});

Deno.test("MONITOR: a long argument is shown whole", async () => {
  await using machine = await startMemoryServer(33);
  const monitor = await machine.connect();
  const client = await machine.connect();
  await monitor.ask("MONITOR");
  const value = "v".repeat(100_000);
  await client.ask("SET", "k", value, "PXAT", "1");
  const line = String(plain(await monitor.reply()));
  assert(line.endsWith(`"SET" "k" "${value}" "PXAT" "1"`), line.slice(0, 100));
});

Deno.test("SLOWLOG: entries, cut as Redis cuts them", async () => {
  await using machine = await startMemoryServer(34, { "slowlog-log-slower-than": "0" });
  const client = await machine.connect();
  await client.ask("CLIENT", "SETNAME", "me");
  await client.ask("CONFIG", "SET", "requirepass", "", "timeout", "0");
  await client.ask("SLOWLOG", "RESET");
  await client.ask("MSET", ...Array.from({ length: 36 }, (_, index) => String(index)));
  await client.ask("SET", "k", "x".repeat(128));
  await client.ask("SET", "k", "x".repeat(129));
  await client.ask("SET", "k", "x".repeat(100_000));
  await client.ask("GET");
  const entries = await client.ask("SLOWLOG", "GET", "-1") as unknown[][];
  assertEquals(entries.map(([id]) => id), [6, 5, 4, 3, 2]);
  const args = entries.map((entry) => entry[3] as string[]);
  assertEquals(args[0], ["SET", "k", `${"x".repeat(128)}... (99872 more bytes)`]);
  assertEquals(args[1], ["SET", "k", `${"x".repeat(128)}... (1 more bytes)`]);
  assertEquals(args[2], ["SET", "k", "x".repeat(128)]);
  assertEquals(args[3].length, 32);
  assertEquals(args[3][31], "... (6 more arguments)");
  assertEquals(args[4], ["SLOWLOG", "RESET"]);
  assertEquals(entries[0].slice(1, 3), [1_700_000_000, 0]);
  assertEquals(entries[0].slice(4), ["127.0.0.1:40000", "me"]);
  assertEquals(await client.ask("SLOWLOG", "LEN"), 6);
  assertEquals((await client.ask("SLOWLOG", "GET", "2") as unknown[]).length, 2);
  await client.ask("CONFIG", "SET", "slowlog-max-len", "1");
  assertEquals(await client.ask("SLOWLOG", "LEN"), 1);
  await client.ask("CONFIG", "SET", "slowlog-log-slower-than", "-1");
  await client.ask("SLOWLOG", "RESET");
  assertEquals(await client.ask("SLOWLOG", "LEN"), 0);
});

Deno.test("SLOWLOG: the slow one of a pipeline is named, with its own arguments", async () => {
  await using machine = await startMemoryServer(46, { "latency-monitor-threshold": "40" });
  const { keyspace } = machine.server;
  const client = await machine.connect();
  const slow = () => machine.clock.advance(50);
  keyspace.listen(slow);
  const pipeline = [["GET", "a"], ["SET", "b", "slow"], ["GET", "c"], ["INCR"]].map(encodeRequest);
  client.send(new Uint8Array(pipeline.flatMap((request) => [...request])));
  assertEquals((await replies(client, 4)).slice(0, 3), [null, "OK", null]);
  keyspace.unlisten(slow);
  const entries = await client.ask("SLOWLOG", "GET") as unknown[][];
  assertEquals(entries.map(([, , microseconds, args]) => [microseconds, args]), [
    [49_998, ["SET", "b", "slow"]],
  ]);
  assertEquals(await client.ask("LATENCY", "LATEST"), [["command", 1_700_000_000, 49, 49]]);
  assertEquals(machine.server.table.byName.get("get")!.statistics.calls, 2);
});

Deno.test("SLOWLOG: secrets are left out", async () => {
  await using machine = await startMemoryServer(35, { "slowlog-log-slower-than": "0" });
  const client = await machine.connect();
  await client.ask("AUTH", "user", "secret");
  await client.ask("CONFIG", "SET", "timeout", "0", "RequirePass", "secret");
  await client.ask("AUTH", "secret");
  const text = JSON.stringify(await client.ask("SLOWLOG", "GET", "-1"));
  assert(!text.includes("secret"), text);
  assertStringIncludes(text, '["CONFIG","SET","timeout","0","RequirePass","(redacted)"]');
});

Deno.test("LATENCY: samples of what took long", async () => {
  await using machine = await startMemoryServer(36);
  const { server, clock } = machine;
  const client = await machine.connect();
  assertStringIncludes(String(await client.ask("LATENCY", "DOCTOR")), "latency-monitor-threshold");
  server.latency.add("expire-cycle", 500);
  assertEquals(await client.ask("LATENCY", "LATEST"), [], "it is off");
  await client.ask("CONFIG", "SET", "latency-monitor-threshold", "10");
  for (const ms of [20, 50.9, 9.9, 30]) server.latency.add("expire-cycle", ms);
  clock.advance(3000);
  await client.ask("PING");
  server.latency.add("expire-cycle", 15);
  server.latency.add("command", 100);
  assertEquals(await client.ask("LATENCY", "LATEST"), [
    ["expire-cycle", 1_700_000_003, 15, 50],
    ["command", 1_700_000_003, 100, 100],
  ]);
  assertEquals(await client.ask("LATENCY", "HISTORY", "expire-cycle"), [
    [1_700_000_000, 50],
    [1_700_000_003, 15],
  ]);
  assertEquals(await client.ask("LATENCY", "HISTORY", "nosuch"), []);
  const graph = String(await client.ask("LATENCY", "GRAPH", "expire-cycle")).split("\n");
  assertEquals(graph[0], "expire-cycle - high 50 ms, low 15 ms (all time high 50 ms)");
  assertEquals(graph.slice(2), ["# ", "| ", "| ", "|_", "30", "ss", ""]);
  assertMatch(String(await client.ask("LATENCY", "DOCTOR")), /1\. expire-cycle: 2 latency spikes/);
  assertEquals(await client.ask("LATENCY", "RESET", "expire-cycle", "nosuch"), 1);
  assertEquals(await client.ask("LATENCY", "RESET"), 1);
  assertEquals(await client.ask("LATENCY", "LATEST"), []);
});

Deno.test("LATENCY: no more than 160 samples of an event are kept", async () => {
  await using machine = await startMemoryServer(37, { "latency-monitor-threshold": "1" });
  const client = await machine.connect();
  for (let second = 0; second < 200; second++) {
    machine.server.latency.add("command", second + 1);
    machine.clock.advance(1000);
    await client.ask("PING");
  }
  const history = await client.ask("LATENCY", "HISTORY", "command") as number[][];
  assertEquals(history.length, 160);
  assertEquals(history.at(-1), [1_700_000_199, 200]);
});

Deno.test("LATENCY HISTOGRAM: commands by name, containers with what they hold", async () => {
  await using machine = await startMemoryServer(38);
  const client = await machine.connect();
  await client.ask("SET", "k", "v");
  await client.ask("GET", "k");
  await client.ask("CONFIG", "GET", "hz");
  const names = (reply: unknown) => (reply as unknown[]).filter((_, index) => index % 2 === 0);
  assertEquals(names(await client.ask("LATENCY", "HISTOGRAM", "GET", "nosuch")), ["get"]);
  assertEquals(names(await client.ask("LATENCY", "HISTOGRAM", "config")), ["config|get"]);
  const all = names(await client.ask("LATENCY", "HISTOGRAM"));
  assert(["get", "set", "config|get", "latency|histogram"].every((name) => all.includes(name)));
  await client.ask("CONFIG", "SET", "latency-tracking", "no");
  await client.ask("CONFIG", "RESETSTAT");
  await client.ask("GET", "k");
  assertEquals(await client.ask("LATENCY", "HISTOGRAM"), []);
});

Deno.test("LOLWUT: draws as wide as it is told, and tells the version", async () => {
  await using machine = await startMemoryServer(39);
  const client = await machine.connect();
  const draw = async (...words: string[]) => String(await client.ask("LOLWUT", ...words));
  assertEquals(await draw(), "Redis ver. 7.0.15\n");
  assertEquals(await draw("VERSION", "4"), "Redis ver. 7.0.15\n");
  const stones = (await draw("VERSION", "5", "10", "2", "2")).split("\n");
  assertEquals(stones.map((line) => line.length).slice(0, 5), [10, 10, 10, 10, 10]);
  assertEquals(stones.at(-2), "Stones dropped into water. Redis ver. 7.0.15");
  const hills = (await draw("version", "6", "5", "3")).split("\n");
  assertEquals(hills.length, 5);
  assertEquals(hills[0].split("\x1b[0m").length, 6);
  assertEquals(await draw("VERSION", "x"), "-ERR value is not an integer or out of range");
  assertEquals((await draw("VERSION", "5", "-1", "0", "0")).length > 0, true);
});
