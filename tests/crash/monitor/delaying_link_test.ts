import { assertEquals } from "@std/assert";
import { freePort } from "../../support/ports.ts";
import { DelayingLink } from "./delaying_link.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Answers whatever it is sent with the same, until the connection ends. */
async function echo(listener: Deno.TcpListener): Promise<void> {
  for await (const connection of listener) {
    connection.readable.pipeTo(connection.writable).catch(() => {});
  }
}

async function exchange(connection: Deno.TcpConn, text: string): Promise<string> {
  await connection.write(encoder.encode(text));
  const buffer = new Uint8Array(1024);
  let answer = "";
  while (answer.length < text.length) {
    const size = await connection.read(buffer);
    if (size === null) break;
    answer += decoder.decode(buffer.subarray(0, size));
  }
  return answer;
}

Deno.test("what a replica is told is held, and nothing else is", async () => {
  const master = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const echoing = echo(master);
  const link = new DelayingLink(freePort(), master.addr.port);
  link.delaysMs.fill(1);
  using client = await Deno.connect({ hostname: "127.0.0.1", port: link.port });
  assertEquals(await exchange(client, "PING\r\n"), "PING\r\n");
  assertEquals(link.heldBytes, 0);
  using replica = await Deno.connect({ hostname: "127.0.0.1", port: link.port });
  const request = "*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n";
  assertEquals(await exchange(replica, request), request);
  assertEquals(await exchange(replica, "more"), "more");
  assertEquals(link.heldBytes, request.length + "more".length);
  link.close();
  master.close();
  await echoing.catch(() => {});
});
