import { assert, assertEquals } from "@std/assert";
import { dotFilePath } from "../../../src/client/repl/dot_files.ts";
import { History } from "../../../src/client/repl/history.ts";
import { guessWords, holdsSecret } from "../../../src/client/repl/secrets.ts";

async function withFolder(use: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a line is there in the next session, and only once in a row", async () => {
  await withFolder((folder) => {
    const path = `${folder}/history`;
    const first = new History(path);
    for (const line of ["get a", "get a", "set 日本 1", "get a"]) first.add(line);
    const expected = ["get a", "set 日本 1", "get a"];
    assertEquals(first.lines, expected);
    assertEquals(new History(path).lines, expected);
    if (Deno.build.os !== "windows") assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
  });
});

Deno.test("sessions that go on at once keep what the others wrote", async () => {
  await withFolder((folder) => {
    const path = `${folder}/history`;
    const sessions = [new History(path), new History(path)];
    for (let line = 0; line < 10; line++) sessions[line % 2].add(`line ${line}`);
    const { lines } = new History(path);
    assertEquals(lines, Array.from({ length: 10 }, (_, line) => `line ${line}`));
  });
});

Deno.test("a file that others could read is closed to them", async () => {
  if (Deno.build.os === "windows") return;
  await withFolder((folder) => {
    const path = `${folder}/history`;
    Deno.writeTextFileSync(path, "old\n", { mode: 0o644 });
    new History(path).add("new");
    assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
    assertEquals(Deno.readTextFileSync(path), "old\nnew\n");
  });
});

Deno.test("a file that has become too long is shortened, bytes of any kind kept", async () => {
  await withFolder((folder) => {
    const path = `${folder}/history`;
    const lines = Array.from({ length: 3000 }, (_, index) => `line ${index}`);
    Deno.writeTextFileSync(path, lines.join("\n") + "\n\n");
    Deno.writeFileSync(path, Uint8Array.of(255, 10), { append: true });
    const { lines: read } = new History(path);
    assertEquals(read.slice(-2), ["line 2999", "\ufffd"]);
    const bytes = Deno.readFileSync(path);
    assertEquals(bytes.slice(-3), Uint8Array.of(10, 255, 10));
    assert(bytes.length < 15_000 && bytes.length > 9_000);
    assertEquals(new TextDecoder().decode(bytes).split("\n")[0], "line 2002");
  });
});

Deno.test("what can't be read or written leaves the history in memory", async () => {
  await withFolder((folder) => {
    for (const path of [folder, `${folder}/missing/history`, undefined]) {
      const history = new History(path);
      history.add("get a");
      assertEquals(history.lines, ["get a"]);
    }
    const broken = `${folder}/broken`;
    Deno.writeFileSync(broken, new Uint8Array(3 << 20));
    assertEquals(new History(broken).lines.length, 1);
  });
});

Deno.test({
  name: "what is no file is neither written to nor closed to others",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (folder) => {
      const path = `${folder}/pipe`;
      await new Deno.Command("mkfifo", { args: ["-m", "666", path] }).output();
      // Who reads and writes keeps others from waiting there.
      using _pipe = Deno.openSync(path, { read: true, write: true });
      const link = `${folder}/history`;
      await Deno.symlink(path, link);
      const history = new History(link);
      history.add("get a");
      assertEquals(history.lines, ["get a"]);
      assertEquals(Deno.statSync(path).mode! & 0o777, 0o666);
    }),
});

Deno.test("commands with secrets", () => {
  const secret = [
    "auth p",
    "AUTH u p",
    "acl SETUSER u >p",
    "config set requirepass p",
    "CONFIG SET maxmemory 1 MasterAuth p",
    "config set masteruser u",
    "config set tls-key-file-pass p",
    "hello 3 auth u p",
    "hello 3 setname n auth u p",
    "migrate h 1 k 0 1 auth p",
    "migrate h 1 k 0 1 copy replace auth2 u p",
    "SENTINEL SET m auth-pass p",
    "sentinel set m quorum 2 Auth-Pass p",
    "sentinel config set sentinel-pass p",
  ];
  const open = [
    "get auth",
    "acl getuser u",
    "config get requirepass",
    "config set maxmemory requirepass",
    "hello 3",
    "hello 3 setname auth",
    "migrate h 1 auth 0 1",
    'migrate h 1 "" 0 1 keys auth k',
    "sentinel set m quorum 2",
    "sentinel config get sentinel-pass",
    "sentinel set m auth-pass",
  ];
  const test = (line: string) => holdsSecret(line.split(" "));
  assertEquals(secret.filter((line) => !test(line)), []);
  assertEquals(open.filter(test), []);
  assertEquals(holdsSecret([]), false);
});

Deno.test("the words of a line whose quotes are out of order", () => {
  assert(holdsSecret(guessWords('  AUTH  "open sesame')));
  assert(holdsSecret(guessWords(`config set 'requirepass "p`)));
  assert(!holdsSecret(guessWords('set a "auth')));
  assert(!holdsSecret(guessWords('"')));
});

Deno.test("where the user's files are", () => {
  const path = (variables: Record<string, string>) =>
    dotFilePath({ environment: (name) => variables[name] }, "FILE", ".name");
  assertEquals(path({ HOME: "/home/u" }), "/home/u/.name");
  assertEquals(path({ USERPROFILE: "C:\\u" }), "C:\\u/.name");
  assertEquals(path({ HOME: "/home/u", FILE: "/else" }), "/else");
  assertEquals(path({ HOME: "/home/u", FILE: "" }), "/home/u/.name");
  assertEquals(path({ HOME: "/home/u", FILE: "/dev/null" }), undefined);
  assertEquals(path({}), undefined);
});
