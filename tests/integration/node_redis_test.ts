import { assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { createClient, ErrorReply, RESP_TYPES } from "../support/packages/redis.ts";
import {
  allBytes,
  firstDifference,
  LARGE_BYTES,
  patternBytes,
  startQuietServer,
} from "./support.ts";

/** Makes a client for `port` that speaks RESP3 and tries again soon when it is cut off. */
function makeClient(port: number, url = `redis://127.0.0.1:${port}`) {
  const client = createClient({ url, RESP: 3, socket: { reconnectStrategy: () => 10 } });
  // Lost connections are what some tests are about; each command still fails by itself.
  client.on("error", () => {});
  return client;
}

/** Runs `use` with a client that is gone afterwards. */
async function withClient(
  port: number,
  use: (client: ReturnType<typeof makeClient>) => Promise<void>,
  url?: string,
): Promise<void> {
  const client = makeClient(port, url);
  try {
    await client.connect();
    await use(client);
  } finally {
    client.destroy();
  }
}

Deno.test("node-redis: basic commands", async () => {
  await using server = await startQuietServer();
  await withClient(server.port, async (client) => {
    assertEquals(await client.set("a", "1", { expiration: { type: "PX", value: 100_000 } }), "OK");
    assertEquals(await client.get("a"), "1");
    assertEquals(await client.set("a", "2", { condition: "NX" }), null);
    assertEquals(await client.incrBy("a", 41), 42);
    assertEquals(await client.exists(["a", "b"]), 1);
    assertEquals(await client.del("a"), 1);
    assertEquals(await client.get("a"), null);
    assertMatch(await client.info("server"), /redis_version:7/);
  });
});

Deno.test("node-redis: RESP3 and its maps", async () => {
  await using server = await startQuietServer();
  await withClient(server.port, async (client) => {
    assertMatch(await client.sendCommand(["CLIENT", "INFO"]) as string, / resp=3\n$/);
    const settings = await client.configGet("proto-max-bulk-len");
    assertEquals({ ...settings }, { "proto-max-bulk-len": "536870912" });
  });
});

Deno.test("node-redis: values are binary", async () => {
  await using server = await startQuietServer();
  await withClient(server.port, async (client) => {
    const value = Buffer.from(allBytes());
    await client.mSet([[value, value], ["k", Buffer.from([255, 0])]]);
    const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    const values = await bytes.mGet([value, "none", "k"]);
    assertEquals(values.map((one) => one === null ? null : [...one]), [
      [...value],
      null,
      [255, 0],
    ]);
  });
});

Deno.test("node-redis: a pipeline of 10 000 commands is answered in order", async () => {
  await using server = await startQuietServer();
  await withClient(server.port, async (client) => {
    const replies: Promise<string | null>[] = [];
    for (let index = 0; index < 5000; index++) {
      replies.push(client.set(`k${index}`, index), client.get(`k${index}`));
    }
    const expected = Array.from(
      { length: 10_000 },
      (_, index) => index % 2 === 0 ? "OK" : String(index >>> 1),
    );
    assertEquals(await Promise.all(replies), expected);
  });
});

Deno.test("node-redis: errors are errors, also in a pipeline", async () => {
  await using server = await startQuietServer();
  await withClient(server.port, async (client) => {
    await client.set("text", "abc");
    await assertRejects(() => client.incr("text"), ErrorReply, "ERR value is not an integer");
    const [failed, value] = await Promise.allSettled([
      client.sendCommand(["nosuch", "x"]),
      client.get("text"),
    ]);
    assertEquals(failed.status, "rejected");
    assertInstanceOf((failed as PromiseRejectedResult).reason, Error);
    assertMatch(String((failed as PromiseRejectedResult).reason), /unknown command 'nosuch'/);
    assertEquals(value, { status: "fulfilled", value: "abc" });
  });
});

Deno.test("node-redis: the SCAN iterator finds every key", async () => {
  await using server = await startQuietServer();
  await withClient(server.port, async (client) => {
    const names = Array.from({ length: 1000 }, (_, index) => `s:${index}`);
    await client.mSet(names.map((name): [string, string] => [name, "x"]));
    await client.set("other", "x");
    const found = new Set<string>();
    for await (const keys of client.scanIterator({ MATCH: "s:*", COUNT: 37 })) {
      for (const key of keys) found.add(key);
    }
    assertEquals([...found].sort(), names.toSorted());
  });
});

Deno.test("node-redis: a password, a database and a name", async () => {
  await using server = await startQuietServer({ requirepass: "secret" });
  const { port } = server;
  await withClient(port, async (client) => {
    await client.clientSetName("tester");
    const [line] = await client.clientList();
    assertEquals([line.name, line.db, line.user], ["tester", 3, "default"]);
  }, `redis://:secret@127.0.0.1:${port}/3`);
  const stranger = createClient({
    url: `redis://:wrong@127.0.0.1:${port}`,
    RESP: 3,
    socket: { reconnectStrategy: false },
  });
  stranger.on("error", () => {});
  await assertRejects(() => stranger.connect(), Error, "WRONGPASS");
  if (stranger.isOpen) stranger.destroy();
});

Deno.test("node-redis: connects again after its connection was killed", async () => {
  await using server = await startQuietServer();
  await withClient(server.port, async (client) => {
    const before = await client.clientId();
    const ready = new Promise((resolve) => client.once("ready", resolve));
    await withClient(server.port, async (other) => {
      const killed: unknown = await other.sendCommand(["CLIENT", "KILL", "ID", String(before)]);
      assertEquals(killed, 1);
    });
    await ready;
    assertEquals(await client.set("a", "1"), "OK");
    assertEquals(await client.clientId() > before, true);
  });
});

Deno.test("node-redis: connects again to a server that was started again", async () => {
  const first = await startQuietServer();
  const port = first.port;
  await withClient(port, async (client) => {
    await client.set("a", "1");
    const ready = new Promise((resolve) => client.once("ready", resolve));
    const lost = new Promise((resolve) => client.once("reconnecting", resolve));
    await first.shutdown();
    await lost;
    await using _second = await startQuietServer({ port: String(port) });
    await ready;
    assertEquals(await client.get("a"), null);
    assertEquals(await client.set("a", "2"), "OK");
  });
});

Deno.test("node-redis: a value of 100 MB comes back as it went", async () => {
  await using server = await startQuietServer();
  await withClient(server.port, async (client) => {
    const value = patternBytes(LARGE_BYTES);
    assertEquals(await client.set("large", Buffer.from(value.buffer)), "OK");
    assertEquals(await client.strLen("large"), LARGE_BYTES);
    const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    assertEquals(firstDifference(value, (await bytes.get("large"))!), -1);
  });
});
