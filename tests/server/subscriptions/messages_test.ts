import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  MESSAGE,
  type MessageKind,
  MessageLog,
  PATTERN_MESSAGE,
  SHARD_MESSAGE,
  type Waiting,
} from "../../../src/server/subscriptions/messages.ts";
import { seededRandom, testSeed } from "../../support/random.ts";

const encoder = new TextEncoder();

/** Writes a message into `log` and gives the text that it should be. */
function write(
  log: MessageLog,
  version: 2 | 3,
  channel: string,
  message: string,
  kind: MessageKind = MESSAGE,
  pattern: string | null = null,
): string {
  const bytes = encoder.encode(channel + message);
  const view = new DataView(bytes.buffer);
  const patternBytes = pattern === null ? null : encoder.encode(pattern);
  log.write(kind, patternBytes, view, 0, channel.length, channel.length, message.length);
  const name = kind === MESSAGE ? "message" : kind === SHARD_MESSAGE ? "smessage" : "pmessage";
  const words = [name, ...(pattern === null ? [] : [pattern]), channel, message];
  return `${version === 3 ? ">" : "*"}${words.length}\r\n` +
    words.map((word) => `$${word.length}\r\n${word}\r\n`).join("");
}

/** What a session sends for a list. */
function textOf(waiting: Waiting): string {
  return waiting.chunks.map(({ bytes }) => new TextDecoder().decode(bytes)).join("");
}

Deno.test("messages of each kind look as they do in Redis", () => {
  for (const version of [2, 3] as const) {
    const log = new MessageLog(version);
    const shapes: [string, string, MessageKind, string | null][] = [
      ["news", "hello", MESSAGE, null],
      ["", "", MESSAGE, null],
      ["news", "x".repeat(1000), SHARD_MESSAGE, null],
      ["news", "hello", PATTERN_MESSAGE, "n*"],
      ["news", "hello", PATTERN_MESSAGE, ""],
      ["c".repeat(70_000), "m".repeat(70_000), PATTERN_MESSAGE, "p".repeat(70_000)],
    ];
    for (const [channel, message, kind, pattern] of shapes) {
      const expected = write(log, version, channel, message, kind, pattern);
      assertEquals(new TextDecoder().decode(log.bytes), expected);
    }
  }
});

Deno.test("who has the same past shares what waits, and messages side by side aren't copied", () => {
  const log = new MessageLog(3);
  write(log, 3, "a", "1");
  let [first, second] = [log.behind(null), log.behind(null)];
  assertStrictEquals(first, second);
  write(log, 3, "a", "2");
  [first, second] = [log.behind(first), log.behind(second)];
  const late = log.behind(null);
  assertStrictEquals(first, second);
  assert(late !== first);
  assertEquals(first.runs, 1);
  assertStrictEquals(first.chunks[0].bytes.buffer, log.block.buffer);
  assertStrictEquals(first.chunks, second.chunks);
});

Deno.test("once nothing waits, nothing is kept", () => {
  const log = new MessageLog(2);
  write(log, 2, "a", "1");
  const before = log.behind(null);
  log.rest();
  assert(log.behind(null) !== before);
});

Deno.test("messages with others between them are copied together, long ones sent as they are", () => {
  const log = new MessageLog(2);
  let waiting: Waiting | null = null;
  let expected = "";
  for (const length of [10, 20, 20_000, 30, 40]) {
    expected += write(log, 2, "mine", "m".repeat(length));
    waiting = log.behind(waiting);
    write(log, 2, "other", "not for this one");
  }
  assertEquals(waiting!.runs, 5);
  assertEquals(waiting!.bytes, expected.length);
  assertEquals(waiting!.chunks.length, 3);
  assertEquals(textOf(waiting!), expected);
});

Deno.test("lists by random say what was told, however they come about", () => {
  const random = seededRandom(testSeed("messages"));
  const logs = { 2: new MessageLog(2), 3: new MessageLog(3) };
  const sessions = Array.from({ length: 20 }, () => ({
    version: (random() < 0.5 ? 2 : 3) as 2 | 3,
    waiting: null as Waiting | null,
    expected: "",
  }));
  for (let step = 0; step < 3000; step++) {
    const message = "m".repeat(Math.floor(random() ** 8 * 30_000));
    const texts = { 2: write(logs[2], 2, "c", message), 3: write(logs[3], 3, "c", message) };
    const share = random();
    for (const session of sessions) {
      if (random() < share) {
        session.waiting = logs[session.version].behind(session.waiting);
        session.expected += texts[session.version];
      }
      if (session.waiting === null || random() > 0.1) continue;
      assertEquals(session.waiting.bytes, session.expected.length);
      assertEquals(textOf(session.waiting), session.expected);
      session.waiting = null;
      session.expected = "";
      // A client may go on in the other version.
      if (random() < 0.2) session.version = session.version === 2 ? 3 : 2;
    }
    if (random() < 0.01) logs[2].rest();
  }
});
