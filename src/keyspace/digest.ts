/**
 * Digests of data: 20 bytes that are the same for the same keys with the same values, whatever their order,
 * encoding and server. They are Redis' own, so that DEBUG DIGEST can compare the two.
 *
 * A digest is changed in two ways: what has no order is XORed into it as a hash (`add`), and what
 * has one is added so and then the whole is hashed (`mix`). A key gives a digest of its own, mixed of its name,
 * its type and its value, with a mark added if it has an expiry; when that is doesn't matter. The data set's digest
 * mixes the number of each database that isn't empty, and adds the digests of its keys.
 *
 * @module
 */
import { dictBuckets, dictVisitBucket } from "../memory/dict.ts";
import { keyLength, keyStart } from "../memory/entry.ts";
import { type ReadonlyView, SEGMENT_SHIFT } from "../memory/arena.ts";
import { listpackSkip } from "../memory/listpack.ts";
import { formatDouble17g } from "../protocol/doubles.ts";
import { CollectionWalk } from "./collection_walk.ts";
import { rootOf } from "./collections.ts";
import { ElementPlace } from "./element_place.ts";
import { entryType, hasExpiry } from "./entry_facts.ts";
import { writeEntryId } from "./entry_ids.ts";
import { type Keyspace } from "./keyspace.ts";
import { forEachListElement } from "./list_transfer.ts";
import { Sha1, SHA1_BYTES } from "./sha1.ts";
import { SortedSetPlace } from "./sorted_set_place.ts";
import { FLAG_SAME_FIELDS, StreamPlace } from "./stream_nodes.ts";
import { EntryRange, visitEntries } from "./stream_ranges.ts";
import { stringBytes } from "./strings.ts";
import { TextScratch } from "./text_scratch.ts";
import { TYPE_HASH, TYPE_LIST, TYPE_SET, TYPE_STREAM, TYPE_ZSET } from "./types.ts";

const encoder = new TextEncoder();
const EXPIRY_MARK = encoder.encode("!!expire!!");
const DASH = 0x2d;
const POINT = 0x2e;
/** Longest text of a number, and some. */
const SCRATCH_BYTES = 32;

/** Makes digests. */
class Digester {
  private readonly sha1 = new Sha1();
  private readonly hash = new Uint8Array(SHA1_BYTES);
  private readonly word = new Uint8Array(4);
  private readonly scratch = new Uint8Array(SCRATCH_BYTES);
  private readonly text = new TextScratch();
  private readonly pair = new Uint8Array(SHA1_BYTES);

  constructor(private readonly keyspace: Keyspace) {}

  add(digest: Uint8Array, bytes: Uint8Array): void {
    this.sha1.hash(bytes, this.hash);
    combine(digest, this.hash);
  }

  mix(digest: Uint8Array, bytes: Uint8Array): void {
    this.add(digest, bytes);
    this.sha1.hash(digest, digest);
  }

  mixNumber(digest: Uint8Array, number: number): void {
    new DataView(this.word.buffer).setInt32(0, number);
    this.mix(digest, this.word);
  }

  mixValue(digest: Uint8Array, entry: number): void {
    const type = entryType(this.keyspace, entry);
    this.mixNumber(digest, type);
    switch (type) {
      case TYPE_LIST:
        this.mixList(digest, entry);
        break;
      case TYPE_SET:
        this.addSet(digest, entry);
        break;
      case TYPE_ZSET:
        this.addSortedSet(digest, entry);
        break;
      case TYPE_HASH:
        this.addHash(digest, entry);
        break;
      case TYPE_STREAM:
        this.mixStream(digest, entry);
        break;
      default:
        this.mix(digest, stringBytes(this.keyspace, entry, this.scratch));
    }
    if (hasExpiry(this.keyspace, entry)) this.add(digest, EXPIRY_MARK);
  }

  /** The elements of a list have an order. */
  private mixList(digest: Uint8Array, entry: number): void {
    forEachListElement(this.keyspace, entry, (view, at) => this.mixElement(digest, view, at));
  }

  /** The members of a set have none. */
  private addSet(digest: Uint8Array, entry: number): void {
    const walk = new CollectionWalk();
    walk.enter(this.keyspace, entry);
    while (walk.next()) this.add(digest, walk.copy());
  }

