import { assert, assertEquals } from "@std/assert";
import { type MemoryConnection, startMemoryServer } from "../support/memory_server.ts";
import { restorePayload } from "../support/restore_payload.ts";

/**
 * What redis-server 7.0.15 dumped: two nodes of three entries, one entry deleted, two groups, three consumers, something
 * pending that was delivered 300 times.
 */
const DUMPED =
  "13021000000000000000010000000000000001405a5a00000019000201010102018b74656d70657261747572650c85" +
  "706c61636506000102010001000115018468616c6c05050103010001010116018663656c6c617207050100010101dfff0201" +
  "01856f74686572068178020601ff100000018bcfe56800000000000000000040444400000013000201000102018b74656d70" +
  "657261747572650c85706c616365060001020100010001dffb0284726f6f6605050100010101000101018161028162020601" +
  "ff04810000018bcfe5680100010101020502056672657368810000018bcfe568010081ffffffffffffffff00000167810000" +
  "018bcfe568000081ffffffffffffffff0300000000000000010000000000000001bf931f15a2010000010000000000000002" +
  "000000000000000000f4a92b80010000412c0000018bcfe568000000000000000000c2931f15a201000001030469646c65cb" +
  "931f15a201000000036f6e65bf931f15a201000001000000000000000100000000000000010374776fc7931f15a201000002" +
  "000000000000000200000000000000000000018bcfe5680000000000000000000a00ac357af378a98b7c";
const BODY = DUMPED.slice(0, -20);

function decodeHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (digits) => parseInt(digits, 16));
}

function encodeHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function restore(client: MemoryConnection, body: string): Promise<unknown> {
  return client.ask("RESTORE", "key", "0", restorePayload(decodeHex(body)), "REPLACE");
}

Deno.test("streams: what Redis has dumped is restored with all that hangs on it, and dumped alike", async () => {
  await using machine = await startMemoryServer(41, { "sanitize-dump-payload": "no" });
  const client = await machine.connect();
  assertEquals(await restore(client, BODY), "OK");
  assertEquals(await client.ask("DEBUG", "CHECK"), "OK");
  const ids = ["1-1", "2-0", "1700000000000-0", "1700000000001-0"];
  const entries = await client.ask("XRANGE", "key", "-", "+") as [string, string[]][];
  assertEquals(entries.map(([id]) => id), ids);
  assertEquals(entries[2][1], ["temperature", "-5", "place", "roof"]);
  const pending = await client.ask("XPENDING", "key", "g", "-", "+", "9") as unknown[][];
  assertEquals(pending.map(([id, name, , count]) => [id, name, count]), [
    ["1-1", "one", 1],
    ["2-0", "two", 300],
    ["1700000000000-0", "two", 1],
  ]);
  const raw = await client.askRaw("DUMP", "key");
  const dumped = raw.slice(raw.indexOf("\r\n") + 2, -2);
  const bytes = Uint8Array.from(dumped, (character) => character.charCodeAt(0));
  assertEquals(encodeHex(bytes), DUMPED);
});

/** The body with the part that stands once for the bytes `from` replaced by `to`. */
function changed(from: string, to: string): string {
  const at = BODY.indexOf(from);
  assert(at >= 0 && BODY.indexOf(from, at + 1) < 0, `${from} stands once`);
  return BODY.replace(from, to);
}

/** A few bytes that surround what is changed, so that they stand once. */
const LENGTH = "ff04810000018bcfe56801";
const BROKEN: Readonly<Record<string, string>> = {
  "a wrong number of entries": changed(LENGTH, "ff05810000018bcfe56801"),
  "a last id below the last entry": changed(LENGTH, "ff04810000018bcfe56701"),
  "an id of fifteen bytes": changed("130210000000", "13020f000000"),
  "the same node twice": changed("ff100000018bcfe5680000", "ff10000000000000000100"),
  "an entry too many in the master": changed("190002010101", "190003010101"),
  "a flag that nobody knows": changed("010001000115018468", "010401000115018468"),
  "an entry of a wrong number of elements": changed("6c6c0505010301", "6c6c0506010301"),
  "an entry whose id isn't above the one before": changed("0101dfff02", "0001dfff02"),
  "a group twice": changed("02056672657368", "020167"),
  "more pending than anybody has": changed("ffffffff0300000000", "ffffffff0200000000"),
  "a consumer with what isn't pending": changed(
    "010000010000000000000001",
    "010000010000000000000009",
  ),
  "the end, too early": BODY.slice(0, -4),
};

Deno.test("streams: payloads that would lead astray are refused, and leave nothing", async () => {
  await using machine = await startMemoryServer(42);
  const client = await machine.connect();
  const { arena, roots } = machine.server.keyspace;
  await restore(client, BODY);
  await client.ask("DEL", "key");
  const before = arena.usedBytes;
  for (const [what, body] of Object.entries(BROKEN)) {
    assertEquals(await restore(client, body), "-ERR Bad data format", what);
    assertEquals(await client.ask("DEBUG", "CHECK"), "OK", what);
    assertEquals([arena.usedBytes, roots.count], [before, 0], what);
  }
});
