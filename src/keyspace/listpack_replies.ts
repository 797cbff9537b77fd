/**
 * Elements of listpacks as replies.
 *
 * @module
 */
import type { ReadonlyView } from "../memory/arena.ts";
import {
  elementBytes,
  integerHighAt,
  integerLowAt,
  isIntegerAt,
  stringLengthAt,
  stringStartAt,
} from "../memory/listpack_element.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";

/** Replies with the element at `at`, as a bulk string. */
export function replyListpackElement(reply: ReplyWriter, view: ReadonlyView, at: number): void {
  if (isIntegerAt(view, at)) {
    const low = integerLowAt(view, at);
    reply.bulkInteger64(integerHighAt(view, at, low), low);
  } else reply.bulkView(view, stringStartAt(view, at), stringLengthAt(view, at));
}

/**
 * Replies with up to `count` elements from `at` on, of a listpack whose last byte is at `end`; returns how many of
 * `count` are left.
 */
export function replyListpackElements(
  reply: ReplyWriter,
  view: ReadonlyView,
  at: number,
  end: number,
  count: number,
): number {
  while (count > 0 && at < end) {
    const byte = view.getUint8(at);
    // Most elements are strings of up to 63 bytes.
    if (byte >= 0x80 && byte < 0xc0) {
      const length = byte & 63;
      reply.bulkView(view, at + 1, length);
      at += length + 2;
    } else {
      replyListpackElement(reply, view, at);
      at += elementBytes(view, at);
    }
    count--;
  }
  return count;
}
