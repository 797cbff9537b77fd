import { assertEquals, assertStringIncludes } from "@std/assert";
import { checkAof, type CheckAofOptions } from "../../src/persistence/check_aof.ts";
import { createCheckConsole } from "../../src/persistence/check_console.ts";
import { latin1Text } from "../../src/client/quoting.ts";
import { systemFiles } from "../../src/runtime/files.ts";
import { operatingSystem, WINDOWS } from "../../src/runtime/operating_system.ts";
import { latin1Bytes } from "../support/rdb_bodies.ts";
import { referenceTool } from "../support/reference_tool.ts";
import { snapshotOf } from "../support/snapshot_bytes.ts";
import { testUnless } from "../support/test_where.ts";

/** A command as the file has it. */
function command(...words: readonly string[]): string {
  return `*${words.length}\r\n` + words.map((word) => `$${word.length}\r\n${word}\r\n`).join("");
}

const SET = command("set", "foo", "hello");
const LATER = command("set", "bar", "world");
const MULTI = command("MULTI");
const EXEC = command("exec");
const FILES = "file a.1.base.aof seq 1 type b\nfile a.1.incr.aof seq 1 type i\n";
const DATED = `#TS:100\r\n${SET}#TS:101\r\n${LATER}#TS:102\r\n${SET}`;

/** What a check left behind. */
interface Outcome {
  readonly code: number;
  readonly output: string;
  /** The files afterwards, by name. */
  readonly files: Readonly<Record<string, string>>;
}

/** Files in a folder of their own, a byte a character; one of them is checked. */
class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "check-aof-" });

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }

  /** Checks with our code. */
  check(
    files: Readonly<Record<string, string>>,
    name: string,
    options: CheckAofOptions = {},
    answer = "y\n",
  ): Outcome {
    this.fill(files);
    let output = "";
    const console = createCheckConsole({
      write: (text) => output += text,
      readLine: () => answer,
      watched: false,
    });
    const code = checkAof(systemFiles, `${this.path}/${name}`, options, console);
    return { code, output, files: this.texts() };
  }

  /** Checks with redis-check-aof. */
  async checkReference(
    files: Readonly<Record<string, string>>,
    name: string,
    options: CheckAofOptions = {},
    answer = "y\n",
  ): Promise<Outcome | undefined> {
    this.fill(files);
    const { fix, truncateToTimestamp } = options;
    const words = fix ? ["--fix"] : [];
    if (truncateToTimestamp !== undefined) {
      words.push("--truncate-to-timestamp", `${truncateToTimestamp}`);
    }
    const outcome = await referenceTool(
      "redis-check-aof",
      [...words, `${this.path}/${name}`],
      answer,
    );
    if (outcome === undefined) return undefined;
    // What is behind the end of a text is what was there before.
    const output = outcome.output.replace(/(?<=got: 00)..$/m, "00");
    return { code: outcome.code, output, files: this.texts() };
  }

  private fill(files: Readonly<Record<string, string>>): void {
    for (const { name } of Deno.readDirSync(this.path)) Deno.removeSync(`${this.path}/${name}`);
    for (const [name, text] of Object.entries(files)) {
      Deno.writeFileSync(`${this.path}/${name}`, latin1Bytes(text));
    }
  }

  private texts(): Record<string, string> {
    return Object.fromEntries(
      [...Deno.readDirSync(this.path)].map(({ name }) => name).sort()
        .map((name) => [name, latin1Text(Deno.readFileSync(`${this.path}/${name}`))]),
    );
  }
}

