/** The dialogue in a real terminal, from its first prompt to its last. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Client, connect, plainValue } from "../../src/client/mod.ts";
import { EditArea } from "../../src/client/repl/edit_area.ts";
import { makeGuide } from "../../src/client/help/known_commands.ts";
import { Screen } from "../client/repl/screen.ts";
import { freePort } from "../support/ports.ts";
import { programWords } from "../support/program.ts";
import { testUnless } from "../support/test_where.ts";
import { TmuxWindow, whyNoTmux } from "../support/tmux.ts";
import { startQuietServer } from "./support.ts";

const COLUMNS = 100;
const ROWS = 50;

/** What a session under test consists of. */
interface Scene {
  readonly window: TmuxWindow;
  readonly folder: string;
  readonly port: number;
  /** Another client of the same server. */
  readonly other: Client;
  /** The prompt, as a pattern. */
  readonly prompt: string;
}

/** Starts the dialogue in a window, which then shows its prompt. */
async function startDialogue({ window, port, prompt }: Scene, options = ""): Promise<void> {
  await window.enter(`sh ./client.sh -p ${port} ${options}`);
  await window.shows(new RegExp(`^${prompt}>$`));
}

/** Types a line on a cleared screen, and waits for what comes of it. */
async function expectAnswer(
  { window }: Scene,
  line: string,
  expected: string | RegExp,
): Promise<void> {
  await window.press("C-l");
  await window.shows(/^\S+>.*$/);
  await window.enter(line);
  await window.shows(expected);
}

/** What a line looks like in a window of this width, with its hint. */
function drawLine(prompt: string, line: string, columns: number): string {
  const screen = new Screen(columns);
  const area = new EditArea((text) => screen.write(text), () => ({ columns, rows: ROWS }), "");
  area.draw({ prompt, line, cursor: line.length, hint: makeGuide().hint(line) });
  return screen.text;
}

