import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { at } from "./played_options.ts";
import { PlayedWorld } from "./played_world.ts";

const ADDRESSES = ["10.0.0.1:6379", "10.0.0.2:6379", "10.0.0.3:6379"];

/** A monitor that was given nodes, not a master. */
function monitorOf(world: PlayedWorld, addresses: readonly string[] = ADDRESSES) {
  return world.monitor({ group: { nodes: addresses.map(at) } }, null);
}

Deno.test("of the named nodes the one that is the master is found", () => {
  const world = new PlayedWorld();
  const [one, two, three] = world.group(3);
  one.follow(three);
  two.follow(three);
  three.promote();
  const monitor = monitorOf(world);
  world.run(1000);
  assertEquals(monitor.writesTo, three.address);
  assertEquals(monitor.view.trouble, "");
});

for (const named of ADDRESSES) {
  Deno.test(`given ${named}, the others are found`, () => {
    const world = new PlayedWorld();
    world.group(3);
    const monitor = monitorOf(world, [named]);
    world.run(1500);
    assertEquals(monitor.writesTo, ADDRESSES[0]);
    assertEquals(monitor.routing?.replicas.length, 2);
  });
}

Deno.test("a master that is dead at the start is known by its replicas, and replaced", () => {
  const world = new PlayedWorld();
  const [master] = world.group(3);
  master.kill();
  const monitor = monitorOf(world);
  world.until("a new master", () => monitor.writesTo !== "", 5000);
  assert(monitor.writesTo !== master.address);
});

Deno.test("two masters are said, and left alone", () => {
  const world = new PlayedWorld();
  const [, two] = world.group(3);
  two.promote();
  const monitor = monitorOf(world);
  world.run(10_000);
  assertEquals(monitor.view.status, "unknown master");
  assertStringIncludes(monitor.view.trouble, "more than one master");
  assertEquals(monitor.writesTo, "");
  assertStringIncludes(monitor.routing?.reason ?? "", "more than one master");
  assertEquals(world.nodes.flatMap(({ told }) => told), []);
  assertEquals(monitor.log.filter((line) => line.includes("more than one")).length, 1);
});

Deno.test("a replica of somebody else is said, and left alone", () => {
  const world = new PlayedWorld();
  const [, , three] = world.group(3);
  three.masterHost = "10.9.9.9";
  const monitor = monitorOf(world);
  world.run(10_000);
  assertStringIncludes(monitor.view.trouble, "is a replica of 10.9.9.9:6379");
  assertEquals(world.nodes.flatMap(({ told }) => told), []);
});

Deno.test("a node that asks for a password is said", () => {
  const world = new PlayedWorld();
  const nodes = world.group(3);
  nodes[1].refusal = new Error("NOAUTH Authentication required.");
  const monitor = monitorOf(world);
  world.run(3000);
  assertStringIncludes(monitor.view.trouble, "10.0.0.2:6379 refuses the monitor: NOAUTH");
  nodes[1].refusal = null;
  world.run(3000);
  assertEquals(monitor.writesTo, ADDRESSES[0]);
});

Deno.test("with no node to be reached it is said, and tried again", () => {
  const world = new PlayedWorld();
  const nodes = world.group(3);
  for (const node of nodes) node.kill();
  const monitor = monitorOf(world);
  world.run(3000);
  assertStringIncludes(monitor.view.trouble, "no node can be reached");
  for (const node of nodes) node.restart();
  world.run(3000);
  assertEquals(monitor.writesTo, ADDRESSES[0]);
});

Deno.test("a named node that comes later as a replica joins, and as a master is left alone", () => {
  const world = new PlayedWorld();
  const [, , three] = world.group(3);
  three.kill();
  const monitor = monitorOf(world);
  world.run(5000);
  assertEquals(monitor.writesTo, ADDRESSES[0]);
  assertStringIncludes(monitor.view.trouble, "10.0.0.3:6379 can't be reached");
  three.restart();
  three.promote();
  world.run(15_000);
  assertStringIncludes(monitor.view.trouble, "10.0.0.3:6379 is a master, too");
  assertEquals(three.told, []);
  three.follow(world.nodes[0]);
  world.run(3000);
  assertEquals(monitor.view.trouble, "");
  assertEquals(monitor.routing?.replicas.length, 2);
});

Deno.test("a named node that came later, and that the master was made to follow by hand, is the master", () => {
  const world = new PlayedWorld();
  const [one, two, three] = world.group(3);
  one.kill();
  three.kill();
  two.promote();
  const monitor = monitorOf(world);
  world.run(3000);
  assertEquals(monitor.writesTo, two.address);
  one.restart();
  one.promote();
  three.restart();
  world.run(1000);
  two.follow(one);
  three.follow(one);
  world.until("the other master", () => monitor.writesTo === one.address, 5000);
  world.run(3000);
  assertEquals(monitor.view.trouble, "");
  assertEquals(monitor.routing?.replicas.length, 2);
  assertEquals(world.nodes.flatMap(({ told }) => told), []);
});
