/**
 * Makes up what the clients of a fuzz run send.
 *
 * @module
 */
import { restorePayload } from "../support/restore_payload.ts";
import { RandomSource } from "./random_source.ts";
import { joinBytes } from "../../src/protocol/joined_bytes.ts";

/** How a client behaves. */
export type Manner =
  /** Reads while it writes, checks every reply. */
  | "reads"
  /** Writes everything before it reads the first reply, checks every reply. */
  | "reads-last"
  /** Closes without reading after a part of its bytes. */
  | "vanishes"
  /** Writes, reads nothing for a while, and closes. */
  | "never-reads";

/** What one client does. */
export interface Script {
  /** Its number in the run. */
  readonly index: number;
  /** How it behaves. */
  readonly manner: Manner;
  /** What it sends. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where its writes end; the last one at the end of the bytes. */
  readonly cuts: readonly number[];
}

/** What may be made up. */
export interface GeneratorOptions {
  /** Leaves out zero bytes, about which Redis and miniredis differ where a line is read. */
  readonly withoutZeros: boolean;
}

/** `$kind` stands for a random argument of that kind; all else is sent as it is. */
const TEMPLATES: readonly string[] = [
  ..."SET $key $value|SET $key $value|SET $key $value NX|SET $key $value XX GET".split("|"),
  ..."SET $key $value EX $ttl|SET $key $value PX $ttl KEEPTTL|SET $key $value PX $ttl".split("|"),
  ..."SET $key $number|SET $key $value $word $number|SET $key $value EXAT $number".split("|"),
  ..."GET $key|GET $key|GET $key|GETDEL $key|GETEX $key|GETEX $key PX $ttl".split("|"),
  ..."GETEX $key PERSIST|GETEX $key $word $number|GETSET $key $value".split("|"),
  ..."MSET $key $value|MSET $key $value $key $value $key $value|MSET $key".split("|"),
  ..."MGET $key|MGET $key $key $key $key|MSETNX $key $value $key $value".split("|"),
  ..."SETNX $key $value|SETEX $key $ttl $value|PSETEX $key $ttl $value".split("|"),
  ..."SETEX $key $number $value|INCR $key|DECR $key|INCRBY $key $number".split("|"),
  ..."DECRBY $key $number|INCRBYFLOAT $key $float|APPEND $key $value|STRLEN $key".split("|"),
  ..."GETRANGE $key $number $number|GETRANGE $key $offset $offset|SUBSTR $key 0 $number".split("|"),
  ..."SETRANGE $key $offset $value|SETRANGE $key -1 x|SETRANGE $key 536870912 x".split("|"),
  ..."DEL $key|DEL $key $key $key|UNLINK $key $key|EXISTS $key $key|TOUCH $key $key".split("|"),
  ..."EXPIRE $key $ttl|EXPIRE $key $number|EXPIRE $key $ttl $word|PEXPIRE $key $ttl NX".split("|"),
  ..."PEXPIRE $key $ttl|PEXPIRE $key $ttl GT|EXPIREAT $key $number|PEXPIREAT $key $number".split(
    "|",
  ),
  ..."TTL $key|PTTL $key|EXPIRETIME $key|PEXPIRETIME $key|PERSIST $key|TYPE $key".split("|"),
  ..."DBSIZE|KEYS $pattern|SCAN 0|SCAN $number COUNT 5|SCAN 0 MATCH $pattern".split("|"),
  ..."SCAN $number TYPE string|RANDOMKEY|RENAME $key $key|RENAMENX $key $key".split("|"),
  ..."COPY $key $key|COPY $key $key REPLACE|COPY $key $key DB 3|MOVE $key 2|SWAPDB 0 1".split("|"),
  ..."SELECT 0|SELECT 1|SELECT $number|PING|PING $value|ECHO $value|TIME|INFO".split("|"),
  ..."INFO $word|CONFIG GET $pattern|CONFIG GET *|CONFIG SET nope $value|CONFIG HELP".split("|"),
  ..."COMMAND COUNT|COMMAND INFO get $word|COMMAND LIST FILTERBY PATTERN $pattern".split("|"),
  ..."COMMAND GETKEYS MSET $key $value $key $value|COMMAND DOCS set|COMMAND HELP".split("|"),
  ..."CLIENT ID|CLIENT INFO|CLIENT LIST ID $number|CLIENT SETNAME $word|CLIENT GETNAME".split("|"),
  ..."CLIENT SETNAME $value|CLIENT LIST TYPE $word|CLIENT HELP|CLIENT $word|CLIENT".split("|"),
  ..."CLIENT KILL ID $word|CLIENT KILL nobody|DEBUG OBJECT $key|DEBUG HELP|DEBUG $word".split("|"),
  ..."DUMP $key|RESTORE $key 0 $payload|RESTORE $key $ttl $payload REPLACE".split("|"),
  ..."RESTORE $key 0 $payload REPLACE IDLETIME $number|RESTORE $key $number $value".split("|"),
  ..."OBJECT ENCODING $key|OBJECT IDLETIME $key|OBJECT FREQ $key|OBJECT REFCOUNT $key".split("|"),
  ..."MEMORY USAGE $key|MEMORY STATS|MEMORY DOCTOR|MEMORY $word|DEBUG DIGEST-VALUE $key".split("|"),
  ..."DEBUG SDSLEN $key|DEBUG HTSTATS $number|DEBUG POPULATE 3 $key $offset".split("|"),
  ..."HELLO|HELLO 2|HELLO 3|HELLO 3 SETNAME $word|HELLO 4|HELLO $value|RESET".split("|"),
  ..."AUTH $value|AUTH default $value|AUTH nobody $value|HELLO 3 AUTH nobody $value".split("|"),
  ..."CLIENT REPLY OFF|CLIENT REPLY SKIP|CLIENT REPLY SKIP|CLIENT REPLY ON".split("|"),
  ..."CLIENT REPLY ON|CLIENT REPLY $word|$word|$value|$word $value $value".split("|"),
];
/** Those that take long, or much away from the others. */
const RARE_TEMPLATES: readonly string[] =
  "FLUSHALL|FLUSHDB|FLUSHALL ASYNC|DEBUG CHECK|COMMAND|COMMAND DOCS|QUIT|CLIENT LIST|KEYS *"
    .split("|");

