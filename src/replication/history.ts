/**
 * Which history the data has: its ids, and how far it has come in it.
 *
 * All that a master tells its replicas is one stream of bytes. Its id is drawn at random; a place in it is a number of bytes, the
 * *offset*. Who has the same id and offset as another has the same data. That must never be untrue, so whoever begins to write a
 * stream of its own takes an id that nobody has had.
 *
 * **The second id.** A replica that is made master goes on in a new stream, with the same bytes behind it. It remembers the old id, up
 * to the offset at which it left: other replicas of the old master that have come no further may go on with it, without being
 * sent all of the data. A replica whose master was another replica's before takes over both.
 *
 * @module
 */

/** Length of an id: hexadecimal digits. */
export const REPLICATION_ID_LENGTH = 40;
/** The id of no history. */
export const NO_REPLICATION_ID: string = "0".repeat(REPLICATION_ID_LENGTH);

/** The history of one server's data; see the head of this file. */
export class ReplicationHistory {
  /** The id of the stream. */
  id: string;
  /** The id that it had up to {@linkcode secondEnd}. */
  secondId: string = NO_REPLICATION_ID;
  /** Bytes of the stream that both ids have in common, or -1 if there is no second one. */
  secondEnd: number = -1;
  /** Bytes of the stream so far. */
  offset = 0;

  /** A history that begins; `newId` draws ids. */
  constructor(private readonly newId: () => string) {
    this.id = newId();
  }

  /** Begins another stream that nobody else can have anything of. */
  renew(): void {
    this.id = this.newId();
    this.forgetSecond();
  }

  /** Begins another stream, at its first byte: nobody has said what the data is called. */
  begin(): void {
    this.renew();
    this.offset = 0;
  }

  /** There is no second id any more. */
  forgetSecond(): void {
    this.secondId = NO_REPLICATION_ID;
    this.secondEnd = -1;
  }

  /** Goes on under its own id with the data of another's stream at `offset`. */
  resume(id: string, offset: number): void {
    this.secondId = id;
    this.secondEnd = offset;
    this.offset = offset;
  }

  /** Goes on in a stream of our own, from here on. */
  branch(): void {
    this.follow(this.newId());
  }

  /** The stream goes on under another id, from here on. */
  follow(id: string): void {
    this.resume(this.id, this.offset);
    this.id = id;
  }

  /** Has the data of another's stream at `offset`. */
  adopt(id: string, offset: number): void {
    this.id = id;
    this.offset = offset;
    this.forgetSecond();
  }

  /** Whether who has `offset` bytes of the stream `id` has what this server had at that offset. */
  shares(id: string, offset: number): boolean {
    if (id === this.id) return true;
    return id === this.secondId && offset <= this.secondEnd;
  }
}
