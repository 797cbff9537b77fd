import { assert, assertEquals } from "@std/assert";
import { runClient } from "../../../src/client/cli.ts";
import { parseClientOptions } from "../../../src/client/options.ts";
import { latin1Text } from "../../../src/client/quoting.ts";
import { fetchSnapshot } from "../../../src/client/tools/rdb.ts";
import { startServer } from "../../../src/server/mod.ts";
import { MemoryFiles } from "../../support/memory_files.ts";
import { startReferenceRedis } from "../../support/reference_redis.ts";
import { referenceTool } from "../../support/reference_tool.ts";
import { VirtualDisk } from "../../support/virtual_disk.ts";
import { FakeTerminal } from "../fake_terminal.ts";
import { ScriptedMaster, type Transfer } from "./scripted_master.ts";

const MARK = "0123456789abcdef".repeat(3).slice(0, 40);
const INTRODUCTION = ["sending REPLCONF capa eof", "sending REPLCONF rdb-only 1"];

/** What the user sees of a run, and what is in the folder afterwards. */
interface Result {
  code: number;
  /** The lines behind the introduction. */
  errors: string[];
  output: string;
  files: Record<string, string>;
}

/** Fetches from a master that sends this, to `/data/snapshot` on a disk unless it is told where. */
async function fetchFrom(
  transfer: Transfer,
  { path = "/data/snapshot", disk = new VirtualDisk(1), terminal = new FakeTerminal() } = {},
): Promise<Result> {
  await using master = new ScriptedMaster(transfer);
  const settings = parseClientOptions(["-p", master.port, "--rdb", path], {
    password: undefined,
    forPeople: false,
  });
  const code = await fetchSnapshot({ settings, terminal }, disk);
  const errors = terminal.errors[0] === INTRODUCTION[0]
    ? terminal.errors.slice(2)
    : terminal.errors;
  return { code, errors, output: terminal.output, files: filesOf(disk) };
}

function filesOf(disk: VirtualDisk): Record<string, string> {
  const entries = disk.list("/data").map((name) => [name, latin1Text(disk.read(`/data/${name}`))]);
  return Object.fromEntries(entries);
}

/** Runs a test in a folder of its own. */
async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "client-rdb-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function ask(port: number, ...words: string[]): Promise<string> {
  const terminal = new FakeTerminal();
  await runClient(["-p", `${port}`, ...words], terminal);
  return terminal.output;
}

Deno.test("a server of ours starts with what was fetched from another", async () => {
  await withFolder(async (folder) => {
    for (const diskless of ["no", "yes"]) {
      const settings = {
        port: "0",
        bind: "127.0.0.1",
        dir: "/data",
        "repl-diskless-sync": diskless,
        "repl-diskless-sync-delay": "0",
      };
      const source = await startServer(settings, { log: () => {}, files: new MemoryFiles() });
      const terminal = new FakeTerminal();
      try {
        await ask(source.port, "mset", "a", "1", "b", "x".repeat(100_000));
        const args = ["-p", `${source.port}`, "--rdb", `${folder}/dump.rdb`];
        assertEquals(await runClient(args, terminal), 0);
      } finally {
        await source.shutDownNow();
      }
      assertEquals(terminal.errors.slice(0, 2), INTRODUCTION);
      assert(terminal.errors[3].startsWith("Transfer finished with success"), terminal.errors[3]);
      assertEquals(terminal.errors[2].includes("until EOF marker"), diskless === "yes");
      const copy = await startServer({ ...settings, dir: folder }, { log: () => {} });
      try {
        assertEquals(await ask(copy.port, "strlen", "b"), "100000\n");
        assertEquals(await ask(copy.port, "dbsize"), "2\n");
      } finally {
        await copy.shutDownNow();
      }
    }
  });
});