const WORDS = "EX PX NX XX GT LT KEEPTTL PERSIST GET MATCH COUNT REPLACE DB normal all memory foo"
  .split(" ");
const PATTERNS = "* k? k1* *[1-3] [^k]* k\\* h*llo ???? [z-a] [ **k*1*".split(" ");
const NUMBERS =
  "0 1 -1 2 15 16 100 -100 9223372036854775807 -9223372036854775808 9223372036854775808 007 +1 1e3 99999999999999999999 2147483648"
    .split(" ");
const FLOATS = "0.1 -2.5 1e10 1e308 3 nan inf -inf 1e-20 0x10 5.0e3 .5 1..2".split(" ");

const USUAL_KEYS = 300;
const MUTATED = 0.3;
const encoder = new TextEncoder();

/** The script of client `index` of a run. */
export function makeScript(seed: number, index: number, options: GeneratorOptions): Script {
  const random = new RandomSource(seed, index);
  const mutated = random.chance(MUTATED);
  const parts: Uint8Array[] = [];
  const count = mutated ? random.between(1, 30) : random.between(1, 120);
  for (let serial = 0; serial < count; serial++) {
    if (random.chance(0.2)) parts.push(encode(random, ["ECHO", `${index}-${serial}`]));
    else if (random.chance(0.01)) parts.push(oddity(random));
    else parts.push(encode(random, command(random, !mutated)));
  }
  let bytes = joinBytes(parts);
  if (mutated) {
    for (let change = random.between(1, 4); change > 0; change--) bytes = mutate(random, bytes);
  }
  if (options.withoutZeros) bytes = bytes.map((byte) => byte === 0 ? 1 : byte);
  const draw = random.below(1000);
  let manner: Manner = "reads";
  if (draw < 5) manner = "never-reads";
  else if (draw < 50) manner = "vanishes";
  else if (draw < 200) manner = "reads-last";
  if (manner === "never-reads") bytes = joinBytes([bytes, unreadable(random)]);
  if (manner === "vanishes") bytes = bytes.slice(0, random.below(bytes.length + 1));
  return { index, manner, bytes, cuts: cutAnywhere(random, bytes.length) };
}

/** The words of a command, right or slightly wrong. */
function command(random: RandomSource, big: boolean): (string | Uint8Array)[] {
  const template = random.pick(random.chance(0.004) ? RARE_TEMPLATES : TEMPLATES);
  const words = template.split(" ").map((word) =>
    word.startsWith("$") ? argument(random, word, big) : word
  );
  if (random.chance(0.03)) {
    if (random.chance(0.5)) words.push(argument(random, "$value", false));
    else if (words.length > 1) words.pop();
  }
  const name = words[0];
  if (typeof name === "string" && random.chance(0.3)) {
    words[0] = [...name].map((letter) => random.chance(0.5) ? letter.toLowerCase() : letter)
      .join("");
  }
  return words;
}

/** Something for RESTORE, whose footer is right, and whose beginning mostly is. */
function payload(random: RandomSource, length: number): Uint8Array {
  const value = random.bytes(length);
  if (random.chance(0.2)) return restorePayload(value);
  const head = random.chance(0.7)
    ? [0, 0x80, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff]
    : [0, 0xc0 + random.below(5)];
  return restorePayload([...head, ...value.subarray(0, 100_000)]);
}

