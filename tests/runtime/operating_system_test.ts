import { assertEquals, assertThrows } from "@std/assert";
import { type FileCalls, filesOf, folderOf, isAbsolutePath } from "../../src/runtime/files.ts";
import { lowerThreadPriority, systemDescription } from "../../src/runtime/machine.ts";
import {
  LINUX,
  MACOS,
  type OperatingSystem,
  operatingSystem,
  WINDOWS,
} from "../../src/runtime/operating_system.ts";
import { listenForSignals, type SignalSource } from "../../src/runtime/signals.ts";

const SYSTEMS = [LINUX, MACOS, WINDOWS];

/** Signals that a test sends, and a runtime that doesn't know all of them. */
class ScriptedSignals implements SignalSource {
  readonly listeners = new Map<Deno.Signal, () => void>();

  constructor(private readonly unknown: readonly Deno.Signal[] = []) {}

  add(signal: Deno.Signal, listener: () => void): void {
    if (this.unknown.includes(signal)) throw new TypeError(`no ${signal} here`);
    this.listeners.set(signal, listener);
  }

  remove(signal: Deno.Signal, listener: () => void): void {
    if (this.listeners.get(signal) === listener) this.listeners.delete(signal);
  }

  get names(): Deno.Signal[] {
    return [...this.listeners.keys()].sort();
  }

  /** Sends all signals that somebody listens to. */
  sendAll(): void {
    for (const name of this.names) this.listeners.get(name)!();
  }
}

/** Calls of a system where somebody keeps files open while the first calls come. */
function heldCalls(failures: number, reason: string): FileCalls & { count: number } {
  const hold = () => {
    if (calls.count++ < failures) throw new Error(`rename 'a' -> 'b': ${reason}`);
  };
  const calls = {
    count: 0,
    renameSync: hold,
    removeSync: hold,
    remove: () => Promise.resolve(),
    chmodSync: hold,
  };
  return calls;
}

Deno.test("the system that runs this is one of the table, and tells its name", () => {
  const expected = { linux: LINUX, darwin: MACOS, windows: WINDOWS }[Deno.build.os as string];
  assertEquals(operatingSystem, expected ?? operatingSystem);
  assertEquals(systemDescription().split(" ")[0], operatingSystem.name);
});

Deno.test("a program that outlives its terminal ends by the signals of its system", () => {
  const expected = new Map<OperatingSystem, string[]>([
    [LINUX, ["SIGABRT", "SIGINT", "SIGTERM"]],
    [MACOS, ["SIGABRT", "SIGINT", "SIGTERM"]],
    // Nobody outlives his window there.
    [WINDOWS, ["SIGBREAK", "SIGHUP", "SIGINT"]],
  ]);
  for (const [system, signals] of expected) {
    const source = new ScriptedSignals();
    const ended: Deno.Signal[] = [];
    const onEnd = (signal: Deno.Signal) => void ended.push(signal);
    const plan = { onEnd, alsoEnding: ["SIGABRT" as const], outlivesTerminal: true };
    const forget = listenForSignals(plan, system, source);
    source.sendAll();
    assertEquals(ended, signals, system.name);
    assertEquals(source.listeners.has("SIGHUP"), true, system.name);
    forget();
    assertEquals(source.names, []);
  }
});

Deno.test("a program that doesn't outlive its terminal ends with it", () => {
  for (const system of SYSTEMS) {
    const source = new ScriptedSignals();
    const ended: Deno.Signal[] = [];
    listenForSignals(
      { onEnd: (signal) => ended.push(signal), outlivesTerminal: false },
      system,
      source,
    );
    source.sendAll();
    assertEquals(ended, [...system.endingSignals, "SIGHUP"].sort(), system.name);
  }
});

Deno.test("signals that the runtime doesn't know are left out", () => {
  const source = new ScriptedSignals(["SIGHUP"]);
  const forget = listenForSignals({ onEnd: () => {}, outlivesTerminal: true }, WINDOWS, source);
  assertEquals(source.names, ["SIGBREAK", "SIGINT"]);
  forget();
  assertEquals(source.names, []);
});

Deno.test("a folder is synced where that can be done", async () => {
  const missing = `${Deno.makeTempDirSync()}/missing`;
  for (const system of SYSTEMS) {
    const files = filesOf(system);
    if (system.syncsFolders) {
      if (Deno.build.os === "windows") continue;
      assertThrows(() => files.syncFolder(missing), Deno.errors.NotFound);
    } else {
      files.syncFolder(missing);
      await files.syncFolderAside(missing);
    }
  }
  Deno.removeSync(folderOf(missing));
});

