import { assertEquals } from "@std/assert";
import { introduce } from "../../src/client/introduction.ts";
import { latin1Bytes } from "../../src/client/quoting.ts";
import { ErrorReply, SimpleReply } from "../../src/protocol/reply.ts";

const ALL = { username: "ann", password: "secret", database: 3, resp: 3 } as const;
const NOTHING = { username: undefined, password: undefined, database: 0, resp: undefined };

/** The commands of an introduction, and the line about the one that a server refuses. */
async function introduction(settings: Parameters<typeof introduce>[0], refused = "") {
  const commands: string[] = [];
  const refusal = await introduce(settings, (...words) => {
    commands.push(words.join(" "));
    const isRefused = words[0] === refused;
    return Promise.resolve(
      isRefused ? new ErrorReply(latin1Bytes("ERR no")) : new SimpleReply(latin1Bytes("OK")),
    );
  });
  return { commands, refusal };
}

Deno.test("only what a connection doesn't have by itself is asked for", async () => {
  assertEquals(await introduction(NOTHING), { commands: [], refusal: undefined });
  assertEquals(await introduction({ ...NOTHING, resp: 2 }), { commands: [], refusal: undefined });
  const { commands } = await introduction({ ...NOTHING, password: "secret" });
  assertEquals(commands, ["AUTH secret"]);
  // A user without a password is nobody.
  assertEquals((await introduction({ ...NOTHING, username: "ann" })).commands, []);
});

Deno.test("an introduction ends with the first step that is refused", async () => {
  const all = ["AUTH ann secret", "SELECT 3", "HELLO 3"];
  assertEquals(await introduction(ALL), { commands: all, refusal: undefined });
  const titles = ["AUTH", "SELECT 3", "HELLO 3"];
  for (const [index, refused] of ["AUTH", "SELECT", "HELLO"].entries()) {
    assertEquals(await introduction(ALL, refused), {
      commands: all.slice(0, index + 1),
      refusal: `${titles[index]} failed: ERR no`,
    });
  }
});
