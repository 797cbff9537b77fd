/** TLS, against a real redis-server, and against servers that don't know it. */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { runClient } from "../../src/client/cli.ts";
import { connect, ConnectError, ConnectionClosedError, plainValue } from "../../src/client/mod.ts";
import { startTlsRedis, type TlsRedis, whyNoTlsRedis } from "../support/tls_redis.ts";
import { FakeTerminal } from "./fake_terminal.ts";

const ABSENT = await whyNoTlsRedis();
if (ABSENT !== undefined) console.log(`TLS isn't tested: ${ABSENT}`);

/** Runs the client against a server; the words of the options that name files stand for paths. */
async function ping(redis: TlsRedis, ...args: string[]): Promise<[number, string]> {
  const terminal = new FakeTerminal();
  const words = args.map((word) => /\.(crt|key)$/.test(word) ? redis.file(word) : word);
  const code = await runClient(["-p", `${redis.port}`, ...words, "PING"], terminal);
  const said = terminal.output + terminal.errors.join("\n");
  return [code, said.replaceAll(redis.file(""), "").replaceAll(`${redis.port}`, "PORT").trimEnd()];
}

function testWithRedis(
  name: string,
  test: (redis: TlsRedis) => Promise<void>,
  clientsNeedCertificate = false,
): void {
  Deno.test({
    name,
    ignore: ABSENT !== undefined,
    async fn() {
      await using redis = await startTlsRedis(clientsNeedCertificate);
      await test(redis);
    },
  });
}

const UNREACHED = "Could not connect to Redis at 127.0.0.1:PORT: ";

testWithRedis("whom the client trusts", async (redis) => {
  const { port } = redis;
  assertEquals(await ping(redis, "--tls", "--cacert", "ca.crt"), [0, "PONG"]);
  const folder = redis.file("").slice(0, -1);
  assertEquals(await ping(redis, "--tls", "--cacertdir", folder), [0, "PONG"]);
  assertEquals(await ping(redis, "--tls", "--insecure"), [0, "PONG"]);
  const uri = `rediss://127.0.0.1:${port}`;
  assertEquals(await ping(redis, "-u", uri, "--cacert", "ca.crt"), [0, "PONG"]);

  const untrusted = "nobody who is trusted has signed the server's certificate " +
    "(--cacert names whom to trust)";
  assertEquals(await ping(redis, "--tls"), [1, UNREACHED + untrusted]);
  assertEquals(await ping(redis, "--tls", "--cacert", "stranger.crt"), [1, UNREACHED + untrusted]);
});

testWithRedis("the server's name", async (redis) => {
  const trusting = ["--tls", "--cacert", "ca.crt", "--sni"];
  assertEquals(await ping(redis, ...trusting, "redis.test"), [0, "PONG"]);
  assertEquals(await ping(redis, ...trusting, "other.test"), [
    1,
    UNREACHED + "the server's certificate is for another name (--sni names the one that it has)",
  ]);
  assertEquals(await ping(redis, "--tls", "--insecure", "--sni", "other.test"), [0, "PONG"]);
});

testWithRedis("a server that asks for a certificate", async (redis) => {
  const trusting = ["--tls", "--cacert", "ca.crt"];
  const ours = ["--cert", "client.crt", "--key", "client.key"];
  assertEquals(await ping(redis, ...trusting, ...ours), [0, "PONG"]);
  const wanted = "Error: the server wants a certificate (--cert and --key)";
  assertEquals(await ping(redis, ...trusting), [1, wanted]);
  assertEquals(await ping(redis, "--tls", "--insecure"), [1, wanted]);
  assertEquals(
    await ping(redis, ...trusting, "--cert", "stranger.crt", "--key", "stranger.key"),
    [1, "Error: the server doesn't accept our certificate"],
  );
  // Versions of the runtime that can't send it say so.
  for (const others of [[...trusting, "--sni", "redis.test"], ["--tls", "--insecure"]]) {
    const [code, said] = await ping(redis, ...others, ...ours);
    assertMatch(`${code} ${said}`, /^(0 PONG|1 Error: .* this version of the runtime .*)$/);
  }
}, true);

