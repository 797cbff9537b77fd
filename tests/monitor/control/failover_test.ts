import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PlayedWorld } from "./played_world.ts";

Deno.test("a monitor finds the replicas, and routes to the master and to them", () => {
  const world = new PlayedWorld();
  world.group(3);
  const monitor = world.monitor();
  world.run(500);
  assertEquals(monitor.writesTo, "10.0.0.1:6379");
  assertEquals(monitor.routing?.replicas.map(({ host }) => host), ["10.0.0.2", "10.0.0.3"]);
  assertEquals(monitor.view.status, "ok");
  assertEquals(monitor.view.lease.mode, "off");
});

Deno.test("a killed master is replaced soon after down-after, and fenced before", () => {
  const world = new PlayedWorld();
  const [master, first, second] = world.group(3);
  const monitor = world.monitor();
  world.run(5000);
  monitor.routings.length = 0;
  const killedAt = world.now;
  master.kill();
  world.until("a new master", () => monitor.writesTo !== "" && monitor.writesTo !== master.address);
  assert(world.now - killedAt <= 1030, `took ${world.now - killedAt} ms`);
  assertEquals(monitor.writesTo, first.runId < second.runId ? first.address : second.address);
  const reasons = monitor.routings.map(({ writable, reason }) => writable ? "writable" : reason);
  assertEquals(reasons[0], "a failover is under way");
  assertEquals(monitor.routings[0].replicas.length, 2, "reads go on");
  world.run(500);
  assertEquals(monitor.routing?.replicas.length, 1);
  assertEquals(monitor.events.filter((event) => event.startsWith("+switch-master")), [
    `+switch-master mymaster 10.0.0.1 6379 ${monitor.writesTo.replace(":", " ")}`,
  ]);
});

Deno.test("the events of a failover are Sentinel's, in its order", () => {
  const world = new PlayedWorld();
  const [master, , other] = world.group(3);
  other.priority = 10;
  const monitor = world.monitor();
  world.run(5000);
  monitor.events.length = 0;
  master.kill();
  world.run(3000);
  const slave = "slave 10.0.0.3:6379 10.0.0.3 6379 @ mymaster 10.0.0.1 6379";
  const rest = "slave 10.0.0.2:6379 10.0.0.2 6379 @ mymaster 10.0.0.1 6379";
  const group = "master mymaster 10.0.0.1 6379";
  const id = monitor.machine.context.myId;
  const shown = monitor.events.filter((event) =>
    !event.startsWith("-cmd-link") && !event.startsWith("-pubsub-link")
  );
  assertEquals(shown.slice(0, -1), [
    `+sdown ${group}`,
    `+odown ${group} #quorum 1/1`,
    "+new-epoch 1",
    `+try-failover ${group}`,
    `+vote-for-leader ${id} 1`,
    `+elected-leader ${group}`,
    `+failover-state-select-slave ${group}`,
    `+selected-slave ${slave}`,
    `+failover-state-send-slaveof-noone ${slave}`,
    `+failover-state-wait-promotion ${slave}`,
    `+promoted-slave ${slave}`,
    `+failover-state-reconf-slaves ${group}`,
    `+slave-reconf-sent ${rest}`,
    `+slave-reconf-inprog ${rest}`,
    `+slave-reconf-done ${rest}`,
    `+failover-end ${group}`,
    "+switch-master mymaster 10.0.0.1 6379 10.0.0.3 6379",
    "+slave slave 10.0.0.2:6379 10.0.0.2 6379 @ mymaster 10.0.0.3 6379",
    "+slave slave 10.0.0.1:6379 10.0.0.1 6379 @ mymaster 10.0.0.3 6379",
  ]);
  assertStringIncludes(shown[shown.length - 1], "+sdown slave 10.0.0.1:6379");
});

Deno.test("a new master that dies before the others follow it is replaced, too", () => {
  const world = new PlayedWorld();
  world.fullSyncMs = 20_000;
  const [master, next, last] = world.group(4);
  next.priority = 1;
  last.priority = 2;
  const monitor = world.monitor();
  world.run(5000);
  master.kill();
  world.until("the promotion", () => monitor.writesTo === next.address);
  assertEquals(monitor.view.failoverState, "reconf_slaves");
  next.kill();
  world.until("the next promotion", () => monitor.writesTo === last.address, 10_000);
});

Deno.test("a master that comes back is made a replica before it is read from", () => {
  const world = new PlayedWorld();
  const [master] = world.group(3);
  const monitor = world.monitor();
  world.run(3000);
  master.kill();
  world.run(3000);
  master.restart();
  world.until(
    "it is read from",
    () => monitor.routing?.replicas.some(({ host }) => host === "10.0.0.1") === true,
  );
  assertEquals(master.role, "slave");
  assert(master.linkUp);
  assertEquals(master.told[master.told.length - 1], `REPLICAOF ${monitor.writesTo}`);
});

Deno.test("a healthy master hands over, and nobody is promoted behind its back", () => {
  const world = new PlayedWorld();
  const [master, first] = world.group(3);
  first.priority = 1;
  const monitor = world.monitor();
  world.run(3000);
  monitor.routings.length = 0;
  assertEquals(monitor.failover(), undefined);
  assertEquals(monitor.failover(), "INPROG Failover already in progress");
  const ms = world.until("the switch", () => monitor.writesTo === first.address);
  assert(ms < 30, `writes stood still for ${ms} ms`);
  assertEquals(master.told[0], `FAILOVER TO ${first.address}`);
  assertEquals(first.told, []);
  world.run(1000);
  assertEquals(monitor.routing?.replicas.length, 2);
  assertEquals(monitor.view.failoverState, "none");
});

