/**
 * What must hold of servers that replicate each other, at any time.
 *
 * - **No pair of replication id and offset ever names two histories.** All bytes of the stream of an id are the same on all servers
 *   ({@linkcode Histories}); who has the same id and offset has the same data, whenever that is ({@linkcode Digests}).
 * - Who has come further in the same history has everything that others have there, and no server loses what it has but by
 *   a full synchronisation or its end ({@linkcode Counters}).
 * - Nobody has half of a transaction.
 * - What WAIT has counted is on somebody else.
 *
 * @module
 */
import { datasetDigest } from "../../src/keyspace/digest.ts";
import type { ReplicationNode } from "./replication_node.ts";
import { KeyName } from "./replication_probe.ts";
import type { ReplicationWriter } from "./replication_writer.ts";

const FIRST_BYTES = 16 * 1024;
const SHOWN_BYTES = 60;

/** Says what is wrong. */
type Fail = (message: string) => void;

/** The bytes of one id. */
interface Recording {
  bytes: Uint8Array;
  /** The offset of the first one, */
  start: number;
  /** and behind the last one. */
  end: number;
}

/** The streams of all ids, as servers have had them. */
export class Histories {
  private readonly byId = new Map<string, Recording>();

  /** Says what is wrong by `fail`. */
  constructor(private readonly fail: Fail) {}

  /** A server has `bytes` at an offset of the stream of `id`. */
  note(node: ReplicationNode, id: string, offset: number, bytes: Uint8Array): void {
    let recording = this.byId.get(id);
    if (recording === undefined || offset > recording.end) {
      // What is between was before anybody kept a stream.
      recording = { bytes: new Uint8Array(FIRST_BYTES), start: offset, end: offset };
      this.byId.set(id, recording);
    }
    const skipped = Math.max(0, recording.start - offset);
    const known = Math.max(0, Math.min(bytes.length, recording.end - offset));
    for (let index = skipped; index < known; index++) {
      if (bytes[index] === recording.bytes[offset + index - recording.start]) continue;
      return this.differ(node, id, offset + index, bytes.subarray(index), recording);
    }
    append(recording, bytes.subarray(known));
  }

  private differ(
    node: ReplicationNode,
    id: string,
    offset: number,
    bytes: Uint8Array,
    recording: Recording,
  ): void {
    const others = recording.bytes.subarray(
      offset - recording.start,
      recording.end - recording.start,
    );
    this.fail(
      `${node.address} has ${shown(bytes)} at ${id}:${offset}, where others have ${shown(others)}`,
    );
  }
}

function append(recording: Recording, bytes: Uint8Array): void {
  const used = recording.end - recording.start;
  if (used + bytes.length > recording.bytes.length) {
    const larger = new Uint8Array((used + bytes.length) * 2);
    larger.set(recording.bytes.subarray(0, used));
    recording.bytes = larger;
  }
  recording.bytes.set(bytes, used);
  recording.end += bytes.length;
}

function shown(bytes: Uint8Array): string {
  return JSON.stringify(new TextDecoder().decode(bytes.subarray(0, SHOWN_BYTES)));
}

/** The data of ids and offsets, as servers have had it. */
export class Digests {
  private readonly byPair = new Map<string, { digest: string; address: string }>();
  /** Where each server was when it was last looked at. */
  private readonly lastPairs = new Map<ReplicationNode, string>();
  /** Comparisons so far. */
  compared = 0;

  /** Says what is wrong by `fail`. */
  constructor(private readonly fail: Fail) {}

  /** Looks at servers between two turns, as far as they aren't where they were; `all`: not only where somebody else is, or has been. */
  note(nodes: readonly ReplicationNode[], all: boolean): void {
    const pairs = nodes.map((node) => isWhole(node) ? pairOf(node) : "");
    for (const [index, node] of nodes.entries()) {
      const pair = pairs[index];
      const isShared = pairs.indexOf(pair) !== pairs.lastIndexOf(pair) || this.byPair.has(pair);
      if (pair !== "" && (all || isShared)) this.noteOne(node, pair);
    }
  }

