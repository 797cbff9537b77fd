import { assert, assertEquals, assertMatch } from "@std/assert";
import { runClient } from "../../../src/client/cli.ts";
import { eventually } from "../../support/waiting.ts";
import { withServer } from "../own_server.ts";
import { type Answer, ScriptedServer } from "../scripted_server.ts";
import { VirtualTerminal } from "./virtual_terminal.ts";

/** A server that knows next to nothing. */
function answer(words: string[]): Answer {
  switch (words.join(" ").toLowerCase()) {
    case "ping":
      return "+PONG\r\n";
    case "subscribe c":
      return "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n";
    case "blpop k 0":
      return "";
  }
  return ["set", "multi", "exec"].includes(words[0].toLowerCase())
    ? "+OK\r\n"
    : `-ERR unknown command '${words[0]}'\r\n`;
}

/** A dialogue with a server; `type` presses keys. It is ended at the end of the block. */
async function talk(
  server: { readonly port: number },
  use: (terminal: VirtualTerminal, prompt: string) => Promise<void>,
  { args = [], variables = {} }: { args?: string[]; variables?: Record<string, string> } = {},
): Promise<VirtualTerminal> {
  const terminal = new VirtualTerminal();
  Object.assign(terminal.variables, { TERM: "xterm", REDISCLI_HISTFILE: "/dev/null" }, variables);
  const finished = runClient(["-p", `${server.port}`, ...args], terminal);
  await use(terminal, `127.0.0.1:${server.port}`);
  if (!terminal.keyboardIsClosed) terminal.press("\x15quit\r");
  assertEquals(await finished, 0);
  assert(terminal.keyboardIsClosed);
  return terminal;
}

Deno.test("commands, hints, completion of commands and keys, colours, help", async () => {
  await withServer((port) =>
    talk({ port }, async (terminal) => {
      await terminal.shows(">");
      terminal.press("set user:1 a\r");
      await terminal.shows("OK");
      assertEquals(terminal.screen.styled("36"), "OK");
      terminal.press("set");
      await terminal.shows("> set key value");
      assertMatch(terminal.screen.styled("90"), /^ key value \[NX\|XX\]/);
      terminal.press("\x15:set nohints\rset");
      await terminal.shows(/> set$/);
      terminal.press("\x15:set hints\rget us\t");
      await terminal.shows("> get user:1");
      terminal.press("\rINCR n\rget none\rfoo\r");
      await terminal.shows("(error) ERR unknown command");
      assertEquals(terminal.screen.styled("32"), '"a"');
      assertEquals(terminal.screen.styled("33"), "(integer) 1");
      assertEquals(terminal.screen.styled("90"), "(nil)");
      terminal.press("help get\r");
      await terminal.shows("group: string");
      terminal.press("clie\tlis\t");
      await terminal.shows("> client list");
    })
  );
});

