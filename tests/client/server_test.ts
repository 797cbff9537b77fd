/** The client and the server of this project, talking to each other. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { runClient } from "../../src/client/cli.ts";
import { connect, plainValue, ReplyError } from "../../src/client/mod.ts";
import { FakeTerminal } from "./fake_terminal.ts";
import { withServer } from "./own_server.ts";

Deno.test("values of any bytes and of many pieces come back, in both protocols", async () => {
  await withServer(async (port) => {
    for (const resp of [2, 3] as const) {
      using client = await connect({ port, resp, database: 1, clientName: "tester" });
      const value = Uint8Array.from({ length: 300_000 }, (_, index) => index * 7);
      await client.command("SET", "key", value);
      const reply = await client.command("GET", "key");
      assert(reply.kind === "bulk");
      assertEquals(reply.bytes, value);
      const missing = await client.command("GET", "missing");
      assert(missing.kind === "null");
      assertEquals(missing.form, resp === 2 ? "bulk" : "null");
      assertEquals((await client.command("HELLO")).kind, resp === 2 ? "array" : "map");
      await assertRejects(() => client.command("SET", "key"), ReplyError, "wrong number");
    }
  });
});

Deno.test("many commands without waiting", async () => {
  await withServer(async (port) => {
    using client = await connect({ port });
    const replies = [];
    for (let index = 0; index < 5000; index++) {
      replies.push(client.command("INCRBY", "counter", index));
      if (index % 500 === 0) await client.ready();
    }
    await Promise.all(replies);
    assertEquals(plainValue(await replies.at(-1)!), 12_497_500);
  });
});

Deno.test("the command line client at the server", async () => {
  await withServer(async (port) => {
    const terminal = new FakeTerminal('set "a b" \'it\\\'s\'\nget "a b"\nselect 1\nget x\nnope\n');
    assertEquals(await runClient(["-p", `${port}`, "-3", "--no-raw"], terminal), 0);
    assertEquals(
      terminal.output,
      "OK\n\"it's\"\nOK\n(nil)\n(error) ERR unknown command 'nope', with args beginning with: \n",
    );
    assertEquals(terminal.errors, []);
  });
});
