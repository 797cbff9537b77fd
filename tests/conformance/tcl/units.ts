/**
 * The units of the Tcl suite that are run, and which of them the CI runs for a commit.
 *
 * @module
 */

/** A unit. */
export interface Unit {
  /** Its name in the suite. */
  readonly name: string;
  /** About how long it takes with miniredis, on two cores. */
  readonly seconds: number;
  /** Whether chance says which tests it has, and how often: those whose names differ in numbers alone count as one. */
  readonly isRandom?: boolean;
}

/** All units that are run, in the order of the suite. */
export const UNITS: readonly Unit[] = [
  { name: "unit/printver", seconds: 1 },
  { name: "unit/auth", seconds: 6 },
  { name: "unit/protocol", seconds: 2 },
  { name: "unit/keyspace", seconds: 2 },
  { name: "unit/info", seconds: 11 },
  { name: "unit/info-command", seconds: 1 },
  { name: "unit/type/string", seconds: 8 },
  { name: "unit/type/incr", seconds: 1 },
  { name: "unit/type/list", seconds: 60 },
  { name: "unit/type/list-2", seconds: 25 },
  { name: "unit/type/list-3", seconds: 40 },
  { name: "unit/type/set", seconds: 12 },
  { name: "unit/type/zset", seconds: 20 },
  { name: "unit/type/hash", seconds: 8 },
  { name: "unit/type/stream", seconds: 10 },
  { name: "unit/type/stream-cgroups", seconds: 8 },
  { name: "unit/expire", seconds: 14 },
  { name: "unit/quit", seconds: 1 },
  { name: "unit/latency-monitor", seconds: 4 },
  { name: "unit/pubsub", seconds: 3 },
  { name: "unit/pubsubshard", seconds: 2 },
  { name: "unit/slowlog", seconds: 2 },
  { name: "unit/maxmemory", seconds: 15 },
  { name: "unit/introspection", seconds: 10 },
  { name: "unit/introspection-2", seconds: 8 },
  { name: "unit/limits", seconds: 2 },
  { name: "unit/bitops", seconds: 4 },
  { name: "unit/bitfield", seconds: 3 },
  { name: "unit/geo", seconds: 35 },
  { name: "unit/hyperloglog", seconds: 80 },
  { name: "unit/querybuf", seconds: 4 },
  { name: "unit/pendingquerybuf", seconds: 2 },
  { name: "unit/networking", seconds: 6 },
  { name: "unit/multi", seconds: 5 },
  { name: "unit/pause", seconds: 3 },
  { name: "unit/other", seconds: 8 },
  { name: "unit/scan", seconds: 20 },
  { name: "unit/dump", seconds: 10 },
  { name: "unit/sort", seconds: 10 },
  { name: "unit/aofrw", seconds: 48 },
  { name: "integration/block-repl", seconds: 28 },
  { name: "integration/replication", seconds: 400 },
  { name: "integration/replication-2", seconds: 16 },
  { name: "integration/replication-3", seconds: 22 },
  { name: "integration/replication-4", seconds: 30 },
  { name: "integration/replication-psync", seconds: 280 },
  { name: "integration/replication-buffer", seconds: 60 },
  { name: "integration/aof", seconds: 35 },
  { name: "integration/aof-multi-part", seconds: 100 },
  { name: "integration/rdb", seconds: 15 },
  { name: "integration/psync2", seconds: 50, isRandom: true },
  { name: "integration/psync2-reg", seconds: 24, isRandom: true },
  { name: "integration/psync2-pingoff", seconds: 25 },
  { name: "integration/psync2-master-restart", seconds: 15 },
  { name: "integration/failover", seconds: 8 },
  { name: "integration/corrupt-dump", seconds: 60 },
  { name: "integration/corrupt-dump-fuzzer", seconds: 22 },
  { name: "integration/convert-zipmap-hash-on-load", seconds: 2 },
  { name: "integration/convert-ziplist-hash-on-load", seconds: 2 },
  { name: "integration/convert-ziplist-zset-on-load", seconds: 2 },
  { name: "integration/logging", seconds: 2 },
  { name: "integration/shutdown", seconds: 12 },
  { name: "integration/dismiss-mem", seconds: 6 },
  { name: "unit/shutdown", seconds: 5 },
  { name: "unit/wait", seconds: 7 },
  { name: "unit/lazyfree", seconds: 3 },
  { name: "unit/obuf-limits", seconds: 20 },
  { name: "unit/client-eviction", seconds: 8 },
  { name: "unit/replybufsize", seconds: 3 },
  { name: "unit/violations", seconds: 3 },
  { name: "unit/memefficiency", seconds: 4 },
];

/** A unit that takes longer takes turns with the others of its kind. */
const SLOW_SECONDS = 30;

/**
 * The share of the units that the CI runs: all fast ones, and slow ones in turns, as many as fit.
 *
 * @param units All units.
 * @param turn A number that differs from commit to commit.
 * @param budgetSeconds How long the share may take, about; one slow unit is run at least.
 */
export function pickShare(
  units: readonly Unit[],
  turn: number,
  budgetSeconds: number,
): readonly Unit[] {
  const slow = units.filter((unit) => unit.seconds >= SLOW_SECONDS);
  const picked = new Set(units.filter((unit) => unit.seconds < SLOW_SECONDS));
  let left = budgetSeconds;
  for (const unit of picked) left -= unit.seconds;
  for (let index = 0; index < slow.length; index++) {
    const unit = slow[(turn + index) % slow.length];
    if (index > 0 && unit.seconds > left) break;
    picked.add(unit);
    left -= unit.seconds;
  }
  return units.filter((unit) => picked.has(unit));
}
