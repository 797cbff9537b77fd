import { assertEquals } from "@std/assert";
import type { Completion } from "../../../src/client/repl/completion_list.ts";
import { LineEditor } from "../../../src/client/repl/line_editor.ts";
import { VirtualTerminal } from "./virtual_terminal.ts";

interface Setup {
  columns?: number;
  rows?: number;
  history?: string[];
  hint?: (line: string) => string;
  complete?: (line: string) => Promise<Completion>;
}

/** An editor at a terminal; it is closed at the end of the block. */
function open(setup: Setup = {}) {
  const terminal = new VirtualTerminal(setup.columns, setup.rows);
  let interrupts = 0;
  const editor = new LineEditor(terminal, {
    history: () => setup.history ?? [],
    hint: setup.hint ?? (() => ""),
    complete: setup.complete ?? ((line) => Promise.resolve({ start: line.length, candidates: [] })),
    onInterrupt: () => interrupts++,
    hintStyle: "\x1b[90m",
  });
  return {
    terminal,
    editor,
    screen: terminal.screen,
    interrupts: () => interrupts,
    read: () => editor.readLine(() => "> "),
    /** Presses keys in the next line, and gives it. */
    async type(keys: string): Promise<string | undefined> {
      const line = editor.readLine(() => "> ");
      terminal.press(keys);
      return await line;
    },
    /** Presses keys, and waits until they were read. */
    async press(keys: string): Promise<void> {
      terminal.press(keys);
      await new Promise((resolve) => setTimeout(resolve, 0));
    },
    [Symbol.dispose]: () => editor.close(),
  };
}

Deno.test("a line is what was typed, edited with the keys of Emacs and arrows", async () => {
  using editor = open();
  assertEquals(await editor.type("get a\r"), "get a");
  assertEquals(await editor.type("et\x01g\x05 x\r"), "get x");
  assertEquals(await editor.type("get abc\x1b[D\x1b[D\x7fX\r"), "get Xbc");
  assertEquals(await editor.type("one two three\x17\x17four\r"), "one four");
  assertEquals(await editor.type("abc\x1b[H\x1b[3~\x1b[F!\r"), "bc!");
  assertEquals(await editor.type("kept gone\x1b[1;5D\x0b\r"), "kept ");
  assertEquals(await editor.type("gone\x15kept\r"), "kept");
  assertEquals(await editor.type("日本é\x1b[D\x7f👍\r"), "日👍é");
  assertEquals(await editor.type("a\x1ab\r"), "ab", "Ctrl-Z is nothing");
});

Deno.test("what was typed ahead is read next", async () => {
  using editor = open();
  assertEquals(await editor.type("a\rb\rc"), "a");
  assertEquals(await editor.read(), "b");
  assertEquals(await editor.type("d\r"), "cd");
  assertEquals(editor.screen.text, "> a\n> b\n> cd");
});

Deno.test("Ctrl-D on an empty line and Ctrl-C end it, else Ctrl-D deletes", async () => {
  for (const keys of ["\x04", "\x03", "half\x03", "ab\x01\x04\x04\x04"]) {
    using editor = open();
    assertEquals(await editor.type(keys), undefined);
    assertEquals(await editor.read(), undefined);
  }
  using editor = open();
  const line = editor.read();
  editor.terminal.hangUp();
  assertEquals(await line, undefined);
});

Deno.test("Ctrl-C while no line is read is told, and takes back what was typed ahead", async () => {
  using editor = open();
  await editor.press("typed ahead\r\x03");
  assertEquals(editor.interrupts(), 1);
  assertEquals(await editor.type("x\r"), "x");
  assertEquals(editor.terminal.interrupt(), true);
  assertEquals(editor.interrupts(), 2);
});

Deno.test("a hint is shown behind the line, as far as there is room, and not elsewhere", async () => {
  using editor = open({ columns: 20, hint: (line) => line === "set" ? " key value [NX|XX]" : "" });
  const line = editor.read();
  await editor.press("set");
  assertEquals(editor.screen.text, "> set key value [NX");
  assertEquals(editor.screen.styled("90"), " key value [NX");
  assertEquals(editor.screen.cursor, [0, 5]);
  await editor.press("\x1b[D");
  assertEquals(editor.screen.text, "> set");
  await editor.press("\x1b[C\r");
  assertEquals(await line, "set");
  assertEquals(editor.screen.text, "> set");
});

