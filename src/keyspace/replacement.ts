/**
 * Other data in the place of all that there is, at one moment: what a replica loads while it still shows the old data.
 *
 * The new keys are put into *spare* databases, which live in the same memory beside those that clients see and which nobody can
 * select. When all is there, spare and visible databases change places, which takes no longer for many keys than for few; what was
 * visible before is freed in slices. If the new data turns out to be broken, it is freed instead, and nobody has noticed anything.
 *
 * The spare databases are made when they are first needed, and stay, empty as a rule.
 *
 * @module
 */
import { dictCreate } from "../memory/dict.ts";
import { dropKeys, storedEntry } from "./flushing.ts";
import { Database, type Keyspace } from "./keyspace.ts";
import type { ObservedKey } from "./observed_keys.ts";

/** The databases that nobody sees, as many as there are others; they are empty unless somebody fills them. */
export function spareDatabases(keyspace: Keyspace): readonly Database[] {
  const { arena, databases, databasesById, seed0, seed1 } = keyspace;
  const spare = databasesById.filter((database) => databases[database.number] !== database);
  if (spare.length > 0) return spare.sort((left, right) => left.number - right.number);
  for (const { number } of [...databases]) {
    const dict = dictCreate(arena, seed0, seed1);
    databasesById.push(new Database(keyspace, databasesById.length, dict, number));
  }
  return databasesById.slice(databases.length);
}

/**
 * Puts the spare databases in the place of the visible ones, whose keys go; `lazily`: what takes long may be done later. Those who
 * observe a key that was there, or is now, are told.
 */
export function replaceDatabases(keyspace: Keyspace, lazily: boolean): void {
  const { databases } = keyspace;
  const spare = spareDatabases(keyspace);
  const before = [...databases];
  for (const database of before) keyspace.onFlush?.(database);
  const touched = before.flatMap(({ number }): ObservedKey[] =>
    keyspace.observed.inDatabase(
      number,
      (key) => storedEntry(before[number], key) !== 0 || storedEntry(spare[number], key) !== 0,
    )
  );
  for (const database of spare) databases[database.number] = database;
  dropKeys(keyspace, before, lazily);
  for (const key of touched) key.tell();
}

/** Removes what is in the spare databases: nobody will see it. */
export function discardSpare(keyspace: Keyspace, lazily: boolean): void {
  dropKeys(keyspace, spareDatabases(keyspace), lazily);
}
