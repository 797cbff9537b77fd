/**
 * DEBUG PROTOCOL: one reply of each type, for those who test a client.
 *
 * @module
 */
import type { ReplyWriter } from "../protocol/reply_writer.ts";

const BIG_NUMBER = "1234567999999999999999999999999999999";
const encoder = new TextEncoder();

/** Replies with Redis' test value of the type that `name` names, in any case. */
export function replyTestValue(reply: ReplyWriter, name: string): void {
  const write = WRITERS.get(name.toLowerCase());
  if (write !== undefined) return write(reply);
  reply.error(
    "ERR Wrong protocol type name. Please use one of the following: " +
      [...WRITERS.keys()].join("|"),
  );
}

const WRITERS: ReadonlyMap<string, (reply: ReplyWriter) => void> = new Map([
  ["string", (reply: ReplyWriter) => reply.bulk("Hello World")],
  ["integer", (reply) => reply.integer(12345)],
  ["double", double],
  ["bignum", bigNumber],
  ["null", (reply) => reply.nullBulk()],
  ["array", (reply) => {
    reply.array(3);
    for (let number = 0; number < 3; number++) reply.integer(number);
  }],
  ["set", (reply) => {
    reply.set(3);
    for (let number = 0; number < 3; number++) reply.integer(number);
  }],
  ["map", (reply) => {
    reply.map(3);
    for (let number = 0; number < 3; number++) {
      reply.integer(number);
      reply.boolean(number === 1);
    }
  }],
  ["attrib", attribute],
  ["push", push],
  ["verbatim", (reply) => reply.verbatim("txt", "This is a verbatim\nstring")],
  ["true", (reply) => reply.boolean(true)],
  ["false", (reply) => reply.boolean(false)],
]);

/** Redis writes this one with the digits it was given, not with the 17 that a double takes. */
function double(reply: ReplyWriter): void {
  if (reply.resp === 3) raw(reply, ",3.141\r\n");
  else reply.bulk("3.141");
}

function bigNumber(reply: ReplyWriter): void {
  if (reply.resp === 3) raw(reply, `(${BIG_NUMBER}\r\n`);
  else reply.bulk(BIG_NUMBER);
}

/** A remark that goes before a reply; clients of RESP2 get the reply alone. */
function attribute(reply: ReplyWriter): void {
  if (reply.resp === 3) {
    raw(reply, "|1\r\n");
    reply.bulk("key-popularity");
    reply.array(2);
    reply.bulk("key:123");
    reply.integer(90);
  }
  reply.bulk("Some real reply following the attribute");
}

function push(reply: ReplyWriter): void {
  if (reply.resp === 2) return reply.error("ERR RESP2 is not supported by this command");
  reply.push(2);
  reply.bulk("server-cpu-usage");
  reply.integer(42);
  reply.bulk("Some real reply following the push reply");
}

function raw(reply: ReplyWriter, text: string): void {
  reply.raw(encoder.encode(text));
}
