/**
 * A Redis node as a monitor sees it, played: roles, INFO, and replication that copies what is missing.
 *
 * @module
 */
import { Subscribers } from "./played_links.ts";
import type { PlayedWorld } from "./played_world.ts";

const RECONNECT_MS = 1000;

/** An answer: text, a number, an error, or more of them. */
export type Answer = string | number | null | Error | Answer[];

/** See the head of this file. */
export class PlayedNode {
  alive = true;
  /** It takes connections and says nothing, like a stopped process. */
  stopped = false;
  /** What has come while it was stopped. */
  readonly unread: (() => void)[] = [];
  role: "master" | "slave" = "master";
  masterHost = "";
  masterPort = 0;
  linkUp = false;
  priority = 100;
  runId: string;
  history: string;
  formerHistory = "0".repeat(40);
  formerEnd = -1;
  /** The writes that it has, in order. */
  log: number[] = [];
  /** Answers every command with this error, as one that wants a password. */
  refusal: Error | null = null;
  knowsFailover = true;
  /** So often it answers FAILOVER that it can't do that now. */
  failoverRefusals = 0;
  /** What it was told, without what is asked all the time. */
  readonly told: string[] = [];
  /** How often it has rewritten its config file. */
  rewrites = 0;
  readonly subscribers = new Subscribers();
  /** Since when it copies everything anew. */
  syncStarted: number | null = null;
  /** Commands between MULTI and EXEC, by connection. */
  readonly #transactions = new Map<number, string[][]>();
  #retryAt = 0;
  #masterRunId = "";

