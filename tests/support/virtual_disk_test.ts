import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type OutputFile, systemReason } from "../../src/runtime/files.ts";
import { seededRandom } from "./random.ts";
import { DeadProcessError, type OperationKind, VirtualDisk } from "./virtual_disk.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A disk with `/data/log`, whose name and first text last. */
function diskWithLog(seed: number, text = "kept"): { disk: VirtualDisk; log: OutputFile } {
  const disk = new VirtualDisk(seed);
  disk.write("/data/log", bytesOf(text));
  return { disk, log: disk.process().openToAppend("log") };
}

/** What is in a file after a power cut, by seeds; null where there is none. */
function fates(path: string, run: (disk: VirtualDisk) => void, seeds = 200): (string | null)[] {
  return Array.from({ length: seeds }, (_, seed) => {
    const disk = new VirtualDisk(seed);
    run(disk);
    disk.powerCut();
    return disk.exists(path) ? textOf(disk.read(path)) : null;
  });
}

function different<Value>(values: Value[]): Value[] {
  return [...new Set(values)].sort();
}

/** What the system says when something fails. */
function reasonOf(run: () => unknown): string {
  return systemReason(assertThrows(run));
}

Deno.test("files are written, read, added to, renamed and removed", () => {
  const disk = new VirtualDisk(1);
  const file = disk.create("/data/a");
  assertEquals(file.write(bytesOf("hello world")), 11);
  file.truncate(5);
  file.write(bytesOf("!"));
  assertEquals(file.size, 6);
  file.close();
  disk.appendText("a", "?");
  assertEquals(disk.readText("//data/./a"), "hello!?");

  const read = disk.openToRead("/data/a");
  const room = new Uint8Array(4);
  assertEquals([read.size, read.read(room), textOf(room)], [7, 4, "hell"]);
  read.seek(5);
  assertEquals([read.read(room), textOf(room.subarray(0, 2))], [2, "!?"]);
  assertEquals(read.read(room), 0);

  disk.rename("a", "b");
  disk.replaceText("c", "text");
  assertEquals(disk.list("."), ["b", "c"]);
  assertEquals(disk.paths(), ["/data/b", "/data/c"]);
  disk.remove("b");
  assertEquals([disk.exists("b"), disk.exists("c"), disk.exists("/data")], [false, true, true]);
});

Deno.test("a file that was removed or renamed is still the one that was opened", () => {
  const disk = new VirtualDisk(1);
  const file = disk.create("a");
  file.write(bytesOf("first"));
  const read = disk.openToRead("a");
  disk.rename("a", "b");
  disk.create("a").write(bytesOf("second"));
  file.write(bytesOf(" more"));
  assertEquals([disk.readText("a"), disk.readText("b")], ["second", "first more"]);
  disk.remove("b");
  const room = new Uint8Array(20);
  assertEquals(textOf(room.subarray(0, read.read(room))), "first more");
});

Deno.test("folders", () => {
  const disk = new VirtualDisk(1);
  assertEquals([disk.folder("."), disk.folder("/"), disk.folder("/data/")], [
    "/data",
    "/",
    "/data",
  ]);
  disk.makeFolder("x/y");
  disk.makeFolder("x");
  disk.write("x/y/file", bytesOf("1"));
  assertEquals([disk.list("."), disk.list("/data/x")], [["x"], ["y"]]);
  disk.rename("x/y/file", "x/file");
  assertEquals(disk.paths(), ["/data/x/file"]);
  disk.remove("x/y");
  assertEquals(reasonOf(() => disk.remove("x")), "Directory not empty");
});

Deno.test("what isn't there is not found, as the system says it", () => {
  const disk = new VirtualDisk(1);
  disk.write("file", bytesOf(""));
  for (
    const call of [
      () => disk.openToRead("no"),
      () => disk.readText("no"),
      () => disk.read("no"),
      () => disk.create("no/file"),
      () => disk.openToAppend("no/file"),
      () => disk.rename("no", "other"),
      () => disk.remove("no"),
      () => disk.setPermissions("no", 0o600),
      () => disk.folder("/missing"),
      () => disk.list("no"),
      () => disk.syncFolder("no"),
    ]
  ) {
    assertEquals(
      systemReason(assertThrows(call, Deno.errors.NotFound)),
      "No such file or directory",
    );
  }
  assertEquals(reasonOf(() => disk.openToRead("file/x")), "Not a directory");
  assertEquals(reasonOf(() => disk.folder("file")), "Not a directory");
  assertEquals(reasonOf(() => disk.create("/data")), "Is a directory");
  assertEquals(reasonOf(() => disk.makeFolder("file")), "File exists");
});

