/**
 * CLIENT TRACKING: clients that keep copies of keys are told when those change.
 *
 * **By default** the server remembers, for each key, who has read it (the table). The first change tells them all and
 * forgets the key: who reads it again is told again. Keys count regardless of their database. When the table
 * holds more than `tracking-table-max-keys`, keys are told as changed although they haven't, and forgotten.
 *
 * **In broadcast mode** nothing is remembered but prefixes: each change of a key is told to all who asked for a
 * prefix of it, once a turn, one message for each prefix.
 *
 * **When.** A client must not learn of a change after it has got a newer reply than the change, and a message can't
 * stand within a reply. Others are told at once, since nothing is being written for them; the client whose turn it is
 * is told behind the reply to its command ({@linkcode KeyTracking.afterCommand}).
 *
 * A message is a push in RESP3. With a redirection it goes to another client instead; if that speaks RESP2 and
 * subscribes to anything, as a message on the channel `__redis__:invalidate`. Other clients that speak RESP2 can't take one.
 *
 * **Cost.** Without tracking clients, one comparison a command. A key in the table takes a string, a set and its
 * place in a map: some 200 bytes.
 *
 * @module
 */
import { type CommandSpec, extractKeys } from "../commands/specs/mod.ts";
import type { KeyListener } from "../keyspace/keyspace.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import type { Server } from "./server.ts";
import type { ServerContext } from "./server_context.ts";
import type { Session } from "./session.ts";

/** What CLIENT TRACKING ON asks for. */
export interface TrackingOptions {
  /** All changes of keys with certain prefixes are told, not those of keys that the client has read. */
  readonly broadcast: boolean;
  /** Only keys read right after CLIENT CACHING YES count. */
  readonly optIn: boolean;
  /** Keys read right after CLIENT CACHING NO don't count. */
  readonly optOut: boolean;
  /** The client's own changes aren't told. */
  readonly noLoop: boolean;
  /** Id of the client that is told, 0 for the client itself. */
  readonly redirect: number;
}

/** What the server knows of a client that tracks keys. */
export interface Tracking extends TrackingOptions {
  /** The prefixes of a broadcast. */
  readonly prefixes: Set<string>;
  /** Bytes of memory that these take. */
  readonly prefixBytes: number;
  /** CLIENT CACHING was called, and no other command since. */
  caching: boolean;
  /** The client that is to be told is gone. */
  redirectBroken: boolean;
}

/** Those who asked for a prefix, and the keys of this turn. */
interface Broadcast {
  readonly sessions: Set<Session>;
  /** Keys that have changed, with who changed them last. */
  readonly keys: Map<string, Session | null>;
}

/** About what a prefix takes beside its characters. */
const PREFIX_BYTES = 200;
/** At most so many keys too many are forgotten at a time. */
const FORGET_AT_ONCE = 1000;

/** Who is told of which keys. */
export class KeyTracking {
  /** How many clients track keys. */
  count = 0;
  /** Clients in all sets of the table. */
  items = 0;
  private readonly table = new Map<string, Set<number>>();
  private readonly broadcasts = new Map<string, Broadcast>();
  /** What other clients are told after the turn. */
  private readonly deferred: { session: Session; write: (reply: ReplyWriter) => void }[] = [];
  /** What the session whose turn it is will be told after its command. */
  private readonly pending: ((reply: ReplyWriter) => void)[] = [];
  /** Keys have changed that some broadcast is about. */
  private broadcastsWaiting = false;
  private readonly onChange: KeyListener = (_database, key) => this.changed(key);

  /** Follows the keys of `server`. */
  constructor(private readonly server: Server) {}

  /** Number of keys in the table. */
  get keys(): number {
    return this.table.size;
  }

  /** Number of prefixes that somebody asked for. */
  get prefixes(): number {
    return this.broadcasts.size;
  }

