/**
 * The same commands to redis-sentinel and to us: the same replies, byte for byte, but for what differs from process to process.
 */
import { assertEquals } from "@std/assert";
import { connect } from "../../../src/client/connect.ts";
import { type Reply } from "../../../src/protocol/reply.ts";
import {
  eventually,
  hasRedis,
  RealGroup,
  RunningControl,
  stockSentinel,
} from "../links/real_group.ts";

/** A line each; the group is `mymaster`, nobody listens at port 1. */
const COMMANDS = `
sentinel
sentinel foo
sentinel master
sentinel master foo
sentinel get-master-addr-by-name foo
sentinel get-master-addr-by-name
sentinel reset
sentinel reset foo
sentinel failover foo
sentinel monitor a b c d
sentinel monitor a 127.0.0.1 70000 1
sentinel monitor a 127.0.0.1 1 0
sentinel monitor a 127.0.0.1 x 1
sentinel monitor mymaster 127.0.0.1 1 1
sentinel monitor a foo.invalid 1 1
sentinel monitor a!b 127.0.0.1 1 1
sentinel get-master-addr-by-name a!b
sentinel remove a!b
sentinel remove a!b
sentinel set foo a b
sentinel set mymaster a
sentinel set mymaster a b
sentinel set mymaster quorum 0
sentinel set mymaster quorum x
sentinel set mymaster quorum 1 down-after-milliseconds 5000
sentinel set mymaster auth-pass
sentinel set mymaster rename-command a
sentinel set mymaster rename-command a a b
sentinel set mymaster rename-command
sentinel set mymaster notification-script /bin/ls
sentinel set mymaster client-reconfig-script /nofoo
sentinel set mymaster failover-timeout 0
sentinel set mymaster parallel-syncs 0
sentinel set mymaster parallel-syncs 2
sentinel set mymaster known-replica 1 2
sentinel set mymaster master-reboot-down-after-period -1
sentinel set mymaster master-reboot-down-after-period 0
sentinel set mymaster down-after-milliseconds 1000 quorum
sentinel is-master-down-by-addr 127.0.0.1 1 0
sentinel is-master-down-by-addr 127.0.0.1 1 x *
sentinel is-master-down-by-addr 127.0.0.1 x 0 *
sentinel is-master-down-by-addr 127.0.0.1 1 0 *
sentinel is-master-down-by-addr 127.0.0.1 1 0 abc
sentinel config
sentinel config foo
sentinel config set foo
sentinel config set foo bar
sentinel config set resolve-hostnames foo
sentinel config set resolve-hostnames yes
sentinel config set resolve-hostnames no
sentinel config set announce-port x
sentinel config set announce-port 5
sentinel config get announce-port
sentinel config set announce-port 0
sentinel config get foo
sentinel config get announce-port
sentinel config get sentinel-user
sentinel simulate-failure foo
sentinel simulate-failure
sentinel simulate-failure crash-after-election
sentinel simulate-failure help
sentinel debug foo 1
sentinel debug info-period
sentinel debug info-period 0
sentinel debug info-period x
sentinel debug info-period 5000 ask-period
sentinel debug info-period 10000 ask-period 1000
sentinel debug
sentinel ckquorum foo
sentinel ckquorum mymaster
sentinel info-cache
sentinel info-cache foo
sentinel info-cache a b
sentinel myid x
sentinel help x
sentinel pending-scripts
sentinel pending-scripts x
sentinel flushconfig
sentinel flushconfig x
sentinel replicas foo
sentinel slaves foo
sentinel sentinels foo
sentinel sentinels mymaster
sentinel masters x
get a
set a b
no-such-command with many arguments of which some are quite long indeed, so long that not all of them are said back to who has sent them, but only the first few
publish foo bar
publish __sentinel__:hello foo
ping
ping hi
ping a b
echo hi
select 0
role
role x
auth
auth foo
auth foo bar
auth a b c
client
client foo
client setname x
client getname
client setname a\\tb
client reply foo
client no-evict on
client no-evict foo
client kill
client kill id x
client kill id 99999
client kill 1.2.3.4:5
client kill foo bar
client list type foo
client list foo
client setinfo lib-name x
command count
hello 4
hello x
hello 3 foo
hello 2 auth default
shutdown foo
reset
monitor
subscribe
publish a
unsubscribe
punsubscribe
subscribe a
unsubscribe
psubscribe a*
get a
ping
ping hi
punsubscribe
info foo
`.trim().split("\n");

