/**
 * A snapshot on its way to several replicas at once, piece by piece.
 *
 * Pieces are kept until all replicas have been sent them; then whoever makes them is told, and makes more.
 *
 * @module
 */
import type { Replica } from "./replicas.ts";
import type { OutputSource } from "./session_host.ts";

/** A piece of the snapshot. */
interface Piece {
  readonly bytes: Uint8Array;
  /** How many replicas haven't been sent all of it. */
  users: number;
  next: Piece | null;
}

/** What is told of a snapshot on its way. */
export interface RelayHost {
  /** Whether replicas may see it yet. */
  mayLeave(): boolean;
  /** All replicas have been sent one more piece. */
  taken(): void;
  /** A replica has been sent more of it. */
  moved(replica: Replica): void;
  /** A replica has been sent all of it. */
  finished(replica: Replica): void;
}

/** Sends one snapshot to several replicas; see the head of this file. */
export class Relay {
  private readonly sources = new Map<Replica, RelaySource>();
  /** The newest piece; each source knows the one that it is at. */
  private last: Piece;
  private ended = false;

  /** A snapshot that begins with `head` and whose end is followed by `mark`. */
  constructor(
    private readonly head: Uint8Array,
    private readonly mark: Uint8Array,
    private readonly host: RelayHost,
  ) {
    this.last = { bytes: new Uint8Array(0), users: 0, next: null };
  }

  /** What sends the snapshot to `replica`; all must be there before the first piece is. */
  sourceFor(replica: Replica): OutputSource {
    const source = new RelaySource(replica, this.last, this.head, () => this.host.mayLeave(), {
      moved: () => this.host.moved(replica),
      passed: (piece) => this.passed(piece),
      finished: () => {
        if (!this.ended) return;
        this.sources.delete(replica);
        this.host.finished(replica);
      },
    });
    this.sources.set(replica, source);
    return source;
  }

  /** The next piece, which stays as it is until it is taken. */
  add(bytes: Uint8Array): void {
    const piece: Piece = { bytes, users: this.sources.size, next: null };
    this.last.next = piece;
    this.last = piece;
    if (piece.users === 0) return this.host.taken();
    for (const { session } of [...this.sources.keys()]) session.pull();
  }

  /** There are no more pieces. */
  end(): void {
    this.ended = true;
    this.add(this.mark);
  }

  /** A replica has gone. */
  drop(replica: Replica): void {
    const source = this.sources.get(replica);
    if (source === undefined) return;
    this.sources.delete(replica);
    for (let piece = source.rest; piece !== null; piece = piece.next) this.passed(piece);
  }

  /** A replica has been sent a piece, or won't be any more. */
  private passed(piece: Piece): void {
    if (--piece.users === 0) this.host.taken();
  }
}

/** What a source tells its relay. */
interface SourceHost {
  moved(): void;
  passed(piece: Piece): void;
  finished(): void;
}

/** Sends the pieces to one replica. */
class RelaySource implements OutputSource {
  /** The piece that is being sent; null while there is none. */
  private current: Piece | null = null;
  private sentBytes = 0;
  private headSent = 0;

  constructor(
    private readonly replica: Replica,
    private before: Piece,
    private readonly head: Uint8Array,
    private readonly mayLeave: () => boolean,
    private readonly host: SourceHost,
  ) {}

  /** The first piece that wasn't sent to its end. */
  get rest(): Piece | null {
    return this.current ?? this.before.next;
  }

  get pendingBytes(): number {
    return this.replica.pendingBytes;
  }

  close(): void {}

  next(): Uint8Array | null {
    if (!this.mayLeave()) return null;
    if (this.headSent < this.head.length) return this.head.subarray(this.headSent);
    this.current ??= this.before.next;
    if (this.current === null) return null;
    // It may have waited long for this piece: its time to take it begins now.
    this.host.moved();
    return this.current.bytes.subarray(this.sentBytes);
  }

  sent(count: number): void {
    this.host.moved();
    if (this.headSent < this.head.length) {
      this.headSent += count;
      return;
    }
    const piece = this.current!;
    this.sentBytes += count;
    if (this.sentBytes < piece.bytes.length) return;
    this.sentBytes = 0;
    this.before = piece;
    this.current = piece.next;
    this.host.passed(piece);
    if (piece.next === null) this.host.finished();
  }
}
