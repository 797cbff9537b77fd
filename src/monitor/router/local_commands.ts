/**
 * Commands about a client's own connection: the router answers them, since the client shares its connections to nodes with others.
 *
 * @module
 */
import type { RequestFrame } from "../../protocol/request_parser.ts";
import { REDIS_VERSION } from "../../runtime/version.ts";
import { describeSession } from "./client_lines.ts";
import type { Router } from "./router.ts";
import type { RouterNode } from "./node.ts";
import type { Route } from "./routes.ts";
import type { RouterSession } from "./session.ts";
import { REPLY_OFF, REPLY_ON, REPLY_SKIP } from "./session_host.ts";
import { Subscriber } from "./subscriber.ts";

/** What became of a command: it was answered, it has to wait, or it is to be sent to a node. */
export type LocalAnswer = "done" | "wait" | "send";

const decoder = new TextDecoder();
const WRONG_PASSWORD = "WRONGPASS invalid username-password pair or user is disabled.";
const NO_PASSWORD =
  "ERR AUTH <password> called without any password configured for the default user. " +
  "Are you sure your configuration is correct?";
const NOT_AUTHENTICATED = "NOAUTH Authentication required.";
const BAD_NAME = "ERR Client names cannot contain spaces, newlines or special characters.";
const SYNTAX = "ERR syntax error";
const NO_DATABASE = "ERR DB index is out of range";
/** When a node doesn't say what it is asked, it is asked again after so long. */
const ASK_AGAIN_MS = 20;
/** May be sent by those who haven't given the password. */
const BEFORE_PASSWORD: ReadonlySet<string> = new Set(["auth", "hello", "quit", "reset"]);

/** A command as its handler sees it. */
class Call {
  readonly words: readonly string[];

  constructor(
    readonly router: Router,
    readonly session: RouterSession,
    readonly route: Route,
    readonly bytes: Uint8Array,
    readonly frame: RequestFrame,
  ) {
    this.words = Array.from({ length: frame.argc }, (_, index) => {
      const start = frame.starts[index];
      return decoder.decode(bytes.subarray(start, start + frame.lengths[index]));
    });
  }

  ok(): LocalAnswer {
    return this.say("+OK\r\n");
  }

  say(reply: string): LocalAnswer {
    this.session.reply(reply);
    return "done";
  }

  error(text: string): LocalAnswer {
    this.router.sayError(this.session, text);
    return "done";
  }
}

/** Answers a command that is about the client's connection, or says why it may not be sent. */
export function answerLocally(
  router: Router,
  session: RouterSession,
  route: Route,
  bytes: Uint8Array,
  frame: RequestFrame,
): LocalAnswer {
  const call = new Call(router, session, route, bytes, frame);
  if (!session.isAuthenticated && !BEFORE_PASSWORD.has(route.name)) {
    return call.error(NOT_AUTHENTICATED);
  }
  const handler = HANDLERS[route.name];
  return handler === undefined ? "send" : handler(call);
}

const HANDLERS: Readonly<Record<string, (call: Call) => LocalAnswer>> = {
  auth,
  client,
  hello,
  ping,
  quit,
  reset,
  select,
};

function wrongNumber(call: Call): LocalAnswer {
  return call.error(`ERR wrong number of arguments for '${call.route.name}' command`);
}

function ping(call: Call): LocalAnswer {
  const { words } = call;
  if (words.length > 2) return wrongNumber(call);
  return words.length === 1 ? call.say("+PONG\r\n") : sayBytes(call, 1);
}

function quit(call: Call): LocalAnswer {
  call.session.replyMode = REPLY_ON;
  call.ok();
  call.session.isClosing = true;
  return "done";
}

function reset({ session, router }: Call): LocalAnswer {
  session.name = "";
  session.database = 0;
  session.resp = 2;
  session.replyMode = REPLY_ON;
  session.noEvict = false;
  session.isAuthenticated = router.options.requirePass === "";
  session.reply("+RESET\r\n");
  return "done";
}

function auth(call: Call): LocalAnswer {
  const { router, session, words } = call;
  if (words.length < 2) return wrongNumber(call);
  if (words.length > 3) return call.error(SYNTAX);
  if (words.length === 2 && router.options.requirePass === "") return call.error(NO_PASSWORD);
  const user = words.length === 3 ? words[1] : "default";
  if (!isPassword(router, user, words[words.length - 1])) return call.error(WRONG_PASSWORD);
  session.isAuthenticated = true;
  return call.ok();
}

/** Without a password, any will do for the default user, as for Redis. */
function isPassword({ options: { requirePass } }: Router, user: string, password: string): boolean {
  return user === "default" && (requirePass === "" || isSameText(password, requirePass));
}

/** Takes the same time whatever the first difference is. */
function isSameText(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let index = 0; index < one.length; index++) {
    difference |= one.charCodeAt(index) ^ other.charCodeAt(index % Math.max(1, other.length));
  }
  return difference === 0;
}

