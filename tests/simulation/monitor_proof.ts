/**
 * The proof that the simulation of monitors finds what it is for: bugs that are put in on purpose, each into all monitors of a run, and some
 * seed must find out.
 *
 * @module
 */
import type { Node } from "../../src/monitor/control/endpoint.ts";
import type { Group } from "../../src/monitor/control/group.ts";
import type { Monitor } from "../../src/monitor/monitor.ts";
import type { SavedGroup } from "../../src/monitor/options.ts";
import { type MonitorSabotage, simulateMonitors } from "./monitor_run.ts";
import type { SabotageFinding } from "./replication_proof.ts";

/** The bugs. */
export const MONITOR_SABOTAGES: readonly MonitorSabotage[] = [
  {
    name: "the router doesn't look at the lease",
    monitor: ({ router }) => fix(router!.topology, { hasLease: true }),
  },
  {
    name: "leases that were granted are forgotten",
    monitor: (monitor) =>
      forGroups(monitor, (group) => {
        group.grants.set = () => group.grants;
        fix(group, { grantFloor: 0 });
      }),
  },
  {
    name: "whoever has voted for a new master grants leases for the old one",
    monitor: (monitor) => forGroups(monitor, (group) => fix(group, { voteEnded: true })),
  },
  {
    name: "votes aren't saved",
    saver: (save) => (state) =>
      save({
        ...state,
        currentEpoch: 0,
        groups: state.groups.map((group) => ({ ...group, leaderEpoch: 0 })),
      }),
  },
  {
    name: "a new master isn't saved",
    saver: (save) => {
      let first: SavedGroup | undefined;
      return (state) => {
        first ??= state.groups[0];
        save({ ...state, groups: first === undefined ? [] : [first] });
      };
    },
  },
  {
    name: "the replica with the least data is chosen",
    monitor: (monitor) => forGroups(monitor, (group) => forReplicas(group, turnOver)),
  },
  {
    name: "writes go on while a new master is chosen",
    monitor: ({ router }) => {
      const apply = router!.apply.bind(router);
      router!.apply = (routing) => apply({ ...routing, writable: true, fenced: false });
    },
  },
  {
    name: "what the old master says while a new one is chosen is believed",
    monitor: ({ router }) => fix(router!.topology, { confirmTrouble: "" }),
  },
  {
    name: "nobody waits for the replicas",
    monitor: ({ router }) => fix(router!, { acks: 0 }),
  },
  {
    name: "replicas are read from however far behind they are",
    monitor: ({ router }) => {
      const { topology } = router!;
      const reader = topology.reader.bind(topology);
      topology.reader = () => reader(null);
    },
  },
  {
    name: "a read doesn't wait for the write before it",
    monitor: ({ router }) => {
      const { sessions } = router!;
      const add = sessions.set.bind(sessions);
      sessions.set = (id, session) => {
        fix(session.line, { writingUpstream: null });
        return add(id, session);
      };
    },
  },
  {
    name: "what may have been carried out is sent once more",
    monitor: ({ router }) => {
      const masterLane = router!.masterLane.bind(router);
      router!.masterLane = (...given) => {
        const upstream = masterLane(...given);
        upstream.mayHaveLeft = () => false;
        return upstream;
      };
    },
  },
];

/** Properties have these values from now on, whatever is done. That they are there is what the type is for. */
function fix<T extends object>(target: T, values: Readonly<Partial<T>>): void {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(target, name, { get: () => value, set: () => {} });
  }
}

/** Does something to the groups that a monitor has, and to those that it gets. */
function forGroups({ control }: Monitor, act: (group: Group) => void): void {
  const { groups } = control.machine.context;
  for (const group of groups.values()) act(group);
  const add = groups.set.bind(groups);
  groups.set = (name, group) => {
    act(group);
    return add(name, group);
  };
}

/** Likewise to the replicas of a group, to each of them once. */
function forReplicas({ replicas }: Group, act: (node: Node) => void): void {
  const known = new Set<Node>(replicas.values());
  for (const node of known) act(node);
  const add = replicas.set.bind(replicas);
  replicas.set = (key, node) => {
    if (!known.has(node)) act(node);
    known.add(node);
    return add(key, node);
  };
}

/** The more data a node has, the less it seems to have. */
function turnOver(node: Node): void {
  let { info, offset } = node;
  Object.defineProperties(node, {
    info: {
      get: () => info,
      set: (value: Node["info"]) => {
        info = value === null ? null : { ...value, held: 1e9 - value.held };
      },
    },
    offset: { get: () => 1e9 - offset, set: (value: number) => offset = value },
  });
}

/** Plays seeds with a bug until one finds out. */
export async function searchForMonitorSabotage(
  sabotage: MonitorSabotage,
  first: number,
  count: number,
): Promise<SabotageFinding> {
  const { name } = sabotage;
  for (let seed = first; seed < first + count; seed++) {
    const { fault } = await simulateMonitors(seed, { sabotage });
    if (fault === undefined) continue;
    return { name, seeds: seed - first + 1, seed, fault: fault.message };
  }
  return { name, seeds: count, seed: undefined, fault: undefined };
}
