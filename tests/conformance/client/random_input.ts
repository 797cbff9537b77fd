/**
 * Drawn at random: replies as they are on the wire, of all types that redis-cli knows, nested in
 * each other; and lines of words in quotes, right and wrong.
 *
 * @module
 */

const MOST_LEVELS = 4;

/** Pieces of text, some of which every format has to escape. */
// deno-fmt-ignore
const PIECES = [
  "a", "key", "42", " ", '"', "'", "\\", "/", ",", "\t", "\b", "\f", "\0", "\x1b", "\x7f", "é", "\xc3\xa9", "\xff", "{}", ":",
];

/** Numbers at the edges of what fits where. */
// deno-fmt-ignore
const INTEGERS = [
  "0", "-1", "7", "2147483648", "9007199254740993", "-9007199254740993", "9223372036854775807", "-9223372036854775808",
];

const DOUBLES = ["0", "-0", "1.5", "3.0", "1e+300", "-2.5e-05", "inf", "-inf", ".5"];

/**
 * Draws a reply.
 *
 * @param random Gives numbers from 0 to below 1.
 * @param levels How deep replies may be nested in it.
 * @returns its bytes, a character each.
 */
export function randomReply(random: () => number, levels = MOST_LEVELS): string {
  const scalars = [
    // At a zero byte, which no Redis puts into a line, redis-cli takes it to end.
    () => `+${text(random).replaceAll("\0", "")}\r\n`,
    () => `-ERR ${text(random).replaceAll("\0", "")}\r\n`,
    () => `:${pick(random, INTEGERS)}\r\n`,
    () => bulk("$", `${text(random)}${pick(random, ["", "", "\r\n", "\n"])}`),
    () => bulk("=", `txt:${text(random)}`),
    () => `,${pick(random, DOUBLES)}\r\n`,
    () => pick(random, ["#t\r\n", "#f\r\n", "_\r\n", "$-1\r\n", "*-1\r\n"]),
  ];
  if (levels === 0 || below(random, 3) === 0) return pick(random, scalars)();
  const type = pick(random, ["*", "*", "~", "%", "%"]);
  const count = below(random, pick(random, [2, 4, 12]));
  let reply = `${type}${count}\r\n`;
  for (let left = type === "%" ? 2 * count : count; left > 0; left--) {
    reply += randomReply(random, levels - 1);
  }
  return reply;
}

/** Pieces of lines. */
// deno-fmt-ignore
const LINE_PIECES = [
  "a", "b", "x41", "\\", "\\x41", "\\xfg", "\\x4", '\\"', "\\'", "\\n", "\\t", '"', '"', "'", "'", " ", " ", "\t", "\v", "\f",
  "\xff", "\xc3\xa9", "''", '""', "#", "%s",
];

/**
 * Draws a line of words.
 *
 * @param random Gives numbers from 0 to below 1.
 */
export function randomLine(random: () => number): string {
  let line = "x ";
  for (let left = below(random, 12); left > 0; left--) line += pick(random, LINE_PIECES);
  return line;
}

/** Options that can stand together, and values for them; `PORT` is the server's. */
// deno-fmt-ignore
const OPTIONS: readonly (readonly string[])[] = [
  ["-2"], ["-3"], ["--raw"], ["--no-raw"], ["--csv"], ["--json"], ["--quoted-json"], ["-n", "3"], ["-n", "0"], ["-n", "99"],
  ["-a", "one"], ["--pass", "two"], ["--pass", "wrong"], ["--user", "somebody"], ["--no-auth-warning"], ["-e"], ["-c"],
  ["-r", "2"], ["-r", "0"], ["-d", ";"], ["-D", "|"], ["--quoted-input"], ["--show-pushes", "yes"], ["--verbose"], ["-x"],
  ["-X", "tag"], ["-h", "127.0.0.1"], ["-h", "localhost"], ["-u", "redis://127.0.0.1:PORT"], ["-u", "redis://three@127.0.0.1:PORT/2"],
  ["-u", "redis://u:four@127.0.0.1:PORT"], ["-u", "redis://"], ["-i", "0"],
];

/**
 * Draws options and a command behind them.
 *
 * @param random Gives numbers from 0 to below 1.
 * @param port The port of the server.
 */
export function randomOptions(random: () => number, port: number): string[] {
  const options: string[] = [];
  for (let left = below(random, 6); left > 0; left--) options.push(...pick(random, OPTIONS));
  // Where a word is missing, or one too many, redis-cli connects before it says so.
  const given = options.includes("-X") ? options.filter((word) => word !== "-x") : options;
  const command = pick(random, [["list"], ["tell"], ["fail"], ["list", '"\\x41"']]);
  return [...given.map((word) => word.replace("PORT", `${port}`)), "-p", `${port}`]
    .concat(command, "tag");
}

function text(random: () => number): string {
  let made = "";
  for (let left = below(random, 5); left > 0; left--) made += pick(random, PIECES);
  return made;
}

function bulk(type: string, bytes: string): string {
  return `${type}${bytes.length}\r\n${bytes}\r\n`;
}

function pick<T>(random: () => number, choices: readonly T[]): T {
  return choices[below(random, choices.length)];
}

function below(random: () => number, limit: number): number {
  return Math.floor(random() * limit);
}
