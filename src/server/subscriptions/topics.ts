/**
 * Topics: channels, patterns and shard channels, each with those who subscribe to it.
 *
 * A topic is there while somebody subscribes to it. It is found by the bytes of its name, without making a text of them:
 * a map leads from the hash of the name (keyed, as that of keys, since clients choose the names) to the topics with that
 * hash, which are a list of one, nearly always.
 *
 * @module
 */
import type { ReadonlyView } from "../../memory/arena.ts";
import { hashBytes } from "../../memory/hash.ts";
import type { Session } from "../session.ts";

/** About what a topic takes besides its name. */
const TOPIC_BYTES = 300;
/** About what one subscription takes: a place in the topic's set, and one in the session's. */
export const SUBSCRIPTION_BYTES = 100;

/** A channel, pattern or shard channel. */
export class Topic {
  /** Those who subscribe to it. */
  readonly sessions: Set<Session> = new Set();
  /** The next topic with the same hash. */
  next: Topic | null = null;

  /** Makes a topic without subscribers. */
  constructor(
    /** Its name. */
    readonly name: Uint8Array,
    /** Hash of the name. */
    readonly hash: number,
  ) {}

  /** Whether its name is the `length` bytes of `view` from `start`. */
  isNamed(view: ReadonlyView, start: number, length: number): boolean {
    const { name } = this;
    if (name.length !== length) return false;
    for (let index = 0; index < length; index++) {
      if (view.getUint8(start + index) !== name[index]) return false;
    }
    return true;
  }
}

/** All topics of one kind. */
export class Topics {
  /** The topics, oldest first. */
  readonly all: Set<Topic> = new Set();
  /** Bytes of memory that they and their subscriptions take. */
  bytes = 0;
  private readonly byHash = new Map<number, Topic>();

  /** Names are hashed under `seed0`, `seed1`. */
  constructor(private readonly seed0: number, private readonly seed1: number) {}

  /** The topic whose name is the `length` bytes of `view` from `start`, or null if nobody subscribes to it. */
  find(view: ReadonlyView, start: number, length: number): Topic | null {
    if (this.all.size === 0) return null;
    const hash = hashBytes(view, start, length, this.seed0, this.seed1);
    let topic = this.byHash.get(hash) ?? null;
    while (topic !== null && !topic.isNamed(view, start, length)) topic = topic.next;
    return topic;
  }

  /** As {@linkcode find}, but makes the topic if there is none. */
  findOrAdd(view: ReadonlyView, start: number, length: number): Topic {
    const found = this.find(view, start, length);
    if (found !== null) return found;
    const { buffer, byteOffset } = view as DataView;
    const name = new Uint8Array(buffer, byteOffset + start, length).slice();
    const topic = new Topic(name, hashBytes(view, start, length, this.seed0, this.seed1));
    topic.next = this.byHash.get(topic.hash) ?? null;
    this.byHash.set(topic.hash, topic);
    this.all.add(topic);
    this.bytes += TOPIC_BYTES + length;
    return topic;
  }

  /** Removes a topic to which nobody subscribes any more. */
  remove(topic: Topic): void {
    this.all.delete(topic);
    this.bytes -= TOPIC_BYTES + topic.name.length;
    const first = this.byHash.get(topic.hash)!;
    if (first === topic) {
      if (topic.next === null) this.byHash.delete(topic.hash);
      else this.byHash.set(topic.hash, topic.next);
      return;
    }
    let before = first;
    while (before.next !== topic) before = before.next!;
    before.next = topic.next;
  }
}

/** What one session subscribes to. */
export class SessionTopics {
  /** Channels. */
  readonly channels: Set<Topic> = new Set();
  /** Patterns. */
  readonly patterns: Set<Topic> = new Set();
  /** Shard channels. */
  readonly shardChannels: Set<Topic> = new Set();

  /** Channels and patterns together, as clients are told. */
  get count(): number {
    return this.channels.size + this.patterns.size;
  }

  /** Bytes of memory that its subscriptions take. */
  get bytes(): number {
    return (this.count + this.shardChannels.size) * SUBSCRIPTION_BYTES;
  }
}
