import { assert, assertEquals } from "@std/assert";
import { grantLease, type LeaseRequest } from "../../../src/monitor/control/lease.ts";
import { vote } from "../../../src/monitor/control/election.ts";
import { PlayedWorld } from "./played_world.ts";

/** One monitor of three, and a way to ask it for leases as another one. */
function granter() {
  const world = new PlayedWorld(11);
  world.group(3);
  const monitors = [1, 2, 3].map(() => world.monitor({ group: { quorum: 2 } }));
  world.run(6000);
  const [monitor, asker, other] = monitors;
  // What the three agree on by themselves is over: only what the test asks for counts.
  asker.kill();
  other.kill();
  world.run(5000);
  const { context } = monitor.machine;
  const group = context.groups.get("mymaster")!;
  group.grants.clear();
  const ask = (changes: Partial<LeaseRequest> = {}) => {
    context.setTime({ monotonic: world.now, unix: world.now });
    return grantLease(context, group, {
      runId: "a",
      host: "10.0.0.1",
      port: 6379,
      configEpoch: group.configEpoch,
      endedEpoch: 0,
      leaseMs: 300,
      surrendered: [],
      ...changes,
    });
  };
  return { world, monitor, context, group, ask };
}

Deno.test("a lease is granted for the configuration that is known, and its master alone", () => {
  const { ask } = granter();
  assert(ask());
  assert(ask({ runId: "b" }));
  assert(!ask({ port: 6380 }));
  assert(!ask({ host: "10.0.0.2" }));
});

Deno.test("whoever has granted for a newer configuration grants none for an older one", () => {
  const { ask } = granter();
  assert(ask({ configEpoch: 5, host: "10.0.0.2" }));
  assert(!ask());
  assert(ask({ configEpoch: 5, host: "10.0.0.2", runId: "b" }));
});

Deno.test("a newer configuration waits until older grants of others are over", () => {
  const { world, ask } = granter();
  assert(ask({ runId: "b" }));
  assert(!ask({ configEpoch: 5 }));
  world.now += 300;
  assert(!ask({ configEpoch: 5 }), "clocks may run differently");
  world.now += 31;
  assert(ask({ configEpoch: 5 }));
});

Deno.test("whoever asks for a newer configuration has given up the older one himself", () => {
  const { ask } = granter();
  assert(ask());
  assert(ask({ configEpoch: 5 }));
});

Deno.test("grants of those who have voted for the new leader don't count any more", () => {
  const { context, group, ask } = granter();
  assert(ask({ runId: "b" }));
  assertEquals(vote(context, group, 5, "a"), { leader: "a", epoch: 5 });
  assert(!ask({ configEpoch: 5 }), "not all have given back");
  assert(ask({ configEpoch: 5, surrendered: ["a", "b"] }));
  assert(ask({ configEpoch: 5, runId: "b" }), "it is over for good");
});

Deno.test("a vote binds until its election is over", () => {
  const { world, context, group, ask } = granter();
  vote(context, group, 5, "a");
  assert(!ask({ runId: "b" }));
  assert(!ask());
  assert(ask({ endedEpoch: 5 }), "the leader says that it has given up");

  vote(context, group, 6, "a");
  assert(!ask({ runId: "b", endedEpoch: 9 }), "it isn't for another to say");
  world.now += group.settings.failoverTimeoutMs;
  assert(!ask({ runId: "b" }));
  world.now += group.settings.failoverTimeoutMs;
  assert(ask({ runId: "b" }), "by now it must have given up");
});

Deno.test("a monitor that has just been started grants nothing", () => {
  const { world, monitor } = granter();
  monitor.kill();
  monitor.restart();
  const { context } = monitor.machine;
  const group = context.groups.get("mymaster")!;
  const request: LeaseRequest = {
    runId: "a",
    host: "10.0.0.1",
    port: 6379,
    configEpoch: 0,
    endedEpoch: 0,
    leaseMs: 300,
    surrendered: [],
  };
  world.run(100);
  assert(!grantLease(context, group, request));
  world.run(1000);
  context.setTime({ monotonic: world.now, unix: world.now });
  assert(grantLease(context, group, request));
});
