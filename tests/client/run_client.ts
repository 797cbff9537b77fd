import { runClient } from "../../src/client/cli.ts";
import { FakeTerminal } from "./fake_terminal.ts";
import { type Answer, ScriptedServer } from "./scripted_server.ts";

/** A server with some commands whose replies are of different kinds. */
export function answer(words: string[]): Answer {
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

/** What a run of the client left behind. */
export interface Result {
  code: number;
  output: string;
  errors: string[];
  commands: string[];
}

/** What a run of the client finds. */
export interface Surroundings {
  input?: string;
  atTerminal?: boolean;
  secret?: string;
  variables?: Record<string, string>;
  answer?: (words: string[]) => Answer;
}

/** Runs the client against a server; `PORT` in the results stands for the server's port. */
export async function run(args: string[], surroundings: Surroundings = {}): Promise<Result> {
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
