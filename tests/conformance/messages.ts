/**
 * Published messages among the replies of a client that speaks RESP3: where they stand.
 *
 * @module
 */

import { latin1Text } from "../../src/client/quoting.ts";
import { ReplySkipper } from "../../src/protocol/reply_skipper.ts";

const PUSH = 0x3e;
const PUBLISHED = /^>\d\r\n\$\d\r\n[ps]?message\r\n/;
/** A message's kind stands within so many bytes. */
const KIND_BYTES = 20;

/** Whether what stands there is a push that says what somebody has published. */
export function isPublished(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] !== PUSH) return false;
  return PUBLISHED.test(latin1Text(bytes.subarray(start, Math.min(end, start + KIND_BYTES))));
}

/** Takes the messages before a reply off it: those, and the reply. */
export function splitMessages(
  bytes: Uint8Array,
): { readonly messages: readonly string[]; readonly reply: Uint8Array } {
  const messages: string[] = [];
  let start = 0;
  for (;;) {
    const end = new ReplySkipper().skip(bytes, start, bytes.length);
    if (!isPublished(bytes, start, end)) return { messages, reply: bytes.subarray(start) };
    messages.push(latin1Text(bytes.subarray(start, end)));
    start = end;
  }
}
