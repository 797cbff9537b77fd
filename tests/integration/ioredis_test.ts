import { assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { Redis, type RedisOptions } from "../support/packages/ioredis.ts";
import {
  allBytes,
  firstDifference,
  LARGE_BYTES,
  patternBytes,
  startQuietServer,
} from "./support.ts";

/** Runs `use` with a client that is gone afterwards. */
async function withClient(
  port: number,
  use: (client: Redis) => Promise<void>,
  options: RedisOptions = {},
): Promise<void> {
  const client = new Redis({ port, host: "127.0.0.1", retryStrategy: () => 10, ...options });
  // Lost connections are what some tests are about; each command still fails by itself.
  client.on("error", () => {});
  try {
    await use(client);
  } finally {
    const ended = new Promise((resolve) => client.once("end", resolve));
    client.disconnect();
    await ended;
  }
}

Deno.test("ioredis: basic commands", async () => {
  await using server = await startQuietServer();
  await withClient(server.port, async (client) => {
    assertEquals(await client.set("a", "1", "PX", 100_000), "OK");
    assertEquals(await client.get("a"), "1");
    assertEquals(await client.set("a", "2", "NX"), null);
    assertEquals(await client.incrby("a", 41), 42);
    assertEquals(await client.incrbyfloat("a", 0.5), "42.5");
    assertEquals(await client.exists("a", "b"), 1);
    assertEquals(await client.del("a"), 1);
    assertEquals(await client.get("a"), null);
    assertMatch(await client.info("server"), /redis_version:7/);
  });
});

Deno.test("ioredis: values are binary", async () => {
  await using server = await startQuietServer();
  await withClient(server.port, async (client) => {
    const value = Buffer.from(allBytes());
    await client.mset(value, value, "k", Buffer.from([255, 0]));
    const values = await client.mgetBuffer(value, "none", "k");
    assertEquals(values.map((bytes) => bytes === null ? null : [...bytes]), [
      [...value],
      null,
      [255, 0],
    ]);
  });
});

Deno.test("ioredis: a pipeline of 10 000 commands is answered in order", async () => {
  await using server = await startQuietServer();
  await withClient(server.port, async (client) => {
    const pipeline = client.pipeline();
    for (let index = 0; index < 5000; index++) pipeline.set(`k${index}`, index).get(`k${index}`);
    const replies = await pipeline.exec();
    const expected = Array.from({ length: 10_000 }, (_, index) => [
      null,
      index % 2 === 0 ? "OK" : String(index >>> 1),
    ]);
    assertEquals(replies, expected as typeof replies);
  });
});

Deno.test("ioredis: errors are errors, also in a pipeline", async () => {
  await using server = await startQuietServer();
  await withClient(server.port, async (client) => {
    await client.set("text", "abc");
    await assertRejects(() => client.incr("text"), Error, "ERR value is not an integer");
    await assertRejects(() => client.call("nosuch", "x"), Error, "ERR unknown command 'nosuch'");
    const replies = await client.pipeline().incr("text").get("text").exec();
    assertInstanceOf(replies![0][0], Error);
    assertEquals(replies![1], [null, "abc"]);
  });
});

Deno.test("ioredis: SCAN streams find every key", async () => {
  await using server = await startQuietServer();
  await withClient(server.port, async (client) => {
    const names = Array.from({ length: 1000 }, (_, index) => `s:${index}`);
    await client.mset(names.flatMap((name) => [name, "x"]));
    await client.set("other", "x");
    const found = new Set<string>();
    for await (const keys of client.scanStream({ match: "s:*", count: 37 })) {
      for (const key of keys) found.add(key);
    }
    assertEquals([...found].sort(), names.toSorted());
  });
});

Deno.test("ioredis: a password, a database and a name", async () => {
  await using server = await startQuietServer({ requirepass: "secret" });
  await withClient(server.port, async (client) => {
    await client.set("here", "1");
    const line = await client.client("LIST") as string;
    assertMatch(line, /^id=\d+ addr=127\.0\.0\.1:\d+ .* name=tester .* db=3 .*\n$/);
  }, { password: "secret", db: 3, connectionName: "tester" });
  await withClient(server.port, async (client) => {
    await assertRejects(() => client.get("here"), Error, "NOAUTH");
  }, { enableReadyCheck: false });
  await withClient(server.port, async (client) => {
    await assertRejects(() => client.get("here"), Error, "WRONGPASS");
  }, { password: "wrong", enableReadyCheck: false });
});

Deno.test("ioredis: connects again after its connection was killed", async () => {
  await using server = await startQuietServer();
  await withClient(server.port, async (client) => {
    const before = await client.client("ID") as number;
    const closed = new Promise((resolve) => client.once("close", resolve));
    await withClient(server.port, async (other) => {
      assertEquals(await other.client("KILL", "ID", before), 1);
    });
    await closed;
    assertEquals(await client.set("a", "1"), "OK");
    assertEquals(await client.client("ID") as number > before, true);
  });
});

Deno.test("ioredis: connects again to a server that was started again", async () => {
  const first = await startQuietServer();
  const port = first.port;
  await withClient(port, async (client) => {
    await client.set("a", "1");
    const closed = new Promise((resolve) => client.once("close", resolve));
    await first.shutdown();
    await closed;
    await using _second = await startQuietServer({ port: String(port) });
    assertEquals(await client.get("a"), null);
    assertEquals(await client.set("a", "2"), "OK");
  }, { maxRetriesPerRequest: null });
});

Deno.test("ioredis: a value of 100 MB comes back as it went", async () => {
  await using server = await startQuietServer();
  await withClient(server.port, async (client) => {
    const value = patternBytes(LARGE_BYTES);
    assertEquals(await client.set("large", Buffer.from(value.buffer)), "OK");
    assertEquals(await client.strlen("large"), LARGE_BYTES);
    assertEquals(firstDifference(value, (await client.getBuffer("large"))!), -1);
  });
});
