import { assert, assertEquals } from "@std/assert";
import type { PlayedMonitor } from "./played_monitor.ts";
import { PlayedWorld } from "./played_world.ts";

const THREE = { group: { quorum: 2 } };

/** A world with three nodes and three monitors that know each other. */
function threeOfEach(seed: number) {
  const world = new PlayedWorld(seed);
  const nodes = world.group(3);
  const monitors = [1, 2, 3].map(() => world.monitor(THREE));
  world.run(6000);
  return { world, nodes, monitors };
}

function ready(monitors: readonly PlayedMonitor[], address: string): boolean {
  return monitors.every((monitor) => !monitor.alive || monitor.writesTo === address);
}

Deno.test("monitors find each other, and hold leases", () => {
  const { nodes, monitors } = threeOfEach(1);
  for (const monitor of monitors) {
    assertEquals(monitor.view.peers.length, 2);
    assertEquals(monitor.view.lease.mode, "held");
    assertEquals(monitor.writesTo, nodes[0].address);
  }
});

Deno.test("several monitors agree on a new master", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { world, nodes, monitors } = threeOfEach(seed);
    const killedAt = world.now;
    nodes[0].kill();
    world.until("writes go on", () => {
      const [first] = monitors;
      return first.writesTo !== "" && first.writesTo !== nodes[0].address &&
        ready(monitors, first.writesTo);
    });
    const ms = world.now - killedAt;
    assert(ms < 3500, `seed ${seed} took ${ms} ms`);
    world.run(2000);
    assertEquals(new Set(monitors.map(({ view }) => view.configEpoch)).size, 1);
  }
});

Deno.test("a router that is cut off with the old master stops before the new one takes writes", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { world, nodes, monitors } = threeOfEach(seed);
    const [lone, ...rest] = monitors;
    // The first monitor and the master on one side, all others on the other.
    for (const host of [...nodes.slice(1), ...rest].map(({ host }) => host)) {
      world.cut(lone.host, host);
      world.cut(nodes[0].host, host);
    }
    world.check = () => {
      const targets = new Set(monitors.map(({ writesTo }) => writesTo).filter((one) => one !== ""));
      assert(targets.size <= 1, `seed ${seed}: writes go to ${[...targets].join(" and ")}`);
    };
    world.until(
      "the others have a new master",
      () => rest.every(({ writesTo }) => writesTo !== "" && writesTo !== nodes[0].address),
    );
    assertEquals(lone.writesTo, "");
    assertEquals(lone.view.lease.mode, "missing");
    world.heal();
    world.until("all agree", () => ready(monitors, rest[0].writesTo), 20_000);
    world.until("the old master is a replica", () => nodes[0].role === "slave", 20_000);
  }
});

Deno.test("a minority fails nobody over", () => {
  const { world, nodes, monitors } = threeOfEach(3);
  monitors[1].kill();
  monitors[2].kill();
  nodes[0].kill();
  world.run(30_000);
  assertEquals(monitors[0].writesTo, "");
  assert(nodes.every(({ told }) => told.length === 0));
  assertEquals(monitors[0].view.status, "master down");
});

Deno.test("a monitor that forgets nothing votes once in an epoch", () => {
  const { world, nodes, monitors } = threeOfEach(4);
  nodes[0].kill();
  world.until(
    "a vote",
    () =>
      monitors.some(({ events }) => events.some((event) => event.startsWith("+vote-for-leader"))),
  );
  const epoch = monitors[0].machine.context.currentEpoch;
  for (const monitor of monitors) {
    monitor.kill();
    monitor.restart();
  }
  world.run(15_000);
  for (const monitor of monitors) {
    const votes = monitor.events.filter((event) =>
      event.startsWith("+vote-for-leader") && event.endsWith(` ${epoch}`)
    );
    assert(votes.length <= 1, votes.join(", "));
  }
});

Deno.test("who can't save a vote doesn't give it", () => {
  const { world, nodes, monitors } = threeOfEach(5);
  for (const monitor of monitors) monitor.diskFull = true;
  nodes[0].kill();
  world.run(10_000);
  assert(
    monitors.every(({ events }) => !events.some((event) => event.startsWith("+vote-for-leader"))),
  );
  assertEquals(monitors[0].view.trouble, "the state can't be saved on disk");
  for (const monitor of monitors) monitor.diskFull = false;
  world.until("a new master", () => monitors[0].writesTo !== "", 60_000);
});

Deno.test("with a stock sentinel in the group there is no lease, unless it was asked for", () => {
  for (const lease of ["auto", "yes", "no"] as const) {
    const world = new PlayedWorld(7);
    const [master] = world.group(2);
    const ours = world.monitor({ group: { quorum: 2 }, monitor: { lease } });
    const others = [1, 2].map(() => world.monitor(THREE));
    for (const other of others) other.stock = true;
    world.run(6000);
    assertEquals(ours.view.lease.mode, lease === "yes" ? "missing" : "off");
    assertEquals(ours.writesTo, lease === "yes" ? "" : master.address);
    assertEquals(
      ours.view.peers.map(({ knowsLease }) => knowsLease),
      lease === "no" ? [null, null] : [false, false],
    );
  }
});

Deno.test("a manual failover among monitors waits for nobody who can be reached", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { world, nodes, monitors } = threeOfEach(seed);
    assertEquals(monitors[0].failover(), undefined);
    const ms = world.until(
      "all agree",
      () =>
        monitors[0].writesTo !== nodes[0].address && monitors[0].writesTo !== "" &&
        ready(monitors, monitors[0].writesTo),
    );
    assert(ms < 400, `seed ${seed}: writes stood still for ${ms} ms`);
  }
});
