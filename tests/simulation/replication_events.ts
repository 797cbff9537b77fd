/**
 * What happens to servers that replicate each other, from cut connections to a new master.
 *
 * @module
 */
import type { RandomSource } from "../fuzz/random_source.ts";
import { addressOf, PORT, type ReplicationNode } from "./replication_node.ts";
import type { EventKind } from "./replication_plan.ts";
import type { ReplicationRun } from "./replication_run.ts";

/** How likely a replica follows another one after a change. */
const CHAIN_CHANCE = 0.3;
const CUT_BYTES = [10, 200, 2000, 20_000, 200_000];
const CONFIG_CHANGES: readonly (readonly [name: string, values: readonly string[]])[] = [
  ["repl-backlog-size", ["16kb", "40kb", "1mb"]],
  ["repl-diskless-sync", ["yes", "no"]],
  ["repl-diskless-load", ["disabled", "swapdb", "on-empty-db"]],
  ["repl-timeout", ["2", "6", "20"]],
  ["appendonly", ["yes", "no"]],
  ["appendfsync", ["always", "everysec"]],
  ["min-replicas-to-write", ["0", "1"]],
];

type Happen = (run: ReplicationRun, random: RandomSource) => void;

/** What each kind does. */
const EVENTS: Readonly<Record<EventKind, Happen>> = {
  "cut": (run, random) => {
    const links = run.serverLinks;
    if (links.length > 0) run.network.cut(random.pick(links));
  },
  "cut at a byte": (run, random) => {
    const [from, to] = pickTwo(run, random);
    run.network.cutLater(from.host, to.host, random.below(random.pick(CUT_BYTES)));
  },
  "cut all": (run) => {
    for (const link of run.serverLinks) run.network.cut(link);
  },
  "partition": (run, random) => {
    const alone = random.pick(run.nodes);
    const ways = run.nodes.filter((node) => node !== alone).flatMap((other) => [
      [alone.host, other.host] as const,
      [other.host, alone.host] as const,
    ]);
    for (const [from, to] of ways) run.network.block(from, to);
    run.after(run.troubleMs(), () => {
      for (const [from, to] of ways) run.network.unblock(from, to);
    });
  },
  "one-way partition": (run, random) => {
    const [from, to] = pickTwo(run, random);
    run.network.block(from.host, to.host);
    run.after(run.troubleMs(), () => run.network.unblock(from.host, to.host));
  },
  "slow": (run, random) => {
    const [from, to] = pickTwo(run, random);
    run.network.slow(from.host, to.host, { lowMs: 10, highMs: random.pick([50, 300]) });
    run.after(run.troubleMs(), () => run.network.slow(from.host, to.host, null));
  },
  "refuse": (run, random) => {
    random.pick(run.nodes).host.refusals = random.between(1, 3);
  },
  "stop": (run, random) => {
    const { host: { process } } = random.pick(run.nodes);
    process.stopped = true;
    run.after(run.troubleMs(), () => process.stopped = false);
  },
  "kill": (run, random) => run.end(random.pick(run.nodes), "kill"),
  "power cut": (run, random) => run.end(random.pick(run.nodes), "power cut"),
  "kill at an operation": (run, random) => {
    random.pick(run.nodes).operationsLeft = random.between(1, 20);
  },
  "shutdown": (run, random) => {
    const node = random.pick(run.nodes);
    if (node.server === null) return;
    node.mayEnd = true;
    const how = random.pick([[], [], ["NOSAVE"], ["SAVE"]]);
    run.operator.send(node.number, ["SHUTDOWN", ...how]);
  },
  "promote": (run, random) => {
    const able = run.nodes.filter((node) => node.isServing && !node.host.process.stopped);
    if (able.length > 0) promote(run, random, random.pick(able));
  },
  "fail over": (run, random) => {
    const master = run.nodes[run.master];
    const id = master.server?.replication.history.id;
    run.end(master, random.pick(["kill", "kill", "power cut"] as const));
    const best = furthest(run, id);
    if (best !== undefined) promote(run, random, best);
  },
  "re-point": (run, random) => {
    const { operator } = run;
    const [from, to] = pickTwo(run, random);
    if (from.number === run.master || operator.follows(to.number, from.number)) return;
    operator.wanted[from.number] = to.number;
  },
  "there and back": (run, random) => {
    const { operator } = run;
    const { number } = random.pick(run.nodes);
    const before = operator.wanted[number];
    if (before === null || operator.told[number] !== before) return;
    operator.wanted[number] = null;
    operator.tell(number);
    run.after(random.pick([1, 100, 1500]), () => {
      // Unless somebody has had another idea meanwhile.
      if (operator.wanted[number] !== null || number === run.master) return;
      operator.wanted[number] = operator.follows(before, number) ? run.master : before;
    });
  },
  "hand over": (run, random) => {
    const { master, operator } = run;
    const target = pickTwo(run, random)[1].number;
    if (target === master || operator.told[target] !== master) return;
    const ms = random.pick([50, 1000, 5000]);
    const to = random.chance(0.5) ? ["TO", addressOf(target), PORT] : [];
    const force = to.length > 0 && random.chance(0.3) ? ["FORCE"] : [];
    operator.send(master, ["FAILOVER", ...to, ...force, "TIMEOUT", ms]);
    // Whatever has become of it, that is how it is to be then.
    run.after(random.between(1, 2 * ms), () => {
      if (run.master === master) promote(run, random, run.nodes[target]);
      operator.forgetAll();
    });
  },
  "cycle": (run, random) => {
    const { master, operator } = run;
    const other = pickTwo(run, random)[1].number;
    if (operator.wanted[master] !== null || other === master) return;
    operator.wanted[master] = other;
    run.after(run.troubleMs(), () => {
      if (run.master === master) operator.wanted[master] = null;
    });
  },
  "config": (run, random) => {
    const [name, values] = random.pick(CONFIG_CHANGES);
    run.operator.send(random.pick(run.nodes).number, ["CONFIG", "SET", name, random.pick(values)]);
  },
  "save": (run, random) => run.operator.send(random.pick(run.nodes).number, ["BGSAVE"]),
  "rewrite": (run, random) => run.operator.send(random.pick(run.nodes).number, ["BGREWRITEAOF"]),
  "reload": (run, random) => {
    const { number } = random.pick(run.nodes);
    // Where all wait, nobody lets the time pass that it is to take.
    run.operator.send(number, ["CONFIG", "SET", "key-load-delay", 0]);
    run.operator.send(number, ["DEBUG", "RELOAD"]);
  },
  "client kill": (run, random) => {
    const type = random.pick(["replica", "master", "normal"]);
    run.operator.send(random.pick(run.nodes).number, ["CLIENT", "KILL", "TYPE", type]);
  },
  "quiet": (run, random) => {
    run.quietTurns = random.between(2, 20);
  },
};

