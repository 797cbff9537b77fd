/**
 * A master with its replicas, all of one kind.
 *
 * @module
 */

import type { Bench } from "./bench_context.ts";
import {
  configured,
  type Contender,
  numberInInfo,
  type RunningServer,
  wordInInfo,
} from "./contender.ts";
import { pause } from "./timing.ts";
import { WireConnection } from "./wire.ts";

/** How long a replica may be behind when nobody writes any more. */
const CATCH_UP_LIMIT_MS = 60_000;
const LOOK_MS = 2;

/** What a master is told, so that nobody waits for more replicas than there are yet. */
export const MASTER_SETTINGS = { "repl-diskless-sync-delay": "0" };

/** Processor time of each side; null where the system doesn't tell. */
export interface SetTimes {
  /** The master's, in microseconds. */
  readonly master: number | null;
  /** That of a replica, the mean of all. */
  readonly replica: number | null;
}

/** A master and those that follow it. */
export class ReplicaSet {
  /** Its name in the tables. */
  readonly name: string;

  /** Takes servers that are up. */
  constructor(readonly master: RunningServer, readonly replicas: readonly RunningServer[]) {
    this.name = master.name;
  }

  /** Processor time of all so far. */
  cpuMicroseconds(): SetTimes {
    const replicas = this.replicas.map((replica) => replica.cpuMicroseconds());
    return {
      master: this.master.cpuMicroseconds(),
      replica: replicas.includes(null)
        ? null
        : replicas.reduce((sum, micros) => sum! + micros!, 0)! / replicas.length,
    };
  }

  /**
   * Waits until all replicas have what the master has now.
   *
   * @returns how long that took
   * @throws {Error} if one of them isn't there after a minute
   */
  async converge(): Promise<number> {
    const began = performance.now();
    const offset = await this.master.infoNumber("replication", "master_repl_offset");
    await Promise.all(this.replicas.map((replica) => reaches(replica, offset)));
    return performance.now() - began;
  }

  /** How many snapshots the master has been asked for by replicas. */
  fullSyncs(): Promise<number> {
    return this.master.infoNumber("stats", "sync_full");
  }

  /**
   * Waits until the master counts all of its replicas as online, which it does some time after they
   * are up: when the first word has come from them.
   *
   * @throws {Error} if one of them isn't after a minute
   */
  async online(): Promise<void> {
    await looking(this.master, (info) => {
      const online = info?.match(/^slave\d+:.*state=online/gm)?.length ?? 0;
      return online === this.replicas.length;
    });
  }
}

/** Waits until `replica` is connected and has applied all up to `offset`. */
async function reaches(replica: RunningServer, offset: number): Promise<void> {
  await looking(replica, (info) =>
    wordInInfo(info, "master_link_status") === "up" &&
    numberInInfo(info, "slave_repl_offset") >= offset);
}

/** Waits until what a server says of its replication is as it should be. */
async function looking(
  server: RunningServer,
  isReached: (info: string | null) => boolean,
): Promise<void> {
  const latest = performance.now() + CATCH_UP_LIMIT_MS;
  const connection = await WireConnection.open(server.port);
  try {
    while (true) {
      const info = await connection.command("INFO", "replication");
      if (isReached(info)) return;
      if (performance.now() > latest) {
        throw new Error(`the replication of ${server.name} doesn't get on:\n${info}`);
      }
      await pause(LOOK_MS);
    }
  } finally {
    connection.close();
  }
}

/**
 * Starts a master with `replicaCount` replicas for each of the contenders, all at the same time,
 * waits until all replicas follow, hands the sets to `use`, and stops everything.
 */
export async function withReplicaSets<T>(
  bench: Bench,
  replicaCount: number,
  use: (sets: readonly ReplicaSet[]) => Promise<T>,
): Promise<T> {
  const size = 1 + replicaCount;
  const contenders = bench.contenders.flatMap((contender, index): Contender[] => {
    const replica = {
      ...configured(contender, { replicaof: `127.0.0.1 ${bench.portOf(index * size)}` }),
      name: `${contender.name} replica`,
    };
    return [configured(contender, MASTER_SETTINGS), ...Array(replicaCount).fill(replica)];
  });
  return await bench.withServers(contenders, async (servers) => {
    const sets = bench.contenders.map((_, index) => {
      const [master, ...replicas] = servers.slice(index * size, (index + 1) * size);
      return new ReplicaSet(master, replicas);
    });
    for (const set of sets) {
      await set.converge();
      await set.online();
    }
    return await use(sets);
  });
}
