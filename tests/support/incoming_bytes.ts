/**
 * Bytes on their way to whoever reads a connection in memory.
 *
 * @module
 */

/** What was sent and hasn't been read, and the read that waits for more. */
export class IncomingBytes {
  private pieces: Uint8Array[] = [];
  private reading: { room: Uint8Array; done: (count: number | null) => void } | null = null;
  private ended = false;

  /** Whether a read waits. */
  get isAwaited(): boolean {
    return this.reading !== null;
  }

  /** As {@linkcode Connection.read}: each piece comes by itself. */
  read(room: Uint8Array): Promise<number | null> {
    return new Promise((done) => {
      this.reading = { room, done };
      this.deliver();
    });
  }

  /** More has come; it stays as it is. */
  push(...pieces: readonly Uint8Array[]): void {
    this.pieces.push(...pieces.filter((piece) => piece.length > 0));
    this.deliver();
  }

  /** Nothing comes behind this. */
  end(): void {
    this.ended = true;
    this.deliver();
  }

  /** What hasn't been read is lost. */
  forget(): void {
    this.pieces = [];
  }

  private deliver(): void {
    if (this.reading === null) return;
    const { room, done } = this.reading;
    const [piece] = this.pieces;
    if (piece === undefined) {
      if (!this.ended) return;
      this.reading = null;
      return done(null);
    }
    const count = Math.min(piece.length, room.length);
    room.set(piece.subarray(0, count));
    if (count === piece.length) this.pieces.shift();
    else this.pieces[0] = piece.subarray(count);
    this.reading = null;
    done(count);
  }
}
