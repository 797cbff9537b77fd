import { assertEquals, assertRejects } from "@std/assert";
import { connectFrom } from "../../src/runtime/bound_socket.ts";
import { testUnless } from "../support/test_where.ts";

const obstacle = Deno.build.os === "linux" ? undefined : "a machine has one loopback address here";

testUnless(
  obstacle,
  "a connection comes from the address that was chosen, and carries bytes both ways",
  async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const near = (await connectFrom("127.0.0.2", "127.0.0.1", port))!;
    const far = await listener.accept();
    assertEquals(far.remoteAddr.hostname, "127.0.0.2");
    assertEquals(near.local.split(":")[0], "127.0.0.2");
    assertEquals(near.remote, `127.0.0.1:${port}`);
    assertEquals(near.fromLoopback, true);
    await far.write(new TextEncoder().encode("hello"));
    const room = new Uint8Array(3);
    assertEquals(await near.read(room), 3);
    assertEquals(new TextDecoder().decode(room), "hel");
    assertEquals(await near.read(room), 2);
    assertEquals(await near.write(new TextEncoder().encode("world")), 5);
    const heard = new Uint8Array(10);
    assertEquals(await far.read(heard), 5);
    far.close();
    assertEquals(await near.read(room), null);
    near.close();
    await assertRejects(() => near.read(room), Deno.errors.BadResource);
  },
);

Deno.test("who isn't there can't be reached, and what is no address of the machine can't be connected from", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  for (const source of ["203.0.113.7", "nonsense", "::1"]) {
    assertEquals(await connectFrom(source, "127.0.0.1", listener.addr.port), null);
  }
  await assertRejects(() => connectFrom("127.0.0.2", "127.0.0.1", 1), Error);
});

testUnless(obstacle, "a read that waits ends when the connection is closed", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const near = (await connectFrom("127.0.0.2", "127.0.0.1", listener.addr.port))!;
  using _far = await listener.accept();
  const reading = assertRejects(() => near.read(new Uint8Array(1)), Deno.errors.BadResource);
  near.close();
  await reading;
});
