import { assertEquals, assertRejects } from "@std/assert";
import { Peer, PeerError } from "../../src/replication/peer.ts";
import { receiveSnapshot } from "../../src/replication/snapshot_receiver.ts";
import type { Connection } from "../../src/runtime/sockets.ts";

const MARK = "m".repeat(40);

/** A connection from which `text` comes in pieces of so many bytes, and then its end. */
function coming(text: string, pieceBytes: number): Connection {
  const bytes = new TextEncoder().encode(text);
  let from = 0;
  return {
    remote: "",
    local: "",
    fromLoopback: true,
    read(room): Promise<number | null> {
      const piece = bytes.subarray(from, from + Math.min(pieceBytes, room.length));
      room.set(piece);
      from += piece.length;
      return Promise.resolve(piece.length === 0 ? null : piece.length);
    },
    write: (written) => Promise.resolve(written.length),
    close: () => {},
  };
}

/** What is received of `text`, and what comes behind it. */
async function receive(text: string, pieceBytes: number): Promise<[string, string, number]> {
  const peer = new Peer(coming(text, pieceBytes), () => {});
  let received = "";
  let announced = 0;
  await receiveSnapshot(peer, {
    begins: (bytes) => announced = bytes,
    receive: (bytes) => received += new TextDecoder().decode(bytes),
  });
  return [received, new TextDecoder().decode(peer.rest), announced];
}

Deno.test("a snapshot of known length comes in any pieces, and what is behind it stays", async () => {
  for (let piece = 1; piece < 30; piece++) {
    assertEquals(await receive("\n\n$12\r\nall of it ok*1\r\n", piece), [
      "all of it ok",
      piece === 1 ? "" : "*1\r\n".slice(0, await restOf(piece)),
      12,
    ]);
  }
});

/** How much of what stands behind 12 bytes that 7 come before has come with them, in pieces of so many bytes. */
function restOf(piece: number): Promise<number> {
  const head = Math.ceil(7 / piece) * piece;
  return Promise.resolve(head >= 19 ? Math.min(4, head - 19) : 0);
}

Deno.test("a snapshot with a mark behind it comes in any pieces", async () => {
  const body = "text with mmm and " + "m".repeat(39) + "n in it";
  for (let piece = 1; piece < 120; piece++) {
    assertEquals(await receive(`$EOF:${MARK}\r\n${body}${MARK}`, piece), [body, "", -1]);
  }
});

Deno.test("what is no snapshot, or ends too early, is refused", async () => {
  const faults: readonly (readonly [string, RegExp])[] = [
    ["-ERR no\r\n", /MASTER aborted replication with an error: ERR no/],
    ["+OK\r\n", /Bad protocol from MASTER/],
    ["$-1\r\n", /Bad protocol from MASTER/],
    ["$EOF:short\r\n", /Bad protocol from MASTER/],
    ["$99999999999999999999\r\n", /Bad protocol from MASTER/],
    ["$12\r\nnot all", /connection lost/],
    [`$EOF:${MARK}\r\nnot all`, /connection lost/],
    ["x".repeat(3000), /no line of this protocol/],
  ];
  for (const [text, message] of faults) {
    const error = await assertRejects(() => receive(text, 7), PeerError);
    assertEquals(message.test(error.message), true, error.message);
  }
});
