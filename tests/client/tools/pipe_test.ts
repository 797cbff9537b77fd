import { assert, assertEquals } from "@std/assert";
import { runClient } from "../../../src/client/cli.ts";
import { latin1Bytes, latin1Text } from "../../../src/client/quoting.ts";
import { encodeRequest } from "../../../src/protocol/request_writer.ts";
import { startReferenceRedis } from "../../support/reference_redis.ts";
import { FakeTerminal } from "../fake_terminal.ts";
import { withServer } from "../own_server.ts";

const SENT = "All data transferred. Waiting for the last reply...\n";
const ANSWERED = "Last reply received from server.\n";

/** What the user sees of a run. */
interface Result {
  code: number;
  output: string;
  errors: string[];
}

/** Runs `--pipe` with this input. */
async function pipe(
  port: number,
  input: string | FakeTerminal,
  ...options: string[]
): Promise<Result> {
  const terminal = typeof input === "string" ? new FakeTerminal(input) : input;
  const code = await runClient(["-p", `${port}`, ...options, "--pipe"], terminal);
  return { code, output: terminal.output, errors: terminal.errors };
}

/** A terminal whose input is these pieces, each made when it is asked for. */
function terminalOf(pieces: Iterable<Uint8Array>): FakeTerminal {
  const terminal = new FakeTerminal();
  const iterator = pieces[Symbol.iterator]();
  let rest = new Uint8Array(0);
  terminal.readInput = (room) => {
    if (rest.length === 0) {
      const next = iterator.next();
      if (next.done) return Promise.resolve(null);
      rest = new Uint8Array(next.value);
    }
    const count = Math.min(rest.length, room.length);
    room.set(rest.subarray(0, count));
    rest = rest.subarray(count);
    return Promise.resolve(count);
  };
  return terminal;
}

function command(...words: string[]): string {
  return latin1Text(encodeRequest(words.map(latin1Bytes)));
}

/** Runs a test at a server that sends this, whatever it gets, and stays there. */
async function withTalker(text: string, test: (port: number) => Promise<void>): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const talking = (async () => {
    for await (const connection of listener) {
      await connection.write(latin1Bytes(text));
      await connection.readable.pipeTo(new WritableStream()).catch(() => {});
    }
  })();
  await test(listener.addr.port);
  listener.close();
  await talking;
}

async function ask(port: number, ...words: string[]): Promise<string> {
  const terminal = new FakeTerminal();
  await runClient(["-p", `${port}`, ...words], terminal);
  return terminal.output;
}

Deno.test("commands are sent, and their replies counted", async () => {
  await withServer(async (port) => {
    function* commands() {
      yield latin1Bytes(command("SELECT", "2"));
      for (let block = 0; block < 100; block++) {
        const lines: string[] = [];
        for (let key = 0; key < 200; key++) {
          lines.push(command("SET", `key:${block * 200 + key}`, "v\r\n\x00"));
        }
        yield latin1Bytes(lines.join(""));
      }
    }
    assertEquals(await pipe(port, terminalOf(commands())), {
      code: 0,
      output: `${SENT}${ANSWERED}errors: 0, replies: 20001\n`,
      errors: [],
    });
    assertEquals(await ask(port, "-n", "2", "dbsize"), "20000\n");
    assertEquals(await ask(port, "-n", "2", "get", "key:19999"), "v\r\n\x00\n");
  });
});

Deno.test("errors are counted and shown as they come, and make the exit code 1", async () => {
  await withServer(async (port) => {
    const input = command("SET", "a", "x") + command("INCR", "a") + "nonsense\r\nGET a\r\n" +
      command("MULTI") + command("INCR", "a") + command("EXEC");
    const { code, output, errors } = await pipe(port, input);
    assertEquals([code, output], [1, `${SENT}${ANSWERED}errors: 2, replies: 7\n`]);
    assertEquals(errors.join("\n").split("\n").map((line) => line.slice(0, 37)), [
      "ERR value is not an integer or out of",
      "ERR unknown command 'nonsense', with ",
    ]);
  });
});

