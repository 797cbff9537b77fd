/**
 * Keys on their way to another server (MIGRATE).
 *
 * Redis stops serving anybody until the other side has answered. Here the client waits, and so do all commands
 * of others ({@linkcode Pause.hold}): nobody sees a key, or changes it, that is half here and half there. That ends when the
 * other side has answered, when a step takes longer than the client allows, when the client goes, and when the server
 * stops. Since nothing changes meanwhile, keys are written as they are sent, and what waits to be sent is bounded.
 *
 * **What is where.** A key is removed here once the other side has said that it has it, whatever goes wrong afterwards; else it
 * stays. So a fault between the two leaves it on both sides, never on neither.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { Blocked, Wait } from "../commands/wait.ts";
import { hasExpiry, readExpiry } from "../keyspace/entry_facts.ts";
import { type Database, keyChanged, removeEntry } from "../keyspace/keyspace.ts";
import { dictFind } from "../memory/dict.ts";
import { hashBytes } from "../memory/hash.ts";
import { dumpPieces } from "../persistence/dump_commands.ts";
import { Int64 } from "../protocol/integers.ts";
import { joinBytes } from "../protocol/joined_bytes.ts";
import type { Reply } from "../protocol/reply.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { type RequestArgument, RequestWriter } from "../protocol/request_writer.ts";
import type { Deadlines } from "./deadlines.ts";
import { type MigrateRequest, portOf } from "./migrate_request.ts";
import { StepError, type Target, Targets, TimedSteps } from "./migrate_targets.ts";
import { RequestCopy } from "./request_copy.ts";
import { PAUSE_ALL } from "./pause.ts";
import type { Server } from "./server.ts";
import type { ServerContext } from "./server_context.ts";
import { closeQuietly, type Session } from "./session.ts";

const HOST = 1;
const PORT = 2;
/** So many bytes of requests are gathered before they are sent. */
const GATHERED_BYTES = 1024 * 1024;

const CONNECTING = "connecting to the client";
const WRITING = "writing to target instance";
const READING = "reading to target instance";

/** How an attempt has failed. */
interface Failure {
  /** What was being done. */
  readonly doing: string;
  /** Whether there is no sense in another one. */
  readonly final: boolean;
}

/** The MIGRATE that goes on in a server, if any, and its connections to others. */
export class Migrations {
  /** The connections. */
  readonly targets: Targets;
  private current: Migration | null = null;

  /** For `server`, whose clients have `deadlines`. */
  constructor(private readonly server: Server, deadlines: Deadlines) {
    this.targets = new Targets(deadlines, () => server.now());
  }

  /** Has the client whose command runs in `context` wait until those of its arguments have moved that are `keys`. */
  start(context: ServerContext, request: MigrateRequest, keys: readonly number[]): void {
    assert(this.current === null, "no command runs while keys are on their way");
    const { pause } = this.server.clients;
    const migration = new Migration(this.server, context, request, keys, () => {
      this.current = null;
      pause.letGo("migrate");
    });
    this.current = migration;
    pause.hold("migrate", PAUSE_ALL);
    migration.start(context.waitFor(migration, 0));
  }

  /** Gives up the MIGRATE that goes on. */
  cancel(): void {
    this.current?.cancel();
  }

  /** The server stops. */
  stop(): void {
    this.cancel();
    this.targets.stop();
  }
}

/** One MIGRATE, from where there is something to move. */
class Migration implements Wait {
  private readonly session: Session;
  private readonly database: Database;
  private readonly copy = new RequestCopy();
  private readonly keys: readonly Uint8Array[];
  private readonly hostname: string;
  private readonly port: number;
  private readonly name: string;
  private readonly steps: TimedSteps;
  private readonly startedMs: number;
  private blocked: Blocked | null = null;
  /** The keys that have been sent. */
  private sent: Uint8Array[] = [];
  /** How many of them the other side has said something about. */
  private answered = 0;
  /** The keys that are there now and have still to be removed here. */
  private readonly moved: Uint8Array[] = [];
  /** The first error that the other side has replied with. */
  private refusal: string | null = null;
  private over = false;

