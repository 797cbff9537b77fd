/**
 * Connections of played monitors.
 *
 * @module
 */
import type { PlayedWorld } from "./played_world.ts";

/** Who listens to the channel for hello messages of a played node. */
export class Subscribers {
  readonly #links = new Set<number>();

  add(link: number): void {
    this.#links.add(link);
  }

  /** Sends a message of `host` to all that still listen. */
  publish(world: PlayedWorld, host: string, text: string): void {
    for (const link of this.#links) {
      if (!world.message(link, host, text)) this.#links.delete(link);
    }
  }
}
