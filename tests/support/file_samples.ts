/**
 * Commands that make data of every type in every encoding, for tests of files.
 *
 * @module
 */
import { seededRandom } from "./random.ts";

/** The words of a command; a character is a byte. */
export type Words = readonly string[];

/** What data is made for. */
export interface SampleOptions {
  /**
   * Whether there is only what commands can tell of: no entries of streams that are deleted and still pending, and no
   * score of -0, which a small sorted set doesn't keep. @default false
   */
  readonly plain?: boolean;
  /** Databases that it is spread over. @default 0, 1 and 15 */
  readonly databases?: readonly number[];
}

/** 2100-01-01 in ms. */
const FAR_MS = 4_102_444_800_000;
/** Values around the edges of the widths that integers are written in. */
// deno-fmt-ignore
const INTEGERS = [
  "0", "1", "-1", "12", "13", "127", "128", "-128", "-129", "4095", "4096", "-4096", "-4097", "32767", "32768", "-32768",
  "-32769", "8388607", "8388608", "-8388609", "2147483647", "2147483648", "-2147483648", "-2147483649",
  "9007199254740993", "9223372036854775807", "-9223372036854775808",
];
// deno-fmt-ignore
const NO_INTEGERS = ["", " 1", "01", "-0", "+1", "1.5", "9223372036854775808", "\0", "\r\n", "\xff\xfe\x80", "*3\r\n$1\r\n"];
/** Lengths around the edges of what lengths and elements are written in, and of strings' encodings. */
const LENGTHS = [1, 20, 21, 43, 44, 45, 62, 63, 64, 65, 253, 254, 4095, 4096, 16383, 16384, 65535];
const SCORES = [
  "0",
  "-0",
  "1",
  "-1.5",
  "inf",
  "-inf",
  "1e308",
  "5e-324",
  "0.1",
  "4503599627370497.5",
];
// deno-fmt-ignore
const NAMES = ["", "\0", "\xff\n\r", " ", "'\"", "{tag}", "123", "-7", "n".repeat(64), "n".repeat(300), "n".repeat(20000)];

/** Makes data; the same seed makes the same. */
export class SampleData {
  private readonly random: () => number;
  private readonly commands: Words[] = [];
  private readonly databases: readonly number[];
  private readonly plain: boolean;
  private made = 0;

  /** Data from `seed`. */
  constructor(seed: number, options: SampleOptions = {}) {
    this.random = seededRandom(seed);
    for (let drawn = 0; drawn < 10; drawn++) this.random();
    this.databases = options.databases ?? [0, 1, 15];
    this.plain = options.plain ?? false;
  }

  /** Commands for values of all kinds in all databases. */
  everything(): readonly Words[] {
    for (const database of this.databases) {
      this.commands.push(["SELECT", String(database)]);
      this.strings();
      this.lists();
      this.sets();
      this.hashes();
      this.sortedSets();
      this.streams();
    }
    return this.commands.splice(0);
  }

  /** Changes to what {@linkcode everything} has made: elements come and go, keys are renamed, expire and are removed. */
  changes(): readonly Words[] {
    for (const database of this.databases) {
      this.commands.push(["SELECT", String(database)]);
      for (let count = 0; count < 60; count++) this.change(`${this.below(40)}`);
      this.transaction();
    }
    return this.commands.splice(0);
  }

  /** Looks at the keys that {@linkcode changes} has given a time of a millisecond. */
  visits(): readonly Words[] {
    const numbers = Array.from({ length: 40 }, (_, index) => `gone:${index}`);
    return this.databases.flatMap((one) => [["SELECT", String(one)], ["EXISTS", ...numbers]]);
  }

  private change(number: string): void {
    const changes: readonly (readonly Words[])[] = [
      [["SET", `string:${number}`, this.text()], ["APPEND", `string:${number}`, "more"]],
      [["SET", `counter:${number}`, "5"], ["INCRBYFLOAT", `counter:${number}`, "0.1"]],
      [["RPUSH", `list:${number}`, this.text(), this.text()], ["LPOP", `list:${number}`]],
      [["LINSERT", `list:${number}`, "BEFORE", "1", this.text()]],
      [["SADD", `set:${number}`, this.text(), "8"], ["SPOP", `set:${number}`]],
      [["HSET", `hash:${number}`, this.text(), this.text()], ["HDEL", `hash:${number}`, "f1"]],
      [["ZADD", `zset:${number}`, "3", this.text()], ["ZPOPMIN", `zset:${number}`]],
      [["XADD", `stream:${number}`, "*", "field", this.text()]],
      this.plain ? [] : [["XTRIM", `stream:${number}`, "MAXLEN", "50"]],
      [["XREADGROUP", "GROUP", "g", "c", "COUNT", "2", "STREAMS", `stream:${number}`, ">"]],
      [["XACK", `stream:${number}`, "g", "1-1", "3-1"]],
      [["DEL", `string:${number}`], ["PERSIST", `list:${number}`]],
      [["RENAME", `hash:${number}`, `hash:${number}`], ["COPY", `set:${number}`, `copy:${number}`]],
      [["PEXPIREAT", `zset:${number}`, String(FAR_MS + this.below(1e9))]],
      [["SET", `gone:${number}`, "x", "PX", "1"]],
      [["MOVE", `list:${number}`, "7"]],
    ];
    this.commands.push(...this.one(changes));
  }

  private transaction(): void {
    this.commands.push(
      ["MULTI"],
      ["SET", "in:transaction", this.text()],
      ["RPUSH", "in:list", "a", "b"],
      ["SELECT", "3"],
      ["INCR", "in:other"],
      ["EXEC"],
    );
  }

