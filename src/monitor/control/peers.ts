/**
 * Other sentinels and monitors: how they are met, and what their hello messages change.
 *
 * @module
 */
import type { ControlContext } from "./context.ts";
import { Peer } from "./endpoint.ts";
import { abortFailover } from "./failover.ts";
import type { Group } from "./group.ts";
import { type Hello, parseHello } from "./hello.ts";
import { dropConnectionsForGood, switchMaster, usableHost } from "./membership.ts";

/** Takes in a hello message, from whatever way it came. */
export function receiveHello(context: ControlContext, text: string): void {
  const hello = parseHello(text);
  if (hello === undefined || hello.runId === context.myId) return;
  const group = context.groups.get(hello.group);
  if (group === undefined) return;
  const ip = usableHost(context, hello.host);
  if (ip === null) return;
  const peer = meetPeer(context, group, hello, ip);
  peer.lastHello = context.now;
  if (hello.currentEpoch > context.currentEpoch) {
    context.currentEpoch = hello.currentEpoch;
    context.save();
    context.event("warning", "+new-epoch", group.master, String(context.currentEpoch));
  }
  if (hello.configEpoch > group.configEpoch) adoptConfiguration(context, group, peer, hello);
  group.wakeAt = context.now;
}

/** A peer that was known before a restart. */
export function rememberPeer(
  context: ControlContext,
  group: Group,
  host: string,
  port: number,
  runId: string,
): void {
  const peer = new Peer(group.name, host, port, runId, context.now);
  peer.ip = context.resolve(host);
  group.peers.set(runId, peer);
}

function meetPeer(context: ControlContext, group: Group, hello: Hello, ip: string): Peer {
  const known = group.peers.get(hello.runId);
  if (known !== undefined && known.ip === ip && known.port === hello.port) return known;
  if (known === undefined) removeNamesakes(context, group, hello, ip);
  else {
    const more = `ip ${hello.host} port ${hello.port} for ${hello.runId}`;
    context.event("notice", "+sentinel-address-switch", group.master, more);
    dropConnectionsForGood(context, known);
  }
  const peer = new Peer(group.name, hello.host, hello.port, hello.runId, context.now);
  peer.ip = ip;
  group.peers.set(hello.runId, peer);
  if (known === undefined) context.event("notice", "+sentinel", peer);
  context.save();
  return peer;
}

/** A sentinel with the address of another one has taken its place. */
function removeNamesakes(context: ControlContext, group: Group, hello: Hello, ip: string): void {
  for (const other of group.peers.values()) {
    if (other.ip !== ip || other.port !== hello.port) continue;
    context.event("notice", "+sentinel-invalid-addr", other);
    for (const { peers } of context.groups.values()) {
      const gone = peers.get(other.runId);
      if (gone === undefined) continue;
      dropConnectionsForGood(context, gone);
      peers.delete(other.runId);
    }
  }
}

/** Somebody knows a newer configuration: whatever it is, it is ours from now on. */
function adoptConfiguration(
  context: ControlContext,
  group: Group,
  peer: Peer,
  hello: Hello,
): void {
  const ip = usableHost(context, hello.masterHost);
  if (ip === null) return;
  const old = group.master;
  const from = `${context.announced(old)} ${old.port}`;
  group.configEpoch = hello.configEpoch;
  if (old.ip !== ip || old.port !== hello.masterPort) {
    context.event("warning", "+config-update-from", peer);
    const to = `${hello.masterHost} ${hello.masterPort}`;
    context.tell("warning", "+switch-master", `${group.name} ${from} ${to}`);
    switchMaster(context, group, { host: hello.masterHost, port: hello.masterPort });
    group.adoptsHistory = true;
  } else if (group.failover !== null && group.failover.epoch <= group.configEpoch) {
    // It would end in a configuration that is older than the one that all know.
    abortFailover(context, group);
  }
  context.save();
}