Deno.test("without colours there are none", async () => {
  await withServer(async (port) => {
    const { output } = await talk({ port }, async (terminal) => {
      terminal.press("set a 1\rget a\rhelp get\r");
      await terminal.shows("group");
    }, { variables: { NO_COLOR: "1" } });
    // deno-lint-ignore no-control-regex -- these are what it is about
    assertEquals(output.match(/\x1b\[[13][0-9]*m/g), null);
  });
});

Deno.test("the prompt tells the database, the role and the transaction", async () => {
  await withServer((port) =>
    talk({ port }, async (terminal, server) => {
      terminal.press("select 3\rmulti\r");
      await terminal.shows(`${server}[3](TX)> `.trimEnd());
      terminal.press("get \t");
      await terminal.shows(`${server}[3](TX)> get key`);
      terminal.press("\x15discard\rreplicaof 127.0.0.1 1\r");
      await terminal.shows(`${server}[3](replica)>`);
    })
  );
});

Deno.test("a server that answers no questions is spoken to as before", async () => {
  await using server = new ScriptedServer(answer);
  await talk(server, async (terminal, name) => {
    terminal.press("ping\rget a\t\x15 \r");
    await terminal.shows(`${name}> ping\nPONG\n${name}>`);
    await eventually(() => server.commands.some(([name]) => name === "COMMAND"));
    terminal.press("ping\r");
    await terminal.shows(/PONG[^]*PONG/);
  });
  // Each of the questions came once.
  const questions = server.commands.map(([name]) => name).filter((name) => /^[A-Z]+$/.test(name));
  assertEquals(questions.filter((name) => name !== "SCAN"), ["ROLE", "COMMAND"]);
});

Deno.test("Ctrl-C leaves MONITOR, SUBSCRIBE and a command that waits", async () => {
  await using server = new ScriptedServer(answer);
  await talk(server, async (terminal, name) => {
    terminal.press("subscribe c\r");
    await terminal.shows("(integer) 1");
    await server.broadcast("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n");
    await terminal.shows('"hi"');
    terminal.press("\x03");
    await terminal.shows(new RegExp(`"hi"\n${name}>`));
    terminal.press("9 blpop k 0\r");
    await eventually(() => server.commands.at(-1)?.[0] === "blpop");
    assert(terminal.interrupt());
    await terminal.shows(new RegExp(`blpop k 0\n${name}>`));
    terminal.press("ping\r");
    await terminal.shows("PONG");
  });
  assertEquals(server.commands.filter(([name]) => name === "blpop").length, 1);
});

Deno.test("Ctrl-C and Ctrl-D at the prompt end the dialogue", async () => {
  await using server = new ScriptedServer(answer);
  for (const key of ["\x03", "\x04"]) {
    await talk(server, async (terminal, name) => {
      await terminal.shows(`${name}>`);
      terminal.press(key);
    });
  }
});

Deno.test("Ctrl-C ends the dialogue while it connects", async () => {
  const asked = Promise.withResolvers<void>();
  await using server = new ScriptedServer(() => {
    asked.resolve();
    return "";
  });
  const { output, errors } = await talk(server, async (terminal) => {
    await asked.promise;
    terminal.press("\x03");
  }, { args: ["-a", "x", "--no-auth-warning"] });
  // Neither a prompt for what isn't read any more, nor a fault that there was none of.
  assertEquals([output.includes("> "), errors], [false, []]);
});

Deno.test("a lost connection is told above the line, and made again for the next command", async () => {
  await using server = new ScriptedServer(answer);
  await talk(server, async (terminal, name) => {
    terminal.press("ping\r");
    await terminal.shows("PONG");
    terminal.press("pi");
    await terminal.shows("> pi");
    server.dropConnections();
    await terminal.shows("Error: Server closed the connection\nnot connected> pi");
    terminal.press("ng\r");
    await terminal.shows(`not connected> ping\nConnected again.\nPONG\n${name}>`);
    // What is left of a transaction isn't run outside of it.
    terminal.press("multi\r");
    await terminal.shows(`${name}(TX)>`);
    server.dropConnections();
    terminal.press("set a 1\r");
    await terminal.shows(/set a 1\nError: Server closed the connection\nnot connected>/);
  });
  assertEquals(server.commands.filter(([name]) => name === "set"), []);
});

Deno.test("messages that nobody asked for come between the lines", async () => {
  await using server = new ScriptedServer(answer);
  await talk(server, async (terminal) => {
    await terminal.shows(">");
    terminal.press("get");
    await terminal.shows("> get");
    await server.broadcast(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n");
    await terminal.shows(/^-> invalidate: 'a'\n127.*> get/);
  });
});

Deno.test("the history is there the next time, without secrets", async () => {
  await using server = new ScriptedServer(answer);
  const path = await Deno.makeTempFile();
  const variables = { REDISCLI_HISTFILE: path };
  try {
    await talk(server, async (terminal) => {
      terminal.press('set a 日本\r5 auth secret\r\r  \r"open\r5 auth "secret\r0 x\r');
      await terminal.shows("repeat command");
    }, { variables });
    assertEquals(await Deno.readTextFile(path), 'set a 日本\n"open\n0 x\nquit\n');
    await talk(server, async (terminal) => {
      terminal.press("\x12日\r");
      await terminal.shows("> set a 日本\nOK");
    }, { variables });
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("preferences come from a file, whose mistakes are told", async () => {
  await using server = new ScriptedServer(answer);
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, ":set nohints\n\n:set x\nhello\n");
  try {
    await talk(server, async (terminal) => {
      terminal.press("ping\rset");
      await terminal.shows(/> set$/);
      assertEquals(terminal.errors, [
        ".redisclirc: unknown redis-cli preference 'x'",
        ".redisclirc: unknown redis-cli internal command 'hello'",
      ]);
    }, { variables: { REDISCLI_RCFILE: path } });
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("commands are repeated, with a pause if it is asked for, until Ctrl-C", async () => {
  await using server = new ScriptedServer(answer);
  await talk(server, async (terminal) => {
    terminal.press("3 ping\r");
    await terminal.shows("PONG\nPONG\nPONG\n127");
  }, { args: ["-i", "0.001"] });
  await talk(server, async (terminal, name) => {
    terminal.press("3 ping\r");
    await terminal.shows("PONG");
    terminal.press("\x03");
    await terminal.shows(`PONG\n${name}>`);
  }, { args: ["-i", "600"] });
});

Deno.test("another server, a restart, a cleared screen", async () => {
  await using server = new ScriptedServer(answer);
  await using other = new ScriptedServer(() => "+other\r\n");
  await talk(server, async (terminal) => {
    terminal.press(`connect 127.0.0.1 ${other.port}\rping\r`);
    await terminal.shows(`127.0.0.1:${other.port}> ping\nother`);
    terminal.press("connect 127.0.0.1 x\rrestart\r");
    await terminal.shows("debugging");
    assert(terminal.screen.text.includes("Invalid server port."));
    terminal.press("clear\rping\r");
    await terminal.shows(/^127.0.0.1:\d+> ping\nother/);
  });
});
