/**
 * A batch: the next few requests of a session, or the next one of several sessions, read ahead so that their keys are in the cache
 * when they run.
 *
 * **Why.** With a million keys, a look-up waits twice for memory: for the bucket and for the entry, some 250 ns
 * each, while the processor does nothing else. A pipeline tells in advance which keys come next. So
 * requests are parsed a few at a time; their keys are hashed; then one short loop reads a word of every
 * bucket, and another a word of every entry. The reads of a loop don't depend on each other, so the processor
 * does many of them at once, and the waits overlap. The handlers then find everything in the cache, and
 * take hash and address from here; an address is good only while no entry has been freed or moved.
 *
 * The same goes for members of large sets, sorted sets and hashes that a command names, once the key's entry is at hand: their
 * buckets are read, and then they; and for those that a command takes without naming them (`keyspace/pops_ahead.ts`).
 *
 * **Cost.** One more look at the tags for each key, about 10 ns. A single request with one key skips it, and so do requests for the
 * same key as the one before, whose hash they share.
 *
 * @module
 */
import type { Keyspace } from "../keyspace/keyspace.ts";
import { membersDict } from "../keyspace/member_roots.ts";
import { POPS_NOTHING, type PopsAhead } from "../keyspace/pops_ahead.ts";
import { dictGrowthAhead, dictReadAhead, SPLIT_ENTRIES_AHEAD } from "../memory/dict.ts";
import { sameBytes } from "../memory/listpack_element.ts";
import { hashBytes } from "../memory/hash.ts";
import type { Context } from "../commands/context.ts";
import { RequestFrame } from "../protocol/request_parser.ts";
import type { Command } from "./command_table.ts";

/** Most requests in a batch. */
export const BATCH_REQUESTS = 16;
const BATCH_KEYS = 256;
const BATCH_MEMBERS = 64;

/** Requests that have been read and not run yet. */
export class Batch {
  /** The requests; those up to `count` are whole. */
  readonly frames: RequestFrame[] = Array.from(
    { length: BATCH_REQUESTS },
    () => new RequestFrame(),
  );
  /** The command of each request, or null if nobody knows it. */
  readonly commands: (Command | null)[] = new Array(BATCH_REQUESTS).fill(null);
  /** Where each request stands. */
  private readonly views: DataView[] = new Array(BATCH_REQUESTS).fill(
    new DataView(new ArrayBuffer(0)),
  );
  /** How many requests there are. */
  count = 0;
  private readonly hashes = new Int32Array(BATCH_KEYS);
  private readonly buckets = new Int32Array(BATCH_KEYS);
  /** An entry that may be the key's, for each hash, as long as no entry of `dict` has moved. */
  private readonly candidates = new Int32Array(BATCH_KEYS);
  private dict = 0;
  private moves = 0;
  /** Where each request's hashes start, */
  private readonly firstHash = new Int32Array(BATCH_REQUESTS);
  /** and how many there are. */
  private readonly hashCounts = new Int32Array(BATCH_REQUESTS);
  private keys = 0;
  /** How many keys there may be that requests will add. */
  private newKeys = 0;
  /** How many requests name members of what their key holds. */
  private memberRequests = 0;
  /** How many take members of it which they don't name. */
  private popRequests = 0;
  /** Where in {@linkcode memberHashes} that of the first member is that a request names; -1 if it isn't known. */
  private readonly firstMember = new Int32Array(BATCH_REQUESTS);
  private readonly memberHashes = new Int32Array(BATCH_MEMBERS);
  private readonly memberBuckets = new Int32Array(BATCH_MEMBERS);
  private readonly memberCandidates = new Int32Array(BATCH_MEMBERS);
  private readonly splitEntries = new Int32Array(SPLIT_ENTRIES_AHEAD);
  /** Takes what was read ahead, so that reading it isn't idle. */
  sink = 0;

  /** What will be taken is read by `pops`. */
  constructor(private readonly pops: PopsAhead) {}

  /** Forgets the requests. */
  clear(): void {
    this.count = 0;
    this.keys = 0;
    this.newKeys = 0;
    this.memberRequests = 0;
    this.popRequests = 0;
  }

  /** Adds the request in the frame at `count`, which stands in `view` and whose command is `command`. */
  add(command: Command | null, view: DataView, seed0: number, seed1: number): void {
    const index = this.count++;
    this.commands[index] = command;
    this.views[index] = view;
    this.firstHash[index] = this.keys;
    this.hashCounts[index] = 0;
    this.firstMember[index] = -1;
    if (command === null || command.keyStep === 0) return;
    const { argc } = this.frames[index];
    // A request may have fewer arguments than its command needs.
    const last = command.lastKey > 0 ? Math.min(command.lastKey, argc - 1) : argc + command.lastKey;
    if (last === 1 && this.repeatsKey(index)) {
      this.firstHash[index] = this.firstHash[index - 1];
      this.hashCounts[index] = 1;
    } else {
      this.hashKeys(index, last, command.keyStep, seed0, seed1);
      if (command.needsRoom) this.newKeys += this.hashCounts[index];
    }
    if (command.memberStep > 0) this.memberRequests++;
    else if (command.pops !== POPS_NOTHING) this.popRequests++;
  }

  /** Whether the request in the frame at `count`, in `view`, has the same name as the one before, which is in the same view. */
  repeatsCommand(view: DataView): boolean {
    const { count } = this;
    if (count === 0) return false;
    const { starts, lengths } = this.frames[count];
    const before = this.frames[count - 1];
    return before.argc > 0 && lengths[0] === before.lengths[0] &&
      sameBytes(view, starts[0], view, before.starts[0], lengths[0]);
  }

