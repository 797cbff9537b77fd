/**
 * Section Replication of INFO.
 *
 * @module
 */
import type { InfoFields } from "./info.ts";
import type { MasterLink } from "./master_link.ts";
import type { Replica } from "./replicas.ts";
import type { Server } from "./server.ts";

const NEVER = -1;

/** Section Replication. */
export function replicationFields(server: Server): InfoFields {
  const { journal, replication, replication: { failover, history, link, replicas }, settings } =
    server;
  journal.endTurn();
  const now = server.clock.now();
  const needed = settings.number("min-replicas-to-write");
  const lagSeconds = settings.number("min-replicas-max-lag");
  const { stream } = replication;
  return [
    ["role", link === null ? "master" : "slave"],
    ...link === null ? [] : linkFields(server, link, now),
    ["connected_slaves", replicas.all.size],
    ...needed > 0 && lagSeconds > 0
      ? [["min_slaves_good_slaves", replicas.goodCount] as const]
      : [],
    ...[...replicas.all].map((replica, index) => replicaField(replica, index, now)),
    ["master_failover_state", failover.state],
    ["master_replid", history.id],
    ["master_replid2", history.secondId],
    ["master_repl_offset", history.offset],
    ["second_repl_offset", history.secondEnd < 0 ? NEVER : history.secondEnd + 1],
    ["repl_backlog_active", stream === null ? 0 : 1],
    ["repl_backlog_size", settings.number("repl-backlog-size")],
    ["repl_backlog_first_byte_offset", stream === null ? 0 : stream.start + 1],
    ["repl_backlog_histlen", stream === null ? 0 : stream.length],
  ];
}

/** What a replica says of its link. */
function linkFields(server: Server, link: MasterLink, now: number): InfoFields {
  const { replication: { history }, settings } = server;
  const { transfer } = link;
  const heardMs = link.session === null ? link.heardMs : link.session.lastInteraction;
  return [
    ["master_host", link.host],
    ["master_port", link.port],
    ["master_link_status", link.isUp ? "up" : "down"],
    ["master_last_io_seconds_ago", link.isUp ? Math.floor((now - heardMs) / 1000) : NEVER],
    ["master_sync_in_progress", link.state === "sync" ? 1 : 0],
    ["slave_read_repl_offset", link.readOffset],
    ["slave_repl_offset", history.offset],
    ...transfer === null ? [] : [
      ["master_sync_total_bytes", transfer.totalBytes],
      ["master_sync_read_bytes", transfer.receivedBytes],
      [
        "master_sync_left_bytes",
        transfer.totalBytes < 0 ? NEVER : transfer.totalBytes - transfer.receivedBytes,
      ],
      [
        "master_sync_perc",
        (transfer.totalBytes <= 0 ? 0 : transfer.receivedBytes * 100 / transfer.totalBytes).toFixed(
          2,
        ),
      ],
      ["master_sync_last_io_seconds_ago", Math.floor((now - transfer.receivedMs) / 1000)],
    ] as const,
    ...link.isUp ? [] : [
      ["master_link_down_since_seconds", Math.floor((now - link.downSinceMs) / 1000)],
    ] as const,
    ["slave_priority", settings.number("replica-priority")],
    ["slave_read_only", settings.isOn("replica-read-only") ? 1 : 0],
    ["replica_announced", settings.isOn("replica-announced") ? 1 : 0],
  ];
}

/** The line of one replica. */
function replicaField(replica: Replica, index: number, now: number): InfoFields[number] {
  const { acknowledged, host, port, shownState } = replica;
  const lag = replica.silentSeconds(now);
  return [
    `slave${index}`,
    `ip=${host},port=${port},state=${shownState},offset=${Math.max(0, acknowledged)},lag=${lag}`,
  ];
}