  /** Starts to track for a session, or changes how; the prefixes that it has stay. */
  start(session: Session, options: TrackingOptions, prefixes: readonly string[]): void {
    const all = session.tracking?.prefixes ?? new Set<string>();
    if (options.broadcast) {
      for (const prefix of prefixes.length === 0 ? [""] : prefixes) {
        all.add(prefix);
        const broadcast = this.broadcasts.get(prefix) ?? { sessions: new Set(), keys: new Map() };
        broadcast.sessions.add(session);
        this.broadcasts.set(prefix, broadcast);
      }
    }
    if (session.tracking === null && this.count++ === 0) {
      this.server.keyspace.listen(this.onChange);
    }
    let prefixBytes = 0;
    for (const prefix of all) prefixBytes += prefix.length + PREFIX_BYTES;
    session.tracking = {
      ...options,
      prefixes: all,
      prefixBytes,
      caching: false,
      redirectBroken: false,
    };
  }

  /** Tracks no longer for a session. What stands in the table is found to be stale when its key changes. */
  stop(session: Session): void {
    const { tracking } = session;
    if (tracking === null) return;
    session.tracking = null;
    for (const prefix of tracking.prefixes) {
      const broadcast = this.broadcasts.get(prefix)!;
      broadcast.sessions.delete(session);
      if (broadcast.sessions.size === 0) this.broadcasts.delete(prefix);
    }
    if (--this.count > 0) return;
    this.server.keyspace.unlisten(this.onChange);
    this.pending.length = 0;
  }

  /** Called after each command while there are tracking clients; `spec` is null if none was run. */
  afterCommand(context: ServerContext, spec: CommandSpec | null): void {
    const { tracking } = context.client;
    if (tracking !== null) {
      if (spec !== null && spec.flags.includes("readonly")) this.remember(context, spec, tracking);
      // What was said before MULTI counts for all of the transaction.
      if (context.client.transaction === null && !context.isWord(0, "CLIENT")) {
        tracking.caching = false;
      }
    }
    // Behind a command that waits there is no reply yet.
    if (this.pending.length > 0 && context.client.blocked === null) this.writePending();
  }

  /** Called after each command of a transaction while there are tracking clients. */
  afterQueued(context: ServerContext, spec: CommandSpec): void {
    const { tracking } = context.client;
    if (tracking !== null && spec.flags.includes("readonly")) {
      this.remember(context, spec, tracking);
    }
  }

  /** Called at the end of each turn while there are tracking clients. */
  afterTurn(): void {
    if (this.broadcastsWaiting) this.tellBroadcasts();
    if (this.deferred.length > 0) this.tellDeferred();
    // A command that waits is not followed by what its client is told, but nobody else may get that.
    if (this.pending.length > 0) this.writePending();
  }

  /** Tells of the keys that have changed in this turn. */
  private tellBroadcasts(): void {
    this.broadcastsWaiting = false;
    for (const { sessions, keys } of this.broadcasts.values()) {
      if (keys.size === 0) continue;
      for (const session of sessions) {
        const told = [...keys].filter(([, by]) => by !== session || !session.tracking!.noLoop)
          .map(([key]) => key);
        if (told.length > 0) this.tell(session, told);
      }
      keys.clear();
    }
  }

  /** Writes what is to be told behind a reply. */
  private writePending(): void {
    const { reply } = this.server;
    for (const write of this.pending.splice(0)) write(reply);
  }

  /** All keys of a database, or of all, are gone. */
  flushed(): void {
    if (this.count === 0) return;
    for (const session of this.server.sessions.values()) {
      if (session.tracking !== null) this.tell(session, null);
    }
    this.table.clear();
    this.items = 0;
  }

  /** Forgets keys of which there are too many. */
  limit(maximumKeys: number): void {
    if (maximumKeys === 0) return;
    let left = FORGET_AT_ONCE;
    for (const key of this.table.keys()) {
      if (this.table.size <= maximumKeys || left-- === 0) return;
      this.tellReaders(key, null);
    }
  }

