/**
 * What goes wrong while something else does: a second failure in the middle of a failover, or of what follows it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { PlayedMonitor } from "./played_monitor.ts";
import type { PlayedNode } from "./played_node.ts";
import type { OptionChanges } from "./played_options.ts";
import { PlayedWorld } from "./played_world.ts";

/** Long: whatever waits for it is found out. */
const FAILOVER_TIMEOUT_MS = 60_000;
const ENTRIES = 10;

interface Play {
  readonly world: PlayedWorld;
  readonly nodes: readonly PlayedNode[];
  readonly monitors: readonly PlayedMonitor[];
}

/** A group with some data, and one monitor or three. */
function play(
  { nodes: count, monitors: many = 1, minAcks = 0 }: {
    nodes: number;
    monitors?: number;
    minAcks?: number;
  },
): Play {
  const world = new PlayedWorld(3);
  const nodes = world.group(count);
  const changes: OptionChanges = {
    router: { minAcks },
    group: { failoverTimeoutMs: FAILOVER_TIMEOUT_MS, ...many > 1 ? { quorum: 2 } : {} },
  };
  const monitors = Array.from({ length: many }, () => world.monitor(changes));
  world.run(6000);
  for (let id = 1; id <= ENTRIES; id++) nodes[0].log.push(id);
  world.run(2000);
  return { world, nodes, monitors };
}

/** Whether a monitor's router writes to a node that is a master, other than the first one. */
function hasNewMaster({ monitors, nodes }: Play): boolean {
  return monitors.some(({ writesTo }) =>
    nodes.slice(1).some((node) => node.alive && node.role === "master" && node.address === writesTo)
  );
}

/** The next node that a failover chooses. */
function prefer(node: PlayedNode, { world }: Play): void {
  node.priority = 1;
  world.run(12_000);
}

for (const monitors of [1, 3]) {
  Deno.test(`a master that has loaded an old snapshot, and names its history, gives way; monitors: ${monitors}`, () => {
    const group = play({ nodes: 3, monitors, minAcks: 1 });
    const { world, nodes: [master], nodes } = group;
    world.fullSyncMs = 2000;
    const { history } = master;
    master.kill();
    world.run(200);
    master.restart();
    master.log.length = ENTRIES / 2;
    master.formerHistory = history;
    master.formerEnd = ENTRIES / 2;
    world.until("a new master", () => hasNewMaster(group), 20_000);
    world.run(20_000);
    assertEquals(nodes.map(({ log }) => log.length), [ENTRIES, ENTRIES, ENTRIES]);
  });

  Deno.test(`a chosen replica that dies before it is a master isn't waited for; monitors: ${monitors}`, () => {
    for (const comesBack of [false, true]) {
      const group = play({ nodes: 4, monitors });
      const { world, nodes: [master, chosen] } = group;
      prefer(chosen, group);
      chosen.promote = () => {
        chosen.kill();
        Reflect.deleteProperty(chosen, "promote");
        if (!comesBack) return;
        world.after(200, () => {
          chosen.restart();
          chosen.follow(master);
        });
      };
      master.kill();
      world.until("a new master", () => hasNewMaster(group), 10_000);
    }
  });

  Deno.test(`a master that dies while it hands over is replaced; monitors: ${monitors}`, () => {
    const group = play({ nodes: 3, monitors });
    const { world, nodes: [master] } = group;
    const answer = master.answer.bind(master);
    master.answer = (command, link) => {
      if (command[0] !== "FAILOVER" || command[1] !== "TO") return answer(command, link);
      world.after(20, () => master.kill());
      return "OK";
    };
    group.monitors[0].failover();
    world.until("a new master", () => hasNewMaster(group), 5000);
  });

  Deno.test(`a new master whose history nobody has taken over yet, and that dies, is replaced; monitors: ${monitors}`, () => {
    const group = play({ nodes: 5, monitors, minAcks: 2 });
    const { world, nodes: [master, next, ...rest], nodes } = group;
    prefer(next, group);
    for (const node of rest) world.cut(node.host, next.host);
    master.kill();
    world.until("the promotion", () => hasNewMaster(group));
    world.run(50);
    next.kill();
    world.until("the next promotion", () => hasNewMaster(group), 20_000);
    const last = nodes.find(({ alive, role }) => alive && role === "master");
    assertEquals(last?.log.length, ENTRIES);
  });
}

Deno.test("what a replica says that was chosen before says nothing of the one that is chosen now", () => {
  const group = play({ nodes: 4, monitors: 3 });
  const { world, nodes: [master, first, second] } = group;
  first.priority = 1;
  second.priority = 2;
  world.run(12_000);
  const promoteFirst = first.promote.bind(first);
  first.promote = () => {
    promoteFirst();
    first.stopped = true;
  };
  // It hangs before it has taken the command in, and the first one wakes.
  second.promote = () => {
    second.stopped = true;
    world.after(5, () => first.resume());
  };
  master.kill();
  world.check = () => {
    for (const { writesTo } of group.monitors) {
      assert(writesTo !== second.address, "writes go to a replica");
    }
  };
  world.until("a new master", () => hasNewMaster(group), 20_000);
});

