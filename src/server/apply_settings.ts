/**
 * What settings do: they are taken into the fields that hot paths read.
 *
 * @module
 */
import type { EvictionPolicy } from "../keyspace/eviction.ts";
import { parseNotifyFlags } from "../keyspace/notifications.ts";
import type { LogLevel } from "../runtime/logging.ts";
import type { Server } from "./server.ts";

/** Has the settings of a server take effect. */
export function applySettings(server: Server): void {
  const { clients, dispatcher, persistence, settings } = server;
  dispatcher.setMaximumBulk(settings.number("proto-max-bulk-len"));
  dispatcher.setSparseLimit(settings.number("hll-sparse-max-bytes"));
  applyCollectionSettings(server);
  server.queryBufferLimit = settings.number("client-query-buffer-limit");
  server.password = settings.text("requirepass");
  applyObservationSettings(server);
  server.logger.level = settings.text("loglevel") as LogLevel;
  server.dumpState.writer.compress = settings.isOn("rdbcompression");
  const flags = parseNotifyFlags(settings.text("notify-keyspace-events")) ?? 0;
  clients.subscriptions.notifyFlags = flags;
  server.muteEvents(persistence.isLoading);
  applyMemorySettings(server);
  clients.limits.configure();
  persistence.applySettings();
  server.replication.applySettings();
}

/** Takes the settings of collections: their forms, and how they are freed. */
function applyCollectionSettings({ dispatcher, keyspace, settings }: Server): void {
  dispatcher.setCollectionLimits({
    hashMaxEntries: settings.number("hash-max-listpack-entries"),
    hashMaxValueBytes: settings.number("hash-max-listpack-value"),
    setMaxIntegers: settings.number("set-max-intset-entries"),
    zsetMaxEntries: settings.number("zset-max-listpack-entries"),
    zsetMaxValueBytes: settings.number("zset-max-listpack-value"),
    listMaxSize: settings.number("list-max-listpack-size"),
    listCompressDepth: settings.number("list-compress-depth"),
    streamNodeBytes: settings.number("stream-node-max-bytes"),
    streamNodeEntries: settings.number("stream-node-max-entries"),
  });
  Object.assign(keyspace.lazyFreeing, {
    userDelete: settings.isOn("lazyfree-lazy-user-del"),
    serverDelete: settings.isOn("lazyfree-lazy-server-del"),
    expire: settings.isOn("lazyfree-lazy-expire"),
    evict: settings.isOn("lazyfree-lazy-eviction"),
  });
}

/** Takes the settings of eviction and expiry. */
function applyMemorySettings(server: Server): void {
  const { eviction, keyspace, keyspace: { frequency }, settings } = server;
  const before = eviction.limit;
  eviction.configure({
    limit: server.replication.ignoresMemoryLimit ? 0 : settings.number("maxmemory"),
    policy: settings.text("maxmemory-policy") as EvictionPolicy,
    samples: settings.number("maxmemory-samples"),
    tenacity: settings.number("maxmemory-eviction-tenacity"),
  });
  const byUse = settings.number("maxmemory") > 0 &&
    /-l[rf]u$/.test(settings.text("maxmemory-policy"));
  keyspace.sharesIntegers = !byUse;
  frequency.logFactor = settings.number("lfu-log-factor");
  frequency.decayMinutes = settings.number("lfu-decay-time");
  server.expiry.effort = settings.number("active-expire-effort");
  server.reclaimer.configure(settings);
  // At the start, `logInitialized` has another word on small limits.
  if (!server.isStarted || eviction.limit === 0 || eviction.limit === before) return;
  const used = server.usedMemory;
  if (used <= eviction.limit) return;
  server.logger.log(
    "warning",
    `WARNING: the new maxmemory value set via CONFIG SET (${eviction.limit}) is smaller than ` +
      `the current memory usage (${used}). This will result in key eviction and/or the ` +
      "inability to accept new write commands depending on the maxmemory-policy.",
  );
  eviction.evictLater();
}

/** Takes over the settings of the slow log and of the latency monitor. */
function applyObservationSettings({ dispatcher, latency, settings, slowLog }: Server): void {
  latency.threshold = settings.number("latency-monitor-threshold");
  for (const timer of [dispatcher.timer, dispatcher.runner.timer]) {
    timer.setThresholds(settings.number("slowlog-log-slower-than"), latency.threshold);
    timer.histograms = settings.isOn("latency-tracking");
  }
  slowLog.setLimit(settings.number("slowlog-max-len"));
}
