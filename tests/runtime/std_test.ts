import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parseArgs, promptSecret } from "@std/cli";
import { TextLineStream, toText } from "@std/streams";
import { levenshteinDistance } from "@std/text";

Deno.test("what the types of @std promise is there", async () => {
  const error: RangeError = assertThrows(() => new Array(-1), RangeError);
  assertEquals(error instanceof RangeError, true);
  const rejected: TypeError = await assertRejects(
    () => Promise.reject(new TypeError("mistaken")),
    TypeError,
    "mistaken",
  );
  assertEquals(rejected.message, "mistaken");

  assertEquals(parseArgs(["--name", "value", "rest"]), { name: "value", _: ["rest"] });
  // A test has no terminal to ask at, and a secret is asked for nowhere else.
  assertEquals(typeof promptSecret, "function");

  const lines = ReadableStream.from(["one\r\ntw", "o\nthree"]).pipeThrough(new TextLineStream());
  assertEquals(await Array.fromAsync(lines), ["one", "two", "three"]);
  assertEquals(await toText(ReadableStream.from(["a", "b"])), "ab");

  assertEquals(levenshteinDistance("port", "prot"), 2);
});