  /** A hash has digests of its fields with their values, in no order. */
  private addHash(digest: Uint8Array, entry: number): void {
    const walk = new CollectionWalk();
    const value = new ElementPlace();
    walk.enter(this.keyspace, entry);
    while (walk.next()) {
      walk.readValue(value);
      this.addPair(digest, walk.copy(), value.copy());
    }
  }

  /** So has a sorted set, of its members with the texts of their scores. */
  private addSortedSet(digest: Uint8Array, entry: number): void {
    const place = new SortedSetPlace();
    place.enter(this.keyspace, entry);
    for (let rank = 0; rank < place.count; rank++) {
      if (rank === 0) place.goTo(0);
      else place.step(false);
      place.read();
      this.addPair(digest, place.element.copy(), encoder.encode(formatDouble17g(place.score)));
    }
  }

  /** A stream has its entries in order: the id, and each field with its value. */
  private mixStream(digest: Uint8Array, entry: number): void {
    const { arena } = this.keyspace;
    const range = new EntryRange();
    range.setAll();
    visitEntries(
      arena,
      rootOf(this.keyspace, entry),
      range,
      Infinity,
      new StreamPlace(),
      (place) => {
        const id = place.text.subarray(0, writeEntryId(place.text, 0, place.id));
        id[id.indexOf(DASH)] = POINT;
        this.mix(digest, id);
        this.mixFields(digest, place);
      },
    );
  }

  /** Mixes the fields and values of an entry in turn; their names may be those of the node. */
  private mixFields(digest: Uint8Array, place: StreamPlace): void {
    const { view, fields } = place;
    const shared = (place.flags & FLAG_SAME_FIELDS) !== 0;
    let name = place.masterAt;
    let at = place.dataAt;
    for (let field = 0; field < fields; field++) {
      if (shared) {
        this.mixElement(digest, view, name);
        name = listpackSkip(view, name);
      } else {
        this.mixElement(digest, view, at);
        at = listpackSkip(view, at);
      }
      this.mixElement(digest, view, at);
      at = listpackSkip(view, at);
    }
  }

  /** Mixes an element of a listpack. */
  private mixElement(digest: Uint8Array, view: ReadonlyView, at: number): void {
    this.text.takeElement(view, at);
    this.mix(digest, this.text.bytes.subarray(0, this.text.length));
  }

  /** Adds the digest of two texts that belong together. */
  private addPair(digest: Uint8Array, first: Uint8Array, second: Uint8Array): void {
    this.pair.fill(0);
    this.mix(this.pair, first);
    this.mix(this.pair, second);
    this.add(digest, this.pair);
  }
}

/** The digest of all keys in all databases, in hexadecimal. */
export function datasetDigest(keyspace: Keyspace): string {
  const { arena } = keyspace;
  const digester = new Digester(keyspace);
  const whole = new Uint8Array(SHA1_BYTES);
  const one = new Uint8Array(SHA1_BYTES);
  for (const database of keyspace.databases) {
    if (database.size === 0) continue;
    digester.mixNumber(whole, database.number);
    for (let bucket = 0; bucket < dictBuckets(arena, database.dict); bucket++) {
      dictVisitBucket(arena, database.dict, bucket, (entry) => {
        one.fill(0);
        const start = keyStart(arena, entry);
        const bytes = arena.bytes[entry >>> SEGMENT_SHIFT] as Uint8Array;
        digester.mix(one, bytes.subarray(start, start + keyLength(arena, entry)));
        digester.mixValue(one, entry);
        digester.add(whole, one);
      });
    }
  }
  return hexadecimal(whole);
}

/** The digest of the value of `entry` alone, in hexadecimal; that of nothing if it is 0. */
export function valueDigest(keyspace: Keyspace, entry: number): string {
  const digest = new Uint8Array(SHA1_BYTES);
  if (entry !== 0) new Digester(keyspace).mixValue(digest, entry);
  return hexadecimal(digest);
}

function combine(digest: Uint8Array, other: Uint8Array): void {
  for (let index = 0; index < SHA1_BYTES; index++) digest[index] ^= other[index];
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