Deno.test("no input at all, and a line without its end", async () => {
  await withServer(async (port) => {
    assertEquals((await pipe(port, "")).output, `${SENT}${ANSWERED}errors: 0, replies: 0\n`);
    const { code, output } = await pipe(port, "SET open line");
    assertEquals([code, output], [0, `${SENT}${ANSWERED}errors: 0, replies: 1\n`]);
    assertEquals(await ask(port, "get", "open"), "line\n");
  });
});

Deno.test("replies that look like the last one aren't, even of the same length", async () => {
  await withServer(async (port) => {
    const input = command("ECHO", "0123456789".repeat(2)).repeat(3) + command("ECHO", "");
    assertEquals(
      (await pipe(port, input)).output,
      `${SENT}${ANSWERED}errors: 0, replies: 4\n`,
    );
  });
});

Deno.test("an input that ends within a bulk is never answered: silence ends it", async () => {
  await withServer(async (port) => {
    const input = command("SET", "a", "b") + "*2\r\n$3\r\nGET\r\n$500\r\nabc";
    assertEquals(await pipe(port, input, "--pipe-timeout", "1"), {
      code: 1,
      output: `${SENT}errors: 1, replies: 1\n`,
      errors: ["No replies for 1 seconds: exiting."],
    });
  });
});

Deno.test("sending and receiving don't wait for each other", async () => {
  await withServer(async (port) => {
    const large = "x".repeat(1 << 20);
    // Neither side could hold these replies, or the commands behind them.
    const rounds = 24;
    function* commands() {
      yield latin1Bytes(command("SET", "large", large));
      for (let round = 0; round < rounds; round++) yield latin1Bytes(command("GET", "large"));
      const set = latin1Bytes(command("SET", "other", large));
      for (let round = 0; round < rounds; round++) yield set;
    }
    assertEquals(
      (await pipe(port, terminalOf(commands()))).output,
      `${SENT}${ANSWERED}errors: 0, replies: ${2 * rounds + 1}\n`,
    );
  });
});

Deno.test("what the server says before it closes is shown", async () => {
  await withServer(async (port) => {
    const terminal = new FakeTerminal(command("PING") + "*1\r\n$x\r\n");
    const first = terminal.readInput.bind(terminal);
    let read = false;
    // The producer stays there, with nothing more to say.
    terminal.readInput = (room) => {
      if (read) return new Promise(() => {});
      read = true;
      return first(room);
    };
    assertEquals(await pipe(port, terminal), {
      code: 1,
      output: "",
      errors: [
        "ERR Protocol error: invalid bulk length",
        "Error: Server closed the connection (errors: 1, replies: 2)",
      ],
    });
  });
});

Deno.test("Ctrl-C says how far it has come", async () => {
  await withServer(async (port) => {
    const terminal = new FakeTerminal();
    let reads = 0;
    terminal.readInput = (room) => {
      if (reads++ > 0) return new Promise(() => {});
      room.set(latin1Bytes("nonsense\r\n"));
      return Promise.resolve(10);
    };
    // The error is the sign that its reply was counted.
    terminal.writeError = (line) => {
      terminal.errors.push(line);
      terminal.interrupt();
    };
    const { code, output, errors } = await pipe(port, terminal);
    assertEquals([code, output, errors.at(-1)], [130, "", "Interrupted (errors: 1, replies: 1)"]);
  });
});

Deno.test("replies that are none, and an input that can't be read", async () => {
  await withTalker("+OK\r\nHTTP/1.1 400\r\n", async (port) => {
    const { code, errors } = await pipe(port, command("PING"));
    assertEquals(code, 1);
    assertEquals(errors, [
      'Error reading replies from server: Protocol error, got "H" as reply type byte, at byte 5 ' +
      "(errors: 0, replies: 1)",
    ]);
  });
  await withTalker("", async (port) => {
    const terminal = new FakeTerminal();
    terminal.readInput = () =>
      Promise.reject(new Deno.errors.IsADirectory("Is a directory (os error 21)"));
    assertEquals(await pipe(port, terminal), {
      code: 1,
      output: "",
      errors: ["Error reading from stdin: Is a directory (errors: 0, replies: 0)"],
    });
  });
});

