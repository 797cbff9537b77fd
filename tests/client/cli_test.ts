import { assert, assertEquals, assertRejects } from "@std/assert";
import { runClient } from "../../src/client/cli.ts";
import { UsageError } from "../../src/runtime/arguments.ts";
import { FakeTerminal } from "./fake_terminal.ts";
import { type Answer, ScriptedServer } from "./scripted_server.ts";

/** A server with some commands whose replies are of different kinds. */
function answer(words: string[]): Answer {
  switch (words.map((word) => word.toLowerCase()).join(" ")) {
    case "ping":
      return "+PONG\r\n";
    case "get a":
      return "$3\r\nb\n\xff\r\n";
    case "lrange l 0 -1":
      return "*2\r\n$1\r\nx\r\n$1\r\ny\r\n";
    case "config get save":
      return "%1\r\n$4\r\nsave\r\n$0\r\n\r\n";
    case "info":
      return "$9\r\n# Server\n\r\n";
    case "exec":
      return "*0\r\n";
    case "die":
    case "shutdown":
      return "close";
    case "select 99":
      return "-ERR DB index is out of range\r\n";
    case "auth wrong":
      return "-WRONGPASS invalid\r\n";
  }
  return words[0].toLowerCase() === "foo" ? "-ERR unknown command 'foo'\r\n" : "+OK\r\n";
}

interface Result {
  code: number;
  output: string;
  errors: string[];
  commands: string[];
}

interface Surroundings {
  input?: string;
  atTerminal?: boolean;
  secret?: string;
  variables?: Record<string, string>;
  answer?: (words: string[]) => Answer;
}

/** Runs the client against a server; `PORT` in the results stands for the server's port. */
async function run(args: string[], surroundings: Surroundings = {}): Promise<Result> {
  await using server = new ScriptedServer(surroundings.answer ?? answer);
  const terminal = new FakeTerminal(surroundings.input);
  terminal.inputIsTerminal = terminal.outputIsTerminal = surroundings.atTerminal ?? false;
  terminal.secret = surroundings.secret ?? null;
  Object.assign(terminal.variables, surroundings.variables);
  const code = await runClient(["-p", `${server.port}`, ...args], terminal);
  return {
    code,
    output: terminal.output.replaceAll(`${server.port}`, "PORT"),
    errors: terminal.errors.map((line) => line.replaceAll(`${server.port}`, "PORT")),
    commands: server.commands.map((words) => words.join(" ")),
  };
}

Deno.test("one command, raw", async () => {
  assertEquals(await run(["get", "a"]), {
    code: 0,
    output: "b\n\xff\n",
    errors: [],
    commands: ["get a"],
  });
  assertEquals((await run(["lrange", "l", "0", "-1"])).output, "x\ny\n");
  assertEquals((await run(["-d", ",", "-D", ";", "lrange", "l", "0", "-1"])).output, "x,y;");
  assertEquals((await run(["foo"])).output, "ERR unknown command 'foo'\n\n");
  assertEquals((await run(["-3", "config", "get", "save"])).output, "save \n");
});

Deno.test("one command, for people", async () => {
  assertEquals((await run(["get", "a"], { atTerminal: true })).output, '"b\\n\\xff"\n');
  const { output } = await run(["--no-raw", "lrange", "l", "0", "-1"]);
  assertEquals(output, '1) "x"\n2) "y"\n');
  assertEquals((await run(["--no-raw", "foo"])).output, "(error) ERR unknown command 'foo'\n");
});

Deno.test("text of the server is printed as it is, with a line end", async () => {
  assertEquals((await run(["--no-raw", "info"])).output, "# Server\n");
  assertEquals((await run(["--no-raw", "lolwut"])).output, "OK\n");
  assertEquals((await run(["--no-raw", "client", "list"])).output, "OK\n");
  assertEquals((await run(["--no-raw", "memory", "doctor"])).output, "OK\n");
});

Deno.test("-e puts an error aside and stops", async () => {
  const { code, output, errors, commands } = await run(["-e", "-r", "2", "foo"]);
  assertEquals([code, output], [1, ""]);
  assertEquals(errors, ["ERR unknown command 'foo'"]);
  assertEquals(commands, ["foo"]);
});