Deno.test("a line longer than the window wraps, and can be edited there", async () => {
  using editor = open({ columns: 10 });
  const line = editor.read();
  await editor.press("abcdefgh");
  assertEquals(editor.screen.cursor, [1, 0]);
  await editor.press("ijklmnopqrs");
  assertEquals(editor.screen.text, "> abcdefgh\nijklmnopqr\ns");
  await editor.press("\x01X");
  assertEquals(editor.screen.text, "> Xabcdefg\nhijklmnopq\nrs");
  assertEquals(editor.screen.cursor, [0, 3]);
  await editor.press("\x0b");
  assertEquals(editor.screen.text, "> X");
  await editor.press("\x15" + "a".repeat(7) + "日b");
  assertEquals(editor.screen.text, "> aaaaaaa\n日b");
  await editor.press("\r");
  assertEquals(await line, "aaaaaaa日b");
  assertEquals(editor.screen.cursor, [2, 0]);
});

Deno.test("a line longer than the window is high is shown around the cursor", async () => {
  using editor = open({ columns: 10, rows: 4 });
  const line = editor.read();
  await editor.press("x".repeat(200) + "end");
  assertEquals(editor.screen.text.includes("> …"), true);
  assertEquals(editor.screen.text.endsWith("end"), true);
  assertEquals(editor.screen.text.split("\n").length <= 4, true);
  await editor.press("\x01start");
  assertEquals(editor.screen.text.startsWith("> start"), true);
  assertEquals(editor.screen.text.endsWith("…"), true);
  await editor.press("\r");
  assertEquals((await line)?.length, 208);
});

Deno.test("another width: the line is drawn once, in its place", async () => {
  using editor = open({ columns: 20 });
  editor.editor.interject(() => editor.terminal.write(new TextEncoder().encode("before\n")));
  const line = editor.read();
  await editor.press("abcdefghijklmnopqrstuvwxyz");
  editor.terminal.resize(10);
  await editor.press("\x1b[D\x1b[C");
  assertEquals(editor.screen.text, "before\n> abcdefgh\nijklmnopqr\nstuvwxyz");
  assertEquals(editor.screen.cursor, [3, 8]);
  editor.terminal.resize(40);
  await editor.terminal.drawn();
  assertEquals(editor.screen.text, "before\n> abcdefghijklmnopqrstuvwxyz");
  await editor.press("!\r");
  assertEquals(await line, "abcdefghijklmnopqrstuvwxyz!");
});

Deno.test("a program that was stopped draws its line below what others wrote", async () => {
  using editor = open({ columns: 10 });
  const line = editor.read();
  await editor.press("abcdefghijkl");
  editor.terminal.interlude("others");
  assertEquals(editor.screen.text, "> abcdefgh\nijkl\nothers\n> abcdefgh\nijkl");
  await editor.press("\r");
  assertEquals(await line, "abcdefghijkl");
});

Deno.test("lines that come while one is typed stand above it", async () => {
  using editor = open({ columns: 10 });
  const line = editor.read();
  await editor.press("abcdefghijkl\x1b[D");
  editor.editor.interject(() => editor.terminal.writeError("a message that is long"));
  assertEquals(editor.screen.text, "a message\nthat is lo\nng\n> abcdefgh\nijkl");
  assertEquals(editor.screen.cursor, [4, 3]);
  await editor.press("X\r");
  assertEquals(await line, "abcdefghijkXl");
});

Deno.test("the arrows go through the history and back to what was typed", async () => {
  using editor = open({ history: ["one", "two"] });
  assertEquals(await editor.type("\x1b[A\x1b[A\x1b[A\r"), "one");
  assertEquals(await editor.type("\x10!\r"), "two!");
  assertEquals(await editor.type("half\x1b[A\x1b[B\x1b[B done\r"), "half done");
});

Deno.test("Ctrl-R finds what was typed before", async () => {
  using editor = open({ history: ["set a 1", "get a", "SET b 2", "get b"] });
  const line = editor.read();
  await editor.press("x\x12set");
  assertEquals(editor.screen.text, "(reverse-i-search)`set': SET b 2");
  assertEquals(editor.screen.cursor, [0, 25]);
  await editor.press("\x12");
  assertEquals(editor.screen.text, "(reverse-i-search)`set': set a 1");
  await editor.press("\x12");
  assertEquals(editor.screen.text, "(failed reverse-i-search)`set': set a 1");
  await editor.press("\x13");
  assertEquals(editor.screen.text, "(reverse-i-search)`set': SET b 2");
  await editor.press("\x7f\x7f\x7fget");
  assertEquals(editor.screen.text, "(reverse-i-search)`get': get b");
  await editor.press("\r");
  assertEquals(await line, "get b");
  assertEquals(editor.screen.text, "> get b");

  assertEquals(await editor.type("\x12set a\x05!\r"), "set a 1!", "another key goes on from it");
  assertEquals(await editor.type("typed\x12get\x07\r"), "typed", "Ctrl-G forgets it");
  assertEquals(await editor.type("typed\x12get\x03\r"), "typed", "and so does Ctrl-C");
  assertEquals(await editor.type("typed\x12nothing\r"), "typed");
});