/** Texts of files of commands, whole and broken in many ways. */
const TEXTS: readonly string[] = [
  "",
  SET + LATER,
  `${SET}!!!`,
  `${SET}*`,
  `${SET}*3`,
  `${SET}*3\r`,
  `${SET}*3\r\n`,
  `${SET}*3\r\n$3\r\nset`,
  `${SET}*3\r\n$3\r\nset\r`,
  `${SET}*3\r\n$3\r\nset\r\n`,
  `${SET}*3\r\n$3\r\nset\r\n*3\r\nfoo\r\n`,
  `${SET}*3\r\n$3\r\nset\r\n$-1\r\nfoo\r\n`,
  `${SET}*3\r\n$3\r\nset\r\n$x\r\nfoo\r\n`,
  `${SET}*3\r\n$3\r\nset\r\n$2\r\nfoo\r\n`,
  `${SET}*3\r\n$3\r\nset\r\n$400000\r\nfoo\r\n`,
  `${SET}*3\nset`,
  `${SET}*1\r\n$3\r\nsetXY${LATER}`,
  `${SET}*0\r\n*\r\n*-5\r\n* 1\r\n$+04\r\nping\r\n${SET}`,
  `${SET}*1${"0".repeat(200)}\r\n`,
  `${SET}*1\r\n$${"0".repeat(20)}4\r\nping\r\n`,
  `${SET}${MULTI}${LATER}${EXEC}${SET}`,
  `${SET}${MULTI}${LATER}`,
  `${SET}${MULTI}${LATER}*3`,
  `${SET}${MULTI}${LATER}*3\r\n`,
  `${SET}${MULTI}${LATER}#TS:1\r\n`,
  `${SET}${MULTI}${LATER}!`,
  `${SET}${MULTI}${LATER}${MULTI}${EXEC}`,
  `${SET}${EXEC}`,
  command("multi") + command("ExEc") + command("multj") + command("set", "exec", "multi"),
  DATED,
  `#TS:1`,
  `#${"x".repeat(2000)}\r\n${SET}`,
  `#${"x".repeat(1021)}\r\n${SET}`,
  `#${"x".repeat(1020)}\r\n${SET}`,
  `${command("set", "a", "x".repeat(700_000))}${command("set", "b", "y".repeat(300_000))}${SET}`,
  `${command("set", "a", "x".repeat(700_000))}${
    command("set", "b", "y".repeat(300_000)).slice(0, -1)
  }`,
  ...Array.from({ length: 60 }, (_, cut) => `${SET}${MULTI}${LATER}${EXEC}`.slice(0, cut + 40)),
];

Deno.test("commands are judged, and cut, as by redis-check-aof", async () => {
  using folder = new Folder();
  for (const text of TEXTS) {
    for (const options of [{}, { fix: true }]) {
      const theirs = await folder.checkReference({ a: text }, "a", options);
      if (theirs === undefined) return;
      assertEquals(
        folder.check({ a: text }, "a", options),
        theirs,
        JSON.stringify(text.slice(-99)),
      );
    }
  }
});