  constructor(readonly world: PlayedWorld, readonly host: string, readonly port = 6379) {
    this.runId = world.hex(40);
    this.history = world.hex(40);
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  /** Goes on after it was stopped. */
  resume(): void {
    this.stopped = false;
    for (const arrive of this.unread.splice(0)) arrive();
  }

  /** Ends it as `kill -9` does. */
  kill(): void {
    this.alive = this.stopped = false;
    this.unread.length = 0;
    this.world.disconnect(this.host);
  }

  /** Starts it again. What it has stays only if `keeps`; its history is a new one in any case. */
  restart(keeps = true): void {
    this.alive = true;
    this.runId = this.world.hex(40);
    this.history = this.world.hex(40);
    this.formerHistory = "0".repeat(40);
    this.formerEnd = -1;
    this.linkUp = false;
    this.syncStarted = null;
    this.#retryAt = 0;
    if (!keeps) this.log = [];
  }

  /** Makes it a replica, as an administrator does. */
  follow(node: PlayedNode): void {
    this.role = "slave";
    this.masterHost = node.host;
    this.masterPort = node.port;
    this.linkUp = false;
    this.syncStarted = null;
    this.#retryAt = 0;
    this.#masterRunId = node.runId;
  }

  /** Copies what its master has and it hasn't. */
  replicate(): void {
    if (!this.alive || this.stopped || this.role !== "slave") return;
    const { now } = this.world;
    const master = this.world.nodeAt(this.masterHost, this.masterPort);
    if (master === undefined || !this.world.reaches(this.host, master.host)) return this.#unlink();
    if (master.stopped) return;
    if (this.#masterRunId !== master.runId) {
      if (this.#masterRunId !== "") this.#unlink();
      this.#masterRunId = master.runId;
    }
    if (master.role !== "master" && !master.linkUp) return this.#unlink();
    if (now < this.#retryAt) return;
    const continues = this.history === master.history ||
      (this.history === master.formerHistory && this.log.length <= master.formerEnd);
    if (!continues) {
      this.syncStarted ??= now;
      if (now < this.syncStarted + this.world.fullSyncMs) return;
      this.log = [...master.log];
    } else {for (let at = this.log.length; at < master.log.length; at++) {
        this.log.push(master.log[at]);
      }}
    this.syncStarted = null;
    this.linkUp = true;
    this.history = master.history;
    this.formerHistory = master.formerHistory;
    this.formerEnd = master.formerEnd;
  }

  /** The connection to the master is lost; the next attempt is made within a second, as Redis does. */
  #unlink(): void {
    if (this.linkUp || this.syncStarted !== null || this.#retryAt < this.world.now) {
      this.#retryAt = this.world.now + this.world.random() * RECONNECT_MS;
    }
    this.linkUp = false;
    this.syncStarted = null;
  }

  answer(command: readonly string[], link: number): Answer {
    const name = command[0].toUpperCase();
    if (this.refusal !== null) return this.refusal;
    const transaction = this.#transactions.get(link);
    if (transaction !== undefined && name !== "EXEC") {
      transaction.push([...command]);
      return "QUEUED";
    }
    switch (name) {
      case "PING":
        return "PONG";
      case "INFO":
        return this.#info();
      case "ROLE":
        return this.role === "master"
          ? ["master", this.log.length, []]
          : ["slave", this.masterHost, this.masterPort, "connected", this.log.length];
      case "MULTI":
        this.#transactions.set(link, []);
        return "OK";
      case "EXEC":
        this.#transactions.delete(link);
        return (transaction ?? []).map((one) => this.answer(one, link));
      case "SLAVEOF":
      case "REPLICAOF":
        return this.#replicaOf(command[1], Number(command[2]));
      case "FAILOVER":
        return this.#failover(command);
      case "PUBLISH":
        this.subscribers.publish(this.world, this.host, command[2]);
        return 1;
      case "SUBSCRIBE":
        this.subscribers.add(link);
        return ["subscribe", command[1], 1];
      case "CONFIG":
        if (command[1] === "REWRITE") this.rewrites++;
        return "OK";
      case "WAIT":
        return 1;
      default:
        return "OK";
    }
  }

  #replicaOf(host: string, port: number): Answer {
    this.told.push(host === "NO" ? "REPLICAOF NO ONE" : `REPLICAOF ${host}:${port}`);
    if (host === "NO") this.promote();
    else {
      this.role = "slave";
      this.masterHost = host;
      this.masterPort = port;
      this.linkUp = false;
      this.syncStarted = null;
      this.#retryAt = 0;
      this.#masterRunId = "";
    }
    return "OK";
  }

  /** Becomes a master. */
  promote(): void {
    if (this.role === "master") return;
    this.role = "master";
    this.linkUp = false;
    this.syncStarted = null;
    this.formerHistory = this.history;
    this.formerEnd = this.log.length;
    this.history = this.world.hex(40);
  }

  #failover(command: readonly string[]): Answer {
    if (!this.knowsFailover) return new Error("ERR unknown command 'FAILOVER'");
    if (command[1] === "ABORT") return new Error("ERR No failover in progress.");
    const target = this.world.nodeAt(command[2], Number(command[3]));
    if (this.failoverRefusals-- > 0) {
      return new Error("ERR FAILOVER target replica is not online.");
    }
    this.told.push(`FAILOVER TO ${command[2]}:${command[3]}`);
    if (target === undefined || target.masterPort !== this.port) {
      return new Error("ERR FAILOVER target HOST and PORT is not a replica.");
    }
    this.world.after(3, () => {
      target.replicate();
      target.promote();
      this.follow(target);
    });
    return "OK";
  }

  #info(): string {
    const replicas = this.world.replicasOf(this);
    const lines = [
      "# Server",
      `run_id:${this.runId}`,
      "loading:0",
      "# Replication",
      `role:${this.role}`,
      ...(this.role === "master" ? [] : [
        `master_host:${this.masterHost}`,
        `master_port:${this.masterPort}`,
        `master_link_status:${this.linkUp ? "up" : "down"}`,
        `master_last_io_seconds_ago:${this.linkUp ? 0 : -1}`,
        `master_sync_in_progress:${this.syncStarted === null ? 0 : 1}`,
        ...(this.linkUp ? [] : ["master_link_down_since_seconds:1"]),
        `slave_repl_offset:${this.syncStarted === null ? this.log.length : 0}`,
        `slave_priority:${this.priority}`,
      ]),
      `connected_slaves:${replicas.length}`,
      ...replicas.map((node, index) =>
        `slave${index}:ip=${node.host},port=${node.port},state=online,offset=${node.log.length},lag=0`
      ),
      `master_replid:${this.history}`,
      `master_replid2:${this.formerHistory}`,
      `master_repl_offset:${this.log.length}`,
      `second_repl_offset:${this.formerEnd}`,
      "# Keyspace",
      ...(this.log.length > 0 ? ["db0:keys=1,expires=0"] : []),
    ];
    return lines.join("\r\n");
  }
}
