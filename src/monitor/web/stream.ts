/**
 * The stream of `/api/events`: the whole state at first, then each second, and at once when
 * something has happened, the state with only those events and samples that are new.
 *
 * Server-sent events, as https://html.spec.whatwg.org/multipage/server-sent-events.html has them: a
 * `state` replaces all that was there, an `update` is added to it.
 *
 * @module
 */

import type { MonitorFace, StateView } from "../view.ts";

/** What is sent: the state, and what can be done about it on the page. */
export interface StreamMessage<Controls> {
  /** The state; in an update with the new events and samples alone. */
  readonly state: StateView;
  /** What the page offers beside it. */
  readonly controls: Controls;
}

/** How much the stream may ask of the monitor. */
const MOST_STREAMS = 100;
const PERIOD_MS = 1000;
/** Events come in bursts; this makes one message of each. */
const BURST_MS = 50;
/** Messages that wait for a client; it gets no more until it has read some, and misses nothing by it. */
const MOST_WAITING = 4;

/** A client of the stream, and how far it has got. */
interface Subscriber {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  lastEvent: number;
  lastSampleMs: number;
}

/** All clients of the stream. */
export class StateStream<Controls> {
  readonly #face: MonitorFace;
  readonly #controls: () => Controls;
  readonly #subscribers = new Set<Subscriber>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #burst: ReturnType<typeof setTimeout> | undefined;
  #endEvents: (() => void) | undefined;

  /** Makes a stream without clients: it costs nothing until there is one. */
  constructor(face: MonitorFace, controls: () => Controls) {
    this.#face = face;
    this.#controls = controls;
  }

  /** How many clients there are. */
  get size(): number {
    return this.#subscribers.size;
  }

  /** Opens the stream for one more client; undefined if there are too many. */
  open(): ReadableStream<Uint8Array> | undefined {
    if (this.#subscribers.size >= MOST_STREAMS) return undefined;
    let subscriber: Subscriber;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        subscriber = { controller, lastEvent: -1, lastSampleMs: -1 };
        this.#add(subscriber);
      },
      cancel: () => this.#remove(subscriber),
    }, { highWaterMark: MOST_WAITING });
  }

  /** Ends the stream for all. */
  close(): void {
    for (const subscriber of [...this.#subscribers]) {
      this.#remove(subscriber);
      subscriber.controller.close();
    }
  }

  #add(subscriber: Subscriber): void {
    this.#subscribers.add(subscriber);
    this.#send(subscriber, "state", this.#face.state());
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#sendAll(), PERIOD_MS);
    this.#endEvents = this.#face.onEvent(() => {
      this.#burst ??= setTimeout(() => this.#sendAll(), BURST_MS);
    });
  }

  #remove(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size > 0) return;
    clearInterval(this.#timer);
    clearTimeout(this.#burst);
    this.#timer = this.#burst = undefined;
    this.#endEvents?.();
  }

  /** Tells all clients now: something that the events don't say has changed. */
  refresh(): void {
    if (this.#subscribers.size > 0) this.#sendAll();
  }

  #sendAll(): void {
    clearTimeout(this.#burst);
    this.#burst = undefined;
    const state = this.#face.state();
    for (const subscriber of this.#subscribers) {
      if ((subscriber.controller.desiredSize ?? 0) <= 0) continue;
      this.#send(subscriber, "update", newsOf(state, subscriber));
    }
  }

  #send(subscriber: Subscriber, name: "state" | "update", state: StateView): void {
    subscriber.lastEvent = state.events.at(-1)?.number ?? subscriber.lastEvent;
    subscriber.lastSampleMs = state.samples.at(-1)?.timeMs ?? subscriber.lastSampleMs;
    const message: StreamMessage<Controls> = { state, controls: this.#controls() };
    const text = `event: ${name}\ndata: ${JSON.stringify(message)}\n\n`;
    subscriber.controller.enqueue(new TextEncoder().encode(text));
  }
}

/** The state with what the client hasn't got yet. */
function newsOf(state: StateView, { lastEvent, lastSampleMs }: Subscriber): StateView {
  return {
    ...state,
    events: state.events.filter(({ number }) => number > lastEvent),
    samples: state.samples.filter(({ timeMs }) => timeMs > lastSampleMs),
  };
}
