/**
 * One of the sentinels that watch over a group: Redis' own, or a miniredis monitor.
 *
 * @module
 */

import { connect, plainValue, ReplyError } from "../../../src/client/mod.ts";
import { lastingPort } from "../../support/ports.ts";
import { programWords } from "../../support/program.ts";
import { CrashFault } from "../crash_fault.ts";
import { ServerProcess } from "../server_process.ts";
import { patiently } from "../waiting.ts";

/** The program, as Redis' packages name it. */
export const SENTINEL_PROGRAM = "redis-sentinel";

/** By which name sentinels know the group. */
const GROUP = "group";
/** So many sentinels have to agree that the master is down. */
const QUORUM = 2;
/** A failover that isn't through by then is given up; the next one begins after twice that time at the earliest. */
const FAILOVER_TIMEOUT_MS = 8000;

/** What a sentinel says of the group. */
export interface View {
  /** The master's port. */
  readonly masterPort: number;
  /** Grows with each vote for who is to do a failover; that of the last one which came to its end. */
  readonly epoch: number;
  /** The ports of the replicas that follow the master and are up. */
  readonly wellReplicas: readonly number[];
  /** How many replicas there are besides. */
  readonly unwellReplicas: number;
  /** How many other sentinels it knows. */
  readonly otherSentinels: number;
  /** Whether it holds the master for up, and nothing is under way. */
  readonly isCalm: boolean;
}

/** Which programs there are. */
export type SentinelKind = "stock" | "monitor";

/** Where a sentinel is started, and what it is told. */
export interface SentinelOptions {
  /** Its number in the group. */
  readonly number: number;
  /** Where its folder and its log are made. */
  readonly folder: string;
  /** The master that it watches over; it finds the replicas and the other sentinels by itself. */
  readonly masterPort: number;
  /** After which silence it takes a server for dead. */
  readonly downAfterMs: number;
  /** Which program it is. */
  readonly kind: SentinelKind;
}

/** A sentinel's process. */
export class Sentinel {
  /**
   * Takes a process that is up.
   *
   * @param name What it is called in faults.
   * @param port Where it speaks the Sentinel protocol.
   * @param group How it calls the group.
   */
  constructor(
    readonly name: string,
    readonly process: ServerProcess,
    readonly port: number,
    readonly group: string = GROUP,
  ) {}

  /** Starts one with a sentinel.conf that both programs understand alike. */
  static async start(options: SentinelOptions): Promise<Sentinel> {
    const { number, folder, masterPort, downAfterMs, kind } = options;
    const name = `${kind}${number}`;
    const home = `${folder}/${name}`;
    await Deno.mkdir(home);
    const file = `${home}/sentinel.conf`;
    const port = lastingPort();
    const lines = [
      `port ${port}`,
      `logfile ${folder}/${name}.log`,
      `sentinel monitor ${GROUP} 127.0.0.1 ${masterPort} ${QUORUM}`,
      `sentinel down-after-milliseconds ${GROUP} ${downAfterMs}`,
      `sentinel failover-timeout ${GROUP} ${FAILOVER_TIMEOUT_MS}`,
      `sentinel parallel-syncs ${GROUP} 1`,
    ];
    await Deno.writeTextFile(file, `${lines.join("\n")}\n`);
    const program = kind === "stock" ? [SENTINEL_PROGRAM] : [...await programWords(), "monitor"];
    // What is typed as a port is a monitor's for clients.
    const typedPort = kind === "stock" ? port : lastingPort();
    const process = await ServerProcess.start([...program, file], home, [], typedPort);
    return new Sentinel(name, process, port);
  }

  /** The port that clients are sent to; undefined while it knows no master. */
  async masterPort(): Promise<number | undefined> {
    const address = await this.#ask("GET-MASTER-ADDR-BY-NAME") as string[] | null;
    return address === null ? undefined : Number(address[1]);
  }

  /** What it says of all. */
  async view(): Promise<View> {
    const master = factsIn(await this.#ask("MASTER") as string[]);
    const replicas = (await this.#ask("REPLICAS") as string[][]).map(factsIn);
    const well = replicas.filter((facts) =>
      facts.get("flags") === "slave" && facts.get("master-link-status") === "ok" &&
      facts.get("master-port") === master.get("port")
    );
    return {
      masterPort: Number(master.get("port")),
      epoch: Number(master.get("config-epoch")),
      wellReplicas: well.map((facts) => Number(facts.get("port"))),
      unwellReplicas: replicas.length - well.length,
      otherSentinels: Number(master.get("num-other-sentinels")),
      isCalm: master.get("flags") === "master",
    };
  }

  /**
   * Has it make a replica the master, though the master is well.
   *
   * @throws {CrashFault} It says that it can't.
   */
  async failOver(): Promise<void> {
    try {
      await this.#ask("FAILOVER");
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      throw new CrashFault(`${this.name} says to SENTINEL FAILOVER: ${error.message}`);
    }
  }

  /** Ends its process. */
  async stop(): Promise<void> {
    await this.process.kill();
  }

  async #ask(word: string): Promise<unknown> {
    using client = await connect({ hostname: "127.0.0.1", port: this.port });
    const reply = client.command("SENTINEL", word, this.group);
    return plainValue(await patiently(this.name, reply));
  }
}

/** Names and values, which alternate. */
function factsIn(words: readonly string[]): ReadonlyMap<string, string> {
  const facts = new Map<string, string>();
  for (let at = 0; at + 1 < words.length; at += 2) facts.set(words[at], words[at + 1]);
  return facts;
}
