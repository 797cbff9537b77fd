/**
 * Waiting for what happens by itself: between two turns, or beside this process.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";

const MOST_TURNS = 2000;

/** Long enough for a machine that has much else to do. */
const PATIENCE_MS = 60_000;

/** From one look to the next at what happens elsewhere. */
const LOOK_INTERVAL_MS = 5;

/** Lets everything that is ready happen, until `isDone` or many turns are over. */
export async function until(isDone: () => boolean): Promise<void> {
  for (let turn = 0; turn < MOST_TURNS && !isDone(); turn++) {
    await new Promise((resolve) => setTimeout(resolve));
  }
  assertEquals(isDone(), true, "it happens in time");
}

/** Waits until something is so that takes other processes, or the network; for a minute at most. */
export async function eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!await isSo()) {
    assert(performance.now() < endMs, "it happens in time");
    await new Promise((resolve) => setTimeout(resolve, LOOK_INTERVAL_MS));
  }
}