testWithRedis("files that aren't what they should be", async (redis) => {
  const refused = async (reason: string, ...args: string[]) =>
    assertEquals(await ping(redis, "--tls", ...args), [
      1,
      `Could not negotiate a TLS connection: ${reason}`,
    ]);
  await refused("none.crt: No such file or directory", "--cacert", "none.crt");
  await refused("no certificate (PEM) in ca.key", "--cacert", "ca.key");
  const damaged = "-----BEGIN CERTIFICATE-----\ndamaged\n-----END CERTIFICATE-----\n";
  await Deno.writeTextFile(redis.file("damaged.crt"), damaged);
  const reason = "a certificate of those to trust is damaged";
  assertEquals(await ping(redis, "--tls", "--cacert", "damaged.crt"), [1, UNREACHED + reason]);
  await refused("--cert and --key need each other", "--cert", "client.crt");
  await refused("--cert and --key need each other", "--key", "client.key");
  const wrongKey = ["--cert", "client.crt", "--key", "ca.key"];
  await refused("the key in ca.key isn't that of the certificate in client.crt", ...wrongKey);
  await refused("no private key (PEM) in ca.crt", "--cert", "client.crt", "--key", "ca.crt");
  const why = "isn't there: the runtime chooses, among safe ones only";
  await refused(`--tls-ciphers ${why}`, "--tls-ciphers", "DEFAULT");
  await refused(`--tls-ciphersuites ${why}`, "--tls-ciphersuites", "TLS_AES_128_GCM_SHA256");
});

Deno.test({
  name: "TLS where there is none, and none where there is",
  ignore: ABSENT !== undefined,
  // Deno 2.4 keeps a connection of `node:tls` that was given up until the program ends.
  sanitizeResources: false,
  async fn() {
    await using redis = await startTlsRedis();
    const identity = { certificate: redis.text("client.crt"), key: redis.text("client.key") };
    for (const options of [{}, { insecure: true }, { identity }]) {
      const tls = { ...options, handshakeTimeoutMs: 50 };
      await assertRejects(
        () => connect({ port: redis.plainPort, tls }),
        ConnectError,
        "no TLS within 0.05 s; does the server speak it on this port?",
      );
    }
    assertEquals(await ping(redis), [1, "Error: Server closed the connection"]);
  },
});

Deno.test("an answer that is no TLS", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(1024));
      await connection.write(
        new TextEncoder().encode("-ERR Protocol error: unbalanced quotes\r\n"),
      );
      connection.close();
    }
  })();
  for (const insecure of [false, true]) {
    await assertRejects(
      async () => {
        using client = await connect({ port, tls: { insecure } });
        // With `node:tls` of Deno 2.4, it isn't noticed before.
        await client.command("PING");
      },
      Error,
      "what the server answers is no TLS",
    );
  }
  listener.close();
  await serving;
});

testWithRedis("large values, and many commands at once", async (redis) => {
  const trusted = { authorities: [redis.text("ca.crt")] };
  for (const tls of [trusted, { insecure: true }]) {
    using client = await connect({ port: redis.port, tls, resp: 3 });
    const value = Uint8Array.from({ length: 5_000_000 }, (_, index) => index * 7);
    await client.command("SET", "key", value);
    const replies = await client.pipeline([["GET", "key"], ["DEL", "key"]]);
    assertEquals(replies[0].kind === "bulk" && replies[0].bytes, value);
    const counts = Array.from({ length: 5000 }, () => client.command("INCR", "counter"));
    assertEquals(plainValue((await Promise.all(counts)).at(-1)!), 5000);
    await client.command("DEL", "counter");
  }
});

testWithRedis("tools work over TLS", async (redis) => {
  const trusting = ["-p", `${redis.port}`, "--tls", "--cacert", redis.file("ca.crt")];
  const commands = Array.from({ length: 1000 }, (_, index) => `SET key:${index} value\r\n`);
  const piping = new FakeTerminal(commands.join(""));
  assertEquals(await runClient([...trusting, "--pipe"], piping), 0);
  assertMatch(piping.output, /errors: 0, replies: 1000\n$/);

  const scanning = new FakeTerminal();
  assertEquals(await runClient([...trusting, "--scan", "--pattern", "key:99?"], scanning), 0);
  assertEquals(scanning.output.split("\n").length, 11);

  const snapshot = redis.file("copy.rdb");
  assertEquals(await runClient([...trusting, "--rdb", snapshot], new FakeTerminal()), 0);
  assertEquals((await Deno.readTextFile(snapshot)).slice(0, 5), "REDIS");
});

testWithRedis("a server that goes", async (redis) => {
  const trusted = { authorities: [redis.text("ca.crt")] };
  for (const tls of [trusted, { insecure: true }]) {
    using killer = await connect({ port: redis.plainPort });
    using client = await connect({ port: redis.port, tls });
    const id = plainValue(await client.command("CLIENT", "ID"));
    const waiting = client.command("BLPOP", "none", 0);
    const rejected = assertRejects(() => waiting, ConnectionClosedError, "Server closed");
    while (plainValue(await killer.send("CLIENT", "KILL", "ID", `${id}`)) === 0);
    await rejected;
  }
});
