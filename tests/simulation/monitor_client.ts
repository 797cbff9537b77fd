/**
 * A client of a monitor's router: it writes, reads what it has written, and knows what it may be told.
 *
 * All that it writes are *tokens*, each of them once: appended to one string, or set at a key of its own, alone or both in a transaction.
 * So whatever is read tells which of its writes are there, and which twice.
 *
 * - A write that was answered without an error is in all that is read by commands behind it, on the same connection.
 * - A write that was refused ("the command was not carried out") is nowhere, ever; one of unknown outcome may be anywhere, but once.
 * - What stands behind a command is not in its answer, unless its own outcome is unknown, too: then the command was asked once more.
 * - Each command has one answer, in the order of the commands: each reads keys whose values nobody else has.
 *
 * @module
 */
import type { Consistency } from "../../src/monitor/options.ts";
import { type PlainValue, plainValue, type Reply } from "../../src/protocol/reply.ts";
import type { Sockets } from "../../src/runtime/sockets.ts";
import type { RandomSource } from "../fuzz/random_source.ts";
import { type MonitorNode, ROUTER_PORT } from "./monitor_node.ts";
import { NetworkClient, type Words } from "./network_client.ts";

/** Commands of one client that wait for their replies. */
const UNANSWERED_AT_MOST = 20;
const TOKENS = /~[^;]*;/g;

/** What has become of a write. */
type Outcome = "sent" | "done" | "refused" | "unknown";

/** A write. */
interface Write {
  readonly token: string;
  /** The number of the command that brings it. */
  readonly number: number;
  /** The number of the command whose reply says what has become of it: EXEC's, in a transaction. */
  saidBy: number;
  outcome: Outcome;
  /** Whether it is appended to the common string; else it stands at a key of its own. */
  readonly isAppended: boolean;
  /** Which data this is about: with failovers that lose writes, only what was written since the last one must be there. */
  readonly generation: number;
  /** Which of its connections it has come on: only on that the client may count on reading it. */
  readonly connection: number;
  /** Whether a command before it has seen it: that can only be one that was asked once more, since both had lost their connection. */
  wasForeseen: boolean;
}

/** What a client needs of the simulation. */
export interface ClientHost {
  readonly random: RandomSource;
  readonly sockets: Sockets;
  readonly consistency: Consistency;
  /** It changes when answered writes may have been lost. */
  readonly generation: number;
  readonly trace: (line: string) => void;
  /** Something has gone wrong that must not. */
  fail(message: string): void;
}

/** See the head of this file. */
export class RoutedClient {
  readonly name: string;
  /** Replies so far that were no errors; and writes that were done. */
  answered = 0;
  done = 0;
  /** Errors so far. */
  refused = 0;
  unknown = 0;
  private readonly writes: Write[] = [];
  private readonly byToken = new Map<string, Write>();
  private client: NetworkClient | null = null;
  /** Which life of the monitor it is connected to; 0 for none that ran. */
  private life = 0;
  /** Connections and commands so far. */
  private connections = 0;
  private commands = 0;
  private readonly speaksThree: boolean;

  /** Client number `number`, of one monitor's router. */
  constructor(
    readonly number: number,
    readonly node: MonitorNode,
    private readonly host: ClientHost,
  ) {
    this.name = `c${number}`;
    this.speaksThree = host.random.chance(0.3);
  }

  /** How many commands wait for their reply. */
  get unanswered(): number {
    return this.client?.unanswered ?? 0;
  }

  /** The writes that were answered, by token: all of them must be there in the end. */
  get kept(): string[] {
    return this.writes.filter(({ outcome }) => outcome === "done").map(({ token }) => token);
  }

  /** The name of the string that it appends to. */
  get appendedKey(): string {
    return `${this.name}:a`;
  }

  /** The key of a token that isn't appended. */
  keyOf(token: string): string {
    return `${this.name}:s:${token.slice(token.indexOf("-") + 1, -1)}`;
  }

  /** Sends up to `burst` things at once. */
  act(burst: number): void {
    if (!this.connect() || this.unanswered > UNANSWERED_AT_MOST) return;
    const { host: { random } } = this;
    for (let count = random.between(1, burst); count > 0; count--) this.actOnce(random);
  }