Deno.test("repeated commands", async () => {
  assertEquals((await run(["-r", "3", "-i", "0.001", "ping"])).output, "PONG\nPONG\nPONG\n");
  assertEquals((await run(["-r", "0", "ping"])).output, "");
});

Deno.test("arguments from the input", async () => {
  assertEquals((await run(["-x", "set", "k"], { input: "v\xff\n" })).commands, ["set k v\ufffd\n"]);
  assertEquals((await run(["-X", "T", "set", "T", "v"], { input: "k" })).commands, ["set k v"]);
  await assertRejects(() => run(["-X", "T", "ping"]), UsageError, "stdin tag not match");
});

Deno.test("arguments as quoted strings", async () => {
  assertEquals((await run(["--quoted-input", "set", '"a\\x41"', "b"])).commands, ["set aA b"]);
  for (const word of ["a b", '"a', ""]) {
    await assertRejects(() => run(["--quoted-input", "get", word]), UsageError, "Invalid quoted");
  }
});

Deno.test("a new connection logs in, selects and switches", async () => {
  const warning =
    "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.";
  const ready = await run(["--user", "u", "-a", "p", "-n", "2", "-3", "ping"]);
  assertEquals(ready.commands, ["AUTH u p", "SELECT 2", "HELLO 3", "ping"]);
  assertEquals(ready.errors, [warning]);
  const variables = { REDISCLI_AUTH: "p" };
  assertEquals((await run(["ping"], { variables })).commands, ["AUTH p", "ping"]);
  const asked = await run(["--askpass", "ping"], { secret: "s" });
  assertEquals(asked.commands, ["AUTH s", "ping"]);
});

Deno.test("what a new connection is refused is said, and the command is run", async () => {
  const refused = await run(["--no-auth-warning", "-a", "wrong", "-n", "2", "ping"]);
  assertEquals(refused, {
    code: 0,
    output: "PONG\n",
    errors: ["AUTH failed: WRONGPASS invalid"],
    commands: ["AUTH wrong", "ping"],
  });
  const { errors } = await run(["-n", "99", "ping"]);
  assertEquals(errors, ["SELECT 99 failed: ERR DB index is out of range"]);
});

Deno.test("no server, or one that goes away", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const terminal = new FakeTerminal();
  assertEquals(await runClient(["-p", `${port}`, "ping"], terminal), 1);
  assertEquals(terminal.errors, [
    `Could not connect to Redis at 127.0.0.1:${port}: Connection refused`,
  ]);
  const { code, errors } = await run(["die"]);
  assertEquals([code, errors], [1, ["Error: Server closed the connection"]]);
  assertEquals((await run(["shutdown"])).code, 0);
});

Deno.test("help and version", async () => {
  const help = await run(["--help"]);
  assert(help.output.startsWith("Usage: miniredis client"));
  assertEquals(help.code, 0);
  assert((await run(["--version"])).output.startsWith("miniredis client v="));
  await assertRejects(() => run(["--prot", "1"]), UsageError, "did you mean '--port'?");
});

Deno.test("commands from the input", async () => {
  const input = 'ping\r\n\n"open\nfoo\nset "a b" \xfc\n:x\n:set y\n2 ping\n0 ping\nquit\nping\n';
  assertEquals(await run([], { input }), {
    code: 0,
    output: "PONG\nInvalid argument(s)\nERR unknown command 'foo'\n\nOK\n" +
      "unknown redis-cli internal command ':x'\nunknown redis-cli preference 'y'\n" +
      "PONG\nPONG\nInvalid redis-cli repeat command option value.\n",
    errors: [],
    commands: ["ping", "foo", "set a b \ufffd", "ping", "ping"],
  });
});

Deno.test("the prompt follows the connection", async () => {
  const input = "select 1\nselect 99\nmulti\nselect 2\nexec\nmulti\nselect 3\ndiscard\n" +
    "reset\ndie\nget a\nhelp me\n";
  const { output, errors, commands } = await run([], { input, atTerminal: true });
  const prompts = output.matchAll(/(127\.0\.0\.1:PORT\S*|not connected)> /g);
  assertEquals(Array.from(prompts, ([_, prompt]) => prompt), [
    "127.0.0.1:PORT",
    "127.0.0.1:PORT[1]",
    "127.0.0.1:PORT[1]",
    "127.0.0.1:PORT[1](TX)",
    "127.0.0.1:PORT[2](TX)",
    "127.0.0.1:PORT[2]",
    "127.0.0.1:PORT[2](TX)",
    "127.0.0.1:PORT[3](TX)",
    "127.0.0.1:PORT[2]",
    "127.0.0.1:PORT",
    "not connected",
    "127.0.0.1:PORT",
    "127.0.0.1:PORT",
  ]);
  assertEquals(errors, ["Error: Server closed the connection"]);
  assertEquals(commands.at(-1), "get a");
  assert(output.endsWith("> \n"));
});

