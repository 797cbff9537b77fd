/**
 * Publish and subscribe: who gets which messages.
 *
 * A message goes to those who subscribe to its channel, then to those whose patterns match it, pattern by pattern: who
 * does both gets it twice, as with Redis, and counts twice. Shard channels are a world of their own; without a
 * cluster they differ from channels in their names only.
 *
 * **What a session is sent of its own messages** (it speaks RESP3, or publishes in a transaction) stands before the reply
 * to its command, as with Redis; only where that reply has begun it stands behind it, so that nothing stands within
 * one. Messages are sent even to a client that wants no replies (CLIENT REPLY OFF).
 *
 * Messages to others are encoded once (`subscriptions/messages.ts`) and sent together (`subscriptions/delivery.ts`).
 *
 * @module
 */
import { globMatchRange } from "../keyspace/glob.ts";
import { notificationMessages, type NotificationSink } from "../keyspace/notifications.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { NORMAL_CLASS, PUBSUB_CLASS } from "./client_classes.ts";
import type { Server } from "./server.ts";
import { REPLY_OFF, REPLY_SKIP, type Session } from "./session.ts";
import { Delivery } from "./subscriptions/delivery.ts";
import {
  MESSAGE,
  type MessageKind,
  MessageLog,
  PATTERN_MESSAGE,
  SHARD_MESSAGE,
} from "./subscriptions/messages.ts";
import { SessionTopics, type Topic, Topics } from "./subscriptions/topics.ts";

/** The kinds of topics, which are also the names of a session's sets of them. */
export type TopicKind = "channels" | "patterns" | "shardChannels";

/** Bytes with a view over them. */
export interface ByteSource {
  /** The bytes. */
  readonly bytes: Uint8Array;
  /** The same bytes. */
  readonly view: DataView;
}

const NO_BYTES: ByteSource = { bytes: new Uint8Array(0), view: new DataView(new ArrayBuffer(0)) };

/** The subscriptions of all clients of one server; see the head of this file. */
export class Subscriptions implements NotificationSink {
  /** Channels. */
  readonly channels: Topics;
  /** Patterns. */
  readonly patterns: Topics;
  /** Shard channels. */
  readonly shardChannels: Topics;
  /** The flags of `notify-keyspace-events`. */
  notifyFlags = 0;
  /** Length of the output when the running command began, as long as it has no other reply than messages; or -1. */
  replyMark: number = -1;
  /** What the session whose turn it is will be sent behind the reply to its command. */
  readonly behindReply: ((reply: ReplyWriter) => void)[] = [];
  private readonly plain = new MessageLog(2);
  private readonly push = new MessageLog(3);
  private readonly delivery = new Delivery([this.plain, this.push]);
  /** Where channel and message that are being published stand. */
  private source: ByteSource = NO_BYTES;
  private channelStart = 0;
  private channelLength = 0;
  private messageStart = 0;
  private messageLength = 0;

  /** Serves the clients of `server`. */
  constructor(private readonly server: Server) {
    const { seed0, seed1 } = server.keyspace;
    this.channels = new Topics(seed0, seed1);
    this.patterns = new Topics(seed0, seed1);
    this.shardChannels = new Topics(seed0, seed1);
  }

  /** Bytes of memory that topics take, those apart that count for their sessions. */
  get bytes(): number {
    return this.channels.bytes + this.patterns.bytes + this.shardChannels.bytes;
  }

  /** Subscribes a session to the topic that stands in `view`, unless it has; the topic. */
  subscribe(
    session: Session,
    kind: TopicKind,
    view: DataView,
    start: number,
    length: number,
  ): Topic {
    const topic = this[kind].findOrAdd(view, start, length);
    topic.sessions.add(session);
    session.topics ??= new SessionTopics();
    session.topics[kind].add(topic);
    session.clientClass = PUBSUB_CLASS;
    return topic;
  }

  /** Ends a subscription, if there is one. */
  unsubscribe(session: Session, kind: TopicKind, topic: Topic | null): void {
    const { topics } = session;
    if (topic === null || topics === null || !topics[kind].delete(topic)) return;
    topic.sessions.delete(session);
    if (topic.sessions.size === 0) this[kind].remove(topic);
    if (topics.count + topics.shardChannels.size > 0) return;
    session.topics = null;
    session.clientClass = NORMAL_CLASS;
  }

  /** Ends all subscriptions of a session, which isn't told. */
  drop(session: Session): void {
    const { topics } = session;
    if (topics === null) return;
    for (const kind of ["channels", "patterns", "shardChannels"] as const) {
      for (const topic of topics[kind]) this.unsubscribe(session, kind, topic);
    }
  }

