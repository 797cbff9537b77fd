/**
 * Those who see what writers do, though they aren't the ones who get the replies: a reader, a subscriber to the events of keys,
 * and a client with MONITOR. Whatever one of them has been shown must survive as if it had been acknowledged.
 *
 * @module
 */
import { type PlainValue, plainValue, type Reply } from "../../src/protocol/reply.ts";
import type { RandomSource } from "../fuzz/random_source.ts";
import type { SimulatedClient } from "./simulated_client.ts";
import type { Writer } from "./writer.ts";

/** Commands that show the number of an operation, and where in the reply that is. */
const LOOKS: readonly {
  readonly words: (key: (name: string) => string, random: RandomSource) => readonly string[];
  readonly find: (value: PlainValue) => unknown;
}[] = [
  { words: (key) => ["LINDEX", key("ledger"), "-1"], find: (value) => value },
  { words: (key) => ["LINDEX", key("pair:right"), "-1"], find: (value) => value },
  { words: (key, random) => ["GET", key(`string:${random.below(4)}`)], find: (value) => value },
  {
    words: (key, random) => ["ZRANGE", key(`sorted:${random.below(2)}`), "-1", "-1", "WITHSCORES"],
    find: (value) => (value as PlainValue[])[1],
  },
  {
    words: (key, random) => ["XREVRANGE", key(`stream:${random.below(2)}`), "+", "-", "COUNT", "1"],
    find: (value) => (value as [string, string[]][])[0]?.[1][1],
  },
];

/** Asks for what a writer has written last. */
export function look(client: SimulatedClient, writer: Writer, random: RandomSource): void {
  const { words, find } = random.pick(LOOKS);
  const command = words((name) => `writer${writer.number}:${name}`, random);
  client.sendTogether([["SELECT", String(writer.database)], command], ([, reply]) => {
    const number = parseInt(String(find(plainValue(reply))));
    if (!Number.isNaN(number)) writer.witness(number);
  });
}

/** Listens to the events of keys. */
export function subscribe(client: SimulatedClient, writers: readonly Writer[]): void {
  const pushes = new Map<number, number>();
  client.onMessage = (message: Reply) => {
    const [, , channel, event] = plainValue(message) as string[];
    const [, number, name, counter] = /writer(\d+):([a-z]+):?(\w*)$/.exec(channel)!;
    const writer = writers[Number(number)];
    if (name === "brief" && event === "set") writer.witness(Number(counter));
    if (name !== "ledger" || event !== "rpush") return;
    const count = (pushes.get(writer.number) ?? 0) + 1;
    pushes.set(writer.number, count);
    writer.witnessPush(count);
  };
  client.send(["PSUBSCRIBE", "__keyspace@*__:writer*"]);
}

/** Has all commands shown. */
export function monitor(client: SimulatedClient, writers: readonly Writer[]): void {
  client.onMessage = (message: Reply) => {
    const line = String(plainValue(message));
    const pushed = /"RPUSH" "writer(\d+):(?:ledger|pair:left|pair:right)" "(\d+)"/.exec(line) ??
      /"SET" "writer(\d+):brief:(\d+)"/.exec(line);
    if (pushed !== null) writers[Number(pushed[1])].witness(Number(pushed[2]));
  };
  client.send(["MONITOR"]);
}
