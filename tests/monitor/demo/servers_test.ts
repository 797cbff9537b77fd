import { assertEquals, assertStringIncludes } from "@std/assert";
import { connect, ConnectError, plainValue } from "../../../src/client/mod.ts";
import { splitAddress } from "../../../src/runtime/addresses.ts";
import { DemoLoad } from "../../../src/monitor/demo/load.ts";
import { DemoServers } from "../../../src/monitor/demo/servers.ts";

/** Asks a server one thing. */
async function ask(address: string, ...command: [string, ...string[]]): Promise<unknown> {
  using client = await connect({ port: splitAddress(address).port });
  return plainValue(await client.command(...command));
}

/** Asks until the answer is the one that is waited for. */
async function askUntil(
  address: string,
  wanted: unknown,
  ...command: [string, ...string[]]
): Promise<void> {
  while (await ask(address, ...command) !== wanted) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Asks until nobody listens. */
async function untilGone(address: string): Promise<void> {
  for (;;) {
    try {
      await ask(address, "PING");
    } catch (error) {
      if (error instanceof ConnectError) return;
    }
  }
}

Deno.test("servers of a demo are killed, and come back with what they had", async () => {
  let master = "";
  const servers = new DemoServers(() => master);
  try {
    await servers.add(0, "");
    const [first] = servers.addresses;
    await servers.add(0, first);
    const [, second] = servers.addresses;
    master = first;
    assertEquals(servers.nodes(), [
      { address: first, running: true },
      { address: second, running: true },
    ]);
    await ask(first, "SET", "greeting", "hello");
    await askUntil(second, "hello", "GET", "greeting");

    assertEquals(servers.kill(String(splitAddress(first).port)), undefined);
    assertEquals(servers.nodes()[0].running, false);
    await untilGone(first);
    assertEquals(servers.kill(first), `${first} doesn't run.`);
    assertEquals(await servers.start(second), `${second} runs already.`);
    assertStringIncludes(servers.kill("7") ?? "", "There is no server '7'");

    assertEquals(await servers.start(first), undefined);
    assertEquals(await ask(first, "GET", "greeting"), "hello");
    servers.kill(second);
    assertEquals(await servers.start(second), undefined);
    assertEquals((await ask(second, "ROLE") as unknown[])[0], "slave");
  } finally {
    await servers.stop();
  }
});

Deno.test("the load of a demo reads, writes, and connects again", async () => {
  const servers = new DemoServers(() => "");
  await servers.add(0, "");
  const [address] = servers.addresses;
  const load = new DemoLoad(splitAddress(address).port);
  try {
    const more = async (count: number) => {
      const wanted = load.totals.answered + count;
      while (load.totals.answered < wanted) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await more(100);
    assertEquals(load.totals.lostConnections, 0);
    servers.kill(address);
    await servers.start(address);
    await more(100);
    assertEquals(load.totals.lostConnections > 0, true);
    assertEquals(load.totals.errors, {});
  } finally {
    await load.stop();
    await servers.stop();
  }
});
