/**
 * Servers in memory of which one replicates the other.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { reachable } from "./memory_pipe.ts";
import { type MemoryServer, startMemoryServer } from "./memory_server.ts";
import type { ServerEnvironment } from "../../src/server/mod.ts";

type Options = Readonly<Record<string, string>>;

/** Lets everything that is ready happen. */
export async function settle(rounds = 30): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** Lets time pass, and the servers notice. */
export async function pass(ms: number, ...machines: readonly MemoryServer[]): Promise<void> {
  for (const { clock } of machines) clock.advance(ms);
  for (const { server } of machines) {
    for (let tick = 0; tick < 10; tick++) server.replication.tick();
    server.shutdownRequest.run();
  }
  await settle();
}

/** Starts a server with ids of its own. */
export async function startNode(
  seed: number,
  options: Options = {},
  environment: ServerEnvironment = {},
): Promise<MemoryServer> {
  const nodeOptions = { "repl-diskless-sync-delay": "0", ...options };
  let drawn = 0;
  const machine = await startMemoryServer(seed, nodeOptions, environment);
  Object.assign(machine.server.randomness, {
    hex: (length: number) => `${seed}${drawn++}`.padStart(length, "a"),
  });
  return machine;
}

/** A master and a replica of it that is up. */
export interface Pair extends AsyncDisposable {
  /** The master. */
  readonly master: MemoryServer;
  /** The replica. */
  readonly replica: MemoryServer;
  /** Cuts the link between them, which may be made again. */
  cut(): void;
}

/** Starts both. */
export async function startPair(options: Options = {}): Promise<Pair> {
  const [master, replica] = [await startNode(1, options), await startNode(2, options)];
  master.server.replication.history.renew();
  await Promise.all([master.server.ready, replica.server.ready]);
  const cut = reachable(replica, master);
  await follow(replica);
  return {
    master,
    replica,
    cut,
    async [Symbol.asyncDispose](): Promise<void> {
      await replica.server.shutDownNow();
      await master.server.shutDownNow();
    },
  };
}

/** Has a server follow the one that it can reach. */
export async function follow(replica: MemoryServer): Promise<void> {
  const client = await replica.connect();
  assertEquals(await client.ask("REPLICAOF", "master", "6379"), "OK");
  await settle();
  assertEquals(replica.server.replication.link?.state, "connected", replica.log.join("\n"));
}