Deno.test("a closed file can't be used", () => {
  const { disk, log } = diskWithLog(1);
  log.close();
  assertThrows(() => log.write(bytesOf("x")), Deno.errors.BadResource);
  assertThrows(() => log.close(), Deno.errors.BadResource);
  assertEquals(disk.readText("log"), "kept");
});

Deno.test("the same seed and the same calls leave the same disk, other seeds another", () => {
  const run = (seed: number) => {
    const { disk, log } = diskWithLog(seed);
    disk.shortWrites = 0.5;
    for (let line = 0; line < 50; line++) log.write(bytesOf(`line ${line} `.repeat(40)));
    disk.create("other").write(bytesOf("x".repeat(2000)));
    disk.powerCut();
    return disk.paths().map((path) => `${path} ${textOf(disk.read(path))}`).join();
  };
  assertEquals(run(3), run(3));
  assert(different(Array.from({ length: 20 }, (_, seed) => run(seed))).length > 10);
});

Deno.test("power cut: what was synced is there, under a name that was synced", () => {
  const left = fates("/data/a", (disk) => {
    const file = disk.create("a");
    file.write(bytesOf("synced"));
    file.syncNow();
    disk.syncFolder(".");
  });
  assertEquals(different(left), ["synced"]);
});

Deno.test("power cut: of what wasn't synced there is nothing, everything, the beginning, zeros or garbage", () => {
  const text = "abcdefgh".repeat(300);
  const left = fates("/data/log", (disk) => {
    disk.write("log", bytesOf("kept"));
    const log = disk.openToAppend("log");
    for (let at = 0; at < text.length; at += 600) log.write(bytesOf(text.slice(at, at + 600)));
  }) as string[];
  for (const one of left) assert(one.startsWith("kept"), "what is durable is never damaged");
  const rests = left.map((one) => one.slice(4));
  const isWhole = (rest: string) => text.startsWith(rest);
  assert(rests.some((rest) => rest === ""), "nothing");
  assert(rests.some((rest) => rest === text), "everything");
  assert(rests.some((rest) => isWhole(rest) && rest.length % 600 !== 0), "a torn write");
  assert(rests.some((rest) => rest.length === text.length && /^\0+$/.test(rest)), "only the size");
  assert(rests.some((rest) => /[a-h]\0{512}[a-h]/.test(rest)), "a block is missing");
  assert(rests.some((rest) => !isWhole(rest) && /^[a-h]+\0+$/.test(rest)), "zeros at the end");
  assert(rests.some((rest) => /^[a-h]*[^\0]*[^\0a-h]/.test(rest)), "garbage");
});

Deno.test("power cut: a truncation that wasn't synced happened or not", () => {
  const left = fates("/data/log", (disk) => {
    disk.write("log", bytesOf("0123456789"));
    disk.openToAppend("log").truncate(4);
  });
  assertEquals(different(left), ["0123", "0123456789"]);
});

Deno.test("power cut: a file that was emptied to be written anew has the old bytes or fewer", () => {
  const left = fates("/data/file", (disk) => {
    disk.write("file", bytesOf("old"));
    disk.create("file").write(bytesOf("new"));
  });
  for (const one of ["old", "", "new"]) assert(left.includes(one), one);
});

Deno.test("power cut: of a less cruel disk, a first part of what wasn't synced is there, cut anywhere", () => {
  const text = "0123456789";
  const left = fates("/data/log", (disk) => {
    disk.tearing = "prefix";
    disk.write("log", bytesOf("kept"));
    const log = disk.openToAppend("log");
    for (const digit of ["01", "23456", "789"]) log.write(bytesOf(digit));
  });
  const prefixes = Array.from({ length: text.length + 1 }, (_, end) => `kept${text.slice(0, end)}`);
  assert(left.every((one) => prefixes.includes(one!)));
  assert(different(left).length > 7);
});

Deno.test("power cut: a name that wasn't synced may be gone, with all that was synced under it", () => {
  const left = fates("/data/a", (disk) => {
    const file = disk.create("a");
    file.write(bytesOf("synced"));
    file.syncNow();
  });
  assertEquals(different(left).sort(), ["synced", null].sort());
});

