import { MemoryFiles } from "../support/memory_files.ts";
import { assert, assertEquals } from "@std/assert";
import { type PlainValue, plainValue, type Reply, textOf } from "../../src/protocol/reply.ts";
import { ReplyReader } from "../../src/protocol/reply_reader.ts";
import { encodeRequest, type RequestArgument } from "../../src/protocol/request_writer.ts";
import { type Server, startServer } from "../../src/server/mod.ts";

const MIB = 1 << 20;

/** A connection that a test writes to and reads from by hand. */
class TestClient {
  private readonly reader = new ReplyReader();
  private readonly buffer = new Uint8Array(256 * 1024);
  private closed = false;

  constructor(readonly connection: Deno.TcpConn) {}

  /** Closes the connection, if it isn't closed. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.connection.close();
  }

  /** Writes all of `bytes`. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.connection.write(bytes.subarray(sent));
    }
  }

  /** The next reply, or undefined once the server has closed. */
  async reply(): Promise<Reply | undefined> {
    for (;;) {
      const reply = this.reader.next();
      if (reply !== undefined) return reply;
      let size: number | null;
      try {
        size = await this.connection.read(this.buffer);
      } catch (error) {
        if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
        size = null;
      }
      if (size === null) return undefined;
      this.reader.push(this.buffer.subarray(0, size));
    }
  }

  /** Sends a command and reads its reply. */
  async ask(...words: readonly RequestArgument[]): Promise<PlainValue | undefined> {
    await this.write(encodeRequest(words));
    return await this.value();
  }

  /** The next reply as a plain value; an error as its text. */
  async value(): Promise<PlainValue | undefined> {
    const reply = await this.reply();
    if (reply === undefined) return undefined;
    return reply.kind === "error" ? reply.text() : plainValue(reply);
  }
}

/** What a test works with. */
interface Fixture {
  readonly server: Server;
  connect(): Promise<TestClient>;
}

/** Runs `test` against a server of its own, and closes all at the end. */
async function withServer(
  options: Readonly<Record<string, string>>,
  test: (fixture: Fixture) => Promise<void>,
): Promise<void> {
  const server = await startServer({
    port: "0",
    bind: "127.0.0.1",
    "enable-debug-command": "yes",
    ...options,
  }, { log: () => {}, files: new MemoryFiles() });
  const clients: TestClient[] = [];
  try {
    await test({
      server,
      connect: async () => {
        const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
        const client = new TestClient(connection);
        clients.push(client);
        return client;
      },
    });
  } finally {
    for (const client of clients) client.close();
    await server.shutDownNow();
  }
}

async function infoField(client: TestClient, section: string, name: string): Promise<number> {
  await client.write(encodeRequest(["INFO", section]));
  const text = textOf((await client.reply())!)!;
  return Number(new RegExp(`^${name}:(\\d+)`, "m").exec(text)![1]);
}

