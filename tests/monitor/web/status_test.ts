import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { UsageError } from "../../../src/runtime/arguments.ts";
import { printStatus } from "../../../src/monitor/web/status.ts";
import { formatStatus } from "../../../src/monitor/web/status_text.ts";
import { FakeMonitor } from "./fake_monitor.ts";
import { runWeb } from "./running_web.ts";

/** Runs `miniredis monitor status`. */
async function status(...args: string[]) {
  let stdout = "";
  const stderr: string[] = [];
  const code = await printStatus(args, {
    isColored: false,
    write: (text) => stdout += text,
    writeError: (line) => stderr.push(line),
  });
  return { code, stdout, stderr };
}

Deno.test("status prints what the monitor shows", async () => {
  await using site = await runWeb();
  site.monitor.emit("+sdown", "slave 127.0.0.1:6382");
  for (const url of [site.web.url, `127.0.0.1:${site.web.port}`]) {
    const { code, stdout, stderr } = await status("--url", url);
    assertEquals([code, stderr], [0, []]);
    assertMatch(stdout, /^mymaster: All is well\. 127\.0\.0\.1:6380 is the master/);
    assertMatch(stdout, /^127\.0\.0\.1:6381 {2}replica +up +8 412 992 +in step +yes /m);
    assertMatch(stdout, /^127\.0\.0\.1:26380 {2}up +monitor/m);
    assertMatch(stdout, /^Router 127\.0\.0\.1:6379: 48 clients/m);
    assertMatch(stdout, /\+sdown {2}slave 127\.0\.0\.1:6382$/m);
  }
});

Deno.test("status ends with 1 and one line if nobody answers, or somebody else does", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  assertEquals(await status("--url", `http://127.0.0.1:${port}`), {
    code: 1,
    stdout: "",
    stderr: [
      `miniredis monitor: no answer from a monitor at http://127.0.0.1:${port}: connection refused`,
    ],
  });

  await using other = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("<html>"),
  );
  const { code, stderr } = await status("--url", `127.0.0.1:${other.addr.port}`);
  assertEquals(code, 1);
  assertStringIncludes(stderr.join("\n"), "that is something else");
});

Deno.test("status knows what makes no sense, and --help", async () => {
  await assertRejects(() => status("everything"), UsageError);
  await assertRejects(() => status("--url", "http://"), UsageError);
  assertStringIncludes((await status("--help")).stdout, "--url");
});

Deno.test("colours are there only if they are asked for, and take no room", () => {
  const monitor = new FakeMonitor();
  monitor.loseMaster();
  const plain = formatStatus(monitor.state(), false);
  const colored = formatStatus(monitor.state(), true);
  assertEquals(plain.includes("\x1b"), false);
  assertStringIncludes(colored, "\x1b[31ms_down,o_down");
  // deno-lint-ignore no-control-regex
  const bare = colored.replace(/\x1b\[\d+m/g, "").replace(/ +$/gm, "");
  assertEquals(bare, plain);
});