Deno.test("power cut: of what was done to names in a folder the first few happened", () => {
  const left = Array.from({ length: 100 }, (_, seed) => {
    const disk = new VirtualDisk(seed);
    disk.write("a", bytesOf(""));
    disk.write("d", bytesOf(""));
    disk.rename("a", "b");
    disk.create("c");
    disk.remove("d");
    disk.powerCut();
    return disk.list(".").join("");
  });
  assertEquals(different(left), ["ad", "bc", "bcd", "bd"]);
});

Deno.test("power cut: a name that got another file has the one or the other", () => {
  const left = fates("/data/a", (disk) => {
    disk.write("a", bytesOf("old"));
    disk.write("b", bytesOf("new"));
    disk.rename("b", "a");
  });
  assertEquals(different(left), ["new", "old"]);
});

Deno.test("power cut: a rename to another folder happened in both or in neither", () => {
  for (let seed = 0; seed < 100; seed++) {
    const disk = new VirtualDisk(seed);
    disk.makeFolder("x");
    disk.syncFolder(".");
    disk.create("first").syncNow();
    disk.rename("first", "x/moved");
    disk.create("later");
    if (seed % 2 === 0) disk.syncFolder("x");
    disk.powerCut();
    const names = disk.paths().filter((path) => path !== "/data/later");
    assert(names.length < 2, names.join());
    if (seed % 2 === 0) assertEquals(names, ["/data/x/moved"]);
  }
});

Deno.test("power cut: a folder that wasn't synced into its parent may be gone", () => {
  const left = fates("/data/x/file", (disk) => {
    disk.makeFolder("x");
    const file = disk.create("x/file");
    file.write(bytesOf("1"));
    file.syncNow();
    disk.syncFolder("x");
  });
  assertEquals(different(left).sort(), ["1", null].sort());
});

Deno.test("power cut: a text that was replaced is the old or the new one, and after the call the new one", () => {
  const run = (cutAt: number) =>
    fates("/data/conf", (disk) => {
      disk.write("conf", bytesOf("old"));
      disk.onOperation = () => {
        if (disk.operations === cutAt) disk.powerCut();
      };
      if (cutAt <= 5) {
        assertThrows(() => disk.process().replaceText("conf", "new"), DeadProcessError);
      } else disk.process().replaceText("conf", "new");
    }, 50);
  // The operations are create, write, sync, rename and syncFolder.
  for (let cutAt = 1; cutAt <= 4; cutAt++) assertEquals(different(run(cutAt)), ["old"]);
  assertEquals(different(run(5)), ["new", "old"]);
  assertEquals(different(run(6)), ["new"]);
});

Deno.test("a process that was cut off can do nothing any more", async () => {
  const disk = new VirtualDisk(1);
  disk.write("log", bytesOf("kept"));
  const old = disk.process();
  const log = old.openToAppend("log");
  const read = old.openToRead("log");
  disk.powerCut();
  for (
    const call of [
      () => log.write(bytesOf("x")),
      () => log.truncate(0),
      () => log.syncNow(),
      () => read.read(new Uint8Array(1)),
      () => old.create("new"),
      () => old.readText("log"),
      () => old.replaceText("log", ""),
      () => old.exists("log"),
    ]
  ) assertThrows(call, DeadProcessError);
  await assertRejects(() => log.sync(), DeadProcessError);
  log.close();
  assertEquals([disk.paths(), disk.process().readText("log")], [["/data/log"], "kept"]);
});

Deno.test("a process that was killed leaves all that it wrote, as little of it durable as before", () => {
  const left = fates("/data/log", (disk) => {
    disk.write("log", bytesOf(""));
    const log = disk.process().openToAppend("log");
    log.write(bytesOf("text"));
    disk.processKilled();
    assertThrows(() => log.write(bytesOf("x")), DeadProcessError);
    assertEquals(disk.process().readText("log"), "text");
  });
  assert(left.includes("text") && left.includes(""));
});

Deno.test("a sync makes durable what was written before it", async () => {
  for (let seed = 0; seed < 50; seed++) {
    const { disk, log } = diskWithLog(seed, "");
    disk.holdSyncs = true;
    log.write(bytesOf("before "));
    const synced = log.sync();
    log.write(bytesOf("after"));
    disk.releaseSyncs();
    await synced;
    disk.powerCut();
    const left = disk.readText("log");
    assert(left.startsWith("before "));
    if (left === "before ") return;
  }
  throw new Error("what was written after the sync was always there");
});