Deno.test("the same as redis-cli, at a redis-server", async () => {
  await using redis = await startReferenceRedis("--repl-diskless-sync-delay", "0");
  if (redis === undefined) return;
  await redis.ask("DEBUG", "POPULATE", "20000", "key", "100");
  const body = "#!lua name=lib\nredis.register_function('f', function() return 1 end)";
  await redis.ask("FUNCTION", "LOAD", body);
  await withFolder(async (folder) => {
    const path = `${folder}/file.rdb`;
    for (const diskless of ["no", "yes"]) {
      await redis.ask("CONFIG", "SET", "repl-diskless-sync", diskless);
      for (const option of ["--rdb", "--functions-rdb"]) {
        const args = ["-s", redis.path, option, path];
        const { code, stderr } = await new Deno.Command("redis-cli", { args }).output();
        const size = (await Deno.stat(path)).size;
        await Deno.remove(path);
        const terminal = new FakeTerminal();
        assertEquals(await runClient(args, terminal), code);
        // A snapshot tells when it was made and how much memory there was: digits may differ.
        const withoutSize = (text: string) => text.replace(/\d{3,}( bytes)/g, "N$1");
        assertEquals(
          withoutSize(terminal.errors.map((line) => line + "\n").join("")),
          withoutSize(new TextDecoder().decode(stderr)),
        );
        assert(Math.abs((await Deno.stat(path)).size - size) < 16);
        const checked = await referenceTool("redis-check-rdb", [path]);
        const keys = option === "--rdb" ? 20_000 : 0;
        if (checked !== undefined) assert(checked.output.includes(`${keys} keys read`));
        assert((await Deno.readTextFile(path)).includes("register_function"));
      }
    }
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["file.rdb"]);
  });
});

Deno.test("a length, and bytes in pieces behind empty lines", async () => {
  assertEquals(await fetchFrom({ pieces: ["\n\n", "\n$1", "0\r\nRED", "IS\r\n", "abc"] }), {
    code: 0,
    errors: [
      "SYNC sent to master, writing 10 bytes to '/data/snapshot'",
      "Transfer finished with success.",
    ],
    output: "",
    files: { snapshot: "REDIS\r\nabc" },
  });
});

Deno.test("a mark at the end, wherever the pieces end, and what only begins like it", async () => {
  const content = "REDIS" + MARK.slice(0, 39) + MARK.slice(0, 20) + "end";
  const whole = `$EOF:${MARK}\r\n${content}${MARK}`;
  for (let cut = 1; cut < whole.length; cut += 7) {
    const { code, errors, files } = await fetchFrom({
      pieces: [whole.slice(0, cut), whole.slice(cut, cut + 30), whole.slice(cut + 30)],
    });
    assertEquals([code, files], [0, { snapshot: content }], `cut at ${cut}`);
    assertEquals(errors, [
      "SYNC sent to master, writing bytes of bulk transfer until EOF marker to '/data/snapshot'",
      `Transfer finished with success after ${content.length} bytes`,
    ]);
  }
});

Deno.test("what breaks off leaves no file, and an old one as it was", async () => {
  for (const start of ["$100\r\nREDIS", `$EOF:${MARK}\r\nREDIS${MARK.slice(0, 39)}`]) {
    for (const old of ["", "old"]) {
      const disk = new VirtualDisk(1);
      if (old !== "") disk.write("/data/snapshot", new TextEncoder().encode(old));
      const { code, errors, files } = await fetchFrom({ pieces: [start], closes: true }, { disk });
      assertEquals(code, 1);
      assertEquals(errors.at(-1), "I/O Error reading RDB payload from socket");
      assertEquals(files, old === "" ? {} : { snapshot: old });
    }
  }
});

Deno.test("a server that gives none", async () => {
  const cases: [Transfer, string][] = [
    [
      { pieces: ["-NOMASTERLINK Can't SYNC\r\n"] },
      "SYNC with master failed: -NOMASTERLINK Can't SYNC",
    ],
    [{ pieces: ["\n\n"], closes: true }, "Error reading bulk length while SYNCing"],
    [{ pieces: ["$EOF:short\r\n"] }, "SYNC with master failed: $EOF:short"],
    [{ pieces: ["HTTP/1.1 400\r\n"] }, "SYNC with master failed: HTTP/1.1 400"],
    [{ pieces: ["x".repeat(70_000)] }, "Error: Protocol error, endless line, at byte 0"],
  ];
  for (const [transfer, expected] of cases) {
    assertEquals(await fetchFrom(transfer), { code: 1, errors: [expected], output: "", files: {} });
  }
});

