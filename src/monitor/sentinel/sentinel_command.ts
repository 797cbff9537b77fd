/**
 * SENTINEL and its subcommands: what administrators, clients and other sentinels ask.
 *
 * @module
 */
import type { ControlContext } from "../control/context.ts";
import { isAddress } from "../control/context.ts";
import { vote } from "../control/election.ts";
import type { Node } from "../control/endpoint.ts";
import type { Group } from "../control/group.ts";
import { isPort } from "../control/hello.ts";
import { grantLease } from "../control/lease.ts";
import { createGroup, removeGroup, resetGroup } from "../control/membership.ts";
import { parseInteger, type SentinelCall } from "./call.ts";
import { globMatcher } from "./glob.ts";
import { SENTINEL_HELP } from "./help.ts";
import { type Fields, masterFields, peerFields, replicaFields } from "./instances.ts";
import { config, debug, set } from "./settings_commands.ts";

/** A subcommand: how many words it has, with `SENTINEL` (negative: at least so many), and what it does. */
interface Subcommand {
  readonly arity: number;
  /** Where a host's name stands that has to be understood first. */
  readonly host?: number;
  run(call: SentinelCall, context: ControlContext): void;
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  "ckquorum": { arity: 3, run: checkQuorum },
  "config": { arity: -3, run: config },
  "debug": { arity: -2, run: debug },
  "failover": { arity: 3, run: failover },
  "flushconfig": { arity: 2, run: flushConfig },
  "get-master-addr-by-name": { arity: 3, run: getMasterAddress },
  "help": { arity: 2, run: help },
  "info-cache": { arity: -3, run: infoCache },
  "is-master-down-by-addr": { arity: 6, host: 2, run: isMasterDown },
  "lease": { arity: 10, host: 3, run: lease },
  "master": { arity: 3, run: master },
  "masters": { arity: 2, run: masters },
  "monitor": { arity: 6, host: 3, run: monitor },
  "myid": { arity: 2, run: myId },
  "pending-scripts": { arity: 2, run: ({ writer }) => writer.array(0) },
  "remove": { arity: 3, run: remove },
  "replicas": { arity: 3, run: replicas },
  "reset": { arity: 3, run: reset },
  "sentinels": { arity: 3, run: sentinels },
  "set": { arity: -5, run: set },
  "simulate-failure": { arity: -3, run: simulateFailure },
  "slaves": { arity: 3, run: replicas },
};

const NOT_AN_INTEGER = "value is not an integer or out of range";

/** Answers SENTINEL; a promise if a name has to be looked up first. */
export function sentinel(call: SentinelCall): void | Promise<void> {
  const { words, host } = call;
  if (words.length < 2) return call.error("wrong number of arguments for 'sentinel' command");
  const name = words[1].toLowerCase();
  const subcommand = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined;
  if (subcommand === undefined) {
    return call.error(`unknown subcommand '${words[1].slice(0, 128)}'. Try SENTINEL HELP.`);
  }
  const { arity } = subcommand;
  if (arity > 0 ? words.length !== arity : words.length < -arity) {
    return call.error(`wrong number of arguments for 'sentinel|${name}' command`);
  }
  const run = () => host.call((context) => subcommand.run(call, context));
  const named = subcommand.host === undefined ? "" : words[subcommand.host];
  if (named === "" || isAddress(named) || !host.machine.context.settings.resolveHostnames) {
    return run();
  }
  return host.resolve(named).then(run);
}

function masters(call: SentinelCall, context: ControlContext): void {
  call.writer.array(context.groups.size);
  for (const group of context.groups.values()) call.table(masterFields(context, group));
}

function master(call: SentinelCall, context: ControlContext): void {
  const group = call.group(context, call.words[2]);
  if (group !== undefined) call.table(masterFields(context, group));
}

/** Replicas that don't want to be known are left out. */
function replicas(call: SentinelCall, context: ControlContext): void {
  const group = call.group(context, call.words[2]);
  if (group === undefined) return;
  const shown = [...group.replicas.values()].filter((node) => node.announced);
  tables(call, shown.map((node) => replicaFields(context, group, node)));
}

function sentinels(call: SentinelCall, context: ControlContext): void {
  const group = call.group(context, call.words[2]);
  if (group === undefined) return;
  tables(call, [...group.peers.values()].map((peer) => peerFields(context, group, peer)));
}

function tables(call: SentinelCall, all: readonly Fields[]): void {
  call.writer.array(all.length);
  for (const fields of all) call.table(fields);
}

function getMasterAddress(call: SentinelCall, context: ControlContext): void {
  const group = context.groups.get(call.words[2]);
  if (group === undefined) return call.writer.nullArray();
  const node = group.currentMaster;
  call.list([context.announced(node), String(node.port)]);
}

function isMasterDown(call: SentinelCall, context: ControlContext): void {
  const [, , host, portText, epochText, runId] = call.words;
  const port = parseInteger(portText);
  const epoch = parseInteger(epochText);
  if (port === undefined || epoch === undefined) return call.error(NOT_AN_INTEGER);
  const ip = context.resolve(host);
  const group = [...context.groups.values()].find(({ master }) =>
    master.ip === ip && master.port === port
  );
  const down = group !== undefined && group.master.downSince !== null && context.tiltSince === null;
  const given = group === undefined || runId === "*"
    ? { leader: null, epoch: 0 }
    : vote(context, group, epoch, runId);
  call.writer.array(3);
  call.writer.integer(down ? 1 : 0);
  call.writer.bulk(given.leader ?? "*");
  call.writer.integer(given.leader === null ? 0 : given.epoch);
}