Deno.test("a sync that isn't held ends by itself, after what is done at once", async () => {
  const { log } = diskWithLog(1);
  const order: string[] = [];
  const synced = log.sync().then(() => order.push("synced"));
  await Promise.resolve();
  order.push("done");
  await synced;
  assertEquals(order, ["done", "synced"]);
});

Deno.test("a sync that the power cut comes before happened or not, and nobody is told", async () => {
  let ended = false;
  const left = fates("/data/log", (disk) => {
    disk.write("log", bytesOf(""));
    const log = disk.process().openToAppend("log");
    log.write(bytesOf("text"));
    log.sync().finally(() => ended = true);
  });
  await new Promise((done) => setTimeout(done, 0));
  assert(left.includes("text") && left.includes(""));
  assert(!ended);
});

Deno.test("a disk that is full takes what there is room for, and then nothing", () => {
  const { disk, log } = diskWithLog(1);
  disk.capacity = 10;
  assertEquals(log.write(bytesOf("0123456789")), 6);
  assertEquals(reasonOf(() => log.write(bytesOf("6"))), "No space left on device");
  assertEquals(reasonOf(() => disk.replaceText("conf", "x")), "No space left on device");
  assertEquals(disk.paths(), ["/data/log"], "what was to take its place is removed");
  log.truncate(4);
  assertEquals(log.write(bytesOf("0123456789")), 6);
  assertEquals(disk.readText("log"), "kept012345");
});

Deno.test("writes may be short", () => {
  const { disk, log } = diskWithLog(1, "");
  disk.shortWrites = 0.5;
  const counts = Array.from({ length: 50 }, () => log.write(bytesOf("0123456789")));
  assert(counts.includes(10) && counts.some((count) => count < 10) && !counts.includes(0));
  assertEquals(log.size, counts.reduce((sum, count) => sum + count));
  disk.replaceText("conf", "whole");
  assertEquals(disk.readText("conf"), "whole");
});

Deno.test("calls fail by number, by probability and by path", () => {
  const { disk, log } = diskWithLog(1, "");
  const write = () => log.write(bytesOf("x"));
  disk.failWrites = 2;
  assertEquals([reasonOf(write), reasonOf(write), write()], [
    "Input/output error",
    "Input/output error",
    1,
  ]);
  disk.failWrites = 0.5;
  let failed = 0;
  for (let call = 0; call < 100; call++) {
    try {
      write();
    } catch {
      failed++;
    }
  }
  assert(failed > 25 && failed < 75);
  disk.failWrites = (path) => path === "/data/log" && "Read-only file system";
  assertEquals(reasonOf(write), "Read-only file system");
  disk.create("other").write(bytesOf("x"));
  assertEquals(disk.readText("log"), "x".repeat(101 - failed));
});

Deno.test("each kind of call can fail", async () => {
  const { disk, log } = diskWithLog(1);
  const failure = "Input/output error";
  disk.failTruncates = 1;
  assertEquals(reasonOf(() => log.truncate(0)), failure);
  disk.failOpens = 3;
  assertEquals(reasonOf(() => disk.create("a")), failure);
  assertEquals(reasonOf(() => disk.openToAppend("a")), failure);
  assertEquals(reasonOf(() => disk.openToRead("log")), failure);
  disk.failRenames = (path) => path === "/data/a";
  assertEquals(reasonOf(() => disk.rename("log", "a")), failure);
  disk.failSyncs = 3;
  assertEquals(reasonOf(() => log.syncNow()), failure);
  assertEquals(systemReason(await assertRejects(() => log.sync())), failure);
  assertEquals(reasonOf(() => disk.syncFolder(".")), failure);
  await log.sync();
  assertEquals([disk.paths(), disk.readText("log")], [["/data/log"], "kept"]);
});

