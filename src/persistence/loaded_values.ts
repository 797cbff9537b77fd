/**
 * Collections that were read and belong to no key yet, in the two forms that most have.
 *
 * @module
 */
import { storeRoot, storeSmall } from "../keyspace/collection_store.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { ReadonlyView } from "../memory/arena.ts";
import type { LoadedValue, LoadTarget } from "./rdb_values.ts";

/** A small one, which is still in the memory that it was read from or put together in. */
export class LoadedSmall implements LoadedValue {
  /** `kind` is its type and encoding; it is the `bytes` bytes of `source` from `from`. */
  constructor(
    private readonly kind: number,
    private readonly source: ReadonlyView,
    private readonly from: number,
    private readonly bytes: number,
  ) {}

  /** See {@linkcode LoadedValue}. */
  store({ database, old, view, start, length, volatile }: LoadTarget): number {
    const { kind, source, from, bytes } = this;
    return storeSmall(database, old, view, start, length, kind, source, from, bytes, volatile);
  }

  /** See {@linkcode LoadedValue}. */
  discard(): void {}
}

/** A large one, whose root nobody owns. */
export class LoadedRoot implements LoadedValue {
  /** The root of a value of this type. */
  constructor(
    private readonly keyspace: Keyspace,
    private readonly type: number,
    private readonly root: number,
  ) {}

  /** See {@linkcode LoadedValue}. */
  store({ database, old, view, start, length, volatile }: LoadTarget): number {
    return storeRoot(database, old, view, start, length, this.type, this.root, volatile);
  }

  /** See {@linkcode LoadedValue}. */
  discard(): void {
    this.keyspace.freeValueBlock(this.root);
  }
}