Deno.test("an older server is asked for all the same, but not for functions alone", async () => {
  const refusal = "-ERR Unrecognized REPLCONF option\r\n";
  for (
    const [option, code, lastLine] of [
      ["--rdb", 0, "Transfer finished with success."],
      ["--functions-rdb", 1, "Failed requesting functions only RDB from server, aborting"],
    ] as const
  ) {
    await using master = new ScriptedMaster({ pieces: ["$5\r\nREDIS"] });
    master.answers["REPLCONF rdb-only 1"] = refusal;
    master.answers["REPLCONF rdb-filter-only functions"] = refusal;
    const terminal = new FakeTerminal();
    assertEquals(await runClient(["-p", master.port, option, "-"], terminal), code);
    assert(terminal.errors.includes("REPLCONF rdb-only error: ERR Unrecognized REPLCONF option"));
    assertEquals(terminal.errors.at(-1), lastLine);
    assertEquals(terminal.output, code === 0 ? "REDIS" : "");
    assertEquals(master.commands.includes("SYNC"), code === 0);
  }
});

Deno.test("the standard output gets the snapshot and nothing else", async () => {
  for (const path of ["-", "/dev/stdout"]) {
    const { code, output, files } = await fetchFrom(
      { pieces: [`$EOF:${MARK}\r\nREDIS\x00\xff${MARK}`] },
      { path },
    );
    assertEquals([code, output, files], [0, "REDIS\x00\xff", {}]);
  }
});

Deno.test("a disk that is full or fails: the reason, and no file", async () => {
  const faults: [string, (disk: VirtualDisk) => void][] = [
    ["Error writing data to file: No space left on device", (disk) => disk.capacity = 100],
    ["Fail to fsync '/data/snapshot': Input/output error", (disk) => disk.failSyncs = 1],
    [
      "Error renaming the file to '/data/snapshot': Input/output error",
      (disk) => disk.failRenames = 1,
    ],
    ["Error opening '/data/snapshot': Input/output error", (disk) => disk.failOpens = 1],
  ];
  for (const [expected, breakDisk] of faults) {
    const disk = new VirtualDisk(1);
    breakDisk(disk);
    const transfer = { pieces: ["$2000\r\n", "x".repeat(2000)] };
    const { code, errors, files } = await fetchFrom(transfer, { disk });
    assertEquals([code, errors.at(-1), files], [1, expected, {}]);
  }
});

Deno.test("Ctrl-C leaves nothing behind", async () => {
  const terminal = new FakeTerminal();
  const disk = new VirtualDisk(1);
  disk.onOperation = (kind) => {
    if (kind === "write") queueMicrotask(() => terminal.interrupt());
  };
  const { code, errors, files } = await fetchFrom({ pieces: ["$9\r\nRED"] }, { disk, terminal });
  assertEquals([code, errors.length, files], [130, 1, {}]);
  assertEquals(terminal.interrupt(), false);
});

Deno.test("places that are none, and a file that is there keeps its permissions and links", async () => {
  await withFolder(async (folder) => {
    await using master = new ScriptedMaster({ pieces: ["$5\r\nREDIS"] });
    const run = async (path: string) => {
      const terminal = new FakeTerminal();
      const code = await runClient(["-p", master.port, "--rdb", path], terminal);
      return { code, lastLine: terminal.errors.at(-1)! };
    };
    for (const path of ["", folder, `${folder}/missing/file`]) {
      const { code, lastLine } = await run(path);
      assertEquals(code, 1);
      assert(lastLine.startsWith(`Error opening '${path}': `), lastLine);
    }
    assertEquals(master.commands, [], "the server wasn't asked for what can't be written");
    if (Deno.build.os === "windows") {
      console.log("not tried: Windows has other permissions, and links are for administrators");
      return;
    }
    const [file, link] = [`${folder}/file`, `${folder}/link`];
    await Deno.writeTextFile(file, "a longer file than what comes", { mode: 0o600 });
    await Deno.symlink(file, link);
    assertEquals((await run(link)).code, 0);
    assertEquals(await Deno.readTextFile(file), "REDIS");
    assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);
    assertEquals((await Deno.lstat(link)).isSymlink, true);
    assertEquals((await run("/dev/null")).code, 0);
    assertEquals((await Deno.stat("/dev/null")).isFile, false);
  });
});

Deno.test("a bar is shown where somebody sees it", async () => {
  const pieces = ["$300\r\n", ...Array<string>(60).fill("x".repeat(5))];
  const terminal = new FakeTerminal();
  terminal.errorIsTerminal = true;
  await fetchFrom({ pieces }, { terminal });
  assert(terminal.errorText.startsWith("\rReceiving  "), terminal.errorText);
  assert(terminal.errorText.endsWith(" \r"), "nothing is left of it");
});