  constructor(
    private readonly server: Server,
    context: ServerContext,
    private readonly request: MigrateRequest,
    keys: readonly number[],
    /** Called when nobody has to wait for it any more. */
    private readonly whenOver: () => void,
  ) {
    const { clients: { deadlines }, clock, time } = server;
    this.session = context.client;
    this.database = context.database;
    this.copy.fill(context);
    this.keys = keys.map((key) => this.argument(key));
    this.hostname = context.text(HOST);
    this.port = portOf(context, PORT);
    this.name = `${this.hostname}:${context.text(PORT)}`;
    this.steps = new TimedSteps(deadlines, () => clock.now(), request.timeoutMs);
    this.startedMs = time.last;
  }

  /** Begins; the client waits in `blocked`. */
  start(blocked: Blocked): void {
    this.blocked = blocked;
    this.run();
  }

  /** Gives up: the client gets an error. */
  cancel(): void {
    this.finish({ doing: READING, final: true });
  }

  /** Nobody can ask for that: the command that does waits, too. */
  timeOut(reply: ReplyWriter): void {
    reply.error(failureText(READING));
  }

  /** The client waits no longer: it gets its reply now, or is gone. */
  ended(): void {
    this.settle();
    this.steps.cancel();
    this.whenOver();
  }

  /** Argument `index` of the command. */
  private argument(index: number): Uint8Array {
    const start = this.copy.starts[index];
    return this.copy.bytes.subarray(start, start + this.copy.lengths[index]);
  }

  private async run(): Promise<void> {
    let failure = await this.attempt();
    // Mostly it is a connection of earlier that the other side has closed, which says nothing about now. As long as no key
    // has been answered, trying once more is all that the client could do.
    if (failure !== null && !failure.final && this.answered === 0 && !this.over) {
      failure = await this.attempt();
    }
    this.finish(failure);
  }

  /** Sends everything and reads what the other side says; how that failed, or null. */
  private async attempt(): Promise<Failure | null> {
    const { targets } = this.server.clients.migrations;
    let doing = CONNECTING;
    let target: Target | null = null;
    try {
      target = await this.connect(targets);
      doing = WRITING;
      const selects = target.database !== this.request.database;
      await this.send(target, selects);
      doing = READING;
      await this.receive(target, selects);
    } catch (error) {
      if (!(error instanceof StepError)) throw error;
      if (target !== null) targets.drop(target);
      // Redis learns only when it writes that nobody listens.
      if (target === null && isRefusal(error.cause)) return { doing: WRITING, final: false };
      return { doing, final: error.timedOut || target === null };
    }
    if (target.isQuiet) targets.release(target);
    else targets.drop(target);
    return null;
  }

  /** The connection that is kept, or a new one. */
  private async connect(targets: Targets): Promise<Target> {
    const kept = targets.find(this.name);
    if (kept !== undefined) return kept;
    const connecting = this.server.sockets.connect(this.hostname, this.port);
    try {
      return targets.add(this.name, await this.steps.take(connecting));
    } catch (error) {
      // It may come yet.
      connecting.then(closeQuietly, () => {});
      throw error;
    }
  }

  /** Sends all requests one behind the other. */
  private async send(target: Target, selects: boolean): Promise<void> {
    const { request } = this;
    const writer = new RequestWriter();
    if (request.password > 0) {
      const user = request.username > 0 ? [this.argument(request.username)] : [];
      writer.write(["AUTH", ...user, this.argument(request.password)]);
    }
    if (selects) writer.write(["SELECT", request.database]);
    this.sent = [];
    for (const key of this.keys) {
      const restore = this.restoreOf(key);
      if (restore === null) continue;
      writer.write(restore);
      this.sent.push(key);
      if (writer.length >= GATHERED_BYTES) await target.write(writer.take(), this.steps);
    }
    if (writer.length > 0) await target.write(writer.take(), this.steps);
  }