  /** Whether a router that runs has closed its connection. */
  check(): void {
    const { client, life, node } = this;
    if (client === null || !client.isOver) return;
    this.client = null;
    if (life === 0 || !node.isRunning || node.lives !== life) return;
    this.host.fail(`${this.name} was disconnected by ${node.address}, which runs`);
  }

  /** Its monitor has ended: nothing more comes. */
  leave(): void {
    this.client?.end();
    this.client = null;
  }

  /** Compares what a master has with what it may have. `keyed` reads a key. */
  compare(where: string, keyed: (key: string) => string | undefined, generation: number): void {
    const appended = this.tokensIn(keyed(this.appendedKey) ?? "", where);
    for (const { outcome, token, isAppended, generation: own } of this.writes) {
      if (own !== generation && outcome !== "refused") continue;
      if (outcome !== "done" && outcome !== "refused") continue;
      const isThere = isAppended ? appended.has(token) : keyed(this.keyOf(token)) !== undefined;
      if (isThere === (outcome === "done")) continue;
      this.host.fail(
        outcome === "done"
          ? `${where} doesn't have ${token}, which was answered`
          : `${where} has ${token}, of which was said that it was not carried out`,
      );
    }
  }

  /** A client to send on; false if there is none now. */
  private connect(): boolean {
    const { host, node } = this;
    this.check();
    if (this.client !== null) return true;
    if (!node.isRunning && host.random.chance(0.8)) return false;
    this.life = node.isRunning ? node.lives : 0;
    this.connections++;
    this.client = new NetworkClient(host.sockets, node.address, ROUTER_PORT);
    if (this.speaksThree) this.send(["HELLO", 3], () => {});
    return true;
  }

  private actOnce(random: RandomSource): void {
    const dice = random.below(100);
    if (dice < 30) this.write(true);
    else if (dice < 45) this.write(false);
    else if (dice < 55) this.transact(random);
    else if (dice < 75) this.readAppended();
    else if (dice < 93) this.readOne(random);
    else if (dice < 95) this.send(["PING"], (value) => this.mustBe("PING", value, "PONG"));
    else if (dice < 97) this.send(["WAIT", 1, 20], (value) => this.mustBeNumber("WAIT", value));
    else {
      this.send(["BLPOP", `${this.name}:none`, "0.03"], (value) => {
        this.mustBe("BLPOP", value, null);
      });
    }
  }

  /** A new write, which the next command brings. */
  private newWrite(isAppended: boolean): Write {
    const token = `~${this.name}-${this.writes.length + 1};`;
    const number = this.commands + 1;
    const write: Write = {
      token,
      number,
      saidBy: number,
      outcome: "sent",
      isAppended,
      generation: this.host.generation,
      connection: this.connections,
      wasForeseen: false,
    };
    this.writes.push(write);
    this.byToken.set(token, write);
    return write;
  }

  private commandFor({ isAppended, token }: Write): Words {
    return isAppended ? ["APPEND", this.appendedKey, token] : ["SET", this.keyOf(token), token];
  }

  private write(isAppended: boolean): Write {
    const write = this.newWrite(isAppended);
    this.send(this.commandFor(write), (value) => this.settle(write, value));
    return write;
  }

  /** Two writes at once. */
  private transact(random: RandomSource): void {
    if (random.chance(0.3)) this.send(["WATCH", this.appendedKey], () => {});
    this.send(["MULTI"], () => {});
    /** Those that wait for EXEC, and not for a reply of their own since MULTI has failed. */
    const queued: Write[] = [];
    const both = [true, false].map((isAppended) => {
      const write = this.newWrite(isAppended);
      this.send(this.commandFor(write), (value) => {
        if (value === "QUEUED") queued.push(write);
        else this.settle(write, value);
      });
      return write;
    });
    // Who looks before EXEC is answered doesn't find it answered.
    for (const write of both) write.saidBy = this.commands + 1;
    this.send(["EXEC"], (value) => {
      for (const write of queued) this.settle(write, value);
    });
  }

  /** A write was answered. */
  private settle(write: Write, value: PlainValue | undefined): void {
    if (value === undefined) write.outcome = "unknown";
    else if (value === null) write.outcome = "refused";
    else if (!(value instanceof Error)) {
      write.outcome = "done";
      this.done++;
      if (write.wasForeseen && this.host.consistency !== "eventual") {
        this.host.fail(`${this.name} has read ${write.token} before it has written it`);
      }
    } else write.outcome = /^(UNCERTAIN)/.test(value.message) ? "unknown" : "refused";
  }

