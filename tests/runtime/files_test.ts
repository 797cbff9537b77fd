import { assertEquals } from "@std/assert";
import { systemReason } from "../../src/runtime/files.ts";

Deno.test("why something failed, without what only the runtime's users understand", () => {
  const missing = new Deno.errors.NotFound("No such file or directory (os error 2): open 'x'");
  assertEquals(systemReason(missing), "No such file or directory");
  const kept = new Deno.errors.NotCapable('Requires all access to "/dev/x", run again with --y');
  assertEquals(systemReason(kept), "Not open to this program");
  assertEquals(systemReason("odd"), "odd");
});