Deno.test("a master that knows no FAILOVER is replaced as a dead one is", () => {
  const world = new PlayedWorld();
  const [master, first] = world.group(2);
  master.knowsFailover = false;
  const monitor = world.monitor();
  world.run(3000);
  monitor.failover();
  world.until("the switch", () => monitor.writesTo === first.address, 1000);
  assertEquals(first.told, ["REPLICAOF NO ONE"]);
  world.run(2000);
  assertEquals(master.role, "slave");
});

Deno.test("a master that can't hand over yet is asked again, or goes on", () => {
  for (const [refusals, isSwitched] of [[5, true], [1000, false]] as const) {
    const world = new PlayedWorld();
    const [master, first] = world.group(2);
    master.failoverRefusals = refusals;
    const monitor = world.monitor();
    world.run(3000);
    monitor.failover();
    world.run(10_000);
    assertEquals(monitor.writesTo, isSwitched ? first.address : master.address);
    assertEquals(first.told, []);
    assertEquals(monitor.view.failoverState, "none");
  }
});

Deno.test("without a replica that could be promoted there is no failover", () => {
  const world = new PlayedWorld();
  const [master, only] = world.group(2);
  only.priority = 0;
  const monitor = world.monitor();
  world.run(3000);
  assertEquals(monitor.failover(), "NOGOODSLAVE No suitable replica to promote");
  master.kill();
  world.run(5000);
  assert(monitor.events.some((event) => event.startsWith("-failover-abort-no-good-slave")));
  assertEquals(monitor.writesTo, "");
  master.restart();
  world.run(2000);
  assertEquals(monitor.writesTo, master.address);
});

Deno.test("a chosen replica that dies at once doesn't end the attempts", () => {
  const world = new PlayedWorld();
  const [master, first, second] = world.group(3);
  first.priority = 1;
  const monitor = world.monitor({ group: { failoverTimeoutMs: 3000 } });
  world.run(3000);
  first.promote = () => first.kill();
  master.kill();
  world.until("the other one takes over", () => monitor.writesTo === second.address, 15_000);
});

Deno.test("a monitor that is cut off from everything fails nobody over", () => {
  const world = new PlayedWorld();
  const nodes = world.group(3);
  const monitor = world.monitor();
  world.run(3000);
  for (const node of nodes) world.cut(monitor.host, node.host);
  world.run(20_000);
  assertEquals(monitor.view.failoverState, "none");
  assertStringIncludes(monitor.view.trouble, "reaches no node");
  world.heal();
  world.run(3000);
  assertEquals(monitor.writesTo, "10.0.0.1:6379");
  assertEquals(monitor.view.trouble, "");
  assert(!monitor.events.some((event) => event.startsWith("+try-failover")));
});

Deno.test("a monitor that alone has lost the master believes the replicas that haven't", () => {
  const world = new PlayedWorld();
  const [master] = world.group(3);
  const monitor = world.monitor();
  world.run(3000);
  world.cut(monitor.host, master.host);
  world.run(10_000);
  assert(!monitor.events.some((event) => event.startsWith("+try-failover")));
  assertStringIncludes(monitor.view.trouble, "its replicas do");
  assertEquals(monitor.view.status, "master down");
  // Once the replicas have lost it, too, it is gone.
  master.kill();
  world.until("a new master", () => monitor.writesTo !== "", 3000);
});

Deno.test("a stopped master, which takes connections but is silent, is replaced", () => {
  const world = new PlayedWorld();
  const [master] = world.group(3);
  const monitor = world.monitor();
  world.run(3000);
  master.stopped = true;
  world.until(
    "a new master",
    () => monitor.writesTo !== "" && monitor.writesTo !== master.address,
    3000,
  );
});

Deno.test("what is known survives a restart of the monitor", () => {
  const world = new PlayedWorld();
  const [master] = world.group(3);
  const monitor = world.monitor();
  world.run(3000);
  master.kill();
  world.run(3000);
  const now = monitor.writesTo;
  const id = monitor.machine.context.myId;
  monitor.kill();
  monitor.restart();
  world.run(1000);
  assertEquals(monitor.writesTo, now);
  assertEquals(monitor.machine.context.myId, id);
  assertEquals(monitor.view.configEpoch, 1);
});

Deno.test("a machine that was stopped for long acts on nothing for a while", () => {
  const world = new PlayedWorld();
  world.group(3);
  const monitor = world.monitor();
  world.run(3000);
  const { handle } = monitor;
  monitor.handle = () => {};
  world.run(5000);
  monitor.handle = handle;
  monitor.handle({ type: "time" });
  assert(monitor.events.includes("+tilt #tilt mode entered"));
  world.run(29_000);
  assert(!monitor.events.includes("-tilt #tilt mode exited"));
  world.run(2000);
  assert(monitor.events.includes("-tilt #tilt mode exited"));
  assertEquals(monitor.writesTo, "10.0.0.1:6379");
});

Deno.test("masters that an administrator switches are followed", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = new PlayedWorld(seed);
    const [master, first, second] = world.group(3);
    const monitor = world.monitor();
    world.run(3000 + seed * 37);
    first.promote();
    master.follow(first);
    second.follow(first);
    world.until("it writes there", () => monitor.writesTo === first.address, 5000);
    world.run(2000);
    assertEquals(world.nodes.flatMap(({ told }) => told), []);
    assertEquals(monitor.routing?.replicas.length, 2);
  }
});