/** Runs a test with a server, a window, and another client. */
async function withScene(test: (scene: Scene) => Promise<void>): Promise<void> {
  const port = freePort();
  const folder = await Deno.makeTempDir({ prefix: "mr-" });
  try {
    const words = (await programWords()).map((word) => `'${word.replaceAll("'", "'\\''")}'`);
    await Deno.writeTextFile(
      `${folder}/client.sh`,
      // Ctrl-C is the program's affair.
      `trap : INT\nprintf '\\033[H\\033[2J'\nexport REDISCLI_HISTFILE="$PWD/history" REDISCLI_RCFILE="$PWD/rc"\n` +
        `${words.join(" ")} client "$@"\necho "code $?, $(stty -a | grep -o -e '-*icanon')"\n`,
    );
    await using _server = await startQuietServer({ port: `${port}` });
    await using window = await TmuxWindow.open(folder, COLUMNS, ROWS);
    using other = await connect({ port });
    await test({ window, folder, port, other, prompt: `127\\.0\\.0\\.1:${port}` });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const obstacle = await whyNoTmux();
if (obstacle !== undefined) console.log(`the dialogue isn't tried in a terminal: ${obstacle}`);

testUnless(obstacle, "hints, completion and colours", () =>
  withScene(async (scene) => {
    const { window, prompt } = scene;
    await startDialogue(scene);
    await window.type("set");
    await window.shows(`> set key value [NX|XX]`);
    assertMatch(await window.colouredText(), /> set.\[90m key value/);
    await window.enter(" greeting hello");
    await window.shows(/hello\nOK\n/);
    await window.type("get gre");
    await window.press("Tab");
    await window.shows("> get greeting");
    await window.press("Enter");
    await window.shows('"hello"');
    await window.enter("incr n");
    await window.enter("get nothing");
    await window.enter("incr greeting");
    await window.shows("(error) ERR value");
    const coloured = await window.colouredText();
    for (
      const text of ["[36mOK", '[32m"hello"', "[33m(integer) 1", "[90m(nil)", "[31m(error) ERR"]
    ) {
      assertStringIncludes(coloured, text);
    }
    await window.type("config re");
    await window.press("Tab");
    await window.shows("resetstat");
    await window.type("w");
    await window.press("Tab");
    await window.shows(/> config rewrite$/);
    await window.press("C-u");
    await expectAnswer(scene, ":set nohints", new RegExp(`nohints\n${prompt}>`));
    await window.type("set");
    await window.shows(/> set$/);
    await window.press("C-u");
    await expectAnswer(scene, "help getrange", "group: string");
    await window.press("C-d");
    await window.shows("code 0, icanon");

    await window.enter(`NO_COLOR=1 sh ./client.sh -p ${scene.port}`);
    await window.shows(new RegExp(`^${prompt}>$`));
    await expectAnswer(scene, "get greeting", '"hello"');
    assertEquals((await window.colouredText()).includes("[32m"), false);
  }));

testUnless(obstacle, "the history lasts, and is searched", () =>
  withScene(async (scene) => {
    const { window, folder, prompt } = scene;
    await startDialogue(scene);
    await expectAnswer(scene, "set greeting 日本語", "OK");
    await expectAnswer(scene, "auth secret", "(error)");
    await expectAnswer(scene, "strlen greeting", "(integer) 9");
    await window.press("C-c");
    await window.shows("code 0, icanon");
    assertEquals(
      await Deno.readTextFile(`${folder}/history`),
      "set greeting 日本語\nstrlen greeting\n",
    );
    await startDialogue(scene);
    await window.press("Up", "Up");
    await window.shows("> set greeting 日本語");
    await window.press("Down");
    await window.shows("> strlen greeting");
    await window.press("C-u", "C-r");
    await window.type("GREET");
    await window.shows("(reverse-i-search)`GREET': strlen greeting");
    await window.press("C-r");
    await window.shows("(reverse-i-search)`GREET': set greeting 日本語");
    await window.press("Enter");
    await window.shows(new RegExp(`${prompt}> set greeting 日本語\nOK\n`));
  }));

testUnless(
  obstacle,
  "a hundred lines are pasted, with and without marks",
  () =>
    withScene(async (scene) => {
      const { window, other } = scene;
      await startDialogue(scene);
      for (const [key, marked] of [["marked", true], ["plain", false]] as const) {
        const lines = Array.from({ length: 100 }, (_, index) => `rpush ${key} "value ${index}"\n`);
        await window.paste(lines.join(""), marked);
        await window.shows("(integer) 100");
        const values = plainValue(await other.command("LRANGE", key, 0, -1));
        assertEquals(values, Array.from({ length: 100 }, (_, index) => `value ${index}`));
        await expectAnswer(scene, `del ${key}`, "(integer) 1");
      }
      await window.paste("set script 'first\nsecond'\n", true);
      await window.shows("OK");
      assertEquals(plainValue(await other.command("GET", "script")), "first\nsecond");
    }),
);

testUnless(
  obstacle,
  "the window may change its size while a line is typed",
  () =>
    withScene(async (scene) => {
      const { window, other, port } = scene;
      await startDialogue(scene);
      // A window that becomes narrower loses lines at the top.
      await window.press(...Array(10).fill("Enter"));
      const line = "set k abcdefghijklmnopqrstuvwxyz日本語abcdefghijklmnopqrstuvwxyz";
      await window.type(line);
      await window.shows("uvwxyz [NX|XX]");
      for (const columns of [30, 70, 25, COLUMNS]) {
        await window.resize(columns);
        // Once, and as in a window that had this width from the start.
        const expected = drawLine(`127.0.0.1:${port}> `, line, columns);
        const text = await window.shows(expected);
        assertEquals(text.split("set k").length, 2, text);
      }
      await window.press("C-z");
      await window.shows("shell$");
      await window.enterSurely("fg");
      await window.shows(/fg\n[^]*set k abc/);
      await window.press("Enter");
      await window.shows("OK");
      assertMatch(String(plainValue(await other.command("GET", "k"))), /^abc.*日本語abc.*z$/);
    }),
);

testUnless(
  obstacle,
  "transactions, databases, messages and MONITOR",
  () =>
    withScene(async (scene) => {
      const { window, other, prompt } = scene;
      await startDialogue(scene, "-3");
      await expectAnswer(scene, "multi", new RegExp(`OK\n${prompt}\\(TX\\)>`));
      await expectAnswer(scene, "incr n", "QUEUED");
      await expectAnswer(scene, "exec", new RegExp(`1\\) \\(integer\\) 1\n${prompt}>`));
      await expectAnswer(scene, "select 3", new RegExp(`${prompt}\\[3\\]>`));
      await expectAnswer(scene, "select 0", new RegExp(`OK\n${prompt}>`));
      await expectAnswer(scene, "3 incr n", /\(integer\) 2\n\(integer\) 3\n\(integer\) 4/);

      await expectAnswer(scene, "subscribe news", "Reading messages");
      await window.shows(/3\) \(integer\) 1/);
      await other.command("PUBLISH", "news", "hello");
      await window.shows(/3\) "hello"/);
      await window.press("C-c");
      await window.shows(new RegExp(`"hello"\n${prompt}>$`));

      await expectAnswer(scene, "monitor", /monitor\nOK/);
      await other.command("SET", "seen", "by monitor");
      await window.shows('"SET" "seen" "by monitor"');
      await window.press("C-c");
      await window.shows(new RegExp(`by monitor"\n${prompt}>$`));

      await expectAnswer(scene, "blpop nothing 0", new RegExp(`nothing 0$`));
      await window.press("C-c");
      await window.shows(new RegExp(`nothing 0\n(\\(\\d.*\n)?${prompt}>$`));

      await expectAnswer(scene, "client tracking on bcast", "OK");
      await window.type("get half");
      await other.command("SET", "half", "x");
      await window.shows(new RegExp(`-> invalidate: 'half'\n${prompt}> get half$`));
      await window.press("Enter");
      await window.shows('"x"');
    }),
);

testUnless(
  obstacle,
  "a server that is restarted underneath",
  () =>
    withScene(async ({ window, folder, ...rest }) => {
      const port = freePort();
      const scene = { ...rest, window, folder, port, prompt: `127\\.0\\.0\\.1:${port}` };
      {
        await using _server = await startQuietServer({ port: `${port}` });
        await startDialogue(scene);
        await window.type("pi");
        await window.shows("> pi");
      }
      await window.shows("Error: Server closed the connection\nnot connected> pi");
      await window.enter("ng");
      await window.shows(/Could not connect to Redis at .*: Connection refused\nnot connected>$/);
      await using _again = await startQuietServer({ port: `${port}` });
      await window.enter("ping");
      await window.shows(new RegExp(`Connected again.\nPONG\n${scene.prompt}>`));
      await window.enter("quit");
      await window.shows("code 0, icanon");
    }),
);