/** Asks until `condition` holds; nothing but a broken server makes it wait for long. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    assert(tries < 1000, "it never came to be");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function repeat(bytes: Uint8Array, count: number): Uint8Array {
  const all = new Uint8Array(bytes.length * count);
  for (let index = 0; index < count; index++) all.set(bytes, index * bytes.length);
  return all;
}

/** Bytes of which no two neighbouring runs are alike. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >>> 8) * 7 + (at >>> 16)) & 255;
  return bytes;
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

Deno.test("a client that doesn't read costs little memory, and nobody else their turn", async () => {
  await withServer({}, async ({ connect }) => {
    const other = await connect();
    for (const size of [1000, 100_000, 2_000_000]) {
      await other.ask("SET", "big", pattern(size));
      const before = await infoField(other, "memory", "used_memory");
      const deaf = await connect();
      const count = Math.ceil(200 * MIB / size);
      const writing = deaf.write(repeat(encodeRequest(["GET", "big"]), count)).catch(() => {});
      for (let round = 0; round < 30; round++) {
        assertEquals(await other.ask("PING"), "PONG");
        const grown = await infoField(other, "memory", "used_memory") - before;
        assert(grown < 24 * MIB, `${grown} bytes more for replies of ${size}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      deaf.close();
      await writing;
      await until(async () => await infoField(other, "clients", "connected_clients") === 1);
    }
  });
});

Deno.test("a pipeline of 20 MB that is sent before anything is read is answered", async () => {
  await withServer({}, async ({ connect }) => {
    const client = await connect();
    const request = encodeRequest(["ECHO", "x".repeat(100)]);
    const count = Math.ceil(20 * MIB / request.length);
    await client.write(repeat(request, count));
    for (let index = 0; index < count; index++) {
      const reply = await client.reply();
      assert(reply?.kind === "bulk" && reply.length === 100, `reply ${index}`);
    }
    assertEquals(await client.ask("PING"), "PONG");
  });
});

Deno.test("big values come in odd pieces and go back as they were", async () => {
  await withServer({}, async ({ connect, server }) => {
    const client = await connect();
    for (const size of [70_000, 5_000_000, 70_000_000]) {
      const value = pattern(size);
      const request = encodeRequest(["SET", "big", value]);
      const cuts = [1, 5, 30, 31, 32, 40, 16_421, 65_537, size >> 1, size - 1, size + 20];
      let from = 0;
      for (const cut of [...cuts, request.length - 2, request.length - 1, request.length]) {
        const to = Math.max(from, Math.min(cut, request.length));
        await client.write(request.subarray(from, to));
        from = to;
        // So that the server sees the pieces one by one.
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      assertEquals(await client.value(), "OK");
      await client.write(encodeRequest(["GET", "big"]));
      const reply = await client.reply();
      assert(reply?.kind === "bulk" && sameBytes(reply.bytes, value), `value of ${size}`);
    }
    assertEquals(await client.ask("DEL", "big"), 1);
    assertEquals(await client.ask("DEBUG", "CHECK"), "OK");
    assert(server.usedMemory < 8 * MIB, `${server.usedMemory} bytes`);
  });
});

Deno.test("half a big value is given back when its client goes", async () => {
  await withServer({}, async ({ connect }) => {
    const other = await connect();
    const before = await infoField(other, "memory", "used_memory");
    const head = "*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$20000000\r\n";
    for (const sent of [0, 1, 100_000, 9_000_000, 20_000_000]) {
      const client = await connect();
      await client.write(new TextEncoder().encode(head));
      await client.write(pattern(sent));
      await until(async () => await infoField(other, "clients", "connected_clients") === 2);
      client.close();
      await until(async () => await infoField(other, "clients", "connected_clients") === 1);
      const after = await infoField(other, "memory", "used_memory");
      assert(after - before < MIB, `${after - before} bytes are lost of ${sent}`);
    }
    assertEquals(await other.ask("EXISTS", "big"), 0);
    assertEquals(await other.ask("DEBUG", "CHECK"), "OK");
  });
});

Deno.test("two servers in one process share nothing", async () => {
  await withServer({}, async (one) => {
    await withServer({ requirepass: "secret" }, async (two) => {
      const first = await one.connect();
      const second = await two.connect();
      assertEquals(await second.ask("GET", "a"), "NOAUTH Authentication required.");
      assertEquals(await second.ask("AUTH", "secret"), "OK");
      assertEquals(await first.ask("SET", "a", "1"), "OK");
      assertEquals(await second.ask("GET", "a"), null);
      assertEquals(await second.ask("SET", "a", "2"), "OK");
      assertEquals(await first.ask("GET", "a"), "1");
      assertEquals(await first.ask("CONFIG", "SET", "maxclients", "77"), "OK");
      assertEquals(await second.ask("CONFIG", "GET", "maxclients"), ["maxclients", "10000"]);
      assertEquals(await first.ask("FLUSHALL"), "OK");
      assertEquals(await second.ask("GET", "a"), "2");
      assertEquals(await infoField(first, "clients", "connected_clients"), 1);
    });
  });
});

Deno.test("CLIENT REPLY chooses which replies are heard", async () => {
  // What redis-server 7.0.15 replies to each pipeline.
  const pipelines: readonly (readonly [string, readonly string[]])[] = [
    ["CLIENT REPLY OFF|PING|NOPE|GET|CLIENT REPLY ON|PING", ["OK", "PONG"]],
    ["CLIENT REPLY SKIP|PING|PING", ["PONG"]],
    ["CLIENT REPLY SKIP|NOPE|PING", ["PONG"]],
    ["CLIENT REPLY SKIP|GET|PING", ["PONG"]],
    ["CLIENT REPLY SKIP|CLIENT REPLY SKIP|PING|PING", ["PONG"]],
    ["CLIENT REPLY SKIP|CLIENT REPLY ON|PING", ["OK", "PONG"]],
    ["CLIENT REPLY SKIP|CLIENT REPLY OFF|PING|CLIENT REPLY ON|PING", ["OK", "PONG"]],
    ["CLIENT REPLY SKIP|CLIENT REPLY MAYBE|PING", ["PONG"]],
    ["CLIENT REPLY OFF|CLIENT REPLY SKIP|PING|CLIENT REPLY ON|PING", ["OK", "PONG"]],
    ["CLIENT REPLY OFF|RESET|PING", ["RESET", "PONG"]],
    ["CLIENT REPLY SKIP|RESET|PING", ["PONG"]],
    ["CLIENT REPLY SKIP||PING|PING", ["PONG", "PONG"]],
    ["CLIENT REPLY MAYBE|PING", ["ERR syntax error", "PONG"]],
  ];
  await withServer({}, async ({ connect }) => {
    for (const [pipeline, replies] of pipelines) {
      const client = await connect();
      const lines = [...pipeline.split("|"), "CLIENT REPLY ON", "ECHO end"];
      await client.write(new TextEncoder().encode(lines.join("\r\n") + "\r\n"));
      for (const reply of [...replies, "OK", "end"]) {
        assertEquals(await client.value(), reply, pipeline);
      }
    }
    const client = await connect();
    await client.write(new TextEncoder().encode("CLIENT REPLY OFF\r\nPING\r\n*x\r\n"));
    assertEquals(await client.reply(), undefined, "closed without a word");
  });
});

Deno.test("QUIT and protocol errors end a connection behind their reply", async () => {
  await withServer({}, async ({ connect }) => {
    const endings = [
      ["PING\r\nQUIT\r\nPING\r\n", "OK"],
      ["PING\r\n*x\r\n", "ERR Protocol error: invalid multibulk length"],
      ["PING\r\n*1\r\nPING\r\n", "ERR Protocol error: expected '$', got 'P'"],
      ["PING\r\nECHO 'a\r\n", "ERR Protocol error: unbalanced quotes in request"],
    ];
    for (const [bytes, last] of endings) {
      const client = await connect();
      await client.write(new TextEncoder().encode(bytes));
      assertEquals(await client.value(), "PONG");
      assertEquals(await client.value(), last);
      assertEquals(await client.reply(), undefined);
    }
  });
});

Deno.test("client-query-buffer-limit closes who sends more than may wait", async () => {
  await withServer({ "client-query-buffer-limit": "1mb" }, async ({ connect }) => {
    const client = await connect();
    const writing = client.write(encodeRequest(["ECHO", pattern(3 * MIB)])).catch(() => {});
    assertEquals(await client.reply(), undefined);
    await writing;
    const other = await connect();
    assertEquals(await other.ask("PING"), "PONG");
  });
});

Deno.test("one client too many is turned away", async () => {
  await withServer({ maxclients: "2" }, async ({ connect }) => {
    const first = await connect();
    const second = await connect();
    assertEquals(await first.ask("PING"), "PONG");
    assertEquals(await second.ask("PING"), "PONG");
    const third = await connect();
    assertEquals(await third.value(), "ERR max number of clients reached");
    assertEquals(await third.reply(), undefined);
    second.close();
    await until(async () => await infoField(first, "clients", "connected_clients") === 1);
    assertEquals(await (await connect()).ask("PING"), "PONG");
  });
});

Deno.test("a password is asked for, by AUTH or by HELLO", async () => {
  await withServer({ requirepass: "secret" }, async ({ connect }) => {
    const client = await connect();
    const wrong = "WRONGPASS invalid username-password pair or user is disabled.";
    assertEquals(await client.ask("PING"), "NOAUTH Authentication required.");
    assertEquals(await client.ask("AUTH", "nope"), wrong);
    assertEquals(await client.ask("AUTH", "nobody", "secret"), wrong);
    assertEquals(await client.ask("HELLO", "3", "AUTH", "default", "nope"), wrong);
    assert(String(await client.ask("HELLO", "3")).startsWith("NOAUTH HELLO must be called"));
    assertEquals(await client.ask("GET", "a"), "NOAUTH Authentication required.");
    assertEquals(await client.ask("AUTH", "default", "secret"), "OK");
    assertEquals(await client.ask("PING"), "PONG");
    assertEquals(await client.ask("RESET"), "RESET");
    assertEquals(await client.ask("PING"), "NOAUTH Authentication required.");
    await client.write(encodeRequest(["HELLO", "3", "AUTH", "default", "secret", "SETNAME", "me"]));
    assertEquals((await client.reply())?.kind, "map");
    assertEquals(await client.ask("CLIENT", "GETNAME"), "me");
    const stranger = await connect();
    await stranger.write(new TextEncoder().encode("*11\r\n"));
    assertEquals(await stranger.value(), "ERR Protocol error: unauthenticated multibulk length");
    assertEquals(await stranger.reply(), undefined);
  });
});