Deno.test("Tab types what the candidates have in common, or shows them", async () => {
  const words = ["set", "setex", "setnx", "strlen"];
  using editor = open({
    complete: (line) =>
      Promise.resolve({ start: 0, candidates: words.filter((word) => word.startsWith(line)) }),
  });
  assertEquals(await editor.type("str\tk\r"), "strlen k");
  assertEquals(await editor.type("se\t\r"), "set");
  assertEquals(await editor.type("zz\t\r"), "zz");
  const line = editor.read();
  await editor.press("s\t");
  await editor.terminal.shows("setex");
  assertEquals(
    editor.screen.text.split("\n").slice(-3),
    ["> s", "set     setex   setnx   strlen", "> s"],
  );
  await editor.press("\r");
  await line;
});

Deno.test("what wasn't found in time is told, and nothing is made of what was", async () => {
  const answers: Completion[] = [
    { start: 0, candidates: ["ab1", "ab2"], isPartial: true },
    { start: 0, candidates: [], isPartial: true },
    { start: 0, candidates: ["ab1"], isPartial: true },
  ];
  using editor = open({ complete: () => Promise.resolve(answers.shift()!) });
  const line = editor.read();
  await editor.press("a\t");
  await editor.terminal.shows("> a\nab1  ab2\n...\n> a");
  await editor.press("\t");
  await editor.terminal.shows(/\.\.\.\n> a\n\.\.\.\n> a$/);
  await editor.press("\tx\r");
  assertEquals(await line, "ab1x");
});

Deno.test("keys wait for a completion, but not Ctrl-C", async () => {
  const found = Promise.withResolvers<Completion>();
  using editor = open({ complete: () => found.promise });
  const line = editor.read();
  await editor.press("get k\t2\r");
  assertEquals(editor.screen.text, "> get k");
  found.resolve({ start: 4, candidates: ["key:1", "key:2"] });
  assertEquals(await line, "get key:2");

  using waiting = open({ complete: () => new Promise(() => {}) });
  assertEquals(await waiting.type("x\ty\x03z\r"), "xz", "it takes back what waits for it, too");
});

Deno.test("a paste of several lines is run line by line; tabs and quotes in it are text", async () => {
  using editor = open({ complete: () => Promise.reject(new Error("a tab was a key")) });
  assertEquals(await editor.type("ec\x1b[200~ho 1\rset\tk 'a\nb'\r\nge\x1b[201~t k\r"), "echo 1");
  assertEquals(await editor.read(), 'set\tk "a\\nb"');
  assertEquals(await editor.read(), "get k");
  assertEquals(await editor.type("a d\x1b[D\x1b[200~b c \x1b[201~\r"), "a b c d");
});

Deno.test("a hundred pasted lines, with and without marks, cut anywhere", async () => {
  const lines = Array.from({ length: 100 }, (_, index) => `set key:${index} "日本 ${index}"`);
  for (const [start, end] of [["", ""], ["\x1b[200~", "\x1b[201~"]]) {
    for (const step of [1, 7, 1000]) {
      using editor = open();
      const bytes = new TextEncoder().encode(start + lines.join("\r") + "\r" + end);
      for (let at = 0; at < bytes.length; at += step) {
        editor.terminal.pressBytes(bytes.slice(at, at + step));
      }
      const read: (string | undefined)[] = [];
      while (read.length < 100) read.push(await editor.read());
      assertEquals(read, lines);
    }
  }
});

Deno.test("the keyboard is given back", () => {
  const editor = open();
  editor.editor.close();
  assertEquals(editor.terminal.keyboardIsClosed, true);
  assertEquals(editor.terminal.output, "\x1b[?2004h\x1b[?2004l");
});

Deno.test("a long line may come letter by letter", async () => {
  using editor = open();
  const text = "x".repeat(300_000);
  assertEquals(await editor.type(`${text}\r`), text);
});
