/**
 * CLIENT: the connections of the Sentinel API.
 *
 * @module
 */
import type { SentinelCall } from "./call.ts";
import { parseInteger } from "./call.ts";
import type { SentinelSession } from "./session.ts";

const SUBCOMMANDS: Readonly<Record<string, (call: SentinelCall) => void>> = {
  "getname": (call) => exactly(call, 2, () => getName(call)),
  "help": (call) => exactly(call, 2, () => help(call)),
  "id": (call) => exactly(call, 2, () => call.writer.integer(call.session.id)),
  "info": (call) => exactly(call, 2, () => call.writer.bulk(describe(call, call.session))),
  "kill": kill,
  "list": list,
  "no-evict": (call) => exactly(call, 3, () => noEvict(call)),
  "reply": (call) => exactly(call, 3, () => reply(call)),
  "setname": (call) => exactly(call, 3, () => setName(call)),
};

const HELP = [
  "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "GETNAME | SETNAME <name>",
  "    The name of this connection.",
  "ID | INFO",
  "    The number of this connection, and what is known of it.",
  "KILL <ip:port> | KILL <option> <value> [<option> <value> [...]]",
  "    Close connections, by ID, ADDR, LADDR, TYPE or USER; SKIPME (YES|NO).",
  "LIST [TYPE (NORMAL|PUBSUB)] [ID <id> ...]",
  "    All connections, or some.",
  "NO-EVICT (ON|OFF)",
  "    Nothing is evicted here; for clients that say it.",
  "REPLY (ON|OFF|SKIP)",
  "    Whether replies are sent.",
  "HELP",
  "    These lines.",
];

/** Answers CLIENT. */
export function client(call: SentinelCall): void {
  const name = call.words[1].toLowerCase();
  const run = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined;
  if (run !== undefined) return run(call);
  call.error(`unknown subcommand '${call.words[1].slice(0, 128)}'. Try CLIENT HELP.`);
}

function exactly(call: SentinelCall, count: number, run: () => void): void {
  if (call.words.length === count) return run();
  call.error(`wrong number of arguments for 'client|${call.words[1].toLowerCase()}' command`);
}

function getName({ session, writer }: SentinelCall): void {
  if (session.name === "") writer.nullBulk();
  else writer.bulk(session.name);
}

function setName(call: SentinelCall): void {
  const name = call.words[2];
  if (/[^!-~]/.test(name)) {
    return call.error("Client names cannot contain spaces, newlines or special characters.");
  }
  call.session.name = name;
  call.ok();
}

function help({ writer }: SentinelCall): void {
  writer.array(HELP.length);
  for (const line of HELP) writer.simple(line);
}

function noEvict(call: SentinelCall): void {
  if (/^(on|off)$/i.test(call.words[2])) call.ok();
  else call.error("syntax error");
}

function reply(call: SentinelCall): void {
  const { session } = call;
  switch (call.words[2].toLowerCase()) {
    case "on":
      session.replyMode = "on";
      return call.ok();
    case "off":
      session.replyMode = "off";
      return;
    case "skip":
      if (session.replyMode === "on") session.replyMode = "skip next";
      return;
    default:
      return call.error("syntax error");
  }
}

function typeOf(session: SentinelSession): string {
  return session.subscriptions > 0 ? "pubsub" : "normal";
}

function describe({ server }: SentinelCall, session: SentinelSession): string {
  const now = server.environment.clock.monotonic();
  const seconds = (moment: number) => Math.max(0, Math.floor((now - moment) / 1000));
  const fields: Record<string, string | number> = {
    id: session.id,
    addr: session.connection.remote,
    laddr: session.connection.local,
    fd: -1,
    name: session.name,
    age: seconds(session.since),
    idle: seconds(session.lastActivity),
    flags: session.subscriptions > 0 ? "P" : "N",
    db: 0,
    sub: session.channels.size,
    psub: session.patterns.size,
    ssub: 0,
    multi: -1,
    cmd: session.lastCommand,
    user: "default",
    redir: -1,
    resp: session.resp,
  };
  return Object.entries(fields).map(([name, value]) => `${name}=${value}`).join(" ") + "\n";
}

function list(call: SentinelCall): void {
  const { words, server } = call;
  let sessions = [...server.sessions.values()];
  const option = words[2]?.toLowerCase();
  if (option === "type" && words.length === 4) {
    sessions = sessions.filter((session) => typeOf(session) === words[3].toLowerCase());
  } else if (option === "id" && words.length > 3) {
    const ids = words.slice(3).map(parseInteger);
    if (ids.includes(undefined)) return call.error("Invalid client ID");
    sessions = sessions.filter((session) => ids.includes(session.id));
  } else if (words.length > 2) return call.error("syntax error");
  call.writer.bulk(sessions.map((session) => describe(call, session)).join(""));
}

function kill(call: SentinelCall): void {
  const { words, server, session } = call;
  if (words.length < 3) {
    return call.error("wrong number of arguments for 'client|kill' command");
  }
  const sessions = [...server.sessions.values()];
  if (words.length === 3) {
    const found = sessions.find(({ connection }) => connection.remote === words[2]);
    if (found === undefined) return call.error("No such client");
    found.closeSoon();
    return call.ok();
  }
  if (words.length % 2 !== 0) return call.error("syntax error");
  const tests: ((candidate: SentinelSession) => boolean)[] = [];
  let skipMe = true;
  for (let at = 2; at < words.length; at += 2) {
    const value = words[at + 1];
    switch (words[at].toLowerCase()) {
      case "id": {
        const id = parseInteger(value);
        if (id === undefined || id < 1) return call.error("client-id should be greater than 0");
        tests.push((candidate) => candidate.id === id);
        break;
      }
      case "addr":
        tests.push(({ connection }) => connection.remote === value);
        break;
      case "laddr":
        tests.push(({ connection }) => connection.local === value);
        break;
      case "type":
        tests.push((candidate) => typeOf(candidate) === value.toLowerCase());
        break;
      case "user":
        tests.push(() => value === "default");
        break;
      case "skipme":
        if (!/^(yes|no)$/i.test(value)) return call.error("syntax error");
        skipMe = value.toLowerCase() === "yes";
        break;
      default:
        return call.error("syntax error");
    }
  }
  const matching = sessions.filter((candidate) =>
    !(skipMe && candidate === session) && tests.every((test) => test(candidate))
  );
  call.writer.integer(matching.length);
  for (const candidate of matching) {
    if (candidate === session) queueMicrotask(() => candidate.closeSoon());
    else candidate.close();
  }
}
