import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { compilationArguments, environmentFor, reasonIn } from "./compilation.ts";
import { TARGETS } from "./targets.ts";

Deno.test("downloads are compiled like `make build`, for their target", () => {
  const task = config.tasks.build.command;
  const [verb, option, target, ...rest] = compilationArguments(task, "some-target", "there");
  assertEquals([verb, option, target], ["compile", "--target", "some-target"]);
  assertEquals(["deno", verb, ...rest].join(" "), task.replace("bin/miniredis", "there"));
});

Deno.test("a task that can't be taken apart is refused", () => {
  for (
    const task of ["deno run main.ts", "deno compile main.ts", "deno compile --output 'a b' m"]
  ) {
    assertThrows(() => compilationArguments(task, "some-target", "there"), Error, "no plain call");
  }
});

Deno.test("a runtime from elsewhere counts for its own target only", () => {
  const variables = { DENORT_BIN: Deno.execPath(), HOME: "somewhere" };
  for (const target of TARGETS) {
    const isOwn = target.name === Deno.build.target;
    assertEquals(environmentFor(target, variables), isOwn ? variables : { HOME: "somewhere" });
  }
  const missing = { DENORT_BIN: `${Deno.execPath()}-that-is-not-there` };
  assertEquals(environmentFor(TARGETS[0], missing), {});
});

Deno.test("why a compiler failed is one line", () => {
  const offline = `Download https://example.org/denort-x.zip
error: Writing deno compile executable to temporary file '/tmp/m.tmp'

Caused by:
    0: Setting up base binary.
    1: error sending request for url (https://example.org/denort-x.zip): client error (Connect)
    2: failed to lookup address information

Stack backtrace:
   0: <unknown>
   1: main
`;
  assertEquals(
    reasonIn(offline),
    "the runtime for it can't be downloaded: failed to lookup address information",
  );
  assertEquals(
    reasonIn('error: Module not found "file:///a.ts".\n'),
    'Module not found "file:///a.ts".',
  );
  assertEquals(reasonIn(""), "the compiler failed and said nothing");
});

/** Runs the program that makes the downloads. */
async function runDist(...args: readonly string[]) {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", new URL("dist.ts", import.meta.url).href, ...args],
  }).output();
  return { code, errors: new TextDecoder().decode(stderr) };
}

Deno.test("a command line that makes no sense ends with one line and 2", async () => {
  for (const args of [["sparc-sun-solaris"], ["--limit", "soon"], ["--frobnicate"]]) {
    const { code, errors } = await runDist(...args);
    assertEquals(code, 2);
    assertMatch(errors, /^[^\n]+\n$/);
  }
});

Deno.test("a target that takes too long is named, and the exit code is 1", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const args = ["aarch64-apple-darwin", "--limit", "0.001", "--out", folder];
    const { code, errors } = await runDist(...args);
    assertEquals(code, 1);
    assertEquals(errors, "Not made: aarch64-apple-darwin: not done within 0.001 s\n");
    assertEquals(Deno.readTextFileSync(`${folder}/SHA256SUMS`), "");
    assert([...Deno.readDirSync(folder)].length === 1);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
