import { assertEquals } from "@std/assert";
import { startMemoryServer } from "../support/memory_server.ts";
import { startSideBySide } from "../support/side_by_side.ts";

Deno.test("DEBUG: what it answers without looking inside is what Redis answers", async () => {
  await using servers = await startSideBySide(21);
  if (servers === undefined) return;
  // deno-fmt-ignore
  const types = [
    "string", "integer", "double", "bignum", "null", "array", "set", "map", "push", "verbatim", "true",
    "FALSE", "nosuch",
  ];
  for (const version of ["3", "2"]) {
    await servers.both("HELLO", version);
    for (const type of types) {
      // An out-of-band message isn't a reply, so that nobody would wait for it here.
      if (version === "2" || type !== "push") await servers.same("DEBUG", "PROTOCOL", type);
    }
  }
  await servers.same("DEBUG", "PROTOCOL", "attrib");
  for (const text of ["FOO bar", "", "-x", "a\r\nb"]) await servers.same("DEBUG", "ERROR", text);
  await servers.same("DEBUG", "LOG", "something");
  // deno-fmt-ignore
  const wrong = [
    "", "NOSUCH", "JMAP", "SLEEP", "SLEEP 0 0", "OBJECT", "OBJECT none", "OBJECT a b", "SET-ACTIVE-EXPIRE",
    "HELP x", "LOG", "ERROR a b",
  ];
  for (const line of wrong) await servers.same("DEBUG", ...line.split(" "));
  for (const line of ["SLEEP 0", "SLEEP x", "SLEEP -1", "SET-ACTIVE-EXPIRE x"]) {
    await servers.same("DEBUG", ...line.split(" "));
  }
});

Deno.test("DEBUG LOG writes a line to the log", async () => {
  await using machine = await startMemoryServer(22);
  const connection = await machine.connect();
  await connection.ask("DEBUG", "LOG", "here I am");
  assertEquals(machine.log.at(-1)!.endsWith("# DEBUG LOG: here I am"), true, machine.log.at(-1));
});