Deno.test("what a sync failed to make durable never becomes so, though the next sync says it did", () => {
  const left = fates("/data/log", (disk) => {
    disk.write("log", bytesOf("kept "));
    const log = disk.openToAppend("log");
    log.write(bytesOf("lost"));
    disk.failSyncs = 1;
    assertThrows(() => log.syncNow());
    log.syncNow();
    assertEquals(disk.readText("log"), "kept lost", "as long as the machine runs it is there");
  });
  assertEquals(different(left), ["kept "]);

  const writtenAgain = fates("/data/log", (disk) => {
    disk.write("log", bytesOf("kept "));
    const log = disk.openToAppend("log");
    log.write(bytesOf("lost"));
    disk.failSyncs = 1;
    assertThrows(() => log.syncNow());
    log.truncate(5);
    log.write(bytesOf("again"));
    log.syncNow();
  });
  assertEquals(different(writtenAgain), ["kept again"]);

  const names = fates("/data/b", (disk) => {
    disk.write("a", bytesOf(""));
    disk.rename("a", "b");
    disk.failSyncs = 1;
    assertThrows(() => disk.syncFolder("."));
    disk.syncFolder(".");
  });
  assertEquals(different(names), [null]);
});

Deno.test("the path of a fault or an ignored sync is whole", () => {
  const { disk, log } = diskWithLog(1);
  const asked: string[] = [];
  disk.ignoreSyncs = (kind, path) => asked.push(`${kind} ${path}`) < 0;
  log.syncNow();
  disk.syncFolder("./");
  assertEquals(asked, ["file /data/log", "folder /data"]);
});

Deno.test("operations are counted and announced before they happen", () => {
  const disk = new VirtualDisk(1);
  const announced: [OperationKind, string, boolean][] = [];
  disk.onOperation = (kind, path) => announced.push([kind, path, disk.exists(path)]);
  const file = disk.openToAppend("a");
  file.write(bytesOf("x"));
  file.truncate(0);
  file.syncNow();
  file.close();
  disk.openToAppend("a");
  disk.openToRead("a");
  disk.rename("a", "b");
  disk.setPermissions("b", 0o600);
  disk.remove("b");
  disk.makeFolder("x");
  disk.syncFolder(".");
  assertEquals(announced, [
    ["create", "/data/a", false],
    ["write", "/data/a", true],
    ["truncate", "/data/a", true],
    ["sync", "/data/a", true],
    ["rename", "/data/b", false],
    ["setPermissions", "/data/b", true],
    ["remove", "/data/b", true],
    ["makeFolder", "/data/x", false],
    ["syncFolder", "/data", true],
  ]);
  assertEquals(disk.operations, announced.length);
});

Deno.test("a test's own file lasts at once, and nothing else by it", () => {
  const left = fates("/data/other", (disk) => {
    disk.create("file");
    disk.create("other");
    disk.write("file", bytesOf("text"));
    disk.write("x/y", bytesOf("deep"));
    disk.processKilled();
    disk.powerCut();
    assertEquals([disk.readText("file"), disk.readText("x/y")], ["text", "deep"]);
  });
  assertEquals(different(left).sort(), ["", null].sort());
});

/**
 * Writes numbered lines as a careful server would, each in a file of ten, until the power is cut at some
 * operation; how many lines were promised, and how many are there.
 */
function keepLines(disk: VirtualDisk, random: () => number): { promised: number; found: number } {
  const cutAt = 1 + Math.floor(random() * 80);
  disk.onOperation = () => {
    if (disk.operations === cutAt) disk.powerCut();
  };
  const files = disk.process();
  let promised = 0;
  try {
    for (;;) {
      const file = files.create(`lines.${promised / 10}`);
      files.syncFolder(".");
      for (let line = 0; line < 10; line++) {
        file.write(bytesOf(`${promised}\n`));
        file.syncNow();
        promised++;
      }
      file.close();
    }
  } catch (error) {
    if (!(error instanceof DeadProcessError)) throw error;
  }
  const lines = disk.paths().flatMap((path) => disk.readText(path).split("\n"));
  let found = 0;
  while (lines.includes(String(found))) found++;
  return { promised, found };
}

Deno.test("a server that syncs keeps its promises; one whose syncs are knocked out is found out", () => {
  const broken = (ignored: "file" | "folder" | null) => {
    let count = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const disk = new VirtualDisk(seed);
      disk.ignoreSyncs = (kind) => kind === ignored;
      const { promised, found } = keepLines(disk, seededRandom(seed * 7919));
      if (found < promised) count++;
    }
    return count;
  };
  assertEquals(broken(null), 0);
  assert(broken("file") > 20);
  assert(broken("folder") > 20);
});
