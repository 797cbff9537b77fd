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
import { SEGMENT_SHIFT } from "../memory/arena.ts";
import { entryType, hasExpiry } from "./entry_facts.ts";
import { type Keyspace } from "./keyspace.ts";
import { Sha1, SHA1_BYTES } from "./sha1.ts";
import { stringBytes } from "./strings.ts";

const EXPIRY_MARK = new TextEncoder().encode("!!expire!!");
/** Longest text of a number, and some. */
const SCRATCH_BYTES = 32;

/** Makes digests. */
class Digester {
  private readonly sha1 = new Sha1();
  private readonly hash = new Uint8Array(SHA1_BYTES);
  private readonly word = new Uint8Array(4);
  private readonly scratch = new Uint8Array(SCRATCH_BYTES);

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
    this.mixNumber(digest, entryType(this.keyspace, entry));
    this.mix(digest, stringBytes(this.keyspace, entry, this.scratch));
    if (hasExpiry(this.keyspace, entry)) this.add(digest, EXPIRY_MARK);
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