Deno.test("no server, a wrong password, and one that is right", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  assertEquals((await pipe(port, "PING\r\n")).errors, [
    `Could not connect to Redis at 127.0.0.1:${port}: Connection refused`,
  ]);
  await withServer(async (port) => {
    await ask(port, "config", "set", "requirepass", "secret");
    const options = ["-n", "3", "-3", "--no-auth-warning", "-a"];
    const refused = await pipe(port, "SET a b\r\n", ...options, "wrong");
    assertEquals([refused.code, refused.output], [1, ""]);
    assertEquals(refused.errors, [
      "AUTH failed: WRONGPASS invalid username-password pair or user is disabled.",
    ]);
    const accepted = await pipe(port, "SET a b\r\nHELLO\r\n", ...options, "secret");
    assertEquals([accepted.code, accepted.errors], [0, []]);
    assertEquals(await ask(port, "-a", "secret", "-n", "3", "get", "a"), "b\n");
  });
});

Deno.test("push messages answer nothing, and are shown if they are to be", async () => {
  await withServer(async (port) => {
    const input = "CLIENT TRACKING ON\r\nGET a\r\nSET a b\r\n";
    const { output } = await pipe(port, input, "-3", "--show-pushes", "yes");
    assert(output.includes("invalidate\na\n"), output);
    assert(output.endsWith("errors: 0, replies: 3\n"), output);
  });
});

Deno.test("a bar is shown where somebody sees it, and only there", async () => {
  await withServer(async (port) => {
    for (const atTerminal of [true, false]) {
      const terminal = new FakeTerminal();
      terminal.errorIsTerminal = atTerminal;
      terminal.windowColumns = 80;
      terminal.inputLength = () => Promise.resolve(4 << 20);
      const piece = latin1Bytes(command("ECHO", "x".repeat(100_000)));
      let reads = 0;
      terminal.readInput = async (room) => {
        // Longer than it takes until the bar is drawn.
        await new Promise((resolve) => setTimeout(resolve, 60));
        room.set(piece);
        return reads++ < 4 ? piece.length : null;
      };
      assertEquals((await pipe(port, terminal)).code, 0);
      assertEquals(terminal.errorText.startsWith("\rSending  "), atTerminal);
      if (!atTerminal) assertEquals(terminal.errorText, "");
      else assert(terminal.errorText.endsWith(" \r"), "nothing is left of it");
    }
  });
});

Deno.test("the same as redis-cli, at a redis-server", async () => {
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  const inputs = [
    "",
    command("SET", "a", "b").repeat(1000),
    "SET a b\r\nnonsense\r\nGET a\nGET",
    command("MULTI") + command("INCR", "a") + command("EXEC") + command("GET", "a", "b"),
    command("ECHO", "0123456789".repeat(2)) + command("KEYS", "*") + "\r\n\r\n",
    command("SET", "big", "y".repeat(300_000)) + command("GET", "big").repeat(50),
  ];
  for (const input of inputs) {
    for (const options of [[], ["-3"], ["-n", "2"]]) {
      await redis.ask("FLUSHALL");
      const args = ["-s", redis.path, ...options, "--pipe"];
      const child = new Deno.Command("redis-cli", {
        args,
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(latin1Bytes(input));
      await writer.close();
      const { code, stdout, stderr } = await child.output();
      await redis.ask("FLUSHALL");
      const terminal = new FakeTerminal(input);
      const ours = await runClient(args, terminal);
      const decoder = new TextDecoder();
      assertEquals(
        {
          code: ours,
          output: terminal.output,
          errors: terminal.errors.map((line) => line + "\n").join(""),
        },
        { code, output: decoder.decode(stdout), errors: decoder.decode(stderr) },
        input.slice(0, 80),
      );
    }
  }
});
