import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Connection, SocketListener, Sockets } from "../../src/runtime/sockets.ts";
import { RandomSource } from "../fuzz/random_source.ts";
import { EventLoop } from "./event_loop.ts";
import { type Host, Network } from "./network.ts";

const PORT = 6379;

/** Two hosts and a connection between them. */
class Pair implements Disposable {
  readonly loop = new EventLoop();
  readonly network: Network;
  readonly left: Host;
  readonly right: Host;
  readonly lines: string[] = [];
  listener!: SocketListener;
  leftSockets!: Sockets;
  /** The end of who has connected, and of who has accepted. */
  near!: Connection;
  far!: Connection;

  constructor(seed: number) {
    this.network = new Network(this.loop, new RandomSource(seed, 0));
    this.network.trace = (line) => this.lines.push(`${this.loop.now} ${line}`);
    this.left = this.network.host("10.0.0.1");
    this.right = this.network.host("10.0.0.2");
  }

  async connect(): Promise<this> {
    this.leftSockets = this.left.boot();
    const listener = this.listener = this.right.boot().listen("10.0.0.2", PORT, () => false);
    const accepted = listener.accept();
    const connected = this.leftSockets.connect("10.0.0.2", PORT);
    await this.loop.pass(10);
    this.near = await connected;
    this.far = await accepted;
    return this;
  }

  [Symbol.dispose](): void {
    this.loop[Symbol.dispose]();
  }
}

/** Reads on and on; what has come, and how it has ended. */
class Reader {
  readonly bytes: number[] = [];
  ended: "end" | string | null = null;

  constructor(private readonly connection: Connection, private readonly roomBytes = 1000) {
    this.next();
  }

  private next(): void {
    const room = new Uint8Array(this.roomBytes);
    this.connection.read(room).then((count) => {
      if (count === null) this.ended = "end";
      else {
        this.bytes.push(...room.subarray(0, count));
        this.next();
      }
    }, (error: Error) => this.ended = error.name);
  }
}

/** Writes all of `bytes`, on and on; how many have been taken. */
function writeAll(connection: Connection, bytes: Uint8Array): { count: number; failed: boolean } {
  const state = { count: 0, failed: false };
  const next = (): void => {
    if (state.count === bytes.length) return;
    connection.write(bytes.subarray(state.count)).then((count) => {
      state.count += count;
      next();
    }, () => state.failed = true);
  };
  next();
  return state;
}

function numbered(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => index * 7 + (index >> 8));
}

Deno.test("bytes come in order, in pieces, and then the end", async () => {
  using pair = await new Pair(1).connect();
  pair.network.pieceChance = 0.9;
  const reader = new Reader(pair.far);
  const bytes = numbered(5000);
  writeAll(pair.near, bytes);
  await pair.loop.pass(100);
  assertEquals(reader.bytes, [...bytes]);
  pair.near.close();
  await pair.loop.pass(100);
  assertEquals(reader.ended, "end");
});

Deno.test("the same seed gives the same run, and another seed another one", async () => {
  const run = async (seed: number) => {
    using pair = await new Pair(seed).connect();
    pair.network.pieceChance = 0.5;
    const reader = new Reader(pair.far);
    pair.loop.post(0, null, function note() {
      pair.lines.push(`${pair.loop.now} ${reader.bytes.length} ${reader.ended}`);
      if (pair.lines.length < 60) pair.loop.post(1, null, note);
    });
    writeAll(pair.near, numbered(2000));
    await pair.loop.pass(2);
    pair.network.cut(pair.network.connections[0]);
    await pair.loop.pass(100);
    return pair.lines;
  };
  const first = await run(7);
  assertEquals(await run(7), first);
  assert((await run(8)).join() !== first.join());
});

Deno.test("a cut leaves a first part of what was on its way, whatever the seed", async () => {
  const lengths = new Set<number>();
  for (let seed = 1; seed <= 60; seed++) {
    using pair = await new Pair(seed).connect();
    pair.network.delay = { lowMs: 5, highMs: 20 };
    const near = new Reader(pair.near);
    const far = new Reader(pair.far);
    const bytes = numbered(3000);
    writeAll(pair.near, bytes);
    await pair.loop.pass(4);
    pair.network.cut(pair.network.connections[0]);
    await pair.loop.pass(50);
    assertEquals(far.bytes, [...bytes.subarray(0, far.bytes.length)]);
    lengths.add(far.bytes.length);
    // Who isn't told learns it by writing.
    for (const end of [pair.near, pair.far]) end.write(new Uint8Array(1)).catch(() => {});
    await pair.loop.pass(100);
    assert(near.ended !== null && far.ended !== null);
  }
  assert(lengths.size > 40, "it is cut anywhere");
});

