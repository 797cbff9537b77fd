/**
 * A client on a simulated network: it connects, sends, and hands over what it is sent as soon as that comes.
 *
 * @module
 */
import type { Reply } from "../../src/protocol/reply.ts";
import { ReplyReader } from "../../src/protocol/reply_reader.ts";
import { RequestWriter } from "../../src/protocol/request_writer.ts";
import type { Connection, Sockets } from "../../src/runtime/sockets.ts";

const ROOM_BYTES = 4096;

/** A command that was sent: its words. */
export type Words = readonly (string | number)[];

/** Takes a reply, or undefined if none can come any more. */
export type Answered = (reply: Reply | undefined) => void;

/** One for all: what is taken from it is copied. */
const writer = new RequestWriter();

/** A client; see the head of this file. */
export class NetworkClient {
  /** Whether nothing can be sent any more. */
  isOver = false;
  /** Takes what answers no command. */
  onMessage: (message: Reply) => void = () => {};
  private connection: Connection | null = null;
  private readonly waiting: Answered[] = [];
  private readonly unsent: Uint8Array[] = [];
  private readonly replies = new ReplyReader();
  private readonly room = new Uint8Array(ROOM_BYTES);
  private isWriting = false;

  /** Connects to a server. */
  constructor(sockets: Sockets, readonly address: string, port: number) {
    sockets.connect(address, port).then((connection) => {
      if (this.isOver) return connection.close();
      this.connection = connection;
      this.readNext();
      this.writeNext();
    }, () => this.end());
  }

  /** How many replies are to come. */
  get unanswered(): number {
    return this.waiting.length;
  }

  /** Sends a command. */
  send(words: Words, answered: Answered = () => {}): void {
    if (this.isOver) return answered(undefined);
    this.waiting.push(answered);
    writer.write(words);
    const bytes = writer.take();
    this.unsent.push(bytes.slice());
    writer.recycle(bytes);
    this.writeNext();
  }

  /** Closes the connection. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.connection?.close();
    for (const answered of this.waiting.splice(0)) answered(undefined);
  }

  private readNext(): void {
    this.connection!.read(this.room).then((count) => {
      if (this.isOver) return;
      if (count === null) return this.end();
      this.replies.push(this.room.slice(0, count));
      for (;;) {
        const reply = this.replies.next();
        if (reply === undefined) break;
        const answered = this.waiting.shift();
        if (answered === undefined) this.onMessage(reply);
        else answered(reply);
        if (this.isOver) return;
      }
      this.readNext();
    }, () => this.end());
  }

  private writeNext(): void {
    if (this.connection === null || this.isWriting || this.unsent.length === 0) return;
    this.isWriting = true;
    const [bytes] = this.unsent;
    this.connection.write(bytes).then((count) => {
      this.isWriting = false;
      if (count === bytes.length) this.unsent.shift();
      else this.unsent[0] = bytes.subarray(count);
      this.writeNext();
    }, () => this.end());
  }
}
