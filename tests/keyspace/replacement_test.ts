import { assert, assertEquals } from "@std/assert";
import { checkKeyspace } from "../../src/keyspace/checking.ts";
import { flushDatabases, freeDetached } from "../../src/keyspace/flushing.ts";
import { type Database, findEntry, Keyspace } from "../../src/keyspace/keyspace.ts";
import { discardSpare, replaceDatabases, spareDatabases } from "../../src/keyspace/replacement.ts";
import { EXPIRY_NONE, EXPIRY_SET, setString } from "../../src/keyspace/strings.ts";

const KEYS = 3000;

function bytes(text: string): DataView {
  const encoded = new TextEncoder().encode(text);
  return new DataView(encoded.buffer, encoded.byteOffset, encoded.length);
}

/** Puts keys into `database` that begin with `prefix`, some of them with an expiry. */
function fill(database: Database, prefix: string): void {
  const { keyspace } = database;
  for (let index = 0; index < KEYS; index++) {
    const key = bytes(`${prefix}${index}`);
    keyspace.expiry.high = 1000;
    keyspace.expiry.low = index;
    const expiry = index % 3 === 0 ? EXPIRY_SET : EXPIRY_NONE;
    const old = findEntry(database, key, 0, key.byteLength);
    const value = new Uint8Array(index % 100);
    const view = new DataView(value.buffer);
    setString(database, old, key, 0, key.byteLength, view, 0, value.length, expiry);
  }
}

function has(keyspace: Keyspace, number: number, text: string): boolean {
  const key = bytes(text);
  return findEntry(keyspace.databases[number], key, 0, key.byteLength) !== 0;
}

function freeAll(keyspace: Keyspace): void {
  while (freeDetached(keyspace, 100));
  checkKeyspace(keyspace);
}

Deno.test("replacement: spare databases aren't seen until they take the place of the others", () => {
  const keyspace = new Keyspace(4, 1, 2);
  for (const lazily of [false, true, false]) {
    fill(keyspace.databases[0], "old");
    const [first, , third] = spareDatabases(keyspace);
    fill(first, "new");
    fill(third, "new");
    checkKeyspace(keyspace);
    assert(has(keyspace, 0, "old1") && !has(keyspace, 0, "new1"));
    replaceDatabases(keyspace, lazily);
    checkKeyspace(keyspace);
    assert(!has(keyspace, 0, "old1") && has(keyspace, 0, "new1") && has(keyspace, 2, "new1"));
    assertEquals(keyspace.databases.map(({ number, size }) => [number, size]), [
      [0, KEYS],
      [1, 0],
      [2, KEYS],
      [3, 0],
    ]);
    freeAll(keyspace);
    flushDatabases(keyspace, keyspace.databases, false);
  }
  assertEquals(keyspace.databasesById.length, 8, "they are used again");
});

Deno.test("replacement: what is discarded leaves the others as they are, and so does a flush of those", () => {
  const keyspace = new Keyspace(2, 3, 4);
  fill(keyspace.databases[1], "old");
  const before = keyspace.arena.usedBytes;
  fill(spareDatabases(keyspace)[0], "new");
  discardSpare(keyspace, true);
  freeAll(keyspace);
  assert(has(keyspace, 1, "old1"));
  assert(keyspace.arena.usedBytes <= before + 1000);
  fill(spareDatabases(keyspace)[1], "new");
  flushDatabases(keyspace, keyspace.databases, false);
  checkKeyspace(keyspace);
  assertEquals(spareDatabases(keyspace)[1].size, KEYS);
  replaceDatabases(keyspace, false);
  assert(has(keyspace, 1, "new1") && !has(keyspace, 1, "old1"));
  checkKeyspace(keyspace);
});

Deno.test("replacement: who observes a key is told if it was there, or is now", () => {
  const keyspace = new Keyspace(2, 5, 6);
  fill(keyspace.databases[0], "old");
  fill(spareDatabases(keyspace)[0], "new");
  const told: string[] = [];
  for (const name of ["old1", "new1", "neither"]) {
    const view = bytes(name);
    keyspace.observed.observe(0, view, 0, view.byteLength, {
      keyChanged: () => told.push(name),
    }, 0);
  }
  replaceDatabases(keyspace, true);
  assertEquals(told.sort(), ["new1", "old1"]);
});