Deno.test("a new master that comes back without its data before the failover has ended gives way", () => {
  for (const isAsked of [false, true]) {
    const group = play({ nodes: 5, minAcks: 2 });
    const { world, nodes: [master, next], nodes, monitors: [monitor] } = group;
    prefer(next, group);
    world.fullSyncMs = 3000;
    if (isAsked) monitor.failover();
    else master.kill();
    world.until("the promotion", () => hasNewMaster(group));
    next.kill();
    world.run(50);
    next.restart(false);
    world.run(1);
    world.until(
      "a master with the data",
      () => nodes.some((node) => node.address === monitor.writesTo && node.log.length >= ENTRIES),
      20_000,
    );
    world.run(20_000);
    const living = nodes.filter(({ alive }) => alive);
    assertEquals(living.map(({ log }) => log.length), living.map(() => ENTRIES));
  }
});

Deno.test("a new master that comes back as a replica before the failover has ended isn't written to for long", () => {
  const group = play({ nodes: 5, minAcks: 2 });
  const { world, nodes: [master, next], monitors: [monitor] } = group;
  prefer(next, group);
  world.fullSyncMs = 3000;
  master.kill();
  world.until("the promotion", () => hasNewMaster(group));
  world.run(100);
  next.kill();
  world.run(50);
  next.restart();
  next.follow(master);
  world.run(1000);
  world.until("a master", () => hasNewMaster(group), 30_000);
  assertEquals(monitor.view.trouble, "");
});

Deno.test("an administrator ends what waits for replicas that may know more", () => {
  const group = play({ nodes: 3, minAcks: 1 });
  const { world, nodes: [master, one], monitors: [monitor] } = group;
  one.kill();
  world.run(100);
  master.kill();
  world.run(5000);
  assertEquals(monitor.writesTo, "");
  assertEquals(monitor.view.failoverState, "select_slave");
  assertEquals(monitor.failover(), undefined);
  world.until("a new master", () => hasNewMaster(group), 5000);
});

Deno.test("a failover that was called for in vain keeps none from coming that is needed", () => {
  const group = play({ nodes: 3, monitors: 3 });
  const { world, nodes: [master], monitors } = group;
  master.failoverRefusals = 1000;
  monitors[0].failover();
  world.run(10_000);
  assertEquals(monitors[0].view.failoverState, "none");
  assertEquals(monitors[0].writesTo, master.address);
  master.kill();
  world.until("a new master", () => hasNewMaster(group), 10_000);
});

Deno.test("a vote for a failover that was given up binds nobody who is restarted", () => {
  const group = play({ nodes: 3, monitors: 3 });
  const { world, nodes: [master], monitors } = group;
  master.failoverRefusals = 1000;
  monitors[0].failover();
  world.run(20_000);
  assertEquals(monitors.map(({ writesTo }) => writesTo), Array(3).fill(master.address));
  for (const monitor of monitors) monitor.kill();
  world.run(100);
  for (const monitor of monitors) monitor.restart();
  world.until("leases", () => monitors.every(({ writesTo }) => writesTo === master.address), 5000);
  monitors[1].kill();
  world.run(100);
  monitors[1].restart();
  world.until("its lease", () => monitors[1].writesTo === master.address, 5000);
});

Deno.test("two who call for a failover at once leave nobody without a lease", () => {
  for (let offset = 0; offset <= 12; offset += 2) {
    const group = play({ nodes: 3, monitors: 3 });
    const { world, monitors } = group;
    monitors[0].failover();
    world.run(offset);
    monitors[1].failover();
    world.run(50);
    world.until("leases", () => monitors.every(({ writesTo }) => writesTo !== ""), 5000);
  }
});

Deno.test("when a stock sentinel gives way to a monitor there are leases", () => {
  const group = play({ nodes: 3, monitors: 3 });
  const { world, nodes, monitors } = group;
  const [alone, , last] = monitors;
  last.stock = true;
  world.run(6000);
  last.kill();
  world.run(1000);
  last.restart();
  world.run(5000);
  assert(monitors.some(({ view }) => view.lease.mode === "off"));
  last.kill();
  world.run(1000);
  last.stock = false;
  last.restart();
  world.run(15_000);
  assertEquals(monitors.map(({ view }) => view.lease.mode), ["held", "held", "held"]);
  for (const { host } of [...nodes.slice(1), ...monitors.slice(1)]) {
    world.cut(alone.host, host);
    world.cut(nodes[0].host, host);
  }
  for (let ms = 0; ms < 20_000; ms++) {
    world.run(1);
    const written = new Set(monitors.map(({ writesTo }) => writesTo).filter((to) => to !== ""));
    assert(written.size <= 1, `writes go to ${[...written]}`);
  }
});
