/** `miniredis monitor` from its command line, with a stand-in for the monitor behind it. */

import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { type MonitorPrograms, runMonitor } from "../../src/monitor/cli.ts";
import type { MonitorOptions, SavedState } from "../../src/monitor/options.ts";
import { UsageError } from "../../src/runtime/arguments.ts";

/** What the stand-in was started with. */
interface Seen {
  options?: MonitorOptions;
  saved?: SavedState | null;
  status?: readonly string[];
  demo?: boolean;
}

/** Programs that say what they were given, of which the monitor ends with `end`. */
function programs(seen: Seen, end: Promise<number> | Error): MonitorPrograms {
  return {
    start(options, saved, _environment, save) {
      Object.assign(seen, { options, saved });
      if (end instanceof Error) return Promise.reject(end);
      save({ myId: "b".repeat(40), currentEpoch: 7, groups: [] });
      return Promise.resolve({
        routerPort: options.router.port,
        sentinelPort: options.sentinelPort,
        httpPort: options.httpPort,
        ended: end,
        stop: () => Promise.resolve(),
      });
    },
    status(args) {
      seen.status = args;
      return Promise.resolve(5);
    },
    demo(parsed) {
      seen.demo = parsed.isDemo;
      return Promise.resolve(6);
    },
  };
}

async function inFolder(task: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "monitor-cli-" });
  try {
    await task(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("monitor's cli: it runs until it ends, and keeps what it is given to save", async () => {
  await inFolder(async (folder) => {
    const seen: Seen = {};
    // deno-fmt-ignore
    const args = [
      "--dir", folder, "--logfile", "log", "--pidfile", "pid", "--port", "7000", "--http",
      "--sentinel-port", "27000", "--state", "s.conf",
    ];
    const code = await runMonitor(args, programs(seen, Promise.resolve(3)));
    assertEquals(code, 3);
    assertEquals(seen.saved, null);
    assertEquals(seen.options?.router.port, 7000);
    const log = await Deno.readTextFile(`${folder}/log`);
    assertMatch(log, /^\d+:X .* # oO0OoO0OoO0Oo miniredis is starting oO0OoO0OoO0Oo$/m);
    assertMatch(log, /\* Running mode=sentinel, port=27000\.$/m);
    assertMatch(log, /\* Running mode=router, port=7000: ready .* group 'mymaster'$/m);
    assertMatch(log, /\* The web page is at http:\/\/127\.0\.0\.1:8080\/$/m);
    assertMatch(
      log,
      /# Sentinel is now ready to exit, bye bye\.\.\.\n.*Removing the pid file\.\n$/,
    );
    await assertRejects(() => Deno.stat(`${folder}/pid`), Deno.errors.NotFound);

    await runMonitor(args, programs(seen, Promise.resolve(0)));
    assertEquals(seen.saved, { myId: "b".repeat(40), currentEpoch: 7, groups: [] });
  });
});

Deno.test("monitor's cli: what stops the start is one line, and the code 1", async () => {
  await inFolder(async (folder) => {
    const reason = new Error(
      "Could not create server TCP listening socket *:6379: bind: (os error 98)",
    );
    const args = ["--dir", folder, "--logfile", "log"];
    assertEquals(await quietly(() => runMonitor(args, programs({}, reason))), [
      1,
      "Could not create server TCP listening socket *:6379: bind:",
    ]);
    const log = await Deno.readTextFile(`${folder}/log`);
    assertMatch(log, /# Could not create server TCP listening socket \*:6379: bind:\n$/);

    const [code, text] = await quietly(() =>
      runMonitor([`${folder}/none.conf`], programs({}, reason))
    );
    assertEquals(code, 1);
    assertEquals(
      text,
      `Fatal error, can't open config file '${folder}/none.conf': No such file or directory`,
    );
    const [, broken] = await quietly(() => runMonitor(["--port", "x"], programs({}, reason)));
    assertStringIncludes(broken, "*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***");
  });
});

Deno.test("monitor's cli: a config file that is a link is written where it leads", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/real.conf`, "port 27000\n");
    await Deno.symlink(`${folder}/real.conf`, `${folder}/link.conf`);
    const seen: Seen = {};
    const args = [`${folder}/link.conf`, "--logfile", `${folder}/log`];
    assertEquals(await runMonitor(args, programs(seen, Promise.resolve(0))), 0);
    assertEquals(seen.options?.router.port, null);
    assertEquals(seen.options?.stateFile, await Deno.realPath(`${folder}/real.conf`));
    assertMatch(await Deno.readTextFile(`${folder}/real.conf`), /sentinel current-epoch 7\n$/);
  });
});

Deno.test("monitor's cli: status and the demonstration are programs of their own", async () => {
  const seen: Seen = {};
  const stand = programs(seen, Promise.resolve(0));
  assertEquals(await runMonitor(["status", "--url", "x"], stand), 5);
  assertEquals(seen.status, ["--url", "x"]);
  assertEquals(await runMonitor(["--demo"], stand), 6);
  assertEquals(seen.demo, true);
  await assertRejects(() => runMonitor(["--quorun", "1"], stand), UsageError, "--quorum");
});

/** What a run gives, and what it says on the standard error meanwhile. */
async function quietly(run: () => Promise<number>): Promise<[number, string]> {
  const lines: string[] = [];
  const before = console.error;
  console.error = (line: string) => lines.push(line);
  try {
    return [await run(), lines.join("\n")];
  } finally {
    console.error = before;
  }
}
