import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { plainValue, type Reply } from "../../src/protocol/reply.ts";
import { ReplyReader } from "../../src/protocol/reply_reader.ts";
import {
  HandshakeError,
  type HandshakeOutcome,
  introduce,
  type Introduction,
} from "../../src/replication/handshake.ts";
import { Peer } from "../../src/replication/peer.ts";
import type { Connection } from "../../src/runtime/sockets.ts";

const ID = "a".repeat(40);
const INTRODUCTION: Introduction = {
  port: 1234,
  address: "",
  user: "",
  password: "",
  has: null,
  failover: false,
};

/** A master that answers each command with the next of `answers`. */
class Master implements Connection {
  readonly remote = "";
  readonly local = "";
  readonly fromLoopback = true;
  readonly commands: string[] = [];
  private readonly reader = new ReplyReader();
  private text = "";

  constructor(private readonly answers: string[]) {}

  read(room: Uint8Array): Promise<number | null> {
    const bytes = new TextEncoder().encode(this.text);
    this.text = "";
    room.set(bytes);
    return Promise.resolve(bytes.length === 0 ? null : bytes.length);
  }

  write(bytes: Uint8Array): Promise<number> {
    this.reader.push(bytes.slice());
    for (let command: Reply | undefined; (command = this.reader.next()) !== undefined;) {
      this.commands.push((plainValue(command) as string[]).join(" "));
      this.text += this.answers.shift() ?? "";
    }
    return Promise.resolve(bytes.length);
  }

  close(): void {}
}

/** What comes of an introduction, and what the master was told. */
async function meet(
  answers: string[],
  introduction: Partial<Introduction> = {},
): Promise<[HandshakeOutcome, string[], string[]]> {
  const master = new Master(answers);
  const log: string[] = [];
  const peer = new Peer(master, () => {});
  const outcome = await introduce(
    peer,
    { ...INTRODUCTION, ...introduction },
    (_level, line) => log.push(line),
  );
  return [outcome, master.commands, log];
}

Deno.test("a replica says where it is and what it understands, and asks for all", async () => {
  const [outcome, commands] = await meet(
    ["+PONG\r\n", "+OK\r\n", "+OK\r\n", `\n\n+FULLRESYNC ${ID} 17\r\n`],
  );
  assertEquals(outcome, { kind: "full", id: ID, offset: 17 });
  assertEquals(commands, [
    "PING",
    "REPLCONF listening-port 1234",
    "REPLCONF capa eof capa psync2",
    "PSYNC ? -1",
  ]);
});

Deno.test("it logs in, and asks for what it lacks", async () => {
  const [outcome, commands] = await meet(
    [
      "-NOAUTH Authentication required.\r\n",
      "+OK\r\n",
      "+OK\r\n",
      "+OK\r\n",
      "+OK\r\n",
      "+CONTINUE\r\n",
    ],
    { user: "user", password: "secret", address: "10.0.0.7", has: { id: ID, offset: 9 } },
  );
  assertEquals(outcome, { kind: "continue", id: null });
  assertEquals(commands.slice(1), [
    "AUTH user secret",
    "REPLCONF listening-port 1234",
    "REPLCONF ip-address 10.0.0.7",
    "REPLCONF capa eof capa psync2",
    `PSYNC ${ID} 10`,
  ]);
});

Deno.test("a stream may go on under another id", async () => {
  const [outcome] = await meet(
    ["+PONG\r\n", "-ERR unknown\r\n", "+OK\r\n", `+CONTINUE ${ID}\r\n`],
    { has: { id: "b".repeat(40), offset: 0 } },
  );
  assertEquals(outcome, { kind: "continue", id: ID });
});

Deno.test("a master without PSYNC is asked with SYNC", async () => {
  const [outcome, commands] = await meet(
    ["+PONG\r\n", "+OK\r\n", "+OK\r\n", "-ERR unknown command\r\n"],
  );
  assertEquals(outcome, { kind: "legacy" });
  assertEquals(commands.at(-1), "SYNC");
});

Deno.test("what speaks against it is said, and whether it may pass", async () => {
  const ready = ["+PONG\r\n", "+OK\r\n", "+OK\r\n"];
  const faults: readonly (readonly [string[], Partial<Introduction>, RegExp, boolean])[] = [
    [["-ERR no\r\n"], {}, /Error reply to PING from master: '-ERR no'/, false],
    [
      ["+PONG\r\n", "-WRONGPASS no\r\n"],
      { password: "x" },
      /Unable to AUTH to MASTER: -WRONGPASS/,
      false,
    ],
    [[...ready, "-NOMASTERLINK later\r\n"], {}, /currently unable to PSYNC/, true],
    [[...ready, "-LOADING later\r\n"], {}, /currently unable to PSYNC/, true],
    [[...ready, "+FULLRESYNC short 1\r\n"], {}, /wrong \+FULLRESYNC syntax/, false],
    [
      [...ready, "-ERR no\r\n"],
      { failover: true },
      /is in error state \(reply: -ERR no\)/,
      false,
    ],
  ];
  for (const [answers, introduction, message, passing] of faults) {
    const error = await assertRejects(() => meet(answers, introduction), HandshakeError);
    assertMatch(error.message, message);
    assertEquals(error.passing, passing, error.message);
  }
});