/** Our own: see lease.ts of the control machine. */
function lease(call: SentinelCall, context: ControlContext): void {
  const [, , name, host, port, configEpoch, endedEpoch, runId, leaseMs, surrendered] = call.words;
  const group = call.group(context, name);
  if (group === undefined) return;
  const numbers = [port, configEpoch, endedEpoch, leaseMs].map(parseInteger);
  if (numbers.some((number) => number === undefined)) return call.error(NOT_AN_INTEGER);
  const [portNumber, config, ended, ms] = numbers as number[];
  const granted = grantLease(context, group, {
    runId,
    host,
    port: portNumber,
    configEpoch: config,
    endedEpoch: ended,
    leaseMs: ms,
    surrendered: surrendered.split(","),
  });
  call.writer.array(2);
  call.writer.integer(granted ? 1 : 0);
  call.writer.integer(group.configEpoch);
}

function reset(call: SentinelCall, context: ControlContext): void {
  const matches = globMatcher(call.words[2], true);
  const groups = [...context.groups.values()].filter((group) => matches(group.name));
  for (const group of groups) resetGroup(context, group);
  if (groups.length > 0) context.save();
  call.writer.integer(groups.length);
}

function failover(call: SentinelCall): void {
  const error = call.host.failover(call.words[2]);
  if (error === undefined) call.ok();
  else call.writer.error(error);
}

function checkQuorum(call: SentinelCall, context: ControlContext): void {
  const group = call.group(context, call.words[2]);
  if (group === undefined) return;
  const usable = 1 + [...group.peers.values()].filter((peer) => peer.downSince === null).length;
  const majority = Math.floor((group.peers.size + 1) / 2) + 1;
  const lacks: string[] = [];
  if (usable < group.settings.quorum) {
    lacks.push("Not enough available Sentinels to reach the specified quorum for this master");
  }
  if (usable < majority) {
    lacks.push("Not enough available Sentinels to reach the majority and authorize a failover");
  }
  if (lacks.length > 0) {
    return call.writer.error(`NOQUORUM ${usable} usable Sentinels. ${lacks.join(". ")}`);
  }
  call.writer.simple(
    `OK ${usable} usable Sentinels. Quorum and failover authorization can be reached`,
  );
}

function monitor(call: SentinelCall, context: ControlContext): void {
  const [, , name, host, portText, quorumText] = call.words;
  const quorum = parseInteger(quorumText);
  const port = parseInteger(portText);
  if (quorum === undefined) return call.error("Invalid quorum");
  if (port === undefined) return call.error("Invalid port");
  if (quorum <= 0) return call.error("Quorum must be 1 or greater.");
  const known = isAddress(host) || context.settings.resolveHostnames;
  if (!known || context.resolve(host) === null) {
    return call.error("Invalid IP address or hostname specified");
  }
  if (!isPort(port)) return call.error("Invalid port number.");
  if (context.groups.has(name) || context.discoveries.has(name)) {
    return call.error("Duplicate master name.");
  }
  const group = createGroup(context, {
    name,
    master: { host, port },
    nodes: [],
    quorum,
    downAfterMs: context.periods.defaultDownAfter,
    failoverTimeoutMs: context.periods.defaultFailoverTimeout,
    parallelSyncs: 1,
    masterRebootDownAfterMs: 0,
    authUser: "",
    authPass: "",
    renamedCommands: new Map(),
  }, { host, port });
  call.host.machine.announce(group);
  saved(call, context);
}

function remove(call: SentinelCall, context: ControlContext): void {
  const group = call.group(context, call.words[2]);
  if (group === undefined) return;
  context.event("warning", "-monitor", group.master);
  removeGroup(context, group);
  saved(call, context);
}

function flushConfig(call: SentinelCall, context: ControlContext): void {
  saved(call, context);
}

/** Saves the state, and says whether that went well. */
export function saved(call: SentinelCall, context: ControlContext): void {
  if (context.save()) call.ok();
  else call.error("Failed to save config file. Check server logs.");
}

function myId(call: SentinelCall, context: ControlContext): void {
  call.writer.bulk(context.myId);
}

function infoCache(call: SentinelCall, context: ControlContext): void {
  const names = call.words.slice(2);
  const groups = names.map((name) => context.groups.get(name)).filter((group) =>
    group !== undefined
  ) as Group[];
  call.writer.array(groups.length * 2);
  for (const group of groups) {
    call.writer.bulk(group.name);
    const nodes = [...group.nodes()];
    call.writer.array(nodes.length);
    for (const node of nodes) cachedInfo(call, context, node);
  }
}

function cachedInfo({ writer }: SentinelCall, context: ControlContext, node: Node): void {
  writer.array(2);
  writer.integer(node.infoAt === null ? 0 : Math.round(context.now - node.infoAt));
  if (node.infoAt === null) writer.nullBulk();
  else writer.bulk(node.infoText);
}

function simulateFailure(call: SentinelCall, { failures }: ControlContext): void {
  failures.crashAfterElection = failures.crashAfterPromotion = false;
  for (const word of call.words.slice(2)) {
    switch (word.toLowerCase()) {
      case "crash-after-election":
        failures.crashAfterElection = true;
        break;
      case "crash-after-promotion":
        failures.crashAfterPromotion = true;
        break;
      case "help":
        return call.list(["crash-after-election", "crash-after-promotion"]);
      default:
        return call.error("Unknown failure simulation specified");
    }
  }
  call.ok();
}

function help(call: SentinelCall): void {
  call.writer.array(SENTINEL_HELP.length);
  for (const line of SENTINEL_HELP) call.writer.simple(line);
}