Deno.test("a connection is cut at the very byte", async () => {
  for (let at = 0; at < 40; at++) {
    using pair = await new Pair(at + 1).connect();
    pair.network.pieceChance = 0.5;
    const far = new Reader(pair.far);
    pair.network.cutLater(pair.left, pair.right, at);
    writeAll(pair.near, numbered(40));
    await pair.loop.pass(50);
    assertEquals(pair.network.cuts, 1);
    // A reset takes along what hasn't been read yet.
    if (far.ended === "end") assertEquals(far.bytes.length, at);
    else assert(far.bytes.length <= at);
  }
});

Deno.test("who writes waits for who doesn't read", async () => {
  using pair = await new Pair(3).connect();
  const bytes = numbered(200_000);
  const writing = writeAll(pair.near, bytes);
  await pair.loop.pass(1000);
  assertEquals(writing.count, 64 * 1024);
  const reader = new Reader(pair.far);
  await pair.loop.pass(5000);
  assertEquals(writing.count, bytes.length);
  assertEquals(reader.bytes.length, bytes.length);
});

Deno.test("a stopped process notices nothing until it goes on, and its timers wait", async () => {
  using pair = await new Pair(4).connect();
  const reader = new Reader(pair.far);
  let ticks = 0;
  await pair.loop.runFor(pair.right.process, () => {
    setInterval(() => ticks++, 100);
  });
  await pair.loop.pass(1000);
  assertEquals(ticks, 10);
  pair.right.process.stopped = true;
  const writing = writeAll(pair.near, numbered(500));
  await pair.loop.pass(1000);
  assertEquals([writing.count, reader.bytes.length, ticks], [500, 0, 10]);
  pair.right.process.stopped = false;
  await pair.loop.pass(50);
  assertEquals([reader.bytes.length, ticks], [500, 11]);
  await pair.loop.pass(100);
  assertEquals(ticks, 12);
});

Deno.test("nothing comes through a blocked way, and afterwards all of it", async () => {
  using pair = await new Pair(5).connect();
  const near = new Reader(pair.near);
  const far = new Reader(pair.far);
  pair.network.block(pair.left, pair.right);
  writeAll(pair.near, numbered(100));
  writeAll(pair.far, numbered(100));
  await pair.loop.pass(1000);
  assertEquals([far.bytes.length, near.bytes.length], [0, 100]);
  pair.network.unblock(pair.left, pair.right);
  await pair.loop.pass(50);
  assertEquals(far.bytes.length, 100);
});

Deno.test("connections are refused, time out, or come once there is a way", async () => {
  using pair = await new Pair(6).connect();
  const { leftSockets: sockets, network } = pair;
  const refused = assertRejects(
    () => sockets.connect("10.0.0.2", 1),
    Deno.errors.ConnectionRefused,
  );
  await pair.loop.pass(10);
  await refused;
  network.block(pair.right, pair.left);
  const late = assertRejects(() => sockets.connect("10.0.0.2", PORT), Deno.errors.TimedOut);
  await pair.loop.pass(15_000);
  const accepted = pair.listener.accept();
  const connected = sockets.connect("10.0.0.2", PORT);
  await pair.loop.pass(10_000);
  await late;
  network.unblock(pair.right, pair.left);
  await pair.loop.pass(10);
  assertEquals((await connected).local, (await accepted).remote);
});

Deno.test("the peers of a killed process are told, those of a machine without power when it is back", async () => {
  for (const power of [false, true]) {
    using pair = await new Pair(8).connect();
    const near = new Reader(pair.near);
    const far = new Reader(pair.far);
    if (power) pair.right.powerOff();
    else pair.right.kill();
    await pair.loop.pass(1000);
    assertEquals(near.ended, power ? null : "end");
    writeAll(pair.near, numbered(10));
    await pair.loop.pass(1000);
    assertEquals(near.ended, power ? null : "end");
    pair.right.boot();
    await pair.loop.pass(50);
    assertEquals(near.ended, power ? "ConnectionReset" : "end");
    assertEquals(far.bytes, []);
  }
});

Deno.test("a closed end takes back nothing of what it has written, and answers what comes with a reset", async () => {
  using pair = await new Pair(9).connect();
  const far = new Reader(pair.far);
  const read = assertRejects(() => pair.near.read(new Uint8Array(1)), Deno.errors.Interrupted);
  writeAll(pair.near, numbered(100));
  await pair.loop.pass(5);
  pair.near.close();
  await read;
  await assertRejects(() => pair.near.write(new Uint8Array(1)), Deno.errors.BadResource);
  await pair.loop.pass(20);
  assertEquals([far.bytes.length, far.ended], [100, "end"]);
  writeAll(pair.far, numbered(10));
  await pair.loop.pass(20);
  await assertRejects(() => pair.far.write(new Uint8Array(1)), Deno.errors.BrokenPipe);
});

Deno.test("bytes must not change before they are taken", async () => {
  using pair = await new Pair(10).connect();
  const bytes = numbered(70_000);
  writeAll(pair.near, bytes);
  await pair.loop.pass(10);
  bytes.fill(0);
  new Reader(pair.far);
  await pair.loop.pass(10);
  assert(String(pair.loop.uncaught).includes("has changed"));
});
