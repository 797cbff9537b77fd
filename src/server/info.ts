/**
 * The text that INFO replies: which sections, in which order, and how they look.
 *
 * Sections and fields are Redis' own, in Redis' order, since tools match on them; a field is there if something stands
 * behind it, be it a part of Redis that this server doesn't have and whose counters are truly zero.
 *
 * @module
 */
import { commandFields, errorFields, keyspaceFields, latencyFields } from "./info_counts.ts";
import { clientFields, statsFields } from "./info_stats.ts";
import { memoryFields, processorFields, serverFields } from "./info_machine.ts";
import { persistenceFields } from "./info_persistence.ts";
import { replicationFields } from "./info_replication.ts";
import type { Server } from "./server.ts";

/** Names and values of a section. */
export type InfoFields = readonly (readonly [name: string, value: string | number])[];

interface Section {
  /** Its name at its head; in small letters clients ask for it. */
  readonly title: string;
  /** Whether it is shown to those who don't ask for sections. */
  readonly usual: boolean;
  /** What is in it. */
  readonly fields: (server: Server) => InfoFields;
}

const SECTIONS: readonly Section[] = [
  { title: "Server", usual: true, fields: serverFields },
  { title: "Clients", usual: true, fields: clientFields },
  { title: "Memory", usual: true, fields: memoryFields },
  { title: "Persistence", usual: true, fields: persistenceFields },
  { title: "Stats", usual: true, fields: statsFields },
  { title: "Replication", usual: true, fields: replicationFields },
  { title: "CPU", usual: true, fields: processorFields },
  { title: "Modules", usual: true, fields: () => [] },
  { title: "Commandstats", usual: false, fields: commandFields },
  { title: "Errorstats", usual: true, fields: errorFields },
  { title: "Latencystats", usual: false, fields: latencyFields },
  { title: "Cluster", usual: true, fields: () => [["cluster_enabled", 0]] },
  { title: "Keyspace", usual: true, fields: keyspaceFields },
];

/** The sections of INFO that `names` ask for (none: the usual ones), as text. */
export function infoText(server: Server, names: readonly string[]): string {
  const asked = new Set(names.map((name) => name.toLowerCase()));
  const all = asked.has("all") || asked.has("everything");
  const usual = asked.size === 0 || asked.has("default");
  const parts: string[] = [];
  for (const section of SECTIONS) {
    const wanted = all || (usual && section.usual) || asked.has(section.title.toLowerCase());
    if (!wanted) continue;
    const lines = section.fields(server).map(([field, value]) => `${field}:${value}\r\n`);
    parts.push(`# ${section.title}\r\n${lines.join("")}`);
  }
  return parts.join("\r\n");
}