/** Has something happen. */
export function happen(kind: EventKind, run: ReplicationRun, random: RandomSource): void {
  run.trace(`event: ${kind}`);
  EVENTS[kind](run, random);
}

/** Makes a server the master, and has all others follow it. */
function promote(run: ReplicationRun, random: RandomSource, node: ReplicationNode): void {
  run.trace(`${addressOf(node.number)} is to be the master`);
  run.operator.pointTo(node.number, random, CHAIN_CHANCE);
  run.master = node.number;
  run.operator.tell(node.number);
}

/** Of those who have the history `id`, the one that has come furthest; of any, if nobody has it. */
function furthest(run: ReplicationRun, id: string | undefined): ReplicationNode | undefined {
  const able = run.nodes.filter((node) => node.isServing && !node.host.process.stopped);
  const same = able.filter(({ server }) => server!.replication.history.id === id);
  const offsetOf = ({ server }: ReplicationNode) => server!.replication.history.offset;
  return (same.length > 0 ? same : able).sort((a, b) => offsetOf(b) - offsetOf(a))[0];
}

function pickTwo(run: ReplicationRun, random: RandomSource): [ReplicationNode, ReplicationNode] {
  const one = random.pick(run.nodes);
  const others = run.nodes.filter((node) => node !== one);
  return [one, random.pick(others)];
}
