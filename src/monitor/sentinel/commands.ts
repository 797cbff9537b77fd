/**
 * The commands of the Sentinel API besides SENTINEL: those that redis-sentinel knows, and QUIT.
 *
 * @module
 */
import { REDIS_VERSION } from "../../runtime/version.ts";
import { HELLO_CHANNEL } from "../control/hello.ts";
import { receiveHello } from "../control/peers.ts";
import { acl } from "./acl_command.ts";
import type { SentinelCall } from "./call.ts";
import { parseInteger } from "./call.ts";
import { client } from "./client_command.ts";
import { command } from "./command_command.ts";
import { info } from "./info_command.ts";
import { sentinel } from "./sentinel_command.ts";

/** A command: how many words it has (negative: at least so many), and what it does. */
interface Command {
  readonly arity: number;
  run(call: SentinelCall): void | Promise<void>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  "acl": { arity: -2, run: acl },
  "auth": { arity: -2, run: auth },
  "client": { arity: -2, run: client },
  "command": { arity: -1, run: command },
  "hello": { arity: -1, run: hello },
  "info": { arity: -1, run: info },
  "ping": { arity: -1, run: ping },
  "psubscribe": { arity: -2, run: (call) => subscribe(call, "psubscribe") },
  "publish": { arity: 3, run: publish },
  "punsubscribe": { arity: -1, run: (call) => unsubscribe(call, "punsubscribe") },
  "quit": { arity: -1, run: quit },
  "role": { arity: 1, run: role },
  "sentinel": { arity: -2, run: sentinel },
  "shutdown": { arity: -1, run: shutdown },
  "subscribe": { arity: -2, run: (call) => subscribe(call, "subscribe") },
  "unsubscribe": { arity: -1, run: (call) => unsubscribe(call, "unsubscribe") },
};

/** May be sent by those who haven't given the password. */
const BEFORE_PASSWORD: ReadonlySet<string> = new Set(["auth", "hello", "quit"]);
/** May be sent in RESP2 by those who have subscribed. */
const WHILE_SUBSCRIBED: ReadonlySet<string> = new Set(
  ["subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ping", "quit"],
);

const WRONG_PASSWORD = "WRONGPASS invalid username-password pair or user is disabled.";
const NO_PASSWORD =
  "AUTH <password> called without any password configured for the default user. " +
  "Are you sure your configuration is correct?";
const HELLO_FIRST =
  "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH " +
  "<user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time";
/** How much of a command that isn't known is said back. */
const LONGEST_QUOTE = 128;

