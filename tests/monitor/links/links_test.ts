import { assert, assertEquals } from "@std/assert";
import type { ControlEvent } from "../../../src/monitor/control/actions.ts";
import { Links } from "../../../src/monitor/links/links.ts";
import type { MonitorEnvironment } from "../../../src/monitor/environment.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { systemFiles } from "../../../src/runtime/files.ts";
import { Logger } from "../../../src/runtime/logging.ts";
import { systemRandomness } from "../../../src/runtime/random.ts";
import type { Connection } from "../../../src/runtime/sockets.ts";
import { systemSockets } from "../../../src/runtime/sockets.ts";
import { eventually } from "./real_group.ts";

const encoder = new TextEncoder();

/** Links whose connections are made by `connect`, and what they have told. */
function linksBy(connect: () => Promise<Connection>) {
  const events: ControlEvent[] = [];
  const environment: MonitorEnvironment = {
    sockets: { ...systemSockets, connect },
    clock: systemClock,
    randomness: systemRandomness,
    files: systemFiles,
    logger: new Logger(() => {}, Date.now),
    lookup: (host) => host === "known" ? Promise.resolve("10.1.2.3") : Promise.reject(new Error()),
  };
  return { links: new Links(environment, (event) => events.push(event)), events };
}

/** A connection to nobody: what is written is kept, what is to be read is given by the test. */
class FakeConnection implements Connection {
  readonly local = "10.0.0.9:5000";
  readonly remote = "10.0.0.1:6379";
  readonly fromLoopback = false;
  written = "";
  closed = false;
  #next = Promise.withResolvers<string | null>();

  async read(bytes: Uint8Array): Promise<number | null> {
    const text = await this.#next.promise;
    this.#next = Promise.withResolvers();
    return text === null ? null : encoder.encodeInto(text, bytes).written;
  }

  write(bytes: Uint8Array): Promise<number> {
    this.written += new TextDecoder().decode(bytes);
    return Promise.resolve(bytes.length);
  }

  close(): void {
    this.closed = true;
    this.#next.resolve(null);
  }

  say(text: string | null): void {
    this.#next.resolve(text);
  }
}

const OPEN = { type: "open", link: 7, host: "10.0.0.1", port: 6379, timeoutMs: 1000 } as const;

Deno.test("a link tells that it stands, its answers, its messages, and its end", async () => {
  const connection = new FakeConnection();
  const { links, events } = linksBy(() => Promise.resolve(connection));
  links.open(OPEN);
  await eventually("it stands", () => events.length === 1);
  assertEquals(events.pop(), { type: "opened", link: 7, local: "10.0.0.9", remote: "10.0.0.1" });

  links.send({ type: "send", link: 7, tag: 1, command: ["PING"] });
  links.post({ type: "post", link: 7, command: ["REPLCONF", "GETACK", "*"] });
  links.send({ type: "send", link: 7, tag: 2, command: ["SUBSCRIBE", "news"] });
  await eventually("all is sent", () => connection.written.includes("news"));
  connection.say("-NOAUTH no\r\n*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
  await eventually("both are answered", () => events.length === 2);
  const [refused, confirmed] = events.splice(0);
  assert(refused.type === "reply" && refused.reply instanceof Error);
  assertEquals([refused.tag, refused.reply.message], [1, "NOAUTH no"]);
  const reply = ["subscribe", "news", 1];
  assertEquals(confirmed, { type: "reply", link: 7, tag: 2, reply });

  connection.say("*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n");
  await eventually("the message is there", () => events.length === 1);
  assertEquals(events.pop(), { type: "message", link: 7, text: "hello" });

  connection.say(null);
  await eventually("it is closed", () => events.length === 1);
  assertEquals(events.pop(), { type: "closed", link: 7, reason: "Server closed the connection" });
  assertEquals(links.size, 0);
});

Deno.test("nothing is heard of a link that was closed", async () => {
  const connection = new FakeConnection();
  const { links, events } = linksBy(() => Promise.resolve(connection));
  links.open(OPEN);
  await eventually("it stands", () => events.length === 1);
  links.send({ type: "send", link: 7, tag: 1, command: ["PING"] });
  links.close(7);
  connection.say("+PONG\r\n");
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(events.length, 1);
  assertEquals(connection.closed, true);
});

Deno.test("a link that isn't made in time is given up, and closed if it comes later", async () => {
  const connection = new FakeConnection();
  const { promise, resolve } = Promise.withResolvers<Connection>();
  const { links, events } = linksBy(() => promise);
  links.open({ ...OPEN, timeoutMs: 5 });
  await eventually("it is given up", () => events.length === 1);
  assertEquals(events[0], { type: "closed", link: 7, reason: "Connection timed out" });
  resolve(connection);
  await eventually("it is closed", () => connection.closed);
  assertEquals(events.length, 1);
});

Deno.test("a link that is refused says why", async () => {
  const { links, events } = linksBy(() => Promise.reject(new Deno.errors.ConnectionRefused()));
  links.open(OPEN);
  await eventually("it is refused", () => events.length === 1);
  assertEquals(events[0], { type: "closed", link: 7, reason: "Connection refused" });
});

Deno.test("names are looked up", async () => {
  const { links, events } = linksBy(() => Promise.reject(new Error()));
  links.resolve("known");
  links.resolve("unknown");
  await eventually("both are told", () => events.length === 2);
  assertEquals(events, [
    { type: "resolved", host: "known", ip: "10.1.2.3" },
    { type: "resolved", host: "unknown", ip: null },
  ]);
});