  /** Whether the first key of request `index` is the only one of the request before, as it is where many add to one list, say. */
  private repeatsKey(index: number): boolean {
    if (index === 0 || this.hashCounts[index - 1] !== 1) return false;
    const { starts, lengths } = this.frames[index];
    const before = this.frames[index - 1];
    return lengths[1] === before.lengths[1] && sameBytes(
      this.views[index],
      starts[1],
      this.views[index - 1],
      before.starts[1],
      lengths[1],
    );
  }

  /** Hashes the keys of request `index`: argument 1 and each `step`-th one behind it, up to `last`. */
  private hashKeys(
    index: number,
    last: number,
    step: number,
    seed0: number,
    seed1: number,
  ): void {
    const { starts, lengths } = this.frames[index];
    const view = this.views[index];
    for (let key = 1; key <= last && this.keys < BATCH_KEYS; key += step) {
      this.hashes[this.keys++] = hashBytes(view, starts[key], lengths[key], seed0, seed1);
    }
    this.hashCounts[index] = this.keys - this.firstHash[index];
  }

  /** Has the buckets and entries of all keys read, so that they are near when they are needed, and those of members. */
  prefetch(keyspace: Keyspace, dict: number): void {
    this.dict = dict;
    this.moves = keyspace.moves;
    // For a single look-up there is nothing to overlap with.
    if (this.keys > 1 || (this.keys === 1 && this.count > 1)) {
      const { hashes, buckets, candidates } = this;
      this.sink = dictReadAhead(keyspace.arena, dict, hashes, 0, this.keys, buckets, candidates);
      if (this.newKeys > 0) this.readGrowth(keyspace, dict, this.newKeys);
      if (this.memberRequests > 1) this.prefetchMembers(keyspace);
      if (this.popRequests > 1) this.prefetchPops();
    } else this.candidates[0] = 0;
  }

  /** Has the members read that requests name, as far as the candidates of their keys are large collections. */
  private prefetchMembers(keyspace: Keyspace): void {
    const { memberHashes } = this;
    const { seed0, seed1 } = keyspace;
    let members = 0;
    let first = 0;
    let newMembers = 0;
    let lastDict = 0;
    for (let index = 0; index < this.count; index++) {
      const command = this.commands[index];
      const step = command?.memberStep ?? 0;
      const keys = this.firstHash[index];
      if (step === 0 || this.hashCounts[index] === 0) continue;
      const dict = membersDict(keyspace, this.candidates[keys]);
      if (dict === 0) continue;
      if (dict !== lastDict) {
        this.readMembers(keyspace, lastDict, first, members, newMembers);
        first = members;
        newMembers = 0;
        lastDict = dict;
      }
      const { argc, starts, lengths } = this.frames[index];
      const view = this.views[index];
      if (argc > command!.firstMember && members < BATCH_MEMBERS) this.firstMember[index] = members;
      for (let at = command!.firstMember; at < argc && members < BATCH_MEMBERS; at += step) {
        memberHashes[members++] = hashBytes(view, starts[at], lengths[at], seed0, seed1);
        if (command!.needsRoom) newMembers++;
      }
    }
    this.readMembers(keyspace, lastDict, first, members, newMembers);
  }

  /** Has the members of `dict` read whose hashes are {@linkcode memberHashes} from `from` to `to`; so many may be added. */
  private readMembers(
    keyspace: Keyspace,
    dict: number,
    from: number,
    to: number,
    newMembers: number,
  ): void {
    if (from === to) return;
    const { memberBuckets, memberCandidates, memberHashes } = this;
    const { arena } = keyspace;
    this.sink = dictReadAhead(arena, dict, memberHashes, from, to, memberBuckets, memberCandidates);
    if (newMembers > 0) this.readGrowth(keyspace, dict, newMembers);
  }

  /** Has read what a dict needs to have `added` entries more. */
  private readGrowth({ arena }: Keyspace, dict: number, added: number): void {
    this.sink ^= dictGrowthAhead(arena, dict, added, this.splitEntries);
  }

  /** Has the members read that requests will take, as far as neighbours take them from the same key. */
  private prefetchPops(): void {
    let entry = 0;
    let pops = POPS_NOTHING;
    let requests = 0;
    for (let index = 0; index < this.count; index++) {
      const command = this.commands[index];
      const keys = this.firstHash[index];
      if (command === null || command.pops === POPS_NOTHING) continue;
      if (this.hashCounts[index] === 0) continue;
      const candidate = this.candidates[keys];
      if (candidate !== entry || command.pops !== pops) {
        if (requests > 0) this.pops.read(entry, pops, requests);
        entry = candidate;
        pops = command.pops;
        requests = 0;
      }
      requests++;
    }
    if (requests > 0) this.pops.read(entry, pops, requests);
  }

  /** Lets `context` know where the hashes are. */
  begin(context: Context): void {
    context.hashes = this.hashes;
    context.candidates = this.candidates;
    context.candidateDict = this.dict;
    context.candidateMoves = this.moves;
    context.foundPlace = -1;
  }

  /** Lets `context` know the hashes of the keys of request `index`, and that of the first member it names. */
  load(context: Context, index: number): void {
    context.hashFrom = this.firstHash[index];
    context.hashCount = this.hashCounts[index];
    context.keyShift = this.commands[index]?.keyStep === 2 ? 1 : 0;
    const { hashedMember } = context.keyspace;
    const member = this.firstMember[index];
    if (member < 0) {
      hashedMember.start = -1;
      return;
    }
    hashedMember.start = this.frames[index].starts[this.commands[index]!.firstMember];
    hashedMember.view = context.view;
    hashedMember.hash = this.memberHashes[member];
  }
}
