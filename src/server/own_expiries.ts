/**
 * Keys to which clients of a writable replica have given a time to live.
 *
 * A replica removes no key because its time has come: its master says so. But of what clients write to the replica alone, the master
 * knows nothing, and would leave it there for ever. So the replica remembers the names of these keys and removes them itself.
 *
 * **Cost.** Nothing where clients can't write, as on nearly all replicas. Else a look at the keys of each command that writes, and a
 * name in a map for each that has an expiry then. Ten times a second some of the names are looked at, in turns.
 *
 * @module
 */
import { type CommandSpec, extractKeys } from "../commands/specs/mod.ts";
import { hasExpiry } from "../keyspace/entry_facts.ts";
import { findEntry, type Keyspace } from "../keyspace/keyspace.ts";
import type { ServerContext } from "./server_context.ts";
import { keyText } from "./tracking.ts";

/** So many names are looked at ten times a second. */
const NAMES_PER_TICK = 1000;

/** A name, and the number of its database. */
interface Name {
  readonly database: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The keys of one server that only it can expire; see the head of this file. */
export class OwnExpiries {
  private readonly names = new Map<string, Name>();

  /** Keys of `keyspace`. */
  constructor(private readonly keyspace: Keyspace) {}

  /** How many names are remembered. */
  get count(): number {
    return this.names.size;
  }

  /** A client has run a command that writes, which is in the context: remembers those of its keys that have an expiry now. */
  note(context: ServerContext, spec: CommandSpec): void {
    const { number } = context.database;
    for (const { position } of extractKeys(spec, context.argc, (index) => context.text(index))) {
      const bytes = context.argument(position).slice();
      const name = { database: number, bytes };
      if (this.isVolatile(name)) this.names.set(`${number} ${keyText(bytes)}`, name);
    }
  }

  /** Removes what has expired among the names whose turn it is, and forgets those that have no expiry any more. */
  expireSome(): void {
    const { keyspace, names } = this;
    const { keepExpired } = keyspace;
    keyspace.keepExpired = false;
    let left = Math.min(NAMES_PER_TICK, names.size);
    for (const [text, name] of names) {
      if (left-- === 0) break;
      names.delete(text);
      // Behind all others: their turn comes first then.
      if (this.isVolatile(name)) names.set(text, name);
    }
    keyspace.keepExpired = keepExpired;
  }

  /** All keys are gone, or the master's. */
  forgetAll(): void {
    this.names.clear();
  }

  /** Whether there is a key of this name that has an expiry; one whose time has come goes, if it may. */
  private isVolatile({ bytes, database }: Name): boolean {
    const { keyspace } = this;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const entry = findEntry(keyspace.databases[database], view, 0, bytes.length);
    return entry !== 0 && hasExpiry(keyspace, entry);
  }
}
