/**
 * Foretells how a server replies to a stream of bytes: how many replies, which of them exactly,
 * and whether it closes the connection at their end.
 *
 * It reads the stream in one piece with the parser that the server uses, which has its own tests; so
 * what is tested by it is what the server makes of pieces, buffers, turns and order.
 *
 * @module
 */
import {
  parseRequest,
  REQUEST_ERROR,
  REQUEST_INCOMPLETE,
  RequestFrame,
} from "../../src/protocol/request_parser.ts";

/** What a reply has to be: an error of this text, a bulk or simple string of this one, or anything. */
export interface ExpectedReply {
  /** A byte a character; absent where any reply will do. */
  readonly text?: string;
  /** Whether it is an error. */
  readonly isError?: boolean;
}

/** What a server does with a stream. */
export interface Expectation {
  /** Its replies in order. */
  readonly replies: readonly ExpectedReply[];
  /** Whether it closes the connection after them. */
  readonly closes: boolean;
  /** Whether it does so because of a protocol error. */
  readonly isProtocolError: boolean;
  /** Where requests end, the last of them maybe broken. */
  readonly ends: readonly number[];
}

const MAXIMUM_BULK = 512 * 1024 * 1024;
const ANY: ExpectedReply = {};

/** Foretells what a server does with `stream`. */
export function foretell(stream: Uint8Array): Expectation {
  // Lines are unquoted in place.
  const bytes = stream.slice();
  const frame = new RequestFrame();
  const replies: ExpectedReply[] = [];
  const ends: number[] = [];
  const mode = new ReplyMode();
  let closes = false;
  let isProtocolError = false;
  frame.reset(0);
  while (!closes) {
    const status = parseRequest(frame, bytes, bytes.length, MAXIMUM_BULK, true);
    if (status === REQUEST_INCOMPLETE) break;
    ends.push(frame.position);
    if (status === REQUEST_ERROR) {
      closes = true;
      isProtocolError = true;
      if (mode.isHeard) replies.push({ text: protocolError(frame.error), isError: true });
      break;
    }
    const words = wordsOf(frame, bytes);
    closes = words[0]?.toUpperCase() === "QUIT";
    const reply = mode.run(words);
    if (reply !== undefined) replies.push(reply);
    frame.reset(frame.position);
  }
  return { replies, closes, isProtocolError, ends };
}

/** Text of an error as it is sent: one line, a byte a character. */
function protocolError(error: string): string {
  return `ERR Protocol error: ${error}`.replace(/[\r\n]/g, " ");
}

/** Which replies a client hears, as CLIENT REPLY chose. */
class ReplyMode {
  private off = false;
  private skip = false;
  private skipNext = false;

  /** Whether a reply that is made now is sent. */
  get isHeard(): boolean {
    return !this.off && !this.skip;
  }

  /** The reply that the client hears to a request, if any. */
  run(words: readonly string[]): ExpectedReply | undefined {
    const reply = words.length === 0 ? undefined : this.reply(words);
    this.skip = this.skipNext;
    this.skipNext = false;
    return reply;
  }

  private reply(words: readonly string[]): ExpectedReply | undefined {
    const name = words[0].toUpperCase();
    if (name === "RESET" && words.length === 1) {
      this.off = false;
      return this.isHeard ? { text: "RESET" } : undefined;
    }
    if (name === "CLIENT" && words.length === 3 && words[1].toUpperCase() === "REPLY") {
      const choice = words[2].toUpperCase();
      if (choice === "ON") this.off = this.skip = false;
      else if (choice === "OFF") this.off = true;
      else if (choice === "SKIP") {
        this.skipNext = !this.off;
        return undefined;
      }
      return this.isHeard ? ANY : undefined;
    }
    if (!this.isHeard) return undefined;
    if (name === "ECHO" && words.length === 2) return { text: words[1] };
    if (name === "PING" && words.length < 3) return { text: words[1] ?? "PONG" };
    return ANY;
  }
}

function wordsOf(frame: RequestFrame, bytes: Uint8Array): string[] {
  const words: string[] = [];
  for (let index = 0; index < frame.argc; index++) {
    const start = frame.starts[index];
    words.push(textOf(bytes.subarray(start, start + frame.lengths[index])));
    // Only the start of most requests matters.
    if (index === 0 && !/^(echo|ping|client|reset|quit)$/i.test(words[0])) {
      while (words.length < frame.argc) words.push("");
      break;
    }
  }
  return words;
}

/** Bytes as text, a byte a character. */
export function textOf(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}
