import { assertEquals } from "@std/assert";
import {
  ArrayReply,
  AttributedReply,
  BooleanReply,
  BulkReply,
  DoubleReply,
  ErrorReply,
  IntegerReply,
  MapReply,
  NullReply,
  plainValue,
  PushReply,
  SetReply,
  SimpleReply,
  textOf,
} from "../../src/protocol/reply.ts";

const encoder = new TextEncoder();
const bulk = (text: string) => new BulkReply(encoder.encode(text));

Deno.test("text of scalars; none of null and of aggregates", () => {
  assertEquals(textOf(new SimpleReply(encoder.encode("OK"))), "OK");
  assertEquals(textOf(bulk("語 and more than sixteen bytes")), "語 and more than sixteen bytes");
  assertEquals(textOf(bulk("\ufeffé")), "\ufeffé");
  assertEquals(textOf(new IntegerReply(12n)), "12");
  assertEquals(textOf(new DoubleReply(0.1, "0.10000000000000001")), "0.10000000000000001");
  assertEquals(textOf(new BooleanReply(false)), "false");
  assertEquals(textOf(new NullReply()), undefined);
  assertEquals(textOf(new ArrayReply([])), undefined);
  assertEquals(textOf(new AttributedReply(new MapReply([]), bulk("a"))), "a");
});

Deno.test("an error's code is its first word", () => {
  assertEquals(new ErrorReply(encoder.encode("WRONGTYPE Operation against")).code(), "WRONGTYPE");
  assertEquals(new ErrorReply(encoder.encode("ERR")).code(), "ERR");
});

Deno.test("a push message's topic is its first element", () => {
  assertEquals(new PushReply([bulk("message"), bulk("a")]).topic(), "message");
  assertEquals(new PushReply([]).topic(), "");
});

Deno.test("plain values", () => {
  const reply = new ArrayReply([
    bulk("a"),
    new NullReply("bulk"),
    new IntegerReply(2),
    new SetReply([bulk("b")]),
    new MapReply([bulk("k"), new DoubleReply(1.5, "1.5")]),
  ]);
  assertEquals(plainValue(reply), [
    "a",
    null,
    2,
    new Set(["b"]),
    new Map([["k", 1.5]]),
  ]);
  const error = plainValue(new ErrorReply(encoder.encode("ERR x")));
  assertEquals(error instanceof Error && error.message, "ERR x");
});
