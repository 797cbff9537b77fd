/**
 * What takes how much memory: the numbers behind MEMORY STATS and MEMORY DOCTOR.
 *
 * The names are Redis'. What Redis asks its allocator for is told of the arena here: allocated is what is in blocks, active is
 * what has ever been written to, resident the same, since the system keeps no more of a segment than that. What the
 * process has beyond the arena is mostly the runtime, some 50 MB that are there from the start.
 *
 * @module
 */
import { dictBytes } from "../memory/dict_statistics.ts";
import { residentMemory } from "../runtime/machine.ts";
import type { Server } from "./server.ts";

/** The overhead of one database. */
export interface DatabaseOverhead {
  /** Its number. */
  readonly number: number;
  /** Bytes of the table of keys, the fixed parts of entries included. */
  readonly main: number;
  /** Bytes of what keys with an expiry take for it. */
  readonly expires: number;
}

/** Memory of one server, in bytes where nothing else is said. */
export interface MemoryReport {
  /** Most that was ever in use. */
  readonly peak: number;
  /** In use. */
  readonly total: number;
  /** In use when the server had started. */
  readonly startup: number;
  /** Buffers of clients. */
  readonly clients: number;
  /** Those of replicas, with what of the replication stream is kept for them alone. */
  readonly replicas: number;
  /** The replication stream's last bytes. */
  readonly backlog: number;
  /** The databases that have keys. */
  readonly databases: readonly DatabaseOverhead[];
  /** Everything but keys and values. */
  readonly overhead: number;
  /** How many keys there are. */
  readonly keys: number;
  /** Keys and values. */
  readonly dataset: number;
  /** In blocks of the arena. */
  readonly allocated: number;
  /** In segments of the arena, as far as they were ever in use. */
  readonly active: number;
  /** Of the process, as the system counts. */
  readonly resident: number;
  /** The same when the server had started. */
  readonly startupResident: number;
}

/** Block header, hash and length of the key, and the value's word: what any entry takes. */
const ENTRY_OVERHEAD_BYTES = 16;
/** Time, place in the index, and that place. */
const EXPIRY_OVERHEAD_BYTES = 12;

/** Watches how much memory is in use. */
export class MemoryMeter {
  /** Most that was ever seen in use. */
  peak = 0;
  /** In use when the server had started. */
  startup = 0;
  /** Of the process then. */
  startupResident = 0;
  /** Of {@linkcode startup}, in buffers that belong to all clients together. */
  startupBuffers = 0;

  /** The server has started, with so much in use, and so much of it in buffers of all clients. */
  start(used: number, buffers: number): void {
    this.startup = used;
    this.startupBuffers = buffers;
    this.peak = used;
    this.startupResident = residentMemory();
  }

  /** So much is in use now. */
  note(used: number): void {
    if (used > this.peak) this.peak = used;
  }
}

/** What takes how much memory now. */
export function memoryReport(server: Server): MemoryReport {
  const { keyspace, memoryMeter, clients, replication } = server;
  const { arena } = keyspace;
  const total = server.usedMemory;
  memoryMeter.note(total);
  const databases = keyspace.databases.filter(({ size }) => size > 0).map((database) => ({
    number: database.number,
    main: dictBytes(arena, database.dict) + database.size * ENTRY_OVERHEAD_BYTES,
    expires: database.volatile.bytes + database.volatile.length * EXPIRY_OVERHEAD_BYTES,
  }));
  const { backlogBytes: backlog, streamBytes } = replication;
  const { normal, replicas: replicaSessions } = clients.limits.memory();
  const replicas = replicaSessions + streamBytes - backlog;
  const overhead = Math.min(
    total,
    databases.reduce((sum, { main, expires }) => sum + main + expires, 0) +
      memoryMeter.startup + normal + replicas + backlog + server.bufferBytes -
      memoryMeter.startupBuffers,
  );
  return {
    peak: memoryMeter.peak,
    total,
    startup: memoryMeter.startup,
    clients: normal,
    replicas,
    backlog,
    databases,
    overhead,
    keys: keyspace.databases.reduce((sum, { size }) => sum + size, 0),
    dataset: total - overhead,
    allocated: arena.usedBytes,
    active: arena.touchedBytes,
    resident: residentMemory(),
    startupResident: memoryMeter.startupResident,
  };
}