  private strings(): void {
    for (const text of [...INTEGERS, ...NO_INTEGERS]) this.string(text);
    for (const length of LENGTHS) {
      this.string(this.noise(length));
      this.string("ab".repeat(length >>> 1));
    }
    this.string(this.noise(150_000));
    this.string("text ".repeat(60_000));
    for (const name of NAMES) this.commands.push(["SET", name, this.text()]);
  }

  private string(text: string): void {
    const key = this.name("string");
    this.commands.push(["SET", key, text]);
    this.finish(key);
  }

  private lists(): void {
    const many = Array.from({ length: 600 }, () => this.text());
    const huge = [this.noise(40_000), "small", "x".repeat(100_000), "1", this.noise(9000)];
    for (const elements of [["a"], INTEGERS, NO_INTEGERS, many, huge, [...many, ...huge]]) {
      this.collection("list", "RPUSH", elements);
    }
  }

  private sets(): void {
    const integers = (limit: number, count: number) =>
      Array.from({ length: count }, () => String(this.below(limit) - (limit >>> 1)));
    this.collection("set", "SADD", integers(100, 30));
    this.collection("set", "SADD", integers(1e6, 300));
    this.collection("set", "SADD", INTEGERS);
    this.collection("set", "SADD", integers(1e9, 700));
    this.collection("set", "SADD", [...INTEGERS, ...NO_INTEGERS]);
    this.collection("set", "SADD", Array.from({ length: 400 }, () => this.text()));
  }

  private hashes(): void {
    const pairs = (count: number) =>
      Array.from({ length: count }, (_, index) => [`f${index}`, this.text()]).flat();
    this.collection("hash", "HSET", ["a", "1", "b", "text", "", "", "7", "-70000"]);
    this.collection("hash", "HSET", pairs(20).map((text) => text.slice(0, 64)));
    this.collection("hash", "HSET", pairs(20));
    this.collection("hash", "HSET", pairs(600));
  }

  private sortedSets(): void {
    const scores = SCORES.filter((score) => !this.plain || score !== "-0");
    const scored = (count: number, bytes: number) =>
      Array.from({ length: count }, (_, index) => [
        this.chance(0.3) ? this.one(scores) : String(this.below(1000) / 8),
        `${index}${this.text().slice(0, bytes)}`,
      ]).flat();
    this.collection("zset", "ZADD", ["1", "a", "2", "b", "-inf", "10", "2", "-5"]);
    this.collection("zset", "ZADD", scored(60, 50));
    this.collection("zset", "ZADD", scored(60, 500));
    this.collection("zset", "ZADD", scored(500, 50));
  }

  private streams(): void {
    for (const count of [0, 1, 20, 230]) {
      const key = this.name("stream");
      for (let entry = 1; entry <= count; entry++) {
        const other = this.chance(0.2) ? ["another", this.text().slice(0, 3000)] : [];
        const value = this.one([...INTEGERS, this.text().slice(0, 300)]);
        this.commands.push([
          "XADD",
          key,
          `${entry}-${this.chance(0.5) ? 1 : 0}`,
          "field",
          value,
          ...other,
        ]);
      }
      this.commands.push(["XGROUP", "CREATE", key, "g", "0", "MKSTREAM"]);
      this.commands.push(["XGROUP", "CREATE", key, "", "$", "ENTRIESREAD", "7"]);
      for (const consumer of ["c", "", "\xff\0"]) {
        // A consumer that gets nothing would have been seen at another time than the one that commands tell of.
        this.commands.push(
          [
            "XREADGROUP",
            "GROUP",
            "g",
            consumer,
            "COUNT",
            String(1 + this.below(20)),
            "STREAMS",
            key,
            ">",
          ],
        );
      }
      this.commands.push(["XGROUP", "CREATECONSUMER", key, "g", "idle"]);
      this.commands.push(["XACK", key, "g", "2-1", "2-0"]);
      const deleted = [1, 3, 130, count].flatMap((entry) => [`${entry}-0`, `${entry}-1`]);
      if (this.plain) this.commands.push(["XACK", key, "g", ...deleted]);
      this.commands.push(["XDEL", key, ...deleted]);
      if (this.chance(0.5)) this.commands.push(["XSETID", key, "5000-7", "ENTRIESADDED", "9999"]);
      this.finish(key);
    }
  }

  /** A collection that is made by some commands. */
  private collection(type: string, command: string, elements: readonly string[]): void {
    const key = this.name(type);
    for (let from = 0; from < elements.length; from += 100) {
      this.commands.push([command, key, ...elements.slice(from, from + 100)]);
    }
    this.finish(key);
  }

  /** Some keys get an expiry. */
  private finish(key: string): void {
    if (this.chance(0.3)) {
      this.commands.push(["PEXPIREAT", key, String(FAR_MS + this.below(1e9))]);
    }
  }

  private name(type: string): string {
    return `${type}:${this.made++ % 997}`;
  }

  private below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  private chance(probability: number): boolean {
    return this.random() < probability;
  }

  private one<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /** A value: an integer, noise, or what is easily compressed. */
  private text(): string {
    const kind = this.random();
    if (kind < 0.3) return this.one(INTEGERS);
    if (kind < 0.35) return this.one(NO_INTEGERS);
    const length = kind < 0.95 ? this.below(80) : this.below(2000);
    return kind < 0.6
      ? String.fromCharCode(97 + this.below(26)).repeat(length)
      : this.noise(length);
  }

  private noise(length: number): string {
    let text = "";
    for (let at = 0; at < length; at++) text += String.fromCharCode(this.below(256));
    return text;
  }
}
