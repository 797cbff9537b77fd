import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { WebError } from "../../../src/monitor/web/server.ts";
import { FakeMonitor } from "./fake_monitor.ts";
import { runWeb } from "./running_web.ts";

/** What a browser adds to a request of a page of somebody else. */
const FOREIGN: readonly Record<string, string>[] = [
  { origin: "http://evil.example" },
  { origin: "null" },
  { "sec-fetch-site": "cross-site" },
  { "content-type": "text/plain" },
];

/** Sends a request as it stands, which `fetch` wouldn't, and gives the first line of the answer. */
async function sendRaw(port: number, request: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(request));
  return (await new Response(connection.readable).text()).split("\r\n")[0];
}

Deno.test("each file that the page names is there, and nothing of it is from elsewhere", async () => {
  await using site = await runWeb();
  const page = await site.get("/");
  assertEquals(page.headers.get("content-type"), "text/html; charset=utf-8");
  assertStringIncludes(page.headers.get("content-security-policy")!, "default-src 'none'");
  const paths = [...(await page.text()).matchAll(/(?:src|href)="([^"#]+)"/g)]
    .map(([, path]) => path);
  assertEquals(paths.filter((path) => !path.startsWith("/")), []);
  for (const path of paths) {
    const response = await site.get(path);
    const body = await response.text();
    assertEquals([path, response.status], [path, 200]);
    if (!path.endsWith(".js")) continue;
    for (const [, module] of body.matchAll(/from "\.\/([^"]+)"/g)) {
      const imported = await site.get(`/assets/${module}`);
      await imported.body?.cancel();
      assertEquals([module, imported.status], [module, 200]);
    }
  }
});

Deno.test("/healthz says why a monitor doesn't do what it is there for", async () => {
  await using site = await runWeb();
  const ask = async () => {
    const response = await site.get("/healthz");
    return [response.status, await response.text()];
  };
  assertEquals(await ask(), [200, "ok\n"]);

  site.monitor.loseMaster();
  assertEquals(await ask(), [503, "mymaster: a failover is under way\n"]);
  site.monitor.change({ status: "master down", trouble: "no replica is fit" });
  assertEquals(await ask(), [
    503,
    "mymaster: the master 127.0.0.1:6380 is down: no replica is fit\n",
  ]);
  site.monitor.switchMaster("127.0.0.1:6381");
  site.monitor.change({ lease: { mode: "missing", leftMs: 0 } });
  assertEquals((await ask())[0], 503);
  site.monitor.change({ lease: { mode: "held", leftMs: 1 }, master: "", trouble: "" });
  assertEquals(await ask(), [503, "mymaster: no master is known\n"]);
  site.monitor.change({
    master: "127.0.0.1:6381",
    writable: false,
    unwritableReason: "two masters",
  });
  assertEquals(await ask(), [503, "mymaster: writes are not sent to the master: two masters\n"]);

  // Without a router in front, there is nothing that could send them.
  site.monitor.router = null;
  site.monitor.change({ routed: false });
  assertEquals(await ask(), [200, "ok\n"]);
});

Deno.test("/api/state is the state", async () => {
  await using site = await runWeb();
  site.monitor.tick(3);
  const response = await site.get("/api/state");
  assertEquals(response.headers.get("content-type"), "application/json");
  assertEquals(await response.json(), JSON.parse(JSON.stringify(site.monitor.state())));
});

Deno.test("/api/events gives the whole state, then what is new", async () => {
  await using site = await runWeb();
  site.monitor.tick(2);
  site.monitor.emit("+sdown", "first");
  const response = await site.get("/api/events");
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const next = async () => {
    for (;;) {
      const end = text.indexOf("\n\n");
      if (end >= 0) {
        const [, name, data] = text.slice(0, end).match(/^event: (.*)\ndata: (.*)$/)!;
        text = text.slice(end + 2);
        return { name, ...JSON.parse(data) };
      }
      text += (await reader.read()).value;
    }
  };

  const first = await next();
  assertEquals(first.name, "state");
  assertEquals(first.controls, { failover: true, demo: null });
  assertEquals([first.state.events.length, first.state.samples.length], [1, 2]);

  site.monitor.tick();
  site.monitor.emit("-sdown", "second");
  const second = await next();
  assertEquals(second.name, "update");
  assertEquals(second.state.events.map(({ text }: { text: string }) => text), ["second"]);
  assertEquals(second.state.samples.length, 1);

  assertEquals(site.monitor.listeners, 1);
  await reader.cancel();
});

Deno.test("the end of the server ends the streams, and nobody listens any more", async () => {
  const site = await runWeb();
  const response = await site.get("/api/events");
  await site.web.stop();
  assertStringIncludes(await response.text(), "event: state");
  assertEquals(site.monitor.listeners, 0);
});

Deno.test("a failover needs the token", async () => {
  await using site = await runWeb();
  const { monitor, log } = site;
  for (const token of ["", "Secret", "secret ", undefined, 7, null]) {
    const { status, answer } = await site.post("/api/failover", { group: "mymaster", token });
    assertEquals([status, answer], [403, { error: "That is not the token." }]);
  }
  assertEquals(monitor.failovers, []);
  assertStringIncludes(log[0], "a failover with a wrong token was refused (127.0.0.1:");

  const request = { group: "mymaster", token: "secret" };
  assertEquals(await site.post("/api/failover", request), { status: 200, answer: { ok: true } });
  assertEquals(monitor.failovers, ["mymaster"]);

  monitor.failoverProblem = "NOGOODSLAVE No suitable replica to promote";
  const refused = await site.post("/api/failover", request);
  assertEquals(refused, { status: 409, answer: { error: monitor.failoverProblem } });
});

Deno.test("without a token nobody can start a failover", async () => {
  await using site = await runWeb({ token: "" });
  for (const token of ["", "secret", undefined]) {
    const { status } = await site.post("/api/failover", { group: "mymaster", token });
    assertEquals(status, 403);
  }
  assertEquals(site.monitor.failovers, []);
});

Deno.test("what a page of somebody else could send is refused, even with the token", async () => {
  await using site = await runWeb();
  const body = { group: "mymaster", token: "secret" };
  for (const headers of FOREIGN) {
    assertEquals((await site.post("/api/failover", body, headers)).status, 403);
  }
  const plain = await site.get("/api/failover", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  assertStringIncludes((await plain.json()).error, "x-miniredis-monitor");
  assertEquals(site.monitor.failovers, []);

  const own = { origin: site.web.url.slice(0, -1), "sec-fetch-site": "same-origin" };
  assertEquals((await site.post("/api/failover", body, own)).status, 200);
});

Deno.test("bodies that are too long, no JSON or no object are refused", async () => {
  await using site = await runWeb();
  const headers = { "content-type": "application/json", "x-miniredis-monitor": "test" };
  for (const [body, status] of [["x".repeat(5000), 413], ["{", 400], ["7", 400], ["{}", 400]]) {
    const response = await site.get("/api/failover", {
      method: "POST",
      headers,
      body: String(body),
    });
    await response.body?.cancel();
    assertEquals(response.status, status);
  }
});

Deno.test("on loopback, a Host header of another machine is turned away", async () => {
  await using site = await runWeb();
  const { port } = site.web;
  const ask = (host: string) =>
    sendRaw(port, `GET /api/state HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, "LOCALHOST"]) {
    assertEquals([host, await ask(host)], [host, "HTTP/1.1 200 OK"]);
  }
  for (
    const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "10.0.0.1"]
  ) {
    assertEquals([host, await ask(host)], [host, "HTTP/1.1 421 Misdirected Request"]);
  }
});

Deno.test("unknown paths and methods", async () => {
  await using site = await runWeb();
  const statusOf = async (path: string, method: string) => {
    const response = await site.get(path, { method });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await statusOf("/nothing", "GET"), 404);
  assertEquals(await statusOf("/api/demo/kill", "POST"), 404);
  assertEquals(await statusOf("/api/failover", "GET"), 405);
  assertEquals(await statusOf("/metrics", "POST"), 405);
  assertEquals(await statusOf("/metrics", "PUT"), 405);
  for (const path of ["/", "/metrics", "/api/events"]) {
    assertEquals([path, await statusOf(path, "HEAD")], [path, 200]);
  }
});

Deno.test("a demo's servers are killed and started by its buttons", async () => {
  const done: string[] = [];
  const demo = {
    nodes: () => [{ address: "127.0.0.1:6380", running: true }],
    kill: (node: string) =>
      node === "?" ? "There is no such server." : void done.push(`kill ${node}`),
    start: (node: string) => Promise.resolve(void done.push(`start ${node}`)),
  };
  await using site = await runWeb({ demo });
  const node = "127.0.0.1:6380";
  assertEquals((await site.post("/api/demo/kill", { node })).status, 200);
  assertEquals((await site.post("/api/demo/start", { node })).status, 200);
  assertEquals((await site.post("/api/demo/kill", { node: "?" })).answer, {
    error: "There is no such server.",
  });
  assertEquals((await site.post("/api/demo/kill", {})).status, 409);
  for (const headers of FOREIGN) {
    assertEquals((await site.post("/api/demo/kill", { node }, headers)).status, 403);
  }
  assertEquals(done, [`kill ${node}`, `start ${node}`]);
});

Deno.test("a port in use is said", async () => {
  await using site = await runWeb();
  const { port } = site.web;
  const error = await assertRejects(
    () => runWeb({ port, monitor: new FakeMonitor() }),
    WebError,
  );
  assertEquals(
    error.message,
    `Could not serve the web page on 127.0.0.1:${port}: Address already in use`,
  );
});