  /** The request that makes a key on the other side; null if its time has come. */
  private restoreOf(key: Uint8Array): RequestArgument[] | null {
    const { clock, dumpState, keyspace } = this.server;
    const entry = entryOf(this.database, key);
    if (entry === 0) return null;
    let timeToLive = 0n;
    if (hasExpiry(keyspace, entry)) {
      const expiry = new Int64();
      readExpiry(keyspace, entry, expiry);
      timeToLive = bigintOf(expiry) - BigInt(clock.now());
      if (timeToLive < 0n) return null;
      // No time at all would be for ever.
      if (timeToLive === 0n) timeToLive = 1n;
    }
    const payload = joinBytes(dumpPieces(dumpState.writer, keyspace, entry));
    const words: RequestArgument[] = ["RESTORE", key, timeToLive, payload];
    if (this.request.replace) words.push("REPLACE");
    return words;
  }

  /** Reads the replies to what was sent. */
  private async receive(target: Target, selects: boolean): Promise<void> {
    const { copy, database, password } = this.request;
    const denied = password > 0 ? errorIn(await target.reply(this.steps)) : null;
    const unselected = selects ? errorIn(await target.reply(this.steps)) : null;
    const denial = denied ?? unselected;
    for (const key of this.sent) {
      const refused = errorIn(await target.reply(this.steps));
      this.answered++;
      // What was restored in another database isn't where it should be.
      const error = denial ?? refused;
      if (error !== null) this.refusal ??= error;
      else if (!copy) this.moved.push(key);
    }
    target.database = denial === null && this.refusal === null ? database : "";
  }

  /** Removes what has moved, and replies, unless the client is gone. */
  private finish(failure: Failure | null): void {
    if (this.over) return;
    const { refusal } = this;
    const error = refusal !== null
      ? `ERR Target instance replied with error: ${refusal}`
      : failure !== null
      ? failureText(failure.doing)
      : null;
    this.settle();
    this.server.dispatcher.beforeSending();
    this.blocked!.finish((reply) => error === null ? reply.simple("OK") : reply.error(error));
    this.server.dispatcher.afterSending();
    this.charge(error !== null);
  }

  /** Removes the keys that have moved; once. */
  private settle(): void {
    if (this.over) return;
    this.over = true;
    if (this.moved.length === 0) return;
    const { server, database, moved } = this;
    const { clients, dispatcher: { runner }, journal } = server;
    const { acting } = clients;
    server.refreshTime();
    clients.acting = this.session;
    journal.beginUnit();
    for (const key of moved) removeKey(database, key);
    journal.append(database.number, ["DEL", ...moved]);
    journal.endUnit();
    clients.acting = acting;
    if (clients.blockedKeys.ready.length > 0) runner.serveWaiting();
    journal.endTurn();
    clients.tracking.afterTurn();
  }

  /** Counts the time that it has taken as that of its command. */
  private charge(failed: boolean): void {
    const { dispatcher: { runner }, reply, table, time } = this.server;
    const milliseconds = time.look() - this.startedMs;
    runner.context.lend(() => {
      runner.context.loadCopy(this.session, this.copy, reply);
      const command = table.byName.get("migrate")!;
      if (runner.chargeWaited(command, milliseconds, failed)) {
        runner.noteLatency(command, milliseconds);
      }
    });
  }
}

function failureText(doing: string): string {
  return `IOERR error or timeout ${doing}`;
}

/** Whether a connection failed since nobody listens there; on port 0, which the runtime doesn't even try, nobody does. */
function isRefusal(cause: unknown): boolean {
  return cause instanceof Deno.errors.ConnectionRefused || cause instanceof RangeError;
}

function errorIn(reply: Reply): string | null {
  return reply.kind === "error" ? reply.text() : null;
}

function bigintOf({ high, low }: Int64): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** The entry of a key, whether its time has come or not; 0 if there is none. Its hash is in `keyspace.hash`. */
function entryOf(database: Database, key: Uint8Array): number {
  const { keyspace, keyspace: { arena, seed0, seed1 } } = database;
  const view = viewOf(key);
  keyspace.hash = hashBytes(view, 0, key.length, seed0, seed1);
  return dictFind(arena, database.dict, keyspace.hash, view, 0, key.length);
}

/** Removes a key that may have been named twice, each time of which is told, as in Redis. */
function removeKey(database: Database, key: Uint8Array): void {
  const entry = entryOf(database, key);
  if (entry !== 0) removeEntry(database, database.keyspace.hash, entry);
  keyChanged(database, viewOf(key), 0, key.length, "del");
}

function viewOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length);
}
