/** What no good server sends, and what is left of a conversation that is cut anywhere. */

import { assert, assertEquals } from "@std/assert";
import { runClient } from "../../src/client/cli.ts";
import {
  type Channel,
  Client,
  ConnectionClosedError,
  type PlainValue,
  plainValue,
  ReplyProtocolError,
} from "../../src/client/mod.ts";
import { seededRandom, testSeed } from "../support/random.ts";
import { FakeTerminal } from "./fake_terminal.ts";
import { type Answer, ScriptedServer } from "./scripted_server.ts";

/** The lines of the error output after a command that is answered like this; there is nothing else. */
async function complaint(answer: Answer): Promise<string> {
  await using server = new ScriptedServer(() => answer);
  const terminal = new FakeTerminal();
  assertEquals(await runClient(["-p", `${server.port}`, "PING"], terminal), 1);
  assertEquals(terminal.output, "");
  return terminal.errors.join("\n");
}

Deno.test("a reply that is none is told in one line", async () => {
  const said = async (answer: Answer, line: string) => {
    assertEquals(await complaint(answer), `Error: Protocol error, ${line}`);
  };
  await said("HTTP/1.1 400 Bad Request\r\n", 'got "H" as reply type byte, at byte 0');
  await said("\x15\x03\x01", 'got "\\x15" as reply type byte, at byte 0');
  await said("$9999999999\r\n", "bulk length out of range, at byte 0");
  await said("*9999999999\r\n", "multi-bulk length out of range, at byte 0");
  await said("%99999999999999999999\r\n", "multi-bulk length out of range, at byte 0");
  await said("$-5\r\n", "invalid bulk length, at byte 1");
  await said("$5\r\nabcdefgh\r\n", "a bulk longer than announced, at byte 9");
  await said("*1\r\n".repeat(1_000_000), "replies nested deeper than 128, at byte 515");
  await said("+" + "x".repeat(2 << 20), "too big line in reply, at byte 0");
});

Deno.test("a reply that doesn't come as a whole is told in one line", async () => {
  for (const lastWords of ["", "+OK", "$10\r\nabc", "*1000000000\r\n", "$1000000000\r\nx"]) {
    assertEquals(await complaint({ lastWords }), "Error: Server closed the connection");
  }
});

/** What a server sends, and what it means. */
interface Script {
  readonly bytes: Uint8Array;
  /** Where each reply ends, in bytes, and what it says. */
  readonly replies: { readonly end: number; readonly value: PlainValue }[];
  /** What it says without being asked, and after how many bytes. */
  readonly pushes: { readonly end: number; readonly value: PlainValue }[];
}

/** A random value, and its bytes, a character each. */
function randomReply(random: () => number, depth: number): [bytes: string, value: PlainValue] {
  const number = Math.floor(random() * 1000);
  const text = String.fromCharCode(...Array.from({ length: number % 40 }, () => random() * 128));
  switch (Math.floor(random() * (depth === 0 ? 5 : 6))) {
    case 0:
      return [`+${number}\r\n`, `${number}`];
    case 1:
      return [`:${number}\r\n`, number];
    case 2:
      return ["$-1\r\n", null];
    case 3:
    case 4:
      return [`$${text.length}\r\n${text}\r\n`, text];
    default: {
      const items = Array.from({ length: number % 5 }, () => randomReply(random, depth - 1));
      const bytes = items.map(([bytes]) => bytes).join("");
      return [`*${items.length}\r\n${bytes}`, items.map(([, value]) => value)];
    }
  }
}

function randomScript(random: () => number): Script {
  const replies: Script["replies"] = [];
  const pushes: Script["pushes"] = [];
  let text = "";
  for (let left = 1 + Math.floor(random() * 20); left > 0; left--) {
    const isPush = random() < 0.2;
    const [bytes, value] = randomReply(random, 3);
    text += isPush ? `>2\r\n$4\r\nnews\r\n${bytes}` : bytes;
    if (isPush) pushes.push({ end: text.length, value: ["news", value] });
    else replies.push({ end: text.length, value });
  }
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  return { bytes, replies, pushes };
}

/** A channel that gives bytes in pieces of random lengths, and then ends. */
class CutChannel implements Channel {
  #at = 0;

  constructor(readonly bytes: Uint8Array, readonly random: () => number) {}

  read(room: Uint8Array): Promise<number | null> {
    const most = Math.min(room.length, this.bytes.length - this.#at);
    if (most === 0) return Promise.resolve(null);
    const longest = this.random() < 0.5 ? 3 : most;
    const size = Math.min(most, 1 + Math.floor(this.random() * longest));
    room.set(this.bytes.subarray(this.#at, this.#at + size));
    this.#at += size;
    return Promise.resolve(size);
  }

  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(bytes.length);
  }

  close(): void {}
}

/** Sends a command for each reply of a script, and reads what a channel makes of it. */
async function converse(script: Script, bytes: Uint8Array, random: () => number) {
  const pushes: PlainValue[] = [];
  const client = new Client(new CutChannel(bytes, random), {
    onPush: (message) => pushes.push(plainValue(message)),
  });
  const results = await Promise.allSettled(script.replies.map(() => client.send("ASK")));
  await client.closed;
  return { results, pushes };
}

Deno.test("replies and pushes arrive whatever the pieces, and as far as they came", async () => {
  const random = seededRandom(testSeed("cut conversations"));
  for (let round = 0; round < 300; round++) {
    const script = randomScript(random);
    const cut = random() < 0.3 ? script.bytes.length : Math.floor(random() * script.bytes.length);
    const { results, pushes } = await converse(script, script.bytes.subarray(0, cut), random);
    script.replies.forEach(({ end, value }, index) => {
      const result = results[index];
      if (end <= cut) {
        assertEquals(result.status === "fulfilled" && plainValue(result.value), value);
      } else assert(result.status === "rejected" && result.reason instanceof ConnectionClosedError);
    });
    const arrived = script.pushes.filter(({ end }) => end <= cut).map(({ value }) => value);
    assertEquals(pushes, arrived);
  }
});

Deno.test("whatever is wrong with the bytes, each command is answered or fails", async () => {
  const random = seededRandom(testSeed("damaged conversations"));
  for (let round = 0; round < 500; round++) {
    const script = randomScript(random);
    const damaged = script.bytes.slice();
    for (let left = 1 + Math.floor(random() * 3); left > 0; left--) {
      damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
    }
    const { results } = await converse(script, damaged, random);
    for (const result of results) {
      assert(
        result.status === "fulfilled" || result.reason instanceof ConnectionClosedError ||
          result.reason instanceof ReplyProtocolError,
      );
    }
  }
});
