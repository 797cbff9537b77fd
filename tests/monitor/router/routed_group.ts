/**
 * A router in front of servers of this process, on the loopback address.
 *
 * @module
 */
import { systemClock } from "../../../src/runtime/clock.ts";
import { systemFiles } from "../../../src/runtime/files.ts";
import { Logger } from "../../../src/runtime/logging.ts";
import { systemRandomness } from "../../../src/runtime/random.ts";
import { systemSockets } from "../../../src/runtime/sockets.ts";
import { type Server, startServer } from "../../../src/server/mod.ts";
import { type Client, connect, type ConnectOptions } from "../../../src/client/mod.ts";
import type { RouterOptions } from "../../../src/monitor/options.ts";
import type { NodeAddress, Routing } from "../../../src/monitor/routing.ts";
import { Router } from "../../../src/monitor/router/router.ts";
import { until } from "../../support/waiting.ts";

/** What a router does where a test says nothing else. */
export const ROUTER_OPTIONS: RouterOptions = {
  port: 0,
  bind: ["127.0.0.1"],
  protectedMode: true,
  requirePass: "",
  readFrom: "prefer-replicas",
  consistency: "read-your-writes",
  maxLagSeconds: 10,
  weights: new Map(),
  minAcks: 0,
  ackTimeoutMs: 300,
  holdMs: 10_000,
  holdBytes: 1 << 20,
  maxClients: 1000,
  timeoutSeconds: 0,
  queryBufferLimit: 64 << 20,
  outputBufferLimit: 256 << 20,
  nodeTimeoutMs: 0,
  sharedConnections: 1,
};

/** The first server is the master. */
export class RoutedGroup implements AsyncDisposable {
  /** Nodes that the router has complained about. */
  readonly suspected: string[] = [];
  /** Number of the master. */
  master = 0;
  private epoch = 0;
  private readonly clients: Client[] = [];
  private readonly ended = new Set<number>();

  private constructor(readonly router: Router, readonly servers: readonly Server[]) {}

  /** Starts a master, replicas of it, and the router. */
  static async start(replicas: number, options: Partial<RouterOptions> = {}): Promise<RoutedGroup> {
    const servers: Server[] = [];
    for (let number = 0; number <= replicas; number++) {
      const of: Record<string, string> = number === 0
        ? {}
        : { replicaof: `127.0.0.1 ${servers[0].port}` };
      servers.push(
        await startServer({
          port: "0",
          bind: "127.0.0.1",
          save: "",
          // A snapshot that somebody has left in this folder is none of ours.
          dbfilename: "none.rdb",
          "repl-diskless-sync-delay": "0",
          ...of,
        }, { log: () => {} }),
      );
    }
    const environment = {
      sockets: systemSockets,
      clock: systemClock,
      files: systemFiles,
      randomness: systemRandomness,
      logger: new Logger(() => {}, Date.now),
    };
    const router = new Router(
      { ...ROUTER_OPTIONS, ...options },
      { user: "", pass: "" },
      environment,
      { suspects: (node, reason) => group.suspected.push(`${node.port} ${reason}`) },
    );
    const group = new RoutedGroup(router, servers);
    router.start();
    await until(() => servers.slice(1).every(({ replication }) => replication.link?.isUp));
    group.route();
    await until(() => [...router.topology.all].every(({ isUp }) => isUp));
    return group;
  }

  /** Where a server listens. */
  address(number: number): NodeAddress {
    return { host: "127.0.0.1", port: this.servers[number].port };
  }

  /** Tells the router who is who; `changes` is what is special. */
  route(changes: Partial<Routing> = {}): void {
    const { master, servers } = this;
    const replicas = servers.map((_, number) => number).filter((number) => number !== master);
    this.router.apply({
      epoch: ++this.epoch,
      master: this.address(master),
      writable: true,
      reason: "",
      replicas: replicas.map((number) => ({ ...this.address(number), weight: 1 })),
      ...changes,
    });
  }

  /** Makes a server the master, of all others too, and tells the router. */
  async promote(number: number): Promise<void> {
    await this.direct(number, "REPLICAOF", "NO", "ONE");
    this.master = number;
    for (let other = 0; other < this.servers.length; other++) {
      if (other === number || this.ended.has(other)) continue;
      await this.direct(other, "REPLICAOF", "127.0.0.1", this.servers[number].port);
    }
    this.route();
  }

  /** Has a server itself, not the router, run a command. */
  async direct(number: number, ...command: [string, ...(string | number)[]]): Promise<void> {
    using client = await connect({ port: this.servers[number].port });
    await client.command(...command);
  }

  /** Ends a server. */
  async end(number: number): Promise<void> {
    this.ended.add(number);
    await this.servers[number].shutdown();
  }

  /** A client of the router. */
  async client(options: ConnectOptions = {}): Promise<Client> {
    const client = await connect({ port: this.router.port, ...options });
    this.clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.clients) client.close();
    this.router.stop();
    for (let number = 0; number < this.servers.length; number++) {
      if (!this.ended.has(number)) await this.end(number);
    }
  }
}
