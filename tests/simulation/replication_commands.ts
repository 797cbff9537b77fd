/**
 * What writers of a simulated replication send: commands of all types, alone and in transactions.
 *
 * @module
 */
import type { RandomSource } from "../fuzz/random_source.ts";
import type { Words } from "./network_client.ts";

/** Keys of each type that a writer has. */
const KEYS = 4;
/** What a command is made with. */
export interface CommandMaker {
  readonly random: RandomSource;
  /** A key of a type. */
  key(type: string): string;
  /** A value that nobody else has written. */
  value(): string;
}

type Make = (maker: CommandMaker) => Words;

const field = ({ random }: CommandMaker) => `f${random.below(20)}`;
const member = ({ random }: CommandMaker) => `m${random.below(30)}`;
const soonMs = ({ random }: CommandMaker) => random.pick([1, 50, 500, 5000, 100_000]);

/** Commands, each as likely as every other. */
const MAKERS: readonly Make[] = [
  (m) => ["SET", m.key("s"), m.value()],
  (m) => ["SET", m.key("s"), m.value(), "PX", soonMs(m)],
  (m) => ["SET", m.key("s"), m.value(), "KEEPTTL"],
  (m) => ["SET", m.key("s"), m.value(), "NX", "GET"],
  (m) => ["APPEND", m.key("s"), m.value()],
  (m) => ["SETRANGE", m.key("s"), m.random.below(100), "abc"],
  (m) => ["GETDEL", m.key("s")],
  (m) => ["GETEX", m.key("s"), "PX", soonMs(m)],
  (m) => ["SETEX", m.key("s"), 1, m.value()],
  (m) => ["INCR", m.key("n")],
  (m) => ["INCRBYFLOAT", m.key("n:f"), "0.1"],
  (m) => ["SETBIT", m.key("b"), m.random.below(1000), m.random.below(2)],
  (m) => ["BITFIELD", m.key("b"), "INCRBY", "u8", m.random.below(50), 7],
  (m) => ["PFADD", m.key("p"), member(m), member(m)],
  (m) => ["RPUSH", m.key("l"), m.value(), m.value()],
  (m) => ["LPUSH", m.key("l"), m.value()],
  (m) => ["LPOP", m.key("l")],
  (m) => ["RPOP", m.key("l"), 2],
  (m) => ["LMOVE", m.key("l"), m.key("l"), "LEFT", "RIGHT"],
  (m) => ["LTRIM", m.key("l"), 0, 20],
  (m) => ["BLPOP", m.key("l"), m.key("l"), "0.05"],
  (m) => ["RPUSH", "queue", m.value()],
  (m) => ["ZADD", "ranking", m.random.below(100), m.value()],
  (m) => ["SADD", m.key("t"), member(m), member(m), member(m)],
  (m) => ["SPOP", m.key("t")],
  (m) => ["SPOP", m.key("t"), 2],
  (m) => ["SREM", m.key("t"), member(m)],
  (m) => ["SMOVE", m.key("t"), m.key("t"), member(m)],
  (m) => ["SUNIONSTORE", m.key("t"), m.key("t"), m.key("t")],
  (m) => ["HSET", m.key("h"), field(m), m.value(), field(m), m.value()],
  (m) => ["HDEL", m.key("h"), field(m)],
  (m) => ["HINCRBY", m.key("h:n"), field(m), 3],
  (m) => ["HINCRBYFLOAT", m.key("h:f"), field(m), "1.5"],
  (m) => ["ZADD", m.key("z"), m.random.below(100), member(m)],
  (m) => ["ZADD", m.key("z"), "INCR", 3, member(m)],
  (m) => ["ZPOPMIN", m.key("z")],
  (m) => ["ZREMRANGEBYRANK", m.key("z"), 15, -1],
  (m) => ["ZRANGESTORE", m.key("z"), m.key("z"), 0, 10],
  (m) => ["XADD", m.key("x"), "MAXLEN", "~", 30, "*", "f", m.value()],
  (m) => ["XADD", m.key("x"), "*", "f", m.value()],
  (m) => ["XTRIM", m.key("x"), "MAXLEN", 10],
  (m) => ["XGROUP", "CREATE", m.key("x"), "group", "0", "MKSTREAM"],
  (m) => ["XREADGROUP", "GROUP", "group", "me", "COUNT", 2, "STREAMS", m.key("x"), ">"],
  (m) => ["EXPIRE", m.key(m.random.pick(["l", "t", "h", "z", "x"])), 1],
  (m) => ["PEXPIRE", m.key(m.random.pick(["s", "l", "t", "h", "z"])), soonMs(m)],
  (m) => ["PERSIST", m.key(m.random.pick(["s", "l", "t", "h", "z"]))],
  (m) => ["DEL", m.key(m.random.pick(["s", "l", "t", "h", "z", "x", "n"]))],
  (m) => ["UNLINK", m.key(m.random.pick(["l", "t", "h", "z", "x"]))],
  (m) => ["RENAME", m.key("h"), m.key("h")],
  (m) => ["COPY", m.key("z"), m.key("z"), "REPLACE"],
  (m) => ["MOVE", m.key("s"), m.random.below(4)],
  (m) => ["SORT", m.key("l"), "ALPHA", "STORE", m.key("l")],
  (m) => ["PUBLISH", "news", m.value()],
  (m) => ["GET", m.key("s")],
  (m) => ["TYPE", m.key("s")],
];

/** Commands that only come now and then: each with how likely it does. The first database is never flushed. */
const RARE: readonly (readonly [chance: number, ...commands: Words[]])[] = [
  [0.003, ["SWAPDB", 2, 3]],
  [0.003, ["SELECT", 3], ["FLUSHDB"]],
  [0.001, ["SELECT", 3], ["FLUSHDB", "ASYNC"]],
];

/** Errors that such commands may well be answered with, by servers that are what they should be. */
const EXPECTED =
  /^(READONLY|LOADING|MASTERDOWN|NOREPLICAS|MISCONF|UNBLOCKED|EXECABORT|BUSYGROUP|NOGROUP|ERR no such key|ERR source and destination|ERR increment would produce|OOM|ERR WAIT cannot)/;

/** Whether an error is none of the server's faults. */
export function isExpectedError(text: string): boolean {
  return EXPECTED.test(text);
}

/** Makes the commands of one writer. */
export class CommandSource implements CommandMaker {
  private values = 0;

  /** Those of writer `name`. */
  constructor(
    private readonly name: string,
    readonly random: RandomSource,
    private readonly big: { readonly chance: number; readonly bytes: number },
  ) {}

  key(type: string): string {
    return `${this.name}:${type}:${this.random.below(KEYS)}`;
  }

  value(): string {
    const text = `${this.name}-${++this.values}`;
    if (!this.random.chance(this.big.chance)) return text;
    return text.padEnd(this.random.between(1, this.big.bytes), "-x");
  }

  /** A command, or two that belong together. */
  next(): readonly Words[] {
    for (const [chance, ...commands] of RARE) if (this.random.chance(chance)) return commands;
    return [this.random.pick(MAKERS)(this)];
  }
}