  /** A key has changed, or is gone. */
  private changed(bytes: Uint8Array): void {
    const { acting } = this.server.clients;
    const key = keyText(bytes);
    for (const [prefix, { keys }] of this.broadcasts) {
      if (!key.startsWith(prefix)) continue;
      keys.set(key, acting);
      this.broadcastsWaiting = true;
    }
    this.tellReaders(key, acting);
  }

  /** Tells those who have read `key` that `by` has changed it. */
  private tellReaders(key: string, by: Session | null): void {
    const readers = this.table.get(key);
    if (readers === undefined) return;
    this.table.delete(key);
    this.items -= readers.size;
    for (const id of readers) {
      const session = this.server.sessions.get(id);
      const tracking = session?.tracking;
      // It may have gone, or tracks no longer, or in another way.
      if (session === undefined || !tracking || tracking.broadcast) continue;
      if (!tracking.noLoop || session !== by) this.tell(session, [key]);
    }
  }

  /** Remembers the keys of a command that has read them. */
  private remember(context: ServerContext, spec: CommandSpec, tracking: Tracking): void {
    if (tracking.broadcast) return;
    if (tracking.optIn && !tracking.caching) return;
    if (tracking.optOut && tracking.caching) return;
    const positions = extractKeys(spec, context.argc, (index) => context.text(index));
    for (const { position } of positions) {
      const key = keyText(context.argument(position));
      let readers = this.table.get(key);
      if (readers === undefined) {
        readers = new Set();
        this.table.set(key, readers);
      }
      if (readers.has(context.client.id)) continue;
      readers.add(context.client.id);
      this.items++;
    }
  }

  /** Tells a session, or the one that it redirects to, that keys have changed; null for all. */
  private tell(session: Session, keys: readonly string[] | null): void {
    const tracking = session.tracking!;
    let target = session;
    if (tracking.redirect !== 0) {
      const other = this.server.sessions.get(tracking.redirect);
      if (other === undefined) {
        tracking.redirectBroken = true;
        if (session.resp === 3) {
          this.send(session, (reply) => writeBroken(reply, tracking.redirect));
        }
        return;
      }
      target = other;
    }
    if (target.resp === 3) this.send(target, (reply) => writeInvalidation(reply, keys));
    else if (tracking.redirect !== 0 && target.topics !== null) {
      this.send(target, (reply) => writeInvalidationMessage(reply, keys));
    }
  }

  /** Tells what had to wait until the change stands in the journal. */
  private tellDeferred(): void {
    for (const { session, write } of this.deferred.splice(0)) {
      if (!session.closed) this.server.clients.tell(session, write);
    }
  }

  /** Sends a session a message; if its turn is on, behind the reply to its command. */
  private send(session: Session, write: (reply: ReplyWriter) => void): void {
    const { clients } = this.server;
    if (session === clients.running) this.pending.push(write);
    // It tells of a change that isn't in the journal yet, so it would pass the gate before that is on the disk.
    else if (this.server.gate.active) this.deferred.push({ session, write });
    else clients.tell(session, write);
  }
}

function writeInvalidation(reply: ReplyWriter, keys: readonly string[] | null): void {
  reply.push(2);
  reply.bulk("invalidate");
  if (keys === null) reply.nullArray();
  else writeKeys(reply, keys);
}

/** The same for a subscriber that speaks RESP2, as a message on a channel that only the server publishes on. */
function writeInvalidationMessage(reply: ReplyWriter, keys: readonly string[] | null): void {
  reply.push(3);
  reply.bulk("message");
  reply.bulk("__redis__:invalidate");
  if (keys === null) reply.nullBulk();
  else writeKeys(reply, keys);
}

function writeKeys(reply: ReplyWriter, keys: readonly string[]): void {
  reply.array(keys.length);
  for (const key of keys) reply.bulkBytes(keyBytes(key));
}

function writeBroken(reply: ReplyWriter, redirect: number): void {
  reply.push(2);
  reply.bulk("tracking-redir-broken");
  reply.integer(redirect);
}

/** A key as text with a character for each byte, by which maps can find it. */
export function keyText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** What {@linkcode keyText} was made of. */
export function keyBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
