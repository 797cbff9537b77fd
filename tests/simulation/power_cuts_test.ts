import { assert, assertEquals } from "@std/assert";
import type { Server } from "../../src/server/mod.ts";
import type { Session } from "../../src/server/session.ts";
import { simulateFaults } from "./disk_faults.ts";
import { searchFor, SeedCalls, without } from "./proof.ts";
import { simulate } from "./simulation.ts";
import { keyOf, siteOfCall } from "./sync_sites.ts";

const SEEDS = 150;
const FAULT_SEEDS = 40;

Deno.test("whenever the power is cut, what was promised is there, and nothing else", async () => {
  let answered = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = await simulate(seed);
    if (outcome.fault !== undefined) throw new Error(`seed ${seed}`, { cause: outcome.fault });
    answered += outcome.answered;
  }
  assert(answered > SEEDS * 20, "so few answers say nothing");
});

Deno.test("a disk that refuses to work for a while does no lasting harm", async () => {
  for (let seed = 1; seed <= FAULT_SEEDS; seed++) {
    const { fault } = await simulateFaults(seed);
    if (fault !== undefined) throw new Error(`seed ${seed}`, { cause: fault });
  }
});

Deno.test("the same seed gives the same run", async () => {
  const run = async () => {
    const lines: string[] = [];
    await simulate(12, { trace: (line) => lines.push(line) });
    return lines;
  };
  const first = await run();
  assert(first.length > 50);
  assertEquals(await run(), first);
});

Deno.test("the site of a sync is the function of the server that calls it", async () => {
  const calls = new SeedCalls();
  for (let seed = 1; seed <= 10; seed++) await calls.of(seed);
  const names = calls.sites.list().map(({ site }) => site.name);
  const some = ["AppendOnlyFile.open: increment", "AofWriter.startSync: increment"];
  for (const name of [...some, "AofFiles.store: append folder"]) {
    assert(names.includes(name), name);
  }
});

Deno.test("a sync that is missing is found out", async () => {
  const calls = new SeedCalls();
  for (let seed = 1; seed <= 10; seed++) await calls.of(seed);
  const some = ["AofWriter.startSync: increment", "AofFiles.makeFolderLast: data folder"];
  for (const name of [...some, "AofFiles.storeNow: list"]) {
    const one = calls.sites.list().find(({ site }) => site.name === name);
    assert(one !== undefined, name);
    const finding = await searchFor(one, { first: 1, count: SEEDS }, calls);
    assert(finding.seed !== undefined, `nobody misses ${name}`);
    const again = await simulate(finding.seed, { ignoreSyncs: without(one.key) });
    assertEquals(again.fault?.message.split("\n")[0], finding.fault?.split("\n")[0]);
  }
});

Deno.test("without any sync at all, many find out", async () => {
  let faults = 0;
  const sites = new Set<string>();
  const ignoreSyncs = (_kind: unknown, path: string) => {
    sites.add(keyOf(siteOfCall(path)));
    return true;
  };
  for (let seed = 1; seed <= 20; seed++) {
    if ((await simulate(seed, { ignoreSyncs })).fault !== undefined) faults++;
  }
  assert(faults >= 5, `${faults} of 20`);
  assert(sites.size > 8);
});

Deno.test("a server that syncs every two seconds instead of every second is found out", async () => {
  const TICKS = 20;
  const sabotage = ({ persistence: { aof } }: Server) => {
    const tick = aof.tick.bind(aof);
    let ticks = 0;
    aof.tick = () => {
      if (++ticks % TICKS === 0) tick();
    };
  };
  for (let seed = 1; seed <= SEEDS * 4; seed++) {
    if ((await simulate(seed, { sabotage })).fault !== undefined) return;
  }
  throw new Error("nobody has noticed");
});

/** Who doesn't wait until what he is told is on the disk. */
const HASTY: Readonly<Record<string, (session: Session) => boolean>> = {
  "who wrote": (session) => /^(rpush|set|incr|hset|zadd|exec)$/.test(session.lastCommand),
  "who reads": (session) => /^(get|lindex|zrange|xrevrange)$/.test(session.lastCommand),
  "who subscribes": (session) => session.topics !== null,
  "who monitors": (session) => session.monitoring,
};

for (const [who, isHasty] of Object.entries(HASTY)) {
  Deno.test(`a server that tells ${who} too early is found out`, async () => {
    const sabotage = ({ gate }: Server) => {
      const holds = gate.holds.bind(gate);
      gate.holds = (position, waiter) => !isHasty(waiter as Session) && holds(position, waiter);
    };
    for (let seed = 1; seed <= SEEDS * 4; seed++) {
      if ((await simulate(seed, { sabotage })).fault !== undefined) return;
    }
    throw new Error("nobody has noticed");
  });
}
