/**
 * Who never writes, but has the server rewrite, save, reload, and change its ways while others write.
 *
 * @module
 */
import { plainValue } from "../../src/protocol/reply.ts";
import type { RandomSource } from "../fuzz/random_source.ts";
import type { SimulatedClient } from "./simulated_client.ts";
import { SimulationFault } from "./simulation_fault.ts";

/** The config file of the simulated servers. */
export const CONFIG_FILE = "/data/redis.conf";
/** A setting that changes nothing here, so that its value shows which text of the config file it is. */
const COUNTER = "slowlog-max-len";

/** What is asked for, and how often in relation to the others. */
const ACTIONS: readonly (readonly [weight: number, words: string])[] = [
  [20, "BGREWRITEAOF"],
  [8, "BGSAVE"],
  [2, "BGSAVE SCHEDULE"],
  [6, "SAVE"],
  [5, "CONFIG SET appendonly no"],
  [10, "CONFIG SET appendonly yes"],
  [2, "CONFIG SET appendfsync always"],
  [2, "CONFIG SET appendfsync everysec"],
  [1, "CONFIG SET appendfsync no"],
  [1, "CONFIG SET aof-use-rdb-preamble yes"],
  [1, "CONFIG SET aof-use-rdb-preamble no"],
  [3, "DEBUG RELOAD"],
  [3, "DEBUG LOADAOF"],
  [3, "CONFIG REWRITE"],
];
const TOTAL_WEIGHT = ACTIONS.reduce((sum, [weight]) => sum + weight, 0);

/** One housekeeper; see the head of this file. */
export class Housekeeper {
  /** The value of the counter that is surely in the config file, */
  private kept = 0;
  /** and the last one that may be. */
  private attempted = 0;

  /** Has something done. `isOn`: whether the append-only file has all that the server has. */
  act(
    client: SimulatedClient,
    isOn: boolean,
    random: RandomSource,
    trace: (line: string) => void,
  ): void {
    let left = random.below(TOTAL_WEIGHT);
    for (const [weight, words] of ACTIONS) {
      left -= weight;
      if (left >= 0) continue;
      if (words === "CONFIG REWRITE") this.rewriteConfig(client);
      // It would bring back the data of the time when the file was turned off.
      else if (words === "DEBUG LOADAOF" && !isOn) return;
      // Many are refused, where another one is under way.
      else {client.send(words.split(" "), (reply) =>
          trace(`housekeeper: ${words}: ${JSON.stringify(plainValue(reply))}`));}
      return;
    }
  }

  /**
   * Looks at the config file as a server finds it.
   *
   * @throws {SimulationFault} if it isn't one that was written as a whole, or an older one than was promised.
   */
  checkConfig(text: string): void {
    const found = Number(new RegExp(`^${COUNTER} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
    if (found < this.kept || found > this.attempted || !text.startsWith("#")) {
      throw new SimulationFault(
        `the config file has ${COUNTER} ${found}, where ${this.kept} was kept and ` +
          `${this.attempted} the last that was written: ${JSON.stringify(text.slice(0, 200))}`,
      );
    }
  }

  private rewriteConfig(client: SimulatedClient): void {
    const value = ++this.attempted;
    client.send(["CONFIG", "SET", COUNTER, value]);
    client.send(["CONFIG", "REWRITE"], (reply) => {
      if (plainValue(reply) === "OK") this.kept = value;
    });
  }
}
