import { assertEquals } from "@std/assert";
import { systemAuthorities } from "../../src/runtime/authorities.ts";

Deno.test("the first file that is there counts", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const paths = ["a", "b", "c"].map((name) => `${folder}/${name}`);
    assertEquals(await systemAuthorities(paths), []);
    await Deno.writeTextFile(paths[2], "third");
    assertEquals(await systemAuthorities(paths), ["third"]);
    await Deno.writeTextFile(paths[1], "second");
    assertEquals(await systemAuthorities(paths), ["second"]);
    // What is no file can't be read, whatever the reason.
    await Deno.mkdir(paths[0]);
    assertEquals(await systemAuthorities(paths), ["second"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
