import { assert, assertEquals, assertMatch } from "@std/assert";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { RedisStore } from "../support/packages/sessions.ts";
import { session } from "../support/packages/sessions.ts";
import { createClient } from "../support/packages/redis.ts";
import type { Server } from "../../src/server/mod.ts";
import { startQuietServer } from "./support.ts";

/** A store for sessions, with a client that is gone afterwards. */
async function makeStore(
  server: Server,
  resp: 2 | 3 = 3,
): Promise<{ store: RedisStore } & AsyncDisposable> {
  const client = createClient({
    url: `redis://127.0.0.1:${server.port}`,
    RESP: resp,
    socket: { reconnectStrategy: () => 10 },
  });
  client.on("error", () => {});
  await client.connect();
  return {
    store: new RedisStore({ client, scanCount: 10 }),
    [Symbol.asyncDispose]: () => Promise.resolve(client.destroy()),
  };
}

/** A session that lasts `maxAge` ms, with something in it. */
function data(maxAge: number, more: Record<string, unknown> = {}): session.SessionData {
  const expires = new Date(Date.now() + maxAge);
  return { cookie: { originalMaxAge: maxAge, expires, path: "/" }, ...more };
}

/** How long a key lives, in ms, as the server knows. */
async function timeToLive(store: RedisStore, key: string): Promise<number> {
  const client = store.client as unknown as ReturnType<typeof createClient>;
  return await client.pTTL(key);
}

for (const resp of [2, 3] as const) {
  Deno.test(`connect-redis: sessions are kept, listed and destroyed, RESP${resp}`, async () => {
    await using server = await startQuietServer();
    await using made = await makeStore(server, resp);
    const { store } = made;
    assertEquals(await store.get("nobody"), null);
    const ids = Array.from({ length: 500 }, (_, index) => `visitor-${index}`);
    await Promise.all(ids.map((id, index) => store.set(id, data(60_000, { visits: index }))));
    assertEquals((await store.get("visitor-7")).visits, 7);
    assertEquals(await store.length(), ids.length);
    assertEquals((await store.ids()).toSorted(), ids.toSorted());
    const all: readonly { readonly visits: number }[] = await store.all();
    const visits = all.map((each) => each.visits).toSorted((left, right) => left - right);
    assertEquals(visits, ids.map((_, index) => index));
    await store.destroy("visitor-7");
    assertEquals(await store.get("visitor-7"), null);
    assertEquals(await store.length(), ids.length - 1);
    await store.clear();
    assertEquals([await store.length(), await store.ids()], [0, []]);
  });
}

Deno.test("connect-redis: sessions end when their time is over, which a visit puts off", async () => {
  await using server = await startQuietServer();
  await using made = await makeStore(server);
  const { store } = made;
  await store.set("short", data(1000));
  await store.set("long", data(50_000));
  const [short, long] = [
    await timeToLive(store, "sess:short"),
    await timeToLive(store, "sess:long"),
  ];
  assert(short > 0 && short <= 1000, String(short));
  assert(long > 49_000 && long <= 50_000, String(long));
  await store.touch("short", data(30_000));
  const touched = await timeToLive(store, "sess:short");
  assert(touched > 29_000 && touched <= 30_000, String(touched));
  await store.set("over", data(1000));
  while (await store.get("over") !== null) await new Promise((done) => setTimeout(done, 50));
  assertEquals((await store.ids()).toSorted(), ["long", "short"]);
});

/** A request to which its session has been added. */
type VisitRequest = IncomingMessage & {
  session: { visits?: number; destroy(done: () => void): void };
};

/** A page that counts the visits of who comes, and forgets them on /logout. */
function countVisits(request: VisitRequest, response: ServerResponse): void {
  if (request.url === "/logout") {
    request.session.destroy(() => response.end("bye"));
    return;
  }
  request.session.visits = (request.session.visits ?? 0) + 1;
  response.end(`visit ${request.session.visits}`);
}

/** Serves {@linkcode countVisits} with sessions in `store` until it is disposed of. */
async function servePages(store: RedisStore): Promise<{ readonly port: number } & AsyncDisposable> {
  const withSession = session({
    store,
    secret: "keyboard cat",
    resave: false,
    saveUninitialized: false,
  });
  const pages = createServer((request, response) =>
    withSession(
      request as never,
      response as never,
      () => countVisits(request as VisitRequest, response),
    )
  );
  await new Promise<void>((ready) => pages.listen(0, "127.0.0.1", ready));
  return {
    port: (pages.address() as AddressInfo).port,
    async [Symbol.asyncDispose](): Promise<void> {
      await new Promise((closed) => {
        pages.close(closed);
        pages.closeAllConnections();
      });
    },
  };
}

/** Somebody who keeps cookies. */
class Browser {
  private cookie = "";

  constructor(private readonly port: number) {}

  /** What a page says. */
  async visit(path = "/"): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      headers: { cookie: this.cookie },
    });
    this.cookie = response.headers.get("set-cookie")?.split(";")[0] ?? this.cookie;
    return await response.text();
  }
}

Deno.test("connect-redis: visitors of a page are known again, after the store was cut off, too", async () => {
  await using server = await startQuietServer();
  await using made = await makeStore(server);
  await using pages = await servePages(made.store);
  const [anna, bert] = [new Browser(pages.port), new Browser(pages.port)];
  assertEquals(await anna.visit(), "visit 1");
  assertEquals(await anna.visit(), "visit 2");
  assertEquals(await bert.visit(), "visit 1");
  const [id] = await made.store.ids();
  assertMatch(id, /^[\w-]{32}$/);
  for (const connected of [...server.sessions.values()]) connected.close();
  assertEquals(await anna.visit(), "visit 3");
  assertEquals(await made.store.length(), 2);
  assertEquals(await anna.visit("/logout"), "bye");
  assertEquals(await made.store.length(), 1);
  assertEquals([await anna.visit(), await bert.visit()], ["visit 1", "visit 2"]);
});
