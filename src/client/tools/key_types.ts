/**
 * The types that keys have, with what was found of each.
 *
 * @module
 */

import type { BulkReply } from "../../protocol/reply.ts";
import { quoteKey } from "./figures.ts";

/** A type of keys, and what was found of it so far. */
export class KeyType {
  /** How many keys are of this type. */
  count = 0;
  /** Their sizes together. */
  totalSize = 0;
  /** The size of the biggest one, */
  biggestSize = 0;
  /** and its name in quotes; `undefined` while none has any size. */
  biggestKey: string | undefined;

  /** Makes a type of which nothing was found. */
  constructor(
    /** Its name, as TYPE answers it. */
    readonly name: string,
    /** The command that counts the elements of a key; a module's type has none. */
    readonly sizeCommand: string | undefined,
    /** What the elements are called. */
    readonly unit: string,
  ) {}

  /**
   * Counts a key.
   *
   * @returns whether none was so big before.
   */
  add(key: BulkReply, size: number): boolean {
    this.count++;
    this.totalSize += size;
    if (size <= this.biggestSize) return false;
    this.biggestSize = size;
    this.biggestKey = quoteKey(key);
    return true;
  }
}

/**
 * The order in which the types are listed, by how many keys were looked at (2 stands for more). It
 * is that of redis-cli's hash table, whose first entries change their places while it grows.
 */
const LISTED_ORDERS: readonly (readonly string[])[] = [
  ["hash", "list", "string"],
  ["string", "list", "hash"],
  ["list", "hash", "string"],
].map((first) => [...first, "stream", "set", "zset"]);

/** All types, by the name that TYPE answers. */
export class KeyTypes {
  readonly #types: Map<string, KeyType> = new Map([
    new KeyType("string", "STRLEN", "bytes"),
    new KeyType("list", "LLEN", "items"),
    new KeyType("hash", "HLEN", "fields"),
    new KeyType("set", "SCARD", "members"),
    new KeyType("zset", "ZCARD", "members"),
    new KeyType("stream", "XLEN", "entries"),
  ].map((type) => [type.name, type]));
  #foundKeys = 0;

  /** The type of a further key; `undefined` if TYPE says that there is no such key. */
  find(name: string): KeyType | undefined {
    this.#foundKeys++;
    const known = this.#types.get(name);
    if (known !== undefined || name === "none") return known;
    const type = new KeyType(name, undefined, "?");
    this.#types.set(name, type);
    return type;
  }

  /** All of them: the server's own in redis-cli's order, then those of modules as they came. */
  list(): readonly KeyType[] {
    const order = LISTED_ORDERS[Math.min(this.#foundKeys, LISTED_ORDERS.length - 1)];
    const modules = [...this.#types.values()].slice(order.length);
    return [...order.map((name) => this.#types.get(name)!), ...modules];
  }
}