/** What is known to differ, with the reason. */
const DIFFERENT: ReadonlyMap<string, string> = new Map([
  ["client list type foo", "we filter by what there is"],
]);

Deno.test({ name: "replies are those of redis-sentinel", ignore: !hasRedis() }, async () => {
  await using group = new RealGroup(1);
  await group.start();
  const [master] = group.nodes;
  await using stock = stockSentinel(master.port, 1);
  await stock.start();
  await using control = new RunningControl(master.port);
  await control.plane.start();
  await eventually("we know the master", () => control.plane.routing().writable);
  for (const resp of [2, 3] as const) {
    using theirs = await connect({ port: stock.port, resp });
    using ours = await connect({ port: control.plane.sentinelPort ?? 0, resp });
    const differences: string[] = [];
    for (const line of COMMANDS) {
      if (DIFFERENT.has(line)) continue;
      const [name, ...args] = line.split(" ").map((word) => word.replace("\\t", "\t"));
      const [expected, actual] = await Promise.all([
        theirs.send(name, ...args),
        ours.send(name, ...args),
      ]);
      const [one, other] = [show(expected), show(actual)];
      if (one !== other) differences.push(`${line}\n  theirs ${one}\n  ours   ${other}`);
    }
    assertEquals(differences.join("\n"), "");
  }
});

Deno.test({
  name: "the fields of masters, replicas and sentinels are those of redis-sentinel, in its order",
  ignore: !hasRedis(),
}, async () => {
  await using group = new RealGroup(2);
  await group.start();
  const [master] = group.nodes;
  await using stock = stockSentinel(master.port, 1);
  await stock.start();
  await using control = new RunningControl(master.port, { group: { downAfterMs: 2000 } });
  await control.plane.start();
  using theirs = await connect({ port: stock.port });
  using ours = await connect({ port: control.plane.sentinelPort ?? 0 });
  await eventually("they know each other", async () => {
    const replies = await Promise.all(
      [theirs, ours].map((one) => one.send("SENTINEL", "SENTINELS", "mymaster")),
    );
    return replies.every((reply) => reply.kind === "array" && reply.items.length === 1);
  });
  for (const what of ["MASTERS", "MASTER", "REPLICAS", "SENTINELS"]) {
    const args = what === "MASTERS" ? [what] : [what, "mymaster"];
    const [one, other] = await Promise.all(
      [theirs, ours].map((client) => client.send("SENTINEL", ...args)),
    );
    assertEquals(namesOf(other), namesOf(one), what);
  }
  const lists = await Promise.all([theirs, ours].map((client) => client.send("COMMAND", "LIST")));
  const [one, other] = lists.map((reply) =>
    reply.kind === "array" ? reply.items.map(show).sort() : []
  );
  assertEquals(other, one);
});

/** The names of the fields of a reply, or of the first of several. */
function namesOf(reply: Reply): string[] {
  if (reply.kind !== "array") return [];
  const [first] = reply.items;
  if (first?.kind === "array") return namesOf(first);
  return reply.items.filter((_, index) => index % 2 === 0).map(show);
}

/** A reply with its types, as text. */
function show(reply: Reply): string {
  switch (reply.kind) {
    case "array":
    case "set":
    case "map":
    case "push":
      return `${reply.kind}(${reply.items.map(show).join(" ")})`;
    case "null":
      return `null ${reply.form}`;
    case "attributed":
      return show(reply.value);
    case "boolean":
      return String(reply.value);
    case "double":
    case "bignumber":
    case "integer":
      return `:${reply.value}`;
    case "verbatim":
      return `${reply.format}:${reply.text()}`;
    default:
      return `${reply.kind} ${reply.text()}`;
  }
}
