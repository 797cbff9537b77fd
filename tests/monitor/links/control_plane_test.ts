import { assert, assertEquals } from "@std/assert";
import { Redis } from "../../support/packages/ioredis.ts";
import { createSentinel } from "../../support/packages/redis.ts";
import {
  ask,
  eventually,
  hasRedis,
  masterBy,
  RealGroup,
  RunningControl,
  stockSentinel,
} from "./real_group.ts";

const ignore = !hasRedis();

Deno.test(
  { name: "a real master that is killed is replaced, and comes back as a replica", ignore },
  async () => {
    await using group = new RealGroup();
    await group.start();
    const [master] = group.nodes;
    await using control = new RunningControl(master.port);
    await control.plane.start();
    await eventually(
      "both replicas are read from",
      () => control.plane.routing().replicas.length === 2,
    );
    assertEquals(await control.master(), master.port);

    await master.kill();
    await eventually("a new master", () => control.plane.routing().master?.port !== master.port);
    const next = control.plane.routing().master?.port ?? 0;
    assertEquals(control.plane.routing().writable, true);
    assertEquals(await ask(next, "SET", "key", "value"), "OK");
    assertEquals(await control.master(), next);

    await master.start();
    await group.follows(master.port, next);
    await eventually("it is read from", () => control.plane.routing().replicas.length === 2);
  },
);

Deno.test({ name: "a real master hands over", ignore }, async () => {
  await using group = new RealGroup();
  await group.start();
  await using control = new RunningControl(null, {
    group: { nodes: [{ host: "127.0.0.1", port: group.nodes[1].port }] },
  });
  await control.plane.start();
  await eventually("the group is found", () => control.plane.routing().replicas.length === 2);
  for (let round = 0; round < 3; round++) {
    const before = control.plane.routing().master?.port ?? 0;
    await ask(before, "SET", "round", String(round));
    assertEquals(control.plane.failover("mymaster"), undefined);
    await eventually("the switch", () => control.plane.routing().master?.port !== before);
    const next = control.plane.routing().master?.port ?? 0;
    assertEquals(await ask(next, "GET", "round"), String(round));
    await eventually("all follow", () => control.plane.routing().replicas.length === 2);
    assert(control.routings.every(({ epoch }) => epoch <= round + 1));
  }
  assert(!control.events.some((event) => event.startsWith("-failover-abort")));
});

for (const stock of [1, 2]) {
  const ours = 3 - stock;
  const name = `${stock} redis-sentinel and ${ours} of ours fail over together`;
  Deno.test({ name, ignore }, async () => {
    await using group = new RealGroup();
    await group.start();
    const [first] = group.nodes;
    await using sentinels = new AsyncDisposableStack();
    const ports: number[] = [];
    for (let index = 0; index < stock; index++) {
      const sentinel = sentinels.use(stockSentinel(first.port, 2));
      await sentinel.start();
      ports.push(sentinel.port);
    }
    const planes: RunningControl[] = [];
    for (let index = 0; index < ours; index++) {
      const control = sentinels.use(
        new RunningControl(first.port, { group: { quorum: 2, downAfterMs: 2000 } }),
      );
      await control.plane.start();
      planes.push(control);
      ports.push(control.plane.sentinelPort ?? 0);
    }
    for (const port of ports) {
      await eventually(`${port} knows all`, async () => {
        const peers = await ask(port, "SENTINEL", "SENTINELS", "mymaster");
        const replicas = await ask(port, "SENTINEL", "REPLICAS", "mymaster");
        return Array.isArray(peers) && peers.length === 2 &&
          Array.isArray(replicas) && replicas.length === 2;
      });
    }
    for (const control of planes) {
      await eventually("leases are off", () => control.plane.groupViews()[0].lease.mode === "off");
    }
    for (let round = 0; round < 2; round++) {
      const before = await masterBy(ports[0]);
      const killed = group.nodes.find(({ port }) => port === before);
      await killed?.kill();
      await eventually("all agree on a new master", async () => {
        const named = await Promise.all(ports.map(masterBy));
        return named.every((port) => port !== before && port !== 0 && port === named[0]);
      });
      const next = await masterBy(ports[0]);
      await killed?.start();
      try {
        for (const { port } of group.nodes) if (port !== next) await group.follows(port, next);
      } catch (error) {
        for (const { log } of planes) console.log(log.join("\n"));
        throw error;
      }
      await eventually(
        "writes go there",
        () =>
          planes.every(({ plane }) =>
            plane.routing().writable && plane.routing().master?.port === next
          ),
      );
      await eventually("everybody has forgotten it", async () => {
        const flags = await Promise.all(ports.map(async (port) => {
          const fields = await ask(port, "SENTINEL", "MASTER", "mymaster") as string[];
          return fields[fields.indexOf("flags") + 1];
        }));
        return flags.every((flag) => flag === "master");
      });
    }
  });
}

Deno.test({
  name: "ioredis and node-redis find the master by our Sentinel port, and follow a switch",
  ignore,
}, async () => {
  await using group = new RealGroup();
  await group.start();
  const [first] = group.nodes;
  await using control = new RunningControl(first.port);
  await control.plane.start();
  await eventually("the replicas are known", () => control.plane.routing().replicas.length === 2);
  const sentinel = { host: "127.0.0.1", port: control.plane.sentinelPort ?? 0 };
  const io = new Redis({ sentinels: [sentinel], name: "mymaster", retryStrategy: () => 100 });
  const reader = new Redis({ sentinels: [sentinel], name: "mymaster", role: "slave" });
  const node = createSentinel({ name: "mymaster", sentinelRootNodes: [sentinel] });
  try {
    await node.connect();
    await io.set("by", "ioredis");
    await node.set("also", "node-redis");
    assertEquals(await io.get("also"), "node-redis");
    assert(["slave"].includes(String((await reader.role())[0])));

    await first.kill();
    await eventually("a new master", () => control.plane.routing().master?.port !== first.port);
    await eventually("both write to it", async () => {
      try {
        return await io.set("by", "ioredis again") === "OK" &&
          await node.set("also", "again") === "OK";
      } catch {
        return false;
      }
    });
    const next = control.plane.routing().master?.port ?? 0;
    assertEquals(await ask(next, "GET", "by"), "ioredis again");
    assertEquals(await ask(next, "GET", "also"), "again");
  } finally {
    io.disconnect();
    reader.disconnect();
    node.destroy();
  }
});

Deno.test({ name: "what is saved is what a restart needs", ignore }, async () => {
  await using group = new RealGroup(2);
  await group.start();
  const [first, second] = group.nodes;
  await using control = new RunningControl(first.port);
  await control.plane.start();
  await eventually("the replica is known", () => control.plane.routing().replicas.length === 1);
  await first.kill();
  await eventually(
    "the other is the master",
    () => control.plane.routing().master?.port === second.port,
  );
  await eventually(
    "it is saved",
    () => control.saved?.groups[0].options.master?.port === second.port,
  );
  const { saved } = control;
  await control.plane.stop();
  await using again = new RunningControl(first.port, {}, saved);
  await again.plane.start();
  assertEquals(again.plane.runId, control.plane.runId);
  await eventually(
    "it goes on",
    () => again.plane.routing().master?.port === second.port && again.plane.routing().writable,
  );
  assertEquals(again.plane.currentEpoch, 1);
});