Deno.test("a wrong manifest, or a file that isn't there, ends as in redis-check-aof", async () => {
  using folder = new Folder();
  const withoutProcess = (text: string) => text.replace(/^\d+:C .* # /gm, "");
  for (
    const files of [
      {},
      { m: "file a seq 1 type x\n" },
      { m: "#\nfile a seq 1 type b" },
      { m: "#\nfile a seq 1 type b\n\n" },
      { m: FILES, "a.1.base.aof": SET },
      { m: FILES, "a.1.incr.aof": SET },
      { m: FILES, "a.1.base.aof": "", "a.1.incr.aof": "" },
    ] as Record<string, string>[]
  ) {
    const theirs = await folder.checkReference(files, "m");
    if (theirs === undefined) return;
    const ours = folder.check(files, "m");
    assertEquals(ours, { ...theirs, output: withoutProcess(theirs.output) });
  }
});

Deno.test("the files of a manifest are judged in order, and only the last one is cut", async () => {
  using folder = new Folder();
  const snapshot = snapshotOf([["\x00", "foo", "\x05hello"]]);
  for (
    const [base, increment] of [
      [SET, LATER],
      [SET, LATER.slice(0, -3)],
      [SET.slice(0, -3), LATER],
      [`${SET}${MULTI}${LATER}`, SET],
      [snapshot, LATER],
      [snapshot, `${SET}x`],
      [`${snapshot}${SET}`, LATER],
      [`${snapshot}${SET}*`, LATER],
      [`${snapshot.slice(0, -1)}x`, LATER],
      [snapshot.slice(0, -9), LATER],
      [DATED, SET],
      [SET, DATED],
      [SET, `#TS:101x\r\n${DATED}`],
      [`#TS:101\r\n${DATED}`, SET],
      [SET, `${DATED}*`],
    ]
  ) {
    const files = { "a.1.base.aof": base, "a.1.incr.aof": increment, m: FILES };
    for (
      const options of [{}, { fix: true }, { truncateToTimestamp: 101 }, {
        truncateToTimestamp: 99,
      }]
    ) {
      const theirs = await folder.checkReference(files, "m", options);
      if (theirs === undefined) return;
      assertEquals(folder.check(files, "m", options), theirs);
    }
  }
});

Deno.test("a file in one piece may start with a snapshot", async () => {
  using folder = new Folder();
  const snapshot = snapshotOf([["\x00", "foo", "\x05hello"]]);
  for (const tail of ["", SET, `${SET}${MULTI}`, "\n"]) {
    for (const options of [{}, { fix: true }]) {
      const theirs = await folder.checkReference({ a: snapshot + tail }, "a", options);
      if (theirs === undefined) return;
      assertEquals(folder.check({ a: snapshot + tail }, "a", options), theirs);
    }
  }
});

Deno.test("nothing is cut unless the user says so", async () => {
  using folder = new Folder();
  const files = { a: `${SET}*` };
  for (const answer of ["n\n", "", "\n", "Yes\n"]) {
    const ours = folder.check(files, "a", { fix: true }, answer);
    assertEquals(ours.code, answer === "Yes\n" ? 0 : 1);
    assertEquals(ours.files, answer === "Yes\n" ? { a: SET } : files);
    const theirs = await folder.checkReference(files, "a", { fix: true }, answer);
    if (theirs !== undefined) assertEquals(ours, theirs);
  }
});

Deno.test("cut at a time, a file holds what was written until then", async () => {
  using folder = new Folder();
  for (const time of [99, 100, 101, 102]) {
    const ours = folder.check({ a: DATED }, "a", { truncateToTimestamp: time });
    const kept = time === 99 ? DATED : DATED.slice(0, DATED.indexOf(`#TS:${time + 1}`));
    assertEquals(ours.files.a, time === 102 ? DATED : kept);
    const theirs = await folder.checkReference({ a: DATED }, "a", { truncateToTimestamp: time });
    if (theirs !== undefined) assertEquals(ours, theirs);
  }
});

Deno.test("a file of commands that holds a line of a manifest is a file of commands", () => {
  using folder = new Folder();
  const text = command("set", "a", "\nfile b seq 1 type b\n");
  const { code, output } = folder.check({ a: `#TS:1\r\n${text}` }, "a");
  assertEquals(code, 0);
  assertStringIncludes(output, "Start checking Old-Style AOF");
  assertEquals(folder.check({ a: "#\nfile b seq 1 type i\n", b: SET }, "a").code, 0);
});

const obstacle = operatingSystem === WINDOWS ? "Windows would write all of the bytes" : undefined;
testUnless(obstacle, "a huge argument is passed over, and a bar shows how far", () => {
  using folder = new Folder();
  const path = `${folder.path}/huge`;
  const size = 5_000_000_000;
  const head = `*3\r\n$3\r\nset\r\n$1\r\na\r\n$${size}\r\n`;
  {
    // The system keeps no bytes where nothing was written.
    using file = Deno.openSync(path, { write: true, create: true });
    file.writeSync(latin1Bytes(head));
    file.seekSync(head.length + size, Deno.SeekMode.Start);
    file.writeSync(latin1Bytes(`\r\n${SET}*`));
  }
  let output = "";
  const console = createCheckConsole({
    write: (text) => output += text,
    readLine: () => "",
    watched: true,
  });
  assertEquals(checkAof(systemFiles, path, {}, console), 1);
  const total = head.length + size + SET.length + 3;
  assertStringIncludes(output, `size=${total}, ok_up_to=${total - 1}, ok_up_to_line=15, diff=1`);
  assertStringIncludes(output, `\r\x1b[K[${"#".repeat(39)} ] 99%\r\x1b[K`);
});
