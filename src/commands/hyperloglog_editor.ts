/**
 * Changes to a HyperLogLog where it lies.
 *
 * @module
 */
import { assert } from "@std/assert";
import {
  editString,
  openString,
  roomOfString,
  setOpenLength,
  setRawString,
} from "../keyspace/string_editing.ts";
import { EXPIRY_KEEP } from "../keyspace/strings.ts";
import {
  CORRUPT,
  denseFromSparse,
  isDense,
  KEPT,
  NEEDS_DENSE,
  RAISED,
  raiseDense,
  raiseSparse,
  SPARSE_GROWTH,
  SparseCursor,
  writeDense,
} from "../memory/hyperloglog.ts";
import type { Context } from "./context.ts";

/**
 * Changes the registers of one HyperLogLog. Its string is at `context.place`, opened, from
 * {@linkcode HyperLogLogEditor.open} on; `keyspace.hash` is the hash of its key.
 */
export class HyperLogLogEditor {
  /** How many registers were raised. */
  raised = 0;
  private room = 0;
  private dense = false;

  /** Edits the value of `entry`, whose key is argument `keyIndex`. */
  constructor(
    private readonly context: Context,
    /** The entry, which changes may move. */
    public entry: number,
    private readonly keyIndex: number,
  ) {}

  /** Opens the string. */
  open(): void {
    const { context: { database, keyspace, place, scratch } } = this;
    this.entry = openString(database, this.entry, 0, scratch);
    this.room = roomOfString(keyspace, this.entry);
    this.edit();
    this.dense = isDense(place);
  }

  /** Raises register `index` to `rank`: KEPT, RAISED or CORRUPT. */
  raise(index: number, rank: number): number {
    const { place } = this.context;
    if (!this.dense) {
      const outcome = this.raiseSparse(index, rank);
      if (outcome !== NEEDS_DENSE) return outcome;
      if (!this.makeDense()) return CORRUPT;
    }
    if (!raiseDense(place, index, rank)) return KEPT;
    this.raised++;
    return RAISED;
  }

  /** Raises all registers to those given, of which none is lower than it is. */
  raiseAll(registers: Uint8Array): void {
    const cursor = new SparseCursor();
    for (let index = 0; index < registers.length && !this.dense; index++) {
      if (registers[index] === 0) continue;
      const outcome = this.raiseSparse(index, registers[index], cursor);
      if (outcome !== NEEDS_DENSE) continue;
      const whole = this.makeDense();
      assert(whole, "a value whose registers were read is whole");
    }
    if (this.dense) writeDense(this.context.place, registers);
  }

  /** Makes the value dense if it isn't; false if it is corrupt, which changes nothing. */
  makeDense(): boolean {
    if (this.dense) return true;
    const { database, place, view, starts, lengths } = this.context;
    const bytes = denseFromSparse(place);
    if (bytes === undefined) return false;
    const [start, length] = [starts[this.keyIndex], lengths[this.keyIndex]];
    this.entry = setRawString(database, this.entry, view, start, length, bytes, EXPIRY_KEEP);
    this.dense = true;
    this.edit();
    return true;
  }

  /** As {@linkcode raise}, for a sparse value; NEEDS_DENSE if it can't stay one. */
  private raiseSparse(index: number, rank: number, cursor?: SparseCursor): number {
    const { keyspace, place, sparseLimit } = this.context;
    if (this.room - place.length < SPARSE_GROWTH) this.grow();
    const outcome = raiseSparse(place, index, rank, sparseLimit, cursor);
    if (outcome === RAISED) {
      this.raised++;
      setOpenLength(keyspace, this.entry, place.length);
    }
    return outcome;
  }

  /** Makes room behind the sparse value; as strings that grow do, more than is needed now. */
  private grow(): void {
    const { database, keyspace, place, scratch } = this.context;
    const length = place.length;
    this.entry = openString(database, this.entry, length + SPARSE_GROWTH, scratch);
    setOpenLength(keyspace, this.entry, length);
    this.room = roomOfString(keyspace, this.entry);
    this.edit();
  }

  /** Puts where the string lies now, to be stored to, into `context.place`. */
  private edit(): void {
    const { keyspace, place } = this.context;
    editString(keyspace, this.entry, 0, roomOfString(keyspace, this.entry), place);
  }
}
