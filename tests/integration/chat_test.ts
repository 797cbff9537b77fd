import { assert, assertEquals } from "@std/assert";
import type { Server } from "../../src/server/mod.ts";
import { LIBRARIES, User } from "./chat.ts";
import { startQuietServer } from "./support.ts";

/** One user by each library, in a stack that has them go. */
async function arriveAll(server: Server, stack: AsyncDisposableStack): Promise<User[]> {
  const users: User[] = [];
  for (const [index, library] of LIBRARIES.entries()) {
    users.push(stack.use(await User.arrive(`user${index}`, library, server.port)));
  }
  return users;
}

Deno.test("chat: who is in a room hears what is said there, and nothing else", async () => {
  await using server = await startQuietServer();
  await using stack = new AsyncDisposableStack();
  const users = await arriveAll(server, stack);
  for (const user of users) await user.enter("lobby");
  await users[0].enter("attic");
  for (const user of users) assertEquals(await user.say("lobby", "hello"), users.length);
  assertEquals(await users[1].say("attic", "boo"), 1);
  assertEquals(await users[1].say("cellar", "anybody?"), 0);
  const greetings = users.map(({ name }) => `room:lobby: ${name} says hello`);
  assertEquals(await users[0].hear(4), [...greetings, "room:attic: user1 says boo"]);
  for (const user of users.slice(1)) assertEquals(await user.hear(3), greetings);

  await users[1].leave("lobby");
  assertEquals(await users[0].say("lobby", "bye"), users.length - 1);
  assertEquals(await users[2].hear(1), ["room:lobby: user0 says bye"]);
  assertEquals(users[1].heard, []);
  assertEquals(await users[1].connection.ask("PUBSUB", "NUMSUB", "room:lobby", "room:attic"), [
    "room:lobby",
    2,
    "room:attic",
    1,
  ]);
});

Deno.test("chat: a moderator hears all rooms by a pattern", async () => {
  await using server = await startQuietServer();
  await using stack = new AsyncDisposableStack();
  const users = await arriveAll(server, stack);
  for (const moderator of users) {
    await moderator.connection.subscribePattern("room:*");
    assertEquals(await users[0].say("any", "hm"), 1);
    assertEquals(await moderator.hear(1), ["room:any: user0 says hm"]);
    // Who is in the room besides hears it twice.
    await moderator.enter("any");
    assertEquals(await users[1].say("any", "hm"), 2);
    assertEquals(await moderator.hear(2), Array(2).fill("room:any: user1 says hm"));
    await moderator.connection.unsubscribePattern("room:*");
    await moderator.leave("any");
  }
});

Deno.test("chat: many talk at once, and each is heard in order", async () => {
  await using server = await startQuietServer();
  await using stack = new AsyncDisposableStack();
  const users: User[] = [];
  for (let index = 0; index < 12; index++) {
    const library = LIBRARIES[index % LIBRARIES.length];
    users.push(stack.use(await User.arrive(`user${index}`, library, server.port)));
    await users[index].enter("lobby");
  }
  const lines = 100;
  await Promise.all(
    users.flatMap((user) =>
      Array.from({ length: lines }, (_, line) => user.say("lobby", `line ${line}`))
    ),
  );
  for (const user of users) {
    const heard = await user.hear(users.length * lines);
    assertEquals(heard.length, users.length * lines);
    for (const { name } of users) {
      const words = `room:lobby: ${name} says `;
      assertEquals(
        heard.filter((line) => line.startsWith(words)),
        Array.from({ length: lines }, (_, line) => `${words}line ${line}`),
      );
    }
  }
});

Deno.test("chat: clients that are cut off come back to their rooms by themselves", async () => {
  await using server = await startQuietServer();
  await using stack = new AsyncDisposableStack();
  const users = await arriveAll(server, stack);
  for (const user of users) {
    await user.enter("lobby");
    await user.connection.subscribePattern("news:*");
  }
  const outsider = stack.use(await User.arrive("outsider", LIBRARIES[0], server.port));
  const killed = await outsider.connection.ask("CLIENT", "KILL", "TYPE", "pubsub");
  assertEquals(killed, users.length);
  const ready = async () => {
    const { channels, patterns } = server.clients.subscriptions;
    const counts = [...channels.all, ...patterns.all].map(({ sessions }) => sessions.size);
    if (counts.length === 2 && counts.every((count) => count === users.length)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
    await ready();
  };
  await ready();
  assertEquals(await outsider.say("lobby", "welcome back"), users.length);
  assertEquals(await outsider.connection.publish("news:today", "all is well"), users.length);
  for (const user of users) {
    assertEquals(await user.hear(2), [
      "room:lobby: outsider says welcome back",
      "news:today: all is well",
    ]);
  }
});

Deno.test("chat: shard channels are rooms of their own", async () => {
  await using server = await startQuietServer();
  await using stack = new AsyncDisposableStack();
  const users = await arriveAll(server, stack);
  for (const user of users) await user.connection.subscribeShard("room:lobby");
  assertEquals(await users[0].say("lobby", "hello"), 0);
  assertEquals(await users[1].connection.publishToShard("room:lobby", "hi"), users.length);
  for (const user of users) assertEquals(await user.hear(1), ["room:lobby: hi"]);
});

Deno.test("chat: who has stopped typing is known by the key that expires", async () => {
  await using server = await startQuietServer({ "notify-keyspace-events": "E$x" });
  await using stack = new AsyncDisposableStack();
  const users = await arriveAll(server, stack);
  for (const user of users) {
    await user.connection.subscribePattern("__keyevent@0__:*");
  }
  await users[0].connection.ask("SET", "typing:user0", "1", "PX", "20");
  for (const user of users) {
    assertEquals(await user.hear(2), [
      "__keyevent@0__:set: typing:user0",
      "__keyevent@0__:expired: typing:user0",
    ]);
  }
});

Deno.test("chat: a long message reaches everybody whole", async () => {
  await using server = await startQuietServer();
  await using stack = new AsyncDisposableStack();
  const users = await arriveAll(server, stack);
  for (const user of users) await user.enter("lobby");
  const novel = "word ".repeat(400_000);
  assertEquals(await users[0].say("lobby", novel), users.length);
  for (const user of users) {
    const [heard] = await user.hear(1);
    assert(heard === `room:lobby: user0 says ${novel}`);
  }
});
