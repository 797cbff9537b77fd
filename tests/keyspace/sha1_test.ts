import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { Sha1, SHA1_BYTES } from "../../src/keyspace/sha1.ts";

Deno.test("SHA-1 is the platform's, for texts around the lengths of its blocks", () => {
  const sha1 = new Sha1();
  for (const length of [0, 1, 3, 20, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000, 100_000]) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 31 + length) & 0xff);
    const out = new Uint8Array(SHA1_BYTES);
    sha1.hash(bytes, out);
    const expected = createHash("sha1").update(bytes).digest();
    assertEquals([...out], [...expected], `${length} bytes`);
  }
});