/** Answers a command; a promise if that takes a while. */
export function answerCommand(call: SentinelCall): void | Promise<void> {
  const { words, session } = call;
  const name = words[0].toLowerCase();
  const found = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (found === undefined) return call.error(unknownCommand(words));
  if (found.arity > 0 ? words.length !== found.arity : words.length < -found.arity) {
    return call.error(`wrong number of arguments for '${name}' command`);
  }
  session.lastCommand = name;
  if (!session.authenticated && !BEFORE_PASSWORD.has(name)) {
    return call.writer.error("NOAUTH Authentication required.");
  }
  if (session.resp === 2 && session.subscriptions > 0 && !WHILE_SUBSCRIBED.has(name)) {
    return call.error(
      `Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
    );
  }
  return found.run(call);
}

function unknownCommand(words: readonly string[]): string {
  let args = "";
  for (const word of words.slice(1)) {
    if (args.length >= LONGEST_QUOTE) break;
    args += `'${word.slice(0, LONGEST_QUOTE - args.length)}' `;
  }
  return `unknown command '${words[0].slice(0, LONGEST_QUOTE)}', with args beginning with: ${args}`;
}

function ping(call: SentinelCall): void {
  const { writer, words, session } = call;
  if (words.length > 2) return call.error("wrong number of arguments for 'ping' command");
  if (session.resp === 2 && session.subscriptions > 0) {
    writer.array(2);
    writer.bulk("pong");
    return writer.bulk(words[1] ?? "");
  }
  if (words.length === 2) writer.bulk(words[1]);
  else writer.simple("PONG");
}

function auth(call: SentinelCall): void {
  const { words, session, server } = call;
  if (words.length > 3) return call.error("syntax error");
  if (words.length === 2 && server.options.sentinelRequirePass === "") {
    return call.error(NO_PASSWORD);
  }
  const [user, password] = words.length === 2 ? ["default", words[1]] : [words[1], words[2]];
  if (!isRight(call, user, password)) return call.writer.error(WRONG_PASSWORD);
  session.authenticated = true;
  call.ok();
}

/** There is one user, whose password may be any if none is set. */
function isRight({ server }: SentinelCall, user: string, password: string): boolean {
  const { sentinelRequirePass } = server.options;
  return user === "default" && (sentinelRequirePass === "" || sentinelRequirePass === password);
}

function hello(call: SentinelCall): void {
  const { words, session, writer } = call;
  let resp = session.resp;
  let at = 1;
  if (words.length > 1) {
    const version = parseInteger(words[at++]);
    if (version === undefined) {
      return call.error("Protocol version is not an integer or out of range");
    }
    if (version !== 2 && version !== 3) {
      return writer.error("NOPROTO unsupported protocol version");
    }
    resp = version;
  }
  let name: string | undefined;
  while (at < words.length) {
    const option = words[at].toLowerCase();
    if (option === "auth" && at + 2 < words.length) {
      if (!isRight(call, words[at + 1], words[at + 2])) return writer.error(WRONG_PASSWORD);
      session.authenticated = true;
      at += 3;
    } else if (option === "setname" && at + 1 < words.length) {
      name = words[at + 1];
      at += 2;
    } else return call.error(`Syntax error in HELLO option '${words[at]}'`);
  }
  if (!session.authenticated) return writer.error(HELLO_FIRST);
  if (name !== undefined) session.name = name;
  session.resp = writer.resp = resp;
  writer.map(6);
  for (const [key, value] of [["server", "redis"], ["version", REDIS_VERSION]]) {
    writer.bulk(key);
    writer.bulk(value);
  }
  writer.bulk("proto");
  writer.integer(resp);
  writer.bulk("id");
  writer.integer(session.id);
  writer.bulk("mode");
  writer.bulk("sentinel");
  writer.bulk("modules");
  writer.array(0);
}

function role({ writer, host }: SentinelCall): void {
  host.call((context) => {
    writer.array(2);
    writer.bulk("sentinel");
    writer.array(context.groups.size);
    for (const name of context.groups.keys()) writer.bulk(name);
  });
}

function publish(call: SentinelCall): void {
  const [, channel, message] = call.words;
  if (channel !== HELLO_CHANNEL) {
    return call.error("Only HELLO messages are accepted by Sentinel instances.");
  }
  call.host.call((context) => receiveHello(context, message));
  call.writer.integer(1);
}

function subscribe({ session, words, writer }: SentinelCall, kind: string): void {
  for (const name of words.slice(1)) {
    if (kind === "subscribe") session.channels.add(name);
    else session.addPattern(name);
    writer.push(3);
    writer.bulk(kind);
    writer.bulk(name);
    writer.integer(session.subscriptions);
  }
}

function unsubscribe({ session, words, writer }: SentinelCall, kind: string): void {
  const from = kind === "unsubscribe" ? session.channels : session.patterns;
  const names = words.length > 1 ? words.slice(1) : [...from.keys()];
  for (const name of names.length > 0 ? names : [null]) {
    if (name !== null) from.delete(name);
    writer.push(3);
    writer.bulk(kind);
    if (name === null) writer.nullBulk();
    else writer.bulk(name);
    writer.integer(session.subscriptions);
  }
}

function quit(call: SentinelCall): void {
  call.ok();
  queueMicrotask(() => call.session.closeSoon());
}

function shutdown(call: SentinelCall): void {
  const known = new Set(["nosave", "save", "now", "force"]);
  if (!call.words.slice(1).every((word) => known.has(word.toLowerCase()))) {
    return call.error("syntax error");
  }
  call.server.environment.logger.log("warning", "User requested shutdown...");
  call.host.exit(0);
}