function argument(random: RandomSource, kind: string, big: boolean): string | Uint8Array {
  switch (kind) {
    case "$key":
      if (random.chance(0.97)) return `k${random.below(USUAL_KEYS)}`;
      return random.bytes(random.below(random.chance(0.9) ? 40 : 3000));
    case "$value":
      return random.bytes(valueLength(random, big));
    case "$payload":
      return payload(random, valueLength(random, big));
    case "$ttl":
      return String(random.chance(0.5) ? random.between(1, 50) : random.between(1, 100_000));
    case "$number":
      return random.chance(0.5) ? random.pick(NUMBERS) : String(random.between(-1000, 1000));
    case "$offset":
      return String(random.below(big && random.chance(0.02) ? 300_000 : 500));
    case "$float":
      return random.pick(FLOATS);
    case "$pattern":
      return random.pick(PATTERNS);
    default:
      return random.pick(WORDS);
  }
}

function valueLength(random: RandomSource, big: boolean): number {
  const draw = random.below(100_000);
  if (big && draw < 20) return random.between(1 << 20, 5 << 20);
  if (big && draw < 600) return random.below(200 << 10);
  if (draw < 3000) return random.below(5000);
  return random.below(48);
}

/** A request as an array, or sometimes as a line. */
function encode(random: RandomSource, words: readonly (string | Uint8Array)[]): Uint8Array {
  const args = words.map((word) => typeof word === "string" ? encoder.encode(word) : word);
  const size = args.reduce((sum, arg) => sum + arg.length, 0);
  if (size < 2000 && random.chance(0.1)) return encodeLine(random, args);
  const parts = [encoder.encode(`*${args.length}\r\n`)];
  for (const arg of args) {
    parts.push(encoder.encode(`$${arg.length}\r\n`), arg as Uint8Array<ArrayBuffer>, CRLF);
  }
  return joinBytes(parts);
}

const CRLF = encoder.encode("\r\n");

function encodeLine(random: RandomSource, args: readonly Uint8Array[]): Uint8Array {
  const words = args.map((arg) => {
    let plain = arg.length > 0;
    let quoted = "";
    for (const byte of arg) {
      const letter = /[A-Za-z0-9_.-]/.test(String.fromCharCode(byte));
      plain &&= letter;
      quoted += letter ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
    }
    if (plain && random.chance(0.8)) return quoted;
    return plain && random.chance(0.3) ? `'${quoted}'` : `"${quoted}"`;
  });
  const spaces = random.chance(0.1) ? " \t " : " ";
  return encoder.encode(words.join(spaces) + (random.chance(0.8) ? "\r\n" : "\n"));
}

/** Requests that do nothing. */
function oddity(random: RandomSource): Uint8Array {
  return encoder.encode(random.pick(["\r\n", "\n", "*0\r\n", "*-1\r\n", "   \r\n"]));
}

/** A value and more questions for it than a socket takes replies. */
function unreadable(random: RandomSource): Uint8Array {
  const set = encode(random, ["SET", "unread", random.bytes(random.between(1000, 2_000_000))]);
  const get = encoder.encode("*2\r\n$3\r\nGET\r\n$6\r\nunread\r\n");
  return joinBytes([set, ...new Array(random.between(1, 40)).fill(get)]);
}

function mutate(random: RandomSource, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) return bytes;
  const at = random.below(bytes.length);
  const length = Math.min(bytes.length - at, random.between(1, random.chance(0.5) ? 4 : 200));
  const [before, part, after] = [
    bytes.subarray(0, at),
    bytes.subarray(at, at + length),
    bytes.subarray(at + length),
  ];
  switch (random.below(7)) {
    case 0: {
      const flipped = bytes.slice();
      flipped[at] ^= 1 << random.below(8);
      return flipped;
    }
    case 1:
      return bytes.slice(0, at);
    case 2:
      return joinBytes([before, after]);
    case 3:
      return joinBytes([before, part, part, after]);
    case 4:
      return joinBytes([before, random.bytes(length), part, after]);
    case 5:
      return joinBytes([
        before,
        encoder.encode(random.pick(["\r\n", "*", "$", "-", '"', "'"])),
        part,
        after,
      ]);
    default:
      return changeLength(random, bytes, at);
  }
}

/** Changes the first digit behind a `*` or `$` from `at` on. */
function changeLength(
  random: RandomSource,
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
): Uint8Array<ArrayBuffer> {
  const changed = bytes.slice();
  for (; at + 1 < changed.length; at++) {
    if (changed[at] === 42 || changed[at] === 36) {
      changed[at + 1] = random.chance(0.9) ? 48 + random.below(10) : random.below(256);
      break;
    }
  }
  return changed;
}

/** Where the writes of a client end. */
function cutAnywhere(random: RandomSource, length: number): number[] {
  const cuts: number[] = [];
  const style = random.below(4);
  if (style > 0 && length > 1) {
    const most = style === 1 ? 3 : style === 2 ? 12 : 40;
    for (let count = random.between(1, most); count > 0; count--) cuts.push(random.below(length));
    // Close together, too: a few single bytes.
    const from = random.below(length);
    if (style === 3) { for (let at = from; at < Math.min(length, from + 12); at++) cuts.push(at); }
  }
  cuts.push(length);
  return [...new Set(cuts)].filter((cut) => cut > 0).sort((one, other) => one - other);
}