  private noteOne(node: ReplicationNode, pair: string): void {
    const server = node.server!;
    if (this.lastPairs.get(node) === pair) return;
    this.lastPairs.set(node, pair);
    const digest = datasetDigest(server.keyspace);
    const known = this.byPair.get(pair);
    if (known === undefined) {
      this.byPair.set(pair, { digest, address: node.address });
      return;
    }
    this.compared++;
    if (known.digest === digest) return;
    this.fail(`${node.address} has other data at ${pair} than ${known.address} had`);
  }
}

/** The id and the offset of a server. */
function pairOf({ server }: ReplicationNode): string {
  const { replication: { history } } = server!;
  return `${history.id}:${history.offset}`;
}

/** Whether what a server has is the data of its id and offset: it isn't being replaced, and somebody counts its changes. */
export function isWhole(node: ReplicationNode): boolean {
  const { server } = node;
  return server !== null && node.isServing && server.replication.stream !== null;
}

/** What the counters and pairs of writers are on each server. */
export class Counters {
  private readonly now = new Map<ReplicationNode, number[]>();
  /** The highest values that a server has ever had. */
  private readonly ever = new Map<ReplicationNode, number[]>();
  private readonly keys: readonly KeyName[];
  private readonly pairs: readonly (readonly KeyName[])[];

  /** Those of `writers`; says what is wrong by `fail`. */
  constructor(writers: readonly ReplicationWriter[], private readonly fail: Fail) {
    this.keys = writers.flatMap(({ counters }) => counters.map((key) => new KeyName(key)));
    this.pairs = writers.map(({ pair }) => pair.map((key) => new KeyName(key)));
  }

  /** What a server has is about to be replaced, has just been, or ends. */
  forget(node: ReplicationNode): void {
    this.now.delete(node);
    if (node.isServing) this.look(node);
    this.now.delete(node);
  }

  /** Compares servers with each other and with what they had. */
  check(nodes: readonly ReplicationNode[]): void {
    const serving = nodes.filter(isWhole);
    for (const node of serving) {
      this.look(node);
      this.checkPairs(node);
    }
    for (const node of serving) {
      for (const other of serving) if (node !== other) this.compare(node, other);
    }
  }

  /** So many replicas of somebody have counter `key` at `value`, says WAIT. */
  confirmed(nodes: readonly ReplicationNode[], key: string, value: number): void {
    for (const node of nodes) if (node.isServing) this.look(node);
    const index = this.keys.findIndex(({ text }) => text === key);
    const having = nodes.filter((node) => (this.ever.get(node)?.[index] ?? 0) >= value);
    if (having.length >= 2) return;
    this.fail(`WAIT has confirmed that ${key} is ${value}, but no replica has had that`);
  }

  /** Looks at the counters of a server. */
  private look(node: ReplicationNode): void {
    const server = node.server!;
    const values = this.keys.map((key) => Number(key.valueIn(server) ?? 0));
    const before = this.now.get(node);
    this.now.set(node, values);
    const ever = this.ever.get(node) ?? values;
    this.ever.set(node, values.map((value, index) => Math.max(value, ever[index])));
    const lost = before === undefined ? -1 : values.findIndex((value, at) => value < before[at]);
    if (lost < 0) return;
    this.fail(
      `${node.address} had ${this.keys[lost].text} at ${before![lost]}, now it is ${values[lost]}`,
    );
  }

  private checkPairs(node: ReplicationNode): void {
    for (const pair of this.pairs) {
      const [left, right] = pair.map((key) => key.valueIn(node.server!));
      if (left === right) continue;
      this.fail(`${node.address} has half of a transaction: ${left} and ${right}`);
    }
  }

  /** Who is further in the same history has all that the other has. */
  private compare(node: ReplicationNode, other: ReplicationNode): void {
    const [{ id, offset }, further] = [node, other].map((one) => one.server!.replication.history);
    if (further.id !== id || further.offset < offset) return;
    const [values, others] = [node, other].map((one) => this.now.get(one)!);
    const wrong = values.findIndex((value, index) => value > others[index]);
    if (wrong < 0) return;
    this.fail(
      `${node.address} has ${this.keys[wrong].text} at ${values[wrong]} at ${id}:${offset}, ` +
        `but ${other.address} has ${others[wrong]} at ${further.offset}`,
    );
  }
}
