import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Workshop } from "./workshop.ts";

const TIME = Date.UTC(1999, 11, 31) / 1000;

Deno.test("the sources are copied, all with the same time, and removed at the end", async () => {
  const fetched: string[] = [];
  let folder: string;
  {
    using workshop = await Workshop.open(TIME, (sources, cache) => {
      Deno.mkdirSync(`${cache}/npm`, { recursive: true });
      fetched.push(sources);
      return Promise.resolve();
    });
    folder = workshop.sources;
    assertEquals(fetched, [folder]);
    for (const name of ["main.ts", "deno.json", "src/deno.lock", "src/runtime/files.ts", "src"]) {
      assertEquals(Deno.statSync(`${folder}/${name}`).mtime?.getTime(), TIME * 1000, name);
    }
    assertEquals(
      Deno.readTextFileSync(`${folder}/main.ts`),
      Deno.readTextFileSync(new URL("../../main.ts", import.meta.url)),
    );
  }
  assertThrows(() => Deno.statSync(folder), Deno.errors.NotFound);
});

Deno.test("where the packages can't be fetched, nothing is left", async () => {
  let folder = "";
  const fetch = (sources: string): Promise<void> => {
    folder = sources;
    return Promise.reject(new Error("no network"));
  };
  await assertRejects(() => Workshop.open(TIME, fetch), Error, "no network");
  assertThrows(() => Deno.statSync(folder), Deno.errors.NotFound);
});