Deno.test("the database is selected again on a new connection", async () => {
  const { commands } = await run([], { input: "select 4\ndie\nping\n" });
  assertEquals(commands, ["select 4", "die", "SELECT 4", "ping"]);
});

Deno.test("after AUTH, the database that was refused before is selected", async () => {
  let known = false;
  const { errors, commands } = await run(["-n", "5"], {
    input: "auth p\n",
    answer: (words) => {
      if (words[0].toLowerCase() === "auth") known = true;
      return known ? "+OK\r\n" : "-NOAUTH Authentication required.\r\n";
    },
  });
  assertEquals(errors, ["SELECT 5 failed: NOAUTH Authentication required."]);
  assertEquals(commands, ["SELECT 5", "auth p", "SELECT 5"]);
});

Deno.test("a connection that was lost meanwhile is opened again, but not within MULTI", async () => {
  await using server = new ScriptedServer(answer);
  // The input's next line is read only when the one before it was run.
  const loseConnection = (line: string) => {
    if (line === "lose") server.dropConnections();
    return line === "lose" ? "" : line;
  };
  const results: string[] = [];
  for (const lines of [["ping", "lose", "ping"], ["multi", "lose", "incr a", "ping"]]) {
    const terminal = new FakeTerminal();
    terminal.readLines = () =>
      ReadableStream.from((async function* () {
        for (const line of lines) {
          yield loseConnection(line);
          // Lets the loss become known.
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      })());
    await runClient(["-p", `${server.port}`], terminal);
    results.push(terminal.output, ...terminal.errors);
  }
  assertEquals(results, ["PONG\nPONG\n", "OK\nPONG\n", "Error: Server closed the connection"]);
  assertEquals(server.commands.map(([name]) => name), ["ping", "ping", "multi", "ping"]);
});

Deno.test("the user may go on with another server", async () => {
  await using other = new ScriptedServer(() => "+other\r\n");
  const { output, commands } = await run([], {
    input: `ping\nconnect 127.0.0.1 ${other.port}\nping\nconnect\n`,
  });
  assertEquals(output, "PONG\nother\nother\n");
  assertEquals(commands, ["ping"]);
});

Deno.test("messages are printed until Ctrl-C, which opens a new connection", async () => {
  await using server = new ScriptedServer((words) =>
    words[0] === "subscribe" ? "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n" : "+PONG\r\n"
  );
  const terminal = new FakeTerminal("subscribe c\nping\n");
  const finished = runClient(["-p", `${server.port}`, "--no-raw"], terminal);
  const arrives = async (text: string) => {
    while (!terminal.output.includes(text)) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  await arrives("(integer) 1");
  await server.broadcast("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n");
  await arrives('"hi"');
  assert(terminal.interrupt());
  assertEquals(await finished, 0);
  assertEquals(
    terminal.output,
    "Reading messages... (press Ctrl-C to quit)\n" +
      '1) "subscribe"\n2) "c"\n3) (integer) 1\n1) "message"\n2) "c"\n3) "hi"\nPONG\n',
  );
});

Deno.test("push messages are shown in front of the next reply, if they are to be", async () => {
  const push = ">2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n";
  const surroundings = { input: "ping\nping\n", answer: () => `+OK\r\n${push}` };
  const show = async (...args: string[]) => (await run(args, surroundings)).output;
  assertEquals(await show("--no-raw"), "OK\nOK\n");
  assertEquals(
    await show("--no-raw", "--show-pushes", "yes"),
    "OK\n-> invalidate: 'a', 'b'\nOK\n",
  );
  assertEquals(await show("--show-pushes", "yes"), "OK\ninvalidate\na\nb\nOK\n");
});
