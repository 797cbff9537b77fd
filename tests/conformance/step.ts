/**
 * One step of a stream of commands, and how it looks on the wire and on paper.
 *
 * @module
 */

import { appendQuoted } from "../../src/protocol/quoted_bytes.ts";
import { latin1Bytes, latin1Text } from "../../src/client/quoting.ts";
import { ByteAccumulator } from "../../src/protocol/byte_accumulator.ts";

/** A command to send to both servers. */
export interface Step {
  /** Its words; a character is a byte. */
  readonly words: readonly string[];
  /** Sent as a line of words instead of an array of bulk strings. */
  readonly inline?: boolean;
  /** A SCAN that is repeated with the cursor it replies until that is 0. */
  readonly toCompletion?: boolean;
}

/** Longest argument that is printed as a whole. */
const SHOWN_BYTES = 200;

/** The name of the command, in lower case. */
export function nameOf(step: Step): string {
  return (step.words[0] ?? "").toLowerCase();
}

/** The bytes of a request. */
export function encodeStep(step: Step): Uint8Array {
  if (step.inline) return latin1Bytes(`${step.words.map(quoted).join(" ")}\r\n`);
  const parts = step.words.map((word) => `$${word.length}\r\n${word}\r\n`);
  return latin1Bytes(`*${step.words.length}\r\n${parts.join("")}`);
}

/** A step as a line that `redis-cli` takes; very long arguments are cut unless `whole`. */
export function formatStep(step: Step, whole: boolean): string {
  const words = step.words.map((word) => {
    if (whole || word.length <= SHOWN_BYTES) return quoted(word);
    return `${quoted(word.slice(0, 16))}...(${word.length} bytes)`;
  });
  return words.join(" ") + (step.toCompletion ? "   # repeated to its end" : "");
}

function quoted(word: string): string {
  if (/^[\w.:*+-]+$/.test(word)) return word;
  const output = new ByteAccumulator();
  appendQuoted(output, latin1Bytes(word));
  return latin1Text(output.take());
}

/** Names of commands that aren't queued after MULTI. */
const UNQUEUED = new Set(["multi", "watch", "exec", "discard", "reset", "quit"]);

/** Subscribing and its end: a message for each channel instead of a reply. */
const SUBSCRIBING = /^([ps]?)(un)?subscribe$/;

/** Which replies a client gets that uses CLIENT REPLY, MULTI and SUBSCRIBE: knows it for the next command. */
export class ReplyMode {
  #off = false;
  #skip = false;
  #queue: Step[] | null = null;
  /** What the client subscribes to; kinds of channels have different first letters. */
  readonly #topics = new Set<string>();
  /** The commands whose replies are within that of the step that was noted last, if that is an EXEC that runs them. */
  ran: readonly Step[] = [];

  /** Whether a command that does nothing would be run and answered now. */
  get open(): boolean {
    return !this.#off && !this.#skip && this.#queue === null && this.#topics.size === 0;
  }

  /** Takes note of `step`; with how many replies it is answered. */
  answers(step: Step): number {
    const messages = this.#queue === null ? this.#noteSubscriptions(step) : 0;
    const answered = this.#isAnswered(step);
    return messages > 0 ? messages : answered ? 1 : 0;
  }

  /** How many messages `step` is answered with, which come even to a client that wants no replies. */
  #noteSubscriptions({ words: [name, ...channels] }: Step): number {
    if (channels.length === 0 && /^reset$/i.test(name)) this.#topics.clear();
    const match = SUBSCRIBING.exec(name.toLowerCase());
    if (match === null) return 0;
    for (const channel of channels) {
      const topic = `${match[1]}:${channel}`;
      if (match[2] === undefined) this.#topics.add(topic);
      else this.#topics.delete(topic);
    }
    return channels.length;
  }

  #isAnswered(step: Step): boolean {
    this.#noteTransaction(step);
    const [first, second, third] = step.words.slice(0, 3).map((word) => word.toUpperCase());
    const skipped = this.#skip;
    this.#skip = false;
    if (step.words.length === 3 && first === "CLIENT" && second === "REPLY") {
      if (third === "ON") {
        this.#off = false;
        return true;
      }
      if (third === "OFF") this.#off = true;
      if (third === "SKIP" && !this.#off) this.#skip = true;
      if (third === "OFF" || third === "SKIP") return false;
    }
    if (step.words.length === 1 && first === "RESET") this.#off = false;
    return !this.#off && !skipped;
  }

  #noteTransaction(step: Step): void {
    const name = nameOf(step);
    const alone = step.words.length === 1;
    this.ran = [];
    if (name === "multi" && alone) this.#queue ??= [];
    else if (name === "exec") {
      if (alone && this.#queue !== null) this.ran = this.#queue;
      this.#queue = null;
    } else if ((name === "discard" || name === "reset") && alone) this.#queue = null;
    else if (!UNQUEUED.has(name)) this.#queue?.push(step);
  }
}
