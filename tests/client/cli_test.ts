import { assert, assertEquals, assertMatch } from "@std/assert";
import { runClient } from "../../src/client/cli.ts";
import { eventually } from "../support/waiting.ts";
import { FakeTerminal } from "./fake_terminal.ts";
import { answer, run } from "./run_client.ts";
import { ScriptedServer } from "./scripted_server.ts";
import { ScriptedMaster } from "./tools/scripted_master.ts";

Deno.test("a program gets the content of a reply", async () => {
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

Deno.test("people get a reply with its types", async () => {
  assertEquals((await run(["get", "a"], { atTerminal: true })).output, '"b\\n\\xff"\n');
  const { output } = await run(["--no-raw", "lrange", "l", "0", "-1"]);
  assertEquals(output, '1) "x"\n2) "y"\n');
  assertEquals((await run(["--no-raw", "foo"])).output, "(error) ERR unknown command 'foo'\n");
});

Deno.test("text of the server is printed as it is, with a line end where a prompt follows", async () => {
  const commands = ["info", "lolwut", "client list", "memory doctor", "latency graph x"];
  for (const format of ["--no-raw", "--csv", "--json", "--raw"]) {
    for (const command of commands) {
      const { output } = await run([format, ...command.split(" ")]);
      assertEquals(output, command === "info" ? "# Server\n" : "OK", `${format} ${command}`);
    }
  }
  assertEquals((await run(["--csv", "cluster", "info", "x"])).output, '"OK"\n');
  const people = await run([], { input: "lolwut\n", atTerminal: true });
  assert(people.output.includes("> OK\n"), "the prompt stands on a line of its own");
});

Deno.test("-e puts an error aside and stops", async () => {
  const { code, output, errors, commands } = await run(["-e", "-r", "2", "foo"]);
  assertEquals([code, output], [1, ""]);
  assertEquals(errors, ["ERR unknown command 'foo'"]);
  assertEquals(commands, ["foo"]);
});

Deno.test("-r says how often a command runs, be it never", async () => {
  assertEquals((await run(["-r", "3", "-i", "0.001", "ping"])).output, "PONG\nPONG\nPONG\n");
  assertEquals((await run(["-r", "0", "ping"])).output, "");
});

Deno.test("-x and -X take an argument from the input as it is", async () => {
  assertEquals((await run(["-x", "set", "k"], { input: "v\xff\n" })).commands, ["set k v\ufffd\n"]);
  assertEquals((await run(["-X", "T", "set", "T", "v"], { input: "k" })).commands, ["set k v"]);
  assertEquals((await run(["-X", "T", "set", "T", "T"], { input: "k" })).commands, ["set k T"]);
  const mismatch = await run(["-X", "T", "ping"]);
  assertEquals([mismatch.code, mismatch.output], [1, ""]);
  assertEquals(mismatch.errors, ["Using -X option but stdin tag not match."]);
});

Deno.test("with --quoted-input, arguments are quoted strings", async () => {
  assertEquals((await run(["--quoted-input", "set", '"a\\x41"', "b"])).commands, ["set aA b"]);
  for (const word of ["a b", '"a', ""]) {
    const { code, output, commands } = await run(["--quoted-input", "get", word]);
    assertEquals([code, output, commands], [1, "Invalid quoted string\n", []]);
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

Deno.test("a repeated command ends with its connection", async () => {
  const { code, output, errors, commands } = await run(["-r", "9", "-i", "0.05", "ping"], {
    answer: () => ({ lastWords: "+PONG\r\n" }),
  });
  assertEquals([code, output, commands], [1, "PONG\n", ["ping"]]);
  assertEquals(errors, ["Error: Server closed the connection"]);
});

Deno.test("help and version", async () => {
  const help = await run(["--help"]);
  assert(help.output.startsWith("Usage: miniredis client"));
  assertEquals(help.code, 0);
  assert((await run(["--version"])).output.startsWith("miniredis client v="));
  const { code, errors } = await run(["--prot", "1"]);
  assertEquals(code, 1);
  assertMatch(errors.join(), /Unrecognized option .*did you mean '--port'\?$/);
});

Deno.test("lines of the input are commands, until one of them quits", async () => {
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

Deno.test("RESP2 is what connections start with, and need not be asked for", async () => {
  assertEquals((await run(["-2", "ping"])).commands, ["ping"]);
  assertEquals((await run(["-2", "--json", "ping"])).commands, ["ping"]);
  assertEquals((await run(["--json", "ping"])).commands, ["HELLO 3", "ping"]);
  const { commands } = await run(["-3"], { input: "reset\ndie\nping\n" });
  assertEquals(commands, ["HELLO 3", "reset", "die", "ping"]);
});

Deno.test("CSV and JSON are there for programs", async () => {
  const formats = { "--csv": '"b\\n\\xff"\n', "--json": '"b\\n\xff"\n' };
  for (const [format, expected] of Object.entries(formats)) {
    assertEquals((await run([format, "get", "a"])).output, expected);
  }
  assertEquals((await run(["--quoted-json", "get", "a"])).output, '"b\\\\n\\\\xff"\n');
  assertEquals((await run(["--csv", "foo"])).output, `ERROR,"ERR unknown command 'foo'"\n`);
});

Deno.test("what follows the reply to SYNC is shown as to a replica", async () => {
  for (const command of ["SYNC", "psync"]) {
    await using master = new ScriptedMaster({
      pieces: ["$3\r\nabc", "*1\r\n$4\r\nPING\r\n"],
      closes: true,
    });
    const terminal = new FakeTerminal();
    assertEquals(await runClient(["-p", master.port, command], terminal), 1);
    assertEquals(
      terminal.output,
      'Entering replica output mode...  (press Ctrl-C to quit)\n"PING"\n',
    );
  }
});

Deno.test("FAKETTY makes replies for people, as on a terminal", async () => {
  const variables = { FAKETTY: "1" };
  assertEquals((await run(["get", "a"], { variables })).output, '"b\\n\\xff"\n');
  assertEquals((await run(["--raw", "get", "a"], { variables })).output, "b\n\xff\n");
  const lines = await run([], { variables, input: "get a\n" });
  assertEquals(lines.output, '"b\\n\\xff"\n');
});

Deno.test("a script is run with its keys and arguments", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "return 1");
  try {
    const send = async (...words: string[]) =>
      (await run(["--eval", file, ...words])).commands.join("; ");
    assertEquals(await send(), "EVAL return 1 0");
    assertEquals(await send("k1", "k2", ",", "a", ","), "EVAL return 1 2 k1 k2 a ,");
    assertEquals(await send("k1", "k2,"), "EVAL return 1 2 k1 k2,");
    assertEquals(await send(",", "a"), "EVAL return 1 0 a");
    const fromInput = await run(["--eval", "/dev/stdin", "k"], { input: "return 2" });
    assertEquals(fromInput.commands, ["EVAL return 2 1 k"]);
    const refused = await run(["--no-auth-warning", "-a", "wrong", "--eval", file]);
    assertEquals([refused.code, refused.commands], [1, ["AUTH wrong"]]);
  } finally {
    await Deno.remove(file);
  }
  const missing = await run(["--eval", file]);
  assertEquals(missing.code, 1);
  assertEquals(missing.errors, [`Can't open file '${file}': No such file or directory`]);
});

Deno.test("what redis-cli can't read is told as there, except at a terminal", async () => {
  const unreadable = {
    "(123\r\n": ["Unknown reply type: 13", "(big number) 123"],
    "|1\r\n+a\r\n:1\r\n:2\r\n": [
      'Error: Protocol error, got "|" as reply type byte',
      "1| a => (integer) 1\n(integer) 2",
    ],
    "!3\r\nERR\r\n": ['Error: Protocol error, got "!" as reply type byte', "(error) ERR"],
    "*1\r\n,nan\r\n": ["Error: Bad double value", "1) (double) nan"],
  };
  for (const [reply, [message, shown]] of Object.entries(unreadable)) {
    const answer = () => reply;
    for (const format of ["--raw", "--no-raw", "--csv", "--json", "--quoted-json"]) {
      const { code, output, errors } = await run(["-2", format, "x"], { answer });
      // HELLO 3 would be answered with it, too.
      assertEquals([code, output, errors], [1, "", [message]], format);
    }
    const dialogue = await run([], { answer, input: "x\nx\n" });
    assertEquals([dialogue.code, dialogue.commands], [1, ["x"]]);
    const people = await run(["x"], { answer, atTerminal: true });
    assertEquals([people.code, people.output], [0, shown + "\n"]);
  }
});

Deno.test("a reply that is none ends commands that a program feeds", async () => {
  const answer = () => "HTTP/1.1 400 Bad Request\r\n";
  const { code, errors } = await run(["ping"], { answer });
  assertEquals([code, errors.length], [1, 1]);
  assertMatch(errors[0], /^Error: Protocol error, got "H" as reply type byte/);
  const fed = await run([], { answer, input: "ping\nping\n" });
  assertEquals([fed.code, fed.errors, fed.commands], [1, errors, ["ping"]]);
});

Deno.test("a reader that goes away ends the program quietly", async () => {
  await using server = new ScriptedServer((words) =>
    words[0] === "monitor" ? '+OK\r\n+1.0 [0 x] "a"\r\n' : "+OK\r\n"
  );
  for (const command of ["ping", "monitor"]) {
    const terminal = new FakeTerminal();
    let writes = 0;
    terminal.write = () => {
      // The second line of MONITOR is no reply to anything.
      if (command === "ping" || ++writes === 2) throw new Deno.errors.BrokenPipe();
    };
    assertEquals(await runClient(["-p", `${server.port}`, command], terminal), 141);
    assertEquals(terminal.errors, []);
  }
});

Deno.test("a connection that was lost meanwhile is opened again, but not within MULTI", async () => {
  await using server = new ScriptedServer(answer);
  // The input's next line is read only when the one before it was run.
  const results: string[] = [];
  for (const lines of [["ping", "lose", "ping"], ["multi", "lose", "incr a", "ping"]]) {
    const terminal = new FakeTerminal();
    terminal.readLines = () =>
      ReadableStream.from((async function* () {
        for (const line of lines) {
          if (line === "lose") await server.endConnections();
          else yield line;
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
  const arrives = (text: string) => eventually(() => terminal.output.includes(text));
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

Deno.test("push messages don't wait without end for a reply that doesn't come", async () => {
  await using server = new ScriptedServer(() => ">2\r\n$1\r\na\r\n:1\r\n".repeat(1001));
  const terminal = new FakeTerminal("ping\n");
  const finished = runClient(["-p", `${server.port}`, "--show-pushes", "yes"], terminal);
  await eventually(() => terminal.output === "a\n1\n".repeat(1000));
  await server.broadcast("+OK\r\n");
  assertEquals(await finished, 0);
  assertEquals(terminal.output, "a\n1\n".repeat(1001) + "OK\n");
});
