import { assertEquals } from "@std/assert";
import { checkKeyspace } from "../../src/keyspace/checking.ts";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import {
  type MemoryConnection,
  type MemoryServer,
  plain,
  startMemoryServer,
} from "../support/memory_server.ts";
import { seededRandom, testSeed } from "../support/random.ts";
import { type ModelReply, SeveralClientsModel } from "../support/several_clients_model.ts";

const CLIENTS = 8;
const STEPS = 1500;
const KEYS = ["a", "b", "c"];

/** Lets everything that is ready happen. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
}

/** The next reply, which must be on its way. */
async function replyOf(connection: MemoryConnection): Promise<unknown> {
  const late = (async () => {
    for (let round = 0; round < 20; round++) await settle();
    return "no reply";
  })();
  return await Promise.race([connection.reply().then(withTexts), late]);
}

/** A reply in plain values, errors within it as text as well. */
function withTexts(reply: Parameters<typeof plain>[0]): unknown {
  const text = (value: unknown): unknown =>
    value instanceof Error ? `-${value.message}` : Array.isArray(value) ? value.map(text) : value;
  return text(plain(reply));
}

/** Draws commands. */
class Source {
  constructor(private readonly random: () => number) {}

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  one<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }

  key(): string {
    return this.one(KEYS);
  }

  command(): string[] {
    const side = () => this.one(["LEFT", "RIGHT"]);
    const elements = Array.from({ length: 1 + this.below(3) }, () => String(this.below(100)));
    return this.one<() => string[]>([
      () => [this.one(["RPUSH", "LPUSH"]), this.key(), ...elements],
      () => [this.one(["RPUSH", "LPUSH"]), this.key(), ...elements],
      () => [this.one(["BLPOP", "BRPOP"]), this.key(), this.key(), "0"],
      () => ["BLMOVE", this.key(), this.key(), side(), side(), "0"],
      () => ["LRANGE", this.key(), "0", "-1"],
      () => ["DEL", this.key()],
      () => this.below(4) === 0 ? ["SET", this.key(), "text"] : ["DEL", this.key()],
      () => ["RENAME", this.key(), this.key()],
      () => this.below(8) === 0 ? ["FLUSHALL"] : ["UNWATCH"],
      () => ["MULTI"],
      () => [this.one(["EXEC", "EXEC", "EXEC", "EXEC", "DISCARD"])],
      () => [this.one(["EXEC", "WATCH"]), this.key()].slice(0, 2),
      () => ["WATCH", this.key()],
    ])();
  }
}

/** Runs random commands on server and model, and compares all replies. */
async function compare(machine: MemoryServer, random: () => number): Promise<SeveralClientsModel> {
  const source = new Source(random);
  const model = new SeveralClientsModel(CLIENTS);
  const connections: MemoryConnection[] = [];
  const ids: number[] = [];
  while (connections.length < CLIENTS) connections.push(await machine.connect());
  for (const connection of connections) ids.push(await connection.ask("CLIENT", "ID") as number);
  const control = await machine.connect();
  for (let step = 0; step < STEPS; step++) {
    const index = source.below(CLIENTS);
    const busy = model.clients[index].waits !== null;
    let words = source.command();
    if (words[0] === "EXEC") words = ["EXEC"];
    if (busy) {
      if (source.below(30) > 0) continue;
      words = ["CLIENT", "UNBLOCK", String(ids[index])];
      assertEquals(await control.ask(...words), 1);
      model.unblock(index);
    } else {
      connections[index].send(encodeRequest(words));
      model.run(index, words);
    }
    await compareReplies(model, connections, `step ${step}: ${index} ${words.join(" ")}`);
    assertEquals(
      machine.server.clients.blocking.count,
      model.clients.filter(({ waits }) => waits !== null).length,
      `step ${step}`,
    );
  }
  return model;
}

async function compareReplies(
  model: SeveralClientsModel,
  connections: readonly MemoryConnection[],
  step: string,
): Promise<void> {
  await settle();
  for (const [client, { replies }] of model.clients.entries()) {
    for (const expected of replies.splice(0)) {
      assertEquals(
        await replyOf(connections[client]),
        expected as ModelReply,
        `${step}, ${client}`,
      );
    }
  }
}

Deno.test("several clients that wait, watch and run transactions see what a model says", async () => {
  const seed = testSeed("several clients");
  await using machine = await startMemoryServer(seed);
  const journal: Uint8Array[] = [];
  machine.server.journal.listen((bytes) => journal.push(bytes.slice()));
  const model = await compare(machine, seededRandom(seed));
  checkKeyspace(machine.server.keyspace);

  await using repeated = await startMemoryServer(seed + 1);
  const [connection, original] = [await repeated.connect(), await machine.connect()];
  connection.send(...journal, encodeRequest(["ECHO", "done"]));
  while (plain(await connection.reply()) !== "done");
  assertEquals(await connection.ask("DBSIZE"), model.values.size);
  for (const [key, value] of model.values) {
    const words = typeof value === "string" ? ["GET", key] : ["LRANGE", key, "0", "-1"];
    assertEquals(await original.ask(...words), value, key);
    assertEquals(await connection.ask(...words), value, key);
  }
});
