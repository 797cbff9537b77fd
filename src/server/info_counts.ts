/**
 * Sections of INFO with a line for each command, error or database that counts.
 *
 * @module
 */
import type { InfoFields } from "./info.ts";
import type { Server } from "./server.ts";

/** Section Commandstats. */
export function commandFields(server: Server): InfoFields {
  const fields: [string, string][] = [];
  for (const { name, statistics } of server.table.byName.values()) {
    const { calls, rejected, failed, microseconds } = statistics;
    if (calls === 0 && rejected === 0 && failed === 0) continue;
    const each = calls === 0 ? 0 : microseconds / calls;
    fields.push([
      `cmdstat_${name}`,
      `calls=${calls},usec=${Math.floor(microseconds)},usec_per_call=${each.toFixed(2)},` +
      `rejected_calls=${rejected},failed_calls=${failed}`,
    ]);
  }
  return fields;
}

/** Section Errorstats. */
export function errorFields(server: Server): InfoFields {
  return [...server.counters.errorsByCode].sort(([left], [right]) => left < right ? -1 : 1)
    .map(([code, count]) => [`errorstat_${code}`, `count=${count}`]);
}

/** Section Latencystats. */
export function latencyFields(server: Server): InfoFields {
  const setting = server.settings.text("latency-tracking-info-percentiles");
  const percentiles = setting.split(" ").filter((word) => word !== "").map(Number);
  const fields: [string, string][] = [];
  for (const { name, statistics: { histogram } } of server.table.byName.values()) {
    if (histogram === null) continue;
    const values = percentiles.map((percentile) =>
      `p${percentile}=${(histogram.percentile(percentile) / 1000).toFixed(3)}`
    );
    fields.push([`latency_percentiles_usec_${name}`, values.join(",")]);
  }
  return fields;
}

/** Section Keyspace. */
export function keyspaceFields(server: Server): InfoFields {
  return server.keyspace.databases.filter((database) => database.size > 0).map((database) => [
    `db${database.number}`,
    `keys=${database.size},expires=${database.volatile.length},` +
    `avg_ttl=${Math.floor(database.averageTtlMs)}`,
  ]);
}
