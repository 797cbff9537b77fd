/**
 * Keys of a replica to which its own clients have given an expiry.
 *
 * A replica leaves it to its master to say that a key has had its time. Where clients may write to the replica itself
 * (`replica-read-only no`), the master knows nothing of their keys, and nobody would ever say so. So these are remembered, by name,
 * and looked at in turns, some ten times a second. A key of the master that a client changes counts as the client's.
 *
 * @module
 */
import { expiryOf, hasExpiry } from "../keyspace/entry_facts.ts";
import { type Database, removeExpired } from "../keyspace/keyspace.ts";
import { copyKey } from "../memory/entry.ts";
import { dictFind } from "../memory/dict.ts";
import { hashBytes } from "../memory/hash.ts";
import type { Server } from "./server.ts";

/** Most keys that are looked at in a turn. */
const TURN_KEYS = 1000;

/** A key that is remembered. */
interface OwnKey {
  /** The number of its database. */
  readonly database: number;
  readonly bytes: Uint8Array;
}

/** The expiring keys of the clients of one replica; see the head of this file. */
export class OwnExpiries {
  /** Those that haven't been looked at for longest come first. */
  private readonly keys = new Map<string, OwnKey>();
  private readonly remember = (database: Database, entry: number): void => {
    const { keyspace } = this.server;
    if (keyspace.isTold || this.server.persistence.loading !== null) return;
    const bytes = copyKey(keyspace.arena, entry);
    const { number } = database;
    this.keys.set(nameOf(number, bytes), { database: number, bytes });
  };

  /** For `server`. */
  constructor(private readonly server: Server) {}

  /** How many keys are remembered. */
  get count(): number {
    return this.keys.size;
  }

  /** Remembers keys from now on, or doesn't. */
  watch(watches: boolean): void {
    this.server.keyspace.onExpiry = watches ? this.remember : null;
  }

  /** Forgets all keys: the data is another one, or it is no replica's any more. */
  forget(): void {
    this.keys.clear();
  }

  /** Ten times a second: removes keys whose time has come. */
  tick(): void {
    const { keyspace } = this.server;
    if (this.keys.size === 0) return;
    let left = Math.min(TURN_KEYS, this.keys.size);
    for (const [name, key] of this.keys) {
      if (left-- === 0) break;
      this.keys.delete(name);
      if (this.isDone(key)) continue;
      this.keys.set(name, key);
    }
    keyspace.keepExpired = this.server.replication.isReplica;
    this.server.afterExpiry(0);
  }

  /** Removes a key if its time has come; whether there is nothing more to be done about it. */
  private isDone({ bytes, database: number }: OwnKey): boolean {
    const { keyspace, keyspace: { arena, seed0, seed1 } } = this.server;
    const database = keyspace.databases[number];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const hash = hashBytes(view, 0, bytes.length, seed0, seed1);
    const entry = dictFind(arena, database.dict, hash, view, 0, bytes.length);
    if (entry === 0 || !hasExpiry(keyspace, entry)) return true;
    if (expiryOf(keyspace, entry) >= keyspace.now) return false;
    keyspace.keepExpired = false;
    removeExpired(database, hash, entry);
    return true;
  }
}

/** What tells a key from all others. */
function nameOf(database: number, bytes: Uint8Array): string {
  let name = `${database}:`;
  for (const byte of bytes) name += String.fromCharCode(byte);
  return name;
}
