/**
 * Waiting for what a server does between two turns.
 *
 * @module
 */
import { assertEquals } from "@std/assert";

const MOST_TURNS = 2000;

/** Lets everything that is ready happen, until `isDone` or many turns are over. */
export async function until(isDone: () => boolean): Promise<void> {
  for (let turn = 0; turn < MOST_TURNS && !isDone(); turn++) {
    await new Promise((resolve) => setTimeout(resolve));
  }
  assertEquals(isDone(), true, "it happens in time");
}