function hello(call: Call): LocalAnswer {
  const { router, session, words } = call;
  let resp = session.resp;
  let index = 1;
  if (words.length > 1) {
    if (!/^-?\d+$/.test(words[1])) {
      return call.error("ERR Protocol version is not an integer or out of range");
    }
    if (words[1] !== "2" && words[1] !== "3") {
      return call.error("NOPROTO unsupported protocol version");
    }
    resp = words[1] === "2" ? 2 : 3;
    index = 2;
  }
  for (; index < words.length; index++) {
    const option = words[index].toUpperCase();
    const more = words.length - index - 1;
    if (option === "AUTH" && more >= 2) {
      if (!isPassword(router, words[index + 1], words[index + 2])) {
        return call.error(WRONG_PASSWORD);
      }
      session.isAuthenticated = true;
      index += 2;
    } else if (option === "SETNAME" && more >= 1) {
      if (!isGoodName(words[++index])) return call.error(BAD_NAME);
      session.name = words[index];
    } else return call.error(`ERR Syntax error in HELLO option '${words[index]}'`);
  }
  if (!session.isAuthenticated) {
    return call.error(
      "NOAUTH HELLO must be called with the client already authenticated, otherwise the " +
        "HELLO AUTH <user> <pass> option can be used to authenticate the client and " +
        "select the RESP protocol version at the same time",
    );
  }
  session.resp = resp;
  const entries = [
    ["server", bulk("redis")],
    ["version", bulk(REDIS_VERSION)],
    ["proto", `:${resp}\r\n`],
    ["id", `:${session.id}\r\n`],
    ["mode", bulk("standalone")],
    ["role", bulk("master")],
    ["modules", "*0\r\n"],
  ];
  const head = resp === 3 ? `%${entries.length}\r\n` : `*${entries.length * 2}\r\n`;
  return call.say(head + entries.map(([name, value]) => bulk(name) + value).join(""));
}

function select(call: Call): LocalAnswer {
  const { router, session, words } = call;
  if (words.length !== 2) return wrongNumber(call);
  if (!/^-?\d{1,10}$/.test(words[1])) {
    return call.error("ERR value is not an integer or out of range");
  }
  const number = Number(words[1]);
  if (router.databases.has(number)) {
    session.database = number;
    session.heldSinceMs = -1;
    return call.ok();
  }
  if (number < 0 || number >= router.databaseLimit) return call.error(NO_DATABASE);
  const { master } = router.topology;
  const { heldSinceMs } = session;
  const isLate = heldSinceMs >= 0 && router.nowMs - heldSinceMs >= router.options.holdMs;
  if (master === null || !master.isUsable || isLate) {
    const { bytes, frame } = call;
    const { start, position: end } = frame;
    const group = { bytes, start, end, count: 1, writes: 0, toMaster: true };
    return router.holding.hold(session, group) ? "done" : "wait";
  }
  if (heldSinceMs < 0) session.heldSinceMs = router.nowMs;
  askForDatabase(call, master, number);
  return "wait";
}

