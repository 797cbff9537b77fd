import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { PlayedNode } from "./played_node.ts";
import { PlayedWorld } from "./played_world.ts";

/** A group in which writes are acknowledged by one replica, with some data. */
function withData(seed = 1) {
  const world = new PlayedWorld(seed);
  world.fullSyncMs = 2000;
  const nodes = world.group(3);
  const monitor = world.monitor({ router: { minAcks: 1 } });
  world.run(1000);
  for (let id = 1; id <= 10; id++) nodes[0].log.push(id);
  world.run(1000);
  return { world, nodes, monitor };
}

function masterOf(nodes: readonly PlayedNode[], address: string): PlayedNode {
  const master = nodes.find((node) => node.address === address);
  assert(master !== undefined, "nobody is written to");
  return master;
}

Deno.test("the replica with the newest data is promoted, whatever its priority", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { world, nodes, monitor } = withData(seed);
    const [master, near, far] = nodes;
    near.priority = 200;
    far.priority = 1;
    world.run(2000);
    // Only one of them gets the last write.
    far.replicate = () => {};
    master.log.push(11);
    world.run(10);
    assert(near.log.includes(11) && !far.log.includes(11));
    master.kill();
    world.run(5);
    world.until("a new master", () => monitor.writesTo !== "", 5000);
    assertEquals(monitor.writesTo, near.address);
  }
});

Deno.test("with too few replicas to be sure nobody is promoted; the old master goes on", () => {
  const { world, nodes, monitor } = withData();
  const [master, one] = nodes;
  one.kill();
  world.run(100);
  master.kill();
  world.run(20_000);
  assertEquals(monitor.writesTo, "");
  assertStringIncludes(
    monitor.view.trouble,
    "1 of 2 replicas have said what they have, 2 are needed",
  );
  assertEquals(monitor.log.filter((line) => line.includes("2 are needed")).length, 1);
  // It comes back with its data, but nobody can know that: the replica that was never away has all that was acknowledged, too.
  master.restart();
  one.restart();
  world.until("writes go on", () => monitor.writesTo !== "", 30_000);
  assertEquals(masterOf(nodes, monitor.writesTo).log.length, 10);
});

Deno.test("once all replicas have answered, a dead master is replaced by the best of them", () => {
  const { world, nodes, monitor } = withData();
  const [master, one] = nodes;
  one.kill();
  world.run(100);
  master.kill();
  world.run(3000);
  assertEquals(monitor.writesTo, "");
  one.follow(nodes[0]);
  one.alive = true;
  world.until("writes go on", () => monitor.writesTo !== "", 30_000);
  assertEquals(masterOf(nodes, monitor.writesTo).log.length, 10);
});

Deno.test("a master that comes back empty gives way before its replicas copy that", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { world, nodes, monitor } = withData(seed);
    const [master] = nodes;
    master.kill();
    world.run(200);
    master.restart(false);
    world.until("writes go on", () => monitor.writesTo !== "", 10_000);
    assert(monitor.writesTo !== master.address);
    assertEquals(masterOf(nodes, monitor.writesTo).log.length, 10);
    world.run(10_000);
    assert(nodes.every(({ log }) => log.length >= 10));
  }
});

Deno.test("a restarted master that the replicas have copied already goes on", () => {
  const { world, nodes, monitor } = withData();
  monitor.kill();
  world.fullSyncMs = 1;
  nodes[0].kill();
  nodes[0].restart();
  world.run(3000);
  monitor.restart();
  world.run(3000);
  assertEquals(monitor.writesTo, nodes[0].address);
});

Deno.test("without acknowledgements a restarted master is taken as it is, as by Sentinel", () => {
  const world = new PlayedWorld();
  const [master] = world.group(3);
  const monitor = world.monitor();
  world.run(2000);
  master.kill();
  world.run(200);
  master.restart();
  world.run(1000);
  assertEquals(monitor.writesTo, master.address);
  assert(!monitor.events.some((event) => event.startsWith("+try-failover")));
});

Deno.test("a replica that was chosen and comes back empty, as a master, is none", () => {
  const { world, nodes, monitor } = withData();
  const [master, first, second] = nodes;
  first.log.push(11);
  master.log.push(11);
  // It dies of its promotion, and has lost its disk and its config file.
  first.promote = () => {
    first.kill();
    world.after(100, () => {
      first.restart(false);
      first.role = "master";
    });
  };
  master.kill();
  world.until("it is chosen", () => first.told.includes("REPLICAOF NO ONE"), 5000);
  world.run(20_000);
  assert(monitor.writesTo !== first.address);
  master.restart();
  world.until("writes go on", () => monitor.writesTo !== "", 30_000);
  assert([master.address, second.address].includes(monitor.writesTo));
  assertEquals(masterOf(nodes, monitor.writesTo).log.slice(0, 10), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

Deno.test("a master that follows a restarted node with other data isn't followed there", () => {
  const { world, nodes, monitor } = withData();
  const [master, one, two] = nodes;
  // All is with `one`, as it should be; then both restart with config files of before.
  monitor.failover();
  world.until("the switch", () => ![master.address, ""].includes(monitor.writesTo), 5000);
  const next = masterOf(nodes, monitor.writesTo);
  world.run(3000);
  next.log.push(11);
  world.run(100);
  master.kill();
  world.run(5000);
  master.log = [1];
  master.restart();
  master.role = "master";
  next.kill();
  next.restart();
  next.follow(master);
  world.run(20_000);
  assert(monitor.writesTo !== "", "somebody is written to");
  assert(masterOf(nodes, monitor.writesTo).log.includes(11));
  assert([one, two].some(({ address }) => address === monitor.writesTo));
});

Deno.test("a switch that somebody made by hand outlasts a restart of the nodes", () => {
  const { world, nodes, monitor } = withData();
  const [master, one] = nodes;
  one.promote();
  master.follow(one);
  world.until("it is followed", () => monitor.writesTo === one.address, 10_000);
  world.run(100);
  assert(one.rewrites > 0 && master.rewrites > 0);
});
