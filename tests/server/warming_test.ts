import { assertEquals } from "@std/assert";
import { warmUp } from "../../src/server/warming.ts";

Deno.test("what warms the runtime up are commands as they should be, and nothing of it stays", async () => {
  assertEquals(await warmUp(), 0);
});
