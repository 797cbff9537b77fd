import { latin1Bytes } from "../../../src/client/quoting.ts";
import type { Reply } from "../../../src/protocol/reply.ts";
import { ReplyReader } from "../../../src/protocol/reply_reader.ts";

/** A reply from what is on the wire, a character for each byte, with `;` for each line's end. */
export function parse(wire: string): Reply {
  const reader = new ReplyReader();
  reader.push(latin1Bytes(wire.replaceAll(";", "\r\n")));
  return reader.next()!;
}
