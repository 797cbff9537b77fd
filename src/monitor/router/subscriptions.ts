/**
 * What a subscriber who speaks RESP2 has asked for and was told, so that it can go on on another connection as if nothing had happened.
 *
 * A subscription counts once it was answered. What wasn't answered is asked again, behind the subscriptions that there are, and only the answers
 * that the client has had already are dropped.
 *
 * @module
 */
import { encodeRequest } from "../../protocol/request_writer.ts";

/** What comes without being asked for: pushes of RESP3, messages, and lines of MONITOR. */
const MESSAGE = /^(?:>|\*[34]\r\n\$\d+\r\n[ps]?message\r\n|\+\d+\.\d+ \[)/;

/** A command that isn't wholly answered. */
interface Asked {
  readonly name: string;
  /** Names are bytes, a character each. */
  readonly topics: readonly string[];
  readonly request: Uint8Array;
  /** How many answers there have been, */
  answers: number;
  /** of so many; 0 as long as that isn't known. */
  expected: number;
}

/** See the head of this file. */
export class Subscriptions {
  private readonly topics: ReadonlyMap<string, Set<string>> = new Map([
    ["subscribe", new Set<string>()],
    ["psubscribe", new Set<string>()],
    ["ssubscribe", new Set<string>()],
  ]);
  private isMonitoring = false;
  private asked: Asked[] = [];

  /** Whether there is nothing that the client would be told of. */
  get isEmpty(): boolean {
    return !this.isMonitoring && [...this.topics.values()].every(({ size }) => size === 0);
  }

  /** Whether all was answered. */
  get isAnswered(): boolean {
    return this.asked.length === 0;
  }

  /** A command was sent: a subscription or the end of one, MONITOR, or PING. */
  ask(name: string, topics: readonly string[], request: Uint8Array): void {
    this.asked.push({ name, topics, request, answers: 0, expected: topics.length });
  }

  /** The answer that starts with `head` has come. */
  hear(head: string): void {
    const [asked] = this.asked;
    if (asked === undefined) return;
    const isError = head.startsWith("-");
    const isEnd = asked.name.endsWith("unsubscribe");
    const topics = this.topics.get(asked.name.replace("unsubscribe", "subscribe"));
    if (topics === undefined || isError) {
      if (asked.name === "monitor" && !isError) this.isMonitoring = true;
      this.asked.shift();
      return;
    }
    // Without names, it is the end of all of them.
    if (asked.expected === 0) asked.expected = Math.max(1, topics.size);
    const topic = asked.topics[asked.answers++];
    if (topic !== undefined) {
      if (isEnd) topics.delete(topic);
      else topics.add(topic);
    }
    if (asked.answers < asked.expected) return;
    if (asked.topics.length === 0) topics.clear();
    this.asked.shift();
  }

  /** What a new connection is sent, and how many of the answers to that the client has had. */
  replay(): { requests: Uint8Array[]; known: number } {
    const requests: Uint8Array[] = [];
    let known = this.asked[0]?.answers ?? 0;
    for (const [name, topics] of this.topics) {
      if (topics.size === 0) continue;
      known += topics.size;
      const names = [...topics].map((topic) =>
        Uint8Array.from(topic, (character) => character.charCodeAt(0))
      );
      requests.push(encodeRequest([name, ...names]));
    }
    if (this.isMonitoring) {
      known++;
      requests.push(encodeRequest(["MONITOR"]));
    }
    for (const { request } of this.asked) requests.push(request);
    return { requests, known };
  }
}

/** Whether what starts with `head` comes without being asked for. */
export function isMessage(head: string): boolean {
  return MESSAGE.test(head);
}