  /** Publishes a message on a channel, both of which stand in `source`; how many times it is sent. */
  publish(
    source: ByteSource,
    channelStart: number,
    channelLength: number,
    messageStart: number,
    messageLength: number,
  ): number {
    const channel = this.channels.find(source.view, channelStart, channelLength);
    if (channel === null && this.patterns.all.size === 0) return 0;
    this.prepare(source, channelStart, channelLength, messageStart, messageLength);
    let receivers = channel === null ? 0 : this.deliver(channel, MESSAGE, null);
    const channelEnd = channelStart + channelLength;
    for (const topic of this.patterns.all) {
      const { name } = topic;
      if (globMatchRange(name, 0, name.length, source.bytes, channelStart, channelEnd, false)) {
        receivers += this.deliver(topic, PATTERN_MESSAGE, name);
      }
    }
    return receivers;
  }

  /** As {@linkcode publish}, on a shard channel. */
  publishToShard(
    source: ByteSource,
    channelStart: number,
    channelLength: number,
    messageStart: number,
    messageLength: number,
  ): number {
    const channel = this.shardChannels.find(source.view, channelStart, channelLength);
    if (channel === null) return 0;
    this.prepare(source, channelStart, channelLength, messageStart, messageLength);
    return this.deliver(channel, SHARD_MESSAGE, null);
  }

  /** Publishes an event of a key. */
  notify(_eventClass: number, event: string, key: Uint8Array, database: number): void {
    if (this.channels.all.size === 0 && this.patterns.all.size === 0) return;
    const messages = notificationMessages(this.notifyFlags, event, key, database);
    for (const { channel, message } of messages) {
      const bytes = new Uint8Array(channel.length + message.length);
      bytes.set(channel);
      bytes.set(message, channel.length);
      const source = { bytes, view: new DataView(bytes.buffer) };
      this.publish(source, 0, channel.length, channel.length, message.length);
    }
  }

  /** Messages wait for a session that was being written to until now. */
  deliverLater(session: Session): void {
    this.delivery.queue(session);
  }

  /**
   * Writes to the session whose turn it is what isn't a reply, or counts as one even if it wants no replies: now, or
   * behind the reply that is being taken back.
   */
  confirm(session: Session, write: (reply: ReplyWriter) => void): void {
    if (isSilent(session)) this.behindReply.push(write);
    else write(this.server.reply);
  }

  /** Writes what is to stand behind the reply of the command that has run. */
  writeBehindReply(): void {
    if (this.behindReply.length === 0) return;
    const { reply } = this.server;
    for (const write of this.behindReply.splice(0)) write(reply);
  }

  /** Notes where the message stands that is published now. */
  private prepare(
    source: ByteSource,
    channelStart: number,
    channelLength: number,
    messageStart: number,
    messageLength: number,
  ): void {
    this.source = source;
    this.channelStart = channelStart;
    this.channelLength = channelLength;
    this.messageStart = messageStart;
    this.messageLength = messageLength;
    this.delivery.countTurn(this.server.clients.running);
  }

  /** Has those who subscribe to `topic` get the message; how many they are. */
  private deliver(topic: Topic, kind: MessageKind, pattern: Uint8Array | null): number {
    const { plain, push, delivery, server: { clients: { running } } } = this;
    const { sessions } = topic;
    const count = sessions.size;
    plain.current = false;
    push.current = false;
    for (const session of sessions) {
      const log = session.resp === 3 ? push : plain;
      if (!log.current) this.encode(log, kind, pattern);
      if (session === running) this.deliverToSelf(session, log);
      else delivery.hand(session, log);
    }
    return count;
  }

  /** Encodes that message. */
  private encode(log: MessageLog, kind: MessageKind, pattern: Uint8Array | null): void {
    log.write(
      kind,
      pattern,
      this.source.view,
      this.channelStart,
      this.channelLength,
      this.messageStart,
      this.messageLength,
    );
  }

  /** Writes a message to the session in whose turn it is published. */
  private deliverToSelf(session: Session, log: MessageLog): void {
    const { reply } = this.server;
    const { bytes } = log;
    if (reply.length !== this.replyMark || isSilent(session)) {
      this.behindReply.push((writer) => writer.raw(bytes));
      return;
    }
    reply.raw(bytes);
    this.replyMark = reply.length;
  }
}

/** Whether the reply of the running command is going to be taken back. */
function isSilent(session: Session): boolean {
  return session.replyMode === REPLY_OFF || session.replyMode === REPLY_SKIP;
}