Deno.test("files get permissions where there are any", () => {
  for (const system of SYSTEMS) {
    const calls = heldCalls(0, "");
    filesOf(system, calls).setPermissions("a", 0o600);
    assertEquals(calls.count, system.hasPermissions ? 1 : 0, system.name);
  }
});

Deno.test("who has a file open on Windows is waited for, for a while", () => {
  for (const reason of ["Access is denied. (os error 5)", "It is in use. (os error 32)"]) {
    for (const act of ["rename", "remove"] as const) {
      const calls = heldCalls(2, reason);
      filesOf(WINDOWS, calls)[act]("a", "b");
      assertEquals(calls.count, 3);
    }
    const forever = heldCalls(Infinity, reason);
    assertThrows(() => filesOf(WINDOWS, forever).rename("a", "b"), Error, "os error");
  }
});

Deno.test("another failure, and one of another system, shows at once", () => {
  const others: [OperatingSystem, string][] = [
    [WINDOWS, "It isn't there. (os error 2)"],
    [LINUX, "Input/output error (os error 5)"],
    [MACOS, "Broken pipe (os error 32)"],
  ];
  for (const [system, reason] of others) {
    const calls = heldCalls(1, reason);
    assertThrows(() => filesOf(system, calls).rename("a", "b"), Error, "os error");
    assertEquals(calls.count, 1);
  }
});

Deno.test("a replaced text keeps its permissions, and leaves no other file", () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/text`;
  Deno.writeTextFileSync(path, "old", { mode: 0o640 });
  for (
    const system of SYSTEMS.filter(({ syncsFolders }) =>
      syncsFolders === operatingSystem.syncsFolders
    )
  ) {
    filesOf(system).replaceText(path, `new, ${system.name}`);
    assertEquals(Deno.readTextFileSync(path), `new, ${system.name}`);
    if (operatingSystem.hasPermissions) assertEquals(Deno.statSync(path).mode! & 0o777, 0o640);
    assertEquals([...Deno.readDirSync(folder)].length, 1);
  }
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("a thread alone is slowed down, or nobody", () => {
  for (const system of SYSTEMS) {
    const priorities: number[] = [];
    lowerThreadPriority(10, system, (priority) => void priorities.push(priority));
    assertEquals(priorities, system === LINUX ? [10] : [], system.name);
  }
  lowerThreadPriority(10, LINUX, () => {
    throw new Error("not allowed");
  });
});

Deno.test("paths are taken apart as the system does it", () => {
  const folders: [OperatingSystem, string, string][] = [
    [LINUX, "/data/dump.rdb", "/data/"],
    [LINUX, "dump.rdb", "."],
    [LINUX, "odd\\name", "."],
    [MACOS, "a/b", "a/"],
    [WINDOWS, "C:\\data\\dump.rdb", "C:\\data\\"],
    [WINDOWS, "C:\\data/dump.rdb", "C:\\data/"],
    [WINDOWS, "dump.rdb", "."],
  ];
  for (const [system, path, folder] of folders) assertEquals(folderOf(path, system), folder);
  const whole: [OperatingSystem, string, boolean][] = [
    [LINUX, "/a", true],
    [LINUX, "a/b", false],
    [LINUX, "C:\\a", false],
    [WINDOWS, "C:\\a", true],
    [WINDOWS, "c:/a", true],
    [WINDOWS, "\\\\host\\share", true],
    [WINDOWS, "/a", true],
    [WINDOWS, "a\\b", false],
  ];
  for (const [system, path, isWhole] of whole) assertEquals(isAbsolutePath(path, system), isWhole);
});
Deno.test("nothing but src/runtime asks where it runs, or for signals that systems name differently", () => {
  const found: string[] = [];
  const look = (folder: URL): void => {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      const place = new URL(isDirectory ? `${name}/` : name, folder);
      if (isDirectory) look(place);
      else if (name.endsWith(".ts") && !place.pathname.includes("/src/runtime/")) {
        const text = Deno.readTextFileSync(place);
        if (/Deno\.build\.os|process\.platform|"SIGBREAK"/.test(text)) found.push(place.pathname);
      }
    }
  };
  look(new URL("../../src/", import.meta.url));
  assertEquals(found, []);
});
