/**
 * One of the sentinels that watch over a group: Redis' own.
 *
 * @module
 */

import { plainValue } from "../../../src/client/mod.ts";
import { lastingPort } from "../../support/ports.ts";
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

/** A sentinel's process. */
export class Sentinel {
  private constructor(readonly number: number, readonly process: ServerProcess) {}

  /** Starts one that watches over the master at `masterPort`, and finds the others by itself. */
  static async start(
    number: number,
    folder: string,
    masterPort: number,
    downAfterMs: number,
  ): Promise<Sentinel> {
    const home = `${folder}/sentinel${number}`;
    await Deno.mkdir(home);
    const file = `${home}/sentinel.conf`;
    const lines = [
      `logfile ${folder}/sentinel${number}.log`,
      `sentinel monitor ${GROUP} 127.0.0.1 ${masterPort} ${QUORUM}`,
      `sentinel down-after-milliseconds ${GROUP} ${downAfterMs}`,
      `sentinel failover-timeout ${GROUP} ${FAILOVER_TIMEOUT_MS}`,
      `sentinel parallel-syncs ${GROUP} 1`,
    ];
    await Deno.writeTextFile(file, `${lines.join("\n")}\n`);
    const launch = [SENTINEL_PROGRAM, file];
    return new Sentinel(number, await ServerProcess.start(launch, home, [], lastingPort()));
  }

  /** The port that clients are sent to. */
  async masterPort(): Promise<number> {
    const address = await this.#ask("GET-MASTER-ADDR-BY-NAME");
    return Number((address as string[])[1]);
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

  /** Ends its process. */
  async stop(): Promise<void> {
    await this.process.kill();
  }

  async #ask(word: string): Promise<unknown> {
    using client = await this.process.connect();
    const reply = client.command("SENTINEL", word, GROUP);
    return plainValue(await patiently(`sentinel ${this.number}`, reply));
  }
}

/** Names and values, which alternate. */
function factsIn(words: readonly string[]): ReadonlyMap<string, string> {
  const facts = new Map<string, string>();
  for (let at = 0; at + 1 < words.length; at += 2) facts.set(words[at], words[at + 1]);
  return facts;
}