/** The node knows how many databases there are. When it has answered, or is gone, the command is looked at again. */
async function askForDatabase(
  { session, router }: Call,
  master: RouterNode,
  number: number,
): Promise<void> {
  session.isAsking = true;
  const answer = await master.ask("SELECT", number).catch(() => "");
  if (answer === "OK") router.databases.add(number);
  else if (answer === NO_DATABASE) router.databaseLimit = Math.min(router.databaseLimit, number);
  else {
    master.hurry();
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
  session.isAsking = false;
  router.tick();
  session.process();
  router.flushClients();
}

function client(call: Call): LocalAnswer {
  const { words, session, router } = call;
  const subcommand = (words[1] ?? "").toLowerCase();
  const { length } = words;
  switch (subcommand) {
    case "id":
      if (length === 2) return call.say(`:${session.id}\r\n`);
      break;
    case "getname":
      if (length === 2) return call.say(session.name === "" ? none(session) : bulk(session.name));
      break;
    case "setname":
      if (length !== 3) break;
      if (!isGoodName(words[2])) return call.error(BAD_NAME);
      session.name = words[2];
      return call.ok();
    case "reply":
      if (length === 3) return clientReply(call);
      break;
    case "no-evict":
      if (length !== 3) break;
      if (!/^(on|off)$/i.test(words[2])) return call.error(SYNTAX);
      session.noEvict = words[2].toLowerCase() === "on";
      return call.ok();
    case "info":
      if (length === 2) return sayText(call, `${describeSession(session, router)}\n`);
      break;
    case "list":
      return clientList(call);
    case "kill":
      if (length >= 3) return clientKill(call);
      break;
    case "tracking":
      if (length >= 3 && words[2].toLowerCase() === "on") {
        if (session.own !== null) {
          return call.error(
            "ERR CLIENT TRACKING between WATCH and EXEC is not sent on by the monitor",
          );
        }
        const { bytes, frame, route } = call;
        return Subscriber.begin(router, session, { ...route, name: "client" }, bytes, frame)
          ? "done"
          : "wait";
      }
      if (length === 3 && words[2].toLowerCase() === "off") return call.ok();
      break;
  }
  return "send";
}

function clientReply(call: Call): LocalAnswer {
  const { words, session, router } = call;
  switch (words[2].toLowerCase()) {
    case "on":
      session.replyMode = REPLY_ON;
      return call.ok();
    case "off":
      session.replyMode = REPLY_OFF;
      return "done";
    case "skip":
      router.skipsNext = true;
      if (session.replyMode !== REPLY_OFF) session.replyMode = REPLY_SKIP;
      return "done";
  }
  return call.error(SYNTAX);
}

function clientList(call: Call): LocalAnswer {
  const { words, router } = call;
  let sessions = [...router.sessions.values()];
  const option = words[2]?.toLowerCase();
  if (option === "type" && words.length === 4) {
    const type = words[3].toLowerCase();
    if (!/^(normal|master|replica|slave|pubsub)$/.test(type)) {
      return call.error(`ERR Unknown client type '${words[3]}'`);
    }
    sessions = sessions.filter((session) => typeOf(session) === type);
  } else if (option === "id" && words.length > 3) {
    const ids = words.slice(3).map(Number);
    if (!ids.every(Number.isSafeInteger)) return call.error("ERR Invalid client ID");
    sessions = sessions.filter(({ id }) => ids.includes(id));
  } else if (words.length !== 2) return call.error(SYNTAX);
  return sayText(call, sessions.map((one) => `${describeSession(one, router)}\n`).join(""));
}

function typeOf(session: RouterSession): string {
  return session.own instanceof Subscriber ? "pubsub" : "normal";
}

function clientKill(call: Call): LocalAnswer {
  const { words, router, session } = call;
  const sessions = [...router.sessions.values()];
  if (words.length === 3) {
    const found = sessions.find(({ connection }) => connection.remote === words[2]);
    if (found === undefined) return call.error("ERR No such client");
    kill(session, found);
    return call.ok();
  }
  if (words.length % 2 === 1) return call.error(SYNTAX);
  let skipsMe = true;
  let matching = sessions;
  for (let index = 2; index < words.length; index += 2) {
    const value = words[index + 1];
    switch (words[index].toLowerCase()) {
      case "id":
        if (!/^[1-9]\d*$/.test(value)) {
          return call.error("ERR client-id should be greater than 0");
        }
        matching = matching.filter(({ id }) => id === Number(value));
        break;
      case "addr":
        matching = matching.filter(({ connection }) => connection.remote === value);
        break;
      case "laddr":
        matching = matching.filter(({ connection }) => connection.local === value);
        break;
      case "type":
        matching = matching.filter((one) => typeOf(one) === value.toLowerCase());
        break;
      case "user":
        if (value !== "default") return call.error(`ERR No such user '${value}'`);
        break;
      case "skipme":
        if (!/^(yes|no)$/i.test(value)) return call.error(SYNTAX);
        skipsMe = value.toLowerCase() === "yes";
        break;
      default:
        return call.error(SYNTAX);
    }
  }
  if (skipsMe) matching = matching.filter((one) => one !== session);
  call.say(`:${matching.length}\r\n`);
  for (const one of matching) kill(session, one);
  return "done";
}

function kill(self: RouterSession, session: RouterSession): void {
  if (session === self) session.isClosing = true;
  else session.close();
}

function isGoodName(name: string): boolean {
  return /^[!-~]*$/.test(name);
}

function bulk(text: string): string {
  return `$${new TextEncoder().encode(text).length}\r\n${text}\r\n`;
}

function none({ resp }: RouterSession): string {
  return resp === 3 ? "_\r\n" : "$-1\r\n";
}

/** Text for people: RESP3 says that it is such. */
function sayText(call: Call, text: string): LocalAnswer {
  if (call.session.resp === 2) return call.say(bulk(text));
  const size = new TextEncoder().encode(text).length + 4;
  return call.say(`=${size}\r\ntxt:${text}\r\n`);
}

/** An argument as a bulk, whatever its bytes. */
function sayBytes({ bytes, frame, session }: Call, index: number): LocalAnswer {
  const start = frame.starts[index];
  const length = frame.lengths[index];
  const head = new TextEncoder().encode(`$${length}\r\n`);
  const reply = new Uint8Array(head.length + length + 2);
  reply.set(head);
  reply.set(bytes.subarray(start, start + length), head.length);
  reply.set([13, 10], head.length + length);
  session.reply(reply);
  return "done";
}