  private readAppended(): void {
    const number = this.commands + 1;
    this.send(["GET", this.appendedKey], (value) => {
      if (value === undefined || value instanceof Error) return;
      const found = this.tokensIn(String(value ?? ""), `the answer to ${this.name}`);
      this.checkRead(number, (write) => write.isAppended ? found.has(write.token) : undefined);
    });
  }

  /** Reads what was set lately. */
  private readOne(random: RandomSource): void {
    const set = this.writes.filter(({ isAppended }) => !isAppended);
    const write = set[set.length - 1 - random.below(Math.min(4, set.length))];
    if (write === undefined) return;
    const number = this.commands + 1;
    this.send(["GET", this.keyOf(write.token)], (value) => {
      if (value === undefined || value instanceof Error) return;
      if (value !== null && value !== write.token) {
        this.host.fail(`${this.name} has asked for ${write.token} and got ${value}`);
      }
      this.checkRead(number, (other) => other === write ? value !== null : undefined);
    });
  }

  /** Compares an answer with what was answered before it: `has` says what it shows of a write. */
  private checkRead(number: number, has: (write: Write) => boolean | undefined): void {
    const { host } = this;
    for (const write of this.writes) {
      const isThere = has(write);
      if (isThere === undefined) continue;
      if (isThere && write.number > number) write.wasForeseen = true;
      if (isThere && write.outcome === "refused") {
        host.fail(`${this.name} has read ${write.token}, which was refused`);
      }
      const mustBe = write.outcome === "done" && write.saidBy < number &&
        write.generation === host.generation && write.connection === this.connections &&
        host.consistency !== "eventual";
      if (mustBe && !isThere) {
        host.fail(`${this.name} hasn't read ${write.token}, which it had written before (stale)`);
      }
    }
  }

  /** The tokens in a string, none of them twice. */
  private tokensIn(text: string, where: string): Set<string> {
    const found = new Set<string>();
    for (const [token] of text.matchAll(TOKENS)) {
      if (!this.byToken.has(token)) this.host.fail(`${where} has ${token}, which nobody has sent`);
      if (found.has(token)) this.host.fail(`${where} has ${token} twice`);
      found.add(token);
    }
    return found;
  }

  private send(words: Words, take: (value: PlainValue | undefined) => void): void {
    this.commands++;
    this.client!.send(words, (reply) => {
      const value = reply === undefined ? undefined : plainValue(reply);
      this.host.trace(`${this.name}: ${words.join(" ")}: ${shown(reply)}`);
      if (value instanceof Error) this.noteError(words, value.message);
      else if (value !== undefined) this.answered++;
      take(value);
    });
  }

  /** Errors must be such as a router gives when it can't do anything about it. */
  private noteError(words: Words, message: string): void {
    if (/^UNCERTAIN/.test(message)) this.unknown++;
    else this.refused++;
    const isRead = words[0] === "GET" || words[0] === "PING";
    const isExpected = isRead
      ? /^MASTERDOWN No (node answers reads|master takes commands)/
      : /^(MASTERDOWN|UNCERTAIN) |^EXECABORT|^ERR EXEC without MULTI/;
    if (isExpected.test(message)) return;
    this.host.fail(`${this.name}: ${words.join(" ")}: ${message}`);
  }

  private mustBe(what: string, value: PlainValue | undefined, wanted: PlainValue): void {
    if (value === undefined || value instanceof Error || value === wanted) return;
    this.host.fail(`${this.name}: ${what} was answered with ${value}`);
  }

  private mustBeNumber(what: string, value: PlainValue | undefined): void {
    if (value === undefined || value instanceof Error || typeof value === "number") return;
    this.host.fail(`${this.name}: ${what} was answered with ${value}`);
  }
}

function shown(reply: Reply | undefined): string {
  if (reply === undefined) return "no reply";
  const value = plainValue(reply);
  const text = value instanceof Error ? `-${value.message}` : JSON.stringify(value);
  return text.length > 150 ? `${text.slice(0, 60)} ... ${text.slice(-80)}` : text;
}
